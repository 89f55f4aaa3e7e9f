package sandbox

import (
	"bufio"
	"errors"
	"net"
	"sync"
	"time"
)

// tlsHandshake is the first byte of a TLS connection (RFC 8446 §5.1, content
// type handshake). No HTTP method begins with it.
const tlsHandshake = 22

// split tells the connections that speak TLS from those that do not by their
// first byte, so that a service which sends in clear what it should not is seen.
// Closing either closes the listener.
func split(l net.Listener) (secure, inClear net.Listener) {
	s := &splitter{Listener: l, done: make(chan struct{})}
	a, b := &half{s, make(chan net.Conn)}, &half{s, make(chan net.Conn)}
	go s.sort(a.conns, b.conns)
	return a, b
}

// splitter reads the first byte of each connection.
type splitter struct {
	net.Listener
	done chan struct{}
	once sync.Once
	err  error // why there are no more connections; set before done is closed
}

func (s *splitter) end(err error) {
	s.once.Do(func() { s.err = err; close(s.done) })
}

func (s *splitter) sort(secure, inClear chan<- net.Conn) {
	for {
		c, err := s.Accept()
		if err != nil {
			var passing net.Error
			if errors.As(err, &passing) && passing.Timeout() {
				continue
			}
			s.end(err)
			return
		}
		go func() { // who connects and says nothing holds up nobody else
			_ = c.SetReadDeadline(time.Now().Add(headerTimeout))
			r := bufio.NewReaderSize(c, 16)
			first, err := r.Peek(1)
			_ = c.SetReadDeadline(time.Time{})
			if err != nil {
				_ = c.Close()
				return
			}
			to := inClear
			if first[0] == tlsHandshake {
				to = secure
			}
			select {
			case to <- &peeked{c, r}:
			case <-s.done:
				_ = c.Close()
			}
		}()
	}
}

// half is the listener of one sort of connection.
type half struct {
	*splitter
	conns chan net.Conn
}

// Accept waits for the next connection of this sort.
func (h *half) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, h.err
	}
}

// Close ends both halves.
func (h *half) Close() error {
	err := h.Listener.Close()
	h.end(net.ErrClosed)
	return err
}

// peeked is a connection whose first byte was read.
type peeked struct {
	net.Conn
	r *bufio.Reader
}

// Read gives what was read ahead first.
func (p *peeked) Read(b []byte) (int, error) {
	if p.r.Buffered() > 0 {
		return p.r.Read(b)
	}
	return p.Conn.Read(b)
}

package sandbox

import (
	"errors"
	"net"
	"testing"
	"time"
)

func TestConnectionsAreToldApartByTheirFirstByte(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's own listener
	if err != nil {
		t.Fatal(err)
	}
	secure, inClear := split(l)
	silent, err := net.Dial("tcp", l.Addr().String()) //nolint:noctx // as above
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, c := range []struct {
		sent string
		at   net.Listener
	}{{"GET / HTTP/1.1\r\n", inClear}, {"\x16\x03\x01\x00\x05", secure}, {"\xff", inClear}} {
		conn, err := net.Dial("tcp", l.Addr().String()) //nolint:noctx // as above
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(c.sent)); err != nil {
			t.Fatal(err)
		}
		got, err := c.at.Accept() // not held up by who says nothing
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, len(c.sent))
		_ = got.SetReadDeadline(time.Now().Add(10 * time.Second))
		if n, err := got.Read(b); err != nil || string(b[:n]) != c.sent {
			t.Errorf("%q: read %q, %v", c.sent, b[:n], err)
		}
		_ = got.Close()
		_ = conn.Close()
	}
	if err := inClear.Close(); err != nil {
		t.Error(err)
	}
	if _, err := secure.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

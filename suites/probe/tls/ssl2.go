package tls

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// ssl2Hello proposes SSL 2.0 with each of its suites (draft-hickman-netscape-ssl-00).
func ssl2Hello(random io.Reader) ([]byte, error) {
	var challenge [16]byte
	if _, err := io.ReadFull(random, challenge[:]); err != nil {
		return nil, fmt.Errorf("make a hello of SSL 2.0: %w", err)
	}
	suites := []byte{
		0x07, 0x00, 0xc0, 0x05, 0x00, 0x80, 0x03, 0x00, 0x80, 0x01, 0x00, 0x80, // 3DES, IDEA, RC2, RC4
		0x06, 0x00, 0x40, 0x04, 0x00, 0x80, 0x02, 0x00, 0x80, // DES, export
	}
	body := []byte{1, 0, 2, 0, byte(len(suites)), 0, 0, 0, byte(len(challenge))}
	body = append(append(body, suites...), challenge[:]...)
	return append([]byte{0x80, byte(len(body))}, body...), nil
}

// readSSL2 says whether an answer is a hello of SSL 2.0. Whatever else is said, or
// nothing, is a refusal; only silence tells nothing, and is an error.
func readSSL2(r io.Reader) (bool, error) {
	var head [7]byte // length, type, session known, kind of certificate, version
	if _, err := io.ReadFull(r, head[:]); err != nil {
		var netErr net.Error
		if errors.As(err, &netErr) && netErr.Timeout() {
			return false, err
		}
		return false, nil
	}
	long := head[0]&0x80 != 0 && binary.BigEndian.Uint16(head[:])&0x7fff >= 11
	return long && head[2] == 4 && binary.BigEndian.Uint16(head[5:]) == 2, nil
}

// ssl2 asks for SSL 2.0, whose hello is of another form than all that followed.
func (s *surveyor) ssl2(ctx context.Context, d *Depth) error {
	if s.connections >= MaxConnections {
		return fmt.Errorf("%w: after %d connections", errSurvey, s.connections)
	}
	if err := s.pace(ctx); err != nil {
		return err
	}
	hello, err := ssl2Hello(s.o.Random)
	if err != nil {
		return err
	}
	s.connections++
	conn, stop, err := open(ctx, s.address, s.o)
	if err != nil {
		return s.silent(fmt.Errorf("%w: %w", errSurvey, err))
	}
	defer stop()
	if _, err := conn.Write(hello); err != nil {
		d.SSL2 = No // closed at once
		return nil
	}
	if yes, err := readSSL2(conn); err == nil {
		d.SSL2 = stand(yes)
	}
	return ctx.Err()
}

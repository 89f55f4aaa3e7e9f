package tls

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// Handshake messages (RFC 5246 §7.4).
const (
	certificateMessage = 11
	serverKeyExchange  = 12
	serverHelloDone    = 14

	maxFlight = 1 << 18 // of everything a server sends before it waits for an answer
)

var errFlight = errors.New("the server's first messages cannot be read")

// flight is what a server sends up to TLS 1.2 before it waits: its hello, its
// certificate, and how keys are to be agreed.
type flight struct {
	answer
	leaf     []byte // DER
	exchange []byte // body of ServerKeyExchange
	broken   bool   // an alert came after the hello
}

// readFlight reads records until the server waits, or is done.
func readFlight(r io.Reader) (flight, error) {
	var f flight
	var shake []byte
	greeted := false
	for total := 0; total < maxFlight; {
		kind, body, err := readRecord(r)
		if err != nil {
			return f, err
		}
		total += len(body) + 5
		if kind == recordAlert {
			if len(body) != 2 {
				return f, errNotTLS
			}
			if body[0] == alertWarning && body[1] != alertClose {
				continue
			}
			if greeted {
				f.broken = true
				return f, fmt.Errorf("%w: alert %d after the ServerHello", errFlight, body[1])
			}
			f.alert, f.alertCode = true, body[1]
			return f, nil
		}
		if kind != recordHandshake {
			return f, errNotTLS
		}
		shake = append(shake, body...)
		for len(shake) >= 4 {
			size := int(shake[1])<<16 | int(shake[2])<<8 | int(shake[3])
			if size > maxFlight {
				return f, errFlight
			}
			if len(shake) < 4+size {
				break
			}
			message := shake[4 : 4+size]
			switch {
			case !greeted && shake[0] == serverHello:
				if f.answer, err = parseServerHello(message); err != nil {
					return f, err
				}
				greeted = true
				if f.number >= 0x0304 {
					return f, nil // what follows is encrypted
				}
			case !greeted:
				return f, errNotTLS
			case shake[0] == certificateMessage:
				if f.leaf, err = firstCertificate(message); err != nil {
					return f, err
				}
			case shake[0] == serverKeyExchange:
				f.exchange = message
				return f, nil
			case shake[0] == serverHelloDone:
				return f, nil
			}
			shake = shake[4+size:]
		}
	}
	return f, errFlight
}

// readRecord reads one record in the clear.
func readRecord(r io.Reader) (kind byte, body []byte, err error) {
	var head [5]byte
	if n, err := io.ReadFull(r, head[:]); err != nil {
		if n > 0 && errors.Is(err, io.ErrUnexpectedEOF) && head[0] != recordAlert && head[0] != recordHandshake {
			return 0, nil, errNotTLS
		}
		return 0, nil, err
	}
	length := int(binary.BigEndian.Uint16(head[3:]))
	if head[1] != 3 || length == 0 || length > maxRecord {
		return 0, nil, errNotTLS
	}
	body = make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return 0, nil, err
	}
	return head[0], body, nil
}

// firstCertificate reads the leaf out of a Certificate message (RFC 5246 §7.4.2).
func firstCertificate(b []byte) ([]byte, error) {
	if len(b) < 6 {
		return nil, errFlight
	}
	n := int(b[3])<<16 | int(b[4])<<8 | int(b[5])
	if n > len(b)-6 {
		return nil, errFlight
	}
	return b[6 : 6+n], nil
}

// leafGroup is the group of a certificate's key, 0 where it has none.
func leafGroup(der []byte) uint16 {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return 0
	}
	key, ok := cert.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return 0
	}
	return map[int]uint16{256: 23, 384: 24, 521: 25}[key.Curve.Params().BitSize]
}

// agreement is what a ServerKeyExchange says.
type agreement struct {
	group     uint16 // ECDHE
	prime     int    // DHE: bits of the prime
	signature uint16 // scheme of the signature, TLS 1.2 only; 0 where there is none
}

// parseAgreement reads a ServerKeyExchange (RFC 5246 §7.4.3, RFC 8422 §5.4).
// Exchange is that of the suite.
func parseAgreement(b []byte, exchange string, number uint16) (agreement, error) {
	var a agreement
	switch exchange {
	case "ECDHE", "ECDH":
		if len(b) < 4 || b[0] != 3 { // named_curve
			return a, fmt.Errorf("%w: the group of keys has no name", errFlight)
		}
		a.group = binary.BigEndian.Uint16(b[1:])
		n := int(b[3])
		if b = b[4:]; n > len(b) {
			return a, errFlight
		}
		b = b[n:]
	case "DHE", "DH":
		for i := range 3 { // prime, generator, public key
			if len(b) < 2 {
				return a, errFlight
			}
			n := int(binary.BigEndian.Uint16(b))
			if b = b[2:]; n > len(b) {
				return a, errFlight
			}
			if i == 0 {
				a.prime = new(big.Int).SetBytes(b[:n]).BitLen()
			}
			b = b[n:]
		}
	default:
		return a, fmt.Errorf("%w: no keys are agreed with %s", errFlight, exchange)
	}
	if number >= 0x0303 && len(b) >= 4 {
		a.signature = binary.BigEndian.Uint16(b)
	}
	return a, nil
}

package tls

import (
	"bytes"
	"context"
	cryptotls "crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"
)

// A version is asked for with a hello of our own, not with crypto/tls: the
// server's first answer is enough, and a hello may propose suites that
// crypto/tls does not implement (finite-field Diffie-Hellman, SSL 3.0). With
// crypto/tls, a server that offers TLS 1.0 with those alone would look as if it
// did not offer TLS 1.0.

// protocol is one version that is asked for.
type protocol struct {
	name   string
	number uint16
}

// protocols are asked for, oldest first.
var protocols = [...]protocol{
	{"SSL 3.0", 0x0300},
	{"TLS 1.0", 0x0301},
	{"TLS 1.1", 0x0302},
	{"TLS 1.2", 0x0303},
	{"TLS 1.3", 0x0304},
}

const (
	recordAlert     = 21
	recordHandshake = 22
	serverHello     = 2
	alertWarning    = 1
	alertClose      = 0 // close_notify

	maxRecord = 1<<14 + 2048 // RFC 5246 §6.2.3
	maxHello  = 1 << 16      // a ServerHello is a few hundred bytes
)

// ask proposes one version alone and reads the first answer.
func ask(ctx context.Context, address, sni string, p protocol, o Options) (Version, error) {
	v := Version{Name: p.name}
	hello, err := clientHello(p.number, sni, o.Random)
	if err != nil {
		v.State, v.Detail = Failed, err.Error()
		return v, err
	}
	conn, stop, err := open(ctx, address, o)
	if err != nil {
		v.State, v.Detail = Failed, err.Error()
		return v, err
	}
	defer stop()
	if _, err = conn.Write(hello); err == nil {
		var answer answer
		answer, err = readAnswer(conn)
		if err == nil {
			return answer.version(p), nil
		}
	}
	var netErr net.Error
	switch {
	case errors.As(err, &netErr) && netErr.Timeout(), ctx.Err() != nil:
		v.State, v.Detail = Silent, fmt.Sprintf("no answer within %s", o.Timeout)
	case errors.Is(err, errNotTLS):
		v.State, v.Detail = NotTLS, err.Error()
	default: // closed or reset: the way in which many servers refuse a version
		v.State, v.Detail = Refused, "the connection was closed without an answer"
	}
	return v, err
}

// open connects and bounds everything that follows in time. stop must be called.
func open(ctx context.Context, address string, o Options) (net.Conn, func(), error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	conn, err := o.Dial(ctx, "tcp", address)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	unwatch := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return conn, func() {
		unwatch()
		cancel()
		_ = conn.Close()
	}, nil
}

// answer is the first thing a server says.
type answer struct {
	alert     bool
	alertCode byte
	number    uint16
	suite     uint16

	random      [32]byte
	compression byte     // 0: none
	extensions  []uint16 // answered, in order
	group       uint16   // of the key share, chosen or asked for (TLS 1.3)
}

// has says whether the server answered an extension.
func (a answer) has(extension uint16) bool { return slices.Contains(a.extensions, extension) }

func (a answer) version(p protocol) Version {
	v := Version{Name: p.name}
	switch {
	case a.alert:
		v.State, v.Detail = Refused, fmt.Sprintf("alert %d (%s)", a.alertCode, cryptotls.AlertError(a.alertCode).Error())
	case a.number == p.number:
		v.State, v.Suite = Offered, suiteName(a.suite)
	default:
		v.State, v.Detail = Refused, "answered with "+versionName(a.number)
	}
	return v
}

var errNotTLS = errors.New("the answer is not TLS")

// readAnswer reads records until a fatal alert or a whole ServerHello.
func readAnswer(r io.Reader) (answer, error) {
	var shake []byte
	for total := 0; total < maxHello; {
		kind, body, err := readRecord(r)
		if err != nil {
			return answer{}, err
		}
		total += len(body)
		switch kind {
		case recordAlert:
			if len(body) != 2 {
				return answer{}, errNotTLS
			}
			// A warning such as unrecognized_name comes before the ServerHello.
			if body[0] == alertWarning && body[1] != alertClose {
				continue
			}
			return answer{alert: true, alertCode: body[1]}, nil
		case recordHandshake:
			shake = append(shake, body...)
			if len(shake) < 4 {
				continue
			}
			size := int(shake[1])<<16 | int(shake[2])<<8 | int(shake[3])
			if shake[0] != serverHello || size > maxHello {
				return answer{}, errNotTLS
			}
			if len(shake) < 4+size {
				continue
			}
			return parseServerHello(shake[4 : 4+size])
		default:
			return answer{}, errNotTLS
		}
	}
	return answer{}, errNotTLS
}

// parseServerHello reads version and suite (RFC 8446 §4.1.3). A request to
// retry the hello has the same form and agrees to the version just as well.
func parseServerHello(b []byte) (answer, error) {
	if len(b) < 2+32+1 {
		return answer{}, errNotTLS
	}
	a := answer{number: binary.BigEndian.Uint16(b)}
	copy(a.random[:], b[2:])
	b = b[34:]
	session := int(b[0])
	if session > 32 || len(b) < 1+session+3 {
		return answer{}, errNotTLS
	}
	b = b[1+session:]
	a.suite, a.compression = binary.BigEndian.Uint16(b), b[2]
	b = b[3:]
	if len(b) < 2 {
		return a, nil // no extensions
	}
	size := int(binary.BigEndian.Uint16(b))
	if b = b[2:]; size > len(b) {
		return answer{}, errNotTLS
	}
	for b = b[:size]; len(b) >= 4; {
		kind, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if b = b[4:]; n > len(b) {
			return answer{}, errNotTLS
		}
		switch {
		case kind == extSupportedVersions && n == 2:
			a.number = binary.BigEndian.Uint16(b)
		case kind == extKeyShare && n >= 2:
			a.group = binary.BigEndian.Uint16(b)
		}
		a.extensions = append(a.extensions, kind)
		b = b[n:]
	}
	return a, nil
}

const (
	extServerName        = 0
	extGroups            = 10
	extHeartbeat         = 15
	extPointFormats      = 11
	extSignatures        = 13
	extMasterSecret      = 23
	extSupportedVersions = 43
	extKeyModes          = 45
	extKeyShare          = 51
	extRenegotiation     = 0xff01
	groupX25519          = 0x001d
	scsvRenegotiation    = 0x00ff // renegotiation_info (RFC 5746 §3.3)
	scsvFallback         = 0x5600 // RFC 7507
)

// proposal is what a hello proposes: one version alone, and with it whatever the
// question is about.
type proposal struct {
	number     uint16
	suites     []uint16
	groups     []uint16
	signatures []uint16
	compress   bool // DEFLATE is proposed before none
	heartbeat  bool // RFC 6520
	noShare    bool // TLS 1.3: the server has to ask for a key share, and names its group
}

func proposing(number uint16) proposal {
	return proposal{
		number: number, suites: suitesFor(number),
		groups: []uint16{groupX25519, 0x0017, 0x0018, 0x0019, 0x001e, 0x001a, 0x001b, 0x001c, 0x0016, 0x0100, 0x0101},
		signatures: []uint16{0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b,
			0x0401, 0x0501, 0x0601, 0x0303, 0x0301, 0x0203, 0x0201, 0x0402, 0x0202},
	}
}

// clientHello builds the record that proposes one version alone.
func clientHello(number uint16, sni string, random io.Reader) ([]byte, error) {
	return proposing(number).hello(sni, random)
}

func (p proposal) hello(sni string, random io.Reader) ([]byte, error) {
	number := p.number
	var noise [32 + 32 + 32]byte // random, session id, key share
	if _, err := io.ReadFull(random, noise[:]); err != nil {
		return nil, fmt.Errorf("make a TLS hello: %w", err)
	}
	var body bytes.Buffer
	u16(&body, min(number, 0x0303)) // TLS 1.3 is asked for in an extension
	body.Write(noise[:32])
	if number == 0x0304 {
		vector8(&body, noise[32:64]) // middlebox compatibility, RFC 8446 §4.1.2
	} else {
		vector8(&body, nil)
	}
	vector16(&body, words(p.suites...))
	if p.compress {
		vector8(&body, []byte{1, 0}) // RFC 3749
	} else {
		vector8(&body, []byte{0}) // no compression
	}
	if number > 0x0300 {
		vector16(&body, p.extensions(sni, noise[64:]))
	}

	var out bytes.Buffer
	out.WriteByte(recordHandshake)
	u16(&out, min(number, 0x0301)) // what clients write for the sake of old servers
	u16(&out, uint16(body.Len()+4))
	out.Write([]byte{1, 0, byte(body.Len() >> 8), byte(body.Len())})
	out.Write(body.Bytes())
	return out.Bytes(), nil
}

func (p proposal) extensions(sni string, share []byte) []byte {
	number := p.number
	var out bytes.Buffer
	add := func(kind uint16, content []byte) {
		u16(&out, kind)
		vector16(&out, content)
	}
	if sni != "" && len(sni) < 256 {
		var name bytes.Buffer
		name.WriteByte(0) // host_name
		vector16(&name, []byte(sni))
		var list bytes.Buffer
		vector16(&list, name.Bytes())
		add(extServerName, list.Bytes())
	}
	var list bytes.Buffer
	vector16(&list, words(p.groups...))
	add(extGroups, list.Bytes())
	add(extPointFormats, []byte{1, 0})
	add(extMasterSecret, nil)
	if p.heartbeat {
		add(extHeartbeat, []byte{1}) // peer_allowed_to_send
	}
	if number >= 0x0303 {
		list.Reset()
		vector16(&list, words(p.signatures...))
		add(extSignatures, list.Bytes())
	}
	if number == 0x0304 {
		add(extSupportedVersions, []byte{2, 3, 4})
		add(extKeyModes, []byte{1, 1})
		var entry bytes.Buffer
		if !p.noShare {
			u16(&entry, groupX25519)
			vector16(&entry, share) // any 32 bytes are a point; the handshake is never finished
		}
		list.Reset()
		vector16(&list, entry.Bytes())
		add(extKeyShare, list.Bytes())
	}
	return out.Bytes()
}

func u16(b *bytes.Buffer, v uint16) { b.Write([]byte{byte(v >> 8), byte(v)}) }

func vector8(b *bytes.Buffer, content []byte) {
	b.WriteByte(byte(len(content)))
	b.Write(content)
}

func vector16(b *bytes.Buffer, content []byte) {
	u16(b, uint16(len(content)))
	b.Write(content)
}

func words(values ...uint16) []byte {
	out := make([]byte, 0, 2*len(values))
	for _, v := range values {
		out = binary.BigEndian.AppendUint16(out, v)
	}
	return out
}

func versionName(number uint16) string {
	for _, p := range protocols {
		if p.number == number {
			return p.name
		}
	}
	return fmt.Sprintf("version 0x%04x", number)
}

// suiteName gives a suite's registered name, a number in hexadecimal for one that
// is not known.
func suiteName(id uint16) string {
	if name, ok := registered()[id]; ok {
		return name
	}
	return cryptotls.CipherSuiteName(id)
}

// suitesFor lists the suites proposed with a version: all those a server of
// that age may be restricted to, the bad ones too, the best first. Fewer than
// 128, above which some old servers give up.
func suitesFor(number uint16) []uint16 {
	if number == 0x0304 {
		return []uint16{0x1301, 0x1302, 0x1303, 0x1304, 0x1305}
	}
	var out []uint16
	if number == 0x0303 {
		out = append(out,
			0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca9, 0xcca8, 0xccaa, // ECDHE and DHE with AEAD
			0xc0ac, 0xc0ad, 0xc0ae, 0xc0af, 0xc09e, 0xc09f, 0x009e, 0x009f, 0x00a2, 0x00a3,
			0xc023, 0xc024, 0xc027, 0xc028, 0x0067, 0x006b, 0x0040, 0x006a, // CBC with SHA-2
			0xc02d, 0xc02e, 0xc031, 0xc032, 0xc025, 0xc026, 0xc029, 0xc02a,
			0x009c, 0x009d, 0xc09c, 0xc09d, 0x003c, 0x003d)
	}
	return append(out,
		0xc009, 0xc00a, 0xc013, 0xc014, 0x0033, 0x0039, 0x0032, 0x0038, // AES-CBC with forward secrecy
		0x002f, 0x0035, 0x0041, 0x0084, 0x0045, 0x0088, 0x0096, 0x009a, 0x0007, // RSA, Camellia, SEED, IDEA
		0xc004, 0xc005, 0xc00e, 0xc00f, 0xc003, 0xc00d, // static ECDH
		0xc008, 0xc012, 0x0016, 0x0013, 0x000a, 0x0009, 0x0015, 0x0012, // 3DES, DES
		0xc007, 0xc011, 0xc002, 0xc00c, 0x0005, 0x0004, // RC4
		0x0003, 0x0006, 0x0008, 0x0014, 0x0011, // export
		0x0034, 0x003a, 0x0018, 0x001b, 0xc016, 0xc017, 0xc018, 0xc019, // anonymous
		0xc006, 0xc010, 0x0001, 0x0002, 0x003b, // no encryption
		scsvRenegotiation)
}

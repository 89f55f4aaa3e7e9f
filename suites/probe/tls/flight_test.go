package tls

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

func recordOf(kind byte, body []byte) []byte {
	return append([]byte{kind, 3, 3, byte(len(body) >> 8), byte(len(body))}, body...)
}

func messageOf(kind byte, body []byte) []byte {
	return append([]byte{kind, 0, byte(len(body) >> 8), byte(len(body))}, body...)
}

// helloOf is a ServerHello of TLS 1.2.
func helloOf(suite uint16, compression byte, extensions ...uint16) []byte {
	b := append([]byte{3, 3}, make([]byte, 32)...)
	b = append(b, 0)
	b = binary.BigEndian.AppendUint16(b, suite)
	b = append(b, compression)
	var list []byte
	for _, e := range extensions {
		list = binary.BigEndian.AppendUint32(list, uint32(e)<<16)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(list)))
	return messageOf(serverHello, append(b, list...))
}

func curveParams(id uint16) []byte {
	return append([]byte{3, byte(id >> 8), byte(id), 2, 4, 5}, 2, 1, 0, 0) // signed with RSA and SHA-1
}

func TestAFlightIsReadHoweverItIsCut(t *testing.T) {
	whole := slices.Concat(helloOf(0xc02f, 1, extRenegotiation, extMasterSecret), messageOf(certificateMessage, []byte{0, 0, 5, 0, 0, 2, 7, 8}), messageOf(serverKeyExchange, curveParams(19)))
	for _, size := range []int{1, 3, 7, len(whole)} {
		var b bytes.Buffer
		for part := range slices.Chunk(whole, size) {
			b.Write(recordOf(recordHandshake, part))
		}
		f, err := readFlight(&b)
		if err != nil || f.suite != 0xc02f || f.compression != 1 || !f.has(extRenegotiation) || !f.has(extMasterSecret) || !bytes.Equal(f.leaf, []byte{7, 8}) {
			t.Fatalf("records of %d: %+v %v", size, f, err)
		}
		got, err := parseAgreement(f.exchange, "ECDHE", 0x0303)
		if err != nil || got.group != 19 || got.signature != 0x0201 {
			t.Errorf("records of %d: %+v %v", size, got, err)
		}
	}
}

func TestAFlightThatIsNone(t *testing.T) {
	hello := recordOf(recordHandshake, helloOf(0xc02f, 0))
	for name, c := range map[string]struct {
		sent []byte
		want func(flight, error) bool
	}{
		"an alert":             {recordOf(recordAlert, []byte{2, 40}), func(f flight, err error) bool { return err == nil && f.alert && f.alertCode == 40 }},
		"a warning first":      {append(recordOf(recordAlert, []byte{1, 112}), hello...), func(f flight, err error) bool { return err != nil && f.suite == 0xc02f }},
		"an alert after it":    {append(slices.Clone(hello), recordOf(recordAlert, []byte{2, 40})...), func(f flight, err error) bool { return errors.Is(err, errFlight) && f.broken && !f.alert }},
		"not TLS":              {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), func(_ flight, err error) bool { return errors.Is(err, errNotTLS) }},
		"nothing":              {nil, func(_ flight, err error) bool { return err != nil }},
		"a hello and no end":   {bytes.Repeat(append(slices.Clone(hello), recordOf(recordHandshake, messageOf(22, make([]byte, 9000)))...), 40), func(_ flight, err error) bool { return errors.Is(err, errFlight) }},
		"another message":      {recordOf(recordHandshake, messageOf(14, nil)), func(_ flight, err error) bool { return errors.Is(err, errNotTLS) }},
		"a bad certificate":    {append(slices.Clone(hello), recordOf(recordHandshake, messageOf(certificateMessage, []byte{0, 0, 9, 0, 0, 200}))...), func(f flight, err error) bool { return errors.Is(err, errFlight) && f.suite == 0xc02f }},
		"too long a message":   {append(slices.Clone(hello), recordOf(recordHandshake, []byte{11, 255, 0, 0})...), func(_ flight, err error) bool { return errors.Is(err, errFlight) }},
		"an end without a key": {append(slices.Clone(hello), recordOf(recordHandshake, messageOf(serverHelloDone, nil))...), func(f flight, err error) bool { return err == nil && f.exchange == nil }},
	} {
		t.Run(name, func(t *testing.T) {
			if f, err := readFlight(bytes.NewReader(c.sent)); !c.want(f, err) {
				t.Errorf("%+v %v", f, err)
			}
		})
	}
}

// What crypto/tls and OpenSSL will not do any more is answered by hand.
func TestWhatSurroundsTheSuitesIsSeen(t *testing.T) {
	prime := append([]byte{0, 64}, bytes.Repeat([]byte{255}, 64)...)
	for name, c := range map[string]struct {
		suite uint16
		sent  []byte
		want  func(Depth) bool
	}{
		"nothing announced, compressed": {0xc02f, slices.Concat(helloOf(0xc02f, 1), messageOf(serverKeyExchange, curveParams(23))), func(d Depth) bool {
			return d.Renegotiation == No && d.MasterSecret == No && d.Compression == Yes && d.SHA1Signature == Yes && d.Heartbeat == No && d.SSL2 == No && d.Fallback == None && d.Downgrade == None
		}},
		"heartbeats": {0xc02f, slices.Concat(helloOf(0xc02f, 0, extHeartbeat, extRenegotiation), messageOf(serverKeyExchange, curveParams(23))), func(d Depth) bool {
			return d.Heartbeat == Yes && d.Renegotiation == Yes
		}},
		"a curve of 163 bits": {0xc02f, slices.Concat(helloOf(0xc02f, 0, extRenegotiation, extMasterSecret), messageOf(serverKeyExchange, curveParams(1))), func(d Depth) bool {
			return len(d.Groups) == 1 && d.Groups[0].Name == "sect163k1" && d.Groups[0].Bits == 163 && d.Renegotiation == Yes
		}},
		"a prime of 512 bits, for export": {0x0014, slices.Concat(helloOf(0x0014, 0), messageOf(serverKeyExchange, slices.Concat(prime, []byte{0, 1, 2}, prime, []byte{4, 1, 0, 0}))), func(d Depth) bool {
			p, _ := d.Protocol("TLS 1.2")
			return d.DHPrime == 512 && len(p.Suites) == 1 && p.Suites[0].Broken == "export"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, func(conn net.Conn) {
				kind, body, err := readRecord(conn)
				if err != nil || kind != recordHandshake || body[4] != 3 || body[5] != 3 || bytes.Contains(body, []byte{0, extSupportedVersions, 0, 3, 2, 3, 4}) {
					_, _ = conn.Write(recordOf(recordAlert, []byte{2, 70}))
					return
				}
				offered := body[39 : 39+int(binary.BigEndian.Uint16(body[39:]))+2]
				if !slices.ContainsFunc(slices.Collect(slices.Chunk(offered[2:], 2)), func(s []byte) bool { return binary.BigEndian.Uint16(s) == c.suite }) {
					_, _ = conn.Write(recordOf(recordAlert, []byte{2, 40}))
					return
				}
				_, _ = conn.Write(recordOf(recordHandshake, append(slices.Clone(c.sent), messageOf(serverHelloDone, nil)...)))
				_, _ = conn.Read(make([]byte, 1))
			})
			d, err := Survey(t.Context(), address, Options{Now: today, Timeout: 2 * time.Second})
			if err != nil || !c.want(d) {
				t.Errorf("%v\n%s", err, describe(d))
			}
		})
	}
}

func TestASurveyEndsWhereItLearnsNothing(t *testing.T) {
	silent := serve(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1<<16)); time.Sleep(time.Second) })
	closed := serve(t, func(net.Conn) {})
	plain := serve(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1000))
		_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	})
	liar := serve(t, func(c net.Conn) { // takes a suite that was not proposed
		_, _ = c.Read(make([]byte, 1000))
		_, _ = c.Write(recordOf(recordHandshake, append(helloOf(0xfafa, 0), messageOf(serverHelloDone, nil)...)))
		_, _ = c.Read(make([]byte, 1))
	})
	var un *UnreachableError
	if d, err := Survey(t.Context(), silent, Options{Timeout: 100 * time.Millisecond}); !errors.As(err, &un) || d.Connections > maxSilences {
		t.Errorf("silence: %v after %d connections", err, d.Connections)
	}
	for name, address := range map[string]string{"closed": closed, "plain": plain} {
		d, err := Survey(t.Context(), address, Options{Timeout: time.Second})
		if err != nil || d.Connections > 20 || d.Fallback != Unknown {
			t.Errorf("%s: %v, %d connections\n%s", name, err, d.Connections, describe(d))
		}
	}
	d, err := Survey(t.Context(), liar, Options{Timeout: time.Second})
	if p, _ := d.Protocol("TLS 1.2"); err != nil || len(p.Suites) != 0 || d.Connections > 40 {
		t.Errorf("%v, %d connections\n%s", err, d.Connections, describe(d))
	}
	if _, err := Survey(t.Context(), "service.example", Options{}); err == nil || !strings.Contains(err.Error(), "host:port") {
		t.Errorf("an address without a port: %v", err)
	}
}

func TestConnectionsElsewhereAreSpaced(t *testing.T) {
	s := &surveyor{interval: 30 * time.Millisecond}
	began := time.Now()
	for range 4 {
		if err := s.pace(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.connections++
	}
	if d := time.Since(began); d < 90*time.Millisecond {
		t.Errorf("four connections in %s", d)
	}
}

func TestSuitesAreReadByTheirNames(t *testing.T) {
	for id, want := range map[uint16]Suite{
		0x1301: {Exchange: "TLS 1.3", Forward: true, AEAD: true},
		0xc02f: {Exchange: "ECDHE", Forward: true, AEAD: true},
		0xcca9: {Exchange: "ECDHE", Forward: true, AEAD: true},
		0xc0ac: {Exchange: "ECDHE", Forward: true, AEAD: true},
		0xc013: {Exchange: "ECDHE", Forward: true},
		0x0033: {Exchange: "DHE", Forward: true},
		0x009c: {Exchange: "RSA", AEAD: true},
		0xc004: {Exchange: "ECDH"},
		0x0031: {Exchange: "DH"},
		0x000a: {Exchange: "RSA", Broken: "3DES"},
		0x0009: {Exchange: "RSA", Broken: "DES"},
		0x0008: {Exchange: "RSA", Broken: "export"},
		0x0006: {Exchange: "RSA", Broken: "export"},
		0xc011: {Exchange: "ECDHE", Forward: true, Broken: "RC4"},
		0x0001: {Exchange: "RSA", Broken: "NULL"},
		0x00a6: {Exchange: "DH", Forward: true, AEAD: true, Broken: "anonymous"},
	} {
		got := suiteOf(id)
		want.ID, want.Name = id, got.Name
		if got != want || !strings.HasPrefix(got.Name, "TLS_") {
			t.Errorf("%04x: %+v, want %+v", id, got, want)
		}
	}
	for _, p := range protocols {
		for _, list := range batches(p.number) {
			if len(list) >= 128 {
				t.Errorf("%s: %d suites in one hello", p.name, len(list))
			}
			for _, id := range list {
				if _, ok := registered()[id]; !ok {
					t.Errorf("suite %04x has no name", id)
				}
			}
		}
	}
}

func FuzzReadFlight(f *testing.F) {
	f.Add(recordOf(recordAlert, []byte{2, 40}))
	f.Add(recordOf(recordHandshake, slices.Concat(helloOf(0xc02f, 0, extRenegotiation), messageOf(certificateMessage, []byte{0, 0, 5, 0, 0, 2, 7, 8}), messageOf(serverKeyExchange, curveParams(23)))))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readFlight(bytes.NewReader(b))
		if len(got.leaf) > len(b) || len(got.exchange) > len(b) {
			t.Errorf("more than was sent: %d bytes, %+v", len(b), got)
		}
		if err == nil && !got.alert && len(b) < 40 {
			t.Errorf("a flight out of %d bytes: %+v", len(b), got)
		}
		leafGroup(got.leaf)
	})
}

func TestSSL2IsToldFromWhatCameAfterIt(t *testing.T) {
	for name, c := range map[string]struct {
		sent []byte
		want bool
	}{
		"a hello of SSL 2.0":        {append([]byte{0x84, 0x10, 4, 0, 1, 0, 2}, make([]byte, 100)...), true},
		"an alert of TLS":           {recordOf(recordAlert, []byte{2, 70}), false},
		"an error of SSL 2.0":       {[]byte{0x80, 3, 0, 0, 1}, false},
		"a hello of another number": {[]byte{0x84, 0x10, 4, 0, 1, 3, 0}, false},
		"plain HTTP":                {[]byte("HTTP/1.1 400 Bad Request"), false},
		"nothing":                   {nil, false},
	} {
		if got, err := readSSL2(bytes.NewReader(c.sent)); err != nil || got != c.want {
			t.Errorf("%s: %t %v", name, got, err)
		}
	}
	hello, err := ssl2Hello(rand.Reader)
	if err != nil || len(hello) != 2+int(hello[1]) || hello[2] != 1 {
		t.Errorf("%x %v", hello, err)
	}
}

func FuzzReadSSL2(f *testing.F) {
	f.Add([]byte{0x84, 0x10, 4, 0, 1, 0, 2})
	f.Add(recordOf(recordAlert, []byte{2, 70}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if yes, err := readSSL2(bytes.NewReader(b)); err != nil || yes && (len(b) < 7 || b[2] != 4) {
			t.Errorf("%t %v out of %x", yes, err, b)
		}
	})
}

func FuzzParseAgreement(f *testing.F) {
	f.Add(curveParams(23), "ECDHE", uint16(0x0303))
	f.Add([]byte{0, 1, 5, 0, 1, 2, 0, 1, 3, 4, 1, 0, 0}, "DHE", uint16(0x0303))
	f.Add([]byte{1, 2, 3}, "RSA", uint16(0x0301))
	f.Fuzz(func(t *testing.T, b []byte, exchange string, number uint16) {
		if a, err := parseAgreement(b, exchange, number); err == nil && (a.prime > 8*len(b) || a.prime > 0 && a.group > 0) {
			t.Errorf("%+v out of %d bytes", a, len(b))
		}
	})
}

func FuzzFirstCertificate(f *testing.F) {
	f.Add([]byte{0, 0, 5, 0, 0, 2, 7, 8})
	f.Fuzz(func(t *testing.T, b []byte) {
		if leaf, err := firstCertificate(b); err == nil && len(leaf) > len(b)-6 {
			t.Errorf("%d bytes out of %d", len(leaf), len(b))
		}
	})
}

func TestARandomThatFailsIsAnError(t *testing.T) {
	if _, err := proposing(0x0303).hello("", strings.NewReader("short")); err == nil {
		t.Error("a hello without enough randomness")
	}
	if _, err := proposing(0x0303).hello("a.example", rand.Reader); err != nil {
		t.Error(err)
	}
}

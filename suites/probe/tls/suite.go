package tls

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed suites.txt
var suitesFile string

// registered are the names of suites by number.
var registered = sync.OnceValue(func() map[uint16]string {
	out := map[uint16]string{}
	for line := range strings.Lines(suitesFile) {
		number, name, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || number == "#" {
			continue
		}
		id, err := strconv.ParseUint(number, 16, 16)
		if err != nil {
			panic(fmt.Sprintf("suites.txt: %q: %v", line, err)) // read by a test
		}
		out[uint16(id)] = name
	}
	return out
})

// Suite is one cipher suite and what its name says of it.
type Suite struct {
	ID   uint16 `json:"id"`
	Name string `json:"name"` // as registered with IANA
	// Exchange is how keys are agreed: ECDHE, DHE, RSA, ECDH, DH, or "TLS 1.3",
	// where the groups say it.
	Exchange string `json:"exchange"`
	Forward  bool   `json:"forward"` // a key found out later opens no earlier exchange
	AEAD     bool   `json:"aead"`    // encryption and integrity in one (GCM, CCM, ChaCha20-Poly1305)
	// Broken says why the suite protects nothing, or not enough for anyone:
	// NULL, anonymous, export, RC4, RC2, DES, 3DES; "" otherwise.
	Broken string `json:"broken"`
}

// suiteOf reads a suite's name.
func suiteOf(id uint16) Suite {
	s := Suite{ID: id, Name: suiteName(id)}
	name := strings.TrimPrefix(s.Name, "TLS_")
	exchange, cipher, old := strings.Cut(name, "_WITH_")
	if !old {
		s.Exchange, s.Forward, cipher = "TLS 1.3", true, name
	} else {
		s.Exchange, _, _ = strings.Cut(exchange, "_")
		s.Forward = s.Exchange == "ECDHE" || s.Exchange == "DHE"
		// Without a certificate the keys are new each time, and anyone's.
		s.Forward = s.Forward || strings.HasSuffix(exchange, "anon")
	}
	for _, mode := range []string{"_GCM", "_CCM", "CHACHA20_POLY1305"} {
		s.AEAD = s.AEAD || strings.Contains(cipher, mode)
	}
	switch {
	case strings.HasPrefix(cipher, "NULL"):
		s.Broken = "NULL"
	case strings.HasSuffix(exchange, "anon"):
		s.Broken = "anonymous"
	case strings.Contains(exchange, "EXPORT"):
		s.Broken = "export"
	case strings.HasPrefix(cipher, "RC4"):
		s.Broken = "RC4"
	case strings.HasPrefix(cipher, "RC2"):
		s.Broken = "RC2"
	case strings.HasPrefix(cipher, "DES"):
		s.Broken = "DES"
	case strings.HasPrefix(cipher, "3DES"):
		s.Broken = "3DES"
	}
	return s
}

// lists are the suites that a server is asked for with a version, in numbers that
// no old server gives up on: first the usual ones, then the rare ones.
type lists [][]uint16

func batches(number uint16) lists {
	usual := slices.DeleteFunc(suitesFor(number), func(id uint16) bool { return id == scsvRenegotiation })
	if number == 0x0304 {
		return lists{usual}
	}
	var rare []uint16
	for id := range registered() {
		if id>>8 != 0x13 && !slices.Contains(usual, id) && (number > 0x0302 || !suiteOf(id).young()) {
			rare = append(rare, id)
		}
	}
	slices.Sort(rare)
	return lists{usual, rare}
}

// rare says whether some suite is not among the usual ones.
func (l lists) rare(ids []uint16) bool {
	return slices.ContainsFunc(ids, func(id uint16) bool { return !slices.Contains(l[0], id) })
}

// young says whether a suite exists since TLS 1.2 only.
func (s Suite) young() bool {
	return s.AEAD || strings.HasSuffix(s.Name, "_SHA256") || strings.HasSuffix(s.Name, "_SHA384")
}

// Group is a group in which keys are agreed.
type Group struct {
	ID   uint16 `json:"id"`
	Name string `json:"name"`
	Bits int    `json:"bits"` // of the curve's field, or of the prime; of a hybrid: of its curve
}

// groups are those with a number of their own (IANA, TLS Supported Groups), with
// bits and the versions in which they are asked for.
func groups() []struct {
	Group
	in12, in13 bool
} {
	type row = struct {
		Group
		in12, in13 bool
	}
	return []row{
		{Group{0x11ec, "X25519MLKEM768", 255}, false, true},
		{Group{0x11eb, "SecP256r1MLKEM768", 256}, false, true},
		{Group{0x11ed, "SecP384r1MLKEM1024", 384}, false, true},
		{Group{29, "x25519", 255}, true, true},
		{Group{30, "x448", 448}, true, true},
		{Group{31, "brainpoolP256r1tls13", 256}, false, true},
		{Group{32, "brainpoolP384r1tls13", 384}, false, true},
		{Group{33, "brainpoolP512r1tls13", 512}, false, true},
		{Group{0x0100, "ffdhe2048", 2048}, false, true},
		{Group{0x0101, "ffdhe3072", 3072}, false, true},
		{Group{0x0102, "ffdhe4096", 4096}, false, true},
		{Group{0x0103, "ffdhe6144", 6144}, false, true},
		{Group{0x0104, "ffdhe8192", 8192}, false, true},
		{Group{1, "sect163k1", 163}, true, false},
		{Group{2, "sect163r1", 163}, true, false},
		{Group{3, "sect163r2", 163}, true, false},
		{Group{4, "sect193r1", 193}, true, false},
		{Group{5, "sect193r2", 193}, true, false},
		{Group{6, "sect233k1", 233}, true, false},
		{Group{7, "sect233r1", 233}, true, false},
		{Group{8, "sect239k1", 239}, true, false},
		{Group{9, "sect283k1", 283}, true, false},
		{Group{10, "sect283r1", 283}, true, false},
		{Group{11, "sect409k1", 409}, true, false},
		{Group{12, "sect409r1", 409}, true, false},
		{Group{13, "sect571k1", 571}, true, false},
		{Group{14, "sect571r1", 571}, true, false},
		{Group{15, "secp160k1", 160}, true, false},
		{Group{16, "secp160r1", 160}, true, false},
		{Group{17, "secp160r2", 160}, true, false},
		{Group{18, "secp192k1", 192}, true, false},
		{Group{19, "secp192r1", 192}, true, false},
		{Group{20, "secp224k1", 224}, true, false},
		{Group{21, "secp224r1", 224}, true, false},
		{Group{22, "secp256k1", 256}, true, false},
		{Group{26, "brainpoolP256r1", 256}, true, false},
		{Group{27, "brainpoolP384r1", 384}, true, false},
		{Group{28, "brainpoolP512r1", 512}, true, false},
		// Last: a server's certificate is often of one of these curves, and a
		// client that does not propose it is refused before its groups are read.
		{Group{25, "secp521r1", 521}, true, true},
		{Group{24, "secp384r1", 384}, true, true},
		{Group{23, "secp256r1", 256}, true, true},
	}
}

func groupOf(id uint16) Group {
	for _, g := range groups() {
		if g.ID == id {
			return g.Group
		}
	}
	return Group{ID: id, Name: fmt.Sprintf("group 0x%04x", id)}
}

package apk

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // the digests of the wider algorithms
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// Signing is how the application is signed. Of the schemes that cover the whole
// file (v2, v3) the signatures and the digests are verified; of v1, which covers
// each file of the archive, only the certificate is read.
type Signing struct {
	V1      bool     `json:"v1"`
	V2      bool     `json:"v2"`
	V3      bool     `json:"v3"` // v3.1 too
	Signers []Signer `json:"signers"`
	Intact  Flag     `json:"intact"`  // the file is the one that was signed; unknown where it was not verified
	Problem string   `json:"problem"` // why it is not
}

// Signer is one signer under one scheme.
type Signer struct {
	Scheme     string    `json:"scheme"` // v1, v2, v3, v3.1
	SHA256     string    `json:"sha256"` // of the certificate
	Subject    string    `json:"subject"`
	Key        string    `json:"key"`  // RSA, ECDSA, DSA
	Bits       int       `json:"bits"` // of the key
	NotAfter   time.Time `json:"notAfter"`
	Debug      bool      `json:"debug"` // the key that Android Studio makes for tests
	Algorithms []string  `json:"algorithms"`
}

// The numbers and names of the block of signatures (source.android.com, APK
// Signature Scheme v2, v3 and v3.1).
const (
	blockMagic  = "APK Sig Block 42"
	blockFooter = 24
	maxBlock    = 8 << 20
	maxSigners  = 10
	pieceSize   = 1 << 20
	idV2        = 0x7109871a
	idV3        = 0xf05368c0
	idV31       = 0x1b93ad61
)

// algorithm is one way of signing.
type algorithm struct {
	id   uint32
	name string
	hash crypto.Hash
	pss  bool
	rsa  bool
}

func algorithms() []algorithm {
	return []algorithm{
		{0x0104, "RSA PKCS #1 v1.5, SHA-512", crypto.SHA512, false, true},
		{0x0102, "RSA PSS, SHA-512", crypto.SHA512, true, true},
		{0x0202, "ECDSA, SHA-512", crypto.SHA512, false, false},
		{0x0103, "RSA PKCS #1 v1.5, SHA-256", crypto.SHA256, false, true},
		{0x0101, "RSA PSS, SHA-256", crypto.SHA256, true, true},
		{0x0201, "ECDSA, SHA-256", crypto.SHA256, false, false},
	}
}

// signing reads the signatures.
func (a *archive) signing(ctx context.Context) (Signing, error) {
	s := Signing{Signers: []Signer{}, Intact: Unknown}
	a.jar(&s)
	begin, pairs, err := a.block()
	if err != nil {
		s.Intact, s.Problem = No, clip(err.Error())
		return s, nil
	}
	whole := true
	verified, seen := 0, 0
	for _, scheme := range []struct {
		id   uint32
		name string
	}{{idV2, "v2"}, {idV3, "v3"}, {idV31, "v3.1"}} {
		raw, there := pairs[scheme.id]
		if !there {
			continue
		}
		s.V2 = s.V2 || scheme.id == idV2
		s.V3 = s.V3 || scheme.id != idV2
		seen++
		state, err := a.verify(ctx, &s, scheme.name, raw, begin)
		if ctx.Err() != nil {
			return s, ctx.Err()
		}
		if err != nil {
			whole = false
			s.Problem = clip(scheme.name + ": " + err.Error())
		}
		if state {
			verified++
		}
	}
	switch {
	case !whole:
		s.Intact = No
	case seen > 0 && verified == seen:
		s.Intact = Yes
	}
	return s, nil
}

// jar reads the certificate of a signature of each file (v1).
func (a *archive) jar(s *Signing) {
	if !a.has("META-INF/MANIFEST.MF") {
		return
	}
	for _, f := range a.zip.File {
		folder, base := path.Split(f.Name)
		switch strings.ToUpper(path.Ext(base)) {
		case ".RSA", ".DSA", ".EC":
		default:
			continue
		}
		if folder != "META-INF/" || len(s.Signers) >= maxSigners {
			continue
		}
		s.V1 = true
		raw, err := a.file(f.Name, maxRules)
		if err != nil {
			continue
		}
		if c := firstCertificate(raw); c != nil {
			s.Signers = append(s.Signers, signerOf("v1", c))
		}
	}
}

// firstCertificate reads the first certificate of a PKCS #7 message (RFC 2315
// §9.1): the signer's, where there is one only.
func firstCertificate(b []byte) *x509.Certificate {
	var outer struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	if _, err := asn1.Unmarshal(b, &outer); err != nil {
		return nil
	}
	var data struct {
		Version      int
		Digests      asn1.RawValue
		Inner        asn1.RawValue
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
	}
	if _, err := asn1.Unmarshal(outer.Content.Bytes, &data); err != nil {
		// The tag has been taken off already where the value is one element.
		if _, err := asn1.Unmarshal(outer.Content.FullBytes, &data); err != nil {
			return nil
		}
	}
	var first asn1.RawValue
	if _, err := asn1.Unmarshal(data.Certificates.Bytes, &first); err != nil {
		return nil
	}
	c, err := x509.ParseCertificate(first.FullBytes)
	if err != nil {
		return nil
	}
	return c
}

// block finds the block of signatures, which stands before the directory, and
// gives its pairs.
func (a *archive) block() (begin int64, pairs map[uint32][]byte, err error) {
	begin, pairs = a.directory, map[uint32][]byte{}
	if a.directory < blockFooter+8 {
		return begin, pairs, nil
	}
	footer, err := a.part(a.directory-blockFooter, a.directory)
	if err != nil {
		return begin, nil, err
	}
	if string(footer[8:]) != blockMagic {
		return begin, pairs, nil
	}
	size := u64(footer)
	if size < blockFooter || size > maxBlock || int64(size)+8 > a.directory {
		return begin, nil, fmt.Errorf("its block of signatures announces %d bytes", size)
	}
	begin = a.directory - int64(size) - 8
	b, err := a.part(begin, a.directory-blockFooter)
	if err != nil {
		return begin, nil, err
	}
	if u64(b) != size {
		return begin, nil, errors.New("its block of signatures announces two sizes")
	}
	for b = b[8:]; len(b) > 0; {
		if len(b) < 12 {
			return begin, nil, errShort
		}
		n := u64(b)
		if n < 4 || n > uint64(len(b)-8) {
			return begin, nil, errors.New("a pair of its block of signatures runs over")
		}
		id := u32(b[8:])
		if _, twice := pairs[id]; twice && (id == idV2 || id == idV3 || id == idV31) {
			return begin, nil, errors.New("its block of signatures holds one scheme twice")
		}
		pairs[id] = b[12 : 8+n]
		b = b[8+n:]
	}
	return begin, pairs, nil
}

// take cuts a part off that its length precedes.
func take(b []byte) (part, rest []byte, err error) {
	if len(b) < 4 || uint64(u32(b)) > uint64(len(b)-4) {
		return nil, nil, errShort
	}
	n := u32(b)
	return b[4 : 4+n], b[4+n:], nil
}

// parts cuts a sequence of parts.
func parts(b []byte) ([][]byte, error) {
	var out [][]byte
	for len(b) > 0 {
		p, rest, err := take(b)
		if err != nil {
			return nil, err
		}
		if out = append(out, p); len(out) > 100 {
			return nil, errors.New("it holds more than 100 parts")
		}
		b = rest
	}
	return out, nil
}

// signed is what a signer puts his name to.
type signed struct {
	raw          []byte
	digests      map[uint32][]byte
	certificates [][]byte
	signatures   map[uint32][]byte
	key          []byte
}

func readSigner(b []byte, scheme string) (s signed, err error) {
	if s.raw, b, err = take(b); err != nil {
		return s, err
	}
	if scheme != "v2" { // the levels of the API that it holds for
		if len(b) < 8 {
			return s, errShort
		}
		b = b[8:]
	}
	signatures, b, err := take(b)
	if err != nil {
		return s, err
	}
	if s.key, _, err = take(b); err != nil {
		return s, err
	}
	if s.signatures, err = byAlgorithm(signatures); err != nil {
		return s, err
	}
	digests, rest, err := take(s.raw)
	if err != nil {
		return s, err
	}
	if s.digests, err = byAlgorithm(digests); err != nil {
		return s, err
	}
	certificates, _, err := take(rest)
	if err != nil {
		return s, err
	}
	s.certificates, err = parts(certificates)
	return s, err
}

func byAlgorithm(b []byte) (map[uint32][]byte, error) {
	list, err := parts(b)
	if err != nil {
		return nil, err
	}
	out := map[uint32][]byte{}
	for _, p := range list {
		if len(p) < 4 {
			return nil, errShort
		}
		if out[u32(p)], _, err = take(p[4:]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// verify reads the signers of one scheme and verifies them. It says whether all
// of them were; the error says what is wrong.
func (a *archive) verify(ctx context.Context, s *Signing, scheme string, raw []byte, begin int64) (verified bool, err error) {
	all, _, err := take(raw)
	if err != nil {
		return false, err
	}
	list, err := parts(all)
	if err != nil {
		return false, err
	}
	if len(list) == 0 || len(list) > maxSigners {
		return false, fmt.Errorf("it has %d signers", len(list))
	}
	verified = true
	for _, b := range list {
		one, err := readSigner(b, scheme)
		if err != nil {
			return false, err
		}
		if len(one.certificates) == 0 {
			return false, errors.New("a signer has no certificate")
		}
		c, err := x509.ParseCertificate(one.certificates[0])
		if err != nil {
			return false, fmt.Errorf("a certificate cannot be read (%w)", err)
		}
		who := signerOf(scheme, c)
		chosen := algorithm{}
		for _, alg := range algorithms() {
			if _, signs := one.signatures[alg.id]; signs {
				who.Algorithms = append(who.Algorithms, alg.name)
				if chosen.id == 0 {
					chosen = alg
				}
			}
		}
		s.Signers = append(s.Signers, who)
		if chosen.id == 0 {
			verified = false // an algorithm that is not known here
			continue
		}
		if !bytes.Equal(c.RawSubjectPublicKeyInfo, one.key) {
			return false, errors.New("the key that signs is not that of the certificate")
		}
		if err := chosen.check(c.PublicKey, one.raw, one.signatures[chosen.id]); err != nil {
			return false, err
		}
		want, named := one.digests[chosen.id]
		got, err := a.content(ctx, chosen.hash, begin)
		if err != nil {
			return false, err
		}
		if !named || !bytes.Equal(want, got) {
			return false, errors.New("the content is not the one that was signed")
		}
	}
	return verified, nil
}

func (g algorithm) check(key crypto.PublicKey, data, signature []byte) error {
	h := g.hash.New()
	h.Write(data)
	sum := h.Sum(nil)
	ok := false
	switch k := key.(type) {
	case *rsa.PublicKey:
		switch {
		case !g.rsa:
		case g.pss:
			ok = rsa.VerifyPSS(k, g.hash, sum, signature, &rsa.PSSOptions{SaltLength: g.hash.Size()}) == nil
		default:
			ok = rsa.VerifyPKCS1v15(k, g.hash, sum, signature) == nil
		}
	case *ecdsa.PublicKey:
		ok = !g.rsa && ecdsa.VerifyASN1(k, sum, signature)
	}
	if !ok {
		return errors.New("the signature is not that of the key")
	}
	return nil
}

// content makes the digest of all but the block of signatures, in pieces of a
// mebibyte (APK Signature Scheme v2, integrity-protected contents).
func (a *archive) content(ctx context.Context, hash crypto.Hash, begin int64) ([]byte, error) {
	if sum := a.sums[hash]; sum != nil {
		return sum, nil
	}
	var sums []byte
	count := uint32(0)
	piece := func(b []byte) {
		h := hash.New()
		h.Write(binary.LittleEndian.AppendUint32([]byte{0xa5}, uint32(len(b))))
		h.Write(b)
		sums = h.Sum(sums)
		count++
	}
	if err := stream(ctx, a.r, 0, begin, piece); err != nil {
		return nil, err
	}
	if err := stream(ctx, a.r, a.directory, a.end, piece); err != nil {
		return nil, err
	}
	end, err := a.part(a.end, a.size)
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint32(end[16:], uint32(begin)) // as it was before the block was put in
	piece(end)
	h := hash.New()
	h.Write(binary.LittleEndian.AppendUint32([]byte{0x5a}, count))
	h.Write(sums)
	a.sums[hash] = h.Sum(nil)
	return a.sums[hash], nil
}

func signerOf(scheme string, c *x509.Certificate) Signer {
	sum := sha256.Sum256(c.Raw)
	s := Signer{
		Scheme: scheme, SHA256: hex.EncodeToString(sum[:]), Subject: clip(c.Subject.String()),
		NotAfter: c.NotAfter.UTC(), Debug: c.Subject.CommonName == "Android Debug", Key: c.PublicKeyAlgorithm.String(), Algorithms: []string{},
	}
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		s.Bits = k.N.BitLen()
	case *ecdsa.PublicKey:
		s.Bits = k.Curve.Params().BitSize
	}
	return s
}

// Certificates are the digests of the certificates under which the application is
// signed, each once.
func (s Signing) Certificates() []string {
	var out []string
	for _, g := range s.Signers {
		if !slices.Contains(out, g.SHA256) {
			out = append(out, g.SHA256)
		}
	}
	return out
}

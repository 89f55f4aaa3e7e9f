package apk_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"os"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/fixtures/application"
	"github.com/etalon-sante/etalon/suites/probe/apk"
)

// held fails when what is kept of a file is not bounded or cannot be written down.
func held(t *testing.T, b []byte) {
	t.Helper()
	began := time.Now()
	r, err := apk.Read(t.Context(), bytes.NewReader(b), int64(len(b)), "fuzz.apk", now)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("%s for %d bytes", took, len(b))
	}
	raw, failed := json.Marshal(r)
	if failed != nil {
		t.Fatal(failed)
	}
	if len(raw) > 64<<10+80*len(b) {
		t.Errorf("%d bytes are kept of %d", len(raw), len(b))
	}
	if err != nil && err.Error() == "" {
		t.Error("an error that says nothing")
	}
	for _, c := range r.Components {
		_, _ = r.Exported(c), r.Reach(c.Permission)
	}
}

// stored makes an archive of files as they are, with their sums right.
func stored(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range entries {
		w, err := z.CreateRaw(&zip.FileHeader{
			Name: e.name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(e.data),
			CompressedSize64: uint64(len(e.data)), UncompressedSize64: uint64(len(e.data)),
		})
		if err == nil {
			_, err = w.Write(e.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// seeds are plans that differ in what the binary formats hold.
func seeds() []application.Plan {
	whole, bare, other := plan(), application.Plan{Package: "fr.example.nu"}, plan()
	other.Network, other.FullBackup, other.Sign = nil, nil, application.Signature{V2: true, Debug: true}
	return []application.Plan{whole, bare, other}
}

func FuzzRead(f *testing.F) {
	for _, p := range seeds() {
		f.Add(build(f, p))
	}
	f.Fuzz(held)
}

// FuzzContent tries what stands inside of an archive that is itself sound.
func FuzzContent(f *testing.F) {
	for _, p := range seeds() {
		in := files(f, build(f, p))
		f.Add(in["AndroidManifest.xml"], in["resources.arsc"], in["res/xml/reseau.xml"])
	}
	f.Fuzz(func(t *testing.T, manifest, table, rules []byte) {
		held(t, stored(t, entry{"AndroidManifest.xml", manifest}, entry{"resources.arsc", table}, entry{"res/xml/reseau.xml", rules}, entry{"res/xml/sauvegarde.xml", rules}))
	})
}

// FuzzSigning tries the block of signatures, and the message of signatures of
// each file (v1).
func FuzzSigning(f *testing.F) {
	for _, p := range seeds() {
		b := build(f, p)
		directory := int(binary.LittleEndian.Uint32(b[len(b)-6:]))
		if size := binary.LittleEndian.Uint64(b[directory-24:]); string(b[directory-16:directory]) == "APK Sig Block 42" {
			f.Add(b[directory-int(size):directory-24], message())
		}
	}
	p := plan()
	p.Sign = application.Signature{}
	manifest := files(f, build(f, p))["AndroidManifest.xml"]
	f.Fuzz(func(t *testing.T, pairs, signature []byte) {
		b := stored(t, entry{"AndroidManifest.xml", manifest}, entry{"META-INF/MANIFEST.MF", nil}, entry{"META-INF/CERT.RSA", signature})
		end := len(b) - 22
		from := int(binary.LittleEndian.Uint32(b[end+16:]))
		size := uint64(len(pairs) + 24)
		block := binary.LittleEndian.AppendUint64(nil, size)
		block = binary.LittleEndian.AppendUint64(append(block, pairs...), size)
		block = append(block, "APK Sig Block 42"...)
		whole := append(append(bytes.Clone(b[:from]), block...), b[from:]...)
		binary.LittleEndian.PutUint32(whole[len(whole)-6:], uint32(from+len(block)))
		held(t, whole)
	})
}

// message is a PKCS #7 message that Android's apksigner made, with a key of its
// own.
func message() []byte {
	b, err := os.ReadFile("testdata/jar.rsa")
	if err != nil {
		panic(err)
	}
	return b
}

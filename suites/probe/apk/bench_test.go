package apk_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/etalon-sante/etalon/suites/probe/apk"
)

// large writes an application of some size: ours, with a file of noise.
func large(t testing.TB, size int) string {
	t.Helper()
	noise := make([]byte, size)
	state := uint64(1)
	for i := 0; i+8 <= len(noise); i += 8 {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		binary.LittleEndian.PutUint64(noise[i:], state)
	}
	path := filepath.Join(t.TempDir(), "large.apk")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(out)
	in := files(t, build(t, plan()))
	for _, e := range []entry{{"assets/noise", noise}, {"AndroidManifest.xml", in["AndroidManifest.xml"]}, {"resources.arsc", in["resources.arsc"]}, {"res/xml/reseau.xml", in["res/xml/reseau.xml"]}} {
		w, err := z.CreateRaw(&zip.FileHeader{Name: e.name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(e.data), CompressedSize64: uint64(len(e.data)), UncompressedSize64: uint64(len(e.data))})
		if err == nil {
			_, err = io.Copy(w, bytes.NewReader(e.data))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// A large application costs time, not memory.
func TestALargeApplicationTakesLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a file of 64 MB: left out of quick tests, part of make test")
	}
	path := large(t, 64<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := apk.Open(t.Context(), path, "large.apk", now); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
		t.Errorf("%d bytes were taken, 8 MiB are enough", took)
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, size := range []int{1 << 20, 100 << 20} {
		path := large(b, size)
		b.Run(fmt.Sprintf("%d MiB", size>>20), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := apk.Open(b.Context(), path, "large.apk", now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

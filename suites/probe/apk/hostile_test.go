package apk_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/probe/apk"
)

// files takes the files out of an archive of ours.
func files(t testing.TB, b []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var all bytes.Buffer
		if _, err := all.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		out[f.Name] = all.Bytes()
	}
	return out
}

type entry struct {
	name string
	data []byte
}

func archive(t testing.TB, method uint16, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: method})
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

// tried reads what is hostile; what matters is that it comes back, with little.
func tried(t testing.TB, b []byte) (apk.Result, error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := apk.Read(t.Context(), bytes.NewReader(b), int64(len(b)), "hostile.apk", now)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > uint64(16<<20+30*len(b)) {
		t.Errorf("%d bytes were taken for a file of %d", took, len(b))
	}
	var not *apk.NotAPackageError
	if err != nil && !errors.As(err, &not) {
		t.Errorf("another error: %v", err)
	}
	return r, err
}

func TestHostileArchives(t *testing.T) {
	good := build(t, plan())
	in := files(t, good)
	manifest, table := in["AndroidManifest.xml"], in["resources.arsc"]
	end := len(good) - 22
	changed := func(at int, b ...byte) []byte {
		out := bytes.Clone(good)
		copy(out[at:], b)
		return out
	}
	raw := func(h zip.FileHeader, data []byte) []byte {
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		w, err := z.CreateRaw(&h)
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"empty":                  {nil, "too short"},
		"bytes after the end":    {append(bytes.Clone(good), "more"...), "follow the end"},
		"64-bit sizes":           {changed(end+16, 0xff, 0xff, 0xff, 0xff), "64-bit"},
		"directory elsewhere":    {changed(end+16, 0, 0, 0, 0), "directory"},
		"no manifest":            {archive(t, zip.Store, entry{"x", nil}), "holds no AndroidManifest.xml"},
		"two manifests":          {archive(t, zip.Store, entry{"AndroidManifest.xml", manifest}, entry{"AndroidManifest.xml", manifest}), "twice"},
		"a manifest of text":     {archive(t, zip.Store, entry{"AndroidManifest.xml", []byte("<manifest/>")}), "AndroidManifest.xml"},
		"a bomb":                 {archive(t, zip.Deflate, entry{"AndroidManifest.xml", make([]byte, 64<<20)}), "announces"},
		"a manifest cut short":   {archive(t, zip.Store, entry{"AndroidManifest.xml", manifest[:len(manifest)/2]}), "announces"},
		"an unknown compression": {raw(zip.FileHeader{Name: "AndroidManifest.xml", Method: 77, CompressedSize64: 4, UncompressedSize64: 4}, []byte("abcd")), "unpacked"},
		"a sum that is wrong":    {raw(zip.FileHeader{Name: "AndroidManifest.xml", Method: zip.Store, CRC32: 1, CompressedSize64: uint64(len(manifest)), UncompressedSize64: uint64(len(manifest))}, manifest), "unpacked"},
		"a path out of it":       {archive(t, zip.Store, entry{"../AndroidManifest.xml", manifest}, entry{"resources.arsc", table}), "holds no AndroidManifest.xml"},
	} {
		_, err := tried(t, c.file)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %q was expected", name, err, c.says)
		}
	}
	// A bomb that announces little.
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "AndroidManifest.xml", Method: zip.Deflate})
	if err == nil {
		_, err = w.Write(make([]byte, 64<<20))
	}
	if err != nil || z.Close() != nil {
		t.Fatal("no bomb")
	}
	bomb := packed.Bytes()
	at := bytes.LastIndex(bomb, []byte{'P', 'K', 1, 2})
	binary.LittleEndian.PutUint32(bomb[at+24:], 100)
	if _, err := tried(t, bomb); err == nil {
		t.Error("a bomb that announces 100 bytes is read")
	}
	// Without its table, or with a broken one, the manifest is read all the same.
	for name, table := range map[string][]byte{"none": nil, "broken": []byte("no table"), "cut": table[:len(table)-200]} {
		entries := []entry{{"AndroidManifest.xml", manifest}}
		if table != nil {
			entries = append(entries, entry{"resources.arsc", table})
		}
		r, err := tried(t, archive(t, zip.Store, entries...))
		if err != nil || r.Package != "fr.example.essai" || len(r.Unread) == 0 || r.Network.Whole || r.Application.Extraction.Whole {
			t.Errorf("table %s: %v, %q, network %+v", name, err, r.Unread, r.Network)
		}
	}
}

// Each length, count and offset of the binary formats is made as large as it can
// be, one at a time, and the file cut at each of many places.
func TestHostileNumbers(t *testing.T) {
	in := files(t, build(t, plan()))
	names := []string{"AndroidManifest.xml", "resources.arsc", "res/xml/reseau.xml"}
	step := 4
	if testing.Short() {
		step = 28
	}
	for _, name := range names {
		for at := 0; at+4 <= len(in[name]); at += step {
			for _, value := range []uint32{0xffffffff, 0x7fffffff, 0x80000000, 0} {
				changed := bytes.Clone(in[name])
				binary.LittleEndian.PutUint32(changed[at:], value)
				entries := []entry{}
				for _, n := range names {
					data := in[n]
					if n == name {
						data = changed
					}
					entries = append(entries, entry{n, data})
				}
				archive := stored(t, entries...)
				_, _ = apk.Read(t.Context(), bytes.NewReader(archive), int64(len(archive)), "hostile.apk", now)
			}
		}
	}
	good := build(t, plan())
	for at := 0; at < len(good); at += 97 {
		if _, err := apk.Read(t.Context(), bytes.NewReader(good[:at]), int64(at), "hostile.apk", now); err == nil {
			t.Errorf("a file cut at %d is read", at)
		}
	}
}

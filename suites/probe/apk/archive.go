package apk

import (
	"archive/zip"
	"bytes"
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	endSize      = 22 // of the end record of a ZIP, without its comment
	maxComment   = 65535
	endSignature = 0x06054b50
)

// archive is an APK as the phone opens it.
type archive struct {
	r         io.ReaderAt
	size      int64
	directory int64 // where the central directory begins
	end       int64 // where the end record begins
	zip       *zip.Reader
	names     map[string]*zip.File
	twice     map[string]bool
	sums      map[crypto.Hash][]byte // of the content, once it was read for a signature
}

// openArchive opens a ZIP. Before anything is allocated by what it announces, its
// end record is read here: a file that two readers would open differently (two
// end records, 64-bit sizes) is refused.
func openArchive(r io.ReaderAt, size int64) (*archive, error) {
	a := &archive{r: r, size: size, names: map[string]*zip.File{}, twice: map[string]bool{}, sums: map[crypto.Hash][]byte{}}
	if size < endSize {
		return nil, errors.New("it is too short for a ZIP archive")
	}
	tail := make([]byte, min(size, endSize+maxComment))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return nil, cause(err)
	}
	at := -1
	for i := len(tail) - endSize; i >= 0 && at < 0; i-- {
		if u32(tail[i:]) == endSignature && i+endSize+int(u16(tail[i+20:])) <= len(tail) {
			at = i
		}
	}
	if at < 0 {
		return nil, errors.New("it is no ZIP archive, or it is cut short")
	}
	record := tail[at:]
	if endSize+int(u16(record[20:])) != len(record) {
		return nil, errors.New("bytes follow the end of the archive")
	}
	a.end = size - int64(len(record))
	directory, length := int64(u32(record[16:])), int64(u32(record[12:]))
	switch {
	case u16(record[8:]) == 0xffff || u32(record[16:]) == nothing || u32(record[12:]) == nothing:
		return nil, errors.New("its directory has 64-bit sizes, which Android does not read")
	case length > maxDirectory:
		return nil, fmt.Errorf("its directory has %d bytes, more than %d", length, maxDirectory)
	case directory+length != a.end:
		return nil, errors.New("its directory does not end where the archive ends")
	}
	a.directory = directory
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("its directory cannot be read (%w)", err)
	}
	a.zip = z
	for _, f := range z.File {
		if a.names[f.Name] != nil {
			a.twice[f.Name] = true
		}
		a.names[f.Name] = f
	}
	return a, nil
}

func (a *archive) has(name string) bool { return a.names[name] != nil }

// file reads a file of the archive, of at most limit bytes once it is unpacked.
func (a *archive) file(name string, limit int64) ([]byte, error) {
	f := a.names[name]
	switch {
	case f == nil:
		return nil, fmt.Errorf("it holds no %s", name)
	case a.twice[name]:
		return nil, fmt.Errorf("it holds %s twice", name)
	case f.UncompressedSize64 > uint64(limit):
		return nil, fmt.Errorf("%s announces %d bytes, more than %d", name, f.UncompressedSize64, limit)
	}
	rc, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%s cannot be unpacked (%w)", name, err)
	}
	defer rc.Close()
	var b bytes.Buffer // grows with what comes, not with what was announced
	n, err := io.Copy(&b, io.LimitReader(rc, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be unpacked (%w)", name, err)
	}
	if n > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	return b.Bytes(), nil
}

// part reads some bytes of the file itself.
func (a *archive) part(from, to int64) ([]byte, error) {
	b := make([]byte, to-from)
	if _, err := a.r.ReadAt(b, from); err != nil && !errors.Is(err, io.EOF) {
		return nil, cause(err)
	}
	return b, nil
}

func u64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

package journey

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// Bounds of a file that a journey loads.
const (
	maxParts   = 20      // of an archive
	maxPart    = 2 << 20 // bytes read of one
	leastLines = 2       // of a table
)

// Export is the file that a journey loaded.
type Export struct {
	Came    bool   `json:"came"`
	Status  int    `json:"status"` // of the last page of the journey
	Size    int64  `json:"size"`
	SHA256  string `json:"sha256"`
	Formats []File `json:"formats"` // of the file, or of what it holds
	Own     int    `json:"own"`     // lines of the account's pages that stand in it
	Error   string `json:"error"`
}

// File is one file, as far as it could be read.
type File struct {
	Format string `json:"format"` // FHIR, JSON, XML, CSV, PDF, HTML, text, other
	Read   bool   `json:"read"`   // a program can read it
}

// exported plays the journey to a file, and reads it.
func (w *walk) exported(ctx context.Context) {
	x := &Export{Formats: []File{}}
	w.out.Export = x
	if err := w.me.s.Play(ctx, w.export, w.me.words, 0, -1); err != nil {
		w.fails("export", err)
		return
	}
	most := fileMost
	if u, err := url.Parse(w.Site); err == nil && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()) {
		most = besideFile
	}
	if at, err := w.me.s.Shown(ctx); err == nil {
		x.Status = at.Status
	}
	if x.Status >= 400 {
		return
	}
	file, err := w.me.s.Loaded(ctx, most)
	if err != nil {
		x.Error = err.Error()
	}
	if file == nil {
		return
	}
	sum := sha256.Sum256(file.Content)
	x.Came, x.Size, x.SHA256 = true, file.Size, hex.EncodeToString(sum[:])
	if file.Size > browser.MaxDownload {
		x.Error = "the file is larger than what is read of it"
	}
	texts := parts(file.Content)
	for _, t := range texts {
		x.Formats = append(x.Formats, Recognise(t))
		x.Own += holds(string(t), w.allOwned())
	}
}

// parts are the files of an archive, or the file itself.
func parts(content []byte) [][]byte {
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return [][]byte{content}
	}
	var out [][]byte
	for _, f := range z.File {
		if len(out) == maxParts || f.FileInfo().IsDir() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			continue
		}
		b, err := io.ReadAll(io.LimitReader(r, maxPart))
		_ = r.Close()
		if err == nil {
			out = append(out, b)
		}
	}
	return out
}

// Recognise says what a file is, and whether a program can read it: what it says of
// itself by its name or type does not count.
func Recognise(b []byte) File {
	text := strings.TrimSpace(strings.TrimPrefix(string(b), "\ufeff"))
	switch {
	case bytes.HasPrefix(b, []byte("%PDF-")):
		return File{"PDF", false}
	case !utf8.ValidString(text) || text == "":
		return File{"other", false}
	case text[0] == '{' || text[0] == '[':
		var v any
		if json.Unmarshal([]byte(text), &v) == nil {
			if m, ok := v.(map[string]any); ok && m["resourceType"] != nil {
				return File{"FHIR", true}
			}
			return File{"JSON", true}
		}
		if lines(text) {
			return File{"JSON", true}
		}
	case text[0] == '<':
		low := strings.ToLower(text[:min(len(text), 300)])
		if strings.Contains(low, "<html") || strings.Contains(low, "<!doctype html") {
			return File{"HTML", false}
		}
		if ok, root := wellFormed(text); ok {
			if strings.Contains(root, "hl7.org/fhir") {
				return File{"FHIR", true}
			}
			return File{"XML", true}
		}
	}
	if table(text) {
		return File{"CSV", true}
	}
	return File{"text", false}
}

// lines says whether each line is a JSON object (NDJSON).
func lines(text string) bool {
	for _, l := range strings.Split(text, "\n") {
		var v map[string]any
		if strings.TrimSpace(l) != "" && json.Unmarshal([]byte(l), &v) != nil {
			return false
		}
	}
	return true
}

func wellFormed(text string) (ok bool, space string) {
	d := xml.NewDecoder(strings.NewReader(text))
	for n := 0; ; n++ {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return n > 0, space
		}
		if err != nil || n > 1_000_000 {
			return false, ""
		}
		if e, is := t.(xml.StartElement); is && space == "" {
			space = e.Name.Space + " "
		}
	}
}

// table says whether a text is a table with the same columns, two at least, in each
// line.
func table(text string) bool {
	for _, comma := range []rune{';', ',', '\t'} {
		r := csv.NewReader(strings.NewReader(text))
		r.Comma = comma
		rows, err := r.ReadAll() // as many fields in each line as in the first
		if err == nil && len(rows) >= leastLines && len(rows[0]) >= 2 {
			return true
		}
	}
	return false
}

package lab

import (
	"bytes"
	"encoding/json"
	"regexp"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// PictureFolder is where pictures stand in a run folder.
const PictureFolder = "artifacts"

// Picture is a picture that shows what a finding tells, or what a person is to
// decide about. Judging reads what is recorded of it, never the picture.
type Picture struct {
	Of     string `json:"of"`   // one of the kinds of the browser: page, banner, element, focus, narrow, zoom
	File   string `json:"file"` // in the run folder: "artifacts/…"
	SHA256 string `json:"sha256"`
	Width  int    `json:"width"` // pixels
	Height int    `json:"height"`
	Alt    Text   `json:"alt"` // what it shows, for who does not see it
}

// Shown adds the picture that shows a finding; nil adds none.
func (f Finding) Shown(p *Picture) Finding {
	f.Picture = p
	return f
}

// Pictures adds the pictures that a person who decides is to look at.
func (t Trace) Pictures(pictures ...Picture) {
	cur := t.leaf()
	cur.Pictures = append(cur.Pictures, pictures...)
}

// Kept is a picture on its way to the run folder. Text is what the page held when
// it was taken: it is searched for secrets in the picture's place, and kept nowhere.
type Kept struct {
	File    string // "artifacts/…"
	Content []byte
	Text    string
}

// IsPicture says whether a name is one that a picture of ours bears.
func IsPicture(file string) bool { return pictureName().MatchString(file) }

func pictureName() *regexp.Regexp {
	return regexp.MustCompile(`^` + PictureFolder + `/[0-9a-f]{16}-[a-z]{2,16}\.webp$`)
}

// Keeper takes the pictures of pages that show nobody's data: those of a browser
// that was never used before and in which nobody has signed in, or a synthetic
// person. It is nil, and no picture is taken, where the run keeps none.
//
// A picture waits in memory until the scenario ends, as records do, and is dropped
// when a secret known by then stands in the page that it shows.
func (s *Stage) Keeper() browser.Keeper {
	if s.bench.env.Keep == nil {
		return nil
	}
	return func(shot browser.Shot) string {
		file := PictureFolder + "/" + shot.SHA256[:16] + "-" + shot.Of + ".webp"
		s.mu.Lock()
		defer s.mu.Unlock()
		s.kept = append(s.kept, Kept{File: file, Content: shot.WebP, Text: shot.Text})
		return file
	}
}

func (s *Stage) pictures() []Kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept
}

// keep hands the pictures of a scenario over, without those that may show a secret:
// their names are taken out of the records.
func (b *bench) keep(records []record.Record, pictures []Kept) error {
	for _, p := range pictures {
		if b.env.Redactor.Find(p.Text) != "" {
			for i := range records {
				if probe := records[i].Probe; probe != nil {
					probe.Data = withhold(probe.Data, p.File)
				}
			}
			continue
		}
		if err := b.env.Keep(p); err != nil {
			return err
		}
	}
	return nil
}

// withhold takes the name of a file out of a probe's result.
func withhold(data json.RawMessage, file string) json.RawMessage {
	return bytes.ReplaceAll(data, []byte(`"`+file+`"`), []byte(`""`))
}

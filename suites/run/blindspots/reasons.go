package blindspots

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/suites/requirement/yamlsafe"
)

//go:embed reasons.yaml
var reasonsFile []byte

// Reason says why changes go unseen at some places.
type Reason struct {
	Key   string       `yaml:"key"`
	Kind  Kind         `yaml:"kind"`
	Text  reports.Text `yaml:"text"`
	Where []Pattern    `yaml:"where"`
}

// Kind is what a reason comes to.
type Kind string

// The kinds of reason.
const (
	Gap       Kind = "gap"       // a check could be written, and is not
	Elsewhere Kind = "elsewhere" // judged at another place, where the same change is noticed
	Free      Kind = "free"      // any content is right: nothing is required there
	Ours      Kind = "ours"      // written by the harness or the sandbox, not by the candidate
	Harmless  Kind = "harmless"  // the changed message is as right as the first one was
)

// Pattern matches places; a star stands for any text, an empty field for all.
type Pattern struct {
	What string   `yaml:"what"`
	Part string   `yaml:"part"`
	Path string   `yaml:"path"`
	Ops  []string `yaml:"ops"`
}

// Reasons reads the list of reasons. The first that matches holds.
func Reasons() ([]Reason, error) {
	var file struct {
		Reasons []Reason `yaml:"reasons"`
	}
	if err := yamlsafe.Decode(reasonsFile, &file); err != nil {
		return nil, fmt.Errorf("read the reasons of the blind spots: %w", err)
	}
	return file.Reasons, nil
}

func (p Pattern) matches(at Place, op string) bool {
	return glob(p.What, at.What) && glob(p.Part, at.Part) && glob(p.Path, at.Path) && (len(p.Ops) == 0 || slices.Contains(p.Ops, op))
}

// glob matches a text with a pattern in which a star stands for any text.
func glob(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(text, p)
		if i < 0 {
			return false
		}
		text = text[i+len(p):]
	}
	return strings.HasSuffix(text, last)
}

// spots groups what is unseen by place and reason.
func spots(rows []Row, reasons []Reason) []Spot {
	out := []Spot{}
	for _, r := range rows {
		at := map[string]int{} // reason -> position in out
		for _, op := range r.Unseen {
			key := ""
			for _, reason := range reasons {
				if slices.ContainsFunc(reason.Where, func(p Pattern) bool { return p.matches(r.Place, op) }) {
					key = reason.Key
					break
				}
			}
			i, ok := at[key]
			if !ok {
				i = len(out)
				at[key] = i
				out = append(out, Spot{Place: r.Place, Reason: key})
			}
			out[i].Ops = append(out[i].Ops, op)
		}
	}
	return out
}

package run

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/suites/requirement"
	"github.com/etalon-sante/etalon/suites/requirement/yamlsafe"
)

// knownFile holds, in a run folder, the nonconformities that were known when it
// was judged, as they were given.
const knownFile = "known.yaml"

// Bounds of a list of known nonconformities. One that is longer is no list of
// exceptions.
const (
	maxKnown     = 1000
	maxKnownText = 1000 // characters of one text
)

// ErrKnown says that a list of known nonconformities cannot be used.
var ErrKnown = errors.New("known nonconformities")

// KnownList is a list of known nonconformities, read.
type KnownList struct {
	Raw     []byte
	SHA256  string
	Entries []reports.Known
}

type knownYAML struct {
	Etalon int          `yaml:"etalon"`
	Known  []knownEntry `yaml:"known"`
}

type knownEntry struct {
	ID       string `yaml:"id"`
	Kind     string `yaml:"kind"`
	Finding  string `yaml:"finding"`
	Reason   string `yaml:"reason"`
	Owner    string `yaml:"owner"`
	Deadline string `yaml:"deadline"`
	Seen     string `yaml:"seen"`
}

// ReadKnown reads a list of known nonconformities. What is wrong in it is named
// with its line; a file that is not there is fs.ErrNotExist.
func ReadKnown(path string) (*KnownList, error) {
	file, err := openRegular(path, yamlsafe.MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKnown, err)
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, yamlsafe.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%w: read %s: %w", ErrKnown, path, err)
	}
	list, err := ParseKnown(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrKnown, path, err)
	}
	return list, nil
}

// ParseKnown reads the bytes of a list of known nonconformities, as strictly as a
// manifest. Its errors are *yamlsafe.Error.
func ParseKnown(raw []byte) (*KnownList, error) {
	node, err := yamlsafe.Parse(raw)
	if err != nil {
		return nil, err
	}
	var y knownYAML
	wrong := &yamlsafe.Error{}
	if err := yamlsafe.DecodeNode(node, &y); err != nil && !errors.As(err, &wrong) {
		return nil, err
	}
	complain := func(at *yaml.Node, format string, args ...any) {
		wrong.Problems = append(wrong.Problems, yamlsafe.Problem{Line: at.Line, Column: at.Column, Message: fmt.Sprintf(format, args...)})
	}
	if len(wrong.Problems) > 0 {
		return nil, wrong
	}
	if y.Etalon != 1 {
		complain(yamlsafe.Find(node, "etalon"), "etalon is %d: write \"etalon: 1\", the format that this build reads", y.Etalon)
	}
	if yamlsafe.Find(node, "known") == node {
		complain(node, "the field \"known\" is missing: write the list of what is known, \"known: []\" when nothing is")
	}
	if len(y.Known) > maxKnown {
		complain(yamlsafe.Find(node, "known"), "%d entries: at most %d are read", len(y.Known), maxKnown)
		return nil, wrong
	}
	sum := sha256.Sum256(raw)
	out := &KnownList{Raw: raw, SHA256: hex.EncodeToString(sum[:])}
	first := map[[2]string]int{}
	for i, e := range y.Known {
		e.check(func(field, format string, args ...any) {
			complain(yamlsafe.Find(node, "known", i, field), field+": "+format, args...)
		})
		key := [2]string{e.ID, e.Finding}
		if line, twice := first[key]; twice {
			complain(yamlsafe.Find(node, "known", i, "id"), "id: %s stands twice with the same finding (first on line %d): keep one", e.ID, line)
		} else {
			first[key] = yamlsafe.Find(node, "known", i, "id").Line
		}
		out.Entries = append(out.Entries, reports.Known{
			ID: e.ID, Kind: e.Kind, Finding: e.Finding, Reason: strings.TrimSpace(e.Reason), Owner: strings.TrimSpace(e.Owner), Deadline: e.Deadline, Seen: e.Seen,
		})
	}
	if len(wrong.Problems) > 0 {
		return nil, wrong
	}
	return out, nil
}

// check says what is wrong in an entry, by the name of the field.
func (e knownEntry) check(complain func(field, format string, args ...any)) {
	if !regexp.MustCompile(`^[A-Z]{2,6}-[0-9]{1,5}(\.[0-9]{1,4})?$`).MatchString(e.ID) {
		complain("id", "%.60q is not the id of a check (INT-09.1) or of a requirement (INT-09)", e.ID)
	}
	text := func(field, value, what string) {
		switch {
		case strings.TrimSpace(value) == "":
			complain(field, "missing: write %s", what)
		case utf8.RuneCountInString(value) > maxKnownText:
			complain(field, "%d characters: at most %d are kept", utf8.RuneCountInString(value), maxKnownText)
		case strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Bidi_Control, r) }):
			complain(field, "it holds a character that is not printed: take it out")
		}
	}
	text("reason", e.Reason, "why it is not conformant yet; it is shown in public")
	text("owner", e.Owner, "the team or the role that mends it; it is shown in public")
	if strings.Contains(e.Owner, "@") {
		complain("owner", "an address stands here: name a team or a role, it is shown in public")
	}
	if e.Finding != "" {
		text("finding", e.Finding, "the key of a finding")
	}
	if _, err := time.Parse(time.DateOnly, e.Deadline); err != nil {
		complain("deadline", "%.40q is no day such as 2027-01-31: until when it is to be mended", e.Deadline)
	}
	switch e.Kind {
	case reports.KnownFailing:
		if e.Seen != "" {
			complain("seen", "only what is flaky is seen in some runs: take the field out, or write \"kind: flaky\"")
		}
	case reports.KnownFlaky:
		times, of, _ := strings.Cut(e.Seen, "/")
		n, err := strconv.Atoi(times)
		all, err2 := strconv.Atoi(of)
		if err != nil || err2 != nil || n < 1 || n >= all || all > MaxRepeat || e.Seen != fmt.Sprintf("%d/%d", n, all) {
			complain("seen", "%.20q does not show that it is flaky: write in how many runs of how many it failed, such as \"2/10\", as `etalon run --repeat 10` counts them", e.Seen)
		}
	default:
		complain("kind", "%.40q: write failing (it is seen in every run) or flaky (in some)", e.Kind)
	}
}

// MaxRepeat is how often one command repeats a run at most.
const MaxRepeat = 1000

// takeKnown reads the list that a run is given, before anything is played. A run
// that goes on keeps the one in its folder, which has to be readable.
func takeKnown(o Options) (*KnownList, error) {
	if o.Known != "" {
		return ReadKnown(o.Known)
	}
	if o.Resume {
		if _, err := ReadKnown(filepath.Join(o.Out, knownFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

// knownIn reads the list of a run folder; nil: it has none.
func knownIn(dir string) (*KnownList, error) {
	list, err := ReadKnown(filepath.Join(dir, knownFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // there is none
	}
	return list, err
}

// weigh judges the list of known nonconformities by a report, as of its day.
func weigh(r *reports.Report, list *KnownList, cat *requirement.Catalogue) {
	if list == nil {
		return
	}
	ids := map[string]bool{}
	for _, q := range cat.Requirements {
		for _, id := range append([]string{q.ID}, q.Formerly...) {
			ids[id] = true
			for _, k := range q.Checks {
				ids[id+strings.TrimPrefix(k.ID, q.ID)] = true
			}
		}
	}
	r.Weigh(list.Entries, list.SHA256, func(id string) bool { return ids[id] })
}

// JudgeKnown recomputes every verdict of a run folder under another list of known
// nonconformities than the one it was judged with.
func JudgeKnown(path string, list *KnownList) (reports.Report, error) {
	rec, err := ReadFolder(path)
	if err != nil {
		return reports.Report{}, err
	}
	rec.Known = list
	return Judge(rec, Register)
}

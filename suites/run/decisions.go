package run

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/requirement"
)

// decisionsFile holds, in a run folder, what persons decided of it.
const decisionsFile = "decisions.json"

// DecisionsFormat is the format of the file of decisions.
const DecisionsFormat = 1

const (
	maxDecisions    = 4 << 20 // bytes of the file
	maxDecisionText = 4000    // characters of one text
)

// The decisions that a person can take.
const (
	DecidedMet     = "met"
	DecidedNotMet  = "not-met"
	DecidedOutside = "not-concerned" // the service has nothing of the sort
)

// Decision is what a person decided about what the harness could not.
type Decision struct {
	Subject     string       `json:"subject"`  // id of the check, or of the requirement that only a person judges
	Decision    string       `json:"decision"` // met, not-met, not-concerned
	Reason      string       `json:"reason"`
	Author      string       `json:"author"`
	Role        string       `json:"role"`
	Date        string       `json:"date"`    // 2006-01-02
	Expires     string       `json:"expires"` // 2006-01-02
	Service     string       `json:"service"` // name and version of what was looked at
	Seen        string       `json:"seen"`    // SHA-256, in hexadecimal, of what the person was shown
	Attachments []Attachment `json:"attachments"`
}

// Attachment is a file that a person gave with a decision: it is named and
// weighed, not kept.
type Attachment struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Decisions is the file.
type Decisions struct {
	Format    int        `json:"format"`
	Decisions []Decision `json:"decisions"`
}

// ReadDecisions reads a file of decisions. An error names the file, the decision
// and what is wrong with it; a file that is not there is fs.ErrNotExist.
func ReadDecisions(path string) (Decisions, error) {
	var out Decisions
	file, err := openRegular(path, maxDecisions)
	if err != nil {
		return out, err
	}
	defer file.Close()
	raw, err := io.ReadAll(file)
	if err != nil {
		return out, fmt.Errorf("read the decisions in %s: %w", path, err)
	}
	if out, err = parseDecisions(raw); err != nil {
		return Decisions{}, fmt.Errorf("read the decisions in %s: %w", path, err)
	}
	return out, nil
}

func parseDecisions(raw []byte) (Decisions, error) {
	var out Decisions
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&out); err != nil {
		return Decisions{}, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Decisions{}, errors.New("something follows the JSON object")
	}
	if out.Format != DecisionsFormat {
		return Decisions{}, fmt.Errorf("format %d, this build reads format %d", out.Format, DecisionsFormat)
	}
	for i, d := range out.Decisions {
		if err := d.check(); err != nil {
			return Decisions{}, fmt.Errorf("decision %d (%s): %w", i+1, brief(d.Subject), err)
		}
	}
	return out, nil
}

func brief(s string) string {
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

func (d Decision) check() error {
	if d.Subject == "" {
		return errors.New("subject is missing: the id of a check or of a requirement")
	}
	if known := []string{DecidedMet, DecidedNotMet, DecidedOutside}; !slices.Contains(known, d.Decision) {
		return fmt.Errorf("decision is %q: write %s", brief(d.Decision), strings.Join(known, ", "))
	}
	for name, text := range map[string]string{"reason": d.Reason, "author": d.Author, "role": d.Role, "service": d.Service} {
		if strings.TrimSpace(text) == "" {
			return fmt.Errorf("%s is missing: a decision says who took it and why", name)
		}
		if n := utf8.RuneCountInString(text); n > maxDecisionText {
			return fmt.Errorf("%s has %d characters, at most %d are kept", name, n, maxDecisionText)
		}
	}
	from, err := time.Parse(time.DateOnly, d.Date)
	if err != nil {
		return fmt.Errorf("date is %q, a day such as 2026-11-22 is expected", brief(d.Date))
	}
	until, err := time.Parse(time.DateOnly, d.Expires)
	if err != nil || until.Before(from) {
		return fmt.Errorf("expires is %q, a day from %s on is expected", brief(d.Expires), d.Date)
	}
	if len(d.Seen) != sha256.Size*2 {
		return errors.New("seen is not a SHA-256 in hexadecimal: etalon assist writes it")
	}
	for _, a := range d.Attachments {
		if a.Name == "" || len(a.SHA256) != sha256.Size*2 || a.Bytes < 0 {
			return errors.New("an attachment needs a name, a size and a SHA-256")
		}
	}
	return nil
}

// Question is something that a person is to decide.
type Question struct {
	Subject     string // id of the check or of the requirement
	Requirement reports.Result
	Title       reports.Text
	Seen        reports.Text // what the harness saw, or what to look at
	Exchanges   []string     // that show it, by their key in the report
	Pictures    []reports.Picture
	Digest      string       // of what is shown
	Service     string       // name and version of the service
	Before      *Decision    // an earlier decision that no longer holds
	Lapsed      reports.Text // why it does not
	Same        bool         // that decision was taken of just this, seen in another version or too long ago
}

// serviceOf names what decisions are about: a service in one version.
func serviceOf(c candidate.Candidate) string {
	return strings.TrimSpace(c.Service.Name + " " + c.Service.Version)
}

// Questions lists what is left to decide of a run folder, in the order of the
// report, as of a day.
func Questions(dir string, day time.Time) ([]Question, error) {
	rec, err := ReadFolder(dir)
	if err != nil {
		return nil, err
	}
	// What was decided already changes what is said of a question, hence its
	// digest: the questions are those of a run about which nothing was.
	taken, service := rec.Decisions, serviceOf(rec.Candidate)
	rec.Decisions = nil
	report, err := Judge(rec, Register)
	if err != nil {
		return nil, err
	}
	var out []Question
	add := func(q Question) {
		for _, d := range taken {
			if d.Subject == q.Subject {
				if q.Before, q.Lapsed, q.Same = &d, d.lapsed(q.Digest, service, day), d.Seen == q.Digest; q.Lapsed == (reports.Text{}) {
					return // it is decided
				}
			}
		}
		q.Service = service
		out = append(out, q)
	}
	for _, r := range report.Results {
		if len(r.Checks) == 0 && r.Verdict == reports.ToReview {
			add(Question{Subject: r.Requirement, Requirement: r, Title: r.Title, Seen: r.Reason, Digest: digestOfSeen(r.Requirement, r.Reason, nil)})
		}
		for _, c := range r.Checks {
			if c.Verdict == reports.ToReview {
				add(Question{Subject: c.ID, Requirement: r, Title: c.Title, Seen: c.Reason, Exchanges: c.Evidence, Pictures: c.Pictures, Digest: digestOfSeen(c.ID, c.Reason, c.Findings)})
			}
		}
	}
	return out, nil
}

// digestOfSeen is the digest of what a person is shown. Ids of exchanges differ
// from run to run and are left out; so are pictures, whose every pixel would count,
// and which show what the words say.
func digestOfSeen(subject string, why reports.Text, findings []reports.Finding) string {
	h := sha256.New()
	part := func(s string) { fmt.Fprintf(h, "%d:%s", len(s), s) }
	part(subject)
	part(why.FR)
	part(why.EN)
	for _, f := range findings {
		part(f.Key)
		part(f.Message.FR)
		part(f.Expected)
		part(f.Actual)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// lapsed says why a decision no longer holds; the zero text when it does.
func (d Decision) lapsed(seen, service string, day time.Time) reports.Text {
	today := day.UTC().Format(time.DateOnly)
	switch {
	case d.Service != service:
		return reports.Text{FR: "elle portait sur « " + d.Service + " »", EN: "it was about \"" + d.Service + "\""}
	case d.Seen != seen:
		return reports.Text{FR: "ce qui avait été vu a changé depuis", EN: "what was seen has changed since"}
	case d.Expires < today:
		return reports.Text{FR: "elle valait jusqu'au " + d.Expires, EN: "it was good until " + d.Expires}
	case d.Date > today:
		return reports.Text{FR: "elle est datée du " + d.Date + ", après la campagne", EN: "it is dated " + d.Date + ", after the run"}
	}
	return reports.Text{}
}

// decide is the verdict that a person's decision gives to what is to be
// reviewed: attested when it says that it is met, for nothing was observed. A
// decision that no longer holds changes nothing but the reason.
func (b *builder) decide(subject string, why reports.Text, findings []reports.Finding) (reports.Verdict, reports.Text, *reports.Declaration) {
	i := slices.IndexFunc(b.rec.Decisions, func(d Decision) bool { return d.Subject == subject })
	if i < 0 {
		return reports.ToReview, why, nil
	}
	d := b.rec.Decisions[i]
	// A decision is dated by the day it was taken, which may be after the run.
	day := b.rec.Info.Started
	if taken, err := time.Parse(time.DateOnly, d.Date); err == nil && taken.After(day) {
		day = taken
	}
	if lapsed := d.lapsed(digestOfSeen(subject, why, findings), serviceOf(b.rec.Candidate), day); lapsed.EN != "" {
		return reports.ToReview, reports.Text{
			FR: why.FR + " Une décision du " + d.Date + " ne vaut plus : " + lapsed.FR + ".",
			EN: why.EN + " A decision of " + d.Date + " no longer holds: " + lapsed.EN + ".",
		}, nil
	}
	who := b.rec.reviewer(d.Author)
	d.Reason, d.Role = without(d.Reason, d.Author, who), without(d.Role, d.Author, who)
	out := &reports.Declaration{Statement: d.Reason, Author: who, Role: d.Role, Date: d.Date, Expires: d.Expires, Decided: true}
	if len(d.Attachments) > 0 {
		out.SHA256 = d.Attachments[0].SHA256
	}
	said := reports.Text{
		FR: fmt.Sprintf("décidé par %s (%s) le %s, sur %s : %s", who, d.Role, d.Date, d.Service, d.Reason),
		EN: fmt.Sprintf("decided by %s (%s) on %s, about %s: %s", who, d.Role, d.Date, d.Service, d.Reason),
	}
	switch d.Decision {
	case DecidedNotMet:
		return reports.Nonconformant, said, out
	case DecidedOutside:
		return reports.NotApplicable, said, out
	}
	return reports.Attested, said, out
}

// asked is the verdict of a requirement that only a person can judge.
func (b *builder) asked(r requirement.Requirement) (reports.Verdict, reports.Text, *reports.Declaration) {
	return b.decide(r.ID, reports.Text(r.Question), nil)
}

// ErrDecisions says that a file of decisions cannot be used.
var ErrDecisions = errors.New("decisions")

// takeDecisions reads the decisions of an earlier run that are to hold in this
// one. Those that stand in the folder stay; that they can be read is known before
// anything is played.
func takeDecisions(o Options) (*Decisions, error) {
	path := o.Decisions
	if path == "" {
		path = filepath.Join(o.Out, decisionsFile)
	}
	got, err := ReadDecisions(path)
	switch {
	case o.Decisions == "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)):
		return nil, nil //nolint:nilnil // there are none
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDecisions, err)
	case o.Decisions == "":
		return nil, nil //nolint:nilnil // they stay where they are
	}
	return &got, nil
}

// KeepDecision writes a decision into a run folder, in the place of an earlier
// one about the same subject, whole or not at all.
func KeepDecision(dir string, d Decision) error {
	if err := d.check(); err != nil {
		return err
	}
	all, err := ReadDecisions(filepath.Join(dir, decisionsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	all.Format = DecisionsFormat
	all.Decisions = append(slices.DeleteFunc(all.Decisions, func(o Decision) bool { return o.Subject == d.Subject }), d)
	slices.SortFunc(all.Decisions, func(a, b Decision) int { return strings.Compare(a.Subject, b.Subject) })
	f := &Folder{Path: dir}
	return f.PutJSON(decisionsFile, all)
}

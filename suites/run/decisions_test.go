package run

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/suites/candidate"
)

func decision() Decision {
	return Decision{
		Subject: "ETH-60", Decision: DecidedMet, Reason: "La page existe.", Author: "A. Essai", Role: "référente", Date: "2026-11-22", Expires: "2027-11-22",
		Service: "Carnet Clair 1.0", Seen: strings.Repeat("0", 64), Attachments: []Attachment{},
	}
}

func TestADecisionSaysWhoWhyWhenAndAboutWhat(t *testing.T) {
	for want, change := range map[string]func(*Decision){
		"subject is missing":         func(d *Decision) { d.Subject = "" },
		`decision is "oui"`:          func(d *Decision) { d.Decision = "oui" },
		"reason is missing":          func(d *Decision) { d.Reason = " " },
		"author is missing":          func(d *Decision) { d.Author = "" },
		"role is missing":            func(d *Decision) { d.Role = "" },
		"service is missing":         func(d *Decision) { d.Service = "" },
		"reason has 5000 characters": func(d *Decision) { d.Reason = strings.Repeat("é", 5000) },
		`date is "22/11/2026"`:       func(d *Decision) { d.Date = "22/11/2026" },
		`expires is "2026-11-21"`:    func(d *Decision) { d.Expires = "2026-11-21" },
		"seen is not a SHA-256":      func(d *Decision) { d.Seen = "abc" },
		"an attachment needs a name": func(d *Decision) { d.Attachments = []Attachment{{Name: "x", SHA256: "1"}} },
	} {
		d := decision()
		change(&d)
		if err := KeepDecision(t.TempDir(), d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q expected, got %v", want, err)
		}
	}
}

func TestALaterDecisionReplacesAnEarlierOne(t *testing.T) {
	dir := t.TempDir()
	first, other, second := decision(), decision(), decision()
	other.Subject, second.Decision = "ETH-61", DecidedNotMet
	for _, d := range []Decision{first, other, second} {
		if err := KeepDecision(dir, d); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadDecisions(filepath.Join(dir, decisionsFile))
	if err != nil || len(got.Decisions) != 2 || got.Decisions[0].Decision != DecidedNotMet || got.Decisions[1].Subject != "ETH-61" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestADecisionHoldsForWhatWasSeenAndForItsTime(t *testing.T) {
	why := reports.Text{FR: "vu", EN: "seen"}
	digest := digestOfSeen("ETH-60", why, nil)
	for _, c := range []struct {
		name    string
		change  func(*Decision)
		verdict reports.Verdict
		says    string
	}{
		{"met", func(*Decision) {}, reports.Attested, "decided by «reviewer-1»"},
		{"not met", func(d *Decision) { d.Decision = DecidedNotMet }, reports.Nonconformant, "decided by «reviewer-1»"},
		{"not concerned", func(d *Decision) { d.Decision = DecidedOutside }, reports.NotApplicable, "decided by «reviewer-1»"},
		{"about something else", func(d *Decision) { d.Seen = strings.Repeat("1", 64) }, reports.ToReview, "has changed since"},
		{"expired", func(d *Decision) { d.Date, d.Expires = "2025-01-01", "2025-06-01" }, reports.ToReview, "it was good until 2025-06-01"},
		{"about another version", func(d *Decision) { d.Service = "Carnet Clair 0.9" }, reports.ToReview, `it was about "Carnet Clair 0.9"`},
		{"about another service", func(d *Decision) { d.Service = "Autre carnet 1.0" }, reports.ToReview, `it was about "Autre carnet 1.0"`},
		{"of another subject", func(d *Decision) { d.Subject = "ETH-61" }, reports.ToReview, "seen"},
	} {
		d := decision()
		d.Seen = digest
		c.change(&d)
		b := builder{rec: Recorded{Candidate: candidate.Candidate{Service: candidate.Service{Name: "Carnet Clair", Version: "1.0"}}, Info: Info{Started: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}, Decisions: []Decision{d}}}
		got, said, declared := b.decide("ETH-60", why, nil)
		if got != c.verdict || !strings.Contains(said.EN, c.says) || (declared != nil) != (got != reports.ToReview) {
			t.Errorf("%s: %s %q %v", c.name, got, said.EN, declared)
		}
	}
}

func TestWhatIsSeenHasADigestThatExchangesDoNotMove(t *testing.T) {
	why := reports.Text{FR: "vu", EN: "seen"}
	one := digestOfSeen("ETH-60", why, []reports.Finding{{Key: "k", Exchange: "x1"}})
	if one != digestOfSeen("ETH-60", why, []reports.Finding{{Key: "k", Exchange: "x2"}}) {
		t.Error("another exchange moves it")
	}
	if one == digestOfSeen("ETH-60", why, []reports.Finding{{Key: "k", Actual: "other"}}) || one == digestOfSeen("ETH-61", why, []reports.Finding{{Key: "k"}}) {
		t.Error("what is seen does not move it")
	}
}

func TestDecisionsThatCannotBeReadStopTheRunBeforeItBegins(t *testing.T) {
	dir := t.TempDir()
	if got, err := takeDecisions(Options{Out: dir}); got != nil || err != nil {
		t.Errorf("no file: %v, %v", got, err)
	}
	if _, err := takeDecisions(Options{Out: dir, Decisions: filepath.Join(dir, "none.json")}); !errors.Is(err, ErrDecisions) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, decisionsFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := takeDecisions(Options{Out: dir}); !errors.Is(err, ErrDecisions) {
		t.Errorf("half a file: %v", err)
	}
}

// FuzzDecisions: what is read can be written and read again.
func FuzzDecisions(f *testing.F) {
	good, _ := json.Marshal(Decisions{Format: DecisionsFormat, Decisions: []Decision{decision()}})
	for _, s := range []string{string(good), "{}", `{"format":1}`, `{"format":1,"decisions":[{}]}`, "[]", `{"format":1,"decisions":null,"more":1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := parseDecisions(raw)
		if err != nil {
			return
		}
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseDecisions(b); err != nil {
			t.Errorf("%s: %v", b, err)
		}
	})
}

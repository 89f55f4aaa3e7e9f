package run

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/etalon-sante/etalon/reports/seal"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/lab"
)

// ResumeError says why a run cannot be taken up again.
type ResumeError struct{ Why RunText }

func (e *ResumeError) Error() string { return e.Why.EN }

// In is the sentence in a language.
func (e *ResumeError) In(lang string) string {
	if lang == "en" {
		return e.Why.EN
	}
	return e.Why.FR
}

func refuseResume(fr, en string, args ...any) error {
	return &ResumeError{RunText{FR: fmt.Sprintf(fr, args...), EN: fmt.Sprintf(en, args...)}}
}

// earlier is a run that was stopped, as it stands in its folder.
type earlier struct {
	info     Info
	ended    map[string]bool // scenarios that are kept, with their records
	last     int             // number of the last record
	names    map[string]int  // kind of secret -> highest number in the journal
	accounts int             // patients that the candidate was told of
}

// sameRun is what must be as it was for two sittings to make one run.
type sameRun struct {
	manifest  []byte
	seed      int64
	catalogue string
	profile   string
	selection Selection
	phase     string
	strict    bool
}

// takeUp reads a stopped run and refuses one that would not be the same run any
// more. It changes nothing.
func takeUp(path string, now sameRun) (*earlier, error) {
	if _, err := os.Stat(filepath.Join(path, infoFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, refuseResume("rien à reprendre dans %s : lancez la campagne sans --resume", "nothing to go on with in %s: start the run without --resume", path)
	}
	rec, err := ReadFolder(path)
	if err != nil {
		return nil, refuseResume("la campagne ne peut pas reprendre : %[1]v ; lancez-la sans --resume", "the run cannot go on: %[1]v; start it without --resume", err)
	}
	manifest, err := os.ReadFile(filepath.Join(path, manifestFile))
	if err != nil {
		return nil, refuseResume("la campagne ne peut pas reprendre : %[1]v ; lancez-la sans --resume", "the run cannot go on: %[1]v; start it without --resume", err)
	}
	info := rec.Info
	if info.State == "observed" && rec.Truncated == "" {
		return nil, refuseResume("la campagne de %s est allée jusqu'au bout : rien n'est à reprendre ; sans --resume, une nouvelle la remplace", "the run in %s went to its end: nothing is left to go on with; without --resume a new one replaces it", path)
	}
	for _, c := range []struct {
		same   bool
		fr, en string
	}{
		{bytes.Equal(manifest, now.manifest), "le manifeste a changé", "the manifest has changed"},
		{info.Seed == now.seed, fmt.Sprintf("la graine était %d", info.Seed), fmt.Sprintf("the seed was %d", info.Seed)},
		{info.Catalogue.Digest == now.catalogue, "le catalogue d'exigences n'est plus le même", "the catalogue of requirements is another"},
		{info.Profile.Digest == now.profile, "le profil n'est plus le même", "the profile is another"},
		{sameSet(info.Themes, now.selection.Themes) && sameSet(info.Only, now.selection.Only), "la sélection (--theme, --only) n'est plus la même", "the selection (--theme, --only) is another"},
		{info.Phase == now.phase && info.Strict == now.strict, "--phase ou --strict n'est plus le même", "--phase or --strict is another"},
	} {
		if !c.same {
			return nil, &ResumeError{RunText{
				FR: "la campagne ne peut pas reprendre : " + c.fr + ". Remettez ce qui a changé, ou lancez-la sans --resume : elle recommencera du début",
				EN: "the run cannot go on: " + c.en + ". Put back what has changed, or start it without --resume: it then begins anew",
			}}
		}
	}
	out := &earlier{info: info, ended: map[string]bool{}, names: map[string]int{}}
	if err := out.read(rec.Records); err != nil {
		return nil, err
	}
	for kind, n := range info.Secrets {
		out.names[kind] = max(out.names[kind], n)
	}
	return out, out.readNames(filepath.Join(path, journalFile))
}

// sameSettings refuses to mix observations made under different assumptions.
func (e *earlier) sameSettings(settings string) error {
	if e.info.Settings == settings {
		return nil
	}
	return refuseResume(
		"la campagne ne peut pas reprendre : ses réglages étaient %s, ceux du bac à sable sont %s. Remettez les premiers, ou lancez-la sans --resume : elle recommencera du début",
		"the run cannot go on: its settings were %s, the sandbox's are %s. Put the first back, or start it without --resume: it then begins anew", e.info.Settings, settings)
}

func (e *earlier) read(records []record.Record) error {
	l := lab.New()
	if err := l.Load(records, lab.Oracle{}); err != nil {
		return refuseResume("la campagne ne peut pas reprendre : %[1]v ; lancez-la sans --resume", "the run cannot go on: %[1]v; start it without --resume", err)
	}
	patients := map[string]bool{}
	for _, r := range records {
		e.last = max(e.last, r.Seq)
		if r.Pilot != nil && r.Patient != "" {
			patients[r.Patient] = true
		}
		switch l.Ending(r.Scenario).Outcome {
		case lab.Completed, lab.Unsupported, lab.CandidateFailed:
			e.ended[r.Scenario] = true
		}
	}
	e.accounts = len(patients)
	if e.info.State == "observing" {
		// It ended without a word: patients of the scenarios in progress are not
		// in the journal. No scenario has more than a few.
		const room = 10
		e.accounts += room
	}
	return nil
}

// readNames finds the highest number of each kind of name in a journal: what a
// name stood for is gone, and it must never stand for something else.
func (e *earlier) readNames(path string) error {
	names := regexp.MustCompile(`«([^«»"\\]{1,60})-([0-9]{1,8})»`)
	return eachLine(path, func(line []byte) error {
		for _, m := range names.FindAllSubmatch(line, -1) {
			n, err := strconv.Atoi(string(m[2]))
			if err == nil {
				e.names[string(m[1])] = max(e.names[string(m[1])], n)
			}
		}
		return nil
	})
}

// again is what run.json says of a run that goes on.
func (e *earlier) again(at time.Time) Info {
	info := e.info
	info.TakenUp = append(slices.Clone(info.TakenUp), at)
	if info.Notes == nil {
		info.Notes = []Note{}
	}
	if info.Secrets == nil {
		info.Secrets = map[string]int{}
	}
	info.Notes = append(info.Notes, Note{Kind: "limit", Text: RunText{
		FR: "la campagne s'était arrêtée ; elle a repris le " + at.Format("02/01/2006 à 15:04") + " (UTC). Ce qui était terminé a été gardé, le scénario en cours a recommencé avec d'autres patients",
		EN: "the run had stopped; it went on on " + at.Format("2 January 2006 at 15:04") + " (UTC). What had ended was kept, the scenario in progress began again with other patients",
	}})
	return info
}

// joinFaults adds the faults of this sitting to those of the earlier ones.
func joinFaults(before json.RawMessage, faults []control.Fault) json.RawMessage {
	var all []control.Fault
	_ = json.Unmarshal(before, &all) // absent at the first sitting
	return marshalled(append(all, faults...))
}

// left are the scenarios that are still to be played.
func (e *earlier) left(scenarios []*lab.Scenario) []*lab.Scenario {
	return slices.DeleteFunc(slices.Clone(scenarios), func(s *lab.Scenario) bool { return e.ended[s.Slug] })
}

// reopen drops from the journal what belongs to scenarios that begin again, and
// opens it for more. The journal is replaced whole or not at all.
func (e *earlier) reopen(path string) (*Folder, error) {
	journal := filepath.Join(path, journalFile)
	fail := func(err error) (*Folder, error) { return nil, fmt.Errorf("take up the run in %s: %w", path, err) }
	if err := seal.Remove(path); err != nil { // it was about what had been recorded by then
		return fail(err)
	}
	tmp, err := os.CreateTemp(path, "."+journalFile+".*")
	if err != nil {
		return fail(err)
	}
	defer os.Remove(tmp.Name())
	out := bufio.NewWriter(tmp)
	err = eachLine(journal, func(line []byte) error {
		var r record.Record
		if json.Unmarshal(line, &r) != nil {
			return nil //nolint:nilerr // only the last line, cut while it was written: ReadFolder has accepted the others
		}
		if r.Scenario != "" && !e.ended[r.Scenario] {
			return nil
		}
		_, err := out.Write(append(line, '\n'))
		return err
	})
	if err = errors.Join(err, out.Flush(), tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return fail(err)
	}
	if err := os.Rename(tmp.Name(), journal); err != nil {
		return fail(err)
	}
	f, err := os.OpenFile(journal, os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fail(err)
	}
	return &Folder{Path: path, journal: f}, nil
}

// eachLine reads a journal line by line, without their ends.
func eachLine(path string, do func([]byte) error) error {
	file, err := openRegular(path, maxJournal)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewReaderSize(file, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			if e := do(bytes.TrimSuffix(line, []byte("\n"))); e != nil {
				return e
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read %s: %w", path, err)
		}
	}
}

func sameSet(a, b []string) bool {
	set := func(list []string) map[string]bool {
		out := map[string]bool{}
		for _, s := range list {
			out[s] = true
		}
		return out
	}
	return maps.Equal(set(a), set(b))
}

package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/seal"
)

// Difference is a verdict that judging again does not give.
type Difference struct {
	ID    string          `json:"id"` // of the requirement or of the check; "run" for the verdict of the run
	Said  reports.Verdict `json:"said"`
	Found reports.Verdict `json:"found"` // empty: this build does not judge it
}

// Verified is what verifying a folder came to.
type Verified struct {
	Seal seal.Verification `json:"seal"`
	// Recomputed: the journal was judged again, by this build.
	Recomputed bool         `json:"recomputed"`
	SameBuild  bool         `json:"sameBuild"` // this program is the one that ran
	Differ     []Difference `json:"differ"`
	// NotRecomputed are requirements whose verdict rests on a file that was withheld.
	NotRecomputed []string `json:"notRecomputed"`
	// Rewritten are files that this build, being the one that ran, writes otherwise.
	Rewritten []string `json:"rewritten"`
	// Expired: the key might no longer seal on the day it did, says the trust file.
	Expired bool            `json:"expired"`
	Failure reports.Text    `json:"failure"` // why the verdicts could not be recomputed
	Report  *reports.Report `json:"-"`
	Exit    int             `json:"exit"`
}

// Exit codes of verifying.
const (
	verifiedOK        = 0
	verifiedNo        = 1
	verifiedUndecided = 4
)

// VerifyOptions are how a folder is verified.
type VerifyOptions struct {
	Trust   seal.Trust
	Known   bool   // the key must be known to the trust file
	Version string // of this build
}

// Verify checks a sealed run folder offline: every byte by the seal, then every
// verdict by judging the journal again, and where this program is the one that ran
// every file that it wrote. It changes nothing. The error is for a folder that
// cannot be looked at.
func Verify(dir string, o VerifyOptions) (Verified, error) {
	out := Verified{Differ: []Difference{}, NotRecomputed: []string{}, Rewritten: []string{}, Exit: verifiedNo}
	st, err := os.Stat(dir)
	if err != nil {
		return out, fmt.Errorf("verify: %w", err)
	}
	if !st.IsDir() {
		return out, fmt.Errorf("verify %s: it is no folder; name the folder of a run", dir)
	}
	var again, said reports.Report
	var judged, read error
	var this Harness
	var wg sync.WaitGroup
	wg.Go(func() {
		again, judged = JudgeFolder(dir)
		said, read = saidIn(dir, again, judged)
	})
	wg.Go(func() { this = self(o.Version) })
	out.Seal, err = seal.Verify(dir, o.Trust)
	wg.Wait()
	if err != nil {
		return out, err
	}
	if !out.Seal.Holds() {
		return out, nil
	}
	if read != nil {
		out.Failure = reports.Text{FR: "report.json ne se lit pas : " + read.Error(), EN: "report.json cannot be read: " + read.Error()}
		return out, nil
	}
	out.Report = &said
	if judged != nil {
		out.Failure = reports.Text{FR: "les verdicts n'ont pas pu être recalculés : " + judged.Error(), EN: "the verdicts could not be recomputed: " + judged.Error()}
		return out, nil
	}
	out.Recomputed = true
	out.SameBuild = said.Run.Harness.Digest != "" && said.Run.Harness.Digest == this.Digest
	out.compare(said, again)
	if out.SameBuild && len(out.Seal.Withheld) == 0 {
		if err := out.rewrite(dir, again); err != nil {
			return out, err
		}
	}
	if h := out.Seal.Holder; h != nil {
		out.Expired = h.Expired(said.Run.Started)
	}
	switch {
	case o.Known && out.Seal.Holder == nil, out.Expired, out.contradicted(), len(out.Rewritten) > 0, out.SameBuild && len(out.Differ) > 0:
	case len(out.Differ) > 0:
		out.Exit = verifiedUndecided
	default:
		out.Exit = verifiedOK
	}
	return out, nil
}

// contradicted says whether the sandbox signed something else than what the journal
// holds: an exchange is missing from it, made up, or not as it was served.
func (v *Verified) contradicted() bool {
	w := v.Report.Run.Witnessed
	return w != nil && len(w.Missing)+len(w.Added)+len(w.Changed) > 0
}

// saidIn is the report of a folder. Where its bytes are those of what judging gave,
// that is it: there is nothing to read, and nothing to hold against the schema, which
// they followed when they were written.
func saidIn(dir string, again reports.Report, judged error) (reports.Report, error) {
	b, err := readRegular(filepath.Join(dir, reportFile), maxJournal)
	if err != nil {
		return reports.Report{}, err
	}
	if judged == nil {
		if now, err := reports.Encode(again); err == nil && bytes.Equal(b, now) {
			return again, nil
		}
	}
	return reports.Read(b)
}

func readReport(dir string) (reports.Report, error) {
	b, err := readRegular(filepath.Join(dir, reportFile), maxJournal)
	if err != nil {
		return reports.Report{}, err
	}
	return reports.Read(b)
}

// compare finds the verdicts that judging again does not give, those set apart that
// rest on what was withheld.
func (v *Verified) compare(said, again reports.Report) {
	found := map[string]reports.Result{}
	for _, r := range again.Results {
		found[r.Requirement] = r
	}
	mixed := again
	mixed.Results = slices.Clone(again.Results)
	for _, r := range said.Results {
		now, ok := found[r.Requirement]
		if v.restsOnWithheld(r, now) {
			v.NotRecomputed = append(v.NotRecomputed, r.Requirement)
			if i := slices.IndexFunc(mixed.Results, func(x reports.Result) bool { return x.Requirement == r.Requirement }); i >= 0 {
				mixed.Results[i] = r
			}
			continue
		}
		if !ok || now.Verdict != r.Verdict {
			v.Differ = append(v.Differ, Difference{r.Requirement, r.Verdict, now.Verdict})
		}
		for _, c := range r.Checks {
			i := slices.IndexFunc(now.Checks, func(x reports.Check) bool { return x.ID == c.ID })
			switch {
			case i < 0:
				v.Differ = append(v.Differ, Difference{c.ID, c.Verdict, ""})
			case now.Checks[i].Verdict != c.Verdict:
				v.Differ = append(v.Differ, Difference{c.ID, c.Verdict, now.Checks[i].Verdict})
			}
		}
	}
	for _, r := range again.Results {
		if !slices.ContainsFunc(said.Results, func(x reports.Result) bool { return x.Requirement == r.Requirement }) {
			v.Differ = append(v.Differ, Difference{r.Requirement, "", r.Verdict})
		}
	}
	if again.Verdict != reports.RunError { // a run that failed stays one, whatever its parts say
		mixed.Conclude()
	}
	if mixed.Verdict != said.Verdict || mixed.ExitCode != said.ExitCode {
		v.Differ = append(v.Differ, Difference{"run", reports.Verdict(said.Verdict), reports.Verdict(mixed.Verdict)})
	}
}

// restsOnWithheld says whether a verdict rests on a file that this copy lacks: a
// person's decision, or a declared file.
func (v *Verified) restsOnWithheld(said, now reports.Result) bool {
	if len(v.Seal.Withheld) == 0 || said.Declaration == nil {
		return false
	}
	if v.Seal.Withholds(decisionsFile) && now.Declaration == nil {
		return true
	}
	return said.Declaration.SHA256 != "" && slices.ContainsFunc(v.Seal.Withheld, isEvidence)
}

// rewrite compares each file that is written from the report with what this build
// writes of it.
func (v *Verified) rewrite(dir string, again reports.Report) error {
	var info Info
	if err := readJSON(filepath.Join(dir, infoFile), &info); err != nil {
		return err
	}
	all := writers()
	differs, errs := make([]bool, len(all)), make([]error, len(all))
	var wg sync.WaitGroup
	for i, w := range all {
		wg.Go(func() {
			was, err := readRegular(filepath.Join(dir, w.name), maxJournal)
			if errors.Is(err, fs.ErrNotExist) {
				return // not sealed, or its absence was told
			}
			var now bytes.Buffer
			write := w.write
			if w.name == reportFile { // that it follows its schema was seen as it was read
				write = func(w io.Writer, r reports.Report, _ string) error {
					b, err := reports.Encode(r)
					_, failed := w.Write(b)
					return errors.Join(err, failed)
				}
			}
			errs[i] = errors.Join(err, write(&now, again, first(info.Lang, "fr")))
			differs[i] = !bytes.Equal(was, now.Bytes())
		})
	}
	wg.Wait()
	for i, w := range all {
		if differs[i] {
			v.Rewritten = append(v.Rewritten, w.name)
		}
	}
	return errors.Join(errs...)
}

package run

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/etalon-sante/etalon/fixtures/people"
	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/seal"
	"github.com/etalon-sante/etalon/sandbox/settings"
	"github.com/etalon-sante/etalon/suites/lab"
)

// Clock tells the time.
type Clock = func() time.Time

// digestOf is the SHA-256 of bytes, in hexadecimal.
func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// inputs are the files that a run leaves besides what is written from the report,
// and who may read them.
func inputs() []seal.File {
	return []seal.File{
		{Name: infoFile, Level: seal.Everyone},
		{Name: candidateFile, Level: seal.Everyone},
		{Name: journalFile, Level: seal.Everyone},
		{Name: knownFile, Level: seal.Everyone},
		{Name: testimonyFile, Level: seal.Everyone},
		{Name: manifestFile, Level: seal.Authority},
		{Name: decisionsFile, Level: seal.Authority},
		{Name: personsFile, Level: seal.Authority},
	}
}

// filesOf names the files of a run that stand in a folder: what judging reads, what
// was written from the report, pictures and evidence.
func filesOf(folder string) ([]seal.File, error) {
	all := inputs()
	for _, w := range writers() {
		all = append(all, seal.File{Name: w.name, Level: seal.Everyone})
	}
	var out []seal.File
	for _, f := range all {
		_, err := os.Lstat(filepath.Join(folder, f.Name))
		switch {
		case err == nil:
			out = append(out, f)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("list the files of the run: %w", err)
		}
	}
	pictures, err := picturesIn(folder)
	if err != nil {
		return nil, err
	}
	for _, p := range pictures {
		out = append(out, seal.File{Name: p, Level: seal.Everyone})
	}
	evidence, err := evidenceFiles(folder)
	for _, e := range evidence {
		out = append(out, seal.File{Name: e, Level: seal.Authority})
	}
	return out, err
}

// within lists a folder of the run folder; nothing where there is none, or where a
// link stands in its place.
func within(folder, name string) ([]os.DirEntry, error) {
	at := filepath.Join(folder, name)
	st, err := os.Lstat(at)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !st.IsDir() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return os.ReadDir(at)
}

// picturesIn names the pictures of ours in a folder, in order.
func picturesIn(folder string) ([]string, error) {
	entries, err := within(folder, lab.PictureFolder)
	if err != nil {
		return nil, fmt.Errorf("list the pictures: %w", err)
	}
	var out []string
	for _, e := range entries {
		if name := path.Join(lab.PictureFolder, e.Name()); e.Type().IsRegular() && lab.IsPicture(name) {
			out = append(out, name)
		}
	}
	return out, nil
}

// weighed lists, with their digests, the files that everyone may read and that the
// verdicts come from. What is for the authority stays out: its digest is in the seal.
func weighed(folder string) ([]reports.File, error) {
	all, err := filesOf(folder)
	if err != nil {
		return nil, err
	}
	made := map[string]bool{}
	for _, w := range writers() {
		made[w.name] = true
	}
	var out []reports.File
	for _, f := range all {
		if made[f.Name] || f.Level != seal.Everyone {
			continue
		}
		file, err := openRegular(filepath.Join(folder, filepath.FromSlash(f.Name)), maxJournal)
		if err != nil {
			return nil, err
		}
		sum := sha256.New()
		n, err := io.Copy(sum, file)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, fmt.Errorf("weigh %s: %w", f.Name, err)
		}
		out = append(out, reports.File{Name: f.Name, Size: n, SHA256: hex.EncodeToString(sum.Sum(nil))})
	}
	return out, nil
}

// Seal seals a run folder as it stands, in the place of an earlier seal. A zero key
// is replaced by one that is kept nowhere: the seal then binds the files to one
// another and to nobody.
func Seal(folder string, k seal.Key, at Clock) error {
	rec, err := ReadFolder(folder)
	if err != nil {
		return err
	}
	report, err := readReport(folder)
	if err != nil {
		return err
	}
	return sealFolder(folder, rec, report, k, at)
}

func sealFolder(folder string, rec Recorded, report reports.Report, k seal.Key, at Clock) error {
	files, err := filesOf(folder)
	if err != nil {
		return err
	}
	bound, err := boundBy(rec.Info)
	if err != nil {
		return err
	}
	if k.Zero() {
		if k, err = seal.Generate(nil); err != nil {
			return err
		}
	}
	return seal.Write(folder, seal.Material{Report: report, Files: files, Bound: bound, At: at()}, k)
}

// boundBy names what the verdicts of a run depend on, beside its files.
func boundBy(info Info) ([]seal.Resource, error) {
	set, err := settings.Load()
	if err != nil {
		return nil, fmt.Errorf("seal: load the settings: %w", err)
	}
	values, err := json.Marshal(struct {
		Values    []settings.Value
		Overrides map[string]string
	}{set.All(), info.Overrides})
	if err != nil {
		return nil, fmt.Errorf("seal: weigh the settings: %w", err)
	}
	const few = 8 // people of a seed: enough to tell another generator
	var made []any
	for n := range few {
		made = append(made, people.Patient(info.Seed, n), people.Clinician(info.Seed, n))
	}
	fixtures, err := json.Marshal(made)
	if err != nil {
		return nil, fmt.Errorf("seal: weigh the fixtures: %w", err)
	}
	sha := func(digest string) seal.Digest {
		if digest == "" {
			return nil
		}
		return seal.Digest{"sha256": digest}
	}
	return []seal.Resource{
		{Name: "harness", Digest: sha(info.Harness.Digest), Annotations: seal.Annotations{"version": info.Harness.Version, "go": info.Harness.Go}},
		{Name: "catalogue", Digest: sha(info.Catalogue.Digest), Annotations: seal.Annotations{"version": info.Catalogue.Version}},
		{Name: "profile", Digest: sha(info.Profile.Digest), Annotations: seal.Annotations{"name": info.Profile.Name}},
		{Name: "settings", Digest: sha(digestOf(values)), Annotations: seal.Annotations{"id": info.Settings}},
		{Name: "sandbox", Annotations: seal.Annotations{"form": info.Sandbox.Form, "build": info.Sandbox.Build}},
		{Name: "fixtures", Digest: sha(digestOf(fixtures))},
	}, nil
}

// Publish writes the report files of a run folder anew, as judged now, and seals it.
func Publish(dir, lang string, k seal.Key, at Clock) (reports.Report, error) {
	rec, err := ReadFolder(dir)
	if err != nil {
		return reports.Report{}, err
	}
	report, err := Judge(rec, Register)
	if err != nil {
		return report, err
	}
	files, err := render(report, lang)
	if err != nil {
		return report, err
	}
	f := &Folder{Path: dir}
	if err := seal.Remove(dir); err != nil { // it was about other bytes
		return report, err
	}
	for _, x := range files {
		if err := f.Put(x.name, x.content); err != nil {
			return report, err
		}
	}
	return report, sealFolder(dir, rec, report, k, at)
}

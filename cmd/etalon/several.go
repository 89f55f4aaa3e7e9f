package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/html"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/run"
)

// maxManifests bounds how many services one command runs.
const maxManifests = 200

// manifests are the files that --candidate names: itself, or the .yaml files
// of a folder, in the order of their names.
func manifests(given []string) ([]string, error) {
	var out []string
	for _, path := range given {
		st, err := os.Stat(path)
		if err != nil || !st.IsDir() {
			out = append(out, path) // a file that is not there is named by its reader
			continue
		}
		found := 0
		for _, pattern := range []string{"*.yaml", "*.yml"} {
			files, err := filepath.Glob(filepath.Join(escaped(path), pattern))
			if err != nil {
				return nil, err
			}
			found += len(files)
			out = append(out, files...)
		}
		if found == 0 {
			return nil, usage{fmt.Errorf("%s is a folder that holds no manifest: no file whose name ends in .yaml", path)}
		}
	}
	if len(out) > maxManifests {
		return nil, usage{fmt.Errorf("%d manifests, at most %d are run at a time", len(out), maxManifests)}
	}
	return out, nil
}

// escaped is a path as a pattern that means it.
func escaped(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// several runs one service after the other, each in a folder of its own, and
// writes a page over all of them. What fails for one does not stop the others.
func (a *app) several(ctx context.Context, f *runFlags, paths []string) error {
	lang := a.lang(f.lang)
	if err := ownFolder(f.out); err != nil {
		return usage{err}
	}
	began := time.Now()
	taken := map[string]bool{}
	var all []html.Judged
	worst := exitOK
	for i, path := range paths {
		name := folderName(path, taken)
		fmt.Fprintf(a.out, "[%d/%d] %s\n", i+1, len(paths), path)
		out, err := a.one(ctx, f, path, filepath.Join(f.out, name), true)
		j := html.Judged{Name: path, Exit: exitCode(err)}
		if out.Report.Run.ID != "" {
			j.Report, j.Folder, j.Exit = &out.Report, name, out.Report.ExitCode
			a.verdict(out.Report, lang)
		}
		if err != nil && j.Report == nil {
			fmt.Fprintln(a.err, "etalon: "+a.sentence(err))
			j.Failure = reports.Text{FR: inOne(err, "fr"), EN: inOne(err, "en")}
		}
		all = append(all, j)
		if slices.Index(html.WorstFirst(), j.Exit) < slices.Index(html.WorstFirst(), worst) {
			worst = j.Exit
		}
		if ctx.Err() != nil {
			break
		}
	}
	for _, l := range []string{"fr", "en"} {
		var b bytes.Buffer
		if err := html.WriteOverview(&b, all, began, l); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(f.out, page(l)), b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write the overview: %w", err)
		}
	}
	fmt.Fprintf(a.out, "%s %s\n", say(lang, "Vue d'ensemble :", "Overview:"), filepath.Join(f.out, page(lang)))
	if worst != exitOK {
		return exit{worst}
	}
	return nil
}

// one runs one service into a folder; tell says beforehand what is contacted.
func (a *app) one(ctx context.Context, f *runFlags, path, folder string, tell bool) (run.Outcome, error) {
	m, err := candidate.ReadFor(path, f.env, a.env)
	if err != nil {
		return run.Outcome{}, err
	}
	its := *f
	its.out = folder
	o, err := its.options(a, m)
	if err != nil {
		return run.Outcome{}, err
	}
	o.Command = reproduce("etalon run --candidate candidate.yaml", f)
	if tell {
		a.announce(o)
	}
	return run.Run(ctx, o)
}

// inOne is an error in one language, where it speaks both.
func inOne(err error, lang string) string {
	var bad *candidate.ManifestError
	if errors.As(err, &bad) {
		return bad.In(lang)
	}
	return err.Error()
}

// folderName names the folder of a service after its manifest, or after the
// folder that holds it where all are called candidate.yaml.
func folderName(path string, taken map[string]bool) string {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if name == "candidate" {
		if abs, err := filepath.Abs(path); err == nil {
			name = filepath.Base(filepath.Dir(abs))
		}
	}
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_", r) {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	if strings.Trim(name, "-_") == "" {
		name = "service"
	}
	base := name
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	taken[name] = true
	return name
}

// mark stands in the folder of an overview: it tells it from a folder of others.
const mark = ".etalon-overview"

// ownFolder makes the folder of an overview ready. Pages of others are left
// alone, and refused where ours would go.
func ownFolder(path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return fmt.Errorf("create the folder of the overview: %w", err)
	}
	if _, err := os.Lstat(filepath.Join(path, mark)); errors.Is(err, fs.ErrNotExist) {
		for _, name := range []string{page("fr"), page("en")} {
			if _, err := os.Lstat(filepath.Join(path, name)); err == nil {
				return fmt.Errorf("%s holds %s, which no overview of étalon wrote there; name another folder with --out", path, name)
			}
		}
	}
	return os.WriteFile(filepath.Join(path, mark), nil, 0o644)
}

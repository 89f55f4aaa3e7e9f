package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/earl"
	"github.com/etalon-sante/etalon/reports/html"
	"github.com/etalon-sante/etalon/reports/junit"
	"github.com/etalon-sante/etalon/reports/markdown"
	"github.com/etalon-sante/etalon/reports/sarif"
	"github.com/etalon-sante/etalon/reports/testreport"
	"github.com/etalon-sante/etalon/reports/words"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// publish judges what stands in the folder, as `etalon judge` would, and writes
// the files of the report. Writing stops if a secret survives anywhere.
func publish(folder *Folder, o Options, redactor *record.Redactor) (reports.Report, error) {
	journal, err := readRegular(filepath.Join(folder.Path, journalFile), maxJournal)
	if err != nil {
		return reports.Report{}, err
	}
	if err := clearPictures(folder.Path, journal); err != nil {
		return reports.Report{}, err
	}
	rec, err := ReadFolder(folder.Path)
	if err != nil {
		return reports.Report{}, err
	}
	report, err := Judge(rec, o.Register)
	if err != nil {
		return reports.Report{}, err
	}
	files, err := render(report, o.Lang)
	if err != nil {
		return report, err
	}
	searcher := scanner(redactor)
	if err := folder.search(searcher, files); err != nil {
		if leak := new(LeakError); errors.As(err, &leak) {
			err = errors.Join(err, folder.stopped(leak))
		}
		return report, err
	}
	for _, f := range files {
		if err := folder.Put(f.name, f.content); err != nil {
			return report, err
		}
	}
	if err := sealFolder(folder.Path, rec, report, o.Key, o.Now); err != nil {
		return report, err
	}
	return report, folder.searchSeal(searcher)
}

type file struct {
	name    string
	content []byte
}

// written is one file of the report, and what writes it.
type written struct {
	name  string
	write func(w io.Writer, r reports.Report, lang string) error
}

// in writes in a language of its own, whichever the run speaks.
func in(lang string, write func(io.Writer, reports.Report, string) error) func(io.Writer, reports.Report, string) error {
	return func(w io.Writer, r reports.Report, _ string) error { return write(w, r, lang) }
}

// writers are the files of a report: one model, a writer each.
func writers() []written {
	return []written{
		{reportFile, func(w io.Writer, r reports.Report, _ string) error { return reports.Write(w, r) }},
		{htmlFile, in("fr", html.Write)},
		{htmlFileEN, in("en", html.Write)},
		{html.PublicFile(words.FR), in("fr", html.WritePublic)},
		{html.PublicFile(words.EN), in("en", html.WritePublic)},
		{junitFile, junit.Write},
		{sarif.File, sarif.Write},
		{testreport.File, testreport.Write},
		{earl.File, earl.Write},
		{summaryFile, markdown.Write},
	}
}

func render(r reports.Report, lang string) ([]file, error) {
	if lang == "" {
		lang = "fr"
	}
	all := writers()
	out, errs := make([]file, len(all)), make([]error, len(all))
	var wg sync.WaitGroup
	for i, f := range all { // none changes the report
		wg.Go(func() {
			var b bytes.Buffer
			if err := f.write(&b, r, lang); err != nil {
				errs[i] = fmt.Errorf("write %s: %w", f.name, err)
			}
			out[i] = file{f.name, b.Bytes()}
		})
	}
	wg.Wait()
	return out, errors.Join(errs...)
}

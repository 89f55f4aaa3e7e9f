package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/earl"
	"github.com/etalon-sante/etalon/reports/html"
	"github.com/etalon-sante/etalon/reports/junit"
	"github.com/etalon-sante/etalon/reports/markdown"
	"github.com/etalon-sante/etalon/reports/sarif"
	"github.com/etalon-sante/etalon/reports/sheet"
	"github.com/etalon-sante/etalon/reports/testreport"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// Format is a form in which a report can be had.
type Format struct {
	Name   string
	Binary bool // a terminal is no place for it
	write  func(ctx context.Context, w io.Writer, r reports.Report, o FormatOptions) error
}

// FormatOptions say how a report is written.
type FormatOptions struct {
	Lang   string
	Folder string        // of the run, for its pictures; "": none are taken along
	Host   *browser.Host // what prints; nil: nothing is printed
}

// ErrFormat says that a format is not known.
var ErrFormat = errors.New("no such format")

// Formats lists every form of a report.
func Formats() []Format {
	plain := func(write func(io.Writer, reports.Report, string) error) func(context.Context, io.Writer, reports.Report, FormatOptions) error {
		return func(_ context.Context, w io.Writer, r reports.Report, o FormatOptions) error {
			return write(w, r, o.Lang)
		}
	}
	table := func(write func(io.Writer, reports.Report, string, sheet.Evidence) error) func(context.Context, io.Writer, reports.Report, FormatOptions) error {
		return func(_ context.Context, w io.Writer, r reports.Report, o FormatOptions) error {
			return write(w, r, o.Lang, nil)
		}
	}
	return []Format{
		{Name: "json", write: plain(func(w io.Writer, r reports.Report, _ string) error { return reports.Write(w, r) })},
		{Name: "html", write: plain(html.Write)},
		{Name: "junit", write: plain(junit.Write)},
		{Name: "sarif", write: plain(sarif.Write)},
		{Name: "sarif-problems", write: plain(sarif.WriteProblems)},
		{Name: "testreport", write: plain(testreport.Write)},
		{Name: "earl", write: plain(earl.Write)},
		{Name: "markdown", write: plain(markdown.Write)},
		{Name: "csv", write: table(sheet.CSV)},
		{Name: "xlsx", Binary: true, write: table(sheet.XLSX)},
		{Name: "pdf", Binary: true, write: func(ctx context.Context, w io.Writer, r reports.Report, o FormatOptions) error {
			b, err := PDF(ctx, o.Host, r, o.Lang, o.Folder)
			if err == nil {
				_, err = w.Write(b)
			}
			return err
		}},
	}
}

// FormatNamed finds a format; the error is ErrFormat and names those that are.
func FormatNamed(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("%w: %.40q; there are %s", ErrFormat, name, strings.Join(names, ", "))
}

// Render gives a report in this form, whole or not at all.
func (f Format) Render(ctx context.Context, r reports.Report, o FormatOptions) ([]byte, error) {
	var b bytes.Buffer
	if err := f.write(ctx, &b, r, o); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

package reports_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/piprate/json-gold/ld"
	"github.com/xuri/excelize/v2"
	"golang.org/x/net/html"

	"github.com/etalon-sante/etalon/reports"
	ours "github.com/etalon-sante/etalon/reports/earl"
	pages "github.com/etalon-sante/etalon/reports/html"
	"github.com/etalon-sante/etalon/reports/internal/sample"
	"github.com/etalon-sante/etalon/reports/junit"
	"github.com/etalon-sante/etalon/reports/markdown"
	results "github.com/etalon-sante/etalon/reports/sarif"
	"github.com/etalon-sante/etalon/reports/sheet"
	"github.com/etalon-sante/etalon/reports/testreport"
	"github.com/etalon-sante/etalon/reports/words"
)

// told is what a file tells of a run: which checks and requirements there are, and
// with which verdict.
type told struct {
	requirements map[string]string // nil: the format tells of checks only
	checks       map[string]string // of requirements too, where they have no check; nil: of requirements only
	verdict      string            // of the run, or its sentence; empty: not told
	counts       map[string]int    // requirements by verdict, where the format tells of no more
	named        []string          // requirements that it names then
}

// format is one writer, and a reader of it that takes nothing from the writer.
type format struct {
	name  string
	write func(w io.Writer, r reports.Report, lang string) error
	read  func(t testing.TB, b []byte, lang words.Lang) told
}

// formats lists every writer of a report.
func formats() []format {
	table := func(write func(io.Writer, reports.Report, string, sheet.Evidence) error) func(io.Writer, reports.Report, string) error {
		return func(w io.Writer, r reports.Report, lang string) error { return write(w, r, lang, nil) }
	}
	return []format{
		{"json", func(w io.Writer, r reports.Report, _ string) error { return reports.Write(w, r) }, readJSON},
		{"html", pages.Write, readHTML},
		{"junit", junit.Write, readJUnit},
		{"sarif", results.Write, readSARIF},
		{"testreport", testreport.Write, readTestReport},
		{"earl", ours.Write, readEARL},
		{"markdown", markdown.Write, readMarkdown},
		{"csv", table(sheet.CSV), readCSV},
		{"xlsx", table(sheet.XLSX), readXLSX},
	}
}

// expected is what every file is to tell.
func expected(r reports.Report) told {
	out := told{requirements: map[string]string{}, checks: map[string]string{}}
	for _, res := range r.Results {
		out.requirements[res.Requirement] = string(res.Verdict)
		if len(res.Checks) == 0 {
			out.checks[res.Requirement] = string(res.Verdict)
		}
		for _, c := range res.Checks {
			out.checks[c.ID] = string(c.Verdict)
		}
	}
	return out
}

func written(t testing.TB, f format, r reports.Report, lang string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.write(&b, r, lang); err != nil {
		t.Fatalf("%s: %v", f.name, err)
	}
	return b.Bytes()
}

func TestEveryFileTellsTheSameIdsAndVerdicts(t *testing.T) {
	partial := sample.Few()
	partial.Run.Partial = true
	partial.Conclude()
	for name, r := range map[string]reports.Report{"a run": sample.Report(), "few": sample.Few(), "known": sample.Known(), "partial": partial} {
		want := expected(r)
		for _, f := range formats() {
			for _, lang := range []words.Lang{words.FR, words.EN} {
				t.Run(fmt.Sprintf("%s/%s/%s", name, f.name, lang), func(t *testing.T) {
					got := f.read(t, written(t, f, r, string(lang)), lang)
					if got.requirements != nil {
						same(t, "requirement", got.requirements, want.requirements)
					}
					if got.checks != nil {
						same(t, "check", got.checks, want.checks)
					}
					if got.requirements == nil && got.checks == nil {
						counted(t, r, got)
					}
					sentence := plainly(lang.Typeset(lang.Verdict(r)))
					if got.verdict == "" && f.name == "csv" { // a table has no place for it
						return
					}
					if got.verdict != string(r.Verdict) && plainly(got.verdict) != sentence {
						t.Errorf("the verdict of the run is told as %q, want %s or %q", got.verdict, r.Verdict, sentence)
					}
				})
			}
		}
	}
}

// A reader that could not see a difference would prove nothing.
func TestAnotherVerdictIsSeenInEveryFile(t *testing.T) {
	r, other := sample.Report(), sample.Report()
	for i := range other.Results {
		if res := &other.Results[i]; res.Verdict == reports.Conformant {
			res.Verdict, res.Checks[0].Verdict = reports.Untested, reports.Untested
			break
		}
	}
	other.Conclude()
	want := expected(r)
	for _, f := range formats() {
		got := f.read(t, written(t, f, other, "fr"), words.FR)
		switch {
		case got.requirements != nil && maps.Equal(got.requirements, want.requirements),
			got.checks != nil && maps.Equal(got.checks, want.checks),
			got.counts != nil && got.counts["untested"] == r.Summary[reports.Untested]:
			t.Errorf("%s tells the same of another report", f.name)
		}
	}
}

// counted compares what only counts and names.
func counted(t testing.TB, r reports.Report, got told) {
	t.Helper()
	for v, n := range r.Summary {
		if got.counts[string(v)] != n {
			t.Errorf("%d requirements are said to be %s, want %d", got.counts[string(v)], v, n)
		}
	}
	for v, n := range got.counts {
		if r.Summary[reports.Verdict(v)] != n {
			t.Errorf("%d requirements are said to be %s", n, v)
		}
	}
	for _, res := range r.Results {
		if asks := res.Verdict == reports.Untested || res.Verdict == reports.ToReview; asks && !slices.Contains(got.named, res.Requirement) {
			t.Errorf("%s is %s and not named", res.Requirement, res.Verdict)
		}
	}
	if len(got.named) == 0 {
		t.Error("nothing was read back")
	}
}

// plainly is a sentence without what Markdown escapes and what spaces are made of.
func plainly(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(strings.ReplaceAll(s, "\\", ""), "\u00a0", " ")), " ")
}

func same(t testing.TB, what string, got, want map[string]string) {
	t.Helper()
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if got[id] != want[id] {
			t.Errorf("%s %s is %q, want %q", what, id, got[id], want[id])
		}
	}
	for id := range got {
		if _, ok := want[id]; !ok {
			t.Errorf("%s %s is told and is not in the report", what, id)
		}
	}
}

// put notes an id once: twice would hide a difference.
func put(t testing.TB, m map[string]string, id, verdict string) {
	t.Helper()
	for _, ok := m[id]; ok; _, ok = m[id] {
		t.Errorf("%s is told twice", id)
		id += "'"
	}
	m[id] = verdict
}

func readJSON(t testing.TB, b []byte, _ words.Lang) told {
	r, err := reports.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	out := expected(r)
	out.verdict = string(r.Verdict)
	return out
}

// verdictOf is a verdict by its word in a language.
func verdictOf(l words.Lang, word string) string {
	for _, v := range reports.Verdicts() {
		if word == l.Of(v.Label().Word) {
			return string(v)
		}
	}
	return "unknown word " + word
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// find is the first element below with a name and, unless it is empty, a class
// that begins so.
func find(n *html.Node, name, class string) *html.Node {
	for c := range n.Descendants() {
		if c.Type == html.ElementNode && c.Data == name && (class == "" || slices.ContainsFunc(strings.Fields(attr(c, "class")), func(x string) bool { return strings.HasPrefix(x, class) })) {
			return c
		}
	}
	return nil
}

func readHTML(t testing.TB, b []byte, l words.Lang) told {
	doc, err := html.Parse(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	out := told{requirements: map[string]string{}, checks: map[string]string{}}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, class := range strings.Fields(attr(n, "class")) {
			if v, ok := strings.CutPrefix(class, "run-"); ok && strings.HasPrefix(attr(n, "class"), "sentence ") {
				out.verdict = v
			}
		}
		head := find(n, "summary", "")
		if n.Data != "details" || head == nil || find(head, "h5", "") == nil {
			continue
		}
		id := textOf(find(find(head, "h5", ""), "b", ""))
		verdict := verdictOf(l, textOf(find(head, "b", "")))
		put(t, out.requirements, id, verdict)
		if is := strings.Fields(attr(n, "class"))[0]; is != verdict {
			t.Errorf("%s is drawn as %s and said to be %s", id, is, verdict)
		}
		checks := 0
		for list := range child(n, "div").ChildNodes() {
			if list.Type != html.ElementNode || list.Data != "ul" {
				continue
			}
			for li := range list.ChildNodes() {
				if li.Type != html.ElementNode || li.Data != "li" {
					continue
				}
				checks++
				check, its := find(li, "b", ""), verdict // said once where every check has the requirement's
				if word := find(li, "b", "v-"); word != nil {
					its = verdictOf(l, textOf(word))
					for check == word || textOf(check) == "" {
						check = next(check)
					}
				}
				put(t, out.checks, textOf(check), its)
			}
		}
		if checks == 0 {
			put(t, out.checks, id, verdict)
		}
	}
	return out
}

// child is the first element of a name directly below.
func child(n *html.Node, name string) *html.Node {
	for c := range n.ChildNodes() {
		if c.Type == html.ElementNode && c.Data == name {
			return c
		}
	}
	return nil
}

// next is the element of the same name that follows.
func next(n *html.Node) *html.Node {
	for c := n.NextSibling; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode && c.Data == n.Data {
			return c
		}
	}
	return nil
}

func readJUnit(t testing.TB, b []byte, l words.Lang) told {
	var doc struct {
		Suites []struct {
			Properties []struct {
				Name  string `xml:"name,attr"`
				Value string `xml:"value,attr"`
			} `xml:"properties>property"`
			Cases []struct {
				Class   string `xml:"classname,attr"`
				Name    string `xml:"name,attr"`
				Failure *struct {
					Type string `xml:"type,attr"`
				} `xml:"failure"`
				Error *struct {
					Type string `xml:"type,attr"`
				} `xml:"error"`
				Skipped *struct {
					Message string `xml:"message,attr"`
				} `xml:"skipped"`
				Out string `xml:"system-out"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	out := told{checks: map[string]string{}}
	for _, s := range doc.Suites {
		for _, p := range s.Properties {
			if p.Name == "etalon.verdict" {
				out.verdict = p.Value
			}
		}
		for _, c := range s.Cases {
			if c.Class == "etalon.run" {
				continue // what a server is shown where nothing else is red
			}
			id, _, _ := strings.Cut(c.Name, " ")
			v := string(reports.Conformant)
			switch {
			case c.Failure != nil:
				v = c.Failure.Type
			case c.Error != nil:
				v = c.Error.Type
			case c.Skipped != nil:
				word, _, _ := strings.Cut(c.Skipped.Message, l.Pick(" : ", ": "))
				v = verdictOf(l, word)
			case c.Out != "":
				word, _, _ := strings.Cut(c.Out, "\n")
				v = verdictOf(l, word)
			}
			put(t, out.checks, id, v)
		}
	}
	return out
}

func readSARIF(t testing.TB, b []byte, _ words.Lang) told {
	doc, err := sarif.FromBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	run := doc.Runs[0]
	out := told{requirements: map[string]string{}, checks: map[string]string{}}
	out.verdict, _ = run.Properties.Properties["verdict"].(string)
	for _, x := range run.Taxonomies[0].Taxa {
		v, _ := x.Properties.Properties["verdict"].(string)
		put(t, out.requirements, *x.ID, v)
	}
	for _, x := range run.Results {
		v, _ := x.Properties.Properties["verdict"].(string)
		put(t, out.checks, *x.RuleID, v)
		if rule := run.Tool.Driver.Rules[x.RuleIndex]; *rule.ID != *x.RuleID {
			t.Errorf("%s points to the rule %s", *x.RuleID, *rule.ID)
		}
	}
	return out
}

func readTestReport(t testing.TB, b []byte, _ words.Lang) told {
	type extension []struct{ URL, ValueString, ValueCode string }
	of := func(e extension, name string) string {
		for _, x := range e {
			if strings.HasSuffix(x.URL, "/fhir/"+name) {
				return x.ValueString + x.ValueCode
			}
		}
		return ""
	}
	var doc struct {
		Extension extension
		Test      []struct {
			Name      string
			Extension extension
			Action    []struct{ Extension extension }
		}
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	out := told{requirements: map[string]string{}, checks: map[string]string{}, verdict: of(doc.Extension, "verdict")}
	for _, x := range doc.Test {
		put(t, out.requirements, x.Name, of(x.Extension, "verdict"))
		for _, a := range x.Action {
			put(t, out.checks, of(a.Extension, "check"), of(a.Extension, "verdict"))
		}
	}
	return out
}

// nobody loads documents: a report is read offline.
type nobody struct{}

func (nobody) LoadDocument(u string) (*ld.RemoteDocument, error) {
	return nil, fmt.Errorf("%s is not in the file", u)
}

func readEARL(t testing.TB, b []byte, _ words.Lang) told {
	var doc any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	o := ld.NewJsonLdOptions("")
	o.DocumentLoader = nobody{}
	set, err := ld.NewJsonLdProcessor().ToRDF(doc, o) // as triples, which is what EARL is
	if err != nil {
		t.Fatal(err)
	}
	const earl, our = "http://www.w3.org/ns/earl#", "https://etalon-sante.github.io/etalon/ns#"
	triples := map[string]map[string]string{}
	for _, q := range set.(*ld.RDFDataset).Graphs["@default"] {
		s := q.Subject.GetValue()
		if triples[s] == nil {
			triples[s] = map[string]string{}
		}
		triples[s][q.Predicate.GetValue()] = q.Object.GetValue()
	}
	out := told{requirements: map[string]string{}, checks: map[string]string{}}
	for _, x := range triples {
		switch test := triples[x[earl+"test"]]; {
		case x[our+"exitCode"] != "":
			out.verdict = x[our+"verdict"]
		case test == nil:
		case test["http://purl.org/dc/terms/isPartOf"] == "":
			put(t, out.requirements, test["http://purl.org/dc/terms/identifier"], triples[x[earl+"result"]][our+"verdict"])
		default:
			put(t, out.checks, test["http://purl.org/dc/terms/identifier"], triples[x[earl+"result"]][our+"verdict"])
		}
	}
	for id, v := range out.requirements { // those without checks stand for themselves
		if !slices.ContainsFunc(slices.Collect(maps.Keys(out.checks)), func(c string) bool { return strings.HasPrefix(c, id+".") }) {
			out.checks[id] = v
		}
	}
	return out
}

// readMarkdown reads the summary, which names only what asks for something: the
// sentence, the counts, and the requirements that it names.
func readMarkdown(t testing.TB, b []byte, l words.Lang) told {
	out := told{counts: map[string]int{}}
	if m := regexp.MustCompile(`(?m)^\*\*(.+)\*\*$`).FindSubmatch(b); m != nil {
		out.verdict = string(m[1])
	}
	var head []string
	for _, line := range strings.Split(string(b), "\n") {
		cells := strings.Split(line, "|")
		if strings.HasPrefix(line, "| ") && head == nil {
			head = cells
		}
		if strings.HasPrefix(line, "| **Total**") {
			for i := 2; i < len(cells)-1; i++ {
				_, word, _ := strings.Cut(strings.TrimSpace(head[i]), " ")
				n, err := strconv.Atoi(strings.TrimSpace(cells[i]))
				if err != nil {
					t.Error(err)
				}
				out.counts[verdictOf(l, strings.ReplaceAll(word, "\u00a0", " "))] = n
			}
		}
		if m := regexp.MustCompile(`^(?:- |\d+\. )\*\*([A-Z]+-[0-9]+)\*\*`).FindStringSubmatch(line); m != nil {
			out.named = append(out.named, m[1])
		}
	}
	return out
}

func readTable(t testing.TB, rows [][]string, l words.Lang) told {
	out := told{requirements: map[string]string{}, checks: map[string]string{}}
	for _, row := range rows[1:] {
		id := row[10]
		if id == "" {
			id = row[7]
		}
		put(t, out.checks, id, row[19])
		if word := verdictOf(l, row[18]); word != row[19] {
			t.Errorf("%s is said to be %s and %s", id, word, row[19])
		}
		out.requirements[row[7]] = verdictOf(l, row[20])
	}
	return out
}

func readCSV(t testing.TB, b []byte, l words.Lang) told {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return readTable(t, rows, l)
}

func readXLSX(t testing.TB, b []byte, l words.Lang) told {
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("Étalon")
	if err != nil {
		t.Fatal(err)
	}
	out := readTable(t, rows, l)
	about, err := f.GetRows(l.Pick("À lire", "Read me"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range about {
		if row[0] == "Verdict" {
			out.verdict = row[1]
		}
	}
	return out
}

// Package junit writes the report for CI servers.
//
// A test case is a check; a requirement without any check (declared, excluded)
// is a test case of its own. A test suite is a theme. The verdicts become:
//
//	nonconformant                             failure
//	error                                     error
//	untested                                  skipped, with the reason
//	not-applicable, not-in-force, excluded    skipped, with the reason
//	conformant, attested                      passed
//	deviation, to-review                      passed, with the verdict in system-out;
//	                                          in a strict run: failure, and skipped
//
// A deviation passes because the harness may be the one that is wrong, and
// what is to review because nothing broken was observed. The counts in the
// headers are those of the elements, no more.
//
// What is known beforehand (known.yaml) stays a failure; its reason, owner and
// deadline stand in system-out.
//
// A session of free use says so in the name of the whole and in a property.
//
// CI servers read a file without failure as green. Where a run ends otherwise
// than in 0 and no test case is red (nothing was planned, a blocking
// requirement could not be tested, the run was interrupted), one more suite,
// "run", holds one test case, "verdict", that is an error.
package junit

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

// File is the name of the file in a run folder.
const File = "junit.xml"

type (
	suites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		counted
		Time   string  `xml:"time,attr"` // seconds, of the whole run: checks are judged after it, at once
		Suites []suite `xml:"testsuite"`
	}
	// counted is what the whole may bear: the schema by which Jenkins' xUnit plug-in
	// refuses files has no place for the skipped ones there.
	counted struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
	}
	counts struct {
		counted
		Skipped int `xml:"skipped,attr"`
	}
	suite struct {
		Name string `xml:"name,attr"`
		counts
		Timestamp  string     `xml:"timestamp,attr"`
		Properties []property `xml:"properties>property"`
		Cases      []testcase `xml:"testcase"`
	}
	property struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	testcase struct {
		ClassName string  `xml:"classname,attr"`
		Name      string  `xml:"name,attr"`
		Failure   *detail `xml:"failure"`
		Error     *detail `xml:"error"`
		Skipped   *detail `xml:"skipped"`
		Out       string  `xml:"system-out,omitempty"`
	}
	detail struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// Write writes the report as JUnit XML, its texts in a language.
func Write(w io.Writer, r reports.Report, lang string) error {
	l, err := words.Parse(lang)
	if err != nil {
		return fmt.Errorf("write junit.xml: %w", err)
	}
	out := build(reports.Shown(r), l)
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return fmt.Errorf("write junit.xml: %w", err)
	}
	b.WriteByte('\n')
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write junit.xml: %w", err)
	}
	return nil
}

func build(r reports.Report, l words.Lang) suites {
	all := suites{
		Name: strings.TrimSpace("Étalon: " + r.Candidate.Service.Name + " " + r.Candidate.Service.Version),
		Time: strconv.FormatFloat(r.Run.Duration, 'f', 3, 64),
	}
	if r.Run.FreeUse {
		all.Name += l.Pick(" (usage libre)", " (free use)")
	}
	stamp := r.Run.Started.Format(time.RFC3339)
	themes := words.Themes()
	place := map[string]int{}
	for _, t := range themes {
		place[t] = len(all.Suites)
		all.Suites = append(all.Suites, suite{Name: t, Timestamp: stamp, Properties: properties(r)})
	}
	for _, res := range r.Results {
		i, ok := place[res.Theme]
		if !ok {
			i = len(all.Suites)
			place[res.Theme] = i
			all.Suites = append(all.Suites, suite{Name: res.Theme, Timestamp: stamp, Properties: properties(r)})
		}
		s := &all.Suites[i]
		class := "etalon." + res.Theme + "." + res.Chapter
		if len(res.Checks) == 0 {
			text := l.Of(res.Reason)
			if d := res.Declaration; d != nil {
				text = strings.TrimSpace(text + "\n" + d.Statement + " (" + d.Author + ", " + d.Role + ", " + d.Date + ")")
			}
			s.add(class, res.Requirement+" "+l.Of(res.Title), res.Verdict, text, "", r.Run.Strict, l)
			s.known(&r, res.Requirement, l)
			continue
		}
		for _, c := range res.Checks {
			s.add(class, c.ID+" "+l.Of(c.Title), c.Verdict, reason(res, c, l), evidence(res, c, l), r.Run.Strict, l)
			s.known(&r, c.ID, l)
		}
	}
	kept := all.Suites[:0]
	for _, s := range all.Suites {
		if s.Tests > 0 {
			kept = append(kept, s)
			all.sum(s.counted)
		}
	}
	all.Suites = kept
	if r.ExitCode != reports.ExitConformant && all.Failures+all.Errors == 0 {
		s := suite{Name: "run", Timestamp: stamp, Properties: properties(r), counts: counts{counted: counted{Tests: 1, Errors: 1}}}
		s.Cases = []testcase{{ClassName: "etalon.run", Name: "verdict", Error: &detail{Message: l.Verdict(r), Type: string(r.Verdict)}}}
		all.Suites = append(all.Suites, s)
		all.sum(s.counted)
	}
	return all
}

func (c *counted) sum(other counted) {
	c.Tests += other.Tests
	c.Failures += other.Failures
	c.Errors += other.Errors
}

// add adds a test case and counts it.
func (s *suite) add(class, name string, v reports.Verdict, why, proof string, strict bool, l words.Lang) {
	c := testcase{ClassName: class, Name: name}
	label := l.Of(v.Label().Word)
	message := label
	if first, _, _ := strings.Cut(why, "\n"); first != "" {
		message += l.Pick(" : ", ": ") + first
	}
	text := strings.TrimSpace(proof)
	if text == "" {
		text = strings.TrimSpace(why)
	}
	s.Tests++
	switch {
	case v == reports.Nonconformant, v == reports.Deviation && strict:
		s.Failures++
		c.Failure = &detail{Message: message, Type: string(v), Text: text}
	case v == reports.Untested, v == reports.NotApplicable, v == reports.NotInForce, v == reports.Excluded,
		v == reports.ToReview && strict:
		s.Skipped++
		c.Skipped = &detail{Message: message}
	case v == reports.Conformant:
	case v == reports.Attested, v == reports.Deviation, v == reports.ToReview:
		c.Out = strings.TrimSpace(label + "\n" + text)
	default: // error, and any verdict that does not exist
		s.Errors++
		c.Error = &detail{Message: message, Type: string(v), Text: text}
	}
	s.Cases = append(s.Cases, c)
}

// reason is why a check has its verdict: what it found, or what it says.
func reason(res reports.Result, c reports.Check, l words.Lang) string {
	var lines []string
	for _, f := range c.Findings {
		lines = append(lines, l.Of(f.Message))
	}
	if len(lines) == 0 {
		lines = append(lines, l.Of(c.Reason))
	}
	if lines[0] == "" {
		lines[0] = l.Of(res.Reason)
	}
	return strings.Join(lines, "\n")
}

// evidence is what was expected, what was seen and what to do.
func evidence(res reports.Result, c reports.Check, l words.Lang) string {
	var b strings.Builder
	for _, f := range c.Findings {
		fmt.Fprintf(&b, "%s\n  %s: %s\n  %s: %s\n", l.Of(f.Message), l.Pick("attendu", "expected"), f.Expected, l.Pick("vu", "seen"), f.Actual)
		if f.Exchange != "" {
			fmt.Fprintf(&b, "  %s: %s %s\n", l.Pick("échange", "exchange"), f.Exchange, f.Pointer)
		}
		if f.Setting != "" {
			fmt.Fprintf(&b, "  %s: %s\n", l.Pick("réglage", "setting"), f.Setting)
		}
	}
	if len(c.Findings) > 0 {
		fmt.Fprintf(&b, "%s: %s\n", l.Pick("À faire", "To do"), l.Of(res.Remedy))
	}
	return b.String()
}

// properties say of which run the suite is; each suite bears them, since
// servers show suites apart.
func properties(r reports.Report) []property {
	return []property{
		{"etalon.run", r.Run.ID},
		{"etalon.verdict", string(r.Verdict)},
		{"etalon.exitCode", strconv.Itoa(r.ExitCode)},
		{"etalon.freeUse", strconv.FormatBool(r.Run.FreeUse)},
		{"etalon.profile", r.Run.Profile.Name},
		{"etalon.catalogue", r.Run.Catalogue.Version},
		{"etalon.note", words.EN.Independent()},
	}
}

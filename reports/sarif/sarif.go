// Package sarif writes the report in SARIF 2.1.0, the format of code scanning
// servers and of editors.
//
// A rule is a check, a result its outcome; a requirement without any check is a
// rule of its own. The requirements are a taxonomy, with their verdicts; rules
// and results point into it. The verdicts become:
//
//	verdict                       kind            level
//	nonconformant                 fail            error if blocking or strict, else warning
//	deviation                     review          none; in a strict run fail, error
//	to-review                     review          none
//	untested, error               open            none
//	conformant                    pass            none
//	attested                      informational   none
//	not-applicable, not-in-force  notApplicable   none
//	excluded                      notApplicable   none
//
// SARIF wants level none wherever the kind is not fail (§3.27.10). The verdict
// itself stands in the properties of every result. An error is a notification
// of the tool too, and the invocation was then not successful.
//
// A result is suppressed (§3.27.23) where the editor's list of known nonconformities
// names it and this run says that the entry holds; it is there all the same.
//
// Write writes every result. GitHub's code scanning takes each of them for an
// alert, whatever its kind: WriteProblems writes those alone that somebody has
// to mend, which are of kind fail, and one more, "run", where a run ends in an
// exit code that none of them shows.
//
// Code scanning refuses a result without a file. Étalon looks at a service, not
// at its source: no file of the editor's is named. A result points to the line
// of report.json where its check stands, which is a fact, and names the check by
// its logical location. A server follows it from run to run by the fingerprint,
// made of the name of the service and of the check's id, not by that line.
//
// The texts are in the language that was asked for; those of rules are there in
// the other one too, as a translation (§3.19.4).
package sarif

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/plain"
	"github.com/etalon-sante/etalon/reports/internal/rows"
	"github.com/etalon-sante/etalon/reports/words"
)

// File is the name of the file in a run folder.
const File = "results.sarif"

// Where the rules and the requirements are defined, for whoever reads two files.
const (
	schemaAddress = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	home          = "https://github.com/etalon-sante/etalon"
	driverGUID    = "3f0e1c5a-8f1c-4d58-9a53-2f6c9c1d7e10"
	taxonomyGUID  = "b6d7f3a2-5c0e-4b7b-8f19-6a1e0d4c9b21"
)

// Bounds of one file; what is left out is in report.json.
const (
	maxMessage = 4 << 10 // bytes of one message
	maxBody    = 2 << 10 // bytes repeated of one body
)

// Write writes the report as SARIF, its texts in a language.
func Write(w io.Writer, r reports.Report, lang string) error { return write(w, r, lang, false) }

// WriteProblems writes the results alone that somebody has to mend, for servers
// that take every result for an alert.
func WriteProblems(w io.Writer, r reports.Report, lang string) error {
	return write(w, r, lang, true)
}

func write(w io.Writer, r reports.Report, lang string, problems bool) error {
	l, err := words.Parse(lang)
	if err != nil {
		return fmt.Errorf("write %s: %w", File, err)
	}
	lines, err := linesOf(reports.Normal(r))
	r = reports.Shown(r)
	if err != nil {
		return fmt.Errorf("write %s: %w", File, err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(document{Schema: schemaAddress, Version: "2.1.0", Runs: []oneRun{build(r, l, lines, problems)}}); err != nil {
		return fmt.Errorf("write %s: %w", File, err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write %s: %w", File, err)
	}
	return nil
}

func build(r reports.Report, l words.Lang, lines []int, problems bool) oneRun {
	other := words.EN
	if l == words.EN {
		other = words.FR
	}
	all := rows.Of(r)
	version := plain.Line(r.Run.Harness.Version)
	driver := component{
		Name: "Étalon", Version: version, GUID: driverGUID, InformationURI: home, Language: string(l),
		Contents: []string{"localizedData", "nonLocalizedData"}, IsComprehensive: !r.Run.Partial,
		Full: text(l.Typeset(l.Independent())), Taxonomies: []reference{{Name: "Étalon", GUID: taxonomyGUID}},
	}
	translation := component{
		Name: "Étalon", Version: version, GUID: translationGUID(other), Language: string(other), Contents: []string{"localizedData"},
		Associated: &reference{Name: "Étalon", GUID: driverGUID}, Full: text(other.Typeset(other.Independent())),
	}
	taxonomy := component{
		Name: "Étalon", Version: plain.Line(r.Run.Catalogue.Version), GUID: taxonomyGUID, Language: string(l),
		Contents: []string{"localizedData", "nonLocalizedData"}, IsComprehensive: !r.Run.Partial,
		Short: text(l.Pick("Exigences du catalogue d’Étalon ; leur numérotation est la sienne.", "Requirements of Étalon's catalogue; their numbering is its own.")),
	}
	for i := range r.Results {
		taxonomy.Taxa = append(taxonomy.Taxa, taxon(r.Results[i], l))
	}
	out := oneRun{
		Language: string(l), ColumnKind: "utf16CodeUnits", Results: []result{},
		Automation:  automation{ID: "etalon/" + plain.Line(r.Run.ID), Description: *text(l.Typeset(l.Verdict(r)))},
		Invocations: []invocation{invoked(r, all, l)},
		Properties:  about(r, problems),
	}
	index := map[*reports.Result]int{}
	for i := range r.Results {
		index[&r.Results[i]] = i
	}
	for i, x := range all {
		if kind, _ := kindOf(x, r.Run.Strict); problems && kind != "fail" {
			continue
		}
		driver.Rules = append(driver.Rules, rule(x, r.Run.Strict, index[x.Result], l))
		t := rule(x, r.Run.Strict, index[x.Result], other)
		translation.Rules = append(translation.Rules, descriptor{ID: t.ID, Short: t.Short, Full: t.Full, Help: &message{Text: t.Help.Text}})
		out.Results = append(out.Results, outcome(r, x, len(driver.Rules)-1, index[x.Result], lines[i], l))
	}
	if problems { // GitHub's code scanning refuses a tool without rules too
		driver.Rules = append(driver.Rules, descriptor{
			ID: "run", Short: text(l.Pick("La campagne a pu conclure.", "The run could conclude.")), Full: text(l.Pick("La campagne a pu conclure : rien de bloquant n’est resté sans réponse.", "The run could conclude: nothing blocking was left without an answer.")),
			Help:    text(l.Pick("Le verdict de la campagne dit ce qui manque pour conclure.", "The verdict of the run says what is missing to conclude.")),
			Default: &configuration{Level: "error"}, Properties: map[string]any{"tags": []string{"etalon"}},
		})
	}
	if problems && r.ExitCode != reports.ExitConformant && len(out.Results) == 0 {
		out.Results = append(out.Results, result{
			RuleID: "run", RuleIndex: len(driver.Rules) - 1, Kind: "fail", Level: "error", Message: *text(l.Typeset(l.Verdict(r))),
			Locations: []location{at(r, rows.Row{ID: "run", Result: &reports.Result{}}, 1)}, Partial: fingerprints(r, "run"),
			Properties: map[string]any{"verdict": r.Verdict},
		})
	}
	out.Tool = tool{Driver: driver}
	out.Translations, out.Taxonomies = []component{translation}, []component{taxonomy}
	for _, f := range r.Files {
		a := artifact{Location: artifactLocation{URI: relative(f.Name)}, Length: f.Size, Roles: []string{"resultFile"}}
		if f.SHA256 != "" {
			a.Hashes = map[string]string{"sha-256": plain.Line(f.SHA256)}
		}
		out.Artifacts = append(out.Artifacts, a)
	}
	return out
}

// kindOf is the one table from verdicts to kinds and levels.
func kindOf(x rows.Row, strict bool) (kind, level string) {
	switch x.Verdict {
	case reports.Nonconformant:
		if x.Result.Blocking || strict {
			return "fail", "error"
		}
		return "fail", "warning"
	case reports.Deviation:
		if strict {
			return "fail", "error"
		}
		return "review", "none"
	case reports.ToReview:
		return "review", "none"
	case reports.Conformant:
		return "pass", "none"
	case reports.Attested:
		return "informational", "none"
	case reports.NotApplicable, reports.NotInForce, reports.Excluded:
		return "notApplicable", "none"
	}
	return "open", "none" // untested, error, and any verdict that does not exist
}

func rule(x rows.Row, strict bool, requirement int, l words.Lang) descriptor {
	required, why, remedy := x.Help(l)
	level := "warning"
	if x.Result.Blocking || strict {
		level = "error"
	}
	full := required
	if full == "" {
		full = plain.Text(l.Typeset(l.Of(x.Title)))
	}
	return descriptor{
		ID: plain.Line(x.ID), Short: text(l.Typeset(l.Of(x.Title))), Full: text(full),
		Help: help(required, why, remedy, l), Default: &configuration{Level: level},
		Properties: map[string]any{
			"tags":        []string{"etalon", plain.Line(x.Result.Theme), plain.Line(x.Result.Chapter)},
			"requirement": plain.Line(x.Result.Requirement), "precision": "very-high", "problem.severity": map[bool]string{true: "error", false: "warning"}[level == "error"],
		},
		Relationships: []relationship{{Target: target{Index: requirement, Component: reference{Name: "Étalon", GUID: taxonomyGUID}}, Kinds: []string{"superset"}}},
	}
}

func help(required, why, remedy string, l words.Lang) *message {
	m := &message{}
	for _, p := range []struct{ head, text string }{
		{l.Pick("Exigé", "Required"), required}, {l.Pick("Pourquoi", "Why"), why}, {l.Pick("À faire", "To do"), remedy},
	} {
		if p.text == "" {
			continue
		}
		if m.Text != "" {
			m.Text += "\n"
			m.Markdown += "\n\n"
		}
		m.Text += p.head + l.Pick("\u00a0: ", ": ") + p.text
		m.Markdown += "**" + p.head + "**" + l.Pick("\u00a0: ", ": ") + escape(p.text)
	}
	m.Text, m.Markdown = orDash(m.Text), orDash(m.Markdown)
	return m
}

func taxon(res reports.Result, l words.Lang) descriptor {
	return descriptor{
		ID: plain.Line(res.Requirement), Short: text(l.Typeset(l.Of(res.Title))),
		Properties: map[string]any{
			"verdict": res.Verdict, "blocking": res.Blocking, "level": plain.Line(res.Level), "theme": plain.Line(res.Theme),
			"verification": plain.Line(res.Verification), "basis": plain.Line(res.Basis),
		},
	}
}

func outcome(r reports.Report, x rows.Row, index, requirement, line int, l words.Lang) result {
	kind, level := kindOf(x, r.Run.Strict)
	out := result{
		RuleID: plain.Line(x.ID), RuleIndex: index, Kind: kind, Level: level, Message: *text(plain.Cut(x.Why(l), maxMessage)),
		Locations: []location{at(r, x, line)}, Partial: fingerprints(r, x.ID),
		Taxa: []target{{ID: plain.Line(x.Result.Requirement), Index: requirement, Component: reference{Name: "Étalon", GUID: taxonomyGUID}}},
		Properties: map[string]any{
			"verdict": x.Verdict, "requirement": plain.Line(x.Result.Requirement), "requirementVerdict": x.Result.Verdict, "blocking": x.Result.Blocking,
		},
	}
	if x.Check == nil {
		return out
	}
	out.Suppressions = suppressed(r, x)
	out.Properties["witness"] = plain.Line(x.Check.Witness)
	out.OccurrenceCount = len(x.Check.Findings)
	for _, f := range x.Check.Findings {
		e, ok := r.Exchanges[f.Exchange]
		if ok && e.Kind == reports.KindExchange {
			out.Request, out.Response = exchanged(e)
			break
		}
	}
	return out
}

// at is where a result is told of: the line of report.json, and the check.
func at(r reports.Report, x rows.Row, line int) location {
	full := "etalon/" + plain.Line(x.ID)
	if x.Check != nil {
		full = "etalon/" + plain.Line(x.Result.Requirement) + "/" + plain.Line(x.ID)
	}
	name := plain.Line(r.Candidate.Service.Name)
	return location{
		Physical: physical{Artifact: artifactLocation{URI: "report.json"}, Region: region{StartLine: max(line, 1)}},
		Logical:  []logical{{Name: plain.Line(x.ID), Full: full, Kind: "check"}, {Name: name, Full: name, Kind: "service"}},
	}
}

// fingerprints say that two results are about the same thing: the same check of
// the same service, whatever was found this time.
func fingerprints(r reports.Report, id string) map[string]string {
	sum := sha256.Sum256([]byte(r.Candidate.Editor.SIREN + "\x00" + r.Candidate.Service.Name + "\x00" + id))
	s := hex.EncodeToString(sum[:16])
	// The second name is the only one that GitHub's code scanning reads.
	return map[string]string{"etalonCheck/v1": s, "primaryLocationLineHash": s + ":1"}
}

func invoked(r reports.Report, all []rows.Row, l words.Lang) invocation {
	out := invocation{
		CommandLine: plain.Line(r.Run.Command), ExitCode: r.ExitCode, ExitDescription: plain.Line(l.Typeset(l.Verdict(r))),
		Successful: r.ExitCode != reports.ExitError && !r.Run.Interrupted, Notifications: []notification{},
	}
	if !r.Run.Started.IsZero() {
		out.Start = r.Run.Started.Format("2006-01-02T15:04:05.000Z")
		out.End = r.Run.Started.Add(time.Duration(r.Run.Duration * float64(time.Second))).Format("2006-01-02T15:04:05.000Z")
	}
	for _, n := range r.Notes {
		out.Notifications = append(out.Notifications, notification{
			Level: map[bool]string{true: "warning", false: "note"}[n.Kind != "limit"], Message: *text(l.Typeset(l.Of(n.Text))),
			Descriptor: reference{ID: "note/" + plain.Line(n.Kind)},
		})
	}
	for _, x := range all {
		if x.Verdict == reports.Error {
			out.Notifications = append(out.Notifications, notification{
				Level: "error", Message: *text(plain.Cut(x.Why(l), maxMessage)), Descriptor: reference{ID: "error"}, Rule: &reference{ID: plain.Line(x.ID)},
			})
		}
	}
	return out
}

// about says what the whole is worth.
func about(r reports.Report, problems bool) map[string]any {
	return map[string]any{
		"verdict": r.Verdict, "exitCode": r.ExitCode, "summary": r.Summary, "run": plain.Line(r.Run.ID), "partial": r.Run.Partial, "freeUse": r.Run.FreeUse,
		"strict": r.Run.Strict, "interrupted": r.Run.Interrupted, "seed": r.Run.Seed, "problemsOnly": problems,
		"service": plain.Line(r.Candidate.Service.Name), "serviceVersion": plain.Line(r.Candidate.Service.Version), "editor": plain.Line(r.Candidate.Editor.Name),
		"catalogue": plain.Line(r.Run.Catalogue.Version), "profile": plain.Line(r.Run.Profile.Name), "witness": plain.Line(r.Run.Witness),
		"independent": words.EN.Independent(),
	}
}

func exchanged(e reports.Exchange) (*webRequest, *webResponse) {
	q := &webRequest{Protocol: "HTTP", Target: plain.Line(e.Request.URL), Method: plain.Line(e.Request.Method), Headers: headers(e.Request.Headers), Body: body(e.Request.Body)}
	if e.Response.Status == 0 {
		return q, nil
	}
	return q, &webResponse{Protocol: "HTTP", StatusCode: e.Response.Status, Headers: headers(e.Response.Headers), Body: body(e.Response.Body)}
}

func headers(in []reports.Header) map[string]string {
	out := map[string]string{}
	for _, h := range in {
		name := plain.Line(h.Name)
		if had, ok := out[name]; ok {
			out[name] = had + ", " + plain.Line(h.Value)
		} else {
			out[name] = plain.Line(h.Value)
		}
	}
	return out
}

func body(b reports.Body) *content {
	if b.Text == "" {
		return nil
	}
	return &content{Text: plain.Cut(plain.Text(b.Text), maxBody)}
}

func text(s string) *message { return &message{Text: orDash(plain.Text(s))} }

// orDash keeps a text that the schema wants from being empty.
func orDash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

// relative is a reference to a file of the run folder.
func relative(name string) string { return (&url.URL{Path: plain.Line(name)}).EscapedPath() }

func translationGUID(l words.Lang) string {
	return l.Pick("0d9a4b5e-6f37-4f0b-9b0a-7e5f1c2d3a41", "5e2c7d90-1b4f-4c6d-8a37-9f0e1d2c3b52")
}

// escape writes text so that Markdown shows it as it is.
func escape(s string) string {
	var b bytes.Buffer
	for _, r := range s {
		switch r {
		case '\\', '`', '*', '_', '{', '}', '[', ']', '(', ')', '#', '!', '|', '~':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '<', '>', '&':
			b.WriteString("&#" + strconv.Itoa(int(r)) + ";")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

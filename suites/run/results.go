package run

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/sandbox/settings"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/requirement"
)

// maxExcerpt bounds what the report repeats of one body; the journal holds it whole.
const maxExcerpt = 6 << 10

// JudgeFolder recomputes every verdict from a run folder with this build's
// rules, as of the run's date. It changes nothing in the folder.
func JudgeFolder(path string) (reports.Report, error) {
	go func() { _, _ = requirement.Load() }() // while the journal is read; Judge says what is wrong
	rec, err := ReadFolder(path)
	if err != nil {
		return reports.Report{}, err
	}
	return Judge(rec, Register)
}

// Judge recomputes every verdict of what was recorded.
func Judge(rec Recorded, register func(*lab.Lab)) (reports.Report, error) {
	cat, err := requirement.Load()
	if err != nil {
		return reports.Report{}, fmt.Errorf("load the catalogue: %w", err)
	}
	set, err := settings.Load()
	if err != nil {
		return reports.Report{}, fmt.Errorf("load the settings: %w", err)
	}
	planned := plannedChecks(rec.Info.Plan, cat)
	act := func(id string) lab.Text {
		_, k, _ := cat.Check(id)
		return lab.Text{
			FR: "l'occasion ne s'est pas présentée. " + k.Act.FR,
			EN: "there was no occasion. " + k.Act.EN,
		}
	}
	acts := func(id string) lab.Text {
		_, k, _ := cat.Check(id)
		return lab.Text{FR: k.Act.FR, EN: k.Act.EN}
	}
	load := func(l *lab.Lab) error {
		return l.Load(rec.Records, lab.Oracle{Candidate: rec.Candidate, FreeUse: rec.Info.FreeUse, Acts: acts})
	}
	got, err := judge(register, load, func(id string) bool { return planned[id] }, act, rec.Info.Seed)
	if err != nil {
		return reports.Report{}, err
	}
	b := builder{rec: rec, cat: cat, set: set, got: got, cited: map[string]bool{}, seqs: map[int]string{}}
	return b.report(), nil
}

type builder struct {
	rec   Recorded
	cat   *requirement.Catalogue
	set   *settings.Settings
	got   judgement
	cited map[string]bool // exchange ids that findings point to
	ids   map[string]int  // exchange -> journal record
	seqs  map[int]string  // journal record -> the id under which the report shows it
}

func (b *builder) report() reports.Report {
	info := b.rec.Info
	c := b.rec.Candidate
	out := reports.Report{
		Run: reports.Run{
			ID: info.ID, Started: info.Started, Duration: info.Duration, Partial: info.Partial || info.FreeUse, FreeUse: info.FreeUse,
			Interrupted: info.State != "observed" || b.rec.Truncated != "", Strict: info.Strict, Seed: info.Seed,
			Harness:   reports.Harness(info.Harness),
			Catalogue: reports.Catalogue{Version: info.Catalogue.Version, Digest: info.Catalogue.Digest},
			Profile:   reports.Profile{Name: info.Profile.Name, Digest: info.Profile.Digest},
			Settings:  reports.Settings{ID: info.Settings},
			Sandbox:   reports.Sandbox{Form: info.Sandbox.Form, Build: info.Sandbox.Build},
			Witness:   b.rec.witnessed.who(), Witnessed: b.rec.witnessed.report(), Command: info.Command, Ledger: b.ledger(), Ties: b.ties(),
		},
		Candidate: reports.Candidate{
			Editor:  reports.Editor(c.Editor),
			Service: reports.Service{Name: c.Service.Name, Version: c.Service.Version, Category: c.Service.Category},
			Claims:  reports.Claims{Pairing: c.Claims.Pairing, Measures: c.Claims.Measures, Documents: c.Claims.Documents, Agenda: c.Claims.Agenda},
			Web:     reports.Web{Production: c.Web.Production, Site: c.Web.Site},
		},
		Exchanges: map[string]reports.Exchange{},
		Redacted:  maps.Clone(info.Secrets),
		Files:     b.rec.Files,
	}
	if n := b.rec.reviewers(); n > 0 {
		if out.Redacted == nil {
			out.Redacted = map[string]int{}
		}
		out.Redacted["reviewer"] = n
	}
	blocking := map[string]bool{}
	for _, id := range info.Profile.Blocking {
		blocking[id] = true
	}
	for _, p := range info.Plan {
		r, ok := b.cat.Requirement(p.Requirement)
		if !ok {
			out.Results = append(out.Results, unknown(p))
			continue
		}
		out.Results = append(out.Results, b.result(r, p, blocking[r.ID]))
	}
	for _, r := range b.rec.Records {
		if id, ok := b.seqs[r.Seq]; ok {
			out.Exchanges[id] = excerpt(id, r)
		}
	}
	out.Assumptions = b.assumptions(out.Results)
	for _, n := range info.Notes {
		out.Notes = append(out.Notes, reports.Note{Kind: n.Kind, Text: reports.Text(n.Text)})
	}
	if b.rec.Truncated != "" {
		out.Notes = append(out.Notes, reports.Note{Kind: "missing", Text: reports.Text{
			FR: "le journal est incomplet : " + b.rec.Truncated, EN: "the journal is incomplete: " + b.rec.Truncated,
		}})
	}
	if info.State == "interrupted" || info.State == "observing" {
		out.Notes = append(out.Notes, reports.Note{Kind: "missing", Text: reports.Text{
			FR: "ce rapport est incomplet : la campagne a été interrompue avant la fin ; ce qui n'avait pas été joué reste non testé",
			EN: "this report is incomplete: the run was interrupted before its end; what had not been played stays untested",
		}})
	}
	if info.Failure != "" {
		out.Notes = append(out.Notes, reports.Note{Kind: "missing", Text: reports.Text{FR: "le banc s'est arrêté : " + info.Failure, EN: "the harness stopped: " + info.Failure}})
	}
	for _, g := range b.set.NotReproduced() {
		out.Notes = append(out.Notes, reports.Note{Kind: "limit", Text: reports.Text(g.Text)})
	}
	out.Conclude()
	if info.State == "failed" {
		// What the harness could not finish is no verdict on the candidate.
		out.Verdict, out.ExitCode = reports.RunError, reports.ExitError
	}
	weigh(&out, b.rec.Known, b.cat)
	return reports.Normal(out)
}

// unknown is a requirement of the plan that this build's catalogue lacks.
func unknown(p Planned) reports.Result {
	return reports.Result{
		Requirement: p.Requirement, Verdict: reports.Error, Level: "unknown", Theme: "governance", Family: "technical",
		Verification: "automatic", Basis: "assumed",
		Title:  reports.Text{FR: p.Requirement, EN: p.Requirement},
		Reason: reports.Text{FR: "cette version d'étalon ne connaît pas cette exigence", EN: "this build of étalon does not know this requirement"},
	}
}

func (b *builder) result(r requirement.Requirement, p Planned, blocking bool) reports.Result {
	out := reports.Result{
		Requirement: r.ID, Title: reports.Text(r.Title), Statement: reports.Text(r.Statement), Why: reports.Text(r.Why),
		Level: r.Level, LevelBasis: reports.Text(r.LevelBasis), Blocking: blocking, Theme: r.Theme, Family: r.Family,
		Chapter: r.Chapter, Verification: r.Verification, Remedy: reports.Text(r.Fix), Formerly: r.Formerly,
		Reason: reports.Text(p.Reason), Basis: "assumed",
	}
	for _, s := range r.Sources {
		out.Sources = append(out.Sources, reports.Source{Key: s.Key, Document: s.Document, Section: s.Section, Link: s.Link, Basis: s.Basis})
		if s.Basis == "stated" || (s.Basis == "derived" && out.Basis == "assumed") {
			out.Basis = s.Basis
		}
	}
	out.Declaration = b.declaration(r.ID)
	switch p.Decision {
	case excluded:
		out.Verdict = reports.Excluded
	case notApplicable:
		out.Verdict = reports.NotApplicable
	case notInForce:
		out.Verdict = reports.NotInForce
	case broken:
		out.Verdict = reports.Error
	case asked:
		out.Verdict, out.Reason, out.Declaration = b.asked(r)
	case declared:
		out.Verdict, out.Reason = b.attested(r.ID)
	default:
		var all []reports.Verdict
		for _, k := range r.Checks {
			c, decided := b.check(k)
			if decided != nil {
				out.Declaration = decided
			}
			all = append(all, c.Verdict)
			out.Checks = append(out.Checks, c)
		}
		out.Verdict = reports.Worst(all...)
	}
	return out
}

func (b *builder) check(k requirement.Check) (out reports.Check, decided *reports.Declaration) {
	out = reports.Check{ID: k.ID, Title: reports.Text(k.Title), Witness: k.Witness, Assumes: k.Assumes}
	res, ok := b.got.results[k.ID]
	if why, bad := b.got.broken[k.ID]; bad || !ok {
		if !ok && why == "" {
			why = "its leaf did not run"
		}
		out.Verdict = reports.Error
		out.Reason = reports.Text{FR: "la vérification n'a pas pu être menée : " + why, EN: "the check could not be carried out: " + why}
		return out, nil
	}
	out.Traces = res.Traces
	out.Occasions = res.Occasions
	for _, seq := range res.Evidence {
		out.Evidence = append(out.Evidence, b.show(seq))
	}
	out.Reason = reports.Text(res.Reason)
	assumed := k.Assumes != ""
	for _, f := range res.Findings {
		setting := f.Setting
		if setting == "" {
			setting = k.Assumes
		}
		out.Findings = append(out.Findings, reports.Finding{
			Key: f.Key, Message: reports.Text(f.Message), Exchange: b.cite(f), Pointer: f.Pointer,
			Expected: f.Expected, Actual: f.Actual, Setting: setting, Picture: pictured(f.Picture),
		})
	}
	for _, p := range res.Pictures {
		if p := pictured(&p); p != nil {
			out.Pictures = append(out.Pictures, *p)
		}
	}
	switch res.State {
	case lab.Met:
		out.Verdict = reports.Conformant
	case lab.NotMet:
		out.Verdict = reports.Nonconformant
		if assumed || b.restOnAssumptions(res.Findings) {
			out.Verdict = reports.Deviation
		}
	case lab.Untested:
		out.Verdict = reports.Untested
	case lab.NotClaimed:
		out.Verdict = reports.NotApplicable
	case lab.ToReview:
		out.Verdict, out.Reason, decided = b.decide(k.ID, out.Reason, out.Findings)
	default:
		out.Verdict = reports.Error
	}
	return out, decided
}

// restOnAssumptions says whether every finding rests on an assumed setting:
// then ours may be the one that is wrong.
func (b *builder) restOnAssumptions(findings []lab.Finding) bool {
	for _, f := range findings {
		v, ok := b.set.Value(f.Setting)
		if f.Setting == "" || !ok || v.Basis != "assumed" {
			return false
		}
	}
	return len(findings) > 0
}

// cite is the id under which the report shows what a finding rests on: the exchange
// that it names, else the record in which it was seen.
func (b *builder) cite(f lab.Finding) string {
	if b.ids == nil {
		b.ids = map[string]int{}
		for _, r := range b.rec.Records {
			if r.Exchange != nil {
				b.ids[r.Exchange.ID] = r.Seq
			}
		}
	}
	if seq, ok := b.ids[f.Exchange]; ok {
		return b.show(seq)
	}
	if f.Seq == 0 {
		return ""
	}
	return b.show(f.Seq)
}

// show remembers that the report shows a record, and returns the id under which
// it does: that of the exchange, or one made of the record's number.
func (b *builder) show(seq int) string {
	if id, ok := b.seqs[seq]; ok {
		return id
	}
	id := fmt.Sprintf("r%d", seq)
	if i := sort.Search(len(b.rec.Records), func(i int) bool { return b.rec.Records[i].Seq >= seq }); i < len(b.rec.Records) {
		if r := b.rec.Records[i]; r.Seq == seq && r.Exchange != nil {
			id = r.Exchange.ID
		}
	}
	b.seqs[seq] = id
	return id
}

func (b *builder) declaration(id string) *reports.Declaration {
	for _, e := range b.rec.Candidate.Evidence {
		if e.Requirement == id {
			return &reports.Declaration{Statement: e.Statement, Author: e.Author, Role: e.Role, Date: e.Date, Expires: e.Expires, SHA256: e.SHA256}
		}
	}
	return nil
}

// attested is the verdict of a requirement that is only declared.
func (b *builder) attested(id string) (reports.Verdict, reports.Text) {
	d := b.declaration(id)
	if d == nil {
		return reports.Untested, reports.Text{
			FR: "aucune attestation : ajoutez-la sous « evidence » dans le manifeste, avec son auteur et sa date",
			EN: "no attestation: add it under \"evidence\" in the manifest, with its author and date",
		}
	}
	day := b.rec.Info.Started
	made, err := time.Parse(time.DateOnly, d.Date)
	if err != nil || made.After(day) {
		return reports.Untested, reports.Text{FR: "la date de l'attestation est absente ou dans l'avenir : " + d.Date, EN: "the attestation's date is missing or in the future: " + d.Date}
	}
	if d.Expires != "" {
		end, err := time.Parse(time.DateOnly, d.Expires)
		if err != nil || !day.Before(end.AddDate(0, 0, 1)) {
			return reports.Untested, reports.Text{FR: "l'attestation a expiré le " + d.Expires + " : renouvelez-la", EN: "the attestation expired on " + d.Expires + ": renew it"}
		}
	}
	return reports.Attested, reports.Text{
		FR: fmt.Sprintf("déclaré par %s le %s ; non observé", d.Author, d.Date),
		EN: fmt.Sprintf("declared by %s on %s; not observed", d.Author, d.Date),
	}
}

func (b *builder) assumptions(results []reports.Result) []reports.Assumption {
	rests := map[string][]string{}
	for _, r := range results {
		for _, c := range r.Checks {
			if c.Verdict != reports.Deviation {
				continue
			}
			for _, f := range c.Findings {
				if f.Setting != "" && !containsString(rests[f.Setting], c.ID) {
					rests[f.Setting] = append(rests[f.Setting], c.ID)
				}
			}
		}
	}
	var out []reports.Assumption
	for _, v := range b.set.All() {
		if v.Basis == "stated" {
			continue
		}
		out = append(out, reports.Assumption{
			Setting: v.Key, Value: v.Text(), Basis: string(v.Basis), Source: v.Source, Note: reports.Text(v.Note), Deviations: rests[v.Key],
		})
	}
	sort.SliceStable(out, func(i, j int) bool { return len(out[i].Deviations) > len(out[j].Deviations) })
	return out
}

func containsString(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// ledger says where the time of the observation went, in milliseconds.
func (b *builder) ledger() reports.Ledger {
	var out reports.Ledger
	for _, r := range b.rec.Records {
		switch {
		case r.Pilot != nil:
			out.CandidateMs += r.Pilot.Millis
		case r.Exchange != nil && r.Exchange.To == record.Candidate:
			out.CandidateMs += r.Exchange.Millis
		case r.Exchange != nil && r.Exchange.To == record.Sandbox:
			out.SandboxMs += r.Exchange.Millis
		case r.Mark != nil && r.Mark.Kind == "quiet":
			out.WaitingMs += r.Mark.Millis
		}
	}
	return out
}

// excerpt is what the report shows of a record.
func excerpt(id string, r record.Record) reports.Exchange {
	out := reports.Exchange{ID: id, Scenario: r.Scenario, Time: r.At}
	switch {
	case r.Exchange != nil:
		x := r.Exchange
		out.Kind, out.Route, out.From, out.To = reports.KindExchange, string(x.Route), string(x.From), string(x.To)
		out.Millis, out.Fault, out.Error = x.Millis, x.Fault, x.Error
		out.Request = reports.Request{Method: x.Request.Method, URL: x.Request.URL, Headers: headerLines(x.Request.Headers), Body: bodyExcerpt(x.Request.Body)}
		out.Response = reports.Response{Status: x.Response.Status, Headers: headerLines(x.Response.Headers), Body: bodyExcerpt(x.Response.Body)}
	case r.Pilot != nil:
		p := r.Pilot
		out.Kind, out.Route, out.From, out.To = reports.KindPilot, p.Action, string(record.Harness), string(record.Candidate)
		out.Millis, out.Error = p.Millis, p.Error
		out.Request = reports.Request{Method: "POST", URL: "actions/" + p.Action, Body: jsonExcerpt(p.Payload)}
		answer, _ := json.Marshal(map[string]any{"status": p.Status, "open": p.Open, "data": p.Data, "message": p.Message})
		if p.Error == "" {
			out.Response = reports.Response{Body: jsonExcerpt(answer)}
		}
	case r.Probe != nil:
		out.Kind, out.Route, out.From, out.To = reports.KindProbe, r.Probe.Kind, string(record.Harness), string(record.Candidate)
		out.Request = reports.Request{URL: r.Probe.Target}
		out.Error = r.Probe.Error
		out.Response = reports.Response{Body: jsonExcerpt(r.Probe.Data)}
	default:
		out.Kind, out.Route = reports.KindProbe, r.Mark.Kind
		out.Request = reports.Request{URL: r.Mark.Text}
		out.Response = reports.Response{Body: jsonExcerpt(r.Mark.Data)}
	}
	return out
}

func headerLines(in []record.Header) []reports.Header {
	out := make([]reports.Header, 0, len(in))
	for _, h := range in {
		out = append(out, reports.Header(h))
	}
	return out
}

func bodyExcerpt(b *record.Body) reports.Body {
	if b == nil {
		return reports.Body{}
	}
	text, cut := short(b.Text)
	return reports.Body{MIME: b.MIME, Size: b.Size, Text: text, Cut: cut, Artifact: b.Artifact}
}

func jsonExcerpt(raw json.RawMessage) reports.Body {
	if len(raw) == 0 {
		return reports.Body{}
	}
	text, cut := short(string(raw))
	return reports.Body{MIME: "application/json", Size: len(raw), Text: text, Cut: cut}
}

func short(s string) (string, bool) {
	if len(s) <= maxExcerpt {
		return s, false
	}
	return strings.ToValidUTF8(s[:maxExcerpt], ""), true
}

// blankSecrets removes what must not reach the disk from a manifest's reading.
func blankSecrets(c candidate.Candidate) candidate.Candidate {
	c.Pilot.Token, c.Sandbox.ClientSecret, c.Sandbox.ClientKey = "", "", ""
	accounts := slices.Clone(c.Journeys.Accounts)
	for i := range accounts {
		accounts[i].User, accounts[i].Password, accounts[i].TOTP = "", "", ""
	}
	c.Journeys.Accounts, c.Journeys.Secrets = accounts, nil
	if c.Start != nil {
		start := *c.Start
		start.Env = nil // its values may be secrets, its names are in the manifest
		c.Start = &start
	}
	return c
}

// Package selftest proves that the checks check: the reference service as it
// is raises no alarm, candidates that do nothing get nothing, and each flaw is
// caught by its own check and by no other that it does not declare.
package selftest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/etalon-sante/etalon/fixtures/flaws"
	"github.com/etalon-sante/etalon/fixtures/reference"
	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/requirement"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// Options say how much is tried.
type Options struct {
	Full        bool // observe every chapter again for each flaw
	Concurrency int  // of the candidate; 0 keeps the reference's own, or is 1 with Configured
	Configured  bool // the reference is configured once, by hand, as in production, not by the action configure
	Width       int  // flaws tried at a time; 0: 4
	Only        []string
	CDASchema   string // folder of the XML Schema of CDA; "": étalon's reduced one
	Browser     string // auto, off or the path of one; "": auto
	Now         func() time.Time
	Progress    func(done, total int, what string)
}

// Row is one flaw of the matrix.
type Row struct {
	Flaw     string       `json:"flaw"`
	Check    string       `json:"check"`
	Sentence reports.Text `json:"sentence"`
	Origin   string       `json:"origin"`
	Killed   bool         `json:"killed"`
	Verdict  string       `json:"verdict"` // of its check
	Also     []string     `json:"also"`    // declared, and moved
	Shadowed []string     `json:"shadowed"`
	Stray    []string     `json:"collateral"`
	Unmoved  []string     `json:"unmoved"` // declared, and did not move
	Error    string       `json:"error,omitempty"`
	First    string       `json:"first,omitempty"` // what was wrong the first time, where all is well the second
}

// Result is the kill matrix.
type Result struct {
	Conformant  int      `json:"conformant"` // requirements, of the reference as it is
	Flaws       int      `json:"flaws"`
	Killed      int      `json:"killed"`
	Survivors   []string `json:"survivors"`
	Collateral  []string `json:"collateral"`  // "flaw: check verdict"
	Shadowed    []string `json:"shadowed"`    // "flaw: check": its occasion was taken away
	FalseAlarms []string `json:"falseAlarms"` // on the reference, and on candidates that do nothing
	NotRun      []string `json:"notRun"`
	Unmoved     []string `json:"unmoved"`  // declared in also:, observed again, and did not move
	Unstable    []string `json:"unstable"` // all as declared, but only when tried a second time, alone
	Matrix      []Row    `json:"matrix"`
}

// Clean says whether nothing is to be mended.
func (r Result) Clean() bool {
	return len(r.Survivors)+len(r.Collateral)+len(r.FalseAlarms)+len(r.NotRun) == 0 && r.Flaws > 0 && r.Killed == r.Flaws
}

// ExitCode is 0 when clean, 1 when a check failed to check, 4 when something
// could not be run.
func (r Result) ExitCode() int {
	switch {
	case len(r.Survivors)+len(r.Collateral)+len(r.FalseAlarms) > 0 || r.Flaws == 0:
		return 1
	case len(r.NotRun) > 0:
		return 4
	}
	return 0
}

// trial is one candidate observed and judged.
type trial struct {
	records  []record.Record
	recorded run.Recorded
	verdicts map[string]reports.Verdict
	report   reports.Report
}

type tester struct {
	opts      Options
	bench     *run.Bench
	cat       *requirement.Catalogue
	applies   *requirement.Applicability
	leaves    map[string]lab.LeafLabels
	scenarios []*lab.Scenario
	clean     trial
	variants  map[string]trial // the reference as it is, where its client authenticates otherwise

	chromium *browser.Host

	configurations chan configuration // those free at the moment; nil: by the action configure
}

// Run tries everything.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Width == 0 {
		o.Width = 4
	}
	t, err := open(ctx, o)
	if err != nil {
		return Result{}, err
	}
	defer t.close()
	if o.Configured {
		if t.configurations, err = configureOnce(ctx, t.bench, o.Width); err != nil {
			return Result{}, err
		}
		if o.Concurrency == 0 {
			t.opts.Concurrency = 1
		}
	}

	out := Result{Survivors: []string{}, Collateral: []string{}, Shadowed: []string{}, FalseAlarms: []string{}, NotRun: []string{}, Unmoved: []string{}, Unstable: []string{}, Matrix: []Row{}}
	if t.clean, err = t.reference(ctx, "", reference.Parts{}, t.concerned(""), trial{}); err != nil {
		return out, fmt.Errorf("the reference service as it is: %w", err)
	}
	out.FalseAlarms = append(out.FalseAlarms, t.alarms("")...)
	out.Conformant = t.clean.report.Summary[reports.Conformant]
	t.tell(0, 0, "reference")
	idle, err := t.idle(ctx)
	if err != nil {
		return out, err
	}
	out.FalseAlarms = append(out.FalseAlarms, idle...)

	all := flaws.All()
	if len(o.Only) > 0 {
		all = slices.DeleteFunc(all, func(f flaws.Flaw) bool { return !slices.Contains(o.Only, f.ID) && !slices.Contains(o.Only, f.Check) })
	}
	out.NotRun = append(out.NotRun, t.notRun(all)...)
	if err := t.vary(ctx, all, &out); err != nil {
		return out, err
	}
	rows := make([]Row, len(all))
	slots := make(chan struct{}, o.Width)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for i, f := range all {
		wg.Add(1)
		slots <- struct{}{}
		go func() {
			defer wg.Done()
			defer func() { <-slots }()
			rows[i] = t.try(ctx, f)
			mu.Lock()
			defer mu.Unlock()
			done++
			t.tell(done, len(all), f.ID)
		}()
	}
	wg.Wait()
	t.again(ctx, all, rows)
	for _, r := range rows {
		out.add(r)
	}
	return out, ctx.Err()
}

// open loads the catalogue and the tree, and starts a sandbox.
func open(ctx context.Context, o Options) (*tester, error) {
	t := &tester{opts: o}
	t.chromium = browser.Open(o.browser())
	var err error
	if t.cat, err = requirement.Load(); err != nil {
		return nil, err
	}
	if t.applies, err = requirement.NewApplicability(t.cat); err != nil {
		return nil, err
	}
	var l *lab.Lab
	if t.leaves, l, err = run.Leaves(run.Register); err != nil {
		return nil, err
	}
	t.scenarios = l.Scenarios()
	t.bench, err = run.OpenBench(ctx, run.SandboxOptions{})
	return t, err
}

// close ends what the tester started.
func (t *tester) close() {
	t.chromium.Close()
	t.bench.Close()
}

// Recording observes the reference service as it is and gives what was
// recorded. It is an error if a check is not met by it.
func Recording(ctx context.Context, o Options) (run.Recorded, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Browser = browser.Off // what a browser shows of pages is not changed place by place
	t, err := open(ctx, o)
	if err != nil {
		return run.Recorded{}, err
	}
	defer t.close()
	if t.clean, err = t.reference(ctx, "", reference.Parts{}, t.concerned(""), trial{}); err != nil {
		return run.Recorded{}, fmt.Errorf("the reference service as it is: %w", err)
	}
	if alarms := t.alarms(""); len(alarms) > 0 {
		return run.Recorded{}, fmt.Errorf("the reference service as it is: %s", alarms[0])
	}
	return t.clean.recorded, nil
}

func (o *Result) add(r Row) {
	o.Flaws++
	o.Matrix = append(o.Matrix, r)
	switch {
	case r.Error != "":
		o.NotRun = append(o.NotRun, r.Flaw+": "+r.Error)
	case r.Killed:
		o.Killed++
	default:
		o.Survivors = append(o.Survivors, fmt.Sprintf("%s: %s is %s", r.Flaw, r.Check, r.Verdict))
	}
	if r.First != "" {
		o.Unstable = append(o.Unstable, r.Flaw+": "+r.First)
	}
	for _, s := range r.Stray {
		o.Collateral = append(o.Collateral, r.Flaw+": "+s)
	}
	for _, s := range r.Shadowed {
		o.Shadowed = append(o.Shadowed, r.Flaw+": "+s)
	}
	for _, s := range r.Unmoved {
		o.Unmoved = append(o.Unmoved, r.Flaw+": "+s)
	}
}

func (t *tester) tell(done, total int, what string) {
	if t.opts.Progress != nil {
		t.opts.Progress(done, total, what)
	}
}

// why is the first reason or finding of a check, in English.
func (t trial) why(check string) string {
	for _, r := range t.report.Results {
		for _, c := range r.Checks {
			if c.ID != check {
				continue
			}
			if len(c.Findings) > 0 {
				f := c.Findings[0]
				return fmt.Sprintf("%s (expected %s, actual %s, exchange %s)", f.Message.EN, f.Expected, f.Actual, f.Exchange)
			}
			return c.Reason.EN
		}
	}
	return ""
}

// idle tries the candidates that do nothing: no check that needs an exchange
// may be conformant.
func (t *tester) idle(ctx context.Context) ([]string, error) {
	var out []string
	for _, e := range flaws.Empty() {
		tr, err := t.handler(ctx, e.Handler)
		if err != nil {
			return out, fmt.Errorf("candidate %s: %w", e.ID, err)
		}
		for id, v := range tr.verdicts {
			_, k, _ := t.cat.Check(id)
			if v == reports.Conformant && k.Witness != "harness" {
				out = append(out, fmt.Sprintf("%s: %s is conformant", e.ID, id))
			}
			if v == reports.Error {
				out = append(out, fmt.Sprintf("%s: %s is an error: %s", e.ID, id, tr.why(id)))
			}
		}
		t.tell(0, 0, e.ID)
	}
	sort.Strings(out)
	return out, nil
}

// try observes and judges the reference with one flaw.
func (t *tester) try(ctx context.Context, f flaws.Flaw) Row {
	row := Row{Flaw: f.ID, Check: f.Check, Sentence: reports.Text(f.Sentence), Origin: f.Origin, Also: []string{}, Shadowed: []string{}, Stray: []string{}, Unmoved: []string{}}
	if why := t.lacks(f.Check); why != "" {
		row.Error = why
		return row
	}
	if slices.Contains(f.Chapters, certificateChapter) && t.configurations == nil {
		own, err := run.OpenBench(ctx, run.SandboxOptions{})
		if err != nil {
			row.Error = err.Error()
			return row
		}
		defer own.Close()
		alone := *t
		alone.bench = own
		t = &alone
	}
	parts := reference.DefaultParts()
	f.Apply(&parts)
	clean, scenarios := t.cleanOf(f.Variant), t.concerned(f.Variant)
	if !t.opts.Full {
		scenarios = slices.DeleteFunc(slices.Clone(scenarios), func(s *lab.Scenario) bool { return !slices.Contains(f.Chapters, s.Chapter) })
	}
	tr, err := t.reference(ctx, f.Variant, parts, scenarios, clean)
	if err != nil {
		row.Error = err.Error()
		return row
	}
	row.Verdict = string(tr.verdicts[f.Check])
	_, k, _ := t.cat.Check(f.Check)
	want := reports.Nonconformant
	if k.Assumes != "" {
		want = reports.Deviation
	}
	row.Killed = tr.verdicts[f.Check] == want
	declared, surely := map[string]bool{}, map[string]bool{}
	for _, a := range f.Also {
		declared[a.Check], surely[a.Check] = true, !a.Sometimes
	}
	for id, was := range clean.verdicts {
		now := tr.verdicts[id]
		switch {
		case id == f.Check || now == was:
			if surely[id] && t.observes(scenarios, id) {
				row.Unmoved = append(row.Unmoved, id)
			}
		case declared[id]:
			row.Also = append(row.Also, id)
		case now == reports.Untested:
			row.Shadowed = append(row.Shadowed, id)
		default:
			row.Stray = append(row.Stray, fmt.Sprintf("%s %s: %s", id, now, tr.why(id)))
		}
	}
	for _, list := range [][]string{row.Also, row.Shadowed, row.Stray, row.Unmoved} {
		sort.Strings(list)
	}
	return row
}

// observes says whether a check reads one of some scenarios, so that a flaw can
// move it. One that names none and reads all traffic does, whatever is observed.
func (t *tester) observes(scenarios []*lab.Scenario, check string) bool {
	for _, leaf := range t.leaves {
		if leaf.Check != check {
			continue
		}
		if leaf.All && len(leaf.Reads) == 0 || slices.ContainsFunc(scenarios, func(s *lab.Scenario) bool { return slices.Contains(leaf.Reads, s.Slug) }) {
			return true
		}
	}
	return false
}

// reference observes some scenarios on the reference service and judges them
// together with what was recorded of the others before.
func (t *tester) reference(ctx context.Context, variant string, parts reference.Parts, scenarios []*lab.Scenario, before trial) (trial, error) {
	s, stop, err := t.start(ctx, variant, parts)
	if err != nil {
		return trial{}, err
	}
	defer stop()
	p, release, err := pilot.New(s.Manifest, pilot.Options{})
	if err != nil {
		return trial{}, err
	}
	defer release()
	return t.observe(ctx, s.Manifest, p, s, scenarios, before)
}

// handler observes every scenario on a bare pilot.
func (t *tester) handler(ctx context.Context, h http.Handler) (trial, error) {
	s, err := demo.Start(ctx, demo.Options{})
	if err != nil {
		return trial{}, err
	}
	defer s.Close()
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return trial{}, err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(ln) }() // ends with Close
	defer server.Close()
	m := *s.Manifest
	m.Candidate.Pilot.URL = "http://" + ln.Addr().String()
	// The editor's patience, not ours, is what a hanging candidate costs.
	m.Candidate.Timing.Action, m.Candidate.Timing.Effect = 300*time.Millisecond, 300*time.Millisecond
	p, release, err := pilot.New(&m, pilot.Options{})
	if err != nil {
		return trial{}, err
	}
	defer release()
	return t.observe(ctx, &m, p, s, t.withoutBrowser(), trial{})
}

func (t *tester) observe(ctx context.Context, m *candidate.Manifest, p candidate.Pilot, s *demo.Service, scenarios []*lab.Scenario, before trial) (trial, error) {
	c := m.Candidate
	if t.opts.Concurrency > 0 {
		c.Concurrency = t.opts.Concurrency
	}
	started := t.opts.Now().UTC()
	session, err := run.OpenSession(ctx, run.SessionOptions{
		Bench: t.bench, Candidate: c, Secrets: m.Secrets, Pilot: p, Roots: s.Roots, Resolver: s.Resolver, Run: fmt.Sprintf("selftest-%d", started.UnixNano()), Seed: seed, Now: t.opts.Now,
		CDASchema: t.opts.schema(), Browser: t.chromium, Application: m.Application,
	})
	if err != nil {
		return trial{}, err
	}
	defer session.Close(context.WithoutCancel(ctx))
	seen := map[string]bool{}
	for _, s := range scenarios {
		seen[s.Slug] = true
	}
	var records []record.Record
	for _, r := range before.records {
		if !seen[r.Scenario] {
			records = append(records, r)
		}
	}
	var mu sync.Mutex
	err = session.Observe(ctx, lab.New(), scenarios, seed, nil, func(rs []record.Record) error {
		mu.Lock()
		defer mu.Unlock()
		records = append(records, rs...)
		return nil
	})
	if err != nil {
		return trial{}, err
	}
	for i := range records {
		records[i].Seq = i + 1
	}
	info := run.Info{Started: started, State: "observed", Seed: seed}
	// What is judged is what concerns the candidate as it is: a flaw in its
	// manifest must not take a check out of sight.
	if info.Plan = before.recorded.Info.Plan; info.Plan == nil {
		if info.Plan, err = t.planFor(c); err != nil {
			return trial{}, err
		}
	}
	recorded := run.Recorded{Info: info, Candidate: c, Records: records}
	report, err := run.Judge(recorded, run.Register)
	if err != nil {
		return trial{}, err
	}
	out := trial{records: records, recorded: recorded, report: report, verdicts: map[string]reports.Verdict{}}
	for _, r := range report.Results {
		for _, k := range r.Checks {
			out.verdicts[k.ID] = k.Verdict
		}
	}
	return out, nil
}

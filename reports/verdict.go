package reports

import "slices"

// Verdict is the outcome of a check or of a requirement.
type Verdict string

// The verdicts.
const (
	Conformant    Verdict = "conformant"     // observed, as required
	Nonconformant Verdict = "nonconformant"  // observed, not as required
	Deviation     Verdict = "deviation"      // observed, not as an assumed value would have it
	Attested      Verdict = "attested"       // declared, not observed
	ToReview      Verdict = "to-review"      // a person must decide
	NotApplicable Verdict = "not-applicable" // does not concern this candidate
	NotInForce    Verdict = "not-in-force"   // outside its dates or phase
	Excluded      Verdict = "excluded"       // in the catalogue, judged by no one here
	Untested      Verdict = "untested"       // no occasion, no attestation, or a tool was missing
	Error         Verdict = "error"          // the harness or the sandbox failed
)

// precedence is the one table of "worst wins": the last three count only where
// nothing else is left.
func precedence() []Verdict {
	return []Verdict{
		Error, Nonconformant, Untested, Deviation, ToReview, Attested, Conformant,
		NotApplicable, NotInForce, Excluded,
	}
}

// Verdicts lists every verdict, worst first.
func Verdicts() []Verdict { return precedence() }

// Known says whether v is one of the verdicts.
func (v Verdict) Known() bool { return slices.Contains(precedence(), v) }

// Observed says whether v rests on something seen in this run: only such
// verdicts make a run more than a list of intentions.
func (v Verdict) Observed() bool {
	switch v {
	case Conformant, Nonconformant, Deviation, ToReview:
		return true
	}
	return false
}

// InForce says whether a requirement with this verdict counts for this
// candidate, today.
func (v Verdict) InForce() bool {
	switch v {
	case NotApplicable, NotInForce, Excluded:
		return false
	}
	return true
}

// Worst returns the verdict of a requirement from those of its parts. Without
// any part nothing was tested; a verdict that does not exist is our error.
func Worst(verdicts ...Verdict) Verdict {
	if len(verdicts) == 0 {
		return Untested
	}
	order := precedence()
	worst := len(order)
	for _, v := range verdicts {
		i := slices.Index(order, v)
		if i < 0 {
			return Error
		}
		worst = min(worst, i)
	}
	return order[worst]
}

// RunVerdict is the outcome of a run.
type RunVerdict string

// The verdicts of a run.
const (
	RunConformant    RunVerdict = "conformant"
	RunNonconformant RunVerdict = "nonconformant"
	RunInconclusive  RunVerdict = "inconclusive"
	RunError         RunVerdict = "error"
	RunPartial       RunVerdict = "partial" // a selection has no verdict of its own, only an exit code
)

// Exit codes of a run that was judged; 2 (unusable input) and 3 (candidate
// unreachable) leave no report.
const (
	ExitConformant    = 0
	ExitNonconformant = 1
	ExitInconclusive  = 4
	ExitError         = 5
)

// facts is what the table of Decide looks at.
type facts struct {
	results, error, blockingNonconformant, blockingUntested, toReview, interrupted, nothingObserved bool
}

// decisions is the one table from facts to verdict and exit code: the first
// row that holds decides.
func decisions() []struct {
	when    func(facts) bool
	verdict RunVerdict
	exit    int
} {
	return []struct {
		when    func(facts) bool
		verdict RunVerdict
		exit    int
	}{
		{func(f facts) bool { return !f.results }, RunError, ExitError},
		{func(f facts) bool { return f.error }, RunError, ExitError},
		{func(f facts) bool { return f.blockingNonconformant }, RunNonconformant, ExitNonconformant},
		{func(f facts) bool { return f.blockingUntested }, RunInconclusive, ExitInconclusive},
		{func(f facts) bool { return f.interrupted }, RunInconclusive, ExitInconclusive},
		{func(f facts) bool { return f.toReview }, RunInconclusive, ExitInconclusive},
		{func(f facts) bool { return f.nothingObserved }, RunInconclusive, ExitInconclusive},
		{func(facts) bool { return true }, RunConformant, ExitConformant},
	}
}

// Decide returns the verdict of a run and its exit code. Strict counts every
// requirement in force as blocking, a deviation as nonconformant and what is
// to review as undecided. A partial run has an exit code and no verdict.
func Decide(results []Result, strict, interrupted, partial bool) (RunVerdict, int) {
	f := facts{results: len(results) > 0, interrupted: interrupted, nothingObserved: true}
	for _, r := range results {
		blocking := r.Blocking || strict && r.Verdict.InForce()
		switch {
		case r.Verdict == Error || !r.Verdict.Known():
			f.error = true
		case r.Verdict == Nonconformant, r.Verdict == Deviation && strict:
			f.blockingNonconformant = f.blockingNonconformant || blocking
		case r.Verdict == Untested:
			f.blockingUntested = f.blockingUntested || blocking
		case r.Verdict == ToReview:
			f.toReview = f.toReview || strict
		}
		for _, c := range r.Checks {
			if c.Verdict == Error || !c.Verdict.Known() {
				f.error = true
			}
			if c.Verdict.Observed() {
				f.nothingObserved = false
			}
		}
	}
	for _, d := range decisions() {
		if d.when(f) {
			if partial {
				return RunPartial, d.exit
			}
			return d.verdict, d.exit
		}
	}
	return RunError, ExitError
}

// decideFree is the exit code of a session of free use. What was found stands,
// blocking or not; without a finding nothing can be concluded, since what nobody
// did was not judged: it never ends as a run that is met does.
func decideFree(results []Result) int {
	code := ExitInconclusive
	if len(results) == 0 {
		return ExitError
	}
	for _, r := range results {
		switch {
		case r.Verdict == Error || !r.Verdict.Known():
			return ExitError
		case r.Verdict == Nonconformant:
			code = ExitNonconformant
		}
	}
	return code
}

// Summarise counts requirements per verdict; every verdict is a key.
func Summarise(results []Result) map[Verdict]int {
	counts := make(map[Verdict]int, len(precedence()))
	for _, v := range precedence() {
		counts[v] = 0
	}
	for _, r := range results {
		if !r.Verdict.Known() {
			counts[Error]++
			continue
		}
		counts[r.Verdict]++
	}
	return counts
}

// Conclude fills what follows from Results and Run: the summary, the verdict
// and the exit code.
func (r *Report) Conclude() {
	r.Schema = SchemaID
	r.Summary = Summarise(r.Results)
	if r.Run.FreeUse {
		r.Verdict, r.ExitCode = RunPartial, decideFree(r.Results)
		return
	}
	r.Verdict, r.ExitCode = Decide(r.Results, r.Run.Strict, r.Run.Interrupted, r.Run.Partial)
}

// Package run is one run, from the manifest to the report: plan, observe,
// judge, results. It alone among the suites sees the whole house.
package run

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/extensions/globals"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/etalon-sante/etalon/suites/ethics"
	"github.com/etalon-sante/etalon/suites/governance"
	"github.com/etalon-sante/etalon/suites/interop"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/security"
)

// tree guards Ginkgo's global state: one tree is built and run at a time.
var tree sync.Mutex //nolint:gochecknoglobals // Ginkgo's state is global, so its lock is too

// Register declares every suite on a lab.
func Register(l *lab.Lab) {
	interop.Specs(l)
	security.Specs(l)
	ethics.Specs(l)
	governance.Specs(l)
}

// Leaves builds the tree and returns the labels of each leaf, by check id. A
// leaf without exactly one check, or two leaves of one check, are refused, as
// are focused and pending ones.
func Leaves(register func(*lab.Lab)) (map[string]lab.LeafLabels, *lab.Lab, error) {
	tree.Lock()
	defer tree.Unlock()
	l := lab.New()
	globals.Reset()
	register(l)
	suite, reporter := quiet(0)
	report := ginkgo.PreviewSpecs("étalon", suite, reporter)
	out := map[string]lab.LeafLabels{}
	for _, s := range report.SpecReports {
		if s.LeafNodeType != types.NodeTypeIt {
			continue
		}
		labels, err := lab.ParseLabels(s.Labels())
		if err != nil {
			return nil, nil, fmt.Errorf("leaf %q: %w", s.FullText(), err)
		}
		if s.State == types.SpecStatePending {
			return nil, nil, fmt.Errorf("leaf %q is pending: no check may be", s.FullText())
		}
		if _, twice := out[labels.Check]; twice {
			return nil, nil, fmt.Errorf("leaf %q: another leaf carries out check %s already", s.FullText(), labels.Check)
		}
		for _, slug := range labels.Reads {
			if l.Lookup(slug) == nil {
				return nil, nil, fmt.Errorf("leaf %q reads scenario %q, which is not declared", s.FullText(), slug)
			}
		}
		out[labels.Check] = labels
	}
	if report.SuiteHasProgrammaticFocus {
		return nil, nil, fmt.Errorf("the tree holds a focused leaf: no check may be")
	}
	return out, l, nil
}

// judgement is what the leaves came to.
type judgement struct {
	results map[string]lab.Result
	broken  map[string]string // checks whose leaf failed otherwise than by its findings
}

// judge builds the tree on a fresh lab, loads what was recorded and runs every
// leaf once. Judging is pure: it reads the records and nothing else.
func judge(register func(*lab.Lab), load func(*lab.Lab) error, planned func(string) bool, act func(string) lab.Text, seed int64) (judgement, error) {
	tree.Lock()
	defer tree.Unlock()
	// A tree that was previewed is not run: it is built anew.
	globals.Reset()
	register(lab.New())
	suite, reporter := quiet(seed)
	claims := map[string]string{}
	for _, s := range ginkgo.PreviewSpecs("étalon", suite, reporter).SpecReports {
		if labels, err := lab.ParseLabels(s.Labels()); err == nil && labels.Claims != "" {
			claims[labels.Claims] = labels.Check
		}
	}
	l := lab.New()
	globals.Reset()
	register(l)
	if err := load(l); err != nil {
		return judgement{}, err
	}
	l.Judging(planned, act)
	l.Claims(claims)
	out := judgement{broken: map[string]string{}}
	// Not ReportAfterEach: the suite-level AroundNode would run around it too.
	ginkgo.ReportAfterSuite("what the leaves came to", func(r types.Report) {
		for _, s := range r.SpecReports {
			labels, err := lab.ParseLabels(s.Labels())
			if err != nil || !planned(labels.Check) {
				continue
			}
			res, known := l.Results()[labels.Check]
			switch {
			case s.State == types.SpecStatePassed && known && res.State == lab.Met:
			case s.State == types.SpecStateSkipped && known && res.State == lab.ToReview:
			case s.State == types.SpecStateFailed && known && res.State != lab.Met && res.State != lab.ToReview:
			default:
				out.broken[labels.Check] = strings.TrimSpace(fmt.Sprintf("%s: %s %s", s.State, s.FailureMessage(), s.Failure.ForwardedPanic))
			}
		}
	})
	suite, reporter = quiet(seed)
	ginkgo.RunSpecs(failing{}, "étalon", suite, reporter, ginkgo.AroundNode(l.AroundLeaf))
	out.results = l.Results()
	return out, nil
}

// failing is the testing.T that RunSpecs wants: verdicts are ours, not its.
type failing struct{}

func (failing) Fail() {}

func quiet(seed int64) (types.SuiteConfig, types.ReporterConfig) {
	formatter.ColorableStdOut = io.Discard
	formatter.ColorableStdErr = io.Discard
	ginkgo.GinkgoWriter.ClearTeeWriters()
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.RandomSeed = seed
	suite.FailFast, suite.DryRun = false, false
	suite.FocusStrings, suite.SkipStrings, suite.FocusFiles, suite.SkipFiles = nil, nil, nil, nil
	suite.LabelFilter = ""
	suite.ParallelProcess, suite.ParallelTotal = 1, 1
	suite.FailOnPending = false
	reporter.Succinct, reporter.NoColor = true, true
	reporter.JSONReport, reporter.JUnitReport, reporter.TeamcityReport, reporter.GoJSONReport = "", "", "", ""
	return suite, reporter
}

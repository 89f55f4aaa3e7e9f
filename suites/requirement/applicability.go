package requirement

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"

	"github.com/etalon-sante/etalon/suites/candidate"
)

// costLimit bounds the evaluation of one expression, in CEL's own units. Those
// of the catalogue cost under 30 on a full manifest.
const costLimit = 10_000

// Applicability says which requirements concern a candidate. Every expression
// of the catalogue is compiled once; it may be used from several goroutines.
type Applicability struct {
	programs map[string]cel.Program // by expression
}

// NewApplicability compiles the expressions of a catalogue against the fields
// of a candidate's manifest, under the names that they bear in JSON. A field
// that a manifest does not have fails here, with the requirement's id.
func NewApplicability(c *Catalogue) (*Applicability, error) {
	env, err := newEnv()
	if err != nil {
		return nil, fmt.Errorf("prepare the expressions of the catalogue: %w", err)
	}
	a := &Applicability{programs: map[string]cel.Program{}}
	var failed []error
	for _, r := range c.Requirements {
		if _, done := a.programs[r.Applies]; done || r.Applies == "" {
			continue
		}
		p, err := compile(env, r.Applies)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", r.ID, err))
			continue
		}
		a.programs[r.Applies] = p
	}
	if len(failed) > 0 {
		return nil, fmt.Errorf("compile the expressions of the catalogue: %w", errors.Join(failed...))
	}
	return a, nil
}

// newEnv declares the candidate. Its types are read from the Go types of the
// manifest by their JSON names, so that the two cannot diverge.
func newEnv() (*cel.Env, error) {
	return cel.NewEnv(
		ext.NativeTypes(reflect.TypeFor[candidate.Candidate](), ext.ParseStructTag("json")),
		cel.Variable("candidate", cel.ObjectType("candidate.Candidate")),
	)
}

func compile(env *cel.Env, expression string) (cel.Program, error) {
	ast, issues := env.Compile(expression)
	if err := issues.Err(); err != nil {
		return nil, fmt.Errorf("the expression %q cannot be read: %w", expression, err)
	}
	if ast.OutputType() != cel.BoolType {
		return nil, fmt.Errorf("the expression %q yields %s: make it yield true or false", expression, ast.OutputType())
	}
	p, err := env.Program(ast, cel.CostLimit(costLimit))
	if err != nil {
		return nil, fmt.Errorf("the expression %q cannot be prepared: %w", expression, err)
	}
	return p, nil
}

// Applies says whether a requirement concerns a candidate, and the expression
// that says so ("" when it concerns every candidate). An expression that fails
// is an error, never "does not concern".
func (a *Applicability) Applies(r Requirement, c candidate.Candidate) (applies bool, expression string, err error) {
	if r.Applies == "" {
		return true, "", nil
	}
	p, known := a.programs[r.Applies]
	if !known {
		return false, r.Applies, fmt.Errorf("does %s concern the candidate: the expression %q is not of the catalogue that was compiled", r.ID, r.Applies)
	}
	out, _, err := p.Eval(map[string]any{"candidate": &c})
	if err != nil {
		return false, r.Applies, fmt.Errorf("does %s concern the candidate: evaluate %q: %w", r.ID, r.Applies, err)
	}
	yes, ok := out.Value().(bool)
	if !ok {
		return false, r.Applies, fmt.Errorf("does %s concern the candidate: %q yields %v, which is neither true nor false", r.ID, r.Applies, out.Value())
	}
	return yes, r.Applies, nil
}

// InForce says whether a requirement is in force on a day and in a phase
// (pilot, generalisation; "" when the phase is not known, which every phase
// matches), and the reason when it is not. Only the calendar day of the instant
// counts, in its own zone.
func InForce(r Requirement, day time.Time, phase string) (bool, Text) {
	today := day.Format(time.DateOnly)
	switch {
	case r.From != "" && today < r.From:
		return false, Text{
			FR: "en vigueur à partir du " + frenchDay(r.From),
			EN: "in force from " + englishDay(r.From),
		}
	case r.Until != "" && today > r.Until:
		return false, Text{
			FR: "en vigueur jusqu’au " + frenchDay(r.Until),
			EN: "in force until " + englishDay(r.Until),
		}
	case r.Phase != "" && phase != "" && r.Phase != phase:
		return false, phaseReason(r.Phase)
	}
	return true, Text{}
}

func phaseReason(phase string) Text {
	if phase == "pilot" {
		return Text{FR: "ne vaut que pendant la phase pilote", EN: "holds only during the pilot phase"}
	}
	return Text{FR: "ne vaut qu’à partir de la généralisation", EN: "holds only from generalisation on"}
}

func frenchDay(day string) string  { return reformat(day, "02/01/2006") }
func englishDay(day string) string { return reformat(day, "2 January 2006") }

func reformat(day, layout string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return t.Format(layout)
}

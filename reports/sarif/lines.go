package sarif

import (
	"bytes"
	"fmt"

	"github.com/etalon-sante/etalon/reports"
)

// linesOf gives the line of report.json where each row of the report begins, in
// the order of rows.Of. It reads the very bytes of report.json: their indentation
// tells a requirement from a check, and no text holds a line feed there.
func linesOf(r reports.Report) ([]int, error) {
	b, err := reports.Encode(r)
	if err != nil {
		return nil, err
	}
	requirement, check, end := []byte(`      "requirement": `), []byte(`          "id": `), []byte(`  "exchanges": `)
	var requirements []int
	checks := map[int][]int{}
	for n := 1; len(b) > 0; n++ {
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		b = rest
		switch {
		case bytes.HasPrefix(line, requirement):
			requirements = append(requirements, n)
		case bytes.HasPrefix(line, check) && len(requirements) > 0:
			i := len(requirements) - 1
			checks[i] = append(checks[i], n)
		case bytes.HasPrefix(line, end):
			b = nil
		}
	}
	var out []int
	for i, res := range r.Results {
		if i >= len(requirements) || len(checks[i]) != len(res.Checks) {
			return nil, fmt.Errorf("the lines of report.json cannot be told: result %d", i+1)
		}
		if len(res.Checks) == 0 {
			out = append(out, requirements[i])
		}
		out = append(out, checks[i]...)
	}
	return out, nil
}

package sarif

import (
	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/plain"
	"github.com/etalon-sante/etalon/reports/internal/rows"
)

// suppressed says why a server need not raise what a result says: the editor's
// list of known nonconformities explains all of it, as the model judges that. The
// kind and the level of the result stay what they are.
func suppressed(r reports.Report, x rows.Row) []suppression {
	if kind, _ := kindOf(x, r.Run.Strict); kind != "fail" || !r.Known.Given {
		return nil
	}
	var out []suppression
	for _, e := range r.KnownAs(x.ID) {
		out = append(out, suppression{
			Kind: "external", Status: "accepted", Justification: orDash(plain.Text(e.Reason)),
			Properties: map[string]any{"owner": plain.Line(e.Owner), "deadline": plain.Line(e.Deadline), "kind": plain.Line(e.Kind)},
		})
	}
	return out
}

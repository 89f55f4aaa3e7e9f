package words

import (
	"fmt"

	"github.com/etalon-sante/etalon/reports"
)

// Testimony says who saw the exchanges of a run and, where a hosted sandbox signed
// them, how the journal stands beside what it signed.
func (l Lang) Testimony(r reports.Run) string {
	who := l.Witness(r.Witness)
	w := r.Witnessed
	if w == nil {
		return who
	}
	said := fmt.Sprintf(l.Pick(
		"%s. Le bac à sable de clé %.16s… a signé ce qu'il a servi : le journal en montre %d tels quels",
		"%s. The sandbox with the key %.16s… signed what it served: the journal shows %d of it as they were"), who, w.Key, w.Exchanges)
	for _, x := range []struct {
		n      int
		fr, en string
	}{
		{len(w.Missing), ", %d manquent au journal", ", %d are missing from the journal"},
		{len(w.Changed), ", %d ne sont pas tels qu'il les a signés", ", %d are not as it signed them"},
		{len(w.Added), ", %d lui sont inconnus", ", %d are unknown to it"},
	} {
		if x.n > 0 {
			said += fmt.Sprintf(l.Pick(x.fr, x.en), x.n)
		}
	}
	return said
}

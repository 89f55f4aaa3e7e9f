package html_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/html"
	"github.com/etalon-sante/etalon/reports/internal/sample"
)

func TestThePageShowsWhatIsKnownWithReasonOwnerAndDeadline(t *testing.T) {
	for lang, words := range map[string][]string{
		"fr": {"Non-conformités connues", "équipe Intégration", "31/01/2027", "périmée", "en retard", "sans correspondance", "3/10"},
		"en": {"Known nonconformities", "équipe Intégration", "31 January 2027", "stale", "overdue", "unmatched", "3/10"},
	} {
		var b bytes.Buffer
		if err := html.Write(&b, sample.Known(), lang); err != nil {
			t.Fatal(err)
		}
		for _, w := range words {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s: %q is not there", lang, w)
			}
		}
		b.Reset()
		if err := html.Write(&b, sample.Report(), lang); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), words[0]) {
			t.Errorf("%s: without a list there is no section", lang)
		}
	}
}

func TestHostileEntriesStayText(t *testing.T) {
	r := sample.Report()
	bad := `"><script>alert(1)</script>`
	r.Weigh([]reports.Known{{ID: bad, Kind: bad, Finding: bad, Reason: bad, Owner: bad, Deadline: bad, Seen: bad}}, bad, func(string) bool { return false })
	var b bytes.Buffer
	if err := html.Write(&b, r, "fr"); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script>alert") {
		t.Error("a script got through")
	}
}

package junit_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/reports/internal/sample"
	"github.com/etalon-sante/etalon/reports/junit"
)

func TestWhatIsKnownStaysAFailureAndSaysSo(t *testing.T) {
	var with, without bytes.Buffer
	if err := junit.Write(&with, sample.Known(), "fr"); err != nil {
		t.Fatal(err)
	}
	if err := junit.Write(&without, sample.Report(), "fr"); err != nil {
		t.Fatal(err)
	}
	a, b := with.String(), without.String()
	if strings.Count(a, "<failure") != strings.Count(b, "<failure") || strings.Count(a, "<failure") == 0 {
		t.Error("the number of failures moved")
	}
	// INT-04.1 and INT-46.1: of the two findings of INT-34.1 one alone is known.
	if n := strings.Count(a, "à corriger au plus tard le 31/01/2027"); n != 2 {
		t.Errorf("%d test cases say that they are known", n)
	}
}

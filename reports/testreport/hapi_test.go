package testreport_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/sample"
)

// HAPI's validator, with the definitions of R4, finds no error in what we write.
func TestHAPIAcceptsTheResource(t *testing.T) {
	if os.Getenv("ETALON_ORACLES") != "1" {
		t.Skip("NOT TESTED against HAPI: set ETALON_ORACLES=1 (needs Java 17, Maven and ../shared/oracles)")
	}
	const tool = "../../../shared/oracles/fhir/validate"
	if _, err := os.Stat(tool); err != nil {
		t.Skipf("NOT TESTED against HAPI: %v", err)
	}
	var empty reports.Report
	empty.Conclude()
	args := []string{}
	for name, r := range map[string]reports.Report{
		"few": sample.Few(), "sample": sample.Report(), "empty": empty, "hostile": sample.Hostile("\x00\x1b]0;\a<script>&]]>\u202e\xff"), "empty-fields": sample.Hostile(""),
	} {
		for _, lang := range []string{"fr", "en"} {
			file := filepath.Join(t.TempDir(), name+"."+lang+".json")
			if err := os.WriteFile(file, write(t, r, lang), 0o600); err != nil {
				t.Fatal(err)
			}
			args = append(args, file)
		}
	}
	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, bytes.Replace(write(t, sample.Few(), "fr"), []byte(`"result":"pass"`), []byte(`"result":"passed"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool, append(args, broken)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if len(out) == 0 {
		t.Skipf("NOT TESTED against HAPI: %v\n%s", err, &stderr)
	}
	n := 0
	s := bufio.NewScanner(bytes.NewReader(out))
	for s.Buffer(nil, 64<<20); s.Scan(); n++ {
		var verdict struct {
			OK     bool            `json:"ok"`
			Issues json.RawMessage `json:"issues"`
		}
		if err := json.Unmarshal(s.Bytes(), &verdict); err != nil {
			t.Fatalf("%v: %s", err, s.Bytes())
		}
		if want := n < len(args); verdict.OK != want {
			t.Errorf("file %d: accepted %v, want %v: %.2000s", n, verdict.OK, want, verdict.Issues)
		}
	}
	if n != len(args)+1 {
		t.Errorf("%d answers for %d files: %s", n, len(args)+1, &stderr)
	}
}

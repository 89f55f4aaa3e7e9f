package fhir_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestHAPIJudgesThePublishedMeasuresAsTheTableSays asks the HAPI validator. It
// takes a minute on a cold start, so it runs on demand.
func TestHAPIJudgesThePublishedMeasuresAsTheTableSays(t *testing.T) {
	if os.Getenv("ETALON_ORACLES") != "1" {
		t.Skip("NOT TESTED against HAPI: set ETALON_ORACLES=1 (needs Java 17, Maven and ../shared/oracles)")
	}
	oracle := "../../../shared/oracles/fhir/validate"
	if _, err := os.Stat(oracle); err != nil {
		t.Skipf("NOT TESTED against HAPI: %v", err)
	}
	args := []string{"--mes"}
	for name := range publishedMeasures() {
		published(t, "mesures-examples/"+name)
		args = append(args, filepath.Join(third, "mesures-examples", name))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, oracle, args...).Output()
	if err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	seen := 0
	for line := range bytes.Lines(out) {
		var verdict struct {
			File string `json:"file"`
			OK   bool   `json:"ok"`
		}
		start := bytes.IndexByte(line, '{') // the first line begins with terminal codes
		if start < 0 || json.Unmarshal(line[start:], &verdict) != nil {
			continue
		}
		want, ok := publishedMeasures()[filepath.Base(verdict.File)]
		if !ok {
			continue
		}
		seen++
		if verdict.OK != want.hapi {
			t.Errorf("%s: HAPI says %v, the table says %v", verdict.File, verdict.OK, want.hapi)
		}
	}
	if seen != len(publishedMeasures()) {
		t.Errorf("%d verdicts of %d", seen, len(publishedMeasures()))
	}
}

package blindspots

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/suites/run"
)

func TestTry(t *testing.T) {
	rec, err := run.ReadFolder("/tmp/d1")
	if err != nil {
		t.Skip(err)
	}
	m, err := Of(rec, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d variants, %d noticed %d undecided %d blind %d broken %.1f s", m.Variants, m.Noticed, m.Undecided, m.Blind, m.Broken, m.Seconds)
	b, _ := json.MarshalIndent(m, "", " ")
	_ = os.WriteFile("/tmp/map.json", b, 0o644)
}

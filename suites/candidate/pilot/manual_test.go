package pilot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
)

// screen is what the person reads; it may be written and read at once.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func byHand(t *testing.T, lang, typed string) (*pilot.Manual, *screen) {
	t.Helper()
	out := &screen{}
	m := pilot.NewManual(pilot.ManualOptions{
		In: strings.NewReader(typed), Out: out, Lang: lang,
		Patient: func(handle string) (pilot.Account, bool) {
			return pilot.Account{Login: "camille.test", Password: "azur-42"}, handle == "p-1"
		},
		Note: func(candidate.Call) string { return "note-of-the-lab" },
	})
	t.Cleanup(m.Close)
	return m, out
}

func TestAPersonIsToldWhatToDoAndAnswersWithALetter(t *testing.T) {
	measure := map[string]any{"measure": map[string]any{"kind": "weight", "value": 72.5, "unit": "kg", "at": "2026-11-22T08:30:00+01:00"}}
	for name, c := range map[string]struct {
		lang, typed string
		call        candidate.Call
		status      string
		message     string
		screen      []string
	}{
		"done in French": {
			"fr", "f\n",
			candidate.Call{Action: candidate.SendMeasure, Patient: "p-1", Payload: measure},
			"done", "",
			[]string{"À vous", "poids 72.5 kg", "22/11/2026 à 08:30:00", "camille.test", "azur-42", "patient de test n° 1", "note-of-the-lab"},
		},
		"done in English": {
			"en", "d\n",
			candidate.Call{Action: candidate.SendMeasure, Patient: "p-1", Payload: measure},
			"done", "",
			[]string{"Your turn", "weight 72.5 kg", "22 November 2026"},
		},
		"refused with a reason": {"en", "r not paired\n", candidate.Call{Action: candidate.SendMeasure, Payload: measure}, "refused", "not paired", nil},
		"failed in French":      {"fr", "e écran blanc\n", candidate.Call{Action: candidate.Unpair}, "failed", "écran blanc", nil},
		"not possible":          {"fr", "i\n", candidate.Call{Action: candidate.Unpair}, "unsupported", "", nil},
		"after a wrong letter":  {"en", "x\n\nD\n", candidate.Call{Action: candidate.Pair}, "done", "", []string{"paste here the link"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, out := byHand(t, c.lang, c.typed)
			answer, err := m.Do(t.Context(), c.call)
			if err != nil || answer.Status != c.status || answer.Message != c.message {
				t.Fatalf("%+v %v", answer, err)
			}
			for _, want := range c.screen {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q on screen:\n%s", want, out)
				}
			}
		})
	}
}

func TestAPersonSaysWhatTheServiceShows(t *testing.T) {
	document := filepath.Join(t.TempDir(), "d.pdf")
	if err := os.WriteFile(document, []byte("%PDF"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		typed string
		call  candidate.Call
		data  string
	}{
		"status": {
			"d\nmaybe\ny\nn\nTry again later\n",
			candidate.Call{Action: candidate.Status},
			`{"lastError":"Try again later","offersPairing":false,"paired":true}`,
		},
		"measures": {
			"d\nnonsense\n72,5 kg 2026-11-22T08:30:00+01:00\n1 2 3 4\n\n",
			candidate.Call{Action: candidate.ReadMeasures, Payload: map[string]any{"kind": "weight", "last": true}},
			`{"measures":[{"at":"2026-11-22T08:30:00+01:00","kind":"weight","unit":"kg","value":72.5}]}`,
		},
		"pressure": {
			"d\n120/80 mm[Hg] 2026-11-22T08:30:00Z\n\n",
			candidate.Call{Action: candidate.ReadMeasures, Payload: map[string]any{"kind": "blood-pressure"}},
			`{"measures":[{"at":"2026-11-22T08:30:00Z","components":{"diastolic":80,"systolic":120},"kind":"blood-pressure","unit":"mm[Hg]"}]}`,
		},
		"nothing shown": {"d\n\n", candidate.Call{Action: candidate.ReadMeasures}, `{"measures":[]}`},
		"documents": {
			"d\nCompte rendu\n\n",
			candidate.Call{Action: candidate.SearchDocuments, Payload: map[string]any{}},
			`{"documents":[{"id":"Compte rendu","title":"Compte rendu"}]}`,
		},
		"document": {
			"d\n/no/such/file\n" + document + "\n",
			candidate.Call{Action: candidate.ReadDocument, Payload: map[string]any{"id": "x"}},
			`{"content":"JVBERg=="}`,
		},
		"configure": {
			"d\nnot an address\nhttps://carnet.example.fr/callback\n\n",
			candidate.Call{Action: candidate.Configure, Payload: map[string]any{}},
			`{"redirectUris":["https://carnet.example.fr/callback"]}`,
		},
		"unpair": {"d\n", candidate.Call{Action: candidate.Unpair}, ``},
	} {
		t.Run(name, func(t *testing.T) {
			m, out := byHand(t, "en", c.typed)
			answer, err := m.Do(t.Context(), c.call)
			if err != nil || string(answer.Data) != c.data {
				t.Fatalf("%s %v\n%s", answer.Data, err, out)
			}
		})
	}
}

func TestALinkPastedForPairingIsVisitedByTheHarness(t *testing.T) {
	m, _ := byHand(t, "fr", "https://carnet.example.fr/pair?once=1\n")
	answer, err := m.Do(t.Context(), candidate.Call{Action: candidate.Pair})
	if err != nil || answer.Open != "https://carnet.example.fr/pair?once=1" {
		t.Fatalf("%+v %v", answer, err)
	}
}

func TestStoppingForTodayAndTheEndOfTheInputCanBeResumed(t *testing.T) {
	for name, typed := range map[string]string{"s": "s\n", "end of input": "", "s in a question": "d\ns\n", "end in a question": "d\n"} {
		t.Run(name, func(t *testing.T) {
			m, _ := byHand(t, "en", typed)
			if _, err := m.Do(t.Context(), candidate.Call{Action: candidate.Status}); !errors.Is(err, pilot.ErrStopped) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTheSandboxTicksAStepOffAndALateKeyIsForgotten(t *testing.T) {
	keys, keyboard := io.Pipe()
	defer keyboard.Close()
	seen := make(chan struct{})
	out := &screen{}
	watched := make(chan candidate.Action, 2)
	m := pilot.NewManual(pilot.ManualOptions{In: keys, Out: out, Lang: "fr", Watch: func(_ context.Context, call candidate.Call) <-chan struct{} {
		watched <- call.Action
		return seen
	}})
	defer m.Close()
	close(seen)
	answer, err := m.Do(t.Context(), candidate.Call{Action: candidate.SendMeasure, Payload: map[string]any{}})
	if err != nil || answer.Status != "done" || !strings.Contains(out.String(), "vu par le bac à sable") {
		t.Fatalf("%+v %v\n%s", answer, err, out)
	}
	if a := <-watched; a != candidate.SendMeasure {
		t.Errorf("watched %s", a)
	}
	// What a service shows no sandbox can see: the person still answers.
	go func() { _, _ = io.WriteString(keyboard, "f\no\nn\n\n") }()
	answer, err = m.Do(t.Context(), candidate.Call{Action: candidate.Status})
	if err != nil || !json.Valid(answer.Data) {
		t.Fatalf("%+v %v\n%s", answer, err, out)
	}
}

func TestAStepThatNobodyAnswersTimesOut(t *testing.T) {
	keys, keyboard := io.Pipe()
	defer keyboard.Close()
	m := pilot.NewManual(pilot.ManualOptions{In: keys, Out: io.Discard, Lang: "en"})
	defer m.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err := m.Do(ctx, candidate.Call{Action: candidate.Pair})
	mustFail(t, err, pilot.Timeout)

	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := m.Do(gone, candidate.Call{Action: candidate.Pair}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestStepsTakeTurns(t *testing.T) {
	m, out := byHand(t, "en", strings.Repeat("d\n", 8))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := m.Do(t.Context(), candidate.Call{Action: candidate.Unpair}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := strings.Count(out.String(), "Your turn"); n != 8 {
		t.Errorf("%d steps on screen", n)
	}
}

func TestControlCharactersNeverReachTheTerminal(t *testing.T) {
	m, out := byHand(t, "en", "d\n")
	if _, err := m.Do(t.Context(), candidate.Call{Action: candidate.SendDocument, Payload: map[string]any{"document": map[string]any{"title": "a\x1b[2Jb\u009bc"}}}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\u009b") {
		t.Errorf("%q", out)
	}
}

func FuzzAnAnswerIsReadStrictlyOrRefused(f *testing.F) {
	for _, seed := range []string{`{"status":"done"}`, `{"status":"done","data":{"a":[1,{"b":null}]},"open":"https://x.fr/"}`, `{`, `[]`, `{"status":"done","status":"done"}`, `{"status":1e999}`, "\xff", ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		answer, err := pilot.DecodeAnswer(raw)
		if err != nil {
			return
		}
		switch answer.Status {
		case "done", "refused", "failed", "unsupported":
		default:
			t.Errorf("status %q", answer.Status)
		}
		if !json.Valid(raw) || answer.Data != nil && !json.Valid(answer.Data) {
			t.Errorf("accepted %q", raw)
		}
	})
}

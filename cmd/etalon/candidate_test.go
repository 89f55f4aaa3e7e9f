package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/etalon-sante/etalon/fixtures/flaws"
	"github.com/etalon-sante/etalon/fixtures/reference"
)

const pilotToken = "jeton-du-pilote-pour-les-essais"

// candidateFor starts a candidate in this process and writes its manifest and
// the authority of its site. The words say which candidate it is:
//
//	flaw=ID        the reference with this flaw
//	empty=ID       a pilot with nothing behind it
//	pilot=WORD     the reference, whose pilot misbehaves (see misbehaving)
//	host=NAME      the pilot's address is of this host, whoever it is
//	PATH=VALUE     a value of the manifest: timing.action=300ms
func candidateFor(ctx context.Context, dir string, words []string) (*reference.Service, error) {
	parts := reference.DefaultParts()
	set := map[string]string{}
	stop := func() {}
	host := ""
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "flaw":
			i := slices.IndexFunc(flaws.All(), func(f flaws.Flaw) bool { return f.ID == value || f.Check == value })
			if i < 0 {
				return nil, fmt.Errorf("no flaw %q", value)
			}
			flaws.All()[i].Apply(&parts)
		case "empty":
			i := slices.IndexFunc(flaws.Empty(), func(e flaws.EmptyCandidate) bool { return e.ID == value })
			if i < 0 {
				return nil, fmt.Errorf("no empty candidate %q", value)
			}
			parts.Pilot = func(http.Handler) http.Handler { return flaws.Empty()[i].Handler }
		case "host":
			host = value
		case "pilot":
			bad, ok := misbehaving(func() { stop() })[value]
			if !ok {
				return nil, fmt.Errorf("no pilot %q", value)
			}
			parts.Pilot = bad
		default:
			set[key] = value
		}
	}
	s, err := reference.Start(ctx, reference.Config{PilotToken: pilotToken, Parts: parts})
	if err != nil {
		return nil, err
	}
	stop = s.Close
	if host != "" {
		set["pilot.url"] = strings.Replace(s.Addresses().Pilot, "127.0.0.1", host, 1)
	}
	manifest, err := patched(s.Manifest(), set)
	if err != nil {
		s.Close()
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "candidate.yaml"), manifest, 0o644); err != nil {
		s.Close()
		return nil, err
	}
	return s, os.WriteFile(filepath.Join(dir, "ca.pem"), s.CA(), 0o644)
}

// patched sets values of a manifest; an empty value removes the field.
func patched(manifest []byte, set map[string]string) ([]byte, error) {
	var m map[string]any
	if err := yaml.Unmarshal(manifest, &m); err != nil {
		return nil, err
	}
	for path, value := range set {
		at := m
		steps := strings.Split(path, ".")
		for _, s := range steps[:len(steps)-1] {
			next, ok := at[s].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[s] = next
			}
			at = next
		}
		last := steps[len(steps)-1]
		switch n, err := strconv.Atoi(value); {
		case value == "":
			delete(at, last)
		case err == nil:
			at[last] = n
		case value == "true" || value == "false":
			at[last] = value == "true"
		case strings.HasPrefix(value, "[") || strings.HasPrefix(value, "{"):
			var v any
			if err := yaml.Unmarshal([]byte(value), &v); err != nil {
				return nil, err
			}
			at[last] = v
		default:
			at[last] = value
		}
	}
	return yaml.Marshal(m)
}

// misbehaving are the pilots that a harness meets in the field, around that of
// the reference.
func misbehaving(die func()) map[string]func(http.Handler) http.Handler {
	instead := func(h http.HandlerFunc) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler { return h }
	}
	// Of the actions a run asks for, these let some through.
	only := func(action string, h http.HandlerFunc) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if path.Base(r.URL.Path) == action {
					h(w, r)
					return
				}
				next.ServeHTTP(w, r)
			})
		}
	}
	return map[string]func(http.Handler) http.Handler{
		"html": instead(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<!doctype html><title>Bienvenue</title><p>Bienvenue</p>")
		}),
		"half": instead(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"status":"do`)
		}),
		"huge": instead(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"status":"done","message":"`)
			block := strings.Repeat("a", 1<<20)
			for range 100 {
				if _, err := io.WriteString(w, block); err != nil {
					return // the harness has read enough
				}
			}
			_, _ = io.WriteString(w, `"}`)
		}),
		"without-status": only("status", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"status":"unsupported"}`)
		}),
		// Of the runs that it meets, it fails to send in the second, the fourth…
		"flaky": func(next http.Handler) http.Handler {
			var mu sync.Mutex
			var runs []string
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				var asked struct{ Run string }
				if err != nil || json.Unmarshal(body, &asked) != nil {
					http.Error(w, "no", http.StatusBadRequest)
					return
				}
				mu.Lock()
				if !slices.Contains(runs, asked.Run) {
					runs = append(runs, asked.Run)
				}
				n := slices.Index(runs, asked.Run)
				mu.Unlock()
				if n%2 == 1 && path.Base(r.URL.Path) == "send-measure" {
					_, _ = io.WriteString(w, `{"status":"failed","message":"one time out of two"}`)
					return
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				next.ServeHTTP(w, r)
			})
		},
		"dies": func(next http.Handler) http.Handler {
			var calls atomic.Int32
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1) < 12 {
					next.ServeHTTP(w, r)
					return
				}
				go die() // as a process that is killed: no answer, and no listener afterwards
				if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
					_ = c.Close()
				}
			})
		},
	}
}

// startCandidate is candidateFor for the tests in Go.
func startCandidate(t *testing.T, dir string, words ...string) *reference.Service {
	t.Helper()
	s, err := candidateFor(t.Context(), dir, words)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// freePort is a port on which nothing listens.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/etalon-sante/etalon/reports"
)

type script = testscript.TestScript

// scriptCommands are the commands of the scripts under testdata/script that are
// not testscript's own.
func scriptCommands() map[string]func(ts *script, neg bool, args []string) {
	return map[string]func(*script, bool, []string){
		"exits":     exits,
		"candidate": candidateCommand,
		"report":    reportIs,
		"same":      sameJudgement,
		"keys":      keys,
		"sparse":    sparse,
		"cut":       cut,
		"nested":    nested,
		"freeport":  freeport,
		"occupy":    occupy,
		"certify":   certify,
		"proxy":     proxy,
	}
}

// exits CODE PROGRAM ARG…: the program ends with just this code.
func exits(ts *script, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	if got := exited(err); got != args[0] {
		ts.Fatalf("it ended with %s, not %s", got, args[0])
	}
}

// candidate WORD…: see candidateFor. It answers until the script ends.
func candidateCommand(ts *script, _ bool, args []string) {
	s, err := candidateFor(context.Background(), ts.MkAbs("."), args)
	ts.Check(err)
	ts.Defer(s.Close)
	ts.Setenv("ETALON_PILOT_TOKEN", pilotToken)
	// The trust roots of a run are the system's: for these processes, those of
	// the candidate's own authority.
	ts.Setenv("SSL_CERT_FILE", ts.MkAbs("ca.pem"))
	ts.Setenv("RESOLVER", s.Addresses().Resolver)
}

// report FILE WORD=VALUE…: the report is valid and says this. A word is
// verdict, exit, partial, interrupted, results, note, or the id of a requirement
// or check, whose value is a verdict.
func reportIs(ts *script, _ bool, args []string) {
	r, err := reports.Read([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	verdicts := map[string]string{}
	for _, res := range r.Results {
		verdicts[res.Requirement] = string(res.Verdict)
		for _, c := range res.Checks {
			verdicts[c.ID] = string(c.Verdict)
		}
	}
	for _, w := range args[1:] {
		word, want, _ := strings.Cut(w, "=")
		var got string
		switch word {
		case "verdict":
			got = string(r.Verdict)
		case "exit":
			got = strconv.Itoa(r.ExitCode)
		case "partial":
			got = strconv.FormatBool(r.Run.Partial)
		case "interrupted":
			got = strconv.FormatBool(r.Run.Interrupted)
		case "results":
			got = strconv.Itoa(len(r.Results))
		case "form":
			got = r.Run.Sandbox.Form
		case "note":
			if !slices.ContainsFunc(r.Notes, func(n reports.Note) bool { return regexp.MustCompile(want).MatchString(n.Text.EN) }) {
				ts.Fatalf("no note says %q: %+v", want, r.Notes)
			}
			continue
		default:
			got = verdicts[word]
		}
		if got != want {
			ts.Fatalf("%s is %q, not %q", word, got, want)
		}
	}
}

// same A B: two reports hold the same verdicts and findings, all of them.
func sameJudgement(ts *script, neg bool, args []string) {
	a, err := reports.Read([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	b, err := reports.Read([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	if len(a.Results) == 0 {
		ts.Fatalf("%s holds no result", args[0])
	}
	if same := reflect.DeepEqual(a, b); same == neg {
		for i := range min(len(a.Results), len(b.Results)) {
			if !reflect.DeepEqual(a.Results[i], b.Results[i]) {
				ts.Logf("%+v\n%+v", a.Results[i], b.Results[i])
			}
		}
		ts.Fatalf("the same: %t", same)
	}
}

// keys FILE KEY…: a JSON object holds each of these, none of them null; KEY[] is a
// list.
func keys(ts *script, _ bool, args []string) {
	raw := ts.ReadFile(args[0])
	var v map[string]json.RawMessage
	ts.Check(json.Unmarshal([]byte(raw), &v))
	for _, k := range args[1:] {
		name, list := strings.CutSuffix(k, "[]")
		value, ok := v[name]
		if !ok || string(value) == "null" {
			ts.Fatalf("no key %q in %s", name, raw)
		}
		if list && !bytes.HasPrefix(value, []byte("[")) {
			ts.Fatalf("%s is no list: %s", name, value)
		}
	}
}

// sparse FILE BYTES: the file has this size, without taking the room.
func sparse(ts *script, _ bool, args []string) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_CREATE|os.O_WRONLY, 0o644)
	ts.Check(err)
	ts.Check(f.Truncate(size))
	ts.Check(f.Close())
}

// cut FILE BYTES: the file loses its last bytes.
func cut(ts *script, _ bool, args []string) {
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	st, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), st.Size()-n))
}

// nested FILE DEPTH: a YAML list in a list, and so on.
func nested(ts *script, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte("etalon: 1\neditor: "+strings.Repeat("[", n)+strings.Repeat("]", n)+"\n"), 0o644))
}

// freeport NAME: a port on which nothing listens.
func freeport(ts *script, _ bool, args []string) {
	port, err := freePort()
	ts.Check(err)
	ts.Setenv(args[0], port)
}

// occupy NAME: a port on which something else listens until the script ends.
func occupy(ts *script, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
}

package fhir

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// thirdParty is where published resources are, that are no part of the project.
const thirdParty = "../../../shared/data"

// sample is a resource to judge, and where it comes from.
type sample struct {
	name  string
	value map[string]any
}

// samples lists the resources that have a schema: ours, and those published
// beside the project. Without the latter a test says so and goes on.
func samples(t testing.TB, r *Rules) []sample {
	t.Helper()
	var out []sample
	add := func(name string, v any) {
		for i, res := range resourcesOf(v) {
			out = append(out, sample{fmt.Sprintf("%s#%d", name, i), res})
		}
	}
	decoded := func(name string, b []byte) {
		if v, err := Decode(b); err == nil {
			add(name, v)
		}
	}
	for _, c := range shapes() {
		decoded("ours/"+c.says, []byte(c.in))
	}
	for _, c := range brokenFeeds() {
		decoded("ours/"+c.says, c.feedOf(t, r, false))
	}
	for _, x := range r.Measures() {
		decoded("ours/"+x.Kind, raw(t, transaction(observationEntry(goodObservation(r, x.Kind)), deviceEntry(goodDevice()))))
	}
	decoded("ours/outcome", Outcome(nil))
	published := 0
	for name, b := range publishedFiles(t) {
		before := len(out)
		decoded(name, b)
		published += len(out) - before
	}
	if published == 0 {
		t.Logf("NOT TESTED on published resources: none beside the project (expected at %s)", thirdParty)
	}
	slices.SortFunc(out, func(a, b sample) int { return strings.Compare(a.name, b.name) })
	return out
}

// publishedFiles reads every JSON file beside the project, by path.
func publishedFiles(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(thirdParty, func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(thirdParty, path)
		out[filepath.ToSlash(rel)] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// resourcesOf returns a resource and those in its entries, where they have a
// schema.
func resourcesOf(v any) []map[string]any {
	var out []map[string]any
	m, _ := v.(map[string]any)
	if slices.Contains(Shaped(), text(m, "resourceType")) {
		out = append(out, m)
	}
	for _, e := range list(m, "entry") {
		out = append(out, resourcesOf(object(e, "resource"))...)
	}
	return out
}

// mutant is a resource with one thing changed.
type mutant struct {
	how, at string
	value   map[string]any
}

// mutants changes one thing at a time: each value is dropped, made null, given
// another type, emptied, made another code; each object gains a member that FHIR
// does not have. The resource type itself is left.
func mutants(v map[string]any) []mutant {
	var out []mutant
	whole, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	// rebuild copies the resource and lets change work on the copy.
	rebuild := func(how, at string, change func(root map[string]any)) {
		copied, err := Decode(whole)
		if err != nil {
			return
		}
		root, _ := copied.(map[string]any)
		change(root)
		out = append(out, mutant{how, at, root})
	}
	var walk func(node any, path []any)
	walk = func(node any, path []any) {
		at := pointerFrom(path)
		if len(path) > 0 && at != "/resourceType" {
			rebuild("drop", at, func(root map[string]any) { change(root, path, nil, true) })
			rebuild("null", at, func(root map[string]any) { change(root, path, nil, false) })
			all := others(node)
			for _, how := range slices.Sorted(maps.Keys(all)) { // always the same mutants in the same order
				rebuild(how, at, func(root map[string]any) { change(root, path, all[how], false) })
			}
		}
		switch x := node.(type) {
		case map[string]any:
			rebuild("extra", at, func(root map[string]any) { change(root, append(slices.Clone(path), "unFHIR"), "x", false) })
			for _, name := range slices.Sorted(maps.Keys(x)) {
				walk(x[name], append(slices.Clone(path), name))
			}
		case []any:
			for i, c := range x {
				walk(c, append(slices.Clone(path), i))
			}
		}
	}
	walk(v, nil)
	return out
}

// others lists values of another type, or of the same type and wrong, each with
// a word for it.
func others(node any) map[string]any {
	switch x := node.(type) {
	case string:
		return map[string]any{"number": json.Number("7"), "list": []any{x}, "empty": "", "blank": " ", "another": x + "Zz9"}
	case json.Number:
		return map[string]any{"text": x.String(), "negative": json.Number("-3"), "fraction": json.Number("0.5")}
	case bool:
		return map[string]any{"text": fmt.Sprint(x)}
	case []any:
		return map[string]any{"object": map[string]any{"id": "a"}, "empty": []any{}}
	case map[string]any:
		return map[string]any{"text": "x", "list": []any{x}, "empty": map[string]any{}}
	}
	return nil
}

// change sets or drops the value at a path.
func change(root map[string]any, path []any, to any, drop bool) {
	var parent any = root
	for _, p := range path[:len(path)-1] {
		switch k := p.(type) {
		case string:
			parent = parent.(map[string]any)[k]
		case int:
			parent = parent.([]any)[k]
		}
	}
	switch k := path[len(path)-1].(type) {
	case string:
		m := parent.(map[string]any)
		if drop {
			delete(m, k)
			return
		}
		m[k] = to
	case int:
		parent.([]any)[k] = to // an item that is dropped is a null: the list's own mutants shorten it
	}
}

func pointerFrom(path []any) string {
	var b strings.Builder
	for _, p := range path {
		b.WriteString("/" + escape(fmt.Sprint(p)))
	}
	return b.String()
}

// some keeps at most n mutants, evenly.
func some(all []mutant, n int) []mutant {
	if len(all) <= n {
		return all
	}
	out := make([]mutant, 0, n)
	for i := range n {
		out = append(out, all[i*len(all)/n])
	}
	return out
}

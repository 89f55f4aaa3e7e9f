package requirement_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/etalon-sante/etalon/suites/requirement"
)

// small is the smallest catalogue that loads.
func small() fstest.MapFS {
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"catalogue.yaml": "version: \"2026-11\"\nchapters:\n  - pairing\n",
		"sources.yaml":   "sources:\n  - key: rfc-1\n    document: RFC 1\n    note: {fr: Lue., en: Read.}\n",
		"phrases.yaml":   "levelBases:\n  unread: {fr: Non lu., en: Not read.}\nacts:\n  pair: {fr: Appariez., en: Pair.}\n",
		"pairing.yaml": `title: {fr: Appariement, en: Pairing}
defaults: {theme: interop, family: technical, level: unknown, levelBasis: unread, verification: automatic}
requirements:
  - id: INT-01
    title: {fr: Titre, en: Title}
    statement: {fr: Le service., en: The service.}
    why: {fr: Parce que., en: Because.}
    fix: {fr: Faites., en: Do.}
    sources:
      - {key: rfc-1, section: "4", basis: stated}
    act: pair
    checks:
      - id: INT-01.1
        title: {fr: Contrôle, en: Check}
        witness: sandbox
`,
	} {
		files["cat/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

func TestTheSmallestCatalogueLoads(t *testing.T) {
	c, err := requirement.LoadFS(small(), "cat")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Requirements) != 1 || len(c.Checks()) != 1 || c.Requirements[0].Theme != "interop" {
		t.Fatalf("%+v", c.Requirements)
	}
}

func TestABadCatalogueIsRefusedWithFileLineAndCure(t *testing.T) {
	const second = "  - id: INT-02\n    title: {fr: T, en: T}\n    statement: {fr: S., en: S.}\n    why: {fr: P., en: B.}\n    fix: {fr: F., en: D.}\n    sources: [{key: rfc-1, section: \"4\", basis: stated}]\n"
	for name, c := range map[string]struct {
		file, old, new string
		at             string // file:line of the first problem
		says           string
		cure           string
	}{
		"an unknown field":                     {"pairing", "    act: pair\n", "    act: pair\n    colour: red\n", "pairing.yaml:12", `"colour" is not known`, "remove it"},
		"a mistyped field of a check":          {"pairing", "witness:", "witnes:", "pairing.yaml:15", `"witnes" is not known`, "correct its name"},
		"a duplicate field":                    {"pairing", "    act: pair\n", "    act: pair\n    act: pair\n", "pairing.yaml:12", "stands twice", "keep one"},
		"a text where a list is needed":        {"pairing", "requirements:\n", "requirements: none\nx:\n", "pairing.yaml:3", "expected a list", "list"},
		"broken YAML":                          {"pairing", "fr: Titre, en: Title}", "fr: Titre, en: Title", "pairing.yaml:5", "brace { opened here", "add it"},
		"an alias":                             {"pairing", "why: {fr: Parce que., en: Because.}", "why: &w {fr: P., en: B.}", "pairing.yaml:7", "anchor", "remove it"},
		"a requirement that stands twice":      {"pairing", "requirements:\n", "requirements:\n" + strings.Replace(second, "INT-02", "INT-01", 1) + "    verification: declared\n", "pairing.yaml:11", "INT-01 stands twice (first in pairing.yaml, line 4)", "number of its own"},
		"a check that stands twice":            {"pairing", "    checks:\n", "    checks:\n      - id: INT-01.1\n        title: {fr: C, en: C}\n        witness: sandbox\n", "pairing.yaml:16", "INT-01.1 stands twice", "number of its own"},
		"a missing language":                   {"pairing", ", en: Because.", "", "pairing.yaml:7", "why has no English text", "write it in the field en"},
		"an empty language":                    {"pairing", "fr: Contrôle", "fr: \" \"", "pairing.yaml:14", "title has no French text", "write it in the field fr"},
		"a missing text":                       {"pairing", "    fix: {fr: Faites., en: Do.}\n", "", "pairing.yaml:4", "fix has no French text", "write it"},
		"a source that is not known":           {"pairing", "key: rfc-1", "key: rfc-2", "pairing.yaml:10", `"rfc-2" is not in sources.yaml`, "correct the key"},
		"a source without a key":               {"pairing", "key: rfc-1, ", "", "pairing.yaml:10", "a source has no key", "write one of sources.yaml"},
		"no source":                            {"pairing", "    sources:\n      - {key: rfc-1, section: \"4\", basis: stated}\n", "", "pairing.yaml:4", "no source is named", "name at least one"},
		"a basis that is not known":            {"pairing", "basis: stated", "basis: guessed", "pairing.yaml:10", `the basis "guessed"`, "stated, derived, assumed"},
		"a date that does not exist":           {"pairing", "    act: pair\n", "    from: \"2026-02-30\"\n    act: pair\n", "pairing.yaml:11", `"2026-02-30" of from has no sense`, "2026-11-22"},
		"a date of another shape":              {"pairing", "    act: pair\n", "    until: 22/11/2026\n    act: pair\n", "pairing.yaml:11", "has no sense", "2026-11-22"},
		"a date of the year 20026":             {"pairing", "    act: pair\n", "    from: \"0026-02-03\"\n    act: pair\n", "pairing.yaml:11", "has no sense", "2026-11-22"},
		"an end before the beginning":          {"pairing", "    act: pair\n", "    from: \"2026-02-03\"\n    until: \"2026-02-02\"\n    act: pair\n", "pairing.yaml:12", "comes before", "swap or correct"},
		"nothing that judges":                  {"pairing", "    act: pair\n    checks:\n      - id: INT-01.1\n        title: {fr: Contrôle, en: Check}\n        witness: sandbox\n", "", "pairing.yaml:4", "nothing judges it", "add a check"},
		"an exclusion without a reason":        {"pairing", "    act: pair\n    checks:\n      - id: INT-01.1\n        title: {fr: Contrôle, en: Check}\n        witness: sandbox\n", "    verification: excluded\n", "pairing.yaml:4", "excluded has no French text", "write it"},
		"a reason without an exclusion":        {"pairing", "    act: pair\n", "    act: pair\n    excluded: {fr: R., en: R.}\n", "pairing.yaml:12", "a reason of exclusion stands", "remove it or exclude it"},
		"a declaration that has checks":        {"pairing", "    act: pair\n", "    act: pair\n    verification: declared\n", "pairing.yaml:14", "has checks though", "remove them"},
		"a theme of other ids":                 {"pairing", "theme: interop", "theme: ethics", "pairing.yaml:4", `the theme "ethics"`, "write interop"},
		"a family that is not known":           {"pairing", "family: technical", "family: legal", "pairing.yaml:4", `the family "legal"`, "technical, urbanisation"},
		"a level that is not known":            {"pairing", "level: unknown", "level: high", "pairing.yaml:4", `the level "high"`, "mandatory, recommended"},
		"a verification that is not known":     {"pairing", "verification: automatic", "verification: manual", "pairing.yaml:4", `the verification "manual"`, "automatic, assisted"},
		"a phase that is not known":            {"pairing", "    act: pair\n", "    act: pair\n    phase: beta\n", "pairing.yaml:12", `the phase "beta"`, "pilot or generalisation"},
		"a witness that is not known":          {"pairing", "witness: sandbox", "witness: editor", "pairing.yaml:15", `the witness "editor"`, "sandbox, candidate, harness"},
		"no witness":                           {"pairing", "        witness: sandbox\n", "", "pairing.yaml:13", `the witness ""`, "write one of"},
		"a check of another requirement":       {"pairing", "INT-01.1", "INT-02.1", "pairing.yaml:13", "does not extend INT-01", "write INT-01.1"},
		"a check numbered zero":                {"pairing", "INT-01.1", "INT-01.0", "pairing.yaml:13", "does not extend INT-01", "write INT-01.1"},
		"an id of an official shape":           {"pairing", "id: INT-01\n", "id: MES-INT-01\n", "pairing.yaml:4", "is not one of ours", "write INT-"},
		"an assumed setting of another shape":  {"pairing", "        witness: sandbox\n", "        witness: sandbox\n        assumes: Header\n", "pairing.yaml:16", "not the key of a setting", "header.id-token"},
		"a level basis that is not known":      {"pairing", "levelBasis: unread", "levelBasis: guess", "pairing.yaml:4", `the basis "guess" is not in phrases.yaml`, "correct the key"},
		"an act that is not known":             {"pairing", "act: pair\n", "act: fly\n", "pairing.yaml:13", `the act "fly" is not in phrases.yaml`, "correct the key"},
		"no act":                               {"pairing", "    act: pair\n", "", "pairing.yaml:12", "no act is named", "write the key"},
		"a requirement renamed to itself":      {"pairing", "    act: pair\n", "    act: pair\n    formerly: [INT-01]\n", "pairing.yaml:12", "its own id", "remove it"},
		"a chapter without requirements":       {"pairing", "requirements:\n", "requirements: []\nx:\n", "pairing.yaml:4", "", ""},
		"a version that is not a month":        {"catalogue", "2026-11", "2026-13", "catalogue.yaml:1", "not a year and a month", "write it as 2026-11"},
		"a chapter that is missing":            {"catalogue", "  - pairing\n", "  - pairing\n  - agenda\n", "agenda.yaml", "cannot be read", "restore it"},
		"a chapter that stands twice":          {"catalogue", "  - pairing\n", "  - pairing\n  - pairing\n", "catalogue.yaml:4", "named twice", "keep one"},
		"a chapter that leaves the folder":     {"catalogue", "  - pairing\n", "  - pairing\n  - ../../x\n", "catalogue.yaml", "not a file name", "correct it"},
		"an index without chapters":            {"catalogue", "chapters:\n  - pairing\n", "chapters: []\n", "catalogue.yaml:2", "no chapter is named", "name at least one"},
		"a source without a title":             {"sources", "    document: RFC 1\n", "", "sources.yaml:2", "has no title", "field document"},
		"a source that stands twice":           {"sources", "sources:\n", "sources:\n  - {key: rfc-1, document: R, note: {fr: L., en: R.}}\n", "sources.yaml:3", "stands twice", "keep one"},
		"a source with a key in capitals":      {"sources", "key: rfc-1", "key: RFC 1", "sources.yaml:2", "no usable key", "lower case"},
		"a link that is not https":             {"sources", "    document: RFC 1\n", "    document: RFC 1\n    link: http://x.test/\n", "sources.yaml:4", "not an https address", "correct it or remove it"},
		"a source that nothing cites":          {"sources", "sources:\n", "sources:\n  - {key: rfc-9, document: R, note: {fr: L., en: R.}}\n", "sources.yaml", "no requirement cites the source rfc-9", "cite it or remove it"},
		"a source whose note lacks a language": {"sources", ", en: Read.", "", "sources.yaml:4", "note has no English text", "field en"},
		"a phrase that lacks a language":       {"phrases", "fr: Appariez., ", "", "phrases.yaml:4", "pair has no French text", "field fr"},
		"an act that nothing uses":             {"phrases", "acts:\n", "acts:\n  fly: {fr: Volez., en: Fly.}\n", "phrases.yaml", "nothing uses the act fly", "use it or remove it"},
		"a basis that nothing uses":            {"phrases", "levelBases:\n", "levelBases:\n  read: {fr: Lu., en: Read.}\n", "phrases.yaml", "nothing uses the basis read", "use it or remove it"},
	} {
		t.Run(name, func(t *testing.T) {
			files := small()
			f := files["cat/"+c.file+".yaml"]
			text := strings.Replace(string(f.Data), c.old, c.new, 1)
			if text == string(f.Data) {
				t.Fatalf("the case changes nothing: %q is not in %s.yaml", c.old, c.file)
			}
			f.Data = []byte(text)
			_, err := requirement.LoadFS(files, "cat")
			var e *requirement.LoadError
			if !errors.As(err, &e) {
				t.Fatalf("want *LoadError, got %v", err)
			}
			if first := e.Problems[0].String(); !strings.HasPrefix(first, "cat/"+c.at+":") {
				t.Errorf("the first problem is at another place than %s: %s", c.at, first)
			}
			if !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.cure) {
				t.Errorf("%q does not say %q and %q", err, c.says, c.cure)
			}
		})
	}
}

func TestAChapterThatTheIndexForgetsIsRefused(t *testing.T) {
	files := small()
	files["cat/agenda.yaml"] = &fstest.MapFile{Data: []byte("x: y\n")}
	_, err := requirement.LoadFS(files, "cat")
	if err == nil || !strings.Contains(err.Error(), "cat/agenda.yaml: no chapter of catalogue.yaml bears this name") {
		t.Fatal(err)
	}
}

func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	files := small()
	f := files["cat/pairing.yaml"]
	f.Data = []byte(strings.NewReplacer("witness: sandbox", "witness: x", "basis: stated", "basis: y", ", en: Because.", "").Replace(string(f.Data)))
	_, err := requirement.LoadFS(files, "cat")
	var e *requirement.LoadError
	if !errors.As(err, &e) || len(e.Problems) != 3 {
		t.Fatalf("want three problems, got %v", err)
	}
}

func TestAMissingFolderIsAnError(t *testing.T) {
	if _, err := requirement.LoadFS(fstest.MapFS{}, "nowhere"); err == nil || !strings.Contains(err.Error(), "nowhere/catalogue.yaml") {
		t.Fatal(err)
	}
}

func FuzzLoad(f *testing.F) {
	for _, file := range small() {
		f.Add(file.Data)
	}
	f.Add([]byte("title: {fr: A, en: B}\nrequirements:\n  - {}\n  - id: INT-01\n    checks: [{}, null]\n    sources: [null]\n"))
	f.Add([]byte("requirements: [null]\ndefaults: null\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"cat/pairing.yaml", "cat/sources.yaml", "cat/phrases.yaml", "cat/catalogue.yaml"} {
			files := small()
			files[name] = &fstest.MapFile{Data: data, Mode: fs.ModePerm}
			c, err := requirement.LoadFS(files, "cat")
			if err == nil {
				if len(c.Requirements) == 0 || c.Digest() == "" {
					t.Fatalf("a catalogue without requirements is accepted: %q", data)
				}
				continue
			}
			var e *requirement.LoadError
			if !errors.As(err, &e) || len(e.Problems) == 0 {
				t.Fatalf("an error that names nothing: %v", err)
			}
			for _, p := range e.Problems {
				if p.File == "" || p.Message == "" {
					t.Fatalf("a problem without file or message: %+v", p)
				}
			}
		}
	})
}

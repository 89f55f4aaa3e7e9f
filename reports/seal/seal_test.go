package seal_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/seal"
)

func day() time.Time { return time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC) }

func key(t testing.TB) seal.Key {
	t.Helper()
	k, err := seal.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// folder makes a sealed folder of a few files, one of them for the authority.
func folder(t testing.TB, k seal.Key) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"report.json": `{"a":1}`, "journal.jsonl": "line\nline\n", "persons.json": `{"who":"somebody"}`, "artifacts/one.webp": "RIFF",
		"foreign.txt": "of somebody else",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m := seal.Material{
		Report: reports.Report{
			Verdict: reports.RunConformant,
			Results: []reports.Result{{Checks: []reports.Check{
				{ID: "A-1.1", Verdict: reports.Conformant}, {ID: "A-1.2", Verdict: reports.Deviation},
				{ID: "A-1.3", Verdict: reports.Nonconformant}, {ID: "A-1.4", Verdict: reports.Untested},
			}}},
		},
		Files: []seal.File{
			{"report.json", seal.Everyone},
			{"journal.jsonl", seal.Everyone},
			{"persons.json", seal.Authority},
			{"artifacts/one.webp", seal.Everyone},
		},
		Bound: []seal.Resource{{Name: "harness", Digest: seal.Digest{"sha256": strings.Repeat("0", 64)}}},
		At:    day(),
	}
	if err := seal.Write(dir, m, k); err != nil {
		t.Fatal(err)
	}
	return dir
}

func verify(t testing.TB, dir string) seal.Verification {
	t.Helper()
	v, err := seal.Verify(dir, seal.Trust{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhatWasSealedHolds(t *testing.T) {
	k := key(t)
	v := verify(t, folder(t, k))
	if !v.Holds() || v.Key != k.Public().ID() || v.Sealed != 4 || !slices.Equal(v.Foreign, []string{"foreign.txt"}) {
		t.Errorf("%+v", v)
	}
	p := v.Statement.Predicate
	if p.Result != "PASSED" || !slices.Equal(p.PassedTests, []string{"A-1.1"}) || !slices.Equal(p.WarnedTests, []string{"A-1.2"}) || !slices.Equal(p.FailedTests, []string{"A-1.3"}) {
		t.Errorf("the predicate says %+v", p)
	}
}

// A reader who knows in-toto only must not take anything but conformant for passed.
func TestOnlyConformantIsPassed(t *testing.T) {
	for _, verdict := range []reports.RunVerdict{reports.RunNonconformant, reports.RunInconclusive, reports.RunError, reports.RunPartial, ""} {
		dir := t.TempDir()
		if err := seal.Write(dir, seal.Material{Report: reports.Report{Verdict: verdict}, At: day()}, key(t)); err != nil {
			t.Fatal(err)
		}
		if got := verify(t, dir).Statement.Predicate.Result; got != "FAILED" {
			t.Errorf("%q is %s", verdict, got)
		}
	}
}

// Every byte of every sealed file counts, and the file is named; so does every byte
// of the seal.
func TestOneByteChangedIsFound(t *testing.T) {
	dir := folder(t, key(t))
	for _, name := range []string{"report.json", "journal.jsonl", "persons.json", "artifacts/one.webp", seal.StatementFile, seal.KeyFile} {
		path := filepath.Join(dir, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		try := func(what string, b []byte) {
			t.Helper()
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
			v := verify(t, dir)
			if v.Holds() {
				t.Fatalf("%s: %s is not noticed", name, what)
			}
			if len(v.Problems) != 1 || v.Problems[0].File != name && !strings.HasPrefix(name, seal.Folder) {
				t.Fatalf("%s: %s is told as %+v", name, what, v.Problems)
			}
		}
		for i := range whole {
			b := bytes.Clone(whole)
			b[i] ^= 1
			try("a changed byte", b)
		}
		try("a byte more", append(bytes.Clone(whole), '\n'))
		try("a space before", append([]byte(" "), whole...))
		try("a byte less", whole[:len(whole)-1])
		try("nothing left", nil)
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if v := verify(t, dir); !v.Holds() {
		t.Errorf("put back, it does not hold: %+v", v.Problems)
	}
}

func TestAFileThatIsGoneOrNoFileIsFound(t *testing.T) {
	for name, do := range map[string]func(path string) error{
		"gone":     os.Remove,
		"a folder": func(p string) error { return errorsOf(os.Remove(p), os.Mkdir(p, 0o755)) },
		"a link": func(p string) error {
			return errorsOf(os.Rename(p, p+".real"), os.Symlink(filepath.Base(p)+".real", p))
		},
		"a link that leads out": func(p string) error {
			return errorsOf(os.Remove(p), os.Symlink("/etc/hostname", p))
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, file := range []string{"report.json", "artifacts/one.webp", seal.StatementFile, seal.KeyFile} {
				dir := folder(t, key(t))
				if err := do(filepath.Join(dir, file)); err != nil {
					t.Fatal(err)
				}
				if v := verify(t, dir); v.Holds() {
					t.Errorf("%s: not noticed", file)
				}
			}
		})
	}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// A statement of another key, or one key's statement beside another's public half,
// is not taken.
func TestTheSealOfAnotherIsNotTaken(t *testing.T) {
	dir, other := folder(t, key(t)), folder(t, key(t))
	b, err := os.ReadFile(filepath.Join(other, seal.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, seal.KeyFile), b, 0o644); err != nil {
		t.Fatal(err)
	}
	if v := verify(t, dir); v.Holds() || v.Problems[0].File != seal.StatementFile {
		t.Errorf("%+v", v.Problems)
	}
}

func TestNamesThatLeadOutAreNotSealed(t *testing.T) {
	for _, name := range []string{"../out", "/etc/passwd", "a/../../b", `a\b`, "", "seal/key.pem", "a\nb", "C:x"} {
		err := seal.Write(t.TempDir(), seal.Material{Files: []seal.File{{name, seal.Everyone}}, At: day()}, key(t))
		if err == nil {
			t.Errorf("%q is sealed", name)
		}
	}
}

func TestACopyForEveryoneHoldsWithoutWhatIsWithheld(t *testing.T) {
	k := key(t)
	dir, to := folder(t, k), filepath.Join(t.TempDir(), "copy")
	left, err := seal.Copy(dir, to, seal.Everyone, k)
	if err != nil || !slices.Equal(left, []string{"persons.json"}) {
		t.Fatalf("%v, %v", left, err)
	}
	v := verify(t, to)
	if !v.Holds() || !v.Withholds("persons.json") || len(v.Foreign) != 0 {
		t.Fatalf("%+v", v)
	}
	if _, err := os.Stat(filepath.Join(to, "persons.json")); err == nil {
		t.Error("what is withheld is there")
	}
	// Without the list the file is missing; with a byte of it changed it does not hold.
	list := filepath.Join(to, seal.WithheldFile)
	whole, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 1
		if err := os.WriteFile(list, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if verify(t, to).Holds() {
			t.Fatalf("byte %d of the list may change", i)
		}
	}
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	if v := verify(t, to); v.Holds() || v.Problems[0].Kind != seal.Missing {
		t.Errorf("%+v", v.Problems)
	}
	// A file for everyone cannot be withheld by whoever has the key, nor can a copy be
	// made by another, nor of a folder that does not hold.
	if _, err := seal.Copy(dir, filepath.Join(t.TempDir(), "x"), seal.Everyone, key(t)); err == nil {
		t.Error("another makes a copy")
	}
	if err := os.WriteFile(filepath.Join(dir, "report.json"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Copy(dir, filepath.Join(t.TempDir(), "x"), seal.Everyone, k); err == nil {
		t.Error("an altered folder is copied")
	}
}

func TestWithoutASealItIsSaid(t *testing.T) {
	dir := folder(t, key(t))
	if err := seal.Remove(dir); err != nil {
		t.Fatal(err)
	}
	v := verify(t, dir)
	if v.Holds() || v.Problems[0].Kind != seal.Unsealed || v.Problems[0].Text.FR == "" || len(v.Foreign) != 5 {
		t.Errorf("%+v", v)
	}
}

func TestKeysAreMadeKeptAndRotated(t *testing.T) {
	s := seal.OpenStore(filepath.Join(t.TempDir(), "keys"))
	first, made, err := s.Own()
	if err != nil || !made {
		t.Fatal(made, err)
	}
	again, made, err := s.Own()
	if err != nil || made || again.Public().ID() != first.Public().ID() {
		t.Fatal("the key is not kept", made, err)
	}
	trust, err := seal.Trust{}.Add(seal.NewHolder(first.Public(), "Éditions Clair", seal.RoleEditor, "732829320"))
	if err != nil {
		t.Fatal(err)
	}
	second, statement, err := s.Rotate(day())
	if err != nil || second.Public().ID() == first.Public().ID() {
		t.Fatal(err)
	}
	if trust, err = trust.Follow(statement); err != nil {
		t.Fatal(err)
	}
	h := trust.Holder(second.Public().ID())
	if h == nil || h.Name != "Éditions Clair" || h.Role != seal.RoleEditor || h.Expired(day()) {
		t.Errorf("the new key is known as %+v", h)
	}
	if old := trust.Holder(first.Public().ID()); old.Expired(day()) || !old.Expired(day().AddDate(0, 0, 1)) {
		t.Errorf("the old key is good until %q", old.Until)
	}
	if _, err := trust.Follow(statement); err == nil {
		t.Error("a key is followed twice")
	}
	if now, err := s.Current(); err != nil || now.Public().ID() != second.Public().ID() {
		t.Errorf("the key in use is not the new one: %v", err)
	}
	// What the old key says is not believed of those who do not know it.
	if _, err := (seal.Trust{}).Follow(statement); err == nil {
		t.Error("an unknown key brings another in")
	}
}

func TestAPrivateKeyIsForItsOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	k, _, err := seal.OpenStore(dir).Own()
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(filepath.Join(dir, k.Public().ID()+".key"))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}

func TestATrustFileIsReadStrictly(t *testing.T) {
	p := key(t).Public()
	h := seal.NewHolder(p, "Autorité de démonstration", seal.RoleAuthority, "")
	good, err := json.Marshal(seal.Trust{Format: 1, Keys: []seal.Holder{h}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seal.ParseTrust(good); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"a name of a member that is not known": strings.Replace(string(good), `"name"`, `"nom"`, 1),
		"another format":                       strings.Replace(string(good), `"format":1`, `"format":2`, 1),
		"an id that is not the key's":          strings.Replace(string(good), p.ID(), strings.Repeat("0", 64), 1),
		"a role that is none":                  strings.Replace(string(good), `"authority"`, `"king"`, 1),
		"a day that is none":                   strings.Replace(string(good), `"until":""`, `"until":"tomorrow"`, 1),
		"bytes after it":                       string(good) + "{}",
		"the same key twice":                   `{"format":1,"keys":[` + string(must(json.Marshal(h))) + `,` + string(must(json.Marshal(h))) + `]}`,
	} {
		if _, err := seal.ParseTrust([]byte(text)); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func FuzzOpen(f *testing.F) {
	k := key(f)
	good, err := seal.Sign("application/x", map[string]string{"a": "b"}, k)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"payload":"","payloadType":"application/x","signatures":[{"keyid":"","sig":""}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := seal.Open(b, "application/x", k.Public()); err == nil && !bytes.Equal(b, good) {
			t.Errorf("other bytes are taken: %q", b)
		}
	})
}

func FuzzTrust(f *testing.F) {
	f.Add([]byte(`{"format":1,"keys":[]}`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if t, err := seal.ParseTrust(b); err == nil {
			_ = t.Holder("")
		}
	})
}

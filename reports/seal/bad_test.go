package seal_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/seal"
)

// What cannot be written whole is not there at all: a folder is sealed or it is not.
func TestASealThatCannotBeWrittenIsNone(t *testing.T) {
	dir := folder(t, key(t))
	if err := seal.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, seal.Folder), []byte("in the way"), 0o644); err != nil {
		t.Fatal(err)
	}
	m := seal.Material{Report: reports.Report{}, Files: []seal.File{{Name: "report.json", Level: seal.Everyone}}, At: day()}
	if err := seal.Write(dir, m, key(t)); err == nil {
		t.Fatal("sealed all the same")
	}
	if v := verify(t, dir); v.Holds() || v.Problems[0].Kind != seal.Unsealed {
		t.Errorf("%+v", v.Problems)
	}
	m.Files = append(m.Files, seal.File{Name: "not-there", Level: seal.Everyone})
	if err := seal.Write(dir, m, key(t)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// A statement that our own signer would never make is refused whole, whoever signed it.
func TestAStatementThatLiesAboutItsFilesIsRefused(t *testing.T) {
	k := key(t)
	digest := map[string]string{"sha256": strings.Repeat("0", 64)}
	subject := func(name, level string) map[string]any {
		return map[string]any{"name": name, "digest": digest, "annotations": map[string]string{"level": level, "size": "1"}}
	}
	for what, subjects := range map[string][]any{
		"a name that leads out":   {subject("../../etc/passwd", "public")},
		"an absolute name":        {subject("/etc/passwd", "public")},
		"a name twice":            {subject("a", "public"), subject("a", "public")},
		"a level that is none":    {subject("a", "king")},
		"the seal as its subject": {subject("seal/key.pem", "public")},
		"no digest":               {map[string]any{"name": "a", "digest": map[string]string{}, "annotations": map[string]string{"level": "public"}}},
		"a name of a terminal":    {subject("a\x1b[2J", "public")},
	} {
		dir := folder(t, k)
		statement := map[string]any{
			"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://in-toto.io/attestation/test-result/v0.1", "subject": subjects,
			"predicate": map[string]any{"result": "PASSED", "configuration": []any{}, "passedTests": []string{}, "warnedTests": []string{}, "failedTests": []string{}},
		}
		envelope, err := seal.Sign("application/vnd.in-toto+json", statement, k)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, seal.StatementFile), envelope, 0o644); err != nil {
			t.Fatal(err)
		}
		if v := verify(t, dir); v.Holds() || v.Problems[0].Kind != seal.BadSeal {
			t.Errorf("%s: %+v", what, v.Problems)
		}
	}
}

func TestAFolderThatIsNoneIsAnError(t *testing.T) {
	if _, err := seal.Verify(filepath.Join(t.TempDir(), "nothing"), seal.Trust{}); err == nil {
		t.Error("no error")
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("/nowhere", link); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Verify(link, seal.Trust{}); err == nil {
		t.Error("a link to nothing: no error")
	}
}

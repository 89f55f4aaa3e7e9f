package candidate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/candidate"
)

func TestAnApplicationIsNamedByItsFile(t *testing.T) {
	for name, c := range map[string]struct{ entry, want string }{
		"beside the manifest":  {"{apk: carnet.apk, package: fr.example.carnet, permissions: {android.permission.CAMERA: to read a code}}", ""},
		"in a folder below":    {"{apk: build/carnet.apk}", ""},
		"not there":            {"{apk: other.apk}", "no file other.apk"},
		"a folder":             {"{apk: build}", "regular file"},
		"outside":              {"{apk: ../carnet.apk}", "folder of the manifest or below"},
		"a bundle":             {"{apk: carnet.aab}", "bundletool"},
		"no file at all":       {"{package: fr.example.carnet}", "apk"},
		"a name of one word":   {"{apk: carnet.apk, package: carnet}", "at least two words"},
		"a reason of nothing":  {"{apk: carnet.apk, permissions: {android.permission.CAMERA: ''}}", "1 to 200 characters"},
		"a field that is none": {"{apk: carnet.apk, packages: fr.example.carnet}", "did you mean package"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, "candidate.yaml", minimalText(t, "pilot:", "application: "+c.entry+"\npilot:"))
			folder := filepath.Dir(path)
			if err := os.Mkdir(filepath.Join(folder, "build"), 0o700); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{"carnet.apk", "carnet.aab", "build/carnet.apk"} {
				if err := os.WriteFile(filepath.Join(folder, file), []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			m, err := candidate.Read(path, environment)
			switch {
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want == "" && (m.Application != filepath.Join(folder, m.Candidate.Application.APK) || filepath.IsAbs(m.Candidate.Application.APK)):
				t.Errorf("the file is %q, named %q", m.Application, m.Candidate.Application.APK)
			}
		})
	}
}

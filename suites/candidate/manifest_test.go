package candidate_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
)

const minimal = "../../docs/examples/minimal/candidate.yaml"

// environment answers like os.LookupEnv with the secrets of the minimal
// manifest.
func environment(name string) (string, bool) {
	v, ok := map[string]string{
		"ETALON_PILOT_TOKEN": "pilot-token-of-the-test",
		"MES_CLIENT_SECRET":  "client-secret-of-the-test",
		"EMPTY":              "",
		"SHORT":              "abc",
		"LINES":              "two\nlines",
	}[name]
	return v, ok
}

// minimalText returns the minimal manifest with each pair old, new replaced.
func minimalText(t testing.TB, pairs ...string) string {
	t.Helper()
	raw, err := os.ReadFile(minimal)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the minimal manifest holds no %q", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, text string) (*candidate.Manifest, error) {
	t.Helper()
	return candidate.Read(write(t, "candidate.yaml", text), environment)
}

func TestMinimalManifestIsReadAnywhereWithItsDefaults(t *testing.T) {
	m, err := read(t, minimalText(t))
	if err != nil {
		t.Fatal(err)
	}
	c := m.Candidate
	for what, pair := range map[string][2]any{
		"concurrency":   {c.Concurrency, 4},
		"action":        {c.Timing.Action, 10 * time.Second},
		"effect":        {c.Timing.Effect, 5 * time.Second},
		"quiet":         {c.Timing.Quiet, 5 * time.Second},
		"visitor":       {c.Visitor, "http"},
		"site":          {c.Web.Site, "http://127.0.0.1:8080"},
		"plain":         {c.Web.Plain, "http://127.0.0.1:8080/"},
		"client auth":   {c.Sandbox.ClientAuth, "client_secret_basic"},
		"token":         {c.Pilot.Token, "pilot-token-of-the-test"},
		"client secret": {c.Sandbox.ClientSecret, "client-secret-of-the-test"},
		"secrets":       {len(m.Secrets), 2},
		"write":         {c.Claims.Writes("measures"), true},
		"documents":     {c.Claims.Documents != nil, true},
		"start":         {c.Start == nil, true},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %v, want %v", what, pair[0], pair[1])
		}
	}
	if m.Secrets["pilot-token"] != c.Pilot.Token || m.Secrets["client-secret"] != c.Sandbox.ClientSecret {
		t.Errorf("secrets for the redactor: %v", m.Secrets)
	}
	for _, secret := range m.Secrets {
		if bytes.Contains(m.Raw, []byte(secret)) {
			t.Error("a secret stands in the raw manifest")
		}
	}
}

func TestMinimalManifestNamesOneAddressOnly(t *testing.T) {
	for _, line := range strings.Split(minimalText(t), "\n") {
		if strings.Contains(line, "://") && !strings.Contains(line, "http://127.0.0.1:8080") {
			t.Errorf("another address: %s", line)
		}
	}
}

func TestManifestErrorsSayWhereAndWhatToWrite(t *testing.T) {
	for name, c := range map[string]struct {
		pairs []string
		want  []string // all in the message
		not   string   // not in the message
	}{
		"unknown category": {
			[]string{"category: app", "category: shop"},
			[]string{"line 15", "service.category", "booking", `"shop"`, "category: app"},
			"",
		},
		"misspelt key": {
			[]string{"category: app", "categroy: app"},
			[]string{"line 15", "service.categroy", "did you mean category?"},
			"service.category:",
		},
		"misspelt section": {[]string{"claims:", "claim:"}, []string{"did you mean claims?"}, "claims: expected"},
		"number for a text": {
			[]string{`"1.0.0"`, "1.0"},
			[]string{"service.version", "in quotes", "the number 1.0"},
			"",
		},
		"siren as a number":  {[]string{`"732829320"`, "732829320"}, []string{"editor.siren", "nine digits, in quotes", `siren: "732829320"`}, ""},
		"siren of ten":       {[]string{`"732829320"`, `"7328293200"`}, []string{"editor.siren", "nine digits"}, ""},
		"word for a boolean": {[]string{"pairing: true", "pairing: maybe"}, []string{"claims.pairing", "true or false", `"maybe"`}, ""},
		"literal token": {
			[]string{"env:ETALON_PILOT_TOKEN", "hunter2hunter2"},
			[]string{"pilot.token", "env:NAME or file:PATH", "not shown"},
			"hunter2",
		},
		"literal client secret": {
			[]string{"env:MES_CLIENT_SECRET", "hunter2hunter2"},
			[]string{"sandbox.clientSecret", "env:NAME or file:PATH"},
			"hunter2",
		},
		"absent variable":   {[]string{"env:ETALON_PILOT_TOKEN", "env:NOT_THERE"}, []string{"pilot.token", "no environment variable NOT_THERE", "export NOT_THERE="}, ""},
		"empty variable":    {[]string{"env:ETALON_PILOT_TOKEN", "env:EMPTY"}, []string{"pilot.token", "empty environment variable EMPTY"}, ""},
		"short secret":      {[]string{"env:ETALON_PILOT_TOKEN", "env:SHORT"}, []string{"pilot.token", "at least 6 characters"}, "abc\""},
		"secret of 2 lines": {[]string{"env:ETALON_PILOT_TOKEN", "env:LINES"}, []string{"pilot.token", "several lines"}, ""},
		"absent file":       {[]string{"env:ETALON_PILOT_TOKEN", "file:no/such/file"}, []string{"pilot.token", "cannot be read"}, ""},
		"http without url":  {[]string{"  url: http://127.0.0.1:8080/etalon\n", ""}, []string{"pilot.url", "found nothing"}, ""},
		"command with http": {[]string{"  kind: http\n", "  kind: http\n  command: [./x]\n"}, []string{"pilot.command", "kind: exec only"}, ""},
		"exec without command": {
			[]string{"kind: http", "kind: exec", "  url: http://127.0.0.1:8080/etalon\n", "", "  token: env:ETALON_PILOT_TOKEN\n", ""},
			[]string{"pilot.command", "found nothing"},
			"",
		},
		"relative address":     {[]string{"production: http://127.0.0.1:8080", "production: /home"}, []string{"web.production", "whole address"}, ""},
		"ftp address":          {[]string{"production: http://127.0.0.1:8080", "production: ftp://x.fr"}, []string{"web.production"}, ""},
		"password in address":  {[]string{"production: http://127.0.0.1:8080", "production: http://u:topsecret@x.fr"}, []string{"web.production", "user name or password"}, "topsecret"},
		"port too high":        {[]string{"production: http://127.0.0.1:8080", "production: http://x.fr:99999"}, []string{"port"}, ""},
		"redirect fragment":    {[]string{"8080/mes/callback]", "8080/mes/callback#x]"}, []string{"sandbox.redirectUris[0]", "fragment"}, ""},
		"concurrency 17":       {[]string{"pilot:", "concurrency: 17\npilot:"}, []string{"concurrency", "1 to 16", "the number 17"}, ""},
		"concurrency 0":        {[]string{"pilot:", "concurrency: 0\npilot:"}, []string{"concurrency", "1 to 16"}, ""},
		"duration as a number": {[]string{"pilot:", "timing: {action: 10}\npilot:"}, []string{"timing.action", "with its unit", "action: 10s"}, ""},
		"duration of zero":     {[]string{"pilot:", "timing: {quiet: 0s}\npilot:"}, []string{"timing.quiet", "from 10ms to 10m"}, ""},
		"duration of a day":    {[]string{"pilot:", "timing: {quiet: 1440m}\npilot:"}, []string{"timing.quiet", "from 10ms to 10m"}, ""},
		"huge duration":        {[]string{"pilot:", "timing: {quiet: 999999m999999m999999m}\npilot:"}, []string{"timing.quiet"}, ""},
		"huge number":          {[]string{"pilot:", "concurrency: 1e10000000\npilot:"}, []string{"line"}, ""},
		"write twice":          {[]string{"[write, read]", "[write, write]"}, []string{"claims.measures"}, ""},
		"list for a mapping":   {[]string{"pilot:", "timing: [1]\npilot:"}, []string{"timing", "a list of 1"}, ""},
		"listen without port":  {[]string{"sandbox:", "sandbox:\n  listen: localhost"}, []string{"sandbox.listen", "127.0.0.1:4433"}, ""},
		"plain http publicUrl": {[]string{"sandbox:", "sandbox:\n  publicUrl: http://x.fr"}, []string{"sandbox.publicUrl", "https://"}, ""},
		"secret in start.env": {
			[]string{"pilot:", "start: {command: [x], ready: http://127.0.0.1:1, env: {API_TOKEN: hunter2hunter2}}\npilot:"},
			[]string{"start.env.API_TOKEN", "env:NAME"},
			"hunter2",
		},
		"evidence that expires first": {
			[]string{"pilot:", "evidence: [{requirement: GOV-09, statement: s, author: a, role: r, date: 2026-02-02, expires: 2026-02-01}]\npilot:"},
			[]string{"evidence[0].expires", "2026-02-02"},
			"",
		},
		"evidence on no day": {
			[]string{"pilot:", "evidence: [{requirement: GOV-09, statement: s, author: a, role: r, date: 2026-02-30}]\npilot:"},
			[]string{"evidence[0].date", "a day that exists"},
			"",
		},
		"evidence elsewhere": {
			[]string{"pilot:", "evidence: [{requirement: GOV-09, statement: s, author: a, role: r, date: 2026-02-02, file: ../x}]\npilot:"},
			[]string{"evidence[0].file", "or below"},
			"",
		},
		"duplicate key":   {[]string{"category: app", "category: app\n  category: app"}, []string{"line 16", "category"}, ""},
		"alias":           {[]string{"[care]\n  dataUse", "&a [care]\n  dataUse"}, []string{"line 18"}, ""},
		"second document": {[]string{"pilot:", "---\npilot:"}, []string{"document"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, minimalText(t, c.pairs...))
			var wrong *candidate.ManifestError
			if !errors.As(err, &wrong) {
				t.Fatalf("not refused as a manifest: %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in: %v", want, err)
				}
			}
			for _, text := range []string{err.Error(), wrong.In("fr")} {
				if c.not != "" && strings.Contains(text, c.not) {
					t.Errorf("%q in: %s", c.not, text)
				}
				if strings.Contains(text, "found ;") || strings.Contains(text, "trouvé :  ") || strings.Contains(text, "expected ,") {
					t.Errorf("an empty part in: %s", text)
				}
			}
			if !strings.HasPrefix(wrong.In("fr"), "lecture du manifeste ") {
				t.Errorf("in French: %s", wrong.In("fr"))
			}
		})
	}
}

func TestSeveralProblemsAreListedAtOnceInTheOrderOfLines(t *testing.T) {
	_, err := read(t, minimalText(t, "kind: company", "kind: firm", "category: app", "category: shop", "pairing: true", "pairing: 3"))
	var wrong *candidate.ManifestError
	if !errors.As(err, &wrong) || len(wrong.Problems) != 3 {
		t.Fatalf("want three problems: %v", err)
	}
	for i := 1; i < 3; i++ {
		if wrong.Problems[i].Line <= wrong.Problems[i-1].Line {
			t.Errorf("lines out of order: %v", err)
		}
	}
}

func TestHugeAndHostileFilesAreRefusedAtOnce(t *testing.T) {
	sparse := filepath.Join(t.TempDir(), "candidate.yaml")
	file, err := os.Create(sparse)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Truncate(100 << 20); err != nil {
		t.Fatal(err)
	}
	file.Close()
	paths := map[string]string{
		"100 MB":           sparse,
		"a folder":         t.TempDir(),
		"empty":            write(t, "a", ""),
		"comments only":    write(t, "a", "# nothing\n"),
		"nested":           write(t, "a", strings.Repeat("[", 100_000)),
		"nested mappings":  write(t, "a", strings.Repeat("{a: ", 70)+strings.Repeat("}", 70)),
		"NUL":              write(t, "a", "etalon: 1\x00"),
		"not UTF-8":        write(t, "a", "etalon: \xff"),
		"many unknown":     write(t, "a", manyKeys(900)),
		"too many entries": write(t, "a", manyKeys(40_000)),
		"long list":        write(t, "a", "evidence: ["+strings.Repeat("1,", 40_000)+"1]"),
		"a text":           write(t, "a", "hello"),
		"long key":         write(t, "a", strings.Repeat("k", 100_000)+": 1"),
		"key of a list":    write(t, "a", "? [a]\n: b"),
	}
	for name, path := range paths {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			_, err := candidate.Read(path, environment)
			var wrong *candidate.ManifestError
			if !errors.As(err, &wrong) {
				t.Fatalf("not refused as a manifest: %v", err)
			}
			if len(err.Error()) > 20_000 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
			// A bound against collapse, not a measure: see the benchmark.
			if spent := time.Since(begin); spent > 5*time.Second {
				t.Errorf("refused after %s", spent)
			}
		})
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "key%d: 1\n", i)
	}
	return b.String()
}

func TestAnAbsentManifestKeepsItsCause(t *testing.T) {
	_, err := candidate.Read(filepath.Join(t.TempDir(), "none.yaml"), environment)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "etalon init") {
		t.Errorf("got %v", err)
	}
}

func TestSecretsInFilesAreReadFromTheFolderOfTheManifest(t *testing.T) {
	path := write(t, "candidate.yaml", minimalText(t, "env:ETALON_PILOT_TOKEN", "file:secrets/token"))
	folder := filepath.Dir(path)
	if err := os.Mkdir(filepath.Join(folder, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "secrets/token"), []byte("from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := candidate.Read(path, environment)
	if err != nil {
		t.Fatal(err)
	}
	if m.Candidate.Pilot.Token != "from-a-file" || m.Folder != folder {
		t.Errorf("token %q, folder %q", m.Candidate.Pilot.Token, m.Folder)
	}
}

func TestEvidenceFilesAreDigestedAndCompared(t *testing.T) {
	const digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // of "hello"
	entry := "evidence:\n  - {requirement: GOV-09, statement: s, author: a, role: r, date: 2026-02-02, file: hds.txt%s}\npilot:"
	for name, c := range map[string]struct{ more, content, want string }{
		"computed when absent": {"", "hello", ""},
		"equal":                {", sha256: " + digest, "hello", ""},
		"changed since":        {", sha256: " + digest, "hello!", "may have changed"},
		"absent":               {"", "", "no file hds.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, "candidate.yaml", minimalText(t, "pilot:", fmt.Sprintf(entry, c.more)))
			if c.content != "" {
				if err := os.WriteFile(filepath.Join(filepath.Dir(path), "hds.txt"), []byte(c.content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			m, err := candidate.Read(path, environment)
			switch {
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want == "" && m.Candidate.Evidence[0].SHA256 != digest:
				t.Errorf("digest %s", m.Candidate.Evidence[0].SHA256)
			}
		})
	}
}

func TestUnquotedDatesAreTexts(t *testing.T) {
	m, err := read(t, minimalText(t, "pilot:", "evidence: [{requirement: GOV-09, statement: s, author: a, role: r, date: 2026-02-02}]\npilot:"))
	if err != nil || m.Candidate.Evidence[0].Date != "2026-02-02" {
		t.Fatalf("%v", err)
	}
}

func TestAnHTTPSSiteHasAPlainAddressWithoutItsPort(t *testing.T) {
	m, err := read(t, minimalText(t, "production: http://127.0.0.1:8080", "production: https://carnet.example.fr:8443/app"))
	if err != nil || m.Candidate.Web.Plain != "http://carnet.example.fr/" {
		t.Fatalf("%v %+v", err, m)
	}
}

func TestAManualPilotIsGivenTheTimeAPersonNeeds(t *testing.T) {
	m, err := read(t, minimalText(t, "kind: http", "kind: manual", "  url: http://127.0.0.1:8080/etalon\n", "", "  token: env:ETALON_PILOT_TOKEN\n", ""))
	if err != nil || m.Candidate.Timing.Action != candidate.DefaultManualAction {
		t.Fatalf("%v", err)
	}
}

func TestStartVariablesAreResolved(t *testing.T) {
	m, err := read(t, minimalText(t, "pilot:", "start: {command: [./x], ready: 'http://127.0.0.1:8080/', env: {PILOT_TOKEN: 'env:ETALON_PILOT_TOKEN', PORT: '8080'}}\npilot:"))
	if err != nil {
		t.Fatal(err)
	}
	s := m.Candidate.Start
	if s.Env["PILOT_TOKEN"] != "pilot-token-of-the-test" || s.Env["PORT"] != "8080" || s.Seconds != 30 {
		t.Errorf("%+v", s)
	}
}

func FuzzReadNeverPanicsAndNeverShowsALiteralSecret(f *testing.F) {
	text := minimalText(f)
	f.Add([]byte(text))
	for _, seed := range []string{
		"", "etalon: 1", "{}", "[]", "etalon: 1e10000000", "etalon: &a 1\nb: *a", "a: !!binary x",
		strings.Replace(text, "env:ETALON_PILOT_TOKEN", "hunter2hunter2", 1),
		strings.Replace(text, "732829320", "000000000", 1),
		"? {a: b}\n: c", "pilot: {kind: exec}", "timing: {action: 99999999999s}", "\"\\x1f\": 1",
		"evidence: [{file: /dev/zero}]", "web: {production: 'http://[::1'}", "sandbox: {listen: ':0'}",
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "candidate.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		// No file outside may be reached by what a fuzzer writes.
		if bytes.Contains(data, []byte("file")) {
			return
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := candidate.Read(path, environment)
		var wrong *candidate.ManifestError
		switch {
		case err == nil && (m == nil || m.Candidate.Concurrency < 1 || m.Candidate.Timing.Quiet <= 0):
			t.Errorf("accepted without its defaults: %+v", m)
		case err != nil && !errors.As(err, &wrong):
			t.Errorf("not an error for the editor: %v", err)
		case wrong != nil && len(wrong.Problems) == 0:
			t.Error("an error without a problem")
		}
	})
}

func BenchmarkRead(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := candidate.Read(minimal, environment); err != nil {
			b.Fatal(err)
		}
	}
}

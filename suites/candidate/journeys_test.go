package candidate_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
)

const accounts = "\n  accounts: [{handle: a-1, user: 'env:J_USER', password: 'env:J_PASSWORD', totp: 'env:J_TOTP'}]\n"

func journeyed(t *testing.T, recording, journeys string) (*candidate.Manifest, error) {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "in.json"), []byte(recording), 0o600); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(minimalText(t), "\npilot:", "\njourneys:\n"+journeys+"\npilot:", 1)
	return candidate.Parse([]byte(text), "candidate.yaml", folder, func(name string) (string, bool) {
		if v, ok := map[string]string{"J_USER": "quelqu.un@example.org", "J_PASSWORD": "un-mot-de-passe-d-essai", "J_TOTP": "JBSWY3DPEHPK3PXP", "J_OTHER": "autre-secret"}[name]; ok {
			return v, true
		}
		return environment(name)
	})
}

func step(s string) string { return `{"title": "Entrer", "steps": [` + s + `]}` }

func TestJourneysAreReadWithTheirSecretsAside(t *testing.T) {
	m, err := journeyed(t, step(`{"type": "navigate", "url": "{{site}}/in"}, {"type": "change", "selectors": [["#c"]], "value": "env:J_OTHER"}, {"type": "change", "selectors": [["#t"]], "value": "{{totp}}"}`),
		"  signIn: in.json\n  idle: 20s"+accounts)
	if err != nil {
		t.Fatal(err)
	}
	j := m.Candidate.Journeys
	if !strings.HasPrefix(j.SignIn, "{") || j.Idle != 20*time.Second || j.Tries != candidate.DefaultTries || len(j.For(candidate.ToVisit)) != 1 || j.Accounts[0].Password != "un-mot-de-passe-d-essai" {
		t.Errorf("%+v", j)
	}
	for _, name := range []string{"account-a-1-user", "account-a-1-password", "account-a-1-totp", "journey-j-other"} {
		if m.Secrets[name] == "" {
			t.Errorf("the redactor is not told of %s", name)
		}
	}
	var told []string
	words := j.Words(j.Accounts[0], "https://carnet.example/", func() time.Time { return time.Unix(59, 0) }, func(_, value string) { told = append(told, value) })
	for name, want := range map[string]string{"site": "https://carnet.example", "user": "quelqu.un@example.org", "env:J_OTHER": "autre-secret"} {
		if got, err := words(name); err != nil || got != want {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
	code, err := words("totp")
	if err != nil || len(code) != 6 || !strings.Contains(strings.Join(told, " "), code) {
		t.Errorf("code %q, %v, told %q", code, err, told)
	}
	if _, err := words("env:PATH"); err == nil {
		t.Error("a variable that no recording names is given")
	}
}

func TestAJourneyThatCannotBePlayedIsAProblemOfTheManifest(t *testing.T) {
	fine := step(`{"type": "navigate", "url": "{{site}}/in"}`)
	for name, c := range map[string]struct{ recording, journeys, says string }{
		"no file":              {fine, "  signIn: out.json" + accounts, "out.json, which cannot be read"},
		"a file elsewhere":     {fine, "  signIn: ../in.json" + accounts, "journeys.signIn"},
		"a script":             {step(`{"type": "waitForExpression", "expression": "1"}`), "  signIn: in.json" + accounts, "in.json: step 1 (waitForExpression)"},
		"another host":         {step(`{"type": "navigate", "url": "https://ailleurs.example/"}`), "  signIn: in.json" + accounts, "ailleurs.example"},
		"a secret in clear":    {step(`{"type": "change", "selectors": [["#x"]], "value": "un-mot-de-passe-d-essai"}`), "  signIn: in.json" + accounts, "in clear"},
		"an unknown name":      {step(`{"type": "change", "selectors": [["#x"]], "value": "{{phone}}"}`), "  signIn: in.json" + accounts, "{{phone}}"},
		"an unknown variable":  {step(`{"type": "change", "selectors": [["#x"]], "value": "env:J_NONE"}`), "  signIn: in.json" + accounts, "J_NONE"},
		"no account":           {fine, "  signIn: in.json\n", "journeys.accounts"},
		"no sign-in":           {fine, "  signOut: in.json\n", "journeys.signIn"},
		"a literal password":   {fine, "  signIn: in.json\n  accounts: [{handle: a, user: 'env:J_USER', password: azerty123}]\n", "reference"},
		"an idle time of zero": {fine, "  signIn: in.json\n  idle: 0s" + accounts, "journeys.idle"},
		"two of one name":      {fine, "  signIn: in.json\n  accounts: [{handle: a, user: 'env:J_USER', password: 'env:J_PASSWORD'}, {handle: a, user: 'env:J_USER', password: 'env:J_PASSWORD'}]\n", "another handle"},
	} {
		_, err := journeyed(t, c.recording, c.journeys)
		var wrong *candidate.ManifestError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

package recording_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate/recording"
)

const signIn = `{
  "title": "Se connecter", "timeout": 2000,
  "steps": [
    {"type": "setViewport", "width": 1280, "height": 800, "deviceScaleFactor": 1, "isMobile": false, "hasTouch": false, "isLandscape": false},
    {"type": "navigate", "url": "https://carnet.example/connexion", "assertedEvents": [{"type": "navigation", "url": "https://carnet.example/connexion", "title": "Connexion"}]},
    {"type": "click", "target": "main", "selectors": [["aria/Adresse électronique"], ["#courriel"], ["xpath///*[@id=\"courriel\"]"], ["pierce/#courriel"], ["text/Adresse"]], "offsetY": 12.5, "offsetX": 40},
    {"type": "change", "value": "{{user}}", "selectors": ["#courriel"], "target": "main"},
    {"type": "change", "value": "env:MOT_DE_PASSE", "selectors": [["aria/Mot de passe[role=\"textbox\"]"], ["carnet-app", "#mdp"]]},
    {"type": "keyDown", "key": "Enter"}, {"type": "keyUp", "key": "Enter"},
    {"type": "change", "value": "totp:env:SECOND", "selectors": [["#code"]], "frame": [0], "timeout": 500},
    {"type": "waitForElement", "selectors": [["main h1"]], "operator": "==", "count": 1, "visible": true},
    {"type": "scroll", "y": 200}, {"type": "hover", "selectors": [["nav a"]]}, {"type": "emulateNetworkConditions", "download": 1, "upload": 1, "latency": 1}, {"type": "close"}
  ]
}`

func TestARecordingIsRead(t *testing.T) {
	t.Parallel()
	r, err := recording.Read([]byte(signIn), "entree.json")
	if err != nil {
		t.Fatal(err)
	}
	if r.Title != "Se connecter" || len(r.Steps) != 13 {
		t.Fatalf("%+v", r)
	}
	click := r.Steps[2]
	if click.Number != 3 || click.Kind != recording.Click || click.Patience != 2*time.Second || click.Offset == nil || click.Offset.X != 40 || click.Button != "left" {
		t.Errorf("%+v", click)
	}
	if want := `aria/Adresse électronique, #courriel, xpath///*[@id="courriel"], pierce/#courriel, text/Adresse`; click.Ways() != want {
		t.Errorf("ways %s", click.Ways())
	}
	password := r.Steps[4]
	if p := password.Selectors[0][0]; p.By != "aria" || p.Text != "Mot de passe" || p.Role != "textbox" || len(password.Selectors[1]) != 2 {
		t.Errorf("%+v", password.Selectors)
	}
	if r.Code() != 7 || !r.Steps[7].Value.Code() || r.Steps[7].Patience != 500*time.Millisecond || r.Steps[7].Frame[0] != 0 {
		t.Errorf("code at %d: %+v", r.Code(), r.Steps[7])
	}
	if !slices.Equal(r.Secrets(), []string{"MOT_DE_PASSE", "SECOND"}) || !slices.Equal(r.Names(), []string{"user"}) || !slices.Equal(r.Hosts(), []string{"carnet.example"}) {
		t.Errorf("%v %v %v", r.Secrets(), r.Names(), r.Hosts())
	}
}

func TestWhatCannotBePlayedIsRefusedWithTheStepAndWhatToDo(t *testing.T) {
	t.Parallel()
	one := func(step string) string { return `{"title": "x", "steps": [{"type": "close"}, ` + step + `]}` }
	for name, c := range map[string]struct{ raw, says string }{
		"no JSON":             {`{`, "export it again"},
		"two equal keys":      {`{"title": "a", "title": "b", "steps": []}`, "duplicate key"},
		"another file":        {`{"name": "package", "version": "1"}`, "no recording"},
		"no steps":            {`{"title": "x", "steps": []}`, "no steps"},
		"a script":            {one(`{"type": "waitForExpression", "expression": "1"}`), "step 2 (waitForExpression): the harness runs no script"},
		"an extension":        {one(`{"type": "customStep", "name": "x", "parameters": {}}`), "step 2 (customStep)"},
		"an unknown type":     {one(`{"type": "swipe"}`), "not known"},
		"no type":             {one(`{"x": 1}`), "no type"},
		"an unknown field":    {one(`{"type": "click", "selectors": [["a"]], "force": true}`), "unknown field"},
		"another window":      {one(`{"type": "click", "selectors": [["a"]], "target": "https://a.example/"}`), "another window"},
		"no selector":         {one(`{"type": "click", "selectors": []}`), "no selector"},
		"an empty selector":   {one(`{"type": "click", "selectors": [["text/ "]]}`), "empty"},
		"a password in clear": {one(`{"type": "change", "selectors": [["#mot-de-passe"]], "value": "azerty123"}`), "in clear"},
		"no variable":         {one(`{"type": "change", "selectors": [["#a"]], "value": "env:1 2"}`), "no name of a variable"},
		"no name":             {one(`{"type": "change", "selectors": [["#a"]], "value": "{{a b}}"}`), "no name"},
		"a file address":      {one(`{"type": "navigate", "url": "file:///etc/passwd"}`), "no whole http"},
		"a host in braces":    {one(`{"type": "navigate", "url": "https://{{host}}/"}`), "no whole http"},
		"an hour":             {one(`{"type": "click", "selectors": [["a"]], "timeout": 3600000}`), "at most 30s"},
		"a huge window":       {one(`{"type": "setViewport", "width": 1e9, "height": 1}`), "pixels"},
		"a strange key":       {one(`{"type": "keyDown", "key": "Eject"}`), "not known"},
		"a deep frame":        {one(`{"type": "click", "selectors": [["a"]], "frame": [1,2,3,4,5,6]}`), "frame"},
		"too large":           {strings.Repeat(" ", recording.MaxBytes) + signIn, "more than"},
	} {
		_, err := recording.Read([]byte(c.raw), "entree.json")
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "entree.json: ") {
			t.Errorf("%s: %v", name, err)
		}
		var wrong *recording.StepError
		if strings.Contains(c.says, "step 2") && (!errors.As(err, &wrong) || wrong.Number != 2) {
			t.Errorf("%s: %v is no error of step 2", name, err)
		}
	}
	if _, err := recording.Read([]byte(`{"title": "x", "steps": [{"type": "change", "selectors": [["#password"]], "value": "azerty123"}]}`), ""); err == nil || strings.Contains(err.Error(), "azerty123") {
		t.Errorf("a password is repeated, or let through: %v", err)
	}
}

func TestAValueIsWrittenFromWhatIsKnown(t *testing.T) {
	t.Parallel()
	words := func(name string) (string, error) {
		switch name {
		case "measure.value":
			return "72.5", nil
		case "env:A":
			return "secret", nil
		}
		return "", errors.New("nothing stands for " + name)
	}
	for text, want := range map[string]string{
		"": "", "plain": "plain", "{{measure.value}} kg": "72.5 kg", "env:A": "secret", "{{other}}": "!", "env:B": "!", "x env:A": "x env:A",
	} {
		r, err := recording.Read([]byte(`{"title":"","steps":[{"type":"change","selectors":["a"],"value":"`+text+`"}]}`), "")
		if err != nil {
			t.Fatal(text, err)
		}
		got, err := r.Steps[0].Value.Write(words)
		if err != nil {
			got = "!"
		}
		if got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// The codes are those of RFC 6238, appendix B, cut to as many digits.
func TestOneTimeCodesAreThoseOfTheStandard(t *testing.T) {
	t.Parallel()
	o, err := recording.ReadOneTime("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ")
	if err != nil {
		t.Fatal(err)
	}
	eight, err := recording.ReadOneTime("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=8")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[int64]string{59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130"} {
		code, until, err := eight.Code(time.Unix(at, 0))
		if err != nil || code != want || until.Unix()%30 != 0 || until.Unix() <= at || until.Unix() > at+30 {
			t.Errorf("%d: %s until %s, %v", at, code, until, err)
		}
		if code, _, _ := o.Code(time.Unix(at, 0)); code != want[2:] {
			t.Errorf("%d: %s", at, code)
		}
	}
	for _, bad := range []string{"", "short", "not base32 at all!", "otpauth://hotp/x?secret=GEZDGNBVGY3TQOJQ&counter=1", "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&period=1"} {
		if _, err := recording.ReadOneTime(bad); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		signIn, `{"title":"","steps":[{"type":"click","selectors":[["aria/[role=\"button\"]"]]}]}`,
		`{"title":"x","timeout":-1,"steps":[{"type":"close"}]}`, `{"steps":[{"type":"change","selectors":["a"],"value":"totp:env:X"}]}`,
		`{"steps":[{"type":"navigate","url":"{{site}}/compte?x={{user}}"}]}`, `{"steps":[{"type":"scroll","x":1e400}]}`, `[]`, `{"steps":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := recording.Read(raw, "x")
		if err != nil {
			if len(err.Error()) > 5000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		for i, s := range r.Steps {
			if s.Number != i+1 || s.Patience < 0 || s.Patience > 30*time.Second {
				t.Errorf("step %+v", s)
			}
			_, _ = s.Value.Write(func(string) (string, error) { return "", nil })
		}
		_, _, _ = r.Hosts(), r.Names(), r.Secrets()
	})
}

package candidate_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/candidate"
)

// begin answers the questions that have no preset.
const begin = "Éditions \"Exemple\" \\ #1\n732829320\n\nCarnet: {mesures}\n\n\n\n"

func TestInitWritesAManifestThatIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		typed string
		check func(candidate.Candidate) bool
	}{
		"the presets": {begin + "\n\n\n\nhttps://carnet.example.fr\n\n\n\n\n", func(c candidate.Candidate) bool {
			return c.Editor.Name == `Éditions "Exemple" \ #1` && c.Service.Name == "Carnet: {mesures}" && c.Claims.Pairing &&
				slices.Equal(c.Claims.Measures, []string{"write"}) && c.Pilot.Kind == "http" && len(c.Sandbox.RedirectURIs) == 1
		}},
		"a command, no pairing": {begin + "no\nboth\nread\nwrite\nhttps://x.fr\nexec\n./my pilot\n\n", func(c candidate.Candidate) bool {
			return !c.Claims.Pairing && c.Claims.Reads("measures") && c.Claims.Reads("documents") && c.Claims.Writes("agenda") && slices.Equal(c.Pilot.Command, []string{"./my pilot"})
		}},
		"by hand, after mistakes": {begin + "maybe\nyes\nnone\nboth\nsometimes\n\nnot an address\nhttps://x.fr\nmanual\na b\nid\n\n", func(c candidate.Candidate) bool {
			return c.Pilot.Kind == "manual" && len(c.Claims.Measures) == 0 && c.Sandbox.ClientID == "id"
		}},
	} {
		for _, lang := range []string{"fr", "en"} {
			t.Run(name+" "+lang, func(t *testing.T) {
				text, err := candidate.Init(strings.NewReader(c.typed), io.Discard, lang)
				if err != nil {
					t.Fatal(err)
				}
				m, err := read(t, string(text))
				if err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				if !c.check(m.Candidate) {
					t.Errorf("%+v\n%s", m.Candidate, text)
				}
			})
		}
	}
}

func TestInitWritesNothingWhenTheInputEnds(t *testing.T) {
	full := begin + "\n\n\n\nhttps://carnet.example.fr\n\n\n\n"
	for i := 0; i < len(full); i += 7 {
		text, err := candidate.Init(strings.NewReader(full[:i]), io.Discard, "en")
		if !errors.Is(err, candidate.ErrInputEnded) || text != nil {
			t.Fatalf("after %d bytes: %v %s", i, err, text)
		}
	}
}

func TestInitAsksInTheLanguageChosenAndSaysWhatItExpects(t *testing.T) {
	var out bytes.Buffer
	_, err := candidate.Init(strings.NewReader("x\n123\n"), &out, "fr")
	if err == nil || !strings.Contains(out.String(), "Nom de l'éditeur") || !strings.Contains(out.String(), "attendu : neuf chiffres") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestInitSurvivesEndlessInput(t *testing.T) {
	_, err := candidate.Init(endless{}, io.Discard, "en")
	if err == nil {
		t.Error("an endless line was accepted")
	}
}

// endless is an input whose first line never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

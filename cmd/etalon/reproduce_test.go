package main

import (
	"slices"
	"testing"
)

func TestTheCommandOfAFolderIsReadAsOneOfOursOnly(t *testing.T) {
	for command, want := range map[string]bool{
		"etalon demo --seed 1": true,
		"etalon demo --seed 7 --strict --only INT-01,GOV-01 --browser auto --third-parties block":  true,
		"etalon run --candidate candidate.yaml --env 'the other one' --seed 1 --sandbox container": true,
		"etalon run --candidate candidate.yaml --seed 1 --out /etc":                                false,
		"etalon run --candidate candidate.yaml --tls-key /root/key":                                false,
		"etalon run --candidate candidate.yaml --sandbox https://elsewhere.example":                false,
		"etalon demo --browser /tmp/program":                                                       false,
		"etalon demo --decisions /etc/passwd":                                                      false,
		"etalon selftest":                                                                          false,
		"sh -c 'rm -rf x'":                                                                         false,
		"etalon demo 'not closed":                                                                  false,
		"etalon demo extra":                                                                        false,
		"":                                                                                         false,
	} {
		if _, err := commandOf(command, &runFlags{}); (err == nil) != want {
			t.Errorf("%q: %v", command, err)
		}
	}
}

func TestWordsAreReadAsTheyWereQuoted(t *testing.T) {
	for _, w := range []string{"plain", "two words", "it's", "", "a'b'c", `back\slash`, "--only", "é"} {
		got, err := wordsOf("x " + quoted(w) + " y")
		if w == "" {
			continue // never written down
		}
		if err != nil || !slices.Equal(got, []string{"x", w, "y"}) {
			t.Errorf("%q: %q %v", w, got, err)
		}
	}
}

func FuzzCommandOfAFolder(f *testing.F) {
	f.Add("etalon demo --seed 1")
	f.Add("etalon run --candidate 'a b' --env x")
	f.Fuzz(func(_ *testing.T, s string) { _, _ = commandOf(s, &runFlags{}) })
}

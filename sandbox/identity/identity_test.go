package identity

import (
	"strings"
	"testing"
)

func TestOnlyTestINSWithTheRightKeyEnter(t *testing.T) {
	for _, c := range []struct {
		name, oid, ins, wrong string
	}{
		{"the official test patient", INSTestOID, "279035121518989", ""},
		{"the demonstration range", INSDemonstrationOID, "277076322082910", ""},
		{"born in Corse-du-Sud", INSTestOID, corsican("2A"), ""},
		{"born in Haute-Corse", INSTestOID, corsican("2B"), ""},
		{"a real matricule (NIR)", "1.2.250.1.213.1.4.8", "279035121518989", "not a test one"},
		{"a real matricule (NIA)", "1.2.250.1.213.1.4.9", "279035121518989", "not a test one"},
		{"no authority", "", "279035121518989", "not a test one"},
		{"the key of another", INSTestOID, "279035121518988", "89 is expected"},
		{"too short", INSTestOID, "2790351215189", "15 are expected"},
		{"a letter", INSTestOID, "27903512151898A", "a digit is expected"},
		{"a sign", INSTestOID, "+79035121518989", "a digit is expected"},
		{"letters of no department", INSTestOID, "279032C1518989X"[:15], "a digit is expected"},
		{"the key of an example that is published with a wrong one", INSTestOID, "123456789012244", "12 is expected"},
	} {
		err := CheckINS(c.oid, c.ins)
		switch {
		case c.wrong == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%s: got %v, want %q", c.name, err, c.wrong)
		}
	}
}

// corsican is a matricule of a department of Corsica, its key reckoned by hand:
// 1 80 05 2A 004 123 reads 1800519004123, 1 80 05 2B 033 123 reads 1800518033123.
func corsican(department string) string {
	if department == "2A" {
		return "180052A00412310"
	}
	return "180052B03312340"
}

func FuzzCheckINS(f *testing.F) {
	f.Add(INSTestOID, "279035121518989")
	f.Add("", "２７９0")
	f.Fuzz(func(t *testing.T, oid, ins string) {
		if CheckINS(oid, ins) == nil && (len(ins) != 15 || oid != INSTestOID && oid != INSDemonstrationOID) {
			t.Fatalf("%q %q entered", oid, ins)
		}
	})
}

func TestEntropyIsBoundedByLengthAndAlphabet(t *testing.T) {
	for value, want := range map[string]int{
		"":                                     0,
		"0123456789":                           33,
		"0123456789abcdef":                     64,
		"ABCDEF0123456789":                     64,
		"f47ac10b-58cc-4372-a567-0e02b2c3d479": 216,
		"abcdefghijklmnop":                     75,
		"x9x9x9x9":                             41,
		"aZaZaZaZ":                             45,
		strings.Repeat("A-", 22):               264,
	} {
		if got := bits(value); got != want {
			t.Errorf("%s: got %d bits, want %d", value, got, want)
		}
	}
}

func TestAChallengeIsFortyThreeCharactersOfBase64URL(t *testing.T) {
	good := "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // RFC 7636, appendix B
	if !wellFormed(good) || hashOf("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") != good {
		t.Error("the example of RFC 7636 is refused")
	}
	for _, bad := range []string{"", good[1:], good + "A", good[:42] + "=", good[:42] + "+"} {
		if wellFormed(bad) {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestTheOriginOfARedirectURIIsWhatAFormMayLeadTo(t *testing.T) {
	for redirect, want := range map[string]string{
		"https://service.example.test:8443/cb?a=b": "https://service.example.test:8443",
		"http://127.0.0.1:9000/cb":                 "http://127.0.0.1:9000",
		"com.example.app:/callback":                "com.example.app:",
		"":                                         "",
		"::":                                       "",
	} {
		if got := origin(redirect); got != want {
			t.Errorf("%s: got %q, want %q", redirect, got, want)
		}
	}
}

func TestTheLanguageOfThePagesIsFrenchUnlessAskedOtherwise(t *testing.T) {
	for _, c := range []struct {
		locales, switched, before, want string
	}{
		{"", "", "", "fr"},
		{"de en", "", "", "en"},
		{"en", "fr", "", "fr"},
		{"", "", "en", "en"},
		{"", "xx", "en", "en"},
	} {
		if got := language(c.locales, c.switched, c.before); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

func TestBothLanguagesHaveEverySentence(t *testing.T) {
	fr, en := textsIn("fr"), textsIn("en")
	if fr.Banner == en.Banner || fr.barredService == en.barredService {
		t.Fatal("one language for two")
	}
	for _, x := range []texts{fr, en} {
		for _, s := range []string{x.Banner, x.Switch, x.SignInTitle, x.SignInLead, x.Login, x.Password, x.Go, x.WrongPassword, x.ConsentTitle, x.ConsentLead, x.SignedIn, x.Purposes, x.Hint, x.Read, x.Write, x.Accept, x.Refuse, x.NoDecision, x.NoFinalite, x.RefusalTitle, x.BadQuery, x.BadForm, x.Gone, x.UnknownClient, x.UnknownRedirect, x.barredService} {
			if s == "" {
				t.Errorf("a sentence is missing: %+v", x)
			}
		}
	}
}

package candidate

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate/recording"
)

// Journeys say how a person goes through the service behind its sign-in, as
// recordings of the Recorder of Chrome's developer tools. In the manifest a
// recording is a file, or the JSON itself; here the JSON.
type Journeys struct {
	SignIn   string   `json:"signIn,omitempty"`   // from a page that is open to all until one is signed in
	SignOut  string   `json:"signOut,omitempty"`  // from any page of a person who is signed in
	Account  []string `json:"account,omitempty"`  // each to a page that shows what is the person's own
	Export   string   `json:"export,omitempty"`   // until a file with the person's data is loaded
	Deletion string   `json:"deletion,omitempty"` // until the account is deleted
	// Idle is after how long without an act a session ends, as the service
	// announces it. In the manifest: "15m". Zero: it announces none.
	Idle time.Duration `json:"idle,omitempty"`
	// Tries is how many wrong passwords are tried on an account that is there for
	// it; default DefaultTries.
	Tries    int       `json:"tries,omitempty"`
	Hosts    []string  `json:"hosts,omitempty"` // further addresses through which the journeys lead
	Accounts []Account `json:"accounts,omitempty"`
	// Secrets are what the recordings refer to, by reference ("env:NAME").
	Secrets map[string]string `json:"secrets,omitempty"`
}

// Account is a fictive person's account with the service, made for tests.
type Account struct {
	Handle   string `json:"handle"`        // by which the report names it
	Use      string `json:"use,omitempty"` // visit (default), lock, delete, pilot
	User     string `json:"user"`          // in the manifest only as env:NAME or file:PATH, as are the others
	Password string `json:"password"`
	TOTP     string `json:"totp,omitempty"` // secret of its one-time codes
}

// What an account of test is for.
const (
	ToVisit  = "visit"
	ToLock   = "lock"
	ToDelete = "delete"
	ToPilot  = "pilot"
)

// DefaultTries is how many wrong passwords are tried where the manifest does not say.
const DefaultTries = 10

const (
	shortestIdle = time.Second
	longestIdle  = 24 * time.Hour
)

// For lists the accounts that are there for a use.
func (j Journeys) For(use string) []Account {
	var out []Account
	for _, a := range j.Accounts {
		if a.Use == use {
			out = append(out, a)
		}
	}
	return out
}

// journeys reads the recordings, which then hold the JSON itself, and checks that
// they can be played with the accounts that there are.
func (c *checker) journeys() {
	j := &c.m.Candidate.Journeys
	for i := range j.Accounts {
		c.account(i, &j.Accounts[i])
	}
	allowed := c.windowHosts()
	for _, f := range []struct {
		path []string
		text *string
	}{
		{[]string{"journeys", "signIn"}, &j.SignIn},
		{[]string{"journeys", "signOut"}, &j.SignOut},
		{[]string{"journeys", "export"}, &j.Export},
		{[]string{"journeys", "deletion"}, &j.Deletion},
	} {
		c.recording(f.path, f.text, allowed, true)
	}
	for i := range j.Account {
		c.recording([]string{"journeys", "account", strconv.Itoa(i)}, &j.Account[i], allowed, true)
	}
	recordings := c.m.Candidate.Pilot.Recordings
	for _, action := range slices.Sorted(maps.Keys(recordings)) {
		text := recordings[action]
		c.recording([]string{"pilot", "recordings", action}, &text, allowed, false)
		recordings[action] = text
	}
	given := j.SignOut != "" || j.Export != "" || j.Deletion != "" || len(j.Account) > 0
	if given && j.SignIn == "" {
		c.add([]string{"journeys", "signIn"}, Text{}, Text{EN: "nothing, and journeys that begin after it", FR: "rien, et des parcours qui commencent après elle"}, Text{})
	}
	if j.SignIn != "" && len(j.For(ToVisit)) == 0 && c.m.Candidate.Pilot.Kind != "browser" {
		c.add([]string{"journeys", "accounts"}, Text{EN: "an account of test to sign in with", FR: "un compte de test avec lequel se connecter"}, Text{EN: "none with use: visit", FR: "aucun avec use: visit"}, Text{})
	}
	if _, stands := c.doc.places["journeys"+separator+"idle"]; stands && (j.Idle < shortestIdle || j.Idle > longestIdle) {
		c.add([]string{"journeys", "idle"}, Text{EN: "a duration from 1s to 1440m", FR: "une durée de 1s à 1440m"}, quoted(brief(j.Idle)), Text{})
	}
}

// windowHosts are the hosts to which a recording may go by itself.
func (c *checker) windowHosts() []string {
	w := c.m.Candidate.Web
	var out []string
	for i, a := range append([]string{w.Production, w.Site, w.Plain}, c.m.Candidate.Journeys.Hosts...) {
		u, wrong := address(a)
		if wrong == (Text{}) {
			out = append(out, u.Hostname())
		} else if i > 2 {
			c.add([]string{"journeys", "hosts", strconv.Itoa(i - 3)}, Text{}, wrong, Text{})
		}
	}
	return out
}

func (c *checker) account(i int, a *Account) {
	at := func(name string) []string { return []string{"journeys", "accounts", strconv.Itoa(i), name} }
	for _, other := range c.m.Candidate.Journeys.Accounts[:i] {
		if other.Handle == a.Handle {
			c.add(at("handle"), Text{EN: "another handle for each account", FR: "un autre nom pour chaque compte"}, quoted(a.Handle), Text{})
		}
	}
	name := "account-" + a.Handle
	c.secret(at("user"), &a.User, name+"-user")
	c.secret(at("password"), &a.Password, name+"-password")
	c.secret(at("totp"), &a.TOTP, name+"-totp")
	if a.TOTP != "" {
		if _, err := recording.ReadOneTime(a.TOTP); err != nil {
			c.add(at("totp"), Text{EN: "the secret of one-time codes, in base32, or its otpauth address", FR: "le secret des codes à usage unique, en base32, ou son adresse otpauth"}, same(err.Error()), Text{})
		}
	}
}

// recording reads one recording; what is wrong with it is a problem of the manifest.
func (c *checker) recording(path []string, text *string, allowed []string, ofAccounts bool) {
	if *text == "" {
		return
	}
	raw, name := []byte(*text), ""
	expected := Text{EN: "a recording of the Recorder of Chrome (JSON), in the folder of the manifest or below", FR: "un enregistrement du Recorder de Chrome (JSON), dans le dossier du manifeste ou au-dessous"}
	if !strings.HasPrefix(strings.TrimSpace(*text), "{") {
		name = *text
		if !filepath.IsLocal(name) {
			c.add(path, expected, quoted(name), Text{})
			return
		}
		var err error
		if raw, err = readFile(c.absolute(path, name), recording.MaxBytes); err != nil {
			c.add(path, expected, Text{EN: name + ", which cannot be read (" + plain(err) + ")", FR: name + ", qui ne se lit pas (" + plain(err) + ")"}, Text{})
			return
		}
	}
	wrong := func(found Text) { c.add(path, expected, found, Text{}) }
	r, err := recording.Read(raw, name)
	if err != nil {
		wrong(same(err.Error()))
		return
	}
	*text = string(raw)
	for _, h := range r.Hosts() {
		if !slices.Contains(allowed, h) {
			wrong(Text{
				EN: "a step that goes to " + h + ", which neither web nor journeys.hosts names: write {{site}} in place of the address of the site, or name the host",
				FR: "une étape qui va vers " + h + ", que ni web ni journeys.hosts ne nomme : écrivez {{site}} à la place de l’adresse du site, ou nommez l’hôte",
			})
		}
	}
	for value := range maps.Values(c.m.Secrets) {
		if strings.Contains(*text, value) {
			wrong(Text{EN: "a secret of the manifest in clear: put its reference in its place, and change it", FR: "un secret du manifeste en clair : mettez sa référence à la place, et changez-le"})
			return
		}
	}
	for _, variable := range r.Secrets() {
		value := "env:" + variable
		c.secret(path, &value, "journey-"+strings.ReplaceAll(strings.ToLower(variable), "_", "-"))
		if value != "" {
			if c.m.Candidate.Journeys.Secrets == nil {
				c.m.Candidate.Journeys.Secrets = map[string]string{}
			}
			c.m.Candidate.Journeys.Secrets["env:"+variable] = value
		}
	}
	if ofAccounts {
		c.names(path, r)
	}
}

// names checks that what stands in braces is known of the accounts.
func (c *checker) names(path []string, r recording.Recording) {
	for _, n := range r.Names() {
		if !slices.Contains([]string{"site", "user", "password", "totp"}, n) {
			c.add(path, Text{EN: "{{user}}, {{password}}, {{totp}} or {{site}}", FR: "{{user}}, {{password}}, {{totp}} ou {{site}}"}, quoted("{{"+n+"}}"), Text{})
		}
		if n != "totp" {
			continue
		}
		for i, a := range c.m.Candidate.Journeys.Accounts {
			if a.TOTP == "" && len(c.problems) == 0 {
				c.add([]string{"journeys", "accounts", strconv.Itoa(i), "totp"}, Text{EN: "a secret, since a recording types {{totp}}", FR: "un secret, puisqu’un enregistrement saisit {{totp}}"}, Text{EN: "none", FR: "aucun"}, Text{})
			}
		}
	}
}

// Words gives what stands for the names of a recording that is played for an
// account, at a moment. A secret is told to tell before it is given.
func (j Journeys) Words(a Account, site string, now func() time.Time, tell func(kind, value string)) recording.Words {
	return func(name string) (string, error) {
		known := map[string]string{"user": a.User, "password": a.Password, "site": strings.TrimRight(site, "/")}
		if value, ok := known[name]; ok {
			if name != "site" {
				tell("account-"+name, value)
			}
			return value, nil
		}
		seed, code := "", false
		if name == "totp" {
			seed, code = a.TOTP, true
		} else if variable, ok := strings.CutPrefix(name, "totp:"); ok {
			seed, code = j.Secrets[variable], true
		} else if value, ok := j.Secrets[name]; ok {
			tell("journey-secret", value)
			return value, nil
		}
		if !code {
			return "", fmt.Errorf("nothing stands for %s here", name)
		}
		tell("one-time-secret", seed)
		o, err := recording.ReadOneTime(seed)
		if err != nil {
			return "", err
		}
		digits, _, err := o.Code(now())
		if err == nil {
			tell("one-time-code", digits)
		}
		return digits, err
	}
}

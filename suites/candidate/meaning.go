package candidate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/sandbox/record"
)

const (
	maxEvidence    = 20 << 20  // bytes of one evidence file
	maxAllEvidence = 200 << 20 // bytes of all of them: they are hashed at each run
	maxSecret      = 64 << 10  // bytes of a secret file

	shortestSpan = 10 * time.Millisecond
	longestSpan  = 10 * time.Minute
	longestByMan = 24 * time.Hour
)

// checker finds what a schema cannot say.
type checker struct {
	m        *Manifest
	doc      *tree
	guide    guide
	env      func(string) (string, bool)
	problems []Problem
}

func (c *checker) all() {
	c.addresses()
	c.start()
	c.pilot()
	c.sandbox()
	c.timing()
	c.secrets()
	c.journeys()
	c.client()
	c.evidence()
	c.application()
}

// add notes a problem at a path of the manifest.
func (c *checker) add(path []string, expected, found, hint Text) {
	n := c.guide.at(path)
	name := path[len(path)-1]
	if _, err := strconv.Atoi(name); err == nil {
		name = ""
	}
	if expected == (Text{}) {
		expected = c.guide.expected(n)
	}
	c.problems = append(c.problems, c.doc.at(path, Problem{
		Field: display(path), Expected: expected, Found: found, Hint: hint, Example: c.guide.example(name, n),
	}))
}

// parseAddress accepts a whole http or https address. It refuses a user name
// or password in it: that would be a literal secret.
func parseAddress(s string) (*url.URL, error) {
	u, wrong := address(s)
	if wrong != (Text{}) {
		return nil, errors.New(wrong.EN)
	}
	return u, nil
}

// address parses an address, or says what stands there instead of a good one.
func address(s string) (*url.URL, Text) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, Text{EN: "not an address", FR: "autre chose qu'une adresse"}
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, Text{EN: "neither http nor https", FR: "ni http ni https"}
	case u.Hostname() == "":
		return nil, Text{EN: "no host", FR: "aucun hôte"}
	case u.User != nil:
		return nil, Text{EN: "a user name or password in it", FR: "un nom ou un mot de passe dans l'adresse"}
	case u.Fragment != "" || strings.HasSuffix(s, "#"):
		return nil, Text{EN: "a fragment (#…)", FR: "un fragment (#…)"}
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			return nil, Text{EN: "a port outside 1 to 65535", FR: "un port hors de 1 à 65535"}
		}
	}
	return u, Text{}
}

// start wants a command or an image, and leaves to images what is theirs.
func (c *checker) start() {
	s := c.m.Candidate.Start
	switch {
	case s == nil:
	case s.Image == "" && len(s.Command) == 0:
		c.add([]string{"start"}, Text{EN: "command, or image", FR: "command, ou image"}, Text{EN: "neither", FR: "ni l'un ni l'autre"}, Text{})
	case s.Image == "":
		for name, set := range map[string]bool{"ports": len(s.Ports) > 0, "network": s.Network != ""} {
			if set {
				c.add([]string{"start", name}, Text{EN: "start.image beside it: it is about containers", FR: "start.image à côté : ceci concerne les conteneurs"}, Text{EN: "no image", FR: "aucune image"}, Text{})
			}
		}
	}
	if s == nil {
		return
	}
	for i, p := range s.Ports {
		for _, n := range strings.Split(p, ":") {
			if port, err := strconv.Atoi(n); err != nil || port > 65535 {
				c.add([]string{"start", "ports", strconv.Itoa(i)}, Text{}, quoted(p), Text{})
				break
			}
		}
	}
}

func (c *checker) addresses() {
	candidate := c.m.Candidate
	type at struct {
		path  []string
		value string
	}
	all := []at{
		{[]string{"web", "production"}, candidate.Web.Production},
		{[]string{"web", "site"}, candidate.Web.Site},
		{[]string{"web", "plain"}, candidate.Web.Plain},
		{[]string{"pilot", "url"}, candidate.Pilot.URL},
		{[]string{"sandbox", "publicUrl"}, candidate.Sandbox.PublicURL},
	}
	if candidate.Start != nil {
		all = append(all, at{[]string{"start", "ready"}, candidate.Start.Ready})
	}
	for i, u := range candidate.Sandbox.RedirectURIs {
		all = append(all, at{[]string{"sandbox", "redirectUris", strconv.Itoa(i)}, u})
	}
	for _, a := range all {
		if _, stands := c.doc.places[strings.Join(a.path, separator)]; !stands {
			continue // absent, or a default made from another field
		}
		if a.path[1] == "redirectUris" && !strings.HasPrefix(a.value, "http:") && !strings.HasPrefix(a.value, "https:") {
			continue // an application's: the schema has checked its form, the catalogue judges its scheme
		}
		u, wrong := address(a.value)
		if wrong != (Text{}) {
			// The value is not repeated: it may hold a password.
			c.add(a.path, Text{}, wrong, Text{})
			continue
		}
		name := a.path[len(a.path)-1]
		if name == "plain" && u.Scheme != "http" {
			c.add(a.path, Text{EN: "an address that begins with http://", FR: "une adresse qui commence par http://"}, quoted(a.value), Text{})
		}
		if (name == "publicUrl" || a.path[0] == "pilot") && u.RawQuery != "" {
			c.add(a.path, Text{EN: "an address without a query (?…)", FR: "une adresse sans paramètres (?…)"}, Text{EN: "one with a query", FR: "une adresse avec paramètres"}, Text{})
		}
		if name == "publicUrl" && u.Scheme != "https" {
			c.add(a.path, Text{EN: "an address that begins with https://: the sandbox speaks nothing else", FR: "une adresse qui commence par https:// : le bac à sable ne parle rien d'autre"}, quoted(a.value), Text{})
		}
	}
}

func (c *checker) pilot() {
	p := c.m.Candidate.Pilot
	for _, f := range []struct {
		name  string
		given bool
		kind  string
	}{{"url", p.URL != "", "http"}, {"token", p.Token != "", "http"}, {"command", len(p.Command) > 0, "exec"}, {"recordings", len(p.Recordings) > 0, "browser"}} {
		if f.given && p.Kind != f.kind {
			c.add([]string{"pilot", f.name},
				Text{EN: "this field with kind: " + f.kind + " only", FR: "ce champ seulement avec kind: " + f.kind},
				Text{EN: "kind: " + p.Kind, FR: "kind: " + p.Kind}, Text{})
		}
	}
}

func (c *checker) sandbox() {
	if l := c.m.Candidate.Sandbox.Listen; l != "" {
		_, port, err := net.SplitHostPort(l)
		if n, bad := strconv.Atoi(port); err != nil || bad != nil || n > 65535 {
			c.add([]string{"sandbox", "listen"}, Text{}, quoted(l), Text{})
		}
	}
}

func (c *checker) timing() {
	t := c.m.Candidate.Timing
	for _, f := range []struct {
		name string
		span time.Duration
	}{{"action", t.Action}, {"effect", t.Effect}, {"quiet", t.Quiet}} {
		path := []string{"timing", f.name}
		p, stands := c.doc.places[strings.Join(path, separator)]
		if !stands {
			continue
		}
		longest := longestSpan
		if c.m.Candidate.Pilot.Kind == "manual" {
			longest = longestByMan
		}
		// The default stands in for a zero: judge what was written.
		written, err := time.ParseDuration(p.value.Value)
		if err != nil || written < shortestSpan || written > longest {
			c.add(path, Text{
				EN: fmt.Sprintf("a duration from %s to %s", brief(shortestSpan), brief(longest)),
				FR: fmt.Sprintf("une durée de %s à %s", brief(shortestSpan), brief(longest)),
			}, quoted(p.value.Value), Text{})
		}
	}
}

func brief(d time.Duration) string {
	s := d.String()
	s = strings.TrimSuffix(s, "0s")
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func (c *checker) secrets() {
	candidate := &c.m.Candidate
	c.secret([]string{"pilot", "token"}, &candidate.Pilot.Token, "pilot-token")
	c.secret([]string{"sandbox", "clientSecret"}, &candidate.Sandbox.ClientSecret, "client-secret")
	if candidate.Start == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(candidate.Start.Env)) {
		value := candidate.Start.Env[name]
		path := []string{"start", "env", name}
		if strings.HasPrefix(value, "env:") || strings.HasPrefix(value, "file:") {
			c.secret(path, &value, "start-"+strings.ReplaceAll(strings.ToLower(name), "_", "-"))
			candidate.Start.Env[name] = value
			continue
		}
		if secretive(name) && value != "" {
			c.add(path, Text{EN: "a reference, env:NAME or file:PATH", FR: "une référence, env:NOM ou file:CHEMIN"},
				Text{EN: "a literal value under a name that announces a secret", FR: "une valeur en clair sous un nom qui annonce un secret"}, Text{})
		}
	}
}

// secretive says whether the name of a variable announces a secret.
func secretive(name string) bool {
	for _, word := range strings.Split(strings.ToUpper(name), "_") {
		switch word {
		case "SECRET", "TOKEN", "PASSWORD", "PASSWD", "PWD", "APIKEY":
			return true
		}
	}
	return strings.HasSuffix(strings.ToUpper(name), "_KEY")
}

// secret replaces a reference by what it refers to.
func (c *checker) secret(path []string, field *string, name string) {
	reference := *field
	if reference == "" {
		return
	}
	*field = ""
	expected := Text{
		EN: "a secret of one line, of at least " + strconv.Itoa(record.MinSecret) + " characters, behind " + reference,
		FR: "un secret d'une ligne, d'au moins " + strconv.Itoa(record.MinSecret) + " caractères, derrière " + reference,
	}
	variable, isEnv := strings.CutPrefix(reference, "env:")
	var value string
	if isEnv {
		v, ok := c.env(variable)
		if !ok || v == "" {
			found := Text{EN: "no environment variable " + variable, FR: "aucune variable d'environnement " + variable}
			if ok {
				found = Text{EN: "an empty environment variable " + variable, FR: "une variable d'environnement " + variable + " vide"}
			}
			c.problems = append(c.problems, c.doc.at(path, Problem{
				Field: display(path), Expected: expected, Found: found, Example: "export " + variable + "=…",
			}))
			return
		}
		value = v
	} else {
		file := strings.TrimPrefix(reference, "file:")
		raw, err := readFile(c.absolute(path, file), maxSecret)
		if err != nil {
			c.add(path, expected, Text{EN: "a file that cannot be read (" + plain(err) + ")", FR: "un fichier illisible (" + plain(err) + ")"}, Text{})
			return
		}
		value = strings.TrimRight(string(raw), "\r\n")
	}
	found := Text{}
	switch {
	case !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		found = Text{EN: "several lines or control characters", FR: "plusieurs lignes ou des caractères de contrôle"}
	case value != strings.TrimSpace(value):
		found = Text{EN: "spaces at its beginning or end", FR: "des espaces au début ou à la fin"}
	case len(value) < record.MinSecret:
		// A shorter value could not be removed from a report without damage to
		// the text around it.
		found = Text{EN: "a shorter one", FR: "un secret plus court"}
	}
	if found != (Text{}) {
		c.add(path, expected, found, Text{})
		return
	}
	*field = value
	c.m.Secrets[name] = value
}

// absolute is a path that stands at a place of the manifest: it starts in the
// folder of the file that holds it.
func (c *checker) absolute(place []string, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.doc.folder(place), path)
}

// readFile reads a whole file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(raw)) > limit {
		return nil, fmt.Errorf("more than %d bytes", limit)
	}
	return raw, err
}

func (c *checker) evidence() {
	budget := int64(maxAllEvidence)
	for i := range c.m.Candidate.Evidence {
		e := &c.m.Candidate.Evidence[i]
		at := func(name string) []string { return []string{"evidence", strconv.Itoa(i), name} }
		date := c.day(at("date"), e.Date)
		expires := c.day(at("expires"), e.Expires)
		if !date.IsZero() && !expires.IsZero() && expires.Before(date) {
			c.add(at("expires"), Text{EN: "a day on or after " + e.Date, FR: "un jour à partir du " + e.Date}, quoted(e.Expires), Text{})
		}
		if e.File == "" {
			if e.SHA256 != "" {
				c.add(at("sha256"), Text{EN: "a file beside its digest", FR: "un fichier à côté de son empreinte"}, Text{EN: "a digest alone", FR: "une empreinte seule"}, Text{})
			}
			continue
		}
		if !filepath.IsLocal(e.File) {
			c.add(at("file"), Text{EN: "a path in the folder of the manifest or below", FR: "un chemin dans le dossier du manifeste ou au-dessous"}, quoted(e.File), Text{})
			continue
		}
		digest, size, err := digestOf(c.absolute(at("file"), e.File), min(maxEvidence, budget))
		if err != nil {
			found := Text{EN: "a file that cannot be used (" + plain(err) + ")", FR: "un fichier inutilisable (" + plain(err) + ")"}
			if errors.Is(err, fs.ErrNotExist) {
				found = Text{EN: "no file " + e.File, FR: "aucun fichier " + e.File}
			}
			c.add(at("file"), Text{EN: "a file of at most 20 MiB (200 MiB for all)", FR: "un fichier de 20 Mio au plus (200 Mio pour l'ensemble)"}, found, Text{})
			continue
		}
		budget -= size
		if e.SHA256 != "" && e.SHA256 != digest {
			c.add(at("sha256"), Text{EN: "the digest of " + e.File, FR: "l'empreinte de " + e.File}, same(e.SHA256),
				Text{EN: "the file has " + digest + ": it may have changed since it was declared", FR: "le fichier a " + digest + " : il a peut-être changé depuis la déclaration"})
			continue
		}
		e.SHA256 = digest
	}
}

func (c *checker) day(path []string, s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		c.add(path, Text{EN: "a day that exists", FR: "un jour qui existe"}, quoted(s), Text{})
	}
	return day
}

// digestOf hashes a regular file of at most limit bytes.
func digestOf(path string, limit int64) (digest string, size int64, err error) {
	// Opening a pipe would wait for a writer: look first.
	info, err := os.Stat(path)
	if err != nil {
		return "", 0, err
	}
	if !info.Mode().IsRegular() {
		return "", 0, errors.New("not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	h := sha256.New()
	size, err = io.Copy(h, io.LimitReader(file, limit+1))
	if err != nil {
		return "", 0, err
	}
	if size > limit {
		return "", 0, fmt.Errorf("more than %d bytes", limit)
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

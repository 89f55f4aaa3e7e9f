package candidate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/etalon-sante/etalon/suites/requirement/yamlsafe"
)

// MaxManifest is the most that is read of a manifest, in bytes.
const MaxManifest = 1 << 20

// Manifest is candidate.yaml, read and checked.
type Manifest struct {
	Candidate Candidate         // defaults applied, secrets resolved
	Path      string            // as it was given to Read
	Folder    string            // absolute folder of the file, from which relative paths start
	Raw       []byte            // as written, or as put together from several files: secrets stand in it as references only
	Secrets   map[string]string // name ("pilot-token", "client-secret") -> value, for the redactor
	// Application is the absolute path of the application's file; "" where the
	// manifest names none. It stays out of what is recorded.
	Application string
	sources     []*source
}

// Defaults of what a manifest may leave out.
const (
	DefaultConcurrency   = 4
	DefaultAction        = 10 * time.Second
	DefaultManualAction  = 30 * time.Minute // a person reads, signs in and clicks
	DefaultBrowserAction = time.Minute      // a sign-in and a journey
	DefaultEffect        = 5 * time.Second
	DefaultQuiet         = 5 * time.Second
	DefaultStartSeconds  = 30
)

// Read reads and checks a manifest. Its secrets are looked up with env (as
// os.LookupEnv does) or in files. What the editor can correct comes back as a
// *ManifestError that lists every problem; any other error is a fault of ours.
func Read(path string, env func(string) (string, bool)) (*Manifest, error) {
	return ReadFor(path, "", env)
}

// ReadFor reads a manifest for one of the environments that it names; "" is the
// manifest as it stands.
func ReadFor(path, environment string, env func(string) (string, bool)) (*Manifest, error) {
	raw, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("read manifest %s: %w", path, err)
	}
	return parse(raw, path, filepath.Dir(absolute), environment, env)
}

// Parse checks a manifest that is at hand: name stands for its path in errors,
// folder is where its relative paths start.
func Parse(raw []byte, name, folder string, env func(string) (string, bool)) (*Manifest, error) {
	return parse(raw, name, folder, "", env)
}

func readBounded(path string) ([]byte, error) {
	refuse := func(found Text, err error) error {
		return &ManifestError{Path: path, Err: err, Problems: []Problem{{
			Expected: Text{EN: "a readable file of at most 1 MiB", FR: "un fichier lisible de 1 Mio au plus"},
			Found:    found,
			Hint:     Text{EN: "\"etalon init\" writes one", FR: "« etalon init » en écrit un"},
		}}}
	}
	file, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, refuse(Text{EN: "no such file", FR: "aucun fichier de ce nom"}, err)
	case errors.Is(err, fs.ErrPermission):
		return nil, refuse(Text{EN: "a file that may not be read", FR: "un fichier dont la lecture est interdite"}, err)
	case err != nil:
		return nil, refuse(same(plain(err)), err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		return nil, refuse(Text{EN: "a folder", FR: "un dossier"}, nil)
	}
	if err == nil && info.Mode().IsRegular() && info.Size() > MaxManifest {
		return nil, refuse(Text{EN: fmt.Sprintf("%d bytes", info.Size()), FR: fmt.Sprintf("%d octets", info.Size())}, nil)
	}
	// The size of a pipe is not known beforehand, and a file can grow.
	raw, err := io.ReadAll(io.LimitReader(file, MaxManifest+1))
	if err != nil {
		return nil, refuse(same(plain(err)), err)
	}
	if len(raw) > MaxManifest {
		return nil, refuse(Text{EN: "more", FR: "davantage"}, nil)
	}
	return raw, nil
}

// plain drops the operation and path of a file error, which the message has
// already said.
func plain(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

func parse(raw []byte, path, folder, environment string, env func(string) (string, bool)) (*Manifest, error) {
	a := &assembly{origin: origin{}}
	whole, err := a.load(&source{path: path, folder: folder, raw: raw}, []string{filepath.Join(folder, filepath.Base(path))})
	if err != nil {
		return nil, err
	}
	names, parts, problems := environments(whole)
	if len(problems) > 0 {
		return nil, failure(path, problems)
	}
	if environment != "" && parts[environment] == nil {
		return nil, unknownEnvironment(path, environment, names)
	}
	if names != nil {
		rest := *whole
		rest.Content = slices.Clone(whole.Content)
		drop(&rest, environmentsKey)
		whole = &rest
	}
	guide, err := newGuide()
	if err != nil {
		return nil, err
	}
	root := whole
	if part := parts[environment]; part != nil {
		root = overlay(whole, part)
	}
	doc, problems, err := a.shaped(root, guide, path)
	if err != nil {
		return nil, err
	}
	if len(problems) > 0 {
		return nil, failure(path, problems)
	}
	// The other environments too: what is wrong there would be found on the day
	// on which it is needed.
	for _, name := range names {
		_, wrong, err := a.shaped(overlay(whole, parts[name]), guide, path)
		if err != nil {
			return nil, err
		}
		if len(wrong) > 0 {
			for i := range wrong {
				wrong[i].Field = display([]string{environmentsKey, name}) + "." + wrong[i].Field
			}
			return nil, failure(path, wrong)
		}
	}
	if len(a.sources) > 1 || environment != "" {
		if raw, err = asUsed(root, a.sources, environment); err != nil {
			return nil, fmt.Errorf("read manifest %s: %w", path, err)
		}
	}
	m := &Manifest{Path: path, Folder: folder, Raw: raw, Secrets: map[string]string{}, sources: a.sources}
	if err := decode(doc, &m.Candidate); err != nil {
		return nil, fmt.Errorf("read manifest %s: %w", path, err)
	}
	setDefaults(&m.Candidate)
	c := checker{m: m, doc: doc, guide: guide, env: env}
	c.all()
	if len(c.problems) > 0 {
		return nil, failure(path, c.problems)
	}
	if found := inClear(m); len(found) > 0 {
		return nil, failure(path, found)
	}
	return m, nil
}

// shaped checks a manifest against the schema.
func (a *assembly) shaped(root *yaml.Node, g guide, path string) (*tree, []Problem, error) {
	doc, problems := newTree(root)
	doc.origin, doc.first = a.origin, a.sources[0]
	if len(problems) > 0 {
		return doc, problems, nil
	}
	problems, err := againstSchema(g, doc)
	if err != nil {
		return nil, nil, fmt.Errorf("read manifest %s: %w", path, err)
	}
	return doc, problems, nil
}

// inClear finds secrets that stand in the file besides their references, in a
// comment for example: the manifest is kept with the run.
func inClear(m *Manifest) []Problem {
	var out []Problem
	for _, from := range m.sources {
		for _, name := range slices.Sorted(maps.Keys(m.Secrets)) {
			i := bytes.Index(from.raw, []byte(m.Secrets[name]))
			if i < 0 {
				continue
			}
			p := Problem{
				Line:     1 + bytes.Count(from.raw[:i], []byte("\n")),
				Expected: Text{EN: "no secret in clear", FR: "aucun secret en clair"},
				Found:    Text{EN: "the value of " + name, FR: "la valeur de " + name},
				Hint:     Text{EN: "take it out, and change it: this file is kept with each run", FR: "retirez-la, et changez-la : ce fichier est gardé avec chaque campagne"},
			}
			if from != m.sources[0] {
				p.File = from.path
			}
			out = append(out, p)
		}
	}
	return out
}

func unreadable(path string, err error) error {
	var y *yamlsafe.Error
	if !errors.As(err, &y) {
		return fmt.Errorf("read manifest %s: %w", path, err)
	}
	out := &ManifestError{Path: path, Err: err}
	for _, p := range y.Problems {
		out.Problems = append(out.Problems, Problem{
			Line: p.Line, Column: p.Column,
			Expected: Text{EN: "plain YAML (no alias, anchor or tag)", FR: "du YAML simple (sans alias, ancre ni étiquette)"},
			Found:    Text{EN: "this: " + p.Message, FR: "ceci : " + p.Message},
		})
	}
	return out
}

// decode fills the candidate. The schema has fixed the shape; durations are
// texts in the manifest and numbers in the type.
func decode(doc *tree, out *Candidate) error {
	var loose map[string]any
	d := json.NewDecoder(bytes.NewReader(doc.json))
	d.UseNumber()
	if err := d.Decode(&loose); err != nil {
		return fmt.Errorf("read the checked manifest: %w", err)
	}
	if timing, ok := loose["timing"].(map[string]any); ok {
		for name, text := range timing {
			// A duration that does not parse is zero here; the checker names it.
			span, _ := time.ParseDuration(fmt.Sprint(text))
			timing[name] = span.Nanoseconds()
		}
	}
	if journeys, ok := loose["journeys"].(map[string]any); ok && journeys["idle"] != nil {
		span, _ := time.ParseDuration(fmt.Sprint(journeys["idle"]))
		journeys["idle"] = span.Nanoseconds()
	}
	strict, err := json.Marshal(loose)
	if err != nil {
		return fmt.Errorf("read the checked manifest: %w", err)
	}
	d = json.NewDecoder(bytes.NewReader(strict))
	d.DisallowUnknownFields()
	if err := d.Decode(out); err != nil {
		return fmt.Errorf("read the checked manifest: %w", err)
	}
	return nil
}

func setDefaults(c *Candidate) {
	for _, list := range []*[]string{
		&c.Service.Audience, &c.Service.Finalites,
		&c.Claims.Measures, &c.Claims.Documents, &c.Claims.Agenda, &c.Claims.Kinds,
	} {
		if *list == nil {
			*list = []string{}
		}
	}
	if c.Evidence == nil {
		c.Evidence = []Evidence{}
	}
	if c.Concurrency == 0 {
		c.Concurrency = DefaultConcurrency
	}
	if c.Visitor == "" {
		c.Visitor = "http"
	}
	if c.Sandbox.ClientAuth == "" {
		c.Sandbox.ClientAuth = "client_secret_basic"
	}
	if c.Timing.Action == 0 {
		c.Timing.Action = DefaultAction
		if c.Pilot.Kind == "manual" {
			c.Timing.Action = DefaultManualAction
		}
		if c.Pilot.Kind == "browser" {
			c.Timing.Action = DefaultBrowserAction
		}
	}
	if c.Timing.Effect == 0 {
		c.Timing.Effect = DefaultEffect
	}
	if c.Timing.Quiet == 0 {
		c.Timing.Quiet = DefaultQuiet
	}
	if c.Start != nil && c.Start.Seconds == 0 {
		c.Start.Seconds = DefaultStartSeconds
	}
	for i := range c.Journeys.Accounts {
		if a := &c.Journeys.Accounts[i]; a.Use == "" {
			a.Use = ToVisit
		}
	}
	if c.Journeys.SignIn != "" && c.Journeys.Tries == 0 {
		c.Journeys.Tries = DefaultTries
	}
	if c.Web.Site == "" {
		c.Web.Site = c.Web.Production
	}
	if c.Web.Plain == "" && c.Web.Site != "" {
		c.Web.Plain = plainOf(c.Web.Site)
	}
}

// plainOf is the unencrypted address of a site: its host at the default port.
// A site that is itself unencrypted keeps its port: there is no other address
// to try.
func plainOf(site string) string {
	u, err := parseAddress(site)
	if err != nil {
		return ""
	}
	host := u.Host
	if u.Scheme == "https" {
		host = strings.TrimSuffix(u.Host, ":"+u.Port())
	}
	return "http://" + host + "/"
}

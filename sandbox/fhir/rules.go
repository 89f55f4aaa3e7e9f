package fhir

import (
	"fmt"
	"regexp"
	"slices"
	"time"
	_ "time/tzdata" // the image of the sandbox has no file system, and dates without offset are those of a zone

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/sandbox/settings"
)

// Context is what the tokens of a call say of whom it is for. An empty field is
// not compared with.
type Context struct {
	IDPe       string // identifier of the patient for this service
	AssignAuth string // naming authority of the idPe, "urn:oid:…"
	OID        string // OID of the service's solution, "1.2.250.…"
}

// Feed is a measure feed, as far as it could be understood.
type Feed struct {
	Observation map[string]any // nil when there is none
	Device      map[string]any // nil when there is none
	FullURL     string         // of the Observation's entry
	IfNoneExist string         // of the Device's entry, its bar not encoded
	Kind        string         // weight, height, …; "" when the code is of no known measure
	RequestIDPe string         // idPe that subject.identifier names
	RequestAuth string         // naming authority that it names
}

// Rules validates messages as one settings file has it. It does not change once
// made and is safe for concurrent use.
type Rules struct {
	set           *settings.Settings
	cat           *catalog
	rules         map[string]Rule // by id, a slash, and case
	structures    map[string]structure
	ifNoneExist   *regexp.Regexp
	zone          *time.Location
	bases         []string // canonical bases of profiles
	extensionBase string   // canonical base of extensions
	categories    []string // of documents
}

// NewRules compiles the rules for some settings. The schemas, some tens of
// milliseconds, are compiled once a process, each when it is first needed.
func NewRules(s *settings.Settings) (*Rules, error) {
	shapes, err := structures()
	if err != nil {
		return nil, fmt.Errorf("compile rules: %w", err)
	}
	r := &Rules{
		set: s, rules: map[string]Rule{}, structures: shapes, ifNoneExist: ifNoneExistForm(),
		bases: s.List("measure.canonical-bases"), extensionBase: s.String("measure.extension-base"),
		categories: s.List("document.categories"),
	}
	if r.cat, err = newCatalog(s); err != nil {
		return nil, fmt.Errorf("compile rules: %w", err)
	}
	if r.zone, err = time.LoadLocation(s.String("search.timezone")); err != nil {
		return nil, fmt.Errorf("compile rules: setting search.timezone: %w", err)
	}
	for _, row := range Catalogue() {
		r.rules[row.ID+"/"+row.Case] = row
	}
	return r, nil
}

// Status is what a strict record answers to the issues: the smallest HTTP status
// among them, which puts permission before content; 0 when none refuses.
func Status(issues []record.Issue) int {
	status := 0
	for _, i := range issues {
		if i.HTTP != 0 && (status == 0 || i.HTTP < status) {
			status = i.HTTP
		}
	}
	return status
}

// Structure checks the shape of a resource that the sandbox itself sends
// (one of Shaped), decoded by
// Decode. Other resources are not checked.
func (r *Rules) Structure(v any) []record.Issue {
	p := &report{r: r}
	m, _ := v.(map[string]any)
	name := text(m, "resourceType")
	if r.structures[name] != nil {
		p.shape(name, m, "", "feed.json", "shape", nil)
	}
	for i, e := range list(m, "entry") {
		for _, x := range r.Structure(object(e, "resource")) {
			x.Pointer = fmt.Sprintf("/entry/%d/resource%s", i, x.Pointer)
			p.list = append(p.list, x)
		}
	}
	return p.list
}

// Period returns the interval [low, high) that a FHIR date, dateTime or instant
// means; one without offset is read in the time zone of the settings.
func (r *Rules) Period(text string) (low, high time.Time, err error) {
	d, err := readDate(text, r.zone)
	return d.low, d.high, err
}

// KindOfCode names the measure that a code is of, "" when of none.
func (r *Rules) KindOfCode(code string) string {
	if k := r.cat.byCode[code]; k != nil {
		return k.Kind
	}
	return ""
}

// Measure is what the tables say of one measure, for whoever makes or reads one.
type Measure struct {
	Kind       string
	Code       string
	System     string   // of the code
	Unit       string   // UCUM
	Profiles   []string // canonical URLs that are accepted, the preferred first
	Components map[string]string
	Moment     string // "mandatory", "forbidden" or ""
	Days       string
	Computed   bool // by Mon espace santé: cannot be fed
}

// Measures lists the measures that Mon espace santé has, in the order of the
// tables.
func (r *Rules) Measures() []Measure {
	var out []Measure
	for _, code := range r.cat.codes {
		k := r.cat.byCode[code]
		m := Measure{
			Kind: k.Kind, Code: code, System: k.system(), Unit: k.Unit,
			Moment: k.Moment, Days: k.Days, Computed: k.Computed, Components: map[string]string{},
		}
		for _, base := range r.bases {
			for _, name := range k.Profiles {
				m.Profiles = append(m.Profiles, base+name)
			}
		}
		for _, c := range k.Components {
			m.Components[c.Name] = c.Code
		}
		out = append(out, m)
	}
	return slices.Clip(out)
}

// ValueSets lists the codes of the value sets (JDV) that are checked against, by
// short name such as J145, sorted.
func (r *Rules) ValueSets() map[string][]string {
	out := map[string][]string{}
	for name, set := range r.cat.sets.Sets {
		for _, codes := range set.Codes {
			out[name] = append(out[name], codes...)
		}
		slices.Sort(out[name])
	}
	return out
}

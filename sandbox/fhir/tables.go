package fhir

import (
	"bytes"
	"embed"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/etalon-sante/etalon/sandbox/settings"
)

//go:embed tables/*.yaml tables/rules/*.yaml tables/schema/*.json
var tables embed.FS

// Addresses that the profiles fix.
const (
	loinc            = "http://loinc.org"
	taasip           = "https://mos.esante.gouv.fr/NOS/TRE_R308-TAASIP/FHIR/TRE-R308-TAASIP"
	ucum             = "http://unitsofmeasure.org"
	categorySystem   = "http://terminology.hl7.org/CodeSystem/observation-category"
	categoryCode     = "vital-signs"
	mdc              = "urn:iso:std:iso:11073:10101"
	deviceType       = "65573"
	momentExtension  = "mesures-moment-of-measurement"
	daysExtension    = "mesures-number-of-days"
	deviceResource   = "Device"
	observationWord  = "Observation"
	documentResource = "DocumentReference"
	appointmentWord  = "Appointment"
	binaryWord       = "Binary"
)

// kind is a measure, as the tables describe it.
type kind struct {
	Kind       string      `yaml:"kind"`
	Profiles   []string    `yaml:"profiles"`
	System     string      `yaml:"system"`
	Value      string      `yaml:"value"`
	Unit       string      `yaml:"unit"`
	UnitText   string      `yaml:"unitText"`
	Components []component `yaml:"components"`
	Method     *binding    `yaml:"method"`
	BodySite   *binding    `yaml:"bodySite"`
	AppliesTo  *binding    `yaml:"appliesTo"`
	Extensions []string    `yaml:"extensions"`
	Whole      []string    `yaml:"whole"`
	Moment     string      `yaml:"moment"`
	Days       string      `yaml:"days"`
	Computed   bool        `yaml:"computed"` // by Mon espace santé: cannot be fed

	code string // of the settings
}

type component struct {
	Name string `yaml:"name"`
	Code string `yaml:"code"`
	Min  int    `yaml:"min"`
}

// extension is one of the ANS guide's.
type extension struct {
	Name    string `yaml:"name"`
	Value   string `yaml:"value"`   // the member that carries the value
	Codings int    `yaml:"codings"` // at most; 0: any number
}

// binding says from which value sets a code comes, and how strictly.
type binding struct {
	Sets     []string `yaml:"sets"`
	Strength string   `yaml:"strength"`

	codes map[string][]string // code to the systems that it may have; none: any
}

// system returns the address that the code of the measure stands in.
func (k kind) system() string {
	if k.System == "taasip" {
		return taasip
	}
	return loinc
}

type valueSets struct {
	Systems map[string][]string `yaml:"systems"`
	Sets    map[string]struct {
		OID   string              `yaml:"oid"`
		Codes map[string][]string `yaml:"codes"`
	} `yaml:"sets"`
}

// resolve fills the codes of a binding.
func (v valueSets) resolve(b *binding) error {
	b.codes = map[string][]string{}
	for _, name := range b.Sets {
		set, ok := v.Sets[name]
		if !ok {
			return fmt.Errorf("value set %s is not in the tables", name)
		}
		for system, codes := range set.Codes {
			addresses, ok := v.Systems[system]
			if !ok {
				return fmt.Errorf("value set %s: code system %s is not in the tables", name, system)
			}
			for _, code := range codes {
				b.codes[code] = addresses
			}
		}
	}
	return nil
}

// catalog is what the tables and the settings say together.
type catalog struct {
	byCode          map[string]*kind
	byProfile       map[string]bool // names of profiles
	specializations map[string]string
	extensions      map[string]extension // by the name that measures use
	moment          binding
	days            binding
	codes           []string // in the order of the table
	sets            valueSets
}

func readTable(name string, into any) error {
	raw, err := tables.ReadFile("tables/" + name)
	if err != nil {
		return fmt.Errorf("read embedded table: %w", err)
	}
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("read embedded table %s: %w", name, err)
	}
	return nil
}

func newCatalog(s *settings.Settings) (*catalog, error) {
	var t struct {
		Measures        []*kind              `yaml:"measures"`
		Specializations map[string]string    `yaml:"specializations"`
		Extensions      map[string]extension `yaml:"extensions"`
	}
	var sets valueSets
	if err := readTable("measures.yaml", &t); err != nil {
		return nil, err
	}
	if err := readTable("valuesets.yaml", &sets); err != nil {
		return nil, err
	}
	c := &catalog{
		byCode: map[string]*kind{}, byProfile: map[string]bool{}, specializations: t.Specializations, extensions: t.Extensions,
		moment: binding{Sets: []string{"J157"}, Strength: "required"},
		days:   binding{Sets: []string{"J164"}, Strength: "required"},
		sets:   sets,
	}
	bindings := []*binding{&c.moment, &c.days}
	codes := map[string]string{}
	for _, pair := range s.List("measure.codes") {
		name, code, ok := strings.Cut(pair, "=")
		if !ok || code == "" || codes[name] != "" {
			return nil, fmt.Errorf("setting measure.codes: %q is not a kind not yet given, =, and its code", pair)
		}
		codes[name] = code
	}
	for _, k := range t.Measures {
		if k.code = codes[k.Kind]; k.code == "" {
			return nil, fmt.Errorf("setting measure.codes: no code for %s", k.Kind)
		}
		delete(codes, k.Kind)
		if c.byCode[k.code] != nil {
			return nil, fmt.Errorf("setting measure.codes: %s is the code of two measures", k.code)
		}
		c.byCode[k.code] = k
		c.codes = append(c.codes, k.code)
		for _, name := range k.Extensions {
			if _, ok := t.Extensions[name]; !ok {
				return nil, fmt.Errorf("read embedded table measures.yaml: %s: there is no extension %q", k.Kind, name)
			}
		}
		for _, p := range k.Profiles {
			c.byProfile[p] = true
		}
		for _, b := range []*binding{k.Method, k.BodySite, k.AppliesTo} {
			if b == nil {
				continue
			}
			if b.Strength == "setting" {
				b.Strength = s.String("measure.binding")
			}
			bindings = append(bindings, b)
		}
	}
	for name := range codes {
		return nil, fmt.Errorf("setting measure.codes: there is no measure %q", name)
	}
	for _, b := range bindings {
		if err := sets.resolve(b); err != nil {
			return nil, fmt.Errorf("read embedded table valuesets.yaml: %w", err)
		}
	}
	return c, nil
}

// holds says whether a coding is one of the binding's.
func (b binding) holds(system, code string) bool {
	systems, ok := b.codes[code]
	return ok && (len(systems) == 0 && system != "" || slices.Contains(systems, system))
}

package fhir

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// Observation judges an Observation on its own, as it would be stored. What
// only a feed forbids (the BMI, a foreign patient) is not looked at.
func (r *Rules) Observation(m map[string]any) []record.Issue {
	p := &report{r: r}
	p.observation(m, "", Context{}, false)
	return p.list
}

// observation judges an Observation and names its measure, nil when unknown.
func (p *report) observation(o map[string]any, at string, c Context, feed bool) *kind {
	k := p.code(o, at)
	if k != nil && k.Computed && feed {
		p.add("feed.bmi", "", at+"/code", "a measure that Mon espace santé does not compute itself", "the BMI")
	}
	p.profile(o, at, k)
	p.subject("feed.subject", o, at, c, true)
	if text(o, "status") == "" {
		p.add("feed.status", "", at+"/status", "the status of the measure", show(o["status"]))
	}
	p.category(o, at)
	p.effective(o, at)
	if k != nil {
		p.value(o, at, k)
		p.bound(o, at, "method", k.Method)
		p.bound(o, at, "bodySite", k.BodySite)
		p.profiled(o, at, k)
		p.extension(o, at, "moment", momentExtension, k.Moment, p.r.cat.moment)
		p.extension(o, at, "days", daysExtension, k.Days, p.r.cat.days)
	}
	p.source(o, at, c)
	p.shape(observationWord, o, at, "feed.json", "shape", observationRules())
	return k
}

// observationRules says which rule a wrong shape of a member belongs to.
func observationRules() map[string]string {
	return map[string]string{
		"status": "feed.status", "category": "feed.category", "code": "feed.code",
		"subject": "feed.subject", "effectiveDateTime": "feed.effective", "effectivePeriod": "feed.effective",
		"valueQuantity": "feed.quantity", "component": "feed.component", "device": "feed.device-link",
	}
}

// code finds the measure. A code of a measure in a foreign code system is said
// to be wrong and judged all the same.
func (p *report) code(o map[string]any, at string) *kind {
	var near *kind
	for _, x := range list(object(o, "code"), "coding") {
		k := p.r.cat.byCode[text(x, "code")]
		if k == nil {
			continue
		}
		if text(x, "system") == k.system() {
			return k
		}
		if near == nil {
			near = k
		}
	}
	expected := "the code of a measure of Mon espace santé"
	if near != nil {
		expected = near.system() + "|" + near.code
	}
	p.add("feed.code", "", at+"/code", expected, showCodes(o["code"]))
	return near
}

// profile wants one profile of the measure under one of the canonical bases.
func (p *report) profile(o map[string]any, at string, k *kind) {
	profiles := list(object(o, "meta"), "profile")
	for _, x := range profiles {
		s, _ := x.(string)
		for _, base := range p.r.bases {
			name, ok := strings.CutPrefix(canonical(s), base)
			if !ok {
				continue
			}
			if k == nil && p.r.cat.byProfile[name] {
				return
			}
			if k != nil {
				for _, want := range k.Profiles {
					if name == want {
						return
					}
				}
			}
		}
	}
	expected, actual := p.r.bases[0]+"…", "nothing"
	if k != nil {
		expected = p.r.bases[0] + k.Profiles[0]
	}
	if len(profiles) > 0 {
		actual = show(profiles[0])
	}
	p.add("feed.profile", "", at+"/meta/profile", expected, actual)
}

// subject compares subject.identifier with the tokens. The values themselves
// stay out of the issue: they identify a patient.
func (p *report) subject(rule string, o map[string]any, at string, c Context, needed bool) {
	id := object(object(o, "subject"), "identifier")
	idpe, auth := text(id, "value"), text(id, "system")
	at += "/subject/identifier"
	if idpe == "" || auth == "" {
		if needed {
			p.add(rule, "", at, "system (naming authority) and value (idPe)", missing(id))
		}
		return
	}
	if c.IDPe != "" && idpe != c.IDPe {
		p.add(rule, "other-patient", at+"/value", "the idPe of the id_token", "another idPe")
	}
	if c.AssignAuth != "" && auth != c.AssignAuth {
		p.add(rule, "other-authority", at+"/system", "the naming authority given at pairing", "another one")
	}
}

func missing(id map[string]any) string {
	switch {
	case len(id) == 0:
		return "no identifier"
	case text(id, "value") == "":
		return "no value"
	default:
		return "no system"
	}
}

func (p *report) category(o map[string]any, at string) {
	for _, x := range list(o, "category") {
		if hasCoding(x, categorySystem, func(code string) bool { return code == categoryCode }) {
			return
		}
	}
	actual := "nothing"
	if l := list(o, "category"); len(l) > 0 {
		actual = showCodes(l[0])
	}
	p.add("feed.category", "", at+"/category", categorySystem+"|"+categoryCode, actual)
}

func (p *report) effective(o map[string]any, at string) {
	at += "/effectiveDateTime"
	s := text(o, "effectiveDateTime")
	if s == "" {
		p.add("feed.effective", "", at, "the instant of the measure", show(o["effectiveDateTime"]))
		return
	}
	d, err := readDate(s, p.r.zone)
	switch {
	case err != nil:
		p.add("feed.effective", "", at, "a FHIR dateTime", s)
	case !d.offset:
		p.add("feed.effective", "no-offset", at, "a time with Z or an offset", s)
	}
}

// value judges valueQuantity, or the components where the profile wants those.
func (p *report) value(o map[string]any, at string, k *kind) {
	for name, v := range o {
		if strings.HasPrefix(name, "value") && (name != "valueQuantity" || k.Value == "components") {
			p.add("feed.value", "", at+"/"+escape(name), map[bool]string{true: "components and no value", false: "valueQuantity only"}[k.Value == "components"], show(v))
		}
	}
	if k.Value == "components" {
		p.components(o, at, k)
		return
	}
	p.quantity(o["valueQuantity"], at+"/valueQuantity", k)
}

// quantity judges one Quantity. Value, unit, system and code are all mandatory
// in the profiles when a Quantity is there.
func (p *report) quantity(v any, at string, k *kind) {
	q, _ := v.(map[string]any)
	if _, ok := q["value"].(json.Number); !ok {
		p.add("feed.value", "", at+"/value", "a number", show(q["value"]))
	}
	if q == nil {
		return
	}
	if text(q, "unit") == "" {
		p.add("feed.quantity", "", at+"/unit", "the unit, as text", show(q["unit"]))
	}
	if text(q, "system") != ucum {
		p.add("feed.quantity", "", at+"/system", ucum, show(q["system"]))
	}
	switch code := text(q, "code"); {
	case code == "":
		p.add("feed.quantity", "", at+"/code", k.Unit, show(q["code"]))
	case code != k.Unit:
		p.add("feed.unit", "", at+"/code", k.Unit, code)
	}
	if u := text(q, "unit"); k.UnitText != "" && u != "" && u != k.UnitText {
		p.add("feed.unit", "", at+"/unit", k.UnitText, u)
	}
}

func (p *report) components(o map[string]any, at string, k *kind) {
	at += "/component"
	count := map[string]int{}
	for i, x := range list(o, "component") {
		here := at + "/" + strconv.Itoa(i)
		known := false
		for _, want := range k.Components {
			m, _ := x.(map[string]any)
			if hasCoding(m["code"], loinc, func(code string) bool { return code == want.Code }) {
				count[want.Code]++
				known = true
				p.quantity(m["valueQuantity"], here+"/valueQuantity", k)
			}
		}
		if !known {
			p.add("feed.component", "", here+"/code", "a component of the profile", showCodes(object(x, "code")))
		}
	}
	for _, want := range k.Components {
		if n := count[want.Code]; n < want.Min || n > 1 {
			p.add("feed.component", "", at, want.Name+" ("+want.Code+") once", strconv.Itoa(n)+" times")
		}
	}
}

// bound judges a CodeableConcept against its value sets.
func (p *report) bound(o map[string]any, at, name string, b *binding) {
	if v, present := o[name]; b != nil && present {
		p.boundConcept(v, at+"/"+name, b)
	}
}

func (p *report) boundConcept(v any, at string, b *binding) {
	for _, x := range list(v, "coding") {
		if b.holds(text(x, "system"), text(x, "code")) {
			return
		}
	}
	which := ""
	if b.Strength != "required" {
		which = "extensible"
	}
	p.add("feed.binding", which, at, "a code of "+strings.Join(b.Sets, " or "), showCodes(v))
}

// extension judges an extension that a business rule wants, forbids, or says
// nothing of.
func (p *report) extension(o map[string]any, at, short, name, rule string, b binding) {
	if rule == "" {
		return
	}
	want := p.r.extensionBase + name
	var found map[string]any
	place := at + "/extension"
	for i, x := range list(o, "extension") {
		if text(x, "url") == want {
			found, _ = x.(map[string]any)
			place += "/" + strconv.Itoa(i)
			break
		}
	}
	switch {
	case found == nil && rule == "mandatory":
		p.add("feed."+short+"-missing", "", place, "the extension "+name, "none")
	case found != nil && rule == "forbidden":
		p.add("feed."+short+"-forbidden", "", place, "no extension "+name, "one")
	case found != nil:
		if _, ok := found["valueCodeableConcept"]; !ok {
			p.add("feed.binding", "", place+"/valueCodeableConcept", "a code of "+b.Sets[0], "nothing")
			return
		}
		p.bound(found, place, "valueCodeableConcept", &b)
	}
}

// source wants meta.source, where given, to start with the OID of the solution.
func (p *report) source(o map[string]any, at string, c Context) {
	v, present := object(o, "meta")["source"]
	if !present || c.OID == "" {
		return
	}
	s, _ := v.(string)
	rest, ok := strings.CutPrefix(strings.TrimPrefix(s, "urn:oid:"), c.OID)
	if !ok || rest != "" && rest[0] >= '0' && rest[0] <= '9' {
		p.add("feed.source", "", at+"/meta/source", "an address that starts with "+c.OID, show(v))
	}
}

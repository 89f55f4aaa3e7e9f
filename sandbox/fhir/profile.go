package fhir

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// profiled judges what the published profile of a measure says beside its value:
// slices that stand once, codings that are whole, the reference range, extensions.
// Source: StructureDefinitions of the measures, as published.
func (p *report) profiled(o map[string]any, at string, k *kind) {
	p.slices(o, at, k)
	for _, name := range k.Whole {
		p.whole(o[name], at+"/"+name)
	}
	if k.AppliesTo != nil {
		for i, x := range list(o, "referenceRange") {
			here := at + "/referenceRange/" + strconv.Itoa(i)
			for j, y := range list(x, "appliesTo") {
				p.boundConcept(y, here+"/appliesTo/"+strconv.Itoa(j), k.AppliesTo)
			}
		}
	}
	p.extensions(o, at, k)
}

// slices wants the category of vital signs and the code of the measure once each:
// the profiles make each a slice of 1..1.
func (p *report) slices(o map[string]any, at string, k *kind) {
	n := 0
	for _, x := range list(o, "category") {
		if hasCoding(x, categorySystem, func(code string) bool { return code == categoryCode }) {
			n++
		}
	}
	if n > 1 {
		p.add("feed.category", "twice", at+"/category", "one category of vital signs", fmt.Sprintf("%d", n))
	}
	n = 0
	for _, x := range list(object(o, "code"), "coding") {
		if text(x, "system") == k.system() && text(x, "code") == k.code {
			n++
		}
	}
	if n > 1 {
		p.add("feed.code", "twice", at+"/code/coding", "the code of the measure once", fmt.Sprintf("%d times", n))
	}
}

// whole wants a system and a code in each coding of a CodeableConcept.
func (p *report) whole(v any, at string) {
	for i, x := range list(v, "coding") {
		here := at + "/coding/" + strconv.Itoa(i)
		for _, name := range []string{"system", "code"} {
			if text(x, name) == "" {
				p.add("feed.coding", "", here+"/"+name, "a system and a code in each coding", "no "+name)
			}
		}
	}
}

// extensions judges those of the guide: the profile names them, each once at
// most, and the value is of the type that the guide gives them.
func (p *report) extensions(o map[string]any, at string, k *kind) {
	seen := map[string]bool{}
	for i, x := range list(o, "extension") {
		name, known, of := p.r.extensionOf(text(x, "url"))
		if !known {
			continue
		}
		here := at + "/extension/" + strconv.Itoa(i)
		if seen[name] {
			p.add("feed.extension", "twice", here, "the extension "+of.Name+" once", "again")
		}
		seen[name] = true
		if !slices.Contains(k.Extensions, name) {
			p.add("feed.extension", "foreign", here, "an extension that the profile names", of.Name)
			continue
		}
		m, _ := x.(map[string]any)
		if k.ruled(name) && m[of.Value] == nil { // the rule of the extension itself says so
			continue
		}
		if m[of.Value] == nil {
			p.add("feed.extension", "", here, of.Name+" with "+of.Value, "another value")
			continue
		}
		if of.Value != "valueCodeableConcept" {
			continue
		}
		if n := len(list(m[of.Value], "coding")); of.Codings > 0 && n > of.Codings {
			p.add("feed.extension", "", here+"/"+of.Value+"/coding", fmt.Sprintf("at most %d coding", of.Codings), strconv.Itoa(n))
		}
		p.whole(m[of.Value], here+"/"+of.Value)
	}
}

// ruled says whether a business rule speaks of the extension for this measure.
func (k kind) ruled(name string) bool {
	return name == "moment" && k.Moment != "" || name == "days" && k.Days != ""
}

// extensionOf finds an extension of the guide by its address.
func (r *Rules) extensionOf(url string) (name string, known bool, of extension) {
	short, ok := strings.CutPrefix(url, r.extensionBase)
	if !ok {
		return "", false, extension{}
	}
	for name, e := range r.cat.extensions {
		if e.Name == short {
			return name, true, e
		}
	}
	return "", false, extension{}
}

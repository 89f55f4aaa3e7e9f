package requirement

import (
	"math"
	"slices"
)

// Coverage says how much of Étalon's catalogue is judged, and how. It says
// nothing of an official référentiel.
type Coverage struct {
	Catalogue    string         `json:"catalogue"`    // version
	Requirements int            `json:"requirements"` // all of them
	Automatic    int            `json:"automatic"`
	Assisted     int            `json:"assisted"`
	Declared     int            `json:"declared"`
	Excluded     int            `json:"excluded"`
	Checks       int            `json:"checks"`
	Themes       map[string]int `json:"themes"`      // requirements by theme
	Stated       int            `json:"stated"`      // requirements that at least one source states
	StatedShare  float64        `json:"statedShare"` // stated / requirements, three decimals
	Uncovered    []string       `json:"uncovered"`   // requirements with no check, no declaration, no exclusion
	WithoutFlaw  []string       `json:"withoutFlaw"` // checks that no deliberate defect proves
	UnknownFlaws []string       `json:"unknownFlaws"`
}

// Cover counts what a catalogue covers. flawChecks are the ids of the checks
// that at least one flaw of the self-test breaks; one that the catalogue does
// not know is listed too.
func Cover(c *Catalogue, flawChecks []string) Coverage {
	out := Coverage{
		Catalogue: c.Version, Requirements: len(c.Requirements), Themes: map[string]int{},
		Uncovered: []string{}, WithoutFlaw: []string{}, UnknownFlaws: []string{},
	}
	proved := map[string]bool{}
	for _, id := range flawChecks {
		if _, _, known := c.Check(id); !known && !proved[id] {
			out.UnknownFlaws = append(out.UnknownFlaws, id)
		}
		proved[id] = true
	}
	for _, r := range c.Requirements {
		out.count(r)
		for _, k := range r.Checks {
			if !proved[k.ID] {
				out.WithoutFlaw = append(out.WithoutFlaw, k.ID)
			}
		}
	}
	if out.Requirements > 0 {
		out.StatedShare = math.Round(1000*float64(out.Stated)/float64(out.Requirements)) / 1000
	}
	return out
}

func (v *Coverage) count(r Requirement) {
	v.Checks += len(r.Checks)
	v.Themes[r.Theme]++
	if slices.ContainsFunc(r.Sources, func(s Source) bool { return s.Basis == "stated" }) {
		v.Stated++
	}
	covered := true
	switch r.Verification {
	case "automatic":
		v.Automatic++
		covered = len(r.Checks) > 0
	case "assisted":
		v.Assisted++
	case "declared":
		v.Declared++
	case "excluded":
		v.Excluded++
		covered = r.Excluded != Text{}
	default:
		covered = false
	}
	if !covered {
		v.Uncovered = append(v.Uncovered, r.ID)
	}
}

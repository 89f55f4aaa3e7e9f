package compare

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/etalon-sante/etalon/reports"
)

// strangers says why two reports are not about the same thing.
func strangers(a, b reports.Report) []reports.Text {
	var out []reports.Text
	add := func(fr, en string) { out = append(out, reports.Text{FR: fr, EN: en}) }
	if a.Candidate.Editor.SIREN != b.Candidate.Editor.SIREN || !strings.EqualFold(a.Candidate.Service.Name, b.Candidate.Service.Name) {
		add(fmt.Sprintf("ce n'est pas le même service : « %s » (SIREN %s), puis « %s » (SIREN %s)", a.Candidate.Service.Name, a.Candidate.Editor.SIREN, b.Candidate.Service.Name, b.Candidate.Editor.SIREN),
			fmt.Sprintf("it is not the same service: %q (SIREN %s), then %q (SIREN %s)", a.Candidate.Service.Name, a.Candidate.Editor.SIREN, b.Candidate.Service.Name, b.Candidate.Editor.SIREN))
	}
	if a.Run.FreeUse != b.Run.FreeUse {
		add("l'une est un usage libre, l'autre une campagne : elles n'ont pas les mêmes occasions", "one is free use, the other a run: they do not have the same occasions")
	}
	for i, r := range []reports.Report{a, b} {
		which := reports.Text{FR: "premier", EN: "first"}
		if i == 1 {
			which = reports.Text{FR: "second", EN: "second"}
		}
		if id := twice(r); id != "" {
			add("le "+which.FR+" rapport porte deux fois l'identifiant "+id, "the "+which.EN+" report bears the id "+id+" twice")
		}
	}
	return out
}

// twice is an id that a report bears more than once; "": none.
func twice(r reports.Report) string {
	seen := make(map[string]bool, 2*len(r.Results))
	for i := range r.Results {
		if id := r.Results[i].Requirement; seen[id] {
			return id
		}
		seen[r.Results[i].Requirement] = true
		for j := range r.Results[i].Checks {
			id := r.Results[i].Checks[j].ID
			if seen[id] {
				return id
			}
			seen[id] = true
		}
	}
	return ""
}

// circumstances are what differs around the service, in the order in which they
// weigh.
func circumstances(a, b reports.Report) []Circumstance {
	out := []Circumstance{}
	add := func(key, fr, en, before, after string) {
		if before != after {
			out = append(out, Circumstance{Key: key, Name: reports.Text{FR: fr, EN: en}, Before: before, After: after})
		}
	}
	yes := strconv.FormatBool
	add("version", "version du service", "version of the service", a.Candidate.Service.Version, b.Candidate.Service.Version)
	add("claims", "ce que le service dit échanger", "what the service claims to exchange", claims(a.Candidate.Claims), claims(b.Candidate.Claims))
	add("partial", "seule une sélection a été jugée", "only a selection was judged", yes(a.Run.Partial), yes(b.Run.Partial))
	add("interrupted", "campagne interrompue", "run interrupted", yes(a.Run.Interrupted), yes(b.Run.Interrupted))
	add("strict", "mode strict", "strict", yes(a.Run.Strict), yes(b.Run.Strict))
	add("catalogue", "catalogue d'exigences", "catalogue of requirements", named(a.Run.Catalogue.Version, a.Run.Catalogue.Digest), named(b.Run.Catalogue.Version, b.Run.Catalogue.Digest))
	add("profile", "profil", "profile", named(a.Run.Profile.Name, a.Run.Profile.Digest), named(b.Run.Profile.Name, b.Run.Profile.Digest))
	add("settings", "réglages supposés", "assumed settings", a.Run.Settings.ID, b.Run.Settings.ID)
	add("harness", "version d'étalon", "build of étalon", named(a.Run.Harness.Version, a.Run.Harness.Digest), named(b.Run.Harness.Version, b.Run.Harness.Digest))
	add("sandbox", "bac à sable", "sandbox", strings.TrimSpace(a.Run.Sandbox.Form+" "+a.Run.Sandbox.Build), strings.TrimSpace(b.Run.Sandbox.Form+" "+b.Run.Sandbox.Build))
	add("seed", "graine", "seed", strconv.FormatInt(a.Run.Seed, 10), strconv.FormatInt(b.Run.Seed, 10))
	add("known", "liste des non-conformités connues", "list of known nonconformities", named(given(a.Known)), named(given(b.Known)))
	add("witness", "témoin", "witness", a.Run.Witness, b.Run.Witness)
	return out
}

// given names a list of known nonconformities.
func given(b reports.Baseline) (name, digest string) {
	if !b.Given {
		return "", ""
	}
	return "known.yaml", b.SHA256
}

// named is a name with the beginning of a digest: two contents under one name are
// told apart.
func named(name, digest string) string {
	if len(digest) > 12 {
		digest = digest[:12]
	}
	if digest == "" {
		return name
	}
	return name + " (" + digest + ")"
}

func claims(c reports.Claims) string {
	var out []string
	if c.Pairing {
		out = append(out, "pairing")
	}
	for _, of := range []struct {
		name string
		does []string
	}{{"measures", c.Measures}, {"documents", c.Documents}, {"agenda", c.Agenda}} {
		if len(of.does) > 0 {
			does := slices.Sorted(slices.Values(of.does))
			out = append(out, of.name+" "+strings.Join(does, "+"))
		}
	}
	return strings.Join(out, ", ")
}

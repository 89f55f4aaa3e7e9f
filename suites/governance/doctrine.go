// Package governance holds the checks of what the service says of itself: its
// purposes, what it gives and takes, who publishes it. They read the manifest
// alone; nothing here proves that what is declared is so.
package governance

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/texts"
)

// Declared is what the manifest says and the checks read.
type Declared struct {
	SIREN      string              `json:"siren"`
	Finalites  []string            `json:"finalites"`
	DataUse    map[string][]string `json:"dataUse"`
	Measures   []string            `json:"measures"`
	Documents  []string            `json:"documents"`
	Agenda     []string            `json:"agenda"`
	Production string              `json:"production"`
}

// Specs registers the scenarios and checks of the suite.
func Specs(l *Lab) {
	DoctrineSpecs(l)
	texts.LawSpecs(l)
}

// DoctrineSpecs registers what is judged of the declarations against the
// doctrine of exchanges.
func DoctrineSpecs(l *Lab) {
	var manifest *Scenario
	l.In("manifest", func() {
		manifest = l.Scenario("manifest", "what the manifest declares is written down", note)
	})
	declared := func(ok func(Declared) bool) Trace {
		return manifest.Trace().Probes("manifest").Where(func(r record.Record) bool { return ok(record.Seen[Declared](r)) }).Occasion()
	}
	Describe("The purposes", func() {
		It("are among those of the law", Check("GOV-01.1"), Reads(manifest), func() {
			t := declared(func(d Declared) bool { return len(d.Finalites) > 0 })
			t.Report(legalOnly(t.First(), record.Seen[Declared](t.First()))...)
		})
		It("hold no secondary use", Check("GOV-02.1"), Reads(manifest), func() {
			t := declared(func(d Declared) bool { return len(d.Finalites) > 0 })
			t.Report(noSecondaryUse(t.First(), record.Seen[Declared](t.First()))...)
		})
		It("are given for each kind of data", Check("GOV-04.1"), Reads(manifest), func() {
			t := declared(func(d Declared) bool { return len(d.kinds()) > 0 })
			t.Report(eachKindTied(t.First(), record.Seen[Declared](t.First()))...)
		})
	})
	Describe("The exchange", func() {
		It("gives documents where it takes documents", Check("GOV-03.1"), Reads(manifest), func() {
			t := declared(func(d Declared) bool { return slices.Contains(d.Documents, "read") })
			t.Report(givesWhatItTakes(t.First(), record.Seen[Declared](t.First()))...)
		})
	})
	Describe("The editor and the service", func() {
		It("bear a SIREN whose key is right", Check("GOV-07.1"), Reads(manifest), func() {
			t := declared(func(d Declared) bool { return d.SIREN != "" })
			t.Report(rightSIREN(t.First(), record.Seen[Declared](t.First()))...)
		})
		It("name the address at which patients use the service", Check("GOV-08.1"), Reads(manifest), func() {
			t := declared(func(Declared) bool { return true })
			t.Report(productionNamed(t.First(), record.Seen[Declared](t.First()))...)
		})
	})
}

func note(_ context.Context, s *Stage) error {
	return s.Probe("manifest", "candidate.yaml", Of(s.Candidate()), nil)
}

// Of takes from a manifest what the checks read.
func Of(c candidate.Candidate) Declared {
	d := Declared{
		SIREN: c.Editor.SIREN, Finalites: list(c.Service.Finalites), DataUse: map[string][]string{},
		Measures: list(c.Claims.Measures), Documents: list(c.Claims.Documents), Agenda: list(c.Claims.Agenda),
		Production: c.Web.Production,
	}
	for kind, uses := range c.Service.DataUse {
		d.DataUse[kind] = list(uses)
	}
	return d
}

func list(l []string) []string { return append([]string{}, l...) }

// kinds lists the kinds of data that are claimed, in either direction.
func (d Declared) kinds() []string {
	var out []string
	for _, k := range []struct {
		name   string
		claims []string
	}{{"measures", d.Measures}, {"documents", d.Documents}, {"agenda", d.Agenda}} {
		if len(k.claims) > 0 {
			out = append(out, k.name)
		}
	}
	return out
}

func kindName(kind string) Text {
	switch kind {
	case "measures":
		return Text{FR: "mesures", EN: "measures"}
	case "documents":
		return Text{FR: "documents", EN: "documents"}
	case "agenda":
		return Text{FR: "agenda", EN: "agenda"}
	}
	return Text{FR: kind, EN: kind}
}

func legalOnly(rec record.Record, d Declared) []Finding {
	var out []Finding
	for i, word := range d.Finalites {
		if _, ok := legal(word); !ok {
			out = append(out, At(rec, "purpose-not-legal", Text{
				FR: fmt.Sprintf("la finalité « %s » n'est pas de celles que la loi admet", word),
				EN: fmt.Sprintf("purpose %q is not among those that the law admits", word),
			}).Was(strings.Join(legalFinalites(), ", "), word).In(fmt.Sprintf("/service/finalites/%d", i)))
		}
	}
	return out
}

func noSecondaryUse(rec record.Record, d Declared) []Finding {
	var out []Finding
	add := func(word, pointer string) {
		use, ok := secondary(word)
		if !ok {
			return
		}
		out = append(out, At(rec, "secondary-use", Text{
			FR: fmt.Sprintf("« %s » est un usage secondaire des données (%s), aujourd'hui exclu", word, use.FR),
			EN: fmt.Sprintf("%q is a secondary use of the data (%s), excluded at present", word, use.EN),
		}).Was("—", word).In(pointer))
	}
	for i, word := range d.Finalites {
		add(word, fmt.Sprintf("/service/finalites/%d", i))
	}
	for _, kind := range sortedKinds(d.DataUse) {
		for i, word := range d.DataUse[kind] {
			add(word, fmt.Sprintf("/service/dataUse/%s/%d", kind, i))
		}
	}
	return out
}

func sortedKinds(m map[string][]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// eachKindTied: each kind of data claimed serves a legal purpose of the
// service, and no purpose that the service does not have. A secondary use is
// another check's finding.
func eachKindTied(rec record.Record, d Declared) []Finding {
	var has []string
	for _, word := range d.Finalites {
		if f, ok := legal(word); ok {
			has = append(has, f)
		}
	}
	var out []Finding
	for _, kind := range d.kinds() {
		name, pointer := kindName(kind), "/service/dataUse/"+kind
		tied := false
		for i, word := range d.DataUse[kind] {
			f, ok := legal(word)
			if ok && slices.Contains(has, f) {
				tied = true
				continue
			}
			if _, other := secondary(word); other {
				continue
			}
			out = append(out, At(rec, "use-of-another-purpose", Text{
				FR: fmt.Sprintf("%s : « %s » n'est pas une finalité du service", name.FR, word),
				EN: fmt.Sprintf("%s: %q is no purpose of the service", name.EN, word),
			}).Was(strings.Join(has, ", "), word).In(fmt.Sprintf("%s/%d", pointer, i)))
		}
		if !tied {
			out = append(out, At(rec, "kind-without-purpose", Text{
				FR: fmt.Sprintf("%s : aucune finalité du service n'est donnée pour ces données", name.FR),
				EN: fmt.Sprintf("%s: no purpose of the service is given for this data", name.EN),
			}).Was(strings.Join(has, ", "), orNone(strings.Join(d.DataUse[kind], ", "))).In(pointer))
		}
	}
	return out
}

func givesWhatItTakes(rec record.Record, d Declared) []Finding {
	if slices.Contains(d.Documents, "write") {
		return nil
	}
	return []Finding{At(rec, "reads-without-writing", Text{
		FR: "le service lit des documents sans en partager", EN: "the service reads documents and shares none",
	}).Was("read, write", strings.Join(d.Documents, ", ")).In("/claims/documents")}
}

func rightSIREN(rec record.Record, d Declared) []Finding {
	if validSIREN(d.SIREN) {
		return nil
	}
	return []Finding{At(rec, "siren-key", Text{
		FR: fmt.Sprintf("le numéro SIREN %s n'a pas la bonne clé", d.SIREN),
		EN: fmt.Sprintf("the key of SIREN %s is wrong", d.SIREN),
	}).Was("SIREN", d.SIREN).In("/editor/siren")}
}

// validSIREN checks nine digits with the key of Luhn, which INSEE uses. Nine
// zeros satisfy the key and number no one.
func validSIREN(s string) bool {
	if len(s) != 9 || s == "000000000" {
		return false
	}
	sum := 0
	for i, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
		n := int(c - '0')
		if i%2 == 1 { // every second digit from the right, of nine
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

func productionNamed(rec record.Record, d Declared) []Finding {
	const pointer = "/web/production"
	if d.Production == "" {
		return []Finding{At(rec, "production-absent", Text{
			FR: "l'adresse de production n'est pas déclarée", EN: "the production address is not declared",
		}).Was("https://…", "—").In(pointer)}
	}
	if u, err := url.Parse(d.Production); err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return []Finding{At(rec, "production-not-https", Text{
			FR: "l'adresse de production n'est pas en HTTPS", EN: "the production address is not an HTTPS one",
		}).Was("https://…", d.Production).In(pointer)}
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

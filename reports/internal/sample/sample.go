// Package sample makes reports for the tests of the writers: one that looks
// like a real run, one as large as wanted, one that is hostile in every field.
package sample

import (
	_ "embed" // rows.txt
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/reports"
)

//go:embed rows.txt
var rows string

// started is the instant of every sample.
func started() time.Time { return time.Date(2026, 11, 22, 16, 5, 12, 0, time.UTC) }

// Report is a run as an editor would meet it: about a hundred requirements, a
// few of them broken, every verdict but error.
func Report() reports.Report {
	r := reports.Report{
		Run: reports.Run{
			ID: "20261122-160512-7f3a", Started: started(), Duration: 2.84, Seed: 42,
			Harness:   reports.Harness{Version: "0.1.0", Go: "go1.26.8", Digest: strings.Repeat("3fa9c1d2", 8)},
			Catalogue: reports.Catalogue{Version: "2026.11", Digest: strings.Repeat("a71be004", 8)},
			Profile:   reports.Profile{Name: "étalon", Digest: strings.Repeat("55d0f2aa", 8)},
			Settings:  reports.Settings{ID: "mes-2023"},
			Sandbox:   reports.Sandbox{Form: "embedded", Build: "0.1.0"},
			Witness:   reports.WitnessEditor,
			Command:   "etalon run --candidate candidate.yaml --seed 42",
			Ledger:    reports.Ledger{CandidateMs: 1240.4, SandboxMs: 310.2, WaitingMs: 2750, HarnessMs: 402.9},
			Ties: []reports.Tie{
				{Kind: reports.TieCertificate, Value: "sha256:" + strings.Repeat("b5a7a031", 8), Of: "carnet.example:443", Verified: true, Seen: started()},
				{Kind: reports.TieImage, Value: "sha256:" + strings.Repeat("60d1f4c8", 8), Of: "carnet/mesures:4.2.1", Verified: true, Seen: started()},
			},
		},
		Candidate: reports.Candidate{
			Editor:  reports.Editor{Name: "Coopérative Tournesol", SIREN: "732829320", Kind: "company"},
			Service: reports.Service{Name: "Carnet de mesures", Version: "4.2.1", Category: "app"},
			Claims:  reports.Claims{Pairing: true, Measures: []string{"read", "write"}},
			Web:     reports.Web{Production: "https://carnet.example/", Site: "https://carnet.example/"},
		},
		Assumptions: []reports.Assumption{
			{Setting: "header.id-token", Value: "X-MES-ID-Token", Basis: "assumed", Source: "etalon", Note: reports.Text{
				FR: "Le nom de l'en-tête qui porte le jeton d'identité n'est pas public.", EN: "The name of the header that carries the identity token is not public.",
			}, Deviations: []string{"INT-10.2"}},
			{Setting: "media.fhir", Value: "application/fhir+json", Basis: "assumed", Source: "fhir-r4", Note: reports.Text{
				FR: "Le type de contenu exigé en production n'est pas connu.", EN: "The content type required in production is not known.",
			}, Deviations: []string{"INT-29.1"}},
			{Setting: "lifetime.access", Value: "300s", Basis: "assumed", Source: "etalon", Note: reports.Text{
				FR: "La durée de vie d'un jeton d'accès n'est pas publique.", EN: "How long an access token lives is not public.",
			}},
			{Setting: "scope.required", Value: "openid", Basis: "derived", Source: "oidc-core", Note: reports.Text{
				FR: "OpenID Connect demande cette portée pour délivrer un jeton d'identité.", EN: "OpenID Connect asks for this scope to issue an identity token.",
			}},
		},
		Notes: []reports.Note{
			{Kind: "doctor", Text: reports.Text{
				FR: "L'horloge du service retarde de 3 s sur celle du banc.", EN: "The service's clock is 3 s behind the harness's.",
			}},
			{Kind: "missing", Text: reports.Text{
				FR: "Aucun résolveur DNS n'était joignable : le contact de sécurité n'a pas pu être cherché.", EN: "No DNS resolver could be reached: the security contact could not be looked for.",
			}},
		},
		Redacted: map[string]int{"access-token": 61, "refresh-token": 22, "id-token": 58, "code": 24, "client-secret": 1},
		Files: []reports.File{
			{Name: "run.json", Size: 9120, SHA256: strings.Repeat("0b", 32)},
			{Name: "journal.jsonl", Size: 1482113, SHA256: strings.Repeat("1c", 32)},
			{Name: "candidate.yaml", Size: 1904, SHA256: strings.Repeat("2d", 32)},
		},
		Exchanges: exchanges(),
	}
	for _, line := range strings.Split(strings.TrimSpace(rows), "\n") {
		r.Results = append(r.Results, result(strings.Split(line, "|")))
	}
	details(r.Results)
	r.Conclude()
	return r
}

// result makes one result of a row: id, chapter, blocking, verdict, titles.
func result(f []string) reports.Result {
	id, chapter, verdict := f[0], f[1], reports.Verdict(f[3])
	theme := map[string]string{"INT": "interop", "SEC": "security", "ETH": "ethics", "GOV": "governance"}[id[:3]]
	family := map[string]string{"interop": "technical", "security": "security", "ethics": "ethics", "governance": "urbanisation"}[theme]
	res := reports.Result{
		Requirement: id, Title: reports.Text{FR: f[4], EN: f[5]}, Theme: theme, Family: family, Chapter: chapter,
		Statement: reports.Text{
			FR: "Le service doit " + lower(f[4]) + ", dans chaque échange de la campagne.",
			EN: "The service shall " + lower(f[5]) + ", in every exchange of the run.",
		},
		Why: reports.Text{
			FR: "Sans cela, une personne malveillante ou une simple panne peut exposer les données d'un patient.",
			EN: "Otherwise someone malicious, or a mere failure, may expose a patient's data.",
		},
		Level: "unknown", Blocking: f[2] == "B", Verification: "automatic", Verdict: verdict, Basis: "derived",
		LevelBasis: reports.Text{FR: "Le texte officiel n'a pas été lu ; le niveau n'est pas connu.", EN: "The official text was not read; the level is not known."},
		Sources: []reports.Source{{
			Key: "mesures-1.5.2", Document: "Spécifications API Mesures v1.5.2", Section: "§2.3", Link: "https://github.com/nriss/interop-ig-fhir-mon-espace-sante", Basis: "derived",
		}},
		Remedy: reports.Text{
			FR: "Corrigez ce point dans votre client, puis rejouez la campagne avec --only " + id + ".",
			EN: "Correct this in your client, then run again with --only " + id + ".",
		},
	}
	if theme == "security" {
		res.Level, res.Basis = "mandatory", "stated"
		res.LevelBasis = reports.Text{FR: "Le guide dit « doit ».", EN: "The guide says \"shall\"."}
		res.Sources = []reports.Source{{
			Key: "anssi-tls", Document: "ANSSI, Recommandations de sécurité relatives à TLS, v1.2", Section: "R2", Link: "https://cyber.gouv.fr/publications", Basis: "stated",
		}}
	}
	switch verdict {
	case reports.Attested:
		res.Verification = "declared"
		res.Declaration = &reports.Declaration{
			Statement: "Nous confirmons ce point pour la version 4.2.", Author: "Camille Martin", Role: "Directrice technique",
			Date: "2026-09-14", Expires: "2027-09-13", SHA256: strings.Repeat("9e", 32),
		}
		return res
	case reports.Excluded:
		res.Verification = "excluded"
		res.Reason = reports.Text{FR: "Se constate dans un contrat, que le banc ne lit pas.", EN: "Is seen in a contract, which the harness does not read."}
		return res
	case reports.NotInForce:
		res.Verification = "declared"
		res.Reason = reports.Text{FR: "N'entre en vigueur que le 01/01/2027.", EN: "Comes into force on 1 January 2027 only."}
		return res
	case reports.NotApplicable:
		res.Reason = reports.Text{
			FR: "Le service ne dit pas échanger de documents (claims.documents == []).", EN: "The service does not claim to exchange documents (claims.documents == []).",
		}
	case reports.Untested:
		res.Reason = reports.Text{
			FR: "Aucune occasion : demandez au pilote d'envoyer une mesure avec une méthode connue.", EN: "No occasion: have the pilot send a measure with a known method.",
		}
	case reports.ToReview:
		res.Verification = "assisted"
		res.Reason = reports.Text{
			FR: "Une mesure marquée « saisie par erreur » est affichée avec une mention : une personne doit dire si elle suffit.",
			EN: "A measure marked \"entered in error\" is shown with a mention: a person must say whether that is enough.",
		}
	}
	for n := 1; n <= 1+min(1, int(id[len(id)-1])%10/6); n++ {
		c := reports.Check{
			ID: fmt.Sprintf("%s.%d", id, n), Title: res.Title, Verdict: verdict, Witness: "sandbox", Traces: []string{chapter + "-nominal"},
		}
		if theme != "interop" {
			c.Witness = "harness"
		}
		if n > 1 && verdict != reports.NotApplicable {
			c.Verdict = reports.Conformant
			c.Title = reports.Text{FR: res.Title.FR + ", pour un second patient", EN: res.Title.EN + ", for a second patient"}
		}
		if c.Verdict != reports.Conformant && c.Verdict != reports.Nonconformant {
			c.Reason = res.Reason
		}
		res.Checks = append(res.Checks, c)
	}
	return res
}

func lower(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}

// Large is a sample of n requirements, each with checks; one in ten is broken,
// with an exchange that shows it.
func Large(n int) reports.Report {
	r := Report()
	base := r.Results
	r.Results = nil
	for i := range n {
		res := base[i%len(base)]
		res.Requirement = fmt.Sprintf("%s-%04d", res.Requirement[:3], i+1)
		res.Checks = append([]reports.Check{}, res.Checks...)
		for j := range res.Checks {
			res.Checks[j].ID = fmt.Sprintf("%s.%d", res.Requirement, j+1)
		}
		r.Results = append(r.Results, res)
	}
	r.Conclude()
	return r
}

// Hostile is a report that carries s in every field of free text.
func Hostile(s string) reports.Report {
	r := Report()
	t := reports.Text{FR: s, EN: s}
	r.Run.ID, r.Run.Command, r.Run.Witness, r.Run.Profile.Name, r.Run.Settings.ID = s, s, s, s, s
	r.Run.Harness = reports.Harness{Version: s, Go: s, Digest: s}
	r.Run.Catalogue, r.Run.Sandbox.Build = reports.Catalogue{Version: s, Digest: s}, s
	r.Run.Ties = []reports.Tie{{Kind: reports.TieImage, Value: s, Of: s}, {Kind: reports.TieCertificate, Value: s, Of: s}}
	r.Candidate.Editor = reports.Editor{Name: s, SIREN: s, Kind: s}
	r.Candidate.Service = reports.Service{Name: s, Version: s, Category: s}
	r.Candidate.Web = reports.Web{Production: s, Site: s}
	for i := range r.Results {
		res := &r.Results[i]
		res.Requirement, res.Chapter = fmt.Sprintf("%s%d", s, i), s
		res.Title, res.Statement, res.Why, res.LevelBasis, res.Reason, res.Remedy = t, t, t, t, t, t
		res.Sources = []reports.Source{{Key: s, Document: s, Section: s, Link: s, Basis: "assumed"}}
		res.Formerly = []string{s}
		if res.Declaration != nil {
			res.Declaration = &reports.Declaration{Statement: s, Author: s, Role: s, Date: "2026-01-01", Decided: i%2 == 0}
		}
		for j := range res.Checks {
			c := &res.Checks[j]
			c.ID, c.Title, c.Reason, c.Assumes, c.Traces = fmt.Sprintf("%s.%d", res.Requirement, j+1), t, t, s, []string{s}
			c.Findings = []reports.Finding{{Key: s, Message: t, Exchange: s, Pointer: s, Expected: s, Actual: s, Setting: s}}
		}
	}
	h := []reports.Header{{Name: s, Value: s}}
	body := reports.Body{MIME: s, Size: len(s), Text: s, Cut: true, Artifact: s}
	r.Exchanges = map[string]reports.Exchange{s: {
		ID: s, Kind: "exchange", Scenario: s, Route: s, From: s, To: s, Time: started(), Fault: s, Error: s,
		Request: reports.Request{Method: s, URL: s, Headers: h, Body: body}, Response: reports.Response{Status: 200, Headers: h, Body: body},
	}}
	r.Assumptions = []reports.Assumption{{Setting: s, Value: s, Basis: "assumed", Source: s, Note: t, Deviations: []string{s}}}
	r.Notes = []reports.Note{{Kind: s, Text: t}}
	r.Redacted = map[string]int{s: 1}
	r.Files = []reports.File{{Name: s, Size: 1, SHA256: ""}}
	r.Known = reports.Baseline{Given: true, SHA256: s, Entries: []reports.Known{{
		ID: s, Kind: "failing", Finding: s, Reason: s, Owner: s, Deadline: s, Seen: s, State: reports.KnownUnmatched, Sentence: t, Covers: []string{s},
	}}}
	r.Conclude()
	return r
}

package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
)

// configure hands the candidate its endpoints and learns its redirect
// addresses; a candidate that does not know the action was configured by hand.
func (s *Session) configure(ctx context.Context) error {
	person := s.Candidate.Pilot.Kind == "manual"
	missing := notFixed(s.Candidate, s.bench.Form)
	if person && (s.options.Unasked || len(missing) == 0) {
		s.Configured = ConfiguredByHand
		return nil
	}
	answer, err := s.askConfigure(ctx, person)
	var pe *candidate.PilotError
	switch {
	case errors.Is(err, pilot.ErrStopped), ctx.Err() != nil:
		return errors.Join(err, ctx.Err())
	case errors.As(err, &pe) && pe.Kind == pilot.Unreachable:
		return &UnreachableError{err}
	case err != nil:
		s.Configured = NotConfigured
		s.note("doctor", "le pilote n'a pas répondu comme convenu à configure : "+plain(err.Error()), "the pilot did not answer configure as agreed: "+plain(err.Error()))
		return nil
	case answer.Status == "unsupported":
		s.Configured = ConfiguredByHand
		if len(missing) > 0 && s.Candidate.Claims.Pairing {
			s.note("doctor",
				"le service ne connaît pas configure : il est configuré à la main. Or le manifeste ne fixe pas "+list(missing, "et")+", qui changent donc à chaque campagne",
				"the service does not know configure: it is configured by hand. Yet the manifest does not fix "+list(missing, "and")+", which thus change at each run")
		}
		return nil
	case answer.Status != "done":
		s.Configured = NotConfigured
		s.note("doctor", "le pilote a répondu « "+answer.Status+" » à configure"+said(" : ", answer.Message, ", sans dire pourquoi"), "the pilot answered \""+answer.Status+"\" to configure"+said(": ", answer.Message, ", without saying why"))
		return nil
	}
	s.Configured = ConfiguredByPilot
	return s.register(ctx, answer.Data)
}

func (s *Session) askConfigure(ctx context.Context, person bool) (candidate.Answer, error) {
	if !person {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.Candidate.Timing.Action+time.Second)
		defer cancel()
	}
	return s.Pilot.Do(ctx, candidate.Call{Action: candidate.Configure, Run: s.run, Payload: map[string]any{"mes": map[string]any{
		"endpoints":  s.Space.Endpoints,
		"client":     s.clientPayload(),
		"clientAuth": s.Space.Client.Auth,
		"oid":        s.Space.OID,
		"ca":         s.Space.CA,
	}}})
}

// register tells the sandbox the redirect addresses that configure was answered
// with, besides those of the manifest.
func (s *Session) register(ctx context.Context, raw json.RawMessage) error {
	var data struct {
		RedirectURIs []string `json:"redirectUris"`
	}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &data); err != nil {
			s.note("doctor", "la réponse à configure n'est pas lisible : "+err.Error(), "the answer to configure cannot be read: "+err.Error())
			return nil //nolint:nilerr // told in a note; the run goes on
		}
	}
	if len(data.RedirectURIs) == 0 {
		return nil
	}
	all := append(append([]string{}, s.Candidate.Sandbox.RedirectURIs...), data.RedirectURIs...)
	space, err := s.bench.API.PatchSpace(ctx, s.Space.ID, control.SpacePatch{RedirectURIs: all})
	if err != nil {
		return err
	}
	s.Space = space
	return nil
}

// notFixed lists the keys of the manifest without which what a person
// configures once is wrong at the next run.
func notFixed(c candidate.Candidate, form string) []string {
	var out []string
	credential, known := credentialOf(c.Sandbox)
	for _, f := range []struct {
		key  string
		here bool
	}{
		{"sandbox.listen", form == "remote" || c.Sandbox.Listen != "" && !strings.HasSuffix(c.Sandbox.Listen, ":0")},
		{"sandbox.basePath", c.Sandbox.BasePath != ""},
		{"sandbox.clientId", c.Sandbox.ClientID != ""},
		{credential, known},
		{"sandbox.redirectUris", len(c.Sandbox.RedirectURIs) > 0},
	} {
		if !f.here {
			out = append(out, f.key)
		}
	}
	return out
}

// byHand lists what a person enters in the service's configuration; the secret
// is named, not shown.
func (s *Session) byHand(secret string) string {
	e := s.Space.Endpoints
	var b strings.Builder
	for _, v := range [][2]string{
		{"issuer", e.Issuer},
		{"authorization", e.Authorization},
		{"token", e.Token},
		{"revocation", e.Revocation},
		{"jwks", e.JWKS},
		{"fhir", e.FHIR},
		{"id_token", e.IDTokenHeader},
		{"client_id", s.Space.Client.ID},
		{"client_auth", s.Space.Client.Auth},
		{"client_secret", secret},
		{"oid", s.Space.OID},
	} {
		fmt.Fprintf(&b, "\n    %-13s %s", v[0], v[1])
	}
	return b.String()
}

func (s *Session) note(kind, fr, en string) {
	s.Notes = append(s.Notes, Note{Kind: kind, Text: RunText{FR: s.Redactor.Redact(fr), EN: s.Redactor.Redact(en)}})
}

// list writes "a, b and c".
func list(items []string, and string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	last := len(items) - 1
	return strings.Join(items[:last], ", ") + " " + and + " " + items[last]
}

// said joins a message where there is one.
func said(before, message, otherwise string) string {
	if message == "" {
		return otherwise
	}
	return before + message
}

// plain takes from the text of a candidate.PilotError the words before its
// sentence ("pilot: status: ").
func plain(text string) string {
	for _, kind := range []string{pilot.Unreachable, pilot.Timeout, pilot.Status, pilot.Body, pilot.Start} {
		text = strings.TrimPrefix(text, "pilot: "+kind+": ")
	}
	return strings.TrimPrefix(text, "pilot ")
}

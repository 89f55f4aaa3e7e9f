// Package interop holds the checks of interoperability: pairing, measures and
// documents, each chapter of the référentiel in a file. Every check here needs
// an exchange; what is read from the manifest alone is governance.
package interop

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// Specs registers the scenarios and checks of the suite.
func Specs(l *Lab) {
	// Pairing comes first: nothing can be said of troubles to a service that does
	// not pair, or no longer answers. Then what waits: the rest goes on meanwhile.
	pairing(l)
	troubleFeed(l)
	troubleRead(l)
	troubleTokens(l)
	callbacks(l)
	hostile(l)
	agenda(l)
	tokens(l)
	client(l)
	signingKeys(l)
	certificates(l)
	everyCall(l)
	consent(l)
	feed(l)
	search(l)
	measuresDepth(l)
	documents(l)
	documentConsent(l)
	clinical(l)
	documentEdge(l)
	documentListing(l)
	trafficDoctrine(l)
	withdrawnPurposes(l)
	serviceStatus(l)
	profiles(l)
	otherRules(l)
}

// answerDone is met when each action was answered "done".
func answerDone() Finder {
	return Satisfy("be answered done", func(r record.Record) *Finding {
		if r.Pilot.Status == "done" {
			return nil
		}
		got := r.Pilot.Status
		if r.Pilot.Error != "" {
			got = r.Pilot.Error
		}
		return At(r, "action-not-done", Text{
			FR: fmt.Sprintf("l'action « %s », que le service déclare savoir faire, n'a pas abouti : %s", r.Pilot.Action, r.Pilot.Message),
			EN: fmt.Sprintf("action %q, which the service claims, did not succeed: %s", r.Pilot.Action, r.Pilot.Message),
		}).Was("done", got).Ptr()
	})
}

// haveSucceeded is met when a request on the route was answered with success.
func haveSucceeded(route record.Route) Finder {
	return found{route}
}

type found struct{ route record.Route }

func (f found) Findings(t Trace, _ bool) []Finding {
	seen := t.Requests(f.route)
	if !seen.Where(succeeded).Empty() {
		return nil
	}
	out := Finding{Key: "nothing-seen", Message: Text{
		FR: fmt.Sprintf("le bac à sable n'a vu aucune requête « %s » aboutir", f.route),
		EN: fmt.Sprintf("the sandbox saw no request %q succeed", f.route),
	}, Expected: "2xx", Actual: "—"}
	if !seen.Empty() {
		last := seen.Last()
		out = At(last, out.Key, out.Message).Was("2xx", fmt.Sprint(last.Exchange.Response.Status)).In("status")
	}
	return []Finding{out}
}

func (f found) Match(actual any) (bool, error) {
	t, ok := actual.(Trace)
	return ok && len(f.Findings(t, false)) == 0, nil
}
func (f found) FailureMessage(any) string        { return "no success on " + string(f.route) }
func (f found) NegatedFailureMessage(any) string { return "success on " + string(f.route) }

func succeeded(r record.Record) bool {
	return r.Exchange != nil && r.Exchange.Response.Status/100 == 2 && r.Exchange.Error == ""
}

// callOf is what the sandbox noted of a business call; nothing where it noted
// nothing.
func callOf(r record.Record) record.CallFacts {
	if r.Exchange == nil || r.Exchange.Facts == nil || r.Exchange.Facts.Call == nil {
		return record.CallFacts{}
	}
	return *r.Exchange.Facts.Call
}

// answered says whether the pilot gave a status with its data.
func answered(r record.Record) bool {
	return r.Pilot != nil && r.Pilot.Status == "done" && len(r.Pilot.Data) > 0
}

// statusSays is met when the service's own account of itself holds a value. A
// service that does not answer status is not judged by it.
func statusSays(field string, want any) Finder {
	return Satisfy("say "+field, func(r record.Record) *Finding {
		if !answered(r) {
			return nil
		}
		got := statusField(r, field)
		if got == want {
			return nil
		}
		return At(r, "status-"+field, Text{
			FR: fmt.Sprintf("le service annonce « %s » : %v, alors que %v était attendu", field, got, want),
			EN: fmt.Sprintf("the service says %q: %v, where %v was expected", field, got, want),
		}).Was(fmt.Sprint(want), fmt.Sprint(got)).Ptr()
	})
}

func statusField(r record.Record, field string) any {
	var m map[string]any
	if json.Unmarshal(r.Pilot.Data, &m) != nil {
		return nil
	}
	return m[field]
}

func eachAuthorize(ok func(record.Record, *record.AuthorizeFacts) *Finding) Finder {
	return Satisfy("authorization request", func(r record.Record) *Finding {
		if r.Exchange.Facts == nil || r.Exchange.Facts.Authorize == nil {
			return nil
		}
		return ok(r, r.Exchange.Facts.Authorize)
	})
}

func tokenRequests(t Trace, grant string) Trace {
	return t.Requests(record.RouteToken).Where(func(r record.Record) bool {
		return r.Exchange.Facts != nil && r.Exchange.Facts.Token != nil && r.Exchange.Facts.Token.GrantType == grant
	})
}

func asEnding(err error, to **Ending) bool { return errors.As(err, to) }

// notDone is met when no action was answered "done": what was refused must not
// be shown as a success.
func notDone(key string, message Text) Finder {
	return Satisfy("not be answered done", func(r record.Record) *Finding {
		if r.Pilot.Status != "done" {
			return nil
		}
		return At(r, key, message).Was("failed / refused", "done").Ptr()
	})
}

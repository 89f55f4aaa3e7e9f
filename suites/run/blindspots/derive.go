package blindspots

import (
	"net/url"
	"reflect"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// deriver works out anew what the sandbox derives from a message of the
// candidate, so that a message that was changed in the journal bears the facts that it
// would have had.
type deriver struct {
	rules *fhir.Rules
	oid   string // of the candidate's solution
}

// newDeriver finds the OID of the solution in what the candidate sent.
func newDeriver(rules *fhir.Rules, records []record.Record) deriver {
	d := deriver{rules: rules}
	for _, r := range records {
		x := r.Exchange
		if x == nil || x.Route != record.RouteFeedMeasure || x.Request.Body == nil {
			continue
		}
		feed, _ := rules.Feed([]byte(x.Request.Body.Text), fhir.Context{})
		meta, _ := feed.Observation["meta"].(map[string]any)
		if source, ok := meta["source"].(string); ok {
			d.oid = strings.TrimPrefix(source, "urn:oid:")
			break
		}
	}
	return d
}

// derive fills in what follows from the request. It says false where that
// cannot be worked out from the journal.
func (d deriver) derive(x *record.Exchange) bool {
	if x.Facts == nil || x.Facts.Call == nil {
		return false
	}
	call := *x.Facts.Call
	ctx := fhir.Context{IDPe: call.TokenIDPe, AssignAuth: call.WantAuth, OID: d.oid}
	var issues []record.Issue
	switch x.Route {
	case record.RouteFeedMeasure:
		var feed fhir.Feed
		feed, issues = d.rules.Feed(body(x), ctx)
		call.RequestIDPe, call.AssignAuth = feed.RequestIDPe, feed.RequestAuth
	case record.RouteFeedDocument:
		var doc fhir.Document
		doc, issues = d.rules.Document(body(x), ctx)
		call.RequestIDPe, call.AssignAuth = doc.RequestIDPe, doc.RequestAuth
	case record.RouteSendAppointment, record.RouteUpdateAppointment:
		var a fhir.Appointment
		a, issues = d.rules.Appointment(body(x), target(x.Request.URL), ctx)
		call.RequestIDPe, call.AssignAuth = a.RequestIDPe, a.RequestAuth
	case record.RouteSearchMeasures, record.RouteSearchDocuments, record.RouteSearchAppointments:
		u, err := url.Parse(x.Request.URL)
		if err != nil {
			return false
		}
		q, err := url.ParseQuery(u.RawQuery)
		if err != nil {
			return false
		}
		switch x.Route {
		case record.RouteSearchMeasures:
			var s fhir.Search
			s, issues = d.rules.Search(q, ctx)
			call.RequestIDPe, call.AssignAuth = s.IDPe, s.Auth
		case record.RouteSearchAppointments:
			var s fhir.AppointmentSearch
			s, issues = d.rules.AppointmentSearch(q, ctx)
			call.RequestIDPe, call.AssignAuth = s.IDPe, s.Auth
		default:
			var s fhir.DocumentSearch
			s, issues = d.rules.DocumentSearch(q, ctx)
			call.RequestIDPe, call.AssignAuth = s.IDPe, s.Auth
		}
	default:
		return false
	}
	facts := *x.Facts
	facts.Call = &call
	// What was found elsewhere than in the message stays.
	var kept []record.Issue
	for _, i := range facts.Issues {
		if strings.HasPrefix(i.Rule, "call.") || strings.HasPrefix(i.Rule, "cda.") {
			kept = append(kept, i)
		}
	}
	facts.Issues = append(kept, issues...)
	x.Facts = &facts
	return true
}

// target is what the update of an agenda item is about.
func target(address string) fhir.Target {
	u, err := url.Parse(address)
	if err != nil {
		return fhir.Target{}
	}
	_, id, _ := strings.Cut(u.Path, "/Appointment/")
	return fhir.Target{ID: id, Identifier: u.Query().Get("identifier")}
}

// faithful says whether deriving anew gives what was recorded.
func (d deriver) faithful(x record.Exchange) bool {
	was := x.Facts
	if !d.derive(&x) {
		return false
	}
	return reflect.DeepEqual(*was.Call, *x.Facts.Call) && sameIssues(was.Issues, x.Facts.Issues)
}

func sameIssues(a, b []record.Issue) bool {
	count := map[record.Issue]int{}
	for _, i := range a {
		count[i]++
	}
	for _, i := range b {
		count[i]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func body(x *record.Exchange) []byte {
	if x.Request.Body == nil {
		return nil
	}
	return []byte(x.Request.Body.Text)
}

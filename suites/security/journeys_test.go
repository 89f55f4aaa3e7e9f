package security

import (
	"slices"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/journey"
)

// walked is what a walk sees of a service that does everything right.
func walked() journey.Result {
	shut, open := journey.Seen{Tried: true, Of: 10}, journey.Seen{Tried: true, Of: 10, Shown: 10}
	return journey.Result{
		Account: "a-1", Coded: true, Own: 10, Pages: []journey.Page{{Path: "/espace", Own: 10}}, Password: shut,
		Cookies: journey.Cookies{Before: []string{"s"}, New: []journey.Cookie{{Name: "s", Secure: true, HTTPOnly: true}}, Earlier: shut, Later: open, Readable: shut, Plain: shut},
		Answers: []journey.Answer{{Path: "/espace", Type: "Document", Caching: "private, no-store"}}, Requests: 10, Typed: 3,
		Leaving: journey.Leaving{Played: true, Back: shut, Again: shut},
		Idle:    &journey.Idle{Announced: 20, Waited: 23, Before: open, After: shut},
		Export:  &journey.Export{Came: true, Status: 200, Size: 10, Formats: []journey.File{{Format: "CSV", Read: true}}, Own: 3},
	}
}

func TestWhatIsSeenBehindTheSignInIsJudged(t *testing.T) {
	insideChecks := slices.DeleteFunc(JourneyChecks(), func(id string) bool {
		return id == "SEC-90.1" || id == "SEC-91.1" || id == "SEC-93.1" || id == "SEC-93.2"
	})
	open, half := journey.Seen{Tried: true, Of: 10, Shown: 10}, journey.Seen{Tried: true, Of: 10, Shown: 3}
	all := func(state lab.State, but ...string) map[string]lab.State {
		out := map[string]lab.State{}
		for _, id := range insideChecks {
			if !slices.Contains(but, id) {
				out[id] = state
			}
		}
		return out
	}
	for name, c := range map[string]struct {
		change func(*journey.Result)
		want   map[string]lab.State
	}{
		"all is right":                  {func(*journey.Result) {}, nil},
		"nobody could sign in":          {func(r *journey.Result) { r.Failures = []journey.Failure{{Journey: "signIn", Why: "step 3"}} }, all(lab.Untested)},
		"the account page was not met":  {func(r *journey.Result) { r.Failures = []journey.Failure{{Journey: "account[0]", Why: "step 1"}} }, all(lab.Untested)},
		"a stranger is shown the same":  {func(r *journey.Result) { r.Own = 0 }, all(lab.Untested)},
		"the password is enough":        {func(r *journey.Result) { r.Password = open }, map[string]lab.State{"SEC-83.1": lab.NotMet}},
		"the password shows a part":     {func(r *journey.Result) { r.Password = half }, map[string]lab.State{"SEC-83.1": lab.ToReview}},
		"an earlier session is in":      {func(r *journey.Result) { r.Cookies.Earlier = open }, map[string]lab.State{"SEC-84.1": lab.NotMet}},
		"scripts read the session":      {func(r *journey.Result) { r.Cookies.Readable = open }, map[string]lab.State{"SEC-84.2": lab.NotMet}},
		"the session goes in clear":     {func(r *journey.Result) { r.Cookies.Plain = open }, map[string]lab.State{"SEC-84.2": lab.NotMet}},
		"no cookie carries the session": {func(r *journey.Result) { r.Cookies.Later.Shown = 0 }, map[string]lab.State{"SEC-84.1": lab.Untested, "SEC-84.2": lab.Untested, "SEC-86.2": lab.Untested, "SEC-88.1": lab.Untested}},
		"an answer may be kept":         {func(r *journey.Result) { r.Answers[0].Caching = "no-cache" }, map[string]lab.State{"SEC-85.1": lab.NotMet}},
		"no answer holds it as text":    {func(r *journey.Result) { r.Answers = nil }, map[string]lab.State{"SEC-85.1": lab.Untested}},
		"going back shows it":           {func(r *journey.Result) { r.Leaving.Back = open }, map[string]lab.State{"SEC-85.2": lab.NotMet}},
		"a name in an address":          {func(r *journey.Result) { r.Told = []journey.Told{{Where: "address", What: "user", Host: "h"}} }, map[string]lab.State{"SEC-86.1": lab.NotMet}},
		"the session in an address":     {func(r *journey.Result) { r.Told = []journey.Told{{Where: "referer", What: "session", Host: "h"}} }, map[string]lab.State{"SEC-86.2": lab.NotMet}},
		"nothing long was typed":        {func(r *journey.Result) { r.Typed = 0 }, map[string]lab.State{"SEC-86.1": lab.Untested}},
		"a store holds it":              {func(r *journey.Result) { r.Stores = []journey.Store{{Where: "local", Key: "k", Own: 2}} }, map[string]lab.State{"SEC-87.1": lab.NotMet}},
		"no sign-out was recorded":      {func(r *journey.Result) { r.Leaving = journey.Leaving{} }, map[string]lab.State{"SEC-85.2": lab.Untested, "SEC-88.1": lab.Untested, "SEC-88.2": lab.Untested}},
		"the session outlives it":       {func(r *journey.Result) { r.Leaving.Again = open }, map[string]lab.State{"SEC-88.1": lab.NotMet}},
		"a cookie stays":                {func(r *journey.Result) { r.Leaving.Cookies = []string{"s"} }, map[string]lab.State{"SEC-88.2": lab.NotMet}},
		"a key that says nothing stays": {func(r *journey.Result) { r.Leaving.Stores = []journey.Store{{Where: "local", Key: "theme"}} }, map[string]lab.State{"SEC-88.2": lab.ToReview}},
		"a key with a name in it stays": {func(r *journey.Result) { r.Leaving.Stores = []journey.Store{{Where: "local", Key: "me", Own: 1}} }, map[string]lab.State{"SEC-88.2": lab.NotMet}},
		"no time is announced":          {func(r *journey.Result) { r.Idle = nil }, map[string]lab.State{"SEC-89.1": lab.Untested}},
		"an idle session goes on":       {func(r *journey.Result) { r.Idle.After = open }, map[string]lab.State{"SEC-89.1": lab.NotMet}},
		"no export was recorded":        {func(r *journey.Result) { r.Export = nil }, map[string]lab.State{"SEC-92.1": lab.Untested, "SEC-92.2": lab.Untested}},
		"the export is an error":        {func(r *journey.Result) { r.Export = &journey.Export{Status: 404} }, map[string]lab.State{"SEC-92.1": lab.NotMet, "SEC-92.2": lab.Untested}},
		"the export comes by mail":      {func(r *journey.Result) { r.Export = &journey.Export{Status: 200} }, map[string]lab.State{"SEC-92.1": lab.ToReview, "SEC-92.2": lab.Untested}},
		"the export is a PDF":           {func(r *journey.Result) { r.Export.Formats = []journey.File{{Format: "PDF"}} }, map[string]lab.State{"SEC-92.2": lab.NotMet}},
		"the export holds nothing":      {func(r *journey.Result) { r.Export.Own = 0 }, map[string]lab.State{"SEC-92.2": lab.ToReview}},
	} {
		res := walked()
		c.change(&res)
		got := judgeAs(t, candidate.Candidate{}, looked(t, "journey-inside", journeyProbe, res))
		for _, id := range insideChecks {
			want, ok := c.want[id]
			if !ok {
				want = lab.Met
			}
			r := got[id]
			if r.State != want {
				t.Errorf("%s: %s is %q, want %q: %+v", name, id, r.State, want, r)
			}
			for _, f := range r.Findings {
				if f.Key == "" || f.Message.FR == "" || f.Message.EN == "" || f.Seq == 0 {
					t.Errorf("%s: %s: a finding that does not say enough: %+v", name, id, f)
				}
			}
			if r.State != lab.Met && r.State != lab.NotMet && (r.Reason.FR == "" || r.Reason.EN == "") {
				t.Errorf("%s: %s is %s without a reason", name, id, r.State)
			}
		}
	}
}

func TestWhatIsTriedOnAccountsMadeForItIsJudged(t *testing.T) {
	var own candidate.Candidate
	own.Web.Own, own.Journeys.SignIn, own.Journeys.Idle = true, "{}", time.Second
	attempts := func(n, status int, ms float64) (out []journey.Attempt) {
		for range n {
			out = append(out, journey.Attempt{Status: status, Path: "/in", Millis: ms})
		}
		return out
	}
	wrong := func() journey.Wrong {
		return journey.Wrong{Account: "l", First: journey.Attempt{Status: 200, Path: "/code", Passed: true}, Known: attempts(6, 401, 100), Unknown: attempts(1, 401, 100), Last: journey.Attempt{Status: 401, Path: "/in"}}
	}
	for name, c := range map[string]struct {
		change      func(*journey.Wrong)
		brake, tell lab.State
	}{
		"all is right":              {func(*journey.Wrong) {}, lab.Met, lab.Met},
		"locked to begin with":      {func(w *journey.Wrong) { w.First.Passed = false }, lab.Untested, lab.Untested},
		"not to be played":          {func(w *journey.Wrong) { w.Error = "step 3" }, lab.Untested, lab.Untested},
		"never stopped":             {func(w *journey.Wrong) { w.Last.Passed = true }, lab.NotMet, lab.Met},
		"a wrong password is right": {func(w *journey.Wrong) { w.Known[2].Passed = true }, lab.NotMet, lab.Met},
		"too many, it says":         {func(w *journey.Wrong) { w.Last.Passed, w.Known[5].Status = true, 429 }, lab.Met, lab.Met},
		"slower and slower":         {func(w *journey.Wrong) { w.Last.Passed = true; w.Known[4].Millis, w.Known[5].Millis = 2000, 4000 }, lab.ToReview, lab.Met},
		"another text":              {func(w *journey.Wrong) { w.OnlyUnknown = []string{"Aucun compte"} }, lab.Met, lab.NotMet},
		"another status":            {func(w *journey.Wrong) { w.Unknown[0].Status = 404 }, lab.Met, lab.NotMet},
		"a status not seen":         {func(w *journey.Wrong) { w.Unknown[0].Status = 0 }, lab.Met, lab.Met},
		"another page":              {func(w *journey.Wrong) { w.Unknown[0].Path = "/inscription" }, lab.Met, lab.NotMet},
		"another time":              {func(w *journey.Wrong) { w.Known[0].Millis = 1500 }, lab.Met, lab.ToReview},
	} {
		w := wrong()
		c.change(&w)
		got := judgeAs(t, own, looked(t, "journey-wrong-passwords", journeyProbe, w))
		if got["SEC-90.1"].State != c.brake || got["SEC-91.1"].State != c.tell {
			t.Errorf("%s: %+v %+v", name, got["SEC-90.1"], got["SEC-91.1"])
		}
	}
	gone := journey.Erased{Account: "d", Own: 5, Played: true, Session: journey.Seen{Tried: true, Of: 5}}
	for name, c := range map[string]struct {
		change          func(*journey.Erased)
		account, cookie lab.State
	}{
		"all is right":        {func(*journey.Erased) {}, lab.Met, lab.Met},
		"it signs in again":   {func(e *journey.Erased) { e.Again.Passed = true }, lab.NotMet, lab.Met},
		"a session goes on":   {func(e *journey.Erased) { e.Session.Shown = 5 }, lab.Met, lab.NotMet},
		"gone since last run": {func(e *journey.Erased) { e.Failures = []journey.Failure{{Journey: "signIn", Why: "x"}} }, lab.Untested, lab.Untested},
		"nothing to delete":   {func(e *journey.Erased) { e.Own = 0 }, lab.Untested, lab.Untested},
	} {
		e := gone
		c.change(&e)
		got := judgeAs(t, own, looked(t, "journey-deletion", journeyProbe, e))
		if got["SEC-93.1"].State != c.account || got["SEC-93.2"].State != c.cookie {
			t.Errorf("%s: %+v %+v", name, got["SEC-93.1"], got["SEC-93.2"])
		}
	}
	// On a service of somebody else nothing is tried, and the reason says what to write.
	own.Web.Own = false
	if r := judgeAs(t, own, nil)["SEC-90.1"]; r.State != lab.Untested {
		t.Errorf("%+v", r)
	}
}

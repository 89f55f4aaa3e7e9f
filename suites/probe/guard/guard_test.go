package guard

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/etalon-sante/etalon/sandbox/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "the-token-of-the-pilot"

// pilot is a test endpoint under /pilot; guarded says whether it wants its token.
func pilot(guarded bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /pilot/actions/{action}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if guarded && r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":"unauthorized"}`))
			return
		}
		_, _ = w.Write([]byte(`{"status":"done","data":{"paired":false}}`))
	})
	return mux
}

func answer(status int, kind, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

// watched fails the test when a request carries the token of the pilot.
func watched(t *testing.T, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Authorization"), token) {
			t.Errorf("the pilot's token was sent to another address: %s", r.URL)
		}
		h.ServeHTTP(w, r)
	})
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func look(t *testing.T, o Options) Result {
	t.Helper()
	o.Token, o.Timeout = token, time.Second
	r, err := Look(t.Context(), o)
	if err != nil {
		t.Fatalf("look: %v", err)
	}
	all, err := json.Marshal(struct {
		Result
		X []record.Exchange
	}{r, r.Exchanges})
	if err != nil || strings.Contains(string(all), token) {
		t.Errorf("the token is in what is recorded, or nothing is: %v\n%s", err, all)
	}
	return r
}

func TestAPilotIsAskedWithItsTokenWithoutAndWithAnother(t *testing.T) {
	r := look(t, Options{Pilot: serve(t, pilot(true)) + "/pilot"})
	if r.WithToken.Pilot != "done" || !r.WithoutToken.Refused() || !r.WrongToken.Refused() || r.Exposed != Unasked {
		t.Errorf("guarded: %+v", r)
	}
	if len(r.Exchanges) != 3 || r.Exchanges[0].Request.Header("Authorization") != "Bearer «pilot-token»" || r.Exchanges[1].Request.Header("Authorization") != "" {
		t.Errorf("exchanges: %+v", r.Exchanges)
	}
	r = look(t, Options{Pilot: serve(t, pilot(false)) + "/pilot/"})
	if r.WithoutToken.Refused() || r.WrongToken.Refused() || r.WrongToken.Pilot != "done" {
		t.Errorf("open: %+v", r)
	}
}

func TestThePilotIsToldFromWhateverStandsInProduction(t *testing.T) {
	refusal := `{"error":"unauthorized"}`
	for name, c := range map[string]struct {
		production    http.Handler
		exposed, rule string
	}{
		"nothing at that path":                   {http.NotFoundHandler(), Hidden, RuleOtherAnswer},
		"an application that answers every path": {answer(200, "text/html", "<!doctype html>"), Hidden, RuleOtherAnswer},
		"a redirect for every path":              {http.RedirectHandler("/connexion", http.StatusFound), Hidden, RuleOtherAnswer},
		"the pilot, guarded":                     {pilot(true), Exposed, RuleSameRefusal},
		"the pilot, open":                        {pilot(false), Exposed, RulePilotAnswer},
		"a gateway that refuses every path":      {answer(401, "application/json", refusal), Unclear, RuleAlike},
		"a gateway with words of its own":        {answer(401, "application/problem+json", `{"title":"x"}`), Hidden, RuleOtherAnswer},
		"a status of another kind":               {answer(200, "application/json", `{"status":"ok"}`), Hidden, RuleOtherAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			r := look(t, Options{Pilot: serve(t, pilot(true)) + "/pilot", Production: serve(t, watched(t, c.production))})
			if r.Exposed != c.exposed || r.Why != c.rule {
				t.Errorf("%s by %s, want %s by %s\n%+v", r.Exposed, r.Why, c.exposed, c.rule, r)
			}
		})
	}
}

func TestAPilotThatHidesBehind404CannotBeToldFromNothing(t *testing.T) {
	shy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			http.NotFound(w, r)
			return
		}
		pilot(true).ServeHTTP(w, r)
	})
	r := look(t, Options{Pilot: serve(t, shy) + "/pilot", Production: serve(t, http.NotFoundHandler())})
	if r.Exposed != Unclear || r.Why != RuleAlike || !r.WrongToken.Refused() {
		t.Errorf("%+v", r)
	}
}

func TestThePilotAtTheProductionAddressItselfIsExposed(t *testing.T) {
	at := serve(t, pilot(true))
	r := look(t, Options{Pilot: at + "/pilot", Production: at + "/"})
	if r.Exposed != Exposed || r.Why != RuleSameAddress {
		t.Errorf("%+v", r)
	}
}

func TestNoAnswerIsNoVerdict(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := "http://" + l.Addr().String()
	_ = l.Close()
	r := look(t, Options{Pilot: serve(t, pilot(true)) + "/pilot", Production: free})
	if r.Exposed != Unclear || r.Why != RuleNoAnswer || r.AtPath.Error == "" {
		t.Errorf("%+v", r)
	}
	r = look(t, Options{Pilot: free, Production: serve(t, http.NotFoundHandler())})
	if r.Exposed != Unclear || r.Why != RuleNoPilotAnswer {
		t.Errorf("%+v", r)
	}
	release := make(chan struct{})
	slow := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}))
	t.Cleanup(func() { close(release) })
	if r = look(t, Options{Pilot: slow}); !strings.Contains(r.WithToken.Error, "no whole answer within") {
		t.Errorf("%+v", r)
	}
	for _, bad := range []Options{{Pilot: "x"}, {Pilot: "http://pilot.example", Production: "ftp://x"}} {
		bad.Dial = nil
		if _, err := Look(t.Context(), Options{Pilot: bad.Pilot, Production: bad.Production, Timeout: time.Millisecond}); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}

func TestARedirectOfThePilotIsNotFollowed(t *testing.T) {
	other := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	at := serve(t, http.RedirectHandler(other, http.StatusTemporaryRedirect))
	if r := look(t, Options{Pilot: at}); r.WithToken.Status != http.StatusTemporaryRedirect {
		t.Errorf("%+v", r)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"status":"done"}`, "application/json; charset=utf-8")
	f.Add(`{"status":1,"a":{}}`, ";")
	f.Add(`null`, "")
	f.Fuzz(func(t *testing.T, body, kind string) {
		r := read(&http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {kind}}}, []byte(body))
		if r.Pilot != "" && !strings.Contains(r.Shape, "status") {
			t.Errorf("%+v", r)
		}
	})
}

package security

import (
	"maps"
	"net/http"
	"testing"

	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/web"
)

func exposureChecks() []string {
	return []string{"SEC-42.1", "SEC-42.2", "SEC-44.1", "SEC-44.2", "SEC-44.3", "SEC-46.1", "SEC-46.2", "SEC-46.3", "SEC-47.1", "SEC-48.1", "SEC-49.1", "SEC-49.2", "SEC-50.1"}
}

// goodExposure is what is seen of a site that shows nothing.
func goodExposure() web.Exposure {
	not := func(path, kind string) web.Answer {
		return web.Answer{Path: path, Kind: kind, Exchange: "h9", Status: http.StatusNotFound}
	}
	return web.Exposure{
		Site: "https://service.example/", At: today, Home: true, Own: true, Announced: 2,
		Nowhere:   not("/etalon-x", ""),
		Malformed: []web.Answer{not("/?%", "")},
		Files: []web.Answer{
			not("/.git/HEAD", web.KindRepository), not("/.env", web.KindSecret), not("/x~", web.KindSource), not("/d.sql", web.KindDump),
		},
		Debug:       []web.Answer{not("/debug/pprof/", web.KindDebug), not("/metrics", web.KindMonitoring)},
		Directories: []web.Answer{not("/uploads/", "")},
		Trace:       web.Answer{Path: "/", Exchange: "h8", Status: http.StatusMethodNotAllowed},
		Origins: []web.Origin{
			{Exchange: "h3", Method: http.MethodOptions, Requested: "PUT", Origin: web.ForeignOrigin, Status: 404},
			{Exchange: "h4", Method: http.MethodGet, Origin: "null", Status: 200},
		},
	}
}

func TestExposureChecks(t *testing.T) {
	no := func(ids ...string) map[string]lab.State { return states(lab.NotMet, ids...) }
	untested := func(ids ...string) map[string]lab.State { return states(lab.Untested, ids...) }
	shown := func(a *web.Answer, sign string) { a.Status, a.Signs = 200, []string{sign} }
	intrusive := untested("SEC-44.2", "SEC-46.1", "SEC-46.2", "SEC-46.3", "SEC-47.1", "SEC-48.1", "SEC-49.1", "SEC-49.2")

	for name, c := range map[string]struct {
		change func(*web.Exposure)
		want   map[string]lab.State
	}{
		"a site that shows nothing":      {func(*web.Exposure) {}, nil},
		"a site of someone else":         {func(e *web.Exposure) { e.Own, e.Malformed, e.Files, e.Debug, e.Directories = false, nil, nil, nil, nil }, intrusive},
		"a site that leads elsewhere":    {func(e *web.Exposure) { e.Home = false }, without(untested(exposureChecks()...), "SEC-50.1")},
		"a repository":                   {func(e *web.Exposure) { shown(&e.Files[0], "ref") }, no("SEC-46.1")},
		"secrets":                        {func(e *web.Exposure) { shown(&e.Files[1], "NAME=…") }, no("SEC-46.2")},
		"a source":                       {func(e *web.Exposure) { shown(&e.Files[2], "<?php") }, no("SEC-46.3")},
		"a dump":                         {func(e *web.Exposure) { shown(&e.Files[3], "CREATE TABLE") }, no("SEC-46.3")},
		"a debug page":                   {func(e *web.Exposure) { shown(&e.Debug[0], "pprof") }, no("SEC-49.1")},
		"metrics":                        {func(e *web.Exposure) { shown(&e.Debug[1], "# HELP") }, no("SEC-49.2")},
		"a listing":                      {func(e *web.Exposure) { shown(&e.Directories[0], "Index of /") }, no("SEC-47.1")},
		"an echo":                        {func(e *web.Exposure) { shown(&e.Trace, "X-Etalon") }, no("SEC-48.1")},
		"a stack":                        {func(e *web.Exposure) { e.Nowhere.Signs = []string{"Java"} }, no("SEC-44.1")},
		"a stack on a malformed request": {func(e *web.Exposure) { e.Malformed[0].Signs = []string{"Java"} }, no("SEC-44.2")},
		"a version on an error page":     {func(e *web.Exposure) { e.Nowhere.Products = []string{"nginx/1.2"} }, no("SEC-44.3")},
		"a page for every address": {func(e *web.Exposure) {
			e.Nowhere.Status, e.Nowhere.Products = 200, []string{"PHP/8.1"}
			e.Malformed[0].Status = 200
		}, untested("SEC-44.1", "SEC-44.3")},
		"a version in a header": {func(e *web.Exposure) {
			e.Versions = []web.Version{{Exchange: "h1", Where: "Server", Value: "nginx/1.2"}}
		}, no("SEC-50.1")},
		"one question without answer":         {func(e *web.Exposure) { e.Files[0].Status = 0 }, untested("SEC-46.1")},
		"asked too often":                     {func(e *web.Exposure) { e.Directories[0].Status = http.StatusTooManyRequests }, untested("SEC-47.1")},
		"a preflight that passes":             {func(e *web.Exposure) { e.Origins[0].Status = 204; admit(&e.Origins[0], "true") }, no("SEC-42.1")},
		"a preflight that fails all the same": {func(e *web.Exposure) { admit(&e.Origins[0], "true") }, nil},
		"open without credentials":            {func(e *web.Exposure) { e.Origins[0].Status = 204; admit(&e.Origins[0], "") }, nil},
		"an origin of none":                   {func(e *web.Exposure) { admit(&e.Origins[1], "true") }, no("SEC-42.2")},
		"origins that were not answered":      {func(e *web.Exposure) { e.Origins[1].Status = 0 }, untested("SEC-42.2")},
	} {
		t.Run(name, func(t *testing.T) {
			e := goodExposure()
			c.change(&e)
			expect(t, judge(t, looked(t, "web-exposure", "exposure", e)), exposureChecks(), c.want)
		})
	}
}

func states(s lab.State, ids ...string) map[string]lab.State {
	out := map[string]lab.State{}
	for _, id := range ids {
		out[id] = s
	}
	return out
}

func without(m map[string]lab.State, id string) map[string]lab.State {
	out := maps.Clone(m)
	delete(out, id)
	return out
}

func admit(o *web.Origin, credentials string) {
	o.AllowOrigin, o.AllowCredentials = o.Origin, credentials
}

func TestLeftoverChecks(t *testing.T) {
	ours := []string{"SEC-41.1", "SEC-41.2", "SEC-43.1", "SEC-45.1", "SEC-45.2", "SEC-55.1", "SEC-55.2"}
	no := func(ids ...string) map[string]lab.State { return states(lab.NotMet, ids...) }
	field := func(name, value string) func(*web.Result) {
		return func(r *web.Result) {
			r.SecurityTxt.Fields = append(r.SecurityTxt.Fields, web.Field{Line: 3, Name: name, Value: value})
		}
	}
	load := func(active bool) func(*web.Result) {
		return func(r *web.Result) {
			r.Pages[1].Plain = []web.Load{{Element: "img", URL: "http://a.example/", Active: active}}
		}
	}
	cookie := func(f func(*web.Cookie)) func(*web.Result) { return func(r *web.Result) { f(&r.Cookies[0]) } }
	for name, c := range map[string]struct {
		change func(*web.Result)
		want   map[string]lab.State
	}{
		"a site without fault":  {func(*web.Result) {}, nil},
		"a frame in the clear":  {load(true), no("SEC-41.1")},
		"an image in the clear": {load(false), no("SEC-41.2")},
		"in the clear, upgraded": {func(r *web.Result) {
			load(true)(r)
			r.Pages[1].CSP = []web.Policy{policy("upgrade-insecure-requests")}
		}, nil},
		"pages that load nothing":  {func(r *web.Result) { r.Pages[0].Loads, r.Pages[1].Loads = 0, 0 }, states(lab.Untested, "SEC-41.1", "SEC-41.2")},
		"a page cut short":         {func(r *web.Result) { r.Pages[1].Truncated = true }, states(lab.Untested, "SEC-41.1", "SEC-41.2")},
		"a session kept by caches": {cookie(func(c *web.Cookie) { c.CacheControl = "public, max-age=60" }), no("SEC-43.1")},
		"a session without a word": {cookie(func(c *web.Cookie) { c.CacheControl = "" }), no("SEC-43.1")},
		"a session for one":        {cookie(func(c *web.Cookie) { c.CacheControl = "max-age=0, Private" }), nil},
		"a session of many hosts":  {cookie(func(c *web.Cookie) { c.Domain = "service.example" }), no("SEC-45.1")},
		"a short session":          {cookie(func(c *web.Cookie) { c.Bits = 64 }), no("SEC-45.2")},
		"a short one beside a long one": {func(r *web.Result) {
			r.Cookies = append(r.Cookies, web.Cookie{Name: "session_seen", Exchange: "h1", OverHTTPS: true, Secure: true, Session: "name", Bits: 4, CacheControl: "no-store"})
		}, nil},
		"no session":              {cookie(func(c *web.Cookie) { c.Session = "" }), states(lab.Untested, "SEC-43.1", "SEC-45.1", "SEC-45.2")},
		"a policy in the clear":   {field("Policy", "http://service.example/x"), no("SEC-55.1")},
		"a key of another scheme": {field("Encryption", "openpgp4fpr:5f2de5521c63a801ab59ccb603d49de44b29100f"), nil},
		"an unknown field":        {field("X-Note", "http://service.example/x"), nil},
		"a far date":              {func(r *web.Result) { r.SecurityTxt.Expires = today.AddDate(2, 0, 0) }, no("SEC-55.2")},
		"no file":                 {func(r *web.Result) { r.SecurityTxt.Found = false }, states(lab.Untested, "SEC-55.1", "SEC-55.2")},
	} {
		t.Run(name, func(t *testing.T) {
			r := goodWeb()
			for i := range r.Pages {
				r.Pages[i].Loads = 3
			}
			r.Cookies[0].CacheControl = "no-store"
			r.SecurityTxt.Fields = []web.Field{{Line: 1, Name: "Contact", Value: "mailto:x@service.example"}}
			c.change(&r)
			expect(t, judge(t, looked(t, "web-pages", "web", r)), ours, c.want)
		})
	}
}

package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/probe/pace"
)

// Exposure is what a site lets be seen beside its pages. What could look like an
// attack is asked only of a service that is the user's own: the fields from Own
// on are empty otherwise.
type Exposure struct {
	Site     string    `json:"site"`
	At       time.Time `json:"at"`
	Home     bool      `json:"home"` // the site's own address answered below 400
	Requests int       `json:"requests"`
	Rate     pace.Rate `json:"rate"` // at which the site was asked, by all looks of the run so far
	// Nowhere are the answers to an address that cannot exist.
	Nowhere   Answer    `json:"nowhere"`
	Origins   []Origin  `json:"origins"`
	Versions  []Version `json:"versions"`  // of products, in headers and in the home page
	Announced int       `json:"announced"` // answers whose headers were searched for versions

	Own         bool     `json:"own"`
	Malformed   []Answer `json:"malformed"` // answers to requests that no browser makes
	Files       []Answer `json:"files"`
	Debug       []Answer `json:"debug"`
	Directories []Answer `json:"directories"`
	Trace       Answer   `json:"trace"`

	Exchanges []record.Exchange `json:"-"`
}

// Answer is what came of one request. The body itself is not kept.
type Answer struct {
	Path     string   `json:"path"` // with its query
	Exchange string   `json:"exchange"`
	Status   int      `json:"status"` // 0: no answer
	Error    string   `json:"error"`
	Kind     string   `json:"kind"`  // of a file: repository, secret, source, dump; of a page: debug, monitoring
	Signs    []string `json:"signs"` // what was recognised in the answer
	Products []string `json:"products"`
}

// Origin is how the site answers another origin that asks whether it may.
type Origin struct {
	Exchange         string `json:"exchange"`
	Path             string `json:"path"`
	Method           string `json:"method"`    // OPTIONS, a preflight, or GET
	Requested        string `json:"requested"` // of a preflight: the method asked for
	Origin           string `json:"origin"`
	Lookalike        bool   `json:"lookalike"` // made from the site's own name
	Status           int    `json:"status"`    // 0: no answer
	AllowOrigin      string `json:"allowOrigin"`
	AllowCredentials string `json:"allowCredentials"`
	AllowMethods     string `json:"allowMethods"`
}

// Version is the version of a product that an answer tells.
type Version struct {
	Exchange string `json:"exchange"`
	Where    string `json:"where"` // name of a header, or "meta generator"
	Value    string `json:"value"`
}

// maxDirectories bounds the folders that are asked for a listing.
const maxDirectories = 20

// Explore looks at what the site lets be seen. own says that the site is the
// user's own and that he agrees to be asked for what an intruder would ask for.
// The error is an *UnreachableError when the site did not answer.
func Explore(ctx context.Context, o Options, own bool) (Exposure, error) {
	site, err := url.Parse(o.Site)
	if err != nil || site.Hostname() == "" || (site.Scheme != "https" && site.Scheme != "http") {
		return Exposure{}, fmt.Errorf("explore the site %q: expected something like https://service.example/", o.Site)
	}
	site.User, site.Fragment, site.RawQuery = nil, "", ""
	f := &explorer{fetcher: newFetcher(o, site), stacks: stacks(), listings: listings()}
	defer f.close()
	out := Exposure{
		Site: site.String(), At: f.now().UTC(), Own: own, Origins: []Origin{}, Versions: []Version{}, Malformed: []Answer{},
		Files: []Answer{}, Debug: []Answer{}, Directories: []Answer{}, Nowhere: noAnswer(""), Trace: noAnswer(""),
	}
	way := f.follow(ctx, site, false)
	if way.last == nil {
		return out, &UnreachableError{Address: out.Site, Err: way.err}
	}
	home := way.last
	out.Home = way.state == Read
	out.announced(home)
	out.Origins = f.origins(ctx, home.url)
	nowhere, answer := f.nowhere(ctx, site)
	if out.Nowhere = answer; nowhere != nil {
		out.announced(nowhere)
	}
	if own {
		f.intrude(ctx, site, home, &out)
	}
	out.Exchanges, out.Requests, out.Rate = f.exchanges, len(f.exchanges), o.Pace.Of(site.Hostname())
	if err := ctx.Err(); err != nil {
		return out, fmt.Errorf("explore %s: %w", out.Site, err)
	}
	return out, nil
}

// explorer is a fetcher that recognises what it gets.
type explorer struct {
	*fetcher
	stacks, listings []pattern
}

func noAnswer(at string) Answer { return Answer{Path: at, Signs: []string{}, Products: []string{}} }

// random is a name that no service has.
func random() string {
	b := make([]byte, 12)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return "etalon-" + hex.EncodeToString(b)
}

// read makes a request whose answer is searched for signs.
func (f *explorer) read(ctx context.Context, a ask, signs func(*got) []string) (*got, Answer) {
	out := noAnswer(a.at.RequestURI())
	if f.silent >= silentLimit {
		out.Error = "not asked for: earlier requests in a row were not answered"
		return nil, out
	}
	g, err := f.do(ctx, a)
	if err != nil {
		out.Error = err.Error()
		return nil, out
	}
	out.Exchange, out.Status, out.Products = g.id, g.status, products(g.body)
	if found := signs(g); found != nil {
		out.Signs = found
	}
	return g, out
}

// nowhere asks for an address that cannot exist: what comes shows the error page
// of the service, or that it has a page for every address.
func (f *explorer) nowhere(ctx context.Context, site *url.URL) (*got, Answer) {
	return f.read(ctx, ask{at: site.JoinPath(random()), mute: true}, func(g *got) []string { return found(f.stacks, g.body) })
}

// intrude asks for what an intruder would ask for. Nothing is changed by it:
// every request is a GET, or a TRACE.
func (f *explorer) intrude(ctx context.Context, site *url.URL, home *got, out *Exposure) {
	root := &url.URL{Scheme: site.Scheme, Host: site.Host, Path: "/"}
	for _, query := range malformed() {
		at := *site
		at.RawQuery = query
		_, a := f.read(ctx, ask{at: &at, mute: true}, func(g *got) []string { return found(f.stacks, g.body) })
		out.Malformed = append(out.Malformed, a)
	}
	// A site that has a page for every address has it for these as well: what is
	// recognised there says nothing.
	everywhere, _ := f.read(ctx, ask{at: root.JoinPath(random() + ".php"), mute: true}, func(*got) []string { return nil })
	for _, w := range files() {
		out.Files = append(out.Files, f.look(ctx, root, w, everywhere))
	}
	for _, w := range debugPages() {
		out.Debug = append(out.Debug, f.look(ctx, root, w, everywhere))
	}
	for _, dir := range folders(home) {
		_, a := f.read(ctx, ask{at: root.JoinPath(dir), mute: true}, func(g *got) []string {
			if g.status != http.StatusOK {
				return nil
			}
			return found(f.listings, g.body)
		})
		out.Directories = append(out.Directories, a)
	}
	mark := random()
	_, out.Trace = f.read(ctx, ask{at: root, method: http.MethodTrace, headers: map[string]string{"X-Etalon": mark}, mute: true}, func(g *got) []string {
		if g.status == http.StatusOK && strings.Contains(string(g.body), mark) {
			return []string{"X-Etalon"}
		}
		return nil
	})
}

// look asks for a thing that should not be there.
func (f *explorer) look(ctx context.Context, root *url.URL, w wanted, everywhere *got) Answer {
	_, a := f.read(ctx, ask{at: root.JoinPath(w.path), mute: true}, func(g *got) []string {
		if g.status != http.StatusOK && g.status != http.StatusPartialContent {
			return nil
		}
		sign := w.sign(g.body)
		if sign == "" || (everywhere != nil && everywhere.status == g.status && w.sign(everywhere.body) != "") {
			return nil
		}
		return []string{sign}
	})
	a.Kind = w.kind
	return a
}

// folders are those of the things that a page loads from its own origin, and a
// few that services often have.
func folders(home *got) []string {
	out := []string{"/assets/", "/backup/", "/files/", "/images/", "/js/", "/media/", "/static/", "/uploads/"}
	if !isHTML(home.header, home.body) {
		return out
	}
	add := func(address string) {
		u, err := home.url.Parse(strings.TrimSpace(address))
		if err != nil || hostPort(u) != hostPort(home.url) || u.Scheme != home.url.Scheme {
			return
		}
		for dir := path.Dir(u.Path); dir != "/" && dir != "."; dir = path.Dir(dir) {
			if name := dir + "/"; !slices.Contains(out, name) && len(out) < maxDirectories {
				out = append(out, name)
			}
		}
	}
	tokens(home.body, func(name string, attrs map[string]string) {
		switch name {
		case "script", "img", "source", "video", "audio":
			add(attrs["src"])
		case "link":
			add(attrs["href"])
		}
	})
	return out
}

// malformed are queries that no browser sends: a percent sign alone, bytes that
// are no UTF-8, brackets without an end, a quote. They ask for nothing.
func malformed() []string {
	return []string{"%", "etalon=%ff%fe%00", "etalon[=1&etalon[][=2", "id=%27"}
}

// origins asks, as another origin would, whether it may write with the patient's
// rights, and as origins whose names resemble the site's whether they may read.
func (f *explorer) origins(ctx context.Context, at *url.URL) []Origin {
	var out []Origin
	try := func(o Origin, a ask) {
		if f.silent >= silentLimit {
			return
		}
		o.Path = at.RequestURI()
		if g, err := f.do(ctx, a); err == nil {
			o.Exchange, o.Status = g.id, g.status
			o.AllowOrigin = clip(join(g.header.Values("Access-Control-Allow-Origin")))
			o.AllowCredentials = clip(join(g.header.Values("Access-Control-Allow-Credentials")))
			o.AllowMethods = clip(join(g.header.Values("Access-Control-Allow-Methods")))
		}
		out = append(out, o)
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete} {
		try(Origin{Method: http.MethodOptions, Requested: method, Origin: f.origin}, ask{at: at, method: http.MethodOptions, headers: map[string]string{
			"Origin": f.origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type",
		}})
	}
	host := at.Hostname()
	for _, origin := range []string{
		"null", // of a document without an origin, which anyone can make
		"https://" + bracket(host) + ".origine-etrangere.example",
		"https://origine-etrangere-" + strings.Trim(host, "[]"),
	} {
		if strings.Contains(host, ":") && origin != "null" {
			continue // no name can be made of an IPv6 address
		}
		try(Origin{Method: http.MethodGet, Origin: origin, Lookalike: origin != "null"}, ask{at: at, headers: map[string]string{"Origin": origin}})
	}
	return out
}

// announced notes what the headers of an answer tell of versions.
func (e *Exposure) announced(g *got) {
	e.Announced++
	for _, name := range []string{"Server", "X-Powered-By", "X-AspNet-Version", "X-AspNetMvc-Version", "X-Generator", "X-Runtime-Version", "X-Drupal-Version", "X-Jenkins", "Via", "Powered-By"} {
		for _, value := range g.header.Values(name) {
			e.tell(g, name, value)
		}
	}
	if isHTML(g.header, g.body) {
		tokens(g.body, func(name string, attrs map[string]string) {
			if name == "meta" && strings.EqualFold(attrs["name"], "generator") {
				e.tell(g, "meta generator", attrs["content"])
			}
		})
	}
}

func (e *Exposure) tell(g *got, where, value string) {
	const most = 20
	if where == "Via" { // "1.1 name" is the version of HTTP, not of a product
		_, value, _ = strings.Cut(strings.TrimSpace(value), " ")
	}
	if !versioned(value) || len(e.Versions) == most {
		return
	}
	for _, v := range e.Versions {
		if v.Where == where && v.Value == clip(value) {
			return
		}
	}
	e.Versions = append(e.Versions, Version{Exchange: g.id, Where: where, Value: clip(value)})
}

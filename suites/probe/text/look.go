// Package text reads the texts that a service publishes: its legal notice, its
// terms of use, its statement of accessibility. They are found by their role in
// the manifest and by the words of links, read as they are served, shown by a
// browser where that adds something, or taken out of a PDF. What is kept are
// sentences; what they are worth is judged elsewhere.
package text

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/suites/probe/pace"
	"github.com/etalon-sante/etalon/suites/probe/web"
)

// Bounds of one look.
const (
	MaxPages    = 20 // documents asked for
	maxPerRole  = 3  // of them, found by their links
	maxContacts = 20
	thinWords   = 60 // below which a page with scripts is taken for an empty frame
)

// How a document was read.
const (
	Served   = "served"   // as the server sent it
	Rendered = "rendered" // as a browser shows it
	PDF      = "pdf"
)

// Options say what is read, and how.
type Options struct {
	Web   web.Options // how documents are asked for
	Pages []Target    // that the manifest names
	Now   func() time.Time
	// Render gives a page's document as a browser holds it, once its scripts have
	// run; nil where there is no browser.
	Render func(ctx context.Context, at *url.URL) (markup string, err error)
	// Lacking says whether something that is looked for is not in a page as it was
	// served; then the browser is asked, if the page has scripts. nil: never.
	Lacking func(Page) bool
	PDF     string // command that reads PDF; "": pdftotext
}

// Target is a page that the manifest names.
type Target struct {
	Path string
	Role string
}

// Result is what was read.
type Result struct {
	Site  string    `json:"site"`
	At    time.Time `json:"at"`
	Pages []Page    `json:"pages"` // the home page first
	Rate  pace.Rate `json:"rate"`
	// Missing says why PDF could not be read; empty where they could, or where
	// none was met.
	Missing Words `json:"missing"`
	Browser bool  `json:"browser"` // there was one
	More    bool  `json:"more"`    // links were left aside, there being too many
}

// Page is one document.
type Page struct {
	URL      string   `json:"url"`
	Roles    []string `json:"roles"`
	Named    bool     `json:"named"` // by the manifest
	Label    string   `json:"label"` // words of the link that led to it
	From     string   `json:"from"`  // the page on which that link stands
	State    string   `json:"state"` // web.Read, web.Elsewhere, web.Failed
	Reason   string   `json:"reason"`
	Exchange string   `json:"exchange"`
	Status   int      `json:"status"`

	How       string     `json:"how"`
	Lang      string     `json:"lang"`
	Title     string     `json:"title"`
	SHA256    string     `json:"sha256"` // of what was served
	Bytes     int        `json:"bytes"`
	Words     int        `json:"words"` // of its own content
	Scripts   int        `json:"scripts"`
	Frames    int        `json:"frames"`
	Forms     int        `json:"forms"`
	Cut       bool       `json:"cut"` // not all of it was read
	Sentences []Sentence `json:"sentences"`
	Links     []Link     `json:"links"`    // to documents of a known role
	Contacts  []string   `json:"contacts"` // mailto: and tel:
}

// Link is a link of a page to a document of a known role.
type Link struct {
	Roles []string `json:"roles"`
	Label string   `json:"label"`
	URL   string   `json:"url"`
}

// Whole says whether all that the page says was read: what is not in it then is
// not there.
func (p Page) Whole() bool {
	return p.State == web.Read && !p.Cut && p.How != "" && !p.Empty()
}

// Empty says that a page is a frame for what scripts, or other sites, put into it.
func (p Page) Empty() bool {
	return p.How == Served && p.Words < thinWords && p.Scripts+p.Frames > 0 || p.How == Rendered && p.Words < thinWords/4 && p.Frames > 0
}

// Is says whether a page has a role.
func (p Page) Is(role string) bool { return slices.Contains(p.Roles, role) }

// queued is a document to ask for.
type queued struct {
	at    *url.URL
	roles []string
	named bool
	label string
	from  string
}

// look is one look under way.
type look struct {
	o      Options
	reader *web.Reader
	res    Result
	seen   map[string]int // index in queue
	queue  []queued
}

// Look reads the texts of a site. What goes wrong with a page stands in the page;
// the error is that of the site itself, or the context's.
func Look(ctx context.Context, o Options) (Result, error) {
	reader, err := web.NewReader(o.Web)
	if err != nil {
		return Result{}, err
	}
	defer reader.Close()
	if o.Now == nil {
		o.Now = time.Now
	}
	l := &look{o: o, reader: reader, seen: map[string]int{}}
	l.res = Result{Site: reader.Shown(reader.Site()), At: o.Now().UTC(), Pages: []Page{}, Browser: o.Render != nil}
	l.want(queued{at: reader.Site(), roles: []string{Home}, named: true})
	for _, t := range o.Pages {
		if at, err := reader.Site().Parse(t.Path); err == nil && (t.Role == Home || slices.Contains(roles(), t.Role)) {
			at.User, at.Fragment = nil, ""
			l.want(queued{at: at, roles: []string{t.Role}, named: true})
		}
	}
	for i := 0; i < len(l.queue); i++ { // the queue grows while it is read
		p, err := l.page(ctx, l.queue[i])
		if err != nil {
			return l.res, err
		}
		l.res.Pages = append(l.res.Pages, p)
		if i == 0 && p.State == web.Failed && p.Status == 0 {
			return l.res, fmt.Errorf("read %s: %s", l.res.Site, p.Reason)
		}
		l.follow(p)
	}
	// A page may turn out to be of a role that was learned of later.
	for i := range l.res.Pages {
		l.res.Pages[i].Roles = l.queue[i].roles
	}
	l.res.Rate = reader.Rate()
	return l.res, ctx.Err()
}

// want adds a document to those to ask for, or a role to one that is there.
func (l *look) want(q queued) {
	key := q.at.String()
	if i, twice := l.seen[key]; twice {
		for _, r := range q.roles {
			if !slices.Contains(l.queue[i].roles, r) {
				l.queue[i].roles = append(l.queue[i].roles, r)
			}
		}
		return
	}
	if len(l.queue) == MaxPages {
		l.res.More = true
		return
	}
	l.seen[key] = len(l.queue)
	l.queue = append(l.queue, q)
}

// follow puts the links of a page that was read into the queue, role by role: the
// first words that say it, up to a few. A page that speaks of a role is not asked
// for its links to others of the same, but for PDF.
func (l *look) follow(p Page) {
	for _, role := range roles() {
		for _, k := range p.Links {
			if !slices.Contains(k.Roles, role) {
				continue
			}
			at, err := url.Parse(k.URL)
			if err != nil || !l.reader.May(at) {
				continue
			}
			_, known := l.seen[at.String()]
			if !known && l.count(role) >= maxPerRole {
				l.res.More = true
				continue
			}
			l.want(queued{at: at, roles: k.Roles, label: k.Label, from: p.URL})
		}
	}
}

func (l *look) count(role string) int {
	n := 0
	for _, q := range l.queue {
		if slices.Contains(q.roles, role) {
			n++
		}
	}
	return n
}

// page asks for a document and reads it.
func (l *look) page(ctx context.Context, q queued) (Page, error) {
	p := Page{
		URL: clip(l.reader.Shown(q.at), 500), Roles: q.roles, Named: q.named, Label: q.label, From: q.from,
		Sentences: []Sentence{}, Links: []Link{}, Contacts: []string{},
	}
	d, err := l.reader.Read(ctx, q.at)
	if err != nil {
		return p, err
	}
	p.State, p.Reason, p.Exchange, p.Status = d.State, clip(d.Reason, 300), d.Exchange, d.Status
	if d.State != web.Read {
		return p, nil
	}
	sum := sha256.Sum256(d.Body)
	p.SHA256, p.Bytes, p.Cut = hex.EncodeToString(sum[:]), len(d.Body), d.Truncated
	media, _, _ := strings.Cut(strings.ToLower(d.Type), ";")
	media = strings.TrimSpace(media)
	switch {
	case media == "application/pdf" || bytes.HasPrefix(d.Body, []byte("%PDF-")) || media == "application/octet-stream" && strings.EqualFold(path.Ext(d.URL.Path), ".pdf"):
		return l.pdf(ctx, p, d)
	case media == "text/plain":
		p.How = Served
		p.take(paragraphs(string(d.Body)))
		return p, nil
	case media != "" && media != "text/html" && media != "application/xhtml+xml":
		p.State, p.Reason = web.Failed, "is neither a page nor a PDF, but "+clip(media, 60)
		return p, nil
	}
	p.How = Served
	c := readMarkup(d.Body, d.Type)
	p.take(c)
	p.links(c, d.URL)
	if l.o.Render == nil || p.Scripts == 0 || !p.Empty() && (l.o.Lacking == nil || !l.o.Lacking(p)) {
		return p, nil
	}
	markup, err := l.o.Render(ctx, d.URL)
	if ctx.Err() != nil {
		return p, ctx.Err()
	}
	if err != nil {
		p.Reason = clip("the browser did not show it: "+err.Error(), 300)
		return p, nil
	}
	c = readTokens(strings.NewReader(markup))
	p.How, p.Cut = Rendered, false
	p.take(c)
	p.links(c, d.URL)
	return p, nil
}

func (l *look) pdf(ctx context.Context, p Page, d web.Document) (Page, error) {
	if why := MissingPDF(l.o.PDF); why != (Words{}) {
		l.res.Missing, p.Reason = why, why.EN
		return p, nil // it is there, and was not read
	}
	if d.Truncated {
		p.Reason = fmt.Sprintf("is longer than %d MiB, and was not read", web.MaxDocument>>20)
		return p, nil
	}
	c, err := readPDF(ctx, l.o.PDF, d.Body)
	if ctx.Err() != nil {
		return p, ctx.Err()
	}
	if err != nil {
		p.Reason = clip(err.Error(), 300)
		return p, nil
	}
	p.How = PDF
	p.take(c)
	if p.Words == 0 {
		p.Cut, p.Reason = true, "holds no text: it is made of pictures"
	}
	return p, nil
}

// take keeps what a document says.
func (p *Page) take(c content) {
	p.Lang, p.Title, p.Words, p.Scripts, p.Frames, p.Forms, p.Sentences = c.lang, c.title, c.words, c.scripts, c.frames, c.forms, c.sentences
	p.Cut = p.Cut || c.cut
}

// links keeps the links to documents of a known role, and the ways to write or call.
func (p *Page) links(c content, at *url.URL) {
	p.Links, p.Contacts = []Link{}, []string{}
	for _, k := range c.links {
		scheme, rest, _ := strings.Cut(k.href, ":")
		if s := strings.ToLower(scheme); (s == "mailto" || s == "tel") && len(p.Contacts) < maxContacts {
			rest, _, _ = strings.Cut(rest, "?")
			if c := s + ":" + clip(tidy(rest), 100); !slices.Contains(p.Contacts, c) {
				p.Contacts = append(p.Contacts, c)
			}
			continue
		}
		to := k.address(at)
		if to == nil {
			continue
		}
		if r := Roles(k.label, to.String()); len(r) > 0 {
			p.Links = append(p.Links, Link{Roles: r, Label: k.label, URL: clip(to.String(), 500)})
		}
	}
}

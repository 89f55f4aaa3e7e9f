package web

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/etalon-sante/etalon/suites/probe/pace"
)

// MaxDocument bounds the bytes read of one document: terms of use are now and
// then a PDF with pictures.
const MaxDocument = 8 << 20

// Document is what an address gave, for somebody who reads it.
type Document struct {
	URL       *url.URL // after redirects; nil when nothing answered
	State     string   // Read, Elsewhere, Failed
	Reason    string
	Exchange  string // id of the answer
	Status    int
	Type      string // Content-Type
	Body      []byte
	Truncated bool // longer than MaxDocument, or sent folded: it is not whole
}

// Reader asks for documents of a site, one at a time, at the pace of its options.
// It goes to the site and to the addresses that are named, and nowhere else. Their
// bodies are not written down: who reads them writes down what he read.
type Reader struct {
	fetcher *fetcher
	site    *url.URL
}

// NewReader prepares to read; the reader must be closed.
func NewReader(o Options) (*Reader, error) {
	site, err := url.Parse(o.Site)
	if err != nil || site.Hostname() == "" || (site.Scheme != "https" && site.Scheme != "http") {
		return nil, fmt.Errorf("read the site %q: expected something like https://service.example/", o.Site)
	}
	site.User, site.Fragment = nil, ""
	if site.Path == "" {
		site.Path = "/"
	}
	f := newFetcher(o, site)
	f.most, f.mute = MaxDocument, true
	return &Reader{fetcher: f, site: site}, nil
}

// Close gives up the connections.
func (r *Reader) Close() { r.fetcher.close() }

// Site is the address of the service.
func (r *Reader) Site() *url.URL { return r.site }

// May says whether an address may be asked for.
func (r *Reader) May(u *url.URL) bool { return r.fetcher.named(u) }

// Shown is an address as it is written down.
func (r *Reader) Shown(u *url.URL) string { return r.fetcher.shown(u) }

// Rate is how often the site was asked so far, by all looks.
func (r *Reader) Rate() pace.Rate { return r.fetcher.pace.Of(r.site.Hostname()) }

// Read asks for an address and follows its redirects. What goes wrong stands in
// the document; the error is the context's.
func (r *Reader) Read(ctx context.Context, at *url.URL) (Document, error) {
	if r.fetcher.silent >= silentLimit {
		return Document{State: Failed, Reason: "not asked for: earlier requests in a row were not answered"}, ctx.Err()
	}
	if !r.May(at) {
		return Document{State: Elsewhere, Reason: fmt.Sprintf("stands at %s, which the manifest does not name; not asked for", at.Host)}, ctx.Err()
	}
	w := r.fetcher.follow(ctx, at, false)
	if ctx.Err() != nil && errors.Is(w.err, ctx.Err()) {
		return Document{}, ctx.Err()
	}
	d := Document{State: w.state, Reason: w.reason}
	if w.last != nil {
		d.URL, d.Exchange, d.Status, d.Type = w.last.url, w.last.id, w.last.status, w.last.header.Get("Content-Type")
		d.Body, d.Truncated = w.last.body, w.last.truncated
	}
	return d, ctx.Err()
}

package run

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/etalon-sante/etalon/reports"
	pages "github.com/etalon-sante/etalon/reports/html"
	"github.com/etalon-sante/etalon/reports/words"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// maxPrinted bounds the pictures that are printed with a report, in bytes.
const maxPrinted = 24 << 20

// PDF prints the report page, in a language, as a tagged PDF on A4. folder is
// that of the run, whose pictures are printed with it; "" for none. Without a
// browser the error is a *browser.MissingError.
func PDF(ctx context.Context, host *browser.Host, r reports.Report, lang, folder string) ([]byte, error) {
	l, err := words.Parse(lang)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := pages.Write(&b, r, lang); err != nil {
		return nil, err
	}
	markup, err := printable(&b, folder)
	if err != nil {
		return nil, fmt.Errorf("prepare the page to be printed: %w", err)
	}
	return host.Print(ctx, markup, foot(r, l))
}

// foot is what stands below each sheet: what it is of, and its number.
func foot(r reports.Report, l words.Lang) string {
	what := "Étalon · " + r.Candidate.Service.Name + " " + r.Candidate.Service.Version + " · " + r.Run.ID + " · " + l.Pick("page", "page")
	return `<div style="width:100%;font:7pt sans-serif;color:#444;padding:0 15mm;display:flex;justify-content:space-between"><span>` +
		template.HTMLEscapeString(what) + `</span><span><span class="pageNumber"></span>/<span class="totalPages"></span></span></div>`
}

// printable is a report page that is whole without its folder: pictures are in
// it, and links that lead beside it are not, since on paper they would lead to
// where it was made.
func printable(page io.Reader, folder string) (string, error) {
	doc, err := html.Parse(page)
	if err != nil {
		return "", err
	}
	left := maxPrinted
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.DataAtom {
		case atom.A:
			drop(n, "href", func(v string) bool { return !strings.HasPrefix(v, "#") && !onTheWeb(v) })
		case atom.Link, atom.Script:
			n.Attr = nil
		case atom.Img:
			for i := range n.Attr {
				if n.Attr[i].Key == "src" {
					n.Attr[i].Val = embedded(folder, n.Attr[i].Val, &left)
				}
			}
			drop(n, "loading", func(string) bool { return true }) // what is loaded late is not printed
			drop(n, "src", func(v string) bool { return v == "" })
		}
	}
	var b strings.Builder
	if err := html.Render(&b, doc); err != nil {
		return "", err
	}
	return b.String(), nil
}

// onTheWeb says whether an address leads to the web.
func onTheWeb(v string) bool {
	u, err := url.Parse(v)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

func drop(n *html.Node, key string, when func(string) bool) {
	for i := len(n.Attr) - 1; i >= 0; i-- {
		if n.Attr[i].Key == key && when(n.Attr[i].Val) {
			n.Attr = append(n.Attr[:i], n.Attr[i+1:]...)
		}
	}
}

// embedded is a picture of the run as an address that holds it; "" for one that
// is not there, is none of ours, or would be too much.
func embedded(folder, name string, left *int) string {
	if strings.HasPrefix(name, "data:image/") {
		return name
	}
	if folder == "" || !lab.IsPicture(name) {
		return ""
	}
	b, err := readPicture(folder, name)
	if err != nil || len(b) > *left {
		return ""
	}
	*left -= len(b)
	return "data:image/webp;base64," + base64.StdEncoding.EncodeToString(b)
}

package text

import (
	"bytes"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"

	"github.com/etalon-sante/etalon/suites/wording"
)

// Bounds of what is kept of one document.
const (
	maxSentences = 2000
	maxSentence  = 600     // characters; a longer one is cut into several
	maxKept      = 200_000 // characters of all sentences
	maxLinks     = 400
	maxLabel     = 160
	maxLine      = 1 << 15 // bytes between two ends of line
	maxToken     = 1 << 20 // bytes of one tag or one run of text
)

// Sentence is one sentence of a document, and where it stands.
type Sentence = wording.Sentence

// link is a link of a document, before anything is made of it.
type link struct {
	label string
	href  string
}

// content is what a document says.
type content struct {
	lang, title string
	sentences   []Sentence
	links       []link
	scripts     int  // that it runs or loads
	frames      int  // contents that come from elsewhere
	forms       int  // that something can be written into
	words       int  // of its own content
	cut         bool // longer than what is kept
}

// blocks are the elements that end a line of text.
func isBlock(name string) bool {
	switch name {
	case "address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "dialog", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer",
		"form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "legend", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "thead", "tfoot", "tr", "ul":
		return true
	}
	return false
}

// isSilent are the elements whose content nobody reads.
func isSilent(name string) bool {
	switch name {
	case "script", "style", "template", "noscript", "svg", "math", "iframe", "object", "noembed", "noframes", "select", "datalist", "canvas":
		return true
	}
	return false
}

func isHeading(name string) bool {
	return len(name) == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6'
}

// reading is one document under way: tokens, not a tree, so that nothing can be
// nested to exhaust it.
type reading struct {
	out    content
	kept   int
	buf    strings.Builder
	head   string
	lead   string
	silent string // the silent element one is in
	deep   int    // of the same name
	around int    // header, nav and footer that are open
	inMain int
	inHead bool // in a heading
	title  bool
	item   int // li that are open
	label  *strings.Builder
	// Of the line under way: its links, and how much of it they are. A line of links
	// is a menu, whatever element it stands in.
	inLinks, ofLinks int
	// cutWord says that the last line of a plain text ended in the middle of a word.
	cutWord bool
	href    string
}

// readMarkup reads an HTML document. contentType is that of its answer.
func readMarkup(body []byte, contentType string) content {
	decoded, err := charset.NewReader(bytes.NewReader(body), contentType)
	if err != nil {
		decoded = bytes.NewReader(body)
	}
	return readTokens(decoded)
}

func readTokens(in io.Reader) content {
	z := html.NewTokenizer(in)
	z.SetMaxBuf(maxToken)
	r := &reading{out: content{sentences: []Sentence{}}}
	for {
		switch z.Next() {
		case html.ErrorToken:
			r.out.cut = r.out.cut || z.Err() != io.EOF //nolint:errorlint // the tokenizer gives io.EOF itself
			r.flush()
			r.settle()
			return r.out
		case html.TextToken:
			r.text(string(z.Text()))
		case html.StartTagToken:
			name, more := z.TagName()
			r.open(string(name), attributes(z, more), false)
		case html.SelfClosingTagToken:
			name, more := z.TagName()
			r.open(string(name), attributes(z, more), true)
		case html.EndTagToken:
			name, _ := z.TagName()
			r.close(string(name))
		case html.CommentToken, html.DoctypeToken:
		}
	}
}

func attributes(z *html.Tokenizer, more bool) map[string]string {
	var out map[string]string
	for n := 0; more && n < 50; n++ {
		var key, value []byte
		key, value, more = z.TagAttr()
		switch k := string(key); k {
		case "href", "lang", "type", "title", "aria-label", "src":
			if out == nil {
				out = map[string]string{}
			}
			if _, twice := out[k]; !twice {
				out[k] = string(value)
			}
		}
	}
	return out
}

func (r *reading) open(name string, attrs map[string]string, whole bool) {
	switch name {
	case "script":
		if t := strings.ToLower(attrs["type"]); !strings.Contains(t, "json") {
			r.out.scripts++
		}
	case "iframe", "frame", "object", "embed":
		r.out.frames++
	}
	if r.silent != "" {
		if name == r.silent && !whole {
			r.deep++
		}
		return
	}
	if isSilent(name) && !whole {
		r.silent, r.deep = name, 1
		return
	}
	if isBlock(name) {
		r.flush()
	}
	switch name {
	case "html":
		r.out.lang = clip(attrs["lang"], 20)
	case "title":
		r.flush()
		r.title = !whole
	case "br", "wbr":
		r.buf.WriteByte(' ')
	case "td", "th":
		if strings.TrimSpace(r.buf.String()) != "" {
			r.buf.WriteString(" | ")
		}
	case "main", "article":
		r.inMain++
	case "header", "nav", "footer":
		if r.inMain == 0 || name == "nav" {
			r.around++
		}
	case "li":
		r.item++
	case "form", "textarea":
		r.out.forms++
	case "a", "area":
		r.endLink()
		if href := strings.TrimSpace(attrs["href"]); href != "" && len(r.out.links) < maxLinks {
			r.label, r.href = &strings.Builder{}, href
			r.inLinks++
			r.label.WriteString(attrs["aria-label"])
		}
	case "img":
		// What stands in the place of a picture is read by nobody who sees it, and
		// is often a word alone: it is no text.
	}
	if isHeading(name) {
		r.inHead = true
	}
}

func (r *reading) close(name string) {
	if r.silent != "" {
		if name == r.silent {
			if r.deep--; r.deep == 0 {
				r.silent = ""
			}
		}
		return
	}
	if name == "a" {
		r.endLink()
	}
	if name == "title" {
		r.out.title = clip(strings.TrimSpace(tidy(r.buf.String())), maxLabel)
		r.buf.Reset()
		r.title = false
		return
	}
	if isHeading(name) {
		r.flush()
		r.inHead = false
		return
	}
	if isBlock(name) {
		r.flush()
	}
	switch name {
	case "main", "article":
		r.inMain = max(0, r.inMain-1)
	case "header", "nav", "footer":
		if r.inMain == 0 || name == "nav" {
			r.around = max(0, r.around-1)
		}
	case "li":
		r.item = max(0, r.item-1)
	case "ul", "ol":
		if r.item == 0 {
			r.lead = ""
		}
	}
}

func (r *reading) text(s string) {
	if r.silent != "" || r.out.cut {
		return
	}
	if r.label != nil {
		r.ofLinks += len(strings.TrimSpace(s))
		if r.label.Len() < 4*maxLabel {
			r.label.WriteString(s)
		}
	}
	for len(s) > 0 { // a line without end is cut where it is long
		n := min(len(s), maxLine-r.buf.Len())
		r.buf.WriteString(s[:n])
		if s = s[n:]; r.buf.Len() >= maxLine {
			r.flush()
			if r.out.cut {
				return
			}
		}
	}
}

func (r *reading) endLink() {
	if r.label == nil {
		return
	}
	r.out.links = append(r.out.links, link{label: clip(strings.TrimSpace(tidy(r.label.String())), maxLabel), href: clip(r.href, 1000)})
	r.label = nil
}

// flush ends a line of text.
func (r *reading) flush() {
	line := strings.TrimSpace(tidy(r.buf.String()))
	r.buf.Reset()
	menu := r.inLinks >= 3 && r.ofLinks*5 >= len(line)*4
	r.inLinks, r.ofLinks = 0, 0
	if line == "" || r.title {
		return
	}
	switch {
	case r.inHead:
		r.head, r.lead = clip(line, maxLabel), ""
	case r.item == 0:
		r.lead = ""
	}
	lead := ""
	if r.item > 0 {
		lead = r.lead
	}
	for _, s := range split(line) {
		r.add(Sentence{Text: s, Lead: lead, Head: r.head, Around: r.around > 0 || menu, Heading: r.inHead})
	}
	if r.item == 0 && strings.HasSuffix(line, ":") {
		all := split(line)
		r.lead = clip(all[len(all)-1], maxLabel)
	}
}

func (r *reading) add(s Sentence) {
	n := utf8.RuneCountInString(s.Text)
	if len(r.out.sentences) == maxSentences || r.kept+n > maxKept {
		r.out.cut = true
		return
	}
	if s.Head == s.Text {
		s.Head = ""
	}
	r.kept += n
	r.out.sentences = append(r.out.sentences, s)
}

// settle counts what the document's own content holds. A document that closes its
// elements badly may seem to be all surroundings: then it is all content.
func (r *reading) settle() {
	r.endLink()
	own, all := 0, 0
	for _, s := range r.out.sentences {
		n := len(strings.Fields(s.Text))
		all += n
		if !s.Around {
			own += n
		}
	}
	if own*5 < all && all >= 100 {
		for i := range r.out.sentences {
			r.out.sentences[i].Around = false
		}
		own = all
	}
	r.out.words = own
}

// address gives where a link leads, resolved; nil when it leads to no document.
func (l link) address(at *url.URL) *url.URL {
	if strings.HasPrefix(l.href, "#") {
		return nil
	}
	u, err := at.Parse(l.href)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return nil
	}
	u.User, u.Fragment = nil, ""
	if u.Path == "" {
		u.Path = "/"
	}
	return u
}

func clip(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

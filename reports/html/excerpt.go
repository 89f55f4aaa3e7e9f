package html

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/reports"
)

// Bounds on what the page shows of one message; the whole of it stands in
// report.json and in the journal. Measured: a page of 200 requirements, one in
// ten broken, stays under 300 KB with them.
const (
	bodyLines = 22  // lines of a message
	around    = 6   // lines kept on either side of the telling one
	nearby    = 3   // the same, where the exchange was shown before
	lineChars = 240 // characters of a line
	markChars = 600 // the same, of the telling one
	bodyDepth = 64  // nesting of a body beyond which it is shown as it came
)

// line is one line of a message as shown.
type line struct {
	Text string
	Mark bool
	Gap  int // lines left out here; Text is then empty
	at   string
}

// message is one half of an exchange.
type message struct {
	Lines []line
	Cut   bool // the body is only a beginning
}

// excerpt is an exchange as shown for one finding.
type excerpt struct {
	Request, Response message
	Missing           string // what the pointer names and the exchange does not hold
	Marked            bool
}

// show lays an exchange out and marks the line that a pointer names.
func show(x reports.Exchange, pointer string) excerpt {
	req, res := requestLines(x.Request), responseLines(x.Response)
	where, rest := split(pointer)
	var e excerpt
	if rest != "" {
		e.Marked, e.Missing = mark(where, rest, req, res)
	}
	e.Request = message{Lines: trim(req), Cut: x.Request.Body.Cut}
	e.Response = message{Lines: trim(res), Cut: x.Response.Body.Cut}
	return e
}

// content is all that an excerpt shows, to tell one from another by.
func (e excerpt) content() string {
	var b strings.Builder
	for _, m := range []message{e.Request, e.Response} {
		for _, l := range m.Lines {
			b.WriteString(l.Text)
			b.WriteByte('\n')
		}
		b.WriteByte(0)
	}
	return b.String()
}

// split takes "request:" or "response:" off a pointer.
func split(pointer string) (where, rest string) {
	for _, side := range []string{"request", "response"} {
		if rest, ok := strings.CutPrefix(pointer, side+":"); ok {
			return side, rest
		}
	}
	return "", pointer
}

// mark sets Mark on the line that the pointer names. Where nothing bears that
// name, the nearest element that holds the place is marked, and the pointer is
// returned as missing.
func mark(where, pointer string, req, res []line) (marked bool, missing string) {
	var sides [][]line
	if where != "response" {
		sides = append(sides, req)
	}
	if where != "request" {
		sides = append(sides, res)
	}
	find := func(at string) bool {
		for _, side := range sides {
			for i := range side {
				same := side[i].at == at || strings.HasPrefix(at, "header:") && strings.EqualFold(side[i].at, at)
				if side[i].at != "" && same {
					side[i].Mark = true
					return true
				}
			}
		}
		return false
	}
	if find(key(pointer)) {
		return true, ""
	}
	for name := pointer; strings.HasPrefix(name, "/"); {
		name = name[:strings.LastIndexByte(name, '/')]
		if find("body:" + name) {
			return true, pointer
		}
	}
	if !names(pointer) {
		return false, "" // a word about the place, not a place in these messages
	}
	return false, pointer
}

// names says whether a pointer has one of the forms that name a line.
func names(pointer string) bool {
	for _, form := range []string{"/", "?", "header:", "line:"} {
		if strings.HasPrefix(pointer, form) {
			return true
		}
	}
	return pointer == "url" || pointer == "status" || pointer == "method"
}

// key is the form in which a line bears what names it.
func key(pointer string) string {
	switch {
	case strings.HasPrefix(pointer, "/"):
		return "body:" + pointer
	case pointer == "method":
		return "url" // they share a line
	}
	return pointer
}

func requestLines(r reports.Request) []line {
	address, query, _ := strings.Cut(r.URL, "?")
	lines := []line{{Text: strings.TrimSpace(r.Method + " " + address), at: "url"}}
	if query != "" {
		lines = append(lines, pairs(query, "?")...)
	}
	return append(append(lines, headerLines(r.Headers)...), bodyOf(r.Body)...)
}

func responseLines(r reports.Response) []line {
	var lines []line
	if r.Status != 0 {
		lines = append(lines, line{Text: strings.TrimSpace(fmt.Sprintf("HTTP %d %s", r.Status, http.StatusText(r.Status))), at: "status"})
	}
	return append(append(lines, headerLines(r.Headers)...), bodyOf(r.Body)...)
}

func headerLines(headers []reports.Header) []line {
	var lines []line
	for _, h := range headers {
		lines = append(lines, line{Text: h.Name + ": " + h.Value, at: "header:" + h.Name})
	}
	return lines
}

// pairs shows a query or a form, one parameter a line, decoded.
func pairs(encoded, before string) []line {
	var lines []line
	for _, p := range strings.Split(encoded, "&") {
		name, value, _ := strings.Cut(p, "=")
		lines = append(lines, line{Text: "  " + before + plainText(name) + " = " + plainText(value), at: "?" + plainText(name)})
		before = strings.Replace(before, "?", "&", 1)
	}
	return lines
}

func plainText(encoded string) string {
	if s, err := url.QueryUnescape(encoded); err == nil && utf8.ValidString(s) {
		return s
	}
	return encoded
}

// bodyOf shows a body after an empty line.
func bodyOf(b reports.Body) []line {
	if b.Text == "" {
		return nil
	}
	var lines []line
	switch {
	case strings.Contains(b.MIME, "x-www-form-urlencoded"):
		lines = pairs(b.Text, "")
	default:
		lines = pretty(b.Text, b.Cut)
		if lines == nil {
			for i, t := range strings.Split(strings.TrimRight(b.Text, "\r\n"), "\n") {
				lines = append(lines, line{Text: strings.TrimRight(t, "\r"), at: "line:" + strconv.Itoa(i+1)})
			}
		}
	}
	return append([]line{{}}, lines...)
}

// pretty lays JSON out, one member a line, each line with its JSON pointer;
// nil where the text is not JSON. Of a body that was cut, what can be read.
func pretty(text string, cut bool) []line {
	if t := strings.TrimLeft(text, " \t\r\n"); t == "" || t[0] != '{' && t[0] != '[' {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	type level struct {
		array bool
		n     int
		at    string
		key   string
		named bool // a key was read, its value comes next
	}
	var open []level
	var lines []line
	for {
		tok, err := d.Token()
		if err == io.EOF && len(open) == 0 {
			return lines
		}
		if err != nil {
			if cut {
				return append(lines, line{Text: "…"})
			}
			return nil
		}
		if delim, ok := tok.(json.Delim); ok && (delim == '}' || delim == ']') {
			last := open[len(open)-1]
			open = open[:len(open)-1]
			if last.n == 0 {
				lines[len(lines)-1].Text += delim.String()
			} else {
				lines = append(lines, line{Text: indent(len(open)) + delim.String()})
			}
			continue
		}
		prefix, at := "", ""
		if n := len(open); n > 0 {
			top := &open[n-1]
			if !top.array && !top.named {
				k, _ := tok.(string)
				top.key, top.named = k, true
				continue
			}
			if top.n > 0 {
				lines[len(lines)-1].Text += ","
			}
			if top.array {
				at = top.at + "/" + strconv.Itoa(top.n)
			} else {
				at = top.at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(top.key)
				prefix = quote(top.key) + ": "
			}
			top.n, top.named = top.n+1, false
		}
		if delim, ok := tok.(json.Delim); ok {
			lines = append(lines, line{Text: indent(len(open)) + prefix + delim.String(), at: "body:" + at})
			if open = append(open, level{array: delim == '[', at: at}); len(open) > bodyDepth {
				return nil
			}
			continue
		}
		lines = append(lines, line{Text: indent(len(open)) + prefix + scalar(tok), at: "body:" + at})
	}
}

func indent(n int) string { return strings.Repeat("  ", n) }

func scalar(tok json.Token) string {
	switch v := tok.(type) {
	case string:
		return quote(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return "null"
}

// quote writes a JSON string with < > & left readable.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return strconv.Quote(s)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// trim keeps what can be read at a glance: the head of a message, the
// neighbourhood of the marked line, and how much was left out.
func trim(lines []line) []line {
	for i := range lines {
		most := lineChars
		if lines[i].Mark {
			most = markChars
		}
		if utf8.RuneCountInString(lines[i].Text) > most {
			lines[i].Text = string([]rune(lines[i].Text)[:most]) + "…"
		}
	}
	if len(lines) <= bodyLines {
		return lines
	}
	marked := slices.ContainsFunc(lines, func(l line) bool { return l.Mark })
	if marked {
		return window(lines, bodyLines-2*around-1, around)
	}
	return window(lines, bodyLines, 0)
}

// brief keeps of an excerpt only what is near the marked line: the whole of it
// was shown before.
func (e *excerpt) brief() {
	if !e.Marked {
		return
	}
	for _, m := range []*message{&e.Request, &e.Response} {
		if slices.ContainsFunc(m.Lines, func(l line) bool { return l.Mark }) {
			m.Lines = window(m.Lines, 0, nearby)
			dedent(m.Lines)
		} else {
			m.Lines = nil
		}
		m.Cut = false
	}
}

// dedent takes away the indentation that all lines share.
func dedent(lines []line) {
	shared := -1
	for _, l := range lines {
		if l.Text != "" {
			if n := len(l.Text) - len(strings.TrimLeft(l.Text, " ")); shared < 0 || n < shared {
				shared = n
			}
		}
	}
	for i := range lines {
		if lines[i].Text != "" {
			lines[i].Text = lines[i].Text[shared:]
		}
	}
}

// window keeps the first lines and those around marked ones, and counts what
// it leaves out.
func window(lines []line, head, near int) []line {
	keep := make([]bool, len(lines))
	for i := range lines {
		if i < head {
			keep[i] = true
		}
		if lines[i].Mark {
			for j := max(0, i-near); j <= min(len(lines)-1, i+near); j++ {
				keep[j] = true
			}
		}
	}
	var out []line
	for i, l := range lines {
		switch n := len(out); {
		case keep[i]:
			out = append(out, l)
		case n > 0 && out[n-1].Gap > 0:
			out[n-1].Gap += max(l.Gap, 1)
		default:
			out = append(out, line{Gap: max(l.Gap, 1)})
		}
	}
	return out
}

package html

import (
	"fmt"
	"html/template"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

// Bounds on lists of a page; what is left out is counted, and in report.json.
const (
	maxCards    = 10
	maxFindings = 4  // shown per check
	maxExcerpts = 44 // exchanges laid out in one page, counted with their telling lines
	maxImages   = 60 // pictures shown in one page; those after are named
)

// page is what the template reads.
type page struct {
	dress
	said said

	reports.Report
	Lang        words.Lang
	OtherLang   words.Lang
	OtherFile   string
	PublicFile  string // the plain page
	Sentence    string
	Coverage    string
	Independent string
	Witness     string
	Tied        string // what binds the report to the product, in one line
	Started     instant
	Duration    string
	Claims      []string
	Addresses   []link
	Counts      []share // whole report, verdicts that occur, worst first
	Bars        []bar
	Cards       []card
	MoreCards   int
	Themes      []theme
	Deviations  []deviation
	Review      []row
	Decided     []row
	Declared    []row
	Unjudged    []group
	Levels      []level
	Cited       []cited
	Bound       []bound
	Ledger      []entry
	Secrets     []entry
	Files       []entry
	Glossary    []words.Term
	Verdicts    []share

	pictures bool // some are shown
}

type (
	instant struct {
		Machine string
		Human   string
	}
	// link is an address; Href is empty where it is no http(s) address, and
	// then shown as text.
	link struct{ Label, Href string }
	// share is a verdict with a number of requirements.
	share struct {
		Verdict reports.Verdict
		Word    string
		Meaning string
		N       int
		X, W    string // place in the bar, in thousandths of it
	}
	bar struct {
		Theme  string
		Anchor string
		Total  int
		Shares []share
		Spoken string
	}
	entry struct{ Key, Value, More string }
	card  struct {
		Row   row
		Seen  string
		Pairs []reports.Finding
		More  int // further findings
	}
	theme struct {
		Code, Name, Anchor string
		Counts             []share
		Chapters           []chapter
	}
	chapter struct {
		Name string
		HTML template.HTML
		rows []row
	}
	// level is a reason for a level, said once for all the requirements that bear it.
	level struct {
		Anchor string
		Basis  reports.Text
		N      int
	}
	// row is a requirement.
	row struct {
		reports.Result
		Anchor  string
		Word    string
		Open    bool
		Mend    bool // something is wrong: the remedy is of use
		Checks  []check
		Links   []source
		Expired bool
	}
	source struct {
		reports.Source
		Link   link
		Anchor string // of it among the documents cited; empty: it is not there
	}
	// cited is a document that requirements rest on.
	cited struct {
		Anchor, Key string
		Link        link
		N           int // requirements that cite it
	}
	check struct {
		reports.Check
		Word       string
		SameTitle  bool // as the requirement's: not said twice
		SameReason bool
		Findings   []finding
		More       int
		Proof      []string // what was seen, a line each, where nothing was found wrong
		Images     []image
	}
	finding struct {
		reports.Finding
		Exchange *exchange // nil: none shows it
		Shown    *excerpt  // nil: shown before, or one too many for a page
		Whole    *row      // the requirement with which all of it is shown, if another finding came first
		Here     bool      // Whole is this very requirement
		Same     []string  // other exchanges of which the same is to be said
		Like     string    // the exchange shown before that holds the same; empty: none does
		Image    *image    // nil: none shows it
	}
	image struct {
		reports.Picture
		Shown bool // false: named only, one too many for a page, or no name of ours
	}
	exchange struct {
		reports.Exchange
		Moment instant
		Took   string
	}
	deviation struct {
		Row     row
		Check   reports.Check
		Setting string
		Assumed string
		Seen    string
	}
	group struct {
		Verdict reports.Verdict
		Word    string
		Meaning string
		N       int
		Because []because
	}
	// because is one reason, and the requirements that it is given for.
	because struct {
		Reason string
		Rows   []row
	}
)

func newPage(r reports.Report, l words.Lang) page {
	r = reports.Shown(r)
	if r.Verdict == "" { // not concluded: whatever it holds, nobody judged it
		r.Verdict, r.ExitCode = reports.RunError, reports.ExitError
	}
	other := words.EN
	if l == words.EN {
		other = words.FR
	}
	p := page{
		said: newSaid(l), Report: r, Lang: l, OtherLang: other, OtherFile: File(other), PublicFile: PublicFile(l),
		Sentence: l.Typeset(l.Verdict(r)), Coverage: l.Typeset(l.Coverage(r)), Independent: l.Typeset(l.Independent()), Witness: words.Capital(l.Typeset(l.Testimony(r.Run))), Tied: l.Typeset(l.Bound(r.Run.Ties)),
		Started: instant{r.Run.Started.Format(time.RFC3339), l.Instant(r.Run.Started)}, Duration: l.Millis(r.Run.Duration * 1000),
		Claims: claims(r.Candidate.Claims, l), Glossary: l.Glossary(),
	}
	for _, a := range []string{r.Candidate.Web.Production, r.Candidate.Web.Site} {
		if a != "" && !slices.ContainsFunc(p.Addresses, func(x link) bool { return x.Label == a }) {
			p.Addresses = append(p.Addresses, safeLink(a, a))
		}
	}
	rows := newRows(r, l)
	p.Cards, p.MoreCards = cards(r, rows, l)
	p.pictures = prove(r, rows, p.Cards, l)
	p.Counts = shares(r.Results, l)
	p.Levels, p.Cited = levels(rows), cite(rows)
	p.Themes, p.Bars = themes(rows, l)
	for i := range p.Themes {
		for j := range p.Themes[i].Chapters {
			c := &p.Themes[i].Chapters[j]
			c.HTML = p.rowsOf(c.rows)
		}
	}
	p.Deviations = deviations(r, rows)
	for _, x := range rows {
		switch {
		case x.Verdict == reports.ToReview:
			p.Review = append(p.Review, x)
		case x.Declaration != nil && x.Declaration.Decided:
			p.Decided = append(p.Decided, x)
		case x.Declaration != nil:
			p.Declared = append(p.Declared, x)
		}
	}
	p.Unjudged = unjudged(rows, l)
	p.Bound = bounds(r, l)
	for _, v := range reports.Verdicts() {
		p.Verdicts = append(p.Verdicts, share{Verdict: v, Word: l.Of(v.Label().Word), Meaning: l.Typeset(l.Of(v.Label().Meaning))})
	}
	p.end(r, l)
	return p
}

// end fills the last part: time, secrets, files.
func (p *page) end(r reports.Report, l words.Lang) {
	for _, e := range []struct {
		fr, en string
		ms     float64
	}{
		{"Le service répond", "The service answers", r.Run.Ledger.CandidateMs},
		{"Le bac à sable travaille", "The sandbox works", r.Run.Ledger.SandboxMs},
		{"Attente voulue (fenêtres de silence, délais d'incident)", "Deliberate waiting (quiet windows, delays of planned faults)", r.Run.Ledger.WaitingMs},
		{"Le banc travaille", "The harness works", r.Run.Ledger.HarnessMs},
	} {
		p.Ledger = append(p.Ledger, entry{Key: l.Typeset(l.Pick(e.fr, e.en)), Value: l.Millis(e.ms)})
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Redacted)) {
		p.Secrets = append(p.Secrets, entry{Key: kind, Value: words.Itoa(r.Redacted[kind])})
	}
	for _, f := range r.Files {
		p.Files = append(p.Files, entry{Key: f.Name, Value: l.Bytes(f.Size), More: f.SHA256})
	}
}

func claims(c reports.Claims, l words.Lang) []string {
	var out []string
	if c.Pairing {
		out = append(out, l.Pick("appariement", "pairing"))
	}
	for _, k := range []struct {
		kind string
		acts []string
	}{{"measures", c.Measures}, {"documents", c.Documents}, {"agenda", c.Agenda}} {
		var acts []string
		for _, a := range k.acts {
			acts = append(acts, l.Name("claim", a))
		}
		if len(acts) > 0 {
			out = append(out, l.Name("claim", k.kind)+" ("+strings.Join(acts, l.Pick(" et ", " and "))+")")
		}
	}
	if len(out) > 0 {
		out[0] = words.Capital(out[0])
	}
	return out
}

// safeLink makes a link of an http or https address, and text of anything else.
func safeLink(label, address string) link {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return link{Label: label}
	}
	return link{Label: label, Href: address}
}

// newRows prepares every requirement, without its proof.
func newRows(r reports.Report, l words.Lang) []row {
	steady := regexp.MustCompile(`^[A-Z]{2,5}-[0-9]{1,4}$`)
	taken := map[string]bool{}
	rows := make([]row, 0, len(r.Results))
	for i, res := range r.Results {
		x := row{Result: res, Anchor: res.Requirement, Word: l.Of(res.Verdict.Label().Word)}
		switch res.Verdict {
		case reports.Nonconformant, reports.Deviation:
			x.Mend = true
		}
		if !steady.MatchString(x.Anchor) || taken[x.Anchor] {
			x.Anchor = fmt.Sprintf("r%d", i+1)
		}
		taken[x.Anchor] = true
		for _, s := range res.Sources {
			x.Links = append(x.Links, source{Source: s, Link: safeLink(s.Document, s.Link)})
		}
		if d := res.Declaration; d != nil && d.Expires != "" {
			x.Expired = d.Expires < r.Run.Started.Format(time.DateOnly)
		}
		rows = append(rows, x)
	}
	return rows
}

// prove fills in the checks with what shows their verdicts. The requirements
// on cards open by themselves, since a card links to its proof and there is no
// script to open it; they come first, so that an exchange is laid out whole
// where it is sure to be seen, and elsewhere only near another telling line.
func prove(r reports.Report, rows []row, cards []card, l words.Lang) (pictures bool) {
	shown, images := shownAt{map[string]*row{}, map[string]string{}}, gallery{}
	fill := func(x *row) {
		here := map[string]bool{} // pictures shown with this requirement: once each
		for _, c := range x.Result.Checks {
			v := check{Check: c, Word: l.Of(c.Verdict.Label().Word), SameTitle: c.Title == x.Title, SameReason: c.Reason == x.Reason}
			if len(c.Findings) == 0 {
				v.Proof = proof(r, c)
			}
			place := map[string]int{} // findings that say the same of several exchanges
			for _, f := range c.Findings {
				same := f.Message.FR + "\x00" + f.Message.EN + "\x00" + f.Expected + "\x00" + f.Actual
				if i, ok := place[same]; ok && f.Exchange != "" && f.Picture == nil {
					if v.Findings[i].Exchange == nil || v.Findings[i].Exchange.ID != f.Exchange && !slices.Contains(v.Findings[i].Same, f.Exchange) {
						v.Findings[i].Same = append(v.Findings[i].Same, f.Exchange)
					}
					continue
				}
				if len(v.Findings) == maxFindings {
					v.More++
					continue
				}
				n := newFinding(r, f, x, shown, l)
				if f.Picture != nil && !here[f.Picture.File] {
					here[f.Picture.File], n.Image = true, images.of(*f.Picture)
				}
				place[same] = len(v.Findings)
				v.Findings = append(v.Findings, n)
			}
			for _, p := range c.Pictures {
				if !here[p.File] {
					here[p.File] = true
					v.Images = append(v.Images, *images.of(p))
				}
			}
			x.Checks = append(x.Checks, v)
		}
	}
	for _, c := range cards {
		i := slices.IndexFunc(rows, func(x row) bool { return x.Anchor == c.Row.Anchor })
		rows[i].Open = true
		fill(&rows[i])
	}
	for i := range rows {
		if !rows[i].Open {
			fill(&rows[i])
		}
	}
	return len(images) > 0
}

// proof names the exchanges on which a verdict without findings rests.
func proof(r reports.Report, c reports.Check) []string {
	var out []string
	for _, id := range c.Evidence {
		x, ok := r.Exchanges[id]
		if !ok {
			continue
		}
		line := id + " " + x.Route
		switch {
		case x.Kind == reports.KindExchange && x.Response.Status != 0:
			line = fmt.Sprintf("%s %s %s → %d", id, x.Request.Method, pathOf(x.Request.URL), x.Response.Status)
		case x.Kind == reports.KindProbe && x.Request.URL != "" && x.Request.URL != r.Candidate.Web.Site:
			line += " " + x.Request.URL
		}
		out = append(out, line)
	}
	return out
}

// pathOf is the path of an address: enough to recognise an exchange by. The run's
// own corner of the sandbox, the same everywhere, is left out.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Path == "" {
		return address
	}
	if space, rest, ok := strings.Cut(strings.TrimPrefix(u.Path, "/s/"), "/"); ok && strings.HasPrefix(u.Path, "/s/") && len(space) == 16 {
		return "…/" + rest
	}
	return u.Path
}

// gallery counts the pictures of a page: one is loaded once, however often it is
// shown.
type gallery map[string]bool

// of is a picture as the page shows it. A name that no run of ours gives is shown
// as text: a report may come from anyone.
func (g gallery) of(p reports.Picture) *image {
	ours := regexp.MustCompile(`^artifacts/[0-9a-f]{16}-[a-z]{2,16}\.webp$`).MatchString(p.File)
	if ours && !g[p.File] && len(g) < maxImages {
		g[p.File] = true
	}
	return &image{Picture: p, Shown: ours && g[p.File]}
}

// shownAt remembers what a page has laid out of exchanges.
type shownAt struct {
	at   map[string]*row   // an exchange, or a line of it: the requirement with which it is shown
	same map[string]string // the lines of an excerpt: the exchange under which they stand
}

func newFinding(r reports.Report, f reports.Finding, at *row, shown shownAt, l words.Lang) finding {
	v := finding{Finding: f}
	x, ok := r.Exchanges[f.Exchange]
	if !ok {
		return v
	}
	v.Exchange = &exchange{
		Exchange: x, Moment: instant{x.Time.Format("2006-01-02T15:04:05.000Z07:00"), l.Moment(x.Time)}, Took: l.Millis(x.Millis),
	}
	v.Whole = shown.at[f.Exchange]
	v.Here = v.Whole == at
	line := f.Exchange + "\x00" + f.Pointer
	if shown.at[line] != nil || len(shown.at) >= maxExcerpts {
		return v
	}
	e := show(x, f.Pointer)
	if v.Whole != nil {
		e.brief()
	} else if content := at.Anchor + e.content(); shown.same[content] == "" {
		shown.same[content] = f.Exchange
	} else if v.Like = shown.same[content]; v.Like != f.Exchange {
		return v
	}
	if v.Whole == nil {
		shown.at[f.Exchange] = at
	}
	shown.at[line] = at
	v.Shown = &e
	return v
}

// cards chooses what to fix first: what is broken and blocks, what could not
// be judged and blocks, then what is broken and does not block.
func cards(r reports.Report, rows []row, l words.Lang) ([]card, int) {
	rank := func(x row) int {
		blocking := x.Blocking || r.Run.Strict && x.Verdict.InForce()
		switch {
		case x.Verdict == reports.Nonconformant && blocking:
			return 0
		case x.Verdict == reports.Deviation && r.Run.Strict:
			return 1
		case x.Verdict == reports.Untested && blocking && !r.Run.FreeUse: // what nobody did is nothing to correct
			return 2
		case x.Verdict == reports.Nonconformant:
			return 3
		}
		return -1
	}
	var chosen []row
	for _, x := range rows {
		if rank(x) >= 0 {
			chosen = append(chosen, x)
		}
	}
	slices.SortStableFunc(chosen, func(a, b row) int { return rank(a) - rank(b) })
	more := max(0, len(chosen)-maxCards)
	var out []card
	for _, x := range chosen[:len(chosen)-more] {
		c := card{Row: x, Seen: l.Of(x.Reason)}
		for _, k := range x.Result.Checks {
			for _, f := range k.Findings {
				if len(c.Pairs) == 0 {
					c.Seen = l.Of(f.Message)
					c.Pairs = append(c.Pairs, f)
				} else {
					c.More++
				}
			}
			if c.Seen == "" && (k.Verdict == x.Verdict) {
				c.Seen = l.Of(k.Reason)
			}
		}
		c.Seen = l.Typeset(words.Capital(c.Seen))
		out = append(out, c)
	}
	return out, more
}

func deviations(r reports.Report, rows []row) []deviation {
	assumed := map[string]string{}
	for _, a := range r.Assumptions {
		assumed[a.Setting] = a.Value
	}
	var out []deviation
	for _, x := range rows {
		for _, c := range x.Checks {
			if c.Verdict != reports.Deviation {
				continue
			}
			d := deviation{Row: x, Check: c.Check, Setting: c.Assumes}
			if len(c.Findings) > 0 {
				d.Seen = c.Findings[0].Actual
				if d.Setting == "" {
					d.Setting = c.Findings[0].Setting
				}
				d.Assumed = c.Findings[0].Expected
			}
			if v, ok := assumed[d.Setting]; ok {
				d.Assumed = v
			}
			out = append(out, d)
		}
	}
	return out
}

package html_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/html"
	"github.com/etalon-sante/etalon/reports/internal/sample"
)

// chromium opens a browser for a test, or skips it and says what was not tested.
func chromium(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("NOT TESTED in a browser: -short")
	}
	var path string
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("NOT TESTED in a browser: none is installed (Debian: apt-get install chromium)")
	}
	allocator, release := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.DisableGPU, chromedp.Flag("no-sandbox", true), chromedp.WindowSize(1280, 800),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.Flag("no-proxy-server", true), chromedp.Flag("disable-component-update", true))...)
	root, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() { cancel(); release() })
	if err := chromedp.Do(root); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return root
}

// tab is one window on a page, which notes what the page asks for and complains of.
type tab struct {
	*testing.T
	ctx   context.Context //nolint:containedctx // it is how chromedp holds a tab
	mu    sync.Mutex
	asked []string
	said  []string
}

func open(t *testing.T, root context.Context) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(root, chromedp.WithNewBrowserContext(func(*target.CreateBrowserContextParams) {}))
	t.Cleanup(cancel)
	ctx, late := context.WithTimeout(ctx, 60*time.Second)
	t.Cleanup(late)
	w := &tab{T: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, w.note); err != nil {
		t.Fatal(err)
	}
	call(w, network.Enable, network.EnableParams{})
	call(w, log.Enable, struct{}{})
	call(w, runtime.Enable, struct{}{})
	return w
}

func (w *tab) note(ev any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		w.asked = append(w.asked, e.Request.URL)
	case *log.EventEntryAdded:
		w.said = append(w.said, string(e.Entry.Level)+": "+e.Entry.Text)
	case *runtime.EventExceptionThrown:
		w.said = append(w.said, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		w.said = append(w.said, "console: "+string(e.Type))
	}
}

func call[P, R any](w *tab, f cdp.Command[P, R], p P) R {
	w.Helper()
	got, err := chromedp.Call(w.ctx, f, p)
	if err != nil {
		w.Fatal(err)
	}
	return got
}

func (w *tab) visit(address string) {
	w.Helper()
	if err := chromedp.Do(w.ctx, chromedp.Navigate(address)); err != nil {
		w.Fatalf("%s: %v", address, err)
	}
}

// ask evaluates an expression in the page.
func ask[R any](w *tab, expression string) R {
	w.Helper()
	got, err := chromedp.Run(w.ctx, chromedp.Evaluate[R](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		w.Fatalf("%.80s: %v", expression, err)
	}
	return got
}

func (w *tab) key(name string, code int64, text string) {
	w.Helper()
	down := input.DispatchKeyEventTypeRawKeyDown
	if text != "" {
		down = input.DispatchKeyEventTypeKeyDown
	}
	for _, kind := range []input.DispatchKeyEventType{down, input.DispatchKeyEventTypeKeyUp} {
		p := input.DispatchKeyEventParams{Type: kind, Key: name, Code: name, WindowsVirtualKeyCode: code, NativeVirtualKeyCode: code}
		if kind == down {
			p.Text = text
		}
		call(w, input.DispatchKeyEvent, p)
	}
}

func (w *tab) width(pixels int64) {
	w.Helper()
	call(w, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: pixels, Height: 800, DeviceScaleFactor: 1})
}

func (w *tab) media(kind, scheme string) {
	w.Helper()
	call(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: kind, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// still asks the page to move at once, not smoothly.
func (w *tab) still() {
	w.Helper()
	call(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}})
}

// quiet says that a page asked for nothing but itself, and complained of nothing.
func (w *tab) quiet(allowed ...string) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, address := range w.asked {
		ok := strings.HasPrefix(address, "data:") || address == "about:blank"
		for _, a := range allowed {
			ok = ok || strings.HasPrefix(address, a)
		}
		if !ok {
			w.Errorf("the page asks for %s", address)
		}
	}
	for _, s := range w.said {
		w.Errorf("the page complains: %s", s)
	}
	w.asked, w.said = nil, nil
}

// pages writes every page of ours into a folder.
func pages(t *testing.T, r reports.Report) (dir string, names []string) {
	t.Helper()
	dir = t.TempDir()
	met := sample.Few()
	services := []html.Judged{
		{Report: &r, Folder: "un", Exit: r.ExitCode},
		{Report: &met, Folder: "deux", Exit: met.ExitCode},
		{Name: "trois.yaml", Exit: 2, Failure: reports.Text{FR: "le manifeste ne se lit pas", EN: "the manifest cannot be read"}},
	}
	at := time.Date(2026, time.November, 23, 8, 0, 0, 0, time.UTC)
	for _, lang := range []string{"fr", "en"} {
		for name, write := range map[string]func(b *bytes.Buffer) error{
			"index":    func(b *bytes.Buffer) error { return html.Write(b, r, lang) },
			"public":   func(b *bytes.Buffer) error { return html.WritePublic(b, r, lang) },
			"overview": func(b *bytes.Buffer) error { return html.WriteOverview(b, services, at, lang) },
		} {
			if lang == "en" {
				name += ".en"
			}
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name+".html"), b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			names = append(names, name+".html")
		}
	}
	return dir, names
}

// axe is axe-core, which `make deps` brings; the test is skipped without it.
func axe(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.FromSlash("../../suites/probe/browser/axe/axe.min.js"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("NOT TESTED with axe-core: run `make deps`, which brings it")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every page of ours keeps every rule of axe-core, best practices included, in both
// languages, light and dark, wide and as narrow as a phone, on screen and on paper,
// with everything open.
func TestOurPagesKeepTheRulesOfAxe(t *testing.T) {
	root := chromium(t)
	source := axe(t)
	whole, _ := pages(t, sample.Known())
	dir, names := pages(t, sample.Few())
	if err := os.Rename(filepath.Join(whole, "index.html"), filepath.Join(dir, "index.html")); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			w := open(t, root)
			w.visit("file://" + dir + "/" + name)
			w.quiet("file://" + dir + "/" + name)
			ask[bool](w, "document.querySelectorAll('details').forEach((d) => { d.open = true }), true")
			ask[bool](w, source+"\n;true")
			for _, c := range []struct {
				media, scheme string
				width         int64
			}{{"screen", "light", 1280}, {"screen", "dark", 320}, {"screen", "dark", 1280}, {"print", "light", 800}} {
				w.media(c.media, c.scheme)
				w.width(c.width)
				var found []struct {
					ID    string   `json:"id"`
					Help  string   `json:"help"`
					Nodes []string `json:"nodes"`
				}
				answer := ask[string](w, `axe.run(document, {resultTypes: ["violations"], iframes: false}).then((r) => JSON.stringify(r.violations.map((v) => ({id: v.id, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200))}))))`)
				if err := json.Unmarshal([]byte(answer), &found); err != nil {
					t.Fatal(err)
				}
				for _, v := range found {
					t.Errorf("%s %s %d: %s (%s): %q", c.media, c.scheme, c.width, v.ID, v.Help, v.Nodes)
				}
				if n := ask[int](w, "document.documentElement.scrollWidth - innerWidth"); c.media == "screen" && n > 0 {
					t.Errorf("%d: the page is %d pixels wider than its window", c.width, n)
				}
			}
		})
	}
}

// A rule that cannot fail checks nothing: axe-core finds what is put in.
func TestAxeFindsWhatIsPutIn(t *testing.T) {
	root := chromium(t)
	source := axe(t)
	dir, _ := pages(t, sample.Few())
	w := open(t, root)
	w.visit("file://" + dir + "/public.html")
	ask[bool](w, `document.querySelector("h1").style.setProperty("color", "#eee"), document.body.append(document.createElement("button")), true`)
	ask[bool](w, source+"\n;true")
	got := ask[string](w, `axe.run(document).then((r) => r.violations.map((v) => v.id).join(" "))`)
	if !strings.Contains(got, "button-name") || !strings.Contains(got, "color-contrast") {
		t.Errorf("axe-core finds %q", got)
	}
}

// Opened from a disk and served, a page asks for nothing but itself and its policy
// stops nothing of its own.
func TestOurPagesAskForNothing(t *testing.T) {
	root := chromium(t)
	dir, names := pages(t, sample.Report())
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	for _, base := range []string{"file://" + dir, server.URL} {
		w := open(t, root)
		for _, name := range names {
			at := base + "/" + name
			if base == server.URL {
				at = strings.TrimSuffix(at, "index.html") // the server leads there
			}
			w.visit(at)
			w.quiet(at)
		}
	}
	// What the policy does not name is stopped.
	w := open(t, root)
	w.visit("file://" + dir + "/index.html")
	ran := ask[string](w, `new Promise((done) => { const s = document.createElement("script"); try { s.textContent = "window.ran = true" } catch { return done("refused") }; document.body.append(s); setTimeout(() => done(window.ran ? "ran" : "refused"), 50) })`)
	if ran != "refused" {
		t.Error("a script that is put in runs")
	}
}

// The keyboard reaches everything, and where it is can be seen.
func TestTheKeyboardReachesEverythingAndIsSeen(t *testing.T) {
	root := chromium(t)
	dir, names := pages(t, sample.Few())
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			w := open(t, root)
			w.visit("file://" + dir + "/" + name)
			w.still()
			reach := ask[int](w, `[...document.querySelectorAll("a[href],button,input,select,summary")].filter((e) => e.checkVisibility({visibilityProperty: true}) && !e.disabled).length`)
			ask[bool](w, "window.walked = new Set(), true")
			unseen := []string{}
			for range reach + 3 {
				w.key("Tab", 9, "")
				at := ask[string](w, `(() => { const e = document.activeElement; if (!e || e === document.body) return ""; const s = getComputedStyle(e), r = e.getBoundingClientRect(); walked.add(e);
					const seen = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 && r.width > 2 && r.height > 2 && r.bottom > 0 && r.top < innerHeight;
					return (seen ? "" : "!") + e.outerHTML.slice(0, 120) })()`)
				if strings.HasPrefix(at, "!") {
					unseen = append(unseen, at)
				}
			}
			if got := ask[int](w, "walked.size"); got < reach || reach == 0 {
				t.Errorf("the keyboard reaches %d of %d", got, reach)
			}
			if len(unseen) > 0 {
				t.Errorf("the keyboard cannot be seen at %q", unseen)
			}
		})
	}
}

// Without a script everything is there; with it the search says how many, the
// address keeps the state, and a link to a line that is hidden shows it.
func TestTheSearchFindsSaysAndRemembers(t *testing.T) {
	root := chromium(t)
	r := sample.Report()
	dir, _ := pages(t, r)
	address := "file://" + dir + "/index.html"
	shown := `[...document.querySelectorAll(".chapter>details")].filter((d) => d.checkVisibility()).length`
	all := len(r.Results)

	off := open(t, root)
	call(off, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	off.visit(address)
	call(off, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: false})
	if n := ask[int](off, shown); n != all || ask[bool](off, `document.getElementById("find").checkVisibility()`) {
		t.Errorf("without a script %d of %d lines are there, or a search that does nothing", n, all)
	}
	// A link to a line that is shut opens it, without a script too.
	closed := ask[string](off, `document.querySelector(".chapter>details:not([open])>div").id`)
	call(off, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	off.visit(address + "#" + closed)
	call(off, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: false})
	if !ask[bool](off, fmt.Sprintf("document.getElementById(%q).closest('details').open", closed)) {
		t.Errorf("a link to %s does not open it without a script", closed)
	}

	w := open(t, root)
	w.visit(address)
	told := `new Promise((done) => setTimeout(() => done(document.getElementById("found").textContent), 400))`
	typed := func(s string) int {
		ask[bool](w, fmt.Sprintf(`(() => { const q = document.getElementById("q"); q.focus(); q.value = %q; q.dispatchEvent(new Event("input")); return true })()`, s))
		return ask[int](w, shown)
	}
	if n := typed(r.Results[3].Requirement); n != 1 {
		t.Errorf("an id finds %d lines", n)
	}
	if got := ask[string](w, told); got != fmt.Sprintf("Une exigence sur %d.", all) {
		t.Errorf("it is said %q", got)
	}
	if got := ask[string](w, "location.hash"); got != "#?q="+r.Results[3].Requirement {
		t.Errorf("the address keeps %q", got)
	}
	w.key("Enter", 13, "\r")
	if got := ask[string](w, "document.activeElement.closest('details')?.querySelector('h5 b').textContent || ''"); got != r.Results[3].Requirement {
		t.Errorf("Enter leads to %q", got)
	}
	if n := typed("ACCENTUE qui n'existe pas"); n != 0 || !strings.HasPrefix(ask[string](w, told), "Aucune") {
		t.Errorf("%d lines are found for what is nowhere", n)
	}
	a, b := typed("securite"), typed("sécurité")
	if a != b || a == 0 || a == all {
		t.Errorf("with and without accents: %d and %d", b, a)
	}
	w.key("Escape", 27, "")
	if n := ask[int](w, shown); n != all {
		t.Errorf("Escape leaves %d of %d lines", n, all)
	}
	// A theme, what blocks, a verdict: together, and again from the address.
	ask[bool](w, `(() => { for (const [id, what] of [["in", "theme-1"], ["must", true], ["show-conformant", false]]) { const e = document.getElementById(id); if (typeof what === "string") e.value = what; else e.checked = what; e.dispatchEvent(new Event("change")) } return true })()`)
	want := 0
	for _, x := range r.Results {
		if x.Theme == "interop" && x.Blocking && x.Verdict != reports.Conformant {
			want++
		}
	}
	if n := ask[int](w, shown); n != want || want == 0 {
		t.Errorf("%d lines, want %d", n, want)
	}
	kept := ask[string](w, "location.href")
	again := open(t, root)
	again.visit(kept)
	if n := ask[int](again, shown); n != want {
		t.Errorf("%s: %d lines, want %d", kept, n, want)
	}
	hidden := ask[string](again, `document.querySelector(".chapter>details.conformant[hidden]>div").id`)
	ask[bool](again, fmt.Sprintf("location.hash = %q, true", hidden))
	if !ask[bool](again, fmt.Sprintf(`new Promise((done) => setTimeout(() => done(document.getElementById(%q).checkVisibility() && document.activeElement.closest("details").contains(document.getElementById(%q))), 100))`, hidden, hidden)) {
		t.Errorf("a link to %s, which the filter hides, does not show it", hidden)
	}
	// Paper holds everything, whatever is filtered.
	again.media("print", "light")
	if n := ask[int](again, shown); n != all {
		t.Errorf("paper holds %d of %d lines", n, all)
	}
	w.quiet("file://" + dir)
	again.quiet("file://" + dir)
}

// The plain page is one sheet, or two where much is wrong; on paper every line of
// the report is open and links are written out.
func TestOurPagesOnPaper(t *testing.T) {
	root := chromium(t)
	dir, _ := pages(t, sample.Report())
	w := open(t, root)
	printed := func(name string) int {
		w.visit("file://" + dir + "/" + name)
		got := call(w, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
		return bytes.Count(got.Data, []byte("/Type /Page\n")) + bytes.Count(got.Data, []byte("/Type /Page/")) + bytes.Count(got.Data, []byte("/Type /Page "))
	}
	for _, name := range []string{"public.html", "public.en.html"} {
		if n := printed(name); n < 1 || n > 2 {
			t.Errorf("%s takes %d sheets", name, n)
		}
	}
	if n := printed("index.html"); n < 10 {
		t.Errorf("the report, with everything open, takes %d sheets only", n)
	}
	w.media("print", "light")
	if got := ask[string](w, `[...document.querySelectorAll("details>div, details>ul, details>dl")].filter((d) => !d.checkVisibility() || d.getBoundingClientRect().height < 10).map((d) => d.outerHTML.slice(0, 80)).join(" | ")`); got != "" {
		t.Errorf("shut on paper: %s", got)
	}
	if got := ask[string](w, `getComputedStyle(document.querySelector('.chapter a[href^="http"]'), "::after").content`); !strings.Contains(got, "http") {
		t.Errorf("a link is not written out: %s", got)
	}
}

// Words without a space, in every field, stay within a phone's window.
func TestVeryLongWordsWrap(t *testing.T) {
	root := chromium(t)
	dir, names := pages(t, sample.Hostile(strings.Repeat("mot", 400)))
	w := open(t, root)
	for _, name := range names {
		w.width(320)
		w.visit("file://" + dir + "/" + name)
		ask[bool](w, "document.querySelectorAll('details').forEach((d) => { d.open = true }), true")
		for _, pixels := range []int64{320, 800, 1280} {
			w.width(pixels)
			n := ask[int](w, "document.documentElement.scrollWidth - innerWidth")
			if n <= 0 {
				continue
			}
			t.Errorf("%s: the page is %d pixels wider than its window: %s", name, n, ask[string](w, `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map((e) => e.outerHTML.slice(0, 100)).join(" | ")`))
		}
	}
}

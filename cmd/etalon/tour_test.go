//go:build unix

package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

var updateTour = flag.Bool("update-tour", false, "write the pictures of docs/tour")

// The pages of the tour are followed as they stand: the service has a flaw until
// the page says that it is corrected.
func TestTour(t *testing.T) {
	if testing.Short() {
		t.Skip("about half a minute: the commands of docs/tour are run without -short")
	}
	for lang, name := range map[string]string{"fr": "tour.md", "en": "tour.en.md"} {
		t.Run(lang, func(t *testing.T) {
			text, err := os.ReadFile("../../docs/" + name)
			if err != nil {
				t.Fatal(err)
			}
			before, after, ok := strings.Cut(string(text), "<!-- corrected -->")
			if !ok {
				t.Fatal("the page does not say where the service is corrected")
			}
			dir := t.TempDir()
			env := []string{"ETALON_LANG=" + lang, "ETALON_PILOT_TOKEN=" + pilotToken, "SSL_CERT_FILE=" + filepath.Join(dir, "ca.pem")}
			terminal := map[string]string{}
			tell := func(command, printed string) {
				terminal[strings.Fields(command)[1]] = "$ " + command + "\n" + printed
			}
			s := startCandidate(t, dir, "flaw=INT-09.1")
			tried := heard(t, before, dir, tell, env...)
			s.Close()
			startCandidate(t, dir)
			tried += heard(t, after, dir, tell, env...)
			if tried < 5 {
				t.Errorf("%d commands were tried", tried)
			}
			if !strings.Contains(terminal["compare"], "INT-09.1") {
				t.Errorf("the comparison does not name what was corrected:\n%s", terminal["compare"])
			}
			tourPictures(t, dir, lang, terminal)
		})
	}
}

// Each step has its picture, which is there, small, and described.
func TestTourNamesItsPictures(t *testing.T) {
	for _, name := range []string{"tour.md", "tour.en.md"} {
		text, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		shown := regexp.MustCompile(`!\[(.*?)\]\((tour/\S+)\)`).FindAllStringSubmatch(string(text), -1)
		if len(shown) < 6 {
			t.Errorf("%s shows %d pictures", name, len(shown))
		}
		for _, m := range shown {
			b, err := os.ReadFile(filepath.Join("../../docs", m[2]))
			switch {
			case err != nil:
				t.Error(err)
			case len(b) < 1000 || len(b) > 100<<10 || !bytes.HasPrefix(b, []byte("RIFF")) || string(b[8:12]) != "WEBP":
				t.Errorf("%s: %d bytes, not a small WebP picture", m[2], len(b))
			}
			if len(m[1]) < 20 {
				t.Errorf("%s is described by %q only", m[2], m[1])
			}
		}
	}
}

const tourStyle = `<!DOCTYPE html><meta charset="utf-8"><style>body{margin:0;padding:24px 32px;font:16px/1.5 system-ui,sans-serif;color:#16202a;background:#fff}
pre{margin:0;white-space:pre-wrap;font:15px/1.6 "Liberation Mono",monospace}table{border-collapse:collapse}td,th{border:1px solid #dfe4e8;padding:4px 10px}</style>`

// tourPictures takes the pictures of a run that was followed.
func tourPictures(t *testing.T, dir, lang string, terminal map[string]string) {
	t.Helper()
	var browser string
	for _, name := range []string{"chromium-headless-shell", "chromium", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			browser = found
			break
		}
	}
	if browser == "" {
		t.Log("NOT TESTED: the pictures of the tour, for no Chromium is installed")
		return
	}
	first, second, dot := "avant", "apres", ""
	if lang == "en" {
		first, second, dot = "before", "after", ".en"
	}
	for _, name := range []string{"doctor", "compare", "verify"} {
		put(t, filepath.Join(dir, name+".html"), tourStyle+"<pre>"+html.EscapeString(strings.TrimSpace(terminal[name]))+"</pre>")
	}
	summary, err := os.ReadFile(filepath.Join(dir, second, "summary.md"))
	if err != nil {
		t.Fatal(err)
	}
	var job bytes.Buffer
	head, _, _ := strings.Cut(string(summary), "\n## ")
	if err := goldmark.New(goldmark.WithExtensions(extension.Table)).Convert([]byte(head), &job); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "job.html"), tourStyle+job.String())
	allocator, release := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(browser), chromedp.DisableGPU, chromedp.Flag("no-sandbox", true), chromedp.Flag("no-proxy-server", true))...)
	defer release()
	ctx, cancel := chromedp.NewContext(allocator)
	defer cancel()
	ctx, late := context.WithTimeout(ctx, 90*time.Second)
	defer late()
	for _, p := range []struct {
		name, file, of string
		until          string // the picture ends below it; empty: with the element
		width, high    int64
		holds          string
	}{
		{"doctor", "doctor.html", "body", "", 1100, 700, "etalon doctor"},
		{"first", first + "/index.html", "body", "#verdict", 1100, 1100, "INT-09"},
		{"fix", first + "/index.html", "#fix", "", 1100, 700, "INT-09"},
		{"proof", first + "/index.html", "#INT-09 .finding", "#INT-09 .finding pre", 1100, 760, "access_token"},
		{"compare", "compare.html", "body", "", 1100, 700, "INT-09.1"},
		{"green", second + "/index.html", "body", "#verdict .sentence", 390, 1100, "Carnet Clair"},
		{"public", second + "/public.html", "body", "[aria-labelledby=h-test]", 1100, 1100, "Carnet Clair"},
		{"job", "job.html", "body", "", 1100, 700, "Carnet Clair"},
	} {
		file := p.file
		if lang == "en" {
			file = strings.NewReplacer("/index.html", "/index.en.html", "/public.html", "/public.en.html").Replace(file)
		}
		if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: p.width, Height: 800, DeviceScaleFactor: 1}); err != nil {
			t.Fatal(err)
		}
		if err := chromedp.Do(ctx, chromedp.Navigate("file://"+filepath.Join(dir, file))); err != nil {
			t.Fatal(err)
		}
		box, err := chromedp.Run(ctx, chromedp.Evaluate[struct {
			X, Y, W, H float64
			Text       string
		}](fmt.Sprintf(`(()=>{const e=document.querySelector(%q);e.closest("details")?.setAttribute("open","");const r=e.getBoundingClientRect();let h=r.height;const u=%q;if(u){const b=document.querySelector(u).getBoundingClientRect();h=b.bottom-r.top}return{X:r.x+scrollX,Y:r.y+scrollY,W:r.width,H:h,Text:e.innerText}})()`, p.of, p.until)))
		if err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		if !strings.Contains(box.Text, p.holds) {
			t.Errorf("the picture %s would not show %q", p.name, p.holds)
		}
		quality := int64(80)
		shot, err := chromedp.Call(ctx, cdp.CaptureScreenshot, cdp.CaptureScreenshotParams{
			Format: cdp.CaptureScreenshotFormatWebp, Quality: &quality, CaptureBeyondViewport: new(true),
			Clip: &cdp.Viewport{X: max(0, box.X-24), Y: box.Y, Width: min(float64(p.width), box.W+48), Height: min(box.H+16, float64(p.high)), Scale: 1},
		})
		if err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		if *updateTour {
			put(t, filepath.Join("../../docs/tour", p.name+dot+".webp"), string(shot.Data))
		}
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

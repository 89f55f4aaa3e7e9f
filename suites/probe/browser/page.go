package browser

import (
	"context"
	"embed"
	"fmt"

	"github.com/chromedp/chromedp"
)

//go:embed js/*.js
var scripts embed.FS

// script gives one of our own scripts; they are part of the program.
func script(name string) string {
	b, err := scripts.ReadFile("js/" + name + ".js")
	if err != nil {
		panic(err) // a name that does not exist is seen by the first test
	}
	return string(b)
}

// facts reads what the document holds. What comes back is the page's, which may
// say anything: it is bounded.
func (l *look) facts(ctx context.Context) (Facts, error) {
	f, err := chromedp.Run(ctx, chromedp.Evaluate[Facts](script("facts"), chromedp.EvalAwaitPromise))
	return f.bounded(), err
}

func (f Facts) bounded() Facts {
	f.Lang, f.Title, f.Viewport = cut(f.Lang, maxText), cut(f.Title, maxText), cut(f.Viewport, maxText)
	playing := []string{}
	for i, p := range f.Playing {
		if i < 20 {
			playing = append(playing, cut(p, maxText))
		}
	}
	stored := []Stored{}
	for i, s := range f.Stored {
		if i < maxStored {
			stored = append(stored, Stored{Where: cut(s.Where, 20), Key: cut(s.Key, maxText), Size: s.Size})
		}
	}
	f.Playing, f.Stored = playing, stored
	return f
}

func headerText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return fmt.Sprint(v)
}

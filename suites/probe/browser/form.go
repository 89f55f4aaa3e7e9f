package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/chromedp"
)

// maxSource bounds what is read of a page as it stands.
const maxSource = 1 << 20

// Form is what somebody enters into a form of a page.
type Form struct {
	Fields map[string]string   `json:"fields"` // texts, by name of the field; it must be there
	Tick   map[string][]string `json:"tick"`   // of the boxes of this name these are ticked, and no other
	Press  [2]string           `json:"press"`  // name and value of the button; zero: the form is sent without
}

// ErrNoForm says that the page shown has no form with these fields.
var ErrNoForm = errors.New("the page has no form with these fields")

// Submit fills the form of the page shown, sends it, and gives the page that
// follows. The error is ErrNoForm when there is none.
func (s *Session) Submit(ctx context.Context, f Form) (Shown, error) {
	words, err := json.Marshal(f)
	if err != nil {
		return Shown{}, fmt.Errorf("fill a form: %w", err)
	}
	s.wire.begin()
	sent, err := chromedp.Run(s.with(ctx), chromedp.Evaluate[bool]("("+script("submit")+")("+string(words)+")"))
	if err != nil {
		return Shown{}, fmt.Errorf("fill a form: %s", plainly(err))
	}
	if !sent {
		return Shown{}, ErrNoForm
	}
	// The page that was left may still be the one at rest.
	limit := time.NewTimer(settleMost)
	defer limit.Stop()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for s.wire.status() == 0 && s.wire.elsewhere() == "" {
		select {
		case <-tick.C:
			continue
		case <-limit.C:
		case <-ctx.Done():
		}
		break
	}
	return s.Shown(ctx)
}

// Source is the document as it stands now, scripts having run, at most 1 MiB of it.
func (s *Session) Source(ctx context.Context) (string, error) {
	return chromedp.Run(s.with(ctx), chromedp.Evaluate[string](fmt.Sprintf("document.documentElement.outerHTML.slice(0, %d)", maxSource)))
}

// Version names the browser: "Chrome/156.0.8078.79".
func (s *Session) Version(ctx context.Context) (string, error) {
	agent, err := chromedp.Run(s.with(ctx), chromedp.Evaluate[string]("navigator.userAgent"))
	return versionIn(agent), err
}

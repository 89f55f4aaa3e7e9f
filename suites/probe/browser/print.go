package browser

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// What printing takes at most, and A4 in inches.
const (
	printTimeout = 90 * time.Second
	paperWidth   = 8.27
	paperHeight  = 11.69
	paperMargin  = 0.6
)

// Print lays a page of our own out on A4 and gives it as a PDF whose parts are
// tagged for those who do not see it, with its headings as an outline, and the
// page's own title and language. The markup is the whole page: no address is
// loaded, no script is run, and the document has no address that could show where
// it was made. foot is markup that stands below each sheet; "" for none.
func (h *Host) Print(ctx context.Context, markup, foot string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, printTimeout)
	defer cancel()
	tab, end, err := h.tab(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	tab, stop := context.WithTimeout(tab, printTimeout)
	defer stop()
	b, err := printed(tab, markup, foot)
	if err != nil {
		return nil, fmt.Errorf("print a page: %w", errors.Join(err, ctx.Err()))
	}
	return b, nil
}

func printed(tab context.Context, markup, foot string) ([]byte, error) {
	if _, err := chromedp.Call(tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		return nil, err
	}
	// A tab that never went anywhere has no frame to write into.
	if err := chromedp.Do(tab, chromedp.Navigate("about:blank")); err != nil {
		return nil, err
	}
	tree, err := chromedp.Call(tab, page.GetFrameTree, struct{}{})
	if err != nil {
		return nil, err
	}
	if _, err := chromedp.Call(tab, page.SetDocumentContent, page.SetDocumentContentParams{FrameID: tree.FrameTree.Frame.ID, HTML: markup}); err != nil {
		return nil, err
	}
	if foot == "" {
		foot = "<span></span>"
	}
	got, err := chromedp.Call(tab, page.PrintToPDF, page.PrintToPDFParams{
		PaperWidth: paperWidth, PaperHeight: paperHeight,
		MarginTop: new(float64(paperMargin)), MarginBottom: new(float64(paperMargin)), MarginLeft: new(float64(paperMargin)), MarginRight: new(float64(paperMargin)),
		DisplayHeaderFooter: new(true), HeaderTemplate: "<span></span>", FooterTemplate: foot,
		PrintBackground: new(false), GenerateTaggedPDF: new(true), GenerateDocumentOutline: new(true),
	})
	if err != nil {
		return nil, err
	}
	if len(got.Data) < 5 || string(got.Data[:5]) != "%PDF-" {
		return nil, errors.New("the browser gave no PDF")
	}
	return got.Data, nil
}

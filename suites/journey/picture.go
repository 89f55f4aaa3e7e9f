package journey

import (
	"fmt"

	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// PictureOf is a picture as a report shows it, with what it shows in words.
func PictureOf(p *browser.Picture, url string) *lab.Picture {
	if p == nil || p.File == "" {
		return nil
	}
	alt := lab.Text{FR: "La page " + url, EN: "Page " + url}
	switch p.Of {
	case browser.OfPage:
		alt = lab.Text{FR: fmt.Sprintf("La page %s telle qu’un navigateur la montre d’abord.", url), EN: fmt.Sprintf("Page %s as a browser first shows it.", url)}
	case browser.OfBanner:
		alt = lab.Text{FR: fmt.Sprintf("Ce que la page %s demande au sujet des traceurs.", url), EN: fmt.Sprintf("What page %s asks about trackers.", url)}
	case browser.OfElement:
		alt = lab.Text{FR: fmt.Sprintf("Page %s : l’élément que vise la règle %s, encadré.", url, p.About), EN: fmt.Sprintf("Page %s: the element that rule %s names, outlined.", url, p.About)}
	case browser.OfFocus:
		alt = lab.Text{FR: fmt.Sprintf("Page %s : le clavier est sur l’élément encadré (%s) ; le cadre est du banc.", url, p.About), EN: fmt.Sprintf("Page %s: the keyboard is at the outlined element (%s); the outline is the harness's.", url, p.About)}
	case browser.OfNarrow:
		alt = lab.Text{FR: fmt.Sprintf("La page %s dans une fenêtre de 320 pixels.", url), EN: fmt.Sprintf("Page %s in a window 320 pixels wide.", url)}
	case browser.OfSpaced:
		alt = lab.Text{FR: fmt.Sprintf("Page %s, texte espacé : le premier texte coupé, encadré.", url), EN: fmt.Sprintf("Page %s with its text spaced out: the first text that is cut off, outlined.", url)}
	case browser.OfZoom:
		alt = lab.Text{FR: fmt.Sprintf("Page %s agrandie à 200 %% : le premier texte coupé, encadré.", url), EN: fmt.Sprintf("Page %s enlarged to 200 %%: the first text that is cut off, outlined.", url)}
	}
	return &lab.Picture{Of: p.Of, File: p.File, SHA256: p.SHA256, Width: p.Width, Height: p.Height, Alt: alt}
}

// Taken is the first picture of a page that is of something; about "" takes any.
func Taken(p browser.Page, of, about string) *lab.Picture {
	for i, x := range p.Pictures {
		if x.Of == of && (about == "" || x.About == about) {
			return PictureOf(&p.Pictures[i], p.URL)
		}
	}
	return nil
}

// TakenOfAll are the pictures of the pages of a visit that are of something.
func TakenOfAll(res browser.Result, of string, about func(string) bool) []lab.Picture {
	const most = 6
	var out []lab.Picture
	for _, p := range res.Pages {
		for i, x := range p.Pictures {
			if got := PictureOf(&p.Pictures[i], p.URL); x.Of == of && got != nil && (about == nil || about(x.About)) && len(out) < most {
				out = append(out, *got)
			}
		}
	}
	return out
}

package candidate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblems bounds how many problems one error lists: beyond, a person reads
// no further, and a hostile file would fill the terminal.
const maxProblems = 50

// Text is a sentence in the two languages of the project.
type Text struct {
	EN string `json:"en"`
	FR string `json:"fr"`
}

// In returns the text in "fr" or, for any other language, in English.
func (t Text) In(lang string) string {
	if lang == "fr" {
		return t.FR
	}
	return t.EN
}

// same is a text that reads alike in both languages: a name, a value.
func same(s string) Text { return Text{EN: s, FR: s} }

// Problem is one thing to correct in a manifest.
type Problem struct {
	File     string `json:"file,omitempty"` // where it stands, when not in the manifest itself but in a file that it extends
	Line     int    `json:"line"`           // from 1; 0 when it concerns the file as a whole
	Column   int    `json:"column"`         // from 1; 0 when not known
	Field    string `json:"field"`          // "service.category", "evidence[2].date"; empty for the whole file
	Expected Text   `json:"expected"`
	Found    Text   `json:"found"`   // what stands there, shortened; never a secret
	Example  string `json:"example"` // what could be written there
	Hint     Text   `json:"hint"`    // what to do next, when there is more to say
}

// In writes the problem as one sentence in "fr" or "en".
func (p Problem) In(lang string) string {
	fr := lang == "fr"
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if fr {
			b.WriteString(" :")
		} else {
			b.WriteByte(':')
		}
		b.WriteByte(' ')
	}
	if p.Line > 0 {
		if fr {
			fmt.Fprintf(&b, "ligne %d : ", p.Line)
		} else {
			fmt.Fprintf(&b, "line %d: ", p.Line)
		}
	}
	if p.Field != "" {
		b.WriteString(p.Field)
		if fr {
			b.WriteString(" :")
		} else {
			b.WriteString(":")
		}
		b.WriteByte(' ')
	}
	if fr {
		fmt.Fprintf(&b, "attendu : %s ; trouvé : %s", p.Expected.FR, p.Found.FR)
	} else {
		fmt.Fprintf(&b, "expected %s, found %s", p.Expected.EN, p.Found.EN)
	}
	if hint := p.Hint.In(lang); hint != "" {
		if fr {
			b.WriteByte(' ')
		}
		b.WriteString("; " + hint)
	}
	if p.Example != "" {
		if fr {
			b.WriteString(" ; par exemple : " + p.Example)
		} else {
			b.WriteString("; for example: " + p.Example)
		}
	}
	return b.String()
}

func (p Problem) String() string { return p.In("en") }

// ManifestError says everything that is wrong with a manifest, in the order of
// its lines. It is a configuration fault: neither the candidate's nor ours.
type ManifestError struct {
	Path     string    // as it was given
	Problems []Problem // at least one
	Err      error     // the cause, when the file could not be opened or read
}

func (e *ManifestError) Error() string { return e.In("en") }

// Unwrap returns the cause, when the file could not be opened or read.
func (e *ManifestError) Unwrap() error { return e.Err }

// In writes the whole error in "fr" or "en", one problem a line when there are
// several.
func (e *ManifestError) In(lang string) string {
	head := "read manifest " + e.Path + ": "
	if lang == "fr" {
		head = "lecture du manifeste " + e.Path + " : "
	}
	if len(e.Problems) == 1 {
		return head + e.Problems[0].In(lang)
	}
	var b strings.Builder
	b.WriteString(head)
	if lang == "fr" {
		fmt.Fprintf(&b, "%d problèmes", len(e.Problems))
	} else {
		fmt.Fprintf(&b, "%d problems", len(e.Problems))
	}
	for i, p := range e.Problems {
		if i == maxProblems {
			b.WriteString("\n  …")
			break
		}
		b.WriteString("\n  " + p.In(lang))
	}
	return b.String()
}

// failure gathers problems into an error, or nil when there is none.
func failure(path string, problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &ManifestError{Path: path, Problems: problems}
}

// quoted shortens what stands in a manifest for a message.
func quoted(s string) Text {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return Text{EN: fmt.Sprintf("%q", s), FR: "« " + strings.Trim(fmt.Sprintf("%q", s), `"`) + " »"}
}

package repeat

import (
	"bytes"
	_ "embed" // schema.json
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/markdown"
	"github.com/etalon-sante/etalon/reports/words"
)

//go:embed schema.json
var schema string

// Schema returns the JSON Schema (draft-07) of a repetition.
func Schema() []byte { return []byte(schema) }

// The files of a repetition, beside the folders of its runs.
const (
	FileJSON     = "repeat.json"
	FileMarkdown = "repeat.md"
)

// WriteJSON writes all of a repetition.
func WriteJSON(w io.Writer, r Repetition) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write %s: %w", FileJSON, err)
	}
	return nil
}

// Sentence is what a repetition came to, in one sentence.
func Sentence(r Repetition, lang string) string {
	l := words.Lang(lang)
	var out string
	switch n := len(r.Unstable); {
	case r.Counted < 2:
		out = l.Pick("Deux campagnes au moins doivent aller à leur terme pour dire ce qui est stable", "At least two runs have to go to their end to say what is stable")
	case n == 0:
		out = fmt.Sprintf(l.Pick("Tous les verdicts sont stables : %d vérifications, %d campagnes", "All verdicts are stable: %d checks, %d runs"), r.Stable, r.Counted)
	default:
		out = fmt.Sprintf("%d %s, %d %s, "+l.Pick("dans %d campagnes", "in %d runs"), n, l.Many(n, l.Pick("verdict n'est pas stable", "verdict is not stable"), l.Pick("verdicts ne sont pas stables", "verdicts are not stable")), r.Stable, l.Pick(l.Many(r.Stable, "stable", "stables"), "stable"), r.Counted)
	}
	if r.Counted < r.Asked {
		out += fmt.Sprintf(l.Pick(" (%d demandées)", " (%d were asked for)"), r.Asked)
	}
	return l.Typeset(out) + "."
}

// Lines says of each unstable verdict what was seen, and of each entry of the
// list that is wrong what to do: plain text, one line each.
func Lines(r Repetition, lang string) []string {
	l := words.Lang(lang)
	var out []string
	for _, u := range r.Unstable {
		out = append(out, fmt.Sprintf("%s  %s%s%s", id(u), tally(u, l), colon(l), l.Typeset(l.Of(u.Title)))+marks(u, l))
	}
	for _, k := range r.Known {
		if k.State.Fails() {
			out = append(out, fmt.Sprintf("%s  %s%s%s", k.ID, l.Of(k.State.Word()), colon(l), l.Typeset(l.Of(k.Sentence))))
		}
	}
	return out
}

// WriteMarkdown writes a repetition for the page of a CI job.
func WriteMarkdown(w io.Writer, r Repetition, lang string) error {
	l, err := words.Parse(lang)
	if err != nil {
		return fmt.Errorf("write %s: %w", FileMarkdown, err)
	}
	var b bytes.Buffer
	f := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	mark := "✓"
	if r.ExitCode != 0 {
		mark = "○"
	}
	if r.ExitCode == 1 || r.ExitCode == 5 {
		mark = "✕"
	}
	f("# %s %s\n", mark, l.Pick("Campagne répétée", "Repeated run"))
	f("**%s** %s `%d`.\n", markdown.Plain(Sentence(r, lang)), l.Pick("Code de sortie", "Exit code"), r.ExitCode)
	f("| %s | %s | %s |\n|---|---|---:|", l.Pick("Campagne", "Run"), "Verdict", "Code")
	for _, run := range r.Runs {
		word := l.Pick("aucun rapport", "no report")
		if run.ID != "" {
			word = l.Of(run.Verdict.Label().Word)
		}
		if run.ID != "" && !run.Counted {
			word += l.Pick(" (n'est pas comptée)", " (not counted)")
		}
		f("| %s | %s | %d |", markdown.Plain(run.Folder), markdown.Plain(l.Typeset(word)), run.ExitCode)
	}
	f("")
	if len(r.Unstable) > 0 {
		f("## %s\n", l.Pick("Verdicts instables", "Unstable verdicts"))
		for _, u := range r.Unstable {
			f("- **%s** %s%s%s", markdown.Plain(id(u)), markdown.Plain(l.Typeset(l.Of(u.Title))), markdown.Plain(marks(u, l)), colon(l)+markdown.Plain(tally(u, l)))
			if len(u.Findings) > 0 {
				f("  - %s%s%s", l.Pick("constats", "findings"), colon(l), markdown.Plain(strings.Join(u.Findings, ", ")))
			}
			f("  - %s%s%s", l.Pick("dans `known.yaml`", "in `known.yaml`"), colon(l), "`seen: "+u.Seen+"`")
		}
		f("")
	}
	if len(r.Known) > 0 {
		f("## %s\n", l.Pick("Non-conformités connues", "Known nonconformities"))
		for _, k := range r.Known {
			f("- **%s** %s, %s %s%s%s", markdown.Plain(k.ID), markdown.Plain(l.Of(k.State.Word())), l.Pick("vue dans", "seen in"), markdown.Plain(k.Seen), colon(l), markdown.Plain(l.Typeset(l.Of(k.Sentence))))
		}
		f("")
	}
	f("_%s_", markdown.Plain(l.Typeset(l.Independent())))
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write %s: %w", FileMarkdown, err)
	}
	return nil
}

func colon(l words.Lang) string { return l.Pick("\u00a0: ", ": ") }

func id(u Unstable) string {
	if u.Check == "" {
		return u.Requirement
	}
	return u.Check
}

func marks(u Unstable, l words.Lang) string {
	var out string
	if u.Blocking {
		out += l.Pick(" (bloquante)", " (blocking)")
	}
	if u.Known {
		out += l.Pick(" (connue comme instable)", " (known as flaky)")
	}
	return out
}

// tally counts the verdicts that were seen, worst first.
func tally(u Unstable, l words.Lang) string {
	var out []string
	for _, v := range append(reports.Verdicts(), "") {
		n := 0
		for _, x := range u.Verdicts {
			if x == v {
				n++
			}
		}
		if n == 0 {
			continue
		}
		word := l.Pick("absente", "absent")
		if v != "" {
			word = l.Of(v.Label().Word)
		}
		out = append(out, strconv.Itoa(n)+" × "+word)
	}
	return strings.Join(slices.Clip(out), ", ")
}

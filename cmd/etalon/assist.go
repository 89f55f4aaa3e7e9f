package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
	"github.com/etalon-sante/etalon/suites/run"
)

const (
	maxAttached = 256 << 20 // bytes read of an attachment, to weigh it
	maxTyped    = 16 << 10  // characters of one line of a person's answer
)

// errStopped is a person who stops before the end; what was answered is kept.
var errStopped = errors.New("stopped")

func (a *app) assist() *cobra.Command {
	var lang, author, role string
	var only []string
	c := &cobra.Command{
		Use:   "assist DIR",
		Short: "decide, as a person, what the harness could not",
		Long: "assist walks through all that is to be reviewed in the folder of a run: what is\n" +
			"asked, what was seen, and where. Each decision, with its reason, author and date,\n" +
			"is kept at once in decisions.json of that folder, and the report is written anew.\n" +
			"`etalon run --decisions FILE` takes the file up; a decision about something that\n" +
			"has changed since is asked again. A decision is told as such, never as observed.",
		Args: oneArg("the folder of a run"),
		RunE: func(_ *cobra.Command, args []string) error {
			w := &walk{app: a, in: bufio.NewReaderSize(a.in, maxTyped), dir: args[0], author: author, role: role, lang: a.lang(lang), now: time.Now()}
			left, err := w.all(only)
			if err != nil && !errors.Is(err, errStopped) {
				return usage{err}
			}
			if w.kept > 0 {
				key, err := a.sealKey(w.lang)
				if err != nil {
					return err
				}
				if _, err := run.Publish(args[0], w.lang, key, time.Now); err != nil {
					return err
				}
			}
			w.say("\n%d décision(s) prise(s), %d question(s) sans réponse. Rapport : %s", "\n%d decision(s) taken, %d question(s) left. Report: %s", w.kept, left, filepath.Join(args[0], "index.html"))
			if left > 0 {
				return exit{exitUndecided}
			}
			return nil
		},
	}
	c.Flags().StringVar(&lang, "lang", "", "fr or en")
	c.Flags().StringVar(&author, "author", "", "who decides (asked for when absent)")
	c.Flags().StringVar(&role, "role", "", "in which role (asked for when absent)")
	c.Flags().StringSliceVar(&only, "only", nil, "only these requirements or checks, by id")
	return c
}

// walk is one sitting of a person.
type walk struct {
	*app
	in           *bufio.Reader
	dir          string
	author, role string
	lang         string
	now          time.Time
	kept         int
}

// say prints a line of ours; texts of others in it steer no terminal.
func (w *walk) say(fr, en string, args ...any) {
	for i, x := range args {
		if s, ok := x.(string); ok {
			args[i] = words.Printable(s)
		}
	}
	text := fr
	if w.lang == "en" {
		text = en
	}
	fmt.Fprintf(w.out, text+"\n", args...)
}

// ask reads one line; errStopped at the end of the input.
func (w *walk) ask(fr, en string) (string, error) {
	text := fr
	if w.lang == "en" {
		text = en
	}
	fmt.Fprint(w.out, text)
	line, err := w.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", fmt.Errorf("a line of more than %d characters cannot be taken", maxTyped)
	}
	if err != nil && len(line) == 0 {
		if errors.Is(err, io.EOF) {
			return "", errStopped
		}
		return "", err
	}
	return strings.TrimSpace(strings.ToValidUTF8(string(line), "�")), nil
}

// all walks through the questions and tells how many are left.
func (w *walk) all(only []string) (left int, err error) {
	questions, err := run.Questions(w.dir, w.now)
	if err != nil {
		return 0, err
	}
	if len(only) > 0 {
		questions = slices.DeleteFunc(questions, func(q run.Question) bool {
			return !slices.Contains(only, q.Subject) && !slices.Contains(only, q.Requirement.Requirement)
		})
	}
	if len(questions) == 0 {
		w.say("Rien n'attend de décision dans %s.", "Nothing in %s waits for a decision.", w.dir)
		return 0, nil
	}
	for _, who := range []struct {
		into   *string
		fr, en string
	}{
		{&w.author, "Votre nom : ", "Your name: "}, {&w.role, "À quel titre décidez-vous (fonction) : ", "In which role do you decide: "},
	} {
		for *who.into == "" {
			if *who.into, err = w.ask(who.fr, who.en); err != nil {
				return len(questions), err
			}
		}
	}
	left = len(questions)
	for i, q := range questions {
		w.show(i+1, len(questions), q)
		decided, err := w.decide(q)
		if err != nil {
			return left, err
		}
		if decided {
			left--
			w.kept++
		}
	}
	return left, nil
}

func (w *walk) pick(t reports.Text) string {
	if w.lang == "en" {
		return t.EN
	}
	return t.FR
}

func (w *walk) show(n, of int, q run.Question) {
	fmt.Fprintf(w.out, "\n[%d/%d] %s · %s\n", n, of, q.Subject, w.pick(q.Title))
	w.say("  Exigence : %s", "  Requirement: %s", w.pick(q.Requirement.Statement))
	w.say("  Pourquoi : %s", "  Why: %s", w.pick(q.Requirement.Why))
	w.say("  À regarder : %s", "  To look at: %s", w.pick(q.Seen))
	if len(q.Exchanges) > 0 {
		w.say("  Vu dans les échanges %s du rapport", "  Seen in the exchanges %s of the report", strings.Join(q.Exchanges, ", "))
	}
	for _, p := range q.Pictures {
		w.say("  Image : %s (%s)", "  Picture: %s (%s)", filepath.Join(w.dir, filepath.FromSlash(p.File)), w.pick(p.Alt))
	}
	if q.Before != nil {
		w.say("  Décision du %s (%s) : %s. Elle ne vaut plus : %s.", "  Decision of %s (%s): %s. It no longer holds: %s.", q.Before.Date, q.Before.Author, strings.TrimRight(q.Before.Reason, ". "), w.pick(q.Lapsed))
	}
}

// keepable says that an earlier decision can be taken again as it was, "" when it
// was about something else.
func (w *walk) keepable(q run.Question) string {
	if q.Before == nil || !q.Same {
		return ""
	}
	return w.pick(reports.Text{FR: "g : garder cette décision, après avoir regardé de nouveau", EN: "k: keep that decision, after another look"})
}

// decide asks for one decision and keeps it; false when the person passes.
func (w *walk) decide(q run.Question) (bool, error) {
	d := run.Decision{
		Subject: q.Subject, Author: w.author, Role: w.role, Seen: q.Digest, Service: q.Service,
		Date: w.now.UTC().Format(time.DateOnly), Attachments: []run.Attachment{},
	}
	keep := w.keepable(q)
	for d.Decision == "" {
		if keep != "" {
			fmt.Fprintln(w.out, "  "+keep)
		}
		answer, err := w.ask("  Décision (o : respectée, n : non respectée, s : sans objet, p : passer, q : arrêter) : ", "  Decision (y: met, n: not met, c: not concerned, p: pass, q: stop): ")
		if err != nil {
			return false, err
		}
		switch strings.ToLower(answer) {
		case "o", "y":
			d.Decision = run.DecidedMet
		case "n":
			d.Decision = run.DecidedNotMet
		case "s", "c":
			d.Decision = run.DecidedOutside
		case "g", "k":
			if keep != "" {
				d.Decision, d.Reason, d.Attachments = q.Before.Decision, q.Before.Reason, q.Before.Attachments
			}
		case "p":
			return false, nil
		case "q":
			return false, errStopped
		}
	}
	var err error
	anew := d.Reason == "" // not an earlier decision
	for d.Reason == "" {
		if d.Reason, err = w.ask("  Raison, en une phrase : ", "  Reason, in a sentence: "); err != nil {
			return false, err
		}
	}
	for anew {
		path, err := w.ask("  Pièce jointe (chemin d'un fichier, vide : aucune) : ", "  Attachment (path of a file, empty: none): ")
		if err != nil {
			return false, err
		}
		if path == "" {
			break
		}
		attached, err := weigh(path)
		if err == nil {
			d.Attachments = append(d.Attachments, attached)
			break
		}
		w.say("  Ce fichier ne peut pas être lu : %v", "  This file cannot be read: %v", err)
	}
	for d.Expires == "" {
		until, err := w.ask("  Valable jusqu'au (AAAA-MM-JJ, vide : un an) : ", "  Good until (YYYY-MM-DD, empty: one year): ")
		if err != nil {
			return false, err
		}
		if until == "" {
			until = w.now.UTC().AddDate(1, 0, 0).Format(time.DateOnly)
		}
		if day, err := time.Parse(time.DateOnly, until); err == nil && until >= d.Date {
			d.Expires = day.Format(time.DateOnly)
		}
	}
	return true, run.KeepDecision(w.dir, d)
}

// weigh names a file and its digest.
func weigh(path string) (run.Attachment, error) {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return run.Attachment{}, err
	case !st.Mode().IsRegular():
		return run.Attachment{}, fmt.Errorf("%s is not a regular file", path)
	case st.Size() > maxAttached:
		return run.Attachment{}, fmt.Errorf("%s has %d bytes, at most %d are read", path, st.Size(), maxAttached)
	}
	f, err := os.Open(path)
	if err != nil {
		return run.Attachment{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return run.Attachment{}, err
	}
	return run.Attachment{Name: filepath.Base(path), Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

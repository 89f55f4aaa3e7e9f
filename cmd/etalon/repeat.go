package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/etalon-sante/etalon/reports/repeat"
	"github.com/etalon-sante/etalon/suites/run"
)

// repeatMark stands in the folder of a repetition: it tells it from a folder of
// others.
const repeatMark = ".etalon-repeat"

// once plays one run into a folder. What it gives to begin is called before each,
// so that each starts from nothing.
type once func(ctx context.Context, folder string) (run.Outcome, error)

// repeated plays the same run several times, each into a folder of its own, and
// says which verdicts are not stable. A run that leaves no report ends it when it
// is the first: the others would not do better.
func (a *app) repeated(ctx context.Context, f *runFlags, play once) error {
	lang := a.lang(f.lang)
	if f.repeat < 2 || f.repeat > run.MaxRepeat {
		return usage{fmt.Errorf("--repeat takes a number from 2 to %d, not %d", run.MaxRepeat, f.repeat)}
	}
	if f.resume {
		return usage{errors.New("--resume takes up one run: name the folder of that run with --out, without --repeat")}
	}
	// What is wrong with it must not cost an earlier repetition its folder.
	if f.known != "" {
		if _, err := run.ReadKnown(f.known); err != nil {
			return err
		}
	}
	if err := repeatFolder(f.out); err != nil {
		return usage{err}
	}
	var played []repeat.Played
	for i := range f.repeat {
		name := fmt.Sprintf("run-%d", i+1)
		fmt.Fprintf(a.out, "[%d/%d] ", i+1, f.repeat)
		out, err := play(ctx, filepath.Join(f.out, name))
		p := repeat.Played{Folder: name, Exit: exitCode(err), Gate: f.gate}
		if out.Report.Run.ID != "" {
			p.Report, p.Exit = &out.Report, out.Report.CommandCode()
			if f.gate {
				p.Exit = out.Report.Known.Gate.ExitCode
			}
			fmt.Fprintf(a.out, "%s, %s %d\n", say(lang, out.Report.Verdict.Label().Word.FR, out.Report.Verdict.Label().Word.EN), say(lang, "code", "exit"), p.Exit)
		} else if err != nil {
			fmt.Fprintln(a.out, say(lang, "aucun rapport", "no report"))
			if i == 0 {
				return inLanguage(err, lang)
			}
			fmt.Fprintln(a.err, "etalon: "+a.sentence(err))
		}
		played = append(played, p)
		if ctx.Err() != nil {
			break
		}
	}
	got := repeat.Of(f.repeat, played, ctx.Err() != nil)
	if err := keepRepetition(f.out, lang, got); err != nil {
		return err
	}
	fmt.Fprintln(a.out, repeat.Sentence(got, lang))
	for _, line := range repeat.Lines(got, lang) {
		fmt.Fprintln(a.out, "  "+line)
	}
	fmt.Fprintf(a.out, "%s %s\n", say(lang, "Résumé :", "Summary:"), filepath.Join(f.out, repeat.FileMarkdown))
	if got.ExitCode != exitOK {
		return exit{got.ExitCode}
	}
	return nil
}

func keepRepetition(folder, lang string, got repeat.Repetition) error {
	var asJSON, page bytes.Buffer
	if err := errors.Join(repeat.WriteJSON(&asJSON, got), repeat.WriteMarkdown(&page, got, lang)); err != nil {
		return err
	}
	to := &run.Folder{Path: folder}
	return errors.Join(to.Put(repeat.FileJSON, asJSON.Bytes()), to.Put(repeat.FileMarkdown, page.Bytes()))
}

// repeatFolder makes the folder of a repetition ready: what an earlier one left is
// removed, files of others are left alone, and refused where ours would go.
func repeatFolder(path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return fmt.Errorf("create the folder of the repetition: %w", err)
	}
	if run.HoldsRun(path) {
		return fmt.Errorf("%s holds a run: a repetition has a folder for each of its runs; name another folder with --out", path)
	}
	_, err := os.Lstat(filepath.Join(path, repeatMark))
	own := err == nil
	for _, name := range []string{repeat.FileJSON, repeat.FileMarkdown} {
		file := filepath.Join(path, name)
		if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if !own {
			return fmt.Errorf("%s holds %s, which no repetition of étalon wrote there; name another folder with --out", path, name)
		}
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("replace the earlier repetition: %w", err)
		}
	}
	for i := range run.MaxRepeat {
		dir := filepath.Join(path, fmt.Sprintf("run-%d", i+1))
		if !own || !run.HoldsRun(dir) {
			continue
		}
		if err := run.RemoveRun(dir); err != nil {
			return fmt.Errorf("replace the earlier repetition: %w", err)
		}
	}
	return os.WriteFile(filepath.Join(path, repeatMark), nil, 0o644)
}

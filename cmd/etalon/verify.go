package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/seal"
	"github.com/etalon-sante/etalon/reports/words"
	"github.com/etalon-sante/etalon/suites/run"
)

func (a *app) verify() *cobra.Command {
	var asJSON bool
	var lang, trust string
	c := &cobra.Command{
		Use:   "verify DIR",
		Short: "check a sealed report offline, and recompute its verdicts",
		Long: "verify checks the signature and every byte that was sealed, then judges the journal\n" +
			"again and compares. Where this program is the one that ran, every file of the report\n" +
			"is written again and compared too. It needs no network and changes nothing.\n\n" +
			"Exit code: 0 all holds; 1 something was changed, or the report says what the journal\n" +
			"does not; 2 the folder cannot be read; 4 another build judges otherwise (listed).",
		Args: oneArg("the folder of a run"),
		RunE: func(_ *cobra.Command, args []string) error {
			o := run.VerifyOptions{Version: version, Known: trust != ""}
			if trust == "" {
				trust = trustFile()
			}
			t, err := seal.ReadTrust(trust)
			if err != nil && (o.Known || !errors.Is(err, fs.ErrNotExist)) && trust != "" {
				return usage{err}
			}
			o.Trust = t
			v, err := run.Verify(args[0], o)
			if err != nil {
				return usage{err}
			}
			if asJSON {
				e := json.NewEncoder(a.out)
				e.SetIndent("", "  ")
				err = e.Encode(v)
			} else {
				a.verified(v, o.Known, words.Lang(a.lang(lang)))
			}
			if err == nil && v.Exit != exitOK {
				err = exit{v.Exit}
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	c.Flags().StringVar(&lang, "lang", "", "fr or en")
	c.Flags().StringVar(&trust, "trust", "", "trust file: the key must be known to it (default: yours, where an unknown key is only told)")
	return c
}

// maxDiffer bounds how many verdicts are named on a screen.
const maxDiffer = 20

// verified prints what verifying came to, the answer first.
func (a *app) verified(v run.Verified, known bool, l words.Lang) {
	p := func(fr, en string, args ...any) { fmt.Fprintf(a.out, l.Pick(fr, en)+"\n", args...) }
	switch {
	case !v.Seal.Holds():
		p("Ce rapport n'est pas tel qu'il a été scellé.", "This report is not as it was sealed.")
		for _, x := range v.Seal.Problems {
			p("  %s : %s", "  %s: %s", words.Printable(x.File), words.Printable(l.Of(x.Text)))
		}
	case v.Failure != (reports.Text{}):
		p("%s", "%s", words.Printable(l.Of(v.Failure)))
	case v.Exit == exitOK:
		p("Ce rapport est tel qu'il a été scellé, et le journal redonne chacun de ses verdicts.", "This report is as it was sealed, and the journal gives each of its verdicts again.")
	case v.Expired:
		p("La clé n'avait plus cours le jour de la campagne.", "The key had ended on the day of the run.")
	case len(v.Rewritten) > 0:
		p("Ces fichiers ne disent pas ce que dit le journal : %s.", "These files do not say what the journal says: %s.", strings.Join(v.Rewritten, ", "))
	case len(v.Differ) > 0 && v.SameBuild:
		p("Le rapport affirme ce que le journal ne montre pas :", "The report says what the journal does not show:")
	case len(v.Differ) > 0:
		p("Aucun octet n'a changé ; une autre version d'Étalon juge autrement :", "No byte was changed; another build of Étalon judges otherwise:")
	case known && v.Seal.Holder == nil:
		p("Rien n'a été modifié, mais la clé est inconnue du fichier de confiance.", "Nothing was changed, but the key is not known to the trust file.")
	}
	for i, d := range v.Differ {
		if i == maxDiffer {
			p("  … et %d autres : --json les donne toutes", "  … and %d more: --json gives them all", len(v.Differ)-maxDiffer)
			break
		}
		p("  %s : rapport « %s », recalcul « %s »", "  %s: report %q, recomputed %q", words.Printable(d.ID), words.Printable(string(d.Said)), words.Printable(string(d.Found)))
	}
	if v.Seal.Key != "" {
		switch h := v.Seal.Holder; {
		case h == nil:
			p("Clé : %.16s…, que vous ne connaissez pas. Le sceau lie ces fichiers entre eux ; il ne dit pas qui les a scellés.", "Key: %.16s…, not known to you. The seal binds these files to one another; it does not say who sealed them.", v.Seal.Key)
		default:
			p("Clé : %.16s…, %s (%s).", "Key: %.16s…, %s (%s).", v.Seal.Key, words.Printable(h.Name), l.Name("role", h.Role))
		}
	}
	if r := v.Report; r != nil {
		p("Campagne %s du %s : %s %s. %s", "Run %s of %s: %s %s. %s", words.Printable(r.Run.ID), l.Instant(r.Run.Started), words.Printable(r.Candidate.Service.Name), words.Printable(r.Candidate.Service.Version), l.Verdict(*r))
		p("Témoin : %s.", "Witness: %s.", l.Testimony(r.Run))
		if v.Recomputed && !v.SameBuild {
			p("Recalculé par une autre version que celle qui a joué la campagne (%s).", "Recomputed by another build than the one that ran (%s).", words.Printable(r.Run.Harness.Version))
		}
	}
	if n := len(v.NotRecomputed); n > 0 {
		p("Non recalculés, faute de pièces réservées à l'autorité : %s.", "Not recomputed, for want of files that are for the authority: %s.", words.Printable(strings.Join(v.NotRecomputed, ", ")))
	}
	if n := len(v.Seal.Withheld); n > 0 {
		p("Fichiers retenus : %d (réservés à l'autorité).", "Files withheld: %d (for the authority).", n)
	}
	if n := len(v.Seal.Foreign); n > 0 {
		p("Hors du sceau : %s.", "Not in the seal: %s.", words.Printable(strings.Join(v.Seal.Foreign[:min(n, 10)], ", ")))
	}
}

func (a *app) seal() *cobra.Command {
	var lang, to, level string
	c := &cobra.Command{
		Use:   "seal DIR",
		Short: "seal a run folder anew, or make a sealed copy for others",
		Long: "Every run is sealed as it ends. seal does it again, with your key, for a folder whose\n" +
			"seal is missing. With --copy OUT it leaves there what everyone may read: the seal,\n" +
			"every public file, and a signed list of what is withheld (names of persons, declared\n" +
			"evidence, decisions); `etalon verify OUT` accepts it and says which verdicts it could\n" +
			"not recompute.",
		Args: oneArg("the folder of a run"),
		RunE: func(_ *cobra.Command, args []string) error {
			key, err := a.sealKey(a.lang(lang))
			if err != nil {
				return err
			}
			if to == "" {
				if err := run.Seal(args[0], key, time.Now); err != nil {
					return usage{err}
				}
				fmt.Fprintf(a.out, say(a.lang(lang), "Scellé avec la clé %.16s…\n", "Sealed with the key %.16s…\n"), key.Public().ID())
				return nil
			}
			if level != string(seal.Everyone) && level != string(seal.Authority) {
				return usage{fmt.Errorf("--level takes public or authority, not %q", level)}
			}
			left, err := seal.Copy(args[0], to, seal.Level(level), key)
			if err != nil {
				return usage{err}
			}
			fmt.Fprintf(a.out, say(a.lang(lang), "Copie dans %s ; fichiers retenus : %d.\n", "Copy in %s; files withheld: %d.\n"), to, len(left))
			return nil
		},
	}
	c.Flags().StringVar(&lang, "lang", "", "fr or en")
	c.Flags().StringVar(&to, "copy", "", "leave a copy in this folder, absent or empty")
	c.Flags().StringVar(&level, "level", string(seal.Everyone), "whom the copy is for: public or authority")
	return c
}

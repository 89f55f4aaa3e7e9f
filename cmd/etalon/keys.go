package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/reports/seal"
)

// sealKeyVariable names the environment variable that holds the key with which a
// pipeline without a home seals: PKCS #8 in PEM.
const sealKeyVariable = "ETALON_SEAL_KEY"

// keyStore is where the user's own keys are kept; false where he has no folder of
// configuration.
func keyStore() (seal.Store, bool) {
	dir, err := stateDir()
	if err != nil || dir == "" {
		return seal.Store{}, false
	}
	return seal.OpenStore(filepath.Join(dir, "keys")), true
}

// sealKey is the key with which this user seals: that of the environment, else his
// own, made on first use. Without a place to keep one the zero key is returned: a
// run is then sealed with one that is kept nowhere.
func (a *app) sealKey(lang string) (seal.Key, error) {
	if text, ok := a.env(sealKeyVariable); ok && text != "" {
		k, err := seal.ParseKey([]byte(text))
		if err != nil {
			return seal.Key{}, usage{fmt.Errorf("%s: %w; `etalon keys generate --out FILE` writes one", sealKeyVariable, err)}
		}
		return k, nil
	}
	store, ok := keyStore()
	if !ok {
		return seal.Key{}, nil
	}
	k, made, err := store.Own()
	if err != nil {
		return seal.Key{}, err
	}
	if made && a.terminal {
		fmt.Fprintf(a.err, say(lang,
			"Une clé de scellement a été créée : %.16s… (« etalon keys show » en montre la moitié publique).\n",
			"A key for sealing was made: %.16s… (`etalon keys show` shows its public half).\n"), k.Public().ID())
	}
	return k, nil
}

func (a *app) keys() *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "the keys that seal reports: generate, show, rotate, trust",
		Long: "A report is sealed with a key of yours, made on first use in your folder of\n" +
			"configuration and kept there. Others verify with its public half, and know whose it\n" +
			"is by their trust file. In a pipeline, " + sealKeyVariable + " holds the key (PEM).",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.keysGenerate(), a.keysShow(), a.keysRotate(), a.keysTrust())
	return c
}

func (a *app) keysGenerate() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "generate",
		Short: "make a key: your own, or one in a file, for a pipeline",
		Args:  noArgs,
		RunE: func(_ *cobra.Command, _ []string) error {
			if out != "" {
				k, err := seal.Generate(nil)
				if err != nil {
					return err
				}
				b, err := k.PEM()
				if err != nil {
					return err
				}
				f, err := os.OpenFile(out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
				if errors.Is(err, fs.ErrExist) {
					return usage{fmt.Errorf("%s exists already: name a file that does not", out)}
				}
				if err != nil {
					return err
				}
				if _, err := f.Write(b); err != nil {
					return errors.Join(err, f.Close())
				}
				a.showKey(k.Public())
				return f.Close()
			}
			store, ok := keyStore()
			if !ok {
				return usage{errors.New("there is no folder of configuration to keep a key in: set HOME or XDG_CONFIG_HOME, or write the key with --out FILE")}
			}
			k, made, err := store.Own()
			if err != nil {
				return err
			}
			if !made {
				return usage{fmt.Errorf("there is a key already (%.16s…): `etalon keys rotate` puts another in its place", k.Public().ID())}
			}
			a.showKey(k.Public())
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "", "write the private key to a file of its own instead (kept out of any repository)")
	return c
}

func (a *app) keysShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show",
		Short: "show the public half of your key, to give to others",
		Args:  noArgs,
		RunE: func(_ *cobra.Command, _ []string) error {
			k, err := a.existingKey()
			if err != nil {
				return err
			}
			p := k.Public()
			if asJSON {
				return json.NewEncoder(a.out).Encode(map[string]string{"id": p.ID(), "publicKey": string(p.PEM())})
			}
			a.showKey(p)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

// showKey prints a public key, to be kept in a file, and says beside which one it is.
func (a *app) showKey(p seal.Public) {
	fmt.Fprintf(a.out, "%s", p.PEM())
	fmt.Fprintf(a.err, "%s\n", p.ID())
}

// existingKey is the key in use, without making one.
func (a *app) existingKey() (seal.Key, error) {
	if text, ok := a.env(sealKeyVariable); ok && text != "" {
		return a.sealKey("")
	}
	store, ok := keyStore()
	if !ok {
		return seal.Key{}, usage{seal.ErrNoKey}
	}
	k, err := store.Current()
	if errors.Is(err, seal.ErrNoKey) {
		return k, usage{errors.New("you have no key yet: the first run makes one, or `etalon keys generate`")}
	}
	return k, err
}

func (a *app) keysRotate() *cobra.Command {
	var lang string
	c := &cobra.Command{
		Use:   "rotate",
		Short: "put a new key in the place of yours, which signs that it follows",
		Long: "rotate makes a new key; the old one signs that it follows. Give that statement to\n" +
			"those who trust the old key (`etalon keys trust --rotation FILE`). The old key is\n" +
			"kept, and what it sealed stays verifiable.",
		Args: noArgs,
		RunE: func(_ *cobra.Command, _ []string) error {
			store, ok := keyStore()
			if !ok {
				return usage{seal.ErrNoKey}
			}
			k, statement, err := store.Rotate(time.Now())
			if errors.Is(err, seal.ErrNoKey) {
				return usage{errors.New("you have no key yet: there is nothing to put another in the place of")}
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(a.err, say(a.lang(lang), "Nouvelle clé : %s. Voici ce que l'ancienne en dit, à remettre à qui s'y fie :\n", "New key: %s. This is what the old one says of it, for those who trust it:\n"), k.Public().ID())
			fmt.Fprintf(a.out, "%s\n", statement)
			return nil
		},
	}
	c.Flags().StringVar(&lang, "lang", "", "fr or en")
	return c
}

// trustFile is the path of the user's own trust file.
func trustFile() string {
	dir, err := stateDir()
	if err != nil || dir == "" {
		return ""
	}
	return filepath.Join(dir, "trust.json")
}

func (a *app) keysTrust() *cobra.Command {
	var file, key, name, role, siren, rotation string
	c := &cobra.Command{
		Use:   "trust",
		Short: "write down whose key it is, or list whose you know",
		Args:  noArgs,
		RunE: func(_ *cobra.Command, _ []string) error {
			if file == "" {
				file = trustFile()
			}
			if file == "" {
				return usage{errors.New("there is no folder of configuration: name the trust file with --file")}
			}
			t, err := seal.ReadTrust(file)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return usage{err}
			}
			switch {
			case key != "" && rotation != "":
				return usage{errors.New("--key and --rotation are two ways to know one key: give one")}
			case key != "":
				b, err := readSmall(key)
				if err != nil {
					return usage{err}
				}
				p, err := seal.ParsePublic(b)
				if err != nil {
					return usage{fmt.Errorf("%s: %w; `etalon keys show` prints the public half", key, err)}
				}
				if t, err = t.Add(seal.NewHolder(p, name, role, siren)); err != nil {
					return usage{err}
				}
			case rotation != "":
				b, err := readSmall(rotation)
				if err != nil {
					return usage{err}
				}
				if t, err = t.Follow(trimLine(b)); err != nil {
					return usage{err}
				}
			default:
				for _, h := range t.Keys {
					fmt.Fprintf(a.out, "%s  %s  %s\n", h.ID, h.Role, h.Name)
				}
				return nil
			}
			return seal.WriteTrust(file, t)
		},
	}
	c.Flags().StringVar(&file, "file", "", "the trust file (default: trust.json in your folder of configuration)")
	c.Flags().StringVar(&key, "key", "", "file of a public key (PEM)")
	c.Flags().StringVar(&name, "name", "", "whose key it is")
	c.Flags().StringVar(&role, "role", seal.RoleEditor, "editor, host (of a sandbox) or authority")
	c.Flags().StringVar(&siren, "siren", "", "SIREN of the editor")
	c.Flags().StringVar(&rotation, "rotation", "", "statement of a key that you know, that another follows it")
	return c
}

// readSmall reads a regular file of at most 1 MiB.
func readSmall(path string) ([]byte, error) {
	const most = 1 << 20
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > most {
		return nil, fmt.Errorf("%s: no regular file of at most %d bytes", path, most)
	}
	return os.ReadFile(path)
}

// trimLine takes the line end off that a shell adds.
func trimLine(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

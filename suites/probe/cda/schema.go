// Package cda validates clinical documents against the XML Schema of CDA R2, by
// xmllint. It runs while a candidate is observed, never when it is judged: what
// xmllint said stands in the journal.
//
// The schema of HL7 with the extensions of ANS is not part of the project: a
// person who holds it names its folder. Without it, documents are not validated,
// and are said not to be. The demonstration and the self-test use a reduced
// schema of étalon's own, which knows the order of the header and no more.
package cda

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Own names the reduced schema in place of a folder.
const Own = "étalon"

//go:embed header.xsd
var ownSchema []byte

// Bounds of one validation.
const (
	Timeout     = 10 * time.Second
	maxDocument = 5_000_000
	maxOutput   = 64 << 10
	maxMessages = 10
	maxMessage  = 400
)

// The verdicts of a validation.
const (
	Valid   = "valid"
	Invalid = "invalid"
	NotRun  = "not-run"
)

// Text is a sentence in two languages.
type Text struct {
	FR string `json:"fr"`
	EN string `json:"en"`
}

// Result is what came of one validation.
type Result struct {
	Verdict  string   `json:"verdict"`
	Reason   Text     `json:"reason"`   // why it was not run
	Schema   string   `json:"schema"`   // name of the schema's file, or étalon
	Messages []string `json:"messages"` // of xmllint, the first ones: "line 12: …"
}

// Options say by what a document is validated.
type Options struct {
	Schema  string // folder that holds CDA_extended.xsd or CDA.xsd, a file .xsd, or Own; "": none
	Command string // "": xmllint
}

// Missing says why no document can be validated, in two languages; the empty
// text when one can.
func Missing(o Options) Text {
	if _, err := exec.LookPath(o.command()); err != nil {
		return Text{"xmllint n'est pas installé : installez libxml2-utils pour que les documents soient validés", "xmllint is not installed: install libxml2-utils for documents to be validated"}
	}
	if _, err := find(o.Schema); err != nil {
		return Text{
			"aucun schéma XML de CDA n'a été indiqué, ou il n'y en a pas à cet endroit : nommez son dossier par --cda-xsd",
			"no XML Schema of CDA was named, or there is none in that place: name its folder by --cda-xsd",
		}
	}
	return Text{}
}

func (o Options) command() string {
	if o.Command == "" {
		return "xmllint"
	}
	return o.Command
}

// Validate asks xmllint whether a document is valid. The document goes through
// standard input, so that nothing of it is left on a disk; the network is
// forbidden. The caller has read the document strictly before: it has no DTD.
func Validate(ctx context.Context, o Options, document []byte) Result {
	out := Result{Verdict: NotRun, Messages: []string{}}
	if out.Reason = Missing(o); out.Reason != (Text{}) {
		return out
	}
	if len(document) > maxDocument {
		out.Reason = Text{"le document est trop long pour être validé", "the document is too long to be validated"}
		return out
	}
	schema, _ := find(o.Schema)
	out.Schema = filepath.Base(schema)
	if o.Schema == Own {
		out.Schema = Own
		folder, err := os.MkdirTemp("", "etalon-xsd-")
		if err != nil {
			return out.failed(err)
		}
		defer os.RemoveAll(folder)
		schema = filepath.Join(folder, "header.xsd")
		if err := os.WriteFile(schema, ownSchema, 0o600); err != nil {
			return out.failed(err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	said := &bounded{most: maxOutput}
	cmd := exec.CommandContext(ctx, o.command(), "--nonet", "--noout", "--schema", schema, "-")
	cmd.Env = []string{"LC_ALL=C", "XML_CATALOG_FILES="}
	cmd.Stdin, cmd.Stderr = bytes.NewReader(document), said
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	out.Messages = messages(said.String())
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return out.failed(ctx.Err())
	case err == nil:
		out.Verdict = Valid
	// xmllint(1), diagnostics: 1 malformed, 3 and 4 not valid; the others are
	// about the schema, memory or its own arguments.
	case errors.As(err, &exit) && (exit.ExitCode() == 1 || exit.ExitCode() == 3 || exit.ExitCode() == 4):
		out.Verdict = Invalid
	default:
		return out.failed(err)
	}
	return out
}

func (r Result) failed(err error) Result {
	r.Verdict = NotRun
	r.Reason = Text{fmt.Sprintf("xmllint n'a pas abouti : %v", err), fmt.Sprintf("xmllint did not come to an end: %v", err)}
	return r
}

// find gives the schema's file.
func find(place string) (string, error) {
	switch {
	case place == "":
		return "", fs.ErrNotExist
	case place == Own:
		return "header.xsd", nil
	case strings.HasSuffix(place, ".xsd"):
		_, err := os.Stat(place)
		return place, err
	}
	for _, below := range []string{"", "infrastructure/cda"} {
		for _, name := range []string{"CDA_extended.xsd", "CDA.xsd"} {
			path := filepath.Join(place, filepath.FromSlash(below), name)
			if _, err := os.Stat(path); err == nil {
				return path, nil
			}
		}
	}
	return "", fs.ErrNotExist
}

// messages are the lines about the document; those about the schema carry paths
// of this machine.
func messages(said string) []string {
	out := []string{}
	for line := range strings.Lines(said) {
		rest, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "-:")
		if !ok || len(out) == maxMessages {
			continue
		}
		if r := []rune(rest); len(r) > maxMessage {
			rest = string(r[:maxMessage]) + "…"
		}
		out = append(out, "line "+strings.ReplaceAll(rest, "{urn:hl7-org:v3}", ""))
	}
	return out
}

// bounded keeps the first bytes of what is written to it, and takes the rest.
type bounded struct {
	bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.most - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

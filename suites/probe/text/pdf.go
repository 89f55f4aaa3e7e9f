package text

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Bounds of reading one PDF.
const (
	pdfTimeout = 10 * time.Second
	pdfOutput  = 2 << 20 // bytes of text
	pdfPages   = "80"
)

// Words is a sentence in two languages.
type Words struct {
	FR string `json:"fr"`
	EN string `json:"en"`
}

// MissingPDF says why no PDF can be read on this machine, and how to have it
// otherwise; the empty text when one can.
func MissingPDF(command string) Words {
	if _, err := exec.LookPath(pdfCommand(command)); err == nil {
		return Words{}
	}
	return Words{
		"pdftotext n’est pas installé : installez poppler-utils pour que les textes publiés en PDF soient lus",
		"pdftotext is not installed: install poppler-utils for texts published as PDF to be read",
	}
}

func pdfCommand(command string) string {
	if command == "" {
		return "pdftotext"
	}
	return command
}

// readPDF has pdftotext read a document, which lies in a private folder while it
// does. Time, output and pages are bounded; what is longer is said to be cut.
func readPDF(ctx context.Context, command string, document []byte) (content, error) {
	dir, err := os.MkdirTemp("", "etalon-pdf-")
	if err != nil {
		return content{}, err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "document.pdf")
	if err := os.WriteFile(name, document, 0o600); err != nil {
		return content{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, pdfTimeout)
	defer cancel()
	said := &bounded{most: pdfOutput}
	cmd := exec.CommandContext(ctx, pdfCommand(command), "-q", "-enc", "UTF-8", "-eol", "unix", "-nopgbrk", "-l", pdfPages, name, "-")
	cmd.Env, cmd.Dir = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH"), "HOME=" + dir}, dir
	cmd.Stdout = said
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return content{}, fmt.Errorf("pdftotext did not end within %s", pdfTimeout)
	case errors.As(err, &exit):
		return content{}, fmt.Errorf("pdftotext refused it (exit status %d): it is no PDF, is damaged or needs a password", exit.ExitCode())
	case err != nil:
		return content{}, errors.New("pdftotext could not be started")
	}
	c := paragraphs(said.String())
	c.cut = c.cut || said.more
	return c, nil
}

// bounded keeps the first bytes of what is written to it, and takes the rest.
type bounded struct {
	bytes.Buffer
	most int
	more bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := b.most - b.Len()
	if room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	b.more = b.more || room < len(p)
	return len(p), nil
}

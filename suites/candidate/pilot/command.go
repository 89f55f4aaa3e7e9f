package pilot

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// newCommand prepares a command of a manifest. A name with a separator is a
// path from the manifest's folder, another is looked up in PATH.
func newCommand(argv []string, folder string, environ []string) (*exec.Cmd, error) {
	if len(argv) == 0 || argv[0] == "" {
		return nil, errors.New("the command is empty")
	}
	name := argv[0]
	if strings.ContainsRune(name, '/') || strings.ContainsRune(name, filepath.Separator) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(folder, name)
		}
	} else if _, err := exec.LookPath(name); err != nil {
		if _, here := os.Stat(filepath.Join(folder, name)); here == nil {
			return nil, fmt.Errorf("%s is not a program of PATH: write ./%s for the file beside the manifest", name, name)
		}
		return nil, fmt.Errorf("%s is not a program of PATH: install it, or write its path", name)
	}
	cmd := exec.Command(name, argv[1:]...) //nolint:noctx // ended by its process group, not by a context
	cmd.Dir = folder
	cmd.Env = environ
	inGroup(cmd)
	return cmd, nil
}

// Tail keeps the last bytes written to it, most of them at the most. It is safe for concurrent use.
type Tail struct {
	mu   sync.Mutex
	Most int // bytes
	kept []byte
	lost int // bytes dropped before those kept
}

// Write implements io.Writer; it never fails.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	if len(p) > t.Most {
		t.lost += len(p) - t.Most
		p = p[len(p)-t.Most:]
	}
	t.kept = append(t.kept, p...)
	if extra := len(t.kept) - t.Most; extra > 0 {
		t.lost += extra
		t.kept = append(t.kept[:0], t.kept[extra:]...)
	}
	return n, nil
}

// String is what was kept, and how much was not.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := strings.ToValidUTF8(string(t.kept), "?")
	if t.lost > 0 {
		s = fmt.Sprintf("[%d bytes before this]\n%s", t.lost, s)
	}
	return s
}

// head keeps the first bytes written to it and calls full once there are more.
type head struct {
	most int
	kept []byte
	full func()
}

func (h *head) Write(p []byte) (int, error) {
	room := h.most + 1 - len(h.kept) // one more byte than allowed tells
	h.kept = append(h.kept, p[:min(room, len(p))]...)
	if len(h.kept) > h.most {
		h.full()
	}
	return len(p), nil
}

// lastLine returns the last line of an output that is not empty.
func lastLine(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return short(strings.TrimSpace(lines[len(lines)-1]), 200)
}

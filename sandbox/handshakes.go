package sandbox

import (
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Bounds of what is kept of broken handshakes.
const (
	keptHandshakes = 8
	maxReason      = 200 // characters
)

// handshakes keeps why the last TLS handshakes with candidates were broken off.
// net/http tells it in its error log only, hence an io.Writer.
type handshakes struct {
	mu      sync.Mutex
	reasons []string
}

// Write reads one line of net/http's error log; what is no handshake is left
// out. It never fails.
func (h *handshakes) Write(line []byte) (int, error) {
	if reason := handshakeReason(string(line)); reason != "" {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.reasons = append(h.reasons, reason)
		if extra := len(h.reasons) - keptHandshakes; extra > 0 {
			h.reasons = slices.Delete(h.reasons, 0, extra)
		}
	}
	return len(line), nil
}

// last lists the reasons kept, the latest at the end.
func (h *handshakes) last() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string{}, h.reasons...)
}

// handshakeReason is the reason in a line such as
// "http: TLS handshake error from 127.0.0.1:53412: remote error: tls: unknown
// certificate authority", without any address.
func handshakeReason(line string) string {
	_, rest, ok := strings.Cut(line, "TLS handshake error from ")
	if !ok {
		return ""
	}
	_, reason, ok := strings.Cut(rest, ": ")
	if !ok {
		return ""
	}
	reason = strings.TrimSpace(reason)
	// net.OpError begins with the addresses of both ends.
	for _, op := range []string{"read tcp", "write tcp"} {
		if strings.HasPrefix(reason, op) {
			_, reason, _ = strings.Cut(reason, ": ")
		}
	}
	reason = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(reason, "?"))
	if r := []rune(reason); len(r) > maxReason {
		reason = string(r[:maxReason])
	}
	return reason
}

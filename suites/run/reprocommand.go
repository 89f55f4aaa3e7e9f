package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
)

// callFile holds, in the folder of a repro, the call of the pilot where it is too
// long for a command line.
const callFile = "repro-call.json"

// maxInline is how many bytes of a body stand in a command.
const maxInline = 8 << 10

// command writes the one command that repeats an act upon the candidate. A link that
// serves once is asked for anew, and opened.
func (r *repro) command(out *Shown, t retraced, s stand) {
	sh := &shell{secrets: s.redactor.Secrets(0), used: map[string]string{}}
	switch act := t.act; {
	case t.opener != nil:
		if asks := r.asks(out, sh, *t.opener, s); asks != "" {
			out.Command = "curl -sS -i -b '' " + r.trust(sh, act.Exchange.Request.URL) + `"$(` + asks + ` | sed -n 's/.*"open" *: *"\([^"]*\)".*/\1/p')"`
		}
	case act.Exchange != nil:
		out.Command = sh.request(act.Exchange, r.trust(sh, act.Exchange.Request.URL))
	case act.Probe != nil:
		out.Command = sh.look(act.Probe, s.o.Resolver)
	default:
		out.Command = r.asks(out, sh, act, s)
	}
	for _, name := range slices.Sorted(maps.Keys(sh.used)) {
		out.Exports = append(out.Exports, record.Secret{Name: name, Value: sh.used[name]})
	}
}

// longest is how long, in seconds, an answer of the pilot is waited for: what hangs
// is to be seen hanging, not for ever.
func longest(c candidate.Candidate) int {
	return int(c.Timing.Action.Seconds()) + 20
}

// look is how a person looks at what a probe looked at, with a tool of others; "":
// with none.
func (sh *shell) look(p *record.Probe, resolver string) string {
	switch {
	case strings.HasPrefix(p.Kind, "tls"):
		host, port, err := net.SplitHostPort(p.Target)
		if err != nil {
			u, err := url.Parse(p.Target)
			if err != nil || u.Hostname() == "" {
				return ""
			}
			if host, port = u.Hostname(), u.Port(); port == "" {
				port = "443"
			}
		}
		name := ""
		if net.ParseIP(host) == nil {
			name = " -servername " + sh.word(host)
		}
		return "openssl s_client -connect " + sh.word(net.JoinHostPort(host, port)) + name + " -showcerts </dev/null"
	case p.Kind == "dns":
		server := ""
		if resolver != "" {
			host, port, err := net.SplitHostPort(resolver)
			if err != nil {
				host, port = resolver, "53"
			}
			server = "@" + sh.word(host) + " -p " + sh.word(port) + " "
		}
		out := ""
		for _, kind := range []string{"DNSKEY", "DS", "CAA", "TXT", "MX"} {
			out += sh.word(p.Target) + " " + kind + " "
		}
		return "dig " + server + "+dnssec " + strings.TrimSpace(out)
	case strings.HasPrefix(p.Target, "http://"), strings.HasPrefix(p.Target, "https://"):
		return "curl -sS -i " + sh.word(p.Target)
	}
	return ""
}

// trust makes curl trust the authorities that the run did, where they are not the
// system's.
func (r *repro) trust(sh *shell, address string) string {
	if r.authority == "" || !strings.HasPrefix(address, "https:") {
		return ""
	}
	return "--cacert " + sh.word(r.authority) + " "
}

// asks is the command that asks the pilot for an action once more; "": a person
// does it.
func (r *repro) asks(out *Shown, sh *shell, act record.Record, s stand) string {
	c := s.o.Manifest.Candidate
	if act.Pilot == nil {
		return ""
	}
	if c.Pilot.Kind != "http" && c.Pilot.Kind != "exec" {
		out.Needs = append(out.Needs, reports.Text{
			FR: "Faites vous-même dans le service : " + act.Pilot.Action + ", pour le patient " + act.Patient + ".",
			EN: "Do it yourself in the service: " + act.Pilot.Action + ", for patient " + act.Patient + ".",
		})
		return ""
	}
	call, ok := r.call(act)
	if !ok {
		return ""
	}
	if c.Pilot.Kind == "exec" {
		words := []string{}
		for _, w := range c.Pilot.Command {
			words = append(words, sh.word(w))
		}
		return fmt.Sprintf("cd %s && printf '%%s' %s | %s", sh.word(first(s.o.Manifest.Folder, ".")), sh.word(string(call)), strings.Join(words, " "))
	}
	token := tokenReference(s.o.Manifest.Raw)
	if token.need.EN != "" {
		out.Needs = append(out.Needs, token.need)
	}
	body := sh.word(string(call))
	if len(call) > maxInline && len(sh.used) == 0 {
		path := filepath.Join(s.out.Folder, callFile)
		if err := os.WriteFile(path, call, 0o644); err == nil {
			body = "@" + sh.word(path)
		}
	}
	address := strings.TrimRight(c.Pilot.URL, "/") + "/actions/" + act.Pilot.Action
	return fmt.Sprintf(`curl -sS -m %d -X POST %s%s -H "Authorization: Bearer %s" -H 'Content-Type: application/json' --data-binary %s`,
		longest(c), r.trust(sh, address), sh.word(address), token.word, body)
}

// call is the call that a record of the pilot stands for, as it was made: of the
// calls for this patient and action the one with the same place among the records.
func (r *repro) call(act record.Record) ([]byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var best *candidate.Call
	for i := range r.calls {
		c := &r.calls[i]
		if c.Patient == act.Patient && string(c.Action) == act.Pilot.Action {
			if payload, err := json.Marshal(c.Payload); err == nil && (best == nil || sameShape(payload, act.Pilot.Payload)) {
				best = c
			}
		}
	}
	if best == nil {
		return nil, false
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(best); err != nil {
		return nil, false
	}
	return bytes.TrimSpace(b.Bytes()), true
}

// sameShape says whether a payload is the one that a record holds, which is folded
// and without secrets.
func sameShape(payload, recorded []byte) bool {
	return bytes.Equal(record.Fold(payload), recorded)
}

// token is how a command names the pilot's bearer token.
type token struct {
	word string
	need reports.Text
}

// tokenReference reads from the manifest how it refers to the token; its value
// stands in no command.
func tokenReference(raw []byte) token {
	var m struct {
		Pilot struct {
			Token string `yaml:"token"`
		} `yaml:"pilot"`
	}
	_ = yaml.Unmarshal(raw, &m) // it was read before, strictly
	name := "ETALON_PILOT_TOKEN"
	if n, ok := strings.CutPrefix(m.Pilot.Token, "env:"); ok && regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(n) {
		name = n
	}
	if path, ok := strings.CutPrefix(m.Pilot.Token, "file:"); ok && !strings.ContainsAny(path, "\"$`\\\n") {
		return token{word: "$(cat '" + strings.ReplaceAll(path, "'", `'\''`) + "')"}
	}
	return token{word: "$" + name, need: reports.Text{
		FR: "La variable " + name + " doit porter le jeton du pilote, comme pour la campagne.",
		EN: "The variable " + name + " has to hold the pilot's token, as for the run.",
	}}
}

// shell writes words for a shell. A secret stands in them as a variable.
type shell struct {
	secrets []record.Secret
	used    map[string]string // variable -> value
}

// word quotes a text; what is secret in it, or a name that stands for a secret,
// becomes a variable.
func (sh *shell) word(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/:") == "" && !sh.holds(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('\'')
	for s != "" {
		at, width, secret := len(s), 0, record.Secret{}
		for _, x := range sh.secrets {
			for _, form := range []string{x.Value, "«" + x.Name + "»"} {
				if i := strings.Index(s, form); form != "" && i >= 0 && (i < at || i == at && len(form) > width) {
					at, width, secret = i, len(form), x
				}
			}
		}
		b.WriteString(strings.ReplaceAll(s[:at], "'", `'\''`))
		if width > 0 {
			name := variable(secret.Name)
			sh.used[name] = secret.Value
			b.WriteString(`'"$` + name + `"'`)
		}
		s = s[at+width:]
	}
	b.WriteByte('\'')
	if out := b.String(); len(out) > 2 {
		return strings.TrimPrefix(strings.TrimSuffix(out, "''"), "''")
	}
	return b.String()
}

func (sh *shell) holds(s string) bool {
	return slices.ContainsFunc(sh.secrets, func(x record.Secret) bool { return x.Value != "" && strings.Contains(s, x.Value) })
}

// variable is the name of a secret as that of a variable.
func variable(name string) string {
	return "ETALON_" + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, name)
}

// request is an exchange of the journal as a command.
func (sh *shell) request(x *record.Exchange, trust string) string {
	out := "curl -sS -i " + trust + "-X " + sh.word(x.Request.Method) + " " + sh.word(x.Request.URL)
	for _, h := range x.Request.Headers {
		switch strings.ToLower(h.Name) {
		case "host", "content-length", "connection", "accept-encoding", "user-agent", "transfer-encoding":
			continue // curl's own
		}
		out += " -H " + sh.word(h.Name+": "+h.Value)
	}
	if b := x.Request.Body; b != nil && b.Text != "" && b.Encoding == "" {
		out += " --data-binary " + sh.word(b.Text)
	}
	return out
}

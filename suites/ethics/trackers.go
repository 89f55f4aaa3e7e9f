package ethics

import (
	_ "embed"
	"strings"
)

//go:embed trackers.txt
var trackersText string

// tracker is one line of the list of trackers.
type tracker struct {
	name  string
	begin bool // name is only the beginning
	whose string
	doubt bool // may be exempt of consent
}

// trackers is the list, read.
type trackers struct{ hosts, keys []tracker }

// readTrackers reads a list; a line that is not understood is left out, and a test
// sees to it that ours holds none.
func readTrackers(text string) (out trackers, refused []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		kind, rest, _ := strings.Cut(line, " ")
		name, whose, ok := strings.Cut(rest, " ")
		what, doubt := strings.CutPrefix(kind, "doubt-")
		t := tracker{name: strings.TrimSuffix(name, "*"), begin: strings.HasSuffix(name, "*"), whose: whose, doubt: doubt}
		switch {
		case !ok || t.name == "" || whose == "":
			refused = append(refused, line)
		case what == "host" && !t.begin:
			out.hosts = append(out.hosts, t)
		case what == "key":
			out.keys = append(out.keys, t)
		default:
			refused = append(refused, line)
		}
	}
	return out, refused
}

func ourTrackers() trackers {
	out, _ := readTrackers(trackersText)
	return out
}

// host says whose tracker answers at a host, which may bear a port.
func (l trackers) host(host string) (tracker, bool) {
	if i := strings.LastIndexByte(host, ':'); i > 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, t := range l.hosts {
		if host == t.name || strings.HasSuffix(host, "."+t.name) {
			return t, true
		}
	}
	return tracker{}, false
}

// key says whose tracker leaves something under a name.
func (l trackers) key(name string) (tracker, bool) {
	for _, t := range l.keys {
		if name == t.name || t.begin && strings.HasPrefix(name, t.name) {
			return t, true
		}
	}
	return tracker{}, false
}

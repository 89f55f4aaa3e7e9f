package tls

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// The answers to a question about a server.
const (
	Yes     = "yes"
	No      = "no"
	Unknown = "unknown" // the server gave no answer that tells
	None    = "none"    // the question does not arise
)

// The bounds of a survey.
const (
	// MaxConnections is how many connections a survey of one address makes at most.
	MaxConnections = 200
	// Interval is between the beginnings of two connections; none on this machine.
	Interval = 50 * time.Millisecond

	maxSilences = 2 // unanswered connections after which a survey ends
)

// Protocol is a version with the suites that the server takes in it.
type Protocol struct {
	Version
	Suites []Suite `json:"suites"` // in the order in which the server chose them, the usual ones first
	// Complete says that everything asked for was answered.
	Complete bool `json:"complete"`
	// ServerOrder says whether the server decides which suite is taken; none
	// where it takes fewer than two.
	ServerOrder string `json:"serverOrder"`
}

// Depth is what a survey of one address found.
type Depth struct {
	Address   string     `json:"address"`
	Host      string     `json:"host"`
	At        time.Time  `json:"at"`
	Protocols []Protocol `json:"protocols"` // oldest first

	Groups         []Group `json:"groups"` // of TLS 1.3, and of ECDHE before it, as chosen
	GroupsComplete bool    `json:"groupsComplete"`
	DHPrime        int     `json:"dhPrime"`       // bits of the prime of DHE suites; 0 where none was seen
	SHA1Signature  string  `json:"sha1Signature"` // TLS 1.2: the keys agreed are signed with SHA-1 where that is all a client knows
	Renegotiation  string  `json:"renegotiation"` // up to TLS 1.2: secure renegotiation is announced (RFC 5746)
	MasterSecret   string  `json:"masterSecret"`  // up to TLS 1.2: extended master secret (RFC 7627)
	Compression    string  `json:"compression"`   // up to TLS 1.2: the server compresses
	Heartbeat      string  `json:"heartbeat"`     // up to TLS 1.2: heartbeats are agreed to (RFC 6520)
	SSL2           string  `json:"ssl2"`          // SSL 2.0 is answered (RFC 6176)
	Fallback       string  `json:"fallback"`      // a client that fell back is told so (RFC 7507)
	Downgrade      string  `json:"downgrade"`     // a server of TLS 1.3 marks an older hello (RFC 8446 §4.1.3)

	Connections int    `json:"connections"` // made in all
	IntervalMS  int64  `json:"intervalMs"`  // between the beginnings of two
	Stopped     string `json:"stopped"`     // why the survey ended early, "" when it did not
}

// Protocol returns what is known of a version by its name.
func (d Depth) Protocol(name string) (Protocol, bool) {
	for _, p := range d.Protocols {
		if p.Name == name {
			return p, true
		}
	}
	return Protocol{}, false
}

// surveyor asks one server one question at a time.
type surveyor struct {
	address, sni string
	o            Options
	interval     time.Duration
	last         time.Time
	connections  int
	silences     int
}

var errSurvey = errors.New("the survey ended early")

// Survey asks a host:port what it takes: suites, groups, and what surrounds
// them. It makes at most MaxConnections connections, one at a time, none of which
// ends in a handshake, at most one each Interval. The error is an
// *UnreachableError when nothing could be learned.
func Survey(ctx context.Context, address string, o Options) (Depth, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return Depth{}, fmt.Errorf("survey the TLS of %q: expected host:port", address)
	}
	o = o.withDefaults()
	s := &surveyor{address: address, sni: serverName(host), o: o, interval: Interval}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		s.interval = 0
	}
	d := Depth{
		Address: address, Host: host, At: o.Now.UTC(), Protocols: []Protocol{}, Groups: []Group{},
		SHA1Signature: Unknown, Renegotiation: Unknown, MasterSecret: Unknown, Compression: Unknown, Heartbeat: Unknown, SSL2: Unknown, Fallback: Unknown, Downgrade: Unknown,
		IntervalMS: s.interval.Milliseconds(),
	}
	err = s.all(ctx, &d)
	d.Connections = s.connections
	if ctx.Err() != nil {
		return d, ctx.Err()
	}
	if err != nil {
		d.Stopped = err.Error()
		if !slices.ContainsFunc(d.Protocols, func(p Protocol) bool { return p.State != Failed && p.State != Silent }) {
			return d, &UnreachableError{Address: address, Err: err}
		}
	}
	return d, nil
}

func (s *surveyor) all(ctx context.Context, d *Depth) error {
	first := map[uint16]answer{} // to the first hello of each version
	for _, p := range slices.Backward(protocols[:]) {
		got, err := s.protocol(ctx, p, first)
		d.Protocols = append([]Protocol{got}, d.Protocols...)
		if err != nil {
			return err
		}
	}
	if err := s.groups(ctx, d); err != nil {
		return err
	}
	d.GroupsComplete = true
	if err := s.prime(ctx, d); err != nil {
		return err
	}
	if err := s.signature(ctx, d); err != nil {
		return err
	}
	if err := s.around(ctx, d); err != nil {
		return err
	}
	if err := s.fallback(ctx, d, first); err != nil {
		return err
	}
	return s.ssl2(ctx, d)
}

// reply is what came of one hello.
type reply struct {
	flight
	state, detail string
}

// offer makes one connection and proposes.
func (s *surveyor) offer(ctx context.Context, p proposal) (reply, error) {
	rep, err := s.try(ctx, p)
	if err == nil && rep.state == Refused && !rep.alert && rep.number == 0 {
		// Closed without a word: a refusal of some servers, or a limit on the
		// way. A second time, it is a refusal.
		rep, err = s.try(ctx, p)
	}
	return rep, err
}

func (s *surveyor) try(ctx context.Context, p proposal) (reply, error) {
	if s.connections >= MaxConnections {
		return reply{}, fmt.Errorf("%w: after %d connections", errSurvey, s.connections)
	}
	if err := s.pace(ctx); err != nil {
		return reply{}, err
	}
	hello, err := p.hello(s.sni, s.o.Random)
	if err != nil {
		return reply{}, err
	}
	s.connections++
	conn, stop, err := open(ctx, s.address, s.o)
	if err != nil {
		return reply{state: Failed, detail: err.Error()}, s.silent(fmt.Errorf("%w: %w", errSurvey, err))
	}
	defer stop()
	var f flight
	if _, err = conn.Write(hello); err == nil {
		f, err = readFlight(conn)
	}
	var netErr net.Error
	switch {
	case err == nil && f.alert:
		return reply{f, Refused, f.version(protocol{}).Detail}, nil
	case f.number != 0 && f.number != p.number: // what follows such a hello matters little
		return reply{f, Refused, "answered with " + versionName(f.number)}, nil
	case f.number != 0: // a flight that could not be read to its end agrees all the same
		return reply{flight: f, state: Offered}, nil
	case errors.As(err, &netErr) && netErr.Timeout(), ctx.Err() != nil:
		return reply{state: Silent, detail: fmt.Sprintf("no answer within %s", s.o.Timeout)},
			s.silent(fmt.Errorf("%w: %d connections were met with silence", errSurvey, maxSilences))
	case errors.Is(err, errNotTLS):
		return reply{state: NotTLS, detail: err.Error()}, nil
	}
	return reply{state: Refused, detail: "the connection was closed without an answer"}, nil
}

// silent counts what got no answer, and gives up after some.
func (s *surveyor) silent(why error) error {
	if s.silences++; s.silences < maxSilences {
		return nil
	}
	return why
}

// pace waits until the next connection may begin.
func (s *surveyor) pace(ctx context.Context) error {
	if s.interval > 0 && s.connections > 0 {
		t := time.NewTimer(time.Until(s.last.Add(s.interval)))
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	s.last = time.Now()
	return ctx.Err()
}

// protocol asks for a version with all suites, then with all but the one chosen,
// until there is none left.
func (s *surveyor) protocol(ctx context.Context, p protocol, first map[uint16]answer) (Protocol, error) {
	out := Protocol{Version: Version{Name: p.name}, Suites: []Suite{}, Complete: true, ServerOrder: None}
	for i, left := range batches(p.number) {
		if i > 0 && p.number < 0x0303 && out.State != Offered {
			break // no server takes an old version with rare suites alone
		}
		for len(left) > 0 {
			ask := proposing(p.number)
			ask.suites = append(slices.Clone(left), scsvRenegotiation)
			rep, err := s.offer(ctx, ask)
			if out.State == "" || (out.State != Offered && rep.state == Offered) {
				out.State, out.Detail, out.Suite = rep.state, rep.detail, ""
				if rep.state == Offered {
					out.Suite = suiteName(rep.suite)
				}
			}
			if err != nil {
				out.Complete = false
				return out, err
			}
			if rep.state == Silent || rep.state == Failed {
				out.Complete = false
				break
			}
			at := slices.Index(left, rep.suite)
			if rep.state != Offered || at < 0 {
				break
			}
			if _, told := first[p.number]; !told {
				first[p.number] = rep.answer
			}
			out.Suites = append(out.Suites, suiteOf(rep.suite))
			left = slices.Delete(slices.Clone(left), at, at+1)
		}
		if out.State == NotTLS {
			break
		}
	}
	return out, s.order(ctx, p, &out)
}

// order asks again with the suites that are taken, the last chosen first. Where
// ChaCha20 stands is left aside: good servers take it from a client that puts it
// first, and from no other.
func (s *surveyor) order(ctx context.Context, p protocol, out *Protocol) error {
	var taken []uint16
	for _, suite := range out.Suites {
		if !strings.Contains(suite.Name, "CHACHA20") {
			taken = append(taken, suite.ID)
		}
	}
	if len(taken) < 2 {
		return nil
	}
	out.ServerOrder = Unknown
	choice := func() (uint16, error) {
		ask := proposing(p.number)
		ask.suites = append(slices.Clone(taken), scsvRenegotiation)
		rep, err := s.offer(ctx, ask)
		if err != nil || rep.state != Offered {
			return 0, err
		}
		return rep.suite, nil
	}
	best, err := taken[0], error(nil)
	if batches(p.number).rare(taken) {
		// What was chosen first was chosen among the usual ones.
		if best, err = choice(); err != nil {
			return err
		}
	}
	slices.Reverse(taken)
	again, err := choice()
	if err != nil || best == 0 || again == 0 {
		return err
	}
	if out.ServerOrder = stand(best == again); best == again {
		at := slices.IndexFunc(out.Suites, func(s Suite) bool { return s.ID == best })
		if first := out.Suites[0]; !strings.Contains(first.Name, "CHACHA20") && at > 0 {
			chosen := out.Suites[at]
			out.Suites = slices.Insert(slices.Delete(out.Suites, at, at+1), 0, chosen)
		}
	}
	return nil
}

func stand(yes bool) string {
	if yes {
		return Yes
	}
	return No
}

// taken are the suites of a version that exchange keys in a way.
func (d Depth) taken(number uint16, exchange string) []uint16 {
	var out []uint16
	p, _ := d.Protocol(versionName(number))
	for _, s := range p.Suites {
		if s.Exchange == exchange {
			out = append(out, s.ID)
		}
	}
	return out
}

// classic is the newest version before TLS 1.3 that the server takes, 0 for none.
func (d Depth) classic() uint16 {
	for _, p := range slices.Backward(protocols[:]) {
		if got, _ := d.Protocol(p.name); p.number < 0x0304 && got.State == Offered {
			return p.number
		}
	}
	return 0
}

// classicKnown says whether the server's stand on each version before TLS 1.3 is
// known.
func (d Depth) classicKnown() bool {
	for _, p := range d.Protocols {
		if p.Name != "TLS 1.3" && (p.State == Silent || p.State == Failed) {
			return false
		}
	}
	return true
}

func (s *surveyor) groups(ctx context.Context, d *Depth) error {
	var in12, in13 []uint16
	for _, g := range groups() {
		if g.in12 {
			in12 = append(in12, g.ID)
		}
		if g.in13 {
			in13 = append(in13, g.ID)
		}
	}
	note := func(id uint16) {
		if !slices.ContainsFunc(d.Groups, func(g Group) bool { return g.ID == id }) {
			d.Groups = append(d.Groups, groupOf(id))
		}
	}
	if p, _ := d.Protocol("TLS 1.3"); p.State == Offered {
		ask := proposing(0x0304)
		ask.noShare = true
		for left := in13; len(left) > 0; {
			ask.groups = left
			rep, err := s.offer(ctx, ask)
			if err != nil {
				return err
			}
			at := slices.Index(left, rep.group)
			if rep.state != Offered || at < 0 {
				break
			}
			note(rep.group)
			left = slices.Delete(slices.Clone(left), at, at+1)
		}
	}
	number := d.classic()
	suites := d.taken(number, "ECDHE")
	if number < 0x0301 || len(suites) == 0 {
		return nil
	}
	ask := proposing(number)
	ask.suites = append(suites, scsvRenegotiation)
	var own uint16 // the group of the certificate, proposed as the last as soon as it is known
	for left := in12; len(left) > 0; {
		ask.groups = left
		if own != 0 && !slices.Contains(left, own) {
			ask.groups = append(slices.Clone(left), own)
		}
		rep, err := s.offer(ctx, ask)
		if err != nil {
			return err
		}
		if rep.state != Offered || rep.exchange == nil {
			return nil
		}
		got, err := parseAgreement(rep.exchange, "ECDHE", number)
		at := slices.Index(left, got.group)
		if err != nil || at < 0 {
			return nil // where it insists on its certificate's group, no client gets another
		}
		note(got.group)
		own = leafGroup(rep.leaf)
		left = slices.Delete(slices.Clone(left), at, at+1)
	}
	return nil
}

// prime asks for Diffie-Hellman alone, with no group that has a name.
func (s *surveyor) prime(ctx context.Context, d *Depth) error {
	for _, p := range slices.Backward(protocols[:]) {
		if p.number > 0x0303 {
			continue
		}
		suites := append(d.taken(p.number, "DHE"), anonymous(d.taken(p.number, "DH"))...)
		if len(suites) == 0 {
			continue
		}
		ask := proposing(p.number)
		ask.suites = append(suites, scsvRenegotiation)
		ask.groups = slices.DeleteFunc(ask.groups, func(g uint16) bool { return g >= 0x0100 })
		rep, err := s.offer(ctx, ask)
		if err != nil {
			return err
		}
		if got, err := parseAgreement(rep.exchange, "DHE", p.number); err == nil {
			d.DHPrime = got.prime
		}
		return nil
	}
	return nil
}

// anonymous keeps the suites in which even DH makes new keys each time.
func anonymous(ids []uint16) []uint16 {
	return slices.DeleteFunc(ids, func(id uint16) bool { return !strings.Contains(suiteName(id), "_anon_") })
}

// signature asks as a client that knows nothing but SHA-1.
func (s *surveyor) signature(ctx context.Context, d *Depth) error {
	suites := append(d.taken(0x0303, "ECDHE"), d.taken(0x0303, "DHE")...)
	if p, ok := d.Protocol("TLS 1.2"); len(suites) == 0 {
		if ok && p.Complete {
			d.SHA1Signature = None
		}
		return nil
	}
	ask := proposing(0x0303)
	ask.suites = append(suites, scsvRenegotiation)
	ask.signatures = []uint16{0x0203, 0x0201, 0x0202}
	rep, err := s.offer(ctx, ask)
	if err != nil {
		return err
	}
	switch {
	case rep.state == Refused || rep.broken:
		d.SHA1Signature = No
	case rep.state == Offered:
		if got, err := parseAgreement(rep.exchange, suiteOf(rep.suite).Exchange, 0x0303); err == nil && got.signature != 0 {
			d.SHA1Signature = stand(got.signature>>8 == 2)
		}
	}
	return nil
}

// around asks, with a hello that offers to compress, about what surrounds the
// suites.
func (s *surveyor) around(ctx context.Context, d *Depth) error {
	number := d.classic()
	if number == 0 {
		if d.classicKnown() {
			d.Renegotiation, d.MasterSecret, d.Compression, d.Heartbeat = None, None, None, None
		}
		return nil
	}
	ask := proposing(number)
	ask.compress, ask.heartbeat = true, true
	rep, err := s.offer(ctx, ask)
	if err != nil || rep.state != Offered {
		return err
	}
	d.Renegotiation, d.MasterSecret = stand(rep.has(extRenegotiation)), stand(rep.has(extMasterSecret))
	d.Compression, d.Heartbeat = stand(rep.compression != 0), stand(rep.has(extHeartbeat))
	return nil
}

// fallback proposes an older version, as a client does that has failed with the
// best: the newest of those given up, where there is one, else the second best.
func (s *surveyor) fallback(ctx context.Context, d *Depth, first map[uint16]answer) error {
	var taken []uint16
	for _, p := range slices.Backward(protocols[:]) {
		if got, _ := d.Protocol(p.name); got.State == Offered {
			taken = append(taken, p.number)
		}
	}
	if len(taken) < 2 {
		if d.classicKnown() && len(taken) == 1 {
			d.Fallback, d.Downgrade = None, None
		}
		return nil
	}
	d.Downgrade = None
	if taken[0] == 0x0304 {
		mark := "DOWNGRD\x00"
		if taken[1] == 0x0303 {
			mark = "DOWNGRD\x01"
		}
		if hello, ok := first[taken[1]]; ok {
			d.Downgrade = stand(string(hello.random[24:]) == mark)
		}
	}
	older := taken[1]
	if i := slices.IndexFunc(taken[1:], func(v uint16) bool { return v < 0x0303 }); i >= 0 {
		older = taken[1+i]
	}
	ask := proposing(older)
	ask.suites = append(ask.suites, scsvFallback)
	rep, err := s.offer(ctx, ask)
	if err != nil {
		return err
	}
	switch rep.state {
	case Refused:
		d.Fallback = Yes
	case Offered:
		d.Fallback = No
	}
	return nil
}

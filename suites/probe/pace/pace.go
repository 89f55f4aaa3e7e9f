// Package pace bounds how often the harness asks the addresses of a candidate.
// A run has one Pace, which every look from outside goes through, so that looks
// at the same time do not add up.
package pace

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"
)

// PerSecond is how many requests a host gets in a second at most: the address
// may be a production one.
const PerSecond = 10

// Rate is what a host was asked, and how often it may be.
type Rate struct {
	PerSecond float64 `json:"perSecond"` // 0: not bounded, on this machine
	Requests  int     `json:"requests"`  // of the run so far, to this host
}

// Pace keeps a distance between requests to the same host. The nil Pace keeps
// none.
type Pace struct {
	interval time.Duration

	mu    sync.Mutex
	next  map[string]time.Time // when a host may be asked again
	asked map[string]int
}

// New returns the pace of a run.
func New() *Pace { return Every(time.Second / PerSecond) }

// Every returns a pace of one request to a host in each interval.
func Every(interval time.Duration) *Pace {
	return &Pace{interval: interval, next: map[string]time.Time{}, asked: map[string]int{}}
}

// Wait waits until a host may be asked, in the order of the calls. On this
// machine there is no one to spare. The error is the context's.
func (p *Pace) Wait(ctx context.Context, host string) error {
	if p == nil {
		return ctx.Err()
	}
	return Rest(ctx, p.reserve(strings.ToLower(host)))
}

// Rest waits, or for nothing when there is nothing to wait for. The error is the
// context's.
func Rest(ctx context.Context, wait time.Duration) error {
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Pace) reserve(host string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[host]++
	if Local(host) {
		return 0
	}
	now := time.Now()
	at := p.next[host]
	if at.Before(now) {
		at = now
	}
	p.next[host] = at.Add(p.interval)
	return at.Sub(now)
}

// Of says what a host was asked so far.
func (p *Pace) Of(host string) Rate {
	if p == nil {
		return Rate{}
	}
	host = strings.ToLower(host)
	p.mu.Lock()
	defer p.mu.Unlock()
	r := Rate{Requests: p.asked[host]}
	if !Local(host) && p.interval > 0 {
		r.PerSecond = float64(time.Second) / float64(p.interval)
	}
	return r
}

// Local says whether a host is this machine.
func Local(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return (ip != nil && ip.IsLoopback()) || host == "localhost"
}

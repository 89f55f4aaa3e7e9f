package lab

import (
	"sync"
	"time"
)

// calendar says when each scenario had the candidate at work: an action in
// progress, or a page of the candidate being opened. What carries nothing of
// ours belongs to the one scenario that was at work when it began, if there was
// exactly one.
type calendar struct {
	mu    sync.Mutex
	spans []*span
}

type span struct {
	slug     string
	from, to time.Time // to is zero while it lasts
}

// begin notes that a scenario sets the candidate to work; the function that it
// returns notes the end.
func (c *calendar) begin(slug string, now func() time.Time) func() {
	s := &span{slug: slug, from: now()}
	c.mu.Lock()
	c.spans = append(c.spans, s)
	c.mu.Unlock()
	return func() {
		c.mu.Lock()
		s.to = now()
		c.mu.Unlock()
	}
}

// only names the scenario that was at work at an instant, when it was alone.
func (c *calendar) only(at time.Time) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	slug := ""
	for _, s := range c.spans {
		if at.Before(s.from) || (!s.to.IsZero() && at.After(s.to)) || s.slug == slug {
			continue
		}
		if slug != "" {
			return ""
		}
		slug = s.slug
	}
	return slug
}

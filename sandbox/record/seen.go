package record

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
)

// memo keeps what a probe's data were decoded to: many checks read one look, and the
// largest hold whole texts.
type memo struct {
	mu sync.Mutex
	of map[reflect.Type]any
}

// UnmarshalJSON reads a probe from a journal.
func (p *Probe) UnmarshalJSON(b []byte) error {
	type bare Probe
	if err := json.Unmarshal(b, (*bare)(p)); err != nil {
		return err
	}
	p.memo = &memo{of: map[reflect.Type]any{}}
	return nil
}

// Seen decodes what a probe saw. The value is shared by all who ask for it, and is not
// to be changed. What cannot be decoded is a fault of ours: it panics, which breaks the
// check off.
func Seen[T any](r Record) T {
	if r.Probe == nil {
		panic(fmt.Sprintf("record %d is no probe", r.Seq))
	}
	var out T
	m := r.Probe.memo
	if m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		if v, ok := m.of[reflect.TypeFor[T]()]; ok {
			out, _ = v.(T)
			return out
		}
	}
	if err := json.Unmarshal(r.Probe.Data, &out); err != nil {
		panic(fmt.Sprintf("read probe %s of record %d: %v", r.Probe.Kind, r.Seq, err))
	}
	if m != nil {
		m.of[reflect.TypeFor[T]()] = out
	}
	return out
}

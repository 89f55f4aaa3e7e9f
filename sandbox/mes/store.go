package mes

import (
	"slices"
	"sync"
	"time"
)

// The kinds of resource that a record holds.
const (
	kindObservation = "Observation"
	kindDevice      = "Device"
	kindOutcome     = "OperationOutcome"
	kindDocument    = "DocumentReference"
	kindAppointment = "Appointment"
)

// Resource is one resource of a patient's record, as it is given out.
type Resource struct {
	Kind    string
	ID      string
	Patient string    // handle
	Key     string    // code of an Observation, category of a document, identifier of a Device
	Low     time.Time // instant interval of the measure or document: from Low
	High    time.Time // to before High
	Device  string    // id of the Device that an Observation names
	Seeded  bool
	JSON    []byte
	Content []byte // of a document
	Media   string // of Content
	Digest  string // of Content: SHA-256 in hexadecimal
	Title   string // of a document
	Created string // of a document, as its metadata have it
	// Identifiers of a document, "system|value", and its confidentiality codes.
	Identifiers, Confidential []string
	Source                    string // of an agenda item: OID of the solution that wrote it, "" when no service did
	Named                     string // of an agenda item: "system|value" of its identifier
	Version                   int    // of an agenda item: from 1, one more at each update
}

// Store keeps resources.
type Store interface {
	// Put keeps a resource.
	Put(r Resource)
	// Replace puts a resource in the place of the one of its kind with its id.
	Replace(r Resource)
	// List gives a patient's resources of a kind, in the order in which they came.
	List(patient, kind string) []Resource
	// Find gives the resource of a kind with an id, whoever's it is.
	Find(kind, id string) (Resource, bool)
}

// Memory is a Store that forgets everything when it goes.
type Memory struct {
	mu   sync.RWMutex
	all  map[[2]string][]Resource // by patient and kind
	byID map[[2]string]Resource   // by kind and id
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{all: map[[2]string][]Resource{}, byID: map[[2]string]Resource{}}
}

// Put implements Store.
func (m *Memory) Put(r Resource) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := [2]string{r.Patient, r.Kind}
	m.all[k] = append(m.all[k], r)
	m.byID[[2]string{r.Kind, r.ID}] = r
}

// Replace implements Store: what List gave out before stays as it was.
func (m *Memory) Replace(r Resource) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := [2]string{r.Patient, r.Kind}
	all := slices.Clone(m.all[k])
	for i := range all {
		if all[i].ID == r.ID {
			all[i] = r
		}
	}
	m.all[k] = all
	m.byID[[2]string{r.Kind, r.ID}] = r
}

// List implements Store. What is returned is not written to afterwards: Put
// only appends, Replace copies.
func (m *Memory) List(patient, kind string) []Resource {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := m.all[[2]string{patient, kind}]
	return all[:len(all):len(all)]
}

// Find implements Store.
func (m *Memory) Find(kind, id string) (Resource, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	r, ok := m.byID[[2]string{kind, id}]
	return r, ok
}

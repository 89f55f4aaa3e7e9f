package mes

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"

	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// searchset is the answer of a search.
type searchset struct {
	ResourceType string        `json:"resourceType"`
	Type         string        `json:"type"`
	Total        int           `json:"total"`
	Link         []searchLink  `json:"link"`
	Entry        []searchEntry `json:"entry,omitempty"` // FHIR forbids an empty array
}

type searchLink struct {
	Relation string `json:"relation"`
	URL      string `json:"url"`
}

type searchEntry struct {
	FullURL  string          `json:"fullUrl,omitempty"`
	Resource json.RawMessage `json:"resource"`
	Search   searchMode      `json:"search"`
}

type searchMode struct {
	Mode string `json:"mode"`
}

// SearchMeasures answers a search of measures, in mode "all" or "last".
func (s *Service) SearchMeasures(x *exchange.Exchange) exchange.Answer {
	var search fhir.Search
	acc, _, out, done := s.gate(x, operation{kind: "measures", read: func(c fhir.Context) (string, string, []record.Issue) {
		if x.QueryError != nil {
			return "", "", badQuery()
		}
		var issues []record.Issue
		search, issues = s.cfg.Rules.Search(x.Query, c)
		return search.IDPe, search.Auth, issues
	}})
	if done {
		return out
	}
	found := s.measures(acc.Handle, search)
	total := len(found)
	offset, count := search.Offset, s.count(search.Count, "search")
	if search.Mode == fhir.Last {
		offset, count = 0, 1
		total = min(total, 1)
	}
	page := cut(found, offset, count)
	x.Facts.Call.Returned = len(page)
	set := searchset{ResourceType: "Bundle", Type: "searchset", Total: total, Link: s.links(x, "/Observation", offset, count, total)}
	for _, r := range page {
		set.Entry = append(set.Entry, s.entry(r, "match"))
	}
	if search.Include {
		for _, d := range s.included(acc.Handle, page) {
			set.Entry = append(set.Entry, s.entry(d, "include"))
		}
	}
	for _, o := range s.cfg.Store.List(acc.Handle, kindOutcome) {
		set.Entry = append(set.Entry, searchEntry{Resource: o.JSON, Search: searchMode{"outcome"}})
	}
	return s.searchset(set)
}

func (s *Service) searchset(set searchset) exchange.Answer {
	b, err := json.Marshal(set)
	if err != nil {
		return s.refuse(http.StatusInternalServerError, []record.Issue{{Severity: "fatal", Code: "exception", HTTP: 500, Expected: "resources that can be written"}})
	}
	return s.answer(http.StatusOK, b)
}

// measures are those of a patient that a search finds, the latest first.
func (s *Service) measures(patient string, search fhir.Search) []Resource {
	var out []Resource
	for _, r := range s.cfg.Store.List(patient, kindObservation) {
		if (search.Code == "" || r.Key == search.Code) && search.Matches(r.Low, r.High) {
			out = append(out, r)
		}
	}
	newestFirst(out)
	return out
}

// newestFirst sorts by instant, and by arrival where instants are equal, so
// that pages never overlap.
func newestFirst(list []Resource) {
	slices.Reverse(list)
	sort.SliceStable(list, func(i, j int) bool { return list[i].Low.After(list[j].Low) })
}

// included are the devices that go with a page: those that its Observations
// name and those that were seeded, each once.
func (s *Service) included(patient string, page []Resource) []Resource {
	named := map[string]bool{}
	for _, r := range page {
		named[r.Device] = true
	}
	var out []Resource
	for _, d := range s.cfg.Store.List(patient, kindDevice) {
		if named[d.ID] || d.Seeded {
			out = append(out, d)
		}
	}
	return out
}

func (s *Service) entry(r Resource, mode string) searchEntry {
	return searchEntry{FullURL: s.cfg.Base + "/" + r.Kind + "/" + r.ID, Resource: r.JSON, Search: searchMode{mode}}
}

// count is a page size within the bounds of the settings: a tolerant record may
// be asked for another.
func (s *Service) count(asked int, kind string) int {
	if asked < 1 {
		return s.cfg.Settings.Int(kind + ".count-default")
	}
	return min(asked, s.cfg.Settings.Int(kind+".count-max"))
}

func cut(list []Resource, offset, count int) []Resource {
	// A page number from outside must not overflow.
	if offset < 0 || offset > len(list) || offset*count >= len(list) {
		return nil
	}
	list = list[offset*count:]
	return list[:min(count, len(list))]
}

// links are self, next and previous; _offset is a page number.
func (s *Service) links(x *exchange.Exchange, path string, offset, count, total int) []searchLink {
	address := s.cfg.Base + path + "?"
	out := []searchLink{{"self", address + x.HTTP.URL.RawQuery}}
	at := func(n int) string {
		q := url.Values{}
		for k, v := range x.Query {
			q[k] = v
		}
		q.Set("_offset", strconv.Itoa(n))
		q.Set("_count", strconv.Itoa(count))
		return address + q.Encode()
	}
	if (offset+1)*count < total {
		out = append(out, searchLink{"next", at(offset + 1)})
	}
	if offset > 0 {
		out = append(out, searchLink{"previous", at(offset - 1)})
	}
	return out
}

func badQuery() []record.Issue {
	return []record.Issue{{Rule: "search.query", Severity: "error", Code: "invalid", HTTP: http.StatusBadRequest, Pointer: "?", Expected: "a query that can be read"}}
}

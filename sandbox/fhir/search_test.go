package fhir

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

const personQuery = "subject.identifier=urn:oid:2.25.4711%7Cidpe-0001"

func query(t testing.TB, s string) url.Values {
	t.Helper()
	q, err := url.ParseQuery(s)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestSearchesAreJudged(t *testing.T) {
	r := testRules(t)
	const span = "&date=ge2026-11-01T00:00:00Z&date=le2026-11-22T23:59:59Z"
	const weight = "code=29463-7&" + personQuery
	for says, c := range map[string]struct {
		in   string
		want []string
	}{
		"a range":                             {weight + span, nil},
		"open bounds":                         {weight + "&date=gt2026-11-01&date=lt2026-11-22", nil},
		"a range with paging":                 {weight + span + "&_count=100&_offset=3", nil},
		"a range with devices":                {weight + span + "&_include=Observation:device", nil},
		"devices as the examples write them":  {weight + span + "&_include=Observation.device", nil},
		"the last one":                        {weight + "&_sort=-date&_count=1", nil},
		"the BMI":                             {"code=39156-5&" + personQuery + span, nil},
		"no code":                             {personQuery + span, []string{"search.code/"}},
		"a code with its system":              {"code=http://loinc.org%7C29463-7&" + personQuery + span, []string{"search.code/"}},
		"an unknown code":                     {"code=718-7&" + personQuery + span, []string{"search.code/"}},
		"two codes":                           {weight + "&code=8302-2" + span, []string{"search.code/"}},
		"no subject":                          {"code=29463-7" + span, []string{"search.subject/"}},
		"an empty idPe":                       {"code=29463-7&subject.identifier=urn:oid:2.25.4711%7C" + span, []string{"search.subject/"}},
		"an idPe alone":                       {"code=29463-7&subject.identifier=idpe-0001" + span, []string{"search.subject/no-authority"}},
		"another patient":                     {"code=29463-7&subject.identifier=urn:oid:2.25.4711%7Cidpe-0002" + span, []string{"search.subject/other-patient"}},
		"another authority":                   {"code=29463-7&subject.identifier=urn:oid:2.25.1%7Cidpe-0001" + span, []string{"search.subject/other-authority"}},
		"the parameter of an older version":   {"code=29463-7&patient=1" + span, []string{"search.subject/", "search.unknown-parameter/"}},
		"one bound":                           {weight + "&date=ge2026-11-01", []string{"search.date/"}},
		"two lower bounds":                    {weight + "&date=ge2026-11-01&date=gt2026-11-02", []string{"search.date/"}},
		"three bounds":                        {weight + "&date=ge2026-11-01&date=le2026-11-02&date=lt2026-11-03", []string{"search.date/"}},
		"a date without prefix":               {weight + "&date=2026-11-01&date=le2026-11-02", []string{"search.date/"}},
		"a date that is none":                 {weight + "&date=ge01/11/2026&date=le2026-11-02", []string{"search.date/"}},
		"an empty date":                       {weight + "&date=", []string{"search.date/"}},
		"a plus sign read as a space":         {weight + "&date=ge2026-11-01T00:00:00+01:00&date=le2026-11-02", []string{"search.date/"}},
		"a page of none":                      {weight + span + "&_count=0", []string{"search.count/"}},
		"a page over the most":                {weight + span + "&_count=101", []string{"search.count/"}},
		"a page size that is no number":       {weight + span + "&_count=+5", []string{"search.count/"}},
		"a page number below zero":            {weight + span + "&_offset=-1", []string{"search.offset/"}},
		"no mode":                             {weight, []string{"search.mode/"}},
		"one without sorting":                 {weight + "&_count=1", []string{"search.mode/"}},
		"another sorting":                     {weight + "&_sort=date&_count=1", []string{"search.sort/"}},
		"the last one without count":          {weight + "&_sort=-date", []string{"search.sort/"}},
		"the last two":                        {weight + "&_sort=-date&_count=2", []string{"search.sort/"}},
		"the last one with paging":            {weight + "&_sort=-date&_count=1&_offset=0", []string{"search.offset/last"}},
		"a parameter that does not exist":     {weight + span + "&value-quantity=72", []string{"search.unknown-parameter/"}},
		"an inclusion that does not exist":    {weight + span + "&_include=Observation:subject", []string{"search.unknown-parameter/"}},
		"an identifier with another modifier": {"code=29463-7&subject:identifier=urn:oid:2.25.4711%7Cidpe-0001" + span, []string{"search.subject/", "search.unknown-parameter/"}},
	} {
		t.Run(says, func(t *testing.T) {
			_, issues := r.Search(query(t, c.in), testContext())
			sameRules(t, issues, c.want)
			for _, i := range issues {
				if !strings.HasPrefix(i.Pointer, "?") {
					t.Errorf("no parameter: %+v", i)
				}
			}
		})
	}
}

func TestASearchIsUnderstood(t *testing.T) {
	r := testRules(t)
	s, _ := r.Search(query(t, "code=29463-7&"+personQuery+"&date=ge2026-11-01&date=lt2026-11-22T10:00:00Z&_offset=2&_include=Observation:device"), testContext())
	if s.Mode != All || s.Kind != "weight" || s.IDPe != testIDPe || s.Auth != testAuth || s.Offset != 2 || s.Count != 50 || !s.Include {
		t.Errorf("%+v", s)
	}
	if s.From.Prefix != "ge" || !s.From.Low.Equal(time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC)) {
		t.Errorf("a day without offset is one of Paris: %+v", s.From)
	}
	if s, _ := r.Search(query(t, "code=29463-7&"+personQuery+"&_sort=-date&_count=1"), testContext()); s.Mode != Last || s.Count != 1 || s.From != nil {
		t.Errorf("%+v", s)
	}
}

func TestBoundsCompareAsFHIRSays(t *testing.T) {
	r := testRules(t)
	for _, c := range []struct {
		bounds, value string
		want          bool
	}{
		{"date=ge2026-11-22T10:00:00Z&date=le2026-11-22T10:00:00Z", "2026-11-22T11:00:00+01:00", true},
		{"date=gt2026-11-22T10:00:00Z&date=lt2026-11-23", "2026-11-22T10:00:00Z", false},
		{"date=gt2026-11-22T10:00:00Z&date=lt2026-11-23", "2026-11-22T10:00:01Z", true},
		{"date=ge2026-11-01&date=lt2026-11-22", "2026-11-22T00:00:00+01:00", false},
		{"date=ge2026-11-01&date=lt2026-11-22", "2026-11-21T23:59:59+01:00", true},
		{"date=ge2026-11-01&date=le2026-11-22", "2026-11-22T23:59:59+01:00", true},
		{"date=ge2026-11-01&date=le2026-11-22", "2026-11-23T00:00:00+01:00", false},
		{"date=ge2026-11-22T10:00:00Z&date=le2026-11-23", "2026-11-22", true}, // a part of the day lies beyond
		{"date=ge2026-11-22T10:00:00.5Z&date=le2026-11-23", "2026-11-22T10:00:00.4Z", false},
		{"date=ge2026&date=le2026", "2026-07-14T12:00:00Z", true},
		{"date=ge2026-10-25T02:30:00%2B01:00&date=le2026-10-26", "2026-10-25T02:30:00+02:00", false}, // the hour that happens twice
	} {
		s, issues := r.Search(query(t, "code=29463-7&"+personQuery+"&"+c.bounds), testContext())
		low, high, err := r.Period(c.value)
		if len(issues) != 0 || err != nil {
			t.Fatal(issues, err)
		}
		if got := s.Matches(low, high); got != c.want {
			t.Errorf("%s, %s: got %v", c.bounds, c.value, got)
		}
	}
}

func TestDatesAreReadAsFHIRWritesThem(t *testing.T) {
	r := testRules(t)
	for _, s := range []string{
		"2026", "2026-02", "2024-02-29", "2026-11-22T08:30Z", "2026-11-22T08:30:00Z", "2026-11-22T08:30:00.123456789+14:00", "2026-11-22T08:30:00",
	} {
		if low, high, err := r.Period(s); err != nil || !low.Before(high) {
			t.Errorf("%s: %v %v %v", s, low, high, err)
		}
	}
	for _, s := range []string{
		"", "26", "2026-2", "2026-02-29", "2026-13-01", "2026-11-22T8:30:00Z", "2026-11-22T08:30:00,5Z", "2026-11-22T08:30:00.Z",
		"2026-11-22 08:30:00Z", "2026-11-22T24:00:00Z", "2026-11-22T08:30:00+15:00", "2026-11-22T08:30:00+01", "2026-11-22Z", "2026-11-22T08Z", "+026", "2026-11-22T08:30:00.1234567890Z",
	} {
		if low, _, err := r.Period(s); err == nil {
			t.Errorf("%q is read as %v", s, low)
		}
	}
}

func TestSearchesOfDocumentsAreJudged(t *testing.T) {
	r := testRules(t)
	const who = "patient:identifier=urn:oid:2.25.4711%7Cidpe-0001"
	system := url.QueryEscape(r.set.String("document.category-system") + "|CPT_REND")
	for says, c := range map[string]struct {
		in   string
		want []string
	}{
		"all":                        {who, nil},
		"a category":                 {who + "&category=CPT_REND", nil},
		"a category with its system": {who + "&category=" + system, nil},
		"since a day":                {who + "&period-start=ge2026-11-01", nil},
		"a page":                     {who + "&_count=10&_offset=1", nil},
		"nobody":                     {"category=CPT_REND", []string{"docsearch.patient/"}},
		"PDSm's parameter":           {"patient.identifier=urn:oid:2.25.4711%7Cidpe-0001", []string{"docsearch.patient/", "docsearch.unknown-parameter/"}},
		"an idPe alone":              {"patient:identifier=idpe-0001", []string{"docsearch.patient/no-authority"}},
		"another patient":            {"patient:identifier=urn:oid:2.25.4711%7Cidpe-0002", []string{"docsearch.patient/other-patient"}},
		"another authority":          {"patient:identifier=urn:oid:2.25.1%7Cidpe-0001", []string{"docsearch.patient/other-authority"}},
		"an unknown category":        {who + "&category=11", []string{"docsearch.category/"}},
		"a foreign category":         {who + "&category=urn:x%7CCPT_REND", []string{"docsearch.category/"}},
		"a date that is none":        {who + "&period-start=geX", []string{"docsearch.date/"}},
		"a page over the most":       {who + "&_count=500", []string{"docsearch.count/"}},
		"a type":                     {who + "&type=x", []string{"docsearch.unknown-parameter/"}},
	} {
		t.Run(says, func(t *testing.T) {
			s, issues := r.DocumentSearch(query(t, c.in), testContext())
			sameRules(t, issues, c.want)
			if c.want == nil && (s.IDPe != testIDPe || s.Auth != testAuth) {
				t.Errorf("%+v", s)
			}
		})
	}
}

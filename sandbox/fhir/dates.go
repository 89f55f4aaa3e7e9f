package fhir

import (
	"fmt"
	"strings"
	"time"
)

// date is the interval [low, high) that a FHIR date, dateTime or instant means.
type date struct {
	low, high time.Time
	offset    bool // the text has a time and an offset
}

// readDate reads a FHIR date, dateTime or instant. Minutes without seconds and
// a missing offset are read too: searches may leave out both (FHIR R4
// §3.1.1.4.7); a date without offset is one of the zone.
func readDate(s string, zone *time.Location) (date, error) {
	wrong := fmt.Errorf("read date: %q is not a FHIR date", brief(s))
	if len(s) > len("2006-01-02T15:04:05.123456789+14:00") {
		return date{}, wrong
	}
	body, offset := s, ""
	if strings.Contains(s, "T") {
		if b, ok := strings.CutSuffix(s, "Z"); ok {
			body, offset = b, "Z07:00"
		} else if n := len(s) - len("+00:00"); n > 0 && (s[n] == '+' || s[n] == '-') && form(s[n+1:]) == "00:00" && s[n+1:] <= "14:00" {
			body, offset = s[:n], "Z07:00"
		}
	}
	whole, fraction, fractional := strings.Cut(body, ".")
	layout, next := layoutOf(form(whole))
	if layout == "" || offset != "" && !strings.Contains(layout, "T") {
		return date{}, wrong
	}
	if fractional {
		if layout != "2006-01-02T15:04:05" || form(fraction) != strings.Repeat("0", len(fraction)) || fraction == "" || len(fraction) > 9 {
			return date{}, wrong
		}
		step := time.Second
		for range fraction {
			step /= 10
		}
		next = func(t time.Time) time.Time { return t.Add(step) }
	}
	low, err := time.ParseInLocation(layout+offset, s, zone)
	if err != nil {
		return date{}, wrong
	}
	return date{low: low, high: next(low), offset: offset != ""}, nil
}

// form replaces the digits of a short text by zeros. time.Parse is laxer than
// FHIR (one-digit hours, decimal commas), so the form is compared first.
func form(s string) string {
	b := []byte(s)
	for i, c := range b {
		if '0' <= c && c <= '9' {
			b[i] = '0'
		}
	}
	return string(b)
}

// layoutOf returns the layout of a form, and how far its precision reaches.
func layoutOf(form string) (layout string, next func(time.Time) time.Time) {
	switch form {
	case "0000":
		return "2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }
	case "0000-00":
		return "2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }
	case "0000-00-00":
		return "2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }
	case "0000-00-00T00:00":
		return "2006-01-02T15:04", func(t time.Time) time.Time { return t.Add(time.Minute) }
	case "0000-00-00T00:00:00":
		return "2006-01-02T15:04:05", func(t time.Time) time.Time { return t.Add(time.Second) }
	}
	return "", nil
}

package fault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// Where is what an answer may have to name.
type Where struct {
	Elsewhere string    // address under another host name, without a slash at the end
	Clear     string    // address of the sandbox without TLS, without a slash at the end
	Now       time.Time // by the space's clock
}

// complete gives a fault the values that it leaves out.
func complete(f control.Fault) control.Fault {
	switch f.Kind {
	case control.FaultPage:
		if f.Status == 0 {
			f.Status = http.StatusOK
		}
	case control.FaultRedirect, control.FaultClear:
		if f.Status == 0 {
			f.Status = http.StatusFound
		}
	case control.FaultHuge:
		if f.Bytes == 0 {
			f.Bytes = 32 << 20
		}
	}
	return f
}

// checkKind refuses a kind of fault that is not known, or lacks what it needs.
func checkKind(f control.Fault) error {
	switch f.Kind {
	case control.FaultStatus:
		if f.Status < 400 || f.Status > 599 {
			return fmt.Errorf("status is %d, a fault answers between 400 and 599", f.Status)
		}
	case control.FaultPage:
		if f.Status != http.StatusOK && (f.Status < 400 || f.Status > 599) {
			return fmt.Errorf("status is %d, a page comes with 200, or between 400 and 599", f.Status)
		}
	case control.FaultRedirect, control.FaultClear:
		switch f.Status {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		default:
			return fmt.Errorf("status is %d, a redirect is 301, 302, 303, 307 or 308", f.Status)
		}
	case control.FaultLink:
		if f.Route != record.RouteSearchMeasures && f.Route != record.RouteSearchDocuments {
			return fmt.Errorf("route %q has no next link: a fault of kind link is for a search", f.Route)
		}
	case control.FaultDelay, control.FaultSlow:
		if f.Millis < 1 || f.Millis > maxMillis {
			return fmt.Errorf("millis is %d, a delay is between 1 and %d", f.Millis, maxMillis)
		}
	case control.FaultHuge:
		if f.Bytes < 1 || f.Bytes > maxBytes {
			return fmt.Errorf("bytes is %d, a huge answer has between 1 and %d", f.Bytes, maxBytes)
		}
	case control.FaultHang, control.FaultCut, control.FaultDrop, control.FaultEmpty, control.FaultMalformed, control.FaultMislabelled:
	default:
		return fmt.Errorf("there is no kind of fault %q", f.Kind)
	}
	return nil
}

// retryAfter says when to come back, in seconds or as a date. A date has whole
// seconds only: it is the next one that is at least half a second short of the
// delay, so that a wait of one second stays near one.
func retryAfter(h http.Header, f control.Fault, now time.Time) {
	switch {
	case f.RetryAfter == 0:
	case f.RetryDate:
		at := now.Add(time.Duration(f.RetryAfter)*time.Second - time.Second/2)
		h.Set("Retry-After", at.Add(time.Second-1).Truncate(time.Second).UTC().Format(http.TimeFormat))
	default:
		h.Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
}

// page is what stands in the way of an API: the sign-in of a network, or a
// gateway's own message.
func page(f control.Fault) []byte {
	title := "Connexion au réseau"
	if f.Status != http.StatusOK {
		title = strconv.Itoa(f.Status) + " " + http.StatusText(f.Status)
	}
	return []byte("<!doctype html>\n<html lang=\"fr\"><head><meta charset=\"utf-8\"><title>" + title + "</title></head><body><h1>" + title + "</h1><p>" + f.ID + "</p></body></html>\n")
}

// foreignNext makes the next link of a searchset lead to another host. A
// searchset without one is given one.
func foreignNext(usual exchange.Answer, to string) exchange.Answer {
	var set map[string]json.RawMessage
	if json.Unmarshal(usual.Body, &set) != nil {
		return usual
	}
	var links []map[string]string
	if json.Unmarshal(set["link"], &links) != nil {
		return usual
	}
	found := false
	for _, l := range links {
		if l["relation"] == "next" {
			l["url"], found = to, true
		}
	}
	if !found {
		links = append(links, map[string]string{"relation": "next", "url": to})
	}
	b, err := marshal(links)
	if err != nil {
		return usual
	}
	set["link"] = b
	if b, err = marshal(set); err != nil {
		return usual
	}
	usual.Body = b
	return usual
}

// marshal writes JSON without escaping what stands in addresses.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

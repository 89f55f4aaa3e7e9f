package fhir

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// Feed reads and judges a measure feed: a transaction Bundle that creates one
// Observation and at most one Device.
func (r *Rules) Feed(raw []byte, c Context) (Feed, []record.Issue) {
	var f Feed
	p := &report{r: r}
	if limit := r.set.Int("measure.max-bytes"); len(raw) > limit {
		p.add("feed.json", "too-large", "", fmt.Sprintf("at most %d bytes", limit), strconv.Itoa(len(raw)))
		return f, p.list
	}
	v, err := Decode(raw)
	if err != nil {
		pointer, what := asSyntax(err)
		p.add("feed.json", "", pointer, "JSON in UTF-8 without repeated members", what)
		return f, p.list
	}
	bundle, _ := v.(map[string]any)
	if bundle == nil || text(bundle, "resourceType") != "Bundle" {
		p.add("feed.json", "no-bundle", "/resourceType", "Bundle", show(bundle["resourceType"]))
		return f, p.list
	}
	if text(bundle, "type") != "transaction" {
		p.add("feed.bundle-type", "", "/type", "transaction", show(bundle["type"]))
	}
	var observations, devices, others int
	observationAt, deviceAt := "", ""
	for i, entry := range list(bundle, "entry") {
		at := "/entry/" + strconv.Itoa(i)
		resource := object(entry, "resource")
		name := text(resource, "resourceType")
		if name != observationWord && name != deviceResource {
			others++
			p.add("feed.entries", "other-resource", at+"/resource/resourceType", "Observation or Device", show(resource["resourceType"]))
			continue
		}
		p.request(entry, at, name)
		if name == deviceResource {
			if devices++; devices == 1 {
				f.Device, deviceAt = resource, at
				f.IfNoneExist = text(object(entry, "request"), "ifNoneExist")
			}
			continue
		}
		if observations++; observations == 1 {
			f.Observation, observationAt = resource, at
			f.FullURL = text(entry, "fullUrl")
		}
	}
	if observations != 1 && (others == 0 || observations > 1) {
		p.add("feed.entries", "", "/entry", "exactly one Observation", strconv.Itoa(observations))
	}
	if devices > 1 {
		p.add("feed.entries", "", "/entry", "at most one Device", strconv.Itoa(devices))
	}
	if f.Observation != nil {
		if f.FullURL == "" {
			p.add("feed.full-url", "", observationAt+"/fullUrl", "the address of the entry, as a UUID", "nothing")
		}
		k := p.observation(f.Observation, observationAt+"/resource", c, true)
		if k != nil {
			f.Kind = k.Kind
		}
		id := object(object(f.Observation, "subject"), "identifier")
		f.RequestIDPe, f.RequestAuth = text(id, "value"), text(id, "system")
		p.link(f, observationAt+"/resource/device")
	}
	if f.Device != nil {
		p.device(&f, deviceAt, c)
	}
	p.shape("Bundle", bundle, "", "feed.json", "shape", map[string]string{"type": "feed.bundle-type"})
	return f, p.list
}

// request judges what an entry asks to do with its resource.
func (p *report) request(entry any, at, resource string) {
	req := object(entry, "request")
	if m := text(req, "method"); m != "POST" {
		p.add("feed.method", "", at+"/request/method", "POST", show(req["method"]))
	}
	if u := text(req, "url"); u != resource {
		p.add("feed.request-url", "", at+"/request/url", resource, show(req["url"]))
	}
}

// link judges Observation.device against the Device of the bundle: the
// reference is Device/ and the Device's own id.
func (p *report) link(f Feed, at string) {
	ref, present := f.Observation["device"]
	got := text(ref, "reference")
	switch {
	case f.Device == nil && present:
		p.add("feed.device-link", "", at, "a Device in the same bundle", "none")
	case f.Device == nil:
	case text(f.Device, "id") == "":
		p.add("feed.device-link", "", at+"/reference", "Device/ and the id of the Device of the bundle", "a Device without id")
	case got != "Device/"+text(f.Device, "id"):
		p.add("feed.device-link", "", at+"/reference", "Device/"+text(f.Device, "id"), show(object(f.Observation, "device")["reference"]))
	}
}

// device judges the Device entry.
func (p *report) device(f *Feed, at string, c Context) {
	d := f.Device
	res := at + "/resource"
	want := p.r.set.String("measure.device-profile")
	found := false
	for _, x := range list(object(d, "meta"), "profile") {
		s, _ := x.(string)
		found = found || canonical(s) == want
	}
	if !found {
		p.add("feed.device-profile", "", res+"/meta/profile", want, show(object(d, "meta")["profile"]))
	}
	p.ifNoneExist(f, at, c)
	if !hasCoding(d["type"], mdc, func(code string) bool { return code == deviceType }) {
		p.add("feed.device-type", "", res+"/type", mdc+"|"+deviceType, showCodes(d["type"]))
	}
	special := false
	for _, s := range list(d, "specialization") {
		m, _ := s.(map[string]any)
		special = special || hasCoding(m["systemType"], mdc, func(code string) bool { return p.r.cat.specializations[code] != "" })
	}
	if !special {
		p.add("feed.device-specialization", "", res+"/specialization", "a device specialisation of "+mdc, show(d["specialization"]))
	}
	p.shape(deviceResource, d, res, "feed.json", "shape", map[string]string{
		"type": "feed.device-type", "specialization": "feed.device-specialization",
	})
}

// ifNoneExist judges the condition under which a Device is created. The form is
// that of the ANS guide, whose own expression nests classes in a way that RE2
// reads differently; it is rewritten here.
func (p *report) ifNoneExist(f *Feed, at string, c Context) {
	at += "/request/ifNoneExist"
	// A bar may be percent-encoded: the value is a query string.
	value := f.IfNoneExist
	if u, err := url.PathUnescape(value); err == nil {
		value = u
	}
	m := p.r.ifNoneExist.FindStringSubmatch(value)
	if m == nil {
		p.add("feed.if-none-exist", "", at, "identifier=urn:oid:OID|ID of the device", show(f.IfNoneExist))
		return
	}
	f.IfNoneExist = value
	own := false
	for _, x := range list(f.Device, "identifier") {
		own = own || text(x, "system") == "urn:oid:"+m[1] && text(x, "value") == m[2]
	}
	if !own {
		p.add("feed.if-none-exist", "other-identifier", at, "one of the Device's own identifiers", show(value))
	}
	if c.OID != "" && !underOID(m[1], c.OID) {
		p.add("feed.if-none-exist", "other-publisher", at, "an OID under "+c.OID, m[1])
	}
}

func ifNoneExistForm() *regexp.Regexp {
	return regexp.MustCompile(`^identifier=urn:oid:([0-9]+(?:\.[0-9]+)+)\|([A-Za-z0-9]+(?:-[A-Za-z0-9]+)*)$`)
}

// underOID says whether oid is root or one of its sub-OIDs.
func underOID(oid, root string) bool { return oid == root || strings.HasPrefix(oid, root+".") }

// canonical drops the version of a canonical URL.
func canonical(s string) string {
	s, _, _ = strings.Cut(s, "|")
	return s
}

// hasCoding says whether a CodeableConcept has a coding of the system whose code
// is accepted.
func hasCoding(v any, system string, accept func(code string) bool) bool {
	for _, c := range list(v, "coding") {
		if text(c, "system") == system && accept(text(c, "code")) {
			return true
		}
	}
	return false
}

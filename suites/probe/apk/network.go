package apk

import (
	"fmt"
	"slices"
	"strings"
)

// Network is what the application lets its connections do (its network security
// configuration), with what Android holds where it says nothing.
type Network struct {
	Named   bool         `json:"named"` // the manifest names a configuration
	Whole   bool         `json:"whole"` // all that decides was read
	Files   []string     `json:"files"`
	Base    Rule         `json:"base"` // for addresses that no domain is said of
	Domains []DomainRule `json:"domains"`
}

// Rule is what holds for some connections.
type Rule struct {
	Cleartext bool     `json:"cleartext"` // connections that nothing protects are let through
	UserCAs   bool     `json:"userCAs"`   // authorities that were added to the phone are trusted
	Override  bool     `json:"override"`  // … even where a key is pinned
	Pins      int      `json:"pins"`
	Expires   string   `json:"expires"` // of the pins, as written
	Anchors   []string `json:"anchors"` // "system", "user", or a resource
}

// DomainRule is what holds for some domains.
type DomainRule struct {
	Rule
	Names      []string `json:"names"`
	Subdomains bool     `json:"subdomains"` // of at least one of them
}

// The levels of the API at which the defaults changed.
const (
	cleartextOffAt = 28
	userCAsOffAt   = 24
)

// defaults is what holds where the application says nothing, for the level that
// it targets (reference of NetworkSecurityConfig, createBaseConfig).
func (m *reading) defaults() Rule {
	r := Rule{
		Cleartext: m.res.SDK.Target < cleartextOffAt,
		UserCAs:   m.res.SDK.Target < userCAsOffAt,
		Anchors:   []string{},
	}
	switch m.res.Application.Cleartext {
	case Yes, Unknown:
		r.Cleartext = true
	case No:
		r.Cleartext = false
	}
	return r
}

// network reads the configuration that the manifest names. Where it names several
// files, one for each kind of phone, the worst of them counts.
func (m *reading) network(e *element) {
	n := &m.res.Network
	n.Base = m.defaults()
	roots, files, named := m.resource(e, attrNetwork)
	n.Named, n.Files = named, files
	if !named {
		n.Whole = m.res.Application.Cleartext != Unknown
		return
	}
	n.Whole = len(files) > 0 && len(roots) == len(files)
	var base *Rule
	for _, root := range roots {
		// A configuration takes the place of usesCleartextTraffic where Android
		// reads it (from 24 on).
		rule := m.defaults()
		rule.Cleartext = m.res.SDK.Target < cleartextOffAt
		for _, c := range root.all("base-config") {
			m.rule(c, &rule)
		}
		if base == nil {
			base = &rule
		} else {
			base.Cleartext, base.UserCAs = base.Cleartext || rule.Cleartext, base.UserCAs || rule.UserCAs
		}
		for _, c := range root.all("domain-config") {
			m.domain(c, rule)
		}
	}
	if base != nil {
		n.Base = *base
	}
}

func (m *reading) domain(e *element, above Rule) {
	rule := DomainRule{Rule: above, Names: []string{}}
	rule.Pins, rule.Expires = above.Pins, above.Expires
	m.rule(e, &rule.Rule)
	for _, d := range e.all("domain") {
		rule.Names = noted(rule.Names, strings.ToLower(strings.TrimSpace(d.text)))
		if a, ok := d.plain("includeSubdomains"); ok {
			yes, _ := a.truth()
			rule.Subdomains = rule.Subdomains || yes
		}
	}
	if len(m.res.Network.Domains) < maxList {
		m.res.Network.Domains = append(m.res.Network.Domains, rule)
	}
	for _, c := range e.all("domain-config") {
		m.domain(c, rule.Rule)
	}
}

// rule lays what an element says over what holds above it.
func (m *reading) rule(e *element, r *Rule) {
	if a, ok := e.plain("cleartextTrafficPermitted"); ok {
		switch m.truth(e.name+" cleartextTrafficPermitted", a, true) {
		case Yes:
			r.Cleartext = true
		case No:
			r.Cleartext = false
		default:
			m.res.Network.Whole = false
		}
	}
	for i, anchors := range e.all("trust-anchors") {
		if i == 0 {
			r.Anchors, r.UserCAs, r.Override = []string{}, false, false
		}
		for _, c := range anchors.all("certificates") {
			src, _ := c.plain("src")
			name := src.text
			if src.refers() {
				name = fmt.Sprintf("@%#08x", src.data)
			}
			r.Anchors = noted(r.Anchors, name)
			if name != "user" {
				continue
			}
			r.UserCAs = true
			if o, ok := c.plain("overridePins"); ok {
				r.Override, _ = o.truth()
			}
		}
	}
	for i, set := range e.all("pin-set") {
		if i == 0 {
			r.Pins, r.Expires = 0, ""
		}
		if a, ok := set.plain("expiration"); ok {
			r.Expires = a.text
		}
		r.Pins += len(set.all("pin"))
	}
}

// resource reads the files of a resource that an attribute names.
func (m *reading) resource(e *element, id uint32) (roots []*element, files []string, named bool) {
	files = []string{}
	a, ok := e.android(id)
	if !ok {
		return nil, files, false
	}
	for _, v := range m.resolved(a) {
		if v.kind == typeString && v.text != "" {
			files = noted(files, v.text)
		}
	}
	if len(files) > maxRuleFiles {
		m.unread(fmt.Sprintf("%s: more than %d files", attributeName(id), maxRuleFiles))
		files = files[:maxRuleFiles]
	}
	for _, f := range files {
		raw, err := m.archive.file(f, maxRules)
		if err == nil {
			var root *element
			if root, err = readXML(raw); err == nil {
				roots = append(roots, root)
			}
		}
		if err != nil {
			m.unread(fmt.Sprintf("%s: %v", f, err))
		}
	}
	if len(files) == 0 {
		m.unread(attributeName(id) + ": a reference that leads nowhere")
	}
	return roots, files, true
}

// rules reads the rules of backups that an attribute names.
func (m *reading) rules(e *element, id uint32) Rules {
	out := Rules{Includes: []string{}, Excludes: []string{}}
	if a, ok := e.android(id); ok && !a.refers() {
		// fullBackupContent may also be a truth, which names no file.
		out.Files, out.Whole = []string{}, true
		return out
	}
	roots, files, named := m.resource(e, id)
	out.Named, out.Files, out.Whole = named, files, !named || len(files) > 0 && len(roots) == len(files)
	for _, root := range roots {
		m.backups(root, "", &out)
	}
	return out
}

func (m *reading) backups(e *element, where string, out *Rules) {
	for _, c := range e.children {
		switch c.name {
		case "include", "exclude":
			domain, _ := c.plain("domain")
			path, _ := c.plain("path")
			line := strings.TrimSpace(where + " " + domain.text + " " + path.text)
			list := &out.Includes
			if c.name == "exclude" {
				list = &out.Excludes
			}
			if len(*list) < maxList && !slices.Contains(*list, line) {
				*list = append(*list, line)
			}
		case "cloud-backup", "device-transfer", "cross-platform-transfer":
			if where == "" {
				m.backups(c, c.name, out)
			}
		}
	}
}

package cda

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Check judges a document; it finds nothing wrong in one that keeps every rule.
func Check(d Document, c Context) []Finding {
	k := &checker{doc: d.clinical, context: c, kind: d.Kind()}
	k.declarations()
	k.identity()
	k.people()
	k.events()
	k.replacement()
	k.body()
	k.everywhere()
	return k.found
}

type checker struct {
	doc     *node
	context Context
	kind    Kind
	found   []Finding
}

// add notes a finding at an element; where the element is missing, at the place
// where it would stand.
func (k *checker) add(rule string, at *node, below, actual string) {
	path := at.path()
	if below != "" {
		path += "/" + below
	}
	k.found = append(k.found, Finding{rule, path, at.line, actual})
}

// one gives the only element of a name, nil when there is not exactly one.
func (k *checker) one(rule, name string) *node {
	list := k.doc.all(name)
	if len(list) == 1 {
		return list[0]
	}
	actual := "—"
	if len(list) > 1 {
		actual = fmt.Sprintf("%d × %s", len(list), name)
	}
	k.add(rule, k.doc, name, actual)
	return nil
}

// null says whether an element says itself why it has no value.
func null(n *node) bool { return n.attr("nullFlavor") != "" }

func coded(n *node) string { return quote(n.attr("codeSystem") + " " + n.attr("code")) }

// declarations judges what the document says of itself.
func (k *checker) declarations() {
	if n := k.one(RuleRealm, "realmCode"); n != nil && n.attr("code") != "FR" {
		k.add(RuleRealm, n, "", quote(n.attr("code")))
	}
	if n := k.one(RuleTypeID, "typeId"); n != nil && (n.attr("root") != "2.16.840.1.113883.1.3" || n.attr("extension") != "POCD_HD000040") {
		k.add(RuleTypeID, n, "", quote(n.attr("root")+" / "+n.attr("extension")))
	}
	k.templates()
	if n := k.one(RuleID, "id"); n != nil && n.attr("root") == "" {
		k.add(RuleID, n, "", "—")
	}
	if n := k.one(RuleCode, "code"); n != nil {
		if n.attr("code") == "" || n.attr("codeSystem") == "" {
			k.add(RuleCode, n, "", coded(n))
		} else {
			k.inSet(SetTypes, n)
		}
	}
	if n := k.one(RuleTitle, "title"); n != nil && n.words() == "" {
		k.add(RuleTitle, n, "", "—")
	}
	if n := k.one(RuleTime, "effectiveTime"); n != nil && !isTime(n.attr("value")) {
		k.add(RuleTime, n, "", quote(n.attr("value")))
	}
	if n := k.one(RuleConfidentiality, "confidentialityCode"); n != nil &&
		(n.attr("codeSystem") != "2.16.840.1.113883.5.25" || !slices.Contains([]string{"L", "M", "N", "R", "U", "V"}, n.attr("code"))) {
		k.add(RuleConfidentiality, n, "", coded(n))
	}
	if n := k.one(RuleLanguage, "languageCode"); n != nil && !regexp.MustCompile(`^[a-z]{2}-[A-Z]{2}$`).MatchString(n.attr("code")) {
		k.add(RuleLanguage, n, "", quote(n.attr("code")))
	}
	if n := k.one(RuleSetID, "setId"); n != nil && n.attr("root") == "" {
		k.add(RuleSetID, n, "", "—")
	}
	if n := k.one(RuleVersion, "versionNumber"); n != nil {
		if _, ok := version(n); !ok {
			k.add(RuleVersion, n, "", quote(n.attr("value")))
		}
	}
}

func (k *checker) templates() {
	const hl7, cisis, xdsSD = "2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1", "1.3.6.1.4.1.19376.1.2.20"
	var roots []string
	for _, n := range k.doc.all("templateId") {
		roots = append(roots, n.attr("root"))
	}
	for _, want := range []struct{ rule, root string }{{RuleTemplateHL7, hl7}, {RuleTemplateCISIS, cisis}} {
		if !slices.Contains(roots, want.root) {
			k.add(want.rule, k.doc, "templateId", quote(strings.Join(roots, ", ")))
		}
	}
	volets := 0
	for _, r := range roots {
		if r != hl7 && r != cisis {
			volets++
		}
	}
	switch {
	case k.kind == N1 && (len(roots) != 3 || !slices.Contains(roots, xdsSD)),
		k.kind == N3 && volets == 0:
		k.add(RuleTemplateBody, k.doc, "templateId", quote(strings.Join(roots, ", ")))
	}
}

// inSet asks a value set for a code, where the set is at hand.
func (k *checker) inSet(set string, n *node) {
	holds := k.context.Sets[set]
	if holds == nil || n == nil || null(n) || n.attr("code") == "" {
		return
	}
	if !holds(n.attr("codeSystem"), n.attr("code")) {
		k.add(RuleValueSet, n, "", set+": "+coded(n))
	}
}

// isTime says whether a text is a point in time of HL7: a day at least, and an
// offset where there is an hour.
func isTime(s string) bool {
	return regexp.MustCompile(`^\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(([01]\d|2[0-3])[0-5]\d([0-5]\d(\.\d{1,4})?)?[+-]\d{4})?$`).MatchString(s)
}

// hasTime says whether an element gives a time, by a value or by the bounds of
// an interval, or says why not.
func hasTime(n *node) bool {
	return n != nil && (n.attr("value") != "" || null(n) || n.first("low") != nil || n.first("high") != nil)
}

// named says whether a person has a family name.
func named(person *node) bool { return person.first("name", "family").words() != "" }

// identified says whether a role has an identifier, or says why not.
func identified(role *node) bool {
	id := role.first("id")
	return id != nil && (id.attr("root") != "" || null(id))
}

// people judges who wrote, keeps and signs the document.
func (k *checker) people() {
	authors := k.doc.all("author")
	if len(authors) == 0 {
		k.add(RuleAuthor, k.doc, "author", "—")
	}
	for _, a := range authors {
		role := a.first("assignedAuthor")
		device := role.first("assignedAuthoringDevice")
		switch {
		case !hasTime(a.first("time")):
			k.add(RuleAuthor, a, "time", "—")
		case role == nil:
			k.add(RuleAuthor, a, "assignedAuthor", "—")
		case !identified(role):
			k.add(RuleAuthor, role, "id", "—")
		case device != nil && device.first("softwareName").words()+device.first("manufacturerModelName").words() == "":
			k.add(RuleAuthor, device, "softwareName", "—")
		case device == nil && !named(role.first("assignedPerson")):
			k.add(RuleAuthor, role, "assignedPerson/name/family", "—")
		}
		k.inSet(SetAuthors, role.first("code"))
	}
	if c := k.one(RuleCustodian, "custodian"); c != nil {
		if org := c.first("assignedCustodian", "representedCustodianOrganization"); !identified(org) {
			k.add(RuleCustodian, c, "assignedCustodian/representedCustodianOrganization/id", "—")
		}
	}
	if l := k.one(RuleAuthenticator, "legalAuthenticator"); l != nil {
		role := l.first("assignedEntity")
		switch {
		case !hasTime(l.first("time")):
			k.add(RuleAuthenticator, l, "time", "—")
		case l.first("signatureCode").attr("code") != "S":
			k.add(RuleAuthenticator, l, "signatureCode", quote(l.first("signatureCode").attr("code")))
		case !identified(role):
			k.add(RuleAuthenticator, l, "assignedEntity/id", "—")
		case !named(role.first("assignedPerson")):
			k.add(RuleAuthenticator, l, "assignedEntity/assignedPerson/name/family", "—")
		}
	}
}

// events judges what was done, and where.
func (k *checker) events() {
	first := k.doc.first("documentationOf")
	event := first.first("serviceEvent")
	performers := event.all("performer")
	setting := event.first("performer", "assignedEntity", "representedOrganization", "standardIndustryClassCode")
	switch {
	case first == nil:
		k.add(RuleEvent, k.doc, "documentationOf", "—")
	case event == nil:
		k.add(RuleEvent, first, "serviceEvent", "—")
	case event.first("effectiveTime", "low") == nil:
		k.add(RuleEvent, event, "effectiveTime/low", "—")
	case len(performers) != 1:
		k.add(RuleEvent, event, "performer", fmt.Sprintf("%d × performer", len(performers)))
	case setting.attr("code") == "":
		k.add(RuleEvent, performers[0], "assignedEntity/representedOrganization/standardIndustryClassCode", "—")
	}
	k.inSet(SetPractice, setting)

	encounter := k.doc.first("componentOf", "encompassingEncounter")
	facility := encounter.first("location", "healthCareFacility", "code")
	switch {
	case encounter == nil:
		k.add(RuleEncounter, k.doc, "componentOf/encompassingEncounter", "—")
	case !hasTime(encounter.first("effectiveTime")):
		k.add(RuleEncounter, encounter, "effectiveTime", "—")
	case facility.attr("code") == "":
		k.add(RuleEncounter, encounter, "location/healthCareFacility/code", "—")
	}
	k.inSet(SetFacilities, facility)
}

// replacement judges what the document says to take the place of.
func (k *checker) replacement() {
	related := k.doc.all("relatedDocument")
	if len(related) == 0 {
		return
	}
	r := related[0]
	parent := r.first("parentDocument")
	replaced := identifier(parent.first("id"))
	switch {
	case len(related) > 1:
		k.add(RuleReplacement, k.doc, "relatedDocument", fmt.Sprintf("%d × relatedDocument", len(related)))
		return
	case r.attr("typeCode") != "RPLC":
		k.add(RuleReplacement, r, "@typeCode", quote(r.attr("typeCode")))
		return
	case replaced.Root == "":
		k.add(RuleReplacement, r, "parentDocument/id", "—")
		return
	case replaced == identifier(k.doc.first("id")):
		k.add(RuleReplacement, r, "parentDocument/id", quote(replaced.String()))
		return
	}
	own, _ := version(k.doc.first("versionNumber"))
	set := identifier(k.doc.first("setId"))
	// What the document itself says of the one that it replaces, and what the
	// record knows of it.
	if n := parent.first("versionNumber"); n != nil {
		if was, ok := version(n); !ok || own <= was {
			k.add(RuleReplacedOrder, k.doc, "versionNumber", fmt.Sprintf("%d, parentDocument: %s", own, quote(n.attr("value"))))
		}
	} else if own == 1 {
		k.add(RuleReplacedOrder, k.doc, "versionNumber", "1")
	}
	if n := parent.first("setId"); n != nil && identifier(n) != set {
		k.add(RuleReplacedSet, k.doc, "setId", quote(set.String()))
	}
	if k.context.Known == nil {
		return
	}
	i := slices.IndexFunc(k.context.Known, func(x Known) bool { return x.ID == replaced })
	if i < 0 {
		k.add(RuleReplacedKnown, r, "parentDocument/id", quote(replaced.String()))
		return
	}
	was := k.context.Known[i]
	if own <= was.Version && !k.has(RuleReplacedOrder) {
		k.add(RuleReplacedOrder, k.doc, "versionNumber", fmt.Sprintf("%d ≤ %d", own, was.Version))
	}
	if set != was.SetID && !k.has(RuleReplacedSet) {
		k.add(RuleReplacedSet, k.doc, "setId", quote(set.String()))
	}
}

func (k *checker) has(rule string) bool {
	return slices.ContainsFunc(k.found, func(f Finding) bool { return f.Rule == rule })
}

// body judges whether the body can be read.
func (k *checker) body() {
	switch k.kind {
	case None:
		files, structured := len(k.doc.all("component", "nonXMLBody")), len(k.doc.all("component", "structuredBody"))
		k.add(RuleBody, k.doc, "component", fmt.Sprintf("%d × nonXMLBody, %d × structuredBody", files, structured))
	case N1:
		body := k.doc.first("component", "nonXMLBody")
		text := body.first("text")
		if text == nil || text.attr("mediaType") != "application/pdf" || text.attr("representation") != "B64" {
			k.add(RuleN1Media, body, "text", quote(text.attr("mediaType")+" "+text.attr("representation")))
		}
		content, err := decode(text)
		switch {
		case err != nil:
			k.add(RuleN1Content, body, "text", err.Error())
		case !strings.HasPrefix(string(content), "%PDF-"):
			k.add(RuleN1Content, body, "text", quote(fmt.Sprintf("%q", content[:min(len(content), 12)])))
		}
	case N3:
		body := k.doc.first("component", "structuredBody")
		sections := body.all("component", "section")
		if len(sections) == 0 {
			k.add(RuleN3Sections, body, "component/section", "—")
		}
		for _, s := range sections {
			switch {
			case s.first("code").attr("code") == "" && !null(s.first("code")):
				k.add(RuleN3Sections, s, "code", "—")
			case s.first("text") == nil && s.first("component", "section") == nil:
				k.add(RuleN3Sections, s, "text", "—")
			}
		}
	}
}

// everywhere judges what may stand in many places of the document.
func (k *checker) everywhere() {
	k.doc.walk(func(n *node) {
		if n.space != spaceHL7 || n.name != "id" {
			return
		}
		switch root := strings.TrimSpace(n.attr("root")); {
		case Production(root):
			k.add(RuleINSProduction, n, "", root)
		case root == OIDINSC:
			k.add(RuleINSObsolete, n, "", root)
		case !isINS(root) && strings.HasPrefix(root, "1.2.250.1.213.1.4."):
			k.add(RuleINSRange, n, "", root)
		}
		if isINS(strings.TrimSpace(n.attr("root"))) {
			if wrong := CheckKey(n.attr("extension")); wrong != "" {
				k.add(RuleINSKey, n, "@extension", wrong)
			}
		}
	})
	for _, part := range k.doc.children {
		if part.name != "component" {
			part.walk(k.contact)
		}
	}
}

// contact judges an address, telecom or name of the header.
func (k *checker) contact(n *node) {
	if n.space != spaceHL7 || n.name != "addr" && n.name != "telecom" && n.name != "name" {
		return
	}
	if flavor := n.attr("nullFlavor"); flavor != "" {
		if !slices.Contains([]string{"UNK", "NASK", "ASKU", "NAV", "MSK"}, flavor) {
			k.add(RuleNullFlavor, n, "@nullFlavor", quote(flavor))
		}
		return
	}
	if n.name != "telecom" {
		return
	}
	scheme, rest, _ := strings.Cut(n.attr("value"), ":")
	if rest == "" || !slices.Contains([]string{"tel", "fax", "mailto", "http", "ftp", "mllp"}, scheme) {
		k.add(RuleTelecom, n, "@value", quote(n.attr("value")))
		return
	}
	for use := range strings.FieldsSeq(n.attr("use")) {
		if !slices.Contains([]string{"H", "HP", "HV", "WP", "DIR", "PUB", "EC", "MC", "PG"}, use) {
			k.add(RuleTelecom, n, "@use", quote(use))
			return
		}
	}
}

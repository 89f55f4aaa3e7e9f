package fhir

import "slices"

// labels reads and judges what says of a document which it is, who may see it
// and in what setting it was made.
func (p *report) labels(d *Document) {
	add := func(id any) {
		if v := text(id, "value"); v != "" {
			d.Identifiers = append(d.Identifiers, text(id, "system")+"|"+v)
		}
	}
	add(d.Resource["masterIdentifier"])
	for _, id := range list(d.Resource, "identifier") {
		add(id)
	}
	known := p.r.set.List("document.confidentiality")
	for _, label := range list(d.Resource, "securityLabel") {
		for _, coding := range list(label, "coding") {
			code := text(coding, "code")
			d.Confidential = append(d.Confidential, code)
			if !slices.Contains(known, code) {
				p.add("document.confidentiality", "", "/securityLabel", "a code of the confidentiality of documents", code)
			}
		}
	}
	for _, coding := range list(object(object(d.Resource, "context"), "practiceSetting"), "coding") {
		d.PracticeSetting = text(coding, "code")
	}
}

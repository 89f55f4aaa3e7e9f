package cda

import (
	"fmt"
	"slices"
	"strings"
)

// identity judges whom the document is about.
func (k *checker) identity() {
	targets := k.doc.all("recordTarget")
	role := k.doc.first("recordTarget", "patientRole")
	patient := role.first("patient")
	if len(targets) != 1 || patient == nil {
		k.add(RulePatient, k.doc, "recordTarget", fmt.Sprintf("%d × recordTarget", len(targets)))
	}
	if patient == nil {
		return
	}
	ids := role.all("id")
	if !slices.ContainsFunc(ids, func(n *node) bool { return n.attr("root") != "" && n.attr("extension") != "" }) {
		k.add(RulePatientID, role, "id", "—")
	}
	names := patient.all("name")
	if !slices.ContainsFunc(names, func(n *node) bool { return n.first("family").words() != "" && n.first("given").words() != "" }) {
		k.add(RulePatientName, patient, "name", "—")
	}
	gender := patient.first("administrativeGenderCode")
	if gender.attr("codeSystem") != "2.16.840.1.113883.5.1" || !slices.Contains([]string{"F", "M", "UN"}, gender.attr("code")) {
		k.add(RuleGender, patient, "administrativeGenderCode", coded(gender))
	}
	birth := patient.first("birthTime")
	switch {
	case birth == nil:
		k.add(RuleBirth, patient, "birthTime", "—")
	case birth.attr("value") != "" && !isTime(birth.attr("value")), birth.attr("value") == "" && !null(birth):
		k.add(RuleBirth, birth, "", quote(birth.attr("value")))
	}
	i := slices.IndexFunc(ids, func(n *node) bool { return isINS(strings.TrimSpace(n.attr("root"))) })
	if i >= 0 {
		k.traits(patient)
	}
	if k.context.Patient != nil {
		k.same(*k.context.Patient, ids, role)
	}
}

// traits judges whether all traits that go with an INS are there.
func (k *checker) traits(patient *node) {
	var missing []string
	want := func(name string, there bool) {
		if !there {
			missing = append(missing, name)
		}
	}
	has := func(part, qualifier string) bool {
		return slices.ContainsFunc(patient.all("name", part), func(n *node) bool { return n.attr("qualifier") == qualifier && n.words() != "" })
	}
	want("family BR", has("family", "BR"))
	want("given", has("given", ""))
	want("given BR", has("given", "BR"))
	want("birthTime", patient.first("birthTime").attr("value") != "")
	want("administrativeGenderCode", patient.first("administrativeGenderCode").attr("code") != "")
	want("birthplace/place/addr/county", patient.first("birthplace", "place", "addr", "county").words() != "")
	if len(missing) > 0 {
		k.add(RuleINSTraits, patient, "", "— "+strings.Join(missing, ", "))
	}
}

// same judges whether the document is about the patient of the pairing. Traits
// that are missing are another rule's, or not known to the caller; one that
// differs is somebody else.
func (k *checker) same(want Patient, ids []*node, role *node) {
	for _, n := range ids {
		if isINS(strings.TrimSpace(n.attr("root"))) && want.INS != "" && strings.TrimSpace(n.attr("extension")) != want.INS {
			k.add(RuleOtherPatient, n, "@extension", quote(n.attr("extension")))
			return
		}
	}
	patient := role.first("patient")
	for _, n := range patient.all("name", "family") {
		if n.attr("qualifier") == "BR" && want.FamilyName != "" && n.words() != "" && !strings.EqualFold(n.words(), want.FamilyName) {
			k.add(RuleOtherPatient, n, "", quote(n.words()))
			return
		}
	}
	birth := patient.first("birthTime")
	if v := birth.attr("value"); want.BirthDate != "" && len(v) >= 8 && v[:8] != strings.ReplaceAll(want.BirthDate, "-", "") {
		k.add(RuleOtherPatient, birth, "@value", quote(v))
		return
	}
	gender := patient.first("administrativeGenderCode")
	if code := gender.attr("code"); want.Sex != "" && (code == "F" || code == "M") && code != want.Sex {
		k.add(RuleOtherPatient, gender, "@code", quote(code))
	}
}

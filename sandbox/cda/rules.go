package cda

// Text is a sentence in two languages.
type Text struct{ FR, EN string }

// Rule is one thing that is asked of a document.
type Rule struct {
	ID       string
	Source   string // document and section that state it
	Severity string // error or warning
	Expected Text
}

// The ids of the rules, as they stand in the journal.
const (
	RuleXML             = "cda.xml"
	RuleRoot            = "cda.root"
	RuleRealm           = "cda.realm"
	RuleTypeID          = "cda.type-id"
	RuleTemplateHL7     = "cda.template-hl7"
	RuleTemplateCISIS   = "cda.template-ci-sis"
	RuleTemplateBody    = "cda.template-body"
	RuleID              = "cda.id"
	RuleCode            = "cda.code"
	RuleTitle           = "cda.title"
	RuleTime            = "cda.effective-time"
	RuleConfidentiality = "cda.confidentiality"
	RuleLanguage        = "cda.language"
	RuleSetID           = "cda.set-id"
	RuleVersion         = "cda.version"
	RulePatient         = "cda.patient"
	RulePatientID       = "cda.patient-id"
	RulePatientName     = "cda.patient-name"
	RuleGender          = "cda.patient-gender"
	RuleBirth           = "cda.patient-birth"
	RuleAuthor          = "cda.author"
	RuleCustodian       = "cda.custodian"
	RuleAuthenticator   = "cda.legal-authenticator"
	RuleEvent           = "cda.documentation-of"
	RuleEncounter       = "cda.encounter"
	RuleValueSet        = "cda.value-set"
	RuleTelecom         = "cda.telecom"
	RuleNullFlavor      = "cda.null-flavor"
	RuleINSKey          = "cda.ins-key"
	RuleINSTraits       = "cda.ins-traits"
	RuleINSProduction   = "cda.ins-production"
	RuleINSObsolete     = "cda.ins-obsolete"
	RuleINSRange        = "cda.ins-range"
	RuleOtherPatient    = "cda.patient-other"
	RuleReplacement     = "cda.replacement"
	RuleReplacedOrder   = "cda.replaced-version"
	RuleReplacedSet     = "cda.replaced-set"
	RuleReplacedKnown   = "cda.replaced-known"
	RuleBody            = "cda.body"
	RuleN1Media         = "cda.n1-media"
	RuleN1Content       = "cda.n1-content"
	RuleN3Sections      = "cda.n3-sections"
)

// The sources of the rules.
const (
	fromStructure = "ANS, TestContenuCDA 3.0, structurationMinimale"
	fromINS       = "ANS, TestContenuCDA 3.0, structurationMinimale, traits de l'INS"
	fromFrCore    = "Interop'Santé, hl7.fr.core, fr-core-patient-ins"
	fromKey       = "INSEE, structure du NIR (clé)"
	fromHL7       = "HL7 CDA R2"
	fromXML       = "W3C XML 1.0; OWASP, XML External Entity"
	fromSandbox   = "Étalon, règle de sûreté du bac à sable"
)

// Rules lists the rules, in the order of a document.
func Rules() []Rule {
	must := func(id, source, fr, en string) Rule { return Rule{id, source, "error", Text{fr, en}} }
	note := func(id, source, fr, en string) Rule { return Rule{id, source, "warning", Text{fr, en}} }
	return []Rule{
		must(RuleXML, fromXML, "du XML bien formé, en UTF-8, sans DTD ni entité, de 5 Mo au plus", "well-formed XML in UTF-8, without DTD or entity, of 5 MB at most"),
		must(RuleRoot, fromHL7, "un ClinicalDocument, ou une feuille XSLT qui en contient un seul (document autoprésentable)", "a ClinicalDocument, or an XSLT stylesheet that holds exactly one (self-presenting document)"),
		must(RuleRealm, fromStructure, "un realmCode « FR »", "one realmCode \"FR\""),
		must(RuleTypeID, fromStructure, "un typeId 2.16.840.1.113883.1.3 / POCD_HD000040", "one typeId 2.16.840.1.113883.1.3 / POCD_HD000040"),
		must(RuleTemplateHL7, fromStructure, "le templateId 2.16.840.1.113883.2.8.2.1 (HL7 France)", "the templateId 2.16.840.1.113883.2.8.2.1 (HL7 France)"),
		must(RuleTemplateCISIS, fromStructure, "le templateId 1.2.250.1.213.1.1.1.1 (CI-SIS)", "the templateId 1.2.250.1.213.1.1.1.1 (CI-SIS)"),
		must(RuleTemplateBody, fromStructure, "corps non structuré : exactement trois templateId, dont 1.3.6.1.4.1.19376.1.2.20 (XDS-SD) ; corps structuré : au moins celui d'un volet", "unstructured body: exactly three templateId, 1.3.6.1.4.1.19376.1.2.20 (XDS-SD) among them; structured body: at least that of a content module"),
		must(RuleID, fromStructure, "un id avec root", "one id with a root"),
		must(RuleCode, fromStructure, "un code avec code et codeSystem", "one code with code and codeSystem"),
		must(RuleTitle, fromStructure, "un titre", "a title"),
		must(RuleTime, fromStructure, "une date AAAAMMJJ, ou avec l'heure et le décalage : AAAAMMJJhhmmss+hhmm", "a date YYYYMMDD, or with time and offset: YYYYMMDDhhmmss+hhmm"),
		must(RuleConfidentiality, fromStructure, "un code de 2.16.840.1.113883.5.25 : L, M, N, R, U ou V", "a code of 2.16.840.1.113883.5.25: L, M, N, R, U or V"),
		must(RuleLanguage, fromStructure, "une langue et un pays, comme fr-FR", "a language and a country, as in fr-FR"),
		must(RuleSetID, fromStructure, "un setId avec root", "one setId with a root"),
		must(RuleVersion, fromStructure, "un versionNumber entier à partir de 1", "a versionNumber, a whole number from 1"),
		must(RulePatient, fromStructure, "exactement un recordTarget, avec patientRole et patient", "exactly one recordTarget, with patientRole and patient"),
		must(RulePatientID, fromStructure, "un identifiant de patient avec root et extension", "an identifier of the patient with root and extension"),
		must(RulePatientName, fromStructure, "un nom (family) et un prénom (given)", "a family and a given name"),
		must(RuleGender, fromStructure, "un sexe de 2.16.840.1.113883.5.1 : F, M ou UN", "a gender of 2.16.840.1.113883.5.1: F, M or UN"),
		must(RuleBirth, fromStructure, "une date de naissance", "a birth date"),
		must(RuleAuthor, fromStructure, "au moins un auteur, chacun avec date, identifiant, et le nom d'une personne ou d'un dispositif", "at least one author, each with time, id, and the name of a person or device"),
		must(RuleCustodian, fromStructure, "exactement un custodian, avec l'identifiant de son organisation", "exactly one custodian, with the id of its organization"),
		must(RuleAuthenticator, fromStructure, "exactement un legalAuthenticator, avec date, signatureCode « S », identifiant et nom", "exactly one legalAuthenticator, with time, signatureCode \"S\", id and family name"),
		must(RuleEvent, fromStructure, "un premier documentationOf avec serviceEvent, effectiveTime/low, un performer et le cadre d'exercice de son organisation (standardIndustryClassCode)", "a first documentationOf with serviceEvent, effectiveTime/low, one performer and the practice setting of its organization (standardIndustryClassCode)"),
		must(RuleEncounter, fromStructure, "un componentOf/encompassingEncounter avec effectiveTime et location/healthCareFacility/code", "a componentOf/encompassingEncounter with effectiveTime and location/healthCareFacility/code"),
		must(RuleValueSet, fromStructure, "un code du jeu de valeurs", "a code of the value set"),
		must(RuleTelecom, fromStructure, "une adresse en tel, fax, mailto, http, ftp ou mllp, d'usage H, HP, HV, WP, DIR, PUB, EC, MC ou PG", "an address in tel, fax, mailto, http, ftp or mllp, of use H, HP, HV, WP, DIR, PUB, EC, MC or PG"),
		must(RuleNullFlavor, fromStructure, "dans l'en-tête, un addr, un telecom ou un name absent dit pourquoi : UNK, NASK, ASKU, NAV ou MSK", "in the header, an absent addr, telecom or name says why: UNK, NASK, ASKU, NAV or MSK"),
		must(RuleINSKey, fromKey, "un matricule INS de 13 caractères et sa clé", "an INS matricule of 13 characters and its key"),
		must(RuleINSTraits, fromINS, "avec l'INS : nom de naissance (family BR), liste des prénoms (given), premier prénom (given BR), date de naissance, lieu de naissance (code COG dans county) et sexe", "with the INS: birth name (family BR), list of given names (given), first given name (given BR), birth date, birth place (COG code in county) and gender"),
		must(RuleINSProduction, fromSandbox, "un matricule de test (.10) ou de démonstration (.11) : ceux de production désignent de vraies personnes", "a test (.10) or demonstration (.11) matricule: production ones name real people"),
		must(RuleINSObsolete, fromFrCore, "l'INS (matricule) : l'INS-C n'a plus cours", "the INS (matricule): the INS-C is no longer in use"),
		note(RuleINSRange, fromFrCore, "une autorité connue de l'INS : .8, .9, .10 ou .11", "a known authority of the INS: .8, .9, .10 or .11"),
		must(RuleOtherPatient, "Étalon, déduit de l'appariement", "le patient du document est celui de l'appariement", "the patient of the document is that of the pairing"),
		must(RuleReplacement, fromStructure, "au plus un relatedDocument, de typeCode RPLC, avec l'identifiant du document remplacé, qui n'est pas le sien", "at most one relatedDocument, of typeCode RPLC, with the id of the document replaced, which is not its own"),
		must(RuleReplacedOrder, fromHL7+", versionNumber", "un numéro de version plus grand que celui du document remplacé", "a version number above that of the document replaced"),
		must(RuleReplacedSet, fromHL7+", setId", "le setId du document remplacé", "the setId of the document replaced"),
		must(RuleReplacedKnown, fromHL7+", relatedDocument", "l'identifiant d'un document déjà envoyé pour ce patient", "the id of a document that was sent before for this patient"),
		must(RuleBody, fromHL7, "un corps : nonXMLBody ou structuredBody", "one body: nonXMLBody or structuredBody"),
		must(RuleN1Media, fromStructure, "un fichier de type application/pdf, en B64", "a file of type application/pdf, in B64"),
		must(RuleN1Content, fromStructure, "du base64 qui donne un PDF", "base64 that gives a PDF"),
		must(RuleN3Sections, fromHL7, "au moins une section, chacune avec un code et un texte ou des sous-sections", "at least one section, each with a code and a text or sub-sections"),
	}
}

// Finding is one rule that a document breaks.
type Finding struct {
	Rule   string // id
	Path   string // of the element, from /ClinicalDocument
	Line   int    // in the document as it was read; 0 where no line is meant
	Actual string // what was found, as it stands; "—" for nothing
}

// The value sets that the structure names and that are too large, and not ours,
// to be carried here. A caller that holds one gives it (Context.Sets).
const (
	SetAuthors    = "JDV_J01_XdsAuthorSpecialty_CISIS"
	SetFacilities = "JDV_J02_XdsHealthcareFacilityTypeCode_CISIS"
	SetPractice   = "JDV_J04_XdsPracticeSettingCode_CISIS"
	SetTypes      = "JDV_J07_XdsTypeCode_CISIS"
)

// Sets lists the value sets that rules read.
func Sets() []string { return []string{SetAuthors, SetFacilities, SetPractice, SetTypes} }

// Context is what a document is judged against, besides itself.
type Context struct {
	// Patient is whom the document must be about; nil: anybody.
	Patient *Patient
	// Known are the documents that this patient's record holds; a replacement
	// names one of them. nil: not compared.
	Known []Known
	// Sets say whether a value set holds a code; a set that is missing is not
	// checked.
	Sets map[string]func(system, code string) bool
}

// Patient are the traits by which a document is told to be about somebody; an
// empty one is not compared.
type Patient struct {
	INS        string // 15 characters
	FamilyName string // birth name
	BirthDate  string // 2006-01-02
	Sex        string // F or M
}

// Known is a document that a record holds.
type Known struct {
	ID, SetID Identifier
	Version   int
}

// Unchecked names the value sets that are not checked in a context: a code that
// none of them was asked about is neither right nor wrong.
func Unchecked(c Context) []string {
	var out []string
	for _, s := range Sets() {
		if c.Sets[s] == nil {
			out = append(out, s)
		}
	}
	return out
}

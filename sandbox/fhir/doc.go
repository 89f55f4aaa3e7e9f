// Package fhir reads and judges the FHIR messages of the Mon espace santé APIs:
// measure feeds and searches (API Mesures v1.5.2, 21/07/2023, as transcribed in
// public), documents (no public text: facts of the mobile application and of the
// ANS comparison with PDSm), agenda (no public text either: FHIR R4, the ANS guide
// GAP and the mobile application; each rule names the setting that it rests on).
//
// A message is decoded strictly (Decode), judged by rules written out from the
// published text (cheap, and what candidates break), then held against a small
// JSON Schema of FHIR R4's structure. Measures, value sets and schema are files
// under tables; what may have to be corrected by whoever holds the real text is a
// setting.
//
// # What refuses
//
// An issue carries the HTTP status with which a strict record refuses. Catalogue
// lists every rule and case with its ground:
//
//	table    the published error table lists the case
//	text     the text or a profile requires it, the error table is silent:
//	         refused, since the server is said to validate profiles
//	fhir     FHIR R4 requires it
//	guess    assumed: the issue names the setting, and a candidate deviates
//	noticed  nobody says that the real API refuses it: severity warning, status 0
//
// The cases that are noticed and not refused:
//
//	rule                        case               why
//	feed.effective              no-offset          a day, or a time without offset: the profile takes any dateTime
//	feed.binding                extensible         J150 (and all methods with setting measure.binding=extensible)
//	feed.extension              foreign          the profile does not name it, and does not close its list
//	feed.if-none-exist          other-identifier   the form is required; that it names the Device's own identifier is not said
//	feed.if-none-exist          other-publisher    the OID is to be a sub-OID of the publisher; no error is listed
//	feed.device-type            -                  the type is fixed by PhdDevice, no error is listed
//	feed.device-specialization  -                  as above
//	search.subject              no-authority       published examples show the idPe alone
//	search.unknown-parameter    -                  no error is listed
//	document.size               mismatch           attachment.size is not the size of the data
//	document.hash               -                  attachment.hash is not the SHA-1 of the data
//	document.format             mismatch           the first bytes are not those of the content type
//	document.confidentiality    -                  the codes of JDV_J08; no error is listed
//	docsearch.patient           no-authority       as search.subject
//	docsearch.unknown-parameter -                  no error is listed
//	appsearch.patient           no-authority       as search.subject
//	appsearch.unknown-parameter -                  no error is listed
//
// # Differences from production
//
// Of a profile, the rules listed in docs/validation.md are checked and nothing
// else; extensions of other guides than the measures' are not looked at; no number is refused for its size; codes
// of EMDN and NCIt are compared without their system, of which no published
// example shows the address; texts are ours.
package fhir

package reports

// Label is how a verdict is shown: never by colour alone, always with its
// shape and its word.
type Label struct {
	Word    Text
	Meaning Text
	Shape   string // one character, for plain text
	Several Text   // Word after a number above one
}

// labels is the one table of words for verdicts. It is an array so that a
// look-up allocates nothing: pages look up thousands.
func labels() [10]struct {
	Verdict
	Label
} {
	return [...]struct {
		Verdict
		Label
	}{
		{Conformant, Label{Text{"conforme", "conformant"}, Text{
			"Observé, comme exigé.", "Observed, as required.",
		}, "✓", Text{"conformes", "conformant"}}},
		{Nonconformant, Label{Text{"non conforme", "nonconformant"}, Text{
			"Observé, et pas comme exigé.", "Observed, and not as required.",
		}, "✕", Text{"non conformes", "nonconformant"}}},
		{Deviation, Label{Text{"écart à une hypothèse", "deviation from an assumption"}, Text{
			"Observé, et pas comme le voudrait une valeur que le banc a dû supposer : c'est peut-être le banc qui se trompe.",
			"Observed, and not as a value that the harness had to assume would have it: the harness may be the one that is wrong.",
		}, "≠", Text{"écarts à une hypothèse", "deviations from an assumption"}}},
		{Attested, Label{Text{"attesté", "attested"}, Text{
			"Déclaré par une personne nommée, à une date donnée ; non observé.",
			"Declared by a named person, on a given date; not observed.",
		}, "§", Text{"attestés", "attested"}}},
		{ToReview, Label{Text{"à examiner", "to review"}, Text{
			"Une personne doit trancher ; le rapport dit sur quoi.",
			"A person must decide; the report says on what.",
		}, "?", Text{"à examiner", "to review"}}},
		{NotApplicable, Label{Text{"sans objet", "not applicable"}, Text{
			"Ne concerne pas ce service ; la règle qui le dit est citée.",
			"Does not concern this service; the rule that says so is quoted.",
		}, "–", Text{"sans objet", "not applicable"}}},
		{NotInForce, Label{Text{"pas en vigueur", "not in force"}, Text{
			"Hors de ses dates ou de la phase en cours.", "Outside its dates or the current phase.",
		}, "◷", Text{"pas en vigueur", "not in force"}}},
		{Excluded, Label{Text{"exclu", "excluded"}, Text{
			"Au catalogue, mais personne ne la juge ici ; la raison est donnée.",
			"In the catalogue, but judged by no one here; the reason is given.",
		}, "⊘", Text{"exclus", "excluded"}}},
		{Untested, Label{Text{"non testé", "untested"}, Text{
			"Rien n'a permis de juger ; le rapport dit ce qui le permettrait.",
			"Nothing made it possible to judge; the report says what would.",
		}, "○", Text{"non testés", "untested"}}},
		{Error, Label{Text{"erreur du banc", "harness error"}, Text{
			"Le banc d'essai ou le bac à sable a failli ; le service n'est pas en cause.",
			"The harness or the sandbox failed; the service is not at fault.",
		}, "!", Text{"erreurs du banc", "harness errors"}}},
	}
}

// Label returns the words and the shape of a verdict; a verdict that does not
// exist is shown as our error.
func (v Verdict) Label() Label {
	all := labels()
	for i := range all {
		if all[i].Verdict == v {
			return all[i].Label
		}
	}
	return Error.Label()
}

// Label returns the words and the shape of a run's verdict.
func (v RunVerdict) Label() Label {
	switch v {
	case RunConformant:
		return Label{Text{"conforme", "conformant"}, Text{
			"Aucune exigence bloquante n'est enfreinte, toutes ont pu être jugées.",
			"No blocking requirement is broken, all could be judged.",
		}, "✓", Text{}}
	case RunNonconformant:
		return Label{Text{"non conforme", "nonconformant"}, Text{
			"Au moins une exigence bloquante n'est pas respectée.", "At least one blocking requirement is not met.",
		}, "✕", Text{}}
	case RunInconclusive:
		return Label{Text{"non concluant", "inconclusive"}, Text{
			"Il manque de quoi conclure.", "What is needed to conclude is missing.",
		}, "○", Text{}}
	case RunPartial:
		return Label{Text{"campagne partielle", "partial run"}, Text{
			"Seule une sélection a été jugée : pas de verdict d'ensemble.", "Only a selection was judged: no verdict of its own.",
		}, "◑", Text{}}
	}
	return Label{Text{"erreur du banc", "harness error"}, Text{
		"Le banc d'essai ou le bac à sable a failli.", "The harness or the sandbox failed.",
	}, "!", Text{}}
}

package wording

import "testing"

// One sentence each; what several sentences say together is tried with whole texts,
// in suites/probe/text.
func TestWhatASentenceSaysOfDownloadingEverything(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]Stance{
		// It is excluded.
		"Le téléchargement exhaustif des documents de Mon espace santé est impossible.":                                                        Excludes,
		"Carnet Clair ne procède pas au téléchargement exhaustif de vos documents.":                                                            Excludes,
		"L’Éditeur s’interdit de procéder au téléchargement exhaustif des documents contenus dans Mon espace santé.":                           Excludes,
		"Il n’est pas possible de télécharger l’intégralité des documents de votre dossier médical.":                                           Excludes,
		"En aucun cas le Service ne permet la récupération de l’ensemble des documents présents dans le DMP.":                                  Excludes,
		"Aucun téléchargement de la totalité de vos documents n’est proposé.":                                                                  Excludes,
		"Nous ne copions jamais tous vos documents.":                                                                                           Excludes,
		"Vous ne pouvez pas, en une seule fois, télécharger tous les documents de Mon espace santé.":                                           Excludes,
		"L’application ne saurait télécharger l’ensemble des documents de l’usager, quelle que soit la finalité poursuivie.":                   Excludes,
		"Est exclue toute aspiration massive des documents de Mon espace santé.":                                                               Excludes,
		"Chaque document s’ouvre à votre demande, sans téléchargement intégral des documents du dossier.":                                      Excludes,
		"Le Service affiche les documents choisis ; il est techniquement impossible d’en importer la totalité des documents.":                  Excludes,
		"Les documents de Mon espace santé ne sont jamais téléchargés en totalité.":                                                            Excludes,
		"Nous lisons les documents que vous ouvrez, mais nous ne téléchargeons pas l’ensemble de vos documents.":                               Excludes,
		"Aucune des finalités du Service ne suppose ni ne permet le téléchargement exhaustif de l’ensemble des documents de Mon espace santé.": Excludes,

		"Personne, chez nous, ne peut télécharger tous les documents de Mon espace santé.":       Excludes,
		"Le Service ne permet à personne de télécharger tous les documents de Mon espace santé.": Excludes,
		"Le téléchargement intégral des documents du DMP n’est en aucun cas proposé.":            Excludes,
		"Nous nous abstenons de toute extraction massive des documents de Mon espace santé.":     Excludes,

		// It is allowed, or done.
		"Nous téléchargeons l’intégralité de vos documents dès l’appariement.":                                                  Allows,
		"Vous acceptez que l’application importe automatiquement l’ensemble des documents de Mon espace santé.":                 Allows,
		"Le Service vous permet de télécharger en une seule fois tous les documents de Mon espace santé.":                       Allows,
		"Il n’est pas interdit de télécharger l’intégralité des documents de Mon espace santé.":                                 Allows,
		"Le téléchargement exhaustif des documents de Mon espace santé n’est pas limité.":                                       Allows,
		"L’éditeur récupère tous vos documents afin que vous n’ayez pas à les chercher.":                                        Allows,
		"Si vous ne vous y opposez pas, nous téléchargeons l’intégralité de vos documents.":                                     Allows,
		"Une copie complète des documents de votre dossier médical partagé est réalisée chaque nuit par la plateforme.":         Allows,
		"La synchronisation permet de récupérer la totalité des documents du DMP sans limite de nombre.":                        Allows,
		"Vous consentez à ce que nous téléchargions tous vos documents sans intervention de votre part.":                        Allows,
		"Pour vous faire gagner du temps, l’application rapatrie chaque nuit la totalité des documents de votre espace.":        Allows,
		"Il n’est pas impossible que le Service importe tous les documents de Mon espace santé.":                                Allows,
		"Les conditions particulières n’excluent pas : la plateforme peut copier l’ensemble des documents de Mon espace santé.": Allows,

		"Nous copions tous vos documents de Mon espace santé sans que vous ayez à intervenir.":                        Allows,
		"Le service, sans qu’aucune démarche ne soit nécessaire, copie l’ensemble des documents de Mon espace santé.": Allows,

		// It is spoken of, and a person has to read it.
		"Le présent article traite du téléchargement exhaustif des documents.":                                                       Doubtful,
		"L’Éditeur n’est pas responsable du téléchargement par l’usager de l’ensemble de ses documents.":                             Doubtful,
		"Sauf demande de votre part, nous ne téléchargeons pas l’ensemble de vos documents.":                                         Doubtful,
		"Nous ne téléchargeons pas l’intégralité de vos documents sans votre accord.":                                                Doubtful,
		"Vous pouvez télécharger l’ensemble des documents que vous avez déposés.":                                                    Doubtful,
		"Le téléchargement de l’ensemble des documents n’est pas obligatoire.":                                                       Doubtful,
		"Le service ne permet pas le téléchargement exhaustif de vos documents ; en revanche il importe tous les documents récents.": Doubtful,

		// It is not spoken of.
		"Vous pouvez exporter l’ensemble de vos données.":                              Silent,
		"Nous ne conservons pas l’ensemble des documents téléchargés.":                 Silent,
		"Toutes les informations sont données à titre indicatif.":                      Silent,
		"Vous téléchargez l’application depuis le magasin de votre téléphone.":         Silent,
		"Le téléchargement d’un document se fait à votre demande.":                     Silent,
		"L’ensemble des documents contractuels est disponible sur demande.":            Silent,
		"Les documents administratifs ne sont pas affichés.":                           Silent,
		"La reproduction, même partielle, de tous les éléments du site est interdite.": Silent,
	} {
		if got, _ := stanceOf(Sentence{Text: said}, "", false); got != want {
			t.Errorf("%q: %d, want %d", said, got, want)
		}
	}
}

func TestTheClauseWhereItStands(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		s     Sentence
		next  string
		about bool
		want  Stance
	}{
		"an item below what is not allowed": {Sentence{Text: "télécharger en bloc tous les documents de Mon espace santé ;", Lead: "Le Service ne permet pas de :"}, "", false, Excludes},
		"an item below what is allowed":     {Sentence{Text: "télécharger en bloc tous les documents de Mon espace santé ;", Lead: "Le Service vous permet de :"}, "", false, Allows},
		"a heading, then no":                {Sentence{Text: "Cette opération n’est pas possible avec Carnet Clair.", Head: "Téléchargement exhaustif des documents"}, "", false, Excludes},
		"a heading, then yes":               {Sentence{Text: "Cette fonction est proposée dans les réglages.", Head: "Téléchargement de tous les documents de Mon espace santé"}, "", false, Allows},
		"a question, then no":               {Sentence{Text: "Puis-je télécharger tous mes documents d’un seul coup ?"}, "Non, chaque document s’ouvre séparément.", false, Excludes},
		"a question, then yes":              {Sentence{Text: "Puis-je télécharger tous mes documents d’un seul coup ?"}, "Oui, depuis les réglages.", false, Allows},
		"a question, then nothing plain":    {Sentence{Text: "Puis-je télécharger tous mes documents d’un seul coup ?"}, "Cela dépend de votre abonnement.", false, Doubtful},
		"in a text about the record":        {Sentence{Text: "Vous pouvez télécharger l’ensemble des documents."}, "", true, Allows},
	} {
		if got, quote := stanceOf(c.s, c.next, c.about); got != c.want || quote == "" {
			t.Errorf("%s: %d, want %d (%q)", name, got, c.want, quote)
		}
	}
}

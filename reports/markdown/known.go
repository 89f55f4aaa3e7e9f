package markdown

import "github.com/etalon-sante/etalon/reports"

// known lists the nonconformities that were known, those that make the list wrong
// first.
func (p page) known(r reports.Report) {
	if !r.Known.Given {
		return
	}
	l := p.l
	p.f("## %s", l.Pick("Non-conformités connues", "Known nonconformities"))
	p.f("")
	p.f("%s", plain(l.Typeset(l.Pick("Elles ne changent aucun verdict : ", "They change no verdict: ")+l.KnownCounts(r.Known)+".")))
	p.f("")
	shown := 0
	for _, fails := range []bool{true, false} {
		for _, e := range r.Known.Entries {
			if e.State.Fails() != fails {
				continue
			}
			if shown++; shown > most {
				continue
			}
			p.f("- **%s** %s%s%s %s%s%s", plain(e.ID), plain(l.Of(e.State.Word())), l.Pick("\u00a0: ", ": "), plain(l.KnownSentence(e)), l.Pick("Raison", "Reason"), l.Pick("\u00a0: ", ": "), plain(e.Reason))
		}
	}
	if shown > most {
		p.more(shown - most)
	} else if shown > 0 {
		p.f("")
	}
}

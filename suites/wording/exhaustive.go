package wording

import (
	"slices"
	"strings"
)

// The clause of the doctrine of exchanges (D8): no purpose supposes to download
// all the documents of Mon espace santé, and the terms of use say that this is
// impossible. A sentence speaks of it when it has an act (to download, to copy),
// the whole (all, entirely) and what it is the whole of (documents, the record),
// close together. What it says of it rests on what denies the act: "ne … pas",
// "impossible", "aucun", counted, since two of them say the contrary.

// Stance is what a sentence says of downloading everything.
type Stance int

// The stances of a sentence.
const (
	Silent Stance = iota // does not speak of it
	Excludes
	Allows
	Doubtful // speaks of it; a person has to read it
)

func acts() []string {
	return []string{
		"telecharg", "aspir", "rapatri", "import", "recuper", "copi", "export", "extrac", "extrai", "moissonn", "collect", "sauvegard", "transfer", "dupli", "capt", "vers_", "rassembl", "recopi", "archiv", "siphonn",
	}
}

func wholes() []string {
	return []string{
		"exhausti", "integral", "totalite", "l'ensemble", "tous_", "toutes_", "tout_", "complet", "massi", "en masse", "en bloc", "en lot", "par lot", "en une seule fois", "en une fois", "d'un seul coup", "d'un coup", "entier", "global", "groupe_", "groupee_", "systematique", "en totalite", "sans exception", "chacun des",
	}
}

func objects() []string {
	return []string{"document", "dossier medical", "dossier_", "dmp_", "pieces_", "contenu", "mon espace sante", "fichiers", "comptes rendus", "espace de sante", "espace_"}
}

// excludes are the words that deny an act by themselves.
func excluders() []string {
	return []string{
		"impossible", "impossibilite", "interdi", "exclu", "prohib", "proscri", "renonc", "empech", "bloqu", "desactiv", "hors de question", "incompatible", "refus", "banni", "sans possibilite", "s'abstient", "s'abstenir", "abstien", "absten", "ecart", "inexistant", "etranger a", "contraire a",
	}
}

// bounds are words that, denied, say that nothing is bounded: "n’est pas limité".
func bounders() []string {
	return []string{"limit", "restrei", "restrict", "plafonn", "born", "interdi", "exclu", "impossible", "prohib", "empech", "bloqu", "soumis"}
}

// allowers say that the act happens, or may.
func allowers() []string {
	return []string{
		"permet", "permett", "peut_", "peuvent", "pouvez", "pouvons", "pourra", "pourront", "pourrez", "pourrons", "autoris", "accept", "consent", "possible", "possibilite", "automati", "proced", "offre", "offrir", "donne", "propose", "facilite", "grace a", "invit", "suffit", "realis", "effectu", "est_", "sont_", "sera_", "seront_", "afin de", "pour_", "habilit", "mandat", "droit de", "fonction",
		"telechargeons", "telechargera", "telecharge_", "importons", "importe_", "importera", "recuperons", "recupere_", "recuperera", "copions", "copie_", "copiera", "exportons", "rapatrions", "rapatrie_", "aspirons", "aspire_", "collectons", "collecte_", "extrayons", "extrait_", "sauvegardons", "sauvegarde_", "telechargez", "importez", "recuperez", "exportez", "telechargions", "importions", "recuperions",
	}
}

// ofOurs says that the service itself acts: what it downloads is not its own.
func ofOurs() []string {
	return []string{"nous_", "notre_", "le service", "l'application", "la plateforme", "l'editeur", "la solution", "le prestataire", "la societe", "notre application"}
}

// MES names the record.
func mes() []string {
	return []string{"mon espace sante", "dmp_", "dossier medical partage", "espace numerique de sante", "ens_", "monespacesante"}
}

// Stances of clauses that no rule reads safely.
func doubters() []string {
	return []string{"responsab", "garanti", "sans avoir a", "sans devoir", "obligatoire", "necessaire", "tenu de", "tenue de", "requis", "oblig", "facultati"}
}

func exceptions() []string {
	return []string{"sauf", "a moins", "hormis", "excepte", "a l'exception", "hors cas", "hors demande", "sous reserve", "sans votre accord", "sans accord", "sans votre consentement", "sans consentement", "sans autorisation", "sans votre autorisation", "tant que vous", "sans demande", "sans votre demande"}
}

// Exhaustive reads a text for the clause. title is that of the document: a text
// about Mon espace santé needs not name it in each sentence.
func Exhaustive(text []Sentence, title string) Reading {
	var out Reading
	about := HasAny(Fold(title), mes()...)
	for i, s := range text {
		if s.Around || !mayspeak(Fold(s.Head+" "+s.Lead+" "+s.Text)) {
			continue
		}
		next := ""
		if i+1 < len(text) && !text[i+1].Around {
			next = text[i+1].Text
		}
		stance, quote := stanceOf(s, next, about)
		switch stance {
		case Excludes:
			out.Says = keep(out.Says, quote)
		case Allows:
			out.Denies = keep(out.Denies, quote)
		case Doubtful:
			out.Unclear = keep(out.Unclear, quote)
		case Silent:
		}
	}
	return out
}

// mayspeak leaves out, at little cost, what has not the words for it.
func mayspeak(folded string) bool {
	return HasAny(folded, acts()...) && HasAny(folded, wholes()...) && HasAny(folded, objects()...)
}

func keep(all []string, quote string) []string {
	if len(all) < maxQuotes && !slices.Contains(all, quote) {
		all = append(all, quote)
	}
	return all
}

// stanceOf reads one sentence where it stands; next is the one that follows.
func stanceOf(s Sentence, next string, about bool) (Stance, string) {
	said, lead, head := Fold(s.Text), Fold(s.Lead), Fold(s.Head)
	context := said + " " + lead + " " + head
	named := about || HasAny(context, mes()...)
	quote := s.Text
	if s.Lead != "" {
		quote = s.Lead + " " + s.Text
	}
	if strings.HasSuffix(said, "?") {
		if !speaks(said) {
			return Silent, ""
		}
		answer := Fold(next)
		quote = s.Text + " " + next
		switch {
		case answer == "":
			return Doubtful, s.Text
		case HasAny(first(answer, 3), "non_"):
			return Excludes, quote
		case HasAny(first(answer, 3), "oui_", "bien sur"):
			return Allows, quote
		}
		return judge(answer+" : "+strings.TrimSuffix(said, "?"), named), quote
	}
	if st := inClauses(said, named); st != Silent {
		if st == Doubtful && lead != "" && !speaks(lead) {
			st = judge(strings.TrimSuffix(lead, ":")+" "+said, named)
		}
		return st, quote
	}
	// An item of a list says with the words before the list what it says.
	if lead != "" && speaks(lead+" "+said) && !speaks(lead) {
		return judge(strings.TrimSuffix(lead, ":")+" "+said, named), quote
	}
	// A heading names it, the sentence below says what becomes of it.
	if head != "" && !strings.HasSuffix(head, "?") && speaks(head) && HasAny(first(said, 9), "cette", "ceci", "cela", "c'est", "ce n'est", "il_", "elle_", "une telle", "un tel", "non", "oui", "cet_", "ce_", "aucun", "impossible", "exclu", "interdi") {
		switch st := judge(head+" : "+said, named); st {
		case Silent:
			return Doubtful, s.Head + " : " + s.Text
		default:
			return st, s.Head + " : " + s.Text
		}
	}
	return Silent, ""
}

func first(s string, words int) string {
	f := strings.Fields(s)
	return strings.Join(f[:min(words, len(f))], " ")
}

// inClauses reads each clause of a sentence; those that contradict each other
// leave it to a person.
func inClauses(said string, named bool) Stance {
	out := Silent
	for _, c := range clauses(said) {
		st := Silent
		if speaks(c) {
			st = judge(c, named)
		}
		switch {
		case st == Silent || st == out:
		case out == Silent:
			out = st
		default:
			return Doubtful
		}
	}
	if out == Silent && speaks(said) {
		return judge(said, named)
	}
	return out
}

// clauses cuts a sentence where another thought begins.
func clauses(said string) []string {
	for _, cut := range []string{" mais ", " toutefois", " en revanche", " cependant", " tandis que ", " alors que ", " neanmoins", " au contraire"} {
		said = strings.ReplaceAll(said, cut, " ;"+cut)
	}
	var out []string
	for _, c := range strings.Split(said, ";") {
		if c = strings.TrimSpace(c); c != "" {
			out = append(out, c)
		}
	}
	return out
}

// place is where a stem stands, in words.
type words []string

func wordsOf(said string) words {
	return strings.FieldsFunc(strings.NewReplacer("'", "' ", ",", " , ", ":", " : ", "(", " ( ", ")", " ) ", ".", " ").Replace(said), func(c rune) bool { return c == ' ' || c == '«' || c == '»' || c == '"' })
}

// spots gives the places at which one of the stems begins, in words.
func (w words) spots(stems []string) []int {
	var out []int
	for i := range w {
		for _, s := range stems {
			if w.begins(i, s) {
				out = append(out, i)
				break
			}
		}
	}
	return out
}

func (w words) begins(i int, stem string) bool {
	if w[i] == "" || w[i][0] != stem[0] { // most words are no such word
		return false
	}
	if !strings.ContainsAny(stem, " '") {
		if whole, ok := strings.CutSuffix(stem, "_"); ok {
			return w[i] == whole
		}
		return strings.HasPrefix(w[i], stem)
	}
	parts := strings.Fields(strings.ReplaceAll(stem, "'", "' "))
	if i+len(parts) > len(w) {
		return false
	}
	for n, p := range parts {
		whole := strings.HasSuffix(p, "_") || n < len(parts)-1
		p = strings.TrimSuffix(p, "_")
		if whole && w[i+n] != p || !whole && !strings.HasPrefix(w[i+n], p) {
			return false
		}
	}
	return true
}

// act finds the act whose whole is spoken of: it is near the whole, and the whole
// near what it is the whole of. A document that "was downloaded" is no act.
func (w words) act() (int, bool) {
	wholes, things := w.spots(wholes()), w.spots(objects())
	for _, a := range w.spots(acts()) {
		if w.participle(a) {
			continue
		}
		for _, t := range wholes {
			if t < a-9 || t > a+9 {
				continue
			}
			for _, o := range things {
				if o > a+16 {
					break
				}
				if o != a && (abs(o-t) <= 6 || abs(o-a) <= 5) && abs(o-a) <= 16 {
					return a, true
				}
			}
		}
	}
	return 0, false
}

// participle: "les documents téléchargés", and not "sont téléchargés".
func (w words) participle(i int) bool {
	if !strings.HasSuffix(w[i], "es") && !strings.HasSuffix(w[i], "ee") && !strings.HasSuffix(w[i], "e") || strings.HasSuffix(w[i], "age") {
		return false
	}
	if !strings.HasSuffix(w[i], "es") {
		return false
	}
	for n := max(0, i-4); n < i; n++ {
		switch w[n] {
		case "est", "sont", "sera", "seront", "etre", "ete", "soit", "soient", "puissent", "puisse":
			return false
		}
	}
	for n := max(0, i-2); n < i; n++ {
		if strings.HasPrefix(w[n], "document") || strings.HasPrefix(w[n], "fichier") || strings.HasPrefix(w[n], "piece") || w[n] == "ceux" || w[n] == "deja" {
			return true
		}
	}
	return false
}

func speaks(said string) bool {
	_, ok := wordsOf(said).act()
	return ok
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// judge says what a clause that speaks of it says.
func judge(said string, named bool) Stance {
	w, conditional := unconditioned(wordsOf(said))
	a, ok := w.act()
	if !ok {
		return Doubtful // the act stood in a condition
	}
	if HasAny(strings.ReplaceAll(strings.Join(w, " "), "' ", "'"), doubters()...) {
		return Doubtful
	}
	denied, unbound := w.denied(a)
	switch {
	case unbound:
		return allows(said, named)
	case denied%2 == 1:
		if HasAny(said, exceptions()...) {
			return Doubtful
		}
		return Excludes
	case denied > 0: // twice: not forbidden
		return allows(said, named)
	case conditional && HasAny(said, "sauf", "a moins"):
		return Doubtful
	case HasAny(said, allowers()...):
		return allows(said, named)
	}
	return Doubtful
}

// allows: that users may take all their documents out of the service itself is
// their right. It is against the clause where Mon espace santé is spoken of, or
// where the service takes them.
func allows(said string, named bool) Stance {
	if named || HasAny(said, ofOurs()...) {
		return Allows
	}
	return Doubtful
}

// unconditioned leaves out what stands between commas and begins as a condition:
// what it denies is not the act.
func unconditioned(w words) (words, bool) {
	var out words
	found := false
	for len(w) > 0 {
		end := slices.Index(w, ",")
		part := w
		if end >= 0 {
			part = w[:end]
		}
		cond := len(part) > 0 && slices.Contains([]string{"si", "s'", "lorsque", "lorsqu'", "quand", "tant", "meme", "sauf", "hormis", "des", "afin"}, part[0])
		if _, acts := part.act(); !acts && slices.ContainsFunc(part, func(x string) bool { return x == "sans" }) && (slices.Contains(part, "qu'") || slices.Contains(part, "que")) {
			cond = true // "sans qu’aucune formalité ne soit requise": an aside
		}
		if cond && !(len(out) == 0 && end < 0) {
			found = true
		} else {
			out = append(out, part...)
			if end >= 0 {
				out = append(out, ",")
			}
		}
		if end < 0 {
			break
		}
		w = w[end+1:]
	}
	return out, found
}

// denied counts what denies the act at a place; unbound says that a bound of it is
// denied.
func (w words) denied(a int) (n int, unbound bool) {
	seconds := []string{"pas", "jamais", "aucun", "aucune", "nullement", "point", "guere", "plus", "ni", "en aucun cas", "rien", "aucunement", "nul", "nulle", "personne"}
	second := func(i int) bool {
		for _, s := range seconds {
			if w.begins(i, s+"_") {
				return true
			}
		}
		return false
	}
	after := func(from, most int, stems []string) bool {
		for i := from; i < min(len(w), from+most); i++ {
			for _, s := range stems {
				if w.begins(i, s) {
					return true
				}
			}
		}
		return false
	}
	used := map[int]bool{}
	for i := range w {
		if w[i] != "ne" && w[i] != "n'" || i > 0 && w[i-1] == "ni" { // "ne suppose ni ne permet" denies once
			continue
		}
		// Its other half follows ("ne … pas") or stands before ("aucun … n’est").
		half := -1
		for k := i + 1; k < min(len(w), i+9); k++ {
			if second(k) {
				half = k
				break
			}
		}
		if half < 0 {
			for k := i - 1; k >= max(0, i-14); k-- {
				if w.begins(k, "aucun") || w[k] == "jamais" || w[k] == "nul" || w[k] == "nulle" || w[k] == "ni" {
					half = k
					break
				}
			}
		}
		if half < 0 {
			// "ne saurait", "ne peut" deny by themselves.
			if !after(i+1, 2, []string{"saurai", "peut_", "peuvent_"}) {
				continue
			}
			half = i
		}
		if w.begins(half, "aucun") || w[half] == "ni" || w[half] == "jamais" {
			used[half] = true
		}
		behind := i > a
		if behind && !after(i+1, 7, []string{"possib", "permi", "prevu", "propos", "autoris", "realis", "effectu", "offert", "admis", "envisag", "disponib", "telecharg", "import", "recuper", "copi", "aspir", "accept", "toler", "peut", "peuvent", "saurai", "sera", "pratiqu", "intervient", "lieu", "fait", "interdi", "exclu", "impossible", "limit", "restrei", "plafonn", "mis_", "existe", "pourra", "operation", "entr", "figur", "born", "permet"}) {
			continue
		}
		last := max(half, i)
		if after(last+1, 3, bounders()) {
			return 0, true
		}
		n++
	}
	for i := range w {
		switch {
		case used[i]:
		case w.begins(i, "aucun") && (i < a && a-i <= 8):
			// "aucun téléchargement", without its "ne"
			n++
		case w[i] == "sans" && i < a && a-i <= 5:
			n++
		case w[i] == "sans" && after(i+1, 2, []string{"limit", "restrict", "plafon", "borne"}):
			return 0, true
		case (w[i] == "jamais") && !w.near(i, "ne", 6) && !w.near(i, "n'", 6):
			n++
		}
	}
	for _, i := range w.spots(excluders()) {
		if i > 0 && w[i-1] == "non" {
			continue
		}
		n++
		break // "interdit et impossible" denies once
	}
	return n, false
}

func (w words) near(i int, word string, most int) bool {
	for k := max(0, i-most); k < min(len(w), i+most); k++ {
		if w[k] == word {
			return true
		}
	}
	return false
}

package words

import (
	"strings"

	"github.com/etalon-sante/etalon/reports"
)

// Bond is what binds what was tested to the product, in words.
type Bond struct {
	Name   string // what it is
	Shows  string // what it proves
	Limits string // what it does not
}

// Bond says what a tie is, what it proves and what it does not.
func (l Lang) Bond(t reports.Tie) Bond {
	var b Bond
	switch t.Kind {
	case reports.TieImage:
		b = Bond{
			l.Pick("Image de conteneur", "Container image"),
			l.Pick("La campagne a démarré cette image et lui a parlé.", "The run started this image and talked to it."),
			l.Pick("Rien ne dit que la même image est en production : comparez son empreinte à celle qui y tourne.",
				"Nothing says that the same image is in production: compare its digest with the one that runs there."),
		}
	case reports.TieCertificate:
		b = Bond{
			l.Pick("Certificat de l'adresse de production", "Certificate of the production address"),
			l.Pick("Ce certificat a répondu à cette adresse, ce jour-là.", "This certificate answered at this address, that day."),
			l.Pick("Il ne dit pas que le service qui a parlé au bac à sable est celui qui se trouve derrière cette adresse.",
				"It does not say that the service that talked to the sandbox is the one behind this address."),
		}
		if !t.Verified {
			b.Shows += " " + l.Pick("Il n'a pas pu être vérifié : il ne mène à aucune autorité reconnue pour ce nom et cette date.",
				"It could not be verified: it leads to no known authority for this name and date.")
		}
		if loopback(t.Of) {
			b.Limits = l.Pick("Cette adresse est celle de la machine d'essai : rien ne relie ce qui a été vu à un produit en service.",
				"This address is that of the test machine itself: nothing links what was seen to a product in use.")
		}
	case reports.TieApplication:
		b = Bond{
			l.Pick("Fichier de l'application Android", "File of the Android application"),
			l.Pick("C'est ce fichier, octet pour octet, qui a été lu.", "It is this file, byte for byte, that was read."),
			l.Pick("Il n'a pas été exécuté ; rien ne dit que c'est celui que le magasin d'applications distribue.",
				"It was not run; nothing says that it is the one that the store distributes."),
		}
	case reports.TieSigner:
		b = Bond{
			l.Pick("Certificat de signature de l'application", "Certificate that signed the application"),
			l.Pick("Le fichier est signé par la clé de ce certificat, et n'a pas changé depuis.", "The file is signed by the key of this certificate, and has not changed since."),
			l.Pick("Comparez-le à celui que le magasin d'applications montre : la même clé signe toutes les versions.",
				"Compare it with the one that the store shows: one key signs every version."),
		}
		if !t.Verified {
			b.Limits = l.Pick("C'est une clé d'essai, que chacun peut fabriquer : elle ne dit pas de qui vient l'application.",
				"It is a key for tests, which anyone can make: it does not say from whom the application comes.")
		}
	default:
		b = Bond{Name: t.Kind}
	}
	return b
}

// Bound says in one line what binds the report to the product, or that nothing does.
func (l Lang) Bound(ties []reports.Tie) string {
	short := map[string]string{
		reports.TieImage:       l.Pick("l'empreinte de l'image démarrée", "the digest of the image that was started"),
		reports.TieCertificate: l.Pick("le certificat vu en production", "the certificate seen in production"),
		reports.TieApplication: l.Pick("l'empreinte de l'application lue", "the digest of the application that was read"),
		reports.TieSigner:      l.Pick("sa signature", "its signature"),
	}
	var out []string
	seen := map[string]bool{}
	for _, t := range ties {
		if !t.Verified || t.Kind == reports.TieCertificate && loopback(t.Of) || seen[t.Kind] || short[t.Kind] == "" {
			continue
		}
		seen[t.Kind] = true
		out = append(out, short[t.Kind])
	}
	if len(out) == 0 {
		return l.Pick("rien : la version est celle que dit le manifeste", "nothing: the version is the one that the manifest states")
	}
	last := out[len(out)-1]
	if len(out) == 1 {
		return last
	}
	return strings.Join(out[:len(out)-1], ", ") + l.Pick(" et ", " and ") + last
}

// loopback says whether an address, host:port, is one of the machine itself.
func loopback(address string) bool {
	return strings.HasPrefix(address, "127.") || strings.HasPrefix(address, "localhost:") || address == "localhost" || strings.HasPrefix(address, "[::1]")
}

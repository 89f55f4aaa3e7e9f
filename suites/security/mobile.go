package security

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/apk"
)

// MobileSpecs registers what is judged of the service's application for Android
// phones, from what it says of itself to the phone.
func MobileSpecs(l *Lab) {
	var reading *Scenario
	l.In("mobile", func() {
		reading = l.Scenario("application", "the application that the manifest names is read", readApplication)
	})
	read := func(ok func(apk.Result) bool) Trace { return observed(reading.Trace(), "apk", ok) }
	always := func(apk.Result) bool { return true }

	Describe("The application's connections", func() {
		It("are never in the clear", Check("SEC-60.1"), Reads(reading), func() {
			Expect(network(read(always))).To(see("no cleartext", cleartextRefused))
		})
		It("trust no authority that was added to the phone", Check("SEC-60.2"), Reads(reading), func() {
			Expect(network(read(always))).To(see("system authorities only", userAuthorities))
		})
		It("have pins that hold", Check("SEC-61.1"), Reads(reading), func() {
			t := network(read(always))
			Expect(t).To(see("pins that hold", pinsHold))
			if could(t, "apk", pinned).Empty() {
				t.Review(Text{
					FR: "l’application n’épingle aucune clé par ses règles de réseau : est-ce voulu, au vu des données qu’elle échange ?",
					EN: "the application pins no key in its network rules: is that meant, given the data that it exchanges?",
				})
			}
		})
	})
	Describe("The application's permissions", func() {
		It("are none that the system keeps", Check("SEC-62.1"), Reads(reading), func() {
			Expect(read(always)).To(see("no permission of the system", systemPermissions))
		})
		It("go without saying, or are explained", Check("SEC-62.2"), Reads(reading), func() {
			explained(read(always), l)
		})
	})
	Describe("The application on the phone", func() {
		It("is built to be published", Check("SEC-63.1"), Reads(reading), func() {
			Expect(read(flagsKnown)).To(see("a release build", builtForTests))
		})
		It("leaves nothing in backups unawares", Check("SEC-64.1"), Reads(reading), func() { backups(read(always)) })
		It("keeps its providers to itself", Check("SEC-65.1"), Reads(reading), func() {
			Expect(read(always)).To(see("closed providers", openProviders))
		})
		It("keeps its services to itself", Check("SEC-65.2"), Reads(reading), func() { services(read(always)) })
		It("proves that its web links are its own", Check("SEC-66.1"), Reads(reading), func() {
			Expect(read(always)).To(see("verified links", unverifiedLinks))
		})
		It("has links that the site confirms", Check("SEC-66.3"), Reads(reading), func() { confirmed(reading.Trace()) })
		It("has schemes that nobody else would take", Check("SEC-66.2"), Reads(reading), func() {
			Expect(read(always)).To(see("schemes of its own", anyonesSchemes))
		})
	})
	Describe("The life of the application", func() {
		It("can be offered to new users", Check("SEC-67.1"), Reads(reading), func() {
			Expect(read(levelKnown)).To(see("target level of existing applications", offeredAnew))
		})
		It("can be updated", Check("SEC-67.2"), Reads(reading), func() {
			Expect(read(levelKnown)).To(see("target level of updates", updatable))
		})
		It("keeps its protections on the oldest Android that it takes", Check("SEC-67.3"), Reads(reading), func() {
			Expect(read(always)).To(see("protections everywhere", oldestAndroid))
		})
		It("is the one that the manifest names", Check("SEC-68.1"), Reads(reading), func() {
			t := read(always)
			want := l.Candidate().Application.Package
			if want == "" {
				t.Untested(Text{FR: "le manifeste ne dit pas sous quel nom l’application est publiée (application.package)", EN: "the manifest does not say under which name the application is published (application.package)"})
			}
			Expect(t).To(see("the package named", func(rec record.Record, r apk.Result) []Finding { return otherPackage(rec, r, want) }))
			unread(t)
		})
		It("says its version", Check("SEC-68.2"), Reads(reading), func() { version(read(always), l.Candidate().Service.Version) })
		It("is signed as a whole", Check("SEC-69.1"), Reads(reading), func() {
			Expect(read(always)).To(see("a signature of the whole file", signedWhole))
		})
		It("is the file that was signed", Check("SEC-69.2"), Reads(reading), func() {
			t := read(func(r apk.Result) bool { return r.Signing.V2 || r.Signing.V3 })
			Expect(t).To(see("an intact file", intact))
			if !could(t, "apk", func(r apk.Result) bool { return r.Signing.Intact != apk.Yes && r.Signing.Intact != apk.No }).Empty() {
				t.Untested(Text{FR: "la signature use d’un algorithme que le banc ne vérifie pas", EN: "the signature uses an algorithm that the harness does not verify"})
			}
		})
		It("is signed with a key of the publisher", Check("SEC-69.3"), Reads(reading), func() {
			Expect(read(func(r apk.Result) bool { return len(r.Signing.Signers) > 0 })).To(see("the publisher's key", publishersKey))
		})
	})
}

// network leaves untested what rests on network rules that could not be read.
func network(t Trace) Trace {
	if !could(t, "apk", func(r apk.Result) bool { return !r.Network.Whole }).Empty() {
		t.Untested(Text{
			FR: "les règles de réseau que nomme l’application n’ont pas pu être lues en entier",
			EN: "the network rules that the application names could not be read whole",
		})
	}
	return t
}

// unread shows what is in the application, or beside it, and was not read.
func unread(t Trace) {
	var list []string
	for _, rec := range t.Records {
		list = append(list, record.Seen[apk.Result](rec).Unread...)
	}
	if len(list) == 0 {
		return
	}
	said := shortened(list)
	t.Review(Text{
		FR: "ceci n’a pas été lu, et rien n’en est jugé : " + said,
		EN: "this was not read, and nothing of it is judged: " + said,
	})
}

// shortened joins a list that a person is shown.
func shortened(list []string) string {
	list = slices.Sorted(slices.Values(list)) // what is shared is not changed
	said := strings.Join(slices.Compact(list), "; ")
	if len(said) > 1500 {
		said = strings.ToValidUTF8(said[:1500], "") + "…"
	}
	return said
}

func readApplication(ctx context.Context, s *Stage) error {
	name := s.Candidate().Application.APK
	if s.Application() == "" {
		return s.Probe("apk", name, nil, fmt.Errorf("the manifest names no application (application.apk)"))
	}
	res, err := apk.Open(ctx, s.Application(), name, s.Now())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return s.Probe("apk", name, nil, err)
	}
	if err := s.Probe("apk", name, res, nil); err != nil {
		return err
	}
	return confirmLinks(ctx, s, res)
}

func ofApplication(rec record.Record, key, fr, en, want, actual, at string) Finding {
	return At(rec, "apk."+key, Text{FR: fr, EN: en}).Was(want, orNone(actual)).In(at)
}

const (
	manifestFile = "AndroidManifest.xml"
	// configurationsAt is the level from which Android reads network rules (7.0).
	configurationsAt = 24
	// wholeSignaturesAt is the level from which Android verifies the whole file (7.0).
	wholeSignaturesAt = 24
)

// local says whether a name is the phone itself: what it says to itself passes
// through no network.
func local(name string) bool {
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || strings.HasPrefix(name, "127.") || name == "::1"
}

func cleartextRefused(rec record.Record, r apk.Result) []Finding {
	var out []Finding
	where := func(i int) string {
		if i < len(r.Network.Files) {
			return r.Network.Files[i]
		}
		return manifestFile
	}
	if r.Network.Base.Cleartext {
		out = append(out, ofApplication(rec, "cleartext", "l’application laisse passer des connexions en clair",
			"the application lets connections in the clear pass", "cleartextTrafficPermitted=false", "true", where(0)))
	}
	for _, d := range r.Network.Domains {
		names := slices.DeleteFunc(slices.Clone(d.Names), local)
		if d.Cleartext && len(names) > 0 {
			list := strings.Join(names, ", ")
			out = append(out, ofApplication(rec, "cleartext-domain", "l’application laisse passer des connexions en clair vers "+list,
				"the application lets connections in the clear pass to "+list, "cleartextTrafficPermitted=false", "true", where(0)))
		}
	}
	if len(out) == 0 && r.Network.Named && r.SDK.Min < configurationsAt && r.Application.Cleartext != apk.No {
		out = append(out, ofApplication(rec, "cleartext-old", "sur un Android antérieur à 7.0, qui ne lit pas les règles de réseau, l’application laisse passer des connexions en clair",
			"on an Android before 7.0, which does not read the network rules, the application lets connections in the clear pass",
			"usesCleartextTraffic=false / minSdkVersion ≥ 24", fmt.Sprintf("minSdkVersion %d", r.SDK.Min), manifestFile))
	}
	return out
}

func userAuthorities(rec record.Record, r apk.Result) []Finding {
	var out []Finding
	at := strings.Join(r.Network.Files, ", ")
	if at == "" {
		at = manifestFile
	}
	if r.Network.Base.UserCAs {
		actual := strings.Join(r.Network.Base.Anchors, ", ")
		if actual == "" {
			actual = fmt.Sprintf("targetSdkVersion %d", r.SDK.Target)
		}
		out = append(out, ofApplication(rec, "user-authorities", "l’application se fie aux autorités ajoutées au téléphone",
			"the application trusts authorities that were added to the phone", "system", actual, at))
	}
	for _, d := range r.Network.Domains {
		if d.UserCAs && !r.Network.Base.UserCAs {
			list := strings.Join(d.Names, ", ")
			out = append(out, ofApplication(rec, "user-authorities-domain", "pour "+list+", l’application se fie aux autorités ajoutées au téléphone",
				"for "+list+", the application trusts authorities that were added to the phone", "system", strings.Join(d.Anchors, ", "), at))
		}
	}
	return out
}

func pinned(r apk.Result) bool {
	return slices.ContainsFunc(r.Network.Domains, func(d apk.DomainRule) bool { return d.Pins > 0 })
}

// pinsHold: pins that have expired are not looked at any more, and one alone cuts
// the application off on the day its key is replaced.
func pinsHold(rec record.Record, r apk.Result) []Finding {
	var out []Finding
	at := strings.Join(r.Network.Files, ", ")
	for _, d := range r.Network.Domains {
		list := strings.Join(d.Names, ", ")
		if d.Pins == 0 {
			continue
		}
		if until, err := time.Parse(time.DateOnly, d.Expires); d.Expires != "" && (err != nil || !until.After(r.At)) {
			out = append(out, ofApplication(rec, "pins-expired", "les clés épinglées pour "+list+" ont expiré : elles ne sont plus regardées",
				"the keys pinned for "+list+" have expired: they are not looked at any more", "> "+r.At.Format(time.DateOnly), d.Expires, at))
		}
		if d.Pins == 1 {
			out = append(out, ofApplication(rec, "pin-alone", "une seule clé est épinglée pour "+list+" : rien ne la relaie",
				"one key alone is pinned for "+list+": nothing takes over from it", "≥ 2", "1", at))
		}
		if d.UserCAs && d.Override {
			out = append(out, ofApplication(rec, "pins-overridden", "une autorité ajoutée au téléphone l’emporte sur les clés épinglées pour "+list,
				"an authority that was added to the phone prevails over the keys pinned for "+list, "overridePins=false", "true", at))
		}
	}
	return out
}

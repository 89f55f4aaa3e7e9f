package security

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/apk"
)

func flagsKnown(r apk.Result) bool {
	return r.Application.Debuggable != apk.Unknown && r.Application.TestOnly != apk.Unknown
}

func builtForTests(rec record.Record, r apk.Result) []Finding {
	var out []Finding
	if r.Application.Debuggable == apk.Yes {
		out = append(out, ofApplication(rec, "debuggable", "un débogueur peut s’attacher à l’application et lire ses données",
			"a debugger may attach to the application and read its data", "android:debuggable=false", "true", manifestFile))
	}
	if r.Application.TestOnly == apk.Yes {
		out = append(out, ofApplication(rec, "test-only", "l’application est construite pour des essais (testOnly) : aucun magasin ne la prend",
			"the application is built for tests (testOnly): no store takes it", "android:testOnly=false", "true", manifestFile))
	}
	return out
}

// The levels at which Android changed how it backs applications up: by itself
// from 23 on, by other rules from 31 on.
const (
	backupsAt    = 23
	extractionAt = 31
)

func backups(t Trace) {
	var ruled []string
	Expect(t).To(see("backups", func(rec record.Record, r apk.Result) []Finding {
		if r.Application.Backup == apk.No {
			return nil
		}
		actual := "allowBackup=" + orNone(string(r.Application.Backup))
		var out []Finding
		if !r.Application.Extraction.Named && r.SDK.Target >= extractionAt {
			out = append(out, ofApplication(rec, "backup-open", "les données de l’application partent dans les sauvegardes du téléphone, sans règle (Android 12 et suivants)",
				"the application's data go into the phone's backups, without a rule (Android 12 and later)", "allowBackup=false / dataExtractionRules", actual, manifestFile))
		}
		if !r.Application.FullBackupContent.Named && (r.SDK.Min < extractionAt || r.SDK.Target < extractionAt) {
			out = append(out, ofApplication(rec, "backup-open-old", "les données de l’application partent dans les sauvegardes du téléphone, sans règle (jusqu’à Android 11)",
				"the application's data go into the phone's backups, without a rule (up to Android 11)", "allowBackup=false / fullBackupContent", actual, manifestFile))
		}
		for _, rules := range []apk.Rules{r.Application.FullBackupContent, r.Application.Extraction} {
			for _, line := range rules.Excludes {
				ruled = append(ruled, "− "+line)
			}
			for _, line := range rules.Includes {
				ruled = append(ruled, "+ "+line)
			}
			if rules.Named && (!rules.Whole || len(rules.Excludes)+len(rules.Includes) == 0) {
				ruled = append(ruled, "? "+orNone(strings.Join(rules.Files, ", ")))
			}
		}
		return out
	}))
	if len(ruled) == 0 {
		return
	}
	list := shortened(ruled)
	t.Review(Text{
		FR: "des sauvegardes sont permises, selon des règles : écartent-elles les données de santé et les jetons ? " + list,
		EN: "backups are allowed, by rules: do they keep health data and tokens out? " + list,
	})
}

// asked is the permission that a caller of a component must hold.
func asked(r apk.Result, c apk.Component) string {
	if c.Permission != "" {
		return c.Permission
	}
	return r.Application.Permission
}

// reach says who may call a component, by the permission that guards it.
func reach(r apk.Result, permission string) apk.Reach {
	if permission == "" {
		return apk.Anyone
	}
	return r.Reach(permission)
}

func opened(r apk.Result, kinds ...string) []apk.Component {
	var out []apk.Component
	for _, c := range r.Components {
		if slices.Contains(kinds, c.Kind) && r.Exported(c) {
			out = append(out, c)
		}
	}
	return out
}

func openProviders(rec record.Record, r apk.Result) []Finding {
	var out []Finding
	for _, c := range opened(r, "provider") {
		if c.Explicit == apk.Unknown {
			continue // shown to a person, with the services
		}
		for _, use := range []struct{ own, fr, en string }{{c.Read, "lire", "read"}, {c.Write, "modifier", "change"}} {
			permission := use.own
			if permission == "" {
				permission = asked(r, c)
			}
			if reach(r, permission) != apk.Anyone || permission == "" && c.Partial {
				continue
			}
			out = append(out, ofApplication(rec, "provider-open", fmt.Sprintf("toute application du téléphone peut %s les données du fournisseur %s", use.fr, c.Name),
				fmt.Sprintf("any application of the phone may %s the data of the provider %s", use.en, c.Name), "exported=false / permission (signature)", orNone(permission), manifestFile))
		}
	}
	return out
}

func services(t Trace) {
	var doubtful []string
	Expect(t).To(see("closed services", func(rec record.Record, r apk.Result) []Finding {
		var out []Finding
		for _, c := range opened(r, "service") {
			p := asked(r, c)
			switch held := reach(r, p); {
			case c.Explicit == apk.Unknown && held != apk.Few:
				doubtful = append(doubtful, c.Kind+" "+c.Name)
			case held == apk.Anyone:
				out = append(out, ofApplication(rec, "service-open", "toute application du téléphone peut appeler le service "+c.Name,
					"any application of the phone may call the service "+c.Name, "exported=false / permission (signature)", orNone(p), manifestFile))
			case held != apk.Few:
				doubtful = append(doubtful, c.Kind+" "+c.Name+" ("+p+")")
			}
		}
		for _, c := range opened(r, "activity", "activity-alias", "receiver", "provider") {
			p := asked(r, c)
			switch held := reach(r, p); {
			case held == apk.Few || c.Launcher || c.Linked:
			case c.Kind == "provider" && held == apk.Anyone && !c.Partial && c.Explicit != apk.Unknown: // judged by itself
			case p == "":
				doubtful = append(doubtful, c.Kind+" "+c.Name)
			default:
				doubtful = append(doubtful, c.Kind+" "+c.Name+" ("+p+")")
			}
		}
		return out
	}))
	if len(doubtful) == 0 {
		return
	}
	list := shortened(doubtful)
	t.Review(Text{
		FR: "d’autres applications du téléphone peuvent atteindre ces composants ; se défient-ils de ce qui leur est passé ? " + list,
		EN: "other applications of the phone may reach these components; do they distrust what they are handed? " + list,
	})
}

func unverifiedLinks(rec record.Record, r apk.Result) []Finding {
	var out []Finding
	verified := verifiedHosts(r) // once is enough for a host, whichever filter says it
	for _, k := range r.Links {
		hidden := slices.DeleteFunc(slices.Clone(k.Hosts), func(h string) bool { return slices.Contains(verified, strings.ToLower(h)) })
		if !k.Verify && (slices.Contains(k.Schemes, "https") || slices.Contains(k.Schemes, "http")) && (len(hidden) > 0 || len(k.Hosts) == 0) {
			hosts := orNone(strings.Join(hidden, ", "))
			out = append(out, ofApplication(rec, "link-unverified", "les liens vers "+hosts+" ne sont pas vérifiés : une autre application peut se proposer à la place de celle-ci",
				"links to "+hosts+" are not verified: another application may put itself forward in this one's place", "android:autoVerify=true", "—", manifestFile))
		}
	}
	return out
}

// reversed says whether a scheme is made of a domain name read backwards, like
// fr.example.carnet (RFC 8252 §7.1).
func reversed(scheme string) bool {
	labels := strings.Split(scheme, ".")
	return len(labels) > 1 && !slices.Contains(labels, "")
}

func anyonesSchemes(rec record.Record, r apk.Result) []Finding {
	var out []Finding
	for _, k := range r.Links {
		for _, s := range k.Schemes {
			if s == "http" || s == "https" || reversed(s) {
				continue
			}
			out = append(out, ofApplication(rec, "scheme-anyones", "le schéma «\u00a0"+s+"\u00a0» n’est pas formé sur un nom de domaine : une autre application peut prendre le même",
				fmt.Sprintf("the scheme %q is not made of a domain name: another application may take the same", s), "fr.example.…", s, manifestFile))
		}
	}
	return out
}

// demand is what Google Play asks of the level that an application targets, from
// a day on: to be offered to new users of newer phones, and to be updated.
type demand struct {
	from             string
	existing, update int
}

// demands are the demands of Google Play, read in its documentation on 23/11/2026.
func demands() []demand {
	return []demand{
		{"2024-08-31", 33, 34},
		{"2025-08-31", 34, 35},
		{"2026-08-31", 35, 36},
	}
}

// demanded is what holds on a day; before the first day known, that one's.
func demanded(day time.Time) demand {
	out := demands()[0]
	for _, d := range demands() {
		if day.Format(time.DateOnly) >= d.from {
			out = d
		}
	}
	return out
}

func levelKnown(r apk.Result) bool { return r.SDK.Codename == "" }

func offeredAnew(rec record.Record, r apk.Result) []Finding {
	d := demanded(r.At)
	if r.SDK.Target >= d.existing {
		return nil
	}
	return []Finding{ofApplication(rec, "target-not-offered", fmt.Sprintf("l’application vise le niveau %d : Google Play ne la propose plus aux nouveaux utilisateurs de téléphones récents", r.SDK.Target),
		fmt.Sprintf("the application targets level %d: Google Play no longer offers it to new users of recent phones", r.SDK.Target), fmt.Sprintf("targetSdkVersion ≥ %d (%s)", d.existing, d.from), fmt.Sprint(r.SDK.Target), manifestFile)}
}

func updatable(rec record.Record, r apk.Result) []Finding {
	d := demanded(r.At)
	if r.SDK.Target >= d.update {
		return nil
	}
	return []Finding{ofApplication(rec, "target-not-updatable", fmt.Sprintf("l’application vise le niveau %d : Google Play n’en prend plus de mise à jour, même de sécurité", r.SDK.Target),
		fmt.Sprintf("the application targets level %d: Google Play takes no more updates of it, not even for security", r.SDK.Target), fmt.Sprintf("targetSdkVersion ≥ %d (%s)", d.update, d.from), fmt.Sprint(r.SDK.Target), manifestFile)}
}

func oldestAndroid(rec record.Record, r apk.Result) []Finding {
	if r.SDK.Min >= wholeSignaturesAt {
		return nil
	}
	return []Finding{ofApplication(rec, "android-too-old", "l’application s’installe sur un Android antérieur à 7.0, qui ne lit pas ses règles de réseau et ne vérifie pas la signature du fichier entier",
		"the application can be installed on an Android before 7.0, which does not read its network rules and does not verify the signature of the whole file",
		fmt.Sprintf("minSdkVersion ≥ %d", wholeSignaturesAt), fmt.Sprint(r.SDK.Min), manifestFile)}
}

func otherPackage(rec record.Record, r apk.Result, want string) []Finding {
	if r.Package == want {
		return nil
	}
	return []Finding{ofApplication(rec, "other-package", "le fichier n’est pas l’application que nomme le manifeste", "the file is not the application that the manifest names", want, r.Package, manifestFile)}
}

func version(t Trace, service string) {
	others := ""
	Expect(t).To(see("a version", func(rec record.Record, r apk.Result) []Finding {
		switch {
		case r.VersionCode <= 0 || r.VersionName == "":
			return []Finding{ofApplication(rec, "no-version", "l’application ne dit pas sa version", "the application does not say its version", "versionCode, versionName", fmt.Sprintf("%d, %s", r.VersionCode, orNone(r.VersionName)), manifestFile)}
		case r.VersionName != service:
			others = r.VersionName
		}
		return nil
	}))
	if others != "" {
		t.Review(Text{
			FR: fmt.Sprintf("l’application se dit en version %s et le manifeste du service en version %s : est-ce bien celle qui est évaluée ?", others, service),
			EN: fmt.Sprintf("the application says that it is version %s, and the service's manifest version %s: is it the one that is assessed?", others, service),
		})
	}
}

func signedWhole(rec record.Record, r apk.Result) []Finding {
	s := r.Signing
	if s.V2 || s.V3 {
		return nil
	}
	actual := "—"
	if s.V1 {
		actual = "v1"
	}
	return []Finding{ofApplication(rec, "not-signed-whole", "aucune signature ne couvre le fichier entier", "no signature covers the whole file", "v2 / v3", actual, "APK Signing Block")}
}

func intact(rec record.Record, r apk.Result) []Finding {
	if r.Signing.Intact != apk.No {
		return nil
	}
	return []Finding{ofApplication(rec, "altered", "la signature de l’application ne se vérifie pas : un téléphone refuse de l’installer", "the signature of the application does not verify: a phone refuses to install it", "a signature that verifies", r.Signing.Problem, "APK Signing Block")}
}

// leastSigningKey is the least size of an RSA key, in bits, as for certificates.
const leastSigningKey = 2048

func publishersKey(rec record.Record, r apk.Result) []Finding {
	var out []Finding
	seen := map[string]bool{}
	for _, s := range r.Signing.Signers {
		if seen[s.SHA256] {
			continue
		}
		seen[s.SHA256] = true
		if s.Debug {
			out = append(out, ofApplication(rec, "debug-key", "l’application est signée avec la clé d’essai d’Android Studio, que chacun peut avoir", "the application is signed with the test key of Android Studio, which anybody may have", "a key of the publisher", s.Subject, "APK Signing Block"))
		}
		if s.Key == "RSA" && s.Bits < leastSigningKey {
			out = append(out, ofApplication(rec, "key-small", "la clé qui signe l’application est trop courte", "the key that signs the application is too short", fmt.Sprintf("RSA ≥ %d", leastSigningKey), fmt.Sprintf("RSA %d", s.Bits), "APK Signing Block"))
		}
	}
	return out
}

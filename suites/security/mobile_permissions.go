package security

import (
	"slices"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/apk"
)

func systemPermissions(rec record.Record, r apk.Result) []Finding {
	var out []Finding
	for _, p := range r.Permissions {
		if p.Kind == apk.System && everAsked(r, p) {
			out = append(out, ofApplication(rec, "system-permission", "l’application demande une autorisation réservée au système : "+p.Name,
				"the application asks for a permission that is kept for the system: "+p.Name, "—", p.Name, manifestFile))
		}
	}
	return out
}

// everAsked says whether a permission is asked for on any phone that the
// application takes: one for older phones only is not.
func everAsked(r apk.Result, p apk.Permission) bool { return p.MaxSDK == 0 || p.MaxSDK >= r.SDK.Min }

// evident says whether a permission that touches on privacy goes without saying
// for what the service claims: nobody wonders why it is asked for.
func evident(p apk.Permission, c candidate.Claims) bool {
	name := strings.TrimPrefix(p.Name, "android.permission.")
	switch {
	case name == "POST_NOTIFICATIONS":
		return true // it gives nothing of the person's, and he is asked
	case name == "BLUETOOTH_CONNECT":
		return c.Devices
	case name == "BLUETOOTH_SCAN":
		return c.Devices && p.NeverForLocation()
	case p.Kind == apk.Health:
		return len(c.Measures) > 0
	}
	return false
}

// touching are the permissions that touch on privacy and do not go without
// saying.
func touching(r apk.Result, c candidate.Claims) []string {
	var out []string
	for _, p := range r.Permissions {
		switch p.Kind {
		case apk.Dangerous, apk.Special, apk.Tracking, apk.Health:
			if everAsked(r, p) && !evident(p, c) && !slices.Contains(out, p.Name) {
				out = append(out, p.Name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// explained judges the permissions that touch on privacy. Whether one is needed
// is for a person to say; that it stands in none of the reasons which the
// publisher gives is a fact.
func explained(t Trace, l *Lab) {
	c := l.Candidate()
	reasons := c.Application.Permissions
	var told []string
	Expect(t).To(see("permissions with a reason", func(rec record.Record, r apk.Result) []Finding {
		var out []Finding
		for _, name := range touching(r, c.Claims) {
			why, given := reasons[name]
			switch {
			case given:
				told = append(told, name+" («\u00a0"+why+"\u00a0»)")
			case len(reasons) > 0:
				out = append(out, ofApplication(rec, "permission-unexplained", "l’application demande "+name+", et le manifeste ne dit pas à quoi cela sert",
					"the application asks for "+name+", and the manifest does not say what for", "application.permissions", name, manifestFile))
			default:
				told = append(told, name)
			}
		}
		return out
	}))
	for _, rec := range t.Records {
		told = append(told, trackers(record.Seen[apk.Result](rec))...)
	}
	if len(told) == 0 {
		return
	}
	list := shortened(told)
	t.Review(Text{
		FR: "ceci touche à la vie privée : est-ce nécessaire à ce que fait le service, et le patient en décide-t-il ? " + list,
		EN: "this touches on privacy: is it needed for what the service does, and does the patient decide on it? " + list,
	})
}

// trackers are the libraries for measuring an audience or for advertisements
// whose components the application declares: their names begin with that of the
// library. What they do, and after which choice, is in the code.
func trackers(r apk.Result) []string {
	known := []struct{ prefix, name string }{
		{"com.google.android.gms.measurement.", "Google Analytics (Firebase)"},
		{"com.google.android.gms.analytics.", "Google Analytics"},
		{"com.google.android.gms.ads.", "Google Ads"},
		{"com.facebook.ads.", "Meta Audience Network"},
		{"com.facebook.", "Meta SDK"},
		{"com.appsflyer.", "AppsFlyer"},
		{"com.adjust.sdk.", "Adjust"},
		{"io.branch.", "Branch"},
		{"com.amplitude.", "Amplitude"},
		{"com.mixpanel.", "Mixpanel"},
		{"com.onesignal.", "OneSignal"},
		{"com.batch.android.", "Batch"},
		{"com.braze.", "Braze"},
		{"com.applovin.", "AppLovin"},
		{"com.unity3d.ads.", "Unity Ads"},
		{"com.ironsource.", "ironSource"},
		{"com.flurry.", "Flurry"},
	}
	var out []string
	for _, c := range r.Components {
		for _, k := range known {
			if strings.HasPrefix(c.Name, k.prefix) {
				out = append(out, k.name)
				break
			}
		}
	}
	return out
}

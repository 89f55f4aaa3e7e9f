package security

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/apk"
)

// goodApplication is what an application without fault says of itself.
func goodApplication() apk.Result {
	return apk.Result{
		File: "x.apk", At: today, Package: "fr.example.carnet", VersionCode: 1, VersionName: "1.0.0",
		SDK:         apk.SDK{Min: 26, Target: 36, Compile: 36},
		Permissions: []apk.Permission{{Name: "android.permission.INTERNET", Kind: apk.Normal}},
		Own:         []apk.Own{{Name: "fr.example.carnet.MINE", Level: 2}, {Name: "fr.example.carnet.ASKED", Level: 1}},
		Application: apk.Application{Backup: apk.No},
		Network: apk.Network{Named: true, Whole: true, Files: []string{"res/xml/r.xml"}, Domains: []apk.DomainRule{
			{Rule: apk.Rule{Pins: 2, Expires: "2027-01-01"}, Names: []string{"carnet.example"}},
		}},
		Signing: apk.Signing{V2: true, Intact: apk.Yes, Signers: []apk.Signer{{Scheme: "v2", SHA256: "aa", Key: "RSA", Bits: 2048}}},
	}
}

func TestWhatAnApplicationSaysIsJudged(t *testing.T) {
	provider := apk.Component{Kind: "provider", Name: "P", Explicit: apk.Yes}
	service := apk.Component{Kind: "service", Name: "S", Explicit: apk.Yes}
	for name, c := range map[string]struct {
		change func(*apk.Result)
		check  string
		state  lab.State
		says   string
	}{
		"as it should be": {func(*apk.Result) {}, "SEC-60.1", lab.Met, ""},
		"in the clear to the phone itself": {func(r *apk.Result) {
			r.Network.Domains[0].Names, r.Network.Domains[0].Cleartext = []string{"localhost", "127.0.0.1"}, true
		}, "SEC-60.1", lab.Met, ""},
		"in the clear to an emulator's host": {func(r *apk.Result) {
			r.Network.Domains[0].Names, r.Network.Domains[0].Cleartext = []string{"10.0.2.2"}, true
		}, "SEC-60.1", lab.NotMet, "10.0.2.2"},
		"in the clear on old phones":          {func(r *apk.Result) { r.SDK.Min = 23 }, "SEC-60.1", lab.NotMet, "Android before 7.0"},
		"in the clear on old phones, refused": {func(r *apk.Result) { r.SDK.Min, r.Application.Cleartext = 23, apk.No }, "SEC-60.1", lab.Met, ""},
		"added authorities for one domain":    {func(r *apk.Result) { r.Network.Domains[0].UserCAs = true }, "SEC-60.2", lab.NotMet, "carnet.example"},
		"no pin":                              {func(r *apk.Result) { r.Network.Domains = nil }, "SEC-61.1", lab.ToReview, "pins no key"},
		"pins to the last day":                {func(r *apk.Result) { r.Network.Domains[0].Expires = today.Format(time.DateOnly) }, "SEC-61.1", lab.NotMet, "expired"},
		"pins without an end":                 {func(r *apk.Result) { r.Network.Domains[0].Expires = "" }, "SEC-61.1", lab.Met, ""},
		"pins until a day that is none":       {func(r *apk.Result) { r.Network.Domains[0].Expires = "soon" }, "SEC-61.1", lab.NotMet, "expired"},
		"pins that an added authority beats":  {func(r *apk.Result) { r.Network.Domains[0].UserCAs, r.Network.Domains[0].Override = true, true }, "SEC-61.1", lab.NotMet, "prevails"},
		"the microphone, without a word": {func(r *apk.Result) {
			r.Permissions = append(r.Permissions, apk.Permission{Name: "android.permission.RECORD_AUDIO", Kind: apk.Dangerous})
		}, "SEC-62.2", lab.ToReview, "RECORD_AUDIO"},
		"a permission for phones that it does not take": {func(r *apk.Result) {
			r.Permissions = append(r.Permissions, apk.Permission{Name: "android.permission.READ_EXTERNAL_STORAGE", Kind: apk.Dangerous, MaxSDK: 25})
		}, "SEC-62.2", lab.Met, ""},
		"a permission for the oldest phones that it takes": {func(r *apk.Result) {
			r.Permissions = append(r.Permissions, apk.Permission{Name: "android.permission.READ_EXTERNAL_STORAGE", Kind: apk.Dangerous, MaxSDK: 26})
		}, "SEC-62.2", lab.ToReview, "READ_EXTERNAL_STORAGE"},
		"an advertising identifier": {func(r *apk.Result) {
			r.Permissions = append(r.Permissions, apk.Permission{Name: "com.google.android.gms.permission.AD_ID", Kind: apk.Tracking})
		}, "SEC-62.2", lab.ToReview, "AD_ID"},
		"notifications": {func(r *apk.Result) {
			r.Permissions = append(r.Permissions, apk.Permission{Name: "android.permission.POST_NOTIFICATIONS", Kind: apk.Dangerous})
		}, "SEC-62.2", lab.Met, ""},
		"a system's permission": {func(r *apk.Result) {
			r.Permissions = append(r.Permissions, apk.Permission{Name: "android.permission.DUMP", Kind: apk.System})
		}, "SEC-62.1", lab.NotMet, "DUMP"},
		"debuggable, nobody knows":    {func(r *apk.Result) { r.Application.Debuggable = apk.Unknown }, "SEC-63.1", lab.Untested, ""},
		"backups by rules":            {func(r *apk.Result) { r.Application = backedUp("cloud-backup database .", "database .") }, "SEC-64.1", lab.ToReview, "database"},
		"backups by rules of nothing": {func(r *apk.Result) { r.Application = backedUp("", "") }, "SEC-64.1", lab.ToReview, "res/xml"},
		"backups on new phones only": {func(r *apk.Result) {
			r.Application = backedUp("cloud-backup database .", "")
			r.Application.FullBackupContent = apk.Rules{}
		}, "SEC-64.1", lab.NotMet, "Android 11"},
		"network rules that cannot be read": {func(r *apk.Result) { r.Network.Whole = false }, "SEC-60.1", lab.Untested, "network rules"},
		"authorities that cannot be read":   {func(r *apk.Result) { r.Network.Whole = false }, "SEC-60.2", lab.Untested, "network rules"},
		"a provider that may be open":       {func(r *apk.Result) { p := provider; p.Explicit = apk.Unknown; r.Components = []apk.Component{p} }, "SEC-65.1", lab.Met, ""},
		"a provider that a person is shown": {func(r *apk.Result) { p := provider; p.Explicit = apk.Unknown; r.Components = []apk.Component{p} }, "SEC-65.2", lab.ToReview, "provider P"},
		"a service that may be open":        {func(r *apk.Result) { p := service; p.Explicit = apk.Unknown; r.Components = []apk.Component{p} }, "SEC-65.2", lab.ToReview, "service S"},
		"a library that counts visitors": {func(r *apk.Result) {
			r.Components = []apk.Component{{Kind: "service", Name: "com.google.android.gms.measurement.AppMeasurementService", Explicit: apk.No}}
		}, "SEC-62.2", lab.ToReview, "Google Analytics"},
		"a provider open to all": {func(r *apk.Result) { r.Components = []apk.Component{provider} }, "SEC-65.1", lab.NotMet, "read"},
		"a provider open for writing": {func(r *apk.Result) {
			p := provider
			p.Read = "fr.example.carnet.MINE"
			r.Components = []apk.Component{p}
		}, "SEC-65.1", lab.NotMet, "change"},
		"a provider with a guard": {func(r *apk.Result) {
			p := provider
			p.Permission = "fr.example.carnet.MINE"
			r.Components = []apk.Component{p}
		}, "SEC-65.1", lab.Met, ""},
		"a provider by paths": {func(r *apk.Result) { p := provider; p.Partial = true; r.Components = []apk.Component{p} }, "SEC-65.2", lab.ToReview, "provider P"},
		"guarded by the application": {func(r *apk.Result) {
			r.Application.Permission = "fr.example.carnet.MINE"
			r.Components = []apk.Component{provider, service}
		}, "SEC-65.2", lab.Met, ""},
		"a service with a common guard": {func(r *apk.Result) {
			s := service
			s.Permission = "android.permission.INTERNET"
			r.Components = []apk.Component{s}
		}, "SEC-65.2", lab.NotMet, "INTERNET"},
		"a service that asks for consent": {func(r *apk.Result) {
			s := service
			s.Permission = "fr.example.carnet.ASKED"
			r.Components = []apk.Component{s}
		}, "SEC-65.2", lab.ToReview, "ASKED"},
		"a service of Android's": {func(r *apk.Result) {
			s := service
			s.Permission = "android.permission.BIND_JOB_SERVICE"
			r.Components = []apk.Component{s}
		}, "SEC-65.2", lab.Met, ""},
		"a screen open to all": {func(r *apk.Result) { r.Components = []apk.Component{{Kind: "activity", Name: "A", Explicit: apk.Yes}} }, "SEC-65.2", lab.ToReview, "activity A"},
		"its first screen": {func(r *apk.Result) {
			r.Components = []apk.Component{{Kind: "activity", Name: "A", Explicit: apk.Yes, Launcher: true}}
		}, "SEC-65.2", lab.Met, ""},
		"web links": {func(r *apk.Result) { r.Links = []apk.Link{{Schemes: []string{"https"}, Hosts: []string{"a.example"}}} }, "SEC-66.1", lab.NotMet, "a.example"},
		"a link verified by another filter": {func(r *apk.Result) {
			r.Links = []apk.Link{{Schemes: []string{"https"}, Hosts: []string{"a.example"}}, {Schemes: []string{"https"}, Hosts: []string{"A.example"}, Verify: true}}
		}, "SEC-66.1", lab.Met, ""},
		"a scheme of its own":      {func(r *apk.Result) { r.Links = []apk.Link{{Schemes: []string{"fr.example.carnet"}}} }, "SEC-66.2", lab.Met, ""},
		"a scheme of one word":     {func(r *apk.Result) { r.Links = []apk.Link{{Schemes: []string{"carnet"}}} }, "SEC-66.2", lab.NotMet, "carnet"},
		"before the demands":       {func(r *apk.Result) { r.SDK.Target, r.At = 34, time.Date(2024, 9, 1, 0, 0, 0, 0, time.UTC) }, "SEC-67.2", lab.Met, ""},
		"the eve of the demands":   {func(r *apk.Result) { r.SDK.Target, r.At = 35, time.Date(2026, 8, 30, 23, 0, 0, 0, time.UTC) }, "SEC-67.2", lab.Met, ""},
		"the day of the demands":   {func(r *apk.Result) { r.SDK.Target, r.At = 35, time.Date(2026, 8, 31, 0, 0, 0, 0, time.UTC) }, "SEC-67.2", lab.NotMet, "2026-08-31"},
		"offered, not updated":     {func(r *apk.Result) { r.SDK.Target = 35 }, "SEC-67.1", lab.Met, ""},
		"a preview":                {func(r *apk.Result) { r.SDK.Codename = "Baklava" }, "SEC-67.1", lab.Untested, ""},
		"no name in the manifest":  {func(*apk.Result) {}, "SEC-68.1", lab.Untested, "application.package"},
		"another version":          {func(r *apk.Result) { r.VersionName = "0.9" }, "SEC-68.2", lab.ToReview, "0.9"},
		"signed file by file":      {func(r *apk.Result) { r.Signing = apk.Signing{V1: true} }, "SEC-69.1", lab.NotMet, "v1"},
		"an algorithm of old":      {func(r *apk.Result) { r.Signing.Intact = apk.Unknown }, "SEC-69.2", lab.Untested, "algorithm"},
		"signed, nobody knows how": {func(r *apk.Result) { r.Signing.Intact = apk.Unsaid }, "SEC-69.2", lab.Untested, "algorithm"},
		"a short key":              {func(r *apk.Result) { r.Signing.Signers[0].Bits = 1024 }, "SEC-69.3", lab.NotMet, "1024"},
	} {
		r := goodApplication()
		c.change(&r)
		got := judge(t, looked(t, "application", "apk", r))[c.check]
		said := got.Reason.EN
		for _, f := range got.Findings {
			said += " " + f.Message.EN + " " + f.Expected + " " + f.Actual
		}
		if got.State != c.state || !strings.Contains(said, c.says) {
			t.Errorf("%s: %s is %s (%s), %s was expected, with %q", name, c.check, got.State, said, c.state, c.says)
		}
	}
}

// What was not read is shown, under the check that says which application it is.
func TestWhatWasNotReadOfAnApplicationIsShown(t *testing.T) {
	r := goodApplication()
	r.Unread = []string{"other files that complete this application (split APKs)"}
	for want, named := range map[lab.State]string{lab.ToReview: r.Package, lab.NotMet: "fr.example.other"} {
		c := candidate.Candidate{Application: candidate.Application{APK: "x.apk", Package: named}}
		if got := judgeAs(t, c, looked(t, "application", "apk", r))["SEC-68.1"]; got.State != want || want == lab.ToReview && !strings.Contains(got.Reason.EN, "split APKs") {
			t.Errorf("%s: %s (%s)", want, got.State, got.Reason.EN)
		}
	}
}

// The reasons that the manifest gives decide what is shown and what is found.
func TestPermissionsAreMeasuredAgainstTheReasonsGiven(t *testing.T) {
	r := goodApplication()
	for _, name := range []string{"CAMERA", "ACCESS_FINE_LOCATION", "BLUETOOTH_CONNECT", "BLUETOOTH_SCAN"} {
		r.Permissions = append(r.Permissions, apk.Permission{Name: "android.permission." + name, Kind: apk.Dangerous})
	}
	r.Permissions = append(r.Permissions, apk.Permission{Name: "android.permission.health.READ_WEIGHT", Kind: apk.Health})
	c := candidate.Candidate{Claims: candidate.Claims{Devices: true, Measures: []string{"read"}}, Application: candidate.Application{
		APK: "x.apk", Permissions: map[string]string{"android.permission.CAMERA": "lire un code"},
	}}
	got := judgeAs(t, c, looked(t, "application", "apk", r))["SEC-62.2"]
	var found []string
	for _, f := range got.Findings {
		found = append(found, f.Actual)
	}
	slices.Sort(found)
	// A search for devices that may tell the place is not for devices alone.
	if want := "android.permission.ACCESS_FINE_LOCATION android.permission.BLUETOOTH_SCAN"; got.State != lab.NotMet || strings.Join(found, " ") != want {
		t.Errorf("%s: %s, %s was expected", got.State, found, want)
	}
	c.Application.Permissions["android.permission.ACCESS_FINE_LOCATION"] = "trouver une pharmacie"
	c.Application.Permissions["android.permission.BLUETOOTH_SCAN"] = "trouver une balance"
	got = judgeAs(t, c, looked(t, "application", "apk", r))["SEC-62.2"]
	if got.State != lab.ToReview || !strings.Contains(got.Reason.FR, "trouver une pharmacie") || strings.Contains(got.Reason.FR, "READ_WEIGHT") {
		t.Errorf("%s: %s", got.State, got.Reason.FR)
	}
}

func TestTheSiteConfirmsTheLinks(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*confirmation)
		state  lab.State
		says   string
	}{
		"confirmed":                  {func(*confirmation) {}, lab.Met, ""},
		"with a charset":             {func(c *confirmation) { c.Type = "application/json; charset=utf-8" }, lab.Met, ""},
		"as a page":                  {func(c *confirmation) { c.Type = "text/html" }, lab.NotMet, "not served as JSON"},
		"not there":                  {func(c *confirmation) { c.Status, c.Reason = 404, "answered with status 404" }, lab.NotMet, "does not answer 200"},
		"behind a redirect":          {func(c *confirmation) { c.Redirected = true }, lab.NotMet, "does not follow"},
		"unreadable":                 {func(c *confirmation) { c.Reason = "no JSON" }, lab.NotMet, "cannot be read"},
		"of another application":     {func(c *confirmation) { c.Package = "fr.example.other" }, lab.NotMet, "does not name"},
		"signed anew by a store":     {func(c *confirmation) { c.Certificates = []string{"bb"} }, lab.ToReview, "signs it anew"},
		"to addresses of others":     {func(c *confirmation) { c.Hosts, c.Others = nil, []string{"b.example"} }, lab.Untested, "b.example"},
		"of an application unsigned": {func(c *confirmation) { c.Certificates = nil }, lab.Untested, "not signed"},
	} {
		conf := confirmation{
			Hosts: []string{"a.example"}, URL: "https://a.example" + statementsPath, Status: 200, Type: "application/json",
			Package: "fr.example.carnet", Certificates: []string{"aa"}, Statements: []apk.Statement{{Package: "fr.example.carnet", Certificates: []string{"aa"}}},
		}
		c.change(&conf)
		raw, err := json.Marshal(conf)
		if err != nil {
			t.Fatal(err)
		}
		records := looked(t, "application", "apk", goodApplication())
		records = append(records[:1:1], record.Record{Seq: 2, At: today, Kind: record.KindProbe, Scenario: "application", Probe: &record.Probe{Kind: "apk-links", Target: "x", Data: raw}}, records[1])
		records[2].Seq = 3
		got := judge(t, records)["SEC-66.3"]
		said := got.Reason.EN
		for _, f := range got.Findings {
			said += f.Message.EN
		}
		if got.State != c.state || !strings.Contains(said, c.says) {
			t.Errorf("%s: %s (%s)", name, got.State, said)
		}
	}
}

func backedUp(newer, older string) apk.Application {
	rules := func(line string) apk.Rules {
		r := apk.Rules{Named: true, Whole: true, Files: []string{"res/xml/s.xml"}}
		if line != "" {
			r.Excludes = []string{line}
		}
		return r
	}
	return apk.Application{Backup: apk.Yes, Extraction: rules(newer), FullBackupContent: rules(older)}
}

func TestAnApplicationThatCannotBeReadIsUntested(t *testing.T) {
	for id, res := range judge(t, ended(t, "application", record.Probe{Kind: "apk", Target: "x.apk", Error: "x.apk cannot be read as an Android application"})) {
		if strings.HasPrefix(id, "SEC-6") && (res.State != lab.Untested || !strings.Contains(res.Reason.EN, "cannot be read")) {
			t.Errorf("%s is %s: %s", id, res.State, res.Reason.EN)
		}
	}
}

package apk_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/fixtures/application"
	"github.com/etalon-sante/etalon/suites/probe/apk"
)

var now = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// plan is an application that holds something of everything.
func plan() application.Plan {
	return application.Plan{
		Package: "fr.example.essai", VersionCode: 42, VersionName: "4.2", Label: "Essai é",
		MinSDK: 26, TargetSDK: 36, CompileSDK: 36,
		Permissions: []application.Permission{
			{Name: "android.permission.INTERNET"},
			{Name: "android.permission.BLUETOOTH_SCAN", NeverForLocation: true},
			{Name: "android.permission.WRITE_EXTERNAL_STORAGE", MaxSDK: 28},
			{Name: "android.permission.health.READ_STEPS"},
			{Name: "com.google.android.gms.permission.AD_ID"},
			{Name: "android.permission.READ_LOGS"},
		},
		Own:        []application.Own{{Name: "fr.example.essai.SIGNED", Level: 2}, {Name: "fr.example.essai.OPEN", Level: 0}},
		Debuggable: application.No, Backup: application.Yes,
		FullBackup: &application.Backups{Cloud: []application.Kept{{Domain: "database", Path: "."}}},
		Extraction: &application.Backups{Cloud: []application.Kept{{Domain: "file", Path: "a/"}}, Transfer: []application.Kept{{In: true, Domain: "sharedpref", Path: "x.xml"}}},
		Network: &application.Network{Cleartext: application.No, Domains: []application.Domain{
			{Name: "API.example.fr", Subdomains: true, Pins: []string{"YWJj", "ZGVm"}, Expires: "2027-01-01"},
			{Name: "10.0.2.2", Cleartext: application.Yes},
		}, Debug: true},
		Components: []application.Component{
			{Kind: "activity", Name: ".Main", Exported: application.Yes, Filters: []application.Filter{{Actions: []string{"android.intent.action.MAIN"}, Categories: []string{"android.intent.category.LAUNCHER"}}}},
			{Kind: "activity", Name: "Link", Exported: application.Yes, Filters: []application.Filter{{
				Actions: []string{"android.intent.action.VIEW"}, Categories: []string{"android.intent.category.BROWSABLE"},
				Schemes: []string{"https", "http"}, Hosts: []string{"example.fr"}, Verify: true,
			}}},
			{Kind: "service", Name: "fr.example.lib.Push", Filters: []application.Filter{{Actions: []string{"fr.example.PUSH"}}}},
			{Kind: "receiver", Name: ".Boot", Exported: application.No},
			{Kind: "provider", Name: ".Files", Authority: "fr.example.essai.files"},
		},
		Sign: application.Signature{V2: true, V3: true},
	}
}

func build(t testing.TB, p application.Plan) []byte {
	t.Helper()
	b, err := application.Build(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(t testing.TB, b []byte) apk.Result {
	t.Helper()
	r, err := apk.Read(t.Context(), bytes.NewReader(b), int64(len(b)), "essai.apk", now)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnApplicationIsReadAsItWasWritten(t *testing.T) {
	r := read(t, build(t, plan()))
	if r.Package != "fr.example.essai" || r.VersionCode != 42 || r.VersionName != "4.2" || len(r.SHA256) != 64 {
		t.Errorf("package %q, version %d %q, digest %q", r.Package, r.VersionCode, r.VersionName, r.SHA256)
	}
	if r.SDK != (apk.SDK{Min: 26, Target: 36, Compile: 36}) {
		t.Errorf("levels %+v", r.SDK)
	}
	want := map[string]apk.Kind{
		"android.permission.INTERNET": apk.Normal, "android.permission.BLUETOOTH_SCAN": apk.Dangerous, "android.permission.WRITE_EXTERNAL_STORAGE": apk.Dangerous,
		"android.permission.READ_EXTERNAL_STORAGE": apk.Dangerous, "android.permission.health.READ_STEPS": apk.Health, "com.google.android.gms.permission.AD_ID": apk.Tracking, "android.permission.READ_LOGS": apk.System,
	}
	for _, p := range r.Permissions {
		if want[p.Name] != p.Kind || p.NeverForLocation() != (p.Name == "android.permission.BLUETOOTH_SCAN") || (p.MaxSDK == 28) != strings.HasSuffix(p.Name, "STORAGE") {
			t.Errorf("permission %+v", p)
		}
		delete(want, p.Name)
	}
	if len(want) > 0 || len(r.Own) != 2 || r.Own[0].Level != 2 {
		t.Errorf("not read: %v; own %+v", want, r.Own)
	}
	a := r.Application
	if a.Debuggable != apk.No || a.TestOnly != apk.Unsaid || a.Backup != apk.Yes || a.Cleartext != apk.Unsaid {
		t.Errorf("application %+v", a)
	}
	if got := strings.Join(slices.Concat(a.FullBackupContent.Excludes, a.Extraction.Excludes, a.Extraction.Includes), "; "); got != "database .; cloud-backup file a/; device-transfer sharedpref x.xml" {
		t.Errorf("rules of backups: %s", got)
	}
	n := r.Network
	if !n.Named || !n.Whole || n.Base.Cleartext || n.Base.UserCAs || len(n.Domains) != 2 {
		t.Fatalf("network %+v", n)
	}
	if d := n.Domains[0]; d.Pins != 2 || d.Expires != "2027-01-01" || !d.Subdomains || d.Names[0] != "api.example.fr" || d.Cleartext || d.UserCAs {
		t.Errorf("domain %+v", d)
	}
	if d := n.Domains[1]; !d.Cleartext || d.Pins != 0 {
		t.Errorf("domain %+v", d)
	}
	exported := map[string]bool{}
	for _, c := range r.Components {
		exported[c.Name] = r.Exported(c)
	}
	for name, want := range map[string]bool{
		"fr.example.essai.Main": true, "fr.example.essai.Link": true, "fr.example.lib.Push": true, "fr.example.essai.Boot": false, "fr.example.essai.Files": false,
	} {
		if got, there := exported[name]; got != want || !there {
			t.Errorf("%s: exported %t (there: %t), not %t", name, got, there, want)
		}
	}
	if len(r.Links) != 1 || !r.Links[0].Verify || strings.Join(r.Links[0].Schemes, " ") != "https http" || r.Links[0].Hosts[0] != "example.fr" {
		t.Errorf("links %+v", r.Links)
	}
	s := r.Signing
	if s.V1 || !s.V2 || !s.V3 || s.Intact != apk.Yes || len(s.Signers) != 2 || s.Signers[0].Debug || s.Signers[0].Bits != 256 || len(s.Certificates()) != 1 {
		t.Errorf("signing %+v", s)
	}
	if len(r.Unread) > 0 {
		t.Errorf("not read: %q", r.Unread)
	}
}

func TestTheSameApplicationIsTheSameFile(t *testing.T) {
	if !bytes.Equal(build(t, plan()), build(t, plan())) {
		t.Error("two builds of one plan differ")
	}
}

// What an application leaves unsaid follows from the level that it targets.
func TestWhatIsUnsaidFollowsFromTheLevel(t *testing.T) {
	for _, c := range []struct {
		target             int
		said               application.Flag
		cleartext, userCAs bool
	}{
		{23, application.Unsaid, true, true},
		{24, application.Unsaid, true, false},
		{27, application.No, false, false},
		{28, application.Unsaid, false, false},
		{36, application.Yes, true, false},
	} {
		p := plan()
		p.TargetSDK, p.Cleartext, p.Network = c.target, c.said, nil
		if b := read(t, build(t, p)).Network.Base; b.Cleartext != c.cleartext || b.UserCAs != c.userCAs {
			t.Errorf("level %d, %d said: %+v", c.target, c.said, b)
		}
	}
	p := plan()
	p.Cleartext, p.Network.Cleartext = application.Yes, application.Unsaid
	if read(t, build(t, p)).Network.Base.Cleartext {
		t.Error("a configuration of the network takes the place of usesCleartextTraffic")
	}
	p.TargetSDK, p.MinSDK = 0, 16
	if r := read(t, build(t, p)); r.SDK.Target != 16 || !r.Exported(r.Components[4]) {
		t.Errorf("level %d: a provider of that time is open", r.SDK.Target)
	}
}

func TestASignatureIsVerified(t *testing.T) {
	for name, c := range map[string]struct {
		sign   application.Signature
		intact apk.Flag
		debug  bool
	}{
		"not at all":       {application.Signature{}, apk.Unknown, false},
		"v2":               {application.Signature{V2: true}, apk.Yes, false},
		"v3":               {application.Signature{V3: true}, apk.Yes, false},
		"altered since":    {application.Signature{V2: true, Altered: true}, apk.No, false},
		"with a debug key": {application.Signature{V2: true, Debug: true}, apk.Yes, true},
	} {
		p := plan()
		p.Sign = c.sign
		s := read(t, build(t, p)).Signing
		if s.Intact != c.intact || s.V2 != c.sign.V2 || s.V3 != c.sign.V3 || (len(s.Signers) > 0 && s.Signers[0].Debug != c.debug) {
			t.Errorf("%s: %+v", name, s)
		}
	}
	// Wherever a byte is changed before or after the block, it is seen.
	b := build(t, plan())
	block := bytes.Index(b, []byte("APK Sig Block 42"))
	for at := 10; at < len(b); at += len(b) / 40 {
		changed := bytes.Clone(b)
		changed[at] ^= 0x20
		r, err := apk.Read(t.Context(), bytes.NewReader(changed), int64(len(b)), "essai.apk", now)
		if err == nil && r.Signing.Intact == apk.Yes && (at < block-4000 || at > block+16) {
			t.Errorf("a change at %d of %d is not seen", at, len(b))
		}
	}
}

func TestWhoMayHoldAGuard(t *testing.T) {
	r := read(t, build(t, plan()))
	for permission, want := range map[string]apk.Reach{
		"fr.example.essai.SIGNED": apk.Few, "fr.example.essai.OPEN": apk.Anyone, "android.permission.BIND_JOB_SERVICE": apk.Few,
		"android.permission.FOREGROUND_SERVICE": apk.Anyone, "android.permission.RECORD_AUDIO": apk.Consent, "android.permission.INTERNET": apk.Anyone,
		"fr.example.others.GUARD": apk.Doubtful, "com.google.android.c2dm.permission.SEND": apk.Few,
	} {
		if got := r.Reach(permission); got != want {
			t.Errorf("%s: %s, not %s", permission, got, want)
		}
	}
}

func TestAFileThatIsNoApplicationSaysSo(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "x.apk")
	if err := os.WriteFile(path, []byte("no archive at all, whatever its name says"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ path, says string }{
		"no archive": {path, "bundletool"}, "no file": {filepath.Join(folder, "none.apk"), "no such file"}, "a folder": {folder, "regular file"},
	} {
		_, err := apk.Open(t.Context(), c.path, "x.apk", now)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), folder) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

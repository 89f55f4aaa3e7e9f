package apk_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/fixtures/application"
	"github.com/etalon-sante/etalon/suites/probe/apk"
)

// appium is an application that others made: the one that drives Android phones
// for Appium's tests. It is fetched for the comparison and never kept.
const appium = "io.appium.settings@8.0.10"

// Android's own tools are asked about the same files, with ETALON_ORACLES=1:
// aapt (Debian's aapt) what the manifest says, apksigner (Debian's apksigner)
// whether the signatures verify. What they answer must be what is read here. One
// difference is known and taken off: aapt writes names of classes as they stand in
// the manifest, and the reading completes those that are written in short.
func TestAndroidsOwnToolsReadTheSame(t *testing.T) {
	if os.Getenv("ETALON_ORACLES") != "1" {
		t.Skip("NOT COMPARED with Android's own tools: set ETALON_ORACLES=1 (needs aapt and apksigner, and npm for an application of others)")
	}
	for _, tool := range []string{"aapt", "apksigner"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT COMPARED with Android's own tools: %s is missing (apt-get install %s)", tool, tool)
		}
	}
	folder := t.TempDir()
	made := map[string]string{}
	for i, p := range variants() {
		path := filepath.Join(folder, fmt.Sprintf("%d.apk", i))
		if err := os.WriteFile(path, build(t, p), 0o600); err != nil {
			t.Fatal(err)
		}
		made["ours "+strconv.Itoa(i)] = path
	}
	if path := fetched(t, folder); path != "" {
		made[appium] = path
		made[appium+", signed anew"] = resigned(t, folder, path)
	}
	for _, name := range slices.Sorted(maps.Keys(made)) {
		t.Run(name, func(t *testing.T) {
			r, err := apk.Open(t.Context(), made[name], name, now)
			if err != nil {
				t.Fatal(err)
			}
			here, there := facts(r), asked(t, made[name])
			for _, key := range slices.Sorted(maps.Keys(there)) {
				if here[key] != there[key] {
					t.Errorf("%s: %q here, %q by Android's tools", key, here[key], there[key])
				}
				delete(here, key)
			}
			for key, v := range here {
				t.Errorf("%s: %q here, nothing by Android's tools", key, v)
			}
			t.Logf("%d facts compared", len(there))
		})
	}
}

// variants are applications that differ in what is read.
func variants() []application.Plan {
	all := seeds()
	for _, change := range []func(*application.Plan){
		func(p *application.Plan) { p.Debuggable, p.TestOnly = application.Yes, application.Yes },
		func(p *application.Plan) { p.Sign = application.Signature{} },
		func(p *application.Plan) {
			p.MinSDK, p.TargetSDK = 14, 15
			p.Permissions = []application.Permission{{Name: "android.permission.READ_CONTACTS"}, {Name: "android.permission.WRITE_CONTACTS"}}
		},
		func(p *application.Plan) { p.MinSDK, p.TargetSDK = 3, 0 },
		func(p *application.Plan) { p.Sign.Altered = true },
		func(p *application.Plan) { p.Sign = application.Signature{V3: true}; p.MinSDK = 28 },
		func(p *application.Plan) {
			p.Sign.Debug = true
			p.Backup, p.Cleartext = application.No, application.Yes
		},
		func(p *application.Plan) {
			for i := range p.Components {
				p.Components[i].Exported, p.Components[i].Permission = application.Yes, "fr.example.essai.OPEN"
			}
		},
		func(p *application.Plan) {
			p.Label = strings.Repeat("é", 300)
			p.VersionName = strings.Repeat("1.", 200)
		},
	} {
		p := plan()
		change(&p)
		all = append(all, p)
	}
	return all
}

func fetched(t *testing.T, folder string) string {
	cmd := exec.CommandContext(t.Context(), "npm", "pack", "--silent", appium)
	cmd.Dir = folder
	out, err := cmd.Output()
	if err != nil {
		t.Logf("NOT COMPARED on %s: npm could not bring it (%v)", appium, err)
		return ""
	}
	tar := exec.CommandContext(t.Context(), "tar", "-xzf", strings.TrimSpace(string(out)))
	tar.Dir = folder
	if err := tar.Run(); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(folder, "package", "apks", "*.apk"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s holds %d applications", appium, len(found))
	}
	return found[0]
}

// resigned signs an application with each of the schemes, by Android's tool and a
// key made for it.
func resigned(t *testing.T, folder, path string) string {
	store, out := filepath.Join(folder, "key.p12"), filepath.Join(folder, "anew.apk")
	run(t, "keytool", "-genkeypair", "-keystore", store, "-storetype", "PKCS12", "-storepass", "essai-essai", "-alias", "a", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=Essai")
	run(t, "apksigner", "sign", "--ks", store, "--ks-pass", "pass:essai-essai", "--min-sdk-version", "18",
		"--v1-signing-enabled", "true", "--v2-signing-enabled", "true", "--v3-signing-enabled", "true", "--out", out, path)
	return out
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, args[0], err, out)
	}
	return string(out)
}

// facts are what is read, as pairs that can be compared.
func facts(r apk.Result) map[string]string {
	out := map[string]string{"package": r.Package, "versionCode": fmt.Sprint(r.VersionCode), "versionName": r.VersionName}
	number := func(key string, n int) {
		if n > 0 {
			out[key] = fmt.Sprint(n)
		}
	}
	number("compile", r.SDK.Compile)
	if r.SDK.Min > 1 {
		number("min", r.SDK.Min)
		if r.SDK.Target != r.SDK.Min { // aapt does not tell a level that is only taken over
			number("target", r.SDK.Target)
		}
	}
	for _, p := range r.Permissions {
		out["asks "+p.Name] = fmt.Sprintf("%d %t", p.MaxSDK, p.NeverForLocation())
	}
	flag := func(key string, f apk.Flag) {
		if f != apk.Unsaid {
			out[key] = string(f)
		}
	}
	flag("debuggable", r.Application.Debuggable)
	flag("testOnly", r.Application.TestOnly)
	flag("allowBackup", r.Application.Backup)
	flag("usesCleartextTraffic", r.Application.Cleartext)
	for _, f := range slices.Concat(r.Network.Files, r.Application.Extraction.Files, r.Application.FullBackupContent.Files) {
		out["rules "+f] = "named"
	}
	for _, c := range r.Components {
		out[c.Kind+" "+c.Name] = strings.TrimSpace(string(c.Explicit) + " " + c.Permission)
	}
	out["v2"], out["v3"] = fmt.Sprint(r.Signing.V2), fmt.Sprint(r.Signing.V3)
	out["verifies"] = fmt.Sprint(r.Signing.Intact == apk.Yes)
	if r.Signing.Intact != apk.Yes {
		delete(out, "v2")
		delete(out, "v3")
	}
	for _, digest := range r.Signing.Certificates() {
		if r.Signing.Intact == apk.Yes {
			out["certificate "+digest] = "signs"
		}
	}
	return out
}

// asked are the same facts, by Android's tools.
func asked(t *testing.T, path string) map[string]string {
	t.Helper()
	out := map[string]string{}
	badging := run(t, "aapt", "dump", "badging", path)
	tree := run(t, "aapt", "dump", "xmltree", path, "AndroidManifest.xml")
	first := func(pattern, in string) string {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(in); m != nil {
			return m[1]
		}
		return ""
	}
	out["package"], out["versionCode"], out["versionName"] = first(`(?m)^package: name='([^']*)'`, badging), first(`versionCode='([^']*)'`, badging), first(`versionName='([^']*)'`, badging)
	if out["versionCode"] == "" {
		out["versionCode"] = "0"
	}
	for key, pattern := range map[string]string{"compile": `compileSdkVersion='(\d+)'`, "min": `(?m)^sdkVersion:'(\d+)'`, "target": `(?m)^targetSdkVersion:'(\d+)'`} {
		if v := first(pattern, badging); v != "" {
			out[key] = v
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^uses-permission: name='([^']*)'(?: maxSdkVersion='(\d+)')?`).FindAllStringSubmatch(badging, -1) {
		if m[2] == "" {
			m[2] = "0"
		}
		out["asks "+m[1]] = m[2] + " false"
	}
	table := run(t, "aapt", "dump", "--values", "resources", path)
	component, permission := "", ""
	var explicit, guard, name string
	done := func() {
		if component != "" {
			if strings.HasPrefix(name, ".") || !strings.Contains(name, ".") {
				name = out["package"] + "." + strings.TrimPrefix(name, ".")
			}
			out[component+" "+name] = strings.TrimSpace(explicit + " " + guard)
		}
		component, explicit, guard, name = "", "", "", ""
	}
	element := ""
	for line := range strings.Lines(tree) {
		line = strings.TrimSpace(line)
		if e, ok := strings.CutPrefix(line, "E: "); ok {
			element = strings.Fields(e)[0]
			switch element {
			case "activity", "activity-alias", "service", "receiver", "provider":
				done()
				component = element
			}
			continue
		}
		key, value := first(`^A: (?:android:)?(\w+)`, line), first(`^A: [^=]*=(.*)$`, line)
		text := first(`^"(.*)" \(Raw`, value)
		truth := "no"
		if strings.HasPrefix(value, "(type 0x12)") && value != "(type 0x12)0x0" {
			truth = "yes"
		}
		switch {
		case element == "uses-permission" && key == "name":
			permission = text
		case element == "uses-permission" && key == "usesPermissionFlags":
			out["asks "+permission] = strings.Replace(out["asks "+permission], "false", "true", 1)
		case element == "application" && slices.Contains([]string{"debuggable", "testOnly", "allowBackup", "usesCleartextTraffic"}, key):
			out[key] = truth
		case element == "application" && slices.Contains([]string{"networkSecurityConfig", "dataExtractionRules", "fullBackupContent"}, key):
			id := strings.TrimPrefix(value, "@")
			out["rules "+first(`(?s)resource `+id+` [^\n]*t=0x03[^\n]*\n\s*\(string\d+\) "([^"]*)"`, table)] = "named"
		case element == component && key == "name":
			name = text
		case element == component && key == "exported":
			explicit = truth
		case element == component && key == "permission":
			guard = text
		}
	}
	done()
	verdict, err := exec.CommandContext(t.Context(), "apksigner", "verify", "-v", "--print-certs", "--min-sdk-version", "28", path).CombinedOutput()
	out["verifies"] = fmt.Sprint(err == nil)
	if err != nil {
		return out
	}
	for _, scheme := range []string{"v2", "v3"} {
		// From Android 9 on v3 is verified in the place of v2: whether v2 is there
		// is asked as an older Android would.
		old := "24"
		if scheme == "v3" {
			old = "28"
		}
		said, _ := exec.CommandContext(t.Context(), "apksigner", "verify", "-v", "--min-sdk-version", old, path).CombinedOutput()
		out[scheme] = first(`using `+scheme+` scheme [^:]*: (\w+)`, string(said))
		if out[scheme] == "" {
			out[scheme] = "false"
		}
	}
	for _, m := range regexp.MustCompile(`certificate SHA-256 digest: ([0-9a-f]{64})`).FindAllStringSubmatch(string(verdict), -1) {
		out["certificate "+m[1]] = "signs"
	}
	return out
}

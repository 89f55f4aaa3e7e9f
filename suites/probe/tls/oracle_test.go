package tls

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// Other people's tools look at the same servers. They are asked with
// ETALON_ORACLES set alone: sslyze (SSLYZE names the program; else that of the
// path; else it is brought from PyPI) and testssl.sh (apt-get install testssl.sh),
// which takes most of a minute for each server: a few servers with
// ETALON_ORACLES=1, all of them with ETALON_ORACLES=all.

// sslyzeVersion is the one that is brought.
const sslyzeVersion = "6.3.1"

// fromPyPI installs a program of PyPI in a place of its own, once, and gives its
// path.
func fromPyPI(t *testing.T, name, version string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(cache, "etalon-oracles", name+"-"+version)
	path := filepath.Join(folder, "bin", name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for _, c := range [][]string{{"python3", "-m", "venv", folder}, {filepath.Join(folder, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", name + "==" + version}} {
		if out, err := exec.CommandContext(ctx, c[0], c[1:]...).CombinedOutput(); err != nil {
			t.Skipf("SKIPPED: %s %s cannot be had from PyPI (%v: %s): nothing was compared with it", name, version, err, out)
		}
	}
	return path
}

// answers are what is said of a server, by question; a list is words in order.
// What is not answered is absent.
type answers map[string]string

func listed(names []string) string {
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}

func said(yes bool) string { return stand(yes) }

// ours is what the survey says, in the words of the comparison.
func ours(d Depth) answers {
	out := answers{}
	for _, p := range d.Protocols {
		var names []string
		for _, s := range p.Suites {
			names = append(names, s.Name)
		}
		out[p.Name] = listed(names)
	}
	var curves []string
	for _, g := range d.Groups {
		if !strings.Contains(g.Name, "MLKEM") && !strings.HasPrefix(g.Name, "ffdhe") {
			curves = append(curves, g.Name)
		}
	}
	out["curves"] = listed(curves)
	if d.DHPrime > 0 {
		out["prime"] = fmt.Sprint(d.DHPrime)
	}
	for question, stand := range map[string]string{"compression": d.Compression, "fallback": d.Fallback, "renegotiation": d.Renegotiation, "master secret": d.MasterSecret, "SSL 2.0": d.SSL2} {
		if stand == Yes || stand == No {
			out[question] = stand
		}
	}
	return out
}

// difference is a row of testdata/differences.yaml.
type difference struct {
	Server   string `yaml:"server"` // "" for any
	Oracle   string `yaml:"oracle"`
	Question string `yaml:"question"`
	Ours     string `yaml:"ours"`   // said by us alone
	Theirs   string `yaml:"theirs"` // said by the other alone
	Because  string `yaml:"because"`
}

func explained(t *testing.T) []difference {
	t.Helper()
	raw, err := os.ReadFile("testdata/differences.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out []difference
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	for _, r := range out {
		if len(r.Because) < 30 {
			t.Errorf("difference %+v is not explained", r)
		}
	}
	return out
}

// compare reports what two sides say differently and nobody has explained.
func compare(t *testing.T, server, oracle string, mine, theirs answers) {
	t.Helper()
	rows := explained(t)
	same, why := 0, 0
	for question, b := range theirs {
		a, ok := mine[question]
		if !ok {
			continue
		}
		var left, right []string
		for _, w := range strings.Fields(a) {
			if !slices.Contains(strings.Fields(b), w) {
				left = append(left, w)
			}
		}
		for _, w := range strings.Fields(b) {
			if !slices.Contains(strings.Fields(a), w) {
				right = append(right, w)
			}
		}
		if len(left)+len(right) == 0 {
			same++
			continue
		}
		l, r := listed(left), listed(right)
		if slices.ContainsFunc(rows, func(d difference) bool {
			return (d.Server == "" || d.Server == server) && d.Oracle == oracle && d.Question == question && d.Ours == l && d.Theirs == r
		}) {
			why++
			continue
		}
		t.Errorf("%s, %s: a difference that testdata/differences.yaml does not explain:\n- {server: %q, oracle: %s, question: %q, ours: %q, theirs: %q, because: }", server, question, server, oracle, question, l, r)
	}
	if same == 0 {
		t.Errorf("%s: nothing in common was answered", server)
	}
	t.Logf("%s: %d answers alike, %d differences explained", oracle, same, why)
}

func oracles(t *testing.T) {
	t.Helper()
	if os.Getenv("ETALON_ORACLES") == "" {
		t.Skip("SKIPPED: other people's TLS tools are asked with ETALON_ORACLES=1 alone")
	}
}

// program is the one that a variable names, else that of the path; "" for none.
func program(variable, name string) string {
	if v := os.Getenv(variable); v != "" {
		return v
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

// against runs one tool on each server, or on some, and compares.
func against(t *testing.T, oracle string, some []string, ask func(t *testing.T, address string) answers) {
	ca := newAuthority(t)
	slots := make(chan struct{}, 4)
	for _, s := range readServers(t) {
		if len(some) > 0 && !slices.Contains(some, s.Name) {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			address := s.start(t, ca)
			d, err := Survey(t.Context(), address, Options{Now: today, Timeout: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, s.Name, oracle, ours(d), ask(t, address))
		})
	}
}

func TestSSLyzeSaysTheSame(t *testing.T) {
	oracles(t)
	sslyze := program("SSLYZE", "sslyze")
	if sslyze == "" {
		sslyze = fromPyPI(t, "sslyze", sslyzeVersion)
	}
	against(t, "sslyze", nil, func(t *testing.T, address string) answers {
		file := filepath.Join(t.TempDir(), "sslyze.json")
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		out, _ := exec.CommandContext(ctx, sslyze, "--json_out="+file, address).CombinedOutput() // 1: not Mozilla's profile
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("sslyze: %v: %s", err, out)
		}
		return readSSLyze(t, raw)
	})
}

func readSSLyze(t *testing.T, raw []byte) answers {
	t.Helper()
	var report struct {
		Scans []struct {
			Result map[string]struct {
				Status string          `json:"status"`
				Result json.RawMessage `json:"result"`
			} `json:"scan_result"`
		} `json:"server_scan_results"`
	}
	if err := json.Unmarshal(raw, &report); err != nil || len(report.Scans) != 1 {
		t.Fatalf("sslyze: %v, %d scans", err, len(report.Scans))
	}
	out := answers{}
	decode := func(name string, into any) bool {
		r := report.Scans[0].Result[name]
		return r.Status == "COMPLETED" && json.Unmarshal(r.Result, into) == nil
	}
	for name, version := range map[string]string{"ssl_3_0": "SSL 3.0", "tls_1_0": "TLS 1.0", "tls_1_1": "TLS 1.1", "tls_1_2": "TLS 1.2", "tls_1_3": "TLS 1.3"} {
		var suites struct {
			Accepted []struct {
				Suite struct{ Name string } `json:"cipher_suite"`
				Key   *struct {
					Type string `json:"type_name"`
					Size int    `json:"size"`
				} `json:"ephemeral_key"`
			} `json:"accepted_cipher_suites"`
		}
		if !decode(name+"_cipher_suites", &suites) {
			continue
		}
		var names []string
		for _, s := range suites.Accepted {
			names = append(names, s.Suite.Name)
			if s.Key != nil && s.Key.Type == "DH" {
				out["prime"] = fmt.Sprint(s.Key.Size)
			}
		}
		out[version] = listed(names)
	}
	var oldest struct {
		Supported *bool `json:"is_tls_version_supported"`
	}
	if decode("ssl_2_0_cipher_suites", &oldest) && oldest.Supported != nil {
		out["SSL 2.0"] = said(*oldest.Supported)
	}
	var yes struct {
		Compression   *bool `json:"supports_compression"`
		Fallback      *bool `json:"supports_fallback_scsv"`
		Renegotiation *bool `json:"supports_secure_renegotiation"`
		Master        *bool `json:"supports_ems_extension"`
		Curves        []struct{ Name string }
	}
	for _, name := range []string{"tls_compression", "tls_fallback_scsv", "session_renegotiation", "tls_extended_master_secret"} {
		decode(name, &yes)
	}
	for question, v := range map[string]*bool{"compression": yes.Compression, "fallback": yes.Fallback, "renegotiation": yes.Renegotiation, "master secret": yes.Master} {
		if v != nil {
			out[question] = said(*v)
		}
	}
	var curves struct {
		Supported []struct{ Name string } `json:"supported_curves"`
	}
	if decode("elliptic_curves", &curves) {
		var names []string
		for _, c := range curves.Supported {
			names = append(names, curveName(c.Name))
		}
		out["curves"] = listed(names)
	}
	return out
}

func curveName(s string) string {
	s = strings.ToLower(s)
	for from, to := range map[string]string{"prime256v1": "secp256r1", "prime192v1": "secp192r1"} {
		if s == from {
			return to
		}
	}
	return s
}

func TestTestsslSaysTheSame(t *testing.T) {
	oracles(t)
	testssl := program("TESTSSL", "testssl")
	if testssl == "" {
		t.Skip("SKIPPED: testssl is not installed (apt-get install testssl.sh): nothing was compared with it")
	}
	some := []string{"modern", "CBC first", "a prime of 2048 bits"}
	if os.Getenv("ETALON_ORACLES") == "all" {
		some = nil
	}
	against(t, "testssl", some, func(t *testing.T, address string) answers {
		file := filepath.Join(t.TempDir(), "testssl.json")
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, testssl, "-E", "-f", "-R", "-C", "-Z", "--warnings", "off", "--color", "0", "--quiet", "--jsonfile", file, address)
		out, _ := cmd.CombinedOutput()
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("testssl: %v: %s", err, out)
		}
		return readTestssl(t, raw)
	})
}

func readTestssl(t *testing.T, raw []byte) answers {
	t.Helper()
	var rows []struct{ ID, Finding, Severity string }
	if err := json.Unmarshal(raw, &rows); err != nil {
		t.Fatalf("testssl: %v", err)
	}
	out := answers{}
	suites := map[string][]string{"SSL 3.0": {}, "TLS 1.0": {}, "TLS 1.1": {}, "TLS 1.2": {}, "TLS 1.3": {}}
	version := regexp.MustCompile(`^cipher-(ssl3|tls1|tls1_1|tls1_2|tls1_3)_x`)
	names := map[string]string{"ssl3": "SSL 3.0", "tls1": "TLS 1.0", "tls1_1": "TLS 1.1", "tls1_2": "TLS 1.2", "tls1_3": "TLS 1.3"}
	bits := regexp.MustCompile(`DH (\d+)`)
	for _, r := range rows {
		if m := version.FindStringSubmatch(r.ID); m != nil {
			words := strings.Fields(r.Finding)
			suites[names[m[1]]] = append(suites[names[m[1]]], words[len(words)-1])
			if n := bits.FindStringSubmatch(r.Finding); n != nil && !strings.Contains(r.Finding, "ECDH") {
				out["prime"] = n[1]
			}
			continue
		}
		switch r.ID {
		case "secure_renego":
			// Where its openssl does not come to a handshake, it does not answer.
			if r.Severity != "WARN" {
				out["renegotiation"] = said(strings.HasPrefix(r.Finding, "supported"))
			}
		case "CRIME_TLS":
			if r.Severity != "WARN" {
				out["compression"] = said(!strings.HasPrefix(r.Finding, "not vulnerable"))
			}
		case "fallback_SCSV":
			if strings.HasPrefix(r.Finding, "supported") || strings.HasPrefix(r.Finding, "not supported") {
				out["fallback"] = said(strings.HasPrefix(r.Finding, "supported"))
			}
		case "PFS_ECDHE_curves", "FS_ECDHE_curves":
			var curves []string
			for _, c := range strings.Fields(r.Finding) {
				curves = append(curves, curveName(c))
			}
			out["curves"] = listed(curves)
		}
	}
	for v, list := range suites {
		out[v] = listed(list)
	}
	return out
}

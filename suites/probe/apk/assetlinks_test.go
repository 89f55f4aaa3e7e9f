package apk_test

import (
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/probe/apk"
)

const statement = `[{"relation": ["delegate_permission/common.handle_all_urls"],
  "target": {"namespace": "android_app", "package_name": "fr.example.carnet", "sha256_cert_fingerprints": ["AB:CD", "0f"]}},
 {"relation": ["delegate_permission/common.get_login_creds"], "target": {"namespace": "android_app", "package_name": "fr.example.other"}},
 {"relation": ["delegate_permission/common.handle_all_urls"], "target": {"namespace": "web", "site": "https://carnet.example"}}]`

func TestStatementsOfASiteAreRead(t *testing.T) {
	got, err := apk.Statements([]byte(statement))
	if err != nil || len(got) != 1 || got[0].Package != "fr.example.carnet" || strings.Join(got[0].Certificates, " ") != "abcd 0f" {
		t.Errorf("%+v, %v", got, err)
	}
	for name, text := range map[string]string{
		"nothing": "", "a page": "<!doctype html>", "an object": "{}", "more behind": "[] []", "too much": "[" + strings.Repeat(" ", apk.MaxStatements) + "]",
	} {
		if got, err := apk.Statements([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func FuzzStatements(f *testing.F) {
	f.Add([]byte(statement))
	f.Add([]byte("[]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := apk.Statements(b)
		if err == nil && len(got) > 100 {
			t.Errorf("%d statements", len(got))
		}
	})
}

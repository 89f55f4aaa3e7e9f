package identity

import "testing"

func TestAnAddressOfReturnIsComparedToTheLetterButForALoopbackPort(t *testing.T) {
	all := []string{"https://service.example/cb", "com.example.app:/cb", "http://127.0.0.1/cb?a=1", "http://[::1]:8000/cb", "http://localhost:1/cb"}
	for given, want := range map[string]bool{
		"https://service.example/cb":      true,
		"https://service.example:443/cb":  false,
		"https://service.example/cb/":     false,
		"https://SERVICE.example/cb":      false,
		"com.example.app:/cb":             true,
		"com.example.app:/CB":             false,
		"com.example.app://cb":            false,
		"com.example.app2:/cb":            false,
		"http://127.0.0.1:51234/cb?a=1":   true,
		"http://127.0.0.1/cb?a=1":         true,
		"http://127.0.0.1:51234/cb?a=2":   false,
		"http://127.0.0.1:51234/cb":       false,
		"http://127.0.0.2:51234/cb?a=1":   false,
		"https://127.0.0.1:51234/cb?a=1":  false,
		"http://x@127.0.0.1:51234/cb?a=1": false,
		"http://[::1]:9/cb":               true,
		"http://localhost:2/cb":           false,
		"":                                false,
		"http://127.0.0.1:":               false,
	} {
		if got := registered(all, given); got != want {
			t.Errorf("%q: %t", given, got)
		}
	}
}

func FuzzRegistered(f *testing.F) {
	for _, s := range []string{"http://127.0.0.1:1/cb", "http://[::1%25eth0]/", "com.example.app:/cb", "http://127.0.0.1:x/", "%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !registered([]string{s}, s) {
			t.Errorf("%q is not itself", s)
		}
		if registered([]string{"https://service.example/cb"}, s) && s != "https://service.example/cb" {
			t.Errorf("%q passes for another", s)
		}
	})
}

package plain

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWhatATerminalWouldObeyIsShown(t *testing.T) {
	for in, want := range map[string]string{
		"rien à faire\n\tici": "rien à faire\n\tici", "\x1b[31mrouge": "␛[31mrouge", "a\x00b": "a␀b", "\x7f": "␡", "a\r\nb\rc": "a\nb␍c",
		"\xff\xc0": "\ufffd\ufffd", "\u202eoops\u2066": "[U+202E]oops[U+2066]", "\u009b31m": "\ufffd31m", "\ufffe": "\ufffd", "\U0001fffe": "\ufffd", "a\u2028b": "a\nb", "é~": "é~",
	} {
		if got := Text(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	if got := Line("a\nb\tc\r\nd\u2029e"); got != "a b c d e" {
		t.Errorf("%q", got)
	}
}

func TestACutNeverFallsWithinACharacter(t *testing.T) {
	for n := range 12 {
		if got := Cut("ééééé", n); !utf8.ValidString(got) || len(got) > max(n, len("…")) {
			t.Errorf("%d: %q", n, got)
		}
	}
	if Cut("abc", 3) != "abc" {
		t.Error("what fits was cut")
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a\x00", "\x1b]8;;", "\u202e", "\xf0\x28", "\r\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{Text(s), Line(s)} {
			if !utf8.ValidString(got) {
				t.Fatalf("%q is not valid UTF-8", got)
			}
			for _, r := range got {
				if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || turns(r) {
					t.Fatalf("%q holds %U", got, r)
				}
			}
			if Text(got) != got {
				t.Fatalf("%q is not stable", got)
			}
		}
		if strings.ContainsAny(Line(s), "\n\t") {
			t.Fatal("more than one line")
		}
	})
}

package plain

import (
	"reflect"
	"strings"
	"testing"
	"time"
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

func TestEveryTextOfAValueIsMadePlain(t *testing.T) {
	type name string
	type part struct {
		Name  name
		Other *part
		List  []string
		Map   map[string]part
		When  time.Time
		Raw   []byte
	}
	when := time.Now()
	in := part{"a\x1b", &part{Name: "\x00"}, []string{"x", "\u202e"}, map[string]part{"\x07": {Name: "\xff"}}, when, []byte{0}}
	got := Deep(in)
	want := part{"a␛", &part{Name: "␀"}, []string{"x", "[U+202E]"}, map[string]part{"␇": {Name: "\ufffd"}}, when, []byte{0}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%#v", got)
	}
	if in.Name != "a\x1b" || in.Other.Name != "\x00" || in.List[1] != "\u202e" || in.Map["\x07"].Name != "\xff" {
		t.Error("the value given was changed")
	}
}

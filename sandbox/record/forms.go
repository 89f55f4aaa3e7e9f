package record

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
)

// form is one way in which a value may be written.
type form struct {
	text     string
	caseless bool
}

// caseless says whether who bears a value is the same when its letters change
// case: addresses and names of accounts are lowered and capitalised by services,
// a token that is changed so is another token.
func caseless(name, value string) bool {
	if strings.Contains(value, "@") {
		return true
	}
	for _, kind := range []string{"login", "email", "user"} {
		if strings.Contains(name, kind) {
			return true
		}
	}
	return false
}

// maxHex is the longest value, in bytes, that is looked for in hexadecimal: nobody
// writes a whole id_token so.
const maxHex = 256

// forms are the ways in which a value is often written: those that are looked for
// in any text, without decoding it. What else there is, is decoded (deep.go).
func forms(name, value string) []form {
	out := []form{{value, false}}
	if q := url.QueryEscape(value); q != value {
		out = append(out, form{q, false}, form{url.PathEscape(value), false})
	}
	if j, err := json.Marshal(value); err == nil {
		if s := string(j[1 : len(j)-1]); s != value {
			out = append(out, form{s, false})
		}
	}
	for _, s := range telephone(name, value) {
		out = append(out, form{s, false})
	}
	if local, _, ok := strings.Cut(value, "@"); ok && len(local) >= 16 {
		out = append(out, form{local, true}) // shown by services as the name of an account
	}
	if len(value) <= maxHex {
		out = append(out, form{hex.EncodeToString([]byte(value)), true})
	}
	for _, s := range base64Forms(value) {
		out = append(out, form{s, false})
	}
	return out
}

// base64Forms are what is certain of a value within base64: it appears in one of
// three alignments, and the characters that its neighbours share are cut off.
func base64Forms(value string) []string {
	var out []string
	for shift := range 3 {
		padded := strings.Repeat("\x00", shift) + value
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			e := enc.EncodeToString([]byte(padded))
			head := []int{0, 2, 3}[shift]
			tail := 0
			if len(padded)%3 != 0 {
				tail = 1
			}
			if len(e)-head-tail >= 8 {
				out = append(out, e[head:len(e)-tail])
			}
		}
	}
	return out
}

// telephone are the ways in which a number of France is written: in pairs, with
// the mark of the country, with what separates them. Nothing for what is none.
func telephone(name, value string) []string {
	if !strings.Contains(name, "phone") || len(value) != 10 || value[0] != '0' || strings.Trim(value, "0123456789") != "" {
		return nil
	}
	pairs := []string{value[2:4], value[4:6], value[6:8], value[8:10]}
	var out []string
	for _, sep := range []string{"", " ", "\u00a0", "\u202f", ".", "-"} {
		rest := strings.Join(pairs, sep)
		for _, country := range []string{"+33", "0033", "+33(0)", "+33 (0)"} {
			out = append(out, country+sep+value[1:2]+sep+rest)
		}
		if sep != "" {
			out = append(out, value[:2]+sep+rest)
		}
	}
	return out
}

// Package leaktest writes a secret as services write it: in the encodings that the
// redactor and the scanner must see through. It is used by tests alone.
package leaktest

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf16"
)

func each(f func(byte) string) func(string) string {
	return func(s string) (out string) {
		for i := range len(s) {
			out += f(s[i])
		}
		return out
	}
}

func packed(open func(io.Writer) io.WriteCloser) func(string) string {
	return func(s string) string {
		var b bytes.Buffer
		w := open(&b)
		_, _ = io.WriteString(w, s)
		_ = w.Close()
		return b.String()
	}
}

// Gzip compresses a text (RFC 1952).
func Gzip(s string) string {
	return packed(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })(s)
}

func deflated(s string) string {
	return packed(func(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, 9); return f })(s)
}

func zlibbed(s string) string {
	return packed(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })(s)
}

func zipped(s string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, _ := z.Create("word/document.xml")
	_, _ = io.WriteString(f, strings.Repeat("<t>autre chose</t>", 40)+s)
	_ = z.Close()
	return b.String()
}

// Base64 is the alphabet of RFC 4648, 4, with padding.
func Base64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
func web(s string) string    { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// JSON is a text of JSON, with its quotation marks.
func JSON(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// Wide is UTF-16, the low byte first.
func Wide(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

func lowerPercent(s string) string {
	return regexp.MustCompile(`%[0-9A-F]{2}`).ReplaceAllStringFunc(url.QueryEscape(s), strings.ToLower)
}

// Binary says whether what an encoding gives is no text: a file, or a body.
func Binary(form string) bool {
	return form == "gzip" || form == "zlib" || form == "archive" || form == "two bytes a character"
}

func lines(s string) (out string) {
	for ; len(s) > 76; s = s[76:] {
		out += s[:76] + "\r\n"
	}
	return out + s
}

// Encodings are the ways in which a secret is written, by name.
func Encodings() map[string]func(string) string {
	return map[string]func(string) string{
		"plain":                        func(s string) string { return s },
		"percent":                      url.QueryEscape,
		"percent in a path":            url.PathEscape,
		"percent, lower case":          lowerPercent,
		"percent of every byte":        each(func(b byte) string { return fmt.Sprintf("%%%02x", b) }),
		"percent twice":                func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
		"JSON":                         JSON,
		"JSON in JSON in JSON":         func(s string) string { return JSON(JSON(JSON(s))) },
		"JSON, every character":        func(s string) (out string) { return unicodes(s, `\u%04x`) },
		"JSON, capital digits":         func(s string) (out string) { return unicodes(s, `\u%04X`) },
		"JavaScript":                   each(func(b byte) string { return fmt.Sprintf(`\x%02x`, b) }),
		"HTML":                         html.EscapeString,
		"HTML, decimal":                func(s string) string { return unicodes(s, "&#%d;") },
		"HTML, hexadecimal":            func(s string) string { return unicodes(s, "&#x%x;") },
		"HTML in JSON":                 func(s string) string { return JSON(html.EscapeString(s)) },
		"base64":                       Base64,
		"base64url":                    web,
		"base64, one further":          func(s string) string { return Base64("x" + s + "yz") },
		"base64, two further":          func(s string) string { return web("é" + s + "y") },
		"base64 after other letters":   func(s string) string { return "id_" + web(strings.Repeat("a", 30)+s) },
		"base64 in lines":              func(s string) string { return lines(Base64(strings.Repeat("Bonjour. ", 30) + s)) },
		"base64 in lines in JSON":      func(s string) string { return JSON(lines(Base64(strings.Repeat("Bonjour. ", 30) + s))) },
		"base64 in percent":            func(s string) string { return url.QueryEscape(Base64(s)) },
		"base64 twice":                 func(s string) string { return Base64(Base64(s)) },
		"base64 of percent":            func(s string) string { return Base64(url.QueryEscape(s)) },
		"base64 of HTML":               func(s string) string { return Base64("<b>" + unicodes(s, "&#%d;") + "</b>") },
		"hexadecimal":                  func(s string) string { return hex.EncodeToString([]byte(s)) },
		"hexadecimal, capitals":        func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
		"hexadecimal, one digit later": func(s string) string { return "f" + hex.EncodeToString([]byte(s)) },
		"JWT": func(s string) string {
			return web(`{"alg":"none"}`) + "." + web(`{"sub":"a","x":`+JSON(s)+`}`) + "."
		},
		"JWT, escaped": func(s string) string {
			return web(`{"alg":"none"}`) + "." + web(`{"sub":"a","x":"`+unicodes(s, `\u%04x`)+`"}`) + ".c2ln"
		},
		"gzip":                   Gzip,
		"zlib":                   zlibbed,
		"base64 of gzip":         func(s string) string { return Base64(Gzip(s)) },
		"base64 of deflate":      func(s string) string { return web(deflated(strings.Repeat("<saml/>", 20) + s)) },
		"base64 of zlib":         func(s string) string { return web(zlibbed(s)) },
		"base64 of gzip of JSON": func(s string) string { return Base64(Gzip(`{"a":` + JSON(s) + `}`)) },
		"archive":                zipped,
		"base64 of an archive":   func(s string) string { return Base64(zipped(s)) },
		"a stream in a PDF": func(s string) string {
			return Base64("%PDF-1.7\n1 0 obj<</Length 9>>stream\n" + zlibbed("BT ("+s+") Tj ET") + "\nendstream")
		},
		"two bytes a character":   Wide,
		"base64 of two bytes":     func(s string) string { return Base64(Wide(s)) },
		"two bytes, JSON":         func(s string) string { return JSON(Wide(s)) },
		"percent of base64 of it": func(s string) string { return url.QueryEscape(Base64(Gzip(Base64(s)))) },
	}
}

func unicodes(s, form string) (out string) {
	for _, r := range s {
		out += fmt.Sprintf(form, r)
	}
	return out
}

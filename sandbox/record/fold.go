package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// maxFolded is the longest text, in bytes, that a pilot's record holds as it is:
// what the journal keeps of a body.
const maxFolded = 64 << 10

// foldMark begins what stands for a long text.
const foldMark = "folded:"

// Fold shortens the long texts of a JSON value to their digest and size, and
// changes nothing else. The journal is a file that people open: a document of
// 5 MB does not belong in it, and what leaves a digest alone cannot hold a
// secret. What is not JSON comes back with its texts shortened, or as it is.
func Fold(raw json.RawMessage) json.RawMessage {
	if len(raw) <= maxFolded {
		return raw
	}
	var out []byte
	kept := 0 // up to where raw is in out
	for at := 0; ; {
		start := bytes.IndexByte(raw[at:], '"')
		if start < 0 {
			break
		}
		start += at
		length := textLength(raw[start:])
		if length < 0 {
			break
		}
		at = start + length
		if length <= maxFolded {
			continue
		}
		var text string
		if json.Unmarshal(raw[start:at], &text) != nil {
			continue
		}
		short, err := json.Marshal(fold(text))
		if err != nil {
			continue
		}
		out = append(append(out, raw[kept:start]...), short...)
		kept = at
	}
	if out == nil {
		return raw
	}
	return append(out, raw[kept:]...)
}

// textLength is the length of the JSON text that b begins with, its two marks
// included; -1 when it does not end.
func textLength(b []byte) int {
	for n := 1; ; {
		i := bytes.IndexByte(b[n:], '"')
		if i < 0 {
			return -1
		}
		n += i + 1
		escapes := 0
		for n-2-escapes > 0 && b[n-2-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return n
		}
	}
}

func fold(text string) string {
	form := "base64"
	content, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		form, content = "text", []byte(text)
	}
	return fmt.Sprintf("%s%s:sha256=%s:bytes=%d", foldMark, form, digestOf(content), len(content))
}

// Content is the SHA-256, in hexadecimal, and the size of what a text holds in
// base64, be the text folded or not; ok is false when it holds no base64.
func Content(text string) (digest string, size int, ok bool) {
	if rest, folded := strings.CutPrefix(text, foldMark+"base64:sha256="); folded {
		digest, bytes, found := strings.Cut(rest, ":bytes=")
		n, err := strconv.Atoi(bytes)
		return digest, n, found && err == nil && n >= 0
	}
	content, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", 0, false
	}
	return digestOf(content), len(content), true
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

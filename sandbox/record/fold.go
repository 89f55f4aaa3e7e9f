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

// Fold shortens the long texts of a JSON value to their digest and size. The
// journal is a file that people open: a document of 5 MB does not belong in it,
// and what leaves a digest alone cannot hold a secret. What is not JSON comes
// back as it is.
func Fold(raw json.RawMessage) json.RawMessage {
	if len(raw) <= maxFolded {
		return raw
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return raw
	}
	out, err := json.Marshal(fold(v))
	if err != nil {
		return raw
	}
	return out
}

func fold(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, y := range x {
			x[k] = fold(y)
		}
	case []any:
		for i, y := range x {
			x[i] = fold(y)
		}
	case string:
		if len(x) <= maxFolded {
			return x
		}
		form, content := "base64", []byte(nil)
		content, err := base64.StdEncoding.DecodeString(x)
		if err != nil {
			form, content = "text", []byte(x)
		}
		return fmt.Sprintf("%s%s:sha256=%s:bytes=%d", foldMark, form, digestOf(content), len(content))
	}
	return v
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

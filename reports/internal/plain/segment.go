package plain

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
)

// maxSegment is how long a segment of an address may be: readers of RDF have
// bounds of their own.
const maxSegment = 200

// Segment is text as one segment of an address, never empty; of a long one the
// beginning and a digest.
func Segment(s string) string {
	out := url.PathEscape(Line(s))
	switch {
	case out == "":
		return "-"
	case out == "." || out == "..":
		return "%2E" + out[1:] // a reader of addresses would go up
	case len(out) > maxSegment:
		sum := sha256.Sum256([]byte(s))
		end := maxSegment
		for i := 1; i <= 2; i++ { // never within an escape
			if out[end-i] == '%' {
				end -= i
				break
			}
		}
		return out[:end] + "-" + hex.EncodeToString(sum[:8])
	}
	return out
}

package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
)

// KindImposed is how a session that someone else chose is named in records.
const KindImposed = "imposed-session"

// Impose makes another browser of the patient begin with the session cookies of
// this one, under values that somebody else chose: what an attacker does who
// wants to know the session in which a patient will be. It tells how many there
// were; a cookie that a script may read is no session's.
func (b *Browser) Impose(on *Browser, address string) (int, error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, fmt.Errorf("impose a session: %w", err)
	}
	n := 0
	for name, hidden := range b.kept {
		if !hidden {
			continue
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%s", b.stage.bench.env.Run, b.patient.Handle, name))
		value := hex.EncodeToString(sum[:])
		b.stage.Secret(KindImposed, value)
		on.client.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/", Secure: true}})
		n++
	}
	return n, nil
}

package apk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// MaxStatements bounds the bytes of a file of statements.
const MaxStatements = 256 << 10

// Statement says that a site lets an application open its links.
type Statement struct {
	Package      string   `json:"package"`
	Certificates []string `json:"certificates"` // SHA-256, as Signer.SHA256 writes them
}

// Statements reads the statements by which a site lets applications open all its
// links (/.well-known/assetlinks.json, Digital Asset Links).
func Statements(b []byte) ([]Statement, error) {
	if len(b) > MaxStatements {
		return nil, fmt.Errorf("it has more than %d bytes", MaxStatements)
	}
	var list []struct {
		Relation []string `json:"relation"`
		Target   struct {
			Namespace    string   `json:"namespace"`
			Package      string   `json:"package_name"`
			Certificates []string `json:"sha256_cert_fingerprints"`
		} `json:"target"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("it is no list of statements in JSON (%w)", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows its list of statements")
	}
	out := []Statement{}
	for _, s := range list {
		if s.Target.Namespace != "android_app" || !slices.Contains(s.Relation, "delegate_permission/common.handle_all_urls") || len(out) >= 100 {
			continue
		}
		one := Statement{Package: clip(s.Target.Package), Certificates: []string{}}
		for _, c := range s.Target.Certificates {
			one.Certificates = noted(one.Certificates, strings.ToLower(strings.ReplaceAll(clip(c), ":", "")))
		}
		out = append(out, one)
	}
	return out, nil
}

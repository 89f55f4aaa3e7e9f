package fhir

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // FHIR R4 fixes SHA-1 for Attachment.hash
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// Document is a document feed, as far as it could be understood.
type Document struct {
	Resource    map[string]any
	Content     []byte // decoded
	ContentType string
	Title       string
	Category    string    // code of the first category of Mon espace santé
	Size        int       // bytes of Content
	Created     time.Time // attachment.creation, else date; zero when neither can be read
	RequestIDPe string    // idPe that subject.identifier names
	RequestAuth string

	Digest          string   // SHA-256 of Content in hexadecimal, "" when it cannot be decoded
	CreatedText     string   // attachment.creation, else date, as written
	Identifiers     []string // masterIdentifier and identifiers, "system|value"
	Confidential    []string // codes of securityLabel
	PracticeSetting string   // code of context.practiceSetting
}

// AdministrativeCategory is the category of administrative documents, which the
// doctrine of exchanges (D7) leaves out of what a service may read.
const AdministrativeCategory = "DOC_ADM"

// envelope is how many bytes of metadata a document feed may have beside its
// content.
const envelope = 1 << 20

// Document reads and judges a document feed: one DocumentReference that carries
// its content.
func (r *Rules) Document(raw []byte, c Context) (Document, []record.Issue) {
	var d Document
	p := &report{r: r}
	limit := r.set.Int("document.max-bytes")
	if most := base64.StdEncoding.EncodedLen(limit) + envelope; len(raw) > most {
		p.add("document.size", "", "", fmt.Sprintf("a message of at most %d bytes", most), strconv.Itoa(len(raw)))
		return d, p.list
	}
	v, err := Decode(raw)
	if err != nil {
		pointer, what := asSyntax(err)
		p.add("document.json", "", pointer, "JSON in UTF-8 without repeated members", what)
		return d, p.list
	}
	o, _ := v.(map[string]any)
	if o == nil || text(o, "resourceType") != documentResource {
		p.add("document.json", "", "/resourceType", documentResource, show(o["resourceType"]))
		return d, p.list
	}
	d.Resource = o
	id := object(object(o, "subject"), "identifier")
	d.RequestIDPe, d.RequestAuth = text(id, "value"), text(id, "system")
	p.subject("document.subject", o, "", c, r.set.String("document.subject") == "identifier")
	p.documentCategory(&d)
	p.labels(&d)
	p.attachment(&d, limit)
	if d.CreatedText == "" {
		d.CreatedText = text(o, "date")
	}
	if d.Created.IsZero() {
		if t, err := readDate(text(o, "date"), r.zone); err == nil {
			d.Created = t.low
		}
	}
	p.shape(documentResource, withoutData(o), "", "document.json", "shape", map[string]string{
		"category": "document.category", "content": "document.attachment", "subject": "document.subject",
	})
	return d, p.list
}

// withoutData copies what leads to attachment.data and puts a short text there:
// the schema need not read megabytes of base64.
func withoutData(o map[string]any) map[string]any {
	contents := list(o, "content")
	if len(contents) == 0 {
		return o
	}
	out := clone(o)
	copied := make([]any, len(contents))
	for i, x := range contents {
		copied[i] = x
		a := object(x, "attachment")
		if _, ok := a["data"].(string); !ok {
			continue
		}
		a = clone(a)
		if a["data"] != "" {
			a["data"] = "data"
		}
		m, _ := x.(map[string]any)
		m = clone(m)
		m["attachment"] = a
		copied[i] = m
	}
	out["content"] = copied
	return out
}

func clone(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

func (p *report) documentCategory(d *Document) {
	system := p.r.set.String("document.category-system")
	actual := "nothing"
	for i, x := range list(d.Resource, "category") {
		if i == 0 {
			actual = showCodes(x)
		}
		for _, y := range list(x, "coding") {
			code := text(y, "code")
			if text(y, "system") == system && slices.Contains(p.r.categories, code) {
				d.Category = code
				return
			}
		}
	}
	p.add("document.category", "", "/category", "a category of "+system, actual)
}

// attachment reads and judges the only content of the document.
func (p *report) attachment(d *Document, limit int) {
	const at = "/content/0/attachment"
	contents := list(d.Resource, "content")
	if len(contents) != 1 {
		p.add("document.attachment", "", "/content", "exactly one content", strconv.Itoa(len(contents)))
		if len(contents) == 0 {
			return
		}
	}
	a := object(contents[0], "attachment")
	d.Title, d.ContentType = text(a, "title"), text(a, "contentType")
	d.CreatedText = text(a, "creation")
	if t, err := readDate(d.CreatedText, p.r.zone); err == nil {
		d.Created = t.low
	}
	data := text(a, "data")
	if data == "" {
		p.add("document.attachment", "", at+"/data", "the content in base64", show(a["data"]))
	}
	content, err := base64.StdEncoding.Strict().DecodeString(data)
	if err != nil {
		p.add("document.attachment", "", at+"/data", "base64", err.Error())
	} else {
		d.Content, d.Size = content, len(content)
		digest := sha256.Sum256(content)
		d.Digest = hex.EncodeToString(digest[:])
	}
	if d.Size > limit {
		p.add("document.size", "", at+"/data", fmt.Sprintf("at most %d bytes", limit), strconv.Itoa(d.Size))
	}
	p.format(d, at)
	if err != nil || data == "" {
		return
	}
	if n, ok := a["size"].(json.Number); ok && n.String() != strconv.Itoa(d.Size) {
		p.add("document.size", "mismatch", at+"/size", strconv.Itoa(d.Size), n.String())
	}
	if h := text(a, "hash"); h != "" {
		sum := sha1.Sum(d.Content) //nolint:gosec // as above
		if want := base64.StdEncoding.EncodeToString(sum[:]); h != want {
			p.add("document.hash", "", at+"/hash", want, h)
		}
	}
}

// format judges the content type, and whether the first bytes agree with it.
func (p *report) format(d *Document, at string) {
	at += "/contentType"
	if d.ContentType == "" {
		p.add("document.attachment", "", at, "the type of the content", "nothing")
		return
	}
	media, _, err := mime.ParseMediaType(d.ContentType)
	formats := append(p.r.set.List("document.formats"), p.r.set.List("document.cda-formats")...)
	if err != nil || !slices.Contains(formats, media) {
		p.add("document.format", "", at, "one of "+strings.Join(formats, ", "), d.ContentType)
		return
	}
	if len(d.Content) > 0 && !looksLike(media, d.Content) {
		p.add("document.format", "mismatch", at, "content that begins as "+media+" does", "something else")
	}
}

func looksLike(media string, content []byte) bool {
	begins := func(marks ...string) bool {
		for _, m := range marks {
			if bytes.HasPrefix(content, []byte(m)) {
				return true
			}
		}
		return false
	}
	switch media {
	case "application/pdf":
		return begins("%PDF-")
	case "image/jpeg":
		return begins("\xff\xd8\xff")
	case "image/tiff":
		return begins("II*\x00", "MM\x00*")
	case "application/rtf", "text/rtf":
		return begins(`{\rtf`)
	case "text/plain":
		return !bytes.ContainsRune(content, 0)
	}
	return true
}

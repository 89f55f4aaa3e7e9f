package record

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"reflect"
)

// RedactJSON replaces every known secret inside a JSON value and keeps it valid
// JSON. What is not valid JSON comes back as a JSON string.
func (r *Redactor) RedactJSON(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return raw
	}
	out := json.RawMessage(r.Redact(string(raw)))
	if json.Valid(out) {
		return out
	}
	if v, err := decode(raw); err == nil {
		if out, err := json.Marshal(r.value(v)); err == nil {
			return out
		}
	}
	b, _ := json.Marshal(string(out))
	return b
}

func decode(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON value")
	}
	return v, nil
}

// value redacts the texts of a JSON value one by one; a number that is a secret
// becomes a text.
func (r *Redactor) value(v any) any {
	switch v := v.(type) {
	case string:
		return r.Redact(v)
	case json.Number:
		if s := r.Redact(v.String()); s != v.String() {
			return s
		}
	case []any:
		for i := range v {
			v[i] = r.value(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[r.Redact(k)] = r.value(x)
		}
		return out
	}
	return v
}

// RedactRecord replaces every known secret in a record, in place: in every text
// of it, be it one that the candidate wrote or one that was derived.
func (r *Redactor) RedactRecord(rec *Record) {
	if x := rec.Exchange; x != nil {
		r.body(x.Request.Body, x.Request.Header("Content-Encoding"))
		r.body(x.Response.Body, x.Response.Header("Content-Encoding"))
	}
	r.walk(reflect.ValueOf(rec).Elem())
}

// body replaces a body that is no text as a whole: nothing can be taken out of
// bytes that are compressed and leave them what they were.
func (r *Redactor) body(b *Body, encoding string) {
	if b == nil || b.Encoding != "base64" {
		return
	}
	data, err := base64.StdEncoding.DecodeString(b.Text)
	if err != nil {
		return
	}
	if name := r.HoldsBody(data, encoding); name != "" {
		b.Text, b.Encoding = "«"+name+"»", ""
	}
}

func (r *Redactor) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			r.walk(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				r.walk(v.Field(i))
			}
		}
	case reflect.Slice:
		if raw, ok := v.Interface().(json.RawMessage); ok {
			v.Set(reflect.ValueOf(r.RedactJSON(raw)))
			return
		}
		for i := range v.Len() {
			r.walk(v.Index(i))
		}
	case reflect.Map:
		r.pairs(v)
	case reflect.String:
		if s := v.String(); len(s) >= MinSecret {
			if out := r.Redact(s); out != s {
				v.SetString(out)
			}
		}
	}
}

// pairs redacts the keys and values of a map, which cannot be changed in place.
func (r *Redactor) pairs(v reflect.Value) {
	if v.IsNil() {
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), v.Len())
	for it := v.MapRange(); it.Next(); {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		key.Set(it.Key())
		value.Set(it.Value())
		r.walk(key)
		r.walk(value)
		out.SetMapIndex(key, value)
	}
	v.Set(out)
}

package web

import (
	"net/url"
	"strings"
)

// loads counts what a document loads or sends to, and lists what of it is in
// the clear. What scripts load is not seen.
func loads(body []byte, at *url.URL) (int, []Load) {
	count, plain := 0, []Load{}
	base, based := at, false
	add := func(element, address string, active bool) {
		u, err := base.Parse(strings.TrimSpace(address))
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
			return
		}
		count++
		if u.Scheme == "http" && len(plain) < maxScripts {
			plain = append(plain, Load{Element: element, URL: clip(u.String()), Active: active})
		}
	}
	tokens(body, func(name string, attrs map[string]string) {
		if name == "base" && !based {
			if href, ok := attrs["href"]; ok {
				if u, err := at.Parse(strings.TrimSpace(href)); err == nil {
					base, based = u, true
				}
			}
			return
		}
		for _, attr := range loading(name, attrs) {
			value, ok := attrs[attr.name]
			if !ok || strings.TrimSpace(value) == "" {
				continue
			}
			if attr.name != "srcset" {
				add(name, value, attr.active)
				continue
			}
			for _, candidate := range strings.Split(value, ",") {
				if words := strings.Fields(candidate); len(words) > 0 {
					add(name, words[0], attr.active)
				}
			}
		}
	})
	return count, plain
}

// attribute is one that holds an address.
type attribute struct {
	name   string
	active bool
}

// loading lists the attributes of an element by which a browser loads something
// by itself, or sends what was written.
func loading(name string, attrs map[string]string) []attribute {
	switch name {
	case "script", "iframe", "embed":
		return []attribute{{"src", true}}
	case "object":
		return []attribute{{"data", true}}
	case "form":
		return []attribute{{"action", true}}
	case "button":
		return []attribute{{"formaction", true}}
	case "input":
		return []attribute{{"formaction", true}, {"src", false}}
	case "img", "source":
		return []attribute{{"src", false}, {"srcset", false}}
	case "audio", "track":
		return []attribute{{"src", false}}
	case "video":
		return []attribute{{"src", false}, {"poster", false}}
	case "link":
		for _, rel := range strings.Fields(strings.ToLower(attrs["rel"])) {
			switch rel {
			case "stylesheet", "preload", "modulepreload", "manifest":
				return []attribute{{"href", true}}
			case "icon", "apple-touch-icon", "prefetch":
				return []attribute{{"href", false}}
			}
		}
	}
	return nil
}

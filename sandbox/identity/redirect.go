package identity

import (
	"net"
	"net/url"
	"slices"
)

// registered says whether an address of return is one of those registered: to
// the letter (RFC 9700 §2.1), but for the port of an http address on the
// loopback interface, which an application gets when it starts (RFC 8252 §7.3).
func registered(all []string, given string) bool {
	if slices.Contains(all, given) {
		return true
	}
	want, ok := withoutPort(given)
	if !ok {
		return false
	}
	return slices.ContainsFunc(all, func(r string) bool {
		got, ok := withoutPort(r)
		return ok && got == want
	})
}

// withoutPort is an http address on a loopback address, its port left out. The
// name localhost is none: it may lead elsewhere (RFC 8252 §8.3).
func withoutPort(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.User != nil {
		return "", false
	}
	ip := net.ParseIP(u.Hostname())
	if ip == nil || !ip.IsLoopback() {
		return "", false
	}
	host := ip.String()
	// What stands after the port is compared as it was written.
	prefix := "http://" + u.Host
	if len(address) < len(prefix) || address[:len(prefix)] != prefix {
		return "", false
	}
	return host + address[len(prefix):], true
}

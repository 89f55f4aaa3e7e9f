package blindspots

import "strings"

// anyText is for documents in which no place takes one of a few words.
func anyText(string) []string { return nil }

// words are those that the sandbox and the probes write at a place which takes
// one of a few: a text that they never write would tell nothing of the checks.
func words(path string) []string {
	last := path[strings.LastIndexByte(path, '.')+1:]
	switch last {
	case "accessState":
		return []string{"absent", "valid", "expired", "revoked", "unknown"}
	case "idTokenState":
		return []string{"absent", "valid", "expired", "invalid", "other-patient"}
	case "clientAuth":
		return []string{"none", "client_secret_basic", "client_secret_post"}
	case "codeOrigin":
		return []string{"flow", "forged", "unknown"}
	case "refreshState":
		return []string{"current", "superseded", "revoked", "unknown"}
	case "grantType":
		return []string{"authorization_code", "refresh_token", "password"}
	case "responseType":
		return []string{"code", "token", "id_token token"}
	case "challengeMethod":
		return []string{"S256", "plain"}
	case "severity":
		return []string{"error", "warning"}
	case "verdict":
		return []string{"valid", "invalid", "not-run"}
	case "allowCredentials":
		return []string{"true"}
	case "values[]":
		return []string{"'unsafe-inline'", "'unsafe-eval'", "*", "data:"}
	}
	return nil
}

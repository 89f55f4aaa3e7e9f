package web

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"
)

// wanted is something that should not be there, and by what it is recognised: a
// status alone proves nothing, since many services have a page for every address.
type wanted struct {
	path string
	kind string
	sign func(body []byte) string // says what was recognised, never a value of it; "" for nothing
}

// The kinds of things that should not be there.
const (
	KindRepository = "repository"
	KindSecret     = "secret"
	KindSource     = "source"
	KindDump       = "dump"
	KindDebug      = "debug"
	KindMonitoring = "monitoring"
)

// files are the remains of a build or of an administrator's work, as they are
// most often found on the web.
func files() []wanted {
	env := func(p string) wanted { return wanted{p, KindSecret, settings} }
	php := func(p string) wanted { return wanted{p, KindSource, begins("<?php", "<?php")} }
	sql := func(p string) wanted { return wanted{p, KindDump, statements} }
	return []wanted{
		{"/.git/HEAD", KindRepository, matches(`\A(ref: refs/\S+|[0-9a-f]{40}|[0-9a-f]{64})\s*\z`, "ref: refs/…")},
		{"/.git/config", KindRepository, matches(`(?m)\A\s*(;.*\n|#.*\n)*\s*\[core\]`, "[core]")},
		{"/.svn/entries", KindRepository, matches(`\A\d{1,2}\r?\n`, "svn")},
		{"/.svn/wc.db", KindRepository, begins("SQLite format 3\x00", "SQLite")},
		{"/.hg/requires", KindRepository, matches(`(?m)^(revlogv1|dotencode|store)$`, "revlogv1")},
		env("/.env"), env("/.env.local"), env("/.env.production"), env("/.env.bak"), env("/.env.old"), env("/.env~"),
		{"/.htpasswd", KindSecret, matches(`(?m)\A[^\s:<>]{1,64}:(\$apr1\$|\$2[aby]\$|\{SHA\}|\$[56]\$)`, "name:$…$")},
		{"/.aws/credentials", KindSecret, contains("aws_access_key_id", "aws_access_key_id")},
		{"/.npmrc", KindSecret, contains("_authToken", "_authToken")},
		{"/id_rsa", KindSecret, contains("PRIVATE KEY-----", "PRIVATE KEY")},
		{"/.ssh/id_rsa", KindSecret, contains("PRIVATE KEY-----", "PRIVATE KEY")},
		{"/server.key", KindSecret, contains("PRIVATE KEY-----", "PRIVATE KEY")},
		{"/appsettings.json", KindSecret, object("ConnectionStrings")},
		{"/config.json", KindSecret, secretObject},
		{"/application.properties", KindSecret, matches(`(?m)^spring\.[\w.-]+\s*=`, "spring.…=")},
		{"/application.yml", KindSecret, matches(`(?m)^spring:\s*$`, "spring:")},
		{"/docker-compose.yml", KindSource, matches(`(?m)^services:\s*$`, "services:")},
		{"/Dockerfile", KindSource, matches(`(?m)\A(\s*#.*\n|\s*\n|ARG .*\n)*FROM \S+`, "FROM")},
		{"/web.config", KindSource, matches(`(?i)\A\s*(\x{FEFF})?(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<configuration`, "<configuration>")},
		{"/web.config.bak", KindSource, contains("<configuration", "<configuration>")},
		php("/wp-config.php.bak"), php("/wp-config.php~"), php("/config.php.bak"), php("/config.php~"), php("/index.php~"), php("/index.php.bak"),
		{"/.DS_Store", KindSource, begins("\x00\x00\x00\x01Bud1", "Bud1")},
		sql("/backup.sql"), sql("/dump.sql"), sql("/database.sql"),
		{"/backup.zip", KindDump, begins("PK\x03\x04", "zip")},
		{"/backup.tar.gz", KindDump, begins("\x1f\x8b\x08", "gzip")},
	}
}

// debugPages are those of common frameworks and servers that show their inside.
func debugPages() []wanted {
	return []wanted{
		{"/phpinfo.php", KindDebug, contains("phpinfo()", "phpinfo()")},
		{"/info.php", KindDebug, contains("phpinfo()", "phpinfo()")},
		{"/debug/pprof/", KindDebug, contains("Types of profiles available", "pprof")},
		{"/debug/vars", KindDebug, object("memstats")},
		{"/actuator/env", KindDebug, object("propertySources")},
		{"/actuator", KindMonitoring, object("_links")},
		{"/_profiler/", KindDebug, contains("Symfony Profiler", "Symfony Profiler")},
		{"/elmah.axd", KindDebug, contains("Error Log for", "ELMAH")},
		{"/trace.axd", KindDebug, contains("Application Trace", "Application Trace")},
		{"/h2-console/", KindDebug, contains("H2 Console", "H2 Console")},
		{"/server-status", KindMonitoring, contains("Apache Server Status", "Apache Server Status")},
		{"/nginx_status", KindMonitoring, matches(`\AActive connections: \d+`, "Active connections")},
		{"/metrics", KindMonitoring, matches(`(?m)^# (HELP|TYPE) \w+ `, "# HELP")},
	}
}

func matches(pattern, sign string) func([]byte) string {
	re := regexp.MustCompile(pattern)
	return func(b []byte) string {
		if re.Match(b) {
			return sign
		}
		return ""
	}
}

func contains(text, sign string) func([]byte) string {
	return func(b []byte) string {
		if bytes.Contains(b, []byte(text)) {
			return sign
		}
		return ""
	}
}

func begins(text, sign string) func([]byte) string {
	return func(b []byte) string {
		if bytes.HasPrefix(bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF")), []byte(text)) {
			return sign
		}
		return ""
	}
}

// object recognises a JSON object by one of its members.
func object(member string) func([]byte) string {
	return func(b []byte) string {
		var o map[string]json.RawMessage
		if json.Unmarshal(b, &o) != nil || o[member] == nil {
			return ""
		}
		return `{"` + member + `": …}`
	}
}

// secretObject recognises a JSON object that holds a password or a secret, not
// the settings of a front end, which are public on purpose.
func secretObject(b []byte) string {
	var o map[string]json.RawMessage
	if json.Unmarshal(b, &o) != nil {
		return ""
	}
	for name, value := range o {
		name = strings.ToLower(name)
		var text string
		if json.Unmarshal(value, &text) != nil || text == "" {
			continue
		}
		for _, word := range []string{"password", "passwd", "secret", "private_key", "privatekey"} {
			if strings.Contains(name, word) && !strings.Contains(name, "public") {
				return `{"…` + word + `…": …}`
			}
		}
	}
	return ""
}

// settings recognises a file of NAME=value lines and nothing else.
func settings(b []byte) string {
	const most = 1000
	if !utf8.Valid(b) || len(b) == 0 {
		return ""
	}
	named := 0
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		if i == most {
			break
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, _, found := strings.Cut(line, "=")
		if !found || !variable(strings.TrimSpace(name)) {
			return ""
		}
		named++
	}
	if named == 0 {
		return ""
	}
	return "NAME=…"
}

func variable(name string) bool {
	return name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.") == "" && (name[0] < '0' || name[0] > '9')
}

// statements recognises a dump of a database.
func statements(b []byte) string {
	if isHTML(map[string][]string{}, b) {
		return ""
	}
	upper := bytes.ToUpper(b[:min(len(b), 64<<10)])
	for _, s := range []string{"CREATE TABLE", "INSERT INTO", "MYSQL DUMP", "POSTGRESQL DATABASE DUMP"} {
		if bytes.Contains(upper, []byte(s)) {
			return s
		}
	}
	return ""
}

type pattern struct {
	sign string
	re   *regexp.Regexp
}

func found(patterns []pattern, b []byte) []string {
	var out []string
	for _, p := range patterns {
		if p.re.Match(b) {
			out = append(out, p.sign)
		}
	}
	return out
}

// stacks are what an error page should keep for the journal: call stacks and the
// debug pages of frameworks.
func stacks() []pattern {
	return []pattern{
		{"Java", regexp.MustCompile(`\bat [\w$.<>/]+\([\w$]+\.(java|kt|scala|groovy):\d+\)`)},
		{"Python", regexp.MustCompile(`Traceback \(most recent call last\)`)},
		{"Node.js", regexp.MustCompile(`\bat (async )?[\w.$<>\[\] ]*\(?(file://|node:|/|[A-Z]:\\)[^\s()<]*:\d+:\d+\)?`)},
		{"PHP", regexp.MustCompile(`(?i)(Fatal error|Warning|Notice|Parse error|Deprecated)(</b>)?: .* on line (<b>)?\d+|Stack trace:\s*(<br ?/?>)?\s*#0 `)},
		{".NET", regexp.MustCompile(`Server Error in '.*' Application|\bat [\w.<>` + "`" + `]+\(.*\) in .+:line \d+`)},
		{"Ruby", regexp.MustCompile(`\.rb:\d+:in [` + "`" + `']|Action Controller: Exception caught`)},
		{"Go", regexp.MustCompile(`goroutine \d+ \[[\w ,]+\]:`)},
		{"Django", regexp.MustCompile(`<code>DEBUG = True</code>`)},
		{"Werkzeug", regexp.MustCompile(`Werkzeug Debugger|The debugger caught an exception in your WSGI application`)},
		{"Laravel", regexp.MustCompile(`Whoops, looks like something went wrong|Illuminate\\\\?[A-Z]\w+\\`)},
		{"Symfony", regexp.MustCompile(`Symfony Exception`)},
		{"SQL", regexp.MustCompile(`SQLSTATE\[|\bORA-\d{5}: |You have an error in your SQL syntax|PG::\w+Error|psycopg2\.|com\.mysql\.`)},
	}
}

// products recognises names of server products with their version, as default
// error pages tell them.
func products(b []byte) []string {
	var out []string
	for _, m := range productPattern.FindAllString(string(b[:min(len(b), maxText)]), 10) {
		out = append(out, strings.ToValidUTF8(m, "\uFFFD"))
	}
	if out == nil {
		return []string{}
	}
	return out
}

var productPattern = regexp.MustCompile(`\b(nginx|openresty|Apache|Apache Tomcat|Tomcat|PHP|Microsoft-IIS|Werkzeug|Jetty|lighttpd|Kestrel|gunicorn|Python|OpenSSL|WildFly|JBoss|WebLogic|Passenger|Phusion Passenger|LiteSpeed|Caddy|Express)/v?\d+(\.\d+)+`)

// versioned says whether a text holds the version of something.
func versioned(value string) bool { return versionPattern.MatchString(value) }

var versionPattern = regexp.MustCompile(`\d+\.\d+|/\s*v?\d|[A-Za-z] v?\d+$`)

// listings are the pages by which servers list a folder.
func listings() []pattern {
	return []pattern{
		{"Index of /", regexp.MustCompile(`(?i)<(title|h1)>\s*Index of /`)},
		{"Directory listing for /", regexp.MustCompile(`(?i)<(title|h1)>\s*Directory listing for /`)},
		{"listing directory", regexp.MustCompile(`(?i)<title>\s*listing directory `)},
		{"Directory: /", regexp.MustCompile(`(?i)<(title|h1)[^>]*>\s*Directory: /`)},
		{"Directory Listing For [/", regexp.MustCompile(`(?i)<(title|h1)>\s*Directory Listing For \[`)},
		{"[To Parent Directory]", regexp.MustCompile(`(?i)\[To Parent Directory\]`)},
		{"<pre><a href>", regexp.MustCompile(`(?i)\A\s*(<!doctype html>\s*)?(<meta name="viewport"[^>]*>\s*)?<pre>\s*(<a href="[^"]*">[^<]*</a>\s*)+</pre>\s*\z`)},
	}
}

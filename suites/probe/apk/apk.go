// Package apk reads an Android application as it is published: one file, an APK.
// What it says of itself to the phone stands in a binary manifest, in files of
// rules that the manifest names, and in the block of signatures; the code is not
// read. Every byte comes from a stranger: lengths are checked before they are
// followed, and what is kept is bounded.
package apk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Limits of what is read. Google Play takes no more than 200 MB of one APK.
const (
	MaxSize      = 1 << 30 // bytes of the file
	maxDirectory = 32 << 20
	maxManifest  = 8 << 20
	maxResources = 96 << 20
	maxRules     = 1 << 20 // bytes of one file of rules
	maxList      = 1000    // of components, permissions, links…
	maxRuleFiles = 8
)

// Result is what an application says of itself.
type Result struct {
	File        string       `json:"file"` // name, without its folders
	Size        int64        `json:"size"` // bytes
	SHA256      string       `json:"sha256"`
	At          time.Time    `json:"at"`
	Package     string       `json:"package"`
	VersionCode int64        `json:"versionCode"`
	VersionName string       `json:"versionName"`
	SDK         SDK          `json:"sdk"`
	Permissions []Permission `json:"permissions"`
	Own         []Own        `json:"own"` // permissions that it declares
	Application Application  `json:"application"`
	Network     Network      `json:"network"`
	Components  []Component  `json:"components"`
	Links       []Link       `json:"links"`
	Signing     Signing      `json:"signing"`
	Unread      []string     `json:"unread"` // what is there and was not read, in words
}

// SDK are the levels of the Android API that the application names; 0 where it
// names none.
type SDK struct {
	Min      int    `json:"min"`
	Target   int    `json:"target"` // Min where it names none, as Android has it
	Max      int    `json:"max"`
	Compile  int    `json:"compile"`
	Codename string `json:"codename"` // of a preview, in place of a number
}

// Flag is a truth that an application may leave unsaid.
type Flag string

// The values of a Flag.
const (
	Unsaid  Flag = ""
	Yes     Flag = "yes"
	No      Flag = "no"
	Unknown Flag = "unknown" // said by a reference that leads nowhere
)

// Application is what is said of the application as a whole.
type Application struct {
	Debuggable        Flag   `json:"debuggable"`
	TestOnly          Flag   `json:"testOnly"`
	Backup            Flag   `json:"backup"`            // allowBackup
	FullBackupContent Rules  `json:"fullBackupContent"` // up to Android 11
	Extraction        Rules  `json:"extraction"`        // dataExtractionRules, from Android 12 on
	Cleartext         Flag   `json:"cleartext"`         // usesCleartextTraffic
	Permission        string `json:"permission"`
}

// Rules is a file of rules about backups.
type Rules struct {
	Named    bool     `json:"named"` // the manifest names one
	Whole    bool     `json:"whole"` // all of it was read
	Files    []string `json:"files"`
	Includes []string `json:"includes"` // "cloud-backup sharedpref .", in the order of the file
	Excludes []string `json:"excludes"`
}

// Permission is one permission that the application asks for.
type Permission struct {
	Name   string `json:"name"`
	MaxSDK int    `json:"maxSdk"` // up to which it is asked for; 0: always
	Flags  uint32 `json:"flags"`  // usesPermissionFlags
	Kind   Kind   `json:"kind"`
	// Implied is the permission by which Android gives this one, which the
	// application does not name; "" where it does.
	Implied string `json:"implied"`
}

// NeverForLocation says that what the permission gives is not used to find out
// where the person is (usesPermissionFlags).
func (p Permission) NeverForLocation() bool { return p.Flags&0x00010000 != 0 }

// Own is a permission that the application declares.
type Own struct {
	Name  string `json:"name"`
	Level int    `json:"level"` // protectionLevel: 0 normal, 1 dangerous, 2 signature, 3 signature or system
}

// Component is one component that other applications may call.
type Component struct {
	Kind       string   `json:"kind"` // activity, activity-alias, service, receiver, provider
	Name       string   `json:"name"`
	Explicit   Flag     `json:"explicit"` // android:exported
	Disabled   bool     `json:"disabled"` // until the application itself enables it
	Permission string   `json:"permission"`
	Read       string   `json:"read"`    // of a provider
	Write      string   `json:"write"`   // of a provider
	Partial    bool     `json:"partial"` // a provider with permissions for some paths
	Launcher   bool     `json:"launcher"`
	Linked     bool     `json:"linked"` // opened by links
	Actions    []string `json:"actions"`
}

// Link is one kind of address that opens the application from a browser.
type Link struct {
	Component string   `json:"component"`
	Schemes   []string `json:"schemes"`
	Hosts     []string `json:"hosts"`
	Verify    bool     `json:"verify"` // autoVerify
}

// NotAPackageError says that a file is no APK that can be read.
type NotAPackageError struct {
	File   string
	Reason string
}

func (e *NotAPackageError) Error() string {
	return fmt.Sprintf("%s cannot be read as an Android application: %s. Give the .apk that is published; of a bundle (.aab) or of parts (.apks, .xapk) make one with \"bundletool build-apks --mode=universal\"", e.File, e.Reason)
}

// Open reads the application of a file. The error is a *NotAPackageError when
// the file is there and is no APK.
func Open(ctx context.Context, path, name string, now time.Time) (Result, error) {
	info, err := os.Stat(path) // opening a pipe would wait for a writer: look first
	if err != nil {
		return Result{}, fmt.Errorf("read the application %s: %w", name, cause(err))
	}
	if !info.Mode().IsRegular() {
		return Result{}, fmt.Errorf("read the application %s: it is no regular file", name)
	}
	f, err := os.Open(path)
	if err != nil {
		return Result{}, fmt.Errorf("read the application %s: %w", name, cause(err))
	}
	defer f.Close()
	return Read(ctx, f, info.Size(), name, now)
}

// cause drops the path of a file error: what is recorded names no folder of a
// machine.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Read reads an application.
func Read(ctx context.Context, r io.ReaderAt, size int64, name string, now time.Time) (res Result, err error) {
	res = Result{
		File: clip(name), Size: size, At: now.UTC(),
		Permissions: []Permission{}, Own: []Own{}, Components: []Component{}, Links: []Link{}, Unread: []string{},
		Network: Network{Domains: []DomainRule{}},
	}
	if size > MaxSize {
		return res, &NotAPackageError{res.File, fmt.Sprintf("it has %d bytes, more than %d", size, MaxSize)}
	}
	if res.SHA256, err = digest(ctx, r, size); err != nil {
		return res, fmt.Errorf("read the application %s: %w", res.File, err)
	}
	a, err := openArchive(r, size)
	if err != nil {
		return res, &NotAPackageError{res.File, err.Error()}
	}
	raw, err := a.file("AndroidManifest.xml", maxManifest)
	if err != nil {
		return res, &NotAPackageError{res.File, err.Error()}
	}
	root, err := readXML(raw)
	if err != nil {
		return res, &NotAPackageError{res.File, "AndroidManifest.xml: " + err.Error()}
	}
	m := reading{archive: a, res: &res}
	if raw, err = a.file("resources.arsc", maxResources); err == nil {
		m.table, err = readTable(raw)
	}
	if err != nil && a.has("resources.arsc") {
		m.unread("resources.arsc: " + err.Error())
	}
	if err := m.manifest(root); err != nil {
		return res, &NotAPackageError{res.File, "AndroidManifest.xml: " + err.Error()}
	}
	if res.Signing, err = a.signing(ctx); err != nil {
		return res, fmt.Errorf("read the application %s: %w", res.File, err)
	}
	return res, nil
}

func digest(ctx context.Context, r io.ReaderAt, size int64) (string, error) {
	h := sha256.New()
	if err := stream(ctx, r, 0, size, func(b []byte) { h.Write(b) }); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// stream hands a part of a file over, in pieces of at most a mebibyte.
func stream(ctx context.Context, r io.ReaderAt, from, to int64, take func([]byte)) error {
	buf := make([]byte, min(pieceSize, max(to-from, 0)))
	for from < to {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.ReadAt(buf[:min(int64(len(buf)), to-from)], from)
		if n == 0 && err != nil {
			return cause(err)
		}
		take(buf[:n])
		from += int64(n)
	}
	return nil
}

// clip bounds what a stranger wrote.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}

package apk

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The numbers of Android's own attributes (public-final.xml of the Android
// sources). They are what the phone goes by; names are for people.
const (
	attrName           = 0x01010003
	attrPermission     = 0x01010006
	attrRead           = 0x01010007
	attrWrite          = 0x01010008
	attrLevel          = 0x01010009
	attrEnabled        = 0x0101000e
	attrDebuggable     = 0x0101000f
	attrExported       = 0x01010010
	attrScheme         = 0x01010027
	attrHost           = 0x01010028
	attrMin            = 0x0101020c
	attrVersionCode    = 0x0101021b
	attrVersionName    = 0x0101021c
	attrTarget         = 0x01010270
	attrMax            = 0x01010271
	attrTestOnly       = 0x01010272
	attrBackup         = 0x01010280
	attrFullBackup     = 0x010104eb
	attrCleartext      = 0x010104ec
	attrVerify         = 0x010104ee
	attrNetwork        = 0x01010527
	attrCompile        = 0x01010572
	attrVersionMajor   = 0x01010576
	attrExtraction     = 0x0101063e
	attrUsesPermission = 0x01010644
)

const (
	actionMain       = "android.intent.action.MAIN"
	actionView       = "android.intent.action.VIEW"
	categoryLauncher = "android.intent.category.LAUNCHER"
	categoryBrowse   = "android.intent.category.BROWSABLE"
)

// reading is one reading of an application.
type reading struct {
	archive *archive
	table   table
	res     *Result
}

func (m *reading) unread(what string) {
	if len(m.res.Unread) < maxList && !slices.Contains(m.res.Unread, what) {
		m.res.Unread = append(m.res.Unread, clip(what))
	}
}

// resolved are the values that an attribute may have, one for each configuration
// of the phone where it names a resource.
func (m *reading) resolved(a attribute) []value {
	if !a.refers() {
		return []value{a.value}
	}
	return m.table.values(a.data)
}

// text reads an attribute as a text: the first of its values.
func (m *reading) text(e *element, id uint32) string {
	a, ok := e.android(id)
	if !ok {
		return ""
	}
	for _, v := range m.resolved(a) {
		if v.kind == typeString {
			return v.text
		}
		if n, ok := v.number(); ok {
			return strconv.FormatInt(n, 10)
		}
	}
	m.unread(fmt.Sprintf("%s %s: a reference (%#08x) that leads nowhere", e.name, attributeName(id), a.data))
	return ""
}

func (m *reading) number(e *element, id uint32) int {
	a, ok := e.android(id)
	if !ok {
		return 0
	}
	for _, v := range m.resolved(a) {
		if n, ok := v.number(); ok {
			return int(n)
		}
	}
	if a.refers() {
		m.unread(fmt.Sprintf("%s %s: a reference (%#08x) that leads nowhere", e.name, attributeName(id), a.data))
	}
	return 0
}

// flag reads an attribute as a truth. Where it depends on the phone, worse tells
// which of the two values counts: what is wrong on one phone is wrong.
func (m *reading) flag(e *element, id uint32, worse bool) Flag {
	a, ok := e.android(id)
	if !ok {
		return Unsaid
	}
	return m.truth(e.name+" "+attributeName(id), a, worse)
}

func (m *reading) truth(of string, a attribute, worse bool) Flag {
	got := Unknown
	for _, v := range m.resolved(a) {
		yes, readable := v.truth()
		switch {
		case !readable:
		case yes == worse:
			return flagOf(yes)
		default:
			got = flagOf(yes)
		}
	}
	if got == Unknown {
		m.unread(fmt.Sprintf("%s: a reference (%#08x) that leads nowhere", of, a.data))
	}
	return got
}

func flagOf(yes bool) Flag {
	if yes {
		return Yes
	}
	return No
}

func (m *reading) manifest(root *element) error {
	if root.name != "manifest" {
		return fmt.Errorf("its first element is <%s>, not <manifest>", root.name)
	}
	r := m.res
	if a, ok := root.plain("package"); ok {
		r.Package = a.text
	}
	if a, ok := root.plain("split"); ok && a.text != "" {
		return fmt.Errorf("it is the part %q of an application, without the rest", a.text)
	}
	r.VersionCode = int64(uint32(m.number(root, attrVersionCode))) | int64(uint32(m.number(root, attrVersionMajor)))<<32
	r.VersionName = m.text(root, attrVersionName)
	r.SDK.Compile = m.number(root, attrCompile)
	apps := root.all("application")
	if len(apps) != 1 {
		return fmt.Errorf("it has %d <application>, where one belongs", len(apps))
	}
	m.levels(root)
	m.permissions(root)
	m.imply()
	m.application(apps[0])
	for _, name := range []string{"requiredSplitTypes", "isSplitRequired"} {
		for _, a := range root.attrs {
			if a.name == name && (a.text != "" || a.data != 0) {
				m.split()
			}
		}
	}
	return nil
}

func (m *reading) split() {
	m.unread("other files that complete this application (split APKs)")
}

func (m *reading) levels(root *element) {
	s := &m.res.SDK
	for _, e := range root.all("uses-sdk") {
		s.Min, s.Target, s.Max = m.number(e, attrMin), m.number(e, attrTarget), m.number(e, attrMax)
		for _, id := range []uint32{attrMin, attrTarget} {
			if a, ok := e.android(id); ok && a.kind == typeString {
				if _, numeric := a.number(); !numeric {
					s.Codename = a.text
				}
			}
		}
	}
	s.Min = max(s.Min, 1)
	if s.Target == 0 {
		s.Target = s.Min
	}
}

func (m *reading) permissions(root *element) {
	for _, e := range root.children {
		switch {
		case len(m.res.Permissions) >= maxList || len(m.res.Own) >= maxList:
			return
		case e.name == "uses-permission", e.name == "uses-permission-sdk-23", e.name == "uses-permission-sdk-m":
			if name := m.text(e, attrName); name != "" {
				m.res.Permissions = append(m.res.Permissions, Permission{
					Name: name, MaxSDK: m.number(e, attrMax), Flags: uint32(m.number(e, attrUsesPermission)), Kind: kindOf(name),
				})
			}
		case e.name == "permission":
			m.res.Own = append(m.res.Own, Own{Name: m.text(e, attrName), Level: m.number(e, attrLevel) & 0xf})
		}
	}
}

func (m *reading) application(e *element) {
	a := &m.res.Application
	a.Debuggable = m.flag(e, attrDebuggable, true)
	a.TestOnly = m.flag(e, attrTestOnly, true)
	a.Backup = m.flag(e, attrBackup, true)
	a.Cleartext = m.flag(e, attrCleartext, true)
	a.Permission = m.text(e, attrPermission)
	a.FullBackupContent = m.rules(e, attrFullBackup)
	a.Extraction = m.rules(e, attrExtraction)
	m.network(e)
	for _, c := range e.all("meta-data") {
		if m.text(c, attrName) == "com.android.vending.splits.required" {
			m.split()
		}
	}
	for _, c := range e.children {
		switch c.name {
		case "activity", "activity-alias", "service", "receiver", "provider":
			if len(m.res.Components) >= maxList {
				m.unread(fmt.Sprintf("more than %d components", maxList))
				return
			}
			m.component(c)
		}
	}
}

func (m *reading) component(e *element) {
	c := Component{
		Kind: e.name, Name: m.whole(m.text(e, attrName)), Explicit: m.flag(e, attrExported, true),
		Disabled: m.flag(e, attrEnabled, true) == No, Actions: []string{},
		Permission: m.text(e, attrPermission), Read: m.text(e, attrRead), Write: m.text(e, attrWrite),
		Partial: len(e.all("path-permission")) > 0,
	}
	for _, f := range e.all("intent-filter") {
		actions, categories := m.names(f, "action"), m.names(f, "category")
		c.Actions = append(c.Actions, actions...)
		if slices.Contains(actions, actionMain) && slices.Contains(categories, categoryLauncher) {
			c.Launcher = true
		}
		if !strings.HasPrefix(e.name, "activity") || !slices.Contains(actions, actionView) || !slices.Contains(categories, categoryBrowse) {
			continue
		}
		c.Linked = true
		link := Link{Component: c.Name, Verify: m.flag(f, attrVerify, false) == Yes, Schemes: []string{}, Hosts: []string{}}
		for _, d := range f.all("data") {
			link.Schemes = noted(link.Schemes, m.text(d, attrScheme))
			link.Hosts = noted(link.Hosts, m.text(d, attrHost))
		}
		if len(m.res.Links) < maxList {
			m.res.Links = append(m.res.Links, link)
		}
	}
	slices.Sort(c.Actions)
	c.Actions = slices.Compact(c.Actions)
	if len(c.Actions) > 50 {
		c.Actions = c.Actions[:50]
	}
	m.res.Components = append(m.res.Components, c)
}

// whole completes the name of a class that is written in short.
func (m *reading) whole(name string) string {
	if strings.HasPrefix(name, ".") {
		return m.res.Package + name
	}
	if name != "" && !strings.Contains(name, ".") {
		return m.res.Package + "." + name
	}
	return name
}

func (m *reading) names(e *element, of string) []string {
	var out []string
	for _, c := range e.all(of) {
		out = append(out, m.text(c, attrName))
	}
	return out
}

func noted(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) || len(list) >= 50 {
		return list
	}
	return append(list, s)
}

// Exported says whether other applications may call a component. What it leaves
// unsaid follows from the level that the application targets: up to 30, filters
// open a component; from 31 on Android installs no application that leaves it
// unsaid beside filters. Up to 16 providers are open.
func (r Result) Exported(c Component) bool {
	switch c.Explicit {
	case Yes, Unknown:
		return true
	case No:
		return false
	}
	if c.Kind == "provider" {
		return r.SDK.Target < 17
	}
	return len(c.Actions) > 0
}

// attributeName gives the name of an attribute that is told of.
func attributeName(id uint32) string {
	names := map[uint32]string{
		attrName: "name", attrPermission: "permission", attrRead: "readPermission", attrWrite: "writePermission",
		attrEnabled: "enabled", attrDebuggable: "debuggable", attrExported: "exported", attrScheme: "scheme", attrHost: "host",
		attrVersionName: "versionName", attrTestOnly: "testOnly", attrBackup: "allowBackup",
		attrFullBackup: "fullBackupContent", attrCleartext: "usesCleartextTraffic", attrVerify: "autoVerify",
		attrNetwork: "networkSecurityConfig", attrExtraction: "dataExtractionRules",
	}
	if n, ok := names[id]; ok {
		return "android:" + n
	}
	return fmt.Sprintf("%#08x", id)
}

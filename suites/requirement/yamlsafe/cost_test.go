package yamlsafe_test

import (
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/requirement/yamlsafe"
)

// The bounds must hold before the memory is spent: each of these documents of
// 1 MiB at most is the worst of its shape.
func BenchmarkWorstDocuments(b *testing.B) {
	for name, text := range map[string]string{
		"brackets":   strings.Repeat("[", yamlsafe.MaxBytes),
		"empty maps": "[" + strings.Repeat("{},", yamlsafe.MaxBytes/3-1) + "]",
		"dashes":     strings.Repeat("- ", yamlsafe.MaxBytes/2),
		"lines":      strings.Repeat("- a\n", yamlsafe.MaxBytes/4),
		"questions":  strings.Repeat("? ", yamlsafe.MaxBytes/2),
		"colons":     strings.Repeat("a: ", yamlsafe.MaxBytes/3),
		"commas":     "[" + strings.Repeat("a,", yamlsafe.MaxBytes/2-1) + "]",
		"comments":   strings.Repeat("#\n", yamlsafe.MaxBytes/2),
		"commented":  strings.Repeat("- #\n", yamlsafe.MaxBytes/4),
		"quotes":     "[" + strings.Repeat("''\n,", yamlsafe.MaxBytes/4-1) + "]",
		"anchors":    "[" + strings.Repeat("&a b,", yamlsafe.MaxBytes/5-1) + "]",
		"directives": strings.Repeat("%A b\n", yamlsafe.MaxBytes/5),
		"documents":  strings.Repeat("---\n", yamlsafe.MaxBytes/4),
		"one string": "a: \"" + strings.Repeat("\\n", yamlsafe.MaxBytes/2-4) + "\"",
		"keys":       "{" + strings.Repeat("a,", yamlsafe.MaxBytes/2-1) + "}",
	} {
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = yamlsafe.Parse([]byte(text))
			}
		})
	}
}

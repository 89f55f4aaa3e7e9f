package html

import (
	_ "embed" // known.tmpl
)

// knownText shows the nonconformities that were known when the run was judged.
//
//go:embed known.tmpl
var knownText string

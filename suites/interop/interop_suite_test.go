package interop_test

import (
	"testing"

	"github.com/etalon-sante/etalon/suites/interop"
	"github.com/etalon-sante/etalon/suites/run/suitetest"
)

// The same specs as the shipped binary runs, for people who know Ginkgo: they
// observe the bundled reference service, once, and judge what was recorded.
func TestInteropSuite(t *testing.T) { suitetest.Run(t, "interop", interop.Specs) }

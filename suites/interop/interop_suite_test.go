package interop_test

import (
	"testing"

	"github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/suites/interop"
	"github.com/etalon-sante/etalon/suites/run/suitetest"
)

// The same specs as the shipped binary runs, for people who know Ginkgo: they
// observe the bundled reference service, once, and judge what was recorded.
func TestInteropSuite(t *testing.T) {
	l := suitetest.Declare("interop", interop.Specs)
	ginkgo.RunSpecs(t, "interop", ginkgo.AroundNode(l.AroundLeaf))
}

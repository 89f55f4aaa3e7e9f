package governance_test

import (
	"testing"

	"github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/suites/governance"
	"github.com/etalon-sante/etalon/suites/run/suitetest"
)

// The same specs as the shipped binary runs, for people who know Ginkgo: they
// observe the bundled reference service, once, and judge what was recorded.
func TestGovernanceSuite(t *testing.T) {
	l := suitetest.Declare("governance", governance.Specs)
	ginkgo.RunSpecs(t, "governance", ginkgo.AroundNode(l.AroundLeaf))
}

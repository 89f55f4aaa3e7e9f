package ethics_test

import (
	"testing"

	"github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/suites/ethics"
	"github.com/etalon-sante/etalon/suites/run/suitetest"
)

// The same specs as the shipped binary runs, for people who know Ginkgo: they
// observe the bundled reference service, once, and judge what was recorded.
func TestEthicsSuite(t *testing.T) {
	l := suitetest.Declare("ethics", ethics.Specs)
	ginkgo.RunSpecs(t, "ethics", ginkgo.AroundNode(l.AroundLeaf))
}

package security_test

import (
	"testing"

	"github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/suites/run/suitetest"
	"github.com/etalon-sante/etalon/suites/security"
)

// The same specs as the shipped binary runs, for people who know Ginkgo: they
// observe the bundled reference service, once, and judge what was recorded.
func TestSecuritySuite(t *testing.T) {
	l := suitetest.Declare("security", security.Specs)
	ginkgo.RunSpecs(t, "security", ginkgo.AroundNode(l.AroundLeaf))
}

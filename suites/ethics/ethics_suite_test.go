package ethics_test

import (
	"testing"

	"github.com/etalon-sante/etalon/suites/ethics"
	"github.com/etalon-sante/etalon/suites/run/suitetest"
)

// The same specs as the shipped binary runs, for people who know Ginkgo: they
// observe the bundled reference service, once, and judge what was recorded.
func TestEthicsSuite(t *testing.T) { suitetest.Run(t, "ethics", ethics.Specs) }

// Package suitetest runs one suite under `go test` or `ginkgo`, on the bundled
// reference service. The first process observes, the others read what it
// recorded; -p, --focus and --label-filter work as usual. A leaf that is not
// conformant fails there, an untested one too; one that does not concern the
// reference service is skipped.
package suitetest

import (
	"context"
	"flag"
	"os"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/extensions/globals"
	"github.com/onsi/gomega"

	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// Declare declares a suite's specs, and that they are observed before they run.
// The lab's AroundLeaf goes to RunSpecs as a suite-level AroundNode. The caller
// runs them himself: the ginkgo command takes a package for a suite, and passes
// its flags, only when its tests import Ginkgo.
func Declare(name string, specs func(*lab.Lab)) *lab.Lab {
	if !underGinkgo() {
		// Tests of single leaves may have built trees in this process. Under the
		// ginkgo command they do not run: a reset would lose its flags.
		globals.Reset()
	}
	gomega.RegisterFailHandler(ginkgo.Fail)
	l := lab.New()
	specs(l)
	var folder string // of the first process, which alone removes it
	ginkgo.SynchronizedBeforeSuite(func(ctx context.Context) []byte {
		dir, err := os.MkdirTemp("", "etalon-"+name+"-")
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		gomega.Expect(observe(ctx, dir, l)).To(gomega.Succeed())
		folder = dir
		return []byte(dir)
	}, func(_ context.Context, dir []byte) {
		rec, err := run.ReadFolder(string(dir))
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		gomega.Expect(l.Load(rec.Records, lab.Oracle{Candidate: rec.Candidate})).To(gomega.Succeed())
		// Pages are not shown here: the self-test does that, and several of what is
		// judged of them waits for a person.
		missing := run.MissingTools(run.Tools{Schema: run.OwnSchema})
		for check, why := range missing {
			ginkgo.GinkgoWriter.Printf("%s is not judged: %s\n", check, why.EN)
		}
		concerned, err := run.Concerned(rec.Candidate)
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		l.Judging(func(check string) bool { return concerned[check] && missing[check] == (lab.Text{}) }, func(string) lab.Text { return lab.Text{FR: "pas d'occasion", EN: "no occasion"} })
	})
	ginkgo.SynchronizedAfterSuite(func() {}, func() { _ = os.RemoveAll(folder) })
	return l
}

// underGinkgo says whether the ginkgo command started this process: it always
// gives a seed.
func underGinkgo() bool {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "ginkgo.seed" })
	return given
}

// observe runs every scenario of a suite on the reference service.
func observe(ctx context.Context, dir string, l *lab.Lab) error {
	s, err := demo.Start(ctx, demo.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	folder, err := run.CreateFolder(dir)
	if err != nil {
		return err
	}
	return run.ObserveOnly(ctx, folder, s.Manifest, s.Roots, s.Resolver, l)
}

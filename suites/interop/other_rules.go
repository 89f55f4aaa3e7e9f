package interop

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// otherRules are the net under the checks that name a rule: what the sandbox
// remarks under a rule that none of them reads is found here. A rule that is new in
// the sandbox cannot go unseen.
func otherRules(l *Lab) {
	named := func(slugs ...string) []*Scenario {
		var out []*Scenario
		for _, slug := range slugs {
			out = append(out, l.Lookup(slug))
		}
		return out
	}
	feeds := named("feed-nominal", "feed-device", "feed-dates")
	for _, k := range kinds() {
		feeds = append(feeds, l.Lookup("feed-"+k.name))
	}
	fed := named("document-feed")
	searches := named("search-range", "search-last", "search-paged", "search-mixed")
	listings := named("document-search")

	Describe("Every message", func() {
		It("breaks no other rule when it feeds a measure", Check("INT-196.1"), Free(), Reads(feeds...), func() {
			Expect(Together(feeds...).Requests(record.RouteFeedMeasure).Occasion()).NotTo(HaveOtherIssue("feed.", feedRules()...))
		})
		It("breaks no other rule when it feeds a document", Check("INT-197.1"), Free(), Reads(fed...), func() {
			Expect(Together(fed...).Requests(record.RouteFeedDocument).Occasion()).NotTo(HaveOtherIssue("document.", documentRules()...))
		})
		It("searches measures by parameters that the API knows", Check("INT-198.1"), Free(), Reads(searches...), func() {
			Expect(Together(searches...).Requests(record.RouteSearchMeasures).Occasion()).NotTo(HaveIssue("search.unknown-parameter"))
		})
		It("lists documents by parameters that the API knows, well formed", Check("INT-199.1"), Free(), Reads(listings...), func() {
			Expect(Together(listings...).Requests(record.RouteSearchDocuments).Occasion()).NotTo(HaveIssue(
				"docsearch.category", "docsearch.date", "docsearch.count", "docsearch.unknown-parameter"))
		})
	})
}

// feedRules are the rules about feeds that other checks read.
func feedRules() []string {
	return []string{
		"feed.json", "feed.bundle-type", "feed.entries", "feed.method", "feed.full-url", "feed.request-url", "feed.profile", "feed.subject",
		"feed.status", "feed.category", "feed.code", "feed.effective", "feed.quantity", "feed.value", "feed.source", "feed.binding", "feed.unit",
		"feed.component", "feed.moment-missing", "feed.moment-forbidden", "feed.days-missing", "feed.days-forbidden", "feed.device-link",
		"feed.if-none-exist", "feed.device-profile", "feed.device-type", "feed.device-specialization",
		"feed.bmi", // that none is fed is seen from what is fed
	}
}

// documentRules are the rules about documents that other checks read.
func documentRules() []string {
	return []string{"document.category", "document.json", "document.attachment", "document.format", "document.size", "document.hash"}
}

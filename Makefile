# Two commands for everyone: `make run` and `make test`. The rest serves those
# who develop étalon.
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  = -s -w -X main.version=$(VERSION)
FUZZTIME ?= 30s

.PHONY: run test build deps check lint bench fuzz selftest blindspots golden dist clean help

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: deps build ## judge the bundled reference service; its report is in report/
	./bin/etalon demo --browser auto --out report

test: deps build ## run every test; what could not run is said at the end
	@sh .ci/test

build: ## build bin/etalon, a static binary
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/etalon ./cmd/etalon

deps: ## install what is lacking when that is allowed, else say what and how
	@sh .ci/deps

check: ## formatting, vet and the house's own rules, without the slow tests
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) test -short ./...

lint: ## what golangci-lint finds, when it is installed
	golangci-lint run

bench: ## measure what ARCHITECTURE.md gives budgets for
	$(GO) test -run '^$$' -bench . -benchtime 2s ./sandbox/... ./suites/... ./reports/... ./cmd/...

fuzz: ## try each parser of outside bytes for FUZZTIME
	@for p in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -h '^func Fuzz' $$p/*_test.go | sed 's/func \(Fuzz[A-Za-z0-9]*\).*/\1/'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

selftest: build ## the kill matrix: every flaw caught by its own check
	./bin/etalon selftest

blindspots: build ## write the pages on what the harness does not see
	./bin/etalon selftest --mutate --pages docs

golden: ## write the golden files anew; read the difference before committing it
	$(GO) test ./reports/html ./reports/junit ./reports/markdown ./reports/compare ./reports/repeat ./reports/sarif ./reports/earl ./reports/testreport ./suites/candidate -update

dist: deps ## make what a release consists of, the same bytes from the same sources: build/dist
	$(GO) run ./cmd/dist --version '$(VERSION)' --out build/dist

clean:
	rm -rf bin build report

# Sira: `make help` lists what there is.
.PHONY: help demo build test quick ui release screens bench-dicom bench-codecs bench-sfu clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

demo: ## run the platform with demo data on this machine
	go run ./cmd/sira demo

build: ## build bin/sira for this machine
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o bin/sira ./cmd/sira

test: ## install what is missing, then run every check and test
	@.ci/test.sh

quick: ## Go tests alone, without servers, browser or race detector
	go vet ./... && go test ./...

ui: ## rebuild web/dist from web/ui (needs Node)
	cd web/ui && npm ci --no-audit --no-fund && npm run build

release: ## cross-build release/ for amd64, arm64 and armv7, with checksums
	.ci/release.sh release

screens: ## take the screenshots of docs/screens with a real Chromium
	.ci/install.sh && cd web/e2e && node screens.mjs

bench-dicom: ## measure the DICOM side beside Debian's Orthanc, into docs/benchmarks.md (half an hour)
	go run ./cmd/bench-dicom -doc docs/benchmarks.md

bench-codecs: ## measure the image codecs beside native tools, into docs/benchmarks.md (five minutes)
	go run ./cmd/bench-codecs -doc docs/benchmarks.md

bench-sfu: ## measure calls over thin links beside LiveKit, into docs/benchmarks.md (Linux, root; four hours)
	go run ./cmd/bench-sfu -doc docs/benchmarks.md

clean: ## remove what the targets made
	rm -rf bin release sira-demo web/ui/node_modules web/e2e/node_modules cmd/bench-sfu/driver/node_modules

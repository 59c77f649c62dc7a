# The verbs of the project. The work is in scripts/, one file each.
# RUN_DIR is where `.env` and the data directory live; tests point it elsewhere.

.PHONY: help env rust_local serve test soak contract fuzz bench check fmt release deb sbom reproducible

help: ## show this list
	@awk -F ':.*## ' '/^[a-z_]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

env: ## create .env for the quickstart, unless there is one
	@scripts/make-env.sh

rust_local: ## build and start Citadel and the quickstart; Ctrl-C stops both
	@scripts/rust-local.sh

serve: ## start Citadel alone
	@cargo run --package citadel-cli --bin citadel -- serve

test: ## install the test tools, then run every check and test
	@scripts/test.sh

soak: ## the tests that kill, cut off and measure the server; under 40 minutes. TESTS="p38 p36" for some
	@scripts/soak.sh $(TESTS)

contract: ## call every operation of the API document with made-up requests; CASES=1000 for as many of each
	@scripts/schemathesis.sh

fuzz: ## throw bytes at everything that strangers' bytes reach; SECONDS_EACH=60 for each target
	@scripts/fuzz.sh

bench: ## measure what a verification costs, next to yardsticks; under 10 minutes on a quiet machine
	@cargo build --release --package citadel-cli --bin citadel
	@cargo run --release --package citadel-bench -- all

check: ## format, lints, documentation, licences: everything but the tests
	@scripts/check.sh

fmt: ## format the code
	@cargo fmt --all

release: ## build the server as it is shipped, with its bill of materials
	@cargo build --release --locked --package citadel-cli --bin citadel
	@scripts/make-sbom.py

deb: ## make the Debian package of the server, in target/debian
	@scripts/make-deb.sh

sbom: ## write the bill of materials of the server to target/citadel.cdx.json
	@scripts/make-sbom.py

reproducible: ## build the server twice and compare; takes two release builds
	@scripts/reproducible.sh

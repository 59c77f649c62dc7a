#!/usr/bin/env bash
# Everything that must hold before a change lands. `.ci/run` calls exactly this through `make test`.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A pending snapshot or a skipped Postgres test is a failure here, not a note.
export INSTA_UPDATE=no
export CITADEL_TEST_REQUIRE_POSTGRES=1

stage() {
  local name=$1 start=$SECONDS
  shift
  echo "== $name"
  "$@" || {
    echo "== $name: failed after $((SECONDS - start)) s" >&2
    exit 1
  }
  echo "== $name: $((SECONDS - start)) s"
}

rust_tests() {
  if cargo nextest --version > /dev/null 2>&1; then
    scripts/with-postgres.sh cargo nextest run --workspace --no-fail-fast
  else
    scripts/with-postgres.sh cargo test --workspace --all-targets --no-fail-fast
  fi
}

supply_chain() {
  scripts/supply-chain.sh || return
  scripts/make-sbom.py
}

# One file at a time: each starts a server, a sample app and a browser.
browser_tests() {
  local file failed=0
  SCREENSHOT_DIR=$(mktemp -d "${TMPDIR:-/tmp}/citadel-screenshots.XXXXXX")
  export SCREENSHOT_DIR
  for file in tests/browser/*.test.mjs; do
    echo "-- $file"
    node --test "$file" || failed=1
  done
  echo "screenshots: $SCREENSHOT_DIR"
  return "$failed"
}

# The examples are copied into other projects, so they run as they would there: on the program alone.
example_program() {
  cargo build --quiet --package citadel-cli --bin citadel || return
  CITADEL_BIN=$(cargo metadata --format-version 1 --no-deps --offline |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/debug/citadel
  export CITADEL_BIN
}

python_example() {
  example_program || return
  python3 -W error -m unittest discover --start-directory examples/testing/python
}

# Its own package.json installs the same compiler; here it comes with the other test tools.
typescript_example() {
  example_program || return
  tests/node_modules/.bin/tsc --project examples/testing/typescript --typeRoots tests/node_modules/@types || return
  node --test examples/testing/typescript/dist/income.test.js
}

stage "test tools" scripts/install-test-tools.sh
stage "format" cargo fmt --all --check
stage "lints" cargo clippy --workspace --all-targets --quiet -- --deny warnings
stage "supply chain" supply_chain
stage "unit and integration tests, SQLite and Postgres" rust_tests
stage "documentation examples" cargo test --workspace --doc --quiet
stage "example tests, Python" python_example
stage "example tests, TypeScript" typescript_example
stage "bridge loader" node --test tests/bridge/*.test.mjs
stage "browser" browser_tests
echo "== all stages passed in $SECONDS s"

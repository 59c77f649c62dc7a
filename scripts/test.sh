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

stage "test tools" scripts/install-test-tools.sh
stage "format" cargo fmt --all --check
stage "lints" cargo clippy --workspace --all-targets --quiet -- --deny warnings
stage "unit and integration tests, SQLite and Postgres" rust_tests
stage "documentation examples" cargo test --workspace --doc --quiet
stage "bridge loader" node --test tests/bridge/*.test.mjs
stage "browser" browser_tests
echo "== all stages passed in $SECONDS s"

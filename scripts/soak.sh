#!/usr/bin/env bash
# The tests that kill, cut, fill up and measure for minutes, and a table of what they found. Exit code 1 if anything failed.
#
#   scripts/soak.sh          all of them
#   scripts/soak.sh p38 p36  those with this in their names
#
# CITADEL_SOAK_SCALE=0.1 makes every figure a tenth; single figures have variables of their own (docs/soak.md).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Each writes a row of the table.
all='test(soak) or test(timing)'
wanted=$all
if [ "$#" -gt 0 ]; then
  names=$(printf ' or test(%s)' "$@")
  wanted="($all) and (${names# or })"
fi

report=$(mktemp "${TMPDIR:-/tmp}/citadel-soak.XXXXXX")
trap 'rm -f "$report"' EXIT
export CITADEL_SOAK_REPORT=$report
export CITADEL_TEST_REQUIRE_POSTGRES=1

# The program is killed as it is shipped, so it is built beside the tests and with the same features.
packages=(--package citadel-server --package citadel-cli --features citadel-server/soak,citadel-cli/soak)
cargo nextest run "${packages[@]}" --no-run
target=$(cargo metadata --format-version 1 --no-deps --offline | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
export CITADEL_BIN=$target/debug/citadel

status=0
# One at a time, because they measure; and what they say as they go is shown.
scripts/with-postgres.sh cargo nextest run "${packages[@]}" -E "$wanted" --no-capture --no-fail-fast || status=1

echo
sort -V "$report" | awk -F '\t' '
  { row[NR] = $0; for (i = 1; i <= NF; i++) if (length($i) > width[i]) width[i] = length($i) }
  $5 != "pass" { failed++ }
  END {
    for (n = 1; n <= NR; n++) {
      fields = split(row[n], field, "\t")
      for (i = 1; i <= fields; i++) printf "%-*s%s", width[i], field[i], i < fields ? "  " : "\n"
    }
    printf "%d lines, %d failed\n", NR, failed
    exit failed > 0
  }
' || status=1
[ "$status" -eq 0 ] || echo "a soak test failed: see above" >&2
echo "soak: $((SECONDS / 60)) min $((SECONDS % 60)) s"
exit "$status"

#!/usr/bin/env bash
# Runs every fuzz target under libFuzzer (P63), for SECONDS_EACH seconds each, or those that are named:
#
#   scripts/fuzz.sh
#   SECONDS_EACH=28800 scripts/fuzz.sh scenario document
#
# An input that crashes, takes over a second or needs over 2 GiB ends the run; keep it as a file in fuzz/seeds/TARGET, and the
# tests hold it from then on. What was found to lead to new places is kept in the target directory for the next run. Stable Rust
# is enough: there is no `unsafe` for a sanitizer to watch. `cargo fuzz` finds the same targets.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$(cargo metadata --format-version 1 --no-deps --offline |
  sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
host=$(rustc -vV | sed -n 's/^host: //p')
targets=("$@")
if [ "${#targets[@]}" -eq 0 ]; then
  for file in fuzz/fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi

# Naming the machine's own target keeps these flags from build scripts.
RUSTFLAGS="--cfg fuzzing -C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=3 \
  -C llvm-args=-sanitizer-coverage-inline-8bit-counters -C llvm-args=-sanitizer-coverage-pc-table \
  -C llvm-args=-sanitizer-coverage-trace-compares -C codegen-units=16" \
  CARGO_TARGET_DIR="$target/fuzz" \
  cargo build --quiet --release --locked --manifest-path fuzz/Cargo.toml --target "$host"

failed=()
for name in "${targets[@]}"; do
  corpus=$target/fuzz/corpus/$name
  artifacts=$target/fuzz/artifacts/$name
  log=$target/fuzz/$name.log
  mkdir -p "$corpus" "$artifacts"
  if "$target/fuzz/$host/release/$name" -max_total_time="${SECONDS_EACH:-60}" -timeout=1 -rss_limit_mb=2048 -max_len=65536 \
    -print_final_stats=1 -artifact_prefix="$artifacts/" "$corpus" "fuzz/seeds/$name" > "$log" 2>&1; then
    echo "== $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs," \
      "$(sed -n 's/^stat::new_units_added: *//p' "$log") of them led to new places," \
      "$(sed -n 's/^stat::peak_rss_mb: *//p' "$log") MB at the most"
  else
    echo "== $name: failed" >&2
    tail -n 40 "$log" >&2
    failed+=("$name")
  fi
done
if [ "${#failed[@]}" -gt 0 ]; then
  echo "failed: ${failed[*]}; the inputs are in $target/fuzz/artifacts" >&2
  exit 1
fi

#!/usr/bin/env bash
# Builds the server twice, in two folders and from nothing, and compares (P62). PROFILE names another profile than release.
#
# Where the sources and the libraries lie is kept out of the program, so the same commit and the same Rust give the same bytes
# on another machine of the same kind.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

profile=${PROFILE:-release}
dir=$(mktemp -d "${TMPDIR:-/tmp}/citadel-reproducible.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for name in first second; do
  # The second has another path of another length.
  sources=$dir/$name/sources
  mkdir -p "$sources"
  git archive HEAD | tar --extract --directory "$sources"
  (
    cd "$sources"
    # C code is told the same by its own flags.
    RUSTFLAGS="--remap-path-prefix=$sources=/citadel --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" \
      CFLAGS="-ffile-prefix-map=$sources=/citadel -ffile-prefix-map=${CARGO_HOME:-$HOME/.cargo}=/cargo -ffile-prefix-map=$dir/$name=/build" \
      CARGO_TARGET_DIR="$dir/$name/target" CARGO_INCREMENTAL=0 \
      cargo build --quiet --locked --profile "$profile" --package citadel-cli --bin citadel
  )
  mv "$dir/$name/target/$profile/citadel" "$dir/$name.program"
  rm -rf "${dir:?}/$name"
  sha256sum "$dir/$name.program" | sed "s| .*|  $name build|"
done
cmp "$dir/first.program" "$dir/second.program"
echo "two builds, one hash"

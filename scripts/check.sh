#!/usr/bin/env bash
# Everything that can be said about the code without running it.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo fmt --all --check
cargo clippy --workspace --all-targets --quiet -- --deny warnings
# Private items are documented too, so links to them are right.
RUSTDOCFLAGS="--deny warnings --allow rustdoc::private_intra_doc_links" cargo doc --workspace --no-deps --document-private-items --quiet
if cargo deny --version > /dev/null 2>&1; then
  cargo deny check bans licenses sources
else
  echo "Skipped bans, licences and sources. To check them too: cargo install --locked cargo-deny" >&2
fi

#!/usr/bin/env bash
# Everything that can be said about the code without running it.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo fmt --all --check
cargo clippy --workspace --all-targets --quiet -- --deny warnings
# Private items are documented too, so links to them are right.
RUSTDOCFLAGS="--deny warnings --allow rustdoc::private_intra_doc_links" cargo doc --workspace --no-deps --document-private-items --quiet
scripts/supply-chain.sh

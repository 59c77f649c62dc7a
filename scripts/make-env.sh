#!/usr/bin/env bash
# Creates the quickstart's `.env` from its template. An existing file is never touched.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "${RUN_DIR:-$root}"

if [ -e .env ]; then
  echo "$PWD/.env exists and stays as it is."
  exit 0
fi
# noclobber makes the test and the creation one step; the mask keeps the secret to its owner.
umask 077
set -o noclobber
cat "$root/crates/citadel-quickstart/env.template" > .env
echo "Created $PWD/.env. Empty keys are filled by \`make rust_local\`."

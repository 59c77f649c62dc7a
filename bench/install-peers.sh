#!/usr/bin/env bash
# Installs what `citadel-bench peers` runs: tools from npm and PyPI into bench/peers, and from Debian what they need and is
# missing. Run it again at any time; it does only what is left.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/peers"

has() { command -v "$1" > /dev/null; }

missing=()
has node || missing+=(nodejs)
has npm || missing+=(npm)
has java || missing+=(default-jre-headless)
has wrk || missing+=(wrk)
python3 -c 'import ensurepip' 2> /dev/null || missing+=(python3-venv)

if [ "${#missing[@]}" -gt 0 ]; then
  if has apt-get && [ "$(id -u)" -eq 0 ]; then
    echo "Installing ${missing[*]} from Debian"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  else
    echo "Missing, and only root may install them: ${missing[*]}. Peers that need them are left out." >&2
  fi
fi

if ! has npm; then
  echo "No npm: Prism, Mockoon, Express, mountebank and WireMock are left out." >&2
# npm writes this file at the end of a complete installation.
elif [ node_modules/.package-lock.json -nt package-lock.json ]; then
  echo "The tools from npm are there."
else
  echo "Installing Prism, Mockoon, Express, mountebank and WireMock into $PWD/node_modules"
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
fi

# The copy is made at the end of a complete installation.
if cmp -s requirements.txt venv/requirements.txt; then
  echo "Flask and gunicorn are there."
elif ! python3 -c 'import ensurepip' 2> /dev/null; then
  echo "No Python with venv: Flask and gunicorn are left out." >&2
else
  echo "Installing Flask and gunicorn into $PWD/venv"
  python3 -m venv --clear venv
  venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
  cp requirements.txt venv/requirements.txt
fi

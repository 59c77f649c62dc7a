#!/usr/bin/env bash
# Installs what the tests need and is missing: Chromium, PostgreSQL, Node.js, Python with pip, strace, iproute2, Beancount and hledger
# from Debian, and playwright-core and the TypeScript compiler from npm. Says what to install by hand where it cannot.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

has() { command -v "$1" > /dev/null; }

has_postgres() {
  # It does not run as root; Debian's package brings the user that it runs as.
  [ "$(id -u)" -ne 0 ] || id postgres > /dev/null 2>&1 || return 1
  { has initdb && has postgres && has pg_ctl; } || compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null
}

missing=()
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || missing+=(chromium fonts-liberation)
has_postgres || missing+=(postgresql)
has node || missing+=(nodejs)
has npm || missing+=(npm)
has python3 || missing+=(python3)
python3 -m pip --version > /dev/null 2>&1 || missing+=(python3-pip)
has strace || missing+=(strace)
has unshare || missing+=(util-linux)
has ip || missing+=(iproute2)
has bean-check || missing+=(beancount)
has hledger || missing+=(hledger)
has dpkg-deb || missing+=(dpkg)

if [ "${#missing[@]}" -gt 0 ]; then
  if [ "$(id -u)" -eq 0 ]; then
    as_root=(env DEBIAN_FRONTEND=noninteractive)
  elif has sudo; then
    as_root=(sudo env DEBIAN_FRONTEND=noninteractive)
  else
    as_root=()
  fi
  if ! has apt-get || [ "${#as_root[@]}" -eq 0 ]; then
    echo "The tests need these Debian packages or their likes; install them and run again: ${missing[*]}" >&2
    exit 1
  fi
  echo "Installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

# npm writes this file at the end of a complete installation.
if [ ! tests/node_modules/.package-lock.json -nt tests/package-lock.json ]; then
  npm ci --prefix tests --ignore-scripts --no-audit --no-fund
fi

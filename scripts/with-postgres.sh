#!/usr/bin/env bash
# Runs a command with CITADEL_TEST_DATABASE_URL set to a Postgres of its own, which is gone afterwards:
#
#   scripts/with-postgres.sh cargo nextest run
#
# Where the variable is set already, that server is used and left alone. Its role must be allowed to create databases, be
# a member of pg_signal_backend (to drop a database that autovacuum is in), and be no superuser: superusers pass row-level
# security.
set -euo pipefail

if [ "$#" -eq 0 ]; then
  echo "usage: $0 COMMAND [ARGUMENT...]" >&2
  exit 2
fi
if [ -n "${CITADEL_TEST_DATABASE_URL:-}" ]; then
  exec "$@"
fi

# Debian keeps the server's programs out of PATH, in one folder per version.
if command -v initdb > /dev/null && command -v postgres > /dev/null && command -v pg_ctl > /dev/null; then
  bin=$(dirname "$(command -v initdb)")
else
  newest=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1 || true)
  bin=${newest%/initdb}
fi
if [ -z "$bin" ]; then
  echo "PostgreSQL was not found: install the package postgresql (15 or newer), or set CITADEL_TEST_DATABASE_URL." >&2
  exit 1
fi

# A short path, because the name of a socket has at most 107 bytes.
dir=$(mktemp -d /tmp/citadel-postgres.XXXXXX)
as_owner=()
# PostgreSQL does not run as root.
if [ "$(id -u)" -eq 0 ]; then
  if ! id postgres > /dev/null 2>&1; then
    rm -rf "$dir"
    echo "PostgreSQL does not run as root and there is no user postgres: run this as another user." >&2
    exit 1
  fi
  chown postgres "$dir"
  as_owner=("$(command -v runuser || echo /usr/sbin/runuser)" -u postgres --)
fi

sync=${CITADEL_TEST_SYNC:-off}
stop() {
  if [ -f "$dir/data/postmaster.pid" ]; then
    (cd "$dir" && "${as_owner[@]}" "$bin/pg_ctl" --pgdata="$dir/data" --mode=immediate --silent stop) || true
  fi
  rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Nothing here must survive a crash, so nothing waits for the disk, unless CITADEL_TEST_SYNC=on asks for it. It listens on
# a socket in its own folder and on no port, so that any number of these run side by side.
if ! (
  cd "$dir"
  "${as_owner[@]}" "$bin/initdb" --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync
  # Not the superuser: it passes the row-level security that the tests are about.
  "${as_owner[@]}" "$bin/postgres" --single -D data postgres <<< "create role citadel login createdb in role pg_signal_backend"
  "${as_owner[@]}" "$bin/pg_ctl" --pgdata=data --log=log --silent --wait --timeout=60 start --options="\
    -c listen_addresses='' -c unix_socket_directories='$dir' -c max_connections=200 -c fsync='$sync' \
    -c synchronous_commit='$sync' -c full_page_writes='$sync'"
) > "$dir/out" 2>&1; then
  echo "PostgreSQL did not start:" >&2
  cat "$dir/out" >&2
  [ ! -f "$dir/log" ] || cat "$dir/log" >&2
  exit 1
fi

status=0
CITADEL_TEST_DATABASE_URL="postgres://citadel@${dir//\//%2F}/postgres" "$@" || status=$?
exit "$status"

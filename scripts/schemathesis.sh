#!/usr/bin/env bash
# Calls every operation of the API document with made-up requests, good and bad, and checks each answer against the document
# (P48). CASES is how many requests of a kind are made for an operation; further arguments go to schemathesis:
#
#   scripts/schemathesis.sh
#   CASES=1000 scripts/schemathesis.sh
#   scripts/schemathesis.sh --include-operation-id create_order
#
# CITADEL_BIN is the program, if it shall not be built. Schemathesis is put into the target directory at the first run. It has a server of its own, which is gone afterwards.
set -euo pipefail

version=4.32.5
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ -n "${CITADEL_BIN:-}" ] || cargo build --quiet --package citadel-cli --bin citadel
target=$(cargo metadata --format-version 1 --no-deps --offline |
  sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
tool=$target/schemathesis-$version
if [ ! -x "$tool/bin/schemathesis" ]; then
  python3 -m venv "$tool" || {
    echo "Python has no venv: install the package python3-venv and run this again." >&2
    exit 1
  }
  "$tool/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/citadel-schemathesis.XXXXXX")
server=
stop() {
  # The end of its standard input stops the server.
  exec 7>&- || true
  [ -z "$server" ] || wait "$server" || true
  rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkfifo "$dir/stdin"
CITADEL_RATE_LIMIT=0 CITADEL_LOG=${CITADEL_LOG:-error} "${CITADEL_BIN:-$target/debug/citadel}" serve --ephemeral --print-env --stop-with-stdin \
  < "$dir/stdin" > "$dir/env" 2> "$dir/log" &
server=$!
exec 7> "$dir/stdin"
until grep -q '^CITADEL_READY=1' "$dir/env"; do
  kill -0 "$server" 2> /dev/null || {
    cat "$dir/log" >&2
    exit 1
  }
  sleep 0.1
done
. "$dir/env"

export API_URL API_CLIENT_ID API_SECRET
CITADEL_KNOWN=$(python3 tests/schemathesis/prepare.py)
export CITADEL_KNOWN

# It keeps notes in the working directory, which would make the next run another one.
run() (
  here=$PWD
  cd "$dir"
  SCHEMATHESIS_HOOKS=$here/tests/schemathesis/hooks.py "$tool/bin/schemathesis" \
    --config-file "$here/tests/schemathesis/schemathesis.toml" run "${API_URL%/v1/}/openapi.json" \
    --max-examples "${CASES:-30}" --seed "${SEED:-1}" --workers "${WORKERS:-2}" --continue-on-failure "$@"
)

status=0
# A stream has no end that could be waited for. A reset, and a clock that was turned far, come after the rest.
last=(reset_sandbox turn_sandbox_clock)
if [ "$#" -gt 0 ]; then
  run "$@" || status=$?
else
  run --exclude-operation-id stream_events "${last[@]/#/--exclude-operation-id=}" || status=$?
  run "${last[@]/#/--include-operation-id=}" || status=$?
fi
if [ -s "$dir/log" ]; then
  echo "The server logged errors:" >&2
  tail -n 50 "$dir/log" >&2
  [ "$status" -ne 0 ] || status=1
fi
exit "$status"

#!/usr/bin/env bash
# Builds Citadel and the quickstart, starts both, and stops both together: on Ctrl-C, on SIGTERM, and
# when either of them ends by itself. Needs bash and cargo, nothing else.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
listen=${CITADEL_LISTEN:-127.0.0.1:8700}
dashboard=${CITADEL_DASHBOARD_LISTEN:-127.0.0.1:8701}
metrics=${CITADEL_METRICS_LISTEN:-127.0.0.1:8702}
data_dir=${CITADEL_DATA_DIR:-./data}
server= quickstart= log= sleeper=
# Both programs are on this machine, and the quickstart is told a plain address.
unset CITADEL_TLS_CERT CITADEL_TLS_KEY

fail() {
  echo "rust_local: $1" >&2
  exit 1
}

# The value of a key in `.env`, without its quotes; empty when it is not there.
setting() {
  local line
  line=$(grep -E "^[[:space:]]*(export[[:space:]]+)?$1=" .env | head -n 1) || true
  line=${line#*=}
  line=${line%%[[:space:]]#*}
  line=${line//[\"\']/}
  echo "${line//[[:space:]]/}"
}

# A host that listens everywhere is reached by its loopback address.
reachable() {
  case $1 in
    0.0.0.0:*) echo "127.0.0.1:${1##*:}" ;;
    '[::]:'*) echo "[::1]:${1##*:}" ;;
    *) echo "$1" ;;
  esac
}

# Whether something accepts connections at HOST:PORT.
answers() {
  local host=${1%:*}
  host=${host#[}
  (exec 3<>"/dev/tcp/${host%]}/${1##*:}") 2>/dev/null
}

is_healthy() {
  local host=${1%:*} status=
  host=${host#[}
  (
    exec 3<>"/dev/tcp/${host%]}/${1##*:}"
    printf 'GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$1" >&3
    read -r -t 2 status <&3
    [[ $status == "HTTP/1.1 200"* ]]
  ) 2>/dev/null
}

runs() { kill -0 "$1" 2>/dev/null; }

# A foreground `sleep` would hold up the signals; a waited-for one does not.
pause() {
  sleep "$1" &
  sleeper=$!
  wait "$sleeper" || true
}

stop() {
  local pid
  trap '' INT TERM HUP
  for pid in $sleeper $quickstart $server; do kill -TERM "$pid" 2>/dev/null || true; done
  [ -z "$sleeper" ] || wait "$sleeper" 2>/dev/null || true
  for _ in $(seq 100); do
    { [ -n "$quickstart" ] && runs "$quickstart"; } || { [ -n "$server" ] && runs "$server"; } || return 0
    pause 0.1
  done
  for pid in $quickstart $server; do kill -KILL "$pid" 2>/dev/null || true; done
}

# Ends with the status of a child that ended by itself. A child that ended well still leaves half a
# product behind, so that is a failure too.
child_ended() {
  local status=0
  wait "$2" || status=$?
  echo "rust_local: $1 ended by itself (exit status $status); stopping." >&2
  [ "$1" = quickstart ] || show_log
  [ "$status" -ne 0 ] || status=1
  exit "$status"
}

show_log() {
  echo "The last lines of $log:" >&2
  tail -n 20 "$log" >&2
}

# A signal often comes twice: to the whole group, and once more from make. The second must not cut the end short.
on_signal() {
  trap '' INT TERM HUP
  exit "$1"
}

trap stop EXIT
trap 'on_signal 130' INT
trap 'on_signal 143' TERM
trap 'on_signal 129' HUP

cd "$root"
"$root/scripts/make-env.sh"
cargo build --package citadel-cli --bin citadel --package citadel-quickstart --bin quickstart
target=$(cargo metadata --format-version 1 --no-deps --offline |
  sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
cd "${RUN_DIR:-$root}"

# Asked before anything is started: a Citadel that already runs there would answer in our place.
for name in CITADEL_LISTEN:$listen CITADEL_DASHBOARD_LISTEN:$dashboard CITADEL_METRICS_LISTEN:$metrics; do
  if answers "$(reachable "${name#*:}")"; then
    fail "${name#*:} is already in use: stop what listens there, or set ${name%%:*} to another address."
  fi
done

if [ -z "${API_CLIENT_ID:-$(setting API_CLIENT_ID)}" ] && [ -z "${API_SECRET:-$(setting API_SECRET)}" ]; then
  "$target/debug/citadel" client create --name quickstart --write-env .env
fi

(umask 077 && mkdir -p "$data_dir" && : > "$data_dir/citadel.log") ||
  fail "cannot write to the data directory $data_dir: make it writable, or set CITADEL_DATA_DIR to another one."
log=$data_dir/citadel.log
"$target/debug/citadel" serve > "$log" 2>&1 &
server=$!
for _ in $(seq 300); do
  runs "$server" || child_ended citadel "$server"
  is_healthy "$(reachable "$metrics")" && break
  pause 0.1
done
if ! is_healthy "$(reachable "$metrics")"; then
  show_log
  fail "Citadel did not become healthy within 30 seconds."
fi
echo "Citadel is at http://$(reachable "$listen"), its log in $log"
# The server says where; what it says is in its log.
grep -E '^  dashboard ' "$log" | sed 's/^  dashboard  */Dashboard: /' || true
if grep -q '^  set-up code ' "$log"; then
  echo "Its set-up code, good once and for an hour: cat $data_dir/setup-code"
fi

# The quickstart's own default is Citadel's default address.
if [ "$listen" != 127.0.0.1:8700 ] && [ -z "${API_URL:-$(setting API_URL)}" ]; then
  export API_URL="http://$(reachable "$listen")/v1/"
fi
"$target/debug/quickstart" &
quickstart=$!

while true; do
  runs "$quickstart" || child_ended quickstart "$quickstart"
  runs "$server" || child_ended citadel "$server"
  pause 0.5
done

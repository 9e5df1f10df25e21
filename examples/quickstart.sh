#!/usr/bin/env bash
# From a clean clone to a gateway that answers: installs what is missing, builds sluiced, starts it on four simulated
# upstreams and one that is down (examples/quickstart/gateway.json) and talks to it with curl. No key and, beyond the
# packages, no network.
#
#   bash examples/quickstart.sh            shows it all and leaves nothing running
#   bash examples/quickstart.sh --serve    the same, then keeps serving until Ctrl-C (SLUICE_LISTEN chooses the address)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=cmake/debian.sh
. cmake/debian.sh

serve=no
case "${1-}" in
"") ;;
--serve) serve=yes ;;
*) echo "usage: bash examples/quickstart.sh [--serve]" >&2; exit 2 ;;
esac

build=$root/build/quickstart
logs=$build/logs
mkdir -p "$logs"
start=$EPOCHREALTIME
number=0 log=/dev/null pid=""

elapsed() { local now=$EPOCHREALTIME; local us=$((${now/[.,]/} - ${start/[.,]/})); printf '%4d.%d s' $((us / 1000000)) $((us / 100000 % 10)); }
step() { number=$((number + 1)); log=${2-/dev/null}; printf '\n[%s] %d. %s\n' "$(elapsed)" $number "$1"; }
finish() {
  local status=$?
  if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  fi
  if [ $status -ne 0 ] && [ $number -gt 0 ]; then
    printf '\n[%s] step %d did not work (exit %d).\n' "$(elapsed)" $number $status >&2
    for file in "$log" "$logs/sluiced.log"; do
      [ -s "$file" ] && { echo "--- the last lines of $file:" >&2; tail -n 20 "$file" >&2; }
    done
  fi
  exit $status
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step "Packages: what sluice is built from" "$logs/packages.log"
# shellcheck disable=SC2086  # lists of names
install_packages $SLUICE_BUILD_PACKAGES curl ca-certificates >"$log" 2>&1
grep '^installing' "$log" || echo "all installed"

step "Building sluiced (Release, static library)" "$logs/build.log"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DSLUICE_BUILD_SERVER=ON >"$log" 2>&1
cmake --build "$build" --target sluiced >>"$log" 2>&1
sluiced=$(find "$build" -type f -name sluiced -perm -u+x -print -quit)
"$sluiced" --version

step "Starting it on four simulated upstreams" "$logs/sluiced.log"
listen=${SLUICE_LISTEN:-127.0.0.1:0}
config=$build/gateway.json
sed "s/127\.0\.0\.1:8080/$listen/" examples/quickstart/gateway.json >"$config"
"$sluiced" "$config" --check
exec {said}< <(exec "$sluiced" "$config" 2>"$log")
pid=$!
read -r -t 20 -u "$said" line || { echo "sluiced did not say where it listens" >&2; exit 1; }
echo "$line"
url=$(grep -oE 'http://[^ ]+' <<<"$line")
curl -fsS --max-time 10 "$url/readyz" >/dev/null
chat=$url/v1/chat/completions

body() { printf '{"model": "%s", "messages": [{"role": "user", "content": "%s"}]%s}' "$1" "$2" "${3-}"; }
ask() { curl -sS --max-time 20 "$@"; echo; }

step "A chat"
echo "\$ curl $chat --json '$(body smart hello)'"
ask --fail-with-body "$chat" --json "$(body smart hello)"

step "A stream: the lines as they arrive"
echo "\$ curl -N $chat --json '$(body story-1 'tell me a story' ', "stream": true')'"
ask -N --fail-with-body "$chat" --json "$(body story-1 'tell me a story' ', "stream": true')" |
  while IFS= read -r line; do [ -z "$line" ] || printf '[%s] %s\n' "$(elapsed)" "$line"; done | tee "$logs/stream.txt"
grep -q 'data: \[DONE\]' "$logs/stream.txt"

step "Routing by model: code-small goes to 'coder', under the name it has there"
ask --fail-with-body "$chat" --json "$(body code-small hello)" >"$logs/model.txt"
grep -E '"(model|content)"' "$logs/model.txt"
grep -q 'int main' "$logs/model.txt"

step "Routing by header: x-tier: gold goes to 'premium'"
ask --fail-with-body "$chat" -H 'x-tier: gold' --json "$(body smart hello)" >"$logs/header.txt"
grep -E '"(model|content)"' "$logs/header.txt"
grep -q 'premium' "$logs/header.txt"

step "Failover: 'down' answers 503 to everything, so 'swift' answers"
ask --fail-with-body "$chat" --json "$(body sturdy-1 hello)" >"$logs/failover.txt"
grep -E '"(model|content)"' "$logs/failover.txt"
grep -q 'swift' "$logs/failover.txt"

# The request as `--explain` takes it: it says what would happen, and sends nothing.
explain() { # model header value [--json]
  printf '{"method": "POST", "target": "/v1/chat/completions", "headers": {%s}, "body": %s}\n' \
    "${2:+\"$2\": \"$3\"}" "$(body "$1" hello)" >"$build/request.json"
  "$sluiced" "$config" --explain "$build/request.json" ${4-} || true
}
step "A refused request, with its explanation"
ask "$chat" -w '\nstatus %{http_code}' --json "$(body gpt-99 hello)" | tee "$logs/refused.txt"
grep -q 'status 404' "$logs/refused.txt"
echo "\$ sluiced gateway.json --explain request.json"
explain gpt-99 "" ""

# A row of the closing table: what the gateway says it would do, and the status curl got.
row() { # label model [header value]
  local explained status
  explained=$(explain "$2" "${3-}" "${4-}" --json)
  # What was decided stands before the two lists of what was not.
  explained=${explained%%\"targets\"*} explained=${explained%%\"passed_over\"*}
  field() { grep -oE "\"$1\": ?\"[^\"]*\"" <<<"$explained" | head -n 1 | sed -E 's/^.*: ?"(.*)"$/\1/' | grep . || echo -; }
  status=$(curl -sS --max-time 20 -o /dev/null -w '%{http_code}' ${3+-H "$3: $4"} "$chat" --json "$(body "$2" hello)")
  printf '  %-32s %-10s %-10s %s\n' "$1" "$(field route)" "$(field upstream)" "$status"
}
step "What went where"
printf '  %-32s %-10s %-10s %s\n' request route upstream status
row "model smart" smart
row "model story-1" story-1
row "model code-small" code-small
row "model smart, x-tier: gold" smart x-tier gold
row "model gpt-99" gpt-99

if [ $serve = yes ]; then
  step "Serving on $url until Ctrl-C"
  wait "$pid" || true
else
  step "Stopping"
  kill "$pid"
  wait "$pid" || true
  pid=""
  printf '[%s] done; nothing is left running.\n' "$(elapsed)"
fi

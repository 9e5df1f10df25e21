#!/usr/bin/env bash
# From a clean clone to a gateway that answers: installs what is missing, builds sluiced, starts it on five simulated
# upstreams and one that is down (examples/quickstart/gateway.json), talks to it with curl and reads the events it wrote.
# No key and, beyond the packages, no network.
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

step "Building sluiced (-O1, static library)" "$logs/build.log"
# -O1: who looks for the first time waits for the compiler, not for the gateway; the preset `release` is the fast one.
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG" -DBUILD_SHARED_LIBS=OFF -DSLUICE_BUILD_SERVER=ON >"$log" 2>&1
cmake --build "$build" --target sluiced >>"$log" 2>&1
sluiced=$(find "$build" -type f -name sluiced -perm -u+x -print -quit)
"$sluiced" --version

step "Starting it on five simulated upstreams" "$logs/sluiced.log"
listen=${SLUICE_LISTEN:-127.0.0.1:0}
config=$build/gateway.json
events=$build/events.jsonl
sent=$logs/sent.txt  # a line for each chat request: the events are counted against them
: >"$events"
: >"$sent"
settings=$(<examples/quickstart/gateway.json)
settings=${settings/127.0.0.1:8080/"$listen"}
printf '%s\n' "${settings/events.jsonl/"$events"}" >"$config"
"$sluiced" "$config" --check
exec {said}< <(exec "$sluiced" "$config" 2>"$log")
pid=$!
read -r -t 20 -u "$said" line || { echo "sluiced did not say where it listens" >&2; exit 1; }
echo "$line"
url=$(grep -oE 'http://[^ ]+' <<<"$line")
curl -fsS --max-time 10 "$url/readyz" >/dev/null
chat=$url/v1/chat/completions

body() { printf '{"model": "%s", "messages": [{"role": "user", "content": "%s"}]%s}' "$1" "$2" "${3-}"; }
ask() { echo "${*: -1}" >>"$sent"; curl -sS --max-time 20 "$@"; echo; }
# The lines that are not empty, each with the moment it came.
arriving() { while IFS= read -r line; do [ -z "$line" ] || printf '[%s] %s\n' "$(elapsed)" "$line"; done; }
# The texts of a stream's deltas, with a bar between each two.
pieces() { grep -oE '"content": ?"[^"]+"' "$1" | sed -E 's/^"content": ?"(.*)"$/\1/' | paste -sd '|'; }

step "A chat"
echo "\$ curl $chat --json '$(body smart hello)'"
ask --fail-with-body "$chat" --json "$(body smart hello)"

step "A stream: the lines as they arrive"
echo "\$ curl -N $chat --json '$(body story-1 'tell me a story' ', "stream": true')'"
ask -N --fail-with-body "$chat" --json "$(body story-1 'tell me a story' ', "stream": true')" | arriving | tee "$logs/stream.txt"
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

step "A plugin refuses: 'short' on the route 'brief' lets 20 characters through"
ask "$chat" -w '\nstatus %{http_code}' --json "$(body brief-1 'a prompt that goes on and on')" | tee "$logs/limit.txt"
grep -q 'status 413' "$logs/limit.txt"
grep -q '"prompt_too_large"' "$logs/limit.txt"
grep -q 'limit `characters`' "$logs/limit.txt"
ask --fail-with-body "$chat" --json "$(body brief-1 hello)" | grep '"content"'

step "A plugin changes a stream as it passes: 'cards' on the route 'masked'"
ask -N --fail-with-body "$chat" --json "$(body letter-1 'my card?' ', "stream": true')" >"$logs/plain.txt"
echo "the upstream's deltas: $(pieces "$logs/plain.txt")"
pieces "$logs/plain.txt" | grep -qF '4111| 1111| 1111| 1111'
echo "\$ curl -N $chat --json '$(body masked-1 'my card?' ', "stream": true')'"
ask -N --fail-with-body "$chat" --json "$(body masked-1 'my card?' ', "stream": true')" | arriving | tee "$logs/masked.txt"
echo "what the caller got: $(pieces "$logs/masked.txt")"
[ "$(pieces "$logs/masked.txt" | tr -d '|')" = 'Your card [card] is on file.' ]
[ "$(pieces "$logs/masked.txt" | tr -cd '|' | wc -c)" -ge 5 ]  # still a stream: delta by delta

# A row of the closing table: what the gateway says it would do, and the status curl got.
row() { # label model [header value]
  local explained status
  explained=$(explain "$2" "${3-}" "${4-}" --json)
  # What was decided stands before the two lists of what was not.
  explained=${explained%%\"targets\"*} explained=${explained%%\"passed_over\"*}
  field() { grep -oE "\"$1\": ?\"[^\"]*\"" <<<"$explained" | head -n 1 | sed -E 's/^.*: ?"(.*)"$/\1/' | grep . || echo -; }
  status=$(ask -o /dev/null -w '%{http_code}' ${3+-H "$3: $4"} "$chat" --json "$(body "$2" hello)")
  printf '  %-32s %-10s %-10s %s\n' "$1" "$(field route)" "$(field upstream)" "$status"
}
step "What went where"
printf '  %-32s %-10s %-10s %s\n' request route upstream status
row "model smart" smart
row "model story-1" story-1
row "model code-small" code-small
row "model smart, x-tier: gold" smart x-tier gold
row "model brief-1" brief-1
row "model masked-1" masked-1
row "model gpt-99" gpt-99

# An event cut down to its main members; it stays JSON.
shorten() {
  local kept='requested_model|served_model|route|status|ending|code|upstream|plugin|hook|verdict|kind|output_tokens|first_delta_ms|deltas'
  sed -E -e "s/\"($kept)\":/@\1:/g" -e 's/"[a-z_0-9]+":("([^"\\]|\\.)*"|[0-9.]+|true|false)//g' -e 's/@([a-z_]+):/"\1":/g' \
    -e 's/,+/,/g' -e 's/([{[]),/\1/g' -e 's/,([]}])/\1/g' -e 's/,"[a-z]+":\{\}//g'
}
step "What these requests left: an event each, of which three, shortened"
count=$(wc -l <"$sent")
for _ in {1..200}; do [ "$(wc -l <"$events")" -lt "$count" ] || break; sleep 0.05; done  # they are written every 50 ms
for model in sturdy-1 brief-1 masked-1; do grep -m 1 "\"requested_model\":\"$model\"" "$events" | shorten; done
echo "$count requests, $(wc -l <"$events") events in ${events#"$root"/}"
[ "$(wc -l <"$events")" -eq "$count" ]
[ "$(grep -oE '"id":"[^"]*"' "$events" | sort -u | wc -l)" -eq "$count" ]

if [ $serve = yes ]; then
  step "Serving on $url until Ctrl-C"
  trap 'exit 0' INT TERM  # as it was asked for
  wait "$pid" || true
else
  step "Stopping"
  kill "$pid"
  wait "$pid" || true
  pid=""
  printf '[%s] done; nothing is left running.\n' "$(elapsed)"
fi

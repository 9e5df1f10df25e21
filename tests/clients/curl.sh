#!/usr/bin/env bash
# curl against sluiced: what a person types first, and what no SDK shows (raw bytes, a client that hangs up).
set -euo pipefail
url=$SLUICE_URL
chat=$url/v1/chat/completions
say() { printf '{"model": "%s", "messages": [{"role": "user", "content": "hello"}]%s}' "$1" "${2-}"; }
ask() { curl -sS --max-time 30 -H "authorization: Bearer $OPENAI_API_KEY" -H 'content-type: application/json' "$@"; }
fail() { echo "curl: $*" >&2; exit 1; }
expect() { case "$2" in *"$1"*) ;; *) fail "expected '$1' in: $2" ;; esac; }

expect '"content": "Hello there, stranger."' "$(ask --fail-with-body "$chat" -d "$(say gpt-4o-mini)")"

# A stream ends with its own last word, and arrives as an event stream.
stream=$(ask -i -N --fail-with-body "$chat" -d "$(say gpt-4o-mini ', "stream": true')")
expect 'text/event-stream' "$stream"
expect 'data: [DONE]' "$stream"
case "$stream" in *'"usage"'*) fail "usage was not asked for: $stream" ;; esac

# A model that thinks: curl shows the pings its caller is kept alive by (STREAM-14).
stream=$(ask -N --fail-with-body "$chat" -d "$(say thinking ', "stream": true')")
expect ': keep-alive' "$stream"
expect 'data: [DONE]' "$stream"

# The key may stand in any of the usual fields.
for field in 'x-api-key' 'api-key' 'x-goog-api-key'; do
  status=$(curl -sS --max-time 30 -o /dev/null -w '%{http_code}' -H "$field: $OPENAI_API_KEY" "$chat" --json "$(say gpt-4o-mini)")
  [ "$status" = 200 ] || fail "$field: $status"
done
[ "$(curl -sS --max-time 30 -o /dev/null -w '%{http_code}' "$chat" --json "$(say gpt-4o-mini)")" = 401 ] || fail "no key is a 401"
expect 'no-such-model' "$(ask "$chat" -d "$(say no-such-model)")"
[ "$(ask -o /dev/null -w '%{http_code}' "$chat" --json '{"model": "gpt-4o-mini", ')" = 400 ] || fail "half a body is a 400"

# Keep-alive: three requests, one connection.
connects=$(ask --fail-with-body "$chat" -d "$(say gpt-4o-mini)" -o /dev/null -w '%{num_connects}' \
  --next -sS --max-time 30 -H "authorization: Bearer $OPENAI_API_KEY" "$url/v1/models" -o /dev/null -w '%{num_connects}' \
  --next -sS --max-time 30 "$url/healthz" -o /dev/null -w '%{num_connects}')
[ "$connects" = 100 ] || fail "connections made by three requests: $connects"

# A body in gzip, and one that is announced with Expect.
say gpt-4o-mini | gzip -c | ask --fail-with-body -H 'content-encoding: gzip' --data-binary @- "$chat" >/dev/null
say gpt-4o-mini | ask --fail-with-body -H 'expect: 100-continue' --data-binary @- "$chat" >/dev/null

curl -fsS --max-time 30 "$url/readyz" >/dev/null

# Hanging up in the middle: two events, then the reader is gone.
ask -N "$chat" -d "$(say slow ', "stream": true')" 2>/dev/null | head -n 3 >/dev/null || true

#!/usr/bin/env bash
# What sluiced does at ten times its load, beside 500 clients that send a byte a second, and over a long mixed load with
# faults and reloads: a table on stderr, JSON on stdout.
#
#   bash benchmarks/staying_up/run.sh                      overload for 60 s, slow heads, a soak of 20 minutes
#   bash benchmarks/staying_up/run.sh --quick              the same, short: about two and a half minutes
#   bash benchmarks/staying_up/run.sh --gate               exit 1 where a bar is missed
#   ... --only overload,slow_heads,soak  --seconds 60  --minutes 20  --reload-every 10    a selection, and how long
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=../rig/prepare.sh
. "$here/../rig/prepare.sh"
prepare sluiced bench_mock bench_arrivals
exec python3 "$here/staying_up.py" --programs "$programs" "$@"

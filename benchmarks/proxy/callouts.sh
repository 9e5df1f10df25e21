#!/usr/bin/env bash
# What 1,000 exchanges that wait 50 ms in a call-out each do to the streams of others: a table on stderr, JSON on stdout.
#
#   bash benchmarks/proxy/callouts.sh            7 rounds, about two minutes
#   bash benchmarks/proxy/callouts.sh --quick    3
#   bash benchmarks/proxy/callouts.sh --gate     exit 1 where the bar is missed
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=../rig/prepare.sh
. "$here/../rig/prepare.sh"
prepare sluiced bench_mock bench_streams
exec python3 "$here/callouts.py" --programs "$programs" "$@"

#!/usr/bin/env bash
# sluiced against nginx, HAProxy and a bare libcurl proxy on this machine: a table on stderr, JSON on stdout.
#
#   bash benchmarks/proxy/run.sh             7 rounds, about ten minutes
#   bash benchmarks/proxy/run.sh --quick     3 short rounds, about three
#   bash benchmarks/proxy/run.sh --gate      exit 1 where a bar is missed
#   ... --devices sluice,nginx --only requests,streams,memory   a selection
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=../rig/prepare.sh
. "$here/../rig/prepare.sh"
prepare sluiced bench_mock bench_streams bench_bare_proxy
exec python3 "$here/compare.py" --programs "$programs" "$@"

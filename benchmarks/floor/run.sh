#!/usr/bin/env bash
# What libcurl costs before sluice does anything: bare transfers at growing numbers in flight, and a bare proxy beside
# nginx. A table on stderr, JSON on stdout.
#
#   bash benchmarks/floor/run.sh             7 rounds, about three minutes
#   bash benchmarks/floor/run.sh --quick     3 short rounds, about one
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=../rig/prepare.sh
. "$here/../rig/prepare.sh"
prepare bench_mock bench_client bench_bare_proxy
exec python3 "$here/floor.py" --programs "$programs" "$@"

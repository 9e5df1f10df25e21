#!/usr/bin/env bash
# What TLS costs the listener, beside plain HTTP and beside nginx: a table on stderr, JSON on stdout.
#
#   bash benchmarks/tls/run.sh             7 rounds, about two minutes
#   bash benchmarks/tls/run.sh --quick     3 short rounds, about one
#   bash benchmarks/tls/run.sh --gate      exit 1 where a bar is missed
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=../rig/prepare.sh
. "$here/../rig/prepare.sh"
prepare sluiced bench_mock bench_streams bench_handshakes
exec python3 "$here/compare.py" --programs "$programs" "$@"

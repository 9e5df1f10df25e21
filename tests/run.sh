#!/usr/bin/env bash
# Installs what the tests need, builds, and runs all of them; ends with `N passed, N failed`.
#
#   bash tests/run.sh            three builds: dev (g++), asan (clang, address + undefined behaviour, fuzzers), tsan (g++)
#   bash tests/run.sh --quick    dev alone
#
# SLUICE_REQUIRE_ALL=1 turns every skip into a failure. SLUICE_FIXTURES names the recordings (default: ../shared/fixtures).
# SLUICE_JOBS: how many compilers and tests at once (default: one per core).
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
# shellcheck source=cmake/debian.sh
. cmake/debian.sh

builds="dev asan tsan"
case "${1-}" in
"") ;;
--quick) builds=dev ;;
*) echo "usage: bash tests/run.sh [--quick]" >&2; exit 2 ;;
esac
jobs=${SLUICE_JOBS:-$(nproc)}
results=$root/build/results
rm -rf "$results"
mkdir -p "$results"
# The install test builds the library once more, shared, and a clone elsewhere builds it all again: with directories left
# out of the hash, ccache gives the same objects.
export CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=$root
say() { printf '\n=== [%d:%02d] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }
wants() { [[ " $builds " == *" $1 "* ]]; }
# A build or an installation that does not work is a failure with a name.
broken() { echo "$*" >>"$results/broken"; echo "FAILED: $*"; }

say "packages"
needed="$SLUICE_BUILD_PACKAGES ccache catch2 curl ca-certificates binutils python3-jsonschema valgrind abigail-tools"
command -v python3 >/dev/null && python3 -c 'import venv, ensurepip' 2>/dev/null || needed+=" python3 python3-venv"
# The native module of the Python binding is compiled against this.
python3 -c 'import os, sysconfig; os.stat(sysconfig.get_paths()["include"] + "/Python.h")' 2>/dev/null || needed+=" python3-dev"
command -v node >/dev/null && command -v npm >/dev/null || needed+=" nodejs npm"
# The two that requests are compared with, byte for byte. Nothing that is installed here shall serve on its own.
[ -x /usr/sbin/nginx ] || needed+=" nginx-light"
[ -x /usr/sbin/haproxy ] || needed+=" haproxy"
# The Go binding is tested with the oldest Go it is for, which is Debian's, and with whatever other one is here.
needed+=" golang-go"
export RUNLEVEL=1
# clang is the second compiler of the public headers too; its sanitizers are a package of their own.
needed+=" clang libclang-rt-14-dev"
# shellcheck disable=SC2086  # a list of names
install_packages $needed || { broken "installing packages"; exec python3 tests/tally.py "$results"; }

say "packages of the real clients"
bash tests/clients/install.sh || echo "some clients are missing; their tests say which"
bash bindings/python/tests/install.sh || echo "packages of the Python binding's tests are missing; they are skipped"

for build in $builds; do
  say "$build: build"
  if ! { cmake --preset "$build" >"$results/$build.configure.log" 2>&1 &&
         cmake --build --preset "$build" -j "$jobs" >"$results/$build.build.log" 2>&1; }; then
    broken "$build: build"
    tail -n 40 "$results/$build.configure.log" "$results/$build.build.log" 2>/dev/null
    continue
  fi
  # The rules that need no running first: they fail fastest.
  chosen=()
  [ "$build" = dev ] || chosen=(-L '^(unit|integration|fixtures|fuzz)$')
  say "$build: tests"
  ctest --test-dir "build/$build" "${chosen[@]}" -j "$jobs" --output-on-failure --no-tests=error \
        --test-output-size-passed 10000000 --test-output-size-failed 10000000 --output-junit "$results/$build.xml" \
        >"$results/$build.tests.log" 2>&1
  grep -E '^ *[0-9]+/[0-9]+ Test|tests passed|FAILED:|\*\*\*' "$results/$build.tests.log" | grep -vE 'Passed' || true
  [ -s "$results/$build.xml" ] || broken "$build: ctest said nothing"
  grep -q 'Failed\|Timeout\|Not Run\|Skipped' "$results/$build.tests.log" && python3 tests/tally.py --failures "$results/$build.xml"
done

say "done"
exec python3 tests/tally.py "$results"

#!/usr/bin/env bash
# Installs what the tests of the Python binding need into build/bindings-cache, once: what is there already in the same versions
# is left alone. Where it cannot be had, the tests are skipped by name (a failure where SLUICE_REQUIRE_ALL=1).
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${SLUICE_BINDINGS_CACHE:-$here/../../../build/bindings-cache}
# The list that was installed lies beside what it installed, and is written last.
if cmp -s "$here/requirements.txt" "$cache/python/installed.txt"; then
  echo "python binding's tests: there"
  exit 0
fi
rm -rf "$cache/python"
mkdir -p "$cache"
if { python3 -m venv "$cache/python" && "$cache/python/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"; } >"$cache/pip.log" 2>&1; then
  cp "$here/requirements.txt" "$cache/python/installed.txt"
  echo "python binding's tests: installed"
else
  echo "python binding's tests: cannot be had:"; tail -n 5 "$cache/pip.log"
  exit 1
fi

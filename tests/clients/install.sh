#!/usr/bin/env bash
# Installs the real clients into build/clients-cache, once: what is there already in the same versions is left alone. A client
# that cannot be had is named; its test is skipped then (a failure where SLUICE_REQUIRE_ALL=1).
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${SLUICE_CLIENTS_CACHE:-$here/../../build/clients-cache}
mkdir -p "$cache/node" "$cache/python"
missing=0

# The list that was installed lies beside what it installed, and is written last.
same() { cmp -s "$1" "$2"; }

if same "$here/package.json" "$cache/node/installed.json"; then
  echo "node clients: there"
else
  rm -rf "$cache/node"
  mkdir -p "$cache/node"
  cp "$here/package.json" "$cache/node/package.json"
  # Peer packages are for clouds nobody asks here; scripts are not needed, and there is no lock file to keep.
  if (cd "$cache/node" && npm install --legacy-peer-deps --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error) >"$cache/npm.log" 2>&1; then
    cp "$here/package.json" "$cache/node/installed.json"
    echo "node clients: installed"
  else
    echo "node clients: cannot be had:"; tail -n 5 "$cache/npm.log"; missing=1
  fi
fi

if same "$here/requirements.txt" "$cache/python/installed.txt"; then
  echo "python clients: there"
else
  rm -rf "$cache/python"
  if { python3 -m venv "$cache/python" && "$cache/python/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"; } >"$cache/pip.log" 2>&1; then
    cp "$here/requirements.txt" "$cache/python/installed.txt"
    echo "python clients: installed"
  else
    echo "python clients: cannot be had:"; tail -n 5 "$cache/pip.log"; missing=1
  fi
fi
exit $missing

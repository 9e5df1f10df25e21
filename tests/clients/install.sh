#!/usr/bin/env bash
# Installs the real clients into build/clients-cache, once: what is there already in the same versions is left alone. A client
# that cannot be had is named; its test is skipped then (a failure where SLUICE_REQUIRE_ALL=1).
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${SLUICE_CLIENTS_CACHE:-$here/../../build/clients-cache}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

# The list that was installed lies beside what it installed, and is written last, once nothing of it is missing.
same() { cmp -s "$1" "$2"; }

# All at once, which is faster; where that fails, one by one, to find out which.
node_clients() {
  if same "$here/package.json" "$cache/node/installed.json"; then echo "node clients: there"; return; fi
  rm -rf "$cache/node"
  mkdir -p "$cache/node"
  cp "$here/package.json" "$cache/node/package.json"
  # Peer packages are for clouds nobody asks here; scripts are not needed, and there is no lock file to keep.
  local npm=(npm --prefix "$cache/node" install --legacy-peer-deps --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error)
  local name version missing=""
  if ! "${npm[@]}" >"$cache/npm.log" 2>&1; then
    echo '{"private": true}' >"$cache/node/package.json"
    while read -r name version; do
      "${npm[@]}" --save-exact "$name@$version" >>"$cache/npm.log" 2>&1 || missing+=" $name"
    done < <(sed -n 's/^    "\(.*\)": "\(.*\)".*/\1 \2/p' "$here/package.json")
  fi
  if [ -z "$missing" ]; then
    cp "$here/package.json" "$cache/node/installed.json"
    echo "node clients: installed"
  else
    echo "node clients: cannot be had:$missing"; tail -n 5 "$cache/npm.log"; return 1
  fi
}

# As above.
python_clients() {
  if same "$here/requirements.txt" "$cache/python/installed.txt"; then echo "python clients: there"; return; fi
  rm -rf "$cache/python"
  python3 -m venv "$cache/python" >"$cache/pip.log" 2>&1
  local pip=("$cache/python/bin/pip" install --quiet --disable-pip-version-check) name missing=""
  if ! "${pip[@]}" -r "$here/requirements.txt" >>"$cache/pip.log" 2>&1; then
    while read -r name; do
      "${pip[@]}" "$name" >>"$cache/pip.log" 2>&1 || missing+=" $name"
    done < <(grep -v '^#' "$here/requirements.txt")
  fi
  if [ -z "$missing" ]; then
    cp "$here/requirements.txt" "$cache/python/installed.txt"
    echo "python clients: installed"
  else
    echo "python clients: cannot be had:$missing"; tail -n 5 "$cache/pip.log"; return 1
  fi
}

# They wait for the network: both at the same time.
jobs=()
for clients in node_clients python_clients; do
  "$clients" &
  jobs+=($!)
done
missing=0
for job in "${jobs[@]}"; do wait "$job" || missing=1; done
exit $missing

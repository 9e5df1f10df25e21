#!/usr/bin/env bash
# sluice's Python and Go bindings beside the gateways that can be embedded instead, on this machine: a table on stderr, JSON on stdout.
#
#   bash benchmarks/rivals/run.sh             5 rounds, a few minutes
#   bash benchmarks/rivals/run.sh --quick     short rounds and short streams
#   ... --gateways litellm,bifrost            a selection of the rivals
#   ... --priority 5                          a nice value for all that is measured
#   ... --mock PATH --library PATH            a bench_mock and a libsluice_c.so that are built already: nothing is compiled but the bindings
#   ... --again                               asks once more for what could not be had
#
# A rival that cannot be had is left out by name, with the reason, which is remembered. Packages go into build/rivals-cache, or
# SLUICE_RIVALS_CACHE; nothing is installed in the system but what sluice is built from. SLUICE_BENCH_BUILD: as in rig/prepare.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${SLUICE_RIVALS_CACHE:-$root/build/rivals-cache}
command="bash benchmarks/rivals/run.sh"
for word in "$@"; do
  case $word in *\ *) command+=" \"$word\"" ;; *) command+=" $word" ;; esac
done
mock="" library="" again="" passed=()
while [ $# -gt 0 ]; do
  case $1 in
    # What was typed is printed without the paths of this machine.
    --mock) mock=$(realpath "$2"); command=${command/"$2"/"$(basename "$2")"}; shift ;;
    --library) library=$(realpath "$2"); command=${command/"$2"/"$(basename "$2")"}; shift ;;
    --again) again=1 ;;
    *) passed+=("$1") ;;
  esac
  shift
done

if [ -z "$mock" ] || [ -z "$library" ]; then
  # shellcheck source=../../cmake/debian.sh
  . "$root/cmake/debian.sh"
  # shellcheck disable=SC2086  # a list of names
  install_packages $SLUICE_BUILD_PACKAGES >&2
  build=${SLUICE_BENCH_BUILD:-$root/build/release}
  if [ -n "${SLUICE_BENCH_BUILD-}" ]; then
    cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DSLUICE_BUILD_BENCHMARKS=ON -DSLUICE_BUILD_CAPI=ON >&2
  else
    (cd "$root" && cmake --preset release -DSLUICE_BUILD_CAPI=ON >&2)
  fi
  cmake --build "$build" --target bench_mock --target sluice_c >&2
  mock=${mock:-$build/benchmarks/bench_mock} library=${library:-$build/capi/libsluice_c.so}
fi

skipped=$cache/skipped
[ -z "$again" ] || rm -rf "$skipped"
mkdir -p "$cache/programs" "$cache/library" "$skipped"
skip() {  # NAME, the reason on stdin
  tail -n 1 >"$skipped/$1"
  echo "$1 cannot be had: $(cat "$skipped/$1")" >&2
}

# --- Python: an environment of its own, made again when a pin changes.
python=$cache/python/bin/python
if ! cat "$here/requirements.txt" "$here/constraints.txt" | cmp -s - "$cache/python/installed.txt"; then
  rm -rf "$cache/python" "$skipped/litellm" "$skipped/tensorzero"
  python3 -m venv "$cache/python"
  grep -v '^#' "$here/requirements.txt" | while read -r pinned; do
    echo "installing $pinned" >&2
    "$python" -m pip --quiet --disable-pip-version-check install -c "$here/constraints.txt" "$pinned" >"$cache/pip.log" 2>&1 || skip "${pinned%%==*}" <"$cache/pip.log"
  done
  cat "$here/requirements.txt" "$here/constraints.txt" >"$cache/python/installed.txt"
fi
installed=$({ sha256sum "$library"; find "$root/bindings/python" "$root/capi/include" -type f -not -path '*/__pycache__/*' -print0 | sort -z | xargs -0 sha256sum; } | sha256sum)
if [ "$installed" != "$(cat "$cache/python/sluice.installed" 2>/dev/null)" ]; then
  "$python" -m pip --quiet --disable-pip-version-check install --no-deps --force-reinstall --config-settings "library=$library" "$root/bindings/python" >&2
  echo "$installed" >"$cache/python/sluice.installed"
fi

# --- Go: the library by pkg-config, from a copy that a build beside this run does not touch.
soname=$(readelf -d -W "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p')
cp -L "$library" "$cache/library/$soname"
ln -sf "$soname" "$cache/library/libsluice_c.so"
cat >"$cache/library/sluice_c.pc" <<EOT
Name: sluice_c
Description: the library that is measured
Version: 0
Cflags: -I$root/capi/include
Libs: -L$cache/library -lsluice_c -Wl,-rpath,$cache/library
EOT
# Go's build cache does not look into headers: a name made of them does.
headers=$(find "$root/capi/include" -name '*.h' -print0 | sort -z | xargs -0 cat | sha256sum | cut -c1-8)
export PKG_CONFIG_PATH=$cache/library CGO_ENABLED=1 GOTOOLCHAIN=local GOWORK=off GOFLAGS=-buildvcs=false
export CGO_CFLAGS="-O2 -g -I$root/capi/include -DSLUICE_HEADERS=0x$headers" CGO_LDFLAGS="-L$cache/library -Wl,-rpath,$cache/library"
rm -f "$skipped/sluice-go"
if ! command -v go >/dev/null; then
  echo "there is no Go here; Debian's package is golang-go" | skip sluice-go
  [ -e "$skipped/bifrost" ] || echo "there is no Go here" | skip bifrost
else
  (cd "$here/go" && go build -o "$cache/programs/sluice-go" ./sluice) >&2
  # Its sums are written beside a copy of its go.mod: the tree stays as it is.
  if [ ! -e "$skipped/bifrost" ]; then
    cp "$here/bifrost/go.mod" "$cache/bifrost.mod"
    (cd "$here/bifrost" && go mod tidy -modfile="$cache/bifrost.mod" && go build -modfile="$cache/bifrost.mod" -o "$cache/programs/bifrost" .) \
      >"$cache/go.log" 2>&1 || tail -n 1 "$cache/go.log" | sed "s|^[[:space:]]*|$(grep -o 'github.com/maximhq.*' "$here/bifrost/go.mod"): |" | skip bifrost
  fi
fi

exec "$python" -B "$here/compare.py" --mock "$mock" --python "$python" --programs "$cache/programs" --skipped "$skipped" \
  --library "$soname" --command "$command" "${passed[@]}"

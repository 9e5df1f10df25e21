# Sourced by the run.sh of each comparison: the packages, the build, and `programs`, where the build is. Says on stderr
# what it does; stdout is the figures'.
#
# SLUICE_BENCH_BUILD: a build directory to use (default: build/release, by the preset of that name).
# shellcheck source=../../cmake/debian.sh
. "$root/cmake/debian.sh"

prepare() {
  local needed="$SLUICE_BUILD_PACKAGES" target targets=()
  command -v python3 >/dev/null || needed+=" python3"
  [ -x /usr/sbin/nginx ] || needed+=" nginx-light"
  [ -x /usr/sbin/haproxy ] || needed+=" haproxy"
  command -v wrk >/dev/null || needed+=" wrk"
  command -v openssl >/dev/null || needed+=" openssl"
  # Nothing that is installed here shall serve on its own.
  # shellcheck disable=SC2086  # a list of names
  RUNLEVEL=1 install_packages $needed >&2
  if [ "$(nproc)" -lt 2 ]; then
    echo "the comparisons need two cores: one for the device, one for its load" >&2
    return 1
  fi
  programs=${SLUICE_BENCH_BUILD:-$root/build/release}
  if [ -n "${SLUICE_BENCH_BUILD-}" ]; then
    cmake -S "$root" -B "$programs" -G Ninja -DCMAKE_BUILD_TYPE=Release -DSLUICE_BUILD_BENCHMARKS=ON >&2
  else
    (cd "$root" && cmake --preset release >&2)
  fi
  for target in "$@"; do targets+=(--target "$target"); done
  cmake --build "$programs" "${targets[@]}" >&2
  # Ten thousand descriptors: 5,000 open streams, each with a client's and an upstream's.
  ulimit -n "$(ulimit -Hn)"
  if [ "$(ulimit -n)" -lt 11000 ]; then
    echo "at most $(ulimit -n) open files are allowed here; the comparisons need 11,000 (ulimit -Hn)" >&2
    return 1
  fi
}

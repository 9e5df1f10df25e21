#!/usr/bin/env bash
# Proves what was built can be installed and used by a stranger:
#   install_test.sh STEP KIND    STEP: install | find_package | pkg_config | c_find_package | c_pkg_config | subdirectory | contents | exports
#                                KIND: static | shared
# The environment names the tree: SLUICE_SOURCE, SLUICE_BUILD (a finished build with the daemon), SLUICE_SCRATCH (ours),
# CMAKE, CXX, CC, BUILD_TYPE, BUILD_FLAGS, LAUNCHER. The shared library and the subdirectory are further builds with the
# same flags, in folders as deep as the first: ccache, which sees relative paths, then gives back the same objects.
set -euo pipefail
step=$1 kind=$2
prefix=$SLUICE_SCRATCH/$kind/prefix
work=$SLUICE_SCRATCH/$kind/$step
beside=$SLUICE_BUILD-install-$kind
export CCACHE_NOHASHDIR=1
same=(-G Ninja -DCMAKE_BUILD_TYPE="$BUILD_TYPE" -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_C_COMPILER="$CC"
      -DCMAKE_CXX_COMPILER_LAUNCHER="$LAUNCHER" -DCMAKE_C_COMPILER_LAUNCHER="$LAUNCHER"
      "-DCMAKE_CXX_FLAGS_${BUILD_TYPE^^}=$BUILD_FLAGS" -DSLUICE_WARNINGS_AS_ERRORS=ON)
say() { echo "install_test: $*" >&2; }
fail() { say "$*"; exit 1; }
# The libraries of a prefix, wherever GNUInstallDirs put them.
libdir() { dirname "$(find "$prefix" -name 'libsluice.*' -print -quit)"; }
try() { LD_LIBRARY_PATH=$(libdir) "$@"; }

rm -rf "$work"
mkdir -p "$work"
case $step in
install)
  rm -rf "$prefix"
  tree=$SLUICE_BUILD
  if [ "$kind" = shared ]; then
    tree=$beside
    "$CMAKE" -S "$SLUICE_SOURCE" -B "$tree" "${same[@]}" -DBUILD_SHARED_LIBS=ON -DSLUICE_BUILD_SERVER=ON -DSLUICE_BUILD_CAPI=ON >"$work/configure.log" || { cat "$work/configure.log"; exit 1; }
    "$CMAKE" --build "$tree" -j2
  fi
  "$CMAKE" --install "$tree" --prefix "$prefix" >"$work/install.log"
  if [ "$kind" = shared ]; then kept=libsluice.so; else kept=libsluice.a; fi
  [ -n "$(find "$prefix" -name "$kept")" ] || fail "no $kept below the prefix"
  ;;
find_package)
  "$CMAKE" -S "$SLUICE_SOURCE/tests/install/consumer" -B "$work" "${same[@]}" -DCMAKE_PREFIX_PATH="$prefix"
  "$CMAKE" --build "$work"
  "$work/stranger"
  ;;
c_find_package)
  "$CMAKE" -S "$SLUICE_SOURCE/tests/install/consumer_c" -B "$work" "${same[@]}" -DCMAKE_PREFIX_PATH="$prefix"
  "$CMAKE" --build "$work"
  "$work/stranger_c"
  ;;
c_pkg_config)
  # A C program is linked by the C compiler: that the library is C++ inside is none of its business.
  export PKG_CONFIG_PATH
  PKG_CONFIG_PATH=$(libdir)/pkgconfig
  read -ra flags <<<"$(pkg-config --cflags --libs 'sluice_c >= 0.1')"
  "$CC" -std=c99 "$SLUICE_SOURCE/examples/c/chat.c" "${flags[@]}" -o "$work/chat"
  try "$work/chat"
  ;;
pkg_config)
  export PKG_CONFIG_PATH
  PKG_CONFIG_PATH=$(libdir)/pkgconfig
  read -ra flags <<<"$(pkg-config --cflags --libs 'sluice >= 0.1')"
  "$CXX" -std=c++20 "$SLUICE_SOURCE/tests/install/consumer/main.cpp" "${flags[@]}" -o "$work/stranger"
  try "$work/stranger"
  ;;
subdirectory)
  shared=OFF; [ "$kind" = shared ] && shared=ON
  work=$beside-$step
  "$CMAKE" -S "$SLUICE_SOURCE/tests/install/consumer" -B "$work" "${same[@]}" -DSLUICE_SOURCE="$SLUICE_SOURCE" -DBUILD_SHARED_LIBS=$shared
  "$CMAKE" --build "$work" -j2
  "$work/stranger"
  # The host's own install must not carry sluice's files.
  "$CMAKE" --install "$work" --prefix "$work/prefix" >/dev/null
  [ -z "$(find "$work/prefix" -name '*sluice*' 2>/dev/null)" ] || fail "a host's install carries sluice's files"
  ;;
contents)
  for file in bin/sluiced include/sluice/sluice.hpp include/sluice/testing.hpp include/sluice.h include/sluice/queue.h share/sluice/config.schema.json \
              share/sluice/event.schema.json share/sluice/gateway.json \
              share/doc/sluice/LICENSE share/doc/sluice/NOTICE share/man/man1/sluiced.1 share/bash-completion/completions/sluiced \
              share/zsh/vendor-completions/_sluiced lib/systemd/system/sluiced.service; do
    [ -e "$prefix/$file" ] || fail "$file was not installed"
  done
  [ "$(try "$prefix/bin/sluiced" --version)" != "" ] || fail "sluiced --version says nothing"
  try "$prefix/bin/sluiced" "$prefix/share/sluice/gateway.json" --check
  try "$prefix/bin/sluiced" --schema | cmp - "$prefix/share/sluice/config.schema.json" || fail "the installed schema is not the one sluiced prints"
  cmp "$SLUICE_SOURCE/docs/schema/event.schema.json" "$prefix/share/sluice/event.schema.json"
  # The manual and the completion tell every option that the daemon has.
  options=$(try "$prefix/bin/sluiced" --help | grep -oE -- '--[a-z][a-z-]*' | sort -u)
  [ "$(wc -l <<<"$options")" -ge 10 ] || fail "sluiced --help tells few options: $options"
  for option in $options; do
    sed 's/\\-/-/g' "$prefix/share/man/man1/sluiced.1" | grep -qF -- "$option" || fail "the manual does not know $option"
  done
  complete_with() {
    PATH=$prefix/bin:$PATH LD_LIBRARY_PATH=$(libdir) bash -c 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sluiced; printf "%s\n" "${COMPREPLY[@]}"' \
      "$prefix/share/bash-completion/completions/sluiced" "$@"
  }
  [ "$(complete_with sluiced gateway.json --)" = "$options" ] || fail "bash completes other options than there are"
  [ "$(complete_with sluiced --log-level w)" = warning ] || fail "bash does not complete the values of --log-level"
  [ "$(complete_with sluiced --log-format '' | tr '\n' ' ')" = "text json " ] || fail "bash does not complete the values of --log-format"
  grep -qE '^ExecStart=/.*/sluiced /etc/sluice/gateway\.json$' "$prefix/lib/systemd/system/sluiced.service" || fail "the unit does not name what it starts"
  # The image installs what the daemon is linked to.
  command -v dpkg >/dev/null || exit 0
  ldd "$prefix/bin/sluiced" >"$work/libraries"
  objdump -p "$prefix/bin/sluiced" | awk '/NEEDED/ {print $2}' | while read -r library; do
    path=$(awk -v name="$library" '$1 == name {print $3}' "$work/libraries")
    [ -n "$path" ] || continue  # the loader
    path=$(readlink -f "$path")
    package=$(dpkg -S "*/$(basename "$(dirname "$path")")/$(basename "$path")" | head -n 1 | cut -d: -f1)
    case $package in libc6 | libgcc-s1 | libsluice*) continue ;; esac
    grep -qw -- "$package" "$SLUICE_SOURCE/packaging/Dockerfile" || fail "packaging/Dockerfile does not install $package, for $library"
  done
  ;;
exports)
  # What a program may bind to is in namespace sluice; nothing of the packages below and nothing of the rooms leaks.
  nm -DC --defined-only "$(libdir)/libsluice.so" | sed -E 's/^[0-9a-f]+ [A-Za-z] //' >"$work/symbols"
  grep -q '^sluice::Gateway::open(' "$work/symbols" || fail "sluice::Gateway::open is not exported"
  leaked=$(grep -E '^(sluice::(base|http|json|chat|auth|engine|dialect|policy|plugin|telemetry|sim|server)::|simdjson|fmt::|re2::|curl_|ares_)' "$work/symbols" || true)
  [ -z "$leaked" ] || fail "libsluice.so exports what is its own business:"$'\n'"$leaked"
  say "$(wc -l <"$work/symbols") symbols exported"
  ;;
*) fail "unknown step $step" ;;
esac

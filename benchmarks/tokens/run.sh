#!/usr/bin/env bash
# How wrong the token estimate is, and the fit of its weights: fetches the texts and the rank data once, builds the program
# that counts classes, and prints the error on texts the fit has not seen.
#
#   bash benchmarks/tokens/run.sh            measures the weights that are in the tree
#   bash benchmarks/tokens/run.sh --fit      fits them again, writes lib/chat/token_weights.hpp, and measures those
#   bash benchmarks/tokens/run.sh --rest     measures them on every other window of the halves that are held out
#   bash benchmarks/tokens/run.sh --pairs    writes lib/chat/token_pairs.hpp, which a fit has to follow
#   bash benchmarks/tokens/run.sh --golden   counts the golden windows of the tests again
#   bash benchmarks/tokens/run.sh --characters   writes lib/chat/character_table.hpp
#
# Needs a Debian 12 with python3-venv, npm and what sluice is built with; nothing is installed. The cache is
# build/tokens-cache, or SLUICE_TOKENS_CACHE.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${SLUICE_TOKENS_CACHE:-$root/build/tokens-cache}
mkdir -p "$cache/debs"

if ! cmp -s "$here/package.json" "$cache/node/installed.json"; then
  mkdir -p "$cache/node"
  cp "$here/package.json" "$cache/node/package.json"
  (cd "$cache/node" && npm install --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error >&2)
  cp "$here/package.json" "$cache/node/installed.json"
fi
if ! cmp -s "$here/requirements.txt" "$cache/python/installed.txt"; then
  python3 -m venv "$cache/python"
  "$cache/python/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
  cp "$here/requirements.txt" "$cache/python/installed.txt"
fi
if [ "${1:-}" = --characters ]; then exec "$cache/python/bin/python" -B "$here/character_table.py"; fi
# Packages are unpacked, not installed: documentation is complete in them, whatever this machine leaves out.
for package in $(cd "$here" && python3 -B -c 'import corpus; print(*corpus.PACKAGES)'); do
  [ -d "$cache/debs/$package" ] && continue
  rm -rf "$cache/download" && mkdir -p "$cache/download"
  (cd "$cache/download" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download "$package" >&2)
  dpkg-deb -x "$cache/download/"*.deb "$cache/download/tree"
  basename "$cache/download/"*.deb >"$cache/debs/$package.version"
  mv "$cache/download/tree" "$cache/debs/$package"
done

cmake --preset release -S "$root" >&2
cmake --build "$root/build/release" --target token_classes >&2
exec "$cache/python/bin/python" -B "$here/fit.py" --cache "$cache" --classes "$root/build/release/benchmarks/token_classes" "$@"

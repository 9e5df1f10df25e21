# Sourced by examples/quickstart.sh and tests/run.sh: the Debian packages sluice is built from, and how they get here.
# Nothing is asked of the network where all of them are installed already.

SLUICE_BUILD_PACKAGES="g++ cmake ninja-build pkg-config libcurl4-openssl-dev libc-ares-dev libre2-dev libsimdjson-dev
  libfmt-dev libexpected-dev libssl-dev zlib1g-dev libhttp-parser-dev"

# The named packages that are not installed, one a line.
missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

# Installs what is missing of the named packages. Says what it does; fails where it cannot.
install_packages() {
  local missing as_root=()
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "these packages are missing, and there is no apt-get to install them: $(echo $missing)" >&2
    return 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "not root, and no sudo: install these first: $(echo $missing)" >&2; return 1; }
    as_root=(sudo)
  fi
  echo "installing: $(echo $missing)"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  # shellcheck disable=SC2086  # a list of names
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
}

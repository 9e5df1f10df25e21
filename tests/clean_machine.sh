#!/usr/bin/env bash
# The two commands of the README on a machine that has nothing: debootstraps a minimal Debian 12 into a scratch folder, clones
# what is committed into it, and runs them there in a chroot. On demand, not in CI: it needs root, debootstrap, the archive
# that this machine's apt is configured for, and some 4 GB (12 GB with --full).
#
#   bash tests/clean_machine.sh [--quickstart | --full] [DIRECTORY]
#
#   (neither)      examples/quickstart.sh, then tests/run.sh --quick
#   --quickstart   examples/quickstart.sh alone
#   --full         examples/quickstart.sh, then tests/run.sh
#   DIRECTORY      where the scratch folder is made; default: where temporary files go
#
# Ends with a line for each command: its status and how long it took. Leaves nothing behind.
set -euo pipefail
source_tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
suite=bookworm

commands=("bash examples/quickstart.sh" "bash tests/run.sh --quick")
usage() { echo "usage: bash tests/clean_machine.sh [--quickstart | --full] [DIRECTORY]" >&2; exit 2; }
case "${1-}" in
--quickstart) commands=("bash examples/quickstart.sh"); shift ;;
--full) commands=("bash examples/quickstart.sh" "bash tests/run.sh"); shift ;;
-*) usage ;;
esac
[ $# -le 1 ] || usage
say() { printf '\n=== clean_machine [%d:%02d] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }
fail() { echo "clean_machine: $*" >&2; exit 1; }

[ "$(id -u)" -eq 0 ] || fail "needs root: debootstrap and chroot do"
for tool in debootstrap git chroot; do command -v $tool >/dev/null || fail "needs $tool; install it first"; done
# Debian's own archives, as this machine's apt has them: `URI SUITE`.
archives=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(ORIGIN) $(COMPONENT)' 'Created-By: Packages' |
           awk -v suite=$suite '$3 == "Debian" && $4 == "main" && $2 ~ "^" suite {print $1, $2}' | sort -u)
mirror=$(awk -v suite=$suite '$2 == suite {print $1; exit}' <<<"$archives")
[ -n "$mirror" ] || fail "this machine's apt knows no archive of Debian $suite; apt-get update first"

scratch=$(mktemp -d -p "${1:-${TMPDIR:-/tmp}}" sluice-clean.XXXXXX)
machine=$scratch/machine
cleanup() {
  local status=$?
  trap - EXIT
  local place
  for place in "$machine/dev/shm" "$machine/proc"; do
    mountpoint -q "$place" && { umount "$place" || umount -l "$place"; }
  done
  rm -rf --one-file-system "$scratch"
  exit $status
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "a minimal Debian ($suite)"
debootstrap --variant=minbase "$suite" "$machine" "$mirror" >"$scratch/debootstrap.log" 2>&1 || { tail -n 20 "$scratch/debootstrap.log" >&2; fail "debootstrap did not work"; }
mount -t proc proc "$machine/proc"
mount -t tmpfs tmpfs "$machine/dev/shm"
awk '{print "deb", $1, $2, "main"}' <<<"$archives" >"$machine/etc/apt/sources.list"
apt-config dump --format '%f "%v";%n' Acquire | grep -iE '::proxy ' >"$machine/etc/apt/apt.conf.d/90machine" || true
cp -L /etc/resolv.conf "$machine/etc/resolv.conf"
cp -L /etc/hosts "$machine/etc/hosts"
printf '#!/bin/sh\nexit 101\n' >"$machine/usr/sbin/policy-rc.d"  # what is installed shall not start to serve
chmod +x "$machine/usr/sbin/policy-rc.d"
git clone --quiet --no-hardlinks "$source_tree" "$machine/srv/sluice"
echo "$(du -sh --one-file-system "$machine" | cut -f1), $(chroot "$machine" dpkg-query -f '.\n' -W | wc -l) packages; $(git -C "$source_tree" log -1 --format='commit %h')"

status=0 told=""
for command in "${commands[@]}"; do
  say "$command"
  began=$SECONDS ended=0
  chroot "$machine" env -i HOME=/srv TERM=dumb LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    ${SLUICE_JOBS:+SLUICE_JOBS="$SLUICE_JOBS"} ${SLUICE_REQUIRE_ALL:+SLUICE_REQUIRE_ALL="$SLUICE_REQUIRE_ALL"} \
    bash -c "cd /srv/sluice && $command" </dev/null || ended=$?
  told+=$(printf '%s: exit %d after %d s' "$command" $ended $((SECONDS - began)))$'\n'
  [ $ended -eq 0 ] || status=1
done
say "done"
printf '%s' "$told"
exit $status

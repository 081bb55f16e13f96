# SPDX-License-Identifier: BSD-3-Clause
# A small Debian of any release, to try things in. Sourced after lib.sh.

# chroot_of RELEASE: prints its folder.
chroot_of() { echo "$FMAP_ROOT/build/chroot/$1"; }

# make_chroot RELEASE: 1, with the reason, where that cannot be.
make_chroot() {
  local release=$1 root log=$FMAP_ROOT/build/chroot/debootstrap.log
  root=$(chroot_of "$release")
  [[ ! -e $root/.ready ]] || return 0
  if ((EUID != 0)); then
    note "skipped: a chroot needs root"
    return 1
  fi
  need_packages debootstrap
  note "making a Debian $release in $root"
  rm -rf "$root"
  mkdir -p "$root"
  if ! debootstrap --variant=minbase "$release" "$root" >"$log" 2>&1; then
    tail -n 3 "$log"
    note "skipped: debootstrap does not work here; $log says why"
    return 1
  fi
  touch "$root/.ready"
}

# in_chroot RELEASE SCRIPT ARGUMENT...: by sh, with /proc and /dev, which nobody else sees, and this machine's ccache.
in_chroot() {
  local root
  root=$(chroot_of "$1")
  mkdir -p "$root/ccache" "${CCACHE_DIR:=${HOME:-/root}/.cache/ccache}"
  cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
  # shellcheck disable=SC2016
  unshare --mount --propagation private sh -euc '
    root=$1 cache=$2
    shift 2
    mount --bind /proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --bind "$cache" "$root/ccache"
    exec chroot "$root" env -u CXX CCACHE_DIR=/ccache DEBIAN_FRONTEND=noninteractive HOME=/root \
      PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 sh -euc "$@"' \
    sh "$root" "$CCACHE_DIR" "$2" sh "${@:3}"
}

#!/bin/bash
# Starts the Ceph RADOS Gateway 20 on a Debian 12 host: rgw.sh in a private chroot of a newer suite.
# Unlike Debian 12's own it knows IAM accounts and x-amz-checksum-*, in headers and trailers; but it
# verifies and returns one only if the request also says x-amz-sdk-checksum-algorithm.
#
#   rgw20.sh DIR       starts it, or finds it running; DIR/root is the chroot and is kept
#   stop.sh [-x] DIR   stops it; -x removes the chroot too
#
# Ports, keys, environment and the last line are those of rgw.sh; to run both at once, give this one
# other ports.  RGW_SUITE is the suite (forky; trixie's Ceph 18 checks no checksum and aborts on a
# wrong trailer signature), DEB_MIRROR the mirror (the one that apt uses).  Needs root or sudo.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=common.sh disable=SC1091
. "$here/common.sh"

suite=${RGW_SUITE:-forky}

# in_root COMMAND...: runs it in the chroot.  The mounts are in a name space of their own: nothing
# stays in the host's table, and they end with the last daemon.
in_root() {
    # shellcheck disable=SC2016
    as_root unshare --mount bash -c '
        set -eu
        root=$1
        dir=$2
        shift 2
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mkdir -p "$root$dir"
        mount --bind "$dir" "$root$dir"
        exec chroot "$root" env -u TMPDIR PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
    ' in_root "$DIR/root" "$DIR" "$@"
}

make_root() {
    local mirror script
    if [ -e root/.complete ]; then
        return
    fi
    apt_install debootstrap
    mirror=$(debian_mirror)
    # Debian 12's debootstrap does not know every later suite; they are all made like sid.
    script=/usr/share/debootstrap/scripts/$suite
    if [ ! -e "$script" ]; then
        script=/usr/share/debootstrap/scripts/sid
    fi
    as_root rm -rf --one-file-system root
    say "making a chroot of $suite"
    # In a mount name space, since debootstrap leaves /proc mounted when it is interrupted.
    as_root unshare --mount debootstrap --variant=minbase \
        --include=ca-certificates,openssl,curl "$suite" "$DIR/root" "$mirror" "$script" \
        >debootstrap.log 2>&1 </dev/null || die "debootstrap: $(tail -n 3 debootstrap.log)"
    as_root cp /etc/resolv.conf root/etc/
    # A mirror may be a day behind, which apt takes for an attack; debootstrap has just used it.
    echo 'Acquire::Check-Valid-Until "false";' |
        as_root tee root/etc/apt/apt.conf.d/90valid >/dev/null
    as_root touch root/.complete
}

main() {
    local settings
    if [ $# != 1 ]; then
        die "usage: rgw20.sh DIR"
    fi
    use_directory "$1"
    finish_if_running rgw osd mon
    make_root
    # The script inside asks for the same lock.
    flock -u 8
    as_root cp "$here/common.sh" "$here/rgw.sh" root/
    mapfile -t settings < <(env | grep '^RGW_')
    # DIR has the same path inside and outside, so pid files, ca= and the line are right for both.
    in_root "${settings[@]}" bash /rgw.sh "$DIR"
}

main "$@"

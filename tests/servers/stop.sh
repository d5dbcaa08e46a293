#!/bin/bash
# Stops the servers that a script of this folder started.
#
#   stop.sh [-x] DIR...   -x also deletes each DIR with all that it holds
#
# Ends only processes that DIR's pid files name and whose arguments or working directory lie in DIR.
# A DIR that does not exist, or whose server is not running, is no error.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=common.sh disable=SC1091
. "$here/common.sh"

delete=
if [ "${1:-}" = -x ]; then
    delete=1
    shift
fi
if [ $# = 0 ]; then
    die "usage: stop.sh [-x] DIR..."
fi

failed=0
for directory in "$@"; do
    if [ ! -e "$directory" ]; then
        continue
    fi
    if [ ! -e "$directory/.server" ]; then
        say "$directory is not the directory of a test server"
        failed=1
        continue
    fi
    DIR=$(cd "$directory" && pwd -P)
    # A start in progress ends first: it would go on making daemons behind our back.
    exec 8>"$DIR/lock"
    flock 8
    end_daemons
    if [ -n "$delete" ]; then
        # A chroot belongs to root, even where a plain user started it.
        rm -rf --one-file-system "$DIR" 2>/dev/null || as_root rm -rf --one-file-system "$DIR"
    fi
    exec 8>&-
done
exit "$failed"

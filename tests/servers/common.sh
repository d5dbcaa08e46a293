# shellcheck shell=bash
# What the server scripts of this folder share.  Sourced, never run.
#
# A server lives in one directory, $DIR:
#   NAME.pid    one file per daemon
#   NAME.log    what a daemon says
#   ca.pem      the trust anchor of its https port
#   ready       the line that a start prints; exists only while the server runs
#   .server     the mark that allows stop.sh -x to delete the directory

set -euo pipefail
export LC_ALL=C.UTF-8
# A plain user's PATH often lacks the places of debootstrap and dpkg's helpers.
export PATH="$PATH:/usr/sbin:/sbin"

# A daemon's pid file is looked for under these names; the order is the order of ending them.
# Front ends come first: a gateway whose storage is gone takes long to end.
server_daemons="rgw osd mon https proxy-server object-server container-server account-server"
server_daemons="$server_daemons memcached moto dynalite"

say() {
    echo "${0##*/}: $*" >&2
}

die() {
    say "$*"
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "root is needed for '$1', and there is no sudo"
    fi
}

# ---------------------------------------------------------------------------------- packages

# apt_install PACKAGE...: installs those that are missing, without starting any daemon of theirs.
apt_install() {
    local missing=() package log
    for package in "$@"; do
        if [ "$(dpkg-query -Wf '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            missing+=("$package")
        fi
    done
    if [ ${#missing[@]} = 0 ]; then
        return
    fi
    say "installing ${missing[*]}"
    # One root shell, so that policy-rc.d is removed whatever happens.  The lock is for two of
    # these scripts at once: the first to end must not remove it from under the second.
    log=$(mktemp "$PWD/install.XXXXXX") # of our own: two may be at it in one directory
    if as_root bash -s -- "${missing[@]}" >"$log" 2>&1 <<'ROOT'
set -eu
exec 9>/var/lib/dpkg/lock-test-servers
flock 9
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
options='-o DPkg::Lock::Timeout=600 -o Acquire::Retries=3'
for pause in 10 60 0; do
    # A stale or half-reachable index is no reason to stop: the install says what is really missing.
    apt-get -qq $options update </dev/null || :
    ! apt-get -qq -y $options install --no-install-recommends "$@" </dev/null || exit 0
    sleep "$pause"
done
exit 1
ROOT
    then
        rm -f "$log"
        return
    fi
    die "apt could not install them: $(tail -n 5 "$log")"
}

# Prints what apt's lists say, if there are any.
mirror_of_apt() {
    # $(REPO_URI) is apt's own field, not a command of this shell.
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | sed -n 1p
}

# Prints the Debian mirror that this machine already uses, for packages of a newer suite.
debian_mirror() {
    local mirror=${DEB_MIRROR:-}
    [ -n "$mirror" ] || mirror=$(mirror_of_apt) || :
    if [ -z "$mirror" ]; then # no lists, or another of these scripts renews them
        as_root flock /var/lib/dpkg/lock-test-servers apt-get -qq update >/dev/null 2>&1 || :
        mirror=$(mirror_of_apt) || :
    fi
    if [ -z "$mirror" ]; then
        die "apt knows no mirror; name one in DEB_MIRROR"
    fi
    echo "$mirror"
}

# --------------------------------------------------------------------------------- directory

# use_directory DIR: makes it, goes there, sets $DIR to its absolute path and waits for its lock.
use_directory() {
    mkdir -p "$1" || die "cannot make the directory $1"
    cd "$1"
    DIR=$(pwd -P)
    case $DIR in
        *[!A-Za-z0-9/._-]*) die "only letters, digits and / . _ - may stand in the path $DIR" ;;
    esac
    # Ceph puts unix sockets below it, and their names end at 107 bytes.
    if [ ${#DIR} -gt 80 ]; then
        die "the path $DIR is longer than 80 bytes"
    fi
    if [ ! -e .server ] && [ -n "$(ls -A)" ]; then
        die "$DIR is neither empty nor the directory of a test server"
    fi
    touch .server
    # Two starts at once: the second waits and then finds the server running.
    exec 8>lock
    flock 8
}

# ------------------------------------------------------------------------------------ daemons

# pid_alive PID.  'kill -0' would succeed on zombies, so ask /proc for the state.
pid_alive() {
    local state
    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 1
    case $state in
        '' | Z | X) return 1 ;;
    esac
}

# pid_is_ours PID: a pid file may be stale and its number taken by a stranger, so only a process
# whose arguments or working directory lie in $DIR counts.
pid_is_ours() {
    local arguments directory
    arguments=$(tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline") || return 1
    directory=$(as_owner readlink "/proc/$1/cwd") || directory=
    case "$arguments $directory/" in
        *"$DIR/"*) return 0 ;;
    esac
    return 1
}

# As the user, or as root when that is what the daemons of this directory run as.
as_owner() {
    "$@" 2>/dev/null || { [ "$(id -u)" != 0 ] && [ -e "$DIR/root" ] && as_root "$@"; }
}

daemon_pid() {
    cat "$DIR/$1.pid" 2>/dev/null
}

# daemon_alive NAME
daemon_alive() {
    local pid
    pid=$(daemon_pid "$1") || return 1
    [ -n "$pid" ] && pid_alive "$pid" && pid_is_ours "$pid"
}

# end_daemon NAME: asks it to end, waits 5 seconds, then kills it.
end_daemon() {
    local pid tries
    if daemon_alive "$1"; then
        pid=$(daemon_pid "$1")
        as_owner kill -TERM "$pid" || :
        for ((tries = 0; tries < 100; tries++)); do
            pid_alive "$pid" || break
            sleep 0.05
        done
        if pid_alive "$pid"; then
            as_owner kill -KILL "$pid" || :
        fi
    fi
    rm -f "$DIR/$1.pid"
}

end_daemons() {
    local name
    rm -f "$DIR/ready"
    for name in $server_daemons; do
        end_daemon "$name"
    done
}

# run_daemon NAME COMMAND...: starts it in the background.  It must not keep the caller's output
# open, or a caller that reads our output would wait forever; nor the directory's lock.
run_daemon() {
    local name=$1
    shift
    setsid "$@" >"$DIR/$name.log" 2>&1 </dev/null 8>&- &
    echo $! >"$DIR/$name.pid"
}

# wait_until TENTHS COMMAND...: until the command succeeds; fails after so many tenths of a second.
wait_until() {
    local tenths=$1
    shift
    until "$@"; do
        tenths=$((tenths - 1))
        if [ "$tenths" -le 0 ]; then
            return 1
        fi
        sleep 0.1
    done
}

# -------------------------------------------------------------------------------------- ports

# need_free_port PORT...
need_free_port() {
    local port
    for port in "$@"; do
        if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            die "port $port is taken by another program"
        fi
    done
}

# http_answers URL: any answer will do, a 403 as well; https must be trusted by ca.pem.
http_answers() {
    curl -s -o /dev/null --noproxy '*' --max-time 20 --cacert "$DIR/ca.pem" "$1"
}

# answers_or_ended NAME URL; a daemon writes its pid file a moment after it was started.
answers_or_ended() {
    local pid
    http_answers "$2" && return
    pid=$(daemon_pid "$1") && [ -n "$pid" ] && ! pid_alive "$pid"
}

# wait_for_daemon NAME URL LOG: until it answers; the limit is only for one that hangs.
wait_for_daemon() {
    wait_until 3000 answers_or_ended "$1" "$2"
    http_answers "$2" || die "$2: no answer; $DIR/$3 ends with: $(tail -n 8 "$DIR/$3")"
}

# --------------------------------------------------------------------------------- start, end

# finish_if_running NAME...: when these daemons of $DIR run and answer, prints the line of the first
# start (so its ports and keys, whatever this call asked for) and ends the script with success.
finish_if_running() {
    local name http
    [ -s "$DIR/ready" ] || return 0
    for name in "$@"; do
        daemon_alive "$name" || return 0
    done
    http=$(sed 's/.* http=\([0-9]*\) .*/\1/' "$DIR/ready")
    http_answers "http://127.0.0.1:$http/" || return 0
    say "already running"
    cat "$DIR/ready"
    exit 0
}

# finish_ready HTTP HTTPS REGION KEY SECRET: prints the line that callers read.
finish_ready() {
    echo "ready http=$1 https=$2 ca=$DIR/ca.pem region=$3 key=$4 secret=$5" >"$DIR/ready"
    cat "$DIR/ready"
}

# ------------------------------------------------------------------------------- certificates

# A small CA (ca.pem, the trust anchor) and a leaf for localhost, its names below aws.localhost
# and 127.0.0.1.  Kept over restarts, so that a caller may remember ca.pem.
make_certificates() {
    if [ -s cert.pem ]; then
        return
    fi
    cat >leaf.ext <<'END'
subjectAltName=DNS:localhost,DNS:aws.localhost,DNS:*.aws.localhost,IP:127.0.0.1
basicConstraints=CA:FALSE
keyUsage=digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth
END
    {
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 3650 \
            -subj "/CN=test CA" -addext "keyUsage=critical,keyCertSign,cRLSign" &&
        openssl req -newkey rsa:2048 -nodes -keyout key.pem -out leaf.csr -subj /CN=localhost &&
        openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 \
            -sha256 -extfile leaf.ext -out leaf.pem
    } >openssl.log 2>&1 || die "openssl could not make the certificates: $(tail -n 1 openssl.log)"
    # Last and at once: cert.pem says that all the others are complete.
    mv leaf.pem cert.pem
}

#!/bin/bash
# Windows: everything is cross-built by MinGW-w64 and run under wine.
#
#   tests/windows.sh [PART...]     of: compile unit port tool; without a name all of them
#
#   compile   headers and examples, strictly: 64 and 32 bits, C99 and C++11
#   unit      unit tests as .exe: long has 32 bits there, pointers have 64
#   port      port/winsock.h by the contract of ports; the peer is this system's test_port
#   tool      examples/s3.c: its files, tests/demo.sh, then against Ceph over http and https; profiles
#
# Installs what is missing (tests/install.sh windows). BearSSL is built from Debian's source. Wine has
# a directory of its own below build/, no display, and ends with the script. "N passed, N failed".

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
tests/install.sh build windows || exit 1
# shellcheck source=tests/common.sh
. tests/common.sh
top=$PWD work=$PWD/build/windows passed=0 failed=0 life=
cc=x86_64-w64-mingw32-gcc
libraries="-lws2_32 -lbcrypt -lcrypt32"
strict_cxx="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef -Wcast-qual -Werror"
strict="$strict_cxx -Wstrict-prototypes -Wmissing-prototypes"
mkdir -p "$work/include"

# Wine without a window, its Mono and its browser; UTF-8 between it and this shell.
unset DISPLAY WAYLAND_DISPLAY
export LC_ALL=C.UTF-8 WINEPREFIX=$work/wine WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="

finish() {
    cd "$top" || exit
    [ -z "$life" ] || exec {life}>&-
    stop_server
    [ ! -d "$WINEPREFIX" ] || wineserver -k >/dev/null 2>&1 || :
}
trap finish EXIT

# verdict NAME COMMAND: what it says is shown if it fails.
verdict() {
    local name=$1 begin=$SECONDS
    shift
    if "$@" >"$work/$name.log" 2>&1; then
        passed=$((passed + 1))
        echo "ok     windows/$name, $((SECONDS - begin)) s: $(tail -n 1 "$work/$name.log")"
    else
        failed=$((failed + 1))
        echo "FAILED windows/$name"
        tail -n 20 "$work/$name.log"
    fi
}

library() {
    local source
    source=$(python3 tests/sizes.py --bearssl-source) || return
    cp "$source"/inc/*.h /usr/include/jsmn.h "$work/include/"
    [ -e "$work/libbearssl.a" ] ||
        make -s -j"$(nproc)" -C "$source" lib CONF=Unix BUILD="$work" CC=$cc AR=x86_64-w64-mingw32-ar \
            LD=$cc CFLAGS=-O1
}

# program SOURCE NAME FLAG...
program() {
    local source=$1 name=$2
    shift 2
    # shellcheck disable=SC2086
    $cc -std=c99 -O0 "$@" -isystem "$work/include" -I. "$source" -o "$work/$name.exe" \
        "$work/libbearssl.a" $libraries
}

prefix() {
    [ -e "$WINEPREFIX/system.reg" ] || wineboot -i
    wineserver -w
}

# ---- compile ----

# The examples that aren't about POSIX's own calls.
compile() {
    local file bits
    printf '#define AWS_IMPLEMENTATION\n#include "aws_s3.h"\n' >"$work/implementation.c"
    printf '#include "aws_s3.h"\n#ifdef _WINDOWS_\n#error windows.h\n#endif\n' >"$work/declarations.c"
    # The implementation's file has no min and max, and takes a whole windows.h after winsock2.h.
    printf '#include <winsock2.h>\n#include <windows.h>\n#define AWS_STATIC\n#define AWS_IMPLEMENTATION\n#include "aws_s3.h"\n' \
        >"$work/after_windows.c"
    printf 'static int max(int a) { return a; }\nextern int min;\nint min;\nint main(void) { return max(min); }\n' |
        cat "$work/implementation.c" - >"$work/no_max.c"
    for bits in x86_64 i686; do
        for file in "$work"/{implementation,declarations,after_windows,no_max}.c examples/*.c; do
            case $file in */cares.c | */event_loop.c | */stream.c | */upload_resume.c) continue ;; esac
            echo "$bits-w64-mingw32-gcc -std=c99 $strict $file"
        done
    done | xargs -P "$(nproc)" -I{} sh -c "{} -isystem '$work/include' -I. -fsyntax-only" || return
    # shellcheck disable=SC2086
    x86_64-w64-mingw32-g++ -x c++ -std=c++11 $strict_cxx -isystem "$work/include" -I. -fsyntax-only \
        "$work/implementation.c" || return
    # windows.h without winsock2.h before it: an error says what to do.
    printf '#include <winsock.h>\n#define AWS_IMPLEMENTATION\n#include "aws.h"\n' |
        $cc -std=c99 -isystem "$work/include" -I. -fsyntax-only -xc - 2>"$work/order" && return 1
    grep -q 'include it, or winsock2.h, before windows.h' "$work/order" || return
    echo "no warning"
}

# ---- unit ----

unit_tests="test_bytes test_sign test_http test_xml test_json test_s3 test_checksum test_chunked"
unit_tests="$unit_tests test_credentials test_transfer"

unit() {
    program "tests/$1.c" "$1" && timeout 1200 wine "$work/$1.exe"
}

# ---- port ----

port() {
    local peer
    gcc -std=c99 -I. tests/test_port.c -o "$work/peer_program" -lbearssl || return
    program tests/test_port.c test_port || return
    rm -f "$work/life" "$work/peer"
    mkfifo "$work/life" || return
    "$work/peer_program" --peer <"$work/life" >"$work/peer" &
    exec {life}>"$work/life" # the peer lives as long as this end is open
    for _ in $(seq 1200); do
        [ ! -s "$work/peer" ] || break
        sleep 0.1
    done
    peer=$(cat "$work/peer")
    (cd "$work" && AWS_TEST_PEER=$peer timeout 1200 wine ./test_port.exe) || return
    exec {life}>&-
    life=
}

# ---- tool ----

files() {
    program tests/windows_files.c windows_files &&
        (cd "$work" && timeout 1200 wine ./windows_files.exe "ł 日" "" </dev/null)
}

# s3 ARGUMENT...: the tool, which must succeed.
s3() {
    echo "\$ s3 $*"
    timeout 1200 wine "$work/s3.exe" "$@"
}

# The same files up and down again: in one piece, in parts, in directories whose names no code page
# has, on paths longer than 260 characters; the rest of a file that is standard input.
round_trip() {
    local bucket=$1 ca=$2 deep
    deep=$(printf 'a%.0s' $(seq 120))
    rm -rf up down
    mkdir -p "up/täglich/日本" "up/$deep/$deep"
    head -c 20000001 /dev/urandom >up/large.bin
    head -c 100000 /dev/urandom >"up/täglich/日本/zł.bin"
    echo deep >"up/$deep/$deep/file.txt"
    : >up/empty
    find up -type f -exec touch -d '1 hour ago' {} + # or sync may find them newer than what it stored
    s3 --ca "$ca" mb "s3://$bucket" || return
    s3 --ca "$ca" --checkpoints checkpoints sync up "s3://$bucket/pre" || return
    s3 --ca "$ca" --checkpoints checkpoints cp --recursive "s3://$bucket/pre" down || return
    diff -r up down || return
    [ -z "$(ls checkpoints)" ] || return
    s3 --ca "$ca" sync up "s3://$bucket/pre" >said || return
    [ "$(wc -l <said)" = 1 ] || return # nothing was left to do
    s3 --ca "$ca" cp up\\large.bin "s3://$bucket/backslash/" || return
    s3 --ca "$ca" ls "s3://$bucket/backslash/" | grep -q ' 20000001 large.bin' || return
    truncate -s 4G huge
    head -c 9000001 /dev/urandom >rest
    cat rest >>huge
    (exec <huge && python3 -c 'import os; os.lseek(0, 4 << 30, 0)' &&
        s3 --ca "$ca" cp - "s3://$bucket/rest") || return
    s3 --ca "$ca" cat "s3://$bucket/rest" >back || return # after the line of s3 above
    tail -n +2 back | cmp - rest || return
    rm -f huge
    s3 --ca "$ca" put up/empty "s3://$bucket/bad/a:b" || return
    s3 --ca "$ca" put up/empty "s3://$bucket/bad/..\\..\\evil" || return
    s3 --ca "$ca" put up/empty "s3://$bucket/bad/nul.txt" || return
    wine "$work/s3.exe" --ca "$ca" cp --recursive "s3://$bucket/bad" bad
    [ $? = 2 ] && [ -z "$(ls -A bad 2>/dev/null)" ] || return
    s3 --ca "$ca" rb --force "s3://$bucket"
}

# kill_soon PROCESS: end the tool, which runs in the background, once it has noted a part.
kill_soon() {
    for _ in $(seq 1200); do
        [ -z "$(find checkpoints -name '????????????????')" ] || break
        kill -0 "$1" 2>/dev/null || break
        sleep 0.1
    done
    wine taskkill /f /im s3.exe
    wait "$1"
}

# A transfer in parts that was killed goes on: its lock is free, what it had noted is used.
killed() {
    rm -f back
    head -c 150000000 /dev/urandom >long
    s3 mb s3://killed || return
    s3 --checkpoints checkpoints --parallel 1 cp long s3://killed/long &
    kill_soon $!
    s3 --checkpoints checkpoints cp long s3://killed/long || return
    s3 --checkpoints checkpoints --parallel 1 cp s3://killed/long back &
    kill_soon $!
    s3 --checkpoints checkpoints cp s3://killed/long back || return
    cmp long back && [ -z "$(ls checkpoints)" ] && s3 rb --force s3://killed
}

ceph() {
    start_server rgw "$work/rgw" || return
    with_ceph || { cd "$top" && server_words && return 1; }
}

with_ceph() {
    use_server
    unset AWS_CA_BUNDLE
    rm -rf "$work/files"
    mkdir -p "$work/files"
    cd "$work/files" || return
    round_trip over-https "$CA" || return
    export AWS_ENDPOINT_URL=http://localhost:$HTTP
    round_trip over-http "$CA" || return
    killed || return
    profiles || return
    cd "$top" || return
    echo "files up and down over https and http are the same"
}

# Keys that a profile's program prints, and settings of ~/.aws.
profiles() {
    local home
    for home in "$WINEPREFIX"/drive_c/users/*; do
        mkdir -p "$home/.aws"
        printf '[profile from-program]\nregion = %s\ncredential_process = cmd /c type keys.json\n' \
            "$REGION" >"$home/.aws/config"
        printf '[in-file]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$KEY" "$SECRET" \
            >"$home/.aws/credentials"
    done
    printf '{"Version": 1, "AccessKeyId": "%s", "SecretAccessKey": "%s"}' "$KEY" "$SECRET" >keys.json
    unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
    s3 --profile in-file mb s3://by-profile || return
    s3 --profile from-program ls | grep -q by-profile || return
    echo '{}' >keys.json
    ! s3 --profile from-program ls
}

# TOOL of tests/demo.sh; what it preloads isn't for wine.
demo() {
    program examples/s3.c s3 -O2 || return
    printf '#!/bin/sh\nunset LD_PRELOAD\nexec wine %s/s3.exe "$@"\n' "$work" >"$work/s3"
    chmod +x "$work/s3"
    TOOL=$work/s3 tests/demo.sh
}

[ $# != 0 ] || set -- compile unit port tool
if ! library >"$work/bearssl.log" 2>&1 || ! prefix >"$work/prefix.log" 2>&1; then
    tail -n 20 "$work/bearssl.log" "$work/prefix.log"
    echo "0 passed, 1 failed"
    exit 1
fi
for part in "$@"; do
    case $part in
        compile) verdict compile compile ;;
        unit)
            for name in $unit_tests; do
                verdict "$name" unit "$name"
            done
            ;;
        port) verdict port port ;;
        tool)
            verdict files files
            verdict demo demo
            verdict ceph ceph
            ;;
        *)
            echo "windows.sh: there is no part '$part'" >&2
            exit 2
            ;;
    esac
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

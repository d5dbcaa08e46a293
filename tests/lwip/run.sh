#!/bin/bash
# lwIP on this host, its wire ends in libslirp: port/lwip.h (polled, no OS) and port/lwip_sockets.h
# (lwIP's own thread and sockets) by the contract of ports, and an S3 client on the latter.
#
# port/lwip_sockets.h as Zephyr has it is tested against a stand-in for Zephyr's sockets, and the packages of
# ESP-IDF and Zephyr against stand-ins for their build systems: tests/packages.
#
#   tests/lwip/run.sh [raw] [sockets] [s3] [zephyr] [packages]     all, or those named
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/common.sh
. tests/common.sh
lwip=$(python3 tests/sizes.py --lwip-source)
flags="-g -std=gnu99 -fsanitize=address,undefined -fno-sanitize-recover=all"
warn="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef -Wcast-qual
      -Wstrict-prototypes -Wmissing-prototypes -Werror"
include="-I. -Itests/lwip -isystem $lwip/src/include -isystem $lwip/port/include"
core=("$lwip"/src/core/*.c "$lwip"/src/core/ipv4/*.c "$lwip"/src/core/ipv6/*.c
    "$lwip"/src/netif/ethernet.c)

# of_lwip PLACE FLAGS FILE...: compiles what isn't there yet, prints the objects.
of_lwip() {
    local place=$1 more=$2 file object
    shift 2
    mkdir -p "$place"
    for file in "$@"; do
        object=$place/$(basename "$file" .c).o
        [ "$object" -nt tests/lwip/lwipopts.h ] || printf '%s\0%s\0' "$file" "$object"
    done | xargs -0 -r -n 2 -P "$(nproc)" sh -c "gcc -O1 $flags $more $include -w -c \"\$0\" -o \"\$1\""
    for file in "$@"; do
        echo "$place/$(basename "$file" .c).o"
    done
}

# build PROGRAM FLAGS FILE...: the tests' own files, without a warning.
build() {
    local program=$1 more=$2
    shift 2
    # shellcheck disable=SC2086
    gcc $flags $warn $more $include "$@" -o "$program" -pthread -lslirp -lbearssl
}

# shellcheck disable=SC2086
compile() {
    gcc $flags $warn $2 $include -c "$1" -o "$3"
}

# Each part has a folder, $place.
raw() {
    mapfile -t objects < <(of_lwip "$place" "" "${core[@]}")
    compile tests/lwip/wire.c "" "$place/wire.o"
    build "$place/test_port" "-DAWS_TEST_PORT_HEADER=\"lwip/port.h\" -DAWS_TEST_PORT=lwip_port()" \
        tests/test_port.c "$place/wire.o" "${objects[@]}"
    timeout 1200 "$place/test_port"
}

# What all programs on lwIP's sockets need, in the array objects.
threads() {
    local place=build/lwip/threads
    mapfile -t objects < <(of_lwip $place -DNO_SYS=0 "${core[@]}" "$lwip"/src/api/*.c \
        "$lwip/port/sys_arch.c")
    compile tests/lwip/wire.c "" $place/wire.o
    compile tests/lwip/threads.c "-DNO_SYS=0 -DAWS_NO_DEFAULT_PORT" $place/threads.o
    objects+=("$place/wire.o" "$place/threads.o")
}

# port_alone FLAGS: without the client, which the test of ports has.
port_alone() {
    cat >"$place/port.c" <<'END'
#define _POSIX_C_SOURCE 200809L
#include "aws.h"
#define AWS_IMPLEMENTATION
#include "port/lwip_sockets.h"
END
    compile "$place/port.c" "-DAWS_NO_DEFAULT_PORT $1" "$place/port.o"
}

sockets() {
    port_alone "-DNO_SYS=0 -DLWIP_IPV6=0" # it compiles
    port_alone -DNO_SYS=0
    build "$place/test_port" \
        "-DAWS_TEST_PORT_HEADER=\"lwip/threads_port.h\" -DAWS_TEST_PORT=lwip_threads_begin()" \
        tests/test_port.c "$place/port.o" "${objects[@]}"
    timeout 1200 "$place/test_port"
}

zephyr() {
    echo "const aws_port *aws_lwip_sockets_port(void);" >"$place/port.h"
    port_alone "-D__ZEPHYR__=1 -DCONFIG_POSIX_TIMERS=1 -Itests/packages/zephyr/include"
    build "$place/test_port" "-DAWS_TEST_PORT_HEADER=\"$place/port.h\"
        -DAWS_TEST_PORT=aws_lwip_sockets_port()" tests/test_port.c "$place/port.o"
    timeout 1200 "$place/test_port"
}

# server: an S3 server, its CA in anchors.h, its keys in the environment.
server() {
    start_server own "$place/server"
    python3 port/make_roots.py anchors "$CA" >"$place/anchors.h"
    export AWS_ACCESS_KEY_ID=$KEY AWS_SECRET_ACCESS_KEY=$SECRET
}

s3() {
    local code=0
    server
    compile port/lwip_sockets.c "-DNO_SYS=0 -DAWS_NO_DEFAULT_PORT" "$place/client.o"
    build "$place/put_get" "-DNO_SYS=0 -DAWS_NO_DEFAULT_PORT -I$place" tests/lwip/put_get.c \
        "$place/client.o" "${objects[@]}"
    timeout 1200 "$place/put_get" lwip-bucket "http://localhost:$HTTP" "https://localhost:$HTTPS" ||
        code=$?
    stop_server
    return "$code"
}

packages() {
    local code=0
    server
    printf "$PWD/%s\n" "${objects[@]}" >"$place/objects"
    AWS_ENDPOINT_URL=https://localhost:$HTTPS python3 tests/test_packaging.py rtos "$place" || code=$?
    stop_server
    return "$code"
}

# Side by side: most of it is a compiler that runs alone.
threads
[ $# != 0 ] || set -- raw sockets s3 zephyr packages
running=() failed=0
for part in "$@"; do
    place=build/lwip/$part
    mkdir -p "$place"
    ("$part") >"$place/log" 2>&1 &
    running+=($!)
done
for part in "$@"; do
    wait "${running[0]}" || failed=1
    running=("${running[@]:1}")
    cat "build/lwip/$part/log"
done
[ "$failed" = 0 ]

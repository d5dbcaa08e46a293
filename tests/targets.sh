#!/bin/bash
# The unit tests on other machines than the one they were written on: 32 bits, another libc, and a
# big-endian processor in the emulator. Debian has no BearSSL for these, so it is built from Debian's
# source.
#
#   tests/targets.sh [NAME...]     of: m32 musl powerpc static cortex; without a name all of them. static
#                                  is examples/s3.c as one small file, with musl: build/s3-static; cortex
#                                  is tests/cortex.py
#
# Installs what is missing (tests/install.sh targets). Ends with "N passed, N failed".

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
tests/install.sh build test targets || exit 1
mkdir -p build/targets
source=$(python3 tests/sizes.py --bearssl-source) || exit 1

# Several targets side by side, each by this script.
[ $# != 0 ] || set -- powerpc cortex m32 musl static # first what takes longest
if [ $# != 1 ]; then
    mkdir -p build/targets
    rm -f build/targets/*.log
    printf '%s\n' "$@" |
        xargs -P "$(nproc)" -I{} sh -c 'tests/targets.sh {} >build/targets/{}.log 2>&1'
    for name in "$@"; do
        cat "build/targets/$name.log"
    done
    passed=$(cat build/targets/*.log | grep -c '^ok ')
    failed=$(cat build/targets/*.log | grep -c '^FAILED ')
    ended=$(grep -l '^[0-9]* passed, 0 failed$' build/targets/*.log | wc -l)
    [ "$ended" = $# ] || [ "$failed" != 0 ] || failed=1
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
fi

# Sockets and the emulator's wait don't mix well, and the torture takes hours there.
left_out_everywhere="test_torture test_torture_calls"
passed=0 failed=0

# target NAME COMPILER ARCHIVER RUNNER LEFT_OUT FLAG...: the library, then each test.
target() {
    local name=$1 compiler=$2 archiver=$3 runner=$4 left_out=$5 work=build/targets/$1 file test
    shift 5
    mkdir -p "$work/include"
    cp "$source"/inc/*.h /usr/include/jsmn.h "$work/include/"
    if [ ! -e "$work/libbearssl.a" ]; then
        make -s -j"$(nproc)" -C "$source" lib CONF=Unix BUILD="$PWD/$work" CC="$compiler" \
            AR="$archiver" CFLAGS="-O1 $*" LD="$compiler" >"$work/bearssl.log" 2>&1 || {
            tail -n 20 "$work/bearssl.log"
            failed=$((failed + 1))
            return
        }
    fi
    for file in tests/test_*.c; do
        test=$(basename "$file" .c)
        case " $left_out_everywhere $left_out " in *" $test "*) continue ;; esac
        if $compiler -std=c99 "${level:--O1}" "$@" -isystem "$work/include" -I. "$file" -o "$work/$test" \
            "$work/libbearssl.a" -lpthread -lm >"$work/$test.log" 2>&1 &&
            timeout 2400 ${runner:+"$runner"} "$work/$test" >>"$work/$test.log" 2>&1; then
            passed=$((passed + 1))
            echo "ok     $name/$test: $(tail -n 1 "$work/$test.log")"
        else
            failed=$((failed + 1))
            echo "FAILED $name/$test"
            tail -n 20 "$work/$test.log"
        fi
    done
}

# What only linkers and debuggers read of a program, 1 KB: its table of sections.
cut_sections() {
    python3 - "$1" <<'END'
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
start, = struct.unpack_from("<Q", data, 0x20)
size, count = struct.unpack_from("<HH", data, 0x36)
segments = [struct.unpack_from("<IIQQQQ", data, start + size * i) for i in range(count)]
data[0x28:0x30] = bytes(8)   # where it is
data[0x3C:0x40] = bytes(4)   # how many there are, and which one has their names
open(sys.argv[1], "wb").write(data[:max(one[2] + one[5] for one in segments)])
END
}

# The tool in one file, stripped, with TLS: not larger than that, and it works.
static_limit=204800
static_tool() {
    local work=build/targets/static small size compiler=musl-gcc
    small="-Oz -ffunction-sections -fdata-sections -fno-pie -fno-asynchronous-unwind-tables"
    small="$small -fno-unwind-tables -fno-ident -fno-stack-protector -fno-jump-tables -fno-ipa-sra"
    small="$small -malign-data=abi -fipa-pta -fno-tree-sra"
    mkdir -p "$work/include"
    cp "$source"/inc/*.h /usr/include/jsmn.h "$work/include/"
    [ -e "$work/libbearssl.a" ] ||
        make -s -j"$(nproc)" -C "$source" lib CONF=Unix BUILD="$PWD/$work" CC=$compiler AR=ar \
            LD=$compiler CFLAGS="$small -DBR_AES_X86NI=0 -DBR_SSE2=0 -DBR_RDRAND=0" \
            >"$work/bearssl.log" 2>&1 || return
    # shellcheck disable=SC2086
    $compiler -std=c99 $small -DAWS_SMALL -DAWS_SMALL_CRC -DAWS_SMALL_SHA256 \
        -DAWS_TLS_SMALL -DAWS_POSIX_NO_HEAP -static -no-pie -Wl,--gc-sections,--build-id=none \
        -Wl,-z,norelro,-z,noseparate-code,-z,common-page-size=64,-Map="$work/s3.map" \
        -isystem "$work/include" -I. examples/s3.c -o "$work/s3" "$work/libbearssl.a" || return
    strip -s -R .comment "$work/s3" -o build/s3-static || return
    cut_sections build/s3-static || return
    size=$(wc -c <build/s3-static)
    echo "build/s3-static: $size bytes"
    [ "$size" -le "$static_limit" ] || return
    TOOL=$PWD/build/s3-static tests/demo.sh
}

if [ "$1" = cortex ]; then
    tests/install.sh arm && exec python3 tests/cortex.py
    exit 1
fi
if [ "$1" = static ]; then
    if static_tool >build/targets/static.out 2>&1; then
        passed=1
        echo "ok     static: $(grep '^build/s3-static' build/targets/static.out)"
    else
        failed=1
        echo "FAILED static"
        tail -n 20 build/targets/static.out
    fi
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
fi

case $1 in
    m32) target m32 gcc ar "" "" -m32 -idirafter "/usr/include/$(gcc -print-multiarch)" ;;
    musl) level=-O0 target musl "musl-gcc" ar "" "" -static ;; # only the libc is another one
    powerpc)
        target powerpc "powerpc-linux-gnu-gcc-$(gcc -dumpversion)" powerpc-linux-gnu-ar \
            qemu-ppc test_port -static
        ;;
    *)
        echo "targets.sh: no target '$1'" >&2
        exit 2
        ;;
esac
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

#!/bin/bash
# The demonstration behind `make demo`: the tool of examples/s3.c against a server on loopback,
# over https with the certificate checked. Exit code 0 only if everything came out as it should.
#
#   tests/demo.sh                     the embedded server, tests/s3_server.py
#   DEMO_SERVER=rgw tests/demo.sh     a real one: rgw, rgw20 or swift, by tests/servers/NAME.sh

set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
# shellcheck source=tests/common.sh
. tests/common.sh
server=${DEMO_SERVER:-own}
work=$(mktemp -d "${TMPDIR:-/tmp}/aws-demo.XXXXXX")
failed=0

finish() {
    cd "$top"
    stop_server
    rm -rf "$work"
}
trap finish EXIT

wrong() {
    echo "demo: WRONG: $*"
    failed=$((failed + 1))
}

# s3 WANTED_EXIT_CODE ARGUMENT...: shows the command and what it says, and counts its heap calls.
s3() {
    local wanted=$1 code=0 word line="\$ s3"
    shift
    for word in "$@"; do
        case $word in
            *" "*) line="$line '$word'" ;;
            *) line="$line $word" ;;
        esac
    done
    echo "$line"
    HEAP_REPORT=$work/heap LD_PRELOAD=$heap "$tool" "$@" >"$work/said" 2>&1 || code=$?
    head -n 12 "$work/said" | sed 's/^/    /'
    [ "$(wc -l <"$work/said")" -le 12 ] || echo "    ..."
    [ "$code" = "$wanted" ] || wrong "exit code $code, not $wanted"
}

# said TEXT: the last command said it.
said() {
    grep -qF -- "$1" "$work/said" || wrong "it did not say '$1'"
}

same() {
    if cmp "$1" "$2"; then
        echo "    $2 is the same as $1: $(sha256sum <"$2" | cut -c1-16)..., $(wc -c <"$2") bytes"
    else
        wrong "$2 differs from $1"
    fi
}

mkdir -p build
tool=${TOOL:-$PWD/build/s3} # another build of it: tests/targets.sh
heap=$PWD/build/heap.so
cc=${CC:-cc}
# In one move: other tests may be using them.
if [ -z "${TOOL:-}" ]; then
    $cc -std=c99 -O2 -I. examples/s3.c -lbearssl -o "$work/s3"
    mv "$work/s3" "$tool"
fi
$cc -O2 -shared -fPIC tests/heap.c -o "$work/heap.so" -ldl
mv "$work/heap.so" "$heap"

start_server "$server" "$work/server"
use_server
echo "server '$server' at $AWS_ENDPOINT_URL; s3 is examples/s3.c, $(wc -c <"$tool") bytes"

cd "$work"
: >heap
echo "hello from a program without a heap" >hello.txt
head -c 3000001 /dev/urandom >picture.raw

echo "== a bucket"
s3 0 mb s3://demo-bucket
s3 0 ls
said demo-bucket
echo "== upload"
s3 0 put hello.txt s3://demo-bucket/
s3 0 put picture.raw s3://demo-bucket/2026/07/picture.raw
s3 0 put hello.txt "s3://demo-bucket/2026/odd//../key +%41 ü"
echo "== listing"
s3 0 ls s3://demo-bucket
said "PRE 2026/"
s3 0 --recursive ls s3://demo-bucket
said "   3000001 2026/07/picture.raw"
said "        36 2026/odd//../key +%41 ü"
echo "== download and compare"
s3 0 get s3://demo-bucket/2026/07/picture.raw copy.raw
same picture.raw copy.raw
s3 0 cat "s3://demo-bucket/2026/odd//../key +%41 ü"
said "hello from a program without a heap"
echo "== what goes wrong is said"
s3 1 get s3://demo-bucket/missing
said "404"
[ ! -e missing ] || wrong "a failed download left a file"
AWS_SECRET_ACCESS_KEY=wrong s3 254 ls
said "SignatureDoesNotMatch"
echo "== the certificate is checked: another CA did not sign it"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key \
    -subj "/CN=test CA" -out other.pem 2>openssl.log || wrong "$(tail -n 1 openssl.log)"
s3 255 --ca other.pem ls
said "not from a CA that is trusted"
echo "== delete"
s3 1 rb s3://demo-bucket
said "BucketNotEmpty"
s3 0 rm s3://demo-bucket/hello.txt
s3 0 --recursive rm s3://demo-bucket/2026/
s3 0 --recursive ls s3://demo-bucket
[ ! -s said ] || wrong "something is left in the bucket"
s3 0 rb s3://demo-bucket
echo "== memory"
s3 0 --stats --memory 30720 ls
said "client block 30720"
echo "    heap calls of the $(wc -l <heap) commands above, getaddrinfo's aside:" \
    "$(awk '{sum += $3} END {print sum + 0}' heap)"
[ -n "${TOOL:-}" ] || [ "$(grep -c 'heap calls: 0 ' heap)" = "$(wc -l <heap)" ] ||
    wrong "the heap was used"

if [ "$failed" = 0 ]; then
    echo "demo: all as it should be"
else
    (cd "$top" && server_words)
    echo "demo: $failed wrong"
    exit 1
fi

#!/bin/bash
# valgrind over the tool's whole work, http and https, and over those of tests/test_*.c that take
# less than half a second without it. It sees what the sanitizers don't: memory never written to that
# decides something, inside BearSSL too; and so whether a secret decides how long something takes.

set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tests/common.sh
. tests/common.sh
top=$PWD
work=$(mktemp -d "${TMPDIR:-/tmp}/aws-valgrind.XXXXXX")
trap 'cd "$top"; stop_server; rm -rf "$work"' EXIT

checked() {
    timeout 1200 valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=all "$@"
}

s3() {
    echo "s3 $*"
    checked "$top/build/s3" "$@"
}

start_server own "$work/server"
use_server
cd "$work"
head -c 300001 /dev/urandom >file
for AWS_ENDPOINT_URL in "https://localhost:$HTTPS" "http://localhost:$HTTP"; do
    export AWS_ENDPOINT_URL
    s3 mb s3://bucket
    s3 put file s3://bucket/a/b
    s3 --recursive ls s3://bucket
    s3 get s3://bucket/a/b copy
    cmp file copy
    code=0
    s3 get s3://bucket/missing || code=$?
    [ "$code" = 1 ]
    s3 --force rb s3://bucket
done
cd "$top"
for file in tests/test_*.c; do
    name=$(basename "$file" .c)
    make -s "build/plain/$name" || continue # said by its own step
    code=0
    timeout 0.5 "build/plain/$name" >"$work/said" 2>&1 || code=$?
    if [ "$code" = 0 ]; then
        echo "$name"
        checked "build/plain/$name" >"$work/said" 2>&1 || {
            tail -n 30 "$work/said"
            exit 1
        }
    fi
done

# Signing takes the same time for all keys; and if it didn't, that would be seen.
gcc -std=c99 -O0 -g -I. tests/constant_time.c -lbearssl -o "$work/constant_time"
constant() {
    checked --suppressions=tests/constant_time.supp "$work/constant_time" "$@" >"$work/said" 2>&1
}
echo constant_time
constant || {
    cat "$work/said"
    exit 1
}
if constant leak; then
    echo "valgrind has not seen a branch that depends on the key"
    exit 1
fi

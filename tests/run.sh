#!/bin/bash
# All tests that need no other server: the steps behind `make test`. Prints a line for each and, at
# the end, "N passed, N failed".
#
#   tests/run.sh [WORD...]     only the steps whose names contain one of the words
#
# A step is a name and a command; what it says goes to build/log/NAME and is shown if it fails. New
# files tests/test_*.c, tests/test_*.py and examples/*.c are found by themselves. JOBS steps run at
# once (as many as there are processors). COVERED=1 leaves out the steps plain/..., which
# tests/coverage.py compiles and runs as well.

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
log=build/log

# The one that xargs calls: run.sh --step NAME COMMAND
if [ "${1:-}" = --step ]; then
    name=$2 file=$log/${2//\//.}
    begin=$(date +%s%N)
    if timeout 2400 bash -c "set -euo pipefail; $3" >"$file" 2>&1 </dev/null; then
        verdict=ok
    else
        verdict=FAILED
    fi
    tenths=$((($(date +%s%N) - begin) / 100000000))
    note=$(sed -n 's/^NOTE: //p' "$file")
    {
        printf '%-6s %-32s %3d.%d s%s\n' "$verdict" "$name" $((tenths / 10)) $((tenths % 10)) \
            "${note:+  NOTE: $note}"
        [ "$verdict" = ok ] || tail -n 25 "$file" | sed 's/^/       | /'
    } >"$file.report"
    cat "$file.report" # in one write: steps run side by side
    echo "$verdict $name" >>"$log/verdicts"
    exit 0
fi

steps=()
step() {
    steps+=("$1" "$2")
}

base() {
    basename "$1" ".${1##*.}"
}

for file in tests/test_*.c; do
    name=$(base "$file")
    if [ "${COVERED:-0}" != 1 ] || [[ $name = test_*_small ]]; then
        step "plain/$name" "make -s build/plain/$name; build/plain/$name"
    fi
    step "sanitized/$name" "make -s build/sanitized/$name; build/sanitized/$name"
    case ${name#test_} in # where most of the short code is; XML and HTTP have tests of their own
        attempts | chunked | exchange | objects | s3 | services | sign | torture_calls)
            step "short/$name" "make -s build/short/$name; build/short/$name"
            ;;
    esac
done
for file in tests/test_*.py; do
    step "python/$(base "$file")" "python3 $file"
done
for combination in $(tests/matrix.sh --names); do
    step "matrix/$combination" "tests/matrix.sh $combination"
done
step names "python3 tests/names.py"
step demo "tests/demo.sh"
step valgrind "tests/valgrind.sh"

# Words on the command line choose.
chosen=()
for ((i = 0; i < ${#steps[@]}; i += 2)); do
    [ $# = 0 ] && chosen+=("${steps[i]}" "${steps[i + 1]}")
    for word in "$@"; do
        case ${steps[i]} in
            *"$word"*)
                chosen+=("${steps[i]}" "${steps[i + 1]}")
                break
                ;;
        esac
    done
done
if [ ${#chosen[@]} = 0 ]; then
    echo "run.sh: no step is called like this: $*" >&2
    exit 1
fi

rm -rf "$log"
mkdir -p "$log"
: >"$log/verdicts"
# These are shared, so they are made before steps run side by side.
make -s build/s3 build/heap.so || exit 1
printf '%s\0' "${chosen[@]}" | xargs -0 -n 2 -P "${JOBS:-$(nproc)}" "$0" --step

passed=$(grep -c '^ok ' "$log/verdicts")
failed=$((${#chosen[@]} / 2 - passed))
sed -n 's/^FAILED /failed: /p' "$log/verdicts"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

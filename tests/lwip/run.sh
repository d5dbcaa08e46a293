#!/bin/bash
# The contract of a port, port/README.md, on lwIP: built for this host, its wire ends in libslirp.
set -euo pipefail
cd "$(dirname "$0")/../.."
lwip=$(python3 tests/sizes.py --lwip-source)
place=build/lwip
mkdir -p "$place"
flags="-O1 -g -std=gnu99 -fsanitize=address,undefined -fno-sanitize-recover=all"
warn="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef -Wcast-qual
      -Wstrict-prototypes -Wmissing-prototypes"
sources=$(ls "$lwip"/src/core/*.c "$lwip"/src/core/ipv4/*.c "$lwip"/src/core/ipv6/*.c \
    "$lwip"/src/netif/ethernet.c)
objects=()
for file in $sources; do
    object=$place/$(basename "$file" .c).o
    # shellcheck disable=SC2086
    [ "$object" -nt tests/lwip/lwipopts.h ] || gcc $flags -Itests/lwip -I"$lwip/src/include" -w -c "$file" -o "$object"
    objects+=("$object")
done
# shellcheck disable=SC2086
gcc $flags $warn -Itests/lwip -c tests/lwip/wire.c -o "$place/wire.o"
# shellcheck disable=SC2086
gcc $flags $warn -I. -Itests/lwip -isystem "$lwip/src/include" -DAWS_TEST_PORT_HEADER='"lwip/port.h"' \
    -DAWS_TEST_PORT='lwip_port()' tests/test_port.c "$place/wire.o" "${objects[@]}" \
    -o "$place/test_port" -lslirp -lbearssl
"$place/test_port"

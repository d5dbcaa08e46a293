#!/bin/bash
# The ways in which the headers can be compiled, each without a warning.
#
#   tests/matrix.sh --names         prints the combinations
#   tests/matrix.sh COMBINATION     tries one
#
# Most combinations compile the implementation, the bare declarations, and all examples (those only
# as C). Others link and run a small program; see the functions below.

# Flags are lists of words here.
# shellcheck disable=SC2086,SC2046
set -euo pipefail
cd "$(dirname "$0")/.."

strict_cxx="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef -Wcast-qual
    -Werror"
strict="$strict_cxx -Wstrict-prototypes -Wmissing-prototypes"
combinations="gcc-c99 gcc-c11 gcc-c17 gcc-c2x gcc-gnu99 gcc-O3 gcc-Os gcc-m32
    clang-c99 clang-c11 clang-c17 clang-c2x clang-gnu99
    g++-c++11 g++-c++20 clang++-c++11 clang++-c++20
    musl-c99 static no-tls tls-small no-roots no-port no-json two-files own-jsmn cortex-m"

if [ "${1:-}" = --names ]; then
    echo $combinations
    exit
fi
combination=$1
work=build/matrix/$combination
rm -rf "$work"
mkdir -p "$work"

# Another libc's compiler must not see this one's headers, only BearSSL's and jsmn's.
bearssl_headers() {
    mkdir -p "$work/include"
    cp -r /usr/include/bearssl* /usr/include/jsmn.h "$work/include/"
    echo "-isystem $work/include"
}

write_sources() {
    local extension=$1
    printf '#define AWS_IMPLEMENTATION\n#include "aws_s3.h"\n' >"$work/implementation.$extension"
    printf '#include "aws_s3.h"\n' >"$work/declarations.$extension"
    # A translation unit that has seen libc first, as most do.
    printf '#include <stdio.h>\n#include <string.h>\n#include "aws_s3.h"\n' \
        >"$work/after_libc.$extension"
    # Both headers one by one, and twice.
    printf '#define AWS_IMPLEMENTATION\n#include "aws.h"\n#include "aws_s3.h"\n#include "aws.h"\n' \
        >"$work/twice.$extension"
}

# The implementation is compiled as the combination says, the other files are only looked at:
# warnings that need the compiler's later parts have come by then.
fastest() {
    case $1 in
        */implementation.*) ;;
        *) echo -fsyntax-only ;;
    esac
}

# compile_c COMPILER FLAG...
compile_c() {
    local compiler=$1 file
    shift
    write_sources c
    # Declarations without definitions are of no use there.
    case "$*" in *AWS_STATIC*) rm "$work/declarations.c" "$work/after_libc.c" ;; esac
    for file in "$work"/*.c; do
        $compiler $strict "$@" $(fastest "$file") -I. -c "$file" -o "${file%.c}.o"
    done
}

compile_examples() {
    local compiler=$1 file
    shift
    for file in examples/*.c; do
        $compiler $strict "$@" -I. -c "$file" -o "$work/example.o"
    done
}

compile_cxx() {
    local compiler=$1 file
    shift
    write_sources cpp
    case "$*" in *AWS_STATIC*) rm "$work/declarations.cpp" "$work/after_libc.cpp" ;; esac
    for file in "$work"/*.cpp; do
        $compiler $strict_cxx "$@" $(fastest "$file") -I. -c "$file" -o "${file%.cpp}.o"
    done
    # The manual's C++ form, linked and run.
    cat >"$work/program.cpp" <<'END'
#define AWS_IMPLEMENTATION
#include "aws_s3.h"
#include <cstring>
int main()
{
    static unsigned char memory[AWS_CLIENT_MEMORY];
    aws_config config = aws_config();
    aws_session session;
    aws_client client;
    config.region = "EU/";
    aws_session_init(&session, &config);
    int r = aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory);
    return r == AWS_ERR_PARAM && std::strstr(aws_client_failure_text(&client), "'EU/'") ? 0 : 1;
}
END
    $compiler $strict_cxx "$@" -I. "$work/program.cpp" -o "$work/program" -lbearssl
    "$work/program"
}

# Declarations in one file, the implementation, compiled with other macros and as another
# language, in the other: they agree about every struct, and link.
two_files() {
    cat >"$work/sizes.h" <<'END'
#define SIZES(X)                                                                                  \
    X(aws_session) X(aws_client) X(aws_config) X(aws_failure) X(aws_port) X(aws_trust)            \
    X(aws_s3_args) X(aws_s3_result) X(aws_s3_objects) X(aws_s3_bucket) X(aws_xml) X(aws_call)          \
    X(aws_json) X(aws_json_token) X(aws_json_writer)
END
    cat >"$work/user.c" <<'END'
#include <stdio.h>
#include "aws_s3.h"
#include "sizes.h"
extern const size_t sizes_there[];
#define SIZE(type) sizeof(type),
static const size_t sizes_here[] = {SIZES(SIZE)};
int main(void)
{
    static unsigned char memory[AWS_CLIENT_MEMORY];
    static aws_session session;
    static aws_client client;
    aws_config config = {0};
    aws_s3_bucket bucket;
    size_t i;
    for (i = 0; i < sizeof sizes_here / sizeof *sizes_here; i++)
        if (sizes_here[i] != sizes_there[i])
            return printf("struct %lu differs\n", (unsigned long)i), 1;
    config.region = "eu-west-1";
    config.endpoint = "http://localhost:1";
    config.access_key_id = config.secret_access_key = "x";
    config.max_attempts = 1;
    aws_session_init(&session, &config);
    if (aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory) != 0)
        return puts(aws_client_failure_text(&client)), 1;
    aws_s3_bucket_init(&bucket, &client, "b1");
    return aws_s3_bucket_exists(&bucket) == AWS_ERR_CONNECT ? 0 : 1;
}
END
    cat >"$work/library.c" <<'END'
#define AWS_IMPLEMENTATION
#include "aws_s3.h"
#include "sizes.h"
#ifdef __cplusplus
extern "C" {
#endif
extern const size_t sizes_there[];
#define SIZE(type) sizeof(type),
const size_t sizes_there[] = {SIZES(SIZE)};
#ifdef __cplusplus
}
#endif
END
    gcc -std=c99 $strict -I. -c "$work/user.c" -o "$work/user.o"
    local macros
    for macros in "" -DAWS_NO_TLS -DAWS_TLS_SMALL -DAWS_SMALL "-DAWS_NO_ROOTS"; do
        gcc -std=c99 $strict $macros -I. -c "$work/library.c" -o "$work/library.o"
        gcc "$work/user.o" "$work/library.o" -o "$work/two" -lbearssl
        "$work/two"
    done
    cp "$work/library.c" "$work/library.cpp"
    g++ -std=c++11 $strict_cxx -I. -c "$work/library.cpp" -o "$work/library.o"
    g++ "$work/user.o" "$work/library.o" -o "$work/two" -lbearssl
    "$work/two"
}

# A user's own jsmn.h, with any macros, before or after ours.
own_jsmn() {
    local order
    for order in before after; do
        {
            [ $order = before ] && printf '#define JSMN_PARENT_LINKS\n#include <jsmn.h>\n'
            printf '#define AWS_IMPLEMENTATION\n#include "aws_s3.h"\n'
            [ $order = after ] && printf '#define JSMN_PARENT_LINKS\n#include <jsmn.h>\n'
            cat <<'END'
int main(void)
{
    jsmn_parser parser;
    jsmntok_t tokens[8];
    aws_session session;
    jsmn_init(&parser);
    aws_session_init(&session, NULL);
    return jsmn_parse(&parser, "{\"a\":[1]}", 9, tokens, 8) == 4 && tokens[3].parent == 2 ? 0 : 1;
}
END
        } >"$work/$order.c"
        # jsmn.h itself is not written for our warnings.
        gcc -std=gnu99 -Wall -Wextra -Werror -I. "$work/$order.c" -o "$work/$order" -lbearssl
        "$work/$order"
    done
}

# The object for a Cortex-M4: it may ask for BearSSL, for what the compiler itself needs, and for
# these functions of libc. malloc, printf, time and the like would stand out.
cortex_m() {
    local include macros cpu unknown
    include=$(bearssl_headers)
    printf '#define AWS_IMPLEMENTATION\n#include "aws_s3.h"\n' >"$work/implementation.c"
    for cpu in cortex-m0plus cortex-m4; do
        for macros in "" -DAWS_NO_TLS; do
            arm-none-eabi-gcc --specs=picolibc.specs -std=c99 -Os -mthumb -mcpu=$cpu $strict \
                $macros $include -I. -c "$work/implementation.c" -o "$work/$cpu.o"
            unknown=$(arm-none-eabi-nm -u "$work/$cpu.o" | sed 's/^ *U //' |
                grep -vE '^(br_|__aeabi_|__gnu_thumb1_)' |
                grep -vxE 'mem(cpy|move|set|cmp|chr)|str(len|n?cmp|r?chr|c?spn|pbrk|str)' || :)
            if [ -n "$unknown" ]; then
                echo "the object for $cpu $macros needs more of libc:" $unknown
                return 1
            fi
        done
    done
}

case $combination in
    gcc-O3) compile_c gcc -std=c99 -O3 ;;
    gcc-Os) compile_c gcc -std=c99 -Os ;;
    gcc-m32) # Debian's gcc-N-multilib has no asm/ of its own
        m32="-m32 -idirafter /usr/include/$(gcc -print-multiarch)"
        compile_c gcc $m32 -std=c99 -O1 && compile_examples gcc $m32 -std=c99 -fsyntax-only
        ;;
    gcc-* | clang-*)
        level=-O0
        case $combination in *-c99) level=-O2 ;; esac
        compile_c "${combination%%-*}" "-std=${combination#*-}" $level
        case $combination in
            gcc-c99 | clang-c99) compile_examples "${combination%%-*}" -std=c99 -O0 ;;
            gcc-gnu99 | gcc-c2x) # another language, the same compiler
                compile_examples gcc "-std=${combination#*-}" -fsyntax-only
                ;;
        esac
        ;;
    g++-* | clang++-*) compile_cxx "${combination%%-*}" "-std=${combination#*-}" -O0 ;;
    musl-*) compile_c musl-gcc "-std=${combination#*-}" -O1 $(bearssl_headers) ;;
    static)
        for compiler in gcc clang; do
            compile_c $compiler -std=c99 -O1 -DAWS_STATIC
            [ -z "$(nm -g --defined-only "$work/implementation.o")" ]
        done
        compile_cxx g++ -std=c++11 -O0 -DAWS_STATIC
        compile_cxx clang++ -std=c++11 -O0 -DAWS_STATIC
        ;;
    no-tls)
        for compiler in gcc clang; do
            compile_c $compiler -std=c99 -O1 -DAWS_NO_TLS
            if nm -u "$work/implementation.o" | grep -E 'br_(ssl|x509|aes|ecdsa)'; then
                echo "AWS_NO_TLS still needs BearSSL's engine"
                exit 1
            fi
        done
        ;;
    tls-small) compile_c gcc -std=c99 -O1 -DAWS_TLS_SMALL -DAWS_SMALL ;;
    no-roots) compile_c gcc -std=c99 -O1 -DAWS_NO_ROOTS ;;
    no-port) compile_c gcc -std=c99 -O1 -DAWS_NO_DEFAULT_PORT ;;
    no-json)
        compile_c gcc -std=c99 -O1 -DAWS_NO_JSON
        ! nm "$work/implementation.o" | grep jsmn
        ;;
    two-files) two_files ;;
    own-jsmn) own_jsmn ;;
    cortex-m) cortex_m ;;
    *)
        echo "matrix.sh: no combination '$combination'" >&2
        exit 2
        ;;
esac

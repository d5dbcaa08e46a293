/* fuzz_http.c - libFuzzer: one answer to a GET, read whole, in pieces and cut short.
 *
 *     clang -std=c99 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. \
 *         tests/fuzz_http.c -lbearssl -o build/fuzz_http && build/fuzz_http -max_len=2000
 *
 * SPDX-License-Identifier: MIT
 *
 * Holds: any split gives the same result, status, headers and body; a call succeeds on the bytes
 * that it needs and on no prefix of them; the bytes stored are those that the headers announce;
 * each header's value stands in the answer, also after a failure.
 */
#define _GNU_SOURCE /* memmem */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "../aws_s3.h"
#include "fuzz_port.h"

typedef struct outcome {
    int    result, status, code, header_count;
    size_t header_hash;
    char   body[600];
    size_t used; /* bytes of the answer that were read */
} outcome;

static size_t hash_text(size_t hash, const char *text)
{
    while (*text)
        hash = (hash ^ (unsigned char)*text++) * 16777619u;
    return hash * 31 + 1;
}

static void run(outcome *o, const uint8_t *data, size_t size, unsigned after, uint32_t splits)
{
    static unsigned char memory[AWS_CLIENT_MEMORY_HTTP];
    static fuzz_port f;
    static aws_session session;
    static aws_client client;
    aws_config config;
    aws_s3_args args;
    aws_s3_result result;
    aws_pair header;
    const char *length;

    memset(o, 0, sizeof *o);
    memset(&config, 0, sizeof config);
    memset(&args, 0, sizeof args);
    memset(memory, 'Z', sizeof memory); /* what isn't terminated is seen */
    fuzz_port_init(&f, splits, splits != 0);
    f.answers[0].data = data;
    f.answers[0].size = size;
    f.answers[0].after = after;
    f.count = 1;
    config.port = &f.port;
    config.region = "us-east-1";
    config.endpoint = "http://h:9";
    config.access_key_id = "A";
    config.secret_access_key = "S";
    config.max_attempts = 1;
    aws_session_init(&session, &config);
    INVARIANT(aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory) == 0);
    args.bucket = "b";
    args.key = "k";
    args.buffer = o->body;
    args.buffer_size = sizeof o->body - 1;
    o->result = aws_s3_get_object(&client, &args, &result);
    o->status = aws_client_status(&client);
    o->code = aws_client_failure(&client)->code;
    o->used = f.at;
    if (o->result >= 0) {
        INVARIANT(o->status >= 200 && o->status < 300 && result.status == o->status);
        INVARIANT(o->code == 0);
        length = aws_client_header(&client, "Content-Length");
        if (length && o->status != 204)
            INVARIANT((uint64_t)o->result == strtoull(length, NULL, 10));
    } else {
        INVARIANT(o->result == o->code && strlen(aws_client_failure_text(&client)) > 4);
    }
    while (aws_client_header_at(&client, (unsigned)o->header_count, &header)) {
        size_t length_of = strlen(header.value);
        o->header_count++;
        o->header_hash = hash_text(hash_text(o->header_hash, header.name), header.value);
        INVARIANT(*header.name && !strpbrk(header.name, "\r\n :"));
        INVARIANT(!strpbrk(header.value, "\r\n") && memmem(data, size, header.value, length_of));
    }
    INVARIANT(aws_client_close(&client) == 0 && !f.open);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static outcome whole, split, cut;
    uint32_t seed;
    size_t prefix;

    if (size < 4)
        return 0;
    seed = (uint32_t)data[0] << 8 | data[1] | 0x10000;
    prefix = (size_t)data[2] << 8 | data[3];
    data += 4;
    size -= 4;
    run(&whole, data, size, FUZZ_END, 0);
    run(&split, data, size, FUZZ_END, seed);
    INVARIANT(whole.result == split.result && whole.status == split.status);
    if (whole.result >= 0)
        INVARIANT(whole.header_count == split.header_count &&
                  whole.header_hash == split.header_hash);
    INVARIANT(whole.result < 0 || memcmp(whole.body, split.body, sizeof whole.body) == 0);
    run(&split, data, size, FUZZ_END, 1); /* by single bytes: how many it needs */
    INVARIANT(whole.result == split.result);
    prefix %= size + 1;
    run(&cut, data, prefix, seed & 3, seed & 4 ? seed : 0);
    INVARIANT((cut.result >= 0) == (whole.result >= 0 && prefix >= split.used));
    INVARIANT(cut.result < 0 || cut.header_hash == whole.header_hash);
    return 0;
}

/* fuzz_call.c - libFuzzer: whole calls of S3 over answers made of any bytes: get, put, delete_objects,
 * a listing with other calls in its loop, streams; whole and in pieces, with and without waiting.
 *
 *     clang -std=c99 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. \
 *         tests/fuzz_call.c -lbearssl -o build/fuzz_call && build/fuzz_call -max_len=3000
 *
 * SPDX-License-Identifier: MIT
 *
 * The input: 4 bytes that choose call, splits, memory and options, then the answers (fuzz_port.h).
 * Holds: splits and AWS_AGAIN change neither results nor what was delivered nor the first request;
 * what reads XML succeeds on complete documents only; every failure has a code and a text; nothing
 * outside the memory given is touched; the client can always be closed.
 */
#define _GNU_SOURCE /* memmem */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "../aws_s3.h"
#include "fuzz_port.h"

enum { GET, PUT, DELETE_OBJECTS, LIST, LIST_DELIMITER, BUCKETS, LOCATION, STREAM_PUT, STREAM_GET,
       KINDS };
enum { PAGE = 1, INTERRUPT = 2, BIG = 4, RETRY = 8, FIRST_ONLY = 16, CANCEL = 32 };

typedef struct story {
    size_t   hash, first_request;
    int      result, code, entries;
    unsigned deleted, failed;
} story;

typedef struct rig {
    fuzz_port      f;
    aws_session    session;
    aws_client     client;
    aws_s3_bucket  bucket;
    aws_s3_objects it;
    unsigned       options;
    unsigned char *memory, *page;
    int            steps;
} rig;

static void add(story *s, const void *data, size_t size)
{
    const unsigned char *byte = (const unsigned char *)data;

    while (size--)
        s->hash = (s->hash ^ *byte++) * (size_t)1099511628211u;
}

/* The answer that was read last, if its framing is simple: whether its XML is complete. */
static int is_complete(const fuzz_port *f)
{
    const fuzz_answer *a = f->answers + f->number;
    const char *head = (const char *)a->data, *body, *length;
    aws_xml xml;
    size_t size, used, left;
    int r;

    if (f->number >= f->count || memmem(head, a->size, "hunked", 6) || a->size < 12 ||
        memcmp(head, "HTTP/1.1 2", 10) != 0)
        return 1; /* not known */
    body = (const char *)memmem(head, a->size, "\r\n\r\n", 4);
    length = body ? (const char *)memmem(head, (size_t)(body - head), "ontent-Length: ", 15) : NULL;
    if (!length)
        return 1;
    body += 4;
    left = a->size - (size_t)(body - head);
    size = strtoul(length + 15, NULL, 10);
    size = size < left ? size : left;
    aws_xml_init(&xml);
    do {
        r = aws_xml_step(&xml, body, size, &used);
        body += used;
        size -= used;
    } while (r > 0);
    return aws_xml_complete(&xml);
}

/* After AWS_AGAIN: what a program's own loop would do. 1: call again. */
static int again(rig *g, int r)
{
    aws_waiting waiting;

    if (r != AWS_AGAIN)
        return 0;
    INVARIANT(!g->f.port.wait && g->steps++ < FUZZ_CALLS);
    aws_client_waiting(&g->client, &waiting);
    INVARIANT(waiting.what != 0);
    fuzz_pass(&g->f, waiting.what, waiting.ms);
    return 1;
}

static void finish(rig *g, story *s, int r)
{
    s->result = r;
    s->code = aws_client_failure(&g->client)->code;
    if (r < 0) {
        INVARIANT(r > AWS_ERR_LAST && r != AWS_ERR_BUSY);
        INVARIANT(s->code == r || r == AWS_ERR_STATE);
        INVARIANT(strlen(aws_client_failure_text(&g->client)) > 4);
        INVARIANT(strlen(aws_client_failure(&g->client)->message) <
                  sizeof aws_client_failure(&g->client)->message);
    }
}

static void run_plain(rig *g, story *s, int kind)
{
    static const aws_s3_key keys[3] = {{"a", NULL}, {"b&<\x01", "v"}, {"c", NULL}};
    static char body[2000], buffer[500];
    aws_s3_result result;
    aws_s3_args args;
    int r;

    memset(&args, 0, sizeof args);
    memset(body, 'x', sizeof body);
    memset(buffer, 0, sizeof buffer);
    args.bucket = "bucket";
    args.key = kind == GET || kind == PUT ? "k ey" : NULL;
    if (kind == GET) {
        args.buffer = buffer;
        args.buffer_size = sizeof buffer;
    } else if (kind == PUT) {
        args.body = body;
        args.body_size = g->options & BIG ? sizeof body : 5;
    } else if (kind == DELETE_OBJECTS) {
        args.objects = keys;
        args.object_count = 3;
        args.quiet = g->options & BIG ? 1 : 0;
    }
    do
        r = kind == GET   ? aws_s3_get_object(&g->client, &args, &result)
            : kind == PUT ? aws_s3_put_object(&g->client, &args, &result)
            : kind == DELETE_OBJECTS ? aws_s3_delete_objects(&g->client, &args, &result)
                                     : aws_s3_get_bucket_location(&g->client, &args, &result);
    while (again(g, r));
    finish(g, s, r);
    if (r < 0 && kind != DELETE_OBJECTS)
        return;
    s->deleted = result.deleted;
    s->failed = result.failed;
    INVARIANT(r >= 0 || kind == DELETE_OBJECTS);
    if (r < 0)
        return;
    INVARIANT(result.status >= 200 && result.status < 300);
    if (kind == DELETE_OBJECTS || kind == LOCATION)
        INVARIANT(is_complete(&g->f));
    if (kind == GET)
        add(s, buffer, (size_t)r);
    if (kind == LOCATION)
        add(s, result.location ? result.location : "", result.location ? strlen(result.location) : 0);
    if (result.etag)
        add(s, result.etag, strlen(result.etag));
}

static void run_stream(rig *g, story *s, int kind)
{
    char piece[37];
    size_t left = g->options & BIG ? 1000 : 40, at;
    aws_s3_args args;
    int r;

    memset(&args, 0, sizeof args);
    memset(piece, 's', sizeof piece);
    args.bucket = "bucket";
    args.key = "k";
    args.stream = 1;
    if (kind == STREAM_PUT)
        args.body_size = left;
    do
        r = kind == STREAM_PUT ? aws_s3_put_object(&g->client, &args, NULL)
                               : aws_s3_get_object(&g->client, &args, NULL);
    while (again(g, r));
    while (r >= 0 && kind == STREAM_PUT && left) {
        at = left < sizeof piece ? left : sizeof piece;
        r = aws_client_write(&g->client, piece, at);
        if (again(g, r)) {
            r = 0;
            continue;
        }
        INVARIANT(r <= (int)at);
        left -= r > 0 ? (size_t)r : 0;
    }
    while (r >= 0 && kind == STREAM_GET) {
        r = aws_client_read(&g->client, piece, sizeof piece);
        if (again(g, r)) {
            r = 0;
            continue;
        }
        if (r <= 0)
            break;
        add(s, piece, (size_t)r);
    }
    if (g->options & CANCEL) {
        aws_client_cancel(&g->client);
    } else {
        int first = r;
        do
            r = aws_client_finish(&g->client);
        while (again(g, r));
        INVARIANT(first >= 0 || r < 0);
    }
    finish(g, s, r < 0 ? r : 0);
}

static void run_list(rig *g, story *s, int kind)
{
    aws_s3_args args;
    aws_s3_summary entry;
    int r;

    memset(&args, 0, sizeof args);
    args.delimiter = kind == LIST_DELIMITER ? "/" : NULL;
    args.max_keys = g->options & BIG ? 0 : 2;
    if (g->options & PAGE) {
        args.page = g->page;
        args.page_size = 300;
    }
    if (kind == BUCKETS)
        aws_s3_buckets_begin(&g->it, &g->client, &args);
    else
        aws_s3_objects_begin(&g->it, &g->bucket, &args);
    for (;;) {
        r = aws_s3_objects_next(&g->it, &entry);
        if (again(g, r))
            continue;
        if (r <= 0)
            break;
        INVARIANT(s->entries < 10000);
        INVARIANT(entry.key_length == strlen(entry.key) && entry.key_length < AWS_S3_KEY);
        INVARIANT(entry.last_modified >= 0 && entry.etag && entry.storage_class);
        add(s, entry.key, entry.key_length + 1);
        add(s, entry.etag, strlen(entry.etag));
        add(s, &entry.size, sizeof entry.size);
        add(s, &entry.is_prefix, sizeof entry.is_prefix);
        s->entries++;
        if (g->options & FIRST_ONLY && s->entries == 2)
            break;
        if (g->options & INTERRUPT && s->entries % 2) {
            do
                r = aws_s3_bucket_delete_key(&g->bucket, "other");
            while (again(g, r));
            add(s, &r, sizeof r);
        }
    }
    if (r > 0)
        do
            r = aws_s3_objects_end(&g->it);
        while (again(g, r));
    else
        INVARIANT(aws_s3_objects_next(&g->it, &entry) == r); /* it stays */
    if (r == 0 && !(g->options & (FIRST_ONLY | INTERRUPT)))
        INVARIANT(is_complete(&g->f));
    finish(g, s, r);
}

static void run(story *s, const uint8_t *data, size_t size, int kind, unsigned options,
                uint32_t splits, int waits)
{
    static rig g;
    aws_config config;
    size_t room;
    int r;

    memset(s, 0, sizeof *s);
    memset(&g, 0, sizeof g);
    memset(&config, 0, sizeof config);
    fuzz_port_init(&g.f, splits, splits != 0);
    fuzz_port_answers(&g.f, data, size);
    if (!waits)
        g.f.port.wait = NULL;
    g.options = options;
    room = aws_client_memory(&g.f.port, AWS_MEMORY_HTTP) + (options & BIG ? 9000 : 0);
    g.memory = (unsigned char *)malloc(room);
    g.page = (unsigned char *)malloc(300);
    INVARIANT(g.memory && g.page);
    config.port = &g.f.port;
    config.region = "us-east-1";
    config.endpoint = "http://h:9";
    config.access_key_id = "AKIA";
    config.secret_access_key = "CANARY-secret";
    config.max_attempts = options & RETRY ? 3 : 1;
    aws_session_init(&g.session, &config);
    INVARIANT(aws_client_init(&g.client, &g.session, &aws_s3_service, g.memory, room) == 0);
    aws_s3_bucket_init(&g.bucket, &g.client, "bucket");
    if (kind >= STREAM_PUT)
        run_stream(&g, s, kind);
    else if (kind == LIST || kind == LIST_DELIMITER || kind == BUCKETS)
        run_list(&g, s, kind);
    else
        run_plain(&g, s, kind);
    {
        const char *end = (const char *)memchr(g.f.sent, '\n', g.f.sent_size);
        story first;
        memset(&first, 0, sizeof first);
        add(&first, g.f.sent, end ? (size_t)(end - g.f.sent) : 0);
        s->first_request = first.hash;
    }
    INVARIANT(!memmem(g.f.sent, g.f.sent_size, "CANARY-secret", 13));
    do
        r = aws_client_close(&g.client);
    while (again(&g, r));
    INVARIANT(r == 0 && !g.f.open);
    free(g.memory);
    free(g.page);
}

static void same(const story *a, const story *b)
{
    INVARIANT(a->result == b->result && a->code == b->code);
    INVARIANT(a->entries == b->entries && a->first_request == b->first_request);
    INVARIANT(a->hash == b->hash && a->deleted == b->deleted && a->failed == b->failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static story whole, waiting, split;
    uint32_t seed;
    int kind;
    unsigned options;

    if (size < 5)
        return 0;
    seed = (uint32_t)data[0] << 8 | data[1] | 0x10000;
    kind = data[2] % KINDS;
    options = data[3];
    if (options & FIRST_ONLY && kind != LIST)
        options &= ~(unsigned)FIRST_ONLY;
    run(&whole, data + 4, size - 4, kind, options, 0, 1);
    run(&waiting, data + 4, size - 4, kind, options, seed, 1);
    run(&split, data + 4, size - 4, kind, options, seed, 0);
    /* Bytes split do not change anything; where a loop is interrupted, what was already read does
     * change how much is kept, hence later requests, but not with both runs split alike. */
    if (!(options & INTERRUPT) && kind < STREAM_PUT)
        same(&whole, &waiting);
    if (!(options & INTERRUPT) && kind < STREAM_PUT)
        same(&whole, &split);
    return 0;
}

/* bounded_client.c - a client for tests/test_bounded.py, which tells it what to do.
 *
 *     bounded_client [--NAME VALUE...] ACTION...
 *
 *   --endpoint URL --ca FILE --memory N --attempts N --timeout MS (of each call)
 *   --honour 1   offer max_fragment_length (else it is suppressed: every server ignores it then)
 *   --again 1    the port says AWS_AGAIN half of the time, and nothing waits
 *   --bucket B --room N (of the buffer) --part N (bytes of a read) --delimiter D
 *   actions: put=KEY (the body: --size bytes of a pattern), get=KEY, sink=KEY, read=KEY,
 *   head=KEY, download=KEY (managed, in parts of 5 MiB), each with RANGE behind a space if wanted;
 *   readnN=KEY: only so many bytes, then cancelled; list=PREFIX, versions=PREFIX, uploads=PREFIX,
 *   parts=KEY UPLOAD-ID, bucket= (make it)
 *   --checksum crc64nvme: of a put; --reversed 1: the pattern from its end; --verify 0: no answers
 *
 * For each action a line of JSON: code, bytes, sum (sum * 31 + byte), progress' last two numbers,
 * size, etag, type, meta, range, length, status, received, needed, reason, attempts, opens, again,
 * text; for listings entries and a sum of their keys.
 */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"

#include <bearssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    int           again, honour, reversed;
    unsigned long opens, calls, agains;
    const char   *bucket, *delimiter, *checksum;
    size_t        memory, room, part, size;
    uint32_t      timeout;
} options = {0, 0, 0, 0, 0, 0, "bounded", NULL, NULL, AWS_CLIENT_MEMORY_TLS_BOUNDED, 1 << 25, 700, 0, 0};

static unsigned char memory[1 << 17], trust_memory[1 << 16], body[1 << 25];

/* ---- The port: POSIX's, that may say AWS_AGAIN ---- */

static int hesitates(void)
{
    if (!options.again || (options.calls = options.calls * 1103515245u + 12345u) >> 16 & 1)
        return 0;
    options.agains++;
    return 1;
}

static int port_open(const aws_port *port, void *connection, const char *host, unsigned number,
                     int tls)
{
    int r = aws_posix_port()->open(port, connection, host, number, tls);

    options.opens += r == 0;
    return r;
}

static int port_send(const aws_port *port, void *connection, const void *data, size_t size)
{
    return hesitates() ? AWS_AGAIN : aws_posix_port()->send(port, connection, data, size);
}

static int port_recv(const aws_port *port, void *connection, void *data, size_t size)
{
    return hesitates() ? AWS_AGAIN : aws_posix_port()->recv(port, connection, data, size);
}

/* What a server that ignores max_fragment_length does: the same as if it weren't offered. */
static int bounded(aws_client *client, int what, int number)
{
    int r = aws_bounded_answers(client, what, number);

    if (what == AWS_I_B_START && !options.honour)
        aws_i_engine(client)->log_max_frag_len = 14;
    return r;
}

/* ---- What comes ---- */

static struct {
    uint64_t      bytes, done, total;
    unsigned long sum;
} got;

static void take(const unsigned char *data, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++)
        got.sum = (got.sum * 31 + data[i]) & 0xffffffff;
    got.bytes += size;
}

static int sink_write(void *context, const void *data, size_t size)
{
    size = size > 1000 ? 1000 : size;
    take((const unsigned char *)data, size);
    (void)context;
    return (int)size;
}

static int write_at(void *context, uint64_t at, const void *data, size_t size)
{
    if (at != got.bytes)
        return AWS_ERR_SINK;
    return sink_write(context, data, size);
}

static void progress(void *context, uint64_t done, uint64_t total)
{
    (void)context;
    got.done = done;
    got.total = total;
}

/* Between two calls that say AWS_AGAIN. */
static void await_client(aws_client *client)
{
    aws_waiting waiting;

    aws_client_waiting(client, &waiting);
    if (waiting.what)
        aws_posix_port()->wait(client->port, client->connection.area, waiting.what,
                               waiting.ms < 5 ? waiting.ms : 5);
}

static const char *text_of(const char *text)
{
    return text ? text : "";
}

static void out_string(const char *name, const char *text)
{
    printf(", \"%s\": \"", name);
    for (text = text_of(text); *text; text++)
        printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    printf("\"");
}

static void report(aws_client *client, const aws_s3_result *result, int r, unsigned long entries)
{
    const aws_failure *f = aws_client_failure(client);

    printf("{\"code\": %d, \"bytes\": %llu, \"sum\": %lu, \"done\": %llu, \"total\": %llu", r,
           (unsigned long long)got.bytes, got.sum, (unsigned long long)got.done,
           (unsigned long long)got.total);
    printf(", \"received\": %llu, \"opens\": %lu, \"again\": %lu, \"entries\": %lu",
           (unsigned long long)aws_client_received(client), options.opens, options.agains, entries);
    printf(", \"size\": %llu, \"status\": %d", (unsigned long long)result->size, result->status);
    out_string("etag", result->etag);
    out_string("type", result->content_type);
    out_string("meta", aws_client_header(client, "x-amz-meta-name"));
    out_string("range", aws_client_header(client, "content-range"));
    out_string("length", aws_client_header(client, "content-length"));
    out_string("sums", aws_client_header(client, "x-amz-checksum-crc32"));
    printf(", \"needed\": %lu, \"reason\": %d, \"attempts\": %u, \"detail\": %d",
           (unsigned long)f->needed, f->reason, f->attempts, f->detail);
    out_string("text", r < 0 ? aws_client_failure_text(client) : "");
    printf("}\n");
    fflush(stdout);
}

/* ---- Actions ---- */

static int read_all(aws_client *client, uint64_t limit)
{
    int r;

    while (got.bytes < limit) {
        r = aws_client_read(client, body, options.part);
        if (r == AWS_AGAIN)
            await_client(client);
        else if (r <= 0)
            break;
        else
            take(body, (size_t)r);
    }
    if (got.bytes >= limit) {
        aws_client_cancel(client);
        return 0;
    }
    while ((r = aws_client_finish(client)) == AWS_AGAIN)
        await_client(client);
    return r;
}

static int get(aws_client *client, const char *action, const char *key, const char *range,
               aws_s3_result *result)
{
    static const aws_sink sink = {sink_write, NULL, NULL}; /* it can't be rewound */
    aws_s3_args args;
    uint64_t limit = UINT64_MAX;
    int r;

    memset(&args, 0, sizeof args);
    args.bucket = options.bucket;
    args.key = key;
    args.range = range;
    args.timeout = options.timeout;
    args.progress = progress;
    if (strcmp(action, "get") == 0) {
        args.buffer = body;
        args.buffer_size = options.room;
    } else if (strcmp(action, "sink") == 0) {
        args.sink = &sink;
    } else if (strcmp(action, "head") != 0) {
        args.stream = 1;
    }
    if (strncmp(action, "readn", 5) == 0)
        limit = (uint64_t)atol(action + 5);
    do {
        if (strcmp(action, "head") == 0) {
            args.progress = NULL;
            r = aws_s3_head_object(client, &args, result);
        } else {
            r = aws_s3_get_object(client, &args, result);
        }
    } while (r == AWS_AGAIN && (await_client(client), 1));
    if (r >= 0 && args.stream)
        r = read_all(client, limit);
    if (r > 0)
        take(body, (size_t)r);
    return r;
}

static int put(aws_client *client, const char *key, aws_s3_result *result)
{
    static const aws_pair meta = {"name", "value of it"};
    aws_s3_args args;
    size_t i;
    int r;

    memset(&args, 0, sizeof args);
    args.bucket = options.bucket;
    args.key = key;
    args.content_type = "text/bounded";
    args.metadata = &meta;
    args.metadata_count = 1;
    args.body = body;
    args.body_size = options.size;
    if (options.checksum)
        args.checksum = &aws_crc64nvme;
    for (i = 0; i < options.size; i++)
        body[options.reversed ? options.size - 1 - i : i] =
            (unsigned char)(i * 167 + (i >> 8) * 59 + (i >> 16) * 31);
    while ((r = aws_s3_put_object(client, &args, result)) == AWS_AGAIN)
        await_client(client);
    return r;
}

static int download(aws_client *client, const char *key)
{
    static aws_s3_transfer t;
    aws_s3_transfer_args args;
    aws_s3_bucket bucket;
    aws_s3_object object;
    int r;

    aws_s3_bucket_init(&bucket, client, options.bucket);
    aws_s3_object_init(&object, &bucket, key);
    memset(&args, 0, sizeof args);
    args.write_at = write_at;
    args.part_size = 1 << 20;
    args.min_part_size = 1 << 20;
    args.threshold = 1 << 20;
    aws_s3_download_begin(&t, &object, &args);
    while ((r = aws_s3_transfer_step(&t)) == AWS_AGAIN)
        await_client(client);
    return r;
}

static int list(aws_client *client, const char *prefix, unsigned long *entries)
{
    static aws_s3_objects it;
    aws_s3_summary summary;
    aws_s3_bucket bucket;
    aws_s3_args args;
    int r;

    memset(&args, 0, sizeof args);
    aws_s3_bucket_init(&bucket, client, options.bucket);
    args.prefix = *prefix ? prefix : NULL;
    args.delimiter = options.delimiter;
    aws_s3_objects_begin(&it, &bucket, &args);
    while ((r = aws_s3_objects_next(&it, &summary)) > 0 || r == AWS_AGAIN) {
        if (r == AWS_AGAIN) {
            await_client(client);
            continue;
        }
        ++*entries;
        take((const unsigned char *)summary.key, summary.key_length + 1);
    }
    return r;
}

/* versions=PREFIX, uploads=PREFIX, parts=KEY ID: the sum of their lines' sums, in which all is that
 * an entry says. */
static int list_entries(aws_client *client, const char *what, const char *name, const char *id,
                        unsigned long *entries)
{
    static aws_s3_entries it;
    aws_s3_entry e;
    aws_s3_bucket bucket;
    aws_s3_object object;
    aws_s3_args args;
    char line[1400];
    unsigned long sum = 0;
    int r;

    memset(&args, 0, sizeof args);
    aws_s3_bucket_init(&bucket, client, options.bucket);
    aws_s3_object_init(&object, &bucket, name);
    args.prefix = *name ? name : NULL;
    if (strcmp(what, "parts") == 0)
        aws_s3_parts_begin(&it, &object, id, NULL);
    else if (strcmp(what, "uploads") == 0)
        aws_s3_uploads_begin(&it, &bucket, &args);
    else
        aws_s3_versions_begin(&it, &bucket, &args);
    while ((r = aws_s3_entries_next(&it, &e)) > 0 || r == AWS_AGAIN) {
        if (r == AWS_AGAIN) {
            await_client(client);
            continue;
        }
        ++*entries;
        r = snprintf(line, sizeof line, "%s %s %u %llu %s %d%d\n", text_of(e.key), text_of(e.id),
                     e.part_number, (unsigned long long)e.size, text_of(e.etag), e.is_latest,
                     e.is_delete_marker);
        got.sum = 0;
        take((const unsigned char *)line, (size_t)r);
        sum += got.sum;
    }
    got.sum = sum & 0xffffffff;
    return r;
}

static void act(aws_client *client, char *action)
{
    static aws_s3_result result;
    char *key = strchr(action, '='), *range;
    unsigned long entries = 0;
    int r;

    if (!key)
        exit(2);
    *key++ = 0;
    range = strchr(key, ' ');
    if (range)
        *range++ = 0;
    memset(&got, 0, sizeof got);
    memset(&result, 0, sizeof result);
    options.opens = 0;
    if (strcmp(action, "put") == 0) {
        r = put(client, key, &result);
    } else if (strcmp(action, "bucket") == 0) {
        aws_s3_bucket bucket;
        aws_s3_bucket_init(&bucket, client, options.bucket);
        r = aws_s3_bucket_create(&bucket, NULL);
    }
    else if (strcmp(action, "list") == 0)
        r = list(client, key, &entries);
    else if (strcmp(action, "versions") == 0 || strcmp(action, "uploads") == 0 ||
             strcmp(action, "parts") == 0)
        r = list_entries(client, action, key, range, &entries);
    else if (strcmp(action, "download") == 0)
        r = download(client, key);
    else
        r = get(client, action, key, range, &result);
    report(client, &result, r, entries);
}

static void take_option(aws_config *config, aws_trust *trust, const char *name, const char *value)
{
    if (strcmp(name, "--endpoint") == 0)
        config->endpoint = value;
    else if (strcmp(name, "--ca") == 0)
        aws_trust_load(trust, trust_memory, sizeof trust_memory, value);
    else if (strcmp(name, "--memory") == 0)
        options.memory = (size_t)atol(value);
    else if (strcmp(name, "--attempts") == 0)
        config->max_attempts = (unsigned)atoi(value);
    else if (strcmp(name, "--timeout") == 0)
        options.timeout = (uint32_t)atol(value);
    else if (strcmp(name, "--honour") == 0)
        options.honour = atoi(value);
    else if (strcmp(name, "--again") == 0)
        options.again = config->no_wait = atoi(value);
    else if (strcmp(name, "--reversed") == 0)
        options.reversed = atoi(value);
    else if (strcmp(name, "--bucket") == 0)
        options.bucket = value;
    else if (strcmp(name, "--room") == 0)
        options.room = (size_t)atol(value);
    else if (strcmp(name, "--part") == 0)
        options.part = (size_t)atol(value);
    else if (strcmp(name, "--size") == 0)
        options.size = (size_t)atol(value);
    else if (strcmp(name, "--delimiter") == 0)
        options.delimiter = value;
    else if (strcmp(name, "--checksum") == 0)
        options.checksum = value;
    else if (strcmp(name, "--verify") == 0)
        config->response_checksum_validation = atoi(value) ? AWS_WHEN_SUPPORTED : AWS_WHEN_REQUIRED;
    else
        exit(2);
}

int main(int argc, char **argv)
{
    static aws_session session;
    static aws_client client;
    aws_port port = *aws_posix_port();
    aws_config config;
    aws_trust trust;
    int at = 1, r;

    memset(&config, 0, sizeof config);
    port.open = port_open;
    port.send = port_send;
    port.recv = port_recv;
    config.port = &port;
    config.trust = &trust;
    config.region = "us-east-1";
    config.access_key_id = "AKIAIOSFODNN7EXAMPLE";
    config.secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    config.bounded = bounded;
    for (; at + 1 < argc && argv[at][0] == '-'; at += 2)
        take_option(&config, &trust, argv[at], argv[at + 1]);
    aws_session_init(&session, &config);
    r = aws_client_init(&client, &session, &aws_s3_service, memory, options.memory);
    if (r < 0)
        act(&client, argv[at]);
    for (; r == 0 && at < argc; at++)
        act(&client, argv[at]);
    aws_client_close(&client);
    aws_session_close(&session);
    return 0;
}

/* server_suite.c - the client against a real S3 server: operations, odd keys, sizes, listings,
 * deletions inside the loop, multipart uploads, versions, configurations, texts of failures. tests/server_suite.py starts servers and
 * runs this program; by hand:
 *
 *     cc -I. -o server_suite tests/server_suite.c -lbearssl
 *     ./server_suite --endpoint http://localhost:8000 --key K --secret S [options] [PART...]
 *
 *   --ca FILE        trusted CAs (https)            --region R      us-east-1
 *   --flavour F      own, rgw, rgw20 or swift: what the server lacks and how it words its errors
 *   --memory N       bytes of the client's block    --port P        plain, again or blocking
 *   --keys N         part "listing": keys s/000000 ... that bucket suite-keys holds, 0 none
 *   --churn N        part "churn": deletions inside the loop, 10,000
 *   --big            part "big" too: objects of 4 GiB - 1, 4 GiB and 4 GiB + 1
 *
 * "again" is a port that says AWS_AGAIN at every other call, and a client that never waits;
 * "blocking" one that never says it. Each part prints a line, the last line counts all checks.
 */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "check.h"

enum { OWN = 1, RGW = 2, RGW20 = 4, SWIFT = 8, ALL = 15 };

static struct options {
    const char *endpoint, *ca, *key, *secret, *region, *port;
    int         flavour, big, https;
    size_t      memory;
    long        keys, slice, churn;
} options;

/* ---- A client with a port that counts ---- */

typedef struct world {
    aws_session session;
    aws_client  client;
    aws_port    port;
    aws_trust   trust;
    aws_config  config;
    int64_t     shift;    /* of the clock, seconds */
    long        opens;    /* connections */
    long        requests; /* that were answered */
    long        lists;    /* of them pages of a listing */
    long        spoilt;   /* connections that the server made useless */
    long        turn[4];  /* of the port "again" */
    int         flip;     /* a bit of each byte FLIPPED that is sent */
    void       *newest;   /* connection */
} world;

static unsigned char client_memory[1 << 20];
static unsigned char trust_memory[4096];

static world *world_of(const aws_port *port)
{
    return (world *)port->context;
}

enum { OPEN, SEND, RECV, CLOSE };
enum { FLIPPED = 1 };

/* With --port again, every other call of each function: not yet. */
static int not_yet(world *w, int function)
{
    return strcmp(options.port, "again") == 0 && ++w->turn[function] % 2;
}

static int port_open(const aws_port *port, void *connection, const char *host, unsigned number,
                     int tls)
{
    const aws_port *base = aws_posix_port();
    world *w = world_of(port);
    int r;

    if (not_yet(w, OPEN))
        return AWS_AGAIN;
    while ((r = base->open(base, connection, host, number, tls)) == AWS_AGAIN &&
           port->flags & AWS_PORT_BLOCKING)
        base->wait(base, connection, AWS_WAIT_WRITE, 100);
    if (r == 0) {
        w->opens++;
        w->newest = connection;
    }
    return r;
}

static int port_send(const aws_port *port, void *connection, const void *data, size_t size)
{
    static unsigned char copy[65536];
    const aws_port *base = aws_posix_port();
    size_t i;
    int r;

    if (not_yet(world_of(port), SEND))
        return AWS_AGAIN;
    if (world_of(port)->flip) {
        size = size < sizeof copy ? size : sizeof copy;
        memcpy(copy, data, size);
        for (i = 0; i < size; i++)
            copy[i] ^= copy[i] == FLIPPED ? 2 : 0;
        data = copy;
    }
    while ((r = base->send(base, connection, data, size)) == AWS_AGAIN &&
           port->flags & AWS_PORT_BLOCKING)
        base->wait(base, connection, AWS_WAIT_WRITE, 60000);
    return r;
}

static int port_recv(const aws_port *port, void *connection, void *data, size_t size)
{
    const aws_port *base = aws_posix_port();
    int r;

    if (not_yet(world_of(port), RECV))
        return AWS_AGAIN;
    while ((r = base->recv(base, connection, data, size)) == AWS_AGAIN &&
           port->flags & AWS_PORT_BLOCKING)
        base->wait(base, connection, AWS_WAIT_READ, 60000);
    return r;
}

static int port_close(const aws_port *port, void *connection)
{
    const aws_port *base = aws_posix_port();

    return not_yet(world_of(port), CLOSE) ? AWS_AGAIN : base->close(base, connection);
}

static int64_t port_now(const aws_port *port)
{
    const aws_port *base = aws_posix_port();

    return base->now(base) + world_of(port)->shift;
}

static void count_line(void *context, const char *line)
{
    world *w = (world *)context;

    if (strstr(line, ": answer ") == NULL)
        return;
    w->requests++;
    /* Swift sends a chunked body after the head that answers HEAD: such a connection can't be kept
     */
    w->spoilt += options.flavour == SWIFT && strncmp(line, "Head", 4) == 0 && strstr(line, " 404");
    w->lists += strncmp(line, "ListObjectsV2:", 14) == 0;
}

static void world_port(world *w)
{
    w->port = *aws_posix_port();
    w->port.context = w;
    w->port.open = port_open;
    w->port.send = port_send;
    w->port.recv = port_recv;
    w->port.close = port_close;
    w->port.now = port_now;
    if (strcmp(options.port, "blocking") == 0) {
        w->port.flags = AWS_PORT_BLOCKING;
        w->port.wait = NULL;
    }
}

static world *newest_world; /* whose failure is told with a check that fails */

static const char *last_call(void)
{
    return newest_world ? aws_client_failure_text(&newest_world->client) : NULL;
}

/* What every client here begins with; change w->config and then world_open. */
static void world_config(world *w)
{
    check_says = last_call;
    newest_world = NULL;
    memset(w, 0, sizeof *w);
    world_port(w);
    w->config.endpoint = options.endpoint;
    w->config.access_key_id = options.key;
    w->config.secret_access_key = options.secret;
    w->config.region = options.region;
    w->config.port = &w->port;
    w->config.no_wait = strcmp(options.port, "again") == 0;
    w->config.log = count_line;
    w->config.log_context = w;
    w->config.dialect = options.flavour == RGW     ? &aws_dialect_ceph
                        : options.flavour == SWIFT ? &aws_dialect_swift
                                                   : NULL;
    if (options.ca) {
        CHECK_INT(aws_trust_load(&w->trust, trust_memory, sizeof trust_memory, options.ca), 1);
        w->config.trust = &w->trust;
    }
}

static int world_open(world *w)
{
    int r;

    aws_session_init(&w->session, &w->config);
    r = aws_client_init(&w->client, &w->session, &aws_s3_service, client_memory, options.memory);
    newest_world = w;
    CHECK_INT(r, 0);
    return r;
}

static int wait_for(world *w)
{
    aws_waiting waiting;
    struct pollfd p;
    int ms;

    aws_client_waiting(&w->client, &waiting);
    ms = waiting.ms < 60000 ? (int)waiting.ms : 60000;
    p.fd = waiting.what & (AWS_WAIT_READ | AWS_WAIT_WRITE) ? (int)waiting.handle : -1;
    p.events = (short)((waiting.what & AWS_WAIT_READ ? POLLIN : 0) |
                       (waiting.what & AWS_WAIT_WRITE ? POLLOUT : 0));
    p.revents = 0;
    if (p.fd < 0 && waiting.what != AWS_WAIT_TIMER)
        ms = 0; /* this port has no socket yet */
    poll(&p, p.fd < 0 ? 0 : 1, ms);
    return 1;
}

/* Call until it is done. */
#define RUN(w, result, call)                                                                      \
    do {                                                                                          \
        (result) = (call);                                                                        \
    } while ((result) == AWS_AGAIN && wait_for(w))

/* As RUN, and it must give `want`; the failure's text is shown if not. */
#define EXPECT(w, want, call) expect_result(w, run_result_, want, #call, __LINE__)
#define DO(w, want, call)                                                                         \
    do {                                                                                          \
        long long run_result_;                                                                    \
        RUN(w, run_result_, (call));                                                              \
        EXPECT(w, want, call);                                                                    \
    } while (0)

static int expect_result(world *w, long long got, long long want, const char *what, int line)
{
    newest_world = w;
    return check_int(got, want, what, __FILE__, line);
}

static void world_close(world *w)
{
    DO(w, 0, aws_client_close(&w->client));
    aws_session_close(&w->session);
}

static world *the_world(void)
{
    static world w;

    world_config(&w);
    world_open(&w);
    return &w;
}

static aws_s3_args arguments(const char *bucket, const char *key)
{
    aws_s3_args args;

    memset(&args, 0, sizeof args);
    args.bucket = bucket;
    args.key = key;
    return args;
}

/* ---- Bodies: the pattern whose byte i is (i * 167 + (i >> 8) * 59 + (i >> 16) * 31) & 255 ---- */

enum { BLOCK = 1 << 16 };

static unsigned char pattern_block[BLOCK];

static void pattern_init(void)
{
    unsigned i;

    for (i = 0; i < BLOCK; i++)
        pattern_block[i] = (unsigned char)(i * 167 + (i >> 8) * 59);
}

/* Blocks of the pattern differ by a constant. */
static void pattern_fill(unsigned char *to, uint64_t at, size_t size)
{
    while (size) {
        size_t begin = (size_t)(at % BLOCK), count = BLOCK - begin, i;
        unsigned char add = (unsigned char)((at >> 16) * 31);
        if (count > size)
            count = size;
        for (i = 0; i < count; i++)
            to[i] = (unsigned char)(pattern_block[begin + i] + add);
        to += count;
        at += count;
        size -= count;
    }
}

static int pattern_is(const unsigned char *data, uint64_t at, size_t size)
{
    while (size) {
        size_t begin = (size_t)(at % BLOCK), count = BLOCK - begin, i;
        unsigned char add = (unsigned char)((at >> 16) * 31), wrong = 0;
        if (count > size)
            count = size;
        for (i = 0; i < count; i++)
            wrong |= (unsigned char)(data[i] ^ (pattern_block[begin + i] + add));
        if (wrong)
            return 0;
        data += count;
        at += count;
        size -= count;
    }
    return 1;
}

typedef struct stream {
    uint64_t at, size;
    long     rewinds;
    int      wrong;
} stream;

static int source_read(void *context, void *data, size_t size)
{
    stream *s = (stream *)context;

    if (size > s->size - s->at)
        size = (size_t)(s->size - s->at);
    if (size > 1 << 20)
        size = 1 << 20;
    pattern_fill((unsigned char *)data, s->at, size);
    s->at += size;
    return (int)size;
}

static int stream_rewind(void *context)
{
    ((stream *)context)->at = 0;
    ((stream *)context)->rewinds++;
    return 0;
}

static int sink_write(void *context, const void *data, size_t size)
{
    stream *s = (stream *)context;

    if (size > 1 << 20)
        size = 1 << 20;
    s->wrong |= !pattern_is((const unsigned char *)data, s->at, size);
    s->at += size;
    return (int)size;
}

static void put_source(world *w, const char *bucket, const char *key, uint64_t size)
{
    aws_s3_args args = arguments(bucket, key);
    stream from = {0, 0, 0, 0};
    aws_source source = {source_read, stream_rewind, NULL};

    from.size = size;
    source.context = &from;
    args.source = &source;
    args.body_size = size;
    DO(w, 0, aws_s3_put_object(&w->client, &args, NULL));
}

static void get_sink(world *w, const char *bucket, const char *key, uint64_t size)
{
    aws_s3_args args = arguments(bucket, key);
    stream to = {0, 0, 0, 0};
    aws_sink sink = {sink_write, stream_rewind, NULL};
    aws_s3_result result;

    sink.context = &to;
    args.sink = &sink;
    DO(w, 0, aws_s3_get_object(&w->client, &args, &result));
    CHECK_INT(to.at, size);
    CHECK_INT(to.wrong, 0);
    CHECK_INT(result.size, size);
}

/* ---- Buckets ---- */

static void put_text(world *w, const char *bucket, const char *key, const char *text)
{
    aws_s3_args args = arguments(bucket, key);

    args.body = text;
    args.body_size = strlen(text);
    DO(w, 0, aws_s3_put_object(&w->client, &args, NULL));
}

static void delete_key(world *w, const char *bucket, const char *key)
{
    aws_s3_args args = arguments(bucket, key);

    DO(w, 0, aws_s3_delete_object(&w->client, &args, NULL));
}

static unsigned char page_memory[65536];

static void empty_bucket(world *w, const char *name)
{
    static aws_s3_objects it;
    aws_s3_args args = arguments(NULL, NULL);
    aws_s3_bucket bucket;
    aws_s3_summary object;
    int r;

    args.page = page_memory;
    args.page_size = sizeof page_memory;
    aws_s3_bucket_init(&bucket, &w->client, name);
    aws_s3_objects_begin(&it, &bucket, &args);
    for (;;) {
        RUN(w, r, aws_s3_objects_next(&it, &object));
        if (r <= 0)
            break;
        delete_key(w, name, object.key);
    }
    expect_result(w, r, 0, "emptying", __LINE__);
}

/* There is such a bucket, and it is empty. */
static void fresh_bucket(world *w, const char *name)
{
    aws_s3_bucket bucket;
    int r;

    aws_s3_bucket_init(&bucket, &w->client, name);
    RUN(w, r, aws_s3_bucket_exists(&bucket));
    if (r > 0)
        empty_bucket(w, name);
    else
        DO(w, 0, aws_s3_bucket_create(&bucket, NULL));
}

static void drop_bucket(world *w, const char *name)
{
    aws_s3_bucket bucket;

    aws_s3_bucket_init(&bucket, &w->client, name);
    DO(w, 0, aws_s3_bucket_delete(&bucket));
}

/* ---- Part "operations" ---- */

static void check_bucket_calls(world *w, const char *name)
{
    aws_s3_args args = arguments(name, NULL);
    aws_s3_result result;
    aws_s3_bucket bucket;

    aws_s3_bucket_init(&bucket, &w->client, name);
    fresh_bucket(w, name);
    drop_bucket(w, name);
    DO(w, 0, aws_s3_bucket_exists(&bucket));
    DO(w, 0, aws_s3_create_bucket(&w->client, &args, &result));
    CHECK_INT(result.status, 200);
    DO(w, 1, aws_s3_bucket_exists(&bucket));
    DO(w, 0, aws_s3_head_bucket(&w->client, &args, &result));
    CHECK_INT(result.status, 200);
    DO(w, 0, aws_s3_get_bucket_location(&w->client, &args, &result));
    CHECK_STR(result.location, options.region);
}

static int count_elements(const char *xml, size_t size, const char *path)
{
    aws_xml reader;
    size_t at = 0, used;
    int event, count = 0;

    aws_xml_init(&reader);
    do {
        event = aws_xml_step(&reader, xml + at, size - at, &used);
        at += used;
        if (event == AWS_XML_START && strcmp(reader.path, path) == 0)
            count++;
        if (event < 0 && event != AWS_AGAIN)
            return event;
    } while (event > 0 || at < size);
    return aws_xml_complete(&reader) ? count : -100;
}

static void check_list_buckets(world *w, const char *name)
{
    static char xml[65536];
    static aws_s3_objects it;
    aws_s3_args args = arguments(NULL, NULL);
    aws_s3_summary summary;
    int r, found = 0, count = 0, size;

    args.buffer = xml;
    args.buffer_size = sizeof xml;
    RUN(w, size, aws_s3_list_buckets(&w->client, &args, NULL));
    if (!CHECK(size > 0))
        return;
    aws_s3_buckets_begin(&it, &w->client, NULL);
    for (;;) {
        RUN(w, r, aws_s3_objects_next(&it, &summary));
        if (r <= 0)
            break;
        count++;
        found += strcmp(summary.key, name) == 0;
        CHECK(summary.last_modified > 0);
    }
    expect_result(w, r, 0, "aws_s3_buckets", __LINE__);
    CHECK_INT(found, 1);
    CHECK_INT(count, count_elements(xml, (size_t)size, "ListAllMyBucketsResult/Buckets/Bucket"));
}

static void check_object_calls(world *w, const char *bucket)
{
    aws_s3_args args = arguments(bucket, "one");
    aws_s3_result result;
    char etag[80], text[32];

    args.body = "hello world";
    args.body_size = 11;
    DO(w, 0, aws_s3_put_object(&w->client, &args, &result));
    CHECK_INT(result.status, 200);
    CHECK_STR(result.etag, "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"");
    strcpy(etag, result.etag ? result.etag : "");

    args = arguments(bucket, "one");
    DO(w, 0, aws_s3_head_object(&w->client, &args, &result));
    CHECK_INT(result.size, 11);
    CHECK_STR(result.etag, etag);
    CHECK(result.last_modified > time(NULL) - 600 && result.last_modified < time(NULL) + 600);
    args.buffer = text;
    args.buffer_size = sizeof text;
    DO(w, 11, aws_s3_get_object(&w->client, &args, &result));
    CHECK_MEM(text, "hello world", 11);
    CHECK_INT(result.status, 200);
    args.buffer_size = 10;
    DO(w, AWS_ERR_MEMORY, aws_s3_get_object(&w->client, &args, &result));
    CHECK_INT(aws_client_failure(&w->client)->needed, 11);

    args = arguments(bucket, "one");
    DO(w, 0, aws_s3_delete_object(&w->client, &args, &result));
    CHECK_INT(result.status, 204);
    DO(w, AWS_ERR_SERVICE, aws_s3_head_object(&w->client, &args, &result));
    CHECK_INT(aws_client_failure(&w->client)->http_status, 404);
    args.buffer = text;
    args.buffer_size = sizeof text;
    DO(w, AWS_ERR_SERVICE, aws_s3_get_object(&w->client, &args, &result));
    CHECK_STR(aws_client_failure(&w->client)->aws_code, "NoSuchKey");
}

static void check_copy(world *w, const char *bucket)
{
    aws_s3_args args = arguments(bucket, "copy of it");
    aws_pair meta = {"colour", "green"};
    aws_s3_result result;
    char source[80], text[32];

    put_text(w, bucket, "source %+ \xc3\xbc", "to be copied");
    sprintf(source, "%s/source %%+ \xc3\xbc", bucket);
    args.copy_source = source;
    DO(w, 0, aws_s3_copy(&w->client, &args, &result));
    CHECK_STR(result.etag, options.flavour == RGW ? "8c69035c4c1649777cd72d2fc76d93ea"
                                                  : "\"8c69035c4c1649777cd72d2fc76d93ea\"");
    args.metadata_directive = "REPLACE";
    args.metadata = &meta;
    args.metadata_count = 1;
    DO(w, 0, aws_s3_copy(&w->client, &args, &result));
    CHECK(result.last_modified > 0);
    args = arguments(bucket, "copy of it");
    args.buffer = text;
    args.buffer_size = sizeof text;
    DO(w, 12, aws_s3_get_object(&w->client, &args, &result));
    CHECK_MEM(text, "to be copied", 12);
    CHECK_STR(aws_client_header(&w->client, "x-amz-meta-colour"), "green");
    args = arguments(bucket, "no copy");
    sprintf(source, "%s/nowhere", bucket);
    args.copy_source = source;
    DO(w, AWS_ERR_SERVICE, aws_s3_copy(&w->client, &args, &result));
    CHECK_STR(aws_client_failure(&w->client)->aws_code, "NoSuchKey");
    delete_key(w, bucket, "copy of it");
    delete_key(w, bucket, "source %+ \xc3\xbc");
}

static void check_delete_objects(world *w, const char *bucket)
{
    static char names[1000][16];
    static aws_s3_key keys[1000];
    aws_s3_args args = arguments(bucket, NULL);
    aws_s3_result result;
    unsigned i;

    memset(keys, 0, sizeof keys);
    for (i = 0; i < 1000; i++) {
        sprintf(names[i], "d/%u <&>", i);
        keys[i].key = names[i];
        if (i < 15)
            put_text(w, bucket, names[i], "x");
    }
    args.objects = keys;
    args.object_count = 10;
    DO(w, 0, aws_s3_delete_objects(&w->client, &args, &result));
    CHECK_INT(result.deleted, 10);
    CHECK_INT(result.failed, 0);
    args.object_count = options.flavour == SWIFT ? 50 : 1000; /* all but five were never there */
    args.quiet = 1;
    DO(w, 0, aws_s3_delete_objects(&w->client, &args, &result));
    CHECK_INT(result.failed, 0);
    args.object_count = 0;
    DO(w, AWS_ERR_PARAM, aws_s3_delete_objects(&w->client, &args, &result));
    args = arguments(bucket, names[14]);
    DO(w, AWS_ERR_SERVICE, aws_s3_head_object(&w->client, &args, &result));
}

/* The text of an element that occurs once. */
static void element_text(const char *xml, const char *name, char *text, size_t size)
{
    const char *from = strstr(xml, name), *to = from ? strchr(from += strlen(name), '<') : NULL;

    text[0] = 0;
    if (to && (size_t)(to - from) < size) {
        memcpy(text, from, (size_t)(to - from));
        text[to - from] = 0;
    }
}

static void check_list_raw(world *w, const char *bucket)
{
    static char xml[8192];
    char token[1024], name[8];
    aws_s3_args args = arguments(bucket, NULL);
    int i, r, seen = 0, pages = 0;

    for (i = 0; i < 5; i++) {
        sprintf(name, "r/%d", i);
        put_text(w, bucket, name, "x");
    }
    args.prefix = "r/";
    args.max_keys = 2;
    args.encoding_type = "url";
    args.fetch_owner = 1;
    args.buffer = xml;
    args.buffer_size = sizeof xml - 1;
    for (;;) {
        RUN(w, r, aws_s3_list_objects_v2(&w->client, &args, NULL));
        if (!CHECK(r > 0))
            break;
        xml[r] = 0;
        pages++;
        seen += count_elements(xml, (size_t)r, "ListBucketResult/Contents");
        element_text(xml, "<NextContinuationToken>", token, sizeof token);
        if (!token[0])
            break;
        args.continuation_token = token;
    }
    CHECK_INT(seen, 5);
    CHECK_INT(pages, 3);
    args.continuation_token = NULL;
    args.max_keys = 0;
    args.start_after = "r/1";
    RUN(w, r, aws_s3_list_objects_v2(&w->client, &args, NULL));
    CHECK_INT(r > 0 ? count_elements(xml, (size_t)r, "ListBucketResult/Contents") : r, 3);
    for (i = 0; i < 5; i++) {
        sprintf(name, "r/%d", i);
        delete_key(w, bucket, name);
    }
}

static void check_resources(world *w, const char *name)
{
    static aws_s3_objects it;
    aws_s3_args args = arguments(NULL, NULL);
    aws_s3_bucket bucket;
    aws_s3_object object;
    aws_s3_summary summary;
    aws_s3_result result;
    char source[64], text[16];

    aws_s3_bucket_init(&bucket, &w->client, name);
    aws_s3_object_init(&object, &bucket, "an object");
    DO(w, 0, aws_s3_object_exists(&object));
    args.body = "abc";
    args.body_size = 3;
    DO(w, 0, aws_s3_object_put(&object, &args));
    DO(w, 1, aws_s3_object_exists(&object));
    DO(w, 0, aws_s3_object_head(&object, &result));
    CHECK_INT(result.size, 3);
    args = arguments(NULL, NULL);
    args.buffer = text;
    args.buffer_size = sizeof text;
    DO(w, 3, aws_s3_object_get(&object, &args, &result));
    DO(w, 0, aws_s3_bucket_put(&bucket, "another", "defg", 4, NULL));
    DO(w, 4, aws_s3_bucket_get(&bucket, "another", text, sizeof text, NULL));
    CHECK_MEM(text, "defg", 4);
    sprintf(source, "%s/another", name);
    DO(w, 0, aws_s3_object_copy_from(&object, source, NULL));
    DO(w, 4, aws_s3_bucket_get(&bucket, "an object", text, sizeof text, NULL));

    aws_s3_objects_begin(&it, &bucket, NULL);
    DO(w, 1, aws_s3_objects_next(&it, &summary));
    CHECK_STR(summary.key, "an object");
    CHECK_INT(summary.key_length, 9);
    CHECK_INT(summary.size, 4);
    CHECK_STR(summary.etag, "\"025e4da7edac35ede583f5e8d51aa7ec\"");
    CHECK_STR(summary.storage_class, "");
    CHECK_INT(summary.is_prefix, 0);
    CHECK(summary.last_modified > time(NULL) - 600 && summary.last_modified < time(NULL) + 600);
    DO(w, 1, aws_s3_objects_next(&it, &summary));
    CHECK_STR(summary.key, "another");
    DO(w, 0, aws_s3_objects_next(&it, &summary));
    DO(w, 0, aws_s3_objects_next(&it, &summary));
    aws_s3_objects_begin(&it, &bucket, NULL);
    DO(w, 1, aws_s3_objects_next(&it, &summary));
    DO(w, 0, aws_s3_objects_end(&it));
    DO(w, 0, aws_s3_object_delete(&object));
    DO(w, 0, aws_s3_bucket_delete_key(&bucket, "another"));
    DO(w, 0, aws_s3_bucket_delete(&bucket));
    DO(w, 0, aws_s3_bucket_exists(&bucket));
}

static void part_operations(void)
{
    static const char name[] = "suite-operations";
    world *w = the_world();

    check_bucket_calls(w, name);
    check_list_buckets(w, name);
    check_object_calls(w, name);
    check_copy(w, name);
    check_delete_objects(w, name);
    check_list_raw(w, name);
    check_resources(w, name);
    CHECK(w->opens - w->spoilt <= 2); /* the buffer that was too small cost the connection */
    world_close(w);
}

/* ---- Part "keys" ---- */

static char long_key[1025], deep_key[1025];

static const char *const odd_keys[] = {
    "a b", "a+b", "100%", "a%20b", "a%2Fb", "a~b",
    "\xc3\xa9\xe6\xbc\xa2\xe5\xad\x97\xf0\x9f\x98\x80", "a//b", "/lead", "//lead2", "a/../b",
    "a/./b", "..", ".", "./x", "../y", "trail/", "q?m#h", "amp&lt<gt>\"'",
    "semi;eq=at@$,:!*()[]{}|\\^`", "tab\tkey", "ctl\x01key", "nl\nkey", "sp end ",
    "e\xcc\x81", long_key, deep_key};

enum { ODD_KEYS = sizeof odd_keys / sizeof *odd_keys };

static void make_long_keys(void)
{
    size_t i;

    memset(long_key, 'k', 1024);
    for (i = 0; i < 250; i++)
        memcpy(deep_key + i * 4, "seg/", 4);
    strcpy(deep_key + 1000, "leaf");
}

static void put_odd_keys(world *w, const char *bucket)
{
    char text[32], body[32];
    unsigned i;

    for (i = 0; i < ODD_KEYS; i++) {
        aws_s3_args args = arguments(bucket, odd_keys[i]);
        int size = sprintf(body, "this is key %u", i);
        put_text(w, bucket, odd_keys[i], body);
        args.buffer = text;
        args.buffer_size = sizeof text;
        DO(w, size, aws_s3_get_object(&w->client, &args, NULL));
        CHECK_MEM(text, body, (size_t)size);
        args = arguments(bucket, odd_keys[i]);
        DO(w, 0, aws_s3_head_object(&w->client, &args, NULL));
    }
}

/* Each odd key is listed once, and nothing else. */
static void list_odd_keys(world *w, const char *name, const char *prefix, unsigned want)
{
    static aws_s3_objects it;
    aws_s3_args args = arguments(NULL, NULL);
    aws_s3_bucket bucket;
    aws_s3_summary object;
    unsigned char found[ODD_KEYS] = {0};
    unsigned i, count = 0;
    int r;

    aws_s3_bucket_init(&bucket, &w->client, name);
    args.prefix = prefix;
    args.max_keys = 7;
    aws_s3_objects_begin(&it, &bucket, &args);
    for (;;) {
        RUN(w, r, aws_s3_objects_next(&it, &object));
        if (r <= 0)
            break;
        count++;
        for (i = 0; i < ODD_KEYS && strcmp(odd_keys[i], object.key) != 0; i++)
            ;
        if (CHECK(i < ODD_KEYS))
            CHECK_INT(found[i]++, 0);
        else
            fprintf(stderr, "    listed: \"%s\"\n", object.key);
        CHECK_INT(object.key_length, strlen(object.key));
    }
    expect_result(w, r, 0, "the listing", __LINE__);
    CHECK_INT(count, want);
}

/* Every other one by delete_objects, the others one by one. */
static void delete_odd_keys(world *w, const char *bucket, unsigned first)
{
    aws_s3_key batch[ODD_KEYS];
    aws_s3_args args = arguments(bucket, NULL);
    aws_s3_result result;
    unsigned i;

    memset(batch, 0, sizeof batch);
    args.objects = batch;
    for (i = 0; i < ODD_KEYS; i++) {
        if (i % 2 == first && strchr(odd_keys[i], 1) == NULL) /* which XML can't carry */
            batch[args.object_count++].key = odd_keys[i];
        else
            delete_key(w, bucket, odd_keys[i]);
    }
    DO(w, 0, aws_s3_delete_objects(&w->client, &args, &result));
    CHECK_INT(result.deleted, args.object_count);
    list_odd_keys(w, bucket, NULL, 0);
}

static void part_keys(void)
{
    static const char bucket[] = "suite-odd-keys";
    world *w = the_world();
    aws_s3_args args;
    char source[1200];
    unsigned i;

    make_long_keys();
    fresh_bucket(w, bucket);
    put_odd_keys(w, bucket);
    list_odd_keys(w, bucket, NULL, ODD_KEYS);
    for (i = 0; i < ODD_KEYS; i++) /* as a prefix: "." is one of "..", "./x" and "../y" too */
        if (strcmp(odd_keys[i], ".") != 0 && strcmp(odd_keys[i], "..") != 0)
            list_odd_keys(w, bucket, odd_keys[i], 1);
    for (i = 0; i < ODD_KEYS; i++) { /* as the source of a copy */
        sprintf(source, "%s/%s", bucket, odd_keys[i]);
        args = arguments(bucket, "copied");
        args.copy_source = source;
        DO(w, 0, aws_s3_copy(&w->client, &args, NULL));
        args = arguments(bucket, "copied");
        args.buffer = source;
        args.buffer_size = sizeof source;
        DO(w, i < 10 ? 13 : 14, aws_s3_get_object(&w->client, &args, NULL));
        CHECK_INT(atoi(source + 12), i);
    }
    delete_key(w, bucket, "copied");
    delete_odd_keys(w, bucket, 0);
    put_odd_keys(w, bucket);
    delete_odd_keys(w, bucket, 1);
    drop_bucket(w, bucket);
    world_close(w);
}

/* ---- Part "headers" ---- */

static void part_headers(void)
{
    static const char bucket[] = "suite-headers";
    static const aws_pair meta[] = {{"colour", "deep blue"}, {"n", "1,2"}, {"Mixed-Case", "Kept"}};
    static const aws_pair extra[] = {{"x-amz-meta-extra", "a  b"}};
    world *w = the_world();
    aws_s3_args args = arguments(bucket, "headed");
    aws_s3_result result;
    aws_pair header;
    unsigned i;
    int seen = 0;

    fresh_bucket(w, bucket);
    args.body = "x";
    args.body_size = 1;
    args.content_type = "text/x-suite; charset=utf-8";
    args.cache_control = "max-age=7";
    args.content_disposition = "attachment; filename=\"a b.txt\"";
    args.content_encoding = "x-none";
    args.content_language = "de";
    args.expires = "Wed, 21 Oct 2065 07:28:00 GMT";
    args.metadata = meta;
    args.metadata_count = sizeof meta / sizeof *meta;
    args.headers = extra;
    args.headers_count = 1;
    DO(w, 0, aws_s3_put_object(&w->client, &args, &result));
    args = arguments(bucket, "headed");
    DO(w, 0, aws_s3_head_object(&w->client, &args, &result));
    CHECK_STR(result.content_type, "text/x-suite; charset=utf-8");
    CHECK_STR(aws_client_header(&w->client, "Cache-Control"), "max-age=7");
    CHECK_STR(aws_client_header(&w->client, "content-disposition"),
              "attachment; filename=\"a b.txt\"");
    CHECK_STR(aws_client_header(&w->client, "content-encoding"), "x-none");
    CHECK_STR(aws_client_header(&w->client, "content-language"), "de");
    CHECK_STR(aws_client_header(&w->client, "expires"), "Wed, 21 Oct 2065 07:28:00 GMT");
    CHECK_STR(aws_client_header(&w->client, "x-amz-meta-colour"), "deep blue");
    CHECK_STR(aws_client_header(&w->client, "x-amz-meta-n"), "1,2");
    CHECK_STR(aws_client_header(&w->client, "X-Amz-Meta-Mixed-Case"), "Kept");
    CHECK(aws_client_header(&w->client, "x-amz-meta-extra") != NULL);
    CHECK(aws_client_header(&w->client, "x-amz-meta-none") == NULL);
    for (i = 0; aws_client_header_at(&w->client, i, &header); i++)
        seen += strcmp(header.name, "x-amz-meta-colour") == 0;
    CHECK_INT(seen, 1);
    args.response_content_type = "text/other";
    DO(w, 0, aws_s3_get_object(&w->client, &args, &result));
    CHECK_STR(result.content_type, "text/other");

    args = arguments(bucket, "bad");
    args.content_type = "a\r\nx-evil: 1";
    DO(w, AWS_ERR_PARAM, aws_s3_put_object(&w->client, &args, &result));
    args.content_type = NULL;
    args.max_keys = 1;
    DO(w, AWS_ERR_PARAM, aws_s3_put_object(&w->client, &args, &result));
    delete_key(w, bucket, "headed");
    drop_bucket(w, bucket);
    world_close(w);
}

/* ---- Part "streams" ---- */

static void put_written(world *w, const char *bucket, uint64_t size)
{
    static unsigned char piece[10000];
    aws_s3_args args = arguments(bucket, "written");
    aws_s3_result result;
    uint64_t at = 0;
    int r;

    args.stream = 1;
    args.body_size = size;
    DO(w, 0, aws_s3_put_object(&w->client, &args, NULL));
    while (at < size) {
        size_t count = size - at < sizeof piece ? (size_t)(size - at) : sizeof piece;
        pattern_fill(piece, at, count);
        RUN(w, r, aws_client_write(&w->client, piece, count));
        if (!CHECK(r > 0))
            break;
        at += (uint64_t)r;
    }
    DO(w, 0, aws_client_finish(&w->client));
    aws_s3_result_of(&w->client, &result);
    CHECK_INT(result.status, 200);
    CHECK(result.etag != NULL);
}

static void get_read(world *w, const char *bucket, uint64_t size)
{
    static unsigned char piece[7777];
    aws_s3_args args = arguments(bucket, "written");
    uint64_t at = 0;
    int r;

    args.stream = 1;
    DO(w, 0, aws_s3_get_object(&w->client, &args, NULL));
    for (;;) {
        RUN(w, r, aws_client_read(&w->client, piece, sizeof piece));
        if (r <= 0)
            break;
        if (!CHECK(pattern_is(piece, at, (size_t)r)))
            break;
        at += (uint64_t)r;
    }
    expect_result(w, r, 0, "aws_client_read", __LINE__);
    CHECK_INT(at, size);
    DO(w, 0, aws_client_finish(&w->client));
}

/* Signed chunks must be held: over http a client needs memory for them. */
static int can_stream(void)
{
    return options.https || options.memory >= 40000;
}

/* With less, such a body is refused, and nothing is sent. */
static void refuse_streams(world *w, const char *bucket)
{
    aws_s3_args args = arguments(bucket, "written");
    stream from = {0, 100000, 0, 0};
    aws_source source = {source_read, NULL, NULL};
    long requests = w->requests;

    args.stream = 1;
    args.body_size = 100000;
    DO(w, AWS_ERR_MEMORY, aws_s3_put_object(&w->client, &args, NULL));
    CHECK(aws_client_failure(&w->client)->needed > options.memory);
    DO(w, AWS_ERR_MEMORY, aws_client_write(&w->client, "hello", 5));
    DO(w, AWS_ERR_MEMORY, aws_client_finish(&w->client));
    source.context = &from;
    args.stream = 0;
    args.source = &source;
    DO(w, AWS_ERR_MEMORY, aws_s3_put_object(&w->client, &args, NULL));
    CHECK_INT(w->requests, requests);
    CHECK_INT(from.at, 0);
}

static void part_streams(void)
{
    static const char bucket[] = "suite-streams";
    static const uint64_t sizes[] = {0, 1, 16384, 3000001};
    world *w = the_world();
    unsigned i;

    fresh_bucket(w, bucket);
    if (!can_stream())
        refuse_streams(w, bucket);
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (can_stream())
            put_written(w, bucket, sizes[i]);
        else
            put_source(w, bucket, "written", sizes[i]);
        get_read(w, bucket, sizes[i]);
    }
    /* a port that blocks can't be asked whether the connection lives: then such bodies get their
     * own */
    if (!can_stream() || strcmp(options.port, "blocking") != 0)
        CHECK_INT(w->opens - w->spoilt, 1);
    delete_key(w, bucket, "written");
    drop_bucket(w, bucket);
    world_close(w);
}

/* ---- Part "bodies" ---- */

enum { BODY_MEMORY, BODY_SOURCE, BODY_ONCE, BODY_WRITTEN, BODY_WAYS, BODY_SIZE = 40000 };

typedef struct letters {
    size_t at, size;
} letters;

static unsigned char body_letters[BODY_SIZE];

static int letters_read(void *context, void *data, size_t size)
{
    letters *l = (letters *)context;

    size = size < l->size - l->at ? size : l->size - l->at;
    memcpy(data, body_letters + l->at, size);
    l->at += size;
    return (int)size;
}

static int letters_rewind(void *context)
{
    ((letters *)context)->at = 0;
    return 0;
}

static int put_body(world *w, const char *bucket, int way, const aws_digest *checksum, size_t size)
{
    aws_s3_args args = arguments(bucket, "body");
    letters l = {0, 0};
    aws_source source = {letters_read, NULL, NULL};
    size_t at = 0;
    int r;

    l.size = size;
    source.context = &l;
    source.rewind = way == BODY_SOURCE ? letters_rewind : NULL;
    args.body = way == BODY_MEMORY ? body_letters : NULL;
    args.source = way == BODY_SOURCE || way == BODY_ONCE ? &source : NULL;
    args.stream = way == BODY_WRITTEN;
    args.body_size = size;
    args.checksum = checksum;
    RUN(w, r, aws_s3_put_object(&w->client, &args, NULL));
    while (way == BODY_WRITTEN && r >= 0 && at < size) {
        RUN(w, r, aws_client_write(&w->client, body_letters + at, size - at));
        at += r > 0 ? (size_t)r : 0;
    }
    if (way == BODY_WRITTEN)
        RUN(w, r, aws_client_finish(&w->client));
    return r;
}

static const aws_digest *wrong_of;

static void wrong_out(void *context, unsigned char *checksum)
{
    wrong_of->out(context, checksum);
    checksum[0] ^= 1;
}

static void get_body(world *w, const char *bucket, const aws_digest *checksum, size_t size)
{
    static unsigned char got[BODY_SIZE];
    aws_s3_args args = arguments(bucket, "body");
    int r;

    args.buffer = got;
    args.buffer_size = sizeof got;
    RUN(w, r, aws_s3_get_object(&w->client, &args, NULL));
    CHECK_INT(r, size);
    CHECK_MEM(got, body_letters, size);
    if (checksum && options.flavour & (OWN | RGW20)) /* so the answer was verified */
        CHECK(aws_client_header(&w->client, checksum->header) != NULL);
}

/* Each form of a body with each checksum: the true one is taken, one with a wrong checksum and one
 * with a bit flipped on the way aren't. */
static void part_bodies(void)
{
    static const aws_digest *const digests[] = {NULL,           &aws_crc32, &aws_crc32c,
                                                &aws_crc64nvme, &aws_sha1,  &aws_sha256};
    static const char bucket[] = "suite-bodies";
    world *w = the_world();
    aws_digest wrong;
    size_t d, big;
    int way;

    memset(body_letters, 'a', sizeof body_letters);
    body_letters[300] = FLIPPED;
    fresh_bucket(w, bucket);
    for (way = 0; way < BODY_WAYS; way++)
        for (d = 0; d < 6; d++)
            for (big = 0; big < 2; big++) {
                size_t size = big ? BODY_SIZE : 500;
                int once = way >= BODY_ONCE;
                if ((once && !can_stream()) || (once && d && options.flavour == RGW))
                    continue; /* no room for a chunk; trailers aren't known there */
                CHECK_INT(put_body(w, bucket, way, digests[d], size), 0);
                get_body(w, bucket, digests[d], size);
                if (digests[d] && options.flavour != RGW) {
                    wrong_of = digests[d];
                    wrong = *digests[d];
                    wrong.out = wrong_out;
                    CHECK_INT(put_body(w, bucket, way, &wrong, size), AWS_ERR_SERVICE);
                }
                if (options.https)
                    continue; /* TLS sees to it */
                w->flip = 1;
                CHECK_INT(put_body(w, bucket, way, digests[d], size), AWS_ERR_SERVICE);
                w->flip = 0;
            }
    delete_key(w, bucket, "body");
    drop_bucket(w, bucket);
    world_close(w);
}

/* ---- Part "ranges" ---- */

static void part_ranges(void)
{
    static const char bucket[] = "suite-ranges";
    static const struct {
        const char *range, *text, *content_range;
    } ranges[] = {{"bytes=2-5", "2345", "bytes 2-5/10"},
                  {"bytes=-3", "789", "bytes 7-9/10"},
                  {"bytes=5-", "56789", "bytes 5-9/10"},
                  {"bytes=0-0", "0", "bytes 0-0/10"},
                  {"bytes=5-100", "56789", "bytes 5-9/10"}};
    world *w = the_world();
    aws_s3_args args;
    aws_s3_result result;
    char text[16];
    unsigned i;

    fresh_bucket(w, bucket);
    put_text(w, bucket, "digits", "0123456789");
    args = arguments(bucket, "digits");
    args.buffer = text;
    args.buffer_size = sizeof text;
    for (i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        args.range = ranges[i].range;
        DO(w, (long long)strlen(ranges[i].text),
           aws_s3_get_object(&w->client, &args, &result));
        CHECK_INT(result.status, 206);
        CHECK_MEM(text, ranges[i].text, strlen(ranges[i].text));
        CHECK_STR(aws_client_header(&w->client, "content-range"), ranges[i].content_range);
    }
    args.range = "bytes=20-30";
    DO(w, AWS_ERR_SERVICE, aws_s3_get_object(&w->client, &args, &result));
    CHECK_STR(aws_client_failure(&w->client)->aws_code, "InvalidRange");
    CHECK_INT(aws_client_failure(&w->client)->http_status, 416);
    delete_key(w, bucket, "digits");
    drop_bucket(w, bucket);
    CHECK_INT(w->opens - w->spoilt, 1);
    world_close(w);
}

/* ---- Part "conditions" ---- */

static void conditional_get(world *w, const char *bucket, const char *etag)
{
    aws_s3_args args = arguments(bucket, "c");
    aws_s3_result result;

    args.if_match = etag;
    DO(w, 0, aws_s3_get_object(&w->client, &args, &result));
    args.if_match = "\"00000000000000000000000000000000\"";
    DO(w, AWS_ERR_SERVICE, aws_s3_get_object(&w->client, &args, &result));
    CHECK_STR(aws_client_failure(&w->client)->aws_code, "PreconditionFailed");
    args = arguments(bucket, "c");
    args.if_none_match = etag;
    DO(w, AWS_ERR_SERVICE, aws_s3_get_object(&w->client, &args, &result));
    CHECK_INT(aws_client_failure(&w->client)->http_status, 304);
    args = arguments(bucket, "c");
    args.if_modified_since = "Fri, 02 Jan 2026 03:04:05 GMT";
    DO(w, 0, aws_s3_head_object(&w->client, &args, &result));
    args = arguments(bucket, "c");
    args.if_unmodified_since = "Fri, 02 Jan 2026 03:04:05 GMT";
    DO(w, AWS_ERR_SERVICE, aws_s3_head_object(&w->client, &args, &result));
    CHECK_INT(aws_client_failure(&w->client)->http_status, 412);
}

static void conditional_put(world *w, const char *bucket, char *etag)
{
    aws_s3_args args = arguments(bucket, "c");
    aws_s3_result result;
    char bare[40];

    args.body = "new";
    args.body_size = 3;
    args.if_none_match = "*";
    DO(w, AWS_ERR_SERVICE, aws_s3_put_object(&w->client, &args, &result));
    CHECK_STR(aws_client_failure(&w->client)->aws_code,
              options.flavour == SWIFT ? "NotImplemented" : "PreconditionFailed");
    if (options.flavour != SWIFT) {
        args.key = "other";
        DO(w, 0, aws_s3_put_object(&w->client, &args, &result));
        delete_key(w, bucket, "other");
    }
    args = arguments(bucket, "c");
    args.body = "new";
    args.body_size = 3;
    if (options.flavour == SWIFT)
        return;
    args.if_match = "\"00000000000000000000000000000000\"";
    DO(w, AWS_ERR_SERVICE, aws_s3_put_object(&w->client, &args, &result));
    CHECK_STR(aws_client_failure(&w->client)->aws_code, "PreconditionFailed");
    args.if_match = etag;
    if (options.flavour == RGW) { /* knows only ETags without quotes here */
        etag[strlen(etag) - 1] = 0;
        strcpy(bare, etag + 1);
        args.if_match = bare;
    }
    DO(w, 0, aws_s3_put_object(&w->client, &args, &result));
}

static void part_conditions(void)
{
    static const char bucket[] = "suite-conditions";
    world *w = the_world();
    aws_s3_args args;
    aws_s3_result result;
    char etag[80];

    fresh_bucket(w, bucket);
    put_text(w, bucket, "c", "conditional");
    args = arguments(bucket, "c");
    DO(w, 0, aws_s3_head_object(&w->client, &args, &result));
    strcpy(etag, result.etag ? result.etag : "");
    conditional_get(w, bucket, etag);
    conditional_put(w, bucket, etag);
    delete_key(w, bucket, "c");
    drop_bucket(w, bucket);
    world_close(w);
}

/* ---- Parts "sizes", "limit" and "big" ---- */

static void part_sizes(void)
{
    static const char bucket[] = "suite-sizes";
    static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 1048577};
    static unsigned char body[1048577], back[1048578];
    world *w = the_world();
    unsigned i;

    fresh_bucket(w, bucket);
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        aws_s3_args args = arguments(bucket, "sized");
        pattern_fill(body, 0, sizes[i]);
        args.body = body;
        args.body_size = sizes[i];
        DO(w, 0, aws_s3_put_object(&w->client, &args, NULL));
        args = arguments(bucket, "sized");
        args.buffer = back;
        args.buffer_size = sizeof back;
        DO(w, (long long)sizes[i], aws_s3_get_object(&w->client, &args, NULL));
        CHECK_MEM(back, body, sizes[i]);
        put_source(w, bucket, "sourced", sizes[i]);
        get_sink(w, bucket, "sourced", sizes[i]);
    }
    CHECK_INT(w->opens - w->spoilt, 1);
    delete_key(w, bucket, "sized");
    delete_key(w, bucket, "sourced");
    drop_bucket(w, bucket);
    world_close(w);
}

static void part_limit(void)
{
    world *w = the_world();
    aws_s3_args args = arguments("suite-limit", "too large");
    stream from = {0, 0, 0, 0};
    aws_source source = {source_read, stream_rewind, NULL};

    from.size = ((uint64_t)5 << 30) + 1;
    source.context = &from;
    args.source = &source;
    args.body_size = from.size;
    DO(w, AWS_ERR_PARAM, aws_s3_put_object(&w->client, &args, NULL));
    CHECK_STR(aws_client_failure_text(&w->client),
              "PutObject: an argument is wrong: the body is larger than one PutObject may be, "
              "5,368,709,120 bytes, or its size isn't known, which S3 wants to know beforehand: "
              "upload it in parts");
    args.source = NULL;
    args.stream = 1;
    if (options.https)
        DO(w, AWS_ERR_PARAM, aws_s3_put_object(&w->client, &args, NULL));
    CHECK_INT(from.at, 0);
    CHECK_INT(w->opens, 0);
    world_close(w);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long peak_kib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void part_big(void)
{
    static const char bucket[] = "suite-big";
    world *w = the_world();
    long before = peak_kib();
    int i;

    fresh_bucket(w, bucket);
    for (i = -1; i <= 1; i++) {
        uint64_t size = ((uint64_t)4 << 30) + (uint64_t)(int64_t)i;
        double start = seconds(), middle;
        put_source(w, bucket, "big", size);
        middle = seconds();
        get_sink(w, bucket, "big", size);
        printf("  %llu bytes: put %.1f s, get %.1f s\n", (unsigned long long)size, middle - start,
               seconds() - middle);
        fflush(stdout);
        delete_key(w, bucket, "big");
    }
    CHECK(peak_kib() - before < 1024);
    drop_bucket(w, bucket);
    world_close(w);
}

/* ---- Parts "fill" and "listing" ---- */

/* Make bucket suite-keys and put every 16th key from --slice on: 16 of these fill it. */
static void part_fill(void)
{
    world *w = the_world();
    aws_s3_bucket bucket;
    char key[32];
    long i;
    int r;

    aws_s3_bucket_init(&bucket, &w->client, "suite-keys");
    RUN(w, r, aws_s3_bucket_exists(&bucket));
    if (r == 0)
        DO(w, 0, aws_s3_bucket_create(&bucket, NULL));
    for (i = options.slice; i < options.keys; i += 16) {
        sprintf(key, "s/%06ld", i);
        put_text(w, "suite-keys", key, "");
    }
    world_close(w);
}

static void part_listing(void)
{
    static aws_s3_objects it;
    world *w = the_world();
    aws_s3_args args = arguments(NULL, NULL);
    aws_s3_bucket bucket;
    aws_s3_summary object;
    char want[32];
    long count = 0;
    int r;

    aws_s3_bucket_init(&bucket, &w->client, "suite-keys");
    args.prefix = "s/";
    aws_s3_objects_begin(&it, &bucket, &args);
    for (;;) {
        RUN(w, r, aws_s3_objects_next(&it, &object));
        if (r <= 0)
            break;
        sprintf(want, "s/%06ld", count++);
        if (!CHECK_STR(object.key, want))
            break;
    }
    expect_result(w, r, 0, "the listing", __LINE__);
    CHECK_INT(count, options.keys);
    CHECK_INT(w->requests, (options.keys + 999) / 1000);
    CHECK_INT(w->opens - w->spoilt, 1);
    printf("  %ld keys listed with %ld requests over %ld connection\n", count, w->requests,
           w->opens);
    world_close(w);
}

/* ---- Parts "churn" and "delimiter": deletions inside the loop ---- */

static void put_many(world *w, const char *bucket, const char *form, long count)
{
    char key[32];
    long i;

    for (i = 0; i < count; i++) {
        sprintf(key, form, i);
        put_text(w, bucket, key, "");
    }
}

/* Delete all in the loop; the number of listings it took. */
static long churn(world *w, const char *name, long count, size_t page_size)
{
    static aws_s3_objects it;
    static unsigned char seen[100000];
    aws_s3_args args = arguments(NULL, NULL);
    aws_s3_bucket bucket;
    aws_s3_summary object;
    long lists = w->lists, found = 0, number;
    int r;

    memset(seen, 0, sizeof seen);
    args.page = page_size ? page_memory : NULL;
    args.page_size = page_size;
    aws_s3_bucket_init(&bucket, &w->client, name);
    aws_s3_objects_begin(&it, &bucket, &args);
    for (;;) {
        RUN(w, r, aws_s3_objects_next(&it, &object));
        if (r <= 0)
            break;
        number = atol(object.key + 4);
        if (!CHECK(strncmp(object.key, "key-", 4) == 0 && number < count && !seen[number]))
            break;
        seen[number] = 1;
        found++;
        delete_key(w, name, object.key);
    }
    expect_result(w, r, 0, "the listing", __LINE__);
    CHECK_INT(found, count);
    return w->lists - lists;
}

static void still_empty(world *w, const char *name)
{
    static aws_s3_objects it;
    aws_s3_bucket bucket;
    aws_s3_summary object;

    aws_s3_bucket_init(&bucket, &w->client, name);
    aws_s3_objects_begin(&it, &bucket, NULL);
    DO(w, 0, aws_s3_objects_next(&it, &object));
}

static void part_churn(void)
{
    static const char bucket[] = "suite-churn";
    world *w = the_world();
    long lists, few = options.churn / 10;

    fresh_bucket(w, bucket);
    put_many(w, bucket, "key-%06ld", options.churn);
    w->opens = 0;
    lists = churn(w, bucket, options.churn, sizeof page_memory);
    printf("  %ld deletions with 64 KB of page memory: %ld listings, %ld more connections\n",
           options.churn, lists, w->opens);
    CHECK(lists <= 2 * ((options.churn + 999) / 1000));
    CHECK_INT(w->opens, 0);
    still_empty(w, bucket);

    put_many(w, bucket, "key-%06ld", few);
    lists = churn(w, bucket, few, 0);
    printf("  %ld deletions without: %ld listings, %ld more connections\n", few, lists, w->opens);
    still_empty(w, bucket);
    put_many(w, bucket, "key-%06ld", few);
    lists = churn(w, bucket, few, 700); /* some entries, and the rest asked again */
    printf("  %ld deletions with 700 bytes: %ld listings, %ld more connections\n", few, lists,
           w->opens);
    still_empty(w, bucket);
    drop_bucket(w, bucket);
    world_close(w);
}

/* Plain keys and common prefixes interleaved, pages of `per_page`: delete what is a key, or (side
 * 1) something else in between, which must not disturb either. */
static void churn_delimiter(world *w, const char *name, long count, unsigned per_page,
                            size_t page_size)
{
    static aws_s3_objects it;
    static unsigned char seen[1000];
    aws_s3_args args = arguments(NULL, NULL);
    aws_s3_bucket bucket;
    aws_s3_summary object;
    long number, keys = 0, prefixes = 0;
    int r;

    put_many(w, name, "key-%06ld", count);
    put_many(w, name, "key-%06ld/x", count);
    memset(seen, 0, sizeof seen);
    args.page = page_size ? page_memory : NULL;
    args.page_size = page_size;
    args.delimiter = "/";
    args.max_keys = per_page;
    aws_s3_bucket_init(&bucket, &w->client, name);
    aws_s3_objects_begin(&it, &bucket, &args);
    for (;;) {
        RUN(w, r, aws_s3_objects_next(&it, &object));
        if (r <= 0)
            break;
        number = atol(object.key + 4);
        if (!CHECK(number < count))
            break;
        CHECK_INT(object.is_prefix, object.key[object.key_length - 1] == '/');
        CHECK_INT(seen[number] & (object.is_prefix ? 2 : 1), 0);
        seen[number] |= object.is_prefix ? 2 : 1;
        keys += !object.is_prefix;
        prefixes += object.is_prefix;
        if (!object.is_prefix)
            delete_key(w, name, object.key);
    }
    expect_result(w, r, 0, "the listing", __LINE__);
    CHECK_INT(keys, count);
    CHECK_INT(prefixes, count);
    empty_bucket(w, name);
}

static void part_delimiter(void)
{
    static const char bucket[] = "suite-delimiter";
    world *w = the_world();
    long count = options.churn < 3000 ? options.churn / 20 : 150;

    fresh_bucket(w, bucket);
    churn_delimiter(w, bucket, count, 0, sizeof page_memory);
    churn_delimiter(w, bucket, count, 15, sizeof page_memory);
    churn_delimiter(w, bucket, count, 0, 0);
    churn_delimiter(w, bucket, count, 15, 0);
    churn_delimiter(w, bucket, count, 15, 700);
    drop_bucket(w, bucket);
    world_close(w);
}

/* ---- Part "errors": the code, and the sentence word for word ---- */

/* Replace what stands at `at`. */
static void put_word(char *at, size_t length, const char *word)
{
    memmove(at + strlen(word), at + length, strlen(at + length) + 1);
    memcpy(at, word, strlen(word));
}

/* Our time in the text becomes OURS if it is (shifted) now, the server's THEIRS if it is now. */
static void settle_times(world *w, char *text)
{
    static const char ours[] = "the clock here says ", theirs[] = "the server's ";
    char date[32], *at = strstr(text, ours);
    int64_t now = (int64_t)time(NULL);
    int back;

    for (back = 0; at && back < 5; back++) {
        aws_date_text(now + w->shift - back, date);
        if (strncmp(at + sizeof ours - 1, date, 16) == 0)
            put_word(at + sizeof ours - 1, 16, "OURS");
    }
    at = at ? strstr(at, theirs) : NULL;
    if (at && strstr(at, ": set") && strstr(at, ": set") - at < 45) {
        size_t size;
        at += sizeof theirs - 1;
        size = (size_t)(strstr(at, ": set") - at);
        memcpy(date, at, size);
        date[size] = 0;
        now -= aws_date_parse(date);
        if (now > -5 && now < 5)
            put_word(at, size, "THEIRS");
    }
}

/* A failure's text without what differs from run to run. */
static const char *settled(world *w, char *text, size_t size)
{
    static const char id[] = "; request id ";
    char *at;

    snprintf(text, size, "%s", aws_client_failure_text(&w->client));
    settle_times(w, text);
    if ((at = strstr(text, id)) != NULL) {
        CHECK(strlen(at) > sizeof id);
        strcpy(at + sizeof id - 1, "ID");
    }
    return text;
}

typedef struct wording {
    int         flavours;
    const char *aws_code, *text;
} wording;

static const wording *wording_of(const wording *words)
{
    while (!(words->flavours & options.flavour))
        words++;
    return words;
}

static void check_wording(world *w, const wording *words)
{
    char text[700];

    words = wording_of(words);
    CHECK_STR(aws_client_failure(&w->client)->aws_code, words->aws_code);
    CHECK_STR(settled(w, text, sizeof text), words->text);
}

static void wrong_secret(void)
{
    static const wording words[] = {
        {OWN, "SignatureDoesNotMatch",
         "GetObject: SignatureDoesNotMatch (HTTP 403): The request signature we calculated does "
         "not "
         "match the signature you provided. Check your key and signing method; the secret access "
         "key does not belong to access key 'AKIAIOSFODNN7EXAMPLE': check secret_access_key; "
         "request id ID"},
        {RGW | RGW20, "SignatureDoesNotMatch",
         "GetObject: SignatureDoesNotMatch (HTTP 403); the secret access key does not belong to "
         "access key 'AKIAIOSFODNN7EXAMPLE': check secret_access_key; request id ID"},
        {SWIFT, "SignatureDoesNotMatch",
         "GetObject: SignatureDoesNotMatch (HTTP 403): The request signature we calculated does "
         "not "
         "match the signature you provided. Check your key and signing method; the secret access "
         "key does not belong to access key 'test:tester': check secret_access_key; request id "
         "ID"}};
    static world w;
    aws_s3_args args = arguments("suite-errors", "key");

    world_config(&w);
    w.config.secret_access_key = "wrong/secret";
    world_open(&w);
    DO(&w, AWS_ERR_SERVICE, aws_s3_get_object(&w.client, &args, NULL));
    CHECK_INT(aws_client_failure(&w.client)->http_status, 403);
    check_wording(&w, words);
    CHECK(strstr(aws_client_failure_text(&w.client), "wrong/secret") == NULL);
    CHECK_INT(w.requests, 1); /* and not tried again */
    world_close(&w);
}

static void unknown_key(void)
{
    static const wording words[] = {
        {OWN, "InvalidAccessKeyId",
         "PutObject: InvalidAccessKeyId (HTTP 403): The AWS Access Key Id you provided does not "
         "exist in our records; the access key 'AKIANOBODY:nobody' is not known there: check "
         "access_key_id; request id ID"},
        {RGW | RGW20, "InvalidAccessKeyId",
         "PutObject: InvalidAccessKeyId (HTTP 403); the access key 'AKIANOBODY:nobody' is not "
         "known "
         "there: check access_key_id; request id ID"},
        {SWIFT, "SignatureDoesNotMatch", /* doesn't tell */
         "PutObject: SignatureDoesNotMatch (HTTP 403): The request signature we calculated does "
         "not "
         "match the signature you provided. Check your key and signing method; the secret access "
         "key does not belong to access key 'AKIANOBODY:nobody': check secret_access_key; request "
         "id ID"}};
    static world w;
    aws_s3_args args = arguments("suite-errors", "key");

    world_config(&w);
    w.config.access_key_id = "AKIANOBODY:nobody";
    world_open(&w);
    args.body = "x";
    args.body_size = 1;
    DO(&w, AWS_ERR_SERVICE, aws_s3_put_object(&w.client, &args, NULL));
    CHECK_INT(aws_client_failure(&w.client)->http_status, 403);
    check_wording(&w, words);
    world_close(&w);
}

/* What the refusal says is put right at once, and remembered. */
static void skewed_clock(int64_t shift)
{
    static world w;
    aws_s3_args args = arguments("suite-errors", "key");

    world_config(&w);
    w.shift = shift;
    world_open(&w);
    DO(&w, 0, aws_s3_get_object(&w.client, &args, NULL));
    CHECK_INT(w.requests, 2);
    DO(&w, 0, aws_s3_get_object(&w.client, &args, NULL));
    CHECK_INT(w.requests, 3);
    world_close(&w);
}

static void wrong_region(void)
{
    static world w;
    aws_s3_args args = arguments("suite-errors", "key");
    int takes_any = (options.flavour & (RGW | RGW20)) != 0;

    world_config(&w);
    w.config.region = "eu-north-7";
    world_open(&w);
    DO(&w, 0, aws_s3_get_object(&w.client, &args, NULL));
    CHECK_INT(w.requests, takes_any ? 1 : 2);
    DO(&w, 0, aws_s3_get_object(&w.client, &args, NULL));
    CHECK_INT(w.requests, takes_any ? 2 : 3);
    world_close(&w);
}

static void missing_things(world *w)
{
    static const wording no_bucket[] = {
        {OWN | SWIFT, "NoSuchBucket",
         "GetObject: NoSuchBucket (HTTP 404): The specified bucket does not exist; "
         "bucket 'suite-nowhere' does not exist there: check its name, or create it; request id "
         "ID"},
        {RGW | RGW20, "NoSuchBucket",
         "GetObject: NoSuchBucket (HTTP 404); "
         "bucket 'suite-nowhere' does not exist there: check its name, or create it; request id "
         "ID"}};
    static const wording no_bucket_head[] = {{ALL, "404",
                                              "HeadBucket: 404 (HTTP 404); 'suite-nowhere' does "
                                              "not exist there: check the name; request "
                                              "id ID"}};
    static const wording no_key[] = {
        {OWN | SWIFT, "NoSuchKey",
         "GetObject: NoSuchKey (HTTP 404): The specified key does not exist; "
         "there is no object 'no/such key' in the bucket: check the key; request id ID"},
        {RGW | RGW20, "NoSuchKey",
         "GetObject: NoSuchKey (HTTP 404); "
         "there is no object 'no/such key' in the bucket: check the key; request id ID"}};
    static const wording no_key_head[] = {{ALL, "404",
                                           "HeadObject: 404 (HTTP 404); 'no/such key' does not "
                                           "exist there: check the name; request id "
                                           "ID"}};
    static const wording not_empty[] = {
        {OWN | SWIFT, "BucketNotEmpty",
         "DeleteBucket: BucketNotEmpty (HTTP 409): The bucket you tried to delete is not empty; "
         "bucket 'suite-errors' still has objects: delete them first; request id ID"},
        {RGW | RGW20, "BucketNotEmpty",
         "DeleteBucket: BucketNotEmpty (HTTP 409); "
         "bucket 'suite-errors' still has objects: delete them first; request id ID"}};
    aws_s3_args args = arguments("suite-nowhere", "key");
    static aws_s3_objects it;
    aws_s3_bucket bucket;
    aws_s3_summary object;

    DO(w, AWS_ERR_SERVICE, aws_s3_get_object(&w->client, &args, NULL));
    check_wording(w, no_bucket);
    args.key = NULL;
    DO(w, AWS_ERR_SERVICE, aws_s3_head_bucket(&w->client, &args, NULL));
    check_wording(w, no_bucket_head);
    aws_s3_bucket_init(&bucket, &w->client, "suite-nowhere");
    aws_s3_objects_begin(&it, &bucket, NULL);
    DO(w, AWS_ERR_SERVICE, aws_s3_objects_next(&it, &object));
    CHECK_STR(aws_client_failure(&w->client)->aws_code, "NoSuchBucket");
    DO(w, AWS_ERR_SERVICE, aws_s3_objects_next(&it, &object));
    args = arguments("suite-errors", "no/such key");
    DO(w, AWS_ERR_SERVICE, aws_s3_get_object(&w->client, &args, NULL));
    check_wording(w, no_key);
    DO(w, AWS_ERR_SERVICE, aws_s3_head_object(&w->client, &args, NULL));
    check_wording(w, no_key_head);
    put_text(w, "suite-errors", "key", "x");
    args.key = NULL;
    DO(w, AWS_ERR_SERVICE, aws_s3_delete_bucket(&w->client, &args, NULL));
    check_wording(w, not_empty);
}

static void refused_arguments(world *w)
{
    static const struct {
        const char *bucket, *key, *text;
    } wrong[] = {
        {"x@evil:443/#", "k", "'x@evil:443/#' is not a bucket name: 1 to 255 of A-Z a-z 0-9 . - _"},
        {"a\nb", "k", "'a?b' is not a bucket name: 1 to 255 of A-Z a-z 0-9 . - _"},
        {"", "k", "'' is not a bucket name: 1 to 255 of A-Z a-z 0-9 . - _"},
        {NULL, "k", "no bucket is named"},
        {"suite-errors", "", "the key is empty: it would mean the bucket"},
        {"suite-errors", NULL, "the key is empty: it would mean the bucket"},
    };
    static char too_long[1026];
    char text[160];
    aws_s3_args args;
    unsigned i;
    long requests = w->requests;

    for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        args = arguments(wrong[i].bucket, wrong[i].key);
        DO(w, AWS_ERR_PARAM, aws_s3_delete_object(&w->client, &args, NULL));
        snprintf(text, sizeof text, "DeleteObject: an argument is wrong: %s", wrong[i].text);
        CHECK_STR(aws_client_failure_text(&w->client), text);
    }
    memset(too_long, 'k', 1025);
    args = arguments("suite-errors", too_long);
    DO(w, AWS_ERR_PARAM, aws_s3_delete_object(&w->client, &args, NULL));
    CHECK_INT(w->requests, requests);
}

static void part_errors(void)
{
    world *w = the_world();

    fresh_bucket(w, "suite-errors");
    refused_arguments(w);
    missing_things(w);
    CHECK_INT(w->opens - w->spoilt, 1);
    world_close(w);
    wrong_secret();
    unknown_key();
    skewed_clock(3600);
    if (!options.https) /* the server's certificate may be younger */
        skewed_clock(-3600);
    wrong_region();
    w = the_world();
    delete_key(w, "suite-errors", "key");
    drop_bucket(w, "suite-errors");
    world_close(w);
}

/* ---- Part "stale": the server closes kept connections without a word (the driver tells it to
 * after the 1st and the 3rd answer) ---- */

static void until_closed(world *w)
{
    const aws_port *base = aws_posix_port();
    unsigned what = AWS_WAIT_READ;
    struct pollfd p;

    p.fd = (int)base->handle(base, w->newest, &what);
    p.events = POLLIN;
    p.revents = 0;
    CHECK_INT(poll(&p, 1, 60000), 1);
}

static void part_stale(void)
{
    static const char bucket[] = "suite-stale";
    static world the_one, *w = &the_one;
    stream from = {0, 0, 0, 0};
    aws_source source = {source_read, NULL, NULL};
    aws_s3_args args = arguments(bucket, "stale");

    world_config(w);
    w->config.max_attempts = 1; /* this isn't one */
    world_open(w);
    fresh_bucket(w, bucket);
    w->requests = 0;
    put_text(w, bucket, "stale", "1st"); /* closed after the answer */
    CHECK_INT(w->opens - w->spoilt, 1);
    until_closed(w);
    put_text(w, bucket, "stale", "2nd");
    CHECK_INT(w->opens, 2); /* one more, at once: no attempt, no back-off */
    CHECK_INT(w->requests, 2);
    put_text(w, bucket, "stale", "3rd"); /* closed again */
    CHECK_INT(w->opens, 2);
    until_closed(w);
    if (options.https &&
        strcmp(options.port, "blocking") != 0) { /* a body that can't be read twice */
        from.size = 100000;
        source.context = &from;
        args.source = &source;
        args.body_size = from.size;
        DO(w, 0, aws_s3_put_object(&w->client, &args, NULL));
        CHECK_INT(from.at, from.size);
    } else {
        put_text(w, bucket, "stale", "4th");
    }
    CHECK_INT(w->opens, 3);
    CHECK_INT(w->requests, 4);
    world_close(w);
}

/* ---- Multipart uploads by hand ---- */

enum { PART = 5 << 20 };

/* Into xml[size], as text; what came, or 0. */
static int get_xml(world *w, aws_s3_action *action, const aws_s3_args *args, char *xml, size_t size)
{
    aws_s3_args a = *args;
    int r;

    a.buffer = xml;
    a.buffer_size = size - 1;
    RUN(w, r, action(&w->client, &a, NULL));
    if (!CHECK(r > 0))
        fprintf(stderr, "    %s\n", aws_client_failure_text(&w->client));
    xml[r > 0 ? r : 0] = 0;
    return r > 0 ? r : 0;
}

static void keep_part(aws_s3_part *part, char etags[][80], unsigned number,
                      const aws_s3_result *result)
{
    snprintf(etags[number - 1], 80, "%s", result->etag ? result->etag : "");
    part[number - 1].number = number;
    part[number - 1].etag = etags[number - 1];
}

static void upload_parts(world *w, const char *bucket, const char *id, aws_s3_part *parts,
                         char etags[][80])
{
    aws_s3_args args = arguments(bucket, "m/1");
    stream from = {0, PART, 0, 0};
    aws_source source = {source_read, stream_rewind, NULL};
    aws_s3_result result;

    source.context = &from;
    args.upload_id = id;
    args.part_number = 1;
    args.source = &source;
    args.body_size = PART;
    DO(w, 0, aws_s3_upload_part(&w->client, &args, &result));
    keep_part(parts, etags, 1, &result);
    args = arguments(bucket, "m/1");
    args.upload_id = id;
    args.part_number = 2;
    args.copy_source = "suite-multipart/source +";
    args.copy_source_range = "bytes=10-5242889";
    DO(w, 0, aws_s3_upload_part_copy(&w->client, &args, &result));
    keep_part(parts, etags, 2, &result);
    args = arguments(bucket, "m/1");
    args.upload_id = id;
    args.part_number = 3;
    args.body = "end";
    args.body_size = 3;
    DO(w, 0, aws_s3_upload_part(&w->client, &args, &result));
    keep_part(parts, etags, 3, &result);
}

static void list_parts(world *w, const char *bucket, const char *id)
{
    static char xml[4096];
    aws_s3_args args = arguments(bucket, "m/1");
    char text[80];
    int size;

    args.upload_id = id;
    args.max_parts = 2;
    size = get_xml(w, aws_s3_list_parts, &args, xml, sizeof xml);
    CHECK_INT(count_elements(xml, (size_t)size, "ListPartsResult/Part"), 2);
    element_text(xml, "<IsTruncated>", text, sizeof text);
    CHECK_STR(text, "true");
    args.part_number_marker = 2;
    size = get_xml(w, aws_s3_list_parts, &args, xml, sizeof xml);
    CHECK_INT(count_elements(xml, (size_t)size, "ListPartsResult/Part"), 1);
    args = arguments(bucket, NULL);
    args.prefix = "m/";
    size = get_xml(w, aws_s3_list_multipart_uploads, &args, xml, sizeof xml);
    CHECK_INT(count_elements(xml, (size_t)size, "ListMultipartUploadsResult/Upload"), 1);
    element_text(xml, "<UploadId>", text, sizeof text);
    CHECK_STR(text, id);
}

/* The bytes around the seams of the parts. */
static void check_seams(world *w, const char *bucket)
{
    aws_s3_args args = arguments(bucket, "m/1");
    aws_s3_result result;
    unsigned char bytes[32];

    DO(w, 0, aws_s3_head_object(&w->client, &args, &result));
    CHECK_INT(result.size, 2 * PART + 3);
    CHECK_STR(result.content_type, "text/x");
    args.buffer = bytes;
    args.buffer_size = sizeof bytes;
    args.range = "bytes=5242875-5242890";
    DO(w, 16, aws_s3_get_object(&w->client, &args, NULL));
    CHECK(pattern_is(bytes, PART - 5, 5) && pattern_is(bytes + 5, 10, 11));
    args.range = "bytes=-5";
    DO(w, 5, aws_s3_get_object(&w->client, &args, NULL));
    CHECK(pattern_is(bytes, PART + 8, 2) && memcmp(bytes + 2, "end", 3) == 0);
}

static void abort_upload(world *w, const char *bucket)
{
    static char xml[4096];
    aws_s3_args args = arguments(bucket, "m/2");
    aws_s3_result result;
    aws_s3_part part = {1, "\"00000000000000000000000000000000\"", NULL, NULL};
    char id[256];
    int size;

    DO(w, 0, aws_s3_create_multipart_upload(&w->client, &args, &result));
    snprintf(id, sizeof id, "%s", result.upload_id ? result.upload_id : "");
    args.upload_id = id;
    args.part_number = 1;
    args.body = "abc";
    args.body_size = 3;
    DO(w, 0, aws_s3_upload_part(&w->client, &args, &result));
    args = arguments(bucket, "m/2");
    args.upload_id = id;
    args.parts = &part;
    args.part_count = 1;
    DO(w, AWS_ERR_SERVICE, aws_s3_complete_multipart_upload(&w->client, &args, NULL));
    CHECK_STR(aws_client_failure(&w->client)->aws_code, "InvalidPart");
    args = arguments(bucket, "m/2");
    args.upload_id = id;
    DO(w, 0, aws_s3_abort_multipart_upload(&w->client, &args, NULL));
    DO(w, AWS_ERR_SERVICE, aws_s3_abort_multipart_upload(&w->client, &args, NULL));
    CHECK_STR(aws_client_failure(&w->client)->aws_code, "NoSuchUpload");
    args = arguments(bucket, NULL);
    size = get_xml(w, aws_s3_list_multipart_uploads, &args, xml, sizeof xml);
    CHECK_INT(count_elements(xml, (size_t)size, "ListMultipartUploadsResult/Upload"), 0);
}

static void part_multipart(void)
{
    static const char bucket[] = "suite-multipart";
    world *w = the_world();
    aws_s3_args args;
    aws_s3_result result;
    aws_s3_part parts[3];
    char id[256], etags[3][80];
    size_t length;

    memset(parts, 0, sizeof parts);
    fresh_bucket(w, bucket);
    put_source(w, bucket, "source +", PART + 10);
    args = arguments(bucket, "m/1");
    args.content_type = "text/x";
    DO(w, 0, aws_s3_create_multipart_upload(&w->client, &args, &result));
    snprintf(id, sizeof id, "%s", result.upload_id ? result.upload_id : "");
    upload_parts(w, bucket, id, parts, etags);
    list_parts(w, bucket, id);
    args = arguments(bucket, "m/1");
    args.upload_id = id;
    args.parts = parts;
    args.part_count = 3;
    DO(w, 0, aws_s3_complete_multipart_upload(&w->client, &args, &result));
    length = result.etag ? strlen(result.etag) : 0;
    CHECK(options.flavour == RGW /* says "" */ ||
          (length > 3 && memcmp(result.etag + length - 3, "-3\"", 3) == 0));
    check_seams(w, bucket);
    abort_upload(w, bucket);
    delete_key(w, bucket, "m/1");
    delete_key(w, bucket, "source +");
    drop_bucket(w, bucket);
    world_close(w);
}

/* ---- Versions ---- */

static void set_versioning(world *w, const char *bucket, const char *status)
{
    char document[300];
    aws_s3_args args = arguments(bucket, NULL);
    aws_xml_writer xml;

    aws_xml_begin(&xml, document, sizeof document);
    aws_xml_open(&xml, "VersioningConfiguration");
    aws_xml_set(&xml, "xmlns", AWS_S3_NAMESPACE);
    aws_xml_put(&xml, "Status", status);
    aws_xml_close(&xml);
    args.body = document;
    args.body_size = (uint64_t)aws_xml_end(&xml);
    DO(w, 0, aws_s3_put_bucket_versioning(&w->client, &args, NULL));
    args = arguments(bucket, NULL);
    DO(w, 0, aws_s3_get_bucket_versioning(&w->client, &args, NULL));
    CHECK_STR(aws_client_header(&w->client, "/Status"), status);
}

static void put_version(world *w, const char *bucket, const char *text, char id[80])
{
    aws_s3_args args = arguments(bucket, "k");
    aws_s3_result result;

    args.body = text;
    args.body_size = strlen(text);
    DO(w, 0, aws_s3_put_object(&w->client, &args, &result));
    snprintf(id, 80, "%s", result.version_id ? result.version_id : "");
    CHECK(id[0]);
}

static void part_versions(void)
{
    static const char bucket[] = "suite-versions";
    static char xml[4096];
    world *w = the_world();
    aws_s3_args args;
    aws_s3_result result;
    aws_s3_key all[3];
    char ids[3][80], buffer[16];
    int size, i;

    if (options.flavour == OWN) { /* it has none */
        world_close(w);
        return;
    }
    fresh_bucket(w, bucket);
    set_versioning(w, bucket, "Enabled");
    put_version(w, bucket, "one", ids[0]);
    put_version(w, bucket, "second", ids[1]);
    CHECK(strcmp(ids[0], ids[1]) != 0);
    args = arguments(bucket, "k");
    args.buffer = buffer;
    args.buffer_size = sizeof buffer;
    args.version_id = ids[0];
    DO(w, 3, aws_s3_get_object(&w->client, &args, NULL));
    args.version_id = NULL;
    DO(w, 6, aws_s3_get_object(&w->client, &args, NULL));
    args = arguments(bucket, "k");
    DO(w, 0, aws_s3_delete_object(&w->client, &args, &result));
    snprintf(ids[2], sizeof ids[2], "%s", result.version_id ? result.version_id : "");
    CHECK_STR(aws_client_header(&w->client, "x-amz-delete-marker"), "true");
    DO(w, AWS_ERR_SERVICE, aws_s3_get_object(&w->client, &args, NULL));
    args = arguments(bucket, NULL);
    size = get_xml(w, aws_s3_list_object_versions, &args, xml, sizeof xml);
    CHECK_INT(count_elements(xml, (size_t)size, "ListVersionsResult/Version"), 2);
    CHECK_INT(count_elements(xml, (size_t)size, "ListVersionsResult/DeleteMarker"), 1);
    args.key_marker = "k";
    args.version_id_marker = ids[1];
    size = get_xml(w, aws_s3_list_object_versions, &args, xml, sizeof xml);
    CHECK_INT(count_elements(xml, (size_t)size, "ListVersionsResult/Version"), 1);
    for (i = 0; i < 3; i++) {
        all[i].key = "k";
        all[i].version_id = ids[i];
    }
    args = arguments(bucket, NULL);
    args.objects = all;
    args.object_count = 3;
    DO(w, 0, aws_s3_delete_objects(&w->client, &args, &result));
    CHECK_INT(result.deleted, 3);
    set_versioning(w, bucket, "Suspended");
    drop_bucket(w, bucket);
    world_close(w);
}

/* ---- Configurations ---- */

/* The answer says what was put; after the delete it is an error of that code. */
static void check_stored(world *w, aws_s3_action *get, const aws_s3_args *args, const char *text)
{
    static char xml[4096];

    get_xml(w, get, args, xml, sizeof xml);
    if (!CHECK(strstr(xml, text) != NULL))
        fprintf(stderr, "    %s\n", xml);
}

static void check_gone(world *w, aws_s3_action *drop, aws_s3_action *get, const aws_s3_args *args,
                       const char *code)
{
    static char xml[4096];
    aws_s3_args a = *args;

    DO(w, 0, drop(&w->client, args, NULL));
    a.buffer = xml;
    a.buffer_size = sizeof xml;
    DO(w, AWS_ERR_SERVICE, get(&w->client, &a, NULL));
    CHECK_STR(aws_client_failure(&w->client)->aws_code, code);
}

static void check_tags(world *w, const char *bucket)
{
    aws_pair tags[] = {{"colour", "red & <blue>"}, {"empty", ""}};
    aws_s3_args args = arguments(bucket, NULL), with = args;
    static char xml[2048];
    int size;

    with.tags = tags;
    with.tag_count = 2;
    DO(w, 0, aws_s3_put_bucket_tagging(&w->client, &with, NULL));
    check_stored(w, aws_s3_get_bucket_tagging, &args, "<Value>red &amp; &lt;blue&gt;</Value>");
    check_gone(w, aws_s3_delete_bucket_tagging, aws_s3_get_bucket_tagging, &args, "NoSuchTagSet");
    args.key = with.key = "o";
    DO(w, 0, aws_s3_put_object_tagging(&w->client, &with, NULL));
    check_stored(w, aws_s3_get_object_tagging, &args, "<Key>colour</Key>");
    DO(w, 0, aws_s3_delete_object_tagging(&w->client, &args, NULL));
    size = get_xml(w, aws_s3_get_object_tagging, &args, xml, sizeof xml);
    CHECK_INT(count_elements(xml, (size_t)size, "Tagging/TagSet/Tag"), 0);
}

static void check_acl(world *w, const char *bucket)
{
    static const char everyone[] = "http://acs.amazonaws.com/groups/global/AllUsers";
    aws_s3_args args = arguments(bucket, "o"), with;
    aws_s3_more more = {&aws_s3_m_grant_read, NULL};
    char grant[80], owner[80], document[900];
    static char xml[4096];
    aws_xml_writer d;

    with = args;
    with.acl = "public-read";
    DO(w, 0, aws_s3_put_object_acl(&w->client, &with, NULL));
    check_stored(w, aws_s3_get_object_acl, &args, everyone);
    with.acl = "private";
    DO(w, 0, aws_s3_put_object_acl(&w->client, &with, NULL));
    get_xml(w, aws_s3_get_object_acl, &args, xml, sizeof xml);
    CHECK(strstr(xml, everyone) == NULL);
    element_text(xml, "<ID>", owner, sizeof owner);
    with = args;
    with.key = NULL;
    with.more = &more;
    with.more_count = 1;
    snprintf(grant, sizeof grant, "uri=\"%s\"", everyone);
    more.value = grant;
    DO(w, 0, aws_s3_put_bucket_acl(&w->client, &with, NULL));
    with.more = NULL;
    with.more_count = 0;
    check_stored(w, aws_s3_get_bucket_acl, &with, "<Permission>READ</Permission>");
    aws_xml_begin(&d, document, sizeof document);
    aws_xml_open(&d, "AccessControlPolicy");
    aws_xml_set(&d, "xmlns", AWS_S3_NAMESPACE);
    aws_xml_open(&d, "Owner");
    aws_xml_put(&d, "ID", owner);
    aws_xml_close(&d);
    aws_xml_open(&d, "AccessControlList");
    aws_xml_open(&d, "Grant");
    aws_xml_open(&d, "Grantee");
    aws_xml_set(&d, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
    aws_xml_set(&d, "xsi:type", "Group");
    aws_xml_put(&d, "URI", "http://acs.amazonaws.com/groups/global/AuthenticatedUsers");
    aws_xml_close(&d);
    aws_xml_put(&d, "Permission", "WRITE");
    aws_xml_close(&d);
    aws_xml_close(&d);
    aws_xml_close(&d);
    with.body = document;
    with.body_size = (uint64_t)aws_xml_end(&d);
    DO(w, 0, aws_s3_put_bucket_acl(&w->client, &with, NULL));
    args.key = NULL;
    check_stored(w, aws_s3_get_bucket_acl, &args, "groups/global/AuthenticatedUsers");
}

static void put_document(world *w, aws_s3_action *put, const aws_s3_args *args,
                         aws_xml_writer *d, const char *document)
{
    aws_s3_args with = *args;

    with.body = document;
    with.body_size = (uint64_t)aws_xml_end(d);
    DO(w, 0, put(&w->client, &with, NULL));
}

static void check_cors(world *w, const char *bucket)
{
    aws_s3_args args = arguments(bucket, NULL);
    char document[600];
    aws_xml_writer d;

    aws_xml_begin(&d, document, sizeof document);
    aws_xml_open(&d, "CORSConfiguration");
    aws_xml_set(&d, "xmlns", AWS_S3_NAMESPACE);
    aws_xml_open(&d, "CORSRule");
    aws_xml_put(&d, "AllowedMethod", "GET");
    aws_xml_put(&d, "AllowedMethod", "PUT");
    aws_xml_put(&d, "AllowedOrigin", "https://a.example?x&y");
    aws_xml_put_number(&d, "MaxAgeSeconds", 3000);
    aws_xml_close(&d);
    aws_xml_close(&d);
    put_document(w, aws_s3_put_bucket_cors, &args, &d, document);
    check_stored(w, aws_s3_get_bucket_cors, &args, "https://a.example?x&amp;y");
    check_gone(w, aws_s3_delete_bucket_cors, aws_s3_get_bucket_cors, &args,
               "NoSuchCORSConfiguration");
}

static void check_lifecycle(world *w, const char *bucket)
{
    aws_s3_args args = arguments(bucket, NULL);
    char document[600];
    aws_xml_writer d;

    aws_xml_begin(&d, document, sizeof document);
    aws_xml_open(&d, "LifecycleConfiguration");
    aws_xml_set(&d, "xmlns", AWS_S3_NAMESPACE);
    aws_xml_open(&d, "Rule");
    aws_xml_put(&d, "ID", "old logs");
    aws_xml_open(&d, "Filter");
    aws_xml_put(&d, "Prefix", "logs/");
    aws_xml_close(&d);
    aws_xml_put(&d, "Status", "Enabled");
    aws_xml_open(&d, "Expiration");
    aws_xml_put_number(&d, "Days", 365);
    aws_xml_close(&d);
    aws_xml_close(&d);
    aws_xml_close(&d);
    put_document(w, aws_s3_put_bucket_lifecycle_configuration, &args, &d, document);
    check_stored(w, aws_s3_get_bucket_lifecycle_configuration, &args, "<ID>old logs</ID>");
    check_gone(w, aws_s3_delete_bucket_lifecycle, aws_s3_get_bucket_lifecycle_configuration, &args,
               "NoSuchLifecycleConfiguration");
}

static void check_policy(world *w, const char *bucket)
{
    static const char policy[] =
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\","
        "\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::suite-configurations/*\"}]}";
    aws_s3_args args = arguments(bucket, NULL), with = args;

    with.body = policy;
    with.body_size = sizeof policy - 1;
    DO(w, 0, aws_s3_put_bucket_policy(&w->client, &with, NULL));
    check_stored(w, aws_s3_get_bucket_policy, &args, policy);
    DO(w, 0, aws_s3_get_bucket_policy_status(&w->client, &args, NULL));
    CHECK_STR(aws_client_header(&w->client, "/IsPublic"), "true");
    check_gone(w, aws_s3_delete_bucket_policy, aws_s3_get_bucket_policy, &args,
               "NoSuchBucketPolicy");
}

static void check_public_access(world *w, const char *bucket)
{
    aws_s3_args args = arguments(bucket, NULL);
    char document[400];
    aws_xml_writer d;

    aws_xml_begin(&d, document, sizeof document);
    aws_xml_open(&d, "PublicAccessBlockConfiguration");
    aws_xml_set(&d, "xmlns", AWS_S3_NAMESPACE);
    aws_xml_put_bool(&d, "BlockPublicAcls", 1);
    aws_xml_put_bool(&d, "BlockPublicPolicy", 0);
    aws_xml_close(&d);
    put_document(w, aws_s3_put_public_access_block, &args, &d, document);
    DO(w, 0, aws_s3_get_public_access_block(&w->client, &args, NULL));
    CHECK(aws_client_header(&w->client, "/BlockPublicAcls") != NULL);
    DO(w, 0, aws_s3_delete_public_access_block(&w->client, &args, NULL));
}

static void part_configurations(void)
{
    static const char bucket[] = "suite-configurations";
    world *w = the_world();

    fresh_bucket(w, bucket);
    put_text(w, bucket, "o", "object");
    if (options.flavour & (RGW | RGW20)) { /* Swift and ours answer 501 */
        check_tags(w, bucket);
        check_acl(w, bucket);
        check_cors(w, bucket);
        check_lifecycle(w, bucket);
        check_policy(w, bucket);
        check_public_access(w, bucket);
    }
    delete_key(w, bucket, "o");
    drop_bucket(w, bucket);
    world_close(w);
}

/* ---- Keys of the customer, over https only ---- */

static void part_customer_keys(void)
{
    static const char bucket[] = "suite-customer-keys";
    char key[45], md5[25];
    aws_s3_more more[3] = {{&aws_s3_m_copy_source_sse_customer_algorithm, "AES256"},
                           {&aws_s3_m_copy_source_sse_customer_key, NULL},
                           {&aws_s3_m_copy_source_sse_customer_key_md5, NULL}};
    world *w = the_world();
    aws_s3_args args;
    char buffer[16];

    if (!options.https || options.flavour & (OWN | SWIFT)) { /* these two keep no secret */
        world_close(w);
        return;
    }
    aws_s3_customer_key("0123456789abcdefghijklmnopqrstuv", key, md5);
    fresh_bucket(w, bucket);
    args = arguments(bucket, "secret");
    args.sse_customer_algorithm = "AES256";
    args.sse_customer_key = key;
    args.sse_customer_key_md5 = md5;
    args.body = "hidden";
    args.body_size = 6;
    DO(w, 0, aws_s3_put_object(&w->client, &args, NULL));
    args.body = NULL;
    args.body_size = 0;
    args.buffer = buffer;
    args.buffer_size = sizeof buffer;
    DO(w, 6, aws_s3_get_object(&w->client, &args, NULL));
    CHECK_MEM(buffer, "hidden", 6);
    CHECK_STR(aws_client_header(&w->client, "x-amz-server-side-encryption-customer-key-md5"), md5);
    args.sse_customer_algorithm = args.sse_customer_key = args.sse_customer_key_md5 = NULL;
    DO(w, AWS_ERR_SERVICE, aws_s3_get_object(&w->client, &args, NULL));
    CHECK_INT(aws_client_status(&w->client), 400);
    if (options.flavour == RGW20) {
        args = arguments(bucket, "open");
        args.copy_source = "suite-customer-keys/secret";
        more[1].value = key;
        more[2].value = md5;
        args.more = more;
        args.more_count = 3;
        DO(w, 0, aws_s3_copy(&w->client, &args, NULL));
        delete_key(w, bucket, "open");
    }
    delete_key(w, bucket, "secret");
    drop_bucket(w, bucket);
    world_close(w);
}

/* A directory bucket: our server takes its session's keys for objects, and no others. */
static void part_express(void)
{
    static const char bucket[] = "suite--usw2-az1--x-s3";
    static const aws_addresses addresses = {aws_s3_addresses, 0};
    static unsigned char kept[AWS_S3_EXPRESS_MEMORY];
    static aws_s3_express express;
    static world w;
    aws_s3_args args = arguments(bucket, "a b");
    char buffer[16];
    long requests;

    world_config(&w);
    w.config.addresses = &addresses;
    w.config.addressing = AWS_ADDRESSING_PATH;
    world_open(&w);
    if (options.flavour != OWN) {
        world_close(&w);
        return;
    }
    args.key = NULL;
    DO(&w, 0, aws_s3_create_bucket(&w.client, &args, NULL));
    args.key = "a b";
    args.body = "hello";
    args.body_size = 5;
    DO(&w, AWS_ERR_SERVICE, aws_s3_put_object(&w.client, &args, NULL)); /* no session */
    CHECK_STR(aws_client_failure(&w.client)->aws_code, "InvalidAccessKeyId");
    CHECK_INT(aws_s3_express_init(&express, &w.client, kept, sizeof kept), 0);
    requests = w.requests;
    DO(&w, 0, aws_s3_put_object(&w.client, &args, NULL));
    CHECK_INT(w.requests - requests, 2);
    args.body = NULL;
    args.body_size = 0;
    args.buffer = buffer;
    args.buffer_size = sizeof buffer;
    DO(&w, 5, aws_s3_get_object(&w.client, &args, NULL));
    CHECK_MEM(buffer, "hello", 5);
    args.buffer = NULL;
    args.buffer_size = 0;
    DO(&w, 0, aws_s3_delete_object(&w.client, &args, NULL));
    CHECK_INT(w.requests - requests, 4); /* one session for all of them */
    args.key = NULL;
    DO(&w, 0, aws_s3_delete_bucket(&w.client, &args, NULL));
    world_close(&w);
}

/* ---- The program ---- */

static const struct part {
    const char *name;
    void (*run)(void);
    int on_demand; /* only if named */
} parts[] = {{"operations", part_operations, 0}, {"keys", part_keys, 0},
             {"headers", part_headers, 0},       {"streams", part_streams, 0},
             {"bodies", part_bodies, 0},
             {"ranges", part_ranges, 0},         {"conditions", part_conditions, 0},
             {"sizes", part_sizes, 0},           {"limit", part_limit, 0},
             {"multipart", part_multipart, 0},   {"versions", part_versions, 0},
             {"configurations", part_configurations, 0},
             {"customer_keys", part_customer_keys, 0}, {"express", part_express, 0},
             {"errors", part_errors, 0},         {"fill", part_fill, 1},
             {"listing", part_listing, 1},
             {"churn", part_churn, 0},           {"delimiter", part_delimiter, 0},
             {"stale", part_stale, 1},           {"big", part_big, 1}};

static void run_part(const struct part *part)
{
    unsigned long passed = check_passed, failed = check_failed;
    double start = seconds();

    part->run();
    printf("%s: %lu passed, %lu failed (%.1f s)\n", part->name, check_passed - passed,
           check_failed - failed, seconds() - start);
    fflush(stdout);
}

static int wanted(const struct part *part, int count, char **names)
{
    int i;

    for (i = 0; i < count; i++)
        if (strcmp(names[i], part->name) == 0)
            return 1;
    if (count == 0 && ((strcmp(part->name, "listing") == 0 && options.keys) ||
                       (strcmp(part->name, "big") == 0 && options.big)))
        return 1;
    return count == 0 && !part->on_demand;
}

static int flavour_of(const char *name)
{
    static const char *const names[] = {"own", "rgw", "rgw20", "swift"};
    int i;

    for (i = 0; i < 4; i++)
        if (strcmp(names[i], name) == 0)
            return 1 << i;
    fprintf(stderr, "no such flavour: %s\n", name);
    exit(2);
}

static void take_option(const char *name, const char *value)
{
    if (strcmp(name, "--endpoint") == 0)
        options.endpoint = value;
    else if (strcmp(name, "--ca") == 0)
        options.ca = value;
    else if (strcmp(name, "--key") == 0)
        options.key = value;
    else if (strcmp(name, "--secret") == 0)
        options.secret = value;
    else if (strcmp(name, "--region") == 0)
        options.region = value;
    else if (strcmp(name, "--port") == 0)
        options.port = value;
    else if (strcmp(name, "--flavour") == 0)
        options.flavour = flavour_of(value);
    else if (strcmp(name, "--memory") == 0)
        options.memory = (size_t)atol(value);
    else if (strcmp(name, "--keys") == 0)
        options.keys = atol(value);
    else if (strcmp(name, "--slice") == 0)
        options.slice = atol(value);
    else if (strcmp(name, "--churn") == 0)
        options.churn = atol(value);
    else {
        fprintf(stderr, "no such option: %s\n", name);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    size_t i;
    int at = 1;

    options.region = "us-east-1";
    options.port = "plain";
    options.flavour = OWN;
    options.memory = AWS_CLIENT_MEMORY;
    options.churn = 10000;
    while (at < argc && argv[at][0] == '-') {
        if (strcmp(argv[at], "--big") == 0) {
            options.big = 1;
            at++;
        } else if (at + 1 < argc) {
            take_option(argv[at], argv[at + 1]);
            at += 2;
        } else {
            take_option("--", "");
        }
    }
    if (!options.endpoint || options.memory > sizeof client_memory || options.churn > 100000) {
        fprintf(stderr,
                "usage: server_suite --endpoint URL --key K --secret S [option...] [part...]\n");
        return 2;
    }
    options.https = strncmp(options.endpoint, "https:", 6) == 0;
    pattern_init();
    for (i = 0; i < sizeof parts / sizeof *parts; i++)
        if (wanted(&parts[i], argc - at, argv + at))
            run_part(&parts[i]);
    return CHECK_DONE();
}

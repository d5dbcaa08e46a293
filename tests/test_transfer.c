/* test_transfer.c - managed transfers against an S3 in memory: one and several clients on one
 * thread, every fault at every request, cancelled, killed and resumed at every step.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_transfer.c -lbearssl && ./a.out
 */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "../aws_s3.h"
#include "check.h"
#include "script_multipart.h"
#include <limits.h>

enum { SIZE = 1030, CLIENTS = 4, PART = 100 };

typedef struct world {
    script s;
    mp_model m;
    aws_config config;
    aws_session session;
    aws_client clients[CLIENTS];
    unsigned char *memory[CLIENTS];
    aws_s3_worker workers[CLIENTS];
    aws_s3_object object;
    aws_s3_transfer t;
    aws_s3_transfer_args args;
    unsigned char parts[400];
    unsigned char data[SIZE], got[SIZE + 10];
    size_t read_bytes, source_at;
    uint64_t progress, total;
    unsigned progress_calls, steps;
    int fail_read, fail_write;
} world;

static int64_t world_now(const aws_port *port)
{
    (void)port;
    return 1767323045;
}

static void world_clients(world *w)
{
    int i;

    aws_session_init(&w->session, &w->config);
    for (i = 0; i < CLIENTS; i++) {
        w->memory[i] = (unsigned char *)malloc(8192);
        if (!w->memory[i])
            abort();
        CHECK_INT(aws_client_init(w->clients + i, &w->session, &aws_s3_service, w->memory[i], 8192),
                  0);
        w->workers[i].client = w->clients + i;
    }
    w->object.client = w->clients;
    w->object.bucket = "bucket";
    w->object.key = "dir/a b";
}

static void world_init(world *w, script_mode mode)
{
    size_t i;

    memset(w, 0, sizeof *w);
    script_init(&w->s, mode);
    mp_init(&w->m, &w->s);
    w->s.port.now = world_now;
    w->config.access_key_id = "AKIDEXAMPLE";
    w->config.secret_access_key = "secret";
    w->config.region = "eu-west-1";
    w->config.endpoint = "http://test.local:9000";
    w->config.port = &w->s.port;
    for (i = 0; i < SIZE; i++)
        w->data[i] = (unsigned char)(1 + (i * 7 + i / 251) % 255);
    world_clients(w);
}

static void close_clients(world *w)
{
    int i, r;

    for (i = 0; i < CLIENTS; i++) {
        SCRIPT_RUN(r, &w->s, w->clients + i, aws_client_close(w->clients + i));
        free(w->memory[i]);
    }
    aws_session_close(&w->session);
}

static void world_end(world *w)
{
    close_clients(w);
    CHECK_INT(script_left_open(&w->s), 0);
    CHECK_INT(w->s.breaches, 0);
    mp_free(&w->m);
    script_free(&w->s);
}

static int read_at(void *context, uint64_t offset, void *data, size_t size)
{
    world *w = (world *)context;

    if (w->fail_read && offset >= 500)
        return -100;
    if (size > 33)
        size = 33;
    CHECK(offset < SIZE && size <= SIZE - offset);
    memcpy(data, w->data + offset, size);
    w->read_bytes += size;
    return (int)size;
}

static int write_at(void *context, uint64_t offset, const void *data, size_t size)
{
    world *w = (world *)context;

    if (w->fail_write && offset >= 500)
        return -100;
    if (size > 57)
        size = 57;
    if (!CHECK(offset < SIZE && size <= SIZE - offset))
        return -1;
    memcpy(w->got + offset, data, size);
    return (int)size;
}

static int source_read(void *context, void *data, size_t size)
{
    world *w = (world *)context;

    if (size > SIZE - w->source_at)
        size = SIZE - w->source_at;
    if (size > 41)
        size = 41;
    memcpy(data, w->data + w->source_at, size);
    w->source_at += size;
    w->read_bytes += size;
    return (int)size;
}

static int source_rewind(void *context)
{
    ((world *)context)->source_at = 0;
    return 0;
}

static int sink_write(void *context, const void *data, size_t size)
{
    world *w = (world *)context;

    if (size > 41)
        size = 41;
    if (!CHECK(size <= SIZE - w->source_at))
        return -1;
    memcpy(w->got + w->source_at, data, size);
    w->source_at += size;
    return (int)size;
}

static void progress(void *context, uint64_t done, uint64_t total)
{
    world *w = (world *)context;

    CHECK(done <= total);
    w->progress = done;
    w->total = total;
    w->progress_calls++;
}

static void plain_args(world *w, size_t workers)
{
    memset(&w->args, 0, sizeof w->args);
    w->args.workers = workers ? w->workers : NULL;
    w->args.worker_count = workers;
    w->args.size = SIZE;
    w->args.context = w;
    w->args.threshold = PART;
    w->args.part_size = PART;
    w->args.min_part_size = 10;
    w->args.memory = w->parts;
    w->args.memory_size = sizeof w->parts;
}

/* Sleep until a client can go on. */
static void idle(world *w)
{
    aws_waiting waits[CLIENTS];
    size_t n = aws_s3_transfer_waiting(&w->t, waits, CLIENTS), i;
    uint32_t ms = UINT32_MAX;

    for (i = 0; i < n; i++) {
        script_connection *c = waits[i].handle >= 100 ? w->s.connections + (waits[i].handle - 100)
                                                      : NULL;
        if (c && !c->silent && (waits[i].what & AWS_WAIT_WRITE || script_readable(c)))
            ms = 1;
        if (waits[i].ms < ms)
            ms = waits[i].ms;
    }
    if (!n || ms == UINT32_MAX)
        script_breach(&w->s, "nothing is awaited");
    script_pass(&w->s, ms ? ms : 1);
    script_counted(&w->s);
}

/* Step to the end, at most so many steps (0: all). */
static int run(world *w, unsigned limit)
{
    int r;

    w->steps = 0;
    while ((r = aws_s3_transfer_step(&w->t)) == AWS_AGAIN && ++w->steps != limit)
        idle(w);
    return r;
}

static int holds(world *w, size_t size)
{
    size_t at;
    s3_object *o = s3_at(&w->m.s3, "bucket/dir/a b", &at);

    return o && o->size == size && memcmp(o->body, w->data, size) == 0;
}

/* ---- Uploads ---- */

static void test_upload_ways(void)
{
    static const script_mode modes[] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS};
    aws_source source;
    size_t mode, workers;
    int way;
    world w;

    for (mode = 0; mode < 3; mode++)
        for (workers = 0; workers <= CLIENTS; workers++)
            for (way = 0; way < 3; way++) {
                world_init(&w, modes[mode]);
                w.s.again_per_256 = mode == 1 ? 100 : 0;
                w.m.echo = mode == 2;
                plain_args(&w, workers);
                source.read = source_read;
                source.rewind = source_rewind;
                source.context = &w;
                w.args.data = way == 0 ? w.data : NULL;
                w.args.read_at = way == 1 ? read_at : NULL;
                w.args.source = way == 2 ? &source : NULL;
                w.args.progress = progress;
                CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
                CHECK_INT(run(&w, 0), 0);
                CHECK_INT(aws_s3_transfer_step(&w.t), 0);
                CHECK(holds(&w, SIZE));
                CHECK_INT(mp_multi(&w.m, "bucket/dir/a b"), 11);
                CHECK_INT(w.m.counts[MP_PART], 11);
                CHECK_INT(w.m.counts[MP_CREATE], 1);
                CHECK_INT(w.m.counts[MP_COMPLETE], 1);
                CHECK_INT(w.m.part_bytes, SIZE);
                CHECK_INT(w.progress, SIZE);
                CHECK_INT(w.total, SIZE);
                CHECK(w.progress_calls >= 11);
                CHECK_INT(w.t.done, SIZE);
                CHECK_INT(w.t.parts, 11);
                if (mode == 1 && way != 2 && workers)
                    CHECK_INT(w.s.connection_count, workers);
                else if (way == 2)
                    CHECK_INT(w.s.connection_count, 1);
                world_end(&w);
            }
}

static const char *sent_of(world *w, const char *what)
{
    unsigned i;

    for (i = 0; i < w->s.connection_count; i++)
        if (strstr(script_sent(&w->s, i), what))
            return strstr(script_sent(&w->s, i), what);
    return NULL;
}

static void test_small_uploads(void)
{
    static const aws_pair meta = {"colour", "blue"};
    aws_s3_args args;
    size_t size;
    world w;

    for (size = 0; size <= PART; size += PART / 2) {
        world_init(&w, SCRIPT_WAITS);
        plain_args(&w, 2);
        memset(&args, 0, sizeof args);
        args.content_type = "text/x";
        args.metadata = &meta;
        args.metadata_count = 1;
        w.args.args = &args;
        w.args.size = size;
        w.args.read_at = size ? read_at : NULL;
        w.args.progress = progress;
        CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
        CHECK_INT(run(&w, 0), 0);
        CHECK(holds(&w, size));
        CHECK_INT(w.m.counts[MP_PUT], 1);
        CHECK_INT(w.m.requests, 1);
        CHECK_INT(w.t.done, size);
        CHECK_INT(w.t.parts, 0);
        CHECK(sent_of(&w, "content-type: text/x\r\n") != NULL);
        CHECK(sent_of(&w, "x-amz-meta-colour: blue\r\n") != NULL);
        world_end(&w);
    }
}

/* Each request gets the members that it has. */
static void test_members(void)
{
    static const aws_pair meta = {"colour", "blue"};
    aws_s3_more more[2];
    aws_s3_args args;
    const char *create, *part, *complete;
    world w;

    world_init(&w, SCRIPT_WAITS);
    plain_args(&w, 0);
    memset(&args, 0, sizeof args);
    args.content_type = "text/x";
    args.metadata = &meta;
    args.metadata_count = 1;
    args.sse_customer_algorithm = "AES256";
    args.sse_customer_key = "a2V5";
    args.request_payer = "requester";
    args.if_none_match = "*";
    more[0].member = &aws_s3_m_grant_read;
    more[0].value = "uri=x";
    args.more = more;
    args.more_count = 1;
    w.args.args = &args;
    w.args.data = w.data;
    CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(run(&w, 0), 0);
    CHECK(holds(&w, SIZE));
    create = script_sent(&w.s, 0);
    part = strstr(create, "PUT /");
    complete = part ? strstr(part, "POST /") : NULL;
    if (CHECK(part && complete)) {
        CHECK(strncmp(create, "POST /bucket/dir/a%20b?uploads= ", 32) == 0);
        CHECK(strstr(create, "x-amz-checksum-algorithm: CRC32\r\n") < part);
        CHECK(strncmp(part, "PUT /bucket/dir/a%20b?partNumber=1&uploadId=up%2B0%2F%3D ", 57) == 0);
        CHECK(strstr(create, "content-type: text/x\r\n") < part);
        CHECK(strstr(part, "content-type: ") == NULL);
        CHECK(strstr(create, "x-amz-meta-colour: blue") < part);
        CHECK(strstr(part, "x-amz-meta-colour") == NULL);
        CHECK(strstr(create, "x-amz-grant-read: uri=x") < part);
        CHECK(strstr(part, "x-amz-grant-read") == NULL);
        CHECK(strstr(create, "if-none-match: *") == strstr(complete, "if-none-match: *"));
        CHECK(strstr(part, "customer-algorithm: AES256") < strstr(part + 1, "PUT /bucket"));
        CHECK(strstr(complete, "customer-algorithm: AES256") != NULL);
        CHECK(strstr(complete, "x-amz-mp-object-size: 1030\r\n") != NULL);
        CHECK(strstr(complete, "x-amz-request-payer: requester\r\n") != NULL);
    }
    world_end(&w);
}

static void begin_fails(world *w, int code, const char *text)
{
    CHECK_INT(aws_s3_upload_begin(&w->t, &w->object, &w->args), code);
    CHECK_INT(aws_s3_transfer_step(&w->t), code);
    if (!CHECK(strstr(aws_client_failure_text(w->t.client), text) != NULL))
        fprintf(stderr, "%s\n", aws_client_failure_text(w->t.client));
    CHECK_INT(w->m.requests, 0);
}

static void test_plan(void)
{
    world w;

    world_init(&w, SCRIPT_WAITS);
    plain_args(&w, 0);
    begin_fails(&w, AWS_ERR_PARAM, "give the bytes one way");
    w.args.data = w.data;
    w.args.read_at = read_at;
    begin_fails(&w, AWS_ERR_PARAM, "give the bytes one way");
    w.args.read_at = NULL;
    w.args.memory_size = 25;
    begin_fails(&w, AWS_ERR_MEMORY, "memory is too small");
    CHECK_INT(aws_client_failure(w.t.client)->needed, 11 * AWS_S3_PART_MEMORY);
    /* room for 3 parts: they get larger */
    w.args.memory_size = 3 * AWS_S3_PART_MEMORY;
    CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(w.t.parts, 3);
    CHECK_INT(w.t.part_size, 400);
    CHECK_INT(run(&w, 0), 0);
    CHECK(holds(&w, SIZE));
    /* without a limit of ours: 5 MiB at least, 5 GiB at most, 10,000 parts */
    w.args.data = NULL;
    w.args.read_at = read_at;
    w.args.min_part_size = 0;
    w.args.memory_size = sizeof w.parts;
    w.args.size = (uint64_t)100 << 20;
    CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(w.t.part_size, 10 << 20); /* 15 parts have room */
    CHECK_INT(w.t.parts, 10);
    {
        static unsigned char memory[10000 * AWS_S3_PART_MEMORY];
        w.args.memory = memory;
        w.args.memory_size = sizeof memory;
        w.args.part_size = 0;
        w.args.size = (uint64_t)80000 << 20;
        CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
        CHECK_INT(w.t.part_size, 8 << 20);
        CHECK_INT(w.t.parts, 10000);
        w.args.size++;
        CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
        CHECK_INT(w.t.part_size, 16 << 20);
        CHECK_INT(w.t.parts, 5001);
        w.args.size = (uint64_t)50000 << 30;
        CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
        CHECK_INT(w.t.part_size >> 20, 5120);
        CHECK_INT(w.t.parts, 10000);
        w.args.size++;
        w.m.requests = 0;
        begin_fails(&w, AWS_ERR_PARAM, "10,000 parts of 5 GiB");
        w.args.size = (uint64_t)1 << 63;
        begin_fails(&w, AWS_ERR_PARAM, "10,000 parts of 5 GiB");
        w.args.part_size = (uint64_t)6 << 30;
        w.args.size = (uint64_t)20 << 30;
        CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
        CHECK_INT(w.t.part_size >> 20, 5120);
        /* one PUT takes 5 GiB, whatever the threshold is */
        w.args.threshold = (uint64_t)100 << 30;
        w.args.size = ((uint64_t)5 << 30) + 1;
        CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
        CHECK_INT(w.t.parts, 2);
        w.args.size--;
        CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
        CHECK_INT(w.t.parts, 0);
    }
    world_end(&w);
}

/* Other ETags than MD5's take more memory: said with the size. */
static void test_long_etags(void)
{
    world w;

    world_init(&w, SCRIPT_WAITS);
    plain_args(&w, 0);
    w.args.data = w.data;
    w.m.long_etags = 1;
    w.args.memory_size = 11 * 39;
    w.args.memory = malloc(w.args.memory_size);
    if (!w.args.memory)
        abort();
    CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(run(&w, 0), AWS_ERR_MEMORY);
    CHECK_INT(aws_client_failure(w.t.client)->needed, 11 * 40);
    CHECK_INT(mp_open_uploads(&w.m), 0);
    w.args.memory_size = 11 * 40;
    free(w.args.memory);
    w.args.memory = malloc(w.args.memory_size);
    CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(run(&w, 0), 0);
    CHECK(holds(&w, SIZE));
    free(w.args.memory);
    world_end(&w);
}

/* A failure ends in an abort, and the first failure is what the caller sees. */
static void test_upload_fails(void)
{
    size_t workers;
    world w;

    for (workers = 0; workers <= CLIENTS; workers++) {
        world_init(&w, workers & 1 ? SCRIPT_NEVER_WAITS : SCRIPT_WAITS);
        w.s.again_per_256 = workers & 1 ? 80 : 0;
        plain_args(&w, workers);
        w.args.read_at = read_at;
        w.fail_read = 1;
        CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
        CHECK_INT(run(&w, 0), AWS_ERR_BODY);
        CHECK_INT(aws_client_failure(w.t.client)->code, AWS_ERR_BODY);
        CHECK_STR(aws_client_failure(w.t.client)->operation, "UploadPart");
        CHECK_INT(w.m.counts[MP_ABORT], 1);
        CHECK_INT(mp_open_uploads(&w.m), 0);
        CHECK_INT(w.t.orphaned, 0);
        CHECK(!holds(&w, SIZE));
        world_end(&w);
    }
}

static void test_cancel(void)
{
    unsigned at;
    int r = 0;
    world w;

    for (at = 1; at < 400; at += 7) {
        world_init(&w, SCRIPT_NEVER_WAITS);
        w.s.again_per_256 = 128;
        plain_args(&w, 3);
        w.args.read_at = read_at;
        CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
        r = run(&w, at);
        if (r == AWS_AGAIN) {
            CHECK_INT(aws_s3_transfer_cancel(&w.t), 0);
            r = run(&w, 0);
            if (r == 0) { /* CompleteMultipartUpload was under way */
                CHECK(holds(&w, SIZE));
            } else {
                CHECK_INT(r, AWS_ERR_CANCELLED);
                CHECK_INT(aws_client_failure(w.t.client)->code, AWS_ERR_CANCELLED);
            }
        }
        CHECK(mp_open_uploads(&w.m) == 0 || !w.t.uploading);
        world_end(&w);
    }
    CHECK_INT(r, 0);
}

/* Every kind of fault at every request, once and for ever. */
static void faults(size_t workers, int download)
{
    unsigned at, times, limit = download ? 12 : 13;
    int fault, r;
    world w;

    for (fault = MP_503; fault < MP_FAULTS; fault++)
        for (at = 1; at <= limit; at++)
            for (times = 1; times <= 1000; times += 999) {
                char what[100];
                snprintf(what, sizeof what, "workers %lu, download %d, fault %d at %u, %u times",
                         (unsigned long)workers, download, fault, at, times);
                world_init(&w, SCRIPT_NEVER_WAITS);
                w.s.what = what;
                w.s.again_per_256 = 60;
                w.s.seed = at;
                w.m.fault = (mp_fault)fault;
                w.m.fault_at = at;
                w.m.fault_times = times;
                plain_args(&w, workers);
                w.args.read_at = download ? NULL : read_at;
                w.args.write_at = download ? write_at : NULL;
                if (download)
                    s3_put(&w.m.s3, "bucket/dir/a b", w.data, SIZE);
                CHECK_INT(download ? aws_s3_download_begin(&w.t, &w.object, &w.args)
                                   : aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
                r = run(&w, 0);
                if (r == 0)
                    CHECK(download ? memcmp(w.got, w.data, SIZE) == 0 : holds(&w, SIZE));
                else
                    CHECK_INT(aws_client_failure(w.t.client)->code, r);
                if (!CHECK((r == 0) == (times == 1 && fault != MP_403) ||
                           (fault == MP_LOST && at == 13) || (fault == MP_CUT && download)))
                    fprintf(stderr, "in %s: %s\n", what, aws_client_failure_text(w.t.client));
                if (r < 0 && fault != MP_403 && times > 1)
                    CHECK(w.t.orphaned || mp_open_uploads(&w.m) == 0 || at == 1);
                if (times == 1 && !(fault >= MP_LOST && at == 1))
                    CHECK_INT(mp_open_uploads(&w.m), 0);
                world_end(&w);
            }
}

/* Each port call fails once: success only if the object is right. */
static void torture(int download, size_t workers)
{
    unsigned long at;
    int fault, r, faulted;
    world w;

    for (fault = SCRIPT_ERROR; fault < SCRIPT_FAULTS; fault++)
        for (at = 1, faulted = 1; faulted; at += 3) {
            world_init(&w, SCRIPT_NEVER_WAITS);
            w.s.fault = (script_fault)fault;
            w.s.fault_at = at;
            plain_args(&w, workers);
            w.args.data = download ? NULL : w.data;
            w.args.write_at = download ? write_at : NULL;
            if (download)
                s3_put(&w.m.s3, "bucket/dir/a b", w.data, SIZE);
            CHECK_INT(download ? aws_s3_download_begin(&w.t, &w.object, &w.args)
                               : aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
            r = run(&w, 0);
            CHECK_INT(r, 0);
            if (r == 0)
                CHECK(download ? memcmp(w.got, w.data, SIZE) == 0 : holds(&w, SIZE));
            faulted = w.s.faulted;
            world_end(&w);
        }
}

/* ---- Downloads ---- */

static void test_download_ways(void)
{
    static const script_mode modes[] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS};
    static const size_t sizes[] = {0, 1, PART, PART + 1, 7 * PART, SIZE};
    aws_sink sink;
    size_t mode, workers, i;
    int way;
    world w;

    for (mode = 0; mode < 3; mode++)
        for (workers = 0; workers <= CLIENTS; workers++)
            for (i = 0; i < 6; i++)
                for (way = 0; way < 2; way++) {
                    world_init(&w, modes[mode]);
                    w.s.again_per_256 = mode == 1 ? 100 : 0;
                    w.m.s3.chunk = mode == 2 ? 37 : 0;
                    plain_args(&w, workers);
                    memset(&sink, 0, sizeof sink);
                    sink.write = sink_write;
                    sink.context = &w;
                    w.args.write_at = way ? NULL : write_at;
                    w.args.sink = way ? &sink : NULL;
                    w.args.progress = progress;
                    s3_put(&w.m.s3, "bucket/dir/a b", w.data, sizes[i]);
                    CHECK_INT(aws_s3_download_begin(&w.t, &w.object, &w.args), 0);
                    CHECK_INT(run(&w, 0), 0);
                    CHECK_INT(w.t.size, sizes[i]);
                    CHECK_INT(w.t.done, sizes[i]);
                    CHECK_INT(w.t.parts, sizes[i] > PART ? (sizes[i] + PART - 1) / PART : 0);
                    CHECK_INT(w.m.counts[MP_GET], w.t.parts ? w.t.parts : 1);
                    CHECK_MEM(w.got, w.data, sizes[i]);
                    CHECK(sizes[i] == 0 || w.progress == sizes[i]);
                    world_end(&w);
                }
}

static void changes(world *w)
{
    aws_s3_transfer *t = &w->t;

    plain_args(w, 2);
    w->args.write_at = write_at;
    s3_put(&w->m.s3, "bucket/dir/a b", w->data, SIZE);
    CHECK_INT(aws_s3_download_begin(t, &w->object, &w->args), 0);
}

static void test_download_fails(void)
{
    world w;
    unsigned i;

    world_init(&w, SCRIPT_NEVER_WAITS);
    w.s.again_always = 1;
    changes(&w);
    for (i = 0; w.m.counts[MP_GET] < 3; i++)
        CHECK_INT(run(&w, 1), AWS_AGAIN);
    s3_put(&w.m.s3, "bucket/dir/a b", w.data + 1, SIZE - 1);
    CHECK_INT(run(&w, 0), AWS_ERR_SERVICE);
    CHECK(strstr(aws_client_failure_text(w.t.client), "changed while") != NULL);
    CHECK_INT(aws_client_failure(w.t.client)->http_status, 412);
    world_end(&w);

    for (i = 0; i < 4; i++) {
        world_init(&w, SCRIPT_WAITS);
        changes(&w);
        w.m.whole_ranges = i == 0;
        w.m.wrong_range = i == 1;
        w.m.short_range = i == 2;
        w.fail_write = i == 3;
        CHECK_INT(run(&w, 0), i == 3 ? AWS_ERR_SINK : AWS_ERR_PROTOCOL);
        if (i < 3)
            CHECK(strstr(aws_client_failure_text(w.t.client), "isn't the part") != NULL);
        world_end(&w);
    }

    world_init(&w, SCRIPT_WAITS);
    changes(&w);
    w.object.key = "none";
    CHECK_INT(aws_s3_download_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(run(&w, 0), AWS_ERR_SERVICE);
    CHECK_INT(aws_client_failure(w.t.client)->http_status, 404);
    world_end(&w);
}

/* ---- Copies ---- */

static void copy_args(world *w, size_t workers)
{
    plain_args(w, workers);
    w->args.size = 0;
    w->args.copy_source = "bucket/from/a+b c";
    s3_put(&w->m.s3, "bucket/from/a+b c", w->data, SIZE);
}

static void test_copies(void)
{
    size_t workers;
    world w;

    for (workers = 0; workers <= CLIENTS; workers++) {
        world_init(&w, SCRIPT_NEVER_WAITS);
        w.s.again_per_256 = 100;
        copy_args(&w, workers);
        w.args.progress = progress;
        CHECK_INT(aws_s3_copy_begin(&w.t, &w.object, &w.args), 0);
        CHECK_INT(run(&w, 0), 0);
        CHECK(holds(&w, SIZE));
        CHECK_INT(w.t.parts, 11);
        CHECK_INT(w.t.size, SIZE);
        CHECK_INT(w.progress, SIZE);
        CHECK_INT(w.m.counts[MP_PART], 11);
        CHECK(sent_of(&w, "x-amz-copy-source-range: bytes=1000-1029\r\n") != NULL);
        /* the default is one CopyObject up to 5 GiB, which keeps the metadata */
        w.args.threshold = 0;
        w.args.copy_source = "/bucket/from/a+b c?versionId=v1";
        CHECK_INT(aws_s3_copy_begin(&w.t, &w.object, &w.args), 0);
        CHECK_INT(run(&w, 0), AWS_ERR_SERVICE); /* the model has no versions */
        CHECK(sent_of(&w, "HEAD /bucket/from/a%2Bb%20c?versionId=v1 ") != NULL);
        CHECK(sent_of(&w, "x-amz-copy-source: /bucket/from/a%2Bb%20c?versionId=v1\r\n") != NULL);
        world_end(&w);
    }
    world_init(&w, SCRIPT_WAITS);
    copy_args(&w, 0);
    w.args.copy_source = "bucket";
    CHECK_INT(aws_s3_copy_begin(&w.t, &w.object, &w.args), AWS_ERR_PARAM);
    w.args.copy_source = NULL;
    CHECK_INT(aws_s3_copy_begin(&w.t, &w.object, &w.args), AWS_ERR_PARAM);
    world_end(&w);
}

/* ---- Checkpoints ---- */

static unsigned char kept[AWS_S3_CHECKPOINT];
static size_t kept_size;
static int save_fails;

static int save(void *context, const void *checkpoint, size_t size)
{
    world *w = (world *)context;

    CHECK(size <= AWS_S3_CHECKPOINT);
    if (save_fails)
        return -1;
    if (size)
        memcpy(kept, checkpoint, size);
    kept_size = size;
    (void)w;
    return 0;
}

enum { UPLOAD, DOWNLOAD, COPY };

static int resume(world *w, int kind)
{
    if (kind == UPLOAD)
        return aws_s3_upload_resume(&w->t, &w->object, &w->args, kept, kept_size);
    if (kind == DOWNLOAD)
        return aws_s3_download_resume(&w->t, &w->object, &w->args, kept, kept_size);
    return aws_s3_copy_resume(&w->t, &w->object, &w->args, kept, kept_size);
}

static void resume_world(world *w, int kind, size_t workers)
{
    world_init(w, SCRIPT_NEVER_WAITS);
    w->s.again_per_256 = 70;
    kept_size = 0;
    save_fails = 0;
    if (kind == COPY)
        copy_args(w, workers);
    else
        plain_args(w, workers);
    w->args.read_at = kind == UPLOAD ? read_at : NULL;
    w->args.write_at = kind == DOWNLOAD ? write_at : NULL;
    w->args.save = save;
    if (kind == DOWNLOAD)
        s3_put(&w->m.s3, "bucket/dir/a b", w->data, SIZE);
}

/* The power fails: nothing is left but the checkpoint (and what was written). */
static void power_cut(world *w)
{
    close_clients(w);
    memset(&w->t, 0xa5, sizeof w->t);
    memset(w->parts, 0x5a, sizeof w->parts);
    memset(w->workers, 0, sizeof w->workers);
    world_clients(w);
    w->s.fault_at = 0;
}

static int arrived(world *w, int kind)
{
    return kind == DOWNLOAD ? memcmp(w->got, w->data, SIZE) == 0 : holds(w, SIZE);
}

/* Killed after each number of steps, and gone on with. */
static void test_power_cuts(int kind, size_t workers)
{
    unsigned at, again, done = 0;
    int r;
    world w;

    for (at = 1; !done; at += 2) {
        char what[80];
        snprintf(what, sizeof what, "kind %d, %u workers, cut at %u", kind, (unsigned)workers, at);
        resume_world(&w, kind, workers);
        w.s.what = what;
        w.s.seed = at;
        CHECK_INT(resume(&w, kind), 0);
        r = run(&w, at);
        done = r == 0;
        for (again = 0; again < 3 && r == AWS_AGAIN; again++) {
            power_cut(&w);
            CHECK_INT(resume(&w, kind), 0);
            r = run(&w, again < 2 ? at : 0);
        }
        if (!CHECK_INT(r, 0) || !CHECK(arrived(&w, kind)))
            fprintf(stderr, "in: %s: %s\n", what, aws_client_failure_text(w.t.client));
        CHECK_INT(kept_size, 0);
        CHECK_INT(mp_open_uploads(&w.m), 0);
        if (kind == UPLOAD) /* at most one part per client and cut is sent twice */
            CHECK(w.m.part_bytes <= SIZE + 3 * (workers ? workers : 1) * PART);
        if (kind == DOWNLOAD)
            CHECK(w.m.counts[MP_GET] <= 11 + 3 * (workers ? workers : 1));
        world_end(&w);
    }
}

/* Nothing but the answer of CompleteMultipartUpload was lost. */
static void test_completed(void)
{
    int i;
    world w;

    for (i = 0; i < 3; i++) {
        resume_world(&w, UPLOAD, 1);
        w.s.again_per_256 = 0;
        w.m.fault = MP_LOST;
        w.m.fault_at = 13;
        w.m.fault_times = 1000;
        CHECK_INT(resume(&w, UPLOAD), 0);
        CHECK(run(&w, 0) < 0);
        CHECK(kept_size > 0);
        CHECK_INT(mp_open_uploads(&w.m), 0);
        w.m.fault_at = 0;
        power_cut(&w);
        if (i == 1) /* another object came there since: it is written anew */
            s3_put(&w.m.s3, "bucket/dir/a b", "x", 1);
        if (i == 2) /* or it is gone */
            s3_delete(&w.m.s3, "bucket/dir/a b");
        CHECK_INT(resume(&w, UPLOAD), 0);
        CHECK_INT(run(&w, 0), 0);
        CHECK(holds(&w, SIZE));
        CHECK_INT(w.m.counts[MP_PART], i ? 22 : 11);
        CHECK_INT(kept_size, 0);
        world_end(&w);
    }
}

/* Part way, then something is different. */
static void part_way(world *w, int kind)
{
    resume_world(w, kind, 2);
    CHECK_INT(resume(w, kind), 0);
    while (w->m.counts[kind == DOWNLOAD ? MP_GET : MP_PART] < 5)
        CHECK_INT(run(w, 1), AWS_AGAIN);
    power_cut(w);
    CHECK(kept_size > 0);
}

static void test_changes(void)
{
    aws_source source;
    unsigned i;
    world w;

    /* another size or stamp: the old upload is dropped */
    for (i = 0; i < 3; i++) {
        part_way(&w, UPLOAD);
        w.args.size = i == 0 ? SIZE - 5 : i == 1 ? 50 : SIZE;
        w.args.stamp = i == 2;
        CHECK_INT(resume(&w, UPLOAD), 0);
        CHECK_INT(run(&w, 0), 0);
        CHECK(holds(&w, (size_t)w.args.size));
        CHECK_INT(mp_open_uploads(&w.m), 0);
        CHECK_INT(w.m.counts[MP_ABORT], 1);
        CHECK_INT(kept_size, 0);
        world_end(&w);
    }
    /* the upload was aborted meanwhile: all parts go again */
    part_way(&w, UPLOAD);
    mp_drop(w.m.uploads);
    CHECK_INT(resume(&w, UPLOAD), 0);
    CHECK_INT(run(&w, 0), 0);
    CHECK(holds(&w, SIZE));
    world_end(&w);
    /* a part of another size is sent again */
    part_way(&w, UPLOAD);
    w.m.uploads[0].sizes[2] = 7;
    i = w.m.counts[MP_PART];
    CHECK_INT(resume(&w, UPLOAD), 0);
    CHECK_INT(run(&w, 0), 0);
    CHECK(holds(&w, SIZE));
    world_end(&w);
    /* parts that are listed two times count once */
    part_way(&w, UPLOAD);
    w.m.twice = 1;
    CHECK_INT(resume(&w, UPLOAD), 0);
    CHECK_INT(run(&w, 0), 0);
    CHECK(holds(&w, SIZE));
    CHECK_INT(w.t.done, SIZE);
    world_end(&w);
    /* a new program has another threshold, but the upload goes on */
    part_way(&w, UPLOAD);
    w.args.threshold = 10 * SIZE;
    CHECK_INT(resume(&w, UPLOAD), 0);
    CHECK_INT(run(&w, 0), 0);
    CHECK(holds(&w, SIZE));
    CHECK_INT(mp_open_uploads(&w.m), 0);
    CHECK_INT(w.m.counts[MP_ABORT], 0);
    world_end(&w);
    /* each bit of the checkpoint matters, and the names */
    part_way(&w, UPLOAD);
    for (i = 0; i < kept_size * 8; i++) {
        kept[i / 8] ^= (unsigned char)(1 << i % 8);
        CHECK_INT(resume(&w, UPLOAD), AWS_ERR_PARAM);
        kept[i / 8] ^= (unsigned char)(1 << i % 8);
    }
    kept_size--;
    CHECK_INT(resume(&w, UPLOAD), AWS_ERR_PARAM);
    kept_size++;
    CHECK_INT(resume(&w, COPY), AWS_ERR_PARAM);
    w.object.key = "dir/a c";
    CHECK_INT(resume(&w, UPLOAD), AWS_ERR_PARAM);
    CHECK(strstr(aws_client_failure_text(w.t.client), "of another object") != NULL);
    w.object.key = "dir/a b";
    w.args.memory_size = 5 * AWS_S3_PART_MEMORY;
    CHECK_INT(resume(&w, UPLOAD), AWS_ERR_MEMORY);
    CHECK_INT(aws_client_failure(w.t.client)->needed, 11 * AWS_S3_PART_MEMORY);
    world_end(&w);
    /* the object that is downloaded, or copied, changed */
    part_way(&w, DOWNLOAD);
    s3_put(&w.m.s3, "bucket/dir/a b", w.data + 1, SIZE - 1);
    CHECK_INT(resume(&w, DOWNLOAD), 0);
    CHECK_INT(run(&w, 0), AWS_ERR_SERVICE);
    CHECK(strstr(aws_client_failure_text(w.t.client), "changed while") != NULL);
    CHECK_INT(kept_size, 0);
    world_end(&w);
    part_way(&w, COPY);
    s3_put(&w.m.s3, "bucket/from/a+b c", w.data + 1, SIZE - 1);
    CHECK_INT(resume(&w, COPY), 0);
    CHECK_INT(run(&w, 0), AWS_ERR_SERVICE);
    CHECK_INT(kept_size, 0);
    CHECK_INT(mp_open_uploads(&w.m), 0);
    world_end(&w);
    /* what can't be saved isn't begun */
    resume_world(&w, UPLOAD, 2);
    save_fails = 1;
    CHECK_INT(resume(&w, UPLOAD), 0);
    CHECK_INT(run(&w, 0), AWS_ERR_SINK);
    CHECK(strstr(aws_client_failure_text(w.t.client), "could not be saved") != NULL);
    CHECK_INT(w.m.counts[MP_CREATE], 0);
    world_end(&w);
    /* the answer of CreateMultipartUpload was lost: what has no part is aborted, but nothing else */
    resume_world(&w, UPLOAD, 2);
    w.m.fault = MP_LOST;
    w.m.fault_at = 1;
    w.m.fault_times = 1000;
    CHECK_INT(resume(&w, UPLOAD), 0);
    CHECK(run(&w, 0) < 0);
    CHECK_INT(mp_open_uploads(&w.m), 3); /* one each attempt */
    w.m.fault_at = 0;
    w.m.uploads[1].parts[1] = s3_copy_of("x", 1);
    free(w.m.uploads[2].name);
    w.m.uploads[2].name = s3_copy_of("bucket/dir/a b2", 15);
    power_cut(&w);
    CHECK_INT(resume(&w, UPLOAD), 0);
    CHECK_INT(run(&w, 0), 0);
    CHECK(holds(&w, SIZE));
    CHECK_INT(mp_open_uploads(&w.m), 2);
    CHECK(w.m.uploads[1].name && w.m.uploads[2].name);
    world_end(&w);
    /* after that look a source that is read once begins at its start */
    resume_world(&w, UPLOAD, 1);
    w.m.fault = MP_LOST;
    w.m.fault_at = 1;
    w.m.fault_times = 1000;
    CHECK_INT(resume(&w, UPLOAD), 0);
    CHECK(run(&w, 0) < 0);
    w.m.fault_at = 0;
    w.m.uploads[0].parts[1] = s3_copy_of("x", 1);
    w.m.uploads[1].parts[1] = s3_copy_of("x", 1);
    w.m.uploads[2].parts[1] = s3_copy_of("x", 1);
    power_cut(&w);
    w.args.threshold = 10 * SIZE;
    w.args.read_at = NULL;
    source.read = source_read;
    source.rewind = NULL;
    source.context = &w;
    w.args.source = &source;
    CHECK_INT(resume(&w, UPLOAD), 0);
    CHECK_INT(run(&w, 0), 0);
    CHECK_INT(w.source_at, SIZE);
    world_end(&w);
}

/* ---- Answers that a server shouldn't give, and ends ---- */

static world *waited;
static unsigned waits_left;

static int wait_here(const aws_waiting *waiting, size_t count)
{
    CHECK(count > 0 && waiting[0].what != 0);
    if (waits_left-- == 0)
        return -77;
    idle(waited);
    return 0;
}

/* A wait that fails ends the loop, not the transfer. */
static void test_run(void)
{
    aws_waiting one;
    world w;

    world_init(&w, SCRIPT_NEVER_WAITS);
    w.s.again_always = 1;
    waited = &w;
    waits_left = 5;
    plain_args(&w, 3);
    w.args.data = w.data;
    CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(aws_s3_transfer_run(&w.t, wait_here), -77);
    CHECK_INT(aws_s3_transfer_waiting(&w.t, &one, 1), 1);
    CHECK_INT(aws_s3_transfer_waiting(&w.t, &one, 0), 0);
    waits_left = UINT_MAX;
    CHECK_INT(aws_s3_transfer_run(&w.t, wait_here), 0);
    CHECK(holds(&w, SIZE));
    CHECK_INT(aws_s3_transfer_cancel(&w.t), 0); /* too late */
    CHECK_INT(aws_s3_transfer_step(&w.t), 0);
    world_end(&w);
}

static void test_copy_sources(void)
{
    static const char *const bad[] = {"//key", "key", "arn:aws:s3:eu-west-1:1:accesspoint/ap/key"};
    static char large[1100];
    aws_s3_more more[3];
    aws_s3_args args;
    size_t i;
    world w;

    memset(large, 'a', sizeof large - 1);
    large[3] = '/';
    world_init(&w, SCRIPT_WAITS);
    copy_args(&w, 0);
    for (i = 0; i <= 3; i++) {
        w.args.copy_source = i < 3 ? bad[i] : large;
        CHECK_INT(aws_s3_copy_begin(&w.t, &w.object, &w.args), AWS_ERR_PARAM);
        CHECK(strstr(aws_client_failure_text(w.t.client), "copy_source isn't bucket/key") != NULL);
    }
    CHECK_INT(w.m.requests, 0);
    /* one that isn't there */
    w.args.copy_source = "bucket/none";
    CHECK_INT(aws_s3_copy_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(run(&w, 0), AWS_ERR_SERVICE);
    CHECK_INT(aws_client_failure(w.t.client)->http_status, 404);
    CHECK_STR(aws_client_failure(w.t.client)->operation, "HeadObject");
    /* the source's own key opens it when it is looked at */
    memset(&args, 0, sizeof args);
    more[0].member = &aws_s3_m_copy_source_sse_customer_algorithm;
    more[0].value = "AES256";
    more[1].member = &aws_s3_m_copy_source_sse_customer_key;
    more[1].value = "a2V5";
    more[2].member = &aws_s3_m_copy_source_sse_customer_key_md5;
    more[2].value = "bWQ1";
    args.more = more;
    args.more_count = 3;
    w.args.args = &args;
    w.args.copy_source = "bucket/from/a+b c";
    w.args.threshold = 10 * SIZE;
    CHECK_INT(aws_s3_copy_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(run(&w, 0), 0);
    CHECK(holds(&w, SIZE));
    CHECK(sent_of(&w, "\r\nx-amz-server-side-encryption-customer-key: a2V5\r\n") != NULL);
    CHECK(sent_of(&w, "\r\nx-amz-copy-source-server-side-encryption-customer-key: a2V5\r\n") != NULL);
    /* memory for the parts' ETags is asked for once the size is known */
    w.args.threshold = PART;
    w.args.memory = NULL;
    CHECK_INT(aws_s3_copy_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(run(&w, 0), AWS_ERR_MEMORY);
    CHECK_INT(aws_client_failure(w.t.client)->needed, 11 * AWS_S3_PART_MEMORY);
    world_end(&w);
}

static void copy_world(world *w, const aws_dialect *dialect)
{
    world_init(w, SCRIPT_WAITS);
    w->m.no_match = 1;
    copy_args(w, 2);
    w->config.dialect = dialect;
    power_cut(w);
}

/* Swift doesn't know the ETag of a source that was uploaded in parts. Its dialect looks at the source
 * when all parts are there: it must be what it was. */
static void test_copy_looks(void)
{
    static char large[AWS_S3_CHECKPOINT];
    unsigned steps, changed = 0, what;
    int r;
    world w;

    copy_world(&w, NULL);
    CHECK_INT(aws_s3_copy_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(run(&w, 0), AWS_ERR_SERVICE);
    CHECK_INT(aws_client_failure(w.t.client)->http_status, 412);
    CHECK_INT(mp_open_uploads(&w.m), 0);
    world_end(&w);

    copy_world(&w, &aws_dialect_swift);
    CHECK_INT(aws_s3_copy_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(run(&w, 0), 0);
    CHECK(holds(&w, SIZE));
    CHECK_INT(w.m.counts[MP_HEAD], 2);
    CHECK(sent_of(&w, "x-amz-copy-source-if-match") == NULL);
    /* in one request there is nothing to mix */
    w.args.threshold = 10 * SIZE;
    CHECK_INT(aws_s3_copy_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(run(&w, 0), 0);
    CHECK_INT(w.m.counts[MP_HEAD], 3);
    CHECK(sent_of(&w, "x-amz-copy-source-if-match") == NULL);
    world_end(&w);

    /* other bytes, the same ones written anew, nothing: after each number of steps */
    for (what = 0; what < 3; what++)
        for (steps = 1, r = AWS_AGAIN; r == AWS_AGAIN; steps++) {
            copy_world(&w, &aws_dialect_swift);
            CHECK_INT(aws_s3_copy_begin(&w.t, &w.object, &w.args), 0);
            if ((r = run(&w, steps)) == AWS_AGAIN && w.m.counts[MP_CREATE] &&
                w.m.counts[MP_HEAD] == 1) {
                s3_put(&w.m.s3, "bucket/from/a+b c", what == 0 ? w.got : w.data, SIZE);
                w.m.later = what == 1;
                changed += what < 2;
                CHECK_INT(run(&w, 0), what < 2 ? AWS_ERR_SERVICE : 0);
                CHECK(what == 2 || strstr(aws_client_failure_text(w.t.client), "changed") != NULL);
                CHECK_INT(mp_open_uploads(&w.m), 0);
                CHECK(what < 2 || holds(&w, SIZE));
            }
            world_end(&w);
        }
    CHECK(changed > 10);

    /* gone on with: it is compared with what it was before the power failed */
    for (what = 1; what < 3; what++) {
        resume_world(&w, COPY, 2);
        w.config.dialect = &aws_dialect_swift;
        w.m.no_match = 1;
        w.args.stamp = 7; /* of uploads */
        power_cut(&w);
        CHECK_INT(resume(&w, COPY), 0);
        while (!w.m.counts[MP_PART])
            CHECK_INT(run(&w, 1), AWS_AGAIN);
        power_cut(&w);
        w.m.later = what == 1;
        CHECK_INT(resume(&w, COPY), 0);
        CHECK_INT(run(&w, 0), what == 1 ? AWS_ERR_SERVICE : 0);
        CHECK_INT(kept_size, 0);
        CHECK_INT(mp_open_uploads(&w.m), 0);
        world_end(&w);
    }

    /* a name that has no place beside the upload's id */
    copy_world(&w, &aws_dialect_swift);
    memset(large, 'a', sizeof large - 1);
    memcpy(large, "bucket/", 7);
    large[960] = 0;
    s3_put(&w.m.s3, large, w.data, SIZE);
    w.args.copy_source = large;
    CHECK_INT(aws_s3_copy_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(run(&w, 0), AWS_ERR_PARAM);
    CHECK_INT(mp_open_uploads(&w.m), 0);
    world_end(&w);
}

/* Without an ETag parts could be of two objects: the whole goes in one request. */
static void test_no_etags(void)
{
    world w;

    world_init(&w, SCRIPT_WAITS);
    changes(&w);
    w.m.no_etag = 1;
    CHECK_INT(run(&w, 0), 0);
    CHECK_MEM(w.got, w.data, SIZE);
    CHECK_INT(w.m.counts[MP_GET], 1);
    CHECK(sent_of(&w, "\r\nif-match: ") == NULL);
    copy_args(&w, 0);
    CHECK_INT(aws_s3_copy_begin(&w.t, &w.object, &w.args), 0);
    (void)run(&w, 0);
    CHECK_INT(w.m.counts[MP_CREATE], 0);
    CHECK(sent_of(&w, "x-amz-copy-source-if-match") == NULL);
    /* but a part that has none can't be completed */
    plain_args(&w, 1);
    w.args.data = w.data;
    CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(run(&w, 0), AWS_ERR_PROTOCOL);
    CHECK(strstr(aws_client_failure_text(w.t.client), "gave no ETag") != NULL);
    CHECK_INT(mp_open_uploads(&w.m), 0);
    world_end(&w);
}

static void test_odd_answers(void)
{
    static const char *const ranges[] = {"",
                                         "items 0-99/1030",
                                         "bytes 1-99/1030",
                                         "bytes 0",
                                         "bytes 0-98/1030",
                                         "bytes 0-99",
                                         "bytes 0-99/1031"};
    static char large[1100];
    size_t i;
    world w;

    for (i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        world_init(&w, SCRIPT_WAITS);
        changes(&w);
        w.m.range = ranges[i];
        CHECK_INT(run(&w, 0), AWS_ERR_PROTOCOL);
        CHECK(strstr(aws_client_failure_text(w.t.client), "isn't the part") != NULL);
        CHECK_INT(w.got[0], 0);
        world_end(&w);
    }
    memset(large, 'i', sizeof large - 1);
    for (i = 0; i < 2; i++) {
        world_init(&w, SCRIPT_WAITS);
        plain_args(&w, 1);
        w.args.data = w.data;
        w.m.id = i ? large : "";
        CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
        CHECK_INT(run(&w, 0), AWS_ERR_PROTOCOL);
        CHECK(strstr(aws_client_failure_text(w.t.client), "no upload id") != NULL);
        CHECK_INT(w.t.orphaned, i);
        CHECK_INT(w.m.counts[MP_PART], 0);
        world_end(&w);
    }
}

static int short_read(void *context, void *data, size_t size)
{
    return ((world *)context)->source_at < 250 ? source_read(context, data, size) : 0;
}

static int no_rewind(void *context)
{
    (void)context;
    return -55;
}

/* Sources that end too early, or can't go back for a part that is repeated. */
static void test_sources(void)
{
    aws_source source;
    int i;
    world w;

    for (i = 0; i < 3; i++) {
        world_init(&w, SCRIPT_WAITS);
        plain_args(&w, 1);
        source.read = i == 0 ? short_read : source_read;
        source.rewind = i == 0 ? source_rewind : i == 1 ? no_rewind : NULL;
        source.context = &w;
        w.args.source = &source;
        w.m.fault = MP_503;
        w.m.fault_at = i ? 3 : 0;
        w.m.fault_times = 1;
        if (i == 2) { /* only a port that speaks TLS takes it unsigned */
            w.s.port.flags |= AWS_PORT_TLS;
            close_clients(&w);
            w.config.endpoint = "https://test.local";
            world_clients(&w);
        }
        CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
        CHECK(run(&w, 0) < 0);
        CHECK(!holds(&w, SIZE));
        CHECK_INT(mp_open_uploads(&w.m), 0);
        CHECK_INT(w.m.counts[MP_COMPLETE], 0);
        world_end(&w);
    }
}

/* The answers of Complete are lost and the upload is gone: what is there decides. */
static void test_completed_maybe(void)
{
    int i;
    world w;

    for (i = 0; i < 4; i++) {
        world_init(&w, SCRIPT_NEVER_WAITS);
        plain_args(&w, 1);
        w.args.data = w.data;
        w.m.no_date = i == 1;
        w.m.fault = MP_LOST;
        w.m.fault_at = 13;
        w.m.fault_times = 3;
        CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
        while (!w.m.counts[MP_COMPLETE])
            CHECK_INT(run(&w, 1), AWS_AGAIN);
        if (i == 2) /* another one of that size came there */
            mp_set_multi(&w.m, "bucket/dir/a b", 7);
        if (i == 3)
            s3_put(&w.m.s3, "bucket/dir/a b", w.data, SIZE - 1);
        CHECK_INT(run(&w, 0), i ? AWS_ERR_SERVICE : 0);
        CHECK_INT(w.m.counts[MP_HEAD], 1);
        if (i)
            CHECK_STR(aws_client_failure(w.t.client)->operation, "CompleteMultipartUpload");
        world_end(&w);
    }
}

/* Arguments that a resume refuses as its begin does, and checkpoints of another kind or length. */
static void test_resume_refused(void)
{
    aws_sink sink = {sink_write, NULL, NULL};
    aws_s3_more more[13];
    aws_s3_args args;
    int kind;
    world w;

    for (kind = UPLOAD; kind <= COPY; kind++) {
        part_way(&w, kind);
        w.m.requests = 0;
        kept_size = 57;
        CHECK_INT(resume(&w, kind), AWS_ERR_PARAM);
        kept_size = AWS_S3_CHECKPOINT + 1;
        CHECK_INT(resume(&w, kind), AWS_ERR_PARAM);
        kept_size = 0; /* there is none, and nowhere to save one */
        w.args.save = NULL;
        w.args.read_at = NULL;
        w.args.write_at = NULL;
        w.args.copy_source = NULL;
        CHECK_INT(resume(&w, kind), AWS_ERR_PARAM);
        if (kind == DOWNLOAD) {
            kept_size = 100;
            w.args.sink = &sink;
            CHECK_INT(resume(&w, kind), AWS_ERR_PARAM); /* a sink can't go on in the middle */
        }
        CHECK_INT(w.m.requests, 0);
        world_end(&w);
    }
    world_init(&w, SCRIPT_WAITS);
    plain_args(&w, 0);
    memset(&args, 0, sizeof args);
    memset(more, 0, sizeof more);
    args.more = more;
    args.more_count = 13;
    w.args.args = &args;
    w.args.data = w.data;
    begin_fails(&w, AWS_ERR_PARAM, "at most 12 members");
    world_end(&w);
}

/* An old upload that can't be aborted, one that is gone, and parts that can't be listed. */
static void test_resume_trouble(void)
{
    int i;
    world w;

    for (i = 0; i < 3; i++) {
        part_way(&w, UPLOAD);
        if (i < 2)
            w.args.stamp = 1;
        if (i == 1)
            mp_drop(w.m.uploads);
        w.m.fault = i == 1 ? MP_FINE : MP_403;
        w.m.fault_at = i == 1 ? 0 : w.m.requests + 1;
        w.m.fault_times = 1;
        CHECK_INT(resume(&w, UPLOAD), 0);
        CHECK_INT(run(&w, 0), i == 1 ? 0 : AWS_ERR_SERVICE);
        CHECK_INT(holds(&w, SIZE), i == 1);
        if (i != 1) {
            CHECK_STR(aws_client_failure(w.t.client)->aws_code, "AccessDenied");
            CHECK_INT(mp_open_uploads(&w.m), 1);
            CHECK(kept_size > 0); /* it can be tried again */
        }
        world_end(&w);
    }
    /* one request, refused */
    world_init(&w, SCRIPT_WAITS);
    plain_args(&w, 1);
    w.args.data = w.data;
    w.args.size = 50;
    w.m.fault = MP_403;
    w.m.fault_at = w.m.fault_times = 1;
    CHECK_INT(aws_s3_upload_begin(&w.t, &w.object, &w.args), 0);
    CHECK_INT(run(&w, 0), AWS_ERR_SERVICE);
    CHECK_INT(w.m.counts[MP_PUT], 0);
    world_end(&w);
}

/* A connection that is cut in each answer: what came is kept, the rest is asked for, with an end. */
static void test_download_cuts(void)
{
    aws_sink sink = {sink_write, source_rewind, NULL};
    int i;
    world w;

    for (i = 0; i < 4; i++) {
        world_init(&w, SCRIPT_WAITS);
        changes(&w);
        w.args.worker_count = 1;
        w.args.part_size = 500;
        sink.rewind = i == 3 ? NULL : source_rewind;
        sink.context = &w;
        if (i > 0)
            w.args.threshold = 10 * SIZE;
        if (i > 1) {
            w.args.sink = &sink;
            w.args.write_at = NULL;
        }
        w.m.fault = MP_CUT;
        w.m.fault_at = 2;
        w.m.fault_times = i ? 1 : 1000;
        CHECK_INT(aws_s3_download_begin(&w.t, &w.object, &w.args), 0);
        CHECK((run(&w, 0) == 0) == (i == 1 || i == 2));
        CHECK_INT(memcmp(w.got, w.data, SIZE) == 0, i == 1 || i == 2);
        if (i == 0) {
            CHECK(w.got[0] == w.data[0]);
            CHECK(w.m.counts[MP_GET] > 1 && w.m.counts[MP_GET] < 20);
        } else {
            CHECK_INT(w.m.counts[MP_GET], i == 3 ? 1 : 2);
        }
        world_end(&w);
    }
}

int main(void)
{
    size_t workers;
    int kind;

    test_copies();
    for (kind = UPLOAD; kind <= COPY; kind++)
        for (workers = 0; workers <= CLIENTS; workers += 2)
            test_power_cuts(kind, workers);
    test_completed();
    test_changes();

    test_upload_ways();
    test_small_uploads();
    test_members();
    test_plan();
    test_long_etags();
    test_upload_fails();
    test_cancel();
    test_download_ways();
    test_download_fails();
    test_run();
    test_copy_sources();
    test_copy_looks();
    test_no_etags();
    test_odd_answers();
    test_sources();
    test_completed_maybe();
    test_resume_refused();
    test_resume_trouble();
    test_download_cuts();
    for (workers = 0; workers <= CLIENTS; workers += 2) {
        faults(workers, 0);
        faults(workers, 1);
    }
    torture(0, 1);
    torture(0, 3);
    torture(1, 1);
    torture(1, 3);
    return CHECK_DONE();
}

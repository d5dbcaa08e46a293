/* scenario.h - one program of many calls, run by test_resume.c and test_torture.c over the S3 model
 * (script_s3.h) under all kinds of ports.
 *
 * SPDX-License-Identifier: MIT
 *
 * Each call's result is compared with what the model holds: a success that isn't one is a failed
 * check. What came out is kept as a transcript, so that two runs can be compared.
 */
#ifndef SCENARIO_INCLUDED
#define SCENARIO_INCLUDED

#include "check.h"
#include "script_s3.h"

enum { SCENARIO_BODY = 1500 };

typedef struct scenario {
    script s;
    s3_model model;
    aws_config config;
    aws_session session;
    aws_client client;
    aws_s3_bucket bucket;
    aws_s3_objects it;
    unsigned char *memory; /* malloc'ed in the exact size, so that a sanitizer sees the end */
    size_t memory_size;
    unsigned char page[300];
    char transcript[20000];
    size_t written;
    int failed; /* calls that failed */
    char body[SCENARIO_BODY], got[SCENARIO_BODY + 1];
    size_t at; /* of the source */
} scenario;

/* The time doesn't move, so that all runs sign alike. */
static inline int64_t scenario_now(const aws_port *port)
{
    (void)port;
    return 1767323045;
}

static inline void scenario_note(scenario *t, const char *what, int r, const char *text)
{
    int n = snprintf(t->transcript + t->written, sizeof t->transcript - t->written, "%s %d %s\n",
                     what, r, text ? text : "-");

    t->written += (size_t)n;
    if (t->written >= sizeof t->transcript)
        abort();
    t->failed += r < 0;
    CHECK(r != AWS_AGAIN);
    /* an entry out of page memory leaves the failure of the call before */
    if (r < 0 || (strcmp(what, "entry") != 0 && strcmp(what, "list") != 0))
        CHECK_INT(aws_client_failure(&t->client)->code, r < 0 ? r : 0);
}

static inline s3_object *scenario_object(scenario *t, const char *name)
{
    size_t at;

    return s3_at(&t->model, name, &at);
}

/* The model's object is exactly the first size bytes of body. */
static inline int scenario_holds(scenario *t, const char *name, size_t size)
{
    s3_object *o = scenario_object(t, name);

    return o && o->size == size && memcmp(o->body, t->body, size) == 0;
}

static inline void scenario_create(scenario *t)
{
    int r;

    SCRIPT_RUN(r, &t->s, &t->client, aws_s3_bucket_create(&t->bucket, NULL));
    scenario_note(t, "create", r, NULL);
}

static inline void scenario_put(scenario *t)
{
    aws_s3_args args;
    aws_s3_result result;
    const aws_pair meta = {"a", "b"};
    int r;

    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "dir/a b";
    args.body = t->body;
    args.body_size = sizeof t->body;
    args.metadata = &meta;
    args.metadata_count = 1;
    SCRIPT_RUN(r, &t->s, &t->client, aws_s3_put_object(&t->client, &args, &result));
    scenario_note(t, "put", r, r < 0 ? NULL : result.etag);
    if (r >= 0)
        CHECK(scenario_holds(t, "bucket/dir/a b", sizeof t->body));
}

static inline int scenario_read(void *context, void *data, size_t size)
{
    scenario *t = (scenario *)context;

    if (size > 100)
        size = 100;
    if (size > 700 - t->at)
        size = 700 - t->at;
    memcpy(data, t->body + t->at, size);
    t->at += size;
    return (int)size;
}

static inline int scenario_rewind(void *context)
{
    ((scenario *)context)->at = 0;
    return 0;
}

static inline void scenario_put_source(scenario *t)
{
    aws_source source;
    aws_s3_args args;
    int r;

    source.read = scenario_read;
    source.rewind = scenario_rewind;
    source.context = t;
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "b";
    args.source = &source;
    args.body_size = 700;
    t->at = 0;
    SCRIPT_RUN(r, &t->s, &t->client, aws_s3_put_object(&t->client, &args, NULL));
    scenario_note(t, "put source", r, NULL);
    if (r >= 0)
        CHECK(scenario_holds(t, "bucket/b", 700));
}

/* Over TLS that the port does; plain http refuses it. */
static inline void scenario_put_stream(scenario *t)
{
    aws_s3_args args;
    size_t done = 0;
    int r;

    if (!(t->s.port.flags & AWS_PORT_TLS))
        return;
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "s";
    args.stream = 1;
    args.body_size = 900;
    SCRIPT_RUN(r, &t->s, &t->client, aws_s3_put_object(&t->client, &args, NULL));
    while (r >= 0 && done < 900) {
        size_t piece = 900 - done < 130 ? 900 - done : 130;
        SCRIPT_RUN(r, &t->s, &t->client, aws_client_write(&t->client, t->body + done, piece));
        if (r >= 0)
            done += (size_t)r;
        if (r == 0)
            CHECK(r > 0);
    }
    if (r < 0)
        CHECK_INT(aws_client_finish(&t->client), r);
    if (r >= 0)
        SCRIPT_RUN(r, &t->s, &t->client, aws_client_finish(&t->client));
    scenario_note(t, "put stream", r, NULL);
    if (r >= 0)
        CHECK(scenario_holds(t, "bucket/s", 900));
}

static inline void scenario_get(scenario *t)
{
    aws_s3_args args;
    aws_s3_result result;
    int r;

    memset(&args, 0, sizeof args);
    memset(t->got, 0, sizeof t->got);
    args.bucket = "bucket";
    args.key = "dir/a b";
    args.buffer = t->got;
    args.buffer_size = sizeof t->got;
    SCRIPT_RUN(r, &t->s, &t->client, aws_s3_get_object(&t->client, &args, &result));
    scenario_note(t, "get", r, r < 0 ? NULL : result.etag);
    if (r >= 0)
        CHECK(r == SCENARIO_BODY && memcmp(t->got, t->body, SCENARIO_BODY) == 0);
    args.buffer = NULL;
    args.buffer_size = 0;
    SCRIPT_RUN(r, &t->s, &t->client, aws_s3_head_object(&t->client, &args, &result));
    scenario_note(t, "head", r, r < 0 ? NULL : result.etag);
    if (r >= 0)
        CHECK(aws_client_header(&t->client, "x-amz-meta-size") != NULL);
    args.key = "missing";
    SCRIPT_RUN(r, &t->s, &t->client, aws_s3_get_object(&t->client, &args, &result));
    scenario_note(t, "get missing", r, aws_client_failure(&t->client)->aws_code);
    CHECK(r < 0);
}

static inline void scenario_get_stream(scenario *t)
{
    aws_s3_args args;
    size_t used = 0;
    int r;

    memset(&args, 0, sizeof args);
    memset(t->got, 0, sizeof t->got);
    args.bucket = "bucket";
    args.key = "dir/a b";
    args.stream = 1;
    SCRIPT_RUN(r, &t->s, &t->client, aws_s3_get_object(&t->client, &args, NULL));
    while (r >= 0) {
        SCRIPT_RUN(r, &t->s, &t->client,
                   aws_client_read(&t->client, t->got + used, sizeof t->got - used));
        if (r <= 0)
            break;
        used += (size_t)r;
    }
    if (r < 0)
        CHECK_INT(aws_client_finish(&t->client), r);
    else
        SCRIPT_RUN(r, &t->s, &t->client, aws_client_finish(&t->client));
    scenario_note(t, "get stream", r, NULL);
    if (r >= 0)
        CHECK(used == SCENARIO_BODY && memcmp(t->got, t->body, SCENARIO_BODY) == 0);
}

static inline void scenario_copy(scenario *t)
{
    aws_s3_args args;
    aws_s3_result result;
    int r;

    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "c";
    args.copy_source = "bucket/dir/a b";
    SCRIPT_RUN(r, &t->s, &t->client, aws_s3_copy(&t->client, &args, &result));
    scenario_note(t, "copy", r, r < 0 ? NULL : result.etag);
    if (r >= 0)
        CHECK(scenario_holds(t, "bucket/c", sizeof t->body));
    args.key = NULL;
    args.copy_source = NULL;
    SCRIPT_RUN(r, &t->s, &t->client, aws_s3_get_bucket_location(&t->client, &args, &result));
    scenario_note(t, "location", r, r < 0 ? NULL : result.location);
    if (r >= 0)
        CHECK_STR(result.location, "eu-west-1");
}

/* Delete what is listed, inside the loop. A deletion that fails stays in the model. */
static inline void scenario_list(scenario *t, const char *prefix, int with_page)
{
    aws_s3_args args;
    aws_s3_summary object;
    int r, deleted, n = 0, lost = 0;

    memset(&args, 0, sizeof args);
    args.prefix = prefix;
    args.page = with_page ? t->page : NULL;
    args.page_size = with_page ? sizeof t->page : 0;
    aws_s3_objects_begin(&t->it, &t->bucket, &args);
    for (;;) {
        char name[100];
        SCRIPT_RUN(r, &t->s, &t->client, aws_s3_objects_next(&t->it, &object));
        if (r <= 0)
            break;
        snprintf(name, sizeof name, "bucket/%s", object.key);
        scenario_note(t, "entry", (int)object.size, object.key);
        CHECK(scenario_object(t, name) != NULL);
        if (++n > 100)
            break;
        SCRIPT_RUN(deleted, &t->s, &t->client, aws_s3_bucket_delete_key(&t->bucket, object.key));
        scenario_note(t, "delete", deleted, NULL);
        if (deleted >= 0)
            CHECK(scenario_object(t, name) == NULL);
        lost += deleted < 0;
    }
    scenario_note(t, "list", r, NULL);
    CHECK(n <= 6);
    if (r >= 0)
        CHECK_INT(n, 6);
    (void)lost;
}

static inline void scenario_delimiter(scenario *t)
{
    aws_s3_args args;
    aws_s3_summary object;
    int r, n = 0;

    memset(&args, 0, sizeof args);
    args.prefix = "d/";
    args.delimiter = "/";
    aws_s3_objects_begin(&t->it, &t->bucket, &args);
    for (;;) {
        SCRIPT_RUN(r, &t->s, &t->client, aws_s3_objects_next(&t->it, &object));
        if (r <= 0 || n > 100)
            break;
        n++;
        scenario_note(t, object.is_prefix ? "prefix" : "entry", (int)object.size, object.key);
    }
    scenario_note(t, "list", r, NULL);
    if (r >= 0)
        CHECK_INT(n, 5);
    CHECK(n <= 5);
}

static inline void scenario_delete(scenario *t)
{
    static const aws_s3_key keys[] = {{"b", NULL}, {"c", NULL}, {"none", NULL}};
    aws_s3_args args;
    aws_s3_result result;
    int r;

    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.objects = keys;
    args.object_count = 3;
    SCRIPT_RUN(r, &t->s, &t->client, aws_s3_delete_objects(&t->client, &args, &result));
    scenario_note(t, "delete_objects", r, NULL);
    if (r >= 0) {
        CHECK_INT(result.deleted, 3);
        CHECK(!scenario_object(t, "bucket/b") && !scenario_object(t, "bucket/c"));
    }
    SCRIPT_RUN(r, &t->s, &t->client, aws_s3_bucket_delete_key(&t->bucket, "dir/a b"));
    scenario_note(t, "delete", r, NULL);
    if (r >= 0)
        CHECK(!scenario_object(t, "bucket/dir/a b"));
}

/* ---- The whole ---- */

static inline void scenario_fill(scenario *t)
{
    static const char *const names[] = {"bucket/d/1",   "bucket/d/2",   "bucket/d/a/1",
                                        "bucket/d/a/2", "bucket/d/b/1", "bucket/d/c"};
    char name[40];
    size_t i;

    for (i = 0; i < sizeof t->body; i++)
        t->body[i] = (char)('a' + i * 7 % 26);
    for (i = 0; i < 6; i++) {
        s3_put(&t->model, names[i], "x", 1);
        snprintf(name, sizeof name, "bucket/l/%lu", (unsigned long)i);
        s3_put(&t->model, name, "hello, world", i);
        snprintf(name, sizeof name, "bucket/m/%lu", (unsigned long)i);
        s3_put(&t->model, name, "hello, world", i);
    }
}

/* Prepare it; the port (t->s) and the configuration may be changed before scenario_start. */
static inline void scenario_init(scenario *t, script_mode mode, int secure)
{
    memset(t, 0, sizeof *t);
    script_init(&t->s, mode);
    s3_init(&t->model, &t->s);
    t->model.page = 4;
    t->model.chunk = secure ? 33 : 0;
    t->s.port.now = scenario_now;
    t->s.continues = "HTTP/1.1 100 Continue\r\n\r\n";
    t->s.port.flags |= secure ? (unsigned)AWS_PORT_TLS : 0;
    t->memory_size = 16384;
    t->config.access_key_id = "AKIDEXAMPLE";
    t->config.secret_access_key = "secret";
    t->config.region = "eu-west-1";
    t->config.endpoint = secure ? "https://test.local" : "http://test.local:9000";
    t->config.port = &t->s.port;
    scenario_fill(t);
}

static inline int scenario_start(scenario *t)
{
    t->memory = (unsigned char *)malloc(t->memory_size ? t->memory_size : 1);
    if (!t->memory)
        abort();
    aws_session_init(&t->session, &t->config);
    aws_s3_bucket_init(&t->bucket, &t->client, "bucket");
    return aws_client_init(&t->client, &t->session, &aws_s3_service, t->memory, t->memory_size);
}

static inline void scenario_run(scenario *t)
{
    scenario_create(t);
    scenario_put(t);
    scenario_put_source(t);
    scenario_put_stream(t);
    scenario_get(t);
    scenario_get_stream(t);
    scenario_copy(t);
    scenario_list(t, "l/", 0);
    scenario_list(t, "m/", 1);
    scenario_delimiter(t);
    scenario_delete(t);
}

static inline void scenario_end(scenario *t)
{
    int r;

    SCRIPT_RUN(r, &t->s, &t->client, aws_client_close(&t->client));
    CHECK_INT(r, 0);
    CHECK_INT(script_left_open(&t->s), 0);
    CHECK_INT(t->s.breaches, 0);
    aws_session_close(&t->session);
    s3_free(&t->model);
    script_free(&t->s);
    free(t->memory);
    t->memory = NULL;
}

/* All that was sent, over all connections, without Expect, which a port that blocks can't keep; the
 * caller frees it. */
static inline script_bytes scenario_sent(const scenario *t)
{
    static const char expect[] = "expect: 100-continue\r\n";
    script_bytes all = {NULL, 0, 0};
    unsigned i;

    script_add(&all, "", 0);
    for (i = 0; i < t->s.connection_count; i++) {
        const char *from = t->s.connections[i].in.data, *end = from + t->s.connections[i].in.size;
        const char *at;
        while ((at = strstr(from, expect)) != NULL) {
            script_add(&all, from, (size_t)(at - from));
            from = at + sizeof expect - 1;
        }
        script_add(&all, from, (size_t)(end - from));
    }
    return all;
}

#endif /* SCENARIO_INCLUDED */

/* test_resources.c - iterators over versions, uploads and parts, and deletion in batches.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_resources.c -lbearssl && ./a.out
 */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "../aws_s3.h"
#include "check.h"
#include "script_port.h"
#include <stdarg.h>

enum { MOST = 3000 };

typedef struct entry {
    char key[40], id[24];
    int gone;
} entry;

/* A bucket whose entries are versions or uploads (two of each key), or one upload's parts. */
typedef struct world {
    script s;
    aws_config config;
    aws_session session;
    aws_client client;
    unsigned char memory[8192];
    aws_s3_bucket bucket;
    aws_s3_object object;
    aws_s3_entries it;
    entry entries[MOST];
    size_t count, page;
    unsigned lists, posts, deletes, puts;
    unsigned cut_list; /* this one is cut in the middle */
    int ignores_markers, empty, fails;
    char body[600];
    script_bytes out;
} world;

static const char *parameter(const char *target, const char *name, char *value)
{
    char wanted[60];
    const char *at;
    char *to = value;

    snprintf(wanted, sizeof wanted, "%s=", name);
    at = strpbrk(target, "?");
    while (at && strncmp(at + 1, wanted, strlen(wanted)) != 0)
        at = strchr(at + 1, '&');
    if (!at)
        return NULL;
    for (at += 1 + strlen(wanted); *at && *at != '&'; at++) {
        char hex[3] = {0, 0, 0};
        if (*at == '%') {
            memcpy(hex, at + 1, 2);
            at += 2;
        }
        *to++ = *hex ? (char)strtoul(hex, NULL, 16) : *at;
    }
    *to = 0;
    return value;
}

static void text(world *w, const char *format, ...)
{
    char line[400];
    va_list list;

    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    script_add(&w->out, line, strlen(line));
}

static void list(world *w, const script_request *q)
{
    char key[200] = "", id[200] = "", value[200] = "", prefix[200] = "";
    int parts = strstr(q->target, "uploadId=") != NULL, uploads = strstr(q->target, "?uploads") ||
                                                                  strstr(q->target, "&uploads");
    size_t i, n = 0, limit = w->page;
    unsigned number = 0;

    w->lists++;
    parameter(q->target, "key-marker", key);
    parameter(q->target, uploads ? "upload-id-marker" : "version-id-marker", id);
    parameter(q->target, "prefix", prefix);
    if (parameter(q->target, "part-number-marker", value))
        number = (unsigned)strtoul(value, NULL, 10);
    if (parameter(q->target, parts ? "max-parts" : uploads ? "max-uploads" : "max-keys", value) &&
        strtoul(value, NULL, 10) < limit)
        limit = (size_t)strtoul(value, NULL, 10);
    text(w, "<R xmlns=\"x\"><KeyMarker>zz</KeyMarker>");
    if (strstr(q->target, "encoding-type=url"))
        text(w, "<EncodingType>url</EncodingType>");
    for (i = 0; i < w->count && n < limit && !w->empty; i++) {
        entry *e = w->entries + i;
        int order = strcmp(e->key, key);
        if (e->gone || strncmp(e->key, prefix, strlen(prefix)) != 0)
            continue;
        if (!w->ignores_markers && (parts ? i < number : *key && (order < 0 || (order == 0 && strcmp(e->id, id) <= 0))))
            continue;
        n++;
        if (parts)
            text(w, "<Part><PartNumber>%lu</PartNumber><ETag>\"e%lu\"</ETag><Size>%lu</Size>"
                    "<ChecksumCRC32>c%lu</ChecksumCRC32><ChecksumType>X</ChecksumType></Part>",
                 (unsigned long)i + 1, (unsigned long)i, (unsigned long)i * 10, (unsigned long)i);
        else if (uploads)
            text(w, "<Upload><UploadId>%s</UploadId><Key>%.3s+ %s</Key><Owner><ID>no</ID><Key>no"
                    "</Key></Owner><Initiated>2026-01-02T03:04:05.000Z</Initiated></Upload>",
                 e->id, e->key, e->key + 5);
        else
            text(w, "<%s><Key>%.3s%%2b+%s</Key><VersionId>%s</VersionId><IsLatest>%s</IsLatest>"
                    "<LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;e&quot;"
                    "</ETag><Size>%lu</Size><StorageClass>GLACIER</StorageClass></%s>",
                 i % 5 ? "Version" : "DeleteMarker", e->key, e->key + 5, e->id,
                 i % 2 ? "false" : "true", (unsigned long)i, i % 5 ? "Version" : "DeleteMarker");
    }
    text(w, "<IsTruncated>%s</IsTruncated></R>", (i < w->count && n) || w->empty ? "true" : "false");
}

static void delete_many(world *w, const script_request *q)
{
    const char *at = q->body;
    size_t i, n = 0;

    w->posts++;
    CHECK(strstr(q->body, "<Quiet>true</Quiet>") != NULL);
    while ((at = strstr(at, "<Key>")) != NULL) {
        const char *id = strstr(at, "<VersionId>");
        at += 5;
        n++;
        for (i = 0; i < w->count; i++)
            if (strncmp(w->entries[i].key, at, strcspn(at, "<")) == 0 &&
                strlen(w->entries[i].key) == strcspn(at, "<") &&
                (!id || strncmp(w->entries[i].id, id + 11, strcspn(id + 11, "<")) == 0))
                w->entries[i].gone = 1;
    }
    CHECK(n <= 1000);
    text(w, w->fails ? "<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code></Error>"
                       "</DeleteResult>"
                     : "<DeleteResult></DeleteResult>");
}

static void serve(script *s, const script_request *q)
{
    world *w = (world *)s->context;
    char head[200];
    size_t size;

    w->out.size = 0;
    script_add(&w->out, "", 0);
    if (*q->method == 'G')
        list(w, q);
    else if (*q->method == 'D')
        w->deletes++;
    else if (q->method[1] == 'O')
        delete_many(w, q);
    else {
        w->puts++;
        snprintf(w->body, sizeof w->body, "%.*s", (int)q->body_size, q->body);
    }
    size = w->cut_list && w->lists == w->cut_list ? w->out.size / 2 : w->out.size;
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %lu\r\n\r\n",
             (unsigned long)w->out.size);
    script_reply(s, q->connection, head);
    script_reply_bytes(s, q->connection, w->out.data, size);
    if (size < w->out.size) {
        script_then(s, q->connection, SCRIPT_FIN);
        w->cut_list = 0;
    }
}

static void start(world *w, script_mode mode, size_t count)
{
    size_t i;

    memset(w, 0, sizeof *w);
    script_init(&w->s, mode);
    w->s.serve = serve;
    w->s.context = w;
    w->page = 7;
    w->count = count;
    for (i = 0; i < count; i++) { /* two of each key, which has a '+' and a blank */
        snprintf(w->entries[i].key, sizeof w->entries[i].key, "dir+ %05lu", (unsigned long)i / 2);
        snprintf(w->entries[i].id, sizeof w->entries[i].id, "id%05lu", (unsigned long)i);
    }
    w->config.access_key_id = "AKIDEXAMPLE";
    w->config.secret_access_key = "secret";
    w->config.region = "us-east-1";
    w->config.endpoint = "http://test.local:9000";
    w->config.port = &w->s.port;
    aws_session_init(&w->session, &w->config);
    CHECK_INT(aws_client_init(&w->client, &w->session, &aws_s3_service, w->memory,
                              sizeof w->memory), 0);
    aws_s3_bucket_init(&w->bucket, &w->client, "bucket");
    aws_s3_object_init(&w->object, &w->bucket, "k");
}

static void end(world *w)
{
    int r;

    SCRIPT_RUN(r, &w->s, &w->client, aws_client_close(&w->client));
    CHECK_INT(w->s.breaches, 0);
    aws_session_close(&w->session);
    script_free(&w->s);
    free(w->out.data);
}

enum { VERSIONS, UPLOADS, PARTS };

static void begin(world *w, int kind, const aws_s3_args *args)
{
    int r = kind == VERSIONS  ? aws_s3_versions_begin(&w->it, &w->bucket, args)
            : kind == UPLOADS ? aws_s3_uploads_begin(&w->it, &w->bucket, args)
                              : aws_s3_parts_begin(&w->it, &w->object, "u+1", args);

    CHECK_INT(r, 0);
}

static void check_entry(world *w, int kind, const aws_s3_entry *e, size_t i)
{
    char want[40];

    if (kind == PARTS) {
        CHECK_INT(e->part_number, i + 1);
        CHECK_INT(e->size, i * 10);
        snprintf(want, sizeof want, "\"e%lu\"", (unsigned long)i);
        CHECK_STR(e->etag, want);
        snprintf(want, sizeof want, "c%lu", (unsigned long)i);
        CHECK_STR(e->checksum, want);
        CHECK_STR(e->key, "");
        return;
    }
    CHECK_STR(e->key, w->entries[i].key);
    CHECK_STR(e->id, w->entries[i].id);
    CHECK_INT(e->last_modified, 1767323045);
    if (kind == VERSIONS) {
        CHECK_INT(e->is_latest, i % 2 == 0);
        CHECK_INT(e->is_delete_marker, i % 5 == 0);
        CHECK_INT(e->size, i);
        CHECK_STR(e->storage_class, "GLACIER");
        CHECK_STR(e->etag, "\"e\"");
    }
}

/* All entries in order, whatever is called in the loop, however the bytes come. */
static void test_order(int kind, int disturbed, int mode, unsigned cut)
{
    aws_s3_entry e;
    size_t n = 0;
    int r, deleted;
    world w;

    start(&w, mode ? SCRIPT_NEVER_WAITS : SCRIPT_WAITS, 30);
    w.s.again_per_256 = mode ? 90 : 0;
    w.s.split_read = mode ? -1 : 0;
    w.cut_list = cut;
    begin(&w, kind, NULL);
    for (;;) {
        SCRIPT_RUN(r, &w.s, &w.client, aws_s3_entries_next(&w.it, &e));
        if (r <= 0 || n == 30)
            break;
        check_entry(&w, kind, &e, n++);
        if (!disturbed)
            continue;
        SCRIPT_RUN(deleted, &w.s, &w.client, aws_s3_bucket_delete_key(&w.bucket, "x"));
        CHECK_INT(deleted, 0);
    }
    CHECK_INT(r, 0);
    CHECK_INT(n, 30);
    if (!disturbed && !cut)
        CHECK_INT(w.lists, 5);
    CHECK(w.lists <= 33);
    CHECK_INT(aws_s3_entries_next(&w.it, &e), 0);
    end(&w);
}

static void test_ends(int kind)
{
    aws_s3_args args;
    aws_s3_entry e;
    int r, n;
    world w;

    start(&w, SCRIPT_WAITS, 0);
    begin(&w, kind, NULL);
    CHECK_INT(aws_s3_entries_next(&w.it, &e), 0);
    CHECK_INT(w.lists, 1);
    w.empty = 1; /* truncated for ever, and nothing in it */
    begin(&w, kind, NULL);
    CHECK_INT(aws_s3_entries_next(&w.it, &e), AWS_ERR_PROTOCOL);
    CHECK_INT(aws_s3_entries_next(&w.it, &e), AWS_ERR_PROTOCOL);
    end(&w);

    start(&w, SCRIPT_WAITS, 30);
    w.ignores_markers = 1;
    begin(&w, kind, NULL);
    for (n = 0; (r = aws_s3_entries_next(&w.it, &e)) > 0 && n < 100; n++)
        ;
    CHECK_INT(r, AWS_ERR_PROTOCOL);
    CHECK_INT(n, 7);
    end(&w);

    start(&w, SCRIPT_WAITS, 30);
    memset(&args, 0, sizeof args);
    args.prefix = "dir+ 00001";
    args.max_keys = args.max_uploads = args.max_parts = 2;
    begin(&w, kind, &args);
    CHECK_INT(aws_s3_entries_next(&w.it, &e), 1);
    check_entry(&w, kind, &e, kind == PARTS ? 0 : 2);
    CHECK_INT(aws_s3_entries_end(&w.it), 0);
    CHECK_INT(aws_s3_entries_next(&w.it, &e), 0);
    begin(&w, kind, &args);
    for (n = 0; (r = aws_s3_entries_next(&w.it, &e)) > 0; n++)
        ;
    CHECK_INT(n, kind == PARTS ? 30 : 2);
    CHECK(strstr(script_sent(&w.s, 0), kind == PARTS     ? "?max-parts=2&uploadId=u%2B1 "
                                       : kind == UPLOADS ? "?max-uploads=2&prefix=dir%2B%2000001&uploads= "
                                                         : "&max-keys=2&prefix=dir%2B%2000001&versions= ") !=
          NULL);
    end(&w);
}

static size_t left(const world *w)
{
    size_t i, n = 0;

    for (i = 0; i < w->count; i++)
        n += !w->entries[i].gone;
    return n;
}

static void test_batches(int mode)
{
    static unsigned char memory[70000];
    static const size_t sizes[] = {4000, 20000, sizeof memory};
    static const unsigned posts[] = {100, 8, 3};
    aws_s3_batch batch;
    size_t i;
    int r;
    world w;

    for (i = 0; i < 3; i++) {
        start(&w, mode ? SCRIPT_NEVER_WAITS : SCRIPT_WAITS, 2001);
        w.s.again_per_256 = mode ? 60 : 0;
        w.page = 1000;
        begin(&w, VERSIONS, NULL);
        CHECK_INT(aws_s3_batch_versions(&batch, &w.it, memory + 1, sizes[i] - 1 + (i == 0)), 0);
        SCRIPT_RUN(r, &w.s, &w.client, aws_s3_batch_delete(&batch));
        CHECK_INT(r, 0);
        CHECK_INT(batch.deleted, 2001);
        CHECK_INT(left(&w), 0);
        CHECK(w.posts >= 3 && w.posts <= posts[i]);
        CHECK_INT(aws_s3_batch_delete(&batch), 0);
        end(&w);
    }
    start(&w, SCRIPT_WAITS, 10);
    w.fails = 1;
    begin(&w, VERSIONS, NULL);
    CHECK_INT(aws_s3_batch_versions(&batch, &w.it, memory, 3999), AWS_ERR_MEMORY);
    CHECK_INT(aws_s3_batch_delete(&batch), AWS_ERR_MEMORY);
    CHECK_INT(aws_s3_batch_versions(&batch, &w.it, memory, 4000), 0);
    CHECK_INT(aws_s3_batch_delete(&batch), AWS_ERR_SERVICE);
    CHECK_STR(aws_client_failure(&w.client)->aws_code, "AccessDenied");
    CHECK_INT(aws_s3_batch_delete(&batch), AWS_ERR_SERVICE);
    CHECK_INT(batch.deleted, 0);
    end(&w);
}

static void test_versioning(void)
{
    world w;

    start(&w, SCRIPT_WAITS, 0);
    CHECK_INT(aws_s3_bucket_enable_versioning(&w.bucket), 0);
    CHECK(strstr(w.body, "<Status>Enabled</Status></VersioningConfiguration>") != NULL);
    CHECK(strstr(script_sent(&w.s, 0), "PUT /bucket?versioning= ") != NULL);
    CHECK_INT(aws_s3_bucket_suspend_versioning(&w.bucket), 0);
    CHECK(strstr(w.body, "<Status>Suspended</Status></VersioningConfiguration>") != NULL);
    end(&w);
}

/* ---- Answers given word for word ---- */

static char said[8000];

static void serve_said(script *s, const script_request *q)
{
    char head[100];

    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %lu\r\n\r\n",
             (unsigned long)strlen(said));
    script_reply(s, q->connection, head);
    script_reply(s, q->connection, said);
}

/* The first entry of a page with these elements in it. */
static int first_of(world *w, aws_s3_entry *e, const char *before, const char *elements)
{
    int r;

    snprintf(said, sizeof said,
             "<R>%s<Version>%s</Version><IsTruncated>false</IsTruncated></R>", before, elements);
    w->s.serve = serve_said;
    begin(w, VERSIONS, NULL);
    SCRIPT_RUN(r, &w->s, &w->client, aws_s3_entries_next(&w->it, e));
    return r;
}

static void test_encoded_keys(void)
{
    static const char *const bad[] = {"a%", "a%4", "a%zz", "a%4z", "%00", "%g0", "%@0", "%/0", "%:0"};
    static const char url[] = "<EncodingType>url</EncodingType>";
    char elements[100];
    aws_s3_entry e;
    size_t i;
    world w;

    start(&w, SCRIPT_WAITS, 0);
    CHECK_INT(first_of(&w, &e, url, "<Key>%c3%A9%2f+%2B09</Key>"), 1);
    CHECK_STR(e.key, "\xc3\xa9/ +09");
    CHECK_STR(e.id, "");
    CHECK_INT(first_of(&w, &e, "<EncodingType>other</EncodingType>", "<Key>%c3+</Key>"), 1);
    CHECK_STR(e.key, "%c3+");
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(elements, sizeof elements, "<Key>%s</Key>", bad[i]);
        CHECK_INT(first_of(&w, &e, url, elements), AWS_ERR_PROTOCOL);
        CHECK_INT(aws_s3_entries_next(&w.it, &e), AWS_ERR_PROTOCOL);
    }
    /* a number of any length is only a number */
    memset(elements, 0, sizeof elements);
    memcpy(elements, "<Key>k</Key><Size>", 18);
    memset(elements + 18, '0', 60);
    strcat(elements, "</Size>");
    CHECK_INT(first_of(&w, &e, "", elements), 1);
    CHECK_INT(e.size, 0);
    end(&w);
}

/* An entry that fills its memory to the last byte, and what comes after it, even if it is empty. */
static void test_long_entries(void)
{
    static char elements[6000];
    aws_s3_entry e;
    size_t size;
    int after;
    world w;

    start(&w, SCRIPT_WAITS, 0);
    for (size = AWS_S3_ENTRY - 8; size < AWS_S3_ENTRY + 2; size++)
        for (after = 0; after < 3; after++) {
            strcpy(elements, "<Key>");
            memset(elements + 5, 'k', size);
            strcpy(elements + 5 + size, "</Key>");
            if (after)
                strcat(elements, "<VersionId></VersionId><ETag></ETag>");
            if (after == 2) {
                strcat(elements, "<StorageClass>");
                memset(elements + strlen(elements) + 1, 0, 4000);
                memset(elements + strlen(elements), 'c', 3300);
                strcat(elements, "</StorageClass>");
            }
            memset(w.it.text, 'x', sizeof w.it.text);
            if (size + 2 + (after ? 2 : 0) <= AWS_S3_ENTRY && after < 2) {
                CHECK_INT(first_of(&w, &e, "", elements), 1);
                CHECK_INT(strlen(e.key), size);
                CHECK_STR(e.id, "");
            } else {
                CHECK_INT(first_of(&w, &e, "", elements), AWS_ERR_TOO_BIG);
            }
        }
    /* as long as a key may be, three times that while it is encoded */
    strcpy(elements, "<Key>");
    for (size = 0; size < 1024; size++)
        strcat(elements, "%E2");
    strcat(elements, "</Key><VersionId>v</VersionId>");
    CHECK_INT(first_of(&w, &e, "<EncodingType>url</EncodingType>", elements), 1);
    CHECK_INT(strlen(e.key), 1024);
    CHECK(strspn(e.key, "\xe2") == 1024);
    CHECK_STR(e.id, "v");
    end(&w);
}

static void test_nothing_given(void)
{
    aws_s3_batch batch;
    aws_s3_entry e;
    world w;

    start(&w, SCRIPT_WAITS, 0);
    aws_s3_bucket_init(&w.bucket, &w.client, "");
    begin(&w, VERSIONS, NULL);
    CHECK_INT(aws_s3_entries_next(&w.it, &e), AWS_ERR_PARAM);
    CHECK_INT(aws_s3_entries_end(&w.it), 0);
    aws_s3_bucket_init(&w.bucket, &w.client, NULL);
    begin(&w, UPLOADS, NULL);
    CHECK_INT(aws_s3_entries_next(&w.it, &e), AWS_ERR_PARAM);
    CHECK_INT(aws_s3_batch_versions(&batch, &w.it, NULL, 10000), AWS_ERR_MEMORY);
    CHECK_INT(w.s.requests, 0);
    end(&w);
}

int main(void)
{
    int kind, disturbed, mode;
    unsigned cut;

    for (kind = VERSIONS; kind <= PARTS; kind++) {
        for (disturbed = 0; disturbed < 2; disturbed++)
            for (mode = 0; mode < 2; mode++)
                for (cut = 0; cut < 5; cut++)
                    test_order(kind, disturbed, mode, cut);
        test_ends(kind);
    }
    test_batches(0);
    test_batches(1);
    test_versioning();
    test_encoded_keys();
    test_long_entries();
    test_nothing_given();
    return CHECK_DONE();
}

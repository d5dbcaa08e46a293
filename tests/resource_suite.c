/* resource_suite.c - each row of boto3's table of S3 resources as a call of ours, against a real
 * server; tests/resource_suite.py starts it and compares the rows with the table.
 *
 * SPDX-License-Identifier: MIT
 *
 * Endpoint, keys and region by the environment. A line for each row: resource, kind and name of the
 * table, the call, and "ok", "FAILED", or what the server says that can't do it (GAP names those
 * rows). With a number as argument: so many objects listed, filtered, limited and deleted in batches.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include <stdlib.h>

static aws_session session;
static aws_client s3;
static unsigned char memory[AWS_CLIENT_MEMORY];
static aws_s3_bucket bucket;
static aws_s3_object object;
static aws_s3_args args;
static aws_s3_result result;
static aws_s3_objects objects;
static aws_s3_entries entries;
static aws_s3_summary summary;
static aws_s3_entry entry;
static aws_s3_batch batch;
static unsigned char batch_memory[65536];
static char buffer[65536];
static unsigned failed;

/* Print a row. may_fail: the server may say that it doesn't do this. */
static int row(const char *name, const char *call, int held, int may_fail, int r)
{
    const aws_failure *f = aws_client_failure(&s3);

    if (may_fail && r == AWS_ERR_SERVICE &&
        (f->http_status != 403 || strcmp(f->aws_code, "InvalidObjectState") == 0)) {
        printf("%s\t%s\tserver: %s, HTTP %u\n", name, call, f->aws_code, f->http_status);
        return 0;
    }
    CHECK(held);
    printf("%s\t%s\t%s\n", name, call, held ? "ok" : "FAILED");
    if (!held)
        fprintf(stderr, "%s: %s: %d %s\n", name, call, r, r < 0 ? aws_client_failure_text(&s3) : "");
    failed += !held;
    return held;
}

static const char *last_call(void)
{
    return aws_client_failure_text(&s3);
}

static int same(int r, int want)
{
    return r == want;
}

static int row_result;
#define ROW(name, want, call) (row_result = (call), row(name, #call, same(row_result, want), 0, row_result))
#define GAP(name, want, call) (row_result = (call), row(name, #call, same(row_result, want), 1, row_result))
/* A row that isn't a request of its own. */
#define IS(name, condition) row(name, #condition, (condition) ? 1 : 0, 0, 0)

static aws_s3_args *of(const char *key)
{
    memset(&args, 0, sizeof args);
    args.bucket = bucket.name;
    args.key = key;
    return &args;
}

static aws_s3_args *with_body(const char *key, const char *text)
{
    of(key);
    args.body = text;
    args.body_size = strlen(text);
    return &args;
}

/* The answer into buffer, NUL-terminated. */
static aws_s3_args *into(const char *key)
{
    of(key);
    memset(buffer, 0, sizeof buffer);
    args.buffer = buffer;
    args.buffer_size = sizeof buffer - 1;
    return &args;
}

/* 0, or the error: of a call that gives a document, which must have the text. */
static int has(int r, const char *text)
{
    return r < 0 ? r : strstr(buffer, text) ? 0 : 1;
}

/* ---- The service and buckets ---- */

static int find_bucket(const char *name)
{
    int r, found = 0;

    aws_s3_buckets_begin(&objects, &s3, NULL);
    while ((r = aws_s3_objects_next(&objects, &summary)) > 0)
        found |= strcmp(summary.key, name) == 0;
    return r < 0 ? r : found;
}

static void buckets(void)
{
    aws_waiter waiter;
    aws_s3_bucket other;

    aws_s3_bucket_init(&other, &s3, "resources-other");
    memset(&waiter, 0, sizeof waiter);
    waiter.delay = 50;
    ROW("ServiceResource action CreateBucket", 0, aws_s3_create_bucket(&s3, of(NULL), NULL));
    IS("ServiceResource reference/sub-resource Bucket", bucket.client == &s3);
    ROW("ServiceResource collection Buckets", 1, find_bucket("resources"));
    ROW("Bucket action Create", 0, aws_s3_bucket_create(&other, NULL));
    ROW("Bucket waiter Exists", 0, aws_s3_bucket_wait_until_exists(&other, &waiter));
    ROW("Bucket injected load", 1, find_bucket(other.name));
    ROW("Bucket action Delete", 0, aws_s3_bucket_delete(&other));
    ROW("Bucket waiter NotExists", 0, aws_s3_bucket_wait_until_not_exists(&other, &waiter));
}

/* ---- What a bucket is set to ---- */

#define SETTING(name, document, text, put, get)                                                   \
    do {                                                                                          \
        if (GAP(name " action Put", 0, put(&s3, with_body(NULL, document), NULL)))                \
            GAP(name " load Load", 0, has(get(&s3, into(NULL), NULL), text));                     \
        else                                                                                      \
            GAP(name " load Load", 0, has(get(&s3, into(NULL), NULL), ""));                       \
        IS(name " reference/sub-resource Bucket", aws_s3_bucket_exists(&bucket) == 1);            \
    } while (0)

#define XMLNS " xmlns=\"" AWS_S3_NAMESPACE "\""

static void settings(void)
{
    aws_s3_bucket log;
    static const aws_pair tag = {"colour", "blue"};
    static const char cors[] = "<CORSConfiguration" XMLNS "><CORSRule><AllowedMethod>GET</AllowedMethod>"
                               "<AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>";
    static const char rule[] = "<LifecycleConfiguration" XMLNS "><Rule><ID>old</ID><Prefix>logs/</Prefix>"
                               "<Status>Enabled</Status><Expiration><Days>365</Days></Expiration></Rule>"
                               "</LifecycleConfiguration>";
    static const char policy[] = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                                 "\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":"
                                 "\"arn:aws:s3:::resources/public/*\"}]}";
    static const char log_policy[] =
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":"
        "{\"Service\":\"logging.s3.amazonaws.com\"},\"Action\":\"s3:PutObject\",\"Resource\":"
        "\"arn:aws:s3:::resources-log/*\"}]}";
    static const char logging[] = "<BucketLoggingStatus" XMLNS "><LoggingEnabled><TargetBucket>resources"
                                  "-log</TargetBucket><TargetPrefix>l/</TargetPrefix></LoggingEnabled>"
                                  "</BucketLoggingStatus>";
    static const char payer[] = "<RequestPaymentConfiguration" XMLNS "><Payer>Requester</Payer>"
                                "</RequestPaymentConfiguration>";
    static const char website[] = "<WebsiteConfiguration" XMLNS "><IndexDocument><Suffix>i.html</Suffix>"
                                  "</IndexDocument></WebsiteConfiguration>";
    static const char notification[] = "<NotificationConfiguration" XMLNS "/>";
    static const char enabled[] = "<VersioningConfiguration" XMLNS "><Status>Enabled</Status>"
                                  "</VersioningConfiguration>";

    of(NULL)->acl = "public-read";
    ROW("BucketAcl action Put", 0, aws_s3_put_bucket_acl(&s3, &args, NULL));
    ROW("BucketAcl load Load", 0, has(aws_s3_get_bucket_acl(&s3, into(NULL), NULL), "AllUsers"));
    IS("BucketAcl reference/sub-resource Bucket", aws_s3_bucket_exists(&bucket) == 1);
    SETTING("BucketCors", cors, "<AllowedMethod>GET", aws_s3_put_bucket_cors, aws_s3_get_bucket_cors);
    ROW("BucketCors action Delete", 0, aws_s3_delete_bucket_cors(&s3, of(NULL), NULL));
    SETTING("BucketLifecycle", rule, "<ID>old", aws_s3_put_bucket_lifecycle, aws_s3_get_bucket_lifecycle);
    ROW("BucketLifecycle action Delete", 0, aws_s3_delete_bucket_lifecycle(&s3, of(NULL), NULL));
    SETTING("BucketLifecycleConfiguration", rule, "<ID>old", aws_s3_put_bucket_lifecycle_configuration,
            aws_s3_get_bucket_lifecycle_configuration);
    ROW("BucketLifecycleConfiguration action Delete", 0, aws_s3_delete_bucket_lifecycle(&s3, of(NULL), NULL));
    aws_s3_bucket_init(&log, &s3, "resources-log"); /* who writes logs must be let in */
    CHECK_INT(aws_s3_bucket_create(&log, NULL), 0);
    with_body(NULL, log_policy)->bucket = log.name;
    CHECK_INT(aws_s3_put_bucket_policy(&s3, &args, NULL), 0);
    SETTING("BucketLogging", logging, "", aws_s3_put_bucket_logging, aws_s3_get_bucket_logging);
    CHECK_INT(aws_s3_bucket_delete(&log), 0);
    SETTING("BucketNotification", notification, "NotificationConfiguration",
            aws_s3_put_bucket_notification_configuration, aws_s3_get_bucket_notification_configuration);
    SETTING("BucketPolicy", policy, "resources/public", aws_s3_put_bucket_policy, aws_s3_get_bucket_policy);
    ROW("BucketPolicy action Delete", 0, aws_s3_delete_bucket_policy(&s3, of(NULL), NULL));
    SETTING("BucketRequestPayment", payer, "Requester", aws_s3_put_bucket_request_payment,
            aws_s3_get_bucket_request_payment);
    of(NULL)->tags = &tag;
    args.tag_count = 1;
    ROW("BucketTagging action Put", 0, aws_s3_put_bucket_tagging(&s3, &args, NULL));
    ROW("BucketTagging load Load", 0, has(aws_s3_get_bucket_tagging(&s3, into(NULL), NULL), "colour"));
    ROW("BucketTagging action Delete", 0, aws_s3_delete_bucket_tagging(&s3, of(NULL), NULL));
    IS("BucketTagging reference/sub-resource Bucket", aws_s3_bucket_exists(&bucket) == 1);
    SETTING("BucketWebsite", website, "i.html", aws_s3_put_bucket_website, aws_s3_get_bucket_website);
    GAP("BucketWebsite action Delete", 0, aws_s3_delete_bucket_website(&s3, of(NULL), NULL));
    ROW("BucketVersioning action Put", 0, aws_s3_put_bucket_versioning(&s3, with_body(NULL, enabled), NULL));
    ROW("BucketVersioning action Suspend", 0, aws_s3_bucket_suspend_versioning(&bucket));
    ROW("BucketVersioning load Load", 0, aws_s3_get_bucket_versioning(&s3, of(NULL), NULL));
    CHECK_STR(aws_client_header(&s3, "/Status"), "Suspended");
    ROW("BucketVersioning action Enable", 0, aws_s3_bucket_enable_versioning(&bucket));
    IS("BucketVersioning reference/sub-resource Bucket", aws_s3_bucket_exists(&bucket) == 1);
    /* these resources are their bucket's name, in args.bucket of their actions */
    IS("Bucket reference/sub-resource Acl", of(NULL)->bucket == bucket.name);
    IS("Bucket reference/sub-resource Cors", of(NULL)->bucket == bucket.name);
    IS("Bucket reference/sub-resource Lifecycle", of(NULL)->bucket == bucket.name);
    IS("Bucket reference/sub-resource LifecycleConfiguration", of(NULL)->bucket == bucket.name);
    IS("Bucket reference/sub-resource Logging", of(NULL)->bucket == bucket.name);
    IS("Bucket reference/sub-resource Notification", of(NULL)->bucket == bucket.name);
    IS("Bucket reference/sub-resource Policy", of(NULL)->bucket == bucket.name);
    IS("Bucket reference/sub-resource RequestPayment", of(NULL)->bucket == bucket.name);
    IS("Bucket reference/sub-resource Tagging", of(NULL)->bucket == bucket.name);
    IS("Bucket reference/sub-resource Versioning", of(NULL)->bucket == bucket.name);
    IS("Bucket reference/sub-resource Website", of(NULL)->bucket == bucket.name);
}

/* ---- Objects, and their summaries: the same handle ---- */

static int put_text(const char *key, const char *text)
{
    return aws_s3_bucket_put(&bucket, key, text, strlen(text), NULL);
}

static int drop_all(const char *prefix)
{
    int r;

    of(NULL)->prefix = prefix;
    aws_s3_objects_begin(&objects, &bucket, &args);
    if ((r = aws_s3_batch_objects(&batch, &objects, batch_memory, sizeof batch_memory)) < 0)
        return r;
    r = aws_s3_batch_delete(&batch);
    return r < 0 ? r : (int)batch.deleted;
}

static int create_upload(char *id)
{
    int r = aws_s3_create_multipart_upload(&s3, of(object.key), &result);

    snprintf(id, 200, "%s", r == 0 ? result.upload_id : "");
    return r;
}

#define OBJECT_ROWS(resource)                                                                     \
    do {                                                                                          \
        aws_waiter waiter = {50, 0, 0, 0, 0};                                                     \
        char id[200];                                                                             \
        ROW(resource " action Put", 0, aws_s3_object_put(&object, with_body(object.key, "hello"))); \
        ROW(resource " waiter Exists", 0, aws_s3_object_wait_until_exists(&object, &waiter));     \
        ROW(resource " action Get", 5, aws_s3_object_get(&object, into(object.key), NULL));       \
        CHECK_STR(buffer, "hello");                                                               \
        ROW(resource " action CopyFrom", 0, aws_s3_object_copy_from(&copy, "resources/a b", NULL)); \
        IS(resource " reference/sub-resource Acl", of(object.key)->key == object.key);            \
        IS(resource " reference/sub-resource Bucket", strcmp(object.bucket, bucket.name) == 0);   \
        ROW(resource " action InitiateMultipartUpload", 0, create_upload(id));                    \
        IS(resource " reference/sub-resource MultipartUpload", (of(object.key)->upload_id = id) != NULL); \
        CHECK_INT(aws_s3_abort_multipart_upload(&s3, &args, NULL), 0);                            \
        IS(resource " reference/sub-resource Version", (of(object.key)->version_id = "null") != NULL); \
        GAP(resource " action RestoreObject", 0, aws_s3_restore_object(&s3, with_body(object.key, \
            "<RestoreRequest" XMLNS "><Days>1</Days></RestoreRequest>"), NULL));                  \
        ROW(resource " action Delete", 0, aws_s3_object_delete(&object));                         \
        ROW(resource " waiter NotExists", 0, aws_s3_object_wait_until_not_exists(&object, &waiter)); \
        CHECK_INT(put_text("d/1", "x") | put_text("d/2", "y"), 0);                                \
        ROW(resource " batch_action Delete", 2, drop_all("d/"));                                  \
    } while (0)

static void all_objects(void)
{
    aws_s3_object copy;
    static const aws_s3_key two[] = {{"e/1", NULL}, {"e/2", NULL}};

    aws_s3_object_init(&object, &bucket, "a b");
    aws_s3_object_init(&copy, &bucket, "copy");
    OBJECT_ROWS("Object");
    OBJECT_ROWS("ObjectSummary");
    IS("Bucket reference/sub-resource Object", object.client == bucket.client);
    IS("ObjectSummary reference/sub-resource Object", strcmp(object.key, "a b") == 0);
    ROW("Bucket action PutObject", 0, aws_s3_bucket_put(&bucket, "a b", "hello", 5, NULL));
    ROW("Object load Load", 0, aws_s3_object_head(&object, &result));
    CHECK_INT(result.size, 5);
    ROW("ObjectSummary injected load", 0, aws_s3_object_head(&object, &result));
    CHECK_INT(put_text("e/1", "x") | put_text("e/2", "y"), 0);
    of(NULL)->objects = two;
    args.object_count = 2;
    ROW("Bucket action DeleteObjects", 0, aws_s3_delete_objects(&s3, &args, &result));
    CHECK_INT(result.deleted, 2);
    of("a b")->acl = "public-read";
    ROW("ObjectAcl action Put", 0, aws_s3_put_object_acl(&s3, &args, NULL));
    ROW("ObjectAcl load Load", 0, has(aws_s3_get_object_acl(&s3, into("a b"), NULL), "AllUsers"));
    IS("ObjectAcl reference/sub-resource Object", aws_s3_object_exists(&object) == 1);
}

/* ---- Versions: the bucket keeps them now ---- */

static int count_versions(const char *prefix)
{
    int n = 0, r;

    of(NULL)->prefix = prefix;
    aws_s3_versions_begin(&entries, &bucket, &args);
    while ((r = aws_s3_entries_next(&entries, &entry)) > 0)
        n++;
    return r < 0 ? r : n;
}

static int drop_versions(const char *prefix)
{
    int r;

    of(NULL)->prefix = prefix;
    aws_s3_versions_begin(&entries, &bucket, &args);
    if ((r = aws_s3_batch_versions(&batch, &entries, batch_memory, sizeof batch_memory)) < 0)
        return r;
    r = aws_s3_batch_delete(&batch);
    return r < 0 ? r : (int)batch.deleted;
}

static void versions(void)
{
    char id[200];
    aws_s3_object version;

    aws_s3_object_init(&version, &bucket, "v");
    CHECK_INT(put_text("v", "one"), 0);
    CHECK_INT(aws_s3_object_head(&version, &result), 0);
    snprintf(id, sizeof id, "%s", result.version_id);
    CHECK_INT(put_text("v", "second"), 0);
    ROW("Bucket collection ObjectVersions", 2, count_versions("v"));
    into("v")->version_id = id;
    ROW("ObjectVersion action Get", 3, aws_s3_get_object(&s3, &args, NULL));
    of("v")->version_id = id;
    ROW("ObjectVersion action Head", 0, aws_s3_head_object(&s3, &args, &result));
    CHECK_INT(result.size, 3);
    ROW("ObjectVersion action Delete", 0, aws_s3_delete_object(&s3, &args, &result));
    CHECK_INT(count_versions("v"), 1);
    IS("ObjectVersion reference/sub-resource Object", aws_s3_object_exists(&version) == 1);
    ROW("ObjectVersion batch_action Delete", 1, drop_versions("v"));
}

/* ---- Uploads in parts ---- */

static int count_entries(void)
{
    int n = 0, r;

    while ((r = aws_s3_entries_next(&entries, &entry)) > 0)
        n++;
    return r < 0 ? r : n;
}

static void uploads(void)
{
    char id[200], etag[100];
    aws_s3_part part;

    CHECK_INT(create_upload(id), 0);
    aws_s3_uploads_begin(&entries, &bucket, NULL);
    ROW("Bucket collection MultipartUploads", 1, count_entries());
    with_body(object.key, "part")->upload_id = id;
    args.part_number = 1;
    ROW("MultipartUploadPart action Upload", 0, aws_s3_upload_part(&s3, &args, &result));
    IS("MultipartUpload reference/sub-resource Part", args.part_number == 1);
    IS("MultipartUploadPart reference/sub-resource MultipartUpload", args.upload_id == id);
    of(object.key)->upload_id = id;
    args.part_number = 1;
    args.copy_source = "resources/a b";
    ROW("MultipartUploadPart action CopyFrom", 0, aws_s3_upload_part_copy(&s3, &args, &result));
    snprintf(etag, sizeof etag, "%s", result.etag);
    aws_s3_parts_begin(&entries, &object, id, NULL);
    ROW("MultipartUpload collection Parts", 1, count_entries());
    memset(&part, 0, sizeof part);
    part.number = 1;
    part.etag = etag;
    of(object.key)->upload_id = id;
    args.parts = &part;
    args.part_count = 1;
    ROW("MultipartUpload action Complete", 0, aws_s3_complete_multipart_upload(&s3, &args, NULL));
    ROW("MultipartUpload reference/sub-resource Object", 1, aws_s3_object_exists(&object));
    CHECK_INT(create_upload(id), 0);
    of(object.key)->upload_id = id;
    ROW("MultipartUpload action Abort", 0, aws_s3_abort_multipart_upload(&s3, &args, NULL));
}

/* ---- Managed transfers: boto3 injects them into client, bucket and object ---- */

enum { SIZE = 11 << 20 };

static unsigned char data[SIZE], got[SIZE], part_memory[2000];
static size_t at;
static aws_s3_transfer t;

static int read_at(void *context, uint64_t offset, void *to, size_t n)
{
    (void)context;
    memcpy(to, data + offset, n);
    return (int)n;
}

static int write_at(void *context, uint64_t offset, const void *from, size_t n)
{
    (void)context;
    memcpy(got + offset, from, n);
    return (int)n;
}

static int read_next(void *context, void *to, size_t n)
{
    (void)context;
    n = n < SIZE - at ? n : SIZE - at;
    memcpy(to, data + at, n);
    at += n;
    return (int)n;
}

static int again(void *context)
{
    (void)context;
    at = 0;
    return 0;
}

static int write_next(void *context, const void *from, size_t n)
{
    (void)context;
    memcpy(got + at, from, n);
    at += n;
    return (int)n;
}

static int moved(int begun)
{
    int r = begun < 0 ? begun : aws_s3_transfer_run(&t, aws_posix_wait);

    return r < 0 ? r : memcmp(got, data, SIZE) ? 1 : 0;
}

static void transfers(void)
{
    static const aws_source source = {read_next, again, NULL};
    static const aws_sink sink = {write_next, again, NULL};
    static const char *const of_resource[] = {"Client", "Bucket", "Object"};
    aws_s3_transfer_args up, up_stream, down, down_stream, copied;
    char names[5][60];
    size_t i;

    for (i = 0; i < SIZE; i++)
        data[i] = (unsigned char)(i * 7 + i / 251 + i / 70001);
    memset(&up, 0, sizeof up);
    up.memory = part_memory;
    up.memory_size = sizeof part_memory;
    up.part_size = 5 << 20;
    up.size = SIZE;
    up_stream = down = down_stream = copied = up;
    up.read_at = read_at;
    up_stream.source = &source;
    down.write_at = write_at;
    down_stream.sink = &sink;
    copied.copy_source = "resources/large";
    copied.threshold = 5 << 20;
    aws_s3_object_init(&object, &bucket, "large");
    for (i = 0; i < 3; i++) {
        snprintf(names[0], 60, "%s injected upload_file", of_resource[i]);
        snprintf(names[1], 60, "%s injected upload_fileobj", of_resource[i]);
        snprintf(names[2], 60, "%s injected download_file", of_resource[i]);
        snprintf(names[3], 60, "%s injected download_fileobj", of_resource[i]);
        snprintf(names[4], 60, "%s injected copy", of_resource[i]);
        memcpy(got, data, SIZE);
        at = 0;
        ROW(names[0], 0, moved(aws_s3_upload_begin(&t, &object, &up)));
        ROW(names[1], 0, moved(aws_s3_upload_begin(&t, &object, &up_stream)));
        memset(got, 0, SIZE);
        ROW(names[2], 0, moved(aws_s3_download_begin(&t, &object, &down)));
        memset(got, 0, SIZE);
        ROW(names[4], 0, (moved(aws_s3_copy_begin(&t, &object, &copied)), t.result));
        at = 0;
        ROW(names[3], 0, moved(aws_s3_download_begin(&t, &object, &down_stream)));
    }
}

/* ---- Collections ---- */

static int count_objects(unsigned limit, const char *prefix, unsigned page)
{
    int r;
    unsigned n = 0;

    of(NULL)->prefix = prefix;
    args.max_keys = page;
    aws_s3_objects_begin(&objects, &bucket, &args);
    while ((r = aws_s3_objects_next(&objects, &summary)) > 0 && ++n != limit)
        ;
    aws_s3_objects_end(&objects);
    return r < 0 ? r : (int)n;
}

/* As they are listed: boto3's pages() are these, without the single entries. */
static int first_page(void)
{
    into(NULL)->prefix = "c/";
    args.max_keys = 10;
    return has(aws_s3_list_objects_v2(&s3, &args, NULL), "<KeyCount>10</KeyCount>");
}

static void collections(void)
{
    char key[20];
    int i;

    for (i = 0; i < 25; i++) {
        snprintf(key, sizeof key, "c/%02d", i);
        CHECK_INT(put_text(key, ""), 0);
    }
    CHECK_INT(put_text("other", ""), 0);
    ROW("Bucket collection Objects", 25, count_objects(0, "c/", 0));
    IS("Collection injected all()", count_objects(0, NULL, 0) > 25);
    ROW("Collection injected filter(**params)", 10, count_objects(0, "c/0", 0));
    ROW("Collection injected limit(n)", 7, count_objects(7, "c/", 0));
    ROW("Collection injected page_size(n)", 25, count_objects(0, "c/", 4));
    ROW("Collection injected pages()", 0, first_page());
    ROW("Collection injected __iter__", 25, count_objects(0, "c/", 0));
    ROW("Collection injected <batch action>()", 25, drop_all("c/"));
}

/* ---- What each resource, and the client, has ---- */

static void common(void)
{
    aws_s3_object other;

    aws_s3_object_init(&other, &bucket, "large");
    IS("AnyResource injected meta.client", object.client == &s3);
    IS("AnyResource injected meta.identifiers", object.bucket && object.key && bucket.name);
    IS("AnyResource injected meta.service_name", strcmp(s3.service->id, "S3") == 0);
    ROW("AnyResource injected load()/reload()", 0, aws_s3_object_head(&object, &result));
    IS("AnyResource injected meta.data", result.size == SIZE);
    IS("AnyResource injected __eq__/__hash__", strcmp(object.key, other.key) == 0 &&
                                                   object.bucket == other.bucket);
    row("AnyResource injected get_available_subresources()",
        "none: C has no reflection; the manual at the top of aws_s3.h lists them", 1, 0, 0);
    IS("Client injected generate_presigned_url",
       aws_s3_presign(&s3, aws_s3_get_object, of("large"), 60, buffer, sizeof buffer) > 100);
}

static void presigned_post(void)
{
    aws_s3_post post;
    aws_s3_form form;

    memset(&post, 0, sizeof post);
    post.bucket = bucket.name;
    post.key = "posted";
    IS("Client injected generate_presigned_post",
       aws_s3_presign_post(&s3, &post, &form, buffer, sizeof buffer) >= 0);
}

/* ---- Many objects ---- */

/* Half of them by hand, a thousand at a time in the loop that lists them; then a batch. */
static void many(int count)
{
    static aws_s3_key keys[1000];
    static char names[1000][16];
    static unsigned char page[65536];
    int i, r, n = 0, deleted = 0, calls = 0;
    aws_s3_args list;

    CHECK_INT(aws_s3_bucket_create(&bucket, NULL), 0);
    for (i = 0; i < count; i++) {
        snprintf(names[0], sizeof names[0], "m/%06d", i);
        if (!CHECK_INT(put_text(names[0], ""), 0))
            return;
    }
    IS("all", count_objects(0, "m/", 0) == count);
    IS("page_size", count_objects(0, "m/", 100) == count);
    IS("filter", count_objects(0, "m/0000", 0) == 100);
    IS("limit", count_objects((unsigned)count / 3, "m/", 0) == count / 3);
    memset(&list, 0, sizeof list);
    list.prefix = "m/";
    list.page = page;
    list.page_size = sizeof page;
    aws_s3_objects_begin(&objects, &bucket, &list);
    while (deleted < count / 2 && (r = aws_s3_objects_next(&objects, &summary)) > 0) {
        snprintf(names[n], sizeof names[n], "%s", summary.key);
        keys[n].key = names[n];
        if (++n < 1000)
            continue;
        of(NULL)->objects = keys;
        args.object_count = 1000;
        if (!CHECK_INT(aws_s3_delete_objects(&s3, &args, &result), 0))
            return;
        deleted += (int)result.deleted;
        calls++;
        n = 0;
    }
    aws_s3_objects_end(&objects);
    printf("%d deleted by %d calls in the loop\n", deleted, calls);
    IS("the loop", deleted == count / 2);
    IS("a batch", drop_all("m/") == count - deleted);
    IS("none is left", count_objects(0, NULL, 0) == 0);
    CHECK_INT(aws_s3_bucket_delete(&bucket), 0);
}

int main(int argc, char **argv)
{
    aws_config config;

    memset(&config, 0, sizeof config);
    aws_session_init(&session, &config);
    if (aws_client_init(&s3, &session, &aws_s3_service, memory, sizeof memory) < 0) {
        fprintf(stderr, "%s\n", aws_client_failure_text(&s3));
        return 1;
    }
    check_says = last_call;
    aws_s3_bucket_init(&bucket, &s3, "resources");
    if (argc > 1) {
        many(atoi(argv[1]));
        aws_client_close(&s3);
        return CHECK_DONE();
    }
    buckets();
    all_objects();
    uploads();
    transfers();
    collections();
    common();
    presigned_post();
    settings();
    versions();
    CHECK(drop_versions(NULL) >= 0);
    CHECK_INT(aws_s3_bucket_delete(&bucket), 0);
    IS("Client injected get_paginator/can_paginate/get_waiter/waiter_names/close/meta/exceptions",
       aws_client_close(&s3) == 0);
    return CHECK_DONE() || failed;
}

/* test_small.c - AWS_SMALL: a program has the features that it names, and what needs another one is
 * refused.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -std=c99 -I. tests/test_small.c -lbearssl -o build/test_small && build/test_small
 */
#define AWS_SMALL
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include "script_port.h"
#include "script_s3.h"

static script s;
static aws_config config;
static aws_session session;
static aws_client client;
static aws_service service;
static aws_features features;
static aws_s3_args args;
static unsigned char memory[AWS_CLIENT_MEMORY_HTTP];
static unsigned logged, provided;

static const char stored[] = "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 0\r\n\r\n";
static const script_step answers[] = {{stored, 0, 0, 0}, {stored, 0, 0, 0}};

static const char *env(const aws_port *port, const char *name)
{
    (void)port;
    if (strcmp(name, "AWS_REGION") == 0)
        return "eu-west-1";
    if (strcmp(name, "AWS_ENDPOINT_URL_S3") == 0)
        return "http://environment.local";
    if (strcmp(name, "AWS_MAX_ATTEMPTS") == 0)
        return "7";
    return strcmp(name, "AWS_ACCESS_KEY_ID") == 0 || strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0
               ? "environment"
               : NULL;
}

static void note(void *context, const char *line)
{
    (void)context;
    (void)line;
    logged++;
}

static int provide(const aws_provider *provider, aws_client *asking, aws_keys *keys)
{
    (void)provider;
    (void)asking;
    provided++;
    keys->access_key_id = "AKIDEXAMPLE";
    keys->secret_access_key = "secret";
    return 0;
}

static const aws_provider provider = {provide, NULL};

/* The configuration; a test changes it, then calls start. */
static void prepare(const script_step *steps, size_t count)
{
    script_free(&s);
    script_init(&s, SCRIPT_WAITS);
    s.steps = steps;
    s.step_count = count;
    s.port.env = env;
    memset(&config, 0, sizeof config);
    memset(&features, 0, sizeof features);
    config.access_key_id = "AKIDEXAMPLE";
    config.secret_access_key = "secret";
    config.region = "us-east-1";
    config.endpoint = "http://test.local";
    config.port = &s.port;
    config.features = &features;
    service = aws_s3_service;
    logged = provided = 0;
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "key";
    args.body = "hello";
    args.body_size = 5;
}

static int start(void)
{
    aws_session_init(&session, &config);
    return aws_client_init(&client, &session, &service, memory, sizeof memory);
}

static int put(void)
{
    int r;

    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    return r;
}

#define SENT(text) (strstr(script_sent(&s, 0), text) != NULL)

static void test_nothing_named(void)
{
    prepare(answers, 2);
    config.features = NULL;
    config.log = note;
    CHECK_INT(start(), 0);
    CHECK_INT(config.max_attempts, 0);
    CHECK_INT(put(), 0);
    CHECK(!SENT("checksum"));
    CHECK(SENT("authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
    CHECK_INT(logged, 0);
    prepare(answers, 2);
    config.features = NULL;
    config.region = NULL; /* which the environment has */
    CHECK_INT(start(), AWS_ERR_PARAM);
    CHECK_INT(client.failure.reason, AWS_REASON_NO_REGION);
}

static void test_environment(void)
{
    prepare(answers, 2);
    features.environment = aws_feature_environment;
    features.retries = aws_feature_retries;
    config.region = config.endpoint = config.access_key_id = config.secret_access_key = NULL;
    CHECK_INT(start(), 0);
    CHECK_STR(aws_session_region(&session), "eu-west-1");
    CHECK_INT(session.config.max_attempts, 7);
    CHECK_INT(put(), 0);
    CHECK(SENT("host: environment.local\r\n"));
    CHECK(SENT("Credential=environment/"));
    features.retries = NULL; /* which the environment asks for */
    CHECK_INT(start(), AWS_ERR_UNSUPPORTED);
    CHECK_STR(client.failure.value, "retries");
}

static void test_checksums(void)
{
    prepare(answers, 2);
    args.checksum = &aws_sha1;
    CHECK_INT(start(), 0);
    CHECK_INT(put(), AWS_ERR_UNSUPPORTED);
    CHECK_INT(client.failure.reason, AWS_REASON_FEATURE);
    CHECK_STR(aws_client_failure_text(&client),
              "PutObject: this is not supported: aws_feature_checksums isn't there: with AWS_SMALL "
              "a program has to name it in aws_config.features");
    CHECK_INT(s.requests, 0);
    CHECK_INT(aws_call_digest(&client, NULL) != NULL, 0);
    prepare(answers, 2);
    features.checksums = aws_feature_checksums;
    CHECK_INT(start(), 0);
    CHECK_INT(aws_call_digest(&client, NULL) != NULL, 1);
    CHECK_INT(put(), 0);
    CHECK(SENT("x-amz-checksum-crc32: NhCmhg==\r\n"));
}

static int no_bytes(void *context, void *data, size_t size)
{
    (void)context;
    (void)data;
    (void)size;
    return 0;
}

static void test_one_pass_body(void)
{
    static const aws_source source = {no_bytes, NULL, NULL};

    prepare(answers, 2);
    args.body = NULL;
    args.source = &source;
    features.bodies = aws_feature_bodies;
    CHECK_INT(start(), 0);
    CHECK_INT(put(), AWS_ERR_UNSUPPORTED);
    CHECK_INT(client.failure.reason, AWS_REASON_NOT_REWINDABLE);
    CHECK_INT(s.requests, 0);
}

static int read_once, rewound;

static int five_bytes(void *context, void *data, size_t size)
{
    (void)context;
    read_once++;
    memcpy(data, "hello", 5);
    return size < 5 ? -1 : 5;
}

static int rewind_bytes(void *context)
{
    (void)context;
    rewound++;
    return 0;
}

/* Bodies that aren't in memory, and the announcement of large ones. */
static void test_bodies(void)
{
    static const aws_source source = {five_bytes, rewind_bytes, NULL};
    static char large[1 << 20];
    int i;

    for (i = 0; i < 4; i++) {
        prepare(answers, 2);
        args.body = NULL;
        args.source = i & 1 ? NULL : &source;
        args.stream = i & 1;
        features.bodies = i < 2 ? NULL : aws_feature_bodies;
        features.checksums = i & 1 ? aws_feature_checksums : NULL;
        CHECK_INT(start(), 0);
        if (i < 2) {
            CHECK_INT(put(), AWS_ERR_UNSUPPORTED);
            CHECK_INT(client.failure.reason, AWS_REASON_FEATURE);
            CHECK_STR(client.failure.value, "bodies");
            CHECK_INT(s.requests, 0);
        }
    }
    CHECK_INT(read_once, 0);
    prepare(answers, 2);
    args.body = NULL;
    args.source = &source;
    features.bodies = aws_feature_bodies;
    CHECK_INT(start(), 0);
    CHECK_INT(put(), 0);
    CHECK(SENT("\r\n\r\nhello"));
    CHECK_INT(read_once, 2); /* for its hash, too */
    CHECK_INT(rewound, 2);
    for (i = 0; i < 2; i++) {
        prepare(answers, 2);
        args.body = large;
        args.body_size = sizeof large;
        features.bodies = i ? aws_feature_bodies : NULL;
        CHECK_INT(start(), 0);
        CHECK_INT(put(), 0);
        CHECK_INT(SENT("expect: 100-continue"), i);
    }
}

static void test_refresh(void)
{
    prepare(answers, 2);
    config.access_key_id = config.secret_access_key = NULL;
    config.provider = &provider;
    CHECK_INT(start(), AWS_ERR_UNSUPPORTED);
    CHECK_INT(client.failure.reason, AWS_REASON_FEATURE);
    CHECK_STR(client.failure.value, "refresh");
    features.refresh = aws_feature_refresh;
    CHECK_INT(start(), 0);
    CHECK_INT(put(), 0);
    CHECK_INT(provided, 1);
}

static void test_clock(void)
{
    static const script_step skewed[] = {
        {"HTTP/1.1 403 Forbidden\r\nDate: Thu, 02 Jan 2031 03:04:05 GMT\r\nContent-Length: 0\r\n\r\n",
         0, 0, 0},
        {stored, 0, 0, 0}};

    prepare(skewed, 2);
    CHECK_INT(start(), 0);
    CHECK_INT(put(), AWS_ERR_SERVICE);
    CHECK_INT(s.requests, 1);
    prepare(skewed, 2);
    features.clock = aws_feature_clock;
    CHECK_INT(start(), 0);
    CHECK_INT(put(), 0);
    CHECK_INT(s.requests, 2);
    CHECK(SENT("x-amz-date: 20310102T0304"));
    prepare(answers, 2); /* no clock, and a floor doesn't help without the feature */
    s.unix_time = 0;
    config.clock_floor = 1700000000;
    CHECK_INT(start(), 0);
    CHECK_INT(put(), AWS_ERR_CLOCK);
    CHECK_INT(s.requests, 0);
}

#define SLOW "HTTP/1.1 503 Slow Down\r\nContent-Length: 48\r\n\r\n" \
             "<Error><Code>SlowDown</Code><Message/></Error>  "

/* A failed attempt is the last one; a request on a kept connection that was closed goes again. */
static void test_retries(void)
{
    static const script_step slow[] = {{SLOW, 0, 0, 0}, {stored, 0, 0, 0}};
    static const script_step cut[] = {{"HTTP/1.1 200 OK\r\nContent-Le", 0, SCRIPT_FIN, 0},
                                      {stored, 0, 0, 0}};
    static const script_step stale[] = {
        {stored, 0, 0, 0}, {"", 0, SCRIPT_FIN, 0}, {stored, 0, 0, 0}, {SLOW, 0, 0, 0}};
    int i;

    for (i = 0; i < 2; i++) {
        prepare(slow, 2);
        features.retries = i ? aws_feature_retries : NULL;
        CHECK_INT(start(), 0);
        CHECK_INT(put(), i ? 0 : AWS_ERR_SERVICE);
        CHECK_INT(s.requests, i ? 2 : 1);
        CHECK_INT(s.sleep_count, i);
        CHECK_INT(session.spent, 0); /* it was paid back */
        if (!i)
            CHECK_STR(client.failure.aws_code, "SlowDown");
        CHECK_INT(client.failure.attempts, i ? 2 : 1);
        prepare(cut, 2);
        features.retries = i ? aws_feature_retries : NULL;
        CHECK_INT(start(), 0);
        CHECK_INT(put(), i ? 0 : AWS_ERR_TRUNCATED);
        CHECK_INT(s.requests, i ? 2 : 1);
        CHECK_INT(client.failure.reason, i ? 0 : AWS_REASON_HEAD_CUT);
    }
    prepare(stale, 4);
    CHECK_INT(start(), 0);
    CHECK_INT(put(), 0);
    CHECK_INT(put(), 0);
    CHECK_INT(s.requests, 3);
    CHECK_INT(s.connection_count, 2);
    CHECK_INT(put(), AWS_ERR_SERVICE); /* the connection is kept, as after any answer */
    CHECK_INT(s.requests, 4);
    CHECK_INT(s.connection_count, 2);
    for (i = 0; i < 4; i++) {
        prepare(answers, 2);
        config.max_attempts = i < 2 ? (unsigned)i : i == 2 ? 2 : 0;
        config.retry_mode = i == 3 ? AWS_RETRY_STANDARD : 0;
        CHECK_INT(start(), i < 2 ? 0 : AWS_ERR_UNSUPPORTED);
        CHECK_INT(client.failure.reason, i < 2 ? 0 : AWS_REASON_FEATURE);
        features.retries = aws_feature_retries;
        CHECK_INT(start(), 0);
    }
}

static void test_log(void)
{
    prepare(answers, 2);
    features.log = aws_feature_log;
    config.log = note;
    CHECK_INT(start(), 0);
    CHECK_INT(put(), 0);
    CHECK_INT(logged, 2);
}

static void test_regions(void)
{
    static const script_step elsewhere[] = {
        {"HTTP/1.1 301 Moved\r\nx-amz-bucket-region: eu-west-1\r\nContent-Length: 0\r\n\r\n", 0, 0,
         0},
        {stored, 0, 0, 0}};

    prepare(elsewhere, 2);
    CHECK_INT(start(), 0);
    CHECK_INT(put(), AWS_ERR_SERVICE);
    CHECK_STR(client.failure.expected, "eu-west-1");
    prepare(elsewhere, 2);
    service.region = aws_call_bucket_region;
    CHECK_INT(start(), 0);
    CHECK_INT(put(), 0);
    CHECK(SENT("/eu-west-1/s3/aws4_request"));
}

static void test_members(void)
{
    static const aws_pair pair = {"name", "value"};
    aws_s3_more more;
    int i;

    more.member = &aws_s3_m_write_offset_bytes;
    more.value = "5";
    for (i = 0; i < 12; i++) {
        prepare(answers, 2);
        if (i % 6 == 0)
            args.cache_control = "no-store";
        else if (i % 6 == 1)
            args.content_type = "text/plain";
        else if (i % 6 == 2)
            args.more = &more, args.more_count = 1;
        else if (i % 6 == 3)
            args.metadata = &pair, args.metadata_count = 1;
        else if (i % 6 == 4)
            args.headers = &pair, args.headers_count = 1;
        else
            args.fetch_owner = 1; /* the last one, which a PutObject hasn't */
        if (i >= 6)
            service.members = aws_s3_members;
        CHECK_INT(start(), 0);
        CHECK_INT(put(), i < 6 ? AWS_ERR_UNSUPPORTED : i == 11 ? AWS_ERR_PARAM : 0);
        CHECK_INT(client.failure.reason, i < 6     ? AWS_REASON_SERVICE_MEMBERS
                                         : i == 11 ? AWS_REASON_MEMBER : 0);
        CHECK_INT(s.requests, i >= 6 && i < 11);
        if (i == 0)
            CHECK_STR(aws_client_failure_text(&client),
                      "PutObject: this is not supported: the service has no members: with AWS_SMALL "
                      "a program has to name them, service.members = aws_s3_members");
        if (i == 7)
            CHECK(SENT("content-type: text/plain\r\n"));
        if (i == 9)
            CHECK(SENT("x-amz-meta-name: value\r\n"));
    }
}

/* ---- Listings ---- */

static s3_model model;
static aws_s3_bucket bucket;
static aws_s3_objects it;
static aws_s3_args list_args;

static void prepare_listing(const char *name, int named)
{
    char key[64];
    unsigned i;

    prepare(NULL, 0);
    s3_free(&model);
    s3_init(&model, &s);
    s.limit = 1000000;
    model.page = 5;
    for (i = 0; i < 14; i++) {
        snprintf(key, sizeof key, "%s/k %02u", name, i);
        s3_put(&model, key, "body", i % 5);
    }
    service.paging = named ? aws_s3_paging : NULL;
    features.checksums = aws_feature_checksums; /* which DeleteObjects can't do without */
    features.retries = aws_feature_retries;
    memset(&list_args, 0, sizeof list_args);
    CHECK_INT(start(), 0);
    aws_s3_bucket_init(&bucket, &client, name);
}

/* What is left of a listing: how many entries it gave, or the error. */
static int count_entries(void)
{
    aws_s3_summary object;
    char key[16];
    int r, count = 0;

    for (;;) {
        SCRIPT_RUN(r, &s, &client, aws_s3_objects_next(&it, &object));
        if (r <= 0)
            break;
        snprintf(key, sizeof key, "k %02d", (int)strtol(object.key + 2, NULL, 10));
        CHECK_STR(object.key, key);
        CHECK_INT((long)object.size, strtol(object.key + 2, NULL, 10) % 5);
        CHECK_INT(object.last_modified, 1767323045);
        count++;
    }
    SCRIPT_RUN(r, &s, &client, aws_s3_objects_next(&it, &object)); /* it stays */
    return r < 0 ? r : count;
}

static int list(void)
{
    aws_s3_objects_begin(&it, &bucket, &list_args);
    return count_entries();
}

/* Without paging a listing goes over pages, takes its arguments, and survives what breaks off. */
static void test_plain_listing(void)
{
    unsigned which;
    size_t cut;

    prepare_listing("bucket", 0);
    CHECK_INT(list(), 14);
    CHECK_INT(model.lists, 3);
    prepare_listing("bucket", 0);
    list_args.start_after = "k 03";
    list_args.max_keys = 2;
    CHECK_INT(list(), 10);
    CHECK_INT(model.lists, 5);
    prepare_listing("bucket", 0);
    list_args.prefix = "k 1";
    CHECK_INT(list(), 4);
    for (which = 1; which <= 3; which++)
        for (cut = 1; cut < 1700; cut += 23) {
            prepare_listing("bucket", 0);
            model.cut_list = which;
            model.cut_after = cut;
            if (!CHECK_INT(list(), 14))
                fprintf(stderr, "LIST %u cut at %lu: %s\n", which, (unsigned long)cut,
                        aws_client_failure_text(&client));
        }
    prepare_listing("bucket", 0);
    model.cut_list = 1;
    model.cut_after = 1;
    model.cut_always = 1;
    CHECK_INT(list(), AWS_ERR_TRUNCATED);
    CHECK_INT(put(), 0);
}

/* Another call inside the loop is refused and takes nothing away, nor does what breaks off then. */
static void test_refused_in_listing(void)
{
    aws_s3_summary object;
    static aws_s3_objects second;
    size_t cut;
    int r, i;

    for (cut = 300; cut < 2200; cut += 100) {
        prepare_listing("bucket", 0);
        model.cut_list = 1;
        model.cut_after = cut < 2000 ? cut : 0;
        aws_s3_objects_begin(&it, &bucket, NULL);
        for (i = 0; i < 3; i++) {
            SCRIPT_RUN(r, &s, &client, aws_s3_objects_next(&it, &object));
            CHECK_INT(r, 1);
            CHECK_INT(put(), AWS_ERR_UNSUPPORTED);
            CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_LISTING);
            CHECK(strstr(aws_client_failure_text(&client),
                         "ListObjectsV2: this is not supported: a listing of this client has not "
                         "ended: aws_s3_objects_end ends it; for calls inside its loop a program "
                         "with AWS_SMALL has to name service.paging = aws_s3_paging") != NULL);
            aws_s3_objects_begin(&second, &bucket, NULL);
            CHECK_INT(aws_s3_objects_next(&second, &object), AWS_ERR_UNSUPPORTED);
            CHECK_INT(aws_s3_objects_next(&second, &object), AWS_ERR_UNSUPPORTED);
        }
        if (!CHECK_INT(count_entries(), 11))
            fprintf(stderr, "cut at %lu: %s\n", (unsigned long)cut,
                    aws_client_failure_text(&client));
        CHECK_INT(model.puts, 0);
        CHECK_INT(put(), 0);
        CHECK_INT(model.puts, 1);
    }
    prepare_listing("bucket", 0); /* left early: ended, or begun anew */
    aws_s3_objects_begin(&it, &bucket, NULL);
    CHECK_INT(aws_s3_objects_next(&it, &object), 1);
    aws_s3_objects_begin(&it, &bucket, NULL);
    CHECK_INT(aws_s3_objects_next(&it, &object), AWS_ERR_UNSUPPORTED);
    aws_client_cancel(&client);
    aws_s3_objects_begin(&it, &bucket, NULL);
    CHECK_INT(aws_s3_objects_next(&it, &object), 1);
    CHECK_INT(aws_s3_objects_end(&it), 0);
    CHECK_INT(put(), 0);
    list_args.prefix = "k ";
    aws_s3_objects_begin(&it, &bucket, &list_args); /* a cancel takes nothing away either */
    for (i = 0; i < 7; i++) {
        CHECK_INT(aws_s3_objects_next(&it, &object), 1);
        aws_client_cancel(&client);
        CHECK_INT(put(), 0);
    }
    CHECK_INT(count_entries(), 7);
}

static void test_paging(void)
{
    static unsigned char batch_memory[4096];
    aws_s3_batch batch;
    aws_s3_summary object;
    int i, r, named;

    for (named = 0; named < 2; named++) {
        for (i = 0; i < 3; i++) {
            prepare_listing(i == 1 ? "bucket--use1-az1--x-s3" : "bucket", named);
            model.empty_pages = i == 2;
            list_args.delimiter = i == 0 ? "/" : NULL;
            r = aws_s3_objects_begin(&it, &bucket, &list_args);
            CHECK_INT(r, named || i == 2 ? 0 : AWS_ERR_UNSUPPORTED);
            CHECK_INT(count_entries(), named ? 14 : AWS_ERR_UNSUPPORTED);
            CHECK_INT(aws_client_failure(&client)->reason, named ? 0 : AWS_REASON_PAGING);
            CHECK_INT(model.lists, named ? 3 + 3 * (i == 2) : i == 2);
            if (!named && i == 0)
                CHECK_STR(aws_client_failure_text(&client),
                          "this is not supported: a listing with a delimiter, of a directory "
                          "bucket or with a page without entries: with AWS_SMALL a program has to "
                          "name service.paging = aws_s3_paging");
        }
        prepare_listing("bucket", named); /* these name it */
        aws_s3_objects_begin(&it, &bucket, NULL);
        CHECK_INT(aws_s3_batch_objects(&batch, &it, batch_memory, sizeof batch_memory), 0);
        SCRIPT_RUN(r, &s, &client, aws_s3_batch_delete(&batch));
        CHECK_INT(r, 0);
        CHECK_INT((long)batch.deleted, 14);
    }
    prepare_listing("bucket", 1);
    aws_s3_objects_begin(&it, &bucket, NULL);
    for (i = 0; i < 14; i++) {
        CHECK_INT(aws_s3_objects_next(&it, &object), 1);
        CHECK_INT(aws_s3_bucket_delete_key(&bucket, object.key), 0);
    }
    CHECK_INT(count_entries(), 0);
    CHECK_INT(model.deletes, 14);
}

int main(void)
{
    test_plain_listing();
    test_refused_in_listing();
    test_paging();
    s3_free(&model);
    test_members();
    test_nothing_named();
    test_environment();
    test_checksums();
    test_one_pass_body();
    test_bodies();
    test_refresh();
    test_clock();
    test_retries();
    test_log();
    test_regions();
    script_free(&s);
    return CHECK_DONE();
}

/* test_attempts.c - what becomes of a request that fails: other regions, other clocks, expired
 * tokens, Expect, retries, hooks, proxies, conditional
 * writes. Each rule of the manual's ATTEMPTS has a test named after it.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_attempts.c -lbearssl && ./a.out [name of a test]
 */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "../aws_s3.h"
#include "check.h"
#include "script_port.h"
#include <unistd.h>

/* ---- The rig: each test runs over every kind of port ---- */

#define ACCESS "AKIDEXAMPLE"
#define SECRET "CANARY+secret/wJalrXUtnFEMI"

static script s;
static aws_config config;
static aws_session session;
static aws_client client;
static unsigned char memory[16384];
static script_step steps[100];
static char pool[100000]; /* answers */
static size_t pool_used;
static int variant; /* of the port */

enum { VARIANTS = 6 };

static char log_text[20000];

static void keep_log(void *context, const char *line)
{
    size_t used = strlen(log_text);

    (void)context;
    if (used + strlen(line) + 2 < sizeof log_text)
        snprintf(log_text + used, sizeof log_text - used, "%s\n", line);
}

/* Waiting, AWS_AGAIN and blocking ports; bytes one by one; AWS_AGAIN every other time; random. */
static void vary(void)
{
    static const script_mode modes[VARIANTS] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS,
                                                SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_NEVER_WAITS};

    script_init(&s, modes[variant]);
    if (variant == 3)
        s.split_read = s.split_write = 1;
    if (variant == 4)
        s.again_always = 1;
    if (variant == 5) {
        s.split_read = s.split_write = -1;
        s.again_per_256 = 190;
    }
}

/* Before start: Amazon by TLS that the port does, in eu-west-1. */
static void setup(void)
{
    script_free(&s);
    vary();
    s.port.flags |= AWS_PORT_TLS;
    s.steps = steps;
    pool_used = 0;
    memset(&config, 0, sizeof config);
    config.access_key_id = ACCESS;
    config.secret_access_key = SECRET;
    config.region = "eu-west-1";
    config.port = &s.port;
}

/* Plain http to a server of one's own. */
static void setup_http(void)
{
    setup();
    s.port.flags &= ~(unsigned)AWS_PORT_TLS;
    config.endpoint = "http://test.local:9000";
}

static void start(void)
{
    aws_session_init(&session, &config);
    CHECK_INT(aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory), 0);
}

static void stop(void)
{
    int r;

    SCRIPT_RUN(r, &s, &client, aws_client_close(&client));
    CHECK_INT(r, 0);
    CHECK_INT(script_left_open(&s), 0);
    CHECK_INT(s.breaches, 0);
    CHECK_INT(s.step_at, s.step_count);
    aws_session_close(&session);
    script_free(&s);
}

/* The server's next answer: a status line's end, header lines each with CR LF, a body. */
static void say(const char *status, const char *headers, const char *body, unsigned flags)
{
    char *text = pool + pool_used;
    int n =
        snprintf(text, sizeof pool - pool_used, "HTTP/1.1 %s\r\n%sContent-Length: %lu\r\n\r\n%s",
                 status, headers, (unsigned long)strlen(body), body);

    pool_used += (size_t)n + 1;
    if (pool_used >= sizeof pool)
        abort();
    memset(&steps[s.step_count], 0, sizeof *steps);
    steps[s.step_count].answer = text;
    steps[s.step_count++].flags = flags;
}

static void ok(const char *body)
{
    say("200 OK", "", body, 0);
}

/* An error document with more elements. */
static void fail(const char *status, const char *headers, const char *code, const char *more)
{
    char body[300];

    snprintf(body, sizeof body, "<Error><Code>%s</Code><Message>no</Message>%s</Error>", code, more);
    say(status, headers, body, 0);
}

/* The same for HEAD: the length is of a body that doesn't come. */
static void fail_head(const char *status, const char *headers)
{
    say(status, headers, "", 0);
}

static char got[1000];

static aws_s3_args args_of(const char *bucket, const char *key)
{
    aws_s3_args args;

    memset(&args, 0, sizeof args);
    args.bucket = bucket;
    args.key = key;
    return args;
}

static int get_from(const char *bucket)
{
    aws_s3_args args = args_of(bucket, "key");
    int r;

    args.buffer = got;
    args.buffer_size = sizeof got;
    SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
    return r;
}

static int get(void)
{
    return get_from("bucket");
}

static int head_from(const char *bucket)
{
    aws_s3_args args = args_of(bucket, "key");
    int r;

    SCRIPT_RUN(r, &s, &client, aws_s3_head_object(&client, &args, NULL));
    return r;
}

static int put(const char *text)
{
    aws_s3_args args = args_of("bucket", "key");
    int r;

    args.body = text;
    args.body_size = strlen(text);
    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    return r;
}

static unsigned count_of(const char *text, const char *part)
{
    unsigned n = 0;

    while ((text = strstr(text, part)) != NULL) {
        n++;
        text++;
    }
    return n;
}

/* How often a text was sent, over all connections. */
static unsigned sent(const char *part)
{
    unsigned i, n = 0;

    for (i = 0; i < s.connection_count; i++)
        n += count_of(script_sent(&s, i), part);
    return n;
}

static int reason(void)
{
    return aws_client_failure(&client)->reason;
}

static const char *aws_code(void)
{
    return aws_client_failure(&client)->aws_code;
}

static const char *host_of(unsigned connection)
{
    return connection < s.connection_count ? s.connections[connection].host : "";
}

/* ---- Regions ---- */

#define IN(region) "x-amz-bucket-region: " region "\r\n"

static void test_redirect_status(void)
{
    static const char *const statuses[] = {"301 Moved Permanently", "302 Found",
                                           "307 Temporary Redirect"};
    size_t i;

    for (i = 0; i < 3; i++) {
        setup();
        config.max_attempts = 1; /* what is repeated at once is no attempt */
        start();
        fail(statuses[i], IN("ap-south-1"), "PermanentRedirect", "<Endpoint>evil.test</Endpoint>");
        ok("hello");
        CHECK_INT(get(), 5);
        CHECK_INT(s.connection_count, 2);
        CHECK_STR(host_of(0), "bucket.s3.eu-west-1.amazonaws.com");
        CHECK_STR(host_of(1), "bucket.s3.ap-south-1.amazonaws.com");
        CHECK(strstr(script_sent(&s, 1), "host: bucket.s3.ap-south-1.amazonaws.com\r\n") != NULL);
        CHECK(strstr(script_sent(&s, 1), "/20260102/ap-south-1/s3/aws4_request") != NULL);
        CHECK_INT(s.sleep_count, 0);
        CHECK_INT(session.spent, 0);
        CHECK_STR(aws_client_region(&client), "eu-west-1");
        stop();
    }
}

#define REDIRECTED "8f90715262a623543c7e6d61dceb2b0c64570ff0301ab0e24b49ac1c17749708"

/* The signature for the other region is what any other program makes of it: this one is from
 * botocore's S3SigV4Auth (see test_botocore.py for how). */
static void test_redirect_signature(void)
{
    setup_http();
    start();
    fail("400 Bad Request", "", "AuthorizationHeaderMalformed", "<Region>ap-south-1</Region>");
    ok("hello");
    CHECK_INT(get(), 5);
    CHECK(strstr(script_sent(&s, 0), "Signature=" REDIRECTED) != NULL);
    CHECK_INT(sent("Signature=" REDIRECTED), 1);
    stop();
}

/* Header first, then <Region>. */
static void test_redirect_region_of_header_first(void)
{
    setup();
    start();
    fail("301 Moved", IN("ap-south-1"), "PermanentRedirect", "<Region>sa-east-1</Region>");
    ok("hello");
    CHECK_INT(get(), 5);
    CHECK_STR(host_of(1), "bucket.s3.ap-south-1.amazonaws.com");
    stop();
}

static void test_redirect_malformed_authorization(void)
{
    setup();
    start();
    fail("400 Bad Request", "", "AuthorizationHeaderMalformed", "<Region>ap-south-1</Region>");
    ok("hello");
    CHECK_INT(get(), 5);
    CHECK_STR(host_of(1), "bucket.s3.ap-south-1.amazonaws.com");
    stop();
}

static void test_redirect_head(void)
{
    setup();
    start();
    fail_head("400 Bad Request", IN("ap-south-1"));
    ok("");
    fail_head("301 Moved", IN("sa-east-1"));
    ok("");
    CHECK_INT(head_from("bucket"), 0);
    CHECK_STR(host_of(1), "bucket.s3.ap-south-1.amazonaws.com");
    CHECK_INT(head_from("another"), 0);
    CHECK_STR(host_of(2), "another.s3.eu-west-1.amazonaws.com");
    CHECK_STR(host_of(3), "another.s3.sa-east-1.amazonaws.com");
    stop();
}

/* IllegalLocationConstraint moves any action but CreateBucket, whose region is the caller's. */
static void test_redirect_illegal_location(void)
{
    aws_s3_args args = args_of("bucket", NULL);
    int r;

    setup();
    start();
    fail("400 Bad Request", IN("ap-south-1"), "IllegalLocationConstraintException", "");
    ok("hello");
    CHECK_INT(get(), 5);
    fail("400 Bad Request", IN("sa-east-1"), "IllegalLocationConstraintException", "");
    SCRIPT_RUN(r, &s, &client, aws_s3_create_bucket(&client, &args, NULL));
    CHECK_INT(r, AWS_ERR_SERVICE);
    CHECK_INT(s.requests, 3);
    stop();
}

/* Neither header nor <Region>: the bucket is asked, unsigned. */
static void test_redirect_asks_the_bucket(void)
{
    setup();
    start();
    fail("301 Moved", "", "PermanentRedirect", "");
    fail_head("403 Forbidden", IN("ap-south-1"));
    ok("hello");
    CHECK_INT(get(), 5);
    CHECK_INT(s.connection_count, 2);
    CHECK(strstr(script_sent(&s, 0), "\r\n\r\nHEAD / HTTP/1.1\r\nhost: bucket.s3.eu-west-1."
                                     "amazonaws.com\r\nuser-agent: ") != NULL);
    CHECK_INT(count_of(script_sent(&s, 0), "authorization"), 1);
    CHECK_STR(host_of(1), "bucket.s3.ap-south-1.amazonaws.com");
    /* by path; an answer that doesn't say it either leaves the refusal */
    config.addressing = AWS_ADDRESSING_PATH;
    session.config.addressing = AWS_ADDRESSING_PATH;
    fail_head("400 Bad Request", "");
    fail_head("404 Not Found", "");
    fail_head("400 Bad Request", "");
    CHECK_INT(head_from("another"), AWS_ERR_SERVICE);
    CHECK_STR(aws_code(), "400");
    CHECK_INT(sent("HEAD /another HTTP/1.1\r\n"), 1);
    stop();
}

/* A refusal of another kind isn't about the region, whatever its header says. */
static void test_no_redirect(void)
{
    static const char *const statuses[] = {"403 Forbidden", "404 Not Found", "409 Conflict",
                                           "412 Precondition Failed"};
    size_t i;

    for (i = 0; i < 4; i++) {
        setup();
        start();
        fail(statuses[i], IN("ap-south-1"), "Code", "");
        CHECK_INT(get(), AWS_ERR_SERVICE);
        CHECK_INT(s.requests, 1);
        fail("400 Bad Request", IN("eu-west-1"), "InvalidArgument", ""); /* it is ours */
        CHECK_INT(get(), AWS_ERR_SERVICE);
        fail("400 Bad Request", "", "InvalidArgument", "");
        CHECK_INT(get(), AWS_ERR_SERVICE);
        CHECK_INT(s.requests, 3);
        stop();
    }
}

static void test_redirect_once(void)
{
    setup();
    start();
    fail("301 Moved", IN("ap-south-1"), "PermanentRedirect", "");
    fail("301 Moved", IN("sa-east-1"), "PermanentRedirect", "");
    CHECK_INT(get(), AWS_ERR_SERVICE);
    CHECK_INT(s.requests, 2);
    CHECK_INT(aws_client_failure(&client)->http_status, 301);
    stop();
}

/* The region is remembered per client for the last two buckets, and others aren't affected. */
static void test_region_is_remembered(void)
{
    setup();
    start();
    fail("301 Moved", IN("ap-south-1"), "PermanentRedirect", "");
    ok("hello");
    ok("hello");
    ok("hello");
    fail("301 Moved", IN("sa-east-1"), "PermanentRedirect", "");
    ok("hello");
    ok("hello");
    ok("hello");
    CHECK_INT(get_from("one"), 5);
    CHECK_INT(get_from("one"), 5);
    CHECK_STR(host_of(1), "one.s3.ap-south-1.amazonaws.com");
    CHECK_INT(s.connection_count, 2);
    CHECK_INT(get_from("two"), 5);
    CHECK_STR(host_of(2), "two.s3.eu-west-1.amazonaws.com");
    CHECK(strstr(script_sent(&s, 2), "/20260102/eu-west-1/s3/aws4_request") != NULL);
    CHECK_INT(get_from("two"), 5);
    CHECK_STR(host_of(3), "two.s3.sa-east-1.amazonaws.com");
    CHECK_INT(get_from("one"), 5);
    CHECK_STR(host_of(4), "one.s3.ap-south-1.amazonaws.com");
    CHECK(strstr(script_sent(&s, 4), "/20260102/ap-south-1/s3/aws4_request") != NULL);
    CHECK_INT(get_from("two"), 5);
    CHECK_STR(host_of(5), "two.s3.sa-east-1.amazonaws.com");
    CHECK_INT(s.connection_count, 6);
    /* one that moves doesn't push the other out */
    fail("301 Moved", IN("ca-central-1"), "PermanentRedirect", "");
    ok("hello");
    fail("301 Moved", IN("ca-west-1"), "PermanentRedirect", "");
    ok("hello");
    ok("hello");
    CHECK_INT(get_from("two"), 5);
    CHECK_INT(get_from("two"), 5);
    CHECK_INT(get_from("one"), 5);
    CHECK_STR(host_of(s.connection_count - 1), "one.s3.ap-south-1.amazonaws.com");
    stop();
}

/* A region that moves is learnt anew. */
static void test_region_is_learnt_anew(void)
{
    setup();
    start();
    fail("301 Moved", IN("ap-south-1"), "PermanentRedirect", "");
    ok("hello");
    fail("301 Moved", IN("sa-east-1"), "PermanentRedirect", "");
    ok("hello");
    ok("hello");
    CHECK_INT(get(), 5);
    CHECK_INT(get(), 5);
    CHECK_INT(get(), 5);
    CHECK_STR(host_of(2), "bucket.s3.sa-east-1.amazonaws.com");
    CHECK(strstr(script_sent(&s, 2), "/20260102/sa-east-1/s3/aws4_request") != NULL);
    CHECK_INT(s.connection_count, 3);
    stop();
}

/* What a server names is checked as a label; nothing goes to another domain or partition. */
static void test_region_is_checked(void)
{
    static const char *const evil[] = {"evil.test",
                                       "x@evil.test",
                                       "evil/",
                                       "a.evil.test:443/#",
                                       "EU-WEST-1",
                                       "-a",
                                       "a-",
                                       "",
                                       "12345",
                                       "eu west",
                                       "\xc3\xa9",
                                       "cn-north-1",
                               "us-iso-east-1",
                               "us-isob-east-1",
                               "us-isof-south-1",
                               "eu-isoe-west-1",
                               "eusc-de-east-1",
                                       "a2345678901234567890123456789012"};
    size_t i;
    char header[100], element[100];

    for (i = 0; i < sizeof evil / sizeof *evil; i++) {
        setup();
        start();
        snprintf(header, sizeof header, "x-amz-bucket-region: %s\r\n", evil[i]);
        snprintf(element, sizeof element, "<Region>%s</Region>", evil[i]);
        fail("400 Bad Request", header, "AuthorizationHeaderMalformed", "");
        CHECK_INT(get(), AWS_ERR_SERVICE);
        fail("400 Bad Request", "", "AuthorizationHeaderMalformed", element);
        CHECK_INT(get(), AWS_ERR_SERVICE);
        CHECK_INT(s.requests, 2);
        CHECK_INT(s.connection_count, 1);
        stop();
    }
    setup();
    start();
    fail("400 Bad Request", "", "AuthorizationHeaderMalformed", "<Region>us/east</Region>");
    CHECK_INT(get(), AWS_ERR_SERVICE);
    CHECK_STR(aws_client_failure_text(&client),
              "GetObject: AuthorizationHeaderMalformed (HTTP 400): no; region 'eu-west-1' is not the "
              "one the server wants, which is 'us/east': set aws_config.region");
    stop();
    setup();
    start();
    fail("400 Bad Request", "", "AuthorizationHeaderMalformed",
         "<Region>a234567890123456789012345678901</Region>");
    ok("hello");
    CHECK_INT(get(), 5);
    CHECK_STR(host_of(1), "bucket.s3.a234567890123456789012345678901.amazonaws.com");
    stop();
    setup();
    config.region = "cn-north-1";
    start();
    fail("301 Moved", IN("cn-northwest-1"), "PermanentRedirect", "");
    ok("hello");
    fail("301 Moved", IN("eu-west-1"), "PermanentRedirect", "");
    CHECK_INT(get(), 5);
    CHECK_STR(host_of(1), "bucket.s3.cn-northwest-1.amazonaws.com.cn");
    CHECK_INT(get_from("other"), AWS_ERR_SERVICE);
    stop();
}

/* Location and <Endpoint> are never followed. */
static void test_location_is_not_followed(void)
{
    setup();
    start();
    fail("307 Temporary Redirect", "Location: https://evil.test/key\r\n" IN("eu-west-1"),
         "TemporaryRedirect", "<Endpoint>evil.test</Endpoint>");
    CHECK_INT(get(), AWS_ERR_SERVICE);
    CHECK_INT(s.connection_count, 1);
    CHECK_INT(aws_client_failure(&client)->http_status, 307);
    stop();
}

/* With an endpoint of one's own only the region of the signature changes. */
static void test_redirect_custom_endpoint(void)
{
    setup_http();
    start();
    fail("400 Bad Request", "", "AuthorizationHeaderMalformed", "<Region>default</Region>");
    ok("hello");
    ok("hello");
    CHECK_INT(get(), 5);
    CHECK_INT(get(), 5);
    CHECK_INT(s.connection_count, 1);
    CHECK_STR(host_of(0), "test.local");
    CHECK_INT(sent("/20260102/eu-west-1/s3/aws4_request"), 1);
    CHECK_INT(sent("/20260102/default/s3/aws4_request"), 2);
    stop();
}

/* A body is sent again whole; one that can't be and has begun isn't. */
static void test_redirect_bodies(void)
{
    aws_s3_args args = args_of("bucket", "key");
    int r;

    setup();
    start();
    fail("307 Temporary Redirect", IN("ap-south-1"), "TemporaryRedirect", "");
    ok("");
    CHECK_INT(put("hello"), 0);
    CHECK_INT(sent("\r\n\r\nhello"), 2);
    stop();
    setup();
    start();
    args.stream = 1;
    args.body_size = 5;
    fail("307 Temporary Redirect", IN("ap-south-1"), "TemporaryRedirect", "");
    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    SCRIPT_RUN(r, &s, &client, aws_client_write(&client, "hello", 5));
    SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
    CHECK_INT(r, AWS_ERR_SERVICE);
    CHECK_INT(s.requests, 1);
    stop();
}

static unsigned sink_bytes;

static int sink_write(void *context, const void *data, size_t size)
{
    (void)context;
    (void)data;
    sink_bytes += (unsigned)size;
    return (int)size;
}

/* An error document is no part of the answer: a sink that can't rewind is still empty. */
static void test_redirect_sink(void)
{
    static const aws_sink sink = {sink_write, NULL, NULL};
    aws_s3_args args = args_of("bucket", "key");
    int r;

    setup();
    start();
    args.sink = &sink;
    sink_bytes = 0;
    fail("301 Moved", IN("ap-south-1"), "PermanentRedirect", "");
    fail("503 Slow Down", "", "SlowDown", "");
    ok("hello");
    SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    CHECK_INT(sink_bytes, 5);
    stop();
}

/* A service without the function doesn't go anywhere. */
static void test_redirect_is_of_the_service(void)
{
    aws_service plain = aws_s3_service;

    plain.region = NULL;
    setup();
    aws_session_init(&session, &config);
    CHECK_INT(aws_client_init(&client, &session, &plain, memory, sizeof memory), 0);
    fail("301 Moved", IN("ap-south-1"), "PermanentRedirect", "");
    CHECK_INT(get(), AWS_ERR_SERVICE);
    CHECK_INT(s.requests, 1);
    stop();
}

/* CreateBucket's LocationConstraint comes from the configuration, not from the last bucket. */
static void test_home_region(void)
{
    aws_s3_bucket bucket;
    int r;

    setup();
    start();
    fail("301 Moved", IN("ap-south-1"), "PermanentRedirect", "");
    ok("hello");
    ok("");
    CHECK_INT(get(), 5);
    aws_s3_bucket_init(&bucket, &client, "fresh");
    SCRIPT_RUN(r, &s, &client, aws_s3_bucket_create(&bucket, NULL));
    CHECK_INT(r, 0);
    CHECK_STR(host_of(2), "fresh.s3.eu-west-1.amazonaws.com");
    CHECK_INT(sent("<LocationConstraint>eu-west-1</LocationConstraint>"), 1);
    stop();
}

/* ---- Clocks: the script's says 2026-01-02T03:04:05Z ---- */

#define DATED(date) "Date: " date " GMT\r\n"

static void test_skew(void)
{
    static const struct {
        const char *status, *code;
    } refusals[] = {{"403 Forbidden", "RequestTimeTooSkewed"},
                    {"403 Forbidden", "SignatureDoesNotMatch"},
                    {"400 Bad Request", "InvalidSignatureException"},
                    {"400 Bad Request", "RequestExpired"}};
    size_t i;

    for (i = 0; i < 4; i++) {
        setup();
        config.max_attempts = 1;
        start();
        fail(refusals[i].status, DATED("Fri, 02 Jan 2026 05:04:05"), refusals[i].code, "");
        ok("hello");
        ok("hello");
        CHECK_INT(get(), 5);
        CHECK_INT(sent("x-amz-date: 20260102T030405Z"), 1);
        CHECK_INT(sent("x-amz-date: 20260102T050405Z"), 1);
        CHECK_INT(s.sleep_count, 0);
        CHECK_INT(session.spent, 0);
        script_pass(&s, 60000); /* remembered */
        CHECK_INT(get(), 5);
        CHECK_INT(sent("x-amz-date: 20260102T050505Z"), 1);
        CHECK_INT(s.requests, 3);
        stop();
    }
}

/* Backwards, and for HEAD, which has no code. */
static void test_skew_head(void)
{
    setup();
    start();
    fail_head("403 Forbidden", DATED("Thu, 01 Jan 2026 03:04:05"));
    ok("");
    CHECK_INT(head_from("bucket"), 0);
    CHECK_INT(sent("x-amz-date: 20260101T030405Z"), 1);
    stop();
}

static int64_t fixed_time = 1767323045;

static int64_t fixed_now(const aws_port *port)
{
    (void)port;
    return fixed_time;
}

/* 4 minutes or less is no skew, nor is a Date that isn't one, nor what isn't refused for it. */
static void test_no_skew(void)
{
    static const struct {
        const char *status, *date;
        unsigned requests;
    } all[] = {{"403 Forbidden", DATED("Fri, 02 Jan 2026 03:08:04"), 1},
               {"403 Forbidden", DATED("Fri, 02 Jan 2026 03:00:05"), 1},
               {"403 Forbidden", DATED("Fri, 02 Jan 2026 03:08:05"), 2},
               {"403 Forbidden", DATED("Fri, 02 Jan 2026 03:00:04"), 2},
               {"403 Forbidden", "Date: tomorrow\r\n", 1},
               {"403 Forbidden", "", 1},
               {"404 Not Found", DATED("Fri, 02 Jan 2026 09:00:00"), 1},
               {"403 Forbidden", DATED("Thu, 02 Jan 2025 03:04:05"), 1}}; /* before the floor */
    size_t i;

    for (i = 0; i < sizeof all / sizeof *all; i++) {
        setup();
        s.port.now = fixed_now;
        config.clock_floor = 1760000000;
        start();
        fail(all[i].status, all[i].date, "AccessDenied", "");
        if (all[i].requests == 2)
            fail(all[i].status, all[i].date, "AccessDenied", "");
        CHECK_INT(get(), AWS_ERR_SERVICE);
        CHECK_INT(s.requests, all[i].requests);
        CHECK_INT(session.clock_base != 0, all[i].requests == 2);
        stop();
    }
}

/* The time that the request itself took isn't skew. */
static void test_skew_of_a_slow_request(void)
{
    setup();
    s.drip = 10000; /* the head of the answer takes many minutes */
    if (variant != 0) {
        script_free(&s);
        return;
    }
    start();
    fail("403 Forbidden", DATED("Fri, 02 Jan 2026 03:04:05"), "AccessDenied", "");
    CHECK_INT(get(), AWS_ERR_SERVICE);
    CHECK(s.elapsed > 1000000);
    fail("403 Forbidden", DATED("Fri, 02 Jan 2026 03:34:05"), "AccessDenied", "");
    CHECK_INT(get(), AWS_ERR_SERVICE);
    CHECK_INT(s.requests, 2);
    stop();
}

static void test_skew_once(void)
{
    setup();
    start();
    fail("403 Forbidden", DATED("Fri, 02 Jan 2026 05:04:05"), "RequestTimeTooSkewed", "");
    fail("403 Forbidden", DATED("Fri, 02 Jan 2026 09:04:05"), "RequestTimeTooSkewed", "");
    CHECK_INT(get(), AWS_ERR_SERVICE);
    CHECK_STR(aws_code(), "RequestTimeTooSkewed");
    CHECK_STR(aws_client_failure_text(&client),
              "GetObject: RequestTimeTooSkewed (HTTP 403): no; the clock here says "
              "20260102T050405Z, the server's Fri, 02 Jan 2026 09:04:05 GMT: set the clock of this "
              "device");
    CHECK_INT(s.requests, 2);
    stop();
}

/* Once somebody sets the port's clock it is right again, forwards or backwards. */
static void test_clock_is_set(void)
{
    static const int64_t sets[] = {3 * 3600, -3600, 121, -121};
    size_t i;

    for (i = 0; i < 4; i++) {
        char date[40] = "x-amz-date: ";
        setup();
        s.port.now = fixed_now;
        fixed_time = 1767323045;
        start();
        fail("403 Forbidden", DATED("Fri, 02 Jan 2026 05:04:05"), "RequestTimeTooSkewed", "");
        ok("hello");
        ok("hello");
        ok("hello");
        CHECK_INT(get(), 5);
        fixed_time += 60; /* a small step is none */
        s.tick += 100000;
        CHECK_INT(get(), 5);
        CHECK_INT(sent("x-amz-date: 20260102T05054"), 1);
        fixed_time += sets[i] + 40;
        aws_date_text(fixed_time, date + 12);
        CHECK_INT(get(), 5);
        CHECK_INT(sent(date), 1);
        CHECK_INT(session.clock_base, 0);
        stop();
        fixed_time = 1767323045;
    }
}

/* The session remembers: another client of it is right from the start. */
static void test_skew_is_of_the_session(void)
{
    static unsigned char other_memory[16384];
    aws_client other;
    aws_s3_args args = args_of("bucket", "key");
    int r;

    setup();
    start();
    fail("403 Forbidden", DATED("Fri, 02 Jan 2026 05:04:05"), "RequestTimeTooSkewed", "");
    ok("hello");
    ok("");
    CHECK_INT(get(), 5);
    CHECK_INT(aws_client_init(&other, &session, &aws_s3_service, other_memory, sizeof other_memory),
              0);
    SCRIPT_RUN(r, &s, &other, aws_s3_delete_object(&other, &args, NULL));
    CHECK_INT(r, 0);
    CHECK_INT(count_of(script_sent(&s, 1), "x-amz-date: 20260102T050405Z"), 1);
    SCRIPT_RUN(r, &s, &other, aws_client_close(&other));
    CHECK_INT(s.requests, 3);
    stop();
}

/* ---- Tokens ---- */

static unsigned provided;
static int provider_fails;

static int provide(const aws_provider *provider, aws_client *asking, aws_keys *keys)
{
    static char tokens[4][12];

    (void)provider;
    (void)asking;
    if (provider_fails && provided)
        return AWS_ERR_CREDENTIALS;
    snprintf(tokens[provided % 4], sizeof tokens[0], "TOKEN-%u", provided);
    keys->access_key_id = ACCESS;
    keys->secret_access_key = SECRET;
    keys->session_token = tokens[provided++ % 4];
    keys->expiration = 1767323045 + 36000;
    return 0;
}

static const aws_provider provider = {provide, NULL};

static void setup_provider(void)
{
    setup();
    config.access_key_id = config.secret_access_key = NULL;
    config.provider = &provider;
    provided = 0;
    provider_fails = 0;
}

static void test_expired_token(void)
{
    static const char *const codes[] = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"};
    size_t i;

    for (i = 0; i < 3; i++) {
        setup_provider();
        config.max_attempts = 1;
        start();
        fail("400 Bad Request", "", codes[i], "");
        ok("hello");
        CHECK_INT(get(), 5);
        CHECK_INT(provided, 2);
        CHECK_INT(sent("x-amz-security-token: TOKEN-0\r\n"), 1);
        CHECK_INT(sent("x-amz-security-token: TOKEN-1\r\n"), 1);
        CHECK_INT(s.sleep_count, 0);
        stop();
    }
}

static void test_expired_token_once(void)
{
    setup_provider();
    start();
    fail("400 Bad Request", "", "ExpiredToken", "");
    fail("400 Bad Request", "", "ExpiredToken", "");
    CHECK_INT(get(), AWS_ERR_SERVICE);
    CHECK_STR(aws_code(), "ExpiredToken");
    CHECK_INT(provided, 2);
    CHECK_INT(s.requests, 2);
    stop();
}

static void test_expired_token_provider_fails(void)
{
    setup_provider();
    provider_fails = 1;
    start();
    fail("400 Bad Request", "", "ExpiredToken", "");
    CHECK_INT(get(), AWS_ERR_CREDENTIALS);
    CHECK_INT(s.requests, 1);
    stop();
}

/* Without a provider there is nobody to ask. */
static void test_expired_token_fixed(void)
{
    setup();
    config.session_token = "TOKEN";
    start();
    fail("400 Bad Request", "", "ExpiredToken", "");
    CHECK_INT(get(), AWS_ERR_SERVICE);
    CHECK_INT(s.requests, 1);
    stop();
}

static int provide_never(const aws_provider *never, aws_client *asking, aws_keys *keys)
{
    (void)never;
    (void)asking;
    (void)keys;
    return AWS_AGAIN;
}

/* The client that asks for keys is never called again: another one doesn't wait for ever. */
static void test_provider_abandoned(void)
{
    static const aws_provider never = {provide_never, NULL};
    static unsigned char other_memory[16384];
    aws_client other;
    aws_s3_args args = args_of("bucket", "key");
    int r;

    setup_provider();
    config.provider = &never;
    config.no_wait = 1;
    config.connect_timeout = 5000;
    start();
    CHECK_INT(aws_client_init(&other, &session, &aws_s3_service, other_memory, sizeof other_memory),
              0);
    CHECK_INT(aws_s3_delete_object(&client, &args, NULL), AWS_AGAIN);
    SCRIPT_RUN(r, &s, &other, aws_s3_delete_object(&other, &args, NULL));
    CHECK_INT(r, AWS_ERR_CREDENTIALS);
    CHECK_INT(aws_client_failure(&other)->reason, AWS_REASON_PROVIDER_TIME);
    CHECK(s.elapsed >= 5000 && s.elapsed < 5100);
    /* cancelled, it no longer stands in the way */
    session.config.provider = &provider;
    aws_client_cancel(&client);
    ok("");
    SCRIPT_RUN(r, &s, &other, aws_s3_delete_object(&other, &args, NULL));
    CHECK_INT(r, 0);
    SCRIPT_RUN(r, &s, &other, aws_client_close(&other));
    stop();
}

static void serve_expired(script *server, const script_request *request)
{
    int old = strstr(request->head, "TOKEN-0") != NULL;

    script_reply(server, request->connection,
                 old ? "HTTP/1.1 400 Bad\r\nContent-Length: 40\r\n\r\n"
                       "<Error><Code>ExpiredToken</Code></Error>"
                     : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

/* Two requests are refused for the same token: the provider is asked once. */
static void test_expired_token_of_two(void)
{
    static unsigned char other_memory[16384];
    aws_client other;
    aws_s3_args args = args_of("bucket", "key");
    int r;

    setup_provider();
    if (variant == 2) {
        script_free(&s);
        return;
    }
    config.no_wait = 1;
    s.serve = serve_expired;
    start();
    CHECK_INT(aws_client_init(&other, &session, &aws_s3_service, other_memory, sizeof other_memory),
              0);
    do
        r = aws_s3_delete_object(&other, &args, NULL);
    while (r == AWS_AGAIN && s.requests == 0 && script_idle(&s, &other));
    CHECK_INT(r, AWS_AGAIN);
    SCRIPT_RUN(r, &s, &client, aws_s3_delete_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    CHECK_INT(provided, 2);
    SCRIPT_RUN(r, &s, &other, aws_s3_delete_object(&other, &args, NULL));
    CHECK_INT(r, 0);
    CHECK_INT(provided, 2);
    CHECK_INT(s.requests, 4);
    SCRIPT_RUN(r, &s, &other, aws_client_close(&other));
    stop();
}

/* All three in one call, each once, in one call of one attempt. */
static void test_all_cures(void)
{
    setup_provider();
    config.max_attempts = 1;
    start();
    fail("301 Moved", IN("ap-south-1"), "PermanentRedirect", "");
    fail("403 Forbidden", DATED("Fri, 02 Jan 2026 05:04:05"), "RequestTimeTooSkewed", "");
    fail("400 Bad Request", DATED("Fri, 02 Jan 2026 05:04:05"), "ExpiredToken", "");
    ok("hello");
    CHECK_INT(get(), 5);
    CHECK_INT(s.requests, 4);
    CHECK_INT(aws_client_failure(&client)->code, 0);
    stop();
}

/* ---- Expect: 100-continue ---- */

#define EXPECT "expect: 100-continue\r\n"

/* A body that is written: its result, or that of the first call that fails. */
static int put_stream(const char *text)
{
    aws_s3_args args = args_of("bucket", "key");
    size_t size = strlen(text), done = 0;
    int r;

    args.stream = 1;
    args.body_size = size;
    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    while (r >= 0 && done < size) {
        SCRIPT_RUN(r, &s, &client, aws_client_write(&client, text + done, size - done));
        if (r > 0)
            done += (size_t)r;
    }
    if (r >= 0)
        SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
    return r;
}

static void test_expect_continue(void)
{
    static const char *const interim[] = {
        "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100\r\nX: y\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"};
    size_t i;

    for (i = 0; i < 3; i++) {
        setup();
        s.continues = interim[i];
        start();
        ok("");
        ok("");
        ok("hello");
        CHECK_INT(put_stream("hello"), 0);
        CHECK_INT(put_stream("again"), 0);
        CHECK_INT(get(), 5);
        CHECK_INT(sent(EXPECT), variant == 2 ? 0 : 2); /* a port that blocks can't look */
        CHECK_INT(sent("\r\n\r\n5\r\nhello\r\n0\r\n"), 1);
        CHECK_INT(s.connection_count, variant == 2 ? 2 : 1);
        CHECK(s.elapsed < 1000 || variant == 5);
        stop();
    }
}

/* No answer within a second: the body goes, and the answer may still come while it does. */
static void test_expect_waits_a_second(void)
{
    setup();
    start();
    ok("");
    CHECK_INT(put_stream("hello"), 0);
    CHECK(s.elapsed >= (variant == 2 ? 0 : 1000));
    CHECK(s.elapsed < 1100 || variant == 5);
    CHECK_INT(sent("\r\n\r\n5\r\nhello\r\n0\r\n"), 1);
    stop();
}

/* A refusal before the body: it isn't sent, and the connection isn't used again. */
static void test_expect_refused(void)
{
    setup();
    if (variant == 2) {
        script_free(&s);
        return;
    }
    start();
    say("412 Precondition Failed", "", "<Error><Code>PreconditionFailed</Code></Error>",
        SCRIPT_REFUSE);
    ok("hello");
    CHECK_INT(put_stream("BODY"), AWS_ERR_SERVICE);
    CHECK_STR(aws_code(), "PreconditionFailed");
    CHECK_INT(sent("BODY"), 0);
    CHECK_INT(get(), 5);
    CHECK_INT(s.connection_count, 2);
    stop();
}

/* What is refused before it has begun can be sent again though it can't be read twice. */
static void test_expect_saves_the_body(void)
{
    setup();
    if (variant == 2) {
        script_free(&s);
        return;
    }
    start();
    s.continues = "HTTP/1.1 100 Continue\r\n\r\n";
    say("503 Slow Down", "", "<Error><Code>SlowDown</Code></Error>", SCRIPT_REFUSE);
    say("307 Temporary Redirect", IN("ap-south-1"), "", SCRIPT_REFUSE);
    say("417 Expectation Failed", "", "", SCRIPT_REFUSE);
    ok("");
    CHECK_INT(put_stream("BODY"), 0);
    CHECK_INT(s.connection_count, 4);
    CHECK_INT(sent(EXPECT), 3); /* not after the 417 */
    CHECK_INT(sent("BODY"), 1);
    CHECK_STR(host_of(3), "bucket.s3.ap-south-1.amazonaws.com");
    /* the next call expects again */
    ok("");
    CHECK_INT(put_stream("MORE"), 0);
    CHECK_INT(sent(EXPECT), 4);
    stop();
}

/* After an unsigned HEAD on the same connection, its answer is forgotten. */
static void test_expect_after_probe(void)
{
    setup();
    s.unix_time = 0;
    config.clock_floor = 1760000000;
    config.endpoint = "https://test.local";
    s.continues = "HTTP/1.1 100 Continue\r\n\r\n";
    start();
    fail_head("403 Forbidden", DATED("Fri, 02 Jan 2026 03:04:05"));
    ok("");
    CHECK_INT(put_stream("hello"), 0);
    CHECK_INT(sent("hello"), 1);
    CHECK_INT(s.requests, 2);
    stop();
}

/* An interim answer that has come in part isn't the answer to a body that isn't complete. */
static void test_finish_too_early(void)
{
    aws_s3_args args = args_of("bucket", "key");
    int r;

    setup();
    if (s.mode != SCRIPT_NEVER_WAITS) {
        script_free(&s);
        return;
    }
    s.again_always = 0;
    s.again_per_256 = 0;
    s.split_read = s.split_write = 0;
    steps[0].answer = "HTTP/1.1 102 Proc";
    steps[0].size = 0;
    steps[0].flags = SCRIPT_EARLY;
    steps[0].after = 700;
    s.step_count = 1;
    start();
    args.stream = 1;
    args.body_size = 100000;
    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    do
        r = aws_client_write(&client, pool, 16384);
    while (r > 0);
    CHECK_INT(r, AWS_AGAIN);
    script_reply(&s, 0, "essing\r\n\r\n");
    CHECK_INT(aws_client_finish(&client), AWS_ERR_BODY);
    CHECK_INT(reason(), AWS_REASON_WROTE_LESS);
    stop();
}

/* A 417 to what didn't expect is an answer like any other. */
static void test_unexpected_417(void)
{
    setup();
    start();
    say("417 Expectation Failed", "", "", 0);
    CHECK_INT(get(), AWS_ERR_SERVICE);
    CHECK_INT(s.requests, 1);
    stop();
}

/* The server leaves instead of answering. */
static void test_expect_unanswered(void)
{
    setup();
    if (variant == 2) {
        script_free(&s);
        return;
    }
    start();
    say("", "", "", SCRIPT_REFUSE | SCRIPT_FIN);
    steps[0].answer = NULL;
    say("", "", "", SCRIPT_REFUSE | SCRIPT_RESET);
    steps[1].answer = NULL;
    ok("");
    s.continues = "HTTP/1.1 100 Continue\r\n\r\n";
    CHECK_INT(put_stream("BODY"), 0);
    CHECK_INT(s.connection_count, 3);
    CHECK_INT(aws_client_failure(&client)->code, 0);
    CHECK_INT(sent("BODY"), 1);
    stop();
}

/* From 1 MiB on, whatever the body; not below, nor for what isn't S3. */
static void test_expect_large(void)
{
    static char large[1048576];
    aws_service plain = aws_s3_service;
    aws_s3_args args = args_of("bucket", "key");
    size_t i;
    int r;

    for (i = 0; i < 4; i++) {
        setup();
        if (s.split_write == 1)
            s.split_write = 5000;
        if (s.split_write < 0)
            s.split_write = 700;
        s.continues = "HTTP/1.1 100 Continue\r\n\r\n";
        aws_session_init(&session, &config);
        plain.flags = i == 3 ? 0 : (unsigned)AWS_SERVICE_S3;
        CHECK_INT(aws_client_init(&client, &session, &plain, memory, sizeof memory), 0);
        args.body = i == 2 ? NULL : large;
        args.body_size = i == 2 ? 0 : sizeof large - (i == 1);
        ok("");
        SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
        CHECK_INT(r, 0);
        CHECK_INT(sent(EXPECT), i == 0 && variant != 2);
        stop();
    }
}

/* ---- Retries ---- */

static int entropy_of_ones(const aws_port *port, void *data, size_t size)
{
    (void)port;
    memset(data, 0xff, size);
    return 0;
}

/* What each mode tries again; both: 429, 5xx and throttling. */
static void test_retry_modes(void)
{
    static const struct {
        const char *status, *code;
        int standard, legacy;
    } all[] = {{"429 Too Many", "TooManyRequests", 1, 1},
               {"500 Internal", "InternalError", 1, 1},
               {"502 Bad Gateway", "x", 1, 1},
               {"503 Slow Down", "SlowDown", 1, 1},
               {"504 Gateway", "x", 1, 1},
               {"509 Bandwidth", "BandwidthLimitExceededX", 0, 1},
               {"400 Bad", "Throttling", 1, 1},
               {"400 Bad", "ThrottlingException", 1, 1},
               {"400 Bad", "ThrottledException", 1, 1},
               {"400 Bad", "RequestThrottledException", 1, 1},
               {"400 Bad", "RequestThrottled", 1, 1},
               {"400 Bad", "EC2ThrottledException", 1, 1},
               {"400 Bad", "TooManyRequestsException", 1, 1},
               {"400 Bad", "ProvisionedThroughputExceededException", 1, 1},
               {"400 Bad", "TransactionInProgressException", 1, 1},
               {"400 Bad", "RequestLimitExceeded", 1, 1},
               {"400 Bad", "BandwidthLimitExceeded", 1, 1},
               {"400 Bad", "LimitExceededException", 1, 1},
               {"400 Bad", "PriorRequestNotComplete", 1, 1},
               {"400 Bad", "RequestTimeoutException", 1, 1},
               {"400 Bad", "SlowDown", 1, 1},
               {"400 Bad", "ItemCollectionSizeLimitExceededException", 0, 0},
               {"400 Bad", "RequestTimeout", 1, 1},
               {"400 Bad", "BadDigest", 0, 1},
               {"501 Not", "NotImplemented", 0, 0},
               {"505 Version", "x", 0, 0},
               {"400 Bad", "InvalidArgument", 0, 0},
               {"404 Not Found", "NoSuchKey", 0, 0}};
    size_t i;
    unsigned mode;

    for (mode = AWS_RETRY_STANDARD; mode <= AWS_RETRY_LEGACY; mode++)
        for (i = 0; i < sizeof all / sizeof *all; i++) {
            int again = mode == AWS_RETRY_LEGACY ? all[i].legacy : all[i].standard;
            setup();
            config.retry_mode = mode;
            start();
            fail(all[i].status, "", all[i].code, "");
            if (again)
                ok("hello");
            CHECK_INT(get(), again ? 5 : AWS_ERR_SERVICE);
            CHECK_INT(s.requests, again + 1);
            CHECK_INT(s.sleep_count, variant == 1 || variant > 3 ? s.sleep_count : (unsigned)again);
            stop();
        }
}

static void test_retry_legacy(void)
{
    unsigned i;

    setup();
    if (variant != 0) {
        script_free(&s);
        return;
    }
    s.port.entropy = entropy_of_ones;
    config.retry_mode = AWS_RETRY_LEGACY;
    start();
    session.spent = 500; /* it has none */
    for (i = 0; i < 5; i++)
        fail("503 Slow Down", "", "SlowDown", "");
    CHECK_INT(get(), AWS_ERR_SERVICE);
    CHECK_INT(s.requests, 5);
    CHECK_INT(s.sleep_count, 4);
    for (i = 0; i < 4; i++)
        CHECK_INT(s.sleeps[i], (1000u << i) * 65535ull >> 16);
    CHECK_INT(aws_client_failure(&client)->attempts, 5);
    session.config.max_attempts = 9; /* the pause isn't limited */
    for (i = 0; i < 9; i++)
        fail("503 Slow Down", "", "SlowDown", "");
    CHECK_INT(get(), AWS_ERR_SERVICE);
    CHECK_INT(s.sleep_count, 12);
    CHECK_INT(s.sleeps[11], 128000ull * 65535 >> 16);
    stop();
}

static const char *env_names[3], *env_values[3];

static const char *env(const aws_port *port, const char *name)
{
    size_t i;

    (void)port;
    for (i = 0; i < 3; i++)
        if (env_names[i] && strcmp(env_names[i], name) == 0)
            return env_values[i];
    return NULL;
}

/* The configuration, then AWS_RETRY_MODE and AWS_MAX_ATTEMPTS, then standard. */
static void test_retry_environment(void)
{
    static const struct {
        unsigned mode, attempts;
        const char *env_mode, *env_attempts;
        unsigned legacy, made;
    } all[] = {{0, 0, NULL, NULL, 0, 3},      {0, 0, "legacy", NULL, 1, 5},
               {0, 0, "standard", NULL, 0, 3}, {0, 0, "adaptive", NULL, 0, 3},
               {0, 0, "", NULL, 0, 3},         {AWS_RETRY_STANDARD, 0, "legacy", NULL, 0, 3},
               {AWS_RETRY_LEGACY, 0, "standard", NULL, 1, 5},
               {0, 0, "legacy", "2", 1, 2},    {AWS_RETRY_LEGACY, 4, NULL, "2", 1, 4}};
    size_t i;
    unsigned k;

    for (i = 0; i < sizeof all / sizeof *all; i++) {
        setup();
        s.port.env = env;
        env_names[0] = "AWS_RETRY_MODE";
        env_values[0] = all[i].env_mode;
        env_names[1] = "AWS_MAX_ATTEMPTS";
        env_values[1] = all[i].env_attempts;
        config.retry_mode = all[i].mode;
        config.max_attempts = all[i].attempts;
        start();
        for (k = 0; k < all[i].made; k++)
            fail("503 Slow Down", "", "SlowDown", "");
        CHECK_INT(get(), AWS_ERR_SERVICE);
        CHECK_INT(s.requests, all[i].made);
        CHECK_INT(session.spent, all[i].legacy ? 0 : 5 * (all[i].made - 1));
        stop();
    }
}

/* The session's quota ends a storm: of 300 calls on 4 clients against a server that only says 503,
 * 100 retries are made, whoever makes them. */
static void serve_storm(script *storm, const script_request *request)
{
    script_reply(storm, request->connection,
                 "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n");
}

static void test_quota_stops_a_storm(void)
{
    static unsigned char memories[4][16384];
    static aws_client clients[4];
    aws_s3_args args = args_of("bucket", "key");
    unsigned i;
    int r;

    setup();
    s.serve = serve_storm;
    s.limit = 50000000;
    aws_session_init(&session, &config);
    for (i = 0; i < 4; i++)
        CHECK_INT(aws_client_init(&clients[i], &session, &aws_s3_service, memories[i], 16384), 0);
    for (i = 0; i < 300; i++) {
        SCRIPT_RUN(r, &s, &clients[i % 4], aws_s3_delete_object(&clients[i % 4], &args, NULL));
        CHECK_INT(r, AWS_ERR_SERVICE);
    }
    CHECK_INT(s.requests, 300 + 100);
    for (i = 0; i < 4; i++)
        SCRIPT_RUN(r, &s, &clients[i], aws_client_close(&clients[i]));
    aws_session_close(&session);
    script_free(&s);
}

/* ---- Hooks ---- */

static struct {
    unsigned sign, send, answer;
    char seen[2000];
    const char *name;
} hooked;

static void hook(void *context, aws_client *hooked_client, int when)
{
    size_t used = strlen(hooked.seen);
    char target[100];

    CHECK(context == &hooked);
    CHECK(hooked_client == &client);
    if (when == AWS_HOOK_SIGN) {
        hooked.sign++;
        aws_call_header(hooked_client, NULL, hooked.name, "from the hook");
    } else if (when == AWS_HOOK_SEND) {
        hooked.send++;
        CHECK(aws_client_target(hooked_client, target, sizeof target) > 0);
        CHECK_INT(aws_client_target(hooked_client, target, strlen(target) + 1), strlen(target));
        snprintf(hooked.seen + used, sizeof hooked.seen - used, "%s %s %s %s\n",
                 aws_client_call(hooked_client)->operation, aws_client_call(hooked_client)->method,
                 aws_client_host(hooked_client), target);
        CHECK_INT(aws_client_target(hooked_client, target, strlen(target)), AWS_ERR_MEMORY);
        CHECK_INT(aws_client_target(hooked_client, target, 0), AWS_ERR_MEMORY);
    } else {
        const char *id = aws_client_header(hooked_client, "x-amz-request-id");
        CHECK_INT(when, AWS_HOOK_ANSWER);
        hooked.answer++;
        snprintf(hooked.seen + used, sizeof hooked.seen - used, "%d %s\n",
                 aws_client_status(hooked_client), id ? id : "-");
    }
}

static void setup_hook(const char *name)
{
    setup();
    memset(&hooked, 0, sizeof hooked);
    hooked.name = name;
    config.hook = hook;
    config.hook_context = &hooked;
}

static void test_hooks(void)
{
    aws_s3_args args = args_of("bucket", "a b");
    int r;

    setup_hook("x-amz-meta-hook");
    start();
    say("503 Slow Down", "x-amz-request-id: R1\r\n", "", 0);
    ok("hello");
    args.version_id = "v/1";
    SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    CHECK_INT(hooked.sign, 1); /* once, though there were two attempts */
    CHECK_INT(hooked.send, 2);
    CHECK_INT(hooked.answer, 2);
    CHECK_STR(hooked.seen,
              "GetObject GET bucket.s3.eu-west-1.amazonaws.com /a%20b?versionId=v%2F1\n503 R1\n"
              "GetObject GET bucket.s3.eu-west-1.amazonaws.com /a%20b?versionId=v%2F1\n200 -\n");
    CHECK_INT(sent("x-amz-meta-hook: from the hook\r\n"), 2);
    CHECK_INT(sent("x-amz-date;x-amz-meta-hook, Signature="), 2);
    stop();
}

/* A header that can't be given fails the call before a byte is sent. */
static void test_hook_refused(void)
{
    setup_hook("host");
    start();
    CHECK_INT(get(), AWS_ERR_PARAM);
    CHECK_INT(s.connection_count, 0);
    CHECK_INT(hooked.send, 0);
    stop();
}

/* The questions for time and region are ours: no hook sees them. */
static void test_hook_no_probe(void)
{
    setup_hook("x-amz-meta-hook");
    s.unix_time = 0;
    config.clock_floor = 1760000000;
    start();
    fail_head("403 Forbidden", DATED("Fri, 02 Jan 2026 03:04:05"));
    ok("hello");
    CHECK_INT(get(), 5);
    CHECK_INT(hooked.sign + hooked.send + hooked.answer, 3);
    stop();
}

/* ---- Proxies ---- */

static aws_proxy proxy;

/* Plain http through a proxy. */
static void setup_proxy_http(const char *url, const char *except)
{
    setup_http();
    memset(&proxy, 0, sizeof proxy);
    proxy.use = aws_proxy_http;
    proxy.url = url;
    proxy.except = except;
    config.proxy = &proxy;
    config.log = keep_log;
    log_text[0] = 0;
}

/* https by BearSSL: what comes after CONNECT is a ClientHello. */
static void setup_proxy_https(const char *url, const char *except)
{
    setup_proxy_http(url, except);
    config.endpoint = "https://test.local";
    config.max_attempts = 1;
}

static void start_large(void)
{
    static unsigned char large[65536];

    aws_session_init(&session, &config);
    CHECK_INT(aws_client_init(&client, &session, &aws_s3_service, large, sizeof large), 0);
}

/* printf user:p%%40ss | base64 */
#define PROXY_USER "proxy-authorization: Basic dXNlcjpwQHNzOkNBTkFSWQ==\r\n"

static void test_proxy_http(void)
{
    setup_proxy_http("http://user:p%40ss%3ACANARY@Proxy.Local:3128/", NULL);
    start();
    ok("hello");
    fail_head("503 Slow Down", "");
    ok("");
    CHECK_INT(get(), 5);
    CHECK_INT(head_from("bucket"), 0);
    CHECK_STR(host_of(0), "proxy.local");
    CHECK_INT(s.connections[0].port_number, 3128);
    CHECK_INT(s.connection_count, 1);
    CHECK(strncmp(script_sent(&s, 0), "GET http://test.local:9000/bucket/key HTTP/1.1\r\n"
                                      "host: test.local:9000\r\n", 70) == 0);
    CHECK_INT(sent(PROXY_USER), 3);
    CHECK_INT(sent("CONNECT"), 0);
    CHECK_INT(sent("proxy-authorization;"), 0);
    CHECK(strstr(log_text, "proxy.local") != NULL);
    CHECK(strstr(log_text, "CANARY") == NULL);
    stop();
}

/* The signature is that of the same request without a proxy. */
static void test_proxy_signature(void)
{
    setup_proxy_http("http://proxy.local", NULL);
    config.region = "ap-south-1";
    start();
    ok("hello");
    CHECK_INT(get(), 5);
    CHECK_INT(s.connections[0].port_number, 80);
    CHECK_INT(sent("Signature=" REDIRECTED), 1);
    CHECK_INT(sent("proxy-authorization"), 0);
    stop();
}

/* A proxy that wants a password is named, and nothing secret is. */
static void test_proxy_http_407(void)
{
    setup_proxy_http("http://user:CANARY@proxy.local:3128", NULL);
    start();
    say("407 Proxy Authentication Required", "", "<html>", 0);
    CHECK_INT(get(), AWS_ERR_SERVICE);
    CHECK(strstr(aws_client_failure_text(&client), "aws_config.proxy") != NULL);
    CHECK(strstr(aws_client_failure_text(&client), "CANARY") == NULL);
    CHECK_INT(s.requests, 1);
    stop();
}

#define CONNECTS                                                                                   \
    "CONNECT test.local:443 HTTP/1.1\r\nhost: test.local:443\r\n" PROXY_USER "\r\n"

/* The tunnel carries TLS for the endpoint's host: a ClientHello with its name. */
static void test_proxy_connect(void)
{
    static const char *const answers[] = {"200 Connection established", "204 No"};
    size_t i, used = sizeof CONNECTS - 1;

    for (i = 0; i < 2; i++) {
        const char *hello;
        size_t at, size;
        int named = 0;
        setup_proxy_https("http://user:p%40ss:CANARY@proxy.local:3128", NULL);
        start_large();
        say(answers[i], "Via: x\r\n", "", 0);
        s.block_limit = 1000;
        config.connect_timeout = session.config.connect_timeout = 900000;
        session.config.call_timeout = 100000;
        CHECK_INT(get() == AWS_ERR_TIMEOUT, 1); /* this server is silent then */
        CHECK_STR(host_of(0), "proxy.local");
        hello = script_sent(&s, 0);
        size = script_sent_size(&s, 0);
        CHECK_MEM(hello, CONNECTS, used);
        CHECK(size > used + 50);
        CHECK(hello[used] == 0x16 && hello[used + 1] == 0x03);
        for (at = used; at + 10 < size; at++)
            named |= memcmp(hello + at, "test.local", 10) == 0;
        CHECK(named);
        CHECK(strstr(log_text, "CANARY") == NULL);
        s.step_at = s.step_count;
        stop();
    }
}

/* Each connection asks anew. */
static void test_proxy_again(void)
{
    setup_proxy_https("http://proxy.local:3128", NULL);
    config.max_attempts = 2;
    start_large();
    say("502 Bad Gateway", "", "", 0);
    say("403 Forbidden", "", "", 0);
    CHECK_INT(get(), AWS_ERR_CONNECT);
    CHECK(strstr(aws_client_failure_text(&client), "HTTP 403") != NULL);
    CHECK_INT(sent("CONNECT test.local:443 HTTP/1.1\r\n"), 2);
    CHECK_INT(s.connection_count, 2);
    stop();
}

static void test_proxy_refuses(void)
{
    static const struct {
        const char *status, *body;
        int code;
        const char *text;
    } all[] = {{"407 Authentication Required", "<html>", AWS_ERR_CREDENTIALS, "another user"},
               {"403 Forbidden", "", AWS_ERR_CONNECT, "answered CONNECT with HTTP 403"},
               {"502 Bad Gateway", "no", AWS_ERR_CONNECT, "answered CONNECT with HTTP 502"},
               {"301 Moved", "", AWS_ERR_CONNECT, "HTTP 301"}};
    size_t i;

    for (i = 0; i < 4; i++) {
        setup_proxy_https("http://user:CANARY@proxy.local:3128", NULL);
        start_large();
        say(all[i].status, "", all[i].body, 0);
        CHECK_INT(get(), all[i].code);
        CHECK_INT(aws_client_failure(&client)->code, all[i].code);
        CHECK(strstr(aws_client_failure_text(&client), all[i].text) != NULL);
        CHECK(strstr(aws_client_failure_text(&client), "proxy.local") != NULL);
        CHECK(strstr(aws_client_failure_text(&client), "CANARY") == NULL);
        CHECK_INT(s.connection_count, 1);
        stop();
    }
}

/* Cut at every byte, and what isn't HTTP: never a ClientHello. */
static void test_proxy_cut(void)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
    static char long_head[40000];
    static const char *const bad[] = {"HTTP/1.0\r\n\r\n", "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\n\n"};
    size_t i;

    for (i = 0; i < sizeof answer - 1; i++) {
        setup_proxy_https("http://proxy.local:3128", NULL);
        start_large();
        memset(&steps[0], 0, sizeof steps[0]);
        steps[0].answer = i ? answer : NULL;
        steps[0].size = i;
        steps[0].flags = i % 2 ? SCRIPT_FIN : SCRIPT_RESET;
        s.step_count = 1;
        CHECK_INT(get(), AWS_ERR_CLOSED);
        CHECK_INT(aws_client_failure(&client)->code, AWS_ERR_CLOSED);
        CHECK(strstr(aws_client_failure_text(&client), "proxy.local") != NULL);
        CHECK(strstr(script_sent(&s, 0), "\r\n\r\n")[4] == 0);
        stop();
    }
    memset(long_head, 'x', sizeof long_head - 1);
    memcpy(long_head, "HTTP/1.1 200 OK\r\nA: ", 20);
    for (i = 0; i < 4; i++) {
        setup_proxy_https("http://proxy.local:3128", NULL);
        start_large();
        memset(&steps[0], 0, sizeof steps[0]);
        steps[0].answer = i < 3 ? bad[i] : long_head;
        s.step_count = 1;
        CHECK_INT(get(), AWS_ERR_PROTOCOL);
        CHECK(strstr(aws_client_failure_text(&client), "proxy proxy.local gave") != NULL);
        CHECK(strstr(script_sent(&s, 0), "\r\n\r\n")[4] == 0);
        stop();
    }
}

static void test_proxy_unreached(void)
{
    setup_proxy_https("http://proxy.local:3128", NULL);
    s.refuses = 1;
    start_large();
    CHECK_INT(get(), AWS_ERR_CONNECT);
    CHECK(strstr(aws_client_failure_text(&client), "proxy.local") != NULL);
    s.lookup_fails = 1;
    CHECK_INT(get(), AWS_ERR_LOOKUP);
    CHECK(strstr(aws_client_failure_text(&client), "proxy.local") != NULL);
    stop();
}

/* A URL that can't be used is refused before a byte is sent, without its password. */
static void test_proxy_url(void)
{
    static const char *const bad[] = {"https://u:CANARY@proxy", "u:CANARY@proxy:x",
                                      "http://u:CANARY@",       "http://u:CANARY@pro xy",
                                      "http://u:CANARY@proxy:0", "http://u:CANARY@proxy:99999",
                                      "http://u:CANARY@proxy/x", "socks5://u:CANARY@proxy"};
    static char url[400], user[7 + 257 + 7];
    size_t i;

    memset(url, 'x', sizeof url - 1);
    memcpy(url, "http://u:CANARY@", 16);
    memset(user, 'x', sizeof user - 1); /* no password is cut */
    memcpy(user, "http://u:CANARY", 15);
    memcpy(user + 7 + 257, "@proxy", 6);
    for (i = 0; i < 10; i++) {
        setup_proxy_http(i < 8 ? bad[i] : i == 8 ? url : user, NULL);
        start();
        CHECK_INT(get(), AWS_ERR_PARAM);
        CHECK(strstr(aws_client_failure_text(&client), "is not http://[user") != NULL);
        CHECK(strstr(aws_client_failure_text(&client), "CANARY") == NULL);
        CHECK_INT(s.connection_count, 0);
        stop();
    }
    /* TLS of the port's own can't start in the middle of a connection */
    setup();
    memset(&proxy, 0, sizeof proxy);
    proxy.use = aws_proxy_http;
    proxy.url = "http://proxy:3128";
    config.proxy = &proxy;
    start();
    CHECK_INT(get(), AWS_ERR_UNSUPPORTED);
    CHECK_INT(s.connection_count, 0);
    stop();
}

static void test_proxy_except(void)
{
    static const struct {
        const char *except;
        int direct;
    } all[] = {{"*", 1},
               {"test.local", 1},
               {"TEST.local", 1},
               {".local", 1},
               {"local", 1},
               {"a.b, test.local ,c", 1},
               {"a,b,.test.local", 1},
               {"test.local:9000", 1},
               {"local:9000", 1},
               {"test.local:900", 0},
               {"test.local:90000", 0},
               {"", 0},
               {",, ,", 0},
               {"est.local", 0},
               {"x.test.local", 0},
               {"test.local.x", 0},
               {"test", 0},
               {"a*", 0},
               {":9000", 0},
               {".", 0}};
    size_t i;

    for (i = 0; i < sizeof all / sizeof *all; i++) {
        setup_proxy_http("http://proxy:3128", all[i].except);
        start();
        ok("hello");
        CHECK_INT(get(), 5);
        if (!CHECK_STR(host_of(0), all[i].direct ? "test.local" : "proxy"))
            fprintf(stderr, "except '%s'\n", all[i].except);
        CHECK_INT(sent("GET http://"), !all[i].direct);
        stop();
    }
}

/* Without a URL the environment's, lower case first; without aws_config.proxy nobody's. */
static void test_proxy_environment(void)
{
    static const struct {
        const char *names[3], *values[3];
        int named;
        const char *host;
    } all[] = {{{"HTTP_PROXY"}, {"http://upper"}, 1, "upper"},
               {{"HTTP_PROXY", "http_proxy"}, {"http://upper", "http://lower"}, 1, "lower"},
               {{"HTTPS_PROXY"}, {"http://upper"}, 1, "test.local"},
               {{"HTTP_PROXY", "NO_PROXY"}, {"http://upper", "test.local"}, 1, "test.local"},
               {{"HTTP_PROXY", "NO_PROXY", "no_proxy"},
                {"http://upper", "test.local", "other"}, 1, "upper"},
               {{"HTTP_PROXY"}, {"http://upper"}, 0, "test.local"},
               {{NULL}, {NULL}, 1, "test.local"}};
    size_t i;

    for (i = 0; i < sizeof all / sizeof *all; i++) {
        setup_proxy_http(NULL, NULL);
        if (!all[i].named)
            config.proxy = NULL;
        s.port.env = env;
        memcpy(env_names, all[i].names, sizeof env_names);
        memcpy(env_values, all[i].values, sizeof env_values);
        start();
        ok("hello");
        CHECK_INT(get(), 5);
        CHECK_STR(host_of(0), all[i].host);
        stop();
    }
    setup_proxy_https(NULL, NULL);
    s.port.env = env;
    memset(env_names, 0, sizeof env_names);
    env_names[0] = "HTTPS_PROXY";
    env_values[0] = "http://upper";
    start_large();
    say("403 Forbidden", "", "", 0);
    CHECK_INT(get(), AWS_ERR_CONNECT);
    CHECK_STR(host_of(0), "upper");
    stop();
}

/* The questions for the time and a region go through it, too. */
static void test_proxy_probe(void)
{
    setup_proxy_http("http://proxy", NULL);
    s.unix_time = 0;
    config.clock_floor = 1760000000;
    start();
    fail_head("403 Forbidden", DATED("Fri, 02 Jan 2026 03:04:05"));
    ok("hello");
    CHECK_INT(get(), 5);
    CHECK(strncmp(script_sent(&s, 0), "HEAD http://test.local:9000/ HTTP/1.1\r\n", 39) == 0);
    stop();
}

/* ---- Conditional writes ---- */

/* printf hello | md5sum; crc32 of hello in base64 */
#define HELLO_MD5 "5d41402abc4b2a76b9719d911017c592"
#define HELLO_CRC "NhCmhg=="

static int put_once(const char *text, aws_s3_result *result)
{
    aws_s3_args args = args_of("bucket", "key");
    int r;

    args.body = text;
    args.body_size = strlen(text);
    args.if_none_match = "*";
    SCRIPT_RUN(r, &s, &client, aws_s3_put_once(&client, &args, result));
    return r;
}

static void head_says(const char *headers)
{
    size_t used = (size_t)snprintf(pool + pool_used, 300, "HTTP/1.1 200 OK\r\n%s\r\n", headers) + 1;

    memset(&steps[s.step_count], 0, sizeof *steps);
    steps[s.step_count++].answer = pool + pool_used;
    pool_used += used;
}

static void lose(unsigned flags)
{
    memset(&steps[s.step_count], 0, sizeof *steps);
    steps[s.step_count++].flags = flags;
}

/* The answer is lost, the retry says 412, and the object is what was sent: it was ours. */
static void test_put_once_was_ours(void)
{
    static const char *const heads[] = {
        "Content-Length: 5\r\nETag: \"" HELLO_MD5 "\"\r\n",
        "Content-Length: 5\r\nETag: \"x-2\"\r\nx-amz-checksum-crc32: " HELLO_CRC "\r\n"};
    aws_s3_result result;
    size_t i, how;

    for (how = 0; how < 3; how++)
        for (i = 0; i < 2; i++) {
            setup();
            start();
            if (how == 2)
                fail("500 Internal", "", "InternalError", "");
            else
                lose(how ? SCRIPT_FIN : SCRIPT_RESET);
            fail("412 Precondition Failed", "", "PreconditionFailed", "");
            head_says(heads[i]);
            CHECK_INT(put_once("hello", &result), 0);
            CHECK_INT(aws_client_failure(&client)->code, 0);
            CHECK_INT(sent("if-none-match: *\r\n"), 2);
            CHECK_INT(sent("HEAD /key HTTP/1.1\r\n"), 1);
            CHECK_INT(sent("x-amz-checksum-mode: ENABLED\r\n"), 1);
            CHECK_STR(result.etag, i ? "\"x-2\"" : "\"" HELLO_MD5 "\"");
            ok("");
            CHECK_INT(put_once("hello", NULL), 0); /* nothing of it is left */
            stop();
        }
}

/* A kept connection that dies is tried again at once: its answer is lost likewise. */
static void test_put_once_stale(void)
{
    setup();
    start();
    ok("hello");
    lose(SCRIPT_FIN);
    fail("412 Precondition Failed", "", "PreconditionFailed", "");
    head_says("Content-Length: 5\r\nETag: \"" HELLO_MD5 "\"\r\n");
    CHECK_INT(get(), 5);
    CHECK_INT(put_once("hello", NULL), 0);
    stop();
}

static void test_put_once_was_not_ours(void)
{
    static const char *const heads[] = {
        "Content-Length: 5\r\nETag: \"5d41402abc4b2a76b9719d911017c593\"\r\n",
        "Content-Length: 6\r\nETag: \"" HELLO_MD5 "\"\r\n",
        "Content-Length: 5\r\nETag: \"x\"\r\nx-amz-checksum-crc32: NhCmhw==\r\n",
        "Content-Length: 5\r\n"};
    size_t i;

    for (i = 0; i < 4; i++) {
        setup();
        start();
        lose(SCRIPT_FIN);
        fail("412 Precondition Failed", "", "PreconditionFailed", "");
        head_says(heads[i]);
        CHECK_INT(put_once("hello", NULL), AWS_ERR_SERVICE);
        CHECK_INT(reason(), AWS_REASON_NOT_APPLIED);
        CHECK_INT(aws_client_failure(&client)->code, AWS_ERR_SERVICE);
        stop();
    }
}

/* A 412 at first sight is one: nobody is asked. */
static void test_put_once_fails(void)
{
    setup();
    start();
    fail("412 Precondition Failed", "", "PreconditionFailed", "");
    CHECK_INT(put_once("hello", NULL), AWS_ERR_SERVICE);
    CHECK_STR(aws_code(), "PreconditionFailed");
    CHECK_INT(s.requests, 1);
    fail("301 Moved", IN("ap-south-1"), "PermanentRedirect", ""); /* no answer was lost */
    fail("412 Precondition Failed", "", "PreconditionFailed", "");
    CHECK_INT(put_once("hello", NULL), AWS_ERR_SERVICE);
    CHECK_INT(s.requests, 3);
    stop();
}

/* The object can't be looked at: it stays a maybe, as for put_object. */
static void test_maybe_applied(void)
{
    setup();
    start();
    lose(SCRIPT_FIN);
    fail("412 Precondition Failed", "", "PreconditionFailed", "");
    fail_head("403 Forbidden", "");
    CHECK_INT(put_once("hello", NULL), AWS_ERR_SERVICE);
    CHECK_INT(reason(), AWS_REASON_MAYBE_APPLIED);
    CHECK(strstr(aws_client_failure_text(&client), "may have stored 'key' itself") != NULL);
    lose(SCRIPT_FIN);
    fail("412 Precondition Failed", "", "PreconditionFailed", "");
    CHECK_INT(put("hello"), AWS_ERR_SERVICE);
    CHECK_INT(reason(), AWS_REASON_MAYBE_APPLIED);
    lose(SCRIPT_FIN); /* another refusal met no condition */
    fail("403 Forbidden", "", "AccessDenied", "");
    CHECK_INT(put("hello"), AWS_ERR_SERVICE);
    CHECK(reason() < 32);
    lose(SCRIPT_FIN); /* reading applies nothing */
    fail("412 Precondition Failed", "", "PreconditionFailed", "");
    CHECK_INT(get(), AWS_ERR_SERVICE);
    CHECK(reason() < 32);
    stop();
}

/* Cancelled while it asks: the next one begins anew. */
static void test_put_once_cancelled(void)
{
    aws_s3_args args = args_of("bucket", "key");
    int r;

    setup();
    if (variant == 2) {
        script_free(&s);
        return;
    }
    config.no_wait = 1;
    start();
    lose(SCRIPT_FIN);
    fail("412 Precondition Failed", "", "PreconditionFailed", "");
    args.body = "hello";
    args.body_size = 5;
    do
        r = aws_s3_put_once(&client, &args, NULL);
    while (r == AWS_AGAIN && s.requests < 3 && script_idle(&s, &client));
    CHECK_INT(r, AWS_AGAIN);
    CHECK_INT(sent("HEAD /key"), 1);
    aws_client_cancel(&client);
    ok("");
    CHECK_INT(put_once("hello", NULL), 0);
    CHECK_INT(sent("PUT /key"), 3);
    stop();
}

/* Each attempt's error document is read up to the limit, whatever came before. */
static void test_long_errors(void)
{
    static char body[20100];
    int n = snprintf(body, sizeof body, "<Error><!--%20000s--><Code>NoSuchKey</Code></Error>", "");

    setup();
    if (variant == 3) { /* byte by byte it takes too long */
        script_free(&s);
        return;
    }
    CHECK(n < (int)sizeof body);
    start();
    say("503 Slow Down", "", body, 0);
    say("404 Not Found", "", body, 0);
    CHECK_INT(get(), AWS_ERR_SERVICE);
    CHECK_STR(aws_code(), "NoSuchKey");
    CHECK_INT(s.connection_count, 1);
    stop();
}

/* After the time for the call nothing is repeated. */
static void test_cure_in_time(void)
{
    setup();
    if (variant != 0) {
        script_free(&s);
        return;
    }
    config.call_timeout = 500;
    s.drip = 10;
    start();
    fail("301 Moved", IN("ap-south-1"), "PermanentRedirect", "");
    CHECK_INT(get(), AWS_ERR_TIMEOUT);
    CHECK_INT(s.requests, 1);
    stop();
}

/* ---- All of them ---- */

typedef struct test {
    const char *name;
    void (*run)(void);
} test;

#define TEST(name)                                                                                 \
    {                                                                                              \
#name, test_##name                                                                         \
    }

static const test tests[] = {TEST(redirect_status),
                             TEST(redirect_signature),
                             TEST(redirect_region_of_header_first),
                             TEST(redirect_malformed_authorization),
                             TEST(redirect_head),
                             TEST(redirect_illegal_location),
                             TEST(redirect_asks_the_bucket),
                             TEST(no_redirect),
                             TEST(redirect_once),
                             TEST(region_is_remembered),
                             TEST(region_is_learnt_anew),
                             TEST(region_is_checked),
                             TEST(location_is_not_followed),
                             TEST(redirect_custom_endpoint),
                             TEST(redirect_bodies),
                             TEST(redirect_sink),
                             TEST(redirect_is_of_the_service),
                             TEST(home_region),
                             TEST(skew),
                             TEST(skew_head),
                             TEST(no_skew),
                             TEST(skew_of_a_slow_request),
                             TEST(skew_once),
                             TEST(clock_is_set),
                             TEST(skew_is_of_the_session),
                             TEST(expired_token),
                             TEST(expired_token_once),
                             TEST(expired_token_provider_fails),
                             TEST(expired_token_fixed),
                             TEST(provider_abandoned),
                             TEST(expired_token_of_two),
                             TEST(all_cures),
                             TEST(expect_continue),
                             TEST(expect_waits_a_second),
                             TEST(expect_refused),
                             TEST(expect_saves_the_body),
                             TEST(expect_after_probe),
    TEST(finish_too_early),
    TEST(unexpected_417),
                             TEST(expect_unanswered),
                             TEST(expect_large),
                             TEST(retry_modes),
                             TEST(retry_legacy),
                             TEST(retry_environment),
                             TEST(quota_stops_a_storm),
                             TEST(hooks),
                             TEST(hook_refused),
                             TEST(hook_no_probe),
                             TEST(proxy_http),
                             TEST(proxy_signature),
                             TEST(proxy_http_407),
                             TEST(proxy_connect),
                             TEST(proxy_refuses),
                             TEST(proxy_again),
                             TEST(proxy_cut),
                             TEST(proxy_unreached),
                             TEST(proxy_url),
                             TEST(proxy_except),
                             TEST(proxy_environment),
                             TEST(proxy_probe),
                             TEST(put_once_was_ours),
                             TEST(put_once_stale),
                             TEST(put_once_was_not_ours),
                             TEST(put_once_fails),
                             TEST(maybe_applied),
                             TEST(put_once_cancelled),
                             TEST(long_errors),
                             TEST(cure_in_time)};

int main(int argc, char **argv)
{
    size_t i;

    alarm(2000);
    for (variant = 0; variant < VARIANTS; variant++)
        for (i = 0; i < sizeof tests / sizeof *tests; i++) {
            unsigned long failed = check_failed;
            if (argc > 1 && strcmp(argv[1], tests[i].name) != 0)
                continue;
            tests[i].run();
            if (check_failed != failed)
                fprintf(stderr, "^ in test %s, port %d\n", tests[i].name, variant);
        }
    return CHECK_DONE();
}

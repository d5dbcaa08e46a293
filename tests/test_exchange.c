/* test_exchange.c - calls over a scripted port (script_port.h): what goes out, what comes back,
 * retries, time-outs, cancel, streams, credentials, the clock.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_exchange.c -lbearssl && ./a.out [name of a test]
 */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "../aws_s3.h"
#include "check.h"
#include "script_port.h"
#include <unistd.h>

/* ---- The rig: one session and client over a fresh script ---- */

#define ACCESS "AKIDEXAMPLE"
#define SECRET "CANARY+secret/wJalrXUtnFEMI"
#define TOKEN  "CANARY-token-FQoGZXIvYXdzEBY"

static script s;
static aws_config config;
static aws_session session;
static aws_client client;
static unsigned char memory[16384];
static script_step steps[700];
static char pool[300000]; /* answers made by ok() */
static size_t pool_used;
static char log_text[100000];
static uint32_t start_tick = 1000;

static void keep_log(void *context, const char *line)
{
    size_t used = strlen(log_text);

    (void)context;
    if (used + strlen(line) + 2 < sizeof log_text)
        snprintf(log_text + used, sizeof log_text - used, "%s\n", line);
}

/* Before start: the defaults, to be changed by the test. */
static void setup(script_mode mode)
{
    script_free(&s);
    script_init(&s, mode);
    s.steps = steps;
    s.tick = start_tick;
    pool_used = 0;
    memset(&config, 0, sizeof config);
    config.access_key_id = ACCESS;
    config.secret_access_key = SECRET;
    config.region = "us-east-1";
    config.endpoint = "http://test.local:9000";
    config.port = &s.port;
    config.log = keep_log;
    log_text[0] = 0;
}

/* https whose TLS the port does: the bytes are still readable here. */
static void setup_secure(script_mode mode)
{
    setup(mode);
    s.port.flags |= AWS_PORT_TLS;
    config.endpoint = "https://test.local";
}

static void start(void)
{
    aws_session_init(&session, &config);
    CHECK_INT(aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory), 0);
}

/* No connection left, no breach of contract. */
static void stop_client(aws_client *c)
{
    int r;

    SCRIPT_RUN(r, &s, c, aws_client_close(c));
    CHECK_INT(r, 0);
}

static void stop(void)
{
    stop_client(&client);
    CHECK_INT(script_left_open(&s), 0);
    CHECK_INT(s.breaches, 0);
    aws_session_close(&session);
    script_free(&s);
}

/* The server's next answer. */
static void say(const char *answer, unsigned flags)
{
    steps[s.step_count].answer = answer;
    steps[s.step_count].size = 0;
    steps[s.step_count].after = 0;
    steps[s.step_count++].flags = flags;
}

/* "HTTP/1.1 <status>", headers (each with CR LF) and a body with its length. */
static const char *answer(const char *status, const char *headers, const char *body)
{
    char *text = pool + pool_used;
    int n =
        snprintf(text, sizeof pool - pool_used, "HTTP/1.1 %s\r\n%sContent-Length: %lu\r\n\r\n%s",
                 status, headers, (unsigned long)strlen(body), body);

    pool_used += (size_t)n + 1;
    if (pool_used >= sizeof pool)
        abort();
    return text;
}

static void ok(const char *headers, const char *body)
{
    say(answer("200 OK", headers, body), 0);
}

static const char error_500[] = "<Error><Code>InternalError</Code><Message>try again</Message>"
                                "<RequestId>R500</RequestId></Error>";

static void fail(const char *status, const char *code)
{
    char body[200];

    snprintf(body, sizeof body,
             "<?xml version=\"1.0\"?>\n<Error><Code>%s</Code><Message>no</Message></Error>", code);
    say(answer(status, "", body), 0);
}

static aws_s3_args args_of(const char *key)
{
    aws_s3_args args;

    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = key;
    return args;
}

/* What most tests do. */
static int put_text(const char *text)
{
    aws_s3_args args = args_of("key");
    int r;

    args.body = text;
    args.body_size = strlen(text);
    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    return r;
}

static char got[70000];

static int get_text_of(const char *key, size_t room)
{
    aws_s3_args args = args_of(key);
    int r;

    memset(got, 0, sizeof got);
    args.buffer = got;
    args.buffer_size = room;
    SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
    return r;
}

static int get_text(void)
{
    return get_text_of("key", sizeof got - 1);
}

static int failure_code(void)
{
    return aws_client_failure(&client)->code;
}

/* The n-th request head of a connection; counts them if n is too large. */
static unsigned count_of(const char *text, const char *part)
{
    unsigned n = 0;

    while ((text = strstr(text, part)) != NULL) {
        n++;
        text++;
    }
    return n;
}

/* Requests, on all connections. */
static unsigned requests_sent(void)
{
    unsigned i, n = 0;

    for (i = 0; i < s.connection_count; i++)
        n += count_of(script_sent(&s, i), " HTTP/1.1\r\n");
    return n;
}

static const script_mode modes[] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS};

/* ---- Requests ---- */

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HOST  "host: test.local:9000\r\n"
#define DATE  "x-amz-date: 20260102T030405Z\r\n"
#define AGENT "user-agent: aws.h/" AWS_VERSION "\r\n"
#define AUTHORIZATION(names, signature)                                                            \
    "authorization: AWS4-HMAC-SHA256 Credential=" ACCESS                                           \
    "/20260102/us-east-1/s3/aws4_request, SignedHeaders=" names ", Signature=" signature           \
    "\r\n\r\n"
#define NAMES "host;x-amz-content-sha256;x-amz-date"

static void put_all(void)
{
    static const aws_pair metadata[] = {{"color", "light  blue"}, {"a", "1"}};
    static const aws_pair headers[] = {{"x-amz-meta-b", "2"}};
    aws_s3_args args = args_of("a/b c+\xc3\xa9.txt");
    int r;

    args.body = "hello";
    args.body_size = 5;
    args.content_type = "text/plain";
    args.metadata = metadata;
    args.metadata_count = 2;
    args.headers = headers;
    args.headers_count = 1;
    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    CHECK_INT(r, 0);
}

static void get_all(void)
{
    aws_s3_args args = args_of("../x//y");
    int r;

    args.range = "bytes=0-9";
    args.version_id = "v/1=";
    args.part_number = 3;
    args.buffer = got;
    args.buffer_size = sizeof got;
    SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
    CHECK_INT(r, 5);
}

static void list_all(void)
{
    aws_s3_args args = args_of(NULL);
    int r;

    args.prefix = "2026/";
    args.delimiter = "/";
    args.max_keys = 7;
    args.fetch_owner = 1;
    args.start_after = "2026/a b&c";
    args.encoding_type = "url";
    args.buffer = got;
    args.buffer_size = sizeof got;
    SCRIPT_RUN(r, &s, &client, aws_s3_list_objects_v2(&client, &args, NULL));
    CHECK_INT(r, 5);
}

static void delete_all(void)
{
    static const aws_s3_key keys[] = {{"a&b", NULL}, {"c\nd", "v1"}};
    aws_s3_args args = args_of(NULL);
    aws_s3_result result;
    int r;

    args.objects = keys;
    args.object_count = 2;
    SCRIPT_RUN(r, &s, &client, aws_s3_delete_objects(&client, &args, &result));
    CHECK_INT(r, 0);
}

static void simple(int (*call)(aws_client *, const aws_s3_args *, aws_s3_result *), const char *key)
{
    aws_s3_args args = args_of(key);
    int r;

    if (call == aws_s3_copy)
        args.copy_source = "from/a b?c?versionId=x/y";
    SCRIPT_RUN(r, &s, &client, call(&client, &args, NULL));
    CHECK_INT(r, 0);
}

static void head_all(void)
{
    simple(aws_s3_head_object, "key");
}

static void delete_one(void)
{
    simple(aws_s3_delete_object, "key");
}

static void copy_all(void)
{
    simple(aws_s3_copy, "to");
}

static void create_all(void)
{
    simple(aws_s3_create_bucket, NULL);
}

static void create_located(void)
{
    aws_s3_args args = args_of(NULL);
    int r;

    args.location_constraint = "eu-west-1";
    SCRIPT_RUN(r, &s, &client, aws_s3_create_bucket(&client, &args, NULL));
    CHECK_INT(r, 0);
}

static void list_buckets_all(void)
{
    aws_s3_args args = args_of(NULL);
    int r;

    args.bucket = NULL;
    args.buffer = got;
    args.buffer_size = sizeof got;
    SCRIPT_RUN(r, &s, &client, aws_s3_list_buckets(&client, &args, NULL));
    CHECK_INT(r, 5);
}

#define OK_LENGTH(length) "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n"
#define DELETE_BODY                                                                                \
    "<Delete "                                                                                     \
    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;b</Key></Object>"        \
    "<Object><Key>c&#xA;d</Key><VersionId>v1</VersionId></Object></Delete>"
#define LOCATION_BODY                                                                              \
    "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"                \
    "<LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>"

/* Signatures by an implementation of SigV4 in Python (hmac, hashlib) from these same texts. */
static const struct {
    void (*run)(void);
    const char *answer, *request;
} request_tests[] = {
    {put_all, OK_LENGTH("0"),
     "PUT /bucket/a/b%20c%2B%C3%A9.txt HTTP/1.1\r\ncontent-type: text/plain\r\n" HOST
     "x-amz-checksum-crc32: NhCmhg==\r\nx-amz-content-sha256: "
     "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\r\n" DATE
     "x-amz-meta-a: 1\r\nx-amz-meta-b: 2\r\nx-amz-meta-color: light  blue\r\n"
     "x-amz-sdk-checksum-algorithm: CRC32\r\ncontent-length: 5\r\n" AGENT AUTHORIZATION(
         "content-type;host;x-amz-checksum-crc32;x-amz-content-sha256;x-amz-date;x-amz-meta-a;"
         "x-amz-meta-b;x-amz-meta-color;x-amz-sdk-checksum-algorithm",
         "a6f69a5e6701a7944486dd3da0150703935687f66971c460b32faa2b62a39d5e") "hello"},
    {get_all, OK_LENGTH("5") "hello",
     "GET /bucket/../x//y?partNumber=3&versionId=v%2F1%3D HTTP/1.1\r\n" HOST
     "range: bytes=0-9\r\nx-amz-checksum-mode: ENABLED\r\nx-amz-content-sha256: " EMPTY
     "\r\n" DATE AGENT AUTHORIZATION(
         "host;range;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date",
         "a75f05a9f536bfb9c63eb23482602be134e7f8af62b63ad317cf9cc514f53c2d")},
    {head_all, OK_LENGTH("12345"),
     "HEAD /bucket/key HTTP/1.1\r\n" HOST "x-amz-content-sha256: " EMPTY "\r\n" DATE AGENT
         AUTHORIZATION(NAMES, "40a009f4939df1f6851b692d8952efe027cfcd827034b9cc9535fc7da12caf8e")},
    {delete_one, "HTTP/1.1 204 No Content\r\n\r\n",
     "DELETE /bucket/key HTTP/1.1\r\n" HOST "x-amz-content-sha256: " EMPTY "\r\n" DATE AGENT
         AUTHORIZATION(NAMES, "383e88731354a30a4820b95c8b84ee40a89144f801b21a0c5b870deeac42e6a0")},
    {copy_all, OK_LENGTH("54") "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>\n",
     "PUT /bucket/to HTTP/1.1\r\n" HOST "x-amz-content-sha256: " EMPTY "\r\n"
     "x-amz-copy-source: from/a%20b%3Fc?versionId=x/y\r\n" DATE
     "content-length: 0\r\n" AGENT AUTHORIZATION(
         "host;x-amz-content-sha256;x-amz-copy-source;x-amz-date",
         "1f02709a687a420e01d9f9d3b48fbc93e1233df369e4aa079d9191c6a9c8f7cc")},
    {list_all, OK_LENGTH("5") "<a/>\n",
     "GET /bucket?delimiter=%2F&encoding-type=url&fetch-owner=true&list-type=2&max-keys=7"
     "&prefix=2026%2F&start-after=2026%2Fa%20b%26c HTTP/1.1\r\n" HOST "x-amz-content-sha256: " EMPTY
     "\r\n" DATE AGENT AUTHORIZATION(
         NAMES, "d4f1283c8d3946f1f98dbde4c3be3f28d33036dc683383f427e79b826dc6c7a6")},
    {delete_all, OK_LENGTH("16") "<DeleteResult/>\n",
     "POST /bucket?delete= HTTP/1.1\r\n" HOST
     "x-amz-checksum-crc32: 80pZDg==\r\nx-amz-content-sha256: "
     "314c222de95a0f2f3108f9785ef991832ab730b338c719cbfeb52521f20a1403\r\n" DATE
     "x-amz-sdk-checksum-algorithm: CRC32\r\ncontent-length: 160\r\n" AGENT AUTHORIZATION(
         "host;x-amz-checksum-crc32;x-amz-content-sha256;x-amz-date;x-amz-sdk-checksum-algorithm",
         "2496f8c50b138b036190acc83cdc4411e5d66dcd44e183cbb10feeeea22bbb8e")
         DELETE_BODY},
    {create_all, OK_LENGTH("0"),
     "PUT /bucket HTTP/1.1\r\n" HOST "x-amz-content-sha256: " EMPTY "\r\n" DATE
     "content-length: 0\r\n" AGENT AUTHORIZATION(
         NAMES, "5e3daf75c1dce63afd4563e21c84c904a0fff82f7fa6bd8cff82e1ee56160920")},
    {create_located, OK_LENGTH("0"),
     "PUT /bucket HTTP/1.1\r\n" HOST "x-amz-content-sha256: "
     "a2531158b25edb57200e54140cc1b12d0af943f596ea467c2fbbedcc16223cc5\r\n" DATE
     "content-length: 153\r\n" AGENT AUTHORIZATION(
         NAMES, "b02ba3cd1347842db6181b067308c83cf86a92fa8d08b7d0f2895a229711b59e") LOCATION_BODY},
    {list_buckets_all, OK_LENGTH("5") "<a/>\n",
     "GET / HTTP/1.1\r\n" HOST "x-amz-content-sha256: " EMPTY "\r\n" DATE AGENT AUTHORIZATION(
         NAMES, "0c27accef51a2cacc85017a74355fa7afc210858366a372344351cc240f4dd81")}};

static void test_requests(void)
{
    size_t i, m;

    for (m = 0; m < 3; m++)
        for (i = 0; i < sizeof request_tests / sizeof *request_tests; i++) {
            setup(modes[m]);
            start();
            say(request_tests[i].answer, 0);
            request_tests[i].run();
            CHECK_STR(script_sent(&s, 0), request_tests[i].request);
            CHECK_INT(s.connection_count, 1);
            CHECK_INT(s.sends, m == 1 ? s.sends : 1); /* head and body in one send */
            stop();
        }
}

/* All of them on one kept connection, sent byte by byte with AGAINs: the same bytes. */
static void test_requests_in_a_row(void)
{
    char all[20000] = "";
    size_t i;

    setup(SCRIPT_NEVER_WAITS);
    s.split_write = s.split_read = 1;
    s.again_always = 1;
    start();
    for (i = 0; i < sizeof request_tests / sizeof *request_tests; i++) {
        say(request_tests[i].answer, 0);
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s", request_tests[i].request);
        request_tests[i].run();
    }
    CHECK_INT(s.connection_count, 1);
    CHECK_INT((long)script_sent_size(&s, 0), (long)strlen(all));
    s.elapsed = 0;
    CHECK(strncmp(script_sent(&s, 0), all, 400) == 0);
    stop();
}

/* A token, virtual hosts, AWS's own host names. */
static void test_targets(void)
{
    static const struct {
        const char *endpoint, *region, *host;
        unsigned port_number, addressing;
        const char *line;
    } targets[] = {
        {NULL, "us-east-1", "bucket.s3.us-east-1.amazonaws.com", 443, 0, "GET /key HTTP/1.1\r\n"},
        {NULL, "cn-north-1", "s3.cn-north-1.amazonaws.com.cn", 443, AWS_ADDRESSING_PATH,
         "GET /bucket/key HTTP/1.1\r\n"},
        {"https://store.test:8443/", "us-east-1", "store.test", 8443, 0,
         "GET /bucket/key HTTP/1.1\r\n"},
        {"https://store.test", "us-east-1", "bucket.store.test", 443, AWS_ADDRESSING_VIRTUAL,
         "GET /key HTTP/1.1\r\n"},
        {"https://[::1]:9000", "us-east-1", "::1", 9000, AWS_ADDRESSING_VIRTUAL,
         "GET /bucket/key HTTP/1.1\r\nhost: [::1]:9000\r\n"}};
    size_t i;

    for (i = 0; i < sizeof targets / sizeof *targets; i++) {
        setup_secure(SCRIPT_WAITS);
        config.endpoint = targets[i].endpoint;
        config.region = targets[i].region;
        config.addressing = targets[i].addressing;
        config.session_token = TOKEN;
        start();
        ok("", "hello");
        CHECK_INT(get_text(), 5);
        CHECK_STR(s.connections[0].host, targets[i].host);
        CHECK_INT(s.connections[0].port_number, targets[i].port_number);
        CHECK(strncmp(script_sent(&s, 0), targets[i].line, strlen(targets[i].line)) == 0);
        CHECK(strstr(script_sent(&s, 0), "\r\nx-amz-security-token: " TOKEN "\r\n") != NULL);
        CHECK(strstr(script_sent(&s, 0), "SignedHeaders=host;x-amz-checksum-mode;x-amz-content-sha256;"
                                          "x-amz-date;x-amz-security-token,") != NULL);
        stop();
    }
}

/* ---- Answers ---- */

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static void test_answers(void)
{
    static const struct {
        const char *answer;
        int result;
        int reused;
        const char *body;
    } answers[] = {
        {OK_LENGTH("5") "hello", 5, 1, "hello"},
        {OK_LENGTH("0"), 0, 1, ""},
        {CHUNKED "5\r\nhello\r\n0\r\n\r\n", 5, 1, "hello"},
        {CHUNKED "0002\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nX-Trailer: y\r\n\r\n", 5, 1, "hello"},
        {CHUNKED "0\r\n\r\n", 0, 1, ""},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Length: "
         "77\r\n\r\n" OK_LENGTH("5") "hello",
         5, 1, "hello"},
        {"HTTP/1.1 206 Partial Content\r\ncontent-length:5 \r\n\r\nhello", 5, 1, "hello"},
        {"HTTP/1.1 200\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 5, 1, "hello"},
        {"HTTP/1.1 204 No Content\r\n\r\n", 0, 1, ""},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", 5, 0, "hello"},
        {"HTTP/1.1 200 OK\r\nConnection: x, CLOSE\r\nContent-Length: 5\r\n\r\nhello", 5, 0,
         "hello"},
        {OK_LENGTH("5") "hello+", 5, 0, "hello"},
        {OK_LENGTH("5") "helloHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 5, 0, "hello"},
        {"HTTP/1.1 204 No Content\r\n\r\nbody", 0, 0, ""},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", AWS_ERR_SERVICE, 1, ""},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", AWS_ERR_SERVICE, 1, ""},
        {"HTTP/1.1 404 Not Found\r\n\r\nwhatever", AWS_ERR_SERVICE, 0, ""},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nno <xml>!", AWS_ERR_SERVICE, 1, ""},
        {"HTTP/1.1 200 OK\r\n\r\nhello", AWS_ERR_PROTOCOL, 0, ""},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", AWS_ERR_PROTOCOL, 0, ""},
        {"HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello", AWS_ERR_PROTOCOL, 0, ""},
        {"HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello", AWS_ERR_PROTOCOL, 0, ""},
        {"HTTP/1.1 101 Switching\r\n\r\n", AWS_ERR_PROTOCOL, 0, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", AWS_ERR_PROTOCOL,
         0, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", AWS_ERR_PROTOCOL, 0, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nhello", AWS_ERR_PROTOCOL, 0, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n", AWS_ERR_PROTOCOL, 0,
         ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         AWS_ERR_PROTOCOL, 0, ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", AWS_ERR_PROTOCOL,
         0, ""},
        {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n", AWS_ERR_PROTOCOL, 0, ""},
        {"HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n", AWS_ERR_PROTOCOL, 0, ""},
        {"HTTP/1.1 200 OK\r\nA\r\nContent-Length: 0\r\n\r\n", AWS_ERR_PROTOCOL, 0, ""},
        {CHUNKED "\r\nhello\r\n0\r\n\r\n", AWS_ERR_PROTOCOL, 0, ""},
        {CHUNKED "5\nhello\r\n0\r\n\r\n", AWS_ERR_PROTOCOL, 0, ""},
        {CHUNKED "5\r\nhello0\r\n\r\n", AWS_ERR_PROTOCOL, 0, ""},
        {CHUNKED "0000000000000005\r\nhello\r\n0\r\n\r\n", AWS_ERR_PROTOCOL, 0, ""},
        {CHUNKED "-5\r\nhello\r\n0\r\n\r\n", AWS_ERR_PROTOCOL, 0, ""},
        {CHUNKED "0\r\nX: y\n\r\n", AWS_ERR_PROTOCOL, 0, ""},
        {"hello", AWS_ERR_PROTOCOL, 0, ""}};
    size_t i, m;

    for (m = 0; m < 3; m++)
        for (i = 0; i < sizeof answers / sizeof *answers; i++) {
            setup(modes[m]);
            config.max_attempts = 1;
            start();
            s.what = answers[i].answer;
            say(answers[i].answer, 0);
            ok("", "again");
            if (!CHECK_INT(get_text(), answers[i].result))
                fprintf(stderr, "in: %s\n", answers[i].answer);
            if (answers[i].result >= 0)
                CHECK_STR(got, answers[i].body);
            CHECK_INT(failure_code(), answers[i].result < 0 ? answers[i].result : 0);
            CHECK_INT(get_text(), 5); /* usable, whatever came */
            CHECK_STR(got, "again");
            if (!CHECK_INT(s.connection_count, answers[i].reused ? 1 : 2))
                fprintf(stderr, "in: %s\n", answers[i].answer);
            stop();
        }
}

/* HEAD's answer has a length and no body; its error no code but the status. */
static void test_head(void)
{
    aws_s3_args args = args_of("key");
    aws_s3_result result;
    int r;

    setup(SCRIPT_WAITS);
    start();
    say("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\nETag: \"e\"\r\n"
        "Last-Modified: Fri, 02 Jan 2026 03:04:05 GMT\r\nX-Amz-Version-Id: v\r\n"
        "Content-Type: text/x\r\n\r\n",
        0);
    SCRIPT_RUN(r, &s, &client, aws_s3_head_object(&client, &args, &result));
    CHECK_INT(r, 0);
    CHECK(result.size == (uint64_t)INT64_MAX);
    CHECK_INT(result.status, 200);
    CHECK_INT(result.last_modified, 1767323045);
    CHECK_STR(result.etag, "\"e\"");
    CHECK_STR(result.version_id, "v");
    CHECK_STR(result.content_type, "text/x");
    CHECK(result.location == NULL);
    say("HTTP/1.1 404 Not Found\r\nContent-Length: 300\r\nx-amz-request-id: R1\r\n\r\n", 0);
    SCRIPT_RUN(r, &s, &client, aws_s3_head_object(&client, &args, &result));
    CHECK_INT(r, AWS_ERR_SERVICE);
    CHECK_INT(aws_client_failure(&client)->http_status, 404);
    CHECK_STR(aws_client_failure(&client)->aws_code, "404");
    CHECK_STR(aws_client_failure(&client)->request_id, "R1");
    CHECK_STR(aws_client_failure_text(&client),
              "HeadObject: 404 (HTTP 404); 'key' does not exist there: check the name; "
              "request id R1");
    CHECK(result.etag == NULL && result.last_modified == -1);
    CHECK_INT(s.connection_count, 1);
    stop();
}

/* "Transfer-Encoding: chunked" in the answer to a HEAD, as Amazon's 404 has it: no body. Swift's
 * eventlet ends the body that isn't there all the same, and that may come after the answer was taken. */
static void test_last_chunk(void)
{
    static const char head[] = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n";
    static const char closes[] = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n"
                                 "Connection: close\r\n\r\n";
    static const char sized[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n";
    static const char fine[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    static const struct {
        const char *first, *late;
        int         cut, result;
        unsigned    connections;
    } rows[] = {{head, "", 0, 5, 1},
                {head, "0\r\n\r\n", 0, 5, 1},
                {head, "0\r\n\r\n", 1, 5, 2}, /* it was stale, and no byte of an answer came */
                {head, "0\r\n", 1, 5, 2},
                {head, "0\r\n", 0, AWS_ERR_PROTOCOL, 1},
                {head, "0\r\n\r\n0\r\n\r\n", 0, AWS_ERR_PROTOCOL, 1},
                {head, "5\r\nhello\r\n0\r\n\r\n", 0, AWS_ERR_PROTOCOL, 1},
                {closes, "0\r\n\r\n", 0, AWS_ERR_PROTOCOL, 2},
                {sized, "0\r\n\r\n", 0, AWS_ERR_PROTOCOL, 1}};
    aws_s3_args args = args_of("key");
    char late[200];
    size_t m, i;
    int r, split;

    for (m = 0; m < 3; m++)
        for (split = 0; split < 2; split++)
            for (i = 0; i < sizeof rows / sizeof *rows; i++) {
                setup(modes[m]);
                s.split_read = split;
                config.max_attempts = 1;
                start();
                snprintf(late, sizeof late, "%s%s", rows[i].late, rows[i].cut ? "" : fine);
                say(rows[i].first, 0);
                say(late, rows[i].cut ? SCRIPT_FIN : 0);
                say(fine, 0);
                SCRIPT_RUN(r, &s, &client, aws_s3_head_object(&client, &args, NULL));
                CHECK_INT(r, AWS_ERR_SERVICE);
                CHECK_INT(get_text(), rows[i].result);
                CHECK_INT(s.connection_count, rows[i].connections);
                stop();
            }
}

/* It comes while a body is sent: that isn't an answer, the body goes on. */
static void test_last_chunk_early(void)
{
    static const char head[] = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "0\r\n\r\n";
    static char big[100000];
    aws_s3_args args = args_of("key");
    size_t m;
    int r, split;

    for (m = 0; m < 2; m++)
        for (split = 0; split < 2; split++) {
            setup(modes[m]);
            s.split_at = sizeof head - 6;
            s.split_read = split;
            s.split_write = 900;
            s.again_always = 1;
            config.max_attempts = 1;
            start();
            say(head, 0);
            ok("", "");
            SCRIPT_RUN(r, &s, &client, aws_s3_head_object(&client, &args, NULL));
            CHECK_INT(r, AWS_ERR_SERVICE);
            args.body = big;
            args.body_size = sizeof big;
            SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
            args = args_of("key");
            CHECK_INT(r, 0);
            CHECK_INT(s.connection_count, 1);
            CHECK(s.elapsed < 10000);
            stop();
        }
}

/* More interim answers than the limit, endless heads and trailers: constant memory, an error. */
static void test_floods(void)
{
    static char text[80000];
    static const char *const parts[] = {"HTTP/1.1 100 Continue\r\n\r\n", "A: b\r\n", "A", CHUNKED,
                                        CHUNKED};
    size_t i, n;

    for (i = 0; i < 5; i++) {
        setup(SCRIPT_WAITS);
        config.max_attempts = 1;
        start();
        strcpy(text, i == 0 || i >= 3 ? "" : "HTTP/1.1 200 OK\r\n");
        if (i == 3)
            strcat(text, CHUNKED "1;");
        if (i == 4)
            strcat(text, CHUNKED "0\r\n");
        for (n = strlen(text); n < 60000; n += strlen(text + n))
            strcpy(text + n, i == 3 ? "x" : i == 4 ? "T: x\r\n" : parts[i]);
        say(text, 0);
        CHECK_INT(get_text(), i < 3 ? AWS_ERR_TOO_BIG : AWS_ERR_PROTOCOL);
        stop();
    }
}

/* Eight interim answers are taken, a ninth isn't. */
static void test_interim_limit(void)
{
    char text[1000];
    int i, count;

    for (count = 8; count <= 9; count++) {
        setup(SCRIPT_WAITS);
        config.max_attempts = 1;
        start();
        text[0] = 0;
        for (i = 0; i < count; i++)
            strcat(text, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
        strcat(text, OK_LENGTH("5") "hello");
        say(text, 0);
        CHECK_INT(get_text(), count == 8 ? 5 : AWS_ERR_TOO_BIG);
        stop();
    }
}

static void test_headers(void)
{
    aws_s3_args args = args_of("key");
    aws_pair pair;
    int r;

    setup(SCRIPT_WAITS);
    start();
    ok("ETag: \"5d41\"\r\nX-Amz-Meta-Color:  light blue \t\r\nx-amz-meta-empty:\r\n", "hello");
    args.buffer = got;
    args.buffer_size = sizeof got;
    SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
    CHECK_INT(r, 5);
    CHECK_INT(aws_client_status(&client), 200);
    CHECK_STR(aws_client_header(&client, "etag"), "\"5d41\"");
    CHECK_STR(aws_client_header(&client, "X-AMZ-META-color"), "light blue");
    CHECK_STR(aws_client_header(&client, "x-amz-meta-empty"), "");
    CHECK(aws_client_header(&client, "x-amz-meta") == NULL);
    CHECK_INT(aws_client_header_at(&client, 0, &pair), 1);
    CHECK_STR(pair.name, "etag");
    CHECK_INT(aws_client_header_at(&client, 1, &pair), 1);
    CHECK_STR(pair.name, "x-amz-meta-color");
    CHECK_STR(pair.value, "light blue");
    CHECK_INT(aws_client_header_at(&client, 3, &pair), 1);
    CHECK_STR(pair.name, "content-length");
    CHECK_INT(aws_client_header_at(&client, 4, &pair), 0);
    stop();
}

/* aws_s3_result.size of a chunked answer is what was stored. */
static void test_chunked_size(void)
{
    aws_s3_args args = args_of("key");
    aws_s3_result result;
    int r;

    setup(SCRIPT_WAITS);
    start();
    say(CHUNKED "5\r\nhello\r\n0\r\n\r\n", 0);
    args.buffer = got;
    args.buffer_size = sizeof got;
    SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, &result));
    CHECK_INT(r, 5);
    CHECK_INT((long)result.size, 5);
    stop();
}

static void test_copy_and_location(void)
{
    aws_s3_args args = args_of("to");
    aws_s3_result result;
    int r;

    setup(SCRIPT_WAITS);
    start();
    say(CHUNKED
        "2a\r\n<?xml version=\"1.0\"?>\n  <CopyObjectResult>\r\n"
        "62\r\n<LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;e&quot;</ETag>"
        "</CopyObjectResult>\r\n0\r\n\r\n",
        0);
    args.copy_source = "from/key";
    SCRIPT_RUN(r, &s, &client, aws_s3_copy(&client, &args, &result));
    CHECK_INT(r, 0);
    CHECK_STR(result.etag, "\"e\"");
    CHECK_INT(result.last_modified, 1767323045);
    args = args_of(NULL);
    ok("", "<LocationConstraint xmlns=\"x\">eu-north-1</LocationConstraint>");
    SCRIPT_RUN(r, &s, &client, aws_s3_get_bucket_location(&client, &args, &result));
    CHECK_INT(r, 0);
    CHECK_STR(result.location, "eu-north-1");
    ok("", "<LocationConstraint xmlns=\"x\"/>");
    SCRIPT_RUN(r, &s, &client, aws_s3_get_bucket_location(&client, &args, &result));
    CHECK_STR(result.location, "us-east-1");
    ok("", "<LocationConstraint>EU</LocationConstraint>");
    SCRIPT_RUN(r, &s, &client, aws_s3_get_bucket_location(&client, &args, &result));
    CHECK_STR(result.location, "eu-west-1");
    CHECK_INT(s.connection_count, 1);
    stop();
}

static void test_delete_objects(void)
{
    static const aws_s3_key keys[] = {{"a", NULL}, {"b", NULL}, {"c", NULL}};
    aws_s3_args args = args_of(NULL);
    aws_s3_result result;
    int r;

    setup(SCRIPT_NEVER_WAITS);
    s.split_read = 1;
    s.again_always = 1;
    start();
    args.objects = keys;
    args.object_count = 3;
    ok("", "<DeleteResult><Deleted><Key>a</Key></Deleted><Deleted><Key>c</Key></Deleted>"
           "<Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
           "</DeleteResult>");
    SCRIPT_RUN(r, &s, &client, aws_s3_delete_objects(&client, &args, &result));
    CHECK_INT(r, AWS_ERR_SERVICE);
    CHECK_INT(result.deleted, 2);
    CHECK_INT(result.failed, 1);
    CHECK_STR(aws_client_failure(&client)->value, "b");
    CHECK_STR(aws_client_failure(&client)->aws_code, "AccessDenied");
    CHECK_INT(requests_sent(), 1);
    ok("", "<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>");
    SCRIPT_RUN(r, &s, &client, aws_s3_delete_objects(&client, &args, &result));
    CHECK_INT(r, 0);
    CHECK_INT(result.deleted, 1);
    CHECK_INT(result.failed, 0);
    CHECK_INT(s.connection_count, 1);
    stop();
}

/* ---- Kept connections ---- */

static void test_stale(void)
{
    size_t m;
    unsigned how;

    for (m = 0; m < 3; m++)
        for (how = SCRIPT_FIN; how <= SCRIPT_RESET; how++) {
            setup(modes[m]);
            config.max_attempts = 1; /* the retry on a fresh connection is no attempt */
            start();
            say(answer("200 OK", "", ""), how);
            ok("", "hello");
            say(answer("200 OK", "", ""), how);
            say(NULL, how);
            CHECK_INT(put_text("x"), 0);
            CHECK_INT(get_text(), 5);
            CHECK_INT(s.connection_count, 2);
            CHECK_INT(s.sleep_count, 0);
            CHECK_INT(failure_code(), 0);
            CHECK_INT(put_text("y"), 0);
            CHECK_INT(get_text(), AWS_ERR_CLOSED); /* the fresh one dies too: only one retry */
            CHECK_INT(s.connection_count, 3);
            stop();
        }
}

/* After a byte of the answer it wasn't stale; and a fresh connection never is. */
static void test_not_stale(void)
{
    setup(SCRIPT_WAITS);
    config.max_attempts = 1;
    start();
    ok("", "");
    say("H", SCRIPT_FIN);
    CHECK_INT(put_text("x"), 0);
    CHECK_INT(get_text(), AWS_ERR_TRUNCATED);
    CHECK_INT(s.connection_count, 1);
    say(NULL, SCRIPT_FIN);
    CHECK_INT(get_text(), AWS_ERR_CLOSED);
    CHECK_INT(s.connection_count, 2);
    stop();
}

/* Streams on a stale connection: a get is repeated, a body that can't be is sent on one that
 * was looked at. */
static void test_stale_streams(void)
{
    aws_s3_args args = args_of("key");
    size_t m;
    int r;

    for (m = 0; m < 3; m++) {
        setup_secure(modes[m]);
        start();
        say(answer("200 OK", "", ""), SCRIPT_FIN);
        say(answer("200 OK", "", "hello"), SCRIPT_FIN);
        ok("", "");
        ok("", "");
        CHECK_INT(put_text("x"), 0);
        args.stream = 1;
        SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
        CHECK_INT(r, 0);
        CHECK_INT(s.connection_count, 2);
        SCRIPT_RUN(r, &s, &client, aws_client_read(&client, got, 100));
        CHECK_INT(r, 5);
        SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
        CHECK_INT(r, 0);
        args.body_size = 3;
        SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
        CHECK_INT(r, 0);
        SCRIPT_RUN(r, &s, &client, aws_client_write(&client, "abc", 3));
        CHECK_INT(r, 3);
        SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
        CHECK_INT(r, 0);
        CHECK_INT(s.connection_count, 3);
        /* one that lives is reused for it, unless the port can't look without blocking */
        SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
        SCRIPT_RUN(r, &s, &client, aws_client_write(&client, "abc", 3));
        SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
        CHECK_INT(r, 0);
        CHECK_INT(s.connection_count, modes[m] == SCRIPT_BLOCKS ? 4 : 3);
        args.body_size = 0;
        stop();
    }
}

/* ---- Retries ---- */

/* Random bytes at their largest: each back-off is at its limit. */
static int entropy_of_ones(const aws_port *port, void *data, size_t size)
{
    (void)port;
    memset(data, 0xff, size);
    return 0;
}

static int entropy_of_zeros(const aws_port *port, void *data, size_t size)
{
    (void)port;
    memset(data, 0, size);
    return 0;
}

static void test_retries(void)
{
    static const struct {
        const char *status, *code;
        unsigned attempts;
    } answers[] = {{"500 Oops", "InternalError", 3},
                   {"502 Oops", "x", 3},
                   {"503 Slow", "SlowDown", 3},
                   {"504 Oops", "x", 3},
                   {"400 Bad", "RequestTimeout", 3},
                   {"400 Bad", "Throttling", 3},
                   {"429 Many", "TooManyRequestsException", 3},
                   {"501 Oops", "NotImplemented", 1},
                   {"400 Bad", "BadDigest", 1},
                   {"403 No", "AccessDenied", 1},
                   {"404 No", "NoSuchKey", 1},
                   {"412 No", "PreconditionFailed", 1}};
    size_t i, m, n;

    for (m = 0; m < 3; m++)
        for (i = 0; i < sizeof answers / sizeof *answers; i++) {
            setup(modes[m]);
            start();
            for (n = 0; n < 3; n++)
                fail(answers[i].status, answers[i].code);
            CHECK_INT(get_text(), AWS_ERR_SERVICE);
            if (!CHECK_INT(requests_sent(), answers[i].attempts))
                fprintf(stderr, "in: %s\n", answers[i].code);
            CHECK_INT(aws_client_failure(&client)->attempts, answers[i].attempts);
            CHECK_STR(aws_client_failure(&client)->aws_code, answers[i].code);
            CHECK_STR(aws_client_failure(&client)->message, "no");
            CHECK_INT(s.sleep_count, answers[i].attempts - 1);
            CHECK_INT(s.connection_count, 1);
            stop();
        }
}

/* A retry's success leaves no failure; each attempt is signed with its own time. */
static void test_retry_succeeds(void)
{
    size_t m;
    const char *sent, *date;

    for (m = 0; m < 3; m++) {
        setup(modes[m]);
        s.port.entropy = entropy_of_ones;
        start();
        fail("503 Slow", "SlowDown");
        fail("500 Oops", "InternalError");
        ok("", "hello");
        CHECK_INT(get_text(), 5);
        CHECK_STR(got, "hello");
        CHECK_INT(failure_code(), 0);
        CHECK_INT(s.sleep_count, 2);
        CHECK_INT(s.sleeps[0], 999);
        CHECK_INT(s.sleeps[1], 1999);
        sent = script_sent(&s, 0);
        date = strstr(sent, "x-amz-date: 20260102T030405Z");
        CHECK(date != NULL);
        CHECK(strstr(sent, "x-amz-date: 20260102T030408Z") != NULL ||
              strstr(sent, "x-amz-date: 20260102T030407Z") != NULL);
        stop();
    }
}

/* rand * min(2^(n-1), 20) seconds. */
static void test_backoff(void)
{
    static const uint32_t limits[] = {1000, 2000, 4000, 8000, 16000, 20000, 20000, 20000};
    uint32_t seen[8];
    size_t i, run, differ = 0;

    for (run = 0; run < 40; run++) {
        setup(SCRIPT_WAITS);
        s.seed = (uint32_t)run;
        config.max_attempts = 9;
        if (run < 2)
            s.port.entropy = run ? entropy_of_ones : entropy_of_zeros;
        start();
        for (i = 0; i < 9; i++)
            fail("500 Oops", "InternalError");
        CHECK_INT(get_text(), AWS_ERR_SERVICE);
        CHECK_INT(requests_sent(), 9);
        CHECK_INT(s.sleep_count, run == 0 ? 0 : 8);
        for (i = 0; i < s.sleep_count && i < 8; i++) {
            CHECK(s.sleeps[i] < limits[i]);
            if (run == 1)
                CHECK(s.sleeps[i] >= limits[i] - 1);
            if (run > 2)
                differ += s.sleeps[i] != seen[i];
            seen[i] = s.sleeps[i];
        }
        stop();
    }
    CHECK(differ > 100);
}

/* A session's quota: 500, 5 a retry. 10 after a time-out. Success gives the last cost back. */
static void test_quota(void)
{
    static const struct {
        int kind; /* 0 errors, 1 time-outs, 2 errors after some success, 3 after many */
        unsigned attempts;
    } runs[] = {{0, 101}, {1, 51}, {2, 100}, {3, 101}};
    size_t i, n;

    for (i = 0; i < sizeof runs / sizeof *runs; i++) {
        setup(SCRIPT_WAITS);
        s.port.entropy = entropy_of_zeros;
        config.max_attempts = 300;
        config.read_timeout = 10;
        start();
        if (runs[i].kind >= 2) { /* two retries, the last one's cost comes back */
            fail("500 Oops", "x");
            fail("500 Oops", "x");
            ok("", "hello");
            CHECK_INT(get_text(), 5);
        }
        for (n = 0; runs[i].kind == 3 && n < 5; n++) { /* and 1 for each success at once */
            ok("", "hello");
            CHECK_INT(get_text(), 5);
        }
        for (n = 0; n < 300; n++)
            if (runs[i].kind == 1)
                say(NULL, SCRIPT_SILENT);
            else
                fail("500 Oops", "x");
        CHECK_INT(get_text(), runs[i].kind == 1 ? AWS_ERR_TIMEOUT : AWS_ERR_SERVICE);
        CHECK_INT(aws_client_failure(&client)->attempts, runs[i].attempts);
        if (runs[i].kind == 0) { /* empty: not one retry for another client of the session */
            static unsigned char more[16384];
            aws_client other;
            aws_s3_args args = args_of("key");
            int r;

            CHECK_INT(aws_client_init(&other, &session, &aws_s3_service, more, sizeof more), 0);
            SCRIPT_RUN(r, &s, &other, aws_s3_delete_object(&other, &args, NULL));
            CHECK_INT(r, AWS_ERR_SERVICE);
            CHECK_INT(aws_client_failure(&other)->attempts, 1);
            stop_client(&other);
        }
        stop();
    }
}

/* Transport errors are retried; the connection's failure names host and attempts. */
static void test_transport(void)
{
    size_t m;

    for (m = 0; m < 3; m++) {
        setup(modes[m]);
        start();
        s.lookup_fails = 1;
        s.refuses = 1;
        ok("", "hello");
        CHECK_INT(get_text(), 5);
        CHECK_INT(s.connection_count, 3);
        s.lookup_fails = 3;
        stop_client(&client);
        CHECK_INT(aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory), 0);
        CHECK_INT(get_text(), AWS_ERR_LOOKUP);
        CHECK_INT(aws_client_failure(&client)->attempts, 3);
        CHECK(strstr(aws_client_failure_text(&client), "test.local:9000") != NULL);
        CHECK(strstr(aws_client_failure_text(&client), "3 attempts") != NULL);
        s.refuses = 3;
        CHECK_INT(get_text(), AWS_ERR_CONNECT);
        say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", SCRIPT_FIN);
        say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", SCRIPT_RESET);
        ok("", "HELLO");
        CHECK_INT(get_text(), 5);
        CHECK_STR(got, "HELLO");
        say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", SCRIPT_FIN);
        say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", SCRIPT_FIN);
        say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", SCRIPT_RESET);
        CHECK_INT(get_text(), AWS_ERR_TRUNCATED);
        stop();
    }
}

/* <Error> in a 200: counts as 500. White space may come before. */
static void test_error_in_200(void)
{
    aws_s3_key key = {"a", NULL};
    aws_s3_args args;
    size_t m, i;
    int r, which;

    for (m = 0; m < 3; m++)
        for (which = 0; which < 4; which++) {
            setup(modes[m]);
            start();
            for (i = 0; i < 3; i++)
                ok("", error_500);
            args = args_of(which ? NULL : "to");
            if (which == 0)
                args.copy_source = "from/key";
            if (which == 1)
                args.objects = &key, args.object_count = 1;
            if (which == 2)
                args.buffer = got, args.buffer_size = sizeof got;
            do {
                r = which == 0   ? aws_s3_copy(&client, &args, NULL)
                    : which == 1 ? aws_s3_delete_objects(&client, &args, NULL)
                    : which == 2 ? aws_s3_list_objects_v2(&client, &args, NULL)
                                 : aws_s3_get_bucket_location(&client, &args, NULL);
            } while (r == AWS_AGAIN && script_idle(&s, &client));
            CHECK_INT(r, AWS_ERR_SERVICE);
            CHECK_INT(requests_sent(), 3);
            CHECK_STR(aws_client_failure(&client)->aws_code, "InternalError");
            CHECK_STR(aws_client_failure(&client)->message, "try again");
            CHECK_STR(aws_client_failure(&client)->request_id, "R500");
            CHECK_INT(aws_client_failure(&client)->http_status, 200);
            CHECK_INT(s.connection_count, 1);
            stop();
        }
}

/* A 200 whose XML isn't complete is no success. */
static void test_bad_xml(void)
{
    static const char *const texts[] = {"",
                                        " \r\n",
                                        "<CopyObjectResult>",
                                        "<a></b>",
                                        "hello",
                                        "<CopyObjectResult/>x",
                                        "<!DOCTYPE a><a/>"};
    aws_s3_args args = args_of("to");
    size_t i, m;
    int r;

    for (m = 0; m < 3; m++)
        for (i = 0; i < sizeof texts / sizeof *texts; i++) {
            setup(modes[m]);
            start();
            ok("", texts[i]);
            ok("", "hello");
            args.copy_source = "from/key";
            SCRIPT_RUN(r, &s, &client, aws_s3_copy(&client, &args, NULL));
            if (!CHECK_INT(r, AWS_ERR_XML))
                fprintf(stderr, "in: '%s'\n", texts[i]);
            CHECK_INT(failure_code(), AWS_ERR_XML);
            CHECK_INT(get_text(), 5);
            stop();
        }
}

/* The same for a listing that is handed over as it is. */
static void test_bad_raw_xml(void)
{
    static const char *const texts[] = {"", "<a>", "<a><b/>", "<a></b>", "hello", "<a/>x"};
    aws_s3_args args = args_of(NULL);
    size_t i, m;
    int r;

    args.buffer = got;
    args.buffer_size = sizeof got;
    for (m = 0; m < 3; m++)
        for (i = 0; i < sizeof texts / sizeof *texts; i++) {
            setup(modes[m]);
            start();
            ok("", texts[i]);
            ok("", "hello");
            SCRIPT_RUN(r, &s, &client, aws_s3_list_objects_v2(&client, &args, NULL));
            if (!CHECK_INT(r, AWS_ERR_XML))
                fprintf(stderr, "in: '%s'\n", texts[i]);
            CHECK_INT(get_text(), 5);
            stop();
        }
}

/* ---- Time-outs ---- */

static void test_timeouts(void)
{
    size_t m;
    int r;

    for (m = 0; m < 2; m++) {
        aws_s3_args args = args_of("key");
        setup(modes[m]);
        config.max_attempts = 1;
        config.connect_timeout = 5000;
        config.read_timeout = 7000;
        start();
        s.open_pending = -1;
        CHECK_INT(get_text(), AWS_ERR_TIMEOUT);
        CHECK_INT((long)s.elapsed, 5000);
        CHECK(strstr(aws_client_failure_text(&client), "connect_timeout") != NULL);
        CHECK(strstr(aws_client_failure_text(&client), "test.local") != NULL);
        s.open_pending = 0;
        s.elapsed = 0;
        say(NULL, SCRIPT_SILENT); /* not a byte */
        say("HTTP/1.1 200 OK\r\n", SCRIPT_SILENT);
        say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", SCRIPT_SILENT);
        CHECK_INT(get_text(), AWS_ERR_TIMEOUT);
        CHECK_INT((long)s.elapsed, 7000);
        CHECK(strstr(aws_client_failure_text(&client), "read_timeout") != NULL);
        CHECK_INT(get_text(), AWS_ERR_TIMEOUT);
        CHECK(s.elapsed >= 14000 && s.elapsed < 14010);
        CHECK_INT(get_text(), AWS_ERR_TIMEOUT);
        CHECK(s.elapsed >= 21000 && s.elapsed < 21010);
        args.timeout = 1500;
        args.buffer = got;
        args.buffer_size = sizeof got;
        say(NULL, SCRIPT_SILENT);
        SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
        CHECK_INT(r, AWS_ERR_TIMEOUT);
        CHECK(s.elapsed >= 22500 && s.elapsed < 22510);
        CHECK(strstr(aws_client_failure_text(&client), "whole call") != NULL);
        ok("", "hello");
        CHECK_INT(get_text(), 5); /* and usable */
        stop();
    }
}

/* 60 seconds to connect, 60 of silence. */
static void test_default_timeouts(void)
{
    size_t m;

    for (m = 0; m < 2; m++) {
        setup(modes[m]);
        config.max_attempts = 1;
        start();
        s.open_pending = -1;
        CHECK_INT(get_text(), AWS_ERR_TIMEOUT);
        CHECK_INT((long)s.elapsed, 60000);
        s.open_pending = 0;
        s.elapsed = 0;
        say(NULL, SCRIPT_SILENT);
        CHECK_INT(get_text(), AWS_ERR_TIMEOUT);
        CHECK_INT((long)s.elapsed, 60000);
        stop();
    }
}

static void test_user_agent(void)
{
    setup(SCRIPT_WAITS);
    start();
    ok("", "hello");
    CHECK_INT(get_text(), 5);
    CHECK(strstr(script_sent(&s, 0), "\r\nuser-agent: aws.h/" AWS_VERSION "\r\n") != NULL);
    stop();
    setup(SCRIPT_WAITS);
    config.user_agent_extra = "sensor/2.1";
    start();
    ok("", "hello");
    CHECK_INT(get_text(), 5);
    CHECK(strstr(script_sent(&s, 0), "\r\nuser-agent: aws.h/" AWS_VERSION " sensor/2.1\r\n") != NULL);
    stop();
}

/* What an error says of itself; one whose page isn't S3's has its status as its code. */
static void test_error_pages(void)
{
    static const struct {
        const char *status, *headers, *body, *code, *message, *id, *host_id;
        int         http;
    } rows[] = {
        {"404 Not Found", "x-amz-request-id: R1\r\nx-amz-id-2: H1\r\n",
         "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>none such</Message>"
         "<RequestId>R2</RequestId><HostId>H2</HostId></Error>",
         "NoSuchKey", "none such", "R1", "H1", 404},
        {"404 Not Found", "", "<Error><RequestId>R2</RequestId><HostId>H2</HostId><Code>NoSuchKey</Code></Error>",
         "NoSuchKey", "", "R2", "H2", 404},
        {"404 Not Found", "Content-Type: text/html\r\n", "<html><body><p>lost<br></body></html>", "404", "",
         "", "", 404},
        {"403 Forbidden", "", "go away", "403", "", "", "", 403},
        {"403 Forbidden", "", "", "403", "", "", "", 403},
        {"400 Bad Request", "x-amz-request-id: R1\r\n", "<Error><Message>cut", "400", "", "R1", "", 400}};
    size_t m, i;

    for (m = 0; m < 3; m++)
        for (i = 0; i < sizeof rows / sizeof *rows; i++) {
            const aws_failure *f;
            setup(modes[m]);
            start();
            say(answer(rows[i].status, rows[i].headers, rows[i].body), 0);
            CHECK_INT(get_text(), AWS_ERR_SERVICE);
            f = aws_client_failure(&client);
            CHECK_INT(f->http_status, rows[i].http);
            CHECK_STR(f->aws_code, rows[i].code);
            if (*rows[i].message)
                CHECK_STR(f->message, rows[i].message);
            CHECK_STR(f->request_id, rows[i].id);
            CHECK_STR(f->host_id, rows[i].host_id);
            CHECK_INT(f->attempts, 1);
            CHECK_STR(f->operation, "GetObject");
            stop();
        }
}

/* The deadline is over all attempts and back-offs. */
static void test_whole_call(void)
{
    size_t m, i;

    for (m = 0; m < 3; m++) {
        setup(modes[m]);
        s.port.entropy = entropy_of_ones;
        config.call_timeout = 2500;
        config.max_attempts = 10;
        start();
        for (i = 0; i < 10; i++)
            fail("500 Oops", "InternalError");
        CHECK_INT(get_text(), AWS_ERR_TIMEOUT);
        CHECK(s.elapsed >= 2500 && s.elapsed <= 2520);
        CHECK_INT(requests_sent(), 2); /* after 0 and 1 s; the third one would be after 3 s */
        stop();
    }
}

/* Never silent, never done: a byte every 29 s. */
static void test_slow_server(void)
{
    size_t m;

    for (m = 0; m < 3; m++) {
        setup(modes[m]);
        s.drip = 29000;
        s.what = "a slow server";
        config.call_timeout = 100000;
        config.max_attempts = 1;
        start();
        ok("", "hello");
        CHECK_INT(get_text(), AWS_ERR_TIMEOUT);
        if (!CHECK(s.elapsed >= 100000 && s.elapsed <= 130000))
            fprintf(stderr, "in mode %d: %lu ms\n", (int)modes[m], (unsigned long)s.elapsed);
        s.drip = 1000; /* slow, but not silent: no read_timeout */
        s.elapsed = 0;
        setup(modes[m]);
        s.drip = 1000;
        config.max_attempts = 1;
        config.read_timeout = 2500;
        start();
        ok("", "hello");
        CHECK_INT(get_text(), 5);
        stop();
    }
}

/* A blocking port has its own time-out. */
static void test_blocking_timeout(void)
{
    setup(SCRIPT_BLOCKS);
    start();
    say(NULL, SCRIPT_SILENT);
    ok("", "hello");
    CHECK_INT(get_text(), 5);
    CHECK_INT(s.connection_count, 2);
    CHECK(s.elapsed >= 30000 && s.elapsed < 31100);
    say(NULL, SCRIPT_SILENT);
    say(NULL, SCRIPT_SILENT);
    say(NULL, SCRIPT_SILENT);
    CHECK_INT(get_text(), AWS_ERR_TIMEOUT);
    stop();
}

/* The keys of a listing, joined by spaces, with another call after each if others is set. */
static const char *keys_of(aws_s3_bucket *bucket, const aws_s3_args *args, int others)
{
    static aws_s3_objects it;
    static char keys[200];
    aws_s3_args deleted = args_of("other");
    aws_s3_summary o;
    int r;

    keys[0] = 0;
    deleted.bucket = bucket->name;
    aws_s3_objects_begin(&it, bucket, args);
    while ((r = aws_s3_objects_next(&it, &o)) > 0 && strlen(keys) < 150) {
        snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%s%s", *keys ? " " : "", o.key);
        if (others)
            CHECK_INT(aws_s3_delete_object(&client, &deleted, NULL), 0);
    }
    CHECK_INT(r, 0);
    return keys;
}

/* A directory bucket's keys are in no order: one that begins another is no repetition of it. */
static void test_unordered(void)
{
    static unsigned char page[4000];
    aws_s3_bucket bucket;
    aws_s3_args args;
    size_t k, i;

    for (k = 0; k < 3; k++) {
        memset(&args, 0, sizeof args);
        setup(SCRIPT_WAITS);
        start();
        aws_s3_bucket_init(&bucket, &client, "bucket--use1-az4--x-s3");
        ok("", "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>c/dd</Key>"
               "</Contents><Contents><Key>c/d</Key></Contents><Contents><Key>a</Key></Contents>"
               "<Contents><Key>b</Key></Contents></ListBucketResult>");
        if (k == 2) {
            args.page = page;
            args.page_size = sizeof page;
            for (i = 0; i < 4; i++)
                ok("", "");
        }
        CHECK_STR(keys_of(&bucket, &args, k == 2), "c/dd c/d a b");
        stop();
    }
}

/* A page that breaks off is asked for again from where the listing is, by a key of any length. */
static void test_page_again(void)
{
    aws_s3_bucket bucket;
    aws_s3_args args;

    memset(&args, 0, sizeof args);
    args.start_after = "aaaaaaaaaaaaaaaaaaaa";
    setup(SCRIPT_WAITS);
    start();
    aws_s3_bucket_init(&bucket, &client, "bucket");
    say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<ListBucketResult><IsTruncated>false"
        "</IsTruncated><Contents><Key>aaaaaaaaaaaaaaaaaaaab</Key></Contents><Contents><Key>b</Key>"
        "</Contents><Contents>",
        SCRIPT_FIN);
    ok("", "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>c</Key></Contents>"
           "</ListBucketResult>");
    CHECK_STR(keys_of(&bucket, &args, 0), "aaaaaaaaaaaaaaaaaaaab b c");
    CHECK(strstr(script_sent(&s, 1), "&start-after=b HTTP/1.1") ||
          strstr(script_sent(&s, 1), "&start-after=aaaaaaaaaaaaaaaaaaaa HTTP/1.1"));
    stop();
}

static int wait_fails;
static int (*true_wait)(const aws_port *port, void *connection, unsigned what, uint32_t ms);

static int failing_wait(const aws_port *port, void *connection, unsigned what, uint32_t ms)
{
    if (wait_fails && wait_fails--)
        return AWS_ERR_CLOSED;
    return true_wait(port, connection, what, ms);
}

/* A listing's server is silent in the middle of a page when another call wants the connection. */
static void test_silent_stream(void)
{
    static aws_s3_objects it;
    aws_s3_bucket bucket;
    aws_s3_summary o;
    size_t k;

    for (k = 0; k < 3; k++) {
        aws_s3_args args = args_of("key");

        setup(k == 2 ? SCRIPT_NEVER_WAITS : SCRIPT_WAITS);
        true_wait = s.port.wait;
        s.port.wait = k == 2 ? NULL : failing_wait;
        start();
        aws_s3_bucket_init(&bucket, &client, "bucket");
        say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<ListBucketResult><IsTruncated>false"
            "</IsTruncated><Contents><Key>a</Key></Contents><Contents><Key>b</Key></Contents>",
            SCRIPT_SILENT);
        ok("", "");
        ok("", "");
        aws_s3_objects_begin(&it, &bucket, NULL);
        SCRIPT_RUN(wait_fails, &s, &client, aws_s3_objects_next(&it, &o));
        CHECK_INT(wait_fails, 1);
        args.body = "hello";
        args.body_size = 5;
        if (k == 0) { /* the port's wait fails: another connection, and the body has its hash */
            CHECK_INT(aws_s3_put_object(&client, &args, NULL), 0);
            CHECK_INT(wait_fails, 0);
            CHECK(strstr(script_sent(&s, 1), "x-amz-content-sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29"
                                             "e1b161e5c1fa7425e73043362938b9824\r\n") != NULL);
        } else if (k == 1) { /* its time ends before the listing's: nothing of it is sent */
            wait_fails = 0;
            args.timeout = 5000;
            CHECK_INT(aws_s3_put_object(&client, &args, NULL), AWS_ERR_TIMEOUT);
            CHECK_INT(s.connection_count, 1);
            CHECK(!strstr(script_sent(&s, 0), "PUT"));
        } else { /* the listing is ended while it is saved */
            wait_fails = 0;
            CHECK_INT(aws_s3_put_object(&client, &args, NULL), AWS_AGAIN);
            CHECK_INT(aws_s3_objects_end(&it), 0);
            aws_client_cancel(&client);
            CHECK_INT(aws_s3_objects_next(&it, &o), 0);
        }
        stop();
    }
}

static int slow_read(void *context, void *data, size_t size)
{
    int *calls = (int *)context;

    if ((*calls)++ == 0)
        return AWS_AGAIN;
    memset(data, 'x', size);
    return (int)size;
}

static int slow_rewind(void *context)
{
    (void)context;
    return 0;
}

/* What fails before the body has its hash isn't repeated without it. */
static void test_hash_broken(void)
{
    int calls = 0;
    aws_s3_args args = args_of("key");
    aws_source source;

    memset(&source, 0, sizeof source);
    source.context = &calls;
    source.read = slow_read;
    source.rewind = slow_rewind;
    args.source = &source;
    args.body_size = 5;
    setup(SCRIPT_WAITS);
    true_wait = s.port.wait;
    s.port.wait = failing_wait;
    wait_fails = 1;
    start();
    CHECK_INT(aws_s3_put_object(&client, &args, NULL), AWS_ERR_CLOSED);
    CHECK_INT(s.connection_count, 0);
    stop();
}

/* A service header's body that can't be read twice, where it has to be hashed first. */
static void test_no_second_reading(void)
{
    size_t k;

    for (k = 0; k < 2; k++) {
        int calls = 1;
        aws_service service = aws_s3_service;
        aws_source source;
        aws_call call;

        memset(&source, 0, sizeof source);
        source.context = &calls;
        source.read = slow_read;
        setup_secure(SCRIPT_WAITS);
        service.flags &= ~(unsigned)AWS_SERVICE_S3;
        aws_session_init(&session, &config);
        CHECK_INT(aws_client_init(&client, &session, &service, memory, sizeof memory), 0);
        memset(&call, 0, sizeof call);
        call.operation = "Op";
        call.method = "POST";
        call.key = "key";
        call.size = 20;
        if (k)
            call.flags = AWS_CALL_WRITE;
        else
            call.source = &source;
        CHECK_INT(aws_call_enter(&client, &call), 1);
        CHECK_INT(aws_call_run(&client), AWS_ERR_UNSUPPORTED);
        CHECK_INT(s.connection_count, 0);
        stop();
    }
}

typedef struct pot {
    char text[200];
    size_t size;
} pot;

static int pot_write(void *context, const void *data, size_t size)
{
    pot *p = (pot *)context;

    if (size > sizeof p->text - 1 - p->size)
        size = sizeof p->text - 1 - p->size;
    memcpy(p->text + p->size, data, size);
    p->size += size;
    p->text[p->size] = 0;
    return (int)size;
}

static int pot_rewind(void *context)
{
    ((pot *)context)->size = 0;
    return 0;
}

/* An <Error> in a 200 has reached the sink: it begins anew with the answer of the next attempt. */
static void test_error_to_sink(void)
{
    static pot p;
    aws_s3_args args = args_of(NULL);
    aws_sink sink;

    memset(&sink, 0, sizeof sink);
    sink.context = &p;
    sink.write = pot_write;
    sink.rewind = pot_rewind;
    args.sink = &sink;
    setup(SCRIPT_WAITS);
    start();
    ok("", "<Error><Code>InternalError</Code></Error>");
    ok("", "<CORSConfiguration></CORSConfiguration>");
    CHECK_INT(aws_s3_get_bucket_cors(&client, &args, NULL), 0);
    CHECK_STR(p.text, "<CORSConfiguration></CORSConfiguration>");
    stop();
}

/* The longest time-outs mean for ever, not at once. */
static void test_long_timeouts(void)
{
    setup(SCRIPT_WAITS);
    config.connect_timeout = config.read_timeout = config.call_timeout = UINT32_MAX;
    s.open_pending = 3;
    s.again_always = 1;
    start();
    ok("", "hello");
    CHECK_INT(get_text(), 5);
    CHECK_INT(s.connection_count, 1);
    stop();
}

/* ---- Cancel, busy, waiting ---- */

/* A server for calls that come in any order. */
static void serve_any(script *sc, const script_request *q)
{
    if (strcmp(q->method, "GET") == 0 && strstr(q->target, "list-type=2"))
        script_reply(
            sc, q->connection,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            "49\r\n<ListBucketResult><Contents><Key>a</Key></Contents><Contents><Key>b</Key>\r\n"
            "1e\r\n</Contents></ListBucketResult>\r\n0\r\n\r\n");
    else if (strcmp(q->method, "GET") == 0)
        script_reply(sc, q->connection, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    else if (strstr(q->head, "x-amz-copy-source"))
        script_reply(sc, q->connection,
                     "HTTP/1.1 200 OK\r\nContent-Length: 54\r\n\r\n"
                     "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>\n");
    else if (strcmp(q->method, "POST") == 0)
        script_reply(sc, q->connection,
                     "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n<DeleteResult/>\n");
    else
        script_reply(sc, q->connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

/* Step an action (put, get, copy, delete_objects, streams, a listing) up to limit AGAINs. */
static int act(int action, unsigned limit, unsigned *made)
{
    static aws_s3_objects it;
    static const aws_s3_key keys[] = {{"a", NULL}};
    aws_s3_args args = args_of("key");
    aws_s3_bucket bucket;
    aws_s3_summary summary;
    int r = 0, begun = 0;

    aws_s3_bucket_init(&bucket, &client, "bucket");
    args.body = action == 0 ? "0123456789" : NULL;
    args.body_size = action == 0 || action == 4 ? 10 : 0;
    args.buffer = action == 1 ? got : NULL;
    args.buffer_size = action == 1 ? 100 : 0;
    args.copy_source = action == 2 ? "from/key" : NULL;
    args.stream = action == 4 || action == 5;
    if (action == 3) {
        args = args_of(NULL);
        args.objects = keys;
        args.object_count = 1;
    }
    if (action == 6)
        aws_s3_objects_begin(&it, &bucket, NULL);
    for (*made = 0; *made < limit; (*made)++) {
        switch (action) {
        case 0:
            r = aws_s3_put_object(&client, &args, NULL);
            break;
        case 1:
            r = aws_s3_get_object(&client, &args, NULL);
            break;
        case 2:
            r = aws_s3_copy(&client, &args, NULL);
            break;
        case 3:
            r = aws_s3_delete_objects(&client, &args, NULL);
            break;
        case 4:
            if (begun == 0 && (r = aws_s3_put_object(&client, &args, NULL)) == 0)
                begun = 1;
            while (begun > 0 && begun <= 10 && (r = aws_client_write(&client, "0123456789", 1)) > 0)
                begun++;
            if (begun == 11)
                r = aws_client_finish(&client);
            break;
        case 5:
            if (begun == 0 && (r = aws_s3_get_object(&client, &args, NULL)) == 0)
                begun = 1;
            while (begun == 1 && (r = aws_client_read(&client, got, 1)) > 0)
                ;
            if (begun == 1 && r == 0)
                begun = 2;
            if (begun == 2)
                r = aws_client_finish(&client);
            break;
        default:
            while ((r = aws_s3_objects_next(&it, &summary)) > 0)
                ;
        }
        if (r != AWS_AGAIN)
            break;
        if (!script_idle(&s, &client))
            break;
    }
    return r;
}

static void test_cancel(void)
{
    int action, pending;
    unsigned limit, made;

    for (action = 0; action < 7; action++)
        for (pending = 0; pending < 2; pending++)
            for (limit = 1; limit < 4000; limit++) {
                aws_waiting w;
                int r;

                setup_secure(SCRIPT_NEVER_WAITS);
                s.serve = serve_any;
                s.again_always = 1;
                s.split_read = s.split_write = 7;
                s.open_pending = pending ? 3 : 0;
                s.close_pending = pending ? 2 : 0;
                s.what = "cancel";
                config.max_attempts = 1;
                start();
                r = act(action, limit, &made);
                if (r != AWS_AGAIN) {
                    CHECK_INT(r, action == 1 ? 5 : 0);
                    stop();
                    break;
                }
                CHECK_INT(aws_client_cancel(&client), 0);
                aws_client_waiting(&client, &w);
                CHECK_INT(w.what, 0);
                CHECK(w.ms == UINT32_MAX);
                if (action == 4 || action == 5) {
                    CHECK_INT(aws_client_finish(&client), AWS_ERR_CANCELLED);
                    CHECK_INT(failure_code(), AWS_ERR_CANCELLED);
                }
                CHECK_INT(put_text("abc"), 0);
                CHECK_INT(get_text(), 5);
                CHECK_STR(got, "hello");
                CHECK_INT(failure_code(), 0);
                if (check_failed > 20) {
                    fprintf(stderr, "action %d, limit %u\n", action, limit);
                    return;
                }
                stop();
            }
}

/* A connection that was pending when its call was cancelled doesn't hurt a later call. */
static void test_cancel_connecting(void)
{
    unsigned made;

    setup(SCRIPT_NEVER_WAITS);
    s.serve = serve_any;
    s.open_pending = 1000000;
    config.max_attempts = 1;
    start();
    CHECK_INT(act(0, 1, &made), AWS_AGAIN);
    aws_client_cancel(&client);
    script_pass(&s, 3600000);
    s.open_pending = 2;
    CHECK_INT(get_text(), 5);
    stop();
}

static void test_busy(void)
{
    aws_s3_args args = args_of("key"), other = args_of("other");
    int r, calls = 0;

    setup(SCRIPT_NEVER_WAITS);
    s.serve = serve_any;
    s.again_always = 1;
    s.split_write = 50;
    start();
    args.body = "hello";
    args.body_size = 5;
    while ((r = aws_s3_put_object(&client, &args, NULL)) == AWS_AGAIN) {
        CHECK_INT(aws_s3_delete_object(&client, &other, NULL), AWS_ERR_BUSY);
        CHECK_INT(aws_s3_put_object(&client, &other, NULL), AWS_ERR_BUSY);
        CHECK_INT(aws_client_write(&client, "x", 1), AWS_ERR_STATE);
        CHECK_INT(aws_client_read(&client, got, 1), AWS_ERR_STATE);
        script_idle(&s, &client);
        calls++;
    }
    CHECK_INT(r, 0);
    CHECK(calls > 5);
    CHECK_INT(requests_sent(), 1);
    args.body = NULL;
    args.body_size = 0;
    args.stream = 1; /* an open stream is a call too */
    SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    CHECK_INT(aws_s3_delete_object(&client, &other, NULL), AWS_ERR_BUSY);
    CHECK_INT(aws_s3_get_object(&client, &args, NULL), AWS_ERR_BUSY);
    SCRIPT_RUN(r, &s, &client, aws_client_read(&client, got, 100));
    CHECK_INT(r, 5);
    SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
    CHECK_INT(r, 0);
    CHECK_INT(aws_client_read(&client, got, 100), AWS_ERR_STATE);
    CHECK_INT(aws_client_finish(&client), 0);
    stop();
}

static void check_waiting(intptr_t handle, unsigned what, uint32_t ms)
{
    aws_waiting w;

    CHECK_INT(aws_client_waiting(&client, &w), 0);
    CHECK_INT(w.handle, handle);
    CHECK_INT(w.what, what);
    CHECK_INT(w.ms, ms);
}

static void test_waiting(void)
{
    static char big[100000];
    aws_s3_args args = args_of("key");
    int r;

    setup(SCRIPT_NEVER_WAITS);
    s.port.entropy = entropy_of_ones;
    config.connect_timeout = 5000;
    config.read_timeout = 7000;
    start();
    check_waiting(-1, 0, UINT32_MAX);
    s.open_pending = 1;
    args.body = big;
    args.body_size = sizeof big;
    CHECK_INT(aws_s3_put_object(&client, &args, NULL), AWS_AGAIN);
    check_waiting(100, AWS_WAIT_WRITE, 5000);
    script_pass(&s, 1000);
    check_waiting(100, AWS_WAIT_WRITE, 4000);
    s.open_pending = 0;
    say("HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n", 0);
    ok("", "");
    s.again_always = 1;
    s.toggles[0] = 1; /* SCRIPT_OPEN goes on, the first send doesn't */
    CHECK_INT(aws_s3_put_object(&client, &args, NULL), AWS_AGAIN);
    check_waiting(100, AWS_WAIT_WRITE | AWS_WAIT_READ, 7000);
    script_pass(&s, 1);
    check_waiting(100, AWS_WAIT_WRITE | AWS_WAIT_READ, 6999);
    s.again_always = 0;
    s.connections[0].silent = 1; /* takes all, says nothing */
    CHECK_INT(aws_s3_put_object(&client, &args, NULL), AWS_AGAIN);
    check_waiting(100, AWS_WAIT_READ, 7000);
    s.connections[0].silent = 0;
    script_serve(&s, 0);
    CHECK_INT(aws_s3_put_object(&client, &args, NULL), AWS_AGAIN); /* back-off */
    check_waiting(-1, AWS_WAIT_TIMER, 999);
    script_pass(&s, 999);
    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    check_waiting(-1, 0, UINT32_MAX);
    args.body = NULL;
    args.body_size = 0;
    args.timeout = 500; /* the whole call ends before the silence does */
    CHECK_INT(aws_s3_get_object(&client, &args, NULL), AWS_AGAIN);
    check_waiting(100, AWS_WAIT_READ, 500);
    script_pass(&s, 501);
    SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
    CHECK_INT(r, AWS_ERR_TIMEOUT);
    check_waiting(-1, 0, UINT32_MAX);
    stop();
}

/* ---- Streams ---- */

static void test_stream_put(void)
{
    aws_s3_args args = args_of("key");
    aws_s3_result result;
    size_t m, done;
    int r;

    for (m = 0; m < 3; m++) {
        setup_secure(modes[m]);
        if (modes[m] == SCRIPT_NEVER_WAITS) {
            s.again_always = 1;
            s.split_write = 3;
        }
        start();
        ok("ETag: \"e\"\r\n", "");
        args.stream = 1;
        args.body_size = 26;
        SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
        CHECK_INT(r, 0);
        for (done = 0; done < 26; done += (size_t)r) {
            size_t piece = done % 2 ? 26 - done : 1;
            SCRIPT_RUN(r, &s, &client,
                       aws_client_write(&client, &"abcdefghijklmnopqrstuvwxyz"[done], piece));
            if (!CHECK(r > 0))
                break;
        }
        SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
        CHECK_INT(r, 0);
        aws_s3_result_of(&client, &result);
        CHECK_STR(result.etag, "\"e\"");
        CHECK(strstr(script_sent(&s, 0),
                     "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n") != NULL);
        CHECK(strstr(script_sent(&s, 0), "\r\n\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n"
                                         "x-amz-checksum-crc32:TCdQvQ==\r\n\r\n") != NULL);
        CHECK_INT(aws_client_write(&client, "x", 1), AWS_ERR_STATE);
        stop();
    }
}

/* Too much, too little, an error of the server: each is final and stays. */
static void test_stream_put_fails(void)
{
    aws_s3_args args = args_of("key");
    size_t m;
    int r;

    args.stream = 1;
    args.body_size = 3;
    for (m = 0; m < 3; m++) {
        setup_secure(modes[m]);
        s.serve = NULL;
        start();
        SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
        SCRIPT_RUN(r, &s, &client, aws_client_write(&client, "abcd", 4));
        CHECK_INT(r, AWS_ERR_BODY);
        CHECK_INT(aws_client_write(&client, "abc", 3), AWS_ERR_BODY);
        CHECK_INT(aws_client_finish(&client), AWS_ERR_BODY);
        CHECK_INT(failure_code(), AWS_ERR_BODY);
        SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
        CHECK_INT(r, 0);
        SCRIPT_RUN(r, &s, &client, aws_client_write(&client, "ab", 2));
        CHECK_INT(r, 2);
        SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
        CHECK_INT(r, AWS_ERR_BODY);
        CHECK_INT(aws_client_finish(&client), AWS_ERR_BODY);
        SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
        SCRIPT_RUN(r, &s, &client, aws_client_write(&client, "abc", 3));
        fail("503 Slow", "SlowDown");
        SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
        CHECK_INT(r, AWS_ERR_SERVICE); /* not retried: the body is gone */
        CHECK_INT(aws_client_failure(&client)->attempts, 1);
        CHECK_INT(s.sleep_count, 0);
        CHECK_INT(aws_client_finish(&client), AWS_ERR_SERVICE);
        CHECK_INT(aws_client_write(&client, "abc", 3), AWS_ERR_SERVICE);
        s.lookup_fails = 10; /* begin fails: so do write and finish, with its cause */
        args.key = "other";
        args.bucket = "elsewhere";
        stop_client(&client);
        CHECK_INT(aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory), 0);
        SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
        CHECK_INT(r, AWS_ERR_LOOKUP);
        CHECK_INT(aws_client_failure(&client)->attempts, 3); /* nothing of the body was sent */
        CHECK_INT(aws_client_write(&client, "abc", 3), AWS_ERR_LOOKUP);
        CHECK_INT(aws_client_finish(&client), AWS_ERR_LOOKUP);
        CHECK_INT(failure_code(), AWS_ERR_LOOKUP);
        stop();
    }
}

/* Over plain http a body that can't be read twice is refused before a byte is sent. */
static const aws_dialect no_chunks = {NULL, NULL, NULL, NULL, 0};

static void test_unsigned_over_http(void)
{
    aws_s3_args args = args_of("key");

    setup(SCRIPT_WAITS);
    config.dialect = &no_chunks;
    start();
    args.stream = 1;
    args.body_size = 3;
    CHECK_INT(aws_s3_put_object(&client, &args, NULL), AWS_ERR_UNSUPPORTED);
    CHECK_INT(aws_client_write(&client, "abc", 3), AWS_ERR_UNSUPPORTED);
    CHECK_INT(aws_client_finish(&client), AWS_ERR_UNSUPPORTED);
    CHECK(strstr(aws_client_failure_text(&client), "https") != NULL);
    CHECK_INT(s.connection_count, 0);
    stop();
}

static void test_stream_get(void)
{
    static const char *const answers[] = {OK_LENGTH("26") "abcdefghijklmnopqrstuvwxyz", CHUNKED
                                          "3\r\nabc\r\n17\r\ndefghijklmnopqrstuvwxyz\r\n0\r\n\r\n"};
    aws_s3_args args = args_of("key");
    size_t m, i, used, piece;
    int r;

    args.stream = 1;
    for (m = 0; m < 3; m++)
        for (i = 0; i < 2; i++)
            for (piece = 1; piece < 30; piece += 4) {
                setup(modes[m]);
                if (modes[m] == SCRIPT_NEVER_WAITS) {
                    s.again_always = 1;
                    s.split_read = 2;
                }
                start();
                say(answers[i], 0);
                ok("", "hello");
                SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
                CHECK_INT(r, 0);
                memset(got, 0, sizeof got);
                for (used = 0;; used += (size_t)r) {
                    SCRIPT_RUN(r, &s, &client, aws_client_read(&client, got + used, piece));
                    if (r <= 0)
                        break;
                    CHECK(r <= (int)piece);
                }
                CHECK_INT(r, 0);
                CHECK_STR(got, "abcdefghijklmnopqrstuvwxyz");
                SCRIPT_RUN(r, &s, &client, aws_client_read(&client, got, 1));
                CHECK_INT(r, 0);
                SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
                CHECK_INT(r, 0);
                CHECK_INT(get_text(), 5);
                CHECK_INT(s.connection_count, 1);
                stop();
            }
}

/* Cut in the body: what was read is no success, and finish says so for ever. */
static void test_stream_get_fails(void)
{
    aws_s3_args args = args_of("key");
    size_t m;
    unsigned how;
    int r;

    args.stream = 1;
    for (m = 0; m < 3; m++)
        for (how = SCRIPT_FIN; how <= SCRIPT_SILENT; how *= 2) {
            int want = how == SCRIPT_SILENT ? AWS_ERR_TIMEOUT : AWS_ERR_TRUNCATED;
            setup(modes[m]);
            start();
            say(OK_LENGTH("26") "abcdef", how);
            say(OK_LENGTH("26") "abcdef", how);
            say(CHUNKED "7\r\nabcdefg\r\nx", how);
            ok("", "hello");
            SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
            CHECK_INT(r, 0);
            SCRIPT_RUN(r, &s, &client, aws_client_read(&client, got, 100));
            CHECK_INT(r, 6);
            SCRIPT_RUN(r, &s, &client, aws_client_read(&client, got, 100));
            CHECK_INT(r, want);
            CHECK_INT(aws_client_read(&client, got, 100), want);
            CHECK_INT(aws_client_finish(&client), want);
            CHECK_INT(failure_code(), want);
            SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
            CHECK_INT(r, 0);
            SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
            CHECK_INT(r, want);
            SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
            CHECK_INT(r, 0);
            SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
            CHECK_INT(r, AWS_ERR_PROTOCOL);
            CHECK_INT(get_text(), 5);
            CHECK_INT(requests_sent(), 4);
            stop();
        }
}

/* ---- Sources and sinks ---- */

typedef struct pipe_end {
    const char *data;
    size_t size, at, most; /* bytes a call; 0 any */
    int again, toggle;     /* says AWS_AGAIN every other time */
    int error;             /* returned once `at` reaches fail_at */
    size_t fail_at;
    unsigned rewinds;
    int rewind_result;
    char taken[4000];
} pipe_end;

static int pipe_read(void *context, void *data, size_t size)
{
    pipe_end *p = (pipe_end *)context;

    if (p->again && (p->toggle ^= 1))
        return AWS_AGAIN;
    if (p->error && p->at >= p->fail_at)
        return p->error;
    if (size > p->size - p->at)
        size = p->size - p->at;
    if (p->most && size > p->most)
        size = p->most;
    memcpy(data, p->data + p->at, size);
    p->at += size;
    return (int)size;
}

static int pipe_write(void *context, const void *data, size_t size)
{
    pipe_end *p = (pipe_end *)context;

    if (p->again && (p->toggle ^= 1))
        return AWS_AGAIN;
    if (p->error && p->at >= p->fail_at)
        return p->error;
    if (p->most && size > p->most)
        size = p->most;
    if (size > sizeof p->taken - 1 - p->at)
        size = sizeof p->taken - 1 - p->at;
    memcpy(p->taken + p->at, data, size);
    p->at += size;
    return (int)size;
}

static int pipe_rewind(void *context)
{
    pipe_end *p = (pipe_end *)context;

    p->rewinds++;
    p->at = 0;
    memset(p->taken, 0, sizeof p->taken);
    return p->rewind_result;
}

static int put_from(pipe_end *p, int rewinds)
{
    static aws_source source;
    aws_s3_args args = args_of("key");
    int r;

    source.read = pipe_read;
    source.rewind = rewinds ? pipe_rewind : NULL;
    source.context = p;
    args.source = &source;
    args.body_size = p->size;
    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    return r;
}

static void test_source(void)
{
    static const char hello_hash[] =
        "x-amz-content-sha256: "
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\r\n";
    size_t m;
    int secure;

    for (m = 0; m < 3; m++)
        for (secure = 0; secure < 2; secure++) {
            pipe_end p;
            const char *hash = secure ? "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n" : hello_hash;
            memset(&p, 0, sizeof p);
            p.data = "hello";
            p.size = 5;
            p.most = 2;
            p.again = m == 1;
            if (secure)
                setup_secure(modes[m]);
            else
                setup(modes[m]);
            start();
            fail("500 Oops", "InternalError");
            ok("", "");
            CHECK_INT(put_from(&p, 1), 0);
            CHECK(strstr(script_sent(&s, 0), hash) != NULL);
            CHECK_INT(count_of(script_sent(&s, 0), "\r\n\r\nhello"), 2);
            CHECK(p.rewinds >= 2);
            p.error = AWS_ERR_BODY; /* fails in the middle */
            p.fail_at = 2;
            p.at = 0;
            CHECK_INT(put_from(&p, 1), AWS_ERR_BODY);
            CHECK(strstr(aws_client_failure_text(&client), "source") != NULL);
            p.error = 0;
            p.size = 4; /* ends before its size */
            ok("", "");
            ok("", "");
            CHECK_INT(put_from(&p, 1), 0);
            p.rewind_result = -77;
            CHECK_INT(put_from(&p, 1), AWS_ERR_BODY);
            stop();
        }
}

/* Without rewind: sent once over https, refused over http. */
static void test_source_once(void)
{
    size_t m;

    for (m = 0; m < 3; m++) {
        pipe_end p;
        memset(&p, 0, sizeof p);
        p.data = "hello";
        p.size = 5;
        p.most = 3;
        p.again = m == 1;
        setup_secure(modes[m]);
        start();
        fail("500 Oops", "InternalError");
        ok("", "");
        CHECK_INT(put_from(&p, 0), AWS_ERR_SERVICE);
        CHECK_INT(requests_sent(), 1);
        CHECK_INT(s.sleep_count, 0);
        p.at = 0;
        CHECK_INT(put_from(&p, 0), 0);
        stop();
        setup(modes[m]);
        config.dialect = &no_chunks;
        start();
        p.at = 0;
        CHECK_INT(put_from(&p, 0), AWS_ERR_UNSUPPORTED);
        CHECK_INT(s.connection_count, 0);
        CHECK_INT((long)p.at, 0);
        stop();
    }
}

/* A source that ends early never makes a request that looks complete. */
static void test_short_source(void)
{
    static aws_source source;
    aws_s3_args args = args_of("key");
    size_t m;
    int r;

    for (m = 0; m < 3; m++) {
        pipe_end p;
        memset(&p, 0, sizeof p);
        p.data = "hello";
        p.size = 5;
        setup_secure(modes[m]);
        start();
        source.read = pipe_read;
        source.rewind = pipe_rewind;
        source.context = &p;
        args.source = &source;
        args.body_size = 6;
        SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
        CHECK_INT(r, AWS_ERR_BODY);
        CHECK_INT(s.requests, 0);
        CHECK_INT(script_left_open(&s), 0); /* the server must not wait for more */
        stop();
    }
}

static int get_into(pipe_end *p, int rewinds)
{
    static aws_sink sink;
    aws_s3_args args = args_of("key");
    int r;

    sink.write = pipe_write;
    sink.rewind = rewinds ? pipe_rewind : NULL;
    sink.context = p;
    args.sink = &sink;
    SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
    return r;
}

static void test_sink(void)
{
    size_t m;

    for (m = 0; m < 3; m++) {
        pipe_end p;
        memset(&p, 0, sizeof p);
        p.most = 2;
        p.again = 1;
        setup(modes[m]);
        start();
        ok("", "hello world");
        CHECK_INT(get_into(&p, 0), 0);
        CHECK_STR(p.taken, "hello world");
        p.at = 0;
        say(OK_LENGTH("5") "hel", SCRIPT_FIN);
        ok("", "HELLO");
        memset(p.taken, 0, sizeof p.taken);
        CHECK_INT(get_into(&p, 1), 0); /* cut, rewound, whole */
        CHECK_STR(p.taken, "HELLO");
        CHECK_INT(p.rewinds, 1);
        p.at = 0;
        say(OK_LENGTH("5") "hel", SCRIPT_FIN);
        CHECK_INT(get_into(&p, 0), AWS_ERR_TRUNCATED); /* can't be */
        CHECK_INT(requests_sent(), 4);
        p.at = 0;
        p.error = -99;
        ok("", "hello");
        CHECK_INT(get_into(&p, 1), AWS_ERR_SINK);
        CHECK_INT(failure_code(), AWS_ERR_SINK);
        p.error = 0;
        ok("", "hello");
        p.at = 0;
        CHECK_INT(get_into(&p, 1), 0);
        say(OK_LENGTH("5") "hel", SCRIPT_FIN);
        p.at = 0;
        p.rewind_result = -5;
        CHECK(get_into(&p, 1) < 0);
        stop();
    }
}

static void test_small_buffer(void)
{
    static char big[5000];
    size_t m, room;

    memset(big, 'x', sizeof big - 1);
    for (m = 0; m < 3; m++) {
        setup(modes[m]);
        start();
        for (room = 0; room < 5; room++) {
            ok("", "hello");
            got[room] = '#';
            CHECK_INT(get_text_of("key", room), room ? AWS_ERR_MEMORY : AWS_ERR_MEMORY);
            CHECK_INT((long)aws_client_failure(&client)->needed, 5);
            CHECK(strstr(aws_client_failure_text(&client), "5 bytes are needed") != NULL);
        }
        ok("", "hello");
        CHECK_INT(get_text_of("key", 5), 5);
        ok("", big);
        CHECK_INT(get_text_of("key", 4998), AWS_ERR_MEMORY);
        CHECK_INT((long)aws_client_failure(&client)->needed, 4999);
        ok("", big);
        CHECK_INT(get_text_of("key", 4999), 4999);
        say(CHUNKED "5\r\nhello\r\n0\r\n\r\n", 0);
        memset(got, '#', 10);
        CHECK_INT(get_text_of("key", 4), AWS_ERR_MEMORY);
        ok("", "hello");
        CHECK_INT(get_text(), 5);
        stop();
    }
}

/* ---- Progress and log ---- */

typedef struct progress {
    uint64_t done, total;
    unsigned calls;
    int back; /* it went backwards */
} progress;

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    progress *p = (progress *)context;

    p->back |= done < p->done;
    p->done = done;
    p->total = total;
    p->calls++;
}

static void test_progress(void)
{
    static char big[50000];
    aws_s3_args args = args_of("key");
    progress p = {0, 0, 0, 0};
    int r;

    setup(SCRIPT_WAITS);
    s.split_write = s.split_read = 1000;
    start();
    memset(big, 'x', sizeof big);
    args.progress = on_progress;
    args.progress_context = &p;
    args.body = big;
    args.body_size = sizeof big;
    ok("", "");
    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    CHECK(p.done == sizeof big && p.total == sizeof big && p.calls > 5 && !p.back);
    memset(&p, 0, sizeof p);
    args.body = NULL;
    args.body_size = 0;
    big[sizeof big - 1] = 0;
    ok("", big);
    SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    CHECK(p.done == sizeof big - 1 && p.total == sizeof big - 1 && p.calls > 5 && !p.back);
    memset(&p, 0, sizeof p);
    say(CHUNKED "5\r\nhello\r\n0\r\n\r\n", 0);
    SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    CHECK(p.done == 5 && p.total == 0);
    stop();
}

static void no_secret_in(const char *text)
{
    CHECK(strstr(text, "CANARY") == NULL);
    CHECK(strstr(text, "wJalrXUtnFEMI") == NULL);
    CHECK(strstr(text, "FQoGZXIvYXdzEBY") == NULL);
}

static void test_log(void)
{
    static const char *const codes[] = {"AccessDenied",
                                        "SignatureDoesNotMatch",
                                        "ExpiredToken",
                                        "InvalidAccessKeyId",
                                        "RequestTimeTooSkewed",
                                        "SlowDown",
                                        "AuthorizationHeaderMalformed"};
    size_t i, n;
    const char *sent;

    setup(SCRIPT_WAITS);
    config.session_token = TOKEN;
    start();
    for (i = 0; i < sizeof codes / sizeof *codes; i++) {
        for (n = 0; n < 3; n++)
            fail("403 Forbidden", codes[i]);
        CHECK_INT(get_text(), AWS_ERR_SERVICE);
        s.step_at = s.step_count;
        no_secret_in(aws_client_failure_text(&client));
        no_secret_in(aws_client_failure(&client)->message);
        no_secret_in(aws_client_failure(&client)->value);
    }
    s.refuses = 1;
    say(NULL, SCRIPT_FIN);
    ok("", "hello");
    CHECK_INT(get_text(), 5);
    CHECK(strstr(log_text, "connect test.local 9000") != NULL);
    CHECK(strstr(log_text, "answer 403") != NULL);
    CHECK(strstr(log_text, "retry after") != NULL);
    CHECK(strstr(log_text, "GetObject: ") == log_text);
    no_secret_in(log_text);
    for (i = 0; i < s.connection_count; i++) {
        sent = script_sent(&s, (unsigned)i);
        CHECK(strstr(sent, SECRET) == NULL);
        CHECK_INT(count_of(sent, TOKEN), count_of(sent, "x-amz-security-token: " TOKEN "\r\n"));
        CHECK_INT(count_of(sent, "CANARY"), count_of(sent, TOKEN));
    }
    stop();
    for (i = 0; i + 8 < sizeof memory; i++) /* wiped at close */
        if (memcmp(memory + i, "CANARY", 6) == 0)
            break;
    CHECK_INT((long)i, (long)sizeof memory - 8);
    CHECK(session.keys.secret_access_key == NULL && session.config.secret_access_key == NULL);
}

/* ---- Early answers ---- */

static void test_early(void)
{
    static char big[300000];
    aws_s3_args args = args_of("key");
    size_t m;
    unsigned how;
    int r;

    for (m = 0; m < 3; m++)
        for (how = 0; how <= SCRIPT_RESET; how++) {
            if (modes[m] == SCRIPT_BLOCKS && how != SCRIPT_RESET)
                continue; /* it can't look before the peer has left */
            setup(modes[m]);
            s.split_write = 900;
            start();
            fail("403 Forbidden", "AccessDenied");
            steps[0].flags = SCRIPT_EARLY | how;
            steps[0].after = 5000;
            ok("", "hello");
            args.body = big;
            args.body_size = sizeof big;
            SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
            if (!CHECK_INT(r, AWS_ERR_SERVICE))
                fprintf(stderr, "in mode %d, how %u\n", (int)modes[m], how);
            CHECK_STR(aws_client_failure(&client)->aws_code, "AccessDenied");
            CHECK(s.elapsed < 10000);
            CHECK_INT(get_text(), 5);
            CHECK_INT(s.connection_count, 2);
            stop();
        }
}

/* The same while the caller writes: write says it, again and again, and so does finish. */
static void test_early_stream(void)
{
    static char big[100000];
    aws_s3_args args = args_of("key");
    size_t m;
    int r, finish;

    for (m = 0; m < 2; m++)
        for (finish = 0; finish < 2; finish++) {
            setup_secure(modes[m]);
            s.split_write = 900;
            s.split_read = 1;
            s.again_always = m == 1;
            start();
            fail("403 Forbidden", "AccessDenied");
            steps[0].flags = SCRIPT_EARLY;
            steps[0].after = 5000;
            ok("", "hello");
            args.stream = 1;
            args.body_size = sizeof big;
            SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
            CHECK_INT(r, 0);
            do
                SCRIPT_RUN(r, &s, &client, aws_client_write(&client, big, 1000));
            while (r > 0);
            CHECK_INT(r, AWS_ERR_SERVICE);
            if (!finish)
                SCRIPT_RUN(r, &s, &client, aws_client_write(&client, big, 1000));
            CHECK_INT(r, AWS_ERR_SERVICE);
            SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
            CHECK_INT(r, AWS_ERR_SERVICE);
            CHECK_STR(aws_client_failure(&client)->aws_code, "AccessDenied");
            CHECK_INT(get_text(), 5);
            stop();
        }
}

/* A success before the whole request was sent isn't one; an interim answer is none at all. */
static void test_early_others(void)
{
    static char big[300000];
    aws_s3_args args = args_of("key");
    int r;

    setup(SCRIPT_WAITS);
    s.split_write = 900;
    config.max_attempts = 1;
    start();
    ok("", "");
    steps[0].flags = SCRIPT_EARLY;
    steps[0].after = 5000;
    args.body = big;
    args.body_size = sizeof big;
    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    CHECK_INT(r, AWS_ERR_PROTOCOL);
    stop();
}

/* 100 Continue while the body is on its way: the body goes on. */
static void interim_serve(script *sc, const script_request *q)
{
    script_reply(sc, q->connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

static int interim_send(const aws_port *port, void *area, const void *data, size_t size)
{
    script *sc = script_of(port);

    if (sc->connection_count == 1 && sc->connections[0].in.size > 5000 &&
        sc->connections[0].out.size == 0) {
        script_reply(sc, 0, "HTTP/1.1 100 Continue\r\n\r\n");
        return AWS_AGAIN;
    }
    return script_send(port, area, data, size);
}

static void test_interim(void)
{
    static char big[100000];
    aws_s3_args args = args_of("key");
    size_t m;
    int r;

    for (m = 0; m < 2; m++) {
        setup(modes[m]);
        s.split_write = 900;
        s.serve = interim_serve;
        s.port.send = interim_send;
        config.max_attempts = 1;
        start();
        args.body = big;
        args.body_size = sizeof big;
        SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
        CHECK_INT(r, 0);
        CHECK(s.elapsed < 10000);
        stop();
    }
}

/* ---- Credentials ---- */

typedef struct vault {
    char id[32], secret[32], token[32]; /* overwritten in place */
    unsigned calls, given;
    int agains; /* AWS_AGAINs before each answer */
    int again;
    int result;       /* of get */
    int64_t life;     /* seconds, 0 for ever */
    aws_client *busy; /* must not be called while this one signs */
} vault;

static int vault_get(const aws_provider *provider, aws_client *c, aws_keys *keys)
{
    vault *v = (vault *)provider->context;

    (void)c;
    v->calls++;
    if (v->again < v->agains) {
        v->again++;
        return AWS_AGAIN;
    }
    v->again = 0;
    if (v->result < 0)
        return v->result;
    v->given++;
    snprintf(v->id, sizeof v->id, "ID%u", v->given);
    snprintf(v->secret, sizeof v->secret, "SECRET%u", v->given);
    snprintf(v->token, sizeof v->token, "TOKEN%u", v->given);
    keys->access_key_id = v->id;
    keys->secret_access_key = v->secret;
    keys->session_token = v->token;
    keys->expiration = v->life ? s.port.now(&s.port) + v->life : 0;
    return 0;
}

static vault safe;
static aws_provider provider;

static void setup_vault(script_mode mode)
{
    setup(mode);
    s.serve = serve_any;
    memset(&safe, 0, sizeof safe);
    provider.get = vault_get;
    provider.context = &safe;
    config.provider = &provider;
    config.access_key_id = config.secret_access_key = NULL;
}

static void test_provider(void)
{
    size_t m;
    unsigned n;

    for (m = 0; m < 3; m++) {
        setup_vault(modes[m]);
        safe.agains = 3;
        safe.life = 3600;
        start();
        CHECK_INT(get_text(), 5);
        CHECK_INT(safe.calls, 4);
        CHECK(strstr(script_sent(&s, 0), "Credential=ID1/") != NULL);
        CHECK(strstr(script_sent(&s, 0), "x-amz-security-token: TOKEN1\r\n") != NULL);
        for (n = 0; n < 5; n++)
            CHECK_INT(get_text(), 5);
        CHECK_INT(safe.given, 1);
        script_pass(&s, (3600 - 901) * 1000); /* not yet in the last 15 minutes */
        safe.agains = 0;
        CHECK_INT(get_text(), 5);
        CHECK_INT(safe.given, 1);
        script_pass(&s, 2000);
        CHECK_INT(get_text(), 5);
        CHECK_INT(safe.given, 2);
        CHECK(strstr(script_sent(&s, 0), "Credential=ID2/") != NULL);
        CHECK(strstr(script_sent(&s, 0), "x-amz-security-token: TOKEN2\r\n") != NULL);
        stop();
    }
}

/* In the last 15 minutes a failure keeps the old keys, in the last 10 it is the call's. */
static void test_provider_fails(void)
{
    size_t m;

    for (m = 0; m < 3; m++) {
        setup_vault(modes[m]);
        safe.result = -7;
        start();
        CHECK_INT(get_text(), AWS_ERR_CREDENTIALS);
        CHECK_INT(s.connection_count, 0);
        CHECK_INT(failure_code(), AWS_ERR_CREDENTIALS);
        CHECK_INT(s.sleep_count, 0); /* not retried */
        safe.result = 0;
        safe.life = 1000;
        CHECK_INT(get_text(), 5);
        safe.result = -7;
        script_pass(&s, 101000);
        CHECK_INT(get_text(), 5); /* 899 s left */
        CHECK_INT(safe.calls, 3);
        CHECK_INT(get_text(), 5); /* not asked again at once */
        CHECK_INT(safe.calls, 3);
        script_pass(&s, 61000);
        CHECK_INT(get_text(), 5);
        CHECK_INT(safe.calls, 4);
        script_pass(&s, 240000); /* 598 s left */
        CHECK_INT(get_text(), AWS_ERR_CREDENTIALS);
        CHECK_INT(safe.calls, 5);
        CHECK_INT(get_text(), AWS_ERR_CREDENTIALS); /* asked each time */
        CHECK_INT(safe.calls, 6);
        script_pass(&s, 600000); /* expired */
        CHECK_INT(get_text(), AWS_ERR_CREDENTIALS);
        safe.result = 0;
        CHECK_INT(get_text(), 5);
        CHECK(strstr(script_sent(&s, s.connection_count - 1), "Credential=ID2/") != NULL);
        stop();
    }
}

static int broken_get(const aws_provider *p, aws_client *c, aws_keys *keys)
{
    static const aws_keys broken[] = {{"ID", NULL, NULL, 0},
                                      {NULL, "HIDDEN", NULL, 0},
                                      {NULL, NULL, NULL, 0},
                                      {"", "", NULL, 0},
                                      {"I D", "HIDDEN", NULL, 0},
                                      {"ID", "HIDDEN\n", NULL, 0},
                                      {"ID", "HIDDEN", "TO\r\nKEN: x", 0},
                                      {"ID", "HIDDEN", NULL, 1000000}};
    (void)c;
    *keys = broken[*(const unsigned *)p->context];
    return 0;
}

static void test_provider_broken(void)
{
    unsigned i;
    aws_provider bad;

    for (i = 0; i < 8; i++) {
        setup(SCRIPT_WAITS);
        bad.get = broken_get;
        bad.context = &i;
        config.provider = &bad;
        config.access_key_id = config.secret_access_key = NULL;
        start();
        CHECK_INT(get_text(), AWS_ERR_CREDENTIALS);
        CHECK_INT(s.connection_count, 0);
        CHECK(strstr(aws_client_failure_text(&client), "HIDDEN") == NULL);
        stop();
    }
}

/* Two clients share a session: one asks, the other waits; none signs with half-written keys. */
static void test_provider_shared(void)
{
    static unsigned char more[16384];
    aws_client other;
    aws_s3_args args = args_of("key"), args2 = args_of("key2");
    aws_waiting w;
    int r, r2, n;

    setup_vault(SCRIPT_NEVER_WAITS);
    safe.agains = 3;
    safe.life = 3600;
    aws_session_init(&session, &config);
    CHECK_INT(aws_client_init(&client, &session, &aws_s3_service, memory,
                              aws_client_memory(&s.port, AWS_MEMORY_HTTP)),
              0); /* small pieces */
    CHECK_INT(aws_client_init(&other, &session, &aws_s3_service, more, sizeof more), 0);
    CHECK_INT(aws_s3_delete_object(&client, &args, NULL), AWS_AGAIN); /* asks */
    aws_client_waiting(&client, &w);
    CHECK_INT(w.what, AWS_WAIT_TIMER);
    CHECK_INT(w.ms, 10);
    CHECK_INT(w.handle, -1);
    CHECK_INT(aws_s3_delete_object(&other, &args2, NULL), AWS_AGAIN); /* waits for it */
    CHECK_INT(safe.calls, 1);
    aws_client_waiting(&other, &w);
    CHECK_INT(w.what, AWS_WAIT_TIMER);
    CHECK(w.ms > 0 && w.ms <= 1000);
    aws_client_cancel(&client); /* the one that asks is given up: the other takes over */
    script_pass(&s, 60);
    for (n = 0; n < 100 && (r2 = aws_s3_delete_object(&other, &args2, NULL)) == AWS_AGAIN; n++)
        script_idle(&s, &other);
    CHECK_INT(r2, 0);
    CHECK_INT(safe.given, 1);
    SCRIPT_RUN(r, &s, &client, aws_s3_delete_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    CHECK_INT(safe.given, 1);
    /* one is in the middle of sending its head: the keys must not be replaced just then */
    script_pass(&s, (3600 - 300) * 1000);
    safe.life = 7200;
    s.again_always = 1;
    s.split_write = 20;
    session.keys.expiration += 3600; /* still good for this one */
    for (n = 0; n < 5; n++)
        CHECK_INT(aws_s3_delete_object(&client, &args, NULL), AWS_AGAIN);
    session.keys.expiration -= 3600;
    s.again_always = 0;
    for (n = 0; n < 5; n++) {
        CHECK_INT(aws_s3_delete_object(&other, &args2, NULL), AWS_AGAIN);
        CHECK_INT(safe.given, 1);
        script_idle(&s, &other);
    }
    SCRIPT_RUN(r, &s, &client, aws_s3_delete_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    SCRIPT_RUN(r2, &s, &other, aws_s3_delete_object(&other, &args2, NULL));
    CHECK_INT(r2, 0);
    CHECK_INT(safe.given, 2);
    stop_client(&other);
    stop();
}

/* While one client asks nobody signs: the strings may be overwritten at any moment. */
static void test_provider_advisory(void)
{
    static unsigned char more[16384];
    aws_client other;
    aws_s3_args args = args_of("key"), args2 = args_of("key2");
    int r, n;

    setup_vault(SCRIPT_NEVER_WAITS);
    safe.life = 3600;
    start();
    CHECK_INT(get_text(), 5);
    CHECK_INT(aws_client_init(&other, &session, &aws_s3_service, more, sizeof more), 0);
    script_pass(&s, (3600 - 800) * 1000);
    safe.agains = 5;
    CHECK_INT(aws_s3_delete_object(&client, &args, NULL), AWS_AGAIN);
    for (n = 0; n < 5; n++) {
        CHECK_INT(aws_s3_delete_object(&other, &args2, NULL), AWS_AGAIN);
        script_idle(&s, &other);
    }
    CHECK_INT(safe.calls, 2);
    SCRIPT_RUN(r, &s, &client, aws_s3_delete_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    SCRIPT_RUN(r, &s, &other, aws_s3_delete_object(&other, &args2, NULL));
    CHECK_INT(r, 0);
    CHECK_INT(safe.given, 2);
    CHECK(strstr(script_sent(&s, s.connection_count - 1), "Credential=ID2/") != NULL);
    CHECK(strstr(script_sent(&s, s.connection_count - 1), "Credential=ID1/") == NULL);
    stop_client(&other);
    stop();
}

/* Anonymous: nothing is signed and no clock is wanted, wherever there are keys; a body that can be read
 * only once goes as it is over http, too. */
static void test_anonymous(void)
{
    aws_s3_args args = args_of("a key");
    char url[200];
    size_t m;
    int keys;

    for (m = 0; m < 3; m++)
        for (keys = 0; keys < 3; keys++) {
            pipe_end p;
            const char *sent;
            memset(&p, 0, sizeof p);
            p.data = "hello";
            p.size = 5;
            setup(modes[m]);
            s.unix_time = 0;
            config.anonymous = 1;
            if (keys == 0)
                config.access_key_id = config.secret_access_key = NULL;
            config.session_token = keys == 2 ? "token" : NULL;
            start();
            ok("", "hello");
            ok("", "");
            ok("", "");
            CHECK_INT(get_text(), 5);
            CHECK_INT(put_text("hello"), 0);
            CHECK_INT(put_from(&p, 0), 0);
            sent = script_sent(&s, 0);
            CHECK_INT(requests_sent(), 3);
            CHECK_INT(count_of(sent, "\r\nauthorization:"), 0);
            CHECK_INT(count_of(sent, "\r\nx-amz-date:"), 0);
            CHECK_INT(count_of(sent, "\r\nx-amz-content-sha256:"), 0);
            CHECK_INT(count_of(sent, "\r\nx-amz-security-token:"), 0);
            CHECK_INT(count_of(sent, "\r\nx-amz-checksum-crc32: NhCmhg==\r\n"), 1);
            sent = script_sent(&s, m == 2); /* a port that blocks can't see whether one is stale */
            CHECK_INT(count_of(sent, "\r\ncontent-length: 5\r\n"), m == 2 ? 1 : 2);
            CHECK(strcmp(sent + strlen(sent) - 9, "\r\n\r\nhello") == 0);
            CHECK(aws_s3_presign(&client, aws_s3_get_object, &args, 60, url, sizeof url) > 0);
            CHECK_STR(url, "http://test.local:9000/bucket/a%20key");
            stop();
        }
}

static void test_missing_keys(void)
{
    static const char *const pairs[][2] = {
        {NULL, NULL}, {ACCESS, NULL}, {NULL, SECRET}, {"", SECRET}};
    size_t i;

    for (i = 0; i < 4; i++) {
        setup(SCRIPT_WAITS);
        config.access_key_id = pairs[i][0];
        config.secret_access_key = pairs[i][1];
        aws_session_init(&session, &config);
        CHECK_INT(aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory),
                  AWS_ERR_CREDENTIALS);
        CHECK_INT(get_text(), AWS_ERR_CREDENTIALS);
        no_secret_in(aws_client_failure_text(&client));
        CHECK_INT(s.calls, 0);
        stop_client(&client);
    }
}

/* ---- The clock ---- */

static void test_no_clock(void)
{
    size_t m;

    for (m = 0; m < 3; m++) {
        setup(modes[m]);
        s.unix_time = 0;
        start();
        CHECK_INT(get_text(), AWS_ERR_CLOCK);
        CHECK_INT(s.connection_count, 0);
        CHECK_INT(s.opens, 0);
        CHECK(strstr(aws_client_failure_text(&client), "clock_floor") != NULL);
        stop();
    }
}

#define DATE_ANSWER(date) "HTTP/1.1 403 Forbidden\r\n" date "Content-Length: 300\r\n\r\n"

static void test_learnt_clock(void)
{
    size_t m;

    for (m = 0; m < 3; m++) {
        setup(modes[m]);
        s.unix_time = 0;
        config.clock_floor = 1767000000;
        start();
        say(DATE_ANSWER("Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n"), 0);
        ok("", "hello");
        ok("", "HELLO");
        CHECK_INT(get_text(), 5);
        CHECK(strncmp(script_sent(&s, 0),
                      "HEAD / HTTP/1.1\r\nhost: test.local:9000\r\n" AGENT "\r\nGET /bucket/key ",
                      80) == 0);
        CHECK(strstr(script_sent(&s, 0), "x-amz-date: 20260102T030405Z") != NULL);
        CHECK_INT(s.connection_count, 1);
        script_pass(&s, 3600000);
        CHECK_INT(get_text(), 5);
        CHECK_INT(count_of(script_sent(&s, 0), "HEAD / "), 1);
        CHECK(strstr(script_sent(&s, 0), "x-amz-date: 20260102T040405Z") != NULL);
        stop();
    }
}

/* Bodies after a HEAD, as Ceph 16 sends one at once: the connection isn't used again. */
static void test_clock_with_body(void)
{
    static const char *const answers[] = {"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                                          "Transfer-Encoding: chunked\r\n\r\n",
                                          "Content-Length: 2\r\n\r\nno"};
    char text[200];
    size_t m, i;

    for (m = 0; m < 3; m++)
        for (i = 0; i < 3; i++) {
            setup(modes[m]);
            s.unix_time = 0;
            config.clock_floor = 1767000000;
            start();
            snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\n%s",
                     answers[i]);
            say(text, 0);
            ok("", "hello");
            CHECK_INT(get_text(), 5);
            CHECK_INT(s.connection_count, i == 1 ? 1 : 2);
            CHECK(i == 1 || strncmp(script_sent(&s, 1), "GET /bucket/key ", 16) == 0);
            stop();
        }
}

/* A Date that can't be: no request is signed with it. A connection that ends after the HEAD. */
static void test_bad_clock(void)
{
    static const char *const dates[] = {"", "Date: yesterday\r\n",
                                        "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"};
    size_t m, i, n;

    for (m = 0; m < 3; m++)
        for (i = 0; i < 3; i++) {
            char text[200];
            setup(modes[m]);
            s.unix_time = 0;
            config.clock_floor = 1767000000;
            start();
            snprintf(text, sizeof text, "HTTP/1.1 400 No\r\n%sContent-Length: 3\r\n\r\n", dates[i]);
            for (n = 0; n < 3; n++)
                say(text, 0);
            CHECK_INT(get_text(), AWS_ERR_CLOCK);
            CHECK_INT(count_of(script_sent(&s, 0), "authorization"), 0);
            stop();
            setup(modes[m]);
            s.unix_time = 0;
            config.clock_floor = 1767000000;
            start();
            say("HTTP/1.1 400 No\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\nConnection: close\r\n"
                "Content-Length: 3\r\n\r\n",
                SCRIPT_FIN);
            ok("", "hello");
            CHECK_INT(get_text(), 5);
            CHECK_INT(s.connection_count, 2);
            stop();
        }
}

/* A call that finds no entropy for its back-off still waits; nothing hangs. */
static void test_entropy(void)
{
    setup(SCRIPT_WAITS);
    s.entropy_fails_from = 1;
    start();
    fail("500 Oops", "InternalError");
    ok("", "hello");
    CHECK_INT(get_text(), 5);
    CHECK(s.sleep_count == 1 && s.sleeps[0] <= 1000);
    stop();
}

/* ---- Arguments ---- */

static void test_bad_arguments(void)
{
    static const struct {
        const char *bucket, *key;
    } names[] = {{"bucket", ""},        {"bucket", NULL},    {NULL, "key"},       {"", "key"},
                 {"x@evil:443/#", "k"}, {"a/b", "key"},      {"bucket\n", "key"}, {"..", "key"},
                 {".", "key"},          {"b\xc3\xbc", "key"}};
    static char long_key[1026], long_bucket[257];
    static const aws_pair bad_pairs[] = {{"a", "x\r\ny: z"}, {"a b", "x"},  {"a:", "x"},
                                         {"", "x"},          {"a", "\x7f"}, {"a\r\n", "x"}};
    size_t i;
    aws_s3_args args;
    aws_s3_key keys[2] = {{"a", NULL}, {"", NULL}};

    setup(SCRIPT_WAITS);
    start();
    memset(long_key, 'k', 1025);
    memset(long_bucket, 'b', 256);
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        args = args_of(names[i].key);
        args.bucket = names[i].bucket;
        CHECK_INT(aws_s3_delete_object(&client, &args, NULL), AWS_ERR_PARAM);
        CHECK(strlen(aws_client_failure_text(&client)) > 20);
    }
    args = args_of(long_key);
    CHECK_INT(aws_s3_delete_object(&client, &args, NULL), AWS_ERR_PARAM);
    args = args_of("key");
    args.bucket = long_bucket;
    CHECK_INT(aws_s3_delete_object(&client, &args, NULL), AWS_ERR_PARAM);
    for (i = 0; i < sizeof bad_pairs / sizeof *bad_pairs; i++) {
        args = args_of("key");
        args.metadata = args.headers = bad_pairs + i;
        args.metadata_count = 1;
        CHECK_INT(aws_s3_put_object(&client, &args, NULL), AWS_ERR_PARAM);
        args.metadata_count = 0;
        args.headers_count = 1;
        CHECK_INT(aws_s3_put_object(&client, &args, NULL), AWS_ERR_PARAM);
    }
    args = args_of("key");
    args.content_type = "a\r\nx: y";
    CHECK_INT(aws_s3_put_object(&client, &args, NULL), AWS_ERR_PARAM);
    args = args_of("key");
    args.prefix = "x"; /* not a member of it */
    CHECK_INT(aws_s3_put_object(&client, &args, NULL), AWS_ERR_PARAM);
    args = args_of("key");
    args.body = "x";
    args.body_size = ((uint64_t)5 << 30) + 1;
    CHECK_INT(aws_s3_put_object(&client, &args, NULL), AWS_ERR_PARAM);
    args = args_of(NULL);
    CHECK_INT(aws_s3_delete_objects(&client, &args, NULL), AWS_ERR_PARAM);
    args.objects = keys;
    args.object_count = 2;
    CHECK_INT(aws_s3_delete_objects(&client, &args, NULL), AWS_ERR_PARAM);
    args.object_count = 1001;
    CHECK_INT(aws_s3_delete_objects(&client, &args, NULL), AWS_ERR_PARAM);
    CHECK_INT(s.opens + s.sends, 0);
    ok("", "hello");
    CHECK_INT(get_text(), 5);
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

static const test tests[] = {TEST(requests),
                             TEST(requests_in_a_row),
                             TEST(targets),
                             TEST(answers),
                             TEST(head),
                             TEST(last_chunk),
                             TEST(last_chunk_early),
                             TEST(floods),
                             TEST(interim_limit),
                             TEST(headers),
                             TEST(chunked_size),
                             TEST(copy_and_location),
                             TEST(delete_objects),
                             TEST(stale),
                             TEST(not_stale),
                             TEST(stale_streams),
                             TEST(retries),
                             TEST(retry_succeeds),
                             TEST(backoff),
                             TEST(quota),
                             TEST(transport),
                             TEST(error_in_200),
                             TEST(bad_xml),
                             TEST(bad_raw_xml),
                             TEST(timeouts),
                             TEST(default_timeouts),
                             TEST(user_agent),
                             TEST(error_pages),
                             TEST(whole_call),
                             TEST(slow_server),
                             TEST(blocking_timeout),
                             TEST(long_timeouts),
                             TEST(unordered),
                             TEST(page_again),
                             TEST(silent_stream),
                             TEST(hash_broken),
                             TEST(no_second_reading),
                             TEST(error_to_sink),
                             TEST(cancel),
                             TEST(cancel_connecting),
                             TEST(busy),
                             TEST(waiting),
                             TEST(stream_put),
                             TEST(stream_put_fails),
                             TEST(unsigned_over_http),
                             TEST(stream_get),
                             TEST(stream_get_fails),
                             TEST(source),
                             TEST(source_once),
                             TEST(short_source),
                             TEST(sink),
                             TEST(small_buffer),
                             TEST(progress),
                             TEST(log),
                             TEST(early),
                             TEST(early_stream),
                             TEST(early_others),
                             TEST(interim),
                             TEST(provider),
                             TEST(provider_fails),
                             TEST(provider_broken),
                             TEST(provider_shared),
                             TEST(provider_advisory),
                             TEST(anonymous),
                             TEST(missing_keys),
                             TEST(no_clock),
                             TEST(learnt_clock),
                             TEST(clock_with_body),
                             TEST(bad_clock),
                             TEST(entropy),
                             TEST(bad_arguments)};

/* With ticks from the start, and with ticks that wrap around or change their sign on the way. */
int main(int argc, char **argv)
{
    static const uint32_t starts[] = {1000, 0xfffffff0u, 0x7ffffff0u, 0xffff0000u};
    size_t i, k;

    alarm(2000);
    for (k = 0; k < sizeof starts / sizeof *starts; k++)
        for (i = 0; i < sizeof tests / sizeof *tests; i++) {
            unsigned long failed = check_failed;
            if (argc > 1 && strcmp(argv[1], tests[i].name) != 0)
                continue;
            start_tick = starts[k];
            s.step_count = 0;
            tests[i].run();
            if (check_failed != failed)
                fprintf(stderr, "^ in test %s, ticks from 0x%lx\n", tests[i].name,
                        (unsigned long)starts[k]);
        }
    return CHECK_DONE();
}

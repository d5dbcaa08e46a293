/* test_endpoint.c - where a request goes: region, endpoint, bucket, key, and what is refused.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_endpoint.c -lbearssl && ./a.out
 *
 * A port that records the host it is asked to open and the bytes sent, and answers 200. Then the
 * rows of the peers' endpoint rules that apply to what there is, if they are there (jsonl.h).
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "jsonl.h"
#include "check.h"
#include "dirty.h"

/* ---- The recording port ---- */

typedef struct recorder {
    unsigned    opens, port_number, tls;
    char        host[300];
    char        sent[8192];
    size_t      sent_size, answered;
    const char *answer; /* NULL: 200 with "<a/>" */
    const char *names[6], *values[6]; /* the environment */
} recorder;

static recorder seen;

static int port_open(const aws_port *port, void *connection, const char *host, unsigned number,
                     int tls)
{
    (void)port;
    (void)connection;
    seen.opens++;
    seen.port_number = number;
    seen.tls = (unsigned)tls;
    snprintf(seen.host, sizeof seen.host, "%s", host);
    return 0;
}

static int port_send(const aws_port *port, void *connection, const void *data, size_t size)
{
    (void)port;
    (void)connection;
    if (seen.sent_size + size < sizeof seen.sent) {
        memcpy(seen.sent + seen.sent_size, data, size);
        seen.sent_size += size;
        seen.sent[seen.sent_size] = 0;
    }
    return (int)size;
}

static int port_recv(const aws_port *port, void *connection, void *data, size_t size)
{
    const char *answer = seen.answer ? seen.answer
                         : strncmp(seen.sent, "HEAD ", 5) == 0
                             ? "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
                             : "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<a/>";
    size_t left = strlen(answer) - seen.answered;

    (void)port;
    (void)connection;
    size = size < left ? size : left;
    memcpy(data, answer + seen.answered, size);
    seen.answered += size;
    return (int)size;
}

static int port_close(const aws_port *port, void *connection)
{
    (void)port;
    (void)connection;
    return 0;
}

static int64_t port_now(const aws_port *port)
{
    (void)port;
    return 1767323045; /* 2026-01-02T03:04:05Z */
}

static uint32_t port_ticks(const aws_port *port)
{
    (void)port;
    return 1;
}

static int port_entropy(const aws_port *port, void *data, size_t size)
{
    (void)port;
    memset(data, 7, size);
    return 0;
}

static const char *port_env(const aws_port *port, const char *name)
{
    size_t i;

    (void)port;
    for (i = 0; i < sizeof seen.names / sizeof *seen.names; i++)
        if (seen.names[i] && strcmp(seen.names[i], name) == 0)
            return seen.values[i];
    return NULL;
}

static aws_port    port;
static aws_session session;
static aws_client  client;
static uint64_t    memory[65536 / 8];

/* A configuration that works; a test changes one thing. */
static aws_config config_of(const char *region, const char *endpoint)
{
    aws_config config;

    memset(&config, 0, sizeof config);
    memset(&port, 0, sizeof port);
    port.flags = AWS_PORT_TLS | AWS_PORT_BLOCKING;
    port.connection_size = 8;
    port.open = port_open;
    port.send = port_send;
    port.recv = port_recv;
    port.close = port_close;
    port.now = port_now;
    port.ticks = port_ticks;
    port.entropy = port_entropy;
    port.env = port_env;
    config.port = &port;
    config.access_key_id = "AKIDEXAMPLE";
    config.secret_access_key = "secret";
    config.region = region;
    config.endpoint = endpoint;
    config.max_attempts = 1;
    return config;
}

static int start(const aws_config *config)
{
    seen.opens = 0;
    seen.sent_size = seen.answered = 0;
    seen.host[0] = seen.sent[0] = 0;
    aws_session_init(&session, config);
    return aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory);
}

static void stop(void)
{
    aws_client_close(&client);
    aws_session_close(&session);
}

/* Begin anew and head an object, or a bucket, or list the buckets. */
static int ask(const aws_config *config, const char *bucket, const char *key)
{
    aws_s3_args args;
    int r = start(config);

    if (r < 0)
        return r;
    memset(&args, 0, sizeof args);
    args.bucket = bucket;
    args.key = key;
    return key      ? aws_s3_head_object(&client, &args, NULL)
           : bucket ? aws_s3_head_bucket(&client, &args, NULL)
                    : aws_s3_list_buckets(&client, &args, NULL);
}

/* The request target that was sent. */
static const char *target(void)
{
    static char text[4096];
    const char *at = strchr(seen.sent, ' ');

    text[0] = 0;
    if (at)
        snprintf(text, sizeof text, "%.*s", (int)strcspn(at + 1, " "), at + 1);
    return text;
}

/* The value of a header that was sent. */
static const char *header(const char *name)
{
    static char text[4096];
    char line[100];
    const char *at;

    snprintf(line, sizeof line, "\r\n%s: ", name);
    at = strstr(seen.sent, line);
    text[0] = 0;
    if (at)
        snprintf(text, sizeof text, "%.*s", (int)strcspn(at + strlen(line), "\r\n"),
                 at + strlen(line));
    return text;
}

/* Scheme, host, port and path as one URL. */
static const char *url(void)
{
    static char text[4096];
    const char *path = target();
    char number[12] = "";

    if (seen.port_number != (seen.tls ? 443u : 80u))
        snprintf(number, sizeof number, ":%u", seen.port_number);
    snprintf(text, sizeof text, strchr(seen.host, ':') ? "%s[%s]%s%s" : "%s%s%s%s",
             seen.tls ? "https://" : "http://", seen.host, number, strcmp(path, "/") ? path : "");
    return text;
}

static void check_url(const aws_config *config, const char *bucket, const char *key,
                      const char *want)
{
    const char *host;
    char plain[400];

    CHECK_INT(ask(config, bucket, key), 0);
    if (!CHECK_STR(url(), want))
        fprintf(stderr, "  %s\n", aws_client_failure_text(&client));
    CHECK_INT(seen.opens, 1);
    host = strstr(want, "//") + 2; /* the host header is the URL's authority */
    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(host, "/"), host);
    CHECK_STR(header("host"), plain);
    stop();
}

/* Refused with the value in the text, before any look-up. */
static void check_refused(int r, const char *value)
{
    char shown[64], clean[64];
    size_t i;

    CHECK_INT(r, AWS_ERR_PARAM);
    if (!CHECK_INT(seen.opens, 0) || !CHECK_INT(seen.sent_size, 0))
        fprintf(stderr, "  \"%s\" went to %s\n", value, seen.host);
    snprintf(shown, sizeof shown, "%s", value);
    for (i = 0; shown[i]; i++)
        clean[i] = (char)((unsigned char)shown[i] < 0x20 || shown[i] == 0x7f ? '?' : shown[i]);
    clean[i] = 0;
    if (!CHECK(strstr(aws_client_failure_text(&client), clean) != NULL))
        fprintf(stderr, "  \"%s\" isn't in: %s\n", clean, aws_client_failure_text(&client));
    stop();
}

/* ---- Regions ---- */

static const char x63[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

static void test_regions(void)
{
    static const char *const good[][2] = {
        {"us-east-1", "https://s3.us-east-1.amazonaws.com"}, /* regional, too */
        {"eu-west-1", "https://s3.eu-west-1.amazonaws.com"},
        {"us-gov-west-1", "https://s3.us-gov-west-1.amazonaws.com"},
        {"cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn"},
        {"cn-northwest-1", "https://s3.cn-northwest-1.amazonaws.com.cn"},
        {"cnn-north-1", "https://s3.cnn-north-1.amazonaws.com"},
        {"cn", "https://s3.cn.amazonaws.com"},
        {"a", "https://s3.a.amazonaws.com"},
        {"1a", "https://s3.1a.amazonaws.com"},
        {"a1", "https://s3.a1.amazonaws.com"},
        {"a--b", "https://s3.a--b.amazonaws.com"}};
    static const char *const bad[] = {
        "", "x@evil:443/#", "evil.com/", "evil/", "us-east-1\n", "\nus-east-1", "us-east-1 ",
        "us east", "US-EAST-1", "us-East-1", "us_east_1", "us.east.1", "evil.com", "-us", "us-",
        "-", "123", "0", "us-east-1#", "us-east-1?", "us-east-1:80", "us-east-1\\", "us-east-1@",
        "us-east-1%2f", "\xc3\xa9", "us\x7f", "us\x01", "a/../b", "*", "../x", "..", "."};
    char longer[65];
    aws_config config;
    size_t i;

    for (i = 0; i < sizeof good / sizeof *good; i++) {
        config = config_of(good[i][0], NULL);
        check_url(&config, NULL, NULL, good[i][1]);
        CHECK_INT(ask(&config, NULL, NULL), 0);
        CHECK_STR(aws_client_region(&client), good[i][0]);
        snprintf(longer, sizeof longer, "/20260102/%s/s3/aws4_request,", good[i][0]);
        CHECK(strstr(header("authorization"), longer) != NULL);
        stop();
    }
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        config = config_of(bad[i], NULL);
        check_refused(ask(&config, "bucket", "key"), bad[i]);
        config = config_of(bad[i], "http://localhost:9000"); /* a region goes to no host here */
        check_refused(ask(&config, "bucket", "key"), bad[i]);
    }
    config = config_of(x63, NULL);
    CHECK_INT(ask(&config, NULL, NULL), 0);
    stop();
    snprintf(longer, sizeof longer, "x%s", x63);
    config = config_of(longer, NULL);
    check_refused(ask(&config, NULL, NULL), x63);
    config = config_of(NULL, NULL);
    check_refused(ask(&config, NULL, NULL), "no region");
}

/* ---- Endpoints ---- */

static void test_endpoints(void)
{
    static const char *const good[][2] = {
        {"http://localhost", "http://localhost"},
        {"https://localhost", "https://localhost"},
        {"http://localhost/", "http://localhost"},
        {"http://localhost:9000", "http://localhost:9000"},
        {"https://localhost:9000/", "https://localhost:9000"},
        {"http://localhost:80", "http://localhost"},
        {"https://localhost:443", "https://localhost"},
        {"http://localhost:443", "http://localhost:443"},
        {"https://localhost:80", "https://localhost:80"},
        {"http://localhost:1", "http://localhost:1"},
        {"http://localhost:65535", "http://localhost:65535"},
        {"http://localhost:000090", "http://localhost:90"},
        {"http://127.0.0.1:9000", "http://127.0.0.1:9000"},
        {"http://[::1]:9000", "http://[::1]:9000"},
        {"http://[fe80::1]", "http://[fe80::1]"},
        {"https://[2001:db8::1.2.3.4]/", "https://[2001:db8::1.2.3.4]"},
        {"https://a-b.c1.d", "https://a-b.c1.d"},
        {"https://s3.eu-west-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com"}};
    static const char *const bad[] = {
        "localhost", "localhost:9000", "//localhost", "ftp://localhost", "s3://bucket",
        "HTTP://localhost", "Https://localhost", "http:/localhost", "http:localhost", "http://",
        "https://", "http:///", "http://:80", "http:///x", "http://x@evil:443/#",
        "http://user:pw@evil", "http://user@evil", "http://evil/path", "http://evil//",
        "http://evil?x", "http://evil#x", "http://evil/?x", "http://evil/#", "http://evil\\x",
        "http://evil\n", "http://evil:80\n", "http://evil:80/\n", "http://\nevil",
        "http://evil\r\nHost: x", "http://EVIL", "http://Evil", "http://e_vil", "http://e vil",
        " http://evil", "http://evil ", "http://-evil", "http://evil-", "http://evil..com",
        "http://.evil", "http://evil.", "http://evil.-a", "http://evil:", "http://evil:/",
        "http://evil:0", "http://evil:65536", "http://evil:99999", "http://evil:4294967376",
        "http://evil:0000080", "http://evil:80x", "http://evil:+80", "http://evil:-80",
        "http://evil:80:80", "http://evil: 80", "http://[::1", "http://::1", "http://[]",
        "http://[]:80", "http://[:]x", "http://[::1]x", "http://[::1]80",
        "http://[fe80::1%25eth0]", "http://[::G]", "http://[FE80::1]", "http://[evil]",
        "http://[::1]@evil", "http://[::1]:80@evil", "http://%65vil", "http://\xc3\xa9vil",
        "http://evil\x01", "http://evil\x7f", "http://ev*il", "http://*.evil",
        "http://[0000:0000:0000:0000:0000:0000:0000:0000:0000:1]"};
    aws_config config;
    char host[300];
    size_t i;

    for (i = 0; i < sizeof good / sizeof *good; i++) {
        config = config_of("eu-west-1", good[i][0]);
        check_url(&config, NULL, NULL, good[i][1]);
    }
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        config = config_of("eu-west-1", bad[i]);
        check_refused(ask(&config, "bucket", "key"), bad[i]);
    }
    for (i = 252; i <= 254; i++) { /* labels of 63, a name of at most 253 */
        snprintf(host, sizeof host, "http://%s.%s.%s.%s", x63, x63, x63, x63);
        host[7 + i] = 0;
        config = config_of("eu-west-1", host);
        CHECK_INT(start(&config), i <= 253 ? 0 : AWS_ERR_PARAM);
        stop();
    }
    snprintf(host, sizeof host, "http://x%s", x63);
    config = config_of("eu-west-1", host);
    check_refused(ask(&config, NULL, NULL), "http://xxx");
}

/* A name that gets too long by the bucket in front of it. */
static void test_long_host(void)
{
    char endpoint[300], bucket[64], want[72];
    aws_config config;
    size_t size;

    for (size = 180; size <= 240; size++) {
        int r;
        snprintf(endpoint, sizeof endpoint, "http://%s.%s.%s.%s", x63, x63, x63, x63);
        endpoint[7 + size] = 0;
        if (endpoint[6 + size] == '.')
            continue;
        snprintf(bucket, sizeof bucket, "%s", x63);
        config = config_of("eu-west-1", endpoint);
        config.addressing = AWS_ADDRESSING_VIRTUAL;
        r = ask(&config, bucket, NULL);
        if (r == 0) {
            CHECK(size + 64 <= 255);
            CHECK_INT(strlen(seen.host), size + 64);
        } else {
            CHECK(size + 64 > 253);
            CHECK_INT(r, AWS_ERR_PARAM);
            CHECK_INT(seen.opens, 0);
            CHECK(strlen(aws_client_failure(&client)->value) < sizeof want);
        }
        stop();
    }
}

/* ---- Buckets ---- */

static void test_buckets(void)
{
    static const char *const bad[] = {
        "", "x@evil:443/#", "evil/", "evil.com/", "a/b", "a\\b", "bucket\n", "\nbucket", "bucket ",
        " bucket", "a b", "bucket!", "a#b", "a?b", "a%2fb", "a:b", "a@b", "a&b", "a;b", "a,b",
        "a=b", "a+b", "a*b", "a~b", "a\"b", "a'b", "a<b", "a\001b", "a\x7f", "\xc3\xa9", "..", ".",
        "/", "arn:aws:s3:::x"};
    static const struct {
        const char *bucket, *endpoint;
        unsigned    addressing;
        const char *want;
    } good[] = {
        {"bucket", NULL, 0, "https://bucket.s3.eu-west-1.amazonaws.com/k"},
        {"bucket", NULL, AWS_ADDRESSING_PATH, "https://s3.eu-west-1.amazonaws.com/bucket/k"},
        {"bucket", NULL, AWS_ADDRESSING_VIRTUAL, "https://bucket.s3.eu-west-1.amazonaws.com/k"},
        {"bucket", "http://h:90", 0, "http://h:90/bucket/k"},
        {"bucket", "http://h:90", AWS_ADDRESSING_PATH, "http://h:90/bucket/k"},
        {"bucket", "http://h:90", AWS_ADDRESSING_VIRTUAL, "http://bucket.h:90/k"},
        {"bucket", "https://h.x", AWS_ADDRESSING_VIRTUAL, "https://bucket.h.x/k"},
        {"a-1", NULL, 0, "https://a-1.s3.eu-west-1.amazonaws.com/k"},
        {"123", NULL, 0, "https://s3.eu-west-1.amazonaws.com/123/k"}, /* an IPv4 address's form */
        {"ab", NULL, 0, "https://s3.eu-west-1.amazonaws.com/ab/k"},
        {"Bucket", NULL, 0, "https://s3.eu-west-1.amazonaws.com/Bucket/k"},
        {"a_b", NULL, 0, "https://s3.eu-west-1.amazonaws.com/a_b/k"},
        {"-ab", NULL, 0, "https://s3.eu-west-1.amazonaws.com/-ab/k"},
        {"ab-", NULL, 0, "https://s3.eu-west-1.amazonaws.com/ab-/k"},
        {"...", NULL, 0, "https://s3.eu-west-1.amazonaws.com/.../k"},
        /* dots: no wildcard certificate covers two labels */
        {"a.b", NULL, 0, "https://s3.eu-west-1.amazonaws.com/a.b/k"},
        {"a.b", NULL, AWS_ADDRESSING_VIRTUAL, "https://s3.eu-west-1.amazonaws.com/a.b/k"},
        {"a.b", "https://h", AWS_ADDRESSING_VIRTUAL, "https://h/a.b/k"},
        {"a.b", "http://h", AWS_ADDRESSING_VIRTUAL, "http://a.b.h/k"},
        {"a.b", "http://h", 0, "http://h/a.b/k"},
        {"a..b", "http://h", AWS_ADDRESSING_VIRTUAL, "http://h/a..b/k"},
        {"a.-b", "http://h", AWS_ADDRESSING_VIRTUAL, "http://h/a.-b/k"},
        {".ab", "http://h", AWS_ADDRESSING_VIRTUAL, "http://h/.ab/k"},
        {"ab.", "http://h", AWS_ADDRESSING_VIRTUAL, "http://h/ab./k"},
        {"1.2.3.4", "http://h", AWS_ADDRESSING_VIRTUAL, "http://h/1.2.3.4/k"},
        /* an address has no names below it */
        {"bucket", "http://127.0.0.1", AWS_ADDRESSING_VIRTUAL, "http://127.0.0.1/bucket/k"},
        {"bucket", "http://[::1]:90", AWS_ADDRESSING_VIRTUAL, "http://[::1]:90/bucket/k"}};
    aws_config config;
    char longest[300];
    size_t i;

    for (i = 0; i < sizeof good / sizeof *good; i++) {
        config = config_of("eu-west-1", good[i].endpoint);
        config.addressing = good[i].addressing;
        check_url(&config, good[i].bucket, "k", good[i].want);
    }
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        config = config_of("eu-west-1", NULL);
        config.addressing = (unsigned)(i % 3);
        check_refused(ask(&config, bad[i], "key"), bad[i]);
        check_refused(ask(&config, bad[i], NULL), bad[i]);
    }
    config = config_of("eu-west-1", NULL);
    check_url(&config, x63, NULL,
              "https://xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
              ".s3.eu-west-1.amazonaws.com");
    memset(longest, 'x', sizeof longest);
    longest[255] = 0;
    CHECK_INT(ask(&config, longest, NULL), 0);
    CHECK_STR(seen.host, "s3.eu-west-1.amazonaws.com");
    stop();
    longest[255] = 'x';
    longest[256] = 0;
    check_refused(ask(&config, longest, NULL), "xxx");
}

/* GetBucketLocation goes by path wherever the bucket is. */
static void test_location(void)
{
    aws_config config = config_of("eu-west-1", NULL);
    aws_s3_args args;

    CHECK_INT(start(&config), 0);
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    seen.answer = "HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n<LocationConstraint/>";
    CHECK_INT(aws_s3_get_bucket_location(&client, &args, NULL), 0);
    CHECK_STR(url(), "https://s3.eu-west-1.amazonaws.com/bucket?location=");
    seen.answer = NULL;
    stop();
}

/* ---- Keys, and bytes that must not get into a request ---- */

static void test_keys(void)
{
    static const char *const keys[][2] = {
        {"k", "/b/k"}, {"a/b", "/b/a/b"}, {"a/../b", "/b/a/../b"}, {"..", "/b/.."}, {".", "/b/."},
        {"/", "/b//"}, {"//", "/b///"}, {"/a", "/b//a"}, {"a//b/", "/b/a//b/"}, {"./a", "/b/./a"},
        {" ", "/b/%20"}, {"+", "/b/%2B"}, {"%", "/b/%25"}, {"%2F", "/b/%252F"}, {"?", "/b/%3F"},
        {"#", "/b/%23"}, {"a?b=c&d", "/b/a%3Fb%3Dc%26d"}, {"~-_.", "/b/~-_."}, {"\\", "/b/%5C"},
        {"\r\nHost: evil", "/b/%0D%0AHost%3A%20evil"}, {"\x01\x1f\x7f", "/b/%01%1F%7F"},
        {"\xc3\xa9", "/b/%C3%A9"}, {"\xff\xfe", "/b/%FF%FE"}, {"!*'()", "/b/%21%2A%27%28%29"},
        {"a:b@c", "/b/a%3Ab%40c"}, {"http://evil/", "/b/http%3A//evil/"}};
    char key[1100];
    aws_config config = config_of("eu-west-1", "http://h");
    size_t i;

    for (i = 0; i < sizeof keys / sizeof *keys; i++) {
        CHECK_INT(ask(&config, "b", keys[i][0]), 0);
        CHECK_STR(target(), keys[i][1]);
        CHECK_STR(seen.host, "h");
        CHECK_STR(header("host"), "h");
        stop();
    }
    check_refused(ask(&config, "b", ""), "key");
    memset(key, 'k', sizeof key);
    key[1024] = 0;
    CHECK_INT(ask(&config, "b", key), 0);
    CHECK_INT(strlen(target()), 1024 + 3);
    stop();
    key[1024] = 'k';
    key[1025] = 0;
    check_refused(ask(&config, "b", key), "kkkk");
}

/* One argument at a time with a byte that would end a header line. */
static void test_injection(void)
{
    static const char *const values[] = {"a\r\nx-evil: 1", "a\nb", "\ra", "a\x01", "a\x7f",
                                         "\xc3\xa9", "a\r", "\x0b"};
    static const char *const names[] = {"", "a b", "a:", "a\r\nb", "\xc3\xa9", "a/b", "a(b", "\t"};
    aws_config config = config_of("eu-west-1", "http://h");
    size_t i, k;

    for (i = 0; i < sizeof values / sizeof *values; i++) {
        for (k = 0; k < 7; k++) {
            aws_s3_args args;
            aws_pair pair;
            memset(&args, 0, sizeof args);
            args.bucket = "b";
            args.key = "k";
            pair.name = "name";
            pair.value = values[i];
            args.content_type = k == 0 ? values[i] : NULL;
            args.metadata = args.headers = &pair;
            args.metadata_count = k == 1;
            args.headers_count = k == 2;
            args.tagging = k == 3 ? values[i] : NULL;
            args.if_match = k == 4 ? values[i] : NULL;
            args.server_side_encryption = k == 5 ? values[i] : NULL;
            args.expires = k == 6 ? values[i] : NULL;
            CHECK_INT(start(&config), 0);
            CHECK_INT(aws_s3_put_object(&client, &args, NULL), AWS_ERR_PARAM);
            CHECK_INT(seen.opens, 0);
            stop();
        }
    }
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        for (k = 0; k < 2; k++) {
            aws_s3_args args;
            aws_pair pair;
            memset(&args, 0, sizeof args);
            args.bucket = "b";
            args.key = "k";
            pair.name = names[i];
            pair.value = "v";
            args.metadata = args.headers = &pair;
            args.metadata_count = k == 0;
            args.headers_count = k == 1;
            CHECK_INT(start(&config), 0);
            if (!CHECK_INT(aws_s3_put_object(&client, &args, NULL), AWS_ERR_PARAM))
                fprintf(stderr, "  with %s \"%s\"\n", k ? "header" : "metadata", names[i]);
            CHECK_INT(seen.opens, 0);
            stop();
        }
    }
    for (i = 0; i < sizeof values / sizeof *values; i++) { /* credentials and the like */
        for (k = 0; k < 4; k++) {
            int r;
            config = config_of("eu-west-1", "http://h");
            if (k == 0)
                config.access_key_id = values[i];
            else if (k == 1)
                config.session_token = values[i];
            else if (k == 2)
                config.user_agent_extra = values[i];
            else
                config.tls_name = values[i];
            r = ask(&config, "b", "k");
            if (!CHECK(r < 0) || !CHECK_INT(seen.opens, 0))
                fprintf(stderr, "  member %u, value %u\n", (unsigned)k, (unsigned)i);
            stop();
        }
    }
    { /* in a query everything is encoded */
        aws_s3_args args;
        config = config_of("eu-west-1", "http://h");
        memset(&args, 0, sizeof args);
        args.bucket = "b";
        args.prefix = "\r\n&=#? \xff";
        CHECK_INT(start(&config), 0);
        CHECK_INT(aws_s3_list_objects_v2(&client, &args, NULL), 0);
        CHECK_STR(target(), "/b?list-type=2&prefix=%0D%0A%26%3D%23%3F%20%FF");
        stop();
    }
}

/* A second header of a name that the client writes itself would change what the request is. */
static void test_own_headers(void)
{
    static const char *const names[] = {
        "host", "Host", "content-length", "transfer-encoding", "connection", "authorization",
        "x-amz-date", "X-Amz-Date", "x-amz-content-sha256", "x-amz-security-token", "user-agent",
        "expect"};
    static const char *const allowed[] = {"hosts", "x-host", "content-lengt", "x-amz-dat",
                                          "x-amz-meta-host"};
    aws_config config = config_of("eu-west-1", "http://h");
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names + sizeof allowed / sizeof *allowed; i++) {
        size_t given = sizeof names / sizeof *names;
        int refused = i < given;
        aws_s3_args args;
        aws_pair pair;
        memset(&args, 0, sizeof args);
        args.bucket = "b";
        args.key = "k";
        args.headers = &pair;
        args.headers_count = 1;
        pair.name = refused ? names[i] : allowed[i - given];
        pair.value = "5";
        CHECK_INT(start(&config), 0);
        if (!CHECK_INT(aws_s3_put_object(&client, &args, NULL), refused ? AWS_ERR_PARAM : 0) ||
            !CHECK_INT(seen.opens, !refused))
            fprintf(stderr, "  with header \"%s\"\n", pair.name);
        if (refused)
            CHECK(strstr(aws_client_failure_text(&client), names[i]) != NULL);
        stop();
    }
}

/* ---- TLS without a name, environment, redirects ---- */

/* Nothing proves an address: refused before the look-up, unless a name is given. */
static void test_address_over_tls(void)
{
    aws_config config = config_of("eu-west-1", "https://127.0.0.1:9000");

    port.flags = AWS_PORT_BLOCKING; /* BearSSL speaks TLS */
    check_refused(ask(&config, "b", "k"), "127.0.0.1");
    config = config_of("eu-west-1", "https://[::1]:9000");
    port.flags = AWS_PORT_BLOCKING;
    check_refused(ask(&config, "b", "k"), "::1");
    config = config_of("eu-west-1", "https://127.0.0.1:9000");
    port.flags = AWS_PORT_BLOCKING;
    config.tls_name = "localhost";
    CHECK(ask(&config, "b", "k") < 0); /* the recorder speaks no TLS */
    CHECK_INT(seen.opens, 1);
    CHECK_INT(seen.tls, 1);
    stop();
    config.tls_name = "127.0.0.1";
    check_refused(ask(&config, "b", "k"), "127.0.0.1");
    config.tls_name = "";
    check_refused(ask(&config, "b", "k"), "tls_name");
}

static void test_environment(void)
{
    aws_config config = config_of(NULL, NULL);

    seen.names[0] = "AWS_DEFAULT_REGION";
    seen.values[0] = "eu-west-2";
    check_url(&config, NULL, NULL, "https://s3.eu-west-2.amazonaws.com");
    seen.names[1] = "AWS_REGION";
    seen.values[1] = "eu-west-3";
    check_url(&config, NULL, NULL, "https://s3.eu-west-3.amazonaws.com");
    seen.values[1] = ""; /* empty is unset */
    check_url(&config, NULL, NULL, "https://s3.eu-west-2.amazonaws.com");
    seen.values[1] = "x@evil:443/#";
    check_refused(ask(&config, NULL, NULL), "x@evil:443/#");
    seen.values[1] = "eu-west-3";
    seen.names[2] = "AWS_ENDPOINT_URL";
    seen.values[2] = "http://all:1";
    check_url(&config, NULL, NULL, "http://all:1");
    seen.names[3] = "AWS_ENDPOINT_URL_S3";
    seen.values[3] = "http://s3only:2";
    check_url(&config, NULL, NULL, "http://s3only:2");
    seen.values[3] = "http://evil/path";
    check_refused(ask(&config, NULL, NULL), "http://evil/path");
    config.endpoint = "http://mine:3";
    config.region = "eu-north-1";
    check_url(&config, NULL, NULL, "http://mine:3");
    memset(seen.names, 0, sizeof seen.names);
}

#define REDIRECT                                                                                  \
    ("HTTP/1.1 301 Moved\r\nContent-Length: 97\r\n\r\n<Error><Code>PermanentRedirect</Code>"       \
     "<Endpoint>evil.example</Endpoint><Region>e/</Region></Error>")

/* What a server names is never followed, and no second host is opened. */
static void test_redirects(void)
{
    static const char *const answers[] = {
        "HTTP/1.1 301 Moved\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 307 Moved\r\nLocation: https://evil.example/b/k\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Moved\r\nLocation: //evil.example\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 301 Moved\r\nx-amz-bucket-region: x@evil:443/#\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 400 Bad\r\nx-amz-bucket-region: evil.example/\r\nContent-Length: 0\r\n\r\n",
        REDIRECT};
    aws_config config = config_of("eu-west-1", NULL);
    size_t i;

    for (i = 0; i < sizeof answers / sizeof *answers; i++) {
        seen.answer = answers[i];
        /* without a region the bucket is asked for it, and this server has left by then */
        CHECK_INT(ask(&config, "bucket", "key"),
                  strstr(answers[i], "region: ") ? AWS_ERR_SERVICE : AWS_ERR_CLOSED);
        CHECK_STR(seen.host, "bucket.s3.eu-west-1.amazonaws.com");
        CHECK_STR(aws_client_region(&client), "eu-west-1");
        stop();
    }
    seen.answer = NULL;
}

/* ---- Addresses that are named ---- */

enum { DUAL = AWS_USE_DUALSTACK, FIPS = AWS_USE_FIPS, FAST = AWS_USE_ACCELERATE, ARN = AWS_USE_ARN_REGION };

#define EXPRESS "mybucket--usw2-az1--x-s3"
#define POINT "arn:aws:s3:us-west-2:123456789012:accesspoint"
#define LAMBDA "arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint"
#define OUTPOST "arn:aws:s3-outposts:us-west-2:123456789012:outpost"

/* As botocore 1.43.11 sends it, but for the last ones that it refuses: NULL and the reason. */
static const struct {
    const char *region, *bucket, *endpoint;
    unsigned    flags;
    const char *url, *scope;
    int         reason;
} named[] = {
    {"us-west-2", POINT "/ap", NULL, 0,
     "https://ap-123456789012.s3-accesspoint.us-west-2.amazonaws.com/k", "us-west-2/s3", 0},
    {"us-west-2", POINT ":ap", NULL, DUAL,
     "https://ap-123456789012.s3-accesspoint.dualstack.us-west-2.amazonaws.com/k", "us-west-2/s3", 0},
    {"us-west-2", POINT "/ap", NULL, FIPS,
     "https://ap-123456789012.s3-accesspoint-fips.us-west-2.amazonaws.com/k", "us-west-2/s3", 0},
    {"us-west-2", POINT "/ap", NULL, FIPS | DUAL,
     "https://ap-123456789012.s3-accesspoint-fips.dualstack.us-west-2.amazonaws.com/k",
     "us-west-2/s3", 0},
    {"us-east-1", POINT "/ap", NULL, ARN,
     "https://ap-123456789012.s3-accesspoint.us-west-2.amazonaws.com/k", "us-west-2/s3", 0},
    {"us-west-2", POINT "/ap", "https://example.com", 0, "https://ap-123456789012.example.com/k",
     "us-west-2/s3", 0},
    {"cn-north-1", "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/x", NULL, 0,
     "https://x-123456789012.s3-accesspoint.cn-north-1.amazonaws.com.cn/k", "cn-north-1/s3", 0},
    {"us-gov-east-1", "arn:aws-us-gov:s3:us-gov-east-1:123456789012:accesspoint:x", NULL, FIPS,
     "https://x-123456789012.s3-accesspoint-fips.us-gov-east-1.amazonaws.com/k", "us-gov-east-1/s3",
     0},
    {"us-west-2", LAMBDA "/b", NULL, 0,
     "https://b-123456789012.s3-object-lambda.us-west-2.amazonaws.com/k",
     "us-west-2/s3-object-lambda", 0},
    {"us-west-2", LAMBDA ":b", NULL, FIPS,
     "https://b-123456789012.s3-object-lambda-fips.us-west-2.amazonaws.com/k",
     "us-west-2/s3-object-lambda", 0},
    {"us-west-2", LAMBDA "/b", "https://example.com", 0, "https://b-123456789012.example.com/k",
     "us-west-2/s3-object-lambda", 0},
    {"us-west-2", OUTPOST "/op-01/accesspoint/my", NULL, 0,
     "https://my-123456789012.op-01.s3-outposts.us-west-2.amazonaws.com/k",
     "us-west-2/s3-outposts", 0},
    {"us-west-2", OUTPOST ":op-01:accesspoint:my", "https://example.com", 0,
     "https://my-123456789012.op-01.example.com/k", "us-west-2/s3-outposts", 0},
    {"us-iso-east-1", "name", NULL, 0, "https://name.s3.us-iso-east-1.c2s.ic.gov/k",
     "us-iso-east-1/s3", 0},
    {"us-isob-east-1", "name", NULL, 0, "https://name.s3.us-isob-east-1.sc2s.sgov.gov/k",
     "us-isob-east-1/s3", 0},
    {"us-isof-south-1", "name", NULL, 0, "https://name.s3.us-isof-south-1.csp.hci.ic.gov/k",
     "us-isof-south-1/s3", 0},
    {"eu-isoe-west-1", "name", NULL, 0, "https://name.s3.eu-isoe-west-1.cloud.adc-e.uk/k",
     "eu-isoe-west-1/s3", 0},
    {"eusc-de-east-1", "name", NULL, 0, "https://name.s3.eusc-de-east-1.amazonaws.eu/k",
     "eusc-de-east-1/s3", 0},
    {"us-west-2-fips", "name", NULL, 0, "https://name.s3-fips.us-west-2.amazonaws.com/k",
     "us-west-2/s3", 0},
    {"us-west-2-fips", EXPRESS, NULL, 0,
     "https://" EXPRESS ".s3express-fips-usw2-az1.us-west-2.amazonaws.com/k", "us-west-2/s3express",
     0},
    {"us-gov-west-1-fips", POINT "/ap", NULL, 0, NULL, NULL, AWS_REASON_ARN},
    {"fips-us-gov-west-1", "name", NULL, 0, "https://name.s3-fips.us-gov-west-1.amazonaws.com/k",
     "us-gov-west-1/s3", 0},
    {"us-gov-west-1", "name", NULL, FIPS | DUAL,
     "https://name.s3-fips.dualstack.us-gov-west-1.amazonaws.com/k", "us-gov-west-1/s3", 0},
    {"us-west-2", EXPRESS, NULL, 0,
     "https://" EXPRESS ".s3express-usw2-az1.us-west-2.amazonaws.com/k", "us-west-2/s3express", 0},
    {"us-west-2", EXPRESS, NULL, FIPS,
     "https://" EXPRESS ".s3express-fips-usw2-az1.us-west-2.amazonaws.com/k", "us-west-2/s3express",
     0},
    {"us-west-2", EXPRESS, NULL, DUAL,
     "https://" EXPRESS ".s3express-usw2-az1.dualstack.us-west-2.amazonaws.com/k",
     "us-west-2/s3express", 0},
    {"cn-north-1", "b--cnn1-az1--x-s3", NULL, 0,
     "https://b--cnn1-az1--x-s3.s3express-cnn1-az1.cn-north-1.amazonaws.com.cn/k",
     "cn-north-1/s3express", 0},
    {"us-west-2", EXPRESS, "https://example.com", 0, "https://" EXPRESS ".example.com/k",
     "us-west-2/s3express", 0}, /* in the host, as botocore does it for these buckets alone */
    {"us-west-2", EXPRESS, NULL, FAST, NULL, NULL, AWS_REASON_ACCELERATE},
    {"us-west-2", "bad--x-s3", NULL, 0, NULL, NULL, AWS_REASON_BUCKET_NAME},
    {"us-west-2", "x--x-s3", NULL, 0, NULL, NULL, AWS_REASON_BUCKET_NAME},
    {"us-west-2", "a---x-s3", NULL, 0, NULL, NULL, AWS_REASON_BUCKET_NAME},
    {"us-west-2", POINT "/ap", NULL, FAST, NULL, NULL, AWS_REASON_ARN},
    {"us-east-1", POINT "/ap", NULL, 0, NULL, NULL, AWS_REASON_ARN_REGION},
    {"us-west-2", POINT "/", NULL, 0, NULL, NULL, AWS_REASON_ARN},
    {"us-west-2", POINT, NULL, 0, NULL, NULL, AWS_REASON_ARN},
    {"us-west-2", POINT "/a/b", NULL, 0, NULL, NULL, AWS_REASON_ARN},
    {"us-west-2", POINT "/a_b", NULL, 0, NULL, NULL, AWS_REASON_ARN},
    {"us-west-2", POINT "/a.example.com:81", NULL, 0, NULL, NULL, AWS_REASON_ARN},
    {"us-west-2", POINT "/an-access-points-name-that-is-longer-than-fifty-one", NULL, 0, NULL, NULL,
     AWS_REASON_ARN},
    {"us-west-2", "arn:aws:s3:us-west-2::accesspoint/x", NULL, 0, NULL, NULL, AWS_REASON_ARN},
    {"us-west-2", "arn:aws:s3:evil.com/:1:accesspoint/x", NULL, ARN, NULL, NULL, AWS_REASON_ARN},
    {"us-west-2", "arn:", NULL, 0, NULL, NULL, AWS_REASON_ARN},
    {"us-west-2", "arn:aws:s3:us-west-2:123456789012:bucket/x", NULL, 0, NULL, NULL, AWS_REASON_ARN},
    {"us-west-2", "arn:aws:sqs:us-west-2:123456789012:accesspoint/x", NULL, 0, NULL, NULL,
     AWS_REASON_ARN},
    {"us-west-2", "arn:aws:s3:us-west-2:123456789012:outpost/op/accesspoint/x", NULL, 0, NULL, NULL,
     AWS_REASON_ARN},
    {"cn-north-1", POINT "/x", NULL, ARN, NULL, NULL, AWS_REASON_ARN},
    {"us-west-2", "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap", NULL, ARN, NULL, NULL,
     AWS_REASON_ARN_GLOBAL},
    {"us-west-2", LAMBDA "/b", NULL, DUAL, NULL, NULL, AWS_REASON_ARN_HOST},
    {"us-west-2", OUTPOST "/op-01/accesspoint/my", NULL, FIPS, NULL, NULL, AWS_REASON_ARN_HOST},
    {"us-west-2", OUTPOST "/op-01/accesspoint/my", NULL, DUAL, NULL, NULL, AWS_REASON_ARN_HOST},
    {"us-west-2", OUTPOST "/op-01", NULL, 0, NULL, NULL, AWS_REASON_ARN},
    {"us-west-2", OUTPOST "/op_01/accesspoint/my", NULL, 0, NULL, NULL, AWS_REASON_ARN},
    {"us-west-2", POINT "/ap", "https://example.com", DUAL, NULL, NULL, AWS_REASON_ADDRESS_ENDPOINT},
    {"us-west-2", "with.dot", NULL, FAST, NULL, NULL, AWS_REASON_ACCELERATE},
    {"cn-north-1", "name", NULL, FAST, NULL, NULL, AWS_REASON_ACCELERATE},
    {"us-west-2", "name", NULL, FAST | FIPS, NULL, NULL, AWS_REASON_ACCELERATE},
    {"cn-north-1", "name", NULL, FIPS, NULL, NULL, AWS_REASON_ADDRESS_FIPS},
};

static void test_named(void)
{
    size_t i;

    for (i = 0; i < sizeof named / sizeof *named; i++) {
        aws_config config = config_of(named[i].region, named[i].endpoint);
        aws_addresses addresses;
        char scope[100];
        addresses.host = aws_s3_addresses;
        addresses.flags = named[i].flags;
        config.addresses = &addresses;
        if (named[i].url) {
            check_url(&config, named[i].bucket, "k", named[i].url);
            CHECK_INT(ask(&config, named[i].bucket, "k"), 0);
            snprintf(scope, sizeof scope, "/20260102/%s/aws4_request,", named[i].scope);
            CHECK(strstr(header("authorization"), scope) != NULL);
            stop();
        } else {
            int r = ask(&config, named[i].bucket, "k");
            CHECK_INT(r, -(named[i].reason % 32));
            if (!CHECK_INT(aws_client_failure(&client)->reason, named[i].reason))
                fprintf(stderr, "  %s\n", named[i].bucket);
            CHECK_INT(seen.opens, 0);
            stop();
        }
    }
}

/* Without addresses an ARN is no bucket. */
static void test_not_named(void)
{
    aws_config config = config_of("us-west-2", NULL);

    CHECK_INT(ask(&config, POINT "/ap", "k"), AWS_ERR_PARAM);
    CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_BUCKET_NAME);
    stop();
}

static void test_accelerate(void)
{
    static const aws_addresses addresses = {aws_s3_addresses, AWS_USE_ACCELERATE};
    aws_config config = config_of("us-west-2", NULL);
    aws_s3_args args;

    config.addresses = &addresses;
    check_url(&config, NULL, NULL, "https://s3.us-west-2.amazonaws.com");
    config.addressing = AWS_ADDRESSING_PATH; /* always virtual */
    check_url(&config, "name", "k", "https://name.s3-accelerate.amazonaws.com/k");
    config.addressing = AWS_ADDRESSING_AUTO;
    memset(&args, 0, sizeof args);
    args.bucket = "name";
    CHECK_INT(start(&config), 0);
    CHECK_INT(aws_s3_create_bucket(&client, &args, NULL), 0);
    CHECK_STR(seen.host, "name.s3.us-west-2.amazonaws.com");
    stop();
    CHECK_INT(start(&config), 0);
    CHECK_INT(aws_s3_delete_bucket(&client, &args, NULL), 0);
    CHECK_STR(seen.host, "name.s3.us-west-2.amazonaws.com");
    stop();
}

/* What is done to directory buckets themselves, as botocore sends it. */
static void test_express_control(void)
{
    static const aws_addresses addresses = {aws_s3_addresses, 0};
    static const aws_addresses both = {aws_s3_addresses, AWS_USE_FIPS | AWS_USE_DUALSTACK};
    aws_config config = config_of("us-west-2", NULL);
    aws_s3_args args;

    memset(&args, 0, sizeof args);
    args.bucket = EXPRESS;
    config.addresses = &addresses;
    CHECK_INT(start(&config), 0);
    CHECK_INT(aws_s3_delete_bucket(&client, &args, NULL), 0);
    CHECK_STR(seen.host, "s3express-control.us-west-2.amazonaws.com");
    CHECK_STR(target(), "/" EXPRESS);
    CHECK(strstr(header("authorization"), "/us-west-2/s3express/aws4_request,") != NULL);
    seen.sent_size = seen.answered = 0;
    CHECK_INT(aws_s3_head_bucket(&client, &args, NULL), 0);
    CHECK_STR(seen.host, EXPRESS ".s3express-usw2-az1.us-west-2.amazonaws.com");
    CHECK_STR(target(), "/");
    seen.sent_size = seen.answered = 0;
    args.bucket = NULL;
    CHECK_INT(aws_s3_list_directory_buckets(&client, &args, NULL), 0);
    CHECK_STR(seen.host, "s3express-control.us-west-2.amazonaws.com");
    CHECK(strstr(header("authorization"), "/us-west-2/s3express/aws4_request,") != NULL);
    stop();
    config.addresses = &both;
    CHECK_INT(start(&config), 0);
    CHECK_INT(aws_s3_list_directory_buckets(&client, &args, NULL), 0);
    CHECK_STR(seen.host, "s3express-control-fips.dualstack.us-west-2.amazonaws.com");
    stop();
}

static void test_named_by_environment(void)
{
    static const char *const names[] = {"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
                                        "AWS_S3_USE_ARN_REGION"};
    static const char *const urls[] = {"https://name.s3-fips.us-west-2.amazonaws.com/k",
                                       "https://name.s3.dualstack.us-west-2.amazonaws.com/k",
                                       "https://name.s3.us-west-2.amazonaws.com/k"};
    static const aws_addresses addresses = {aws_s3_addresses, 0};
    size_t i;

    for (i = 0; i < 3; i++) {
        aws_config config = config_of("us-west-2", NULL);
        config.addresses = &addresses;
        seen.names[0] = names[i];
        seen.values[0] = "True";
        check_url(&config, "name", "k", urls[i]);
        seen.values[0] = "1";
        check_url(&config, "name", "k", "https://name.s3.us-west-2.amazonaws.com/k");
        config.addresses = NULL; /* only what a program names */
        seen.values[0] = "true";
        check_url(&config, "name", "k", "https://name.s3.us-west-2.amazonaws.com/k");
        if (i == 2) {
            config = config_of("eu-west-1", NULL);
            config.addresses = &addresses;
            CHECK_INT(ask(&config, POINT "/ap", "k"), 0);
            stop();
        }
        seen.names[0] = NULL;
    }
}

/* One client after the other bucket: each signature is that of a client of its own. */
static void check_in_turn(const char *region)
{
    static const char *const buckets[] = {
        "name",  LAMBDA "/b",  "name",                     POINT "/ap", LAMBDA "/b", POINT "/ap",
        "other", POINT "/ap", OUTPOST "/o/accesspoint/a", POINT "/x",  "name"};
    static const aws_addresses addresses = {aws_s3_addresses, AWS_USE_ARN_REGION};
    static char want[11][400], regions[11][20];
    aws_config config = config_of(region, NULL);
    aws_s3_args args;
    size_t i;

    config.addresses = &addresses;
    for (i = 0; i < 11; i++) {
        CHECK_INT(ask(&config, buckets[i], "k"), 0);
        snprintf(want[i], sizeof want[i], "%s", header("authorization"));
        snprintf(regions[i], sizeof regions[i], "%s", aws_client_region(&client));
        stop();
    }
    CHECK_INT(start(&config), 0);
    memset(&args, 0, sizeof args);
    args.key = "k";
    for (i = 0; i < 11; i++) {
        args.bucket = buckets[i];
        seen.sent_size = seen.answered = 0;
        CHECK_INT(aws_s3_head_object(&client, &args, NULL), 0);
        CHECK_STR(header("authorization"), want[i]);
        CHECK_STR(aws_client_region(&client), regions[i]);
    }
    stop();
}

static void test_named_in_turn(void)
{
    check_in_turn("us-east-1");
    check_in_turn("us-west-2"); /* the ARNs' own: only the service changes */
}

/* ---- The peers' rules ---- */

static const char *const reasons[] = {
    "applied",
    "different on purpose: us-east-1 is regional (checked)",
    "different on purpose: a bucket name that would be escaped is refused (checked)",
    "different on purpose: an endpoint with a path is refused (checked)"};
enum { APPLIED, REGIONAL, ESCAPED, PATH, REASONS };

typedef struct rule {
    const char *bucket, *endpoint, *region, *want, *error, *signing;
    int         path_style, global;
    unsigned    flags; /* AWS_USE_* */
} rule;

static int reason_of(const rule *r)
{
    if (r->endpoint && strchr(strstr(r->endpoint, "//") + 2, '/'))
        return PATH;
    if (r->bucket && strpbrk(r->bucket, "!# "))
        return ESCAPED;
    return r->want && strncmp(r->want, "https://s3.amazonaws.com", 24) == 0 && r->global ? REGIONAL
                                                                                         : APPLIED;
}

static void check_rule(const rule *r, int reason)
{
    aws_config config = config_of(r->region, r->endpoint);
    aws_addresses addresses;
    char scope[100];

    addresses.host = aws_s3_addresses;
    addresses.flags = r->flags;
    config.addresses = &addresses;
    config.addressing = r->path_style ? AWS_ADDRESSING_PATH : AWS_ADDRESSING_VIRTUAL;
    if (reason == ESCAPED || reason == PATH) {
        check_refused(ask(&config, r->bucket, NULL), reason == PATH ? r->endpoint : r->bucket);
    } else if (reason == REGIONAL) {
        check_url(&config, r->bucket, NULL, "https://s3.us-east-1.amazonaws.com");
    } else if (r->error) {
        CHECK_INT(ask(&config, r->bucket, NULL), AWS_ERR_PARAM);
        CHECK_INT(seen.opens, 0);
        stop();
    } else {
        check_url(&config, r->bucket, NULL, r->want);
        CHECK_INT(ask(&config, r->bucket, NULL), 0);
        snprintf(scope, sizeof scope, "/20260102/%s/s3/aws4_request,", r->signing);
        CHECK(strstr(header("authorization"), scope) != NULL);
        stop();
    }
}

static void test_peers(void)
{
    static jsonl_file file;
    static char signing[JSONL_LINE];
    unsigned counts[REASONS] = {0, 0, 0, 0}, rows = 0;
    size_t i;

    if (!jsonl_open(&file, "s3_endpoint_rules.jsonl"))
        return;
    while (jsonl_next(&file)) {
        rule r;
        const char *name;
        int reason;
        memset(&r, 0, sizeof r);
        name = jsonl_get(&file, "expect.endpoint.properties");
        name = name ? strstr(name, "\"signingRegion\": \"") : NULL;
        signing[0] = 0;
        if (name)
            snprintf(signing, sizeof signing, "%.*s", (int)strcspn(name + 18, "\""), name + 18);
        r.signing = signing;
        r.path_style = jsonl_true(&file, "params.ForcePathStyle");
        r.global = jsonl_true(&file, "params.UseGlobalEndpoint");
        r.bucket = jsonl_get(&file, "params.Bucket");
        r.endpoint = jsonl_get(&file, "params.Endpoint");
        r.region = jsonl_get(&file, "params.Region");
        r.flags = (jsonl_true(&file, "params.UseFIPS") ? (unsigned)AWS_USE_FIPS : 0) |
                  (jsonl_true(&file, "params.UseDualStack") ? (unsigned)AWS_USE_DUALSTACK : 0) |
                  (jsonl_true(&file, "params.Accelerate") ? (unsigned)AWS_USE_ACCELERATE : 0);
        r.want = jsonl_get(&file, "expect.endpoint.url");
        r.error = jsonl_get(&file, "expect.error");
        reason = reason_of(&r);
        counts[reason]++;
        rows++;
        check_rule(&r, reason);
    }
    CHECK_INT(rows, 81);
    for (i = 0; i < REASONS; i++)
        printf("test_endpoint: %2u of the peers' %u rules: %s\n", counts[i], rows, reasons[i]);
}

int main(void)
{
    test_regions();
    test_endpoints();
    test_long_host();
    test_buckets();
    test_location();
    test_keys();
    test_injection();
    test_own_headers();
    test_address_over_tls();
    test_environment();
    test_redirects();
    test_named();
    test_not_named();
    test_accelerate();
    test_express_control();
    test_named_by_environment();
    test_named_in_turn();
    test_peers();
    return CHECK_DONE();
}

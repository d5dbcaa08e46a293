/* test_checksum.c - checksums: the algorithms, which one a request carries, and answers verified.
 *
 * SPDX-License-Identifier: MIT
 */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"

#include "check.h"
#include "script_port.h"

/* ---- The algorithms ---- */

enum { PATTERN_SIZE = 1000 };

static const aws_digest *const digests[] = {&aws_crc32, &aws_crc32c, &aws_crc64nvme,
                                            &aws_sha1,  &aws_sha256, &aws_content_md5};

/* By Python: zlib.crc32, hashlib, and for the other CRCs the textbook's loop, whose values for
 * "123456789" are those of the catalogues (e3069283, ae8b14860a799888). NULL is the pattern. */
static const struct {
    const char *text, *want[6];
} vectors[] = {
    {"",
     {"00000000",
      "00000000",
      "0000000000000000",
      "da39a3ee5e6b4b0d3255bfef95601890afd80709",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "d41d8cd98f00b204e9800998ecf8427e"}},
    {"a",
     {"e8b7be43",
      "c1d04330",
      "8c2f8445b4cbfc3c",
      "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
      "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
      "0cc175b9c0f1b6a831c399e269772661"}},
    {"123456789",
     {"cbf43926",
      "e3069283",
      "ae8b14860a799888",
      "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
      "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
      "25f9e794323b453885f5181f1b624d0b"}},
    {NULL,
     {"e13dfa52",
      "ee08dff1",
      "3a373d16b2a0891b",
      "c5c9983967ad836016cd0fbd173e6d50cae0bd8f",
      "202624ceebf0382a686cdd772f292148846055f8dc1463cc577064d325cd3e46",
      "503532398dda9f6bc328a6d2d2b879fb"}}};

static unsigned char pattern[PATTERN_SIZE];

static void hex_of(const unsigned char *data, size_t size, char *text)
{
    size_t i;

    for (i = 0; i < size; i++)
        snprintf(text + 2 * i, 3, "%02x", data[i]);
}

/* Whole, byte by byte, and cut in two at each place, at each alignment. */
static void test_vectors(void)
{
    static uint64_t context[14]; /* the 112 bytes that are promised */
    size_t v, d, cut;
    unsigned char sum[32];
    char text[65];

    for (cut = 0; cut < PATTERN_SIZE; cut++)
        pattern[cut] = (unsigned char)(cut * 167 + (cut >> 8) * 59);
    for (v = 0; v < sizeof vectors / sizeof *vectors; v++)
        for (d = 0; d < 6; d++) {
            const aws_digest *digest = digests[d];
            const char *data = vectors[v].text ? vectors[v].text : (const char *)pattern;
            size_t size = vectors[v].text ? strlen(data) : PATTERN_SIZE, i;

            CHECK_INT(digest->size, strlen(vectors[v].want[d]) / 2);
            for (cut = 0; cut <= size; cut++) {
                digest->init(context);
                digest->update(context, data, cut);
                digest->update(context, data + cut, size - cut);
                digest->out(context, sum);
                hex_of(sum, digest->size, text);
                CHECK_STR(text, vectors[v].want[d]);
            }
            digest->init(context);
            for (i = 0; i < size; i++)
                digest->update(context, data + i, 1);
            digest->out(context, sum);
            hex_of(sum, digest->size, text);
            CHECK_STR(text, vectors[v].want[d]);
        }
}

/* ---- A client ---- */

static script s;
static aws_config config;
static aws_session session;
static aws_client client;
static unsigned char memory[16384];
static script_step steps[8];
static char answers[8][1000];

static void setup(script_mode mode, int secure)
{
    script_init(&s, mode);
    s.steps = steps;
    memset(&config, 0, sizeof config);
    config.access_key_id = "AKIDEXAMPLE";
    config.secret_access_key = "secret";
    config.region = "us-east-1";
    config.endpoint = secure ? "https://test.local" : "http://test.local:9000";
    s.port.flags |= secure ? AWS_PORT_TLS : 0;
    config.port = &s.port;
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
    CHECK_INT(s.breaches, 0);
    aws_session_close(&session);
    script_free(&s);
}

/* The server's next answer: "200 OK", headers (each with CR LF), body. */
static void say(const char *status, const char *headers, const char *body)
{
    char *text = answers[s.step_count];

    memset(steps + s.step_count, 0, sizeof *steps);
    snprintf(text, sizeof answers[0], "HTTP/1.1 %s\r\n%sContent-Length: %lu\r\n\r\n%s", status,
             headers, (unsigned long)strlen(body), body);
    steps[s.step_count++].answer = text;
}

static aws_s3_args args_of(const char *key)
{
    aws_s3_args args;

    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = key;
    return args;
}

/* A source of "123456789" in pieces of 4, with AGAINs. */
typedef struct nine {
    size_t at;
    int turn, rewinds;
} nine;

static int nine_read(void *context, void *data, size_t size)
{
    nine *n = (nine *)context;
    size_t some = 9 - n->at < 4 ? 9 - n->at : 4;

    if (n->turn++ % 2)
        return AWS_AGAIN;
    some = some < size ? some : size;
    memcpy(data, "123456789" + n->at, some);
    n->at += some;
    return (int)some;
}

static int nine_rewind(void *context)
{
    nine *n = (nine *)context;

    n->at = 0;
    n->rewinds++;
    return 0;
}

/* ---- What a request carries ---- */

#define SENT(part) (strstr(script_sent(&s, 0), part) != NULL)

enum { FROM_MEMORY, FROM_SOURCE, FROM_ONCE, WAYS };

/* Put "123456789": what the request carries is in script_sent. */
static int put_nine(int way, const aws_digest *checksum, const aws_pair *header)
{
    aws_s3_args args = args_of("key");
    nine n = {0, 0, 0};
    aws_source source;
    int r;

    memset(&source, 0, sizeof source);
    source.read = nine_read;
    source.rewind = way == FROM_SOURCE ? nine_rewind : NULL;
    source.context = &n;
    args.body = way == FROM_MEMORY ? "123456789" : NULL;
    args.source = way == FROM_MEMORY ? NULL : &source;
    args.body_size = 9;
    args.checksum = checksum;
    args.headers = header;
    args.headers_count = header != NULL;
    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    return r;
}

/* Each algorithm in its header, from memory and from a source, over http and https. */
static void test_headers(void)
{
    static const char *const want[6] = {
        "x-amz-checksum-crc32: y/Q5Jg==\r\n", "x-amz-checksum-crc32c: 4waSgw==\r\n",
        "x-amz-checksum-crc64nvme: rosUhgp5mIg=\r\n",
        "x-amz-checksum-sha1: 98O8HYCOBHMq32eZZczDTKeuNEE=\r\n",
        "x-amz-checksum-sha256: FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=\r\n",
        "content-md5: JfnnlDI7RTiF9RgfG2JNCw==\r\n"};
    static const script_mode modes[] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS};
    size_t d, m;
    int way, secure;

    for (m = 0; m < 3; m++)
        for (d = 0; d < 7; d++)
            for (way = FROM_MEMORY; way <= FROM_SOURCE; way++)
                for (secure = 0; secure < 2; secure++) {
                    setup(modes[m], secure);
                    start();
                    say("200 OK", "", "");
                    CHECK_INT(put_nine(way, d < 6 ? digests[d] : NULL, NULL), 0);
                    CHECK(SENT(want[d < 6 ? d : 0]));
                    if (d < 5) {
                        char line[60];
                        snprintf(line, sizeof line, "\r\nx-amz-sdk-checksum-algorithm: %s\r\n",
                                 digests[d]->name);
                        CHECK(SENT(line));
                    }
                    CHECK_INT(SENT("x-amz-sdk-checksum-algorithm"), d != 5);
                    CHECK_INT(SENT("UNSIGNED-PAYLOAD"), secure);
                    CHECK_STR(script_sent(&s, 0) + script_sent_size(&s, 0) - 9, "123456789");
                    stop();
                }
}

/* An attempt that failed is made again with the same checksum. */
static void test_retry(void)
{
    const char *second;

    setup(SCRIPT_WAITS, 0);
    start();
    say("503 Slow", "", "");
    say("200 OK", "", "");
    CHECK_INT(put_nine(FROM_SOURCE, &aws_crc32c, NULL), 0);
    CHECK_INT(s.requests, 2);
    second = strstr(script_sent(&s, 0), "123456789PUT ");
    CHECK(second && strstr(second, "x-amz-checksum-crc32c: 4waSgw==\r\n") != NULL);
    stop();
}

/* An empty body has one too, a request without a body none. */
static void test_empty(void)
{
    aws_s3_args args = args_of("key");
    aws_s3_key key = {"key", NULL};
    int r;

    setup(SCRIPT_WAITS, 0);
    start();
    say("200 OK", "", "");
    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    CHECK(SENT("x-amz-checksum-crc32: AAAAAA==\r\n"));
    stop();

    setup(SCRIPT_WAITS, 0);
    start();
    say("200 OK", "", "");
    say("204 No Content", "", "");
    say("200 OK", "", "");
    SCRIPT_RUN(r, &s, &client, aws_s3_head_object(&client, &args, NULL));
    SCRIPT_RUN(r, &s, &client, aws_s3_delete_object(&client, &args, NULL));
    args.key = NULL;
    SCRIPT_RUN(r, &s, &client, aws_s3_create_bucket(&client, &args, NULL));
    CHECK(!SENT("checksum"));
    stop();

    setup(SCRIPT_WAITS, 0); /* one that must have it, whatever is configured */
    config.request_checksum_calculation = AWS_WHEN_REQUIRED;
    start();
    say("200 OK", "", "<DeleteResult/>");
    args.objects = &key;
    args.object_count = 1;
    SCRIPT_RUN(r, &s, &client, aws_s3_delete_objects(&client, &args, NULL));
    CHECK_INT(r, 0);
    CHECK(SENT("x-amz-checksum-crc32: "));
    stop();
}

/* when_supported, when_required, a checksum of the caller's own, a dialect. */
static void test_choice(void)
{
    static const aws_pair own = {"x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="};
    static const aws_pair spelt = {"X-Amz-Checksum-SHA1", "98O8HYCOBHMq32eZZczDTKeuNEE="};
    static const aws_pair named = {"x-amz-sdk-checksum-algorithm", "CRC32"};
    static const aws_digest *const verified[] = {&aws_content_md5, &aws_crc32, NULL};
    static const aws_dialect nameless = {NULL, NULL, verified, NULL, 0};
    static const aws_pair md5 = {"content-md5", "JfnnlDI7RTiF9RgfG2JNCw=="};
    static const aws_dialect none = {NULL, &aws_content_md5, NULL, NULL, 0};
    aws_s3_args args = args_of(NULL);
    aws_s3_key key = {"key", NULL};
    int r;

    setup(SCRIPT_WAITS, 0);
    config.request_checksum_calculation = AWS_WHEN_REQUIRED;
    start();
    say("200 OK", "", "");
    CHECK_INT(put_nine(FROM_MEMORY, NULL, NULL), 0);
    CHECK(!SENT("checksum"));
    stop();

    setup(SCRIPT_WAITS, 0); /* the caller's wish is above it */
    config.request_checksum_calculation = AWS_WHEN_REQUIRED;
    start();
    say("200 OK", "", "");
    CHECK_INT(put_nine(FROM_MEMORY, &aws_crc32c, NULL), 0);
    CHECK(SENT("x-amz-checksum-crc32c: 4waSgw==\r\n"));
    stop();

    setup(SCRIPT_WAITS, 0);
    start();
    say("200 OK", "", "");
    CHECK_INT(put_nine(FROM_MEMORY, NULL, &own), 0);
    CHECK(SENT("x-amz-checksum-sha1: 98O8HYCOBHMq32eZZczDTKeuNEE=\r\n"));
    CHECK(!SENT("crc32") && !SENT("sdk-checksum"));
    stop();

    setup(SCRIPT_WAITS, 0); /* in any case */
    start();
    say("200 OK", "", "");
    CHECK_INT(put_nine(FROM_MEMORY, NULL, &spelt), 0);
    CHECK(SENT("X-Amz-Checksum-SHA1: 98O8HYCOBHMq32eZZczDTKeuNEE=\r\n"));
    CHECK(!SENT("crc32") && !SENT("sdk-checksum"));
    stop();

    setup(SCRIPT_WAITS, 0); /* by name; one of the dialect's has none */
    config.dialect = &nameless;
    start();
    say("200 OK", "", "");
    CHECK_INT(put_nine(FROM_MEMORY, NULL, &named), 0);
    CHECK(SENT("x-amz-checksum-crc32: y/Q5Jg==\r\n"));
    stop();

    setup(SCRIPT_WAITS, 0); /* not two of the same name */
    start();
    say("200 OK", "", "");
    CHECK_INT(put_nine(FROM_MEMORY, &aws_content_md5, &md5), 0);
    CHECK(SENT("content-md5: JfnnlDI7RTiF9RgfG2JNCw==\r\nhost:"));
    stop();

    setup(SCRIPT_WAITS, 0);
    config.dialect = &none;
    start();
    say("200 OK", "", "");
    say("200 OK", "", "<DeleteResult/>");
    CHECK_INT(put_nine(FROM_MEMORY, NULL, NULL), 0);
    CHECK(!SENT("checksum") && !SENT("content-md5"));
    args.objects = &key;
    args.object_count = 1;
    SCRIPT_RUN(r, &s, &client, aws_s3_delete_objects(&client, &args, NULL));
    CHECK_INT(r, 0);
    CHECK(SENT("content-md5: ") && !SENT("checksum"));
    stop();
}

/* ---- Answers ---- */

enum { BY_BUFFER, BY_SINK, BY_READ, BY_FINISH, BY_NOTHING, TARGETS };

static char got[100];
static size_t got_size;

static int keep(void *context, const void *data, size_t size)
{
    (void)context;
    size = size > 2 ? 2 : size;
    memcpy(got + got_size, data, size);
    got_size += size;
    return (int)size;
}

static int get_nine(int target)
{
    static const aws_sink sink = {keep, NULL, NULL};
    aws_s3_args args = args_of("key");
    int r;

    memset(got, 0, sizeof got);
    got_size = 0;
    args.buffer = target == BY_BUFFER ? got : NULL;
    args.buffer_size = sizeof got;
    args.sink = target == BY_SINK ? &sink : NULL;
    args.stream = target == BY_READ || target == BY_FINISH;
    SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
    if (r < 0 || !args.stream)
        return r;
    while (target == BY_READ && r >= 0) {
        SCRIPT_RUN(r, &s, &client, aws_client_read(&client, got + got_size, 4));
        if (r <= 0)
            break;
        got_size += (size_t)r;
    }
    if (r >= 0)
        SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
    return r;
}

/* Each algorithm that may be in an answer, right and wrong, for each way that an answer takes. */
static void test_verify(void)
{
    static const struct {
        const char *status, *headers;
        int good;
    } cases[] = {{"200 OK", "x-amz-checksum-crc32: y/Q5Jg==\r\n", 1},
                 {"200 OK", "x-amz-checksum-crc32: y/Q5Jw==\r\n", 0},
#ifndef AWS_SMALL_CRC
                 {"200 OK", "X-Amz-Checksum-Crc32c: 4waSgw==\r\n", 1},
                 {"200 OK", "x-amz-checksum-crc32c: 4waShw==\r\n", 0},
                 {"200 OK", "x-amz-checksum-crc64nvme: rosUhgp5mIg=\r\n", 1},
                 {"200 OK", "x-amz-checksum-crc64nvme: rosUhgp5mIk=\r\n", 0},
                 {"200 OK", "x-amz-checksum-sha1: 98O8HYCOBHMq32eZZczDTKeuNEE=\r\n", 1},
                 {"200 OK", "x-amz-checksum-sha1: 98O8HYCOBHMq32eZZczDTKeuNEd=\r\n", 0},
                 {"200 OK",
                  "x-amz-checksum-sha256: FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=\r\n", 1},
                 {"200 OK",
                  "x-amz-checksum-sha256: FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiV=\r\n", 0},
#endif
                 {"200 OK", "x-amz-checksum-crc32: y/Q5Jg\r\n", 0}, /* no padding */
                 {"200 OK", "x-amz-checksum-crc32: \r\n", 0},
                 {"200 OK", "x-amz-checksum-crc32: y/Q5Jw==-3\r\n", 1}, /* of checksums */
                 {"200 OK", "x-amz-checksum-other: y/Q5Jw==\r\n", 1},
                 {"206 Partial Content", "x-amz-checksum-crc32: y/Q5Jw==\r\n", 1}};
    size_t i;
    int target, never;

    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        for (target = 0; target < TARGETS; target++)
            for (never = 0; never < 2; never++) {
                int r;
                setup(never ? SCRIPT_NEVER_WAITS : SCRIPT_WAITS, 0);
                s.again_always = s.split_read = never;
                start();
                say(cases[i].status, cases[i].headers, "123456789");
                r = get_nine(target);
                CHECK(SENT("x-amz-checksum-mode: ENABLED\r\n"));
                CHECK_INT(s.requests, 1); /* not tried again */
                if (cases[i].good) {
                    CHECK_INT(r, target == BY_BUFFER ? 9 : 0);
                    CHECK_STR(got, target == BY_FINISH || target == BY_NOTHING ? "" : "123456789");
                } else {
                    CHECK_INT(r, AWS_ERR_CHECKSUM);
                    CHECK_INT(aws_client_failure(&client)->code, AWS_ERR_CHECKSUM);
                    CHECK_INT(aws_client_finish(&client), AWS_ERR_CHECKSUM);
                }
                stop();
            }
}

/* The failure says both values; the next call is on a connection of its own. */
static void test_mismatch_text(void)
{
    setup(SCRIPT_WAITS, 0);
    start();
    say("200 OK", "x-amz-checksum-crc32: AAAAAA==\r\n", "123456789");
    say("200 OK", "x-amz-checksum-crc32: y/Q5Jg==\r\n", "123456789");
    CHECK_INT(get_nine(BY_BUFFER), AWS_ERR_CHECKSUM);
    CHECK_STR(aws_client_failure_text(&client),
              "GetObject: the answer is not what the server stored: the checksum of what came is "
              "y/Q5Jg==, that of the object AAAAAA==");
    CHECK_INT(get_nine(BY_BUFFER), 9);
    CHECK_INT(s.connection_count, 2);
    stop();
}

/* A cut answer stays a cut one; a retry begins the checksum again. */
static void test_cut(void)
{
    setup(SCRIPT_WAITS, 0);
    start();
    say("200 OK", "x-amz-checksum-crc32: y/Q5Jg==\r\n", "123456789");
    steps[0].size = strlen(steps[0].answer) - 5;
    steps[0].flags = SCRIPT_FIN;
    say("200 OK", "x-amz-checksum-crc32: y/Q5Jg==\r\n", "123456789");
    CHECK_INT(get_nine(BY_BUFFER), 9);
    CHECK_INT(s.requests, 2);
    stop();
}

/* when_required, and a caller who asks for it then; an abandoned answer fails nobody. */
static void test_verify_choice(void)
{
    static const aws_pair mode = {"x-amz-checksum-mode", "ENABLED"};
    aws_s3_args args = args_of("key");
    int r;

    setup(SCRIPT_WAITS, 0);
    config.response_checksum_validation = AWS_WHEN_REQUIRED;
    start();
    say("200 OK", "", "123456789");
    CHECK_INT(get_nine(BY_BUFFER), 9);
    CHECK(!SENT("x-amz-checksum-mode"));
    args.headers = &mode;
    args.headers_count = 1;
    say("200 OK", "x-amz-checksum-crc32: AAAAAA==\r\n", "123456789");
    SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
    CHECK(SENT("x-amz-checksum-mode: ENABLED\r\n"));
    CHECK_INT(r, AWS_ERR_CHECKSUM);
    stop();

    setup(SCRIPT_WAITS, 0); /* what nobody read isn't another call's failure */
    start();
    memset(&args, 0, sizeof args);
    args = args_of("key");
    args.stream = 1;
    say("200 OK", "x-amz-checksum-crc32: AAAAAA==\r\n", "123456789");
    say("200 OK", "", "");
    SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    aws_client_cancel(&client);
    args.stream = 0;
    SCRIPT_RUN(r, &s, &client, aws_s3_head_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    stop();
}

int main(void)
{
    test_vectors();
    test_headers();
    test_retry();
    test_empty();
    test_choice();
    test_verify();
    test_mismatch_text();
    test_cut();
    test_verify_choice();
    return CHECK_DONE();
}

/* test_chunked.c - bodies that can be read only once: in signed chunks over http, with a trailer.
 *
 * SPDX-License-Identifier: MIT
 */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "aws_s3.h"

#include "check.h"
#include "script_port.h"

#define SECRET "CANARY+secret/wJalrXUtnFEMI"

static script s;
static aws_config config;
static aws_session session;
static aws_client client;
static unsigned char memory[131072];
static size_t memory_size;
static script_step steps[4];
static unsigned char pattern[100000];

static void setup(script_mode mode, int secure)
{
    script_init(&s, mode);
    s.steps = steps;
    memset(&config, 0, sizeof config);
    config.access_key_id = "AKIDEXAMPLE";
    config.secret_access_key = SECRET;
    config.region = "us-east-1";
    config.endpoint = secure ? "https://test.local" : "http://test.local:9000";
    s.port.flags |= secure ? AWS_PORT_TLS : 0;
    config.port = &s.port;
    config.request_checksum_calculation = AWS_WHEN_REQUIRED;
    memory_size = sizeof memory;
}

static void start(void)
{
    aws_session_init(&session, &config);
    CHECK_INT(aws_client_init(&client, &session, &aws_s3_service, memory, memory_size), 0);
}

static void stop(void)
{
    int r;

    SCRIPT_RUN(r, &s, &client, aws_client_close(&client));
    CHECK_INT(r, 0);
    CHECK_INT(s.breaches, 0);
    CHECK_INT(script_left_open(&s), 0);
    aws_session_close(&session);
    script_free(&s);
}

static void say(const char *answer)
{
    memset(steps + s.step_count, 0, sizeof *steps);
    steps[s.step_count++].answer = answer;
}

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

/* ---- AWS's own examples ---- */

static void hex_of(const unsigned char *data, size_t size, char *text)
{
    size_t i;

    for (i = 0; i < size; i++)
        snprintf(text + 2 * i, 3, "%02x", data[i]);
}

static void unhex(const char *text, unsigned char *data)
{
    size_t i;

    for (i = 0; text[2 * i]; i++) {
        unsigned byte;
        sscanf(text + 2 * i, "%2x", &byte);
        data[i] = (unsigned char)byte;
    }
}

static void check_signature(const unsigned char signature[32], const char *want)
{
    char text[65];

    hex_of(signature, 32, text);
    CHECK_STR(text, want);
}

/* "Signature calculations: transferring payload in multiple chunks" and "Including trailing
 * headers" in S3's API reference: 65,536 and 1,024 times 'a'. */
static void test_documented(void)
{
    static const char *const want[2][4] = {
        {"4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
         "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
         "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
         "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"},
        {"106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
         "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
         "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
         "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"}};
    static unsigned char a[65536];
    aws_i_view view;
    uint64_t sum[14];
    int i;

    memset(a, 'a', sizeof a);
    setup(SCRIPT_WAITS, 0);
    config.access_key_id = "AKIAIOSFODNN7EXAMPLE";
    config.secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    start();
    aws_date_text(1369353600, client.date);
    aws_i_view_of(&view, &client);
    aws_i_cache_signing_key(&client, &view);
    for (i = 0; i < 2; i++) {
        unhex(want[i][0], client.signature);
        aws_i_seal_chunk(&client, a, 65536);
        check_signature(client.signature, want[i][1]);
        aws_i_seal_chunk(&client, a, 1024);
        check_signature(client.signature, want[i][2]);
        aws_i_seal_chunk(&client, NULL, 0);
        check_signature(client.signature, want[i][3]);
    }
    client.digest = &aws_crc32c;
    aws_crc32c.init(sum);
    aws_crc32c.update(sum, a, 65536);
    aws_crc32c.update(sum, a, 1024);
    aws_crc32c.out(sum, client.checksum);
    aws_i_seal_trailer(&client);
    check_signature(client.payload,
                    "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
    stop();
}

/* ---- What goes over the wire ---- */

/* By a program in Python (hmac, hashlib, zlib) that shares nothing with ours. */
static const struct {
    int               secure;
    size_t            size;
    const aws_digest *digest;
    size_t            chunk;
    const char       *encoding; /* of the caller */
    long              encoded;  /* Content-Length */
    const char       *signature, *body; /* of the head; SHA-256 of the body as it is sent */
} wires[] = {
    {0, 1, &aws_crc32, 32768, NULL, 294,
     "33e4bceb7cc732d01e5f8c2fd283700fccadbdda4c0c7323dbfdcdf679709b4c",
     "09f399b2613b070f4cf3155f0f7f7b7f72a536c0f32da71fe3ef73563eb51f7a"},
    {0, 8192, &aws_crc32c, 8192, NULL, 8489,
     "24bcec2043d5293bd38d2fdd95af0bfac55e6c29991b0180de136295cd8886c2",
     "035f3db8669ebecf5e60b17bc2f07c641c10c51f2053c1d4c9f525ca314a0af5"},
    {0, 8193, &aws_crc32, 8192, NULL, 8575,
     "f674be79d503b55a9b42778f5c8417450883c72469cb07dafe588103f0ed29d7",
     "d62c719312e706b87be3ec14ae8340a353b99fe17cc0c1a57afe6dfbd2331f0c"},
    {0, 66560, &aws_crc64nvme, 32768, NULL, 67041,
     "5ecd7e90569909d502cf429565b090b6334727d7b91a220ef0ca5ec010bda55d",
     "7d1a76e45bd155fb419f55c62e8583c324fa771e0bea1429831fa0ab0f1d0fac"},
    {0, 65536, &aws_sha1, 32768, NULL, 65940,
     "a46db04fef3d1d326b4ba49018a3c5d497ca29c858e24e605249a92ac7504d48",
     "bd0c1ea908a29bfa47091c8a2b36338941f60681391949d6745afeba99d33d22"},
    {0, 100000, NULL, 16384, "gzip", 100708,
     "862ade64da02250660b4384445a8aa0e5d2b15d6e7ec0c725bbbb5e1ddd0466e",
     "d70c944f2feb0812a4fb51d233866ad714581e21b3741a399aa88b2c9745bdc6"},
    {0, 5, NULL, 32768, NULL, 177,
     "d84de258a60945b0394fced458e617edfb4756b89b1bfec3dbd2d8b1f859ee88",
     "bd2e4cd233c84501d99752f3f6cf9fd83d937c133b52c6e2be16f226015437bf"},
    {1, 1, &aws_crc32, 32768, NULL, 42,
     "7927e846b12c2771f180e13735b61d7a9030877be3b245e0feb3da49e745e877",
     "e61a44fbd9657caa35c09e2de4c8f0d846b207a170affd231e343a0af70ee44d"},
    {1, 32768, &aws_sha256, 32768, NULL, 32849,
     "868b98e6c69bfdd4e812a3c244f5301e4d951a21602ccbe89dd43af708c08377",
     "a4f6a434ed98779ee2abfd6684e22d6ab52dad20328023117fd836957dd64c36"},
    {1, 32769, &aws_crc32, 32768, "gzip", 32818,
     "bb2aeef95483d2081f1585659724e0c9a0114d5b85a0e61a02060781b927256e",
     "f5baca66c4be580d24b12ab0954ffde3cc9e6c5c572214737ba92bca848ca906"},
    {1, 100000, &aws_crc64nvme, 32768, NULL, 100075,
     "825ff398b2eb63ce82201532920584ff46bf579665111ee314875d1590808f98",
     "0e93897801556fb4698bb6e24e4cd47b0b890040788fdb5faf92bb903b6aec6c"}};

static size_t source_at;
static unsigned source_turn;

static int source_read(void *context, void *data, size_t size)
{
    size_t some = *(size_t *)context - source_at;

    if (s.again_always && source_turn++ % 2)
        return AWS_AGAIN;
    some = some < size ? some : size;
    some = some < 5000 ? some : 5000;
    memcpy(data, pattern + source_at, some);
    source_at += some;
    return (int)some;
}

static aws_s3_args args_of(size_t i)
{
    aws_s3_args args;

    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "key";
    args.body_size = wires[i].size;
    args.checksum = wires[i].digest;
    args.content_encoding = wires[i].encoding;
    return args;
}

/* From a source that can't be rewound, or written by the caller in pieces. */
static int put(size_t i, int by_source)
{
    static size_t size;
    aws_s3_args args = args_of(i);
    aws_source source = {source_read, NULL, NULL};
    size_t at = 0;
    int r;

    size = wires[i].size;
    source.context = &size;
    source_at = 0;
    if (by_source)
        args.source = &source;
    else
        args.stream = 1;
    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    while (!by_source && r >= 0 && at < size) {
        size_t piece = at % 3 ? 7001 : 4099;
        if (piece > size - at)
            piece = size - at;
        SCRIPT_RUN(r, &s, &client, aws_client_write(&client, pattern + at, piece));
        at += r > 0 ? (size_t)r : 0;
    }
    if (!by_source)
        SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
    return r;
}

/* The memory that makes chunks of this size, and no larger ones. */
static size_t memory_for(size_t chunk)
{
    return chunk == 8192 ? 26000 : chunk == 16384 ? 52000 : sizeof memory;
}

static void check_wire(size_t i)
{
    const char *head = script_sent(&s, 0), *body = strstr(head, "\r\n\r\n");
    unsigned char digest[32];
    char line[100], text[65];
    br_sha256_context sha;

    if (!CHECK(body != NULL))
        return;
    body += 4;
    snprintf(line, sizeof line, "\r\ncontent-length: %ld\r\n", wires[i].encoded);
    CHECK(strstr(head, line) != NULL);
    CHECK_INT(script_sent_size(&s, 0) - (size_t)(body - head), wires[i].encoded);
    snprintf(line, sizeof line, "Signature=%s\r\n", wires[i].signature);
    CHECK(strstr(head, line) != NULL);
    br_sha256_init(&sha);
    br_sha256_update(&sha, body, script_sent_size(&s, 0) - (size_t)(body - head));
    br_sha256_out(&sha, digest);
    hex_of(digest, 32, text);
    CHECK_STR(text, wires[i].body);
}

static void test_wires(void)
{
    static const script_mode modes[] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS};
    size_t i, m;
    int by_source, split;

    for (i = 0; i < sizeof pattern; i++)
        pattern[i] = (unsigned char)(i * 167 + (i >> 8) * 59);
    for (i = 0; i < sizeof wires / sizeof *wires; i++)
        for (m = 0; m < 3; m++)
            for (by_source = 0; by_source < 2; by_source++)
                for (split = 0; split < 3; split++) {
                    setup(modes[m], wires[i].secure);
                    memory_size = memory_for(wires[i].chunk);
                    s.split_write = split == 1 ? -1 : 0;
                    s.again_always = split == 2;
                    start();
                    say(OK);
                    CHECK_INT(put(i, by_source), 0);
                    check_wire(i);
                    stop();
                }
}

/* As small a client as there can be over a port that speaks TLS: frames cross the buffer's end. */
static void test_small_client(void)
{
    size_t i;

    for (i = 0; i < sizeof wires / sizeof *wires; i++) {
        if (!wires[i].secure)
            continue;
        setup(SCRIPT_NEVER_WAITS, 1);
        memory_size = aws_client_memory(&s.port, AWS_MEMORY_HTTP);
        start();
        say(OK);
        CHECK_INT(put(i, 1), 0);
        check_wire(i);
        stop();
    }
}

/* ---- Choices ---- */

/* Bodies have NULs in them. */
static int sent_on(unsigned connection, const char *part)
{
    const char *at = script_sent(&s, connection);
    size_t left = script_sent_size(&s, connection), size = strlen(part);

    for (; left >= size; at++, left--)
        if (memcmp(at, part, size) == 0)
            return 1;
    return 0;
}

#define SENT(part) sent_on(0, part)

static void test_default(void)
{
    setup(SCRIPT_WAITS, 1); /* CRC32 in a trailer */
    config.request_checksum_calculation = AWS_WHEN_SUPPORTED;
    start();
    say(OK);
    CHECK_INT(put(6, 1), 0);
    CHECK(SENT("\r\nx-amz-trailer: x-amz-checksum-crc32\r\n") && SENT("\r\nx-amz-checksum-crc32:"));
    CHECK(SENT("\r\nx-amz-decoded-content-length: 5\r\n"));
    stop();

    setup(SCRIPT_WAITS, 1); /* nothing to send after it: as it is */
    start();
    say(OK);
    CHECK_INT(put(6, 1), 0);
    CHECK(SENT("UNSIGNED-PAYLOAD\r\n") && !SENT("chunked") && !SENT("STREAMING"));
    stop();

    setup(SCRIPT_WAITS, 1); /* no bytes, no chunks */
    config.request_checksum_calculation = AWS_WHEN_SUPPORTED;
    start();
    say(OK);
    {
        aws_s3_args args = args_of(6);
        int r;
        args.body_size = 0;
        args.stream = 1;
        SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
        CHECK_INT(r, 0);
        SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
        CHECK_INT(r, 0);
    }
    CHECK(SENT("x-amz-checksum-crc32: AAAAAA==\r\n") && !SENT("chunked"));
    stop();
}

/* A dialect without the form that would be needed. */
static void test_dialects(void)
{
    static const aws_dialect plain = {&aws_crc32, &aws_crc32, NULL, NULL, 0};
    static const aws_dialect chunks = {&aws_crc32, &aws_crc32, NULL, &aws_chunked_bodies,
                                       AWS_FORM_SIGNED_CHUNKS};

    setup(SCRIPT_WAITS, 1); /* not said to be needed: without */
    config.request_checksum_calculation = AWS_WHEN_SUPPORTED;
    config.dialect = &plain;
    start();
    say(OK);
    CHECK_INT(put(6, 1), 0);
    CHECK(SENT("UNSIGNED-PAYLOAD\r\n") && !SENT("checksum") && !SENT("chunked"));
    CHECK_INT(put(7, 1), AWS_ERR_UNSUPPORTED); /* asked for: not without */
    CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_NO_TRAILER);
    CHECK_INT(s.requests, 1);
    stop();

    setup(SCRIPT_WAITS, 0);
    config.dialect = &plain;
    start();
    CHECK_INT(put(6, 1), AWS_ERR_UNSUPPORTED);
    CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_NOT_REWINDABLE);
    CHECK_INT(s.requests, 0);
    stop();

    setup(SCRIPT_WAITS, 0); /* signed chunks, no trailer */
    config.request_checksum_calculation = AWS_WHEN_SUPPORTED;
    config.dialect = &chunks;
    start();
    say(OK);
    CHECK_INT(put(6, 1), 0);
    CHECK(SENT("STREAMING-AWS4-HMAC-SHA256-PAYLOAD\r\n") && !SENT("trailer"));
    check_wire(6);
    CHECK_INT(put(0, 1), AWS_ERR_UNSUPPORTED);
    CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_NO_TRAILER);
    stop();
}

/* The dialects: which form each has. */
static void test_named_dialects(void)
{
    static const struct {
        const aws_dialect *dialect;
        const char *secure, *plain, *required; /* NULL: refused */
    } rows[] = {
        {&aws_dialect_aws, "STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n",
         "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER\r\n", "x-amz-checksum-crc32: "},
        {&aws_dialect_minio, "STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n",
         "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER\r\n", "x-amz-checksum-crc32: "},
        {&aws_dialect_swift, "STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n",
         "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER\r\n", "content-md5: "},
        {&aws_dialect_ceph, " UNSIGNED-PAYLOAD\r\n", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD\r\n",
         "content-md5: "},
        {&aws_dialect_r2, " UNSIGNED-PAYLOAD\r\n", NULL, "content-md5: "},
        {&aws_dialect_b2, " UNSIGNED-PAYLOAD\r\n", NULL, "content-md5: "},
        {&aws_dialect_gcs, " UNSIGNED-PAYLOAD\r\n", NULL, "content-md5: "}};
    size_t i;
    int secure;

    for (i = 0; i < sizeof rows / sizeof *rows; i++)
        for (secure = 0; secure < 2; secure++) {
            const char *want = secure ? rows[i].secure : rows[i].plain;
            aws_s3_args args = args_of(6);
            aws_s3_key key = {"key", NULL};
            char line[60];
            int r;

            setup(SCRIPT_WAITS, secure);
            config.request_checksum_calculation = AWS_WHEN_SUPPORTED;
            config.dialect = rows[i].dialect;
            start();
            say(OK);
            CHECK_INT(put(6, 1), want ? 0 : AWS_ERR_UNSUPPORTED);
            CHECK(!want || SENT(want));
            if (!want)
                s.step_count = 0;
            say("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<DeleteResult/>");
            say(OK);
            memset(&args, 0, sizeof args);
            args.bucket = "bucket";
            args.objects = &key;
            args.object_count = 1;
            SCRIPT_RUN(r, &s, &client, aws_s3_delete_objects(&client, &args, NULL));
            CHECK_INT(r, 0);
            snprintf(line, sizeof line, "\r\n%s", rows[i].required);
            CHECK(SENT(line));
            args.key = "key";
            args.objects = NULL;
            args.object_count = 0;
            SCRIPT_RUN(r, &s, &client, aws_s3_get_object(&client, &args, NULL));
            CHECK_INT(r, 0);
            CHECK_INT(SENT("x-amz-checksum-mode"), i < 4);
            stop();
        }
}

/* A client with little memory: what is needed is said, and is enough; one chunk may be small. */
static void test_memory(void)
{
    size_t needed, least;

    for (least = 0; least < 16000; least += 777) {
        setup(SCRIPT_WAITS, 0);
        memory_size = least + aws_client_memory(&s.port, AWS_MEMORY_HTTP);
        start();
        say(OK);
        CHECK_INT(put(6, 1), 0);
        if (client.connection.ahead_size - 256 < 8192) {
            CHECK_INT(put(2, 1), AWS_ERR_MEMORY);
            CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_CHUNK_MEMORY);
            needed = aws_client_failure(&client)->needed;
            CHECK(needed > memory_size && needed <= 30000);
            CHECK_INT(s.requests, 1);
            stop();
            setup(SCRIPT_WAITS, 0);
            memory_size = needed;
            start();
            say(OK);
            CHECK_INT(put(2, 1), 0);
            check_wire(2);
        }
        stop();
    }
}

/* The buffer that a chunk took is given back. */
static void test_given_back(void)
{
    size_t size;

    setup(SCRIPT_WAITS, 0);
    start();
    size = client.connection.ahead_size;
    say(OK);
    say(OK);
    CHECK_INT(put(3, 1), 0);
    CHECK(client.connection.ahead_size < size);
    CHECK_INT(put(5, 0), 0);
    {
        aws_s3_args args = args_of(0);
        int r;
        memset(&args, 0, sizeof args);
        args.bucket = "bucket";
        say(OK);
        SCRIPT_RUN(r, &s, &client, aws_s3_head_bucket(&client, &args, NULL));
        CHECK_INT(r, 0);
    }
    CHECK_INT(client.connection.ahead_size, size);
    stop();
}

/* A connection that fails before the body begins: the attempt is made again, from the start. */
static void test_again(void)
{
    setup(SCRIPT_WAITS, 0);
    s.refuses = 1;
    start();
    say(OK);
    CHECK_INT(put(2, 1), 0);
    CHECK_INT(s.connection_count, 2);
    CHECK(sent_on(1, "\r\n0;chunk-signature="));
    stop();

    setup(SCRIPT_WAITS, 0); /* but not once it has */
    start();
    say("HTTP/1.1 503 Slow\r\nContent-Length: 0\r\n\r\n");
    CHECK_INT(put(2, 1), AWS_ERR_SERVICE);
    CHECK_INT(s.requests, 1);
    stop();
}

/* Answered before all of the body was sent; a body that ends early. */
static void test_early(void)
{
    aws_s3_args args = args_of(5);
    int r;

    setup(SCRIPT_WAITS, 0);
    start();
    say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    steps[0].flags = SCRIPT_EARLY;
    steps[0].after = 20000;
    r = put(5, 1);
    CHECK_INT(r, AWS_ERR_SERVICE);
    CHECK_INT(aws_client_failure(&client)->http_status, 403);
    stop();

    setup(SCRIPT_WAITS, 0);
    start();
    args.stream = 1;
    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    SCRIPT_RUN(r, &s, &client, aws_client_write(&client, pattern, 10));
    CHECK_INT(r, 10);
    SCRIPT_RUN(r, &s, &client, aws_client_finish(&client));
    CHECK_INT(r, AWS_ERR_BODY);
    CHECK(!SENT("\r\n0;chunk-signature="));
    stop();
}

int main(void)
{
    test_documented();
    test_wires();
    test_small_client();
    test_default();
    test_dialects();
    test_named_dialects();
    test_memory();
    test_given_back();
    test_again();
    test_early();
    return CHECK_DONE();
}

/* test_torture_calls.c - as test_torture.c, for what one call can be made of: a redirect, a question
 * before it, Expect, bodies in chunks, a checksum verified, proxies, parts, JSON. Each port call
 * fails in each way, and the call is cancelled wherever it says AWS_AGAIN: no success that isn't
 * one, and the same exchange works afterwards.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_torture_calls.c -lbearssl && ./a.out
 *     TORTURE=full ./a.out              every N (else a part of them)
 */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "../aws_s3.h"
#include "check.h"
#include "script_port.h"
#include <unistd.h>

enum { SIZE = 3000 };

typedef enum {
    REDIRECT,
    ASKED,  /* the region, by an unsigned HEAD */
    PROBED, /* the time likewise, then a body that is announced */
    TRAILER,
    SIGNED_CHUNKS,
    VERIFIED,
    VERIFIED_STREAM,
    DAMAGED,
    PARTS,
    ONCE,
    JSON,
    PROXY,
    TUNNEL, /* whose server leaves */
    ROLE,   /* assumed with the keys of instance metadata */
    KINDS
} kind;

static const char *const kind_names[] = {
    "redirect", "asked",  "probed", "trailer", "signed chunks", "verified", "verified stream",
    "damaged",  "parts",  "once",   "JSON",    "proxy",         "tunnel", "role"};
static const char *const fault_names[] = {"none", "error", "EOF", "short", "again", "time-out"};
static const char json_answer[] = "{\"Item\":{\"a\":{\"N\":\"1\"}}}";

static script s;
static kind the_kind;
static aws_config config;
static aws_session session;
static aws_client client;
static aws_proxy proxy;
static aws_keys_imds imds;
static aws_keys_role role;
static unsigned char imds_memory[4096], role_memory[4096];
static unsigned char *memory;
static char body[SIZE], got[SIZE + 1];
static char stored[2 * SIZE]; /* what the server has */
static size_t stored_size;
static unsigned long agains, cancel_at; /* 0: never */

/* ---- The server ---- */

static uint32_t crc_of(const void *data, size_t size)
{
    const unsigned char *at = (const unsigned char *)data;
    uint32_t crc = 0xffffffffu;
    int i;

    while (size--) {
        crc ^= *at++;
        for (i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return crc ^ 0xffffffffu;
}

static void crc_text(const void *data, size_t size, char text[9])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t crc = crc_of(data, size);
    int i;

    for (i = 0; i < 5; i++)
        text[i] = digits[crc >> (26 - 6 * i) & 63];
    text[5] = digits[crc << 4 & 63];
    strcpy(text + 6, "==");
}

static void say(unsigned connection, const char *status, const char *headers, const void *data,
                size_t size)
{
    char head[400];

    snprintf(head, sizeof head,
             "HTTP/1.1 %s\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\n%sContent-Length: %lu\r\n\r\n", status,
             headers, (unsigned long)size);
    script_reply(&s, connection, head);
    script_reply_bytes(&s, connection, data, size);
}

static void say_text(unsigned connection, const char *status, const char *headers, const char *text)
{
    say(connection, status, headers, text, strlen(text));
}

/* Store a body in chunks: 0, or its framing, length or checksum is wrong. */
static int unchunk(const script_request *q)
{
    const char *at = q->body, *end = q->body + q->body_size;
    int is_signed = strstr(q->head, "\r\nx-amz-content-sha256: STREAMING-AWS4-HMAC") != NULL;
    char line[100], crc[9];
    unsigned long size;
    char *rest;

    stored_size = 0;
    do {
        size = strtoul(at, &rest, 16);
        if (is_signed != (strncmp(rest, ";chunk-signature=", 17) == 0) ||
            !(at = strstr(rest, "\r\n")) || size > (size_t)(end - at) ||
            stored_size + size > sizeof stored)
            return -1;
        at += 2;
        memcpy(stored + stored_size, at, size);
        stored_size += size;
        at += size;
        if (size && strncmp(at, "\r\n", 2) != 0)
            return -1;
        at += size ? 2 : 0;
    } while (size);
    crc_text(stored, stored_size, crc);
    snprintf(line, sizeof line, "x-amz-checksum-crc32:%s\r\n", crc);
    if (strncmp(at, line, strlen(line)) != 0)
        return -1;
    at += strlen(line);
    if (is_signed && strncmp(at, "x-amz-trailer-signature:", 24) == 0)
        at += 24 + 64 + 2;
    snprintf(line, sizeof line, "x-amz-decoded-content-length: %lu\r\n", (unsigned long)stored_size);
    return strncmp(at, "\r\n", 3) == 0 && at + 2 == end && strstr(q->head, line) ? 0 : -1;
}

static void serve_put(const script_request *q)
{
    int wrong = 0;

    if (strstr(q->head, "\r\nif-none-match: *") && stored_size) {
        say_text(q->connection, "412 Precondition Failed", "", "");
        return;
    }
    if (strstr(q->head, "\r\ncontent-encoding: aws-chunked\r\n")) {
        wrong = unchunk(q);
    } else {
        memcpy(stored, q->body, q->body_size);
        stored_size = q->body_size;
    }
    if (wrong)
        say_text(q->connection, "400 Bad Request", "", "");
    else
        say_text(q->connection, "200 OK", "ETag: \"e\"\r\n", "");
    CHECK_INT(wrong, 0);
}

static void serve_get(const script_request *q)
{
    char headers[100] = "ETag: \"e\"\r\nx-amz-checksum-crc32: ";
    char copy[2 * SIZE];

    crc_text(stored, stored_size, headers + strlen(headers));
    strcat(headers, "\r\n");
    memcpy(copy, stored, stored_size);
    if (the_kind == DAMAGED)
        copy[stored_size / 2] ^= 4;
    say(q->connection, "200 OK", headers, copy, q->method[0] == 'H' ? 0 : stored_size);
}

static void serve_post(const script_request *q)
{
    char headers[60];

    if (strstr(q->target, "?uploads")) {
        say_text(q->connection, "200 OK", "",
                 "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>");
    } else if (strstr(q->target, "uploadId=U")) {
        CHECK(strstr(q->body, "<PartNumber>1</PartNumber>") != NULL);
        say_text(q->connection, "200 OK", "",
                 " <CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>");
    } else {
        snprintf(headers, sizeof headers, "x-amz-crc32: %lu\r\n",
                 (unsigned long)crc_of(json_answer, sizeof json_answer - 1));
        say_text(q->connection, "200 OK", headers, json_answer);
    }
}

/* Instance metadata and STS. 0: it is for S3. */
static int serve_keys(const script_request *q)
{
    static const char path[] = "/latest/meta-data/iam/security-credentials/";

    if (strcmp(q->target, "/latest/api/token") == 0)
        say_text(q->connection, "200 OK", "", "CANARYTOKEN");
    else if (strcmp(q->target, path) == 0)
        say_text(q->connection, "200 OK", "", "instance");
    else if (strncmp(q->target, path, sizeof path - 1) == 0)
        say_text(q->connection, "200 OK", "",
                 "{\"AccessKeyId\":\"IMDS\",\"SecretAccessKey\":\"CANARYA\",\"Token\":\"CANARYB\","
                 "\"Expiration\":\"2030-01-01T00:00:00Z\"}");
    else if (strncmp(q->body, "Action=AssumeRole&", 18) == 0)
        say_text(q->connection, "200 OK", "",
                 "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE</AccessKeyId>"
                 "<SecretAccessKey>CANARYC</SecretAccessKey><SessionToken>CANARYD</SessionToken>"
                 "<Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>"
                 "</AssumeRoleResponse>");
    else
        return 0;
    return 1;
}

static void serve(script *server, const script_request *q)
{
    static const char region[] = "x-amz-bucket-region: ap-south-1\r\n";
    int is_signed = strstr(q->head, "\r\nauthorization: ") != NULL;

    if (the_kind == ROLE && serve_keys(q))
        return;
    if (q->method[0] == 'C') {
        script_reply(server, q->connection, "HTTP/1.1 200 OK\r\n\r\n");
        script_then(server, q->connection, SCRIPT_FIN);
    } else if (!is_signed) {
        CHECK_STR(q->method, "HEAD");
        script_reply(server, q->connection,
                     "HTTP/1.1 403 Forbidden\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\n"
                     "x-amz-bucket-region: ap-south-1\r\n\r\n");
    } else if ((the_kind == REDIRECT || the_kind == ASKED) && strstr(q->head, "/eu-west-1/s3/")) {
        say_text(q->connection, "301 Moved", the_kind == REDIRECT ? region : "", "");
    } else if (q->method[0] == 'P' && q->method[1] == 'U') {
        serve_put(q);
    } else if (q->method[0] == 'P') {
        serve_post(q);
    } else {
        serve_get(q);
    }
}

/* ---- The client ---- */

/* The program's own wait, or the end of its patience. */
static int idle(void)
{
    if (++agains == cancel_at) {
        CHECK_INT(aws_client_cancel(&client), 0);
        return 0;
    }
    return script_idle(&s, &client);
}

#define RUN(r, expression)                                                                         \
    do                                                                                             \
        (r) = (expression);                                                                        \
    while ((r) == AWS_AGAIN && idle())

static int put_stream(aws_s3_args *args)
{
    size_t done = 0;
    int r, finished;

    args->stream = 1;
    args->body_size = SIZE;
    RUN(r, aws_s3_put_object(&client, args, NULL));
    while (r >= 0 && done < SIZE) {
        size_t piece = SIZE - done < 700 ? SIZE - done : 700;
        RUN(r, aws_client_write(&client, body + done, piece));
        done += r > 0 ? (size_t)r : 0;
    }
    if (r == AWS_AGAIN)
        return r;
    RUN(finished, aws_client_finish(&client));
    if (r < 0)
        CHECK_INT(finished, r);
    return finished;
}

static int get_stream(aws_s3_args *args)
{
    size_t used = 0;
    int r, finished;

    args->stream = 1;
    RUN(r, aws_s3_get_object(&client, args, NULL));
    while (r >= 0) {
        RUN(r, aws_client_read(&client, got + used, sizeof got - used));
        if (r <= 0)
            break;
        used += (size_t)r;
    }
    if (r == AWS_AGAIN)
        return r;
    RUN(finished, aws_client_finish(&client));
    if (r < 0)
        CHECK_INT(finished, r);
    return finished < 0 ? finished : (int)used;
}

static int parts(aws_s3_args *args)
{
    aws_s3_args a = *args;
    aws_s3_result result;
    aws_s3_part part = {1, NULL, NULL, NULL};
    char id[20], etag[20];
    int r;

    RUN(r, aws_s3_create_multipart_upload(&client, &a, &result));
    if (r < 0 || !CHECK(result.upload_id != NULL))
        return r;
    snprintf(id, sizeof id, "%s", result.upload_id);
    a.upload_id = id;
    a.part_number = 1;
    a.body = body;
    a.body_size = SIZE;
    RUN(r, aws_s3_upload_part(&client, &a, &result));
    if (r < 0)
        return r;
    snprintf(etag, sizeof etag, "%s", result.etag);
    a = *args;
    a.upload_id = id;
    part.etag = etag;
    a.parts = &part;
    a.part_count = 1;
    RUN(r, aws_s3_complete_multipart_upload(&client, &a, &result));
    if (r >= 0)
        CHECK_STR(result.etag, "\"e\"");
    return r;
}

static int json(void)
{
    aws_request request;
    int r;

    memset(&request, 0, sizeof request);
    request.operation = "GetItem";
    request.buffer = got;
    request.buffer_size = sizeof got;
    RUN(r, aws_request_run(&client, &request));
    if (r >= 0)
        CHECK(r == sizeof json_answer - 1 && memcmp(got, json_answer, (size_t)r) == 0);
    return r;
}

/* The exchange, and whether its success is one. */
static int exchange(void)
{
    aws_s3_args args;
    int r;

    memset(&args, 0, sizeof args);
    memset(got, 0, sizeof got);
    args.bucket = "bucket";
    args.key = "key";
    if (the_kind == JSON)
        return json();
    if (the_kind == PROBED || the_kind == TRAILER || the_kind == SIGNED_CHUNKS ||
        the_kind == PARTS || the_kind == ONCE) {
        stored_size = 0;
        if (the_kind == ONCE) {
            args.body = body;
            args.body_size = SIZE;
            args.if_none_match = "*";
            RUN(r, aws_s3_put_once(&client, &args, NULL));
        } else {
            r = the_kind == PARTS ? parts(&args) : put_stream(&args);
        }
        if (r >= 0)
            CHECK(stored_size == SIZE && memcmp(stored, body, SIZE) == 0);
        return r;
    }
    memcpy(stored, body, SIZE);
    stored_size = SIZE;
    if (the_kind == VERIFIED_STREAM) {
        r = get_stream(&args);
    } else {
        args.buffer = got;
        args.buffer_size = SIZE;
        RUN(r, aws_s3_get_object(&client, &args, NULL));
    }
    if (r >= 0)
        CHECK(r == SIZE && memcmp(got, body, SIZE) == 0 && the_kind != DAMAGED &&
              the_kind != TUNNEL);
    return r;
}

/* The result of an exchange without a fault. */
static int usual(void)
{
    return the_kind == TUNNEL     ? AWS_ERR_TLS
           : the_kind == DAMAGED  ? AWS_ERR_CHECKSUM
           : the_kind == JSON     ? (int)sizeof json_answer - 1
           : the_kind <= ASKED    ? SIZE
           : the_kind <= PARTS && the_kind >= VERIFIED && the_kind != PARTS ? SIZE
           : the_kind == PROXY || the_kind == ROLE ? SIZE
                                  : 0;
}

static void check_usual(void)
{
    int r = exchange();

    if (the_kind == TUNNEL ? !CHECK(r < 0 && r != AWS_AGAIN) : !CHECK_INT(r, usual()))
        fprintf(stderr, "%s: %s\n", s.what, aws_client_failure_text(&client));
}

static void begin(kind which, script_mode mode, const char *what)
{
    size_t size = which == TUNNEL ? AWS_CLIENT_MEMORY_TLS : which == SIGNED_CHUNKS ? 24576 : 8192, i;
    static const aws_role assumed[] = {{"arn:aws:iam::1:role/r", NULL, NULL, NULL}};
    int secure = which != SIGNED_CHUNKS && which != PROXY && which != ROLE;

    the_kind = which;
    script_init(&s, mode);
    s.serve = serve;
    s.continues = "HTTP/1.1 100 Continue\r\n\r\n";
    s.what = what;
    s.limit = 400000;
    if (secure && which != TUNNEL)
        s.port.flags |= (unsigned)AWS_PORT_TLS;
    memset(&config, 0, sizeof config);
    config.access_key_id = "AKIDEXAMPLE";
    config.secret_access_key = "CANARYSECRET";
    config.region = "eu-west-1";
    config.port = &s.port;
    if (which != REDIRECT && which != ASKED && which != JSON)
        config.endpoint = secure ? "https://test.local" : "http://test.local:9000";
    if (which == PROBED) {
        s.unix_time = 0;
        config.clock_floor = 1760000000;
    }
    memset(&proxy, 0, sizeof proxy);
    proxy.use = aws_proxy_http;
    proxy.url = "http://user:CANARY@proxy.local:3128";
    if (which == PROXY || which == TUNNEL)
        config.proxy = &proxy;
    if (which == ROLE) {
        config.provider = aws_keys_role_init(
            &role, aws_keys_imds_init(&imds, imds_memory, sizeof imds_memory), assumed, 1,
            role_memory, sizeof role_memory);
        role.endpoint = "http://sts.local";
        config.access_key_id = config.secret_access_key = NULL;
    }
    for (i = 0; i < SIZE; i++)
        body[i] = (char)('a' + i * 7 % 26);
    memory = (unsigned char *)malloc(size);
    if (!memory)
        abort();
    agains = cancel_at = 0;
    aws_session_init(&session, &config);
    CHECK_INT(aws_client_init(&client, &session,
                              which == JSON ? &aws_dynamodb_service : &aws_s3_service, memory, size),
              0);
}

static void end(void)
{
    int r;

    SCRIPT_RUN(r, &s, &client, aws_client_close(&client));
    CHECK_INT(r, 0);
    CHECK_INT(script_left_open(&s), 0);
    CHECK_INT(s.breaches, 0);
    CHECK_INT(session.users, 0);
    CHECK(session.refreshing == NULL);
    aws_session_close(&session);
    if (the_kind == ROLE) {
        aws_keys_close(&role.ask.provider);
        aws_keys_close(&imds.ask.provider);
    }
    script_free(&s);
    free(memory);
}

/* The port is whole again. */
static void usable(void)
{
    s.fault_at = 0;
    cancel_at = 0;
    check_usual();
    check_usual();
    end();
}

static void torture(kind which, script_mode mode, int split, script_fault fault, int for_ever,
                    unsigned long n)
{
    unsigned long failed = check_failed;
    char what[120];
    int r;

    snprintf(what, sizeof what, "%s, mode %d, split %d, %s at call %lu%s", kind_names[which],
             (int)mode, split, fault_names[fault], n, for_ever ? " and for ever" : "");
    begin(which, mode, what);
    s.split_read = s.split_write = split;
    s.fault = fault;
    s.fault_at = n;
    s.for_ever = for_ever;
    r = exchange();
    CHECK(r != AWS_AGAIN);
    if (r < 0)
        CHECK_INT(aws_client_failure(&client)->code, r);
    CHECK(strstr(aws_client_failure_text(&client), "CANARY") == NULL);
    if (which != TUNNEL && (fault == SCRIPT_SHORT || (fault == SCRIPT_AGAIN && !for_ever)))
        CHECK_INT(r, usual()); /* these are no failures */
    usable();
    if (check_failed != failed)
        fprintf(stderr, "^ %s\n", what);
}

static void cancel(kind which, int split, unsigned long n)
{
    unsigned long failed = check_failed;
    char what[120];
    int r;

    snprintf(what, sizeof what, "%s, cancelled at AWS_AGAIN %lu, split %d", kind_names[which], n, split);
    begin(which, SCRIPT_NEVER_WAITS, what);
    s.again_always = 1;
    s.split_read = s.split_write = split;
    cancel_at = n;
    r = exchange();
    CHECK_INT(r, AWS_AGAIN);
    CHECK_INT(aws_client_failure(&client)->code, AWS_ERR_CANCELLED);
    s.again_always = 0;
    usable();
    if (check_failed != failed)
        fprintf(stderr, "^ %s\n", what);
}

/* Every call of the port, or AWS_AGAIN, of a whole exchange. */
static unsigned long count(kind which, script_mode mode, int split, int cancelled)
{
    unsigned long n;

    begin(which, mode, kind_names[which]);
    s.split_read = s.split_write = split;
    s.again_always = cancelled;
    check_usual();
    n = cancelled ? agains : s.calls;
    end();
    return n;
}

int main(void)
{
    static const script_mode modes[] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS};
    const char *setting = getenv("TORTURE");
    int full = setting && strcmp(setting, "full") == 0, k, m, fault, split;
    unsigned long calls, n, step;

    alarm(full ? 6000 : 2000);
    for (k = 0; k < KINDS; k++)
        for (split = 0; split <= 200; split += 200) {
            for (m = 0; m < 3; m++) {
                calls = count((kind)k, modes[m], split, 0);
                for (fault = SCRIPT_ERROR; fault < SCRIPT_FAULTS; fault++) {
                    step = full ? 1 : calls / 25 + 1;
                    for (n = full ? 1 : 1 + (unsigned long)fault % step; n <= calls; n += step) {
                        torture((kind)k, modes[m], split, (script_fault)fault, 0, n);
                        torture((kind)k, modes[m], split, (script_fault)fault, 1, n);
                    }
                }
            }
            calls = count((kind)k, SCRIPT_NEVER_WAITS, split, 1);
            for (n = 1; n <= calls; n++)
                cancel((kind)k, split, n);
        }
    return CHECK_DONE();
}

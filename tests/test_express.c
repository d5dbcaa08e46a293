/* test_express.c - sessions of directory buckets (S3 Express): asked for by themselves, refreshed,
 * kept for two buckets, and what is signed with them.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -std=c99 -I. tests/test_express.c -lbearssl -o build/test_express && build/test_express
 *
 * Hosts, headers and signatures are those of botocore 1.43 with the same keys, time and answer.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include "script_port.h"

#define BUCKET "mybucket--usw2-az1--x-s3"
#define OTHER "other--usw2-az1--x-s3"
#define THIRD "third--usw2-az1--x-s3"
#define ZONAL BUCKET ".s3express-usw2-az1.us-west-2.amazonaws.com"
#define CONTROL "s3express-control.us-west-2.amazonaws.com"
#define PLAIN "host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature="
#define SESSION "host;x-amz-content-sha256;x-amz-date;x-amz-s3session-token, Signature="
#define CREATED "4e94e6cd3a2f0e8fb0bc003247c43352b6ece0520b1d3adcc78dfb540766bf76"

enum { LOGGED = 40, START = 1767323045 };

static script s;
static aws_config config;
static const aws_addresses addresses = {aws_s3_addresses, 0};
static aws_session session;
static aws_client client;
static aws_s3_express express;
static aws_s3_args args;
static unsigned char memory[AWS_CLIENT_MEMORY_HTTP], kept[AWS_S3_EXPRESS_MEMORY];

/* The server: what it saw, and how it answers CreateSession. */
static struct {
    unsigned requests, created;
    char line[LOGGED][200], signed_as[LOGGED][200], token[LOGGED][80], id[LOGGED][40];
    unsigned connection[LOGGED];
    char mode[40];
    int lifetime, number;
    const char *refusal; /* status and body instead of a session, so many times */
    unsigned refusals;
    const char *answer, *extra; /* headers of CreateSession's answers */
} seen;

/* The value of a header of a request, "" if there is none. */
static void header(const script_request *q, const char *name, char *to, size_t room)
{
    char want[60];
    const char *at;

    snprintf(want, sizeof want, "\r\n%s: ", name);
    at = strstr(q->head, want);
    to[0] = 0;
    if (at && at < q->head + q->head_size)
        snprintf(to, room, "%.*s", (int)strcspn(at + strlen(want), "\r"), at + strlen(want));
}

static void create(const script_request *q)
{
    char date[17], text[1000], body[800];

    aws_date_text(START + (int64_t)(s.elapsed / 1000) + seen.lifetime, date);
    header(q, "x-amz-create-session-mode", seen.mode, sizeof seen.mode);
    seen.created++;
    if (seen.refusal && seen.refusals) {
        seen.refusals--;
        snprintf(text, sizeof text, "HTTP/1.1 %.3s Said\r\n%sContent-Length: %u\r\n\r\n%s",
                 seen.refusal, seen.extra ? seen.extra : "",
                 (unsigned)strlen(seen.refusal + 3), seen.refusal + 3);
        script_reply(&s, q->connection, text);
        return;
    }
    seen.number++;
    snprintf(body, sizeof body,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CreateSessionResult xmlns=\"" AWS_S3_NAMESPACE
             "\"><Credentials><SessionToken>EXPRESSTOKEN/+=%d</SessionToken><SecretAccessKey>"
             "EXPRESSCANARY%d</SecretAccessKey><AccessKeyId>ASIAEXPRESS%d</AccessKeyId><Expiration>"
             "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ</Expiration></Credentials></CreateSessionResult>",
             seen.number, seen.number, seen.number, date, date + 4, date + 6, date + 9, date + 11,
             date + 13);
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%sContent-Length: %u\r\n\r\n%s",
             seen.extra ? seen.extra : "", (unsigned)strlen(body), body);
    script_reply(&s, q->connection, text);
}

static void serve(script *p, const script_request *q)
{
    unsigned i = seen.requests++;
    char authorization[500];
    const char *names;

    if (i >= LOGGED)
        abort();
    snprintf(seen.line[i], sizeof seen.line[i], "%.8s %.100s%.90s", q->method,
             p->connections[q->connection].host, q->target);
    seen.connection[i] = q->connection;
    header(q, "authorization", authorization, sizeof authorization);
    names = strstr(authorization, "SignedHeaders=");
    snprintf(seen.signed_as[i], sizeof seen.signed_as[i], "%s", names ? names + 14 : "");
    snprintf(seen.id[i], sizeof seen.id[i], "%.*s",
             (int)strcspn(strchr(authorization, '=') ? strchr(authorization, '=') + 1 : "", "/"),
             strchr(authorization, '=') ? strchr(authorization, '=') + 1 : "");
    header(q, "x-amz-s3session-token", seen.token[i], sizeof seen.token[i]);
    if (strstr(q->target, "?session"))
        create(q);
    else if (seen.answer)
        script_reply(p, q->connection, seen.answer);
    else if (strcmp(q->method, "HEAD") == 0)
        script_reply(p, q->connection, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
    else
        script_reply(p, q->connection, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<a/>");
}

static void setup(script_mode mode)
{
    script_free(&s);
    script_init(&s, mode);
    s.serve = serve;
    s.port.flags |= AWS_PORT_TLS;
    memset(&seen, 0, sizeof seen);
    seen.lifetime = 300;
    memset(&config, 0, sizeof config);
    config.access_key_id = "AKIDEXAMPLE";
    config.secret_access_key = "CANARYSECRET";
    config.session_token = "SESSION/TOKEN";
    config.region = "us-west-2";
    config.port = &s.port;
    config.addresses = &addresses;
    memset(&args, 0, sizeof args);
    args.bucket = BUCKET;
    args.key = "k";
}

static void start(void)
{
    aws_session_init(&session, &config);
    CHECK_INT(aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory), 0);
    CHECK_INT(aws_s3_express_init(&express, &client, kept, sizeof kept), 0);
}

static int run(aws_s3_action *action)
{
    int r;

    SCRIPT_RUN(r, &s, &client, action(&client, &args, NULL));
    return r;
}

static int head(const char *bucket)
{
    args.bucket = bucket;
    args.key = "k";
    return run(aws_s3_head_object);
}

static void stop(void)
{
    int r;

    SCRIPT_RUN(r, &s, &client, aws_client_close(&client));
    CHECK_INT(r, 0);
    CHECK_INT(script_left_open(&s), 0);
    CHECK_INT(s.breaches, 0);
    aws_session_close(&session);
}

/* ---- What is signed with what, as botocore does it ---- */

static const struct {
    aws_s3_action *action;
    const char *line, *signed_as; /* NULL: plain */
    int session;
} rows[] = {
    {aws_s3_head_object, "HEAD " ZONAL "/k",
     SESSION "14fdf786a8d85019e52918831e6688318abc322ecc4f64dc42c1a1038040902a", 1},
    {aws_s3_delete_object, "DELETE " ZONAL "/k",
     SESSION "ea259a375e56bc5bc2903112458db1727c97155f44c3188431e39db9ba817b9d", 1},
    {aws_s3_get_object, "GET " ZONAL "/k",
     "host;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date;x-amz-s3session-token, Signature="
     "ee8cf5164cad065870dcdfcbaac1c826b56001ca9e4f399572471fc339d9ef1b", 1},
    {aws_s3_list_parts, "GET " ZONAL "/k?uploadId=u",
     SESSION "39f3f7790cebc85c89a90cccaa3f9e19cad7abbc62e6f2e51f2bd70a585577ec", 1},
    {aws_s3_head_bucket, "HEAD " ZONAL "/",
     SESSION "1e094ccd2f857d4ce3c73c448dc68d6b4efd81a903b20cebbab91d2d787dca66", 1},
    {aws_s3_get_bucket_abac, "GET " ZONAL "/?abac=",
     SESSION "c93ca9ff943668f6e436a4d9b1dbce712396f00e26bb6606af136b2bc5bc8afa", 1},
    {aws_s3_copy, "PUT " ZONAL "/k",
     "host;x-amz-content-sha256;x-amz-copy-source;x-amz-date;x-amz-security-token, Signature="
     "5e90572393ffb6fdbc10b4076d9da3dca264219e3bda764ac05fc5376b25261a", 0},
    {aws_s3_create_session, "GET " ZONAL "/?session=", PLAIN CREATED, 0},
    {aws_s3_get_public_access_block, "GET " CONTROL "/" BUCKET "?publicAccessBlock=",
     PLAIN "e9c10775aefd0939fcd29516dad7178f5dc32f801dbe8348ecf7640e747207fe", 0},
    {aws_s3_delete_bucket, "DELETE " CONTROL "/" BUCKET,
     PLAIN "2118591e6ac4efbc49fddc0c99d62e5c04d1bfbaa76c70bf13fb3646f734b288", 0},
    {aws_s3_list_directory_buckets, "GET " CONTROL "/",
     PLAIN "5beee304fac8e7c3663007a78e4eec2ff7ca6e5e666c2b0f5e6ec02b096a12b6", 0},
};

static void check_row(size_t i, script_mode mode)
{
    unsigned n = rows[i].session ? 1 : 0;

    setup(mode);
    start();
    if (strstr(rows[i].line, "uploadId"))
        args.upload_id = "u";
    if (rows[i].action == aws_s3_copy)
        args.copy_source = "a/b";
    if (!strstr(rows[i].line, "/k"))
        args.key = NULL;
    if (strcmp(rows[i].line, "GET " CONTROL "/") == 0)
        args.bucket = NULL;
    CHECK_INT(run(rows[i].action), 0);
    CHECK_INT(seen.requests, 1 + n);
    CHECK_STR(seen.line[n], rows[i].line);
    CHECK_STR(seen.signed_as[n], rows[i].signed_as);
    CHECK_STR(seen.token[n], n ? "EXPRESSTOKEN/+=1" : "");
    if (n) {
        CHECK_STR(seen.line[0], "GET " ZONAL "/?session=");
        CHECK_STR(seen.signed_as[0], PLAIN CREATED);
        CHECK_INT(seen.connection[1], 0); /* over the same connection */
    }
    stop();
}

static void test_rows(void)
{
    size_t i;

    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_row(i, SCRIPT_WAITS);
        check_row(i, SCRIPT_NEVER_WAITS);
        check_row(i, SCRIPT_BLOCKS);
    }
}

/* A bucket of another kind has nothing to do with it, before and after. */
static void test_other_buckets(void)
{
    setup(SCRIPT_WAITS);
    start();
    CHECK_INT(head("plain"), 0);
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(head("plain"), 0);
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(seen.created, 1);
    CHECK_INT(seen.requests, 5);
    CHECK_STR(seen.id[0], "AKIDEXAMPLE");
    CHECK_STR(seen.id[2], "ASIAEXPRESS1");
    CHECK_STR(seen.id[3], "AKIDEXAMPLE");
    CHECK_STR(seen.signed_as[3], seen.signed_as[0]);
    CHECK_STR(seen.token[3], "");
    CHECK_STR(seen.signed_as[4], seen.signed_as[2]);
    stop();
}

/* A custom endpoint by name has the bucket in its host, as in botocore; an address in the path. */
static void test_endpoints(void)
{
    setup(SCRIPT_WAITS);
    s.port.flags &= ~(unsigned)AWS_PORT_TLS;
    config.endpoint = "http://test.local:81";
    start();
    CHECK_INT(head(BUCKET), 0);
    CHECK_STR(seen.line[0], "GET " BUCKET ".test.local/?session=");
    CHECK_STR(seen.signed_as[0],
              PLAIN "f26b8d05f88007b213428c553d1b4fb9bd0460d5bbce0f0f4ac0fe3d269a2109");
    CHECK_STR(seen.signed_as[1],
              SESSION "588e2a50bea4db14fecf02bde041e9824ab5bd70b94bd301194cac864e4bccff");
    stop();
    setup(SCRIPT_WAITS);
    s.port.flags &= ~(unsigned)AWS_PORT_TLS;
    config.endpoint = "http://127.0.0.1:81";
    start();
    CHECK_INT(head(BUCKET), 0);
    CHECK_STR(seen.line[0], "GET 127.0.0.1/" BUCKET "?session=");
    CHECK_STR(seen.line[1], "HEAD 127.0.0.1/" BUCKET "/k");
    stop();
    setup(SCRIPT_WAITS); /* ours: where path style is wanted, it is had */
    s.port.flags &= ~(unsigned)AWS_PORT_TLS;
    config.endpoint = "http://test.local:81";
    config.addressing = AWS_ADDRESSING_PATH;
    start();
    CHECK_INT(head(BUCKET), 0);
    CHECK_STR(seen.line[1], "HEAD test.local/" BUCKET "/k");
    args.key = NULL;
    CHECK_INT(run(aws_s3_get_bucket_policy), 0);
    CHECK_STR(seen.line[2], "GET test.local/" BUCKET "?policy=");
    CHECK_STR(seen.id[2], "AKIDEXAMPLE"); /* control: never a session's, here or at AWS */
    stop();
}

/* ---- How long, and for whom ---- */

static void pass(unsigned seconds)
{
    script_pass(&s, seconds * 1000u);
}

/* From 45 seconds before the end a new session is asked for. */
static void test_refresh(void)
{
    setup(SCRIPT_WAITS);
    start();
    CHECK_INT(head(BUCKET), 0);
    pass(254);
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(seen.created, 1);
    pass(1);
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(seen.created, 2);
    CHECK_STR(seen.id[seen.requests - 1], "ASIAEXPRESS2");
    CHECK_STR(seen.token[seen.requests - 1], "EXPRESSTOKEN/+=2");
    pass(100);
    CHECK_INT(head(BUCKET), 0); /* the new one, not the old one */
    CHECK_STR(seen.id[seen.requests - 1], "ASIAEXPRESS2");
    CHECK_INT(seen.created, 2);
    stop();
}

#define DENIED "403<Error><Code>AccessDenied</Code><Message>Not yours</Message></Error>"
#define BUSY "503<Error><Code>ServiceUnavailable</Code></Error>"

/* Until 10 seconds before it, its failure doesn't matter, and it isn't tried at every call. */
static void test_refresh_fails(void)
{
    setup(SCRIPT_WAITS);
    start();
    CHECK_INT(head(BUCKET), 0);
    pass(260);
    seen.refusal = DENIED;
    seen.refusals = 100;
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(seen.created, 2);
    CHECK_STR(seen.id[seen.requests - 1], "ASIAEXPRESS1");
    CHECK_INT(aws_client_failure(&client)->code, 0);
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(seen.created, 2);
    client.key_day = UINT32_MAX; /* the key is made anew: the signature was right */
    CHECK_INT(head(BUCKET), 0);
    CHECK_STR(seen.signed_as[seen.requests - 1], seen.signed_as[seen.requests - 2]);
    CHECK_STR(seen.signed_as[seen.requests - 1], seen.signed_as[seen.requests - 3]);
    pass(29);
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(seen.created, 2);
    pass(1); /* 10 seconds are left */
    CHECK_INT(head(BUCKET), AWS_ERR_SERVICE);
    CHECK_INT(seen.created, 3);
    seen.refusals = 0;
    CHECK_INT(head(BUCKET), 0);
    CHECK_STR(seen.id[seen.requests - 1], "ASIAEXPRESS2");
    stop();
}

/* Sessions of the last two buckets are kept. */
static void test_two(void)
{
    setup(SCRIPT_WAITS);
    start();
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(head(OTHER), 0);
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(head(OTHER), 0);
    CHECK_INT(seen.created, 2);
    CHECK_STR(seen.id[seen.requests - 1], "ASIAEXPRESS2");
    CHECK_INT(head(BUCKET), 0);
    CHECK_STR(seen.id[seen.requests - 1], "ASIAEXPRESS1");
    CHECK_STR(seen.signed_as[seen.requests - 1], seen.signed_as[1]); /* by its own key */
    CHECK_INT(head(THIRD), 0); /* instead of the other */
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(seen.created, 3);
    CHECK_INT(head(OTHER), 0);
    CHECK_INT(seen.created, 4);
    stop();
}

static void test_mode(void)
{
    setup(SCRIPT_WAITS);
    start();
    CHECK_INT(head(BUCKET), 0);
    CHECK_STR(seen.mode, "");
    CHECK_INT(aws_s3_express_init(&express, &client, kept, sizeof kept), 0);
    express.mode = "ReadOnly";
    CHECK_INT(head(BUCKET), 0);
    CHECK_STR(seen.mode, "ReadOnly");
    stop();
}

/* ---- Failures ---- */

static void test_refused(void)
{
    setup(SCRIPT_WAITS);
    seen.refusal = DENIED;
    seen.refusals = 1;
    start();
    CHECK_INT(head(BUCKET), AWS_ERR_SERVICE);
    CHECK_INT(seen.requests, 1);
    CHECK_STR(aws_client_failure(&client)->operation, "CreateSession");
    CHECK_STR(aws_client_failure(&client)->aws_code, "AccessDenied");
    CHECK_STR(aws_client_failure(&client)->message, "Not yours");
    CHECK_INT(aws_client_failure(&client)->http_status, 403);
    CHECK_INT(aws_client_failure(&client)->attempts, 1);
    CHECK(strstr(aws_client_failure_text(&client), "CreateSession") != NULL);
    CHECK(strstr(aws_client_failure_text(&client), "AccessDenied") != NULL);
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(seen.created, 2);
    stop();
}

/* What can succeed later is made again as the call's own attempts are. */
static void test_retried(void)
{
    setup(SCRIPT_WAITS);
    seen.refusal = BUSY;
    seen.refusals = 2;
    start();
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(seen.created, 3);
    CHECK_INT(seen.requests, 4);
    seen.refusals = 10;
    CHECK_INT(head(OTHER), AWS_ERR_SERVICE);
    CHECK_INT(seen.created, 6);
    CHECK_INT(aws_client_failure(&client)->attempts, 3);
    stop();
}

/* An answer that isn't a session isn't one. */
static void test_answers(void)
{
    static const char *const answers[] = {
   "200<a/>",
   "200",
   "200<a><Credentials/>",
   "200<a><Credentials><SessionToken>T</SessionToken>"
   "<SecretAccessKey>S</SecretAccessKey><AccessKeyId>A</AccessKeyId><Expiration>x</Expiration>"
   "</Credentials></a>",
   "200<a><Credentials><SessionToken>T</SessionToken>"
   "<SecretAccessKey>S</SecretAccessKey><AccessKeyId>A</AccessKeyId><Expiration>"
   "2026-01-02T03:04:05Z</Expiration></Credentials></a>",
   "200<a><Credentials><SessionToken></SessionToken>"
   "<SecretAccessKey></SecretAccessKey><AccessKeyId>A</AccessKeyId><Expiration>"
   "2027-01-02T03:04:05Z</Expiration></Credentials></a>  ",
    };
    size_t i;

    for (i = 0; i < sizeof answers / sizeof *answers; i++) {
        int r;
        setup(SCRIPT_WAITS);
        seen.refusal = answers[i];
        seen.refusals = 1;
        start();
        r = head(BUCKET);
        CHECK(r == AWS_ERR_CREDENTIALS || r == AWS_ERR_XML);
        CHECK_STR(aws_client_failure(&client)->operation, "CreateSession");
        CHECK_INT(seen.requests, 1);
        CHECK_INT(head(BUCKET), 0);
        stop();
    }
}

/* Memory that is too small is an error with the size, never a cut token. */
static void test_memory(void)
{
    size_t needed;

    setup(SCRIPT_WAITS);
    start();
    CHECK_INT(aws_s3_express_init(&express, &client, NULL, 0), AWS_ERR_MEMORY);
    client.failure.code = 0;
    CHECK_INT(aws_s3_express_init(&express, &client, kept, 500), 0);
    CHECK_INT(head(BUCKET), AWS_ERR_MEMORY);
    needed = aws_client_failure(&client)->needed;
    CHECK(needed > 500 && needed < 1000);
    CHECK_INT(aws_s3_express_init(&express, &client, kept, needed - 2), 0);
    CHECK_INT(head(BUCKET), AWS_ERR_MEMORY);
    CHECK_INT(aws_s3_express_init(&express, &client, kept, needed), 0);
    CHECK_INT(head(BUCKET), 0);
    stop();
    setup(SCRIPT_WAITS);
    config.addresses = NULL;
    aws_session_init(&session, &config);
    CHECK_INT(aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory), 0);
    CHECK_INT(aws_s3_express_init(&express, &client, kept, sizeof kept), AWS_ERR_PARAM);
    CHECK(strstr(aws_client_failure_text(&client), "aws_config.addresses") != NULL);
    stop();
}

/* The connection that a session came over may be gone: the call goes over a new one. */
static void test_closed_after(void)
{
    setup(SCRIPT_WAITS);
    start();
    CHECK_INT(head(BUCKET), 0);
    script_then(&s, 0, SCRIPT_FIN);
    pass(300);
    CHECK_INT(head(BUCKET), 0); /* the kept connection was stale */
    CHECK_INT(seen.created, 2);
    CHECK_INT(seen.connection[seen.requests - 1], 1);
    stop();
}

/* Every port call fails once: an error or success, and the next call is right. */
static void test_faults(void)
{
    static const script_fault faults[] = {SCRIPT_ERROR, SCRIPT_EOF, SCRIPT_SHORT, SCRIPT_AGAIN,
                                          SCRIPT_TIMEOUT};
    size_t i;
    unsigned long at;

    for (i = 0; i < sizeof faults / sizeof *faults; i++)
        for (at = 1;; at++) {
            int r;
            setup(i % 2 ? SCRIPT_WAITS : SCRIPT_NEVER_WAITS);
            s.fault = faults[i];
            s.fault_at = at;
            start();
            r = head(BUCKET);
            if (r < 0) {
                CHECK_INT(aws_client_failure(&client)->code, r);
            } else {
                CHECK_INT(strncmp(seen.id[seen.requests - 1], "ASIAEXPRESS", 11), 0);
            }
            CHECK_INT(head(BUCKET), 0);
            CHECK_INT(strncmp(seen.token[seen.requests - 1], "EXPRESSTOKEN/+=", 15), 0);
            CHECK_INT(seen.id[seen.requests - 1][11], seen.token[seen.requests - 1][15]);
            at = s.faulted ? at : 0;
            stop();
            if (!at)
                break;
        }
}

/* Bytes one by one, with AWS_AGAIN everywhere. */
static void test_splits(void)
{
    setup(SCRIPT_NEVER_WAITS);
    s.split_read = s.split_write = 1;
    s.again_always = 1;
    start();
    args.body = "hello";
    args.body_size = 5;
    CHECK_INT(run(aws_s3_put_object), 0);
    CHECK_INT(seen.requests, 2);
    CHECK_STR(seen.token[1], "EXPRESSTOKEN/+=1");
    CHECK(strstr(script_sent(&s, 0), "\r\n\r\nhello") != NULL);
    stop();
}

/* Cancelled in the middle of CreateSession, at each of its steps: the client is as good as new. */
static void test_cancelled(void)
{
    unsigned n, i;

    for (n = 0; n < 60; n++) {
        int r = AWS_AGAIN;
        setup(SCRIPT_NEVER_WAITS);
        s.split_read = 40;
        s.again_always = 1;
        start();
        for (i = 0; i <= n && r == AWS_AGAIN; i++)
            if ((r = aws_s3_head_object(&client, &args, NULL)) == AWS_AGAIN)
                script_idle(&s, &client);
        CHECK_INT(aws_client_cancel(&client), 0);
        CHECK_INT(head(n % 2 ? OTHER : BUCKET), 0);
        CHECK_STR(seen.token[seen.requests - 1] + 12, seen.number == 2 ? "/+=2" : "/+=1");
        CHECK_INT(session.users, 0);
        stop();
    }
}

/* The call's deadline is CreateSession's, too. */
static void check_deadline(script_mode mode)
{
    setup(mode);
    s.drip = 100;
    start();
    args.timeout = 5000;
    CHECK_INT(head(BUCKET), AWS_ERR_TIMEOUT);
    CHECK(s.elapsed >= 5000 && s.elapsed < 5200);
    CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_CALL_TIME);
    args.timeout = 0;
    s.drip = 0;
    CHECK_INT(head(BUCKET), 0);
    stop();
}

static void test_deadline(void)
{
    check_deadline(SCRIPT_NEVER_WAITS);
    check_deadline(SCRIPT_WAITS);
}

/* The server closes after CreateSession: the call opens another connection. */
static void test_closes(void)
{
    setup(SCRIPT_WAITS);
    seen.extra = "Connection: close\r\n";
    start();
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(seen.requests, 2);
    CHECK_INT(seen.connection[1], 1);
    stop();
}

/* A lost answer of CreateSession isn't one of the call: it wasn't sent yet. */
static void test_not_maybe(void)
{
    setup(SCRIPT_WAITS);
    s.fault = SCRIPT_ERROR;
    s.fault_at = sizeof(void *) > 4 ? 3 : 5; /* the first receive: less memory sends in pieces */
    seen.answer = "HTTP/1.1 412 No\r\nContent-Length: 0\r\n\r\n";
    start();
    args.if_none_match = "*";
    args.body = "hello";
    args.body_size = 5;
    CHECK_INT(run(aws_s3_put_object), AWS_ERR_SERVICE);
    CHECK_INT(s.faulted, 1);
    CHECK_INT(seen.created, 2);
    CHECK_INT(aws_client_failure(&client)->attempts, 2);
    CHECK(aws_client_failure(&client)->reason != AWS_REASON_MAYBE_APPLIED);
    stop();
}

/* The server's time is the session's, whichever call learns it. */
static void test_skew(void)
{
    setup(SCRIPT_WAITS);
    seen.extra = "Date: Fri, 02 Jan 2026 06:04:05 GMT\r\n";
    seen.refusal = "403<Error><Code>RequestTimeTooSkewed</Code></Error>";
    seen.refusals = 1;
    seen.lifetime = 4 * 3600;
    start();
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(seen.created, 2);
    CHECK_INT(aws_i_now(&client) - START, 3 * 3600);
    stop();
}

static void hook(void *context, aws_client *hooked, int when)
{
    (void)when;
    CHECK(hooked == &client);
    CHECK_STR(aws_client_call(hooked)->operation, "HeadObject");
    ++*(int *)context;
}

/* Hooks are for the program's own calls. */
static void test_hook(void)
{
    int hooks = 0;

    setup(SCRIPT_WAITS);
    config.hook = hook;
    config.hook_context = &hooks;
    start();
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(hooks, 3);
    stop();
}

/* Nothing secret is left, nor shown. */
static void test_wiped(void)
{
    size_t i;
    int left = 0;

    setup(SCRIPT_WAITS);
    start();
    CHECK_INT(head(BUCKET), 0);
    CHECK_INT(head(OTHER), 0);
    CHECK(memcmp(kept, kept + 1, 200) != 0);
    stop();
    CHECK(!check_finds(kept, sizeof kept, "EXPRESSCANARY"));
    CHECK(!check_finds(&express, sizeof express, "EXPRESSCANARY"));
    for (i = 0; i < sizeof kept; i++)
        left += kept[i] != 0;
    CHECK_INT(left, 0);
}

/* ---- Presigned ---- */

#define URL_START "https://" ZONAL "/a%20b?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="        \
                  "ASIAEXPRESS1%2F20260102%2Fus-west-2%2Fs3express%2Faws4_request&X-Amz-Date="        \
                  "20260102T030405Z&X-Amz-Expires=60&X-Amz-S3session-Token=EXPRESSTOKEN%2F%2B%3D1"    \
                  "&X-Amz-SignedHeaders=host&X-Amz-Signature="

static void check_presign(script_mode mode)
{
    static char url[1000];
    int r;

    setup(mode);
    start();
    args.key = "a b";
    SCRIPT_RUN(r, &s, &client,
               aws_s3_presign(&client, aws_s3_get_object, &args, 60, url, sizeof url));
    CHECK_INT(r, strlen(url));
    CHECK_STR(url, URL_START "b6989f059fb8c348a5d2b2ab74e6e6123db6edff9d7ba5b3429e889dc3a5f03d");
    CHECK_INT(seen.requests, 1);
    CHECK_STR(seen.line[0], "GET " ZONAL "/?session=");
    SCRIPT_RUN(r, &s, &client,
               aws_s3_presign(&client, aws_s3_put_object, &args, 60, url, sizeof url));
    CHECK_STR(url, URL_START "b4eea722cf652ffcad179a88968a74037c7cdcec184eb2ae5b51b3175f32d67e");
    CHECK_INT(seen.requests, 1);
    CHECK_INT(head(BUCKET), 0); /* over the same connection, with the same session */
    CHECK_INT(seen.requests, 2);
    CHECK_INT(seen.connection[1], 0);
    CHECK(aws_s3_presign(&client, aws_s3_get_object, &args, AWS_UNSIGNED, url, sizeof url) > 0);
    CHECK_STR(url, "https://" ZONAL "/k");
    CHECK_INT(session.users, 0);
    stop();
}

static void test_presign(void)
{
    static char url[1000];
    int r;

    check_presign(SCRIPT_WAITS);
    check_presign(SCRIPT_NEVER_WAITS);
    check_presign(SCRIPT_BLOCKS);
    setup(SCRIPT_WAITS);
    seen.refusal = DENIED;
    seen.refusals = 1;
    start();
    CHECK_INT(aws_s3_presign(&client, aws_s3_get_object, &args, 60, url, sizeof url),
              AWS_ERR_SERVICE);
    CHECK_STR(aws_client_failure(&client)->operation, "CreateSession");
    /* in the middle of a stream: with a session that is there, not by asking for one */
    CHECK_INT(head(BUCKET), 0);
    args.stream = 1;
    CHECK_INT(run(aws_s3_get_object), 0);
    args.stream = 0;
    r = aws_s3_presign(&client, aws_s3_head_object, &args, 60, url, sizeof url);
    CHECK_INT(r, strlen(url));
    args.bucket = OTHER;
    CHECK_INT(aws_s3_presign(&client, aws_s3_head_object, &args, 60, url, sizeof url), AWS_ERR_BUSY);
    CHECK_INT(aws_client_finish(&client), 0);
    stop();
}

int main(void)
{
    test_rows();
    test_other_buckets();
    test_endpoints();
    test_refresh();
    test_refresh_fails();
    test_two();
    test_mode();
    test_refused();
    test_retried();
    test_answers();
    test_memory();
    test_closed_after();
    test_faults();
    test_splits();
    test_cancelled();
    test_deadline();
    test_closes();
    test_not_maybe();
    test_skew();
    test_hook();
    test_wiped();
    test_presign();
    script_free(&s);
    return CHECK_DONE();
}

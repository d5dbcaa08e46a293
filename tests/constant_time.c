/* constant_time.c - does the time that signing takes depend on the secret key? For valgrind, which is
 * told that the key has no defined value: it reports each branch and each address that comes of it.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -O0 -I. tests/constant_time.c -lbearssl -o build/constant_time
 *     valgrind --suppressions=tests/constant_time.supp --error-exitcode=99 build/constant_time
 *     valgrind ... build/constant_time leak        must be reported: the proof that it would be seen
 *
 * What is public is in the suppressions: the key's length, that it has no control bytes, and the
 * signature once it is text. BearSSL's SHA-256 is looked into as well.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include "script_port.h"
#include <valgrind/memcheck.h>

static char secret[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
static script s;
static aws_session session;
static aws_client client;
static unsigned char memory[32768];
static int (*send_on)(const aws_port *port, void *area, const void *data, size_t size);

/* What goes to the server is public. */
static int send_public(const aws_port *port, void *area, const void *data, size_t size)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(data, size);
    return send_on(port, area, data, size);
}

static aws_signing signing(void)
{
    static const aws_pair headers[] = {{"host", "example.amazonaws.com"}};
    aws_signing signing;

    memset(&signing, 0, sizeof signing);
    signing.access_key_id = "AKIDEXAMPLE";
    signing.secret_access_key = secret;
    signing.region = "us-east-1";
    signing.service = "s3";
    signing.time = 1440938160;
    signing.method = "GET";
    signing.path = "/";
    signing.headers = headers;
    signing.header_count = 1;
    return signing;
}

static void alone(void)
{
    aws_signing what = signing();
    char text[512];

    CHECK(aws_sign(&what, text, sizeof text) > 0);
    CHECK(aws_presign(&what, text, sizeof text) > 0);
    CHECK_INT(aws_sign_text(&what, "policy", 6, text), 0);
}

static size_t source_left;

static int source_read(void *context, void *data, size_t size)
{
    size_t some = size < source_left ? size : source_left;

    (void)context;
    memset(data, 'x', some);
    source_left -= some;
    return (int)some;
}

/* Requests one after the other: the day's key, then the states that are kept of it; signed chunks. */
static void calls(void)
{
    static const script_step steps[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0, 0, 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, 0, 0},
    };
    aws_config config;
    aws_s3_bucket bucket;
    aws_s3_args args;
    aws_source source = {source_read, NULL, NULL};
    char body[16];
    int r;

    script_init(&s, SCRIPT_WAITS);
    s.steps = steps;
    s.step_count = sizeof steps / sizeof *steps;
    send_on = s.port.send;
    s.port.send = send_public;
    memset(&config, 0, sizeof config);
    config.access_key_id = "AKIDEXAMPLE";
    config.secret_access_key = secret;
    config.region = "us-east-1";
    config.endpoint = "http://test.local";
    config.dialect = &aws_dialect_aws;
    config.max_attempts = 1;
    config.port = &s.port;
    CHECK_INT(aws_session_init(&session, &config), 0);
    CHECK_INT(aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory), 0);
    aws_s3_bucket_init(&bucket, &client, "bucket");
    SCRIPT_RUN(r, &s, &client, aws_s3_bucket_put(&bucket, "key", "hello", 5, NULL));
    CHECK_INT(r, 0);
    SCRIPT_RUN(r, &s, &client, aws_s3_bucket_get(&bucket, "key", body, sizeof body, NULL));
    CHECK_INT(r, 5);
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "key";
    args.source = &source;
    args.body_size = source_left = 100000;
    SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
    CHECK_INT(r, 0);
    CHECK_INT(s.requests, 3);
    CHECK(strstr(script_sent(&s, 0), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"));
    aws_client_close(&client);
    aws_session_close(&session);
    script_free(&s);
}

int main(int count, char **arguments)
{
    (void)arguments;
    (void)VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret - 1);
    if (count > 1 && secret[3] == 'a') /* as a comparison that ends early would */
        printf("leak\n");
    alone();
    calls();
    return CHECK_DONE();
}

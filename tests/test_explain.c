/* test_explain.c - a refused signature: the first line of what is signed that differs.
 *
 *     cc -std=c99 -I. tests/test_explain.c -lbearssl -o build/test_explain && build/test_explain
 *
 * The server here answers with the canonical request that it might have made of what was sent.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include "script_port.h"

static script s;
static script_step step;
static aws_config config;
static aws_session session;
static aws_client client;
static aws_s3_args args;
static unsigned char memory[AWS_CLIENT_MEMORY];
static char answer[20000], canonical[8000];

/* What aws.h signs for these arguments, written down by hand. */
static const char plain[] =
    "GET\n/bucket/a%20key\nversionId=v1\nhost:test.local\nrange:bytes=0-9\n"
    "x-amz-checksum-mode:ENABLED\n"
    "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
    "x-amz-date:20260102T030405Z\n"
    "x-amz-security-token:CANARYTOKEN\n"
    "x-amz-server-side-encryption-customer-key:CANARYKEY\n\n"
    "host;range;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date;x-amz-security-token;"
    "x-amz-server-side-encryption-customer-key\n"
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/* Ask; the server has signed text; element NULL: says nothing of it. */
static const aws_failure *ask(const char *text, const char *element, int split)
{
    char body[9000];

    script_free(&s);
    script_init(&s, SCRIPT_WAITS);
    s.split_read = split;
    snprintf(body, sizeof body,
             "<Error><Code>SignatureDoesNotMatch</Code><Message>No.</Message>%s%s%s%s%s%s%s"
             "<RequestId>R</RequestId></Error>",
             element ? "<" : "", element ? element : "", element ? ">" : "", element ? text : "",
             element ? "</" : "", element ? element : "", element ? ">" : "");
    snprintf(answer, sizeof answer, "HTTP/1.1 403 Forbidden\r\nContent-Length: %lu\r\n\r\n%s",
             (unsigned long)strlen(body), body);
    memset(&step, 0, sizeof step);
    step.answer = answer;
    step.size = strlen(answer);
    s.steps = &step;
    s.step_count = 1;
    memset(&config, 0, sizeof config);
    config.access_key_id = "AKIDEXAMPLE";
    config.secret_access_key = "secret";
    config.session_token = "CANARYTOKEN";
    config.region = "us-east-1";
    config.endpoint = "http://test.local";
    config.max_attempts = 1;
    config.port = &s.port;
    config.explain = aws_explain_signature;
    aws_session_init(&session, &config);
    aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory);
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "a key";
    args.version_id = "v1";
    args.range = "bytes=0-9";
    args.sse_customer_key = "CANARYKEY";
    CHECK_INT(aws_s3_get_object(&client, &args, NULL), AWS_ERR_SERVICE);
    CHECK_STR(aws_client_failure(&client)->aws_code, "SignatureDoesNotMatch");
    CHECK(strstr(aws_client_failure_text(&client), "CANARY") == NULL);
    return aws_client_failure(&client);
}

/* plain with one text put in the place of another. */
static const char *with(const char *old, const char *now)
{
    const char *at = strstr(plain, old);

    CHECK(at != NULL);
    snprintf(canonical, sizeof canonical, "%.*s%s%s", (int)(at - plain), plain, now,
             at + strlen(old));
    return canonical;
}

static void check_line(const char *text, unsigned line, const char *theirs, const char *ours)
{
    static const int splits[] = {0, 1, -1, 7};
    size_t i;

    for (i = 0; i < 4; i++) {
        const aws_failure *f = ask(text, "CanonicalRequest", splits[i]);
        CHECK_INT(f->signed_line, line);
        CHECK_STR(f->expected, theirs);
        CHECK_STR(f->value, ours);
        CHECK_INT(f->reason, AWS_REASON_SIGNED_LINE);
        CHECK_STR(f->request_id, "R");
    }
}

static void test_lines(void)
{
    check_line(with("GET\n", "PUT\n"), 1, "PUT", "GET");
    check_line(with("/a%20key", "/a+key"), 2, "/bucket/a+key", "/bucket/a%20key");
    check_line(with("versionId=v1", ""), 3, "", "versionId=v1");
    check_line(with("host:test.local", "host:other:80"), 4, "host:other:80", "host:test.local");
    check_line(with("range:bytes=0-9\n", ""), 5,
               "x-amz-checksum-mode:ENABLED", "range:bytes=0-9");
    check_line(with("20260102T030405Z", "20260102T030405ZZ"), 8, "ate:20260102T030405ZZ",
               "ate:20260102T030405Z");
    check_line(with("\n\nhost;", "\nx-other:1\n\nhost;"), 11, "x-other:1", "");
    check_line(with("852b855", "852b85"), 7, "b934ca495991b7852b85",
               "b934ca495991b7852b855");
}

/* The server's ends early, or goes on. */
static void test_ends(void)
{
    char text[2000];

    snprintf(text, sizeof text, "%.*s", (int)(sizeof plain - 1 - 64), plain);
    CHECK_INT(ask(text, "CanonicalRequest", 0)->signed_line, 13);
    CHECK_STR(aws_client_failure(&client)->expected, "");
    CHECK_MEM(aws_client_failure(&client)->value, "e3b0c442", 8);
    snprintf(text, sizeof text, "%s00", plain);
    CHECK_INT(ask(text, "CanonicalRequest", 0)->signed_line, 13);
    CHECK_STR(aws_client_failure(&client)->value, "934ca495991b7852b855");
    CHECK_STR(aws_client_failure(&client)->expected, "934ca495991b7852b85500");
}

/* Nothing differs, or nothing is said: the secret is wrong. */
static void test_same(void)
{
    CHECK_INT(ask(plain, "CanonicalRequest", 0)->signed_line, 0);
    CHECK(strstr(aws_client_failure_text(&client), "check secret_access_key") != NULL);
    CHECK_STR(aws_client_failure(&client)->value, "a key");
    CHECK_INT(ask("x", "StringToSign", 0)->signed_line, 0);
    CHECK(strstr(aws_client_failure_text(&client), "check secret_access_key") != NULL);
    CHECK_INT(ask(plain, NULL, 0)->signed_line, 0);
    CHECK_INT(ask("", "CanonicalRequest", 0)->signed_line, 0);
}

/* Of these only the names are shown. */
static void test_secrets(void)
{
    check_line(with("CANARYTOKEN", "CANARYTOKE"), 9, "x-amz-security-token",
               "x-amz-security-token");
    check_line(with("CANARYKEY", "other"), 10, "x-amz-server-side-encryption-customer-key",
               "x-amz-server-side-encryption-customer-key");
    check_line(with("x-amz-security-token:CANARYTOKEN\n", ""), 9, "x-amz-security-token",
               "x-amz-security-token");
    /* the header before it is missing */
    check_line(with("x-amz-date:20260102T030405Z\n", ""), 8, "x-amz-security-token",
               "x-amz-date:20260102T030405Z");
    check_line(with("x-amz-security-token:CANARYTOKEN\nx-amz-server-side-encryption-customer-key",
                    "x-amz-server-side-encryption-customer-key"),
               9, "x-amz-security-token", "x-amz-security-token");
    check_line(with("x-amz-date:20260102T030405Z\nx-amz-security-token:CANARYTOKEN\n", ""), 8,
               "x-amz-server-side-encryption-customer-key", "x-amz-date:20260102T030405Z");
}

static void test_sentence(void)
{
    ask(with("host:test.local", "host:proxy"), "CanonicalRequest", 0);
    CHECK_STR(aws_client_failure_text(&client),
              "GetObject: SignatureDoesNotMatch (HTTP 403): No; line 4 of what is signed differs: "
              "the server has 'host:proxy', we signed 'host:test.local': something on the way "
              "changes the request, or the server reads it in another way; request id R");
}

int main(void)
{
    test_lines();
    test_ends();
    test_same();
    test_secrets();
    test_sentence();
    script_free(&s);
    return CHECK_DONE();
}

/* test_waiters.c - waiting until something exists, and waiters of a user's own.
 *
 *     cc -std=c99 -I. tests/test_waiters.c -lbearssl -o build/test_waiters && build/test_waiters
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include "script_port.h"

static script s;
static script_step steps[32];
static aws_config config;
static aws_session session;
static aws_client client;
static aws_s3_args args;
static aws_waiter waiter;
static unsigned char memory[AWS_CLIENT_MEMORY_HTTP];
static char texts[32][100];

static const script_mode modes[] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS};

/* The server answers with these statuses, one after the other. */
static void begin(script_mode mode, const int *statuses)
{
    size_t n;

    script_free(&s);
    script_init(&s, mode);
    memset(steps, 0, sizeof steps);
    for (n = 0; statuses[n]; n++) {
        snprintf(texts[n], sizeof texts[n], "HTTP/1.1 %d Status\r\nContent-Length: %d\r\n\r\n",
                 statuses[n], (int)n);
        steps[n].answer = texts[n];
        steps[n].size = strlen(texts[n]);
    }
    s.steps = steps;
    s.step_count = n;
    memset(&config, 0, sizeof config);
    config.access_key_id = "AKIDEXAMPLE";
    config.secret_access_key = "secret";
    config.region = "us-east-1";
    config.endpoint = "http://test.local";
    config.max_attempts = 1;
    config.port = &s.port;
    aws_session_init(&session, &config);
    CHECK_INT(aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory), 0);
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    memset(&waiter, 0, sizeof waiter);
}

typedef int wait_function(aws_client *client, const aws_s3_args *args, aws_waiter *waiter);

static int run(wait_function *function)
{
    int r;

    SCRIPT_RUN(r, &s, &client, function(&client, &args, &waiter));
    return r;
}

static void check_waits(wait_function *function, int is_object, const int *statuses, int result,
                        unsigned asked)
{
    size_t m;

    for (m = 0; m < 3; m++) {
        begin(modes[m], statuses);
        args.key = is_object ? "key" : NULL;
        CHECK_INT(run(function), result);
        CHECK_INT(s.requests, asked);
        CHECK_INT(s.elapsed / 5000, asked - 1); /* five seconds in between, none after the last */
        CHECK_INT(aws_client_failure(&client)->code, result);
        CHECK_INT(s.breaches, 0);
    }
}

/* Each status with each waiter, as botocore's waiters-2.json has it. */
static void test_bucket_exists(void)
{
    static const int ok[] = {200, 0}, moved[] = {301, 301, 301, 0}, theirs[] = {403, 0}, bad[] = {409, 0};
    static const int late[] = {404, 404, 200, 0};

    check_waits(aws_s3_wait_bucket_exists, 0, ok, 0, 1);
    check_waits(aws_s3_wait_bucket_exists, 0, theirs, 0, 1);
    check_waits(aws_s3_wait_bucket_exists, 0, late, 0, 3);
    check_waits(aws_s3_wait_bucket_exists, 0, bad, AWS_ERR_SERVICE, 1);
    begin(SCRIPT_WAITS, moved);
    CHECK_INT(run(aws_s3_wait_bucket_exists), 0);
}

static void test_bucket_not_exists(void)
{
    static const int gone[] = {404, 0}, theirs[] = {200, 403, 0}, late[] = {200, 200, 404, 0};

    check_waits(aws_s3_wait_bucket_not_exists, 0, gone, 0, 1);
    check_waits(aws_s3_wait_bucket_not_exists, 0, late, 0, 3);
    check_waits(aws_s3_wait_bucket_not_exists, 0, theirs, AWS_ERR_SERVICE, 2);
}

static void test_object_exists(void)
{
    static const int ok[] = {200, 0}, late[] = {404, 200, 0}, theirs[] = {404, 403, 0};

    check_waits(aws_s3_wait_object_exists, 1, ok, 0, 1);
    check_waits(aws_s3_wait_object_exists, 1, late, 0, 2);
    check_waits(aws_s3_wait_object_exists, 1, theirs, AWS_ERR_SERVICE, 2);
}

static void test_object_not_exists(void)
{
    static const int gone[] = {404, 0}, late[] = {200, 404, 0}, theirs[] = {403, 0};

    check_waits(aws_s3_wait_object_not_exists, 1, gone, 0, 1);
    check_waits(aws_s3_wait_object_not_exists, 1, late, 0, 2);
    check_waits(aws_s3_wait_object_not_exists, 1, theirs, AWS_ERR_SERVICE, 1);
}

/* Twenty times, and then what was awaited is named. */
static void test_exhausted(void)
{
    static int never[22];
    size_t n;

    for (n = 0; n < 21; n++)
        never[n] = 404;
    check_waits(aws_s3_wait_object_exists, 1, never, AWS_ERR_TIMEOUT, 20);
    CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_WAITED);
    CHECK_INT(aws_client_failure(&client)->http_status, 404);
    CHECK_MEM(aws_client_failure_text(&client),
              "ObjectExists: the time ran out: 'key' has not become what is awaited", 68);
    check_waits(aws_s3_wait_bucket_exists, 0, never, AWS_ERR_TIMEOUT, 20);
    CHECK_STR(aws_client_failure(&client)->value, "bucket");
}

static void test_own_pace(void)
{
    static const int late[] = {404, 404, 404, 200, 200, 0};

    begin(SCRIPT_WAITS, late);
    args.key = "key";
    waiter.delay = 100;
    waiter.attempts = 3;
    CHECK_INT(run(aws_s3_wait_object_exists), AWS_ERR_TIMEOUT);
    CHECK_INT(s.requests, 3);
    CHECK_INT(s.elapsed / 10, 20);
    CHECK_INT(run(aws_s3_wait_object_exists), 0); /* the same waiter once more */
    CHECK_INT(s.requests, 4);
}

/* While it sleeps: a timer alone, and the client does other things. */
static void test_between(void)
{
    static const int late[] = {404, 200, 200, 0};
    aws_waiting w;
    aws_s3_args other;
    int r = AWS_AGAIN, i;

    begin(SCRIPT_NEVER_WAITS, late);
    args.key = "key";
    for (i = 0; i < 200 && !waiter.sleeping; i++)
        if ((r = aws_s3_wait_object_exists(&client, &args, &waiter)) == AWS_AGAIN && !waiter.sleeping)
            script_idle(&s, &client);
    CHECK_INT(r, AWS_AGAIN);
    CHECK_INT(waiter.sleeping, 1);
    aws_client_waiting(&client, &w);
    CHECK_INT(w.what, AWS_WAIT_TIMER);
    CHECK(w.ms > 4000 && w.ms <= 5000);
    CHECK_INT(w.handle, -1);
    memset(&other, 0, sizeof other);
    other.bucket = "other";
    CHECK_INT(aws_s3_head_bucket(&client, &other, NULL), AWS_AGAIN);
    CHECK_INT(aws_s3_wait_object_exists(&client, &args, &waiter), AWS_ERR_BUSY);
    SCRIPT_RUN(r, &s, &client, aws_s3_head_bucket(&client, &other, NULL));
    CHECK_INT(r, 0);
    CHECK_INT(aws_s3_wait_object_exists(&client, &args, &waiter), AWS_AGAIN);
    aws_client_waiting(&client, &w);
    CHECK_INT(w.what, AWS_WAIT_TIMER);
    CHECK_INT(run(aws_s3_wait_object_exists), 0);
    CHECK_INT(s.requests, 3);
}

/* The port's wait fails: so does the wait, and it can be taken up again. */
static int no_wait(const aws_port *port, void *connection, unsigned what, uint32_t ms)
{
    (void)port;
    (void)connection;
    (void)ms;
    return what == AWS_WAIT_TIMER ? (int)AWS_ERR_CANCELLED : 0;
}

static void test_wait_fails(void)
{
    static const int late[] = {404, 200, 0};

    begin(SCRIPT_BLOCKS, late);
    args.key = "key";
    s.port.wait = no_wait;
    CHECK_INT(aws_s3_wait_object_exists(&client, &args, &waiter), AWS_ERR_CANCELLED);
    CHECK_INT(s.requests, 1);
    s.port.wait = script_wait;
    CHECK_INT(run(aws_s3_wait_object_exists), 0);
}

static void test_refused(void)
{
    static const int none[] = {0};

    begin(SCRIPT_WAITS, none);
    CHECK_INT(run(aws_s3_wait_object_exists), AWS_ERR_PARAM);
    CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_NO_KEY);
    CHECK_INT(aws_s3_wait_object_exists(&client, NULL, &waiter), AWS_ERR_PARAM);
    CHECK_INT(s.requests, 0);
}

/* ---- A waiter of a user's own ---- */

static int is_slow; /* the code "SlowDown" came this often */

/* Until the object has two bytes. */
static int ask_size(aws_client *c, const void *context)
{
    aws_s3_result result;
    int r = aws_s3_head_object(c, (const aws_s3_args *)context, &result);

    if (r < 0)
        return r;
    if (result.size > 3)
        return AWS_WAITER_FAILED;
    return result.size >= 2 ? AWS_WAITER_DONE : AWS_WAITER_AGAIN;
}

static int wait_size(aws_client *c, const aws_s3_args *a, aws_waiter *w)
{
    static const aws_waiter_rule rules[] = {{0, "416", AWS_WAITER_FAILED},
                                            {503, "503", AWS_WAITER_AGAIN},
                                            {0, NULL, 0}};
    static const aws_waiter_kind kind = {"SizeOfTwo", ask_size, rules, 70, 4};

    is_slow++;
    return aws_wait(c, &kind, a, w);
}

static void test_own(void)
{
    static const int sizes[] = {200, 200, 200, 0}, slow[] = {503, 503, 200, 0}, bad[] = {416, 0};
    static const int odd[] = {409, 0}, never[] = {503, 503, 503, 503, 0};
    static const int large[] = {503, 503, 503, 503, 200, 0};

    begin(SCRIPT_WAITS, sizes);
    args.key = "key";
    CHECK_INT(run(wait_size), 0);
    CHECK_INT(s.requests, 3);
    CHECK_INT(s.elapsed / 10, 14);
    begin(SCRIPT_NEVER_WAITS, slow);
    args.key = "key";
    CHECK_INT(run(wait_size), 0);
    CHECK_INT(s.requests, 3);
    CHECK_INT(aws_client_failure(&client)->code, 0);
    begin(SCRIPT_WAITS, bad);
    args.key = "key";
    CHECK_INT(run(wait_size), AWS_ERR_SERVICE);
    begin(SCRIPT_WAITS, odd);
    args.key = "key";
    CHECK_INT(run(wait_size), AWS_ERR_SERVICE);
    begin(SCRIPT_WAITS, never);
    args.key = "key";
    CHECK_INT(run(wait_size), AWS_ERR_TIMEOUT);
    CHECK_INT(s.requests, 4);
    begin(SCRIPT_WAITS, large);
    args.key = "key";
    waiter.attempts = 10;
    CHECK_INT(run(wait_size), AWS_ERR_TIMEOUT); /* a verdict without an error */
    CHECK_INT(s.requests, 5);
    CHECK(is_slow > 0);
}

/* The resources' own are the same. */
static int resource_bucket(int absent)
{
    aws_s3_bucket bucket;

    aws_s3_bucket_init(&bucket, &client, "bucket");
    return absent ? aws_s3_bucket_wait_until_not_exists(&bucket, &waiter)
               : aws_s3_bucket_wait_until_exists(&bucket, &waiter);
}

static int resource_object(int absent)
{
    aws_s3_bucket bucket;
    aws_s3_object object;

    aws_s3_bucket_init(&bucket, &client, "bucket");
    aws_s3_object_init(&object, &bucket, "key");
    return absent ? aws_s3_object_wait_until_not_exists(&object, &waiter)
               : aws_s3_object_wait_until_exists(&object, &waiter);
}

static void test_resources(void)
{
    static const int appears[] = {404, 404, 200, 0}, leaves[] = {200, 404, 0};
    size_t m;
    int r, absent;

    for (m = 0; m < 3; m++)
        for (absent = 0; absent < 2; absent++) {
            begin(modes[m], absent ? leaves : appears);
            SCRIPT_RUN(r, &s, &client, resource_bucket(absent));
            CHECK_INT(r, 0);
            CHECK_INT(s.requests, absent ? 2 : 3);
            CHECK(strstr(script_sent(&s, 0), "HEAD /bucket HTTP") != NULL);
            begin(modes[m], absent ? leaves : appears);
            SCRIPT_RUN(r, &s, &client, resource_object(absent));
            CHECK_INT(r, 0);
            CHECK_INT(s.requests, absent ? 2 : 3);
            CHECK(strstr(script_sent(&s, 0), "HEAD /bucket/key HTTP") != NULL);
        }
}

int main(void)
{
    test_bucket_exists();
    test_bucket_not_exists();
    test_object_exists();
    test_object_not_exists();
    test_exhausted();
    test_own_pace();
    test_between();
    test_wait_fails();
    test_refused();
    test_own();
    test_resources();
    script_free(&s);
    return CHECK_DONE();
}

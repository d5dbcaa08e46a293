/* test_resume.c - one program of calls (scenario.h) gives the same results and sends the same
 * bytes, however the port cuts reads and writes and wherever it says AWS_AGAIN; with each memory
 * size from the minimum on; and no prefix of an answer looks like success.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_resume.c -lbearssl && ./a.out
 *     TORTURE=full ./a.out              every split, size and seed
 */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "../aws_s3.h"
#include "scenario.h"
#include <unistd.h>

static int full;

/* What the plain run gave: all others are compared with it. */
static char expected[2][20000];
static script_bytes expected_bytes[2];
static uint64_t expected_received[2];

static void compare(scenario *t, int secure, const char *what)
{
    script_bytes sent = scenario_sent(t);

    if (!CHECK_STR(t->transcript, expected[secure]))
        fprintf(stderr, "in: %s\n", what);
    CHECK_INT((long)sent.size, (long)expected_bytes[secure].size);
    if (sent.size == expected_bytes[secure].size &&
        !CHECK_MEM(sent.data, expected_bytes[secure].data, sent.size))
        fprintf(stderr, "in: %s\n", what);
    free(sent.data);
}

static void test_plain(int secure)
{
    scenario t;

    scenario_init(&t, SCRIPT_WAITS, secure);
    CHECK_INT(scenario_start(&t), 0);
    scenario_run(&t);
    CHECK_INT(t.failed, 1); /* get missing */
    strcpy(expected[secure], t.transcript);
    expected_bytes[secure] = scenario_sent(&t);
    expected_received[secure] = t.s.received;
    CHECK(strstr(expected[secure], "get 1500 \"") != NULL);
    CHECK(strstr(expected[secure], "get missing -19 NoSuchKey") != NULL);
    CHECK(strstr(expected[secure], "entry 5 l/5\ndelete 0 -\nlist 0 -\n") != NULL);
    CHECK(strstr(expected[secure], "location 0 eu-west-1\n") != NULL);
    CHECK_INT(t.s.connection_count, 1);
    scenario_end(&t);
}

static void one(script_mode mode, int secure, int read, int write, int again, unsigned per_256,
                uint32_t seed)
{
    scenario t;
    char what[100];

    snprintf(what, sizeof what, "mode %d, secure %d, reads %d, writes %d, again %d %u, seed %u",
             mode, secure, read, write, again, per_256, (unsigned)seed);
    scenario_init(&t, mode, secure);
    t.s.what = what;
    t.s.split_read = read;
    t.s.split_write = write;
    t.s.again_always = again;
    t.s.again_per_256 = per_256;
    t.s.seed = seed;
    t.s.open_pending = (int)(seed % 3);
    t.s.close_pending = (int)(seed % 4);
    if (mode == SCRIPT_BLOCKS)
        t.s.open_pending = t.s.close_pending = 0;
    CHECK_INT(scenario_start(&t), 0);
    scenario_run(&t);
    compare(&t, secure, what);
    scenario_end(&t);
}

static void test_ports(void)
{
    static const script_mode modes[] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS};
    uint32_t seed, seeds = full ? 2000 : 60;
    int secure;
    size_t m;

    for (secure = 0; secure < 2; secure++)
        for (m = 0; m < 3; m++) {
            one(modes[m], secure, 0, 0, 0, 0, 0);
            one(modes[m], secure, 1, 1, 0, 0, 1);
            one(modes[m], secure, 0, 0, 1, 0, 2);
            one(modes[m], secure, 1, 1, 1, 0, 3);
            one(modes[m], secure, 1, 0, 1, 0, 4);
            one(modes[m], secure, 0, 1, 1, 0, 5);
            for (seed = 0; seed < seeds; seed++)
                one(modes[m], secure, -1, -1, 0, seed % 5 * 60, seed);
        }
}

/* no_wait makes a port that could wait one that never does. */
static void test_no_wait(void)
{
    scenario t;

    scenario_init(&t, SCRIPT_WAITS, 0);
    t.config.no_wait = 1;
    t.s.again_always = 1;
    CHECK_INT(scenario_start(&t), 0);
    scenario_run(&t);
    CHECK_INT(t.s.waits, 0);
    compare(&t, 0, "no_wait");
    scenario_end(&t);
}

static void test_each_split(void)
{
    static const script_mode modes[] = {SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS};
    uint64_t at;
    int secure;
    size_t m;

    for (secure = 0; secure < 2; secure++)
        for (m = 0; m < 2; m++)
            for (at = 1 + m * 18; at <= expected_received[secure]; at += full ? 1 : 37) {
                scenario t;
                char what[60];
                snprintf(what, sizeof what, "mode %d, secure %d, split at %lu", modes[m], secure,
                         (unsigned long)at);
                scenario_init(&t, modes[m], secure);
                t.s.what = what;
                t.s.split_at = at;
                CHECK_INT(scenario_start(&t), 0);
                scenario_run(&t);
                compare(&t, secure, what);
                scenario_end(&t);
                if (check_failed > 30)
                    return;
            }
}

/* ---- Memory ---- */

static void test_memory(void)
{
    size_t size, least, most;
    int secure;

    for (secure = 0; secure < 2; secure++) {
        scenario t;
        scenario_init(&t, SCRIPT_WAITS, secure);
        least = aws_client_memory(&t.s.port, AWS_MEMORY_HTTP);
        CHECK(least <= AWS_CLIENT_MEMORY_HTTP);
        for (size = 0; size < least; size++) {
            t.memory_size = size;
            CHECK_INT(scenario_start(&t), AWS_ERR_MEMORY);
            CHECK_INT((long)aws_client_failure(&t.client)->needed, (long)least);
            CHECK_INT(aws_s3_bucket_create(&t.bucket, NULL), AWS_ERR_MEMORY); /* sticky */
            CHECK_INT(aws_client_finish(&t.client), AWS_ERR_MEMORY);
            CHECK_INT(aws_client_close(&t.client), 0);
            free(t.memory);
        }
        CHECK_INT(t.s.calls, 0);
        t.memory = NULL;
        CHECK_INT(aws_client_init(&t.client, &t.session, &aws_s3_service, NULL, 100000),
                  AWS_ERR_MEMORY);
        s3_free(&t.model);
        script_free(&t.s);
        most = least + 2000;
        for (size = least; size < 300000; size += size < most ? (full ? 1 : 23) : size / 3) {
            char what[60];
            snprintf(what, sizeof what, "%lu bytes of memory", (unsigned long)size);
            scenario_init(&t, size % 2 ? SCRIPT_WAITS : SCRIPT_BLOCKS, secure);
            t.s.what = what;
            t.memory_size = size;
            CHECK_INT(scenario_start(&t), 0);
            scenario_run(&t);
            compare(&t, secure, what);
            scenario_end(&t);
            if (check_failed > 30)
                return;
        }
    }
}

/* Memory at any address: the minimum allows for the alignment. */
static void test_alignment(void)
{
    static unsigned char block[20000];
    size_t at;
    scenario t;
    int r;

    for (at = 0; at < 16; at++) {
        size_t least;
        scenario_init(&t, SCRIPT_WAITS, 0);
        least = aws_client_memory(&t.s.port, AWS_MEMORY_HTTP);
        memset(block, 0xa5, sizeof block);
        CHECK_INT(scenario_start(&t), 0);
        r = aws_client_init(&t.client, &t.session, &aws_s3_service, block + at, least);
        CHECK_INT(r, 0);
        scenario_run(&t);
        compare(&t, 0, "alignment");
        for (; at + least < sizeof block; least++)
            if (block[at + least] != 0xa5)
                break;
        CHECK_INT((long)(at + least), (long)sizeof block);
        scenario_end(&t);
    }
}

/* ---- Prefixes ---- */

static int call(scenario *t, int which)
{
    static const aws_s3_key keys[] = {{"a", NULL}};
    aws_s3_args args;
    aws_s3_summary object;
    int r = 0, n = 0;

    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "k";
    switch (which) {
    case 0:
        args.body = "x";
        args.body_size = 1;
        SCRIPT_RUN(r, &t->s, &t->client, aws_s3_put_object(&t->client, &args, NULL));
        break;
    case 1:
        args.buffer = t->got;
        args.buffer_size = sizeof t->got;
        SCRIPT_RUN(r, &t->s, &t->client, aws_s3_get_object(&t->client, &args, NULL));
        break;
    case 2:
        SCRIPT_RUN(r, &t->s, &t->client, aws_s3_head_object(&t->client, &args, NULL));
        break;
    case 3:
        SCRIPT_RUN(r, &t->s, &t->client, aws_s3_delete_object(&t->client, &args, NULL));
        break;
    case 4:
        args.copy_source = "bucket/k";
        SCRIPT_RUN(r, &t->s, &t->client, aws_s3_copy(&t->client, &args, NULL));
        break;
    case 5:
        args.key = NULL;
        args.objects = keys;
        args.object_count = 1;
        SCRIPT_RUN(r, &t->s, &t->client, aws_s3_delete_objects(&t->client, &args, NULL));
        break;
    case 6:
        aws_s3_objects_begin(&t->it, &t->bucket, NULL);
        do
            SCRIPT_RUN(r, &t->s, &t->client, aws_s3_objects_next(&t->it, &object));
        while (r > 0 && ++n < 100);
        break;
    case 7:
        args.stream = 1;
        SCRIPT_RUN(r, &t->s, &t->client, aws_s3_get_object(&t->client, &args, NULL));
        while (r >= 0) {
            SCRIPT_RUN(r, &t->s, &t->client, aws_client_read(&t->client, t->got, 100));
            if (r <= 0)
                break;
        }
        if (r >= 0)
            SCRIPT_RUN(r, &t->s, &t->client, aws_client_finish(&t->client));
        break;
    case 8:
        args.key = NULL;
        SCRIPT_RUN(r, &t->s, &t->client, aws_s3_get_bucket_location(&t->client, &args, NULL));
        break;
    case 9:
        args.key = NULL;
        args.buffer = t->got;
        args.buffer_size = sizeof t->got;
        SCRIPT_RUN(r, &t->s, &t->client, aws_s3_list_objects_v2(&t->client, &args, NULL));
        break;
    default:
        args.key = NULL;
        SCRIPT_RUN(r, &t->s, &t->client, aws_s3_create_bucket(&t->client, &args, NULL));
    }
    return r;
}

#define OK_HEAD(length) "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: " length "\r\n\r\n"
#define CHUNKS          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define LISTED                                                                                     \
    "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents></"        \
    "ListBucketResult>"

static const struct {
    int which;
    const char *answer;
} answers[] = {
    {0, OK_HEAD("0")},
    {0, CHUNKS "0\r\n\r\n"},
    {1, OK_HEAD("5") "hello"},
    {1, CHUNKS "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nt: u\r\n\r\n"},
    {1, "HTTP/1.1 100 Continue\r\n\r\n" OK_HEAD("5") "hello"},
    {2, OK_HEAD("77")},
    {3, "HTTP/1.1 204 No Content\r\n\r\n"},
    {4, OK_HEAD("54") "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>\n"},
    {4,
     CHUNKS "1\r\n<\r\n34\r\nCopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>\r\n0\r\n\r\n"},
    {5, OK_HEAD("70") "<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult><!-- c -->"},
    {6, OK_HEAD("102") LISTED},
    {6, CHUNKS "66\r\n" LISTED "\r\n0\r\n\r\n"},
    {7, OK_HEAD("5") "hello"},
    {7, CHUNKS "5\r\nhello\r\n0\r\n\r\n"},
    {8, OK_HEAD("44") "<LocationConstraint>x-y</LocationConstraint>"},
    {9, OK_HEAD("102") LISTED},
    {10, OK_HEAD("0")}};

/* The whole answer is a success; each proper prefix, ended or reset, is an error. */
static void test_prefixes(void)
{
    static const script_mode modes[] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS};
    size_t i, cut, m;
    unsigned how, attempts;

    for (i = 0; i < sizeof answers / sizeof *answers; i++)
        for (cut = 0; cut <= strlen(answers[i].answer); cut++)
            for (how = 0; how < 3; how++)
                for (m = 0; m < 3; m++)
                    for (attempts = 1; attempts < 3; attempts++) {
                        script_step steps[3];
                        scenario t;
                        int r, whole = cut == strlen(answers[i].answer);
                        if (!full && (cut + how + m + attempts) % 7)
                            continue;
                        scenario_init(&t, modes[m], 0);
                        t.config.max_attempts = attempts;
                        t.config.read_timeout = 1000;
                        t.s.serve = NULL;
                        t.s.steps = steps;
                        t.s.step_count = 3;
                        for (r = 0; r < 3; r++) {
                            steps[r].answer = cut ? answers[i].answer : NULL;
                            steps[r].size = cut;
                            steps[r].flags = how == 0   ? SCRIPT_FIN
                                             : how == 1 ? SCRIPT_RESET
                                                        : SCRIPT_SILENT;
                            steps[r].after = 0;
                        }
                        CHECK_INT(scenario_start(&t), 0);
                        r = call(&t, answers[i].which);
                        if (!CHECK(whole ? r >= 0 : r < 0))
                            fprintf(stderr, "call %d, cut at %lu of %lu, how %u: %d %s\n",
                                    answers[i].which, (unsigned long)cut,
                                    (unsigned long)strlen(answers[i].answer), how, r,
                                    aws_client_failure_text(&t.client));
                        CHECK_INT(aws_client_failure(&t.client)->code, r < 0 ? r : 0);
                        t.s.context = &t.model;
                        scenario_end(&t);
                    }
}

int main(void)
{
    const char *torture = getenv("TORTURE");

    full = torture && strcmp(torture, "full") == 0;
    alarm(full ? 6000 : 2000);
    test_plain(0);
    test_plain(1);
    test_ports();
    test_no_wait();
    test_each_split();
    test_memory();
    test_alignment();
    test_prefixes();
    free(expected_bytes[0].data);
    free(expected_bytes[1].data);
    return CHECK_DONE();
}

/* test_torture.c - the Nth call of the port fails, for each N, in each way, once or for ever, in
 * the program of scenario.h: no hang, no success that isn't one, and the client can be used
 * afterwards.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_torture.c -lbearssl && ./a.out
 *     TORTURE=full ./a.out              every N (else a part of them)
 */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "../aws_s3.h"
#include "scenario.h"
#include <unistd.h>

static int full;

static const char *const fault_names[] = {"none", "error", "EOF", "short", "again", "time-out"};

static unsigned long calls_of(script_mode mode, int secure, int small)
{
    scenario t;
    unsigned long calls;

    scenario_init(&t, mode, secure);
    if (small)
        t.memory_size = aws_client_memory(&t.s.port, AWS_MEMORY_HTTP);
    CHECK_INT(scenario_start(&t), 0);
    scenario_run(&t);
    CHECK_INT(t.failed, 1);
    calls = t.s.calls;
    scenario_end(&t);
    return calls;
}

/* Afterwards the port is whole again: a put and a get must work. */
static void usable(scenario *t)
{
    int r;

    t->s.fault_at = 0;
    SCRIPT_RUN(r, &t->s, &t->client, aws_s3_bucket_put(&t->bucket, "after", t->body, 50, NULL));
    if (!CHECK_INT(r, 0))
        fprintf(stderr, "%s: %s\n", t->s.what, aws_client_failure_text(&t->client));
    CHECK(scenario_holds(t, "bucket/after", 50));
    SCRIPT_RUN(r, &t->s, &t->client,
               aws_s3_bucket_get(&t->bucket, "after", t->got, sizeof t->got, NULL));
    CHECK_INT(r, 50);
    CHECK(memcmp(t->got, t->body, 50) == 0);
}

static void torture(script_mode mode, int secure, int small, script_fault fault, int for_ever,
                    unsigned long n)
{
    scenario t;
    char what[120];

    snprintf(what, sizeof what, "mode %d, secure %d, small %d, %s at call %lu%s", (int)mode, secure,
             small, fault_names[fault], n, for_ever ? " and for ever" : "");
    scenario_init(&t, mode, secure);
    if (small)
        t.memory_size = aws_client_memory(&t.s.port, AWS_MEMORY_HTTP);
    t.s.what = what;
    t.s.limit = 400000;
    t.s.fault = fault;
    t.s.fault_at = n;
    t.s.for_ever = for_ever;
    CHECK_INT(scenario_start(&t), 0);
    scenario_run(&t);
    CHECK(t.s.faulted);
    if (fault == SCRIPT_SHORT || (fault == SCRIPT_AGAIN && !for_ever))
        CHECK_INT(t.failed, 1); /* these are no failures */
    else if (!for_ever)
        CHECK(t.failed <= 3); /* one call, and what builds on it */
    usable(&t);
    scenario_end(&t);
}

static void test_faults(void)
{
    static const script_mode modes[] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS};
    unsigned long n, calls, step;
    int secure, fault, for_ever, small;
    size_t m;

    for (m = 0; m < 3; m++)
        for (secure = 0; secure < 2; secure++)
            for (small = 0; small < 2; small++) {
                calls = calls_of(modes[m], secure, small);
                CHECK(calls > 50);
                for (fault = SCRIPT_ERROR; fault < SCRIPT_FAULTS; fault++)
                    for (for_ever = 0; for_ever < 2; for_ever++) {
                        step = full ? 1 : calls / 25 + 1;
                        n = full ? 1 : 1 + (unsigned long)(fault * 2 + for_ever + small) % step;
                        for (; n <= calls; n += step) {
                            unsigned long failed = check_failed;
                            torture(modes[m], secure, small, (script_fault)fault, for_ever, n);
                            if (check_failed != failed)
                                fprintf(stderr,
                                        "^ mode %d, secure %d, small %d, %s at call %lu%s\n",
                                        (int)modes[m], secure, small, fault_names[fault], n,
                                        for_ever ? " and for ever" : "");
                            if (check_failed > 50)
                                return;
                        }
                    }
            }
}

/* A connection that never ends closing must not hold the client for ever. */
static void test_close_pending(void)
{
    static const script_mode modes[] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS};
    size_t m;
    int pending;

    for (m = 0; m < 2; m++)
        for (pending = 1; pending < 20; pending += 6) {
            scenario t;
            scenario_init(&t, modes[m], 0);
            t.s.what = "close pending";
            t.s.close_pending = pending;
            t.s.open_pending = pending;
            t.model.close_each = 1;
            CHECK_INT(scenario_start(&t), 0);
            scenario_run(&t);
            CHECK_INT(t.failed, 1);
            usable(&t);
            scenario_end(&t);
        }
}

/* A close that never ends: calls fail, but they end, and so does aws_client_close. */
static void test_close_never(void)
{
    static const script_mode modes[] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS};
    size_t m;
    int pending;

    for (m = 0; m < 2; m++)
        for (pending = 0; pending < 2; pending++) {
            scenario t;
            int r, n = 0;
            scenario_init(&t, modes[m], 0);
            t.s.what = "close pending for ever";
            t.s.limit = 400000;
            t.s.close_pending = -1;
            t.model.close_each = pending;
            CHECK_INT(scenario_start(&t), 0);
            scenario_run(&t);
            CHECK_INT(t.failed > 1, pending);
            do
                r = aws_client_close(&t.client);
            while (r == AWS_AGAIN && n++ < 10 && script_idle(&t.s, &t.client));
            CHECK(r == 0 || r == AWS_AGAIN);
            CHECK_INT(t.s.breaches, 0);
            s3_free(&t.model);
            script_free(&t.s);
            free(t.memory);
        }
}

/* Many faults at random: each success is one. */
static void test_random(void)
{
    static const script_mode modes[] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS};
    uint32_t seed;

    for (seed = 0; seed < (full ? 20000 : 400); seed++) {
        scenario t;
        char what[60];
        snprintf(what, sizeof what, "random faults, seed %u", (unsigned)seed);
        scenario_init(&t, modes[seed % 3], (int)(seed / 3 % 2));
        t.s.what = what;
        t.s.seed = seed;
        t.s.again_per_256 = seed % 7 * 20;
        t.s.split_read = t.s.split_write = seed % 5 ? -1 : 0;
        t.s.fault_at = 1 + seed * 7919u % 400;
        t.s.fault = (script_fault)(1 + seed % 5);
        t.s.limit = 400000;
        t.model.close_each = seed % 11 == 0;
        CHECK_INT(scenario_start(&t), 0);
        scenario_run(&t);
        usable(&t);
        scenario_end(&t);
        if (check_failed > 30)
            return;
    }
}

int main(void)
{
    const char *setting = getenv("TORTURE");

    full = setting && strcmp(setting, "full") == 0;
    alarm(full ? 6000 : 2000);
    test_faults();
    test_close_pending();
    test_close_never();
    test_random();
    return CHECK_DONE();
}

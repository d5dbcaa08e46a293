/* threads.c - clients on several threads share a session; tests/test_threads.py runs it, compiled
 * with -fsanitize=thread.
 *
 * SPDX-License-Identifier: MIT
 *
 *     threads SOURCE CALLS     SOURCE: one of sources.h, or default (aws_default_session)
 *
 * Endpoints, files and keys by the environment. THREADS threads put and get CALLS objects each, all
 * with the one session; afterwards no secret may be left in its memory.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include "sources.h"
#include <pthread.h>

enum { THREADS = 8 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static aws_port port;
static aws_config config;
static aws_session own, *session = &own;
static aws_default standard;
static int calls;
static void lock(const aws_port *p)
{
    pthread_mutex_lock((pthread_mutex_t *)p->context);
}

static void unlock(const aws_port *p)
{
    pthread_mutex_unlock((pthread_mutex_t *)p->context);
}

/* ---- One thread ---- */

static void *work(void *argument)
{
    unsigned char *memory = (unsigned char *)malloc(AWS_CLIENT_MEMORY);
    char key[30], text[30], got[30];
    int number = (int)(size_t)argument, i, bad = 0;
    aws_s3_bucket bucket;
    aws_client s3;

    bad |= !memory || aws_client_init(&s3, session, &aws_s3_service, memory, AWS_CLIENT_MEMORY) < 0;
    aws_s3_bucket_init(&bucket, &s3, "threads");
    for (i = 0; i < calls && !bad; i++) {
        snprintf(key, sizeof key, "%d/%d", number, i);
        snprintf(text, sizeof text, "text of %d/%d", number, i);
        memset(got, 0, sizeof got);
        bad |= aws_s3_bucket_put(&bucket, key, text, strlen(text), NULL) < 0 ||
               aws_s3_bucket_get(&bucket, key, got, sizeof got, NULL) < 0;
        if (bad)
            fprintf(stderr, "thread %d: %s\n", number, aws_client_failure_text(&s3));
        bad |= strcmp(got, text) != 0;
    }
    aws_client_close(&s3);
    if (memory && (check_finds(memory, AWS_CLIENT_MEMORY, "CANARY") ||
                   check_finds(&s3, sizeof s3, "CANARY"))) {
        fprintf(stderr, "thread %d: a secret is left\n", number);
        bad = 1;
    }
    free(memory);
    return bad ? &mutex : NULL; /* anything */
}

static void run_threads(void)
{
    pthread_t threads[THREADS];
    void *ended;
    size_t i;

    for (i = 0; i < THREADS; i++)
        if (pthread_create(threads + i, NULL, work, (void *)i))
            abort();
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &ended);
        CHECK(ended == NULL);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    calls = atoi(argv[2]);
    sources_slow(&port);
    port.context = &mutex;
    port.lock = lock;
    port.unlock = unlock;
    config.port = &port;
    if (strcmp(argv[1], "default") == 0) {
        session = aws_default_session(&standard, NULL, &config);
        run_threads();
        aws_default_close(&standard);
        CHECK(!check_finds(&standard, sizeof standard, "CANARY"));
        return CHECK_DONE();
    }
    config.provider = sources_begin(argv[1], &config);
    if (!config.provider)
        return 2;
    aws_session_init(session, &config);
    run_threads();
    aws_session_close(session);
    CHECK(!check_finds(session, sizeof *session, "CANARY"));
    if (sources.closed) {
        aws_keys_close(sources.closed);
        CHECK(!check_finds(sources.memory, sizeof sources.memory, "CANARY"));
        CHECK(!check_finds(&sources.of, sizeof sources.of, "CANARY"));
    }
    return CHECK_DONE();
}

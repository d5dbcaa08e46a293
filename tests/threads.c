/* threads.c - clients on several threads share a session; tests/test_threads.py runs it, compiled
 * with -fsanitize=thread.
 *
 * SPDX-License-Identifier: MIT
 *
 *     threads SOURCE CALLS     SOURCE: fixed, environment, chain, imds, container, role, web, process,
 *                              mine (a function of the program's), default (aws_default_session)
 *
 * Endpoints, files and keys by the environment. THREADS threads put and get CALLS objects each, all
 * with the one session; afterwards no secret may be left in its memory.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { THREADS = 8 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static aws_port port;
static aws_config config;
static aws_session own, *session = &own;
static aws_default standard;
static unsigned char keys_memory[3 * AWS_KEYS_MEMORY];
static int calls;
static aws_keys_fixed fixed;
static aws_keys_chain chain;
static struct {
    aws_keys_imds imds;
    aws_keys_container container;
    aws_keys_role role;
    aws_keys_web_identity web;
    aws_keys_process process;
} source;

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

/* ---- The sources ---- */

/* The program's own: other keys each time. */
static int mine(const aws_provider *provider, aws_client *client, aws_keys *keys)
{
    static char ids[4][20];
    static unsigned turn;

    (void)provider;
    (void)client;
    snprintf(ids[turn % 4], sizeof ids[0], "AKID%u", turn % 4);
    keys->access_key_id = ids[turn++ % 4];
    keys->secret_access_key = "CANARY/mine";
    keys->expiration = (int64_t)time(NULL) + 300;
    return 0;
}

/* *asks: it has a memory of keys. */
static const aws_provider *provider_of(const char *name, int *asks)
{
    static const aws_keys keys = {"AKIDFIXED", "CANARY/fixed", NULL, 0};
    static const aws_provider *sources[2], own_provider = {mine, NULL};
    static aws_role role;
    const aws_provider *provider;

    role.arn = "arn:aws:iam::1:role/r";
    role.session_name = "s";
    if (strcmp(name, "fixed") == 0)
        return aws_keys_fixed_init(&fixed, &keys);
    if (strcmp(name, "environment") == 0)
        return aws_keys_environment();
    if (strcmp(name, "mine") == 0)
        return &own_provider;
    *asks = 1;
    if (strcmp(name, "container") == 0)
        return aws_keys_container_init(&source.container, keys_memory, sizeof keys_memory);
    if (strcmp(name, "process") == 0)
        return aws_keys_process_init(&source.process, getenv("PROCESS"), keys_memory,
                                     sizeof keys_memory);
    if (strcmp(name, "role") == 0)
        return aws_keys_role_init(&source.role, aws_keys_environment(), &role, 1, keys_memory,
                                  sizeof keys_memory);
    if (strcmp(name, "web") == 0)
        return aws_keys_web_identity_init(&source.web, &role, getenv("TOKEN_FILE"), aws_posix_read, NULL,
                                          keys_memory, sizeof keys_memory);
    provider = aws_keys_imds_init(&source.imds, keys_memory, sizeof keys_memory);
    source.imds.endpoint = getenv("IMDS");
    if (strcmp(name, "chain") != 0)
        return provider;
    sources[0] = aws_keys_environment(); /* which has none */
    sources[1] = provider;
    return aws_keys_chain_init(&chain, sources, 2);
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
    const aws_provider *provider = NULL;
    int asks = 0;

    if (argc < 3)
        return 2;
    calls = atoi(argv[2]);
    port = *aws_posix_port();
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
    config.provider = provider = provider_of(argv[1], &asks);
    aws_session_init(session, &config);
    run_threads();
    aws_session_close(session);
    CHECK(!check_finds(session, sizeof *session, "CANARY"));
    if (asks) {
        aws_keys_close(strcmp(argv[1], "chain") == 0 ? &source.imds.ask.provider : provider);
        CHECK(!check_finds(keys_memory, sizeof keys_memory, "CANARY"));
        CHECK(!check_finds(&source, sizeof source, "CANARY"));
    }
    return CHECK_DONE();
}

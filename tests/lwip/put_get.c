/* put_get.c - two threads that share a session on lwIP's sockets, against an S3 server: put, get,
 * compare, list. tests/lwip/run.sh builds and runs it.
 *
 *     put_get BUCKET ENDPOINT...
 *
 * The keys are in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; anchors.h has the server's CA.
 *
 * SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L
#include "../../aws_s3.h"
#include "../../port/lwip_sockets.h"
#include "threads.h"
#include <bearssl.h>
#include "anchors.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECT = 300000 };

typedef struct task {
    pthread_t     thread;
    aws_session  *session;
    const char   *bucket, *key;
    unsigned char memory[AWS_CLIENT_MEMORY], data[OBJECT], back[OBJECT];
} task;

static int put_get_list(task *t, aws_client *s3)
{
    static aws_s3_objects lists[2];
    aws_s3_objects *list = &lists[t->key[0] - 'a'];
    aws_s3_bucket bucket;
    aws_s3_summary object;
    int i, r, found = 0;

    aws_s3_bucket_init(&bucket, s3, t->bucket);
    for (i = 0; i < OBJECT; i++)
        t->data[i] = (unsigned char)(i * 7 + i / 256 + t->key[0]);
    for (i = 0; i < 3; i++) {
        memset(t->back, 0, sizeof t->back);
        if (aws_s3_bucket_put(&bucket, t->key, t->data, sizeof t->data, NULL) < 0 ||
            aws_s3_bucket_get(&bucket, t->key, t->back, sizeof t->back, NULL) != OBJECT)
            return -1;
        if (memcmp(t->data, t->back, OBJECT) != 0) {
            fprintf(stderr, "%s came back as something else\n", t->key);
            return -1;
        }
    }
    aws_s3_objects_begin(list, &bucket, NULL);
    while ((r = aws_s3_objects_next(list, &object)) > 0)
        found += strcmp(object.key, t->key) == 0 && object.size == OBJECT;
    return r < 0 || found != 1 ? -1 : 0;
}

static void *run(void *argument)
{
    task *t = (task *)argument;
    aws_client s3;
    int failed;

    aws_client_init(&s3, t->session, &aws_s3_service, t->memory, sizeof t->memory);
    failed = put_get_list(t, &s3) < 0;
    if (failed)
        fprintf(stderr, "%s\n", aws_client_failure_text(&s3));
    aws_client_close(&s3);
    return failed ? t : NULL;
}

static int make_bucket(aws_session *session, const char *name)
{
    static unsigned char memory[AWS_CLIENT_MEMORY];
    aws_s3_bucket bucket;
    aws_client s3;
    int r;

    aws_client_init(&s3, session, &aws_s3_service, memory, sizeof memory);
    aws_s3_bucket_init(&bucket, &s3, name);
    r = aws_s3_bucket_create(&bucket, NULL);
    aws_client_close(&s3);
    return r;
}

int main(int argc, char **argv)
{
    static task tasks[2];
    const aws_port *port = lwip_threads_begin();
    aws_config config = {0};
    aws_session session;
    aws_trust trust = {0};
    void *failed;
    int i, k, wrong = 0;

    trust.anchors = anchors;
    trust.count = anchors_COUNT;
    config.trust = &trust;
    config.port = port;
    config.region = "us-east-1";
    config.clock_floor = 1767225600; /* the device has no clock: servers have */
    config.access_key_id = getenv("AWS_ACCESS_KEY_ID");
    config.secret_access_key = getenv("AWS_SECRET_ACCESS_KEY");
    for (i = 2; i < argc; i++) {
        config.endpoint = argv[i];
        aws_session_init(&session, &config);
        wrong += i == 2 && make_bucket(&session, argv[1]) < 0;
        for (k = 0; k < 2; k++) {
            tasks[k].session = &session;
            tasks[k].bucket = argv[1];
            tasks[k].key = k == 0 ? "a" : "b";
            pthread_create(&tasks[k].thread, NULL, run, &tasks[k]);
        }
        for (k = 0; k < 2; k++) {
            pthread_join(tasks[k].thread, &failed);
            wrong += failed != NULL;
        }
        aws_session_close(&session);
        printf("put_get: %s: %s\n", argv[i], wrong ? "FAILED" : "ok");
    }
    i = lwip_threads_end();
    if (i != 0)
        fprintf(stderr, "put_get: %d things of lwIP's are left in use\n", i);
    return wrong != 0 || i != 0;
}

/* event_loop.c - many clients on one thread, by poll; no call blocks.
 *
 *     cc -std=c99 -O2 -I. examples/event_loop.c -lbearssl -o event_loop
 *     ./event_loop BUCKET [CLIENTS [TLS_NAME]]
 *
 * Each client puts, gets, compares and deletes an object of its own. Region and keys are in
 * AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Another server than Amazon's:
 * AWS_ENDPOINT_URL=https://HOST:PORT AWS_CA_BUNDLE=its-ca.pem
 *
 * The default port looks names up by getaddrinfo, which blocks. A loop that must never stop uses
 * another look-up (cares.c), or an endpoint that is an address: TLS_NAME is then the name in the
 * server's certificate.
 */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1000 };
enum { PUT, GET, DELETE, CLOSE, OVER, STATES };

typedef struct job {
    aws_client client;
    int        state, failed;
    uint32_t   due; /* ticks at which it goes on even if nothing happens */
    char       key[32], text[64], back[64];
} job;

static unsigned char memory[MOST][AWS_CLIENT_MEMORY_TLS];
static void         *anchors[4096]; /* CA certificates, if not Amazon's */
static job           jobs[MOST];
static struct pollfd polls[MOST];
static unsigned      done[STATES]; /* how often each state was left with success */

static uint32_t ticks(void)
{
    return aws_posix_port()->ticks(aws_posix_port());
}

/* Go on with what the job is doing: 0 or more when it is done, AWS_AGAIN or an error. */
static int step(job *j, const char *bucket_name)
{
    size_t size = strlen(j->text);
    aws_s3_bucket bucket;
    int r;

    aws_s3_bucket_init(&bucket, &j->client, bucket_name);
    switch (j->state) {
    case PUT:
        return aws_s3_bucket_put(&bucket, j->key, j->text, size, NULL);
    case GET:
        r = aws_s3_bucket_get(&bucket, j->key, j->back, sizeof j->back, NULL);
        if (r >= 0 && ((size_t)r != size || memcmp(j->back, j->text, size) != 0)) {
            fprintf(stderr, "%s came back changed\n", j->key);
            j->failed = 1;
        }
        return r;
    case DELETE:
        return aws_s3_bucket_delete_key(&bucket, j->key);
    default:
        return aws_client_close(&j->client);
    }
}

/* Take the job as far as it goes without waiting. */
static void advance(job *j, const char *bucket_name)
{
    while (j->state != OVER) {
        int r = step(j, bucket_name);
        if (r == AWS_AGAIN)
            return;
        if (r >= 0) {
            done[j->state++]++;
            continue;
        }
        fprintf(stderr, "%s: %s\n", j->key, aws_client_failure_text(&j->client));
        j->failed = 1;
        j->state = j->state == CLOSE ? OVER : CLOSE;
    }
}

/* Ask each job what it waits for, sleep until something of it comes. */
static int wait_for_some(int count)
{
    uint32_t now = ticks(), soonest = UINT32_MAX;
    aws_waiting waiting;
    int i;

    for (i = 0; i < count; i++) {
        polls[i].fd = -1; /* poll passes over it */
        polls[i].revents = 0;
        if (jobs[i].state == OVER)
            continue;
        aws_client_waiting(&jobs[i].client, &waiting);
        polls[i].fd = (int)waiting.handle;
        polls[i].events = (short)((waiting.what & AWS_WAIT_READ ? POLLIN : 0) |
                                  (waiting.what & AWS_WAIT_WRITE ? POLLOUT : 0));
        if (waiting.ms > 60000)
            waiting.ms = 60000;
        jobs[i].due = now + waiting.ms;
        if (waiting.ms < soonest)
            soonest = waiting.ms;
    }
    return poll(polls, (nfds_t)count, (int)soonest);
}

/* Run all jobs to their end. */
static void run(int count, const char *bucket_name)
{
    int i, left;

    for (i = 0; i < count; i++)
        advance(&jobs[i], bucket_name);
    do {
        if (wait_for_some(count) < 0) {
            perror("poll");
            exit(1);
        }
        for (i = 0, left = 0; i < count; i++) {
            if (polls[i].revents || (int32_t)(ticks() - jobs[i].due) >= 0)
                advance(&jobs[i], bucket_name);
            left += jobs[i].state != OVER;
        }
    } while (left);
}

int main(int argc, char **argv)
{
    int count = argc > 2 ? atoi(argv[2]) : 64, failed = 0, i;
    aws_config config = {0};
    aws_session session;
    aws_trust trust;

    if (argc < 2 || count < 1 || count > MOST) {
        fprintf(stderr, "usage: event_loop BUCKET [CLIENTS, at most %d [TLS_NAME]]\n", MOST);
        return 2;
    }
    if (getenv("AWS_CA_BUNDLE") && *getenv("AWS_CA_BUNDLE")) {
        if (aws_trust_load(&trust, anchors, sizeof anchors, NULL) < 0) {
            fprintf(stderr, "AWS_CA_BUNDLE names no file of CA certificates\n");
            return 2;
        }
        config.trust = &trust;
    }
    config.no_wait = 1; /* calls say AWS_AGAIN instead of waiting */
    config.tls_name = argc > 3 ? argv[3] : NULL;
    aws_session_init(&session, &config);
    for (i = 0; i < count; i++) {
        aws_client_init(&jobs[i].client, &session, &aws_s3_service, memory[i], sizeof memory[i]);
        sprintf(jobs[i].key, "client-%d", i);
        sprintf(jobs[i].text, "this was stored by client %d\n", i);
    }
    run(count, argv[1]);
    for (i = 0; i < count; i++)
        failed += jobs[i].failed;
    aws_session_close(&session);
    printf("%d clients: %u put, %u got and compared, %u deleted, %u closed, %d failed\n",
           count, done[PUT], done[GET], done[DELETE], done[CLOSE], failed);
    return failed != 0;
}

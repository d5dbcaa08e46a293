/* telemetry.c - a reading a second to Kinesis, from a loop that never waits for the network.
 *
 *     cc -std=c99 -O2 -I. examples/telemetry.c -lbearssl -o telemetry
 *     AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... ./telemetry STREAM COUNT
 *
 * The shape of a microcontroller's main loop: measure, control, then give the client a turn. A
 * reading that can't be sent yet waits in a ring; if the network is away for long, readings are
 * lost, never the loop's rhythm. Another server: AWS_ENDPOINT_URL, AWS_CA_BUNDLE.
 */
#define _POSIX_C_SOURCE 200809L
#define AWS_IMPLEMENTATION
#include "aws.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RING = 64 };

typedef struct reading {
    long     time;
    unsigned centi; /* hundredths of a degree */
} reading;

static unsigned char memory[AWS_CLIENT_MEMORY];
static void         *anchors[4096];
static reading       ring[RING];
static unsigned      taken, next; /* readings so far; the next one to send */
static unsigned      sent, lost, resting; /* resting: turns until it is tried again */
static char          data[64], body[256];
static aws_request   request;

static reading measure(void)
{
    reading r;

    r.time = (long)time(NULL);
    r.centi = 2150 + (unsigned)r.time % 10;
    return r;
}

/* The request for the oldest reading: a record is bytes in base64, here a line of JSON. */
static int prepare(const char *stream)
{
    const reading *r = &ring[next % RING];
    aws_json_writer w;
    int size;

    aws_json_begin(&w, data, sizeof data);
    aws_json_open_object(&w, NULL);
    aws_json_put_number(&w, "time", r->time, 0);
    aws_json_put_number(&w, "temperature", r->centi, 2);
    aws_json_close(&w);
    if ((size = aws_json_end(&w)) < 0)
        return size;
    aws_json_begin(&w, body, sizeof body);
    aws_json_open_object(&w, NULL);
    aws_json_put_string(&w, "StreamName", stream);
    aws_json_put_string(&w, "PartitionKey", "boiler");
    aws_json_put_base64(&w, "Data", data, (size_t)size);
    aws_json_close(&w);
    size = aws_json_end(&w);
    memset(&request, 0, sizeof request);
    request.operation = "PutRecord";
    request.body = body;
    request.body_size = (uint64_t)(size < 0 ? 0 : size);
    request.timeout = 10000;
    return size;
}

/* A turn of the client: begins to send if there is something, goes on if it is sending. */
static void turn(aws_client *client, const char *stream, int *sending)
{
    int r;

    if (resting) {
        resting--;
        return;
    }
    if (!*sending && (next == taken || prepare(stream) < 0))
        return;
    r = aws_request_run(client, &request);
    *sending = r == AWS_AGAIN;
    if (*sending)
        return;
    if (r < 0) { /* the stream is being made, the network is away ...: again in a second */
        fprintf(stderr, "%s\n", aws_client_failure_text(client));
        resting = 100;
    } else {
        next++;
        sent++;
    }
}

int main(int argc, char **argv)
{
    aws_config config = {0};
    aws_session session;
    aws_client client;
    aws_trust trust;
    unsigned count, turns = 0;
    int sending = 0, r;
    static const struct timespec pause = {0, 10000000}; /* 10 ms */

    if (argc != 3) {
        fprintf(stderr, "usage: telemetry STREAM COUNT\n");
        return 2;
    }
    count = (unsigned)strtoul(argv[2], NULL, 10);
    if (getenv("AWS_CA_BUNDLE") && *getenv("AWS_CA_BUNDLE")) {
        if (aws_trust_load(&trust, anchors, sizeof anchors, NULL) < 0) {
            fprintf(stderr, "AWS_CA_BUNDLE names no file of CA certificates\n");
            return 2;
        }
        config.trust = &trust;
    }
    config.no_wait = 1; /* calls say AWS_AGAIN instead of waiting */
    aws_session_init(&session, &config);
    r = aws_client_init(&client, &session, &aws_kinesis_service, memory, sizeof memory);
    if (r < 0) {
        fprintf(stderr, "%s\n", aws_client_failure_text(&client));
        return 1;
    }
    while (sent + lost < count && turns < count * 100 + 3000) { /* half a minute more at most */
        if (turns++ % 100 == 0 && taken < count) { /* once a second */
            if (taken - next == RING && !sending) {
                next++; /* the oldest one makes room */
                lost++;
            }
            if (taken - next < RING)
                ring[taken++ % RING] = measure();
        }
        turn(&client, argv[1], &sending);
        nanosleep(&pause, NULL);
    }
    printf("%u readings sent, %u lost\n", sent, count - sent);
    aws_client_close(&client);
    aws_session_close(&session);
    return sent < count;
}

/* third_party.h - a service that aws.h doesn't have ready, by somebody else: Amazon EventBridge.
 *
 * SPDX-License-Identifier: MIT
 *
 * It uses only what aws.h makes public (test_services.py looks), is resumable, allocates nothing.
 *     events_event event = {0};
 *     event.source = "boiler", event.type = "alarm", event.detail = "{\"centi\":9950}";
 *     while ((r = events_put(&client, &event)) == AWS_AGAIN) ...
 */
#ifndef EVENTS_INCLUDED
#define EVENTS_INCLUDED

#include "../aws.h"

static const aws_service events_service = {"EventBridge", "events", "events",
                                           &aws_json_1_1, "AWSEvents", 0, NULL, aws_regional, NULL,
                                           NULL};

typedef struct events_event {
    const char *source, *type, *detail; /* detail is JSON text */
    char id[64];                        /* out: the event's id */
    aws_request    request; /* private from here on: it stays while the call is pending */
    aws_json_token tokens[32];
    char           body[1024], answer[1024];
    int            pending;
} events_event;

static inline int events_write(events_event *event)
{
    aws_json_writer w;
    int size;

    aws_json_begin(&w, event->body, sizeof event->body);
    aws_json_open_object(&w, NULL), aws_json_open_array(&w, "Entries");
    aws_json_open_object(&w, NULL);
    aws_json_put_string(&w, "Source", event->source);
    aws_json_put_string(&w, "DetailType", event->type);
    aws_json_put_string(&w, "Detail", event->detail);
    aws_json_close(&w), aws_json_close(&w), aws_json_close(&w);
    size = aws_json_end(&w);
    event->request.operation = "PutEvents";
    event->request.body = event->body, event->request.body_size = size > 0 ? (uint64_t)size : 0;
    event->request.buffer = event->answer, event->request.buffer_size = sizeof event->answer;
    return size;
}

/* The id's length, AWS_AGAIN or an error: AWS_ERR_SERVICE also if the event wasn't taken. */
static inline int events_put(aws_client *client, events_event *event)
{
    int64_t failed = 1;
    aws_json json;
    int r = event->pending ? 0 : events_write(event);

    r = r < 0 ? r : aws_request_run(client, &event->request);
    event->pending = r == AWS_AGAIN;
    if (r >= 0)
        r = aws_json_parse(&json, event->answer, (size_t)r, event->tokens, 32);
    if (r < 0)
        return r;
    aws_json_int64(&json, aws_json_find(&json, 0, "FailedEntryCount"), &failed);
    r = aws_json_find(&json, 0, "Entries.0.EventId");
    return failed ? AWS_ERR_SERVICE : aws_json_string(&json, r, event->id, sizeof event->id);
}

#endif /* EVENTS_INCLUDED */

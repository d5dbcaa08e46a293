/* sqs.c - send a message to a queue, receive what is there, delete it.
 *
 *     cc -std=c99 -O2 -I. examples/sqs.c -lbearssl -o sqs
 *     AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... ./sqs QUEUE TEXT
 *
 * Another server than Amazon's: AWS_ENDPOINT_URL=https://HOST:PORT AWS_CA_BUNDLE=its-ca.pem
 */
#define AWS_IMPLEMENTATION
#include "aws.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned char memory[AWS_CLIENT_MEMORY]; /* all the memory that the client takes */
static void         *anchors[4096];             /* CA certificates, if not Amazon's */
static char           body[4096], answer[1 << 18];
static aws_json_token tokens[1024];

/* Perform an action with two members, the second one optional, a number if it has no text; its
 * answer is in *json. */
static int act(aws_client *client, const char *operation, const char *name, const char *value,
               const char *name2, const char *value2, aws_json *json)
{
    aws_request request = {0};
    aws_json_writer w;
    int r;

    aws_json_begin(&w, body, sizeof body);
    aws_json_open_object(&w, NULL);
    aws_json_put_string(&w, name, value);
    if (name2 && value2)
        aws_json_put_string(&w, name2, value2);
    else if (name2)
        aws_json_put_number(&w, name2, 1, 0);
    aws_json_close(&w);
    r = aws_json_end(&w);
    if (r < 0)
        return r;
    request.operation = operation;
    request.body = body;
    request.body_size = (uint64_t)r;
    request.buffer = answer;
    request.buffer_size = sizeof answer;
    r = aws_request_run(client, &request);
    return r <= 0 ? r : aws_json_parse(json, answer, (size_t)r, tokens, 1024);
}

static int send_receive(aws_client *client, const char *queue, const char *text)
{
    static char url[512], message[65536], handle[2048];
    aws_json json;
    int r;

    r = act(client, "CreateQueue", "QueueName", queue, NULL, NULL, &json);
    if (r < 0)
        return r;
    r = aws_json_string(&json, aws_json_find(&json, 0, "QueueUrl"), url, sizeof url);
    if (r < 0 || (r = act(client, "SendMessage", "QueueUrl", url, "MessageBody", text, &json)) < 0)
        return r;
    for (;;) {
        /* SQS looks at few of its servers unless it may wait, and misses what was just sent */
        r = act(client, "ReceiveMessage", "QueueUrl", url, "WaitTimeSeconds", NULL, &json);
        if (r <= 0 || !aws_json_find(&json, 0, "Messages.0"))
            return r < 0 ? r : 0; /* the queue is empty */
        r = aws_json_string(&json, aws_json_find(&json, 0, "Messages.0.Body"), message,
                            sizeof message);
        if (r < 0)
            return r;
        printf("%s\n", message);
        r = aws_json_string(&json, aws_json_find(&json, 0, "Messages.0.ReceiptHandle"), handle,
                            sizeof handle);
        if (r < 0)
            return r;
        r = act(client, "DeleteMessage", "QueueUrl", url, "ReceiptHandle", handle, &json);
        if (r < 0)
            return r;
    }
}

int main(int argc, char **argv)
{
    aws_config config = {0};
    aws_session session;
    aws_client client;
    aws_trust trust;
    int failed;

    if (argc != 3) {
        fprintf(stderr, "usage: sqs QUEUE TEXT\n");
        return 2;
    }
    if (getenv("AWS_CA_BUNDLE") && *getenv("AWS_CA_BUNDLE")) {
        if (aws_trust_load(&trust, anchors, sizeof anchors, NULL) < 0) {
            fprintf(stderr, "AWS_CA_BUNDLE names no file of CA certificates\n");
            return 2;
        }
        config.trust = &trust;
    }
    aws_session_init(&session, &config);
    aws_client_init(&client, &session, &aws_sqs_service, memory, sizeof memory);
    failed = send_receive(&client, argv[1], argv[2]) < 0;
    if (failed)
        fprintf(stderr, "%s\n", aws_client_failure_text(&client));
    aws_client_close(&client);
    aws_session_close(&session);
    return failed;
}

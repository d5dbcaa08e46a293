/* attempts_client.c - a client for tests/test_attempts.py, which tells it what to do and reads what
 * came of it.
 *
 *     attempts_client [--NAME VALUE...] ACTION...
 *
 *   --endpoint URL --ca FILE --region R --proxy URL ("env": the environment's) --shift SECONDS
 *   (added to the time) --attempts N --mode standard|legacy --provider 1 (keys by a provider, whose
 *   first token is OLD and then TOKEN) --eager 1 (no pauses before retries) --call-timeout MS --read-timeout MS
 *   actions: get, head, put (5 bytes), large (2 MiB that can be read again), stream (300,000 bytes
 *   that can't), delete
 *
 * For each action a line "ACTION code attempts ms", and a second one with the failure's text or the
 * count of bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t shift;

static int64_t port_now(const aws_port *mine)
{
    return aws_posix_port()->now(mine) + shift;
}

static uint32_t slow = 1;

/* Time goes by so many times slower: the client's second is enough for a server on a busy machine. */
static uint32_t port_ticks(const aws_port *mine)
{
    static uint32_t begin;
    uint32_t ticks = aws_posix_port()->ticks(mine);

    if (begin == 0)
        begin = ticks;
    return begin + (ticks - begin) / slow;
}

/* No jitter: back-offs of 0 ms. */
static int port_entropy_eager(const aws_port *mine, void *data, size_t size)
{
    if (size > 2)
        return aws_posix_port()->entropy(mine, data, size);
    memset(data, 0, size);
    return 0;
}

static aws_port port;
static unsigned char memory[1 << 17], trust_memory[1 << 16], body[2 << 20];
static size_t body_at;

static int read_body(void *context, void *data, size_t size)
{
    (void)context;
    if (size > sizeof body - body_at)
        size = sizeof body - body_at;
    if (size > 30000)
        size = 30000;
    memcpy(data, body + body_at, size);
    body_at += size;
    return (int)size;
}

static int rewind_body(void *context)
{
    (void)context;
    body_at = 0;
    return 0;
}

static int provide(const aws_provider *provider, aws_client *client, aws_keys *keys)
{
    static int asked;

    (void)provider;
    (void)client;
    keys->access_key_id = getenv("AWS_ACCESS_KEY_ID");
    keys->secret_access_key = getenv("AWS_SECRET_ACCESS_KEY");
    keys->session_token = asked++ ? "TOKEN" : "OLD";
    return 0;
}

static int stream(aws_client *client, aws_s3_args *args)
{
    enum { SIZE = 300000 };
    size_t done = 0;
    int r;

    args->stream = 1;
    args->body_size = SIZE;
    r = aws_s3_put_object(client, args, NULL);
    while (r >= 0 && done < SIZE) {
        r = aws_client_write(client, body + done, SIZE - done);
        if (r > 0)
            done += (size_t)r;
    }
    return r < 0 ? r : aws_client_finish(client);
}

static int act(aws_client *client, const char *action)
{
    static const aws_source source = {read_body, rewind_body, NULL};
    aws_s3_args args;

    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "key";
    if (strcmp(action, "get") == 0) {
        args.buffer = body;
        args.buffer_size = sizeof body;
        return aws_s3_get_object(client, &args, NULL);
    }
    if (strcmp(action, "head") == 0)
        return aws_s3_head_object(client, &args, NULL);
    if (strcmp(action, "delete") == 0)
        return aws_s3_delete_object(client, &args, NULL);
    if (strcmp(action, "stream") == 0)
        return stream(client, &args);
    if (strcmp(action, "large") == 0) {
        args.source = &source;
        args.body_size = sizeof body;
    } else {
        args.body = "hello";
        args.body_size = 5;
    }
    return aws_s3_put_object(client, &args, NULL);
}

static aws_proxy proxy = {aws_proxy_http, NULL, NULL};

static void take_option(aws_config *config, aws_trust *trust, const char *name, const char *value)
{
    static const aws_provider provider = {provide, NULL};

    if (strcmp(name, "--endpoint") == 0) {
        config->endpoint = value;
    } else if (strcmp(name, "--region") == 0) {
        config->region = value;
    } else if (strcmp(name, "--attempts") == 0) {
        config->max_attempts = (unsigned)atoi(value);
    } else if (strcmp(name, "--shift") == 0) {
        shift = atol(value);
    } else if (strcmp(name, "--call-timeout") == 0) {
        config->call_timeout = (uint32_t)atol(value);
    } else if (strcmp(name, "--read-timeout") == 0) {
        config->read_timeout = (uint32_t)atol(value);
    } else if (strcmp(name, "--eager") == 0) {
        port.entropy = port_entropy_eager;
    } else if (strcmp(name, "--slow") == 0) {
        slow = (uint32_t)atol(value);
        port.ticks = port_ticks;
    } else if (strcmp(name, "--mode") == 0) {
        config->retry_mode = strcmp(value, "legacy") == 0 ? AWS_RETRY_LEGACY : AWS_RETRY_STANDARD;
    } else if (strcmp(name, "--provider") == 0) {
        config->provider = &provider;
    } else if (strcmp(name, "--proxy") == 0) {
        proxy.url = strcmp(value, "env") == 0 ? NULL : value;
        config->proxy = &proxy;
    } else if (strcmp(name, "--ca") == 0) {
        config->trust = trust;
        if (aws_trust_load(trust, trust_memory, sizeof trust_memory, value) < 1)
            exit(2);
    } else {
        exit(2);
    }
}

int main(int argc, char **argv)
{
    static aws_session session;
    static aws_client client;
    static aws_trust trust;
    aws_config config;
    int i, r;

    port = *aws_posix_port();
    memset(&config, 0, sizeof config);
    memset(body, 'b', sizeof body);
    config.port = &port;
    config.request_checksum_calculation = AWS_WHEN_REQUIRED; /* a stream without a trailer */
    port.now = port_now;
    for (i = 1; i + 1 < argc && argv[i][0] == '-'; i += 2)
        take_option(&config, &trust, argv[i], argv[i + 1]);
    aws_session_init(&session, &config);
    r = aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory);
    for (; i < argc; i++) {
        uint32_t begin = port.ticks(&port);
        if (r >= 0 || i > 1)
            r = act(&client, argv[i]);
        printf("%s %d %u %lu\n", argv[i], r, aws_client_failure(&client)->attempts,
               (unsigned long)(port.ticks(&port) - begin));
        if (r < 0)
            printf("%s\n", aws_client_failure_text(&client));
        else
            printf("%d\n", r);
        fflush(stdout);
    }
    aws_client_close(&client);
    aws_session_close(&session);
    return 0;
}

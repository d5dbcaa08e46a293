/* canaries.c - uses keys in every way, closes everything, and stays, so that tests/test_canaries.py
 * can search its whole memory for secrets.
 *
 * SPDX-License-Identifier: MIT
 *
 *     canaries SOURCE [open]   SOURCE: one of sources.h, or default (aws_default_session); open: it
 *                              closes nothing, so that the search has something to find
 *
 * What it got from its environment and files is in its own buffers: it wipes those itself, the
 * environment's strings too. PROXY is that of all requests, CUSTOMER 64 hex digits of a key for SSE-C.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "sources.h"
#include <unistd.h>

extern char **environ;

/* The program's own, wiped by itself. */
static struct {
    unsigned char customer[32];
    char text[45], md5[25], url[8192], form[8192];
} own;

static unsigned char memory[AWS_CLIENT_MEMORY];
static aws_client client;
static aws_session session, *used = &session;
static aws_default standard;
static unsigned wrong;

static void wipe(void *data, size_t size)
{
    volatile unsigned char *byte = (volatile unsigned char *)data;

    while (size--)
        *byte++ = 0;
}

static void say(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "%s\n", line);
}

static void check(int r, const char *what)
{
    if (r < 0) {
        wrong++;
        fprintf(stderr, "%s: %s\n", what, aws_client_failure_text(&client));
    }
}

static int read_once(void *context, void *data, size_t size)
{
    size_t *left = (size_t *)context;

    size = size < *left ? size : *left;
    memset(data, 'x', size);
    *left -= size;
    return (int)size;
}

static void own_key(aws_s3_args *args)
{
    const char *hex = getenv("CUSTOMER");
    unsigned byte, i;

    for (i = 0; i < 32 && sscanf(hex + 2 * i, "%2x", &byte) == 1; i++)
        own.customer[i] = (unsigned char)byte;
    aws_s3_customer_key(own.customer, own.text, own.md5);
    args->sse_customer_algorithm = "AES256";
    args->sse_customer_key = own.text;
    args->sse_customer_key_md5 = own.md5;
}

static aws_s3_args args_of(const char *key)
{
    aws_s3_args args;

    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = key;
    return args;
}

static void use_keys(void)
{
    size_t left = 20000;
    const aws_source source = {read_once, NULL, &left};
    aws_s3_args args = args_of("plain");
    aws_s3_form form;
    aws_s3_post post;
    char got[100];

    args.body = "hello";
    args.body_size = 5;
    check(aws_s3_put_object(&client, &args, NULL), "put");
    own_key(&args);
    check(aws_s3_put_object(&client, &args, NULL), "put with a key of the customer's");
    args = args_of("once");
    args.source = &source;
    args.body_size = left;
    check(aws_s3_put_object(&client, &args, NULL), "put of a source that can be read once");
    args = args_of("plain");
    args.buffer = got;
    args.buffer_size = sizeof got;
    check(aws_s3_get_object(&client, &args, NULL), "get");
    args.key = "refused";
    if (aws_s3_get_object(&client, &args, NULL) != AWS_ERR_SERVICE)
        check(-1, "get that is refused");
    fprintf(stderr, "%s\n", aws_client_failure_text(&client));
    args = args_of("plain");
    check(aws_s3_presign(&client, aws_s3_get_object, &args, 60, own.url, sizeof own.url), "presign");
    memset(&post, 0, sizeof post);
    post.bucket = "bucket";
    post.key = "plain";
    check(aws_s3_presign_post(&client, &post, &form, own.form, sizeof own.form), "form");
}

static void forget(void)
{
    char **variable;

    wipe(&own, sizeof own);
    wipe(sources.identity_memory, sizeof sources.identity_memory);
    wipe(sources.key, sizeof sources.key);
    for (variable = environ; *variable; variable++)
        wipe(*variable, strlen(*variable));
}

static void close_all(int standards)
{
    aws_client_close(&client);
    if (standards)
        aws_default_close(&standard);
    else
        aws_session_close(used);
    if (sources.closed)
        aws_keys_close(sources.closed);
    forget();
}

int main(int argc, char **argv)
{
    static aws_proxy proxy = {aws_proxy_http, NULL, NULL};
    static aws_config config;
    static aws_port port;
    int standards = argc > 1 && strcmp(argv[1], "default") == 0;
    char byte;

    if (argc < 2)
        return 2;
    sources_slow(&port);
    config.port = &port;
    config.log = say;
    proxy.url = getenv("PROXY");
    config.proxy = proxy.url ? &proxy : NULL;
    if (getenv("CA") && aws_trust_load(&sources.trust, sources.trust_memory, sizeof sources.trust_memory,
                                       getenv("CA")) > 0)
        config.trust = &sources.trust;
    if (standards) {
        used = aws_default_session(&standard, NULL, &config);
    } else {
        config.provider = sources_begin(argv[1], &config);
        aws_session_init(used, &config);
    }
    check(aws_client_init(&client, used, &aws_s3_service, memory, sizeof memory), "init");
    use_keys();
    if (argc == 2)
        close_all(standards);
    printf("closed %u\n", wrong);
    fflush(stdout);
    return (int)read(0, &byte, 1);
}

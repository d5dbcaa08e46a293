/* sizes.c - the firmware-like programs that tests/sizes.py links to see what they cost.
 *
 * SPDX-License-Identifier: MIT
 *
 * With SIZES_HEADERS this is both headers in an object of their own. Else PARTS is a sum of the bits
 * below: what the program calls. With SIZES_RUN it is a program for the emulator, over a port in
 * memory, that prints how deep the stack went.
 */
#define AWS_NO_DEFAULT_PORT
#ifdef SIZES_HEADERS
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#else

#define SIGN 1
#define PUT 2
#define GET 4
#define HEAD 8
#define DELETE 16
#define LIST 32
#define TEXT 64
#define DELETE_MANY 128
#define COPY 256
#define BUCKETS 512
#define STREAM 1024
#define NAMED 2048 /* the features that AWS_SMALL leaves to the program */
#define PRESIGN 4096
#define IOT 8192 /* the keys come from AWS IoT Core */

#include "../aws_s3.h"
#include <string.h>

#ifdef SIZES_RUN
#include <stdio.h>
#endif

#if defined(AWS_NO_TLS)
#define MEMORY AWS_CLIENT_MEMORY_HTTP
#else
#define MEMORY AWS_CLIENT_MEMORY_TLS
#endif

int start(void);

#if PARTS & SIGN
static int sign(void)
{
    /* Not literals, which are shared with the headers' own: a program's are in a file of its own. */
    static const char names[][24] = {"host", "range", "x-amz-content-sha256", "x-amz-date"};
    static const char values[][65] = {
        "examplebucket.s3.amazonaws.com", "bytes=0-9",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "20130524T000000Z"};
    static const char service[] = "s3", get[] = "GET";
    static const aws_pair headers[] = {{names[0], values[0]}, {names[1], values[1]},
                                       {names[2], values[2]}, {names[3], values[3]}};
    static char text[300];
    static aws_signing s;

    s.access_key_id = "AKIAIOSFODNN7EXAMPLE";
    s.secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    s.region = "us-east-1";
    s.service = service;
    s.time = 1369353600;
    s.method = get;
    s.path = "/test.txt";
    s.headers = headers;
    s.header_count = 4;
    s.encode_once = 1;
    return aws_sign(&s, text, sizeof text) > 0 && text[sizeof text - 1] == 0 ? text[4] : 0;
}
#endif

#if PARTS & ~SIGN
#ifdef SIZES_RUN
/* The port's server: answers whatever comes. */
static const char list_answer[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 234\r\n\r\n<ListBucketResult><IsTruncated>false</IsTruncated>"
    "<Contents><Key>key</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
    "<ETag>&quot;0&quot;</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass></Contents>"
    "</ListBucketResult>       ";
static const char put_answer[] = "HTTP/1.1 200 OK\r\nETag: \"0\"\r\nContent-Length: 0\r\n\r\n";
static const char missing_answer[] =
    "HTTP/1.1 404 Not Found\r\nContent-Length: 61\r\n\r\n"
    "<Error><Code>NoSuchKey</Code><Message>No.</Message></Error>  ";
static const char *answer = put_answer;
static size_t answered;
static int64_t time_now = 1800000000;

static int mem_open(const aws_port *p, void *c, const char *host, unsigned number, int tls)
{
    (void)p, (void)c, (void)host, (void)number, (void)tls;
    return 0;
}

static int mem_send(const aws_port *p, void *c, const void *data, size_t size)
{
    (void)p, (void)c, (void)data;
    return (int)size;
}

static int mem_recv(const aws_port *p, void *c, void *data, size_t size)
{
    size_t left = strlen(answer) - answered;

    (void)p, (void)c;
    size = size < left ? size : left;
    memcpy(data, answer + answered, size);
    answered += size;
    return (int)size;
}

static int mem_close(const aws_port *p, void *c)
{
    (void)p, (void)c;
    return 0;
}

static int64_t mem_now(const aws_port *p)
{
    (void)p;
    return time_now;
}

static uint32_t mem_ticks(const aws_port *p)
{
    (void)p;
    return 0;
}

static int mem_entropy(const aws_port *p, void *data, size_t size)
{
    (void)p;
    memset(data, 1, size);
    return 0;
}

static aws_port port;
#else
const aws_port port = {0};
#endif

static unsigned char memory[MEMORY];
static aws_session   session;
static aws_client    client;
static aws_s3_bucket bucket;
static aws_config    config;

static int begin(void)
{
    const aws_service *service = &aws_s3_service;
#if PARTS & NAMED
    static const aws_features features = {aws_feature_environment, NULL, aws_feature_refresh,
                                          aws_feature_clock, aws_feature_log, aws_feature_bodies,
                                          aws_feature_retries};
    static aws_service named;
    config.features = &features;
    named = aws_s3_service;
    named.members = aws_s3_members;
    named.paging = aws_s3_paging;
    service = &named;
#elif PARTS & IOT
    static const aws_features features = {NULL, NULL, aws_feature_refresh, NULL, NULL, NULL,
                                          aws_feature_retries};
    config.features = &features;
#endif
    config.port = &port;
    config.region = "eu-west-1";
#if PARTS & IOT
    {
        static aws_keys_iot iot;
        static aws_identity identity;
        static char keys[4096];
        config.provider = aws_keys_iot_init(&iot, "https://x.credentials.iot.eu-west-1.amazonaws.com",
                                            "role", "thing", &identity, keys, sizeof keys);
    }
#else
    config.access_key_id = "AKIAIOSFODNN7EXAMPLE";
    config.secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
#endif
#ifdef AWS_NO_TLS
    config.endpoint = "http://s3.local";
#endif
#ifdef SIZES_RUN
    port.connection_size = 8;
    port.open = mem_open;
    port.send = mem_send;
    port.recv = mem_recv;
    port.close = mem_close;
    port.now = mem_now;
    port.ticks = mem_ticks;
    port.entropy = mem_entropy;
#endif
    aws_session_init(&session, &config);
    aws_s3_bucket_init(&bucket, &client, "telemetry");
    return aws_client_init(&client, &session, service, memory, sizeof memory);
}

#if PARTS & LIST
static int list(void)
{
    static aws_s3_objects it;
    static aws_s3_summary entry;
    int r, count = 0;

    aws_s3_objects_begin(&it, &bucket, NULL);
    while ((r = aws_s3_objects_next(&it, &entry)) > 0)
        count += (int)entry.size;
    return r < 0 ? r : count;
}
#endif

static int use(void)
{
    static char buffer[64];
    int r = 0;

#if PARTS & PUT
    r += aws_s3_bucket_put(&bucket, "boot.txt", "hello", 5, NULL);
#endif
#if PARTS & GET
    r += aws_s3_bucket_get(&bucket, "boot.txt", buffer, sizeof buffer, NULL);
#endif
#if PARTS & (HEAD | DELETE | COPY)
    {
        aws_s3_object object;
        aws_s3_object_init(&object, &bucket, "boot.txt");
#if PARTS & HEAD
        {
            static aws_s3_result result;
            r += aws_s3_object_head(&object, &result) + (int)result.size;
        }
#endif
#if PARTS & DELETE
        r += aws_s3_object_delete(&object);
#endif
#if PARTS & COPY
        r += aws_s3_object_copy_from(&object, "other/boot.txt", NULL);
#endif
    }
#endif
#if PARTS & LIST
    r += list();
#endif
#if PARTS & DELETE_MANY
    {
        static aws_s3_args args;
        static const aws_s3_key keys[2] = {{"a", NULL}, {"b", NULL}};
        args.bucket = "telemetry";
        args.objects = keys;
        args.object_count = 2;
        r += aws_s3_delete_objects(&client, &args, NULL);
    }
#endif
#if PARTS & BUCKETS
    r += aws_s3_bucket_create(&bucket, NULL) + aws_s3_bucket_exists(&bucket) +
         aws_s3_bucket_delete(&bucket);
#endif
#if PARTS & STREAM
    {
        static aws_s3_args args;
        args.bucket = "telemetry";
        args.key = "log";
        args.body_size = 3;
        args.stream = 1;
        r += aws_s3_put_object(&client, &args, NULL);
        r += aws_client_write(&client, "abc", 3) + aws_client_finish(&client);
        args.body_size = 0;
        r += aws_s3_get_object(&client, &args, NULL);
        r += aws_client_read(&client, buffer, sizeof buffer);
    }
#endif
#if PARTS & PRESIGN
    {
        static aws_s3_args args;
        static char url[600];
        args.bucket = "telemetry";
        args.key = "boot.txt";
        r += aws_s3_presign(&client, aws_s3_get_object, &args, 60, url, sizeof url);
    }
#endif
#if PARTS & TEXT
    r += *aws_client_failure_text(&client);
#endif
    (void)buffer;
    return r;
}
#endif

#ifndef SIZES_RUN

int start(void)
{
    int r = 0;

#if PARTS & SIGN
    r += sign();
#endif
#if PARTS & ~SIGN
    r += begin() + use() + aws_client_close(&client);
#endif
    return r;
}

/* Read by nm: the sizes of what a program declares. */
#define SHOW(type) char size_of_##type[sizeof(type)];
extern char size_of_aws_session[], size_of_aws_client[], size_of_aws_config[], size_of_aws_failure[],
    size_of_aws_signing[], size_of_aws_xml[], size_of_aws_call[], size_of_aws_s3_args[],
    size_of_aws_s3_result[], size_of_aws_s3_bucket[], size_of_aws_s3_object[],
    size_of_aws_s3_summary[], size_of_aws_s3_objects[];
SHOW(aws_session)
SHOW(aws_client)
SHOW(aws_config)
SHOW(aws_failure)
SHOW(aws_signing)
SHOW(aws_xml)
SHOW(aws_call)
SHOW(aws_s3_args)
SHOW(aws_s3_result)
SHOW(aws_s3_bucket)
SHOW(aws_s3_object)
SHOW(aws_s3_summary)
SHOW(aws_s3_objects)

#else /* in the emulator: paint the stack, call, look how far the paint is gone */

enum { DEEP = 16384, PAINT = 0xa5 };

/* A local's address is where the stack is; below it lies the next call's. */
static __attribute__((noinline)) size_t painted(int (*call)(void))
{
    volatile unsigned char here = 0;
    volatile unsigned char *top = &here - 96, *at; /* our own frame stays clear of the paint */
    volatile int *result;
    static int kept;
    size_t i;

    result = &kept;
    for (i = 0; i < DEEP; i++)
        top[-(ptrdiff_t)i] = PAINT;
    *result = call();
    for (at = top - DEEP + 1; at < top && *at == PAINT; at++)
        ;
    return (size_t)(&here - at);
}

static int nothing(void)
{
    return 0;
}

static void report(const char *name, int (*call)(void))
{
    printf("stack %s %u\n", name, (unsigned)painted(call));
}

#if PARTS & ~SIGN && defined(AWS_NO_TLS)
static int run_failing(void)
{
    int r;

    answer = missing_answer;
    answered = 0;
    r = use();
#if PARTS & TEXT
    if (strlen(aws_client_failure_text(&client)) < 20)
        printf("error: no failure text\n");
#endif
    return r;
}

static int run(void)
{
    answered = 0;
    return use();
}
#endif

int main(void)
{
    int r;

    printf("clear %u\n", (unsigned)painted(nothing)); /* the paint's own distance */
#if PARTS & SIGN
    if (!sign())
        printf("error: sign\n");
    report("sign", sign);
#endif
#if PARTS & ~SIGN
    if ((r = begin()) < 0)
        printf("error: init %d needs %u\n", r, (unsigned)client.failure.needed);
    printf("memory http %u\n", (unsigned)aws_client_memory(&port, AWS_MEMORY_HTTP));
#ifndef AWS_NO_TLS
    printf("memory bounded %u\n", (unsigned)aws_client_memory(&port, AWS_MEMORY_TLS_BOUNDED));
    printf("memory tls %u\n", (unsigned)aws_client_memory(&port, AWS_MEMORY_TLS));
#else
    answer = PARTS & LIST ? list_answer : put_answer;
    report("call", run);
    answered = 0;
    time_now += 86400; /* the signing key again */
    if ((r = use()) < 0)
        printf("error: call %d\n", r);
    report("failing", run_failing);
#endif
#endif
    (void)r;
    return 0;
}

#endif

#endif /* SIZES_HEADERS */

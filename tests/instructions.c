/* instructions.c - what calls cost on a Cortex-M: instructions, painted stack (tests/sizes.py).
 *
 * SPDX-License-Identifier: MIT
 *
 * Runs in QEMU with -icount shift=6 on an MPS2 board: an instruction takes 64 ns, 1.6 ticks of the
 * board's timer. The other end is BearSSL's server in this program, over a port in memory. It runs
 * on a stack of its own, and what passes in the port is not counted. Nothing depends on real time
 * or chance, so each run gives the same figures: "count WHAT N", "stack WHAT N".
 */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "../aws_s3.h"
#include <stdio.h>
#include <stdlib.h>

/* BearSSL's sample certificates, and the anchors of its sample client (tests/sizes.py). */
#define CERT0 ec_cert0
#define CERT1 ec_cert1
#define CHAIN ec_chain
#include "chain-ec.h"
#undef CERT0
#undef CERT1
#undef CHAIN
#undef CHAIN_LEN
#define CERT0 rsa_cert0
#define CERT1 rsa_cert1
#define CHAIN rsa_chain
#include "chain-rsa.h"
#include "key-ec.h"
#include "key-rsa.h"
#include "anchors.h"

enum { CHAIN_SIZE = 2, OBJECT_SIZE = 65536, KEYS = 100, DEEP = 16384, PAINT = 0xa5 };

/* ---- Counting ---- */

#define TIMER ((volatile uint32_t *)0x40000000) /* control, value, reload, interrupt */

static uint32_t outside; /* ticks that passed in the port */

static void timer_begin(void)
{
    TIMER[2] = TIMER[1] = 0xffffffff;
    TIMER[0] = 1;
}

static uint32_t ticks(void)
{
    return ~TIMER[1];
}

static void fail(const char *what, int r)
{
    printf("error: %s: %d\n", what, r);
    exit(1);
}

typedef int (*work)(void);

static uint32_t count(work call)
{
    uint32_t began;
    int r;

    outside = 0;
    began = ticks();
    r = call();
    began = ticks() - began - outside;
    if (r < 0)
        fail("call", r);
    return (uint32_t)((uint64_t)began * 5 / 8);
}

/* A local's address is where the stack is; below it lies the next call's. */
static __attribute__((noinline)) unsigned painted(work call)
{
    volatile unsigned char here = 0;
    volatile unsigned char *top = &here - 96, *at; /* our own frame stays clear of the paint */
    static volatile int r;
    int i;

    for (i = 0; i < DEEP; i++)
        top[-i] = PAINT;
    r = call();
    if (r < 0)
        fail("painted call", r);
    for (at = top - DEEP + 1; at < top && *at == PAINT; at++)
        ;
    return (unsigned)(&here - at);
}

static void show(const char *kind, const char *prefix, const char *what, size_t value)
{
    printf("%s %s%s %lu\n", kind, prefix, what, (unsigned long)value);
}

/* ---- The server ---- */

static struct {
    br_ssl_server_context    tls;
    br_ssl_session_cache_lru cache;
    unsigned char            sessions[1024], record[BR_SSL_BUFSIZE_BIDI];
    int                      secure, rsa, hang_up; /* hang_up: each answer is the last one */
    size_t                   raw, raw_answer; /* sizes of a request and answer that aren't HTTP */
    size_t                   body;            /* size of the next request's body */
    size_t                   taken, ending;   /* of the request: bytes, those of the empty line */
    size_t                   left, given;     /* of its body; of the answer */
    int                      answering;
    const char              *answer;              /* its head and maybe its body */
    size_t                   answer_size, object; /* then so many bytes of the object */
    size_t                   last_request, last_answer;
    unsigned char            in[20000], out[20000]; /* what is on the wire */
    size_t                   in_size, out_at, out_size;
} server;

static unsigned char object[OBJECT_SIZE], server_stack[8192] __attribute__((aligned(8)));

static void request_ends(void)
{
    server.answering = 1;
    server.given = 0;
    server.last_request = server.taken;
    server.taken = server.ending = 0;
}

static void request_byte(unsigned char c)
{
    static const char line[] = "\r\n\r\n";

    server.taken++;
    if (server.raw) {
        if (server.taken == server.raw)
            request_ends();
    } else if (server.ending == 4) {
        if (--server.left == 0)
            request_ends();
    } else {
        server.ending = c == (unsigned char)line[server.ending] ? server.ending + 1 : c == '\r';
        server.left = server.body;
        if (server.ending == 4 && !server.left)
            request_ends();
    }
}

static void request_bytes(const unsigned char *data, size_t size)
{
    while (size--)
        request_byte(*data++);
}

/* The next bytes of the answer. */
static size_t answer_bytes(unsigned char *data, size_t size)
{
    size_t head = server.raw ? 0 : server.answer_size;
    size_t all = server.raw ? server.raw_answer : head + server.object, i;

    for (i = 0; i < size && server.given < all; i++, server.given++)
        data[i] = server.given < head ? (unsigned char)server.answer[server.given]
                                      : object[server.given - head];
    if (server.given == all) {
        server.answering = 0;
        server.last_answer = all;
    }
    return i;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* One thing that the engine can do; 0: nothing. */
static int serve_step(br_ssl_engine_context *engine)
{
    unsigned state = br_ssl_engine_current_state(engine);
    unsigned char *data;
    size_t size;

    if (state & BR_SSL_SENDREC && server.out_size < sizeof server.out) {
        data = br_ssl_engine_sendrec_buf(engine, &size);
        size = least(size, sizeof server.out - server.out_size);
        memcpy(server.out + server.out_size, data, size);
        server.out_size += size;
        br_ssl_engine_sendrec_ack(engine, size);
    } else if (state & BR_SSL_RECVAPP) {
        data = br_ssl_engine_recvapp_buf(engine, &size);
        request_bytes(data, size);
        br_ssl_engine_recvapp_ack(engine, size);
    } else if (state & BR_SSL_SENDAPP && server.answering) {
        data = br_ssl_engine_sendapp_buf(engine, &size);
        br_ssl_engine_sendapp_ack(engine, answer_bytes(data, size));
        br_ssl_engine_flush(engine, 0);
    } else if (state & BR_SSL_RECVREC && server.in_size) {
        data = br_ssl_engine_recvrec_buf(engine, &size);
        size = least(size, server.in_size);
        memcpy(data, server.in, size);
        server.in_size -= size;
        memmove(server.in, server.in + size, server.in_size);
        br_ssl_engine_recvrec_ack(engine, size);
    } else {
        return 0;
    }
    return 1;
}

static void serve(void)
{
    if (server.secure) {
        while (serve_step(&server.tls.eng))
            ;
        return;
    }
    request_bytes(server.in, server.in_size);
    server.in_size = 0;
    if (server.answering)
        server.out_size += answer_bytes(server.out + server.out_size,
                                        sizeof server.out - server.out_size);
}

static void serve_begin(void)
{
    server.in_size = server.out_at = server.out_size = server.taken = server.ending = 0;
    server.answering = 0;
    if (!server.secure)
        return;
    if (server.rsa)
        br_ssl_server_init_mine2g(&server.tls, rsa_chain, CHAIN_SIZE, &RSA);
    else
        br_ssl_server_init_minf2g(&server.tls, ec_chain, CHAIN_SIZE, &EC);
    br_ssl_server_set_cache(&server.tls, &server.cache.vtable);
    br_ssl_engine_set_buffer(&server.tls.eng, server.record, sizeof server.record, 1);
    br_ssl_engine_inject_entropy(&server.tls.eng, "the same in each run, to be exact", 33);
    if (!br_ssl_server_reset(&server.tls))
        fail("server", br_ssl_engine_last_error(&server.tls.eng));
}

/* On the server's stack. */
static __attribute__((naked, noinline)) void elsewhere(void (*call)(void), void *top)
{
    (void)call, (void)top; /* r0, r1 */
    __asm__ volatile("push {r4, lr}\n\t"
                     "mov r4, sp\n\t"
                     "mov sp, r1\n\t"
                     "blx r0\n\t"
                     "mov sp, r4\n\t"
                     "pop {r4, pc}");
}

static void apart(void (*call)(void))
{
    elsewhere(call, server_stack + sizeof server_stack);
}

/* ---- The port ---- */

static int memory_open(const aws_port *p, void *c, const char *host, unsigned number, int tls)
{
    uint32_t began = ticks();

    (void)p, (void)c, (void)host, (void)number, (void)tls;
    apart(serve_begin);
    outside += ticks() - began;
    return 0;
}

static int memory_send(const aws_port *p, void *c, const void *data, size_t size)
{
    uint32_t began = ticks();

    (void)p, (void)c;
    size = least(size, sizeof server.in - server.in_size);
    memcpy(server.in + server.in_size, data, size);
    server.in_size += size;
    apart(serve);
    outside += ticks() - began;
    return (int)size;
}

static int memory_recv(const aws_port *p, void *c, void *data, size_t size)
{
    uint32_t began = ticks();

    (void)p, (void)c;
    if (server.out_at == server.out_size) {
        server.out_at = server.out_size = 0;
        apart(serve);
    }
    size = least(size, server.out_size - server.out_at);
    memcpy(data, server.out + server.out_at, size);
    server.out_at += size;
    outside += ticks() - began;
    return size ? (int)size : AWS_AGAIN;
}

static int memory_close(const aws_port *p, void *c)
{
    (void)p, (void)c;
    return 0;
}

static int memory_wait(const aws_port *p, void *c, unsigned what, uint32_t ms)
{
    (void)p, (void)c, (void)what, (void)ms;
    return 0;
}

static int64_t memory_now(const aws_port *p)
{
    (void)p;
    return 1800000000;
}

static uint32_t memory_ticks(const aws_port *p)
{
    (void)p;
    return 0;
}

static int memory_entropy(const aws_port *p, void *data, size_t size)
{
    (void)p;
    memset(data, 1, size);
    return 0;
}

static const aws_port port = {NULL,        0,            8,           memory_open,
                              memory_send, memory_recv,  memory_close, memory_wait,
                              NULL,        memory_now,   memory_ticks, memory_entropy,
                              NULL,        NULL,         NULL,         NULL};

/* ---- What is counted ---- */

static unsigned char  block[AWS_CLIENT_MEMORY], body[OBJECT_SIZE];
static aws_session    session;
static aws_client     client;
static aws_s3_bucket  bucket;
static aws_s3_objects listing;
static aws_config     config;
static const aws_trust trust = {TAs, 2, NULL, 0, 0, 0, 0, 0};
static char           answer[40000];
static size_t         body_size; /* of what is put and got */

static void answers(const char *head, size_t size)
{
    server.answer_size = (size_t)sprintf(answer, "HTTP/1.1 200 OK\r\n"
        "x-amz-id-2: Yb6yX5aO8cPbH6cD1lZ7dQqfVh0M7xCw0mC6D3yoyC7nQbFJu1kE9JHh2gGq0VqI\r\n"
        "x-amz-request-id: 0A49CE4060975EAC\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\n"
        "%s%sContent-Length: %lu\r\nServer: AmazonS3\r\n\r\n", head,
        server.hang_up ? "Connection: close\r\n" : "", (unsigned long)size);
    server.answer = answer;
    server.object = size;
    server.body = 0;
}

#define STORED "ETag: \"6805f2cfc46c0f04559748bb039d69ae\"\r\n"

static int put(void)
{
    return aws_s3_bucket_put(&bucket, "boot.txt", body, body_size, NULL);
}

static int get(void)
{
    int r = (int)aws_s3_bucket_get(&bucket, "boot.txt", body, sizeof body, NULL);

    return r == (int)body_size ? 0 : r < 0 ? r : -1000;
}

static int head(void)
{
    static aws_s3_result result;
    aws_s3_object        it;

    aws_s3_object_init(&it, &bucket, "boot.txt");
    return aws_s3_object_head(&it, &result);
}

static int erase(void)
{
    aws_s3_object it;

    aws_s3_object_init(&it, &bucket, "boot.txt");
    return aws_s3_object_delete(&it);
}

static int list(void)
{
    aws_s3_summary entry;
    int            r, entries = 0;

    aws_s3_objects_begin(&listing, &bucket, NULL);
    while ((r = aws_s3_objects_next(&listing, &entry)) > 0)
        entries++;
    return r < 0 ? r : entries == (int)body_size ? 0 : -1001;
}

/* The signature of the request before, with the key that the client keeps. */
static int signature(void)
{
    unsigned char text[32];
    aws_i_view    view;

    aws_i_view_of(&view, &client);
    aws_i_signature(&view, (const aws_i_key_states *)client.signing_key, text);
    return memcmp(text, client.signature, sizeof text) == 0 ? 0 : -1002;
}

static int sign(void)
{
    static const aws_pair headers[] = {
        {"host", "examplebucket.s3.amazonaws.com"}, {"range", "bytes=0-9"},
        {"x-amz-content-sha256",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"x-amz-date", "20130524T000000Z"}};
    static char text[300];
    aws_signing s;

    memset(&s, 0, sizeof s);
    s.access_key_id = "AKIAIOSFODNN7EXAMPLE";
    s.secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    s.region = "us-east-1";
    s.service = "s3";
    s.time = 1369353600;
    s.method = "GET";
    s.path = "/test.txt";
    s.headers = headers;
    s.header_count = 4;
    s.encode_once = 1;
    return aws_sign(&s, text, sizeof text);
}

static void put_of(size_t size)
{
    answers(STORED, 0);
    server.body = body_size = size;
}

static void get_of(size_t size)
{
    answers(STORED "Last-Modified: Fri, 15 Jan 2027 07:00:00 GMT\r\nAccept-Ranges: bytes\r\n"
            "Content-Type: binary/octet-stream\r\n", size);
    body_size = size;
}

/* A page of so many keys. */
static void list_of(size_t keys)
{
    char  *page = answer + 1000, *at = page;
    size_t i, size;

    at += sprintf(at, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns="
                  "\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>telemetry</Name>"
                  "<Prefix></Prefix><KeyCount>%lu</KeyCount><MaxKeys>1000</MaxKeys>"
                  "<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>",
                  (unsigned long)keys);
    for (i = 0; i < keys; i++)
        at += sprintf(at, "<Contents><Key>device-7/2027/01/15/log-%06lu.txt</Key><LastModified>"
                      "2027-01-15T07:00:00.000Z</LastModified><ETag>"
                      "&quot;6805f2cfc46c0f04559748bb039d69ae&quot;</ETag><Size>%lu</Size>"
                      "<StorageClass>STANDARD</StorageClass></Contents>",
                      (unsigned long)i, (unsigned long)(1000 + i));
    at += sprintf(at, "</ListBucketResult>");
    size = (size_t)(at - page);
    answers("Content-Type: application/xml\r\n", size);
    memmove(answer + server.answer_size, page, size);
    server.answer_size += size;
    server.object = 0;
    body_size = keys;
}

static void begin(int secure, int rsa, size_t size)
{
    int r;

    server.secure = secure;
    server.rsa = rsa;
    br_ssl_session_cache_lru_init(&server.cache, server.sessions, sizeof server.sessions);
    config.port = &port;
    config.region = "eu-west-1";
    config.access_key_id = "AKIAIOSFODNN7EXAMPLE";
    config.secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    config.endpoint = secure ? "https://localhost" : "http://localhost";
    config.addressing = AWS_ADDRESSING_PATH;
    config.trust = &trust;
    aws_session_init(&session, &config);
    if ((r = aws_client_init(&client, &session, &aws_s3_service, block, size)) < 0)
        fail("init", r);
    aws_s3_bucket_init(&bucket, &client, "telemetry");
}

/* Of what a byte of the object costs. */
static size_t hundredths(uint32_t more)
{
    return (size_t)((uint64_t)more * 100 / (OBJECT_SIZE - 5));
}

/* Everything on a kept connection, whose first call has been made. */
static void requests(const char *prefix, int large)
{
    uint32_t small, many, few;

    put_of(5);
    show("count", prefix, "put", count(put));
    show("stack", prefix, "put", painted(put));
    list_of(1);
    show("count", prefix, "list", few = count(list));
    show("stack", prefix, "list", painted(list));
    answers(STORED "Content-Type: text/plain\r\n", 5);
    server.object = 0;
    show("count", prefix, "head", count(head));
    answers("", 0);
    show("count", prefix, "delete", count(erase));
    if (large) {
        list_of(1 + KEYS);
        many = count(list);
        show("count", prefix, "key", (many - few) / KEYS);
        put_of(5);
        small = count(put);
        put_of(OBJECT_SIZE);
        show("hundredth", prefix, "byte put", hundredths(count(put) - small));
        get_of(5);
        small = count(get);
        get_of(OBJECT_SIZE);
        show("hundredth", prefix, "byte got", hundredths(count(get) - small));
    }
    get_of(5);
    show("count", prefix, "get", count(get));
    show("stack", prefix, "get", painted(get));
}

/* ---- The same bytes by BearSSL alone ---- */

static br_ssl_client_context   raw_tls;
static br_x509_minimal_context raw_x509;
static br_sslio_context        raw_io;

static int raw_send(void *context, const unsigned char *data, size_t size)
{
    (void)context;
    return memory_send(&port, NULL, data, size);
}

static int raw_recv(void *context, unsigned char *data, size_t size)
{
    int r = memory_recv(&port, NULL, data, size);

    (void)context;
    return r > 0 ? r : -1;
}

static int raw_exchange(void)
{
    if (br_sslio_write_all(&raw_io, object, server.raw) < 0 || br_sslio_flush(&raw_io) < 0 ||
        br_sslio_read_all(&raw_io, body, server.raw_answer) < 0)
        return -1100 - br_ssl_engine_last_error(&raw_tls.eng);
    return 0;
}

/* As aws_i_tls has it, without what it looks for in the certificate. */
static int raw_first(void)
{
    br_ssl_client_zero(&raw_tls);
    br_ssl_engine_set_versions(&raw_tls.eng, BR_TLS12, BR_TLS12);
    br_x509_minimal_init(&raw_x509, &br_sha256_vtable, TAs, 2);
    aws_i_tls_profile(&raw_tls, &raw_x509);
    br_x509_minimal_set_time(&raw_x509, 1800000000 / 86400 + 719528, 1800000000 % 86400);
    br_ssl_engine_set_x509(&raw_tls.eng, &raw_x509.vtable);
    br_ssl_engine_set_buffers_bidi(&raw_tls.eng, block, BR_SSL_BUFSIZE_INPUT,
                                   block + BR_SSL_BUFSIZE_INPUT, 1000);
    raw_tls.eng.log_max_frag_len = 14;
    br_ssl_engine_inject_entropy(&raw_tls.eng, "the same in each run, to be exact", 33);
    memory_open(&port, NULL, "localhost", 443, 1);
    if (!br_ssl_client_reset(&raw_tls, "localhost", 0))
        return -1200;
    br_sslio_init(&raw_io, &raw_tls.eng, raw_recv, NULL, raw_send, NULL);
    return raw_exchange();
}

static void raw(const char *prefix, size_t request, size_t answer_size)
{
    uint32_t first, kept;

    server.raw = request;
    server.raw_answer = answer_size;
    first = count(raw_first);
    kept = count(raw_exchange);
    show("count", prefix, "handshake, BearSSL alone", first - kept);
    show("count", prefix, "get, BearSSL alone", kept);
    show("stack", prefix, "handshake, BearSSL alone", painted(raw_first));
    server.raw = 0;
}

static void run_http(const char *prefix, size_t size)
{
    begin(0, 0, size);
    get_of(5);
    show("count", prefix, "first get, with the day's key", count(get));
    requests(prefix, 1);
    show("count", prefix, "signature", count(signature));
    aws_client_close(&client);
}

/* First call, kept, resumed. prefix: of the key exchange. */
static void run_tls(const char *prefix, int rsa, size_t size, int large)
{
    uint32_t first, kept;

    begin(1, rsa, size);
    get_of(5);
    first = count(get);
    kept = count(get);
    show("count", prefix, "handshake", first - kept);
    requests(prefix, large);
    server.hang_up = 1;
    get_of(5);
    count(get);
    server.hang_up = 0;
    get_of(5);
    show("count", prefix, "resumed handshake", count(get) - kept);
    aws_client_close(&client);

    begin(1, rsa, size);
    get_of(5);
    show("stack", prefix, "handshake", painted(get));
    aws_client_close(&client);
    if (size > AWS_CLIENT_MEMORY_TLS_BOUNDED)
        raw(prefix, server.last_request, server.last_answer);
}

#ifndef INSTRUCTIONS_WITHOUT_MAIN
int main(void)
{
    size_t i;

    timer_begin();
    for (i = 0; i < sizeof object; i++)
        object[i] = (unsigned char)(i * 167 + (i >> 8) * 59);
    show("count", "", "aws_sign", count(sign));
    run_http("http ", AWS_CLIENT_MEMORY_HTTP);
    run_http("large ", AWS_CLIENT_MEMORY);
    run_tls("ecdsa ", 0, AWS_CLIENT_MEMORY, 1);
    run_tls("rsa ", 1, AWS_CLIENT_MEMORY, 0);
    run_tls("bounded ", 0, AWS_CLIENT_MEMORY_TLS_BOUNDED, 1);
    show("ram", "", "session", sizeof(aws_session));
    show("ram", "", "client", sizeof(aws_client));
    show("ram", "", "listing", sizeof(aws_s3_objects));
    show("ram", "", "http", aws_client_memory(&port, AWS_MEMORY_HTTP));
    show("ram", "", "bounded", aws_client_memory(&port, AWS_MEMORY_TLS_BOUNDED));
    show("ram", "", "tls", aws_client_memory(&port, AWS_MEMORY_TLS));
    return 0;
}
#endif

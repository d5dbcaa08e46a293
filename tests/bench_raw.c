/* bench_raw.c - the floor for tests/bench.py: a blocking socket, with BearSSL where it is https, that
 * sends the same bytes again and again, signs nothing and searches the answer for its length.
 *
 * SPDX-License-Identifier: MIT
 */
#define AWS_IMPLEMENTATION /* for aws_trust_load only */
#include "../aws_s3.h"
#include "bench_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static int                     fd;
static br_ssl_client_context   tls;
static br_x509_minimal_context x509;
static br_sslio_context        io;
static unsigned char           records[BR_SSL_BUFSIZE_BIDI], anchors[16384];
static aws_trust               trust;
static char                    request[4096], answer[1 << 18];

static int low_read(void *context, unsigned char *data, size_t size)
{
    ssize_t n = recv(*(int *)context, data, size, 0);

    return n <= 0 ? -1 : (int)n;
}

static int low_write(void *context, const unsigned char *data, size_t size)
{
    ssize_t n = send(*(int *)context, data, size, MSG_NOSIGNAL);

    return n <= 0 ? -1 : (int)n;
}

static void connect_to_server(void)
{
    static const uint16_t suites[] = {BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256};
    struct sockaddr_in address;
    int one = 1;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)atoi(bench_port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address))
        bench_fail("no connection");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!bench_tls)
        return;
    if (aws_trust_load(&trust, anchors, sizeof anchors, bench_ca) < 1)
        bench_fail("no CA");
    br_ssl_client_init_full(&tls, &x509, (const br_x509_trust_anchor *)trust.anchors, trust.count);
    br_ssl_engine_set_suites(&tls.eng, suites, 1);
    br_ssl_engine_set_buffer(&tls.eng, records, sizeof records, 1);
    br_ssl_client_reset(&tls, "localhost", 0);
    br_sslio_init(&io, &tls.eng, low_read, &fd, low_write, &fd);
    br_sslio_flush(&io);
    if (br_ssl_engine_last_error(&tls.eng))
        bench_fail("no handshake");
}

static void send_all(const char *data, size_t size)
{
    if (bench_tls) {
        if (br_sslio_write_all(&io, data, size) < 0 || br_sslio_flush(&io) < 0)
            bench_fail("write");
    } else if (send(fd, data, size, MSG_NOSIGNAL) != (ssize_t)size) {
        bench_fail("send");
    }
}

static size_t receive(char *to, size_t size)
{
    int n = bench_tls ? br_sslio_read(&io, to, size) : (int)recv(fd, to, size, 0);

    if (n <= 0)
        bench_fail("receive");
    return (size_t)n;
}

/* Reads an answer: head, length, body. */
static void read_answer(void)
{
    size_t have = 0, whole;
    char *end, *length;

    for (;;) {
        have += receive(answer + have, sizeof answer - 1 - have);
        answer[have] = 0;
        if ((end = strstr(answer, "\r\n\r\n")) != NULL)
            break;
    }
    length = strstr(answer, "Content-Length: ");
    if (strncmp(answer, "HTTP/1.1 200", 12) != 0 || !length)
        bench_fail("answer");
    whole = (size_t)(end + 4 - answer) + (size_t)atol(length + 16);
    while (have < whole) {
        size_t at = have < sizeof answer / 2 ? have : sizeof answer / 2;
        have += receive(answer + at, sizeof answer - 1 - at);
    }
}

static size_t make_request(long key)
{
    int n, put = bench_put;
    char after[64] = "", target[128];

    if (key)
        snprintf(after, sizeof after, "&start-after=key-%06ld", key - 1);
    snprintf(target, sizeof target, bench_list ? "/bench?list-type=2%s" : "/bench/o%.0s1024", after);
    n = snprintf(request, sizeof request,
                 "%s %s HTTP/1.1\r\nhost: localhost:%s\r\n%s"
                 "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\nx-amz-date: 20260102T030405Z\r\n"
                 "authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260102/us-east-1"
                 "/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="
                 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n\r\n",
                 put ? "PUT" : "GET", target, bench_port, put ? "content-length: 1024\r\n" : "");
    if (put)
        memcpy(request + n, bench_body, BENCH_SIZE);
    return (size_t)n + (put ? BENCH_SIZE : 0);
}

int main(int count, char **arguments)
{
    size_t size;
    long i, key;

    bench_arguments(count, arguments);
    connect_to_server();
    size = make_request(0);
    for (i = -BENCH_WARM; i < bench_count; i++) {
        if (i == 0)
            bench_begin();
        for (key = 0; key < (bench_list ? 10000 : 1); key += 1000) {
            if (bench_list)
                size = make_request(key);
            send_all(request, size);
            read_answer();
        }
    }
    bench_end();
    return 0;
}

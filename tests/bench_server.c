/* bench_server.c - a fast loopback server in S3's shape, for tests/bench.py: it never checks anything.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -O2 tests/bench_server.c -lssl -lcrypto -lpthread
 *     bench_server cert.pem key.pem       prints "http PORT" and "https PORT", ends with its stdin
 *
 * GET /bucket/oN has N bytes, PUT is drained, GET /bucket?list-type=2 pages through 10,000 keys of
 * which each answer has 1,000. One thread per connection; an answer is one send.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEYS = 10000, PAGE = 1000, ROOM = 70000 };

typedef struct connection {
    int    fd;
    SSL   *ssl;
    size_t have;
    char   in[ROOM];
    char   out[ROOM];
} connection;

typedef struct door {
    int      fd;
    SSL_CTX *tls;
} door;

static char  *pages[KEYS / PAGE];
static size_t page_size[KEYS / PAGE];

static ssize_t take(connection *c, void *to, size_t size)
{
    return c->ssl ? SSL_read(c->ssl, to, (int)size) : recv(c->fd, to, size, 0);
}

static int give(connection *c, const char *from, size_t size)
{
    while (size) {
        ssize_t n = c->ssl ? SSL_write(c->ssl, from, (int)size)
                           : send(c->fd, from, size, MSG_NOSIGNAL);
        if (n <= 0)
            return 0;
        from += n;
        size -= (size_t)n;
    }
    return 1;
}

/* Answer one request, whose head ends at `end`. */
static int answer(connection *c, const char *end)
{
    static const char common[] =
        "x-amz-id-2: 0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWX/YZ0=\r\n"
        "x-amz-request-id: 4442587FB7D0A2F9\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\n"
        "Last-Modified: Fri, 02 Jan 2026 03:04:05 GMT\r\n"
        "ETag: \"9b2cf535f27731c974343645a3985328\"\r\nServer: AmazonS3\r\n";
    char *object = strstr(c->in, "/o"), *after = strstr(c->in, "start-after=key-");
    size_t size = 0;
    int head;

    (void)end;
    if (strstr(c->in, "list-type=2")) {
        size_t page = after ? ((size_t)atol(after + 16) + 1) / PAGE : 0;
        page = page < KEYS / PAGE ? page : KEYS / PAGE - 1;
        return give(c, pages[page], page_size[page]);
    }
    if (c->in[0] == 'G' && object)
        size = (size_t)atol(object + 2);
    if (size > 16384)
        size = 16384;
    head = snprintf(c->out, sizeof c->out,
                    "HTTP/1.1 200 OK\r\n%sContent-Type: binary/octet-stream\r\n"
                    "Content-Length: %zu\r\n\r\n", common, size);
    memset(c->out + head, 'x', size);
    return give(c, c->out, (size_t)head + size);
}

static void *serve(void *argument)
{
    connection *c = argument;
    int one = 1;
    char *end, *length;

    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (c->ssl) {
        SSL_set_fd(c->ssl, c->fd);
        if (SSL_accept(c->ssl) <= 0)
            goto out;
    }
    for (;;) {
        size_t used, body = 0;
        ssize_t n;
        for (;;) {
            c->in[c->have] = 0;
            if ((end = strstr(c->in, "\r\n\r\n")) != NULL)
                break;
            if (c->have == ROOM - 1 || (n = take(c, c->in + c->have, ROOM - 1 - c->have)) <= 0)
                goto out;
            c->have += (size_t)n;
        }
        if ((length = strcasestr(c->in, "\r\ncontent-length:")) != NULL && length < end)
            body = (size_t)atol(length + 17);
        if (strcasestr(c->in, "\r\nexpect:") && !give(c, "HTTP/1.1 100 Continue\r\n\r\n", 25))
            goto out;
        used = (size_t)(end + 4 - c->in) + body;
        while (c->have < used) {
            if ((n = take(c, c->in + c->have, ROOM - 1 - c->have)) <= 0)
                goto out;
            c->have += (size_t)n;
        }
        if (!answer(c, end))
            goto out;
        memmove(c->in, c->in + used, c->have - used);
        c->have -= used;
    }
out:
    if (c->ssl)
        SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    close(c->fd);
    free(c);
    return NULL;
}

static void *welcome(void *argument)
{
    door *d = argument;

    for (;;) {
        connection *c = malloc(sizeof *c);
        pthread_t thread;
        if (!c)
            abort();
        c->have = 0;
        c->fd = accept(d->fd, NULL, NULL);
        c->ssl = d->tls ? SSL_new(d->tls) : NULL;
        if (c->fd < 0 || pthread_create(&thread, NULL, serve, c))
            free(c);
        else
            pthread_detach(thread);
    }
    return NULL;
}

/* Listen on a free port of the loopback and say which. */
static void open_door(door *d, const char *name)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    pthread_t thread;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    d->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (d->fd < 0 || bind(d->fd, (struct sockaddr *)&address, size) || listen(d->fd, 64) ||
        getsockname(d->fd, (struct sockaddr *)&address, &size)) {
        perror("bench_server");
        exit(1);
    }
    printf("%s %u\n", name, ntohs(address.sin_port));
    pthread_create(&thread, NULL, welcome, d);
}

static void make_pages(void)
{
    size_t page, i;

    for (page = 0; page < KEYS / PAGE; page++) {
        char *body = malloc(400 * PAGE), *all = malloc(400 * PAGE + 1000);
        size_t n = (size_t)sprintf(body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                         "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/"
                                         "2006-03-01/\"><Name>bench</Name><MaxKeys>1000</MaxKeys>"
                                         "<EncodingType>url</EncodingType><IsTruncated>%s"
                                         "</IsTruncated><NextContinuationToken>page%zu"
                                         "</NextContinuationToken>",
                                   page + 1 < KEYS / PAGE ? "true" : "false", page + 1);
        for (i = page * PAGE; i < (page + 1) * PAGE; i++)
            n += (size_t)sprintf(body + n,
                                 "<Contents><Key>key-%06zu</Key><LastModified>2026-01-02T03:04:05."
                                 "000Z</LastModified><ETag>&quot;9b2cf535f27731c974343645a3985328"
                                 "&quot;</ETag><Size>1024</Size><StorageClass>STANDARD"
                                 "</StorageClass></Contents>", i);
        n += (size_t)sprintf(body + n, "</ListBucketResult>");
        page_size[page] = (size_t)sprintf(all, "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n"
                                               "Content-Length: %zu\r\n\r\n%s", n, body);
        pages[page] = all;
        free(body);
    }
}

int main(int count, char **arguments)
{
    static door plain, secure;
    char byte;

    signal(SIGPIPE, SIG_IGN);
    secure.tls = SSL_CTX_new(TLS_server_method());
    if (count != 3 || !SSL_CTX_set_max_proto_version(secure.tls, TLS1_2_VERSION) ||
        !SSL_CTX_set_cipher_list(secure.tls, "ECDHE-RSA-AES128-GCM-SHA256") ||
        SSL_CTX_use_certificate_chain_file(secure.tls, arguments[1]) != 1 ||
        SSL_CTX_use_PrivateKey_file(secure.tls, arguments[2], SSL_FILETYPE_PEM) != 1) {
        fprintf(stderr, "usage: bench_server cert.pem key.pem\n");
        return 1;
    }
    make_pages();
    open_door(&plain, "http");
    open_door(&secure, "https");
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        ;
    return 0;
}

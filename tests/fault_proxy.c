/* fault_proxy.c - stands between a client and an S3 server, and lets things go wrong: at a request
 * that was named, or at random. For tests/test_cuts.py.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -O2 tests/fault_proxy.c -lpthread
 *     fault_proxy PORT          of the server on the loopback; prints "http PORT", ends with its stdin
 *
 * Commands on stdin, each answered by a line:
 *   count                ok REQUESTS BYTES   since the last clear; bytes of parts that were passed on
 *   clear                ok                  both counts 0, nothing goes wrong
 *   stop N STAGE         ok                  at the Nth request say "stopped" and hold everything:
 *                                            0 before it is passed on, 1 in the middle of its body (or
 *                                            of its answer), 2 when the server has answered, 3 when
 *                                            the client has the answer
 *   go                   ok                  drop the connections that are held
 *   faults PER SEED      ok                  of 1,000 requests so many go wrong, each kind as often
 */
#define _GNU_SOURCE
#include <sys/time.h>
#include "peer.h"

enum { HEAD = 32768 };

enum stage { BEFORE, DURING, ANSWERED, AFTER };

enum fault { FINE, BUSY, RESET, RESET_IN_BODY, LOST, CUT, SLOW, ERROR_200, FLIP, FAULTS };

typedef struct connection {
    peer       client, server; /* client first */
    char       head[HEAD];
    long       number; /* of the request */
    enum fault fault;
} connection;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t  released = PTHREAD_COND_INITIALIZER;
static unsigned server_port;
static long     requests, stop_at;
static uint64_t part_bytes;
static int      stop_stage, holding;
static unsigned per_1000, seed;
static long     happened[FAULTS];

static unsigned chance(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* Whether the program said so at this point: then wait until it lets go; the connection ends. */
static int stopped(const connection *c, int stage)
{
    int here;

    pthread_mutex_lock(&lock);
    here = stop_at && stop_at == c->number && stop_stage == stage;
    if (here) {
        stop_at = 0;
        holding = 1;
        printf("stopped\n");
        fflush(stdout);
        while (holding)
            pthread_cond_wait(&released, &lock);
    }
    pthread_mutex_unlock(&lock);
    return here;
}

/* Nothing moves while one is held. */
static void hold(void)
{
    pthread_mutex_lock(&lock);
    while (holding)
        pthread_cond_wait(&released, &lock);
    pthread_mutex_unlock(&lock);
}

static uint64_t content_length(const char *head)
{
    const char *at = strcasestr(head, "\r\ncontent-length:");

    return at ? strtoull(at + 17, NULL, 10) : 0;
}

/* So many bytes from one side to the other; their first is changed, or they come in dribs. */
static int pass(peer *from, int to, uint64_t size, int flip, int count)
{
    char *at;
    size_t n;

    while (size) {
        if ((n = peer_take(from, &at, size)) == 0)
            return 0;
        hold();
        if (flip)
            *at ^= 1;
        flip = 0;
        if (!peer_give(to, at, n))
            return 0;
        size -= n;
        if (count) {
            pthread_mutex_lock(&lock);
            part_bytes += n;
            pthread_mutex_unlock(&lock);
        }
    }
    return 1;
}

static int pass_chunks(peer *from, int to)
{
    char line[200], *at;
    size_t n;
    uint64_t size;

    do {
        for (n = 0; n < sizeof line - 1;) {
            if (!peer_take(from, &at, 1))
                return 0;
            line[n++] = *at;
            if (*at == '\n')
                break;
        }
        line[n] = 0;
        size = strtoull(line, NULL, 16);
        if (!peer_give(to, line, n) || !pass(from, to, size, 0, 0))
            return 0;
        if (size && !pass(from, to, 2, 0, 0))
            return 0;
    } while (size);
    return pass(from, to, 2, 0, 0);
}

static void reset(const connection *c)
{
    struct linger now = {1, 0};

    setsockopt(c->client.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static int connect_server(connection *c)
{
    struct sockaddr_in address;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)server_port);
    c->server.fd = socket(AF_INET, SOCK_STREAM, 0);
    peer_no_delay(c->server.fd);
    return connect(c->server.fd, (struct sockaddr *)&address, sizeof address) == 0;
}

/* Answer in the server's stead; the body isn't read, so the connection ends. */
static int answer(const connection *c, const char *status, const char *code)
{
    char text[500], body[200];

    snprintf(body, sizeof body, "<Error><Code>%s</Code><Message>by the proxy</Message></Error>", code);
    snprintf(text, sizeof text, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
             status, strlen(body), body);
    peer_give(c->client.fd, text, strlen(text));
    shutdown(c->client.fd, SHUT_WR);
    usleep(20000); /* else what wasn't read would reset it before the answer is read */
    return 0;
}

/* The server's answer to the client: 1, 0 the connection ends, 2 it was "100 Continue" or what Swift
 * sends after the answer to a HEAD. */
static int pass_answer(connection *c, int bodyless)
{
    int close;
    uint64_t size, half;
    const char *at;

    if (!peer_head(&c->server, c->head, HEAD))
        return 0;
    hold();
    if (strncmp(c->head, "HTTP/1.1 100", 12) == 0 || strcmp(c->head, "0\r\n\r\n") == 0)
        return peer_give(c->client.fd, c->head, strlen(c->head)) ? 2 : 0;
    if (stopped(c, ANSWERED))
        return 0;
    if (c->fault == LOST) {
        reset(c);
        return 0;
    }
    for (at = c->head; c->fault == SLOW && *at; at++) {
        usleep(1000);
        if (!peer_give(c->client.fd, at, 1))
            return 0;
    }
    size = strlen(c->head);
    half = c->fault == CUT ? size / 2 : size;
    if (c->fault != SLOW && !peer_give(c->client.fd, c->head, (size_t)(content_length(c->head) ? size : half)))
        return 0;
    close = strcasestr(c->head, "\r\nconnection: close") != NULL;
    if (!bodyless && strcasestr(c->head, "\r\ntransfer-encoding:"))
        return pass_chunks(&c->server, c->client.fd) && !close;
    size = bodyless ? 0 : content_length(c->head);
    half = size / 2;
    if (!pass(&c->server, c->client.fd, half, 0, 0) || (half && stopped(c, DURING)))
        return 0;
    if (c->fault == CUT) {
        reset(c);
        return 0;
    }
    return pass(&c->server, c->client.fd, size - half, 0, 0) && !close;
}

/* What goes wrong with this request. */
static void choose(connection *c)
{
    int may_be_200 = strncmp(c->head, "POST", 4) == 0 || strcasestr(c->head, "\r\nx-amz-copy-source:");

    pthread_mutex_lock(&lock);
    c->number = ++requests;
    c->fault = FINE;
    if (per_1000 && chance() % 1000 < per_1000) {
        c->fault = (enum fault)(1 + chance() % (FAULTS - 1));
        if (c->fault == ERROR_200 && !may_be_200)
            c->fault = BUSY;
        if (c->fault == FLIP && (*c->head != 'P' || !content_length(c->head)))
            c->fault = RESET;
        happened[c->fault]++;
    }
    pthread_mutex_unlock(&lock);
}

/* 0 if the connection ends. */
static int do_request(connection *c)
{
    int bodyless, is_part, r;
    uint64_t size, half;

    if (!peer_head(&c->client, c->head, HEAD))
        return 0;
    hold();
    choose(c);
    if (stopped(c, BEFORE))
        return 0;
    bodyless = strncmp(c->head, "HEAD", 4) == 0;
    is_part = strstr(c->head, "partNumber=") != NULL && strncmp(c->head, "PUT", 3) == 0;
    size = content_length(c->head);
    half = size / 2;
    if (c->fault == BUSY)
        return answer(c, "503 Slow Down", "SlowDown");
    if (c->fault == ERROR_200)
        return answer(c, "200 OK", "InternalError");
    if (c->fault == RESET) {
        reset(c);
        return 0;
    }
    if (c->fault == SLOW)
        usleep(1000 * (chance() % 1500));
    if (!peer_give(c->server.fd, c->head, strlen(c->head)))
        return 0;
    if (strcasestr(c->head, "\r\nexpect:")) {
        /* the client waits for a word */
        while ((r = pass_answer(c, bodyless)) == 2 && strncmp(c->head, "HTTP", 4) != 0)
            ;
        if (r != 2)
            return 0;
    }
    if (!pass(&c->client, c->server.fd, half, c->fault == FLIP, is_part))
        return 0;
    if (half && stopped(c, DURING))
        return 0;
    if (c->fault == RESET_IN_BODY) {
        reset(c);
        return 0;
    }
    if (!pass(&c->client, c->server.fd, size - half, 0, is_part))
        return 0;
    while ((r = pass_answer(c, bodyless)) == 2)
        ;
    return r && !stopped(c, AFTER);
}

static void *serve(void *argument)
{
    connection *c = argument;

    if (connect_server(c))
        while (do_request(c))
            ;
    close(c->client.fd);
    close(c->server.fd);
    free(c);
    return NULL;
}

static void command(const char *line)
{
    unsigned per = 0, with = 0;
    int i;

    pthread_mutex_lock(&lock);
    if (strncmp(line, "clear", 5) == 0) {
        requests = stop_at = 0;
        part_bytes = 0;
        per_1000 = 0;
        memset(happened, 0, sizeof happened);
    } else if (strncmp(line, "go", 2) == 0) {
        holding = 0;
        pthread_cond_broadcast(&released);
    } else if (sscanf(line, "faults %u %u", &per, &with) == 2) {
        per_1000 = per;
        seed = with;
    } else {
        sscanf(line, "stop %ld %d", &stop_at, &stop_stage);
    }
    printf("ok %ld %llu", requests, (unsigned long long)part_bytes);
    for (i = 1; i < FAULTS; i++)
        printf(" %ld", happened[i]);
    printf("\n");
    fflush(stdout);
    pthread_mutex_unlock(&lock);
}

int main(int count, char **arguments)
{
    char line[100];

    if (count != 2) {
        fprintf(stderr, "usage: fault_proxy PORT\n");
        return 2;
    }
    server_port = (unsigned)atoi(arguments[1]);
    if (peer_listen("fault_proxy", serve, sizeof(connection)) < 0)
        return 1;
    while (fgets(line, sizeof line, stdin))
        command(line);
    return 0;
}

/* peer.h - the server's side of connections, a thread each: for hash_server.c and fault_proxy.c.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it with _GNU_SOURCE defined; link with -lpthread.
 */
#ifndef PEER_INCLUDED
#define PEER_INCLUDED

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEER_ROOM = 1 << 18 };

typedef struct peer {
    int    fd;
    size_t have, used; /* of in: what was received, what of it was taken */
    char   in[PEER_ROOM];
} peer;

/* 0 if it can't be sent. */
static int peer_give(int fd, const void *from, size_t size)
{
    const char *at = from;

    while (size) {
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
        if (n <= 0)
            return 0;
        at += n;
        size -= (size_t)n;
    }
    return 1;
}

/* Some bytes, at most so many: how many, 0 at the end. */
static size_t peer_take(peer *p, char **at, uint64_t most)
{
    size_t n = p->have - p->used;

    if (!n) {
        ssize_t got = recv(p->fd, p->in, sizeof p->in, 0);
        if (got <= 0)
            return 0;
        p->used = 0;
        p->have = n = (size_t)got;
    }
    if (n > most)
        n = (size_t)most;
    *at = p->in + p->used;
    p->used += n;
    return n;
}

/* A head of HTTP, with a NUL. 0 at the end. */
static int peer_head(peer *p, char *head, size_t room)
{
    size_t n = 0;
    char *at;

    while (n + 1 < room && peer_take(p, &at, 1)) {
        head[n++] = *at;
        head[n] = 0;
        if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0)
            return 1;
    }
    return 0;
}

static void peer_no_delay(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static struct {
    int    fd;
    size_t size;
    void *(*serve)(void *connection);
} peer_welcomes;

static void *peer_welcome(void *argument)
{
    (void)argument;
    for (;;) {
        peer *p = calloc(1, peer_welcomes.size);
        pthread_t thread;
        if (!p)
            abort();
        p->fd = accept(peer_welcomes.fd, NULL, NULL);
        if (p->fd >= 0)
            peer_no_delay(p->fd);
        if (p->fd < 0 || pthread_create(&thread, NULL, peer_welcomes.serve, p))
            free(p);
        else
            pthread_detach(thread);
    }
    return NULL;
}

/* Listens on a free port of the loopback, which is printed. Each connection is a thread that runs
 * serve, with a struct of size bytes, zeroed, that begins with its peer; serve closes and frees it. */
static int peer_listen(const char *program, void *(*serve)(void *connection), size_t size)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    pthread_t thread;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    signal(SIGPIPE, SIG_IGN);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) || listen(fd, 64) ||
        getsockname(fd, (struct sockaddr *)&address, &length)) {
        perror(program);
        return -1;
    }
    peer_welcomes.fd = fd;
    peer_welcomes.size = size;
    peer_welcomes.serve = serve;
    printf("http %u\n", ntohs(address.sin_port));
    fflush(stdout);
    return pthread_create(&thread, NULL, peer_welcome, NULL) ? -1 : 0;
}

#endif

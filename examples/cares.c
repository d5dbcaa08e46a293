/* cares.c - list a bucket, host names looked up by c-ares instead of libc's getaddrinfo.
 *
 *     cc -I. examples/cares.c -lcares -lbearssl -o cares
 *     AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... ./cares BUCKET
 *
 * SPDX-License-Identifier: MIT
 *
 * getaddrinfo blocks; c-ares doesn't, so a program that uses aws_config.no_wait never stops.
 * Any other resolver goes in the same way: open says AWS_AGAIN until there is an address, and
 * then hands it as text to the posix port's open, for which nothing is looked up. TLS checks
 * the host that the client asked for, not the address. (c-ares allocates; aws.h doesn't.)
 */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>
#include <ares.h> /* after sys/select.h, which it needs with -std=c99 */

enum { LOOKUP_NEW = 0, LOOKUP_PENDING, LOOKUP_DONE };
enum { LOOKUP_ADDRESSES = 4, LOOKUP_TEXT = 46 };

/* Behind the posix port's part of the connection area. All zero before open. */
typedef struct lookup {
    ares_channel channel;
    int          state;
    int          status; /* c-ares's */
    int          count, at;
    char         address[LOOKUP_ADDRESSES][LOOKUP_TEXT];
} lookup;

static size_t lookup_offset(void)
{
    return (aws_posix_port()->connection_size + 15) / 16 * 16;
}

static lookup *lookup_of(void *connection)
{
    return (lookup *)(void *)((unsigned char *)connection + lookup_offset());
}

/* c-ares has an answer, or gives up. */
static void lookup_found(void *context, int status, int timeouts, struct ares_addrinfo *result)
{
    lookup *l = (lookup *)context;
    const struct ares_addrinfo_node *node;
    const void *bytes;

    (void)timeouts;
    l->status = status;
    l->state = LOOKUP_DONE;
    if (status != ARES_SUCCESS)
        return;
    for (node = result->nodes; node != NULL && l->count < LOOKUP_ADDRESSES; node = node->ai_next) {
        bytes = node->ai_family == AF_INET6
                    ? (const void *)&((const struct sockaddr_in6 *)(void *)node->ai_addr)->sin6_addr
                    : (const void *)&((const struct sockaddr_in *)(void *)node->ai_addr)->sin_addr;
        if (inet_ntop(node->ai_family, bytes, l->address[l->count], LOOKUP_TEXT) != NULL)
            l->count++;
    }
    ares_freeaddrinfo(result);
}

/* What c-ares wants to be polled: the count. */
static int lookup_sockets(lookup *l, struct pollfd p[ARES_GETSOCK_MAXNUM])
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    int wanted = ares_getsock(l->channel, sockets, ARES_GETSOCK_MAXNUM), i, count = 0;

    for (i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        short events = (short)((ARES_GETSOCK_READABLE(wanted, i) ? POLLIN : 0) |
                               (ARES_GETSOCK_WRITABLE(wanted, i) ? POLLOUT : 0));
        if (events == 0)
            break;
        p[count].fd = sockets[i];
        p[count].events = events;
        p[count].revents = 0;
        count++;
    }
    return count;
}

/* Begin, or go on: 0 once there are addresses. */
static int lookup_step(lookup *l, const char *host)
{
    struct ares_addrinfo_hints hints;
    struct pollfd p[ARES_GETSOCK_MAXNUM];
    int i, count;

    if (l->state == LOOKUP_NEW) {
        l->status = ares_init(&l->channel);
        if (l->status != ARES_SUCCESS)
            return AWS_ERR_LOOKUP;
        memset(&hints, 0, sizeof hints);
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        l->state = LOOKUP_PENDING;
        ares_getaddrinfo(l->channel, host, NULL, &hints, lookup_found, l);
    }
    if (l->state == LOOKUP_PENDING) {
        count = lookup_sockets(l, p);
        for (i = 0; i < count; i++) /* they don't block: no need to ask which are ready */
            ares_process_fd(l->channel, (p[i].events & POLLIN) != 0 ? p[i].fd : ARES_SOCKET_BAD,
                            (p[i].events & POLLOUT) != 0 ? p[i].fd : ARES_SOCKET_BAD);
        if (l->state == LOOKUP_PENDING) /* its time-outs */
            ares_process_fd(l->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        if (l->state == LOOKUP_PENDING)
            return AWS_AGAIN;
    }
    if (l->channel != NULL) {
        ares_destroy(l->channel);
        l->channel = NULL;
    }
    return l->count > 0 ? 0 : AWS_ERR_LOOKUP;
}

/* ---- The functions of the port that differ ---- */

static int cares_open(const aws_port *port, void *connection, const char *host,
                      unsigned port_number, int tls)
{
    const aws_port *posix = aws_posix_port();
    lookup *l = lookup_of(connection);
    int result = lookup_step(l, host);

    (void)port;
    while (result == 0) {
        result = posix->open(posix, connection, l->address[l->at], port_number, tls);
        if (result != AWS_ERR_CONNECT || l->at + 1 >= l->count)
            break;
        posix->close(posix, connection); /* the next address */
        memset(connection, 0, posix->connection_size);
        l->at++;
        result = 0;
    }
    return result;
}

static int cares_close(const aws_port *port, void *connection)
{
    lookup *l = lookup_of(connection);

    (void)port;
    if (l->channel != NULL)
        ares_destroy(l->channel); /* calls lookup_found with an error */
    l->channel = NULL;
    return aws_posix_port()->close(aws_posix_port(), connection);
}

/* While a look-up is pending, sleep on c-ares's sockets and time-outs. */
static int cares_wait(const aws_port *port, void *connection, unsigned what, uint32_t ms)
{
    lookup *l = lookup_of(connection);
    struct pollfd p[ARES_GETSOCK_MAXNUM];
    struct timeval most, t, *next;
    int count;

    (void)port;
    if (l->state != LOOKUP_PENDING || (what & (AWS_WAIT_READ | AWS_WAIT_WRITE)) == 0)
        return aws_posix_port()->wait(aws_posix_port(), connection, what, ms);
    if (ms > 60000)
        ms = 60000; /* sooner is always allowed */
    most.tv_sec = (long)(ms / 1000);
    most.tv_usec = (long)(ms % 1000 * 1000);
    next = ares_timeout(l->channel, &most, &t);
    count = lookup_sockets(l, p);
    (void)poll(p, (nfds_t)count, (int)(next->tv_sec * 1000 + (next->tv_usec + 999) / 1000));
    return 0;
}

/* For the user's own event loop. One handle can be told: c-ares's first one. The timer has the
 * client called soon in any case, for the others and for time-outs. */
static intptr_t cares_handle(const aws_port *port, void *connection, unsigned *what)
{
    lookup *l = lookup_of(connection);
    struct pollfd p[ARES_GETSOCK_MAXNUM];

    (void)port;
    if (l->state != LOOKUP_PENDING || (*what & (AWS_WAIT_READ | AWS_WAIT_WRITE)) == 0)
        return aws_posix_port()->handle(aws_posix_port(), connection, what);
    *what = AWS_WAIT_READ | AWS_WAIT_TIMER;
    return lookup_sockets(l, p) > 0 ? p[0].fd : -1;
}

static int cares_error(const aws_port *port, void *connection)
{
    const lookup *l = lookup_of(connection);

    (void)port;
    if (l->status != ARES_SUCCESS)
        return l->status;
    return aws_posix_port()->error(aws_posix_port(), connection);
}

/* The posix port with another look-up. */
static aws_port cares_port(void)
{
    aws_port port = *aws_posix_port();

    port.connection_size = lookup_offset() + sizeof(lookup);
    port.open = cares_open;
    port.close = cares_close;
    port.wait = cares_wait;
    port.handle = cares_handle;
    port.error = cares_error;
    return port;
}

int main(int argc, char **argv)
{
    static unsigned char memory[AWS_CLIENT_MEMORY];
    aws_port port = cares_port();
    aws_config config = {0};
    aws_session session;
    aws_client s3;
    aws_s3_bucket bucket;
    aws_s3_objects it;
    aws_s3_summary object;
    int result;

    if (argc != 2) {
        fprintf(stderr, "usage: %s BUCKET\n", argv[0]);
        return 2;
    }
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
        return 1;
    config.port = &port;
    aws_session_init(&session, &config);
    aws_client_init(&s3, &session, &aws_s3_service, memory, sizeof memory);
    aws_s3_bucket_init(&bucket, &s3, argv[1]);
    aws_s3_objects_begin(&it, &bucket, NULL);
    while ((result = aws_s3_objects_next(&it, &object)) > 0)
        printf("%12llu %s\n", (unsigned long long)object.size, object.key);
    if (result < 0)
        fprintf(stderr, "%s\n", aws_client_failure_text(&s3));
    aws_client_close(&s3);
    aws_session_close(&session);
    ares_library_cleanup();
    return result < 0;
}

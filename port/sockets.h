/* sockets.h - connections by BSD sockets that don't block: what the ports with sockets share.
 *
 * SPDX-License-Identifier: MIT
 *
 * Not for programs. Whoever includes it has included the system's headers, and defined:
 *
 *     AWS_I_SOCKETS(name)      the system's function of that name: connect, lwip_connect ...
 *     AWS_I_SOCKETS_FLAGS      of send
 *     AWS_I_SOCKETS_IN_ERRNO   what getaddrinfo says if errno has its number
 *     AWS_I_SOCKETS_V6         1, or 0 without IPv6
 *     AWS_I_SOCKETS_ONE        1 if getaddrinfo gives addresses of one family only: the other's are
 *                              asked for when these don't answer; else 0
 *     AWS_I_SOCKETS_NO_ROUTE   (error): no way to this family of addresses; default by errno
 *     aws_i_sockets_info       a typedef: struct addrinfo
 *     aws_i_sockets_new        (family): a socket that doesn't block; -1 and errno
 *     aws_i_sockets_ready      (socket, what, ms): sleep until it is ready, or ms have passed, as
 *                              poll does; socket -1: only sleep. < 0 and errno
 */
#ifndef AWS_I_SOCKETS_INCLUDED
#define AWS_I_SOCKETS_INCLUDED

#ifndef AWS_I_SOCKETS_NO_ROUTE
#define AWS_I_SOCKETS_NO_ROUTE(error) ((error) == ENETUNREACH || (error) == EAFNOSUPPORT)
#endif

enum {
    AWS_I_SOCKETS_ADDRESSES = 5,
    AWS_I_SOCKETS_PATIENCE = 2500, /* ms for an address while there is another one to try: a lost
                                  * SYN is repeated after 1 s */
    AWS_I_SOCKETS_2020 = 1577836800 /* a clock before it was never set */
};

typedef struct aws_i_sockets_address {
    uint32_t      scope; /* of a link-local IPv6 address */
    unsigned char bytes[16];
} aws_i_sockets_address;

/* The connection area: 116 bytes. Zeroed means: not looked up yet, no socket. */
typedef struct aws_i_sockets {
    int           socket; /* + 1, so that 0 is none */
    int           error;  /* errno, or getaddrinfo's number after AWS_ERR_LOOKUP */
    uint32_t      started; /* ticks of the pending connect */
    unsigned char count;   /* of addresses, 0: not looked up */
    unsigned char at;      /* the address in use */
    unsigned char v6;      /* bit i: address i is IPv6 */
    unsigned char failed;  /* bit i: address i has failed for good */
    unsigned char round;   /* times that all addresses were gone through */
    unsigned char connecting;
    unsigned char asked; /* for the addresses of the other family, too */
    unsigned char ended; /* the stream, in order: lwIP says so only once */
    aws_i_sockets_address address[AWS_I_SOCKETS_ADDRESSES];
} aws_i_sockets;

typedef union aws_i_sockets_name {
    struct sockaddr     any;
    struct sockaddr_in  v4;
#if AWS_I_SOCKETS_V6
    struct sockaddr_in6 v6;
#endif
} aws_i_sockets_name;

/* An address as the system has it: its size. */
static socklen_t aws_i_sockets_named(const aws_i_sockets *c, unsigned at, unsigned port_number,
                                     aws_i_sockets_name *name)
{
    const aws_i_sockets_address *address = &c->address[at];
    unsigned char number[2] = {(unsigned char)(port_number >> 8), (unsigned char)port_number};

    memset(name, 0, sizeof *name);
#if AWS_I_SOCKETS_V6
    if ((c->v6 >> at & 1) != 0) {
        name->v6.sin6_family = AF_INET6;
        memcpy(&name->v6.sin6_port, number, 2);
        name->v6.sin6_scope_id = address->scope;
        memcpy(&name->v6.sin6_addr, address->bytes, 16);
        return (socklen_t)sizeof name->v6;
    }
#endif
    name->v4.sin_family = AF_INET;
    memcpy(&name->v4.sin_port, number, 2);
    memcpy(&name->v4.sin_addr, address->bytes, 4);
    return (socklen_t)sizeof name->v4;
}

/* -- Looking up -- */

#ifdef AWS_I_SOCKETS_DNS

#include "dns.h"

#else

/* Note an address of getaddrinfo's list if there is room. */
static void aws_i_sockets_note(aws_i_sockets *c, const aws_i_sockets_info *info)
{
    aws_i_sockets_address *address;
    aws_i_sockets_name name;

    if (c->count == AWS_I_SOCKETS_ADDRESSES)
        return;
    address = &c->address[c->count];
#if AWS_I_SOCKETS_V6
    if (info->ai_family == AF_INET6) {
        memcpy(&name.v6, info->ai_addr, sizeof name.v6);
        memcpy(address->bytes, &name.v6.sin6_addr, 16);
        address->scope = (uint32_t)name.v6.sin6_scope_id;
        c->v6 = (unsigned char)(c->v6 | 1u << c->count++);
        return;
    }
#endif
    memcpy(&name.v4, info->ai_addr, sizeof name.v4);
    memcpy(address->bytes, &name.v4.sin_addr, 4);
    c->count++;
}

/* The first entry, this one included, of a family. */
static const aws_i_sockets_info *aws_i_sockets_find(const aws_i_sockets_info *info, int family)
{
    while (info != NULL && info->ai_family != family)
        info = info->ai_next;
    return info;
}

/* Add the addresses of a host, families in turn (RFC 8305), the resolver's first one first.
 * getaddrinfo blocks, up to its own time-outs if no name server answers, and may allocate. Where
 * that can't be borne, replace open in a copy of the port: resolve in your own way, saying
 * AWS_AGAIN meanwhile, then call the port's own open with the address as text, for which
 * nothing is looked up (examples/cares.c). */
static int aws_i_sockets_lookup(aws_i_sockets *c, const char *host, int family)
{
    aws_i_sockets_info hints, *list = NULL;
    const aws_i_sockets_info *a, *b;
    int result, v6_first;

    memset(&hints, 0, sizeof hints);
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_protocol = IPPROTO_TCP;
    do {
        result = AWS_I_SOCKETS(getaddrinfo)(host, NULL, &hints, &list);
    } while (result == AWS_I_SOCKETS_IN_ERRNO && errno == EINTR);
    if (result != 0) {
        c->error = result == AWS_I_SOCKETS_IN_ERRNO ? errno : result;
        return AWS_ERR_LOOKUP;
    }
    v6_first = list != NULL && list->ai_family == AF_INET6;
    a = aws_i_sockets_find(list, v6_first ? AF_INET6 : AF_INET);
    b = aws_i_sockets_find(list, v6_first ? AF_INET : AF_INET6);
    while (a != NULL || b != NULL) {
        if (a != NULL) {
            aws_i_sockets_note(c, a);
            a = aws_i_sockets_find(a->ai_next, a->ai_family);
        }
        if (b != NULL) {
            aws_i_sockets_note(c, b);
            b = aws_i_sockets_find(b->ai_next, b->ai_family);
        }
    }
    AWS_I_SOCKETS(freeaddrinfo)(list);
    if (AWS_I_SOCKETS_ONE && host[strspn(host, "0123456789.:")] == '\0')
        c->asked = 1; /* an address as text */
    return c->count != 0 ? 0 : AWS_ERR_LOOKUP;
}

#endif

/* -- Connecting -- */

/* Keep the error of an address. That there is no route for a family says the least. */
static int aws_i_sockets_refused(aws_i_sockets *c, int error)
{
    if (c->error == 0 || !AWS_I_SOCKETS_NO_ROUTE(error))
        c->error = error;
    return AWS_ERR_CONNECT;
}

static void aws_i_sockets_drop(aws_i_sockets *c)
{
    /* Not again after EINTR: the descriptor is gone and may be another thread's by then. */
    if (c->socket != 0)
        (void)AWS_I_SOCKETS(close)(c->socket - 1);
    c->socket = 0;
    c->connecting = 0;
}

/* Begin to connect to the address in use: 0, AWS_AGAIN, AWS_ERR_CONNECT. */
static int aws_i_sockets_start(const aws_port *port, aws_i_sockets *c, unsigned port_number)
{
    aws_i_sockets_name name;
    socklen_t size = aws_i_sockets_named(c, c->at, port_number, &name);
    int on = 1, s = aws_i_sockets_new(name.any.sa_family);

    if (s < 0)
        return aws_i_sockets_refused(c, errno);
    c->socket = s + 1;
    /* Requests go out whole: waiting for more only delays them. */
    (void)AWS_I_SOCKETS(setsockopt)(s, IPPROTO_TCP, TCP_NODELAY, &on, (socklen_t)sizeof on);
    (void)AWS_I_SOCKETS(setsockopt)(s, SOL_SOCKET, SO_KEEPALIVE, &on, (socklen_t)sizeof on);
    if (AWS_I_SOCKETS(connect)(s, &name.any, size) == 0)
        return 0;
    if (errno != EINPROGRESS && errno != EINTR) /* interrupted: it goes on by itself */
        return aws_i_sockets_refused(c, errno);
    c->started = port->ticks(port);
    c->connecting = 1;
    return AWS_AGAIN;
}

/* How the pending connect stands: 0, AWS_AGAIN, AWS_ERR_CONNECT. */
static int aws_i_sockets_check(aws_i_sockets *c)
{
    socklen_t size;
    int error = 0, n = aws_i_sockets_ready(c->socket - 1, AWS_WAIT_WRITE, 0);

    if (n == 0 || (n < 0 && errno == EINTR))
        return AWS_AGAIN;
    size = (socklen_t)sizeof error;
    if (n < 0 || AWS_I_SOCKETS(getsockopt)(c->socket - 1, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    return error != 0 ? aws_i_sockets_refused(c, error) : 0;
}

/* The address to try after the one in use: the next that has not failed, this one if there is
 * no other, -1 if there is none. */
static int aws_i_sockets_next(const aws_i_sockets *c)
{
    unsigned i, at;

    for (i = 1; i <= c->count; i++) {
        at = (c->at + i) % c->count;
        if ((c->failed >> at & 1) == 0)
            return (int)at;
    }
    return -1;
}

/* Milliseconds until the pending connect makes room for another address. All that only were
 * slow come round again, with twice the patience each time. */
static uint32_t aws_i_sockets_patience(const aws_port *port, const aws_i_sockets *c)
{
    uint32_t patience = (uint32_t)AWS_I_SOCKETS_PATIENCE << c->round, past;

    if (aws_i_sockets_next(c) == (int)c->at && (!AWS_I_SOCKETS_ONE || c->asked))
        return UINT32_MAX;
    past = port->ticks(port) - c->started;
    return past < patience ? patience - past : 0;
}

/* As aws_i_sockets_next, but where that is all, the other family's addresses come, too. */
static int aws_i_sockets_other(aws_i_sockets *c, const char *host)
{
    int next = aws_i_sockets_next(c), error = c->error;

    if (AWS_I_SOCKETS_ONE && !c->asked && (next < 0 || next == (int)c->at)) {
        c->asked = 1;
        (void)aws_i_sockets_lookup(c, host, c->v6 != 0 ? AF_INET : AF_INET6);
        c->error = error;
        next = aws_i_sockets_next(c);
    }
    return next;
}

static int aws_i_sockets_open(const aws_port *port, void *connection, const char *host,
                              unsigned port_number, int tls)
{
    aws_i_sockets *c = (aws_i_sockets *)connection;
    int result, next;

    (void)tls;
    if (c->count == 0) {
        result = aws_i_sockets_lookup(c, host, AF_UNSPEC);
        if (result < 0)
            return result;
    }
    for (;;) {
        result = c->connecting ? aws_i_sockets_check(c) : aws_i_sockets_start(port, c, port_number);
        if (result == AWS_AGAIN && aws_i_sockets_patience(port, c) != 0)
            return AWS_AGAIN;
        if (result == 0) {
            c->connecting = 0;
            c->error = 0;
            return 0;
        }
        if (result != AWS_AGAIN)
            c->failed = (unsigned char)(c->failed | 1u << c->at);
        next = aws_i_sockets_other(c, host);
        if (AWS_I_SOCKETS_ONE && next == (int)c->at)
            continue; /* it was slow, but there is no other */
        aws_i_sockets_drop(c);
        if (next < 0)
            return AWS_ERR_CONNECT;
        if (next <= c->at && c->round < 4)
            c->round++;
        c->at = (unsigned char)next;
    }
}

static int aws_i_sockets_close(const aws_port *port, void *connection)
{
    (void)port;
    aws_i_sockets_drop((aws_i_sockets *)connection);
    return 0;
}

/* -- Sending, receiving, waiting -- */

/* What the errno of send or recv means, after it has been noted. */
static int aws_i_sockets_lost(aws_i_sockets *c, int error)
{
    if (error == EAGAIN || error == EWOULDBLOCK)
        return AWS_AGAIN;
    c->error = error;
    return AWS_ERR_CLOSED;
}

static int aws_i_sockets_send(const aws_port *port, void *connection, const void *data, size_t size)
{
    aws_i_sockets *c = (aws_i_sockets *)connection;
    ssize_t n;

    (void)port;
    if (size > INT_MAX)
        size = INT_MAX;
    do {
        n = AWS_I_SOCKETS(send)(c->socket - 1, data, size, AWS_I_SOCKETS_FLAGS);
    } while (n < 0 && errno == EINTR);
    if (n > 0)
        return (int)n;
    return n == 0 ? AWS_AGAIN : aws_i_sockets_lost(c, errno);
}

static int aws_i_sockets_recv(const aws_port *port, void *connection, void *data, size_t size)
{
    aws_i_sockets *c = (aws_i_sockets *)connection;
    ssize_t n;

    (void)port;
    if (c->ended)
        return 0;
    if (size > INT_MAX)
        size = INT_MAX;
    do {
        n = AWS_I_SOCKETS(recv)(c->socket - 1, data, size, 0);
    } while (n < 0 && errno == EINTR);
    c->ended = n == 0;
    return n >= 0 ? (int)n : aws_i_sockets_lost(c, errno);
}

/* An error or the end of the stream counts as ready: the next send or recv reports it. */
static int aws_i_sockets_wait(const aws_port *port, void *connection, unsigned what, uint32_t ms)
{
    aws_i_sockets *c = (aws_i_sockets *)connection;
    uint32_t start = port->ticks(port), past = 0, left;
    int watched = c->socket != 0 && (what & (AWS_WAIT_READ | AWS_WAIT_WRITE)) != 0;

    if (watched && c->connecting) {
        what = AWS_WAIT_WRITE;
        left = aws_i_sockets_patience(port, c);
        ms = left < ms ? left : ms;
    }
    for (;;) {
        left = ms - past;
        if (aws_i_sockets_ready(watched ? c->socket - 1 : -1, what,
                                left > INT_MAX ? INT_MAX : (int)left) >= 0)
            return 0;
        if (errno != EINTR) {
            c->error = errno;
            return AWS_ERR_CLOSED;
        }
        past = port->ticks(port) - start;
        if (past >= ms)
            return 0;
    }
}

static intptr_t aws_i_sockets_handle(const aws_port *port, void *connection, unsigned *what)
{
    aws_i_sockets *c = (aws_i_sockets *)connection;

    if (c->connecting && (*what & (AWS_WAIT_READ | AWS_WAIT_WRITE)) != 0) {
        *what = AWS_WAIT_WRITE;
        if (aws_i_sockets_patience(port, c) != UINT32_MAX)
            *what |= AWS_WAIT_TIMER; /* another address may be due before anything happens */
    }
    return c->socket - 1;
}

static int aws_i_sockets_error(const aws_port *port, void *connection)
{
    (void)port;
    return ((const aws_i_sockets *)connection)->error;
}

#endif /* AWS_I_SOCKETS_INCLUDED */

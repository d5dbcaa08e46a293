/* test_port.c - the contract of a port (port/README.md), run against a peer on loopback.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_port.c -lbearssl && ./a.out
 *
 * It tests port/posix.h, or your own port on a POSIX host:
 *
 *     cc -I. -DAWS_TEST_PORT_HEADER='"my_port.h"' -DAWS_TEST_PORT='my_port()' ...
 *
 * my_port.h is included after aws.h; the expression gives a const aws_port *. Built for Windows
 * (tests/windows.sh) it tests port/winsock.h; the peer is then this program on the POSIX host, as
 * `test_port --peer`.
 */
#ifdef _WIN32
#include "port_windows.h"
#else
#define _POSIX_C_SOURCE 200809L
#define _XOPEN_SOURCE 700 /* setitimer */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>
#endif
#include "check.h"

/* The port's look-up, so that a test can choose the addresses of a name. */
static const char *const *fake_addresses;

static int fake_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                            struct addrinfo **list)
{
    static struct addrinfo info[8];
    static struct sockaddr_in v4[8];
    static struct sockaddr_in6 v6[8];
    size_t i;

    if (fake_addresses == NULL)
        return getaddrinfo(host, service, hints, list);
    memset(info, 0, sizeof info);
    for (i = 0; i < 8 && fake_addresses[i] != NULL; i++) {
        if (inet_pton(AF_INET, fake_addresses[i], &v4[i].sin_addr) == 1) {
            info[i].ai_family = v4[i].sin_family = AF_INET;
            info[i].ai_addr = (struct sockaddr *)&v4[i];
        } else {
            inet_pton(AF_INET6, fake_addresses[i], &v6[i].sin6_addr);
            v6[i].sin6_scope_id = (uint32_t)i + 1;
            info[i].ai_family = v6[i].sin6_family = AF_INET6;
            info[i].ai_addr = (struct sockaddr *)&v6[i];
        }
        info[i].ai_next = i > 0 ? NULL : info[i].ai_next;
        if (i > 0)
            info[i - 1].ai_next = &info[i];
    }
    *list = info;
    return 0;
}

static void fake_freeaddrinfo(struct addrinfo *list)
{
    if (fake_addresses == NULL)
        freeaddrinfo(list);
}

#ifndef _WIN32
/* System calls that fail, so many times, with an errno. */
static int fault_errno, fault_left;

static int faulty(void)
{
    if (fault_left == 0)
        return 0;
    fault_left--;
    errno = fault_errno;
    return 1;
}

static int fake_poll(struct pollfd *p, nfds_t count, int ms)
{
    return faulty() ? -1 : poll(p, count, ms);
}

static int fake_socket(int family, int type, int protocol)
{
    return faulty() ? -1 : socket(family, type, protocol);
}

#define poll(p, count, ms) fake_poll(p, count, ms)
#define socket(family, type, protocol) fake_socket(family, type, protocol)
#ifdef __linux__
#include <sys/random.h>

static ssize_t fake_getrandom(void *to, size_t size, unsigned flags)
{
    return faulty() ? -1 : getrandom(to, size > 100 ? 100 : size, flags);
}

#define getrandom(to, size, flags) fake_getrandom(to, size, flags)
#endif
#endif
#define getaddrinfo fake_getaddrinfo
#define freeaddrinfo fake_freeaddrinfo
#define AWS_IMPLEMENTATION
#include "../aws.h"
#undef getaddrinfo
#undef freeaddrinfo
#undef poll
#undef socket
#undef getrandom

#ifdef AWS_TEST_PORT_HEADER
#include AWS_TEST_PORT_HEADER
#else
#define TEST_DEFAULT /* the port that comes along, with what else it has */
#ifndef _WIN32
#define TEST_POSIX
#endif
#endif
#ifndef AWS_TEST_PORT
#define AWS_TEST_PORT AWS_I_DEFAULT_PORT()
#endif

/* ---- The peer: another process with plain sockets ---- */

/* A connection begins with a command and a count of 4 bytes, big-endian. */
enum {
    PEER_ECHO = 'e',  /* send back all until the end of the stream */
    PEER_CLOSE = 'c', /* close in order */
    PEER_RESET = 'r',
    PEER_GIVE = 'g', /* send so many bytes of the pattern, close */
    PEER_TAKE = 't', /* once let go, take so many bytes, send 4 bytes of their sum, close */
    PEER_GO = 'o',   /* let the one that is to take go on, close */
    PEER_LATE = 'l', /* after so many ms send one byte, then stay silent */
    PEER_COMMAND = 5
};
enum { BIG = 16 << 20 };

static unsigned char pattern(uint32_t i)
{
    return (unsigned char)(i * 31u + (i >> 8) * 7u + (i >> 16));
}

static uint32_t sum(uint32_t h, const unsigned char *data, size_t size)
{
    while (size-- > 0)
        h = (h ^ *data++) * 16777619u;
    return h;
}

#ifndef _WIN32
static pid_t peer;
static int peer_go[2]; /* a pipe: a byte in it starts PEER_TAKE */
static unsigned peer_port, peer_port6; /* peer_port6: 0 without IPv6 */
static unsigned refused_port;          /* bound, but nobody listens */

static void nap(int ms)
{
    (void)poll(NULL, 0, ms);
}

static int peer_write(int s, const unsigned char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(s, data, size);

        if (n <= 0)
            return -1;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static void peer_give(int s, uint32_t count)
{
    static unsigned char piece[65536];
    uint32_t at = 0, n, i;

    while (at < count) {
        n = count - at < sizeof piece ? count - at : (uint32_t)sizeof piece;
        for (i = 0; i < n; i++)
            piece[i] = pattern(at + i);
        if (peer_write(s, piece, n) < 0)
            return;
        at += n;
    }
}

static void peer_take(int s, uint32_t count)
{
    static unsigned char piece[65536];
    uint32_t h = 2166136261u;
    ssize_t n;

    if (read(peer_go[0], piece, 1) != 1) /* the buffers fill up meanwhile */
        return;
    while (count > 0 && (n = read(s, piece, sizeof piece)) > 0) {
        h = sum(h, piece, (size_t)n);
        count -= (uint32_t)n;
    }
    piece[0] = (unsigned char)(h >> 24);
    piece[1] = (unsigned char)(h >> 16);
    piece[2] = (unsigned char)(h >> 8);
    piece[3] = (unsigned char)h;
    (void)peer_write(s, piece, 4);
}

static void peer_serve(int s)
{
    static unsigned char data[65536];
    struct linger hard;
    size_t used = 0;
    uint32_t count;
    ssize_t n;

    while (used < PEER_COMMAND) {
        n = read(s, data + used, PEER_COMMAND - used);
        if (n <= 0)
            return;
        used += (size_t)n;
    }
    count = (uint32_t)data[1] << 24 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 8 | data[4];
    switch (data[0]) {
    case PEER_ECHO:
        while ((n = read(s, data, sizeof data)) > 0 && peer_write(s, data, (size_t)n) == 0)
            ;
        break;
    case PEER_RESET:
        hard.l_onoff = 1;
        hard.l_linger = 0;
        (void)setsockopt(s, SOL_SOCKET, SO_LINGER, &hard, (socklen_t)sizeof hard);
        break;
    case PEER_GIVE:
        peer_give(s, count);
        break;
    case PEER_GO:
        if (write(peer_go[1], "", 1) != 1)
            return;
        break;
    case PEER_TAKE:
        peer_take(s, count);
        break;
    case PEER_LATE:
        nap((int)count);
        (void)peer_write(s, data, 1);
        while (read(s, data, sizeof data) > 0)
            ;
        break;
    default:
        break;
    }
    (void)close(s);
}

/* Accept until the test's end of the pipe is closed: each connection has its own process. */
static void peer_run(const int *listeners, int life)
{
    struct pollfd p[3];
    int i, s;

    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        for (i = 0; i < 3; i++) {
            p[i].fd = i < 2 ? listeners[i] : life;
            p[i].events = POLLIN;
            p[i].revents = 0;
        }
        if (poll(p, 3, -1) < 0 && errno != EINTR)
            break;
        if (p[2].revents != 0)
            break;
        for (i = 0; i < 2; i++) {
            if (p[i].revents == 0)
                continue;
            s = accept(listeners[i], NULL, NULL);
            if (s >= 0 && fork() == 0) {
                (void)close(life);
                peer_serve(s);
                _exit(0);
            }
            if (s >= 0)
                (void)close(s);
        }
    }
    _exit(0);
}

static void end_socket(int s)
{
    (void)close(s);
}

/* A socket bound to an address and a port of 0 (any) or given; -1 if that can't be had. */
static int bound(const char *address, unsigned *port_number)
{
    union {
        struct sockaddr     any;
        struct sockaddr_in  v4;
        struct sockaddr_in6 v6;
    } name;
    socklen_t size = (socklen_t)sizeof name.v4;
    int s, v6 = strchr(address, ':') != NULL;

    memset(&name, 0, sizeof name);
    if (v6) {
        size = (socklen_t)sizeof name.v6;
        name.v6.sin6_family = AF_INET6;
        name.v6.sin6_port = htons((uint16_t)*port_number);
        inet_pton(AF_INET6, address, &name.v6.sin6_addr);
    } else {
        name.v4.sin_family = AF_INET;
        name.v4.sin_port = htons((uint16_t)*port_number);
        inet_pton(AF_INET, address, &name.v4.sin_addr);
    }
    s = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    if (s < 0)
        return -1;
    if (bind(s, &name.any, size) < 0 || getsockname(s, &name.any, &size) < 0) {
        end_socket(s);
        return -1;
    }
    *port_number = ntohs(v6 ? name.v6.sin6_port : name.v4.sin_port);
    return s;
}

static void peer_listen(int listeners[2])
{
    listeners[0] = bound("127.0.0.1", &peer_port);
    listeners[1] = bound("::1", &peer_port6);
    if (listeners[0] < 0 || listen(listeners[0], 64) < 0 || pipe(peer_go) < 0 ||
        bound("127.0.0.1", &refused_port) < 0) {
        perror("test_port: peer");
        exit(2);
    }
    if (listeners[1] >= 0 && listen(listeners[1], 64) < 0)
        peer_port6 = 0;
}

static void peer_begin(void)
{
    int listeners[2], life[2];

    peer_listen(listeners);
    if (pipe(life) < 0)
        exit(2);
    peer = fork();
    if (peer == 0) {
        (void)close(life[1]);
        peer_run(listeners, life[0]);
    }
    (void)close(life[0]);
    (void)close(listeners[0]);
    if (listeners[1] >= 0)
        (void)close(listeners[1]);
}

/* A listener that doesn't answer: its queue is full. Returns the sockets in s[4], 0 if it can't
 * be had. */
static int black_hole(const char *address, unsigned port_number, int s[4])
{
    union {
        struct sockaddr    any;
        struct sockaddr_in v4;
    } name;
    int i;

    memset(&name, 0, sizeof name);
    name.v4.sin_family = AF_INET;
    name.v4.sin_port = htons((uint16_t)port_number);
    inet_pton(AF_INET, address, &name.v4.sin_addr);
    s[0] = bound(address, &port_number);
    if (s[0] < 0 || listen(s[0], 0) < 0)
        return 0;
    for (i = 1; i < 4; i++) {
        s[i] = socket(AF_INET, SOCK_STREAM, 0);
        (void)fcntl(s[i], F_SETFL, O_NONBLOCK);
        (void)connect(s[i], &name.any, (socklen_t)sizeof name.v4);
        nap(20);
    }
    /* The last one must still be pending. */
    return send(s[3], "", 1, 0) < 0;
}

/* For a test on another system: the ports, and whether there are silent addresses, to standard
 * output; until standard input ends. */
static void peer_alone(void)
{
    int listeners[2], holes[2][4], silent;

    peer_listen(listeners);
    silent = black_hole("127.0.0.7", peer_port, holes[0]) &&
             black_hole("127.0.0.6", peer_port, holes[1]);
    printf("%u %u %u %d\n", peer_port, peer_port6, refused_port, silent);
    fflush(stdout);
    peer_run(listeners, 0);
}
#endif /* _WIN32 */

/* ---- A connection under test, between red zones ---- */

enum {
    ZONE = 64,
    LIMIT = 60000, /* ms for anything: a busy machine can stand still */
    SOON = 30000,  /* ms of what doesn't wait for its time to run out, which is AGES */
    AGES = 100000
};

typedef struct connection {
    unsigned char *block;
    void          *area;
    unsigned       agains;
} connection;

static const aws_port *port;

#ifndef _WIN32
static volatile sig_atomic_t pipes, alarms, storm;

static void on_signal(int number)
{
    static const struct itimerval once = {{0, 0}, {0, 2000}};

    if (number == SIGPIPE)
        pipes = 1;
    else
        alarms = alarms + 1;
    if (number == SIGALRM && storm)
        setitimer(ITIMER_REAL, &once, NULL); /* not periodic: valgrind would only handle them */
}

static uint32_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)((uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u);
}

#ifdef TEST_DEFAULT
static void set_variable(const char *name, const char *value)
{
    if (value != NULL)
        setenv(name, value, 1);
    else
        unsetenv(name);
}
#endif

/* The lowest file descriptor that is free: none may stay open. */
static int open_files(void)
{
    int lowest = dup(0);

    (void)close(lowest);
    return lowest;
}
#endif

static void link_new(connection *l)
{
    size_t size = port->connection_size;

    l->block = (unsigned char *)malloc(size + 2 * ZONE);
    if (l->block == NULL)
        exit(2);
    memset(l->block, 0xa5, size + 2 * ZONE);
    memset(l->block + ZONE, 0, size);
    l->area = l->block + ZONE;
    l->agains = 0;
}

static void link_wait(connection *l, unsigned what, uint32_t ms)
{
    l->agains++;
    if (port->wait != NULL)
        CHECK_INT(port->wait(port, l->area, what, ms), 0);
    else
        nap(1);
}

static int link_open(connection *l, const char *host, unsigned port_number)
{
    uint32_t start = clock_ms();
    int result;

    do {
        result = port->open(port, l->area, host, port_number, 0);
        if (result == AWS_AGAIN)
            link_wait(l, AWS_WAIT_WRITE, 1000);
    } while (result == AWS_AGAIN && clock_ms() - start < LIMIT);
    return result;
}

static void link_close(connection *l)
{
    uint32_t start = clock_ms();
    int result;

    do {
        result = port->close(port, l->area);
    } while (result == AWS_AGAIN && clock_ms() - start < LIMIT);
    CHECK_INT(result, 0);
}

static void link_free(connection *l)
{
    unsigned char zone[ZONE];

    link_close(l);
    memset(zone, 0xa5, sizeof zone);
    CHECK_MEM(l->block, zone, ZONE);
    CHECK_MEM(l->block + ZONE + port->connection_size, zone, ZONE);
    free(l->block);
}

/* Send all: 0 or the error. */
static int link_send(connection *l, const void *data, size_t size)
{
    const unsigned char *from = (const unsigned char *)data;
    uint32_t start = clock_ms();
    int n;

    while (size > 0) {
        /* At most 256 KiB: valgrind looks at all of it, and must be faster than the signals. */
        n = port->send(port, l->area, from, size < 262144 ? size : 262144);
        if (n == AWS_AGAIN && clock_ms() - start < LIMIT) {
            link_wait(l, AWS_WAIT_WRITE, 1000);
            continue;
        }
        if (n <= 0 || (size_t)n > size)
            return n < 0 ? n : 1;
        from += n;
        size -= (size_t)n;
    }
    return 0;
}

/* Receive something: the count, 0 at the end, or the error. */
static int link_some(connection *l, void *data, size_t size)
{
    uint32_t start = clock_ms();
    int n;

    for (;;) {
        n = port->recv(port, l->area, data, size);
        if (n != AWS_AGAIN || clock_ms() - start >= LIMIT)
            return n;
        link_wait(l, AWS_WAIT_READ, 1000);
    }
}

/* Receive all of size bytes: 0, or what came instead. */
static int link_recv(connection *l, void *data, size_t size)
{
    unsigned char *to = (unsigned char *)data;
    int n;

    while (size > 0) {
        n = link_some(l, to, size);
        if (n <= 0 || (size_t)n > size)
            return n < 0 ? n : 1;
        to += n;
        size -= (size_t)n;
    }
    return 0;
}

/* Connect to the peer and tell it what to do. */
static int link_peer(connection *l, int command, uint32_t count)
{
    unsigned char head[PEER_COMMAND];

    link_new(l);
    head[0] = (unsigned char)command;
    head[1] = (unsigned char)(count >> 24);
    head[2] = (unsigned char)(count >> 16);
    head[3] = (unsigned char)(count >> 8);
    head[4] = (unsigned char)count;
    return CHECK_INT(link_open(l, "127.0.0.1", peer_port), 0) &&
           CHECK_INT(link_send(l, head, sizeof head), 0);
}

/* ---- The contract ---- */

static void test_struct(void)
{
    CHECK(port->open != NULL && port->send != NULL && port->recv != NULL && port->close != NULL);
    CHECK(port->now != NULL && port->ticks != NULL && port->entropy != NULL);
    CHECK((port->lock != NULL) == (port->unlock != NULL));
    if (port->lock != NULL && port->unlock != NULL) {
        port->lock(port);
        port->unlock(port);
        port->lock(port);
        port->unlock(port);
    }
}

static void test_clock(void)
{
    uint32_t before, after, past;
    int64_t now = port->now(port), now2;
    int i, back = 0;

    CHECK(now == 0 || now >= 1577836800); /* 2020 */
    before = port->ticks(port);
    for (i = 0; i < 1000; i++) {
        after = port->ticks(port);
        if (after - before > 60000)
            back = 1;
        before = after;
    }
    CHECK(!back);
    nap(100);
    past = port->ticks(port) - before;
    CHECK(past >= 90 && past < SOON);
    now2 = port->now(port);
    CHECK(now == 0 ? now2 >= 0 : now2 >= now && now2 < now + 60);
}

static void test_entropy(void)
{
    static unsigned char a[1000 + 2], b[1000], none[1000];
    size_t sizes[] = {1, 16, 32, 33, 256, 257, 1000}, i, k, ones = 0;

    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(a, 0xa5, sizeof a);
        memset(b, 0, sizeof b);
        CHECK_INT(port->entropy(port, a + 1, sizes[i]), 0);
        CHECK_INT(port->entropy(port, b, sizes[i]), 0);
        CHECK_INT(a[0], 0xa5);
        CHECK_INT(a[1 + sizes[i]], 0xa5);
        if (sizes[i] >= 16) {
            CHECK(memcmp(a + 1, b, sizes[i]) != 0);
            CHECK(memcmp(b, none, sizes[i]) != 0);
            CHECK(memcmp(b + sizes[i] - 8, none, 8) != 0); /* filled up to its end */
        }
    }
    for (i = 0; i < 1000; i++) {
        for (k = 0; k < 8; k++)
            ones += (unsigned)b[i] >> k & 1u;
    }
    CHECK(ones > 3500 && ones < 4500); /* 11 standard deviations */
}

static void test_env(void)
{
    if (port->env == NULL)
        return;
    CHECK(port->env(port, "AWS_TEST_PORT_IS_NOT_SET") == NULL);
#ifdef TEST_DEFAULT
    set_variable("AWS_TEST_PORT_IS_SET", "some value");
    CHECK_STR(port->env(port, "AWS_TEST_PORT_IS_SET"), "some value");
#endif
}

static void test_echo(const char *host, unsigned port_number)
{
    unsigned char head[PEER_COMMAND] = {PEER_ECHO, 0, 0, 0, 0}, back[12];
    unsigned what = AWS_WAIT_READ;
    connection l;
    int i;

    link_new(&l);
    if (!CHECK_INT(link_open(&l, host, port_number), 0))
        fprintf(stderr, "host %s\n", host);
    if (port->error != NULL)
        CHECK_INT(port->error(port, l.area), 0);
    CHECK_INT(link_send(&l, head, sizeof head), 0);
    for (i = 0; i < 50; i++) {
        CHECK_INT(link_send(&l, "hello, world", 12), 0);
        memset(back, 0, sizeof back);
        CHECK_INT(link_recv(&l, back, 12), 0);
        CHECK_MEM(back, "hello, world", 12);
    }
    if (port->handle != NULL) {
        CHECK(port->handle(port, l.area, &what) >= -1);
        CHECK((what & AWS_WAIT_READ) != 0 && (what & ~7u) == 0);
    }
    link_free(&l);
}

/* A failed open is closed too, and the area, zeroed, serves again. */
static void test_refused(void)
{
    unsigned char byte = PEER_CLOSE;
    connection l;

    link_new(&l);
    CHECK_INT(link_open(&l, "127.0.0.1", refused_port), AWS_ERR_CONNECT);
    if (port->error != NULL)
        CHECK(port->error(port, l.area) != 0);
    link_close(&l);
    memset(l.area, 0, port->connection_size);
    CHECK_INT(link_open(&l, "127.0.0.1", peer_port), 0);
    CHECK_INT(link_send(&l, &byte, 1), 0);
    link_free(&l);
}

static void test_unknown(void)
{
    static const char *const names[] = {"name.invalid", "a.b.c.unknown.invalid"};
    size_t i;
    connection l;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        link_new(&l);
        CHECK_INT(link_open(&l, names[i], 80), AWS_ERR_LOOKUP);
        link_free(&l);
    }
}

/* The end of the stream is 0, again and again, after all that came before it. */
static void test_end(void)
{
    unsigned char data[4];
    connection l;

    if (link_peer(&l, PEER_CLOSE, 0)) {
        CHECK_INT(link_some(&l, data, sizeof data), 0);
        CHECK_INT(link_some(&l, data, sizeof data), 0);
    }
    link_free(&l);
    if (link_peer(&l, PEER_GIVE, 3)) {
        CHECK_INT(link_recv(&l, data, 1), 0);
        CHECK_INT(link_recv(&l, data + 1, 2), 0);
        CHECK_INT(data[2], pattern(2));
        CHECK_INT(link_some(&l, data, sizeof data), 0);
    }
    link_free(&l);
}

/* A reset is an error, not the end of the stream, and raises no signal. */
static void test_reset(void)
{
    unsigned char data[4];
    int result = 0;
    uint32_t start;
    connection l;

    if (link_peer(&l, PEER_RESET, 0)) {
        CHECK_INT(link_some(&l, data, sizeof data), AWS_ERR_CLOSED);
        if (port->error != NULL)
            CHECK(port->error(port, l.area) != 0);
    }
    link_free(&l);
    if (link_peer(&l, PEER_RESET, 0)) {
        for (start = clock_ms(); clock_ms() - start < LIMIT && result == 0;) {
            result = link_send(&l, "x", 1);
            nap(10);
        }
        CHECK_INT(result, AWS_ERR_CLOSED);
        CHECK_INT(link_send(&l, "x", 1), AWS_ERR_CLOSED);
    }
    link_free(&l);
}

/* Send to a peer that takes nothing until AWS_AGAIN comes, as it must: the bytes sent. */
static size_t link_fill(connection *l, const unsigned char *data, size_t size)
{
    size_t sent = 0, n;
    int result = 0;

    while (sent < size) {
        n = size - sent < 262144 ? size - sent : 262144;
        result = port->send(port, l->area, data + sent, n);
        if (result <= 0)
            break;
        sent += (size_t)result;
    }
    CHECK_INT(result, AWS_AGAIN);
    return sent;
}

static void test_big_send(void)
{
    unsigned char *data = (unsigned char *)malloc(BIG), back[4] = {0, 0, 0, 0};
    uint32_t i, h;
    size_t sent;
    connection l, go;

    if (data == NULL)
        exit(2);
    for (i = 0; i < BIG; i++)
        data[i] = pattern(i);
    h = sum(2166136261u, data, BIG);
    if (link_peer(&l, PEER_TAKE, BIG)) {
        sent = (port->flags & AWS_PORT_BLOCKING) != 0 ? 0 : link_fill(&l, data, BIG);
        (void)link_peer(&go, PEER_GO, 0);
        link_free(&go);
        CHECK_INT(link_send(&l, data + sent, BIG - sent), 0);
        CHECK_INT(link_recv(&l, back, 4), 0);
        CHECK_INT((uint32_t)back[0] << 24 | (uint32_t)back[1] << 16 | (uint32_t)back[2] << 8 |
                      back[3],
                  h);
    }
    link_free(&l);
    free(data);
}

/* In pieces of 1, 2, 3 ... bytes. */
static void test_big_recv(void)
{
    static unsigned char data[4099];
    uint32_t at = 0, wrong = 0;
    size_t size = 1;
    connection l;
    int n = 0, i;

    if (link_peer(&l, PEER_GIVE, BIG)) {
        while ((n = link_some(&l, data, size)) > 0) {
            for (i = 0; i < n; i++)
                wrong += data[i] != pattern(at + (uint32_t)i);
            at += (uint32_t)n;
            size = size % sizeof data + 1;
        }
    }
    CHECK_INT(n, 0);
    CHECK_INT(at, BIG);
    CHECK_INT(wrong, 0);
    link_free(&l);
}

/* Send and receive at the same time. */
static void test_both_ways(uint32_t total)
{
    static unsigned char out[8192], in[8192];
    uint32_t sent = 0, got = 0, wrong = 0, i, start = clock_ms();
    int n, moved, failed = 0;
    connection l;

    if (link_peer(&l, PEER_ECHO, 0)) {
        while (got < total && !failed && clock_ms() - start < 2 * LIMIT) {
            moved = 0;
            if (sent < total && sent - got < 65536) {
                for (i = 0; i < sizeof out; i++)
                    out[i] = pattern(sent + i);
                i = total - sent < sizeof out ? total - sent : (uint32_t)sizeof out;
                n = port->send(port, l.area, out, i);
                moved |= n > 0;
                failed |= n <= 0 && n != AWS_AGAIN;
                sent += n > 0 ? (uint32_t)n : 0;
            }
            n = port->recv(port, l.area, in, sizeof in);
            moved |= n > 0;
            failed |= n <= 0 && n != AWS_AGAIN;
            for (i = 0; n > 0 && i < (uint32_t)n; i++)
                wrong += in[i] != pattern(got + i);
            got += n > 0 ? (uint32_t)n : 0;
            if (!moved)
                link_wait(&l, AWS_WAIT_READ | (sent - got < 65536 && sent < total ? 2u : 0u), 1000);
        }
        CHECK(!failed);
        CHECK_INT(got, total);
        CHECK_INT(wrong, 0);
    }
    link_free(&l);
}

/* Close is allowed at any time: before open, while it is pending, and again. */
static void test_close(void)
{
    connection l;
    int n, i;

    link_new(&l);
    link_close(&l);
    link_free(&l);
    for (i = 0; i < 20; i++) {
        link_new(&l);
        n = port->open(port, l.area, "127.0.0.1", peer_port, 0);
        CHECK(n == 0 || n == AWS_AGAIN);
        link_close(&l);
        link_free(&l);
    }
}

/* Milliseconds of a wait. */
static uint32_t waited(connection *l, unsigned what, uint32_t ms)
{
    uint32_t start = clock_ms();

    CHECK_INT(port->wait(port, l->area, what, ms), 0);
    return clock_ms() - start;
}

static void test_wait(void)
{
    static const unsigned char late[PEER_COMMAND] = {PEER_LATE, 0, 0, 1, 44}; /* 300 ms */
    unsigned char data[4];
    uint32_t ms;
    connection l;

    if (port->wait == NULL)
        return;
    link_new(&l); /* a back-off before anything was opened */
    ms = waited(&l, AWS_WAIT_TIMER, 100);
    CHECK(ms >= 90 && ms < SOON);
    link_free(&l);
    link_new(&l);
    if (CHECK_INT(link_open(&l, "127.0.0.1", peer_port), 0)) {
        CHECK(waited(&l, AWS_WAIT_WRITE, AGES) < SOON);
        CHECK(waited(&l, AWS_WAIT_READ, 0) < SOON);
        ms = waited(&l, AWS_WAIT_READ, 200); /* nothing comes: the peer has no command */
        CHECK(ms >= 190 && ms < SOON);
        CHECK_INT(link_send(&l, late, sizeof late), 0);
        CHECK(waited(&l, AWS_WAIT_READ, AGES) < SOON); /* the byte comes */
        ms = waited(&l, AWS_WAIT_TIMER, 100); /* it is there, but the timer was asked for */
        CHECK(ms >= 90 && ms < SOON);
        CHECK_INT(link_some(&l, data, sizeof data), 1);
    }
    link_free(&l);
    if (link_peer(&l, PEER_CLOSE, 0)) {
        CHECK(waited(&l, AWS_WAIT_READ, AGES) < SOON); /* the end counts as data */
        ms = waited(&l, AWS_WAIT_TIMER, 100);
        CHECK(ms >= 90 && ms < SOON);
        CHECK_INT(link_some(&l, data, sizeof data), 0);
    }
    link_free(&l);
    if (link_peer(&l, PEER_RESET, 0)) {
        CHECK(waited(&l, AWS_WAIT_READ, AGES) < SOON);
        CHECK_INT(link_some(&l, data, sizeof data), AWS_ERR_CLOSED);
    }
    link_free(&l);
}

static void test_many(void)
{
    enum { MANY = 8 };
    connection l[MANY];
    unsigned char out[64], in[64];
    int i, k, fine[MANY];

    for (i = 0; i < MANY; i++)
        fine[i] = link_peer(&l[i], PEER_ECHO, 0);
    for (k = 0; k < 20; k++) {
        for (i = 0; i < MANY; i++) {
            memset(out, i * 16 + k, sizeof out);
            if (fine[i])
                CHECK_INT(link_send(&l[i], out, sizeof out), 0);
        }
        for (i = MANY - 1; i >= 0; i--) {
            memset(out, i * 16 + k, sizeof out);
            if (fine[i] && CHECK_INT(link_recv(&l[i], in, sizeof in), 0))
                CHECK_MEM(in, out, sizeof out);
        }
    }
    for (i = 0; i < MANY; i++)
        link_free(&l[i]);
}

#ifndef _WIN32
/* A storm of signals, each of which interrupts a system call. */
static void test_signals(void)
{
    uint32_t ms;
    connection l;

    storm = 1;
    raise(SIGALRM);
    test_echo("127.0.0.1", peer_port);
    test_echo("localhost", peer_port);
    test_both_ways(1 << 20);
    test_big_send();
    test_refused();
    test_end();
    test_entropy();
    if (port->wait != NULL && link_peer(&l, PEER_ECHO, 0)) { /* it waits for us */
        ms = waited(&l, AWS_WAIT_READ, 300);
        CHECK(ms >= 290 && ms < SOON);
        ms = waited(&l, AWS_WAIT_TIMER, 300);
        CHECK(ms >= 290 && ms < SOON);
        link_free(&l);
    }
    for (ms = clock_ms(); alarms <= 100 && clock_ms() - ms < LIMIT;) /* a busy machine has fewer */
        test_echo("127.0.0.1", peer_port);
    storm = 0;
    CHECK(alarms > 100);
}
#endif

/* ---- The port that comes along, alone: several addresses, and files of certificates ---- */

#ifdef TEST_DEFAULT

#ifdef _WIN32
enum { REFUSED = WSAECONNREFUSED };
#define port_wait aws_winsock_wait
#define port_read aws_winsock_read
#else
enum { REFUSED = ECONNREFUSED };
#define port_wait aws_posix_wait
#define port_read aws_posix_read

/* A file's name that nobody else has. */
static const char *scratch_file(void)
{
    static char path[] = "/tmp/test_port_XXXXXX";
    int file;

    strcpy(path + strlen(path) - 6, "XXXXXX");
    file = mkstemp(path);
    CHECK(file >= 0);
    (void)close(file);
    return path;
}

static FILE *open_file(const char *path)
{
    return fopen(path, "wb");
}

static void remove_file(const char *path)
{
    (void)unlink(path);
}
#endif

static void write_file(const char *path, const char *text)
{
    FILE *file = open_file(path);

    if (!CHECK(file != NULL))
        return;
    fputs(text, file);
    fclose(file);
}

static uint32_t skew;   /* time that has passed in a moment */
static uint32_t frozen; /* if not 0: no other time passes */

static uint32_t skewed_ticks(const aws_port *p)
{
    (void)p;
    return (frozen ? frozen : AWS_I_DEFAULT_PORT()->ticks(AWS_I_DEFAULT_PORT())) + skew;
}

static void test_order(void)
{
    static const char *const seven[] = {"fe80::1", "::2",       "::3",       "127.0.0.1",
                                        "::4",     "127.0.0.2", "127.0.0.3", NULL};
    static const char *const four[] = {"1.2.3.4", "::1", "1.2.3.5", "1.2.3.6", NULL};
    aws_i_sockets c;

    memset(&c, 0, sizeof c);
    fake_addresses = seven;
    CHECK_INT(aws_i_sockets_lookup(&c, "host", AF_UNSPEC), 0);
    CHECK_INT(c.count, 5);
    CHECK_INT(c.v6, 1 | 4 | 16);
    CHECK_INT(c.address[0].scope, 1);
    CHECK_INT(c.address[0].bytes[0], 0xfe);
    CHECK_INT(c.address[1].bytes[3], 1);
    CHECK_INT(c.address[2].bytes[15], 2);
    CHECK_INT(c.address[3].bytes[3], 2);
    CHECK_INT(c.address[4].bytes[15], 3);
    memset(&c, 0, sizeof c);
    fake_addresses = four;
    CHECK_INT(aws_i_sockets_lookup(&c, "host", AF_UNSPEC), 0);
    CHECK_INT(c.count, 4);
    CHECK_INT(c.v6, 2);
    CHECK_INT(c.address[2].bytes[3], 5);
    memset(&c, 0, sizeof c);
    fake_addresses = seven + 7; /* none at all */
    CHECK_INT(aws_i_sockets_lookup(&c, "host", AF_UNSPEC), AWS_ERR_LOOKUP);
    fake_addresses = NULL;
}

/* Refused addresses are passed over at once. */
static void test_failover(void)
{
    static const char *const live[] = {"127.0.0.9", "::1", "127.0.0.8", "127.0.0.1", NULL};
    static const char *const dead[] = {"127.0.0.9", "127.0.0.8", "255.255.255.255", NULL};
    uint32_t start, took = UINT32_MAX;
    connection l;
    int i;

    for (i = 0; i < 10 && took >= 2000; i++) { /* a busy machine may take longer, but not always */
        start = clock_ms();
        fake_addresses = live;
        test_echo("host", peer_port);
        fake_addresses = dead;
        link_new(&l);
        CHECK_INT(link_open(&l, "host", peer_port), AWS_ERR_CONNECT);
        CHECK_INT(port->error(port, l.area), REFUSED); /* not: network unreachable */
        link_free(&l);
        fake_addresses = NULL;
        took = clock_ms() - start;
    }
    CHECK(took < 2000);
}

/* A silent first address doesn't use up the time: the second one is tried after 2.5 s, also by
 * a program that waits for a minute, and across the wrap of the ticks. */
static void test_silent(void)
{
    static const char *const list[] = {"127.0.0.7", "127.0.0.1", NULL};
    unsigned what = AWS_WAIT_WRITE;
    int s[4], i, found = black_hole("127.0.0.7", peer_port, s);
    connection l;

    if (!found) {
        printf("test_port: no silent address here, not tested\n");
        return;
    }
    skew = (uint32_t)0 - clock_ms() - 100;
    fake_addresses = list;
    link_new(&l);
    CHECK_INT(port->open(port, l.area, "host", peer_port, 0), AWS_AGAIN);
    CHECK(port->handle(port, l.area, &what) >= 0);
    CHECK_INT(what, AWS_WAIT_WRITE | AWS_WAIT_TIMER);
    what = AWS_WAIT_TIMER;
    (void)port->handle(port, l.area, &what);
    CHECK_INT(what, AWS_WAIT_TIMER);
    skew += 2300;
    CHECK(waited(&l, AWS_WAIT_WRITE, AGES) < SOON);
    skew += 100;
    CHECK_INT(link_open(&l, "host", peer_port), 0);
    CHECK_INT(((aws_i_sockets *)l.area)->at, 1);
    CHECK_INT(link_send(&l, "c\0\0\0\0", 5), 0);
    link_free(&l);
    skew = 0;
    fake_addresses = NULL;
    for (i = 0; i < 4; i++)
        end_socket(s[i]);
}

/* Addresses that are merely slow come round again, with more patience; one that is left alone
 * has all the time there is. */
static void test_patience(void)
{
    static const char *const slow[] = {"127.0.0.7", "127.0.0.6", NULL};
    static const char *const mixed[] = {"127.0.0.7", "127.0.0.9", NULL};
    static const uint32_t turns[] = {2500, 2500, 5000, 5000, 10000, 10000};
    int s[4], t[4];
    unsigned i;
    connection l;

    if (!black_hole("127.0.0.7", peer_port, s) || !black_hole("127.0.0.6", peer_port, t))
        return;
    frozen = clock_ms() | 1;
    fake_addresses = slow;
    link_new(&l);
    for (i = 0; i < 6; i++) {
        CHECK_INT(port->open(port, l.area, "host", peer_port, 0), AWS_AGAIN);
        CHECK_INT(((aws_i_sockets *)l.area)->at, i & 1);
        skew += turns[i] - 500;
        CHECK_INT(port->open(port, l.area, "host", peer_port, 0), AWS_AGAIN);
        CHECK_INT(((aws_i_sockets *)l.area)->at, i & 1);
        skew += 501;
    }
    link_free(&l);
    fake_addresses = mixed;
    link_new(&l);
    CHECK_INT(port->open(port, l.area, "host", peer_port, 0), AWS_AGAIN);
    skew += 2501; /* the other one refuses at once or soon */
    for (i = 0; i < 3000 && ((aws_i_sockets *)l.area)->failed == 0; i++) {
        CHECK_INT(port->open(port, l.area, "host", peer_port, 0), AWS_AGAIN);
        nap(10);
    }
    CHECK_INT(port->open(port, l.area, "host", peer_port, 0), AWS_AGAIN);
    CHECK_INT(((aws_i_sockets *)l.area)->failed, 2);
    CHECK_INT(((aws_i_sockets *)l.area)->at, 0);
    skew += 100000;
    CHECK_INT(port->open(port, l.area, "host", peer_port, 0), AWS_AGAIN);
    link_free(&l);
    frozen = 0;
    fake_addresses = NULL;
    for (i = 0; i < 4; i++) {
        end_socket(s[i]);
        end_socket(t[i]);
    }
}

#ifndef AWS_NO_TLS

static void test_trust_errors(void)
{
    static void *memory[64];
    const char *path = scratch_file();
    aws_trust trust;

    set_variable("AWS_CA_BUNDLE", NULL);
    set_variable("REQUESTS_CA_BUNDLE", NULL);
    write_file(path, "");
    CHECK_INT(aws_trust_load(&trust, memory, sizeof memory, "/does/not/exist"), AWS_ERR_PARAM);
    CHECK_INT(aws_trust_load(&trust, memory, sizeof memory, "/tmp"), AWS_ERR_PARAM);
    CHECK_INT(aws_trust_load(&trust, memory, sizeof memory, path), AWS_ERR_PARAM);
    write_file(path, "There is no certificate in this file.\n");
    CHECK_INT(aws_trust_load(&trust, memory, sizeof memory, path), AWS_ERR_PARAM);
    /* What the environment names must do, even if the system has a file. */
    set_variable("SSL_CERT_FILE", "/does/not/exist");
    CHECK_INT(aws_trust_load(&trust, memory, sizeof memory, NULL), AWS_ERR_PARAM);
    set_variable("AWS_CA_BUNDLE", "");
    set_variable("REQUESTS_CA_BUNDLE", path);
    CHECK_INT(aws_trust_load(&trust, memory, sizeof memory, NULL), AWS_ERR_PARAM);
    set_variable("SSL_CERT_FILE", NULL);
    set_variable("AWS_CA_BUNDLE", NULL);
    set_variable("REQUESTS_CA_BUNDLE", NULL);
    remove_file(path);
}

/* NULL: the system's. */
static void test_trust_bundle(const char *path)
{
    static void *memory[32768];
    aws_trust trust;
    size_t needed;
    int count;

    if (path != NULL && access(path, R_OK) != 0)
        return;
    count = aws_trust_load(&trust, memory, sizeof memory, path);
    CHECK(count > 50);
    CHECK_INT(trust.count, count);
    needed = trust.needed;
    CHECK(needed > 1000 && needed <= sizeof memory);
    CHECK_INT(aws_trust_load(&trust, NULL, 0, path), AWS_ERR_MEMORY);
    CHECK_INT(trust.needed, needed);
    CHECK_INT(aws_trust_load(&trust, memory, needed - 1, path), AWS_ERR_MEMORY);
    CHECK_INT(trust.needed, needed);
    CHECK_INT(aws_trust_load(&trust, memory, needed, path), count);
    if (path == NULL)
        return;
    set_variable("AWS_CA_BUNDLE", path);
    set_variable("SSL_CERT_FILE", "/does/not/exist");
    CHECK_INT(aws_trust_load(&trust, memory, sizeof memory, NULL), count);
    set_variable("AWS_CA_BUNDLE", NULL);
    set_variable("SSL_CERT_FILE", NULL);
}

#ifdef AWS_AMAZON_ROOTS_INCLUDED
/* port/amazon_roots.h, made by a script, against the certificates as the loader reads them. */
static void test_amazon_roots(void)
{
    static const char *const names[] = {"Amazon_Root_CA_1", "Amazon_Root_CA_2",
                                        "Amazon_Root_CA_3", "Amazon_Root_CA_4",
                                        "Starfield_Services_Root_Certificate_Authority_-_G2"};
    static void *memory[1024];
    const br_x509_trust_anchor *a, *b;
    char path[128];
    aws_trust trust;
    unsigned i;

    for (i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "/etc/ssl/certs/%s.pem", names[i]);
        if (access(path, R_OK) != 0)
            continue;
        if (!CHECK_INT(aws_trust_load(&trust, memory, sizeof memory, path), 1))
            continue;
        a = (const br_x509_trust_anchor *)trust.anchors;
        b = &aws_i_amazon_roots[i];
        CHECK_INT(a->flags, b->flags);
        if (CHECK_INT(a->dn.len, b->dn.len))
            CHECK_MEM(a->dn.data, b->dn.data, a->dn.len);
        if (!CHECK_INT(a->pkey.key_type, b->pkey.key_type))
            continue;
        if (a->pkey.key_type == BR_KEYTYPE_EC) {
            CHECK_INT(a->pkey.key.ec.curve, b->pkey.key.ec.curve);
            if (CHECK_INT(a->pkey.key.ec.qlen, b->pkey.key.ec.qlen))
                CHECK_MEM(a->pkey.key.ec.q, b->pkey.key.ec.q, a->pkey.key.ec.qlen);
        } else {
            if (CHECK_INT(a->pkey.key.rsa.nlen, b->pkey.key.rsa.nlen))
                CHECK_MEM(a->pkey.key.rsa.n, b->pkey.key.rsa.n, a->pkey.key.rsa.nlen);
            if (CHECK_INT(a->pkey.key.rsa.elen, b->pkey.key.rsa.elen))
                CHECK_MEM(a->pkey.key.rsa.e, b->pkey.key.rsa.e, a->pkey.key.rsa.elen);
        }
    }
}
#endif

#endif /* AWS_NO_TLS */

#ifndef _WIN32
static int fails(int error, int times)
{
    fault_errno = error;
    fault_left = times;
    return 1;
}

/* Interrupted calls are repeated; other failures are told with their errno. */
static void test_system_calls(void)
{
    uint32_t begin;
    connection l;

#ifdef __linux__
    fails(EINTR, 2);
    test_entropy();
    CHECK_INT(fault_left, 0);
    fails(ENOSYS, 10000); /* an old kernel: the file does */
    test_entropy();
    CHECK(fault_left < 10000);
#endif
    link_new(&l);
    fails(EMFILE, 1);
    CHECK_INT(port->open(port, l.area, "127.0.0.1", peer_port, 0), AWS_ERR_CONNECT);
    CHECK_INT(port->error(port, l.area), EMFILE);
    link_free(&l);
    link_new(&l);
    fails(EINTR, 1);
    begin = clock_ms();
    CHECK_INT(port->wait(port, l.area, AWS_WAIT_TIMER, 100), 0);
    CHECK(clock_ms() - begin >= 90);
    CHECK_INT(fault_left, 0);
    fails(ENOMEM, 1);
    CHECK_INT(port->wait(port, l.area, AWS_WAIT_TIMER, 100), AWS_ERR_CLOSED);
    CHECK_INT(port->error(port, l.area), ENOMEM);
    fails(0, 0);
    link_free(&l);
}

/* What is small is sent at once, though what was sent before isn't acknowledged yet. */
static void test_no_delay(void)
{
    unsigned what = AWS_WAIT_READ;
    socklen_t size = sizeof(int);
    int on = 0;
    connection l;

    link_new(&l);
    CHECK_INT(link_open(&l, "127.0.0.1", peer_port), 0);
    CHECK_INT(getsockopt((int)port->handle(port, l.area, &what), IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    CHECK(on != 0);
    link_free(&l);
}

#endif /* _WIN32 */

static void test_waits(void)
{
    static aws_waiting w[65];
    uint32_t begin = clock_ms();

    w[0].handle = w[1].handle = -1;
    w[0].ms = AGES;
    w[1].ms = 60;
    CHECK_INT(port_wait(w, 2), 0);
    CHECK(clock_ms() - begin >= 50 && clock_ms() - begin < SOON);
    CHECK_INT(port_wait(w, 65), AWS_ERR_PARAM);
}

#ifndef AWS_NO_JSON
#ifndef _WIN32
/* As Python's shlex.split does. */
static void test_words(void)
{
    static const char *const rows[][4] = {
        {"a b", "a", "b", NULL},
        {"  a\t'b c' \n", "a", "b c", NULL},
        {"'a''b'\"c d\"", "abc d", NULL, NULL},
        {"a\\ b '\\' ", "a b", "\\", NULL},
        {"\"\\\"\\\\\\n\" ''", "\"\\\\n", "", NULL},
        {"\r\n", NULL, NULL, NULL},
        {"'open", NULL, NULL, NULL},
        {"a b c d", NULL, NULL, NULL}, /* more than there is room for */
    };
    char text[40], *words[4];
    size_t i, k, n;

    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        strcpy(text, rows[i][0]);
        n = aws_i_posix_words(text, words, 4);
        for (k = 0; rows[i][k + 1] != NULL; k++)
            if (CHECK(k < n))
                CHECK_STR(words[k], rows[i][k + 1]);
        CHECK_INT(n, k);
    }
}

#endif

static void test_files(void)
{
    const char *path = scratch_file();
    char got[8];

    write_file(path, "12345");
    CHECK_INT(port_read(NULL, path, got, 5), 5);
    CHECK_MEM(got, "12345", 5);
    CHECK_INT(port_read(NULL, path, got, 8), 5);
    CHECK_INT(port_read(NULL, path, got, 4), AWS_ERR_MEMORY);
    remove_file(path);
    CHECK_INT(port_read(NULL, path, got, 5), AWS_ERR_PARAM);
    CHECK_INT(port_read(NULL, "/", got, 5), AWS_ERR_PARAM);
}
#endif

static void test_default(void)
{
    static aws_port skewed;
    int before = open_files();

    CHECK(port->connection_size <= 128);
    skewed = *port;
    skewed.ticks = skewed_ticks;
    port = &skewed;
    test_order();
    test_failover();
    test_silent();
    test_patience();
    port = AWS_I_DEFAULT_PORT();
#ifndef _WIN32
    test_system_calls();
    test_no_delay();
#endif
    test_waits();
#ifndef AWS_NO_JSON
#ifndef _WIN32
    test_words();
#endif
    test_files();
#endif
#ifndef AWS_NO_TLS
    test_trust_errors();
    test_trust_bundle("/etc/ssl/certs/ca-certificates.crt");
    test_trust_bundle(NULL);
#ifdef AWS_AMAZON_ROOTS_INCLUDED
    test_amazon_roots();
#endif
#endif
    CHECK_INT(open_files(), before);
}

#endif /* TEST_DEFAULT */

/* A header with test_end_of_port(), for what a port must do beyond the contract. */
#ifdef AWS_TEST_PORT_END
#include AWS_TEST_PORT_END
#endif

int main(int argc, char **argv)
{
    int before;

#ifndef _WIN32
    struct sigaction action;

    if (argc == 2 && strcmp(argv[1], "--peer") == 0)
        peer_alone();
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal; /* without SA_RESTART: calls are interrupted */
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
#endif
    (void)argc;
    (void)argv;
    peer_begin();
    port = AWS_TEST_PORT;
    before = open_files();

    test_struct();
    test_clock();
    test_entropy();
    test_env();
    test_echo("127.0.0.1", peer_port);
    test_echo("localhost", peer_port); /* the peer listens on IPv4 alone: ::1 refuses */
    if (peer_port6 != 0)
        test_echo("::1", peer_port6);
    test_refused();
    test_unknown();
    test_end();
    test_reset();
    test_big_send();
    test_big_recv();
    test_both_ways(4 << 20);
    test_close();
    test_wait();
    test_many();
#ifndef _WIN32
    test_signals();
    CHECK(!pipes);
#endif
#ifdef TEST_DEFAULT
    test_default();
#endif
#ifdef AWS_TEST_PORT_END
    test_end_of_port();
#endif
    CHECK_INT(open_files(), before);
#ifndef _WIN32
    kill(peer, SIGTERM);
#endif
    return CHECK_DONE();
}

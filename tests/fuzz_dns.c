/* fuzz_dns.c - libFuzzer: names looked up by port/dns.h, with files and a name server of any kind.
 *
 *     clang -std=c99 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. \
 *         tests/fuzz_dns.c -lbearssl -o build/fuzz_dns && build/fuzz_dns tests/corpus/dns
 *
 * SPDX-License-Identifier: MIT
 *
 * The input: a byte for the family, /etc/hosts, /etc/resolv.conf and the host, each up to a byte
 * 255, then what the name server sends: a byte for the kind, one for half the size, the bytes. Holds:
 * each question is well formed and is for the host, as it is or below a domain of the search; what is
 * taken was sent or stands in the hosts; it is of the family wanted; how files are split into reads
 * doesn't matter; and it ends.
 */
#define _GNU_SOURCE /* memmem */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz_invariant.h"

typedef struct slice {
    const uint8_t *data;
    size_t         size, at;
} slice;

enum { HOSTS = 100, CONFIGURATION, SOCKET }; /* file descriptors */

static slice    files[2]; /* what they have */
static slice    sent;     /* by the name server */
static char     host[400];
static uint8_t  question[600], answers[1 << 16]; /* the last one; all that were delivered */
static size_t   question_size, answered, piece, calls;

/* ---- In place of the system's ---- */

static int fuzz_open(const char *path, int flags, ...)
{
    int file = strcmp(path, "hosts") == 0 ? HOSTS : CONFIGURATION;

    (void)flags;
    files[file - HOSTS].at = 0;
    return files[file - HOSTS].data ? file : -1;
}

static ssize_t fuzz_read(int file, void *to, size_t size)
{
    slice *from = &files[file - HOSTS];
    size_t n = from->size - from->at;

    n = n < size ? n : size;
    n = n < piece ? n : piece;
    memcpy(to, from->data + from->at, n);
    from->at += n;
    return (ssize_t)n;
}

static int fuzz_close(int file)
{
    INVARIANT(file >= HOSTS && file <= SOCKET);
    return 0;
}

static int fuzz_socket(int family, int type, int protocol)
{
    (void)family;
    (void)type;
    (void)protocol;
    INVARIANT(calls++ < 4000); /* else it is a loop without end */
    return SOCKET;
}

static int fuzz_fcntl(int file, int command, ...)
{
    (void)file;
    (void)command;
    return 0;
}

static int fuzz_connect(int file, const struct sockaddr *to, socklen_t size)
{
    (void)file;
    INVARIANT(size == (to->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                 : sizeof(struct sockaddr_in)));
    return 0;
}

static ssize_t fuzz_send(int file, const void *data, size_t size, int flags)
{
    const uint8_t *m = data;
    char name[300];
    size_t at = 12, used = 0, length = strlen(host);

    (void)file;
    (void)flags;
    INVARIANT(size >= 17 && size <= 12 + 255 + 4);
    while (m[at]) {
        INVARIANT(m[at] < 64 && at + m[at] + 6 <= size);
        memcpy(name + used, m + at + 1, m[at]);
        used += m[at] + 1u;
        name[used - 1] = '.';
        at += m[at] + 1u;
    }
    INVARIANT(at + 5 == size && m[at + 1] == 0 && (m[at + 2] == 1 || m[at + 2] == 28));
    if (length && host[length - 1] == '.')
        length--;
    INVARIANT(used > length && memcmp(name, host, length) == 0 && name[length] == '.');
    memcpy(question, data, size);
    question_size = size;
    return (ssize_t)size;
}

static int fuzz_poll(struct pollfd *fds, nfds_t count, int ms)
{
    INVARIANT(count == 1 && ms >= 0);
    fds->revents = POLLIN;
    return sent.size - sent.at >= 2;
}

/* The next message: as it comes, or as the answer to the question. */
static ssize_t fuzz_recv(int file, void *to, size_t size, int flags)
{
    uint8_t message[1200];
    const uint8_t *from = sent.data + sent.at + 2;
    size_t left = sent.size - sent.at - 2, n = 2u * from[-1];
    int echoed = from[-2] & 1;

    (void)file;
    (void)flags;
    n = n < left ? n : left;
    sent.at += 2 + n;
    if (echoed && n >= 4) {
        memcpy(message, question, question_size);
        message[2] = (uint8_t)(from[0] | 0x80);
        message[3] = from[1];
        message[6] = from[2];
        message[7] = from[3];
        memcpy(message + question_size, from + 4, n - 4);
        n += question_size - 4;
    } else {
        memcpy(message, from, n);
    }
    n = n < size ? n : size;
    memcpy(to, message, n);
    if (answered + n <= sizeof answers) {
        memcpy(answers + answered, message, n);
        answered += n;
    }
    return (ssize_t)n;
}

/* Time doesn't move. */
static int fuzz_clock(clockid_t id, struct timespec *now)
{
    (void)id;
    memset(now, 0, sizeof *now);
    return 0;
}

#define clock_gettime fuzz_clock
#define open    fuzz_open
#define read    fuzz_read
#define close   fuzz_close
#define socket  fuzz_socket
#define fcntl   fuzz_fcntl
#define connect fuzz_connect
#define send    fuzz_send
#define poll    fuzz_poll
#define recv    fuzz_recv
#define AWS_I_DNS_HOSTS         "hosts"
#define AWS_I_DNS_CONFIGURATION "configuration"
#define AWS_I_DNS_PORT          53
#define AWS_POSIX_NO_HEAP
#define AWS_STATIC
#define AWS_IMPLEMENTATION
#include "../aws.h"

static slice section(slice *rest)
{
    slice s = *rest;
    const uint8_t *end = s.size ? memchr(s.data, 255, s.size) : NULL;

    s.size = end ? (size_t)(end - s.data) : s.size;
    rest->data += s.size + (end != NULL);
    rest->size -= s.size + (end != NULL);
    return s;
}

static int run(aws_i_sockets *c, slice from_server, size_t pieces, int family)
{
    memset(c, 0, sizeof *c);
    sent = from_server;
    answered = calls = 0;
    piece = pieces;
    return aws_i_sockets_lookup(c, host, family);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};
    slice rest = {NULL, 0, 0}, name;
    aws_i_sockets c, again;
    int family, result;
    size_t i;

    if (!size)
        return 0;
    family = families[data[0] % 3];
    rest.data = data + 1;
    rest.size = size - 1;
    files[0] = section(&rest);
    files[1] = section(&rest);
    name = section(&rest);
    if (name.size >= sizeof host)
        return 0;
    memcpy(host, name.data, name.size);
    host[name.size] = 0;
    result = run(&c, rest, 7, family);
    INVARIANT(result == 0 || result == AWS_ERR_LOOKUP);
    INVARIANT((result == 0) == (c.count > 0) && (c.error == 0) == (result == 0));
    INVARIANT(c.count <= AWS_I_SOCKETS_ADDRESSES && c.v6 >> c.count == 0);
    for (i = 0; i < c.count; i++) {
        int v6 = c.v6 >> i & 1;

        INVARIANT(family == AF_UNSPEC || v6 == (family == AF_INET6));
        if (!c.asked && !files[0].size)
            INVARIANT(memmem(answers, answered, c.address[i].bytes, v6 ? 16 : 4));
    }
    INVARIANT(run(&again, rest, 512, family) == result && again.count == c.count &&
              memcmp(again.address, c.address, sizeof c.address) == 0);
    return 0;
}

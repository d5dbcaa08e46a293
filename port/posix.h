/* posix.h - the port for POSIX systems: Linux (glibc, musl), macOS, the BSDs.
 *
 * SPDX-License-Identifier: MIT
 *
 * aws.h includes it by itself. Sockets don't block; calls block by wait, unless
 * aws_config.no_wait is set. The one call that blocks, and may allocate inside libc, is
 * getaddrinfo: see aws_i_sockets_lookup in sockets.h, which has the connections. Static glibc
 * binaries need glibc's shared libraries for it, static musl binaries need nothing.
 *
 * A variation of it is a copy of the struct with other functions (README.md has locks for
 * threads, examples/cares.c another look-up):
 *
 *     aws_port port = *aws_posix_port();
 *     port.lock = my_lock;
 *     port.unlock = my_unlock;
 *     config.port = &port;
 */
#ifndef AWS_POSIX_INCLUDED
#define AWS_POSIX_INCLUDED

#ifdef __cplusplus
extern "C" {
#endif

/* The port: const, for any number of sessions and threads. lock and unlock are NULL. */
AWS_API const aws_port *aws_posix_port(void);
#define AWS_I_DEFAULT_PORT aws_posix_port /* for aws.h */

/* For several clients on one thread: sleep until one of at most 64 handles is ready or the
 * shortest time has passed. 0, or AWS_ERR_PARAM if there are more. */
AWS_API int aws_posix_wait(const aws_waiting *waiting, size_t count);

#ifndef AWS_NO_TLS
/* Read a file of CA certificates (PEM) into memory[size], which trust then refers to. path NULL:
 * the file that AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or SSL_CERT_FILE names, else the system's. The
 * number of anchors (> 0); AWS_ERR_MEMORY (trust->needed says the size for the whole file);
 * AWS_ERR_PARAM if the file can't be read or has no certificates. */
AWS_API int aws_trust_load(aws_trust *trust, void *memory, size_t size, const char *path);
#endif

/* -- Credentials from this system -- */

/* Read a whole file, for the sources of aws.h that have tokens in files: aws_file_reader. */
AWS_API int aws_posix_read(void *context, const char *path, void *to, size_t room);

#ifdef __cplusplus
}
#endif

#include "default_session.h" /* aws_default_session, credential_process */

#endif /* AWS_POSIX_INCLUDED */

#if defined(AWS_IMPLEMENTATION) && !defined(AWS_POSIX_IMPLEMENTED)
#define AWS_POSIX_IMPLEMENTED

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__) && defined(__has_include)
#if __has_include(<sys/random.h>)
#include <sys/random.h>
#define AWS_I_POSIX_GETRANDOM
#endif
#endif

/* A write to a connection that the peer has reset must not raise SIGPIPE: a flag of send, or an
 * option of the socket (whose name _POSIX_C_SOURCE hides on macOS). */
#ifdef MSG_NOSIGNAL
#define AWS_I_SOCKETS_FLAGS MSG_NOSIGNAL
#else
#define AWS_I_SOCKETS_FLAGS 0
#if defined(__APPLE__) && !defined(SO_NOSIGPIPE)
#define SO_NOSIGPIPE 0x1022
#endif
#endif

#define AWS_I_SOCKETS(name) name
#define AWS_I_SOCKETS_IN_ERRNO EAI_SYSTEM
#define AWS_I_SOCKETS_V6 1
#ifdef AWS_POSIX_NO_HEAP
#include <arpa/inet.h>
#define AWS_I_SOCKETS_DNS
#define AWS_I_SOCKETS_ONE 1
#else
#define AWS_I_SOCKETS_ONE 0
#endif

typedef struct addrinfo aws_i_sockets_info;

/* A socket that neither blocks nor is inherited by other programs; -1 and errno. */
static int aws_i_sockets_new(int family)
{
    int s;
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)
    s = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0)
        return -1;
#else
    int flags, error;

    s = socket(family, SOCK_STREAM, 0);
    if (s < 0)
        return -1;
    flags = fcntl(s, F_GETFL);
    if (flags < 0 || fcntl(s, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(s, F_SETFD, FD_CLOEXEC) < 0) {
        error = errno;
        (void)close(s);
        errno = error;
        return -1;
    }
#endif
#if !defined(MSG_NOSIGNAL) && defined(SO_NOSIGPIPE)
    {
        int on = 1;

        (void)setsockopt(s, SOL_SOCKET, SO_NOSIGPIPE, &on, (socklen_t)sizeof on);
    }
#endif
    return s;
}

static int aws_i_sockets_ready(int s, unsigned what, int ms)
{
    struct pollfd p;

    p.fd = s;
    p.events = (short)(((what & AWS_WAIT_READ) != 0 ? POLLIN : 0) |
                       ((what & AWS_WAIT_WRITE) != 0 ? POLLOUT : 0));
    p.revents = 0;
    return poll(&p, s >= 0 ? 1 : 0, ms);
}

#include "sockets.h"

/* -- Clocks, random bytes, environment -- */

/* A device whose clock was never set says 1970 or its firmware's date: not known. */
static int64_t aws_i_posix_now(const aws_port *port)
{
    int64_t now = (int64_t)time(NULL);

    (void)port;
    return now >= AWS_I_SOCKETS_2020 ? now : 0;
}

static uint32_t aws_i_posix_ticks(const aws_port *port)
{
    struct timespec t;

    (void)port;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
        return 0;
    return (uint32_t)((uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u);
}

/* Read the whole of size bytes from a file: 0 or AWS_ERR_ENTROPY. */
static int aws_i_posix_urandom(unsigned char *to, size_t size)
{
    int file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;

    if (file < 0)
        return AWS_ERR_ENTROPY;
    while (size > 0) {
        n = read(file, to, size);
        if (n > 0) {
            to += n;
            size -= (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            break;
        }
    }
    (void)close(file);
    return size == 0 ? 0 : AWS_ERR_ENTROPY;
}

/* getrandom waits until the system has gathered entropy, which it may not yet have at boot. The
 * file is for other systems, and for kernels without the call. */
static int aws_i_posix_entropy(const aws_port *port, void *data, size_t size)
{
    unsigned char *to = (unsigned char *)data;

    (void)port;
#ifdef AWS_I_POSIX_GETRANDOM
    while (size > 0) {
        ssize_t n = getrandom(to, size, 0);

        if (n > 0) {
            to += n;
            size -= (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            break;
        }
    }
#endif
    return size == 0 ? 0 : aws_i_posix_urandom(to, size);
}

static const char *aws_i_posix_env(const aws_port *port, const char *name)
{
    (void)port;
    return getenv(name);
}

AWS_API int aws_posix_wait(const aws_waiting *waiting, size_t count)
{
    struct pollfd p[64];
    uint32_t ms = INT_MAX;
    nfds_t n = 0;
    size_t i;

    if (count > 64)
        return AWS_ERR_PARAM;
    for (i = 0; i < count; i++) {
        if (waiting[i].ms < ms)
            ms = waiting[i].ms;
        if (waiting[i].handle < 0)
            continue;
        p[n].fd = (int)waiting[i].handle;
        p[n].events = (short)((waiting[i].what & AWS_WAIT_READ ? POLLIN : 0) |
                              (waiting[i].what & AWS_WAIT_WRITE ? POLLOUT : 0));
        p[n++].revents = 0;
    }
    (void)poll(p, n, (int)ms); /* woken by a signal: the clients are asked again */
    return 0;
}

AWS_API const aws_port *aws_posix_port(void)
{
    static const aws_port port = {NULL,
                                  0,
                                  sizeof(aws_i_sockets),
                                  aws_i_sockets_open,
                                  aws_i_sockets_send,
                                  aws_i_sockets_recv,
                                  aws_i_sockets_close,
                                  aws_i_sockets_wait,
                                  aws_i_sockets_handle,
                                  aws_i_posix_now,
                                  aws_i_posix_ticks,
                                  aws_i_posix_entropy,
                                  NULL, /* a static mutex would be a mutable global */
                                  NULL,
                                  aws_i_posix_env,
                                  aws_i_sockets_error};

    return &port;
}

#ifndef AWS_NO_TLS

/* -- A file of CA certificates -- */

/* The file to read; NULL none. One that the environment names must do: no other one then. */
static const char *aws_i_posix_bundle(void)
{
    static const char *const names[] = {"AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"};
    static const char *const paths[] = {"/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine */
                                        "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora */
                                        "/etc/ssl/ca-bundle.pem",             /* openSUSE */
                                        "/etc/ssl/cert.pem"};                 /* BSD, macOS */
    const char *value;
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return value;
    }
    for (i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (access(paths[i], R_OK) == 0)
            return paths[i];
    }
    return NULL;
}

/* Add the file to trust: the number of anchors (> 0) or an error. */
static int aws_i_posix_add_file(aws_trust *trust, int file)
{
    unsigned char piece[1024];
    int result = 0, added;
    ssize_t n;

    do {
        n = read(file, piece, sizeof piece);
        if (n > 0) {
            added = aws_trust_add(trust, piece, (size_t)n);
            /* Too little memory: read on all the same, to learn how much it takes. */
            if (result != AWS_ERR_MEMORY || (added < 0 && added != AWS_ERR_MEMORY))
                result = added;
        }
    } while ((n > 0 && (result >= 0 || result == AWS_ERR_MEMORY)) || (n < 0 && errno == EINTR));
    return n < 0 || result == 0 ? AWS_ERR_PARAM : result;
}

/* The memory doesn't even do for reading: find out how much would, by reading into the stack. */
static int aws_i_posix_measure(aws_trust *trust, int file)
{
    uint64_t memory[512]; /* more than the decoders take, whatever a pointer's size */
    aws_trust other;
    int result = aws_trust_init(&other, memory, sizeof memory);

    if (result >= 0)
        result = aws_i_posix_add_file(&other, file);
    trust->needed = other.needed;
    return result > 0 ? AWS_ERR_MEMORY : result;
}

AWS_API int aws_trust_load(aws_trust *trust, void *memory, size_t size, const char *path)
{
    int file, result = aws_trust_init(trust, memory, size);

    if (path == NULL)
        path = aws_i_posix_bundle();
    file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return AWS_ERR_PARAM;
    if (result >= 0)
        result = aws_i_posix_add_file(trust, file);
    else if (result == AWS_ERR_MEMORY)
        result = aws_i_posix_measure(trust, file);
    (void)close(file);
    return result;
}

#endif /* AWS_NO_TLS */

#endif /* AWS_IMPLEMENTATION */

#if defined(AWS_I_SOURCES) && !defined(AWS_POSIX_SOURCES)
#define AWS_POSIX_SOURCES

/* -- Files, processes, the default session -- */

/* From the file's begin: bytes read, or an error. */
AWS_API int aws_posix_read(void *context, const char *path, void *to, size_t room)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    size_t size = 0;
    ssize_t n = 0;
    char more;

    (void)context;
    if (file < 0)
        return AWS_ERR_PARAM;
    do {
        n = size < room ? read(file, (unsigned char *)to + size, room - size)
                        : read(file, &more, 1);
        if (n > 0)
            size += (size_t)n;
    } while (size <= room && size < INT_MAX && (n > 0 || (n < 0 && errno == EINTR)));
    (void)close(file);
    if (n < 0)
        return AWS_ERR_PARAM;
    return size > room ? AWS_ERR_MEMORY : (int)size;
}

#ifndef AWS_NO_JSON

/* Split a command into words, in place, as a shell and Python's shlex do: the count, 0 if a quote
 * isn't closed or there are too many. */
static size_t aws_i_posix_words(char *command, char **words, size_t room)
{
    char *from = command, *to = command, quote;
    size_t count = 0;

    for (;;) {
        while (*from == ' ' || *from == '\t' || *from == '\n' || *from == '\r')
            from++;
        if (!*from || count + 1 == room)
            break;
        words[count++] = to;
        for (quote = 0; *from && (quote || !strchr(" \t\r\n", *from)); from++) {
            if (quote ? *from == quote : *from == '"' || *from == '\'')
                quote = quote ? '\0' : *from;
            else if (*from == '\\' && from[1] &&
                     (!quote || (quote == '"' && strchr("\"\\", from[1]))))
                *to++ = *++from;
            else
                *to++ = *from;
        }
        if (quote)
            return 0;
        if (*from)
            from++;
        *to++ = '\0';
    }
    words[count] = NULL;
    return *from ? 0 : count;
}

#ifdef __cplusplus
extern "C" char **environ;
#else
extern char **environ;
#endif

static const char *aws_i_default_variable(const char *name, char *to, size_t room)
{
    (void)to;
    (void)room;
    return getenv(name);
}

#if defined(AWS_POSIX_NO_HEAP) && !defined(__cplusplus)
extern pid_t vfork(void); /* POSIX has it no longer, all its systems do */
#endif

/* A program whose output goes to a file: its number or -1. */
static pid_t aws_i_process_child(char **words, int output)
{
#ifdef AWS_POSIX_NO_HEAP
    pid_t pid = vfork(); /* all that it may do follows */

    if (pid != 0)
        return pid;
    if (dup2(output, 1) == 1)
        (void)execvp(words[0], words);
    _exit(127);
#else
    posix_spawn_file_actions_t actions; /* it may allocate, but needs no MMU */
    pid_t pid;
    int result;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    result = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (result == 0)
        result = posix_spawnp(&pid, words[0], &actions, NULL, words, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return result == 0 ? pid : -1;
#endif
}

/* Start the program with its output in a pipe: 0 or -1. */
static int aws_i_process_start(aws_keys_process *s, char *command)
{
    char *words[32];
    int ends[2];
    pid_t pid;

    if (aws_i_posix_words(command, words, 32) == 0 || pipe(ends) < 0)
        return -1;
    if (fcntl(ends[0], F_SETFD, FD_CLOEXEC) < 0 || fcntl(ends[1], F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        return -1;
    }
    pid = aws_i_process_child(words, ends[1]);
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return -1;
    }
    s->process = (intptr_t)pid;
    s->output = ends[0] + 1;
    return 0;
}

/* Read on: 0 at the program's end, AWS_AGAIN or an error. */
static int aws_i_process_output(aws_keys_process *s)
{
    char *to = (char *)aws_i_asker_part(&s->ask, 1), rest[256];
    int status;
    ssize_t n;

    while (s->output != 0) {
        if (s->ask.filled < s->ask.part)
            n = read((int)s->output - 1, to + s->ask.filled, s->ask.part - s->ask.filled);
        else
            n = read((int)s->output - 1, rest, sizeof rest); /* only counted */
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return AWS_AGAIN;
        if (n > 0) {
            s->needed += (size_t)n;
            s->ask.filled += s->ask.filled < s->ask.part ? (size_t)n : 0;
            continue;
        }
        (void)close((int)s->output - 1);
        s->output = 0;
    }
    memset(rest, 0, sizeof rest);
    n = waitpid((pid_t)s->process, &status, WNOHANG);
    if (n == 0 || (n < 0 && errno == EINTR))
        return AWS_AGAIN;
    s->process = 0;
    return n > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : AWS_ERR_CREDENTIALS;
}

#define AWS_I_DEFAULT_READ aws_posix_read
#define AWS_I_DEFAULT_HOME "HOME"
#include "default_session.h" /* its second part */

#endif /* AWS_NO_JSON */

#endif /* AWS_I_SOURCES: included by aws.h once more at its end */

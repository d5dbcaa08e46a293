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

#ifndef AWS_NO_JSON

/* A program that prints keys as JSON: credential_process. The command is split into words as a
 * shell does it, but nothing else of a shell happens. memory as for the sources of aws.h. Its close
 * is aws_keys_close, when no call is pending. */
typedef struct aws_keys_process {
    aws_i_asker ask; /* private */
    const char *command;
    int         pid, file; /* private; file: + 1 */
    size_t      needed;
} aws_keys_process;
AWS_API const aws_provider *aws_keys_process_init(aws_keys_process *source, const char *command,
                                                  void *memory, size_t size);

/* A session as boto3 makes it by itself: keys, region, endpoints, attempts and CA bundle from the
 * environment, ~/.aws/config, ~/.aws/credentials, and the sources that these name, down to the
 * container's agent and EC2's instance metadata. Declare it, all zero, wherever your program keeps
 * such things (static, for a program of one line), and end with aws_default_close. */
typedef struct aws_default {
    aws_session  session;
    aws_settings settings; /* what the profile says */
    int          code;     /* 0, or why the profile couldn't be used: settings.reason and value */
    /* private */
    int                   begun;
    const char           *names[8];
    const aws_provider   *sources[8];
    aws_provider          broken;
    aws_keys_fixed        fixed;
    aws_keys_chain        chain;
    aws_keys_role         role;
    aws_keys_web_identity web;
    aws_keys_process      process;
    aws_keys_container    container;
    aws_keys_imds         instance;
    aws_trust             trust;
    uint64_t files[8192], base[1024], keys[1536], anchors[2048];
} aws_default;

/* The session, made at the first call. profile NULL: AWS_DEFAULT_PROFILE, AWS_PROFILE, "default"; a
 * profile given here keeps the environment's keys out. config, may be NULL: what it says goes
 * first. What is wrong is said by the first call of a client, and in code: AWS_ERR_CREDENTIALS,
 * AWS_ERR_MEMORY (files over 64 KB), AWS_ERR_PARAM (the CA bundle). */
AWS_API aws_session *aws_default_session(aws_default *here, const char *profile,
                                         const aws_config *config);
/* Where keys come from, by boto3's names: "env", "assume-role", "assume-role-with-web-identity",
 * "shared-credentials-file", "custom-process", "config-file", "container-role", "iam-role";
 * "explicit" if config has them; NULL before a call needed any. */
AWS_API const char *aws_default_source(const aws_default *here);
/* Wipe everything; after its clients are closed. */
AWS_API void aws_default_close(aws_default *here);

#endif

#ifdef __cplusplus
}
#endif

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
#define AWS_I_SOCKETS_ONE 0

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
        n = size < room ? read(file, (unsigned char *)to + size, room - size) : read(file, &more, 1);
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
            else if (*from == '\\' && from[1] && (!quote || (quote == '"' && strchr("\"\\", from[1]))))
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

/* Start the program with its output in a pipe: 0 or -1. */
static int aws_i_posix_spawn(aws_keys_process *s, char **words)
{
    posix_spawn_file_actions_t actions;
    int ends[2], result;
    pid_t pid;

    if (pipe(ends) < 0)
        return -1;
    if (fcntl(ends[0], F_SETFD, FD_CLOEXEC) < 0 || fcntl(ends[1], F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 || posix_spawn_file_actions_init(&actions) != 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        return -1;
    }
    result = posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (result == 0)
        result = posix_spawnp(&pid, words[0], &actions, NULL, words, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    if (result != 0) {
        (void)close(ends[0]);
        return -1;
    }
    s->pid = (int)pid;
    s->file = ends[0] + 1;
    s->ask.filled = 0;
    s->needed = 0;
    return 0;
}

/* Read on: 0 at the program's end, AWS_AGAIN or an error. */
static int aws_i_posix_output(aws_keys_process *s)
{
    char *to = (char *)aws_i_asker_part(&s->ask, 1), rest[256];
    int status;
    ssize_t n;

    while (s->file != 0) {
        if (s->ask.filled < s->ask.part)
            n = read(s->file - 1, to + s->ask.filled, s->ask.part - s->ask.filled);
        else
            n = read(s->file - 1, rest, sizeof rest); /* only counted */
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return AWS_AGAIN;
        if (n > 0) {
            s->needed += (size_t)n;
            s->ask.filled += s->ask.filled < s->ask.part ? (size_t)n : 0;
            continue;
        }
        (void)close(s->file - 1);
        s->file = 0;
    }
    memset(rest, 0, sizeof rest);
    n = waitpid((pid_t)s->pid, &status, WNOHANG);
    if (n == 0 || (n < 0 && errno == EINTR))
        return AWS_AGAIN;
    s->pid = 0;
    return n > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : AWS_ERR_CREDENTIALS;
}

/* What a process prints says its form: 0 if it is the one known, else a reason. */
static int aws_i_posix_version(const char *text, size_t size)
{
    aws_json_token tokens[64];
    int64_t version = 0;
    aws_json json;

    if (aws_json_parse(&json, text, size, tokens, sizeof tokens / sizeof *tokens) < 0 ||
        aws_json_int64(&json, aws_json_find(&json, 0, "Version"), &version) < 0 || version != 1)
        return AWS_REASON_KEYS_VERSION;
    return 0;
}

static int aws_i_posix_process_get(const aws_provider *provider, aws_client *client, aws_keys *keys)
{
    aws_keys_process *s = (aws_keys_process *)provider->context;
    char *text = (char *)aws_i_asker_part(&s->ask, 1), *words[32];
    int r, reason = 0;
    aws_keys fresh;

    if (s->pid == 0) {
        if (strlen(s->command) >= s->ask.part) {
            (void)aws_i_fail(client, AWS_REASON_KEYS_MEMORY, "the process");
            client->failure.needed = 2 * (strlen(s->command) + 1);
            return AWS_ERR_MEMORY;
        }
        memcpy(text, s->command, strlen(s->command) + 1);
        if (aws_i_posix_words(text, words, 32) == 0 || aws_i_posix_spawn(s, words) < 0)
            return aws_i_fail(client, AWS_REASON_KEYS_PROCESS, s->command);
    }
    r = aws_i_posix_output(s);
    if (r == AWS_AGAIN)
        return r;
    if (r < 0)
        reason = AWS_REASON_KEYS_PROCESS;
    else if (s->needed > s->ask.part)
        reason = AWS_REASON_KEYS_MEMORY;
    else
        reason = aws_i_posix_version(text, s->needed);
    if (reason == 0)
        reason = aws_i_keys_parse(text, s->needed,
                                  "AccessKeyId\0SecretAccessKey\0SessionToken\0Expiration\0", &fresh);
    if (reason != 0) {
        aws_i_wipe(text, s->ask.part);
        r = aws_i_fail(client, reason, s->command);
        client->failure.needed = reason == AWS_REASON_KEYS_MEMORY ? 2 * s->needed + 8 : 0;
        return r;
    }
    return aws_i_asker_take(&s->ask, client, &fresh, keys, 1);
}

AWS_API const aws_provider *aws_keys_process_init(aws_keys_process *source, const char *command,
                                                  void *memory, size_t size)
{
    memset(source, 0, sizeof *source);
    aws_i_asker_init(&source->ask, aws_i_posix_process_get, source, memory, size, 2);
    source->command = command;
    return &source->ask.provider;
}

/* Read the file that a variable names, else one below the home directory, to the end of room bytes
 * at to: its text and size; AWS_ERR_MEMORY or 0. */
static int aws_i_posix_shared(const char *variable, const char *name, char *to, size_t room,
                              const char **text, size_t *size)
{
    const char *path = getenv(variable), *home = getenv("HOME");
    char full[PATH_MAX];
    int n;

    *text = NULL;
    *size = 0;
    if (path == NULL || path[0] == '\0')
        path = name;
    if (path[0] == '~' && path[1] == '/') {
        if (home == NULL || strlen(home) + strlen(path) > sizeof full)
            return 0;
        memcpy(full, home, strlen(home));
        memcpy(full + strlen(home), path + 1, strlen(path));
        path = full;
    }
    n = aws_posix_read(NULL, path, to, room);
    if (n == AWS_ERR_MEMORY)
        return n;
    if (n > 0) {
        memmove(to + room - (size_t)n, to, (size_t)n);
        *text = to + room - (size_t)n;
        *size = (size_t)n;
    }
    return 0;
}

/* Read the profile; its texts stay at the begin of here->files, the files are wiped. */
static int aws_i_default_settings(aws_default *here, const char *profile)
{
    char *memory = (char *)here->files;
    size_t room = sizeof here->files;
    aws_files files;
    int result;

    result = aws_i_posix_shared("AWS_CONFIG_FILE", "~/.aws/config", memory, room, &files.config,
                                &files.config_size);
    if (result == 0)
        result = aws_i_posix_shared("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", memory,
                                    room - files.config_size, &files.credentials,
                                    &files.credentials_size);
    room -= files.config_size + files.credentials_size;
    if (result == 0)
        result = aws_settings_read(&here->settings, &files, profile, memory, room);
    if (result < 0 && here->settings.reason == 0)
        here->settings.reason = -result;
    aws_i_wipe(memory + here->settings.used, sizeof here->files - here->settings.used);
    return result;
}

static int aws_i_default_broken(const aws_provider *provider, aws_client *client, aws_keys *keys)
{
    const aws_default *here = (const aws_default *)provider->context;

    (void)keys;
    return aws_i_fail(client, here->settings.reason, here->settings.value);
}

static void aws_i_default_add(aws_default *here, const char *name, const aws_provider *source)
{
    here->names[here->chain.count] = name;
    here->sources[here->chain.count++] = source;
}

/* The source of a profile's own keys, or those its roles begin with. */
static const aws_provider *aws_i_default_from(aws_default *here, const char **name)
{
    aws_settings *s = &here->settings;

    switch (s->from) {
    case AWS_FROM_CREDENTIALS:
    case AWS_FROM_CONFIG:
        *name = s->from == AWS_FROM_CONFIG ? "config-file" : "shared-credentials-file";
        return aws_keys_fixed_init(&here->fixed, &s->keys);
    case AWS_FROM_PROCESS:
        *name = "custom-process";
        return aws_keys_process_init(&here->process, s->process, here->base, sizeof here->base);
    case AWS_FROM_WEB_IDENTITY:
        *name = "assume-role-with-web-identity";
        return aws_keys_web_identity_init(&here->web, &s->web_role, s->token_file, aws_posix_read,
                                          NULL, here->base, sizeof here->base);
    case AWS_FROM_ENVIRONMENT:
        return aws_keys_environment();
    case AWS_FROM_CONTAINER:
        aws_keys_container_init(&here->container, here->base, sizeof here->base);
        here->container.read = aws_posix_read;
        return &here->container.ask.provider;
    case AWS_FROM_INSTANCE:
        return aws_keys_imds_init(&here->instance, here->base, sizeof here->base);
    default:
        return NULL;
    }
}

/* boto3's order. What comes after a profile's own keys is asked only if it has none. */
static void aws_i_default_chain(aws_default *here, int explicit_profile)
{
    const char *name = NULL;
    const aws_provider *from = aws_i_default_from(here, &name);
    int web = here->settings.from == AWS_FROM_WEB_IDENTITY && here->settings.role_count == 0;

    aws_keys_chain_init(&here->chain, here->sources, 0);
    if (!explicit_profile)
        aws_i_default_add(here, "env", aws_keys_environment());
    if (here->settings.role_count != 0)
        aws_i_default_add(here, "assume-role",
                          aws_keys_role_init(&here->role, from, here->settings.roles,
                                             here->settings.role_count, here->keys,
                                             sizeof here->keys));
    if (here->settings.role_count == 0 && !explicit_profile && !web)
        aws_i_default_add(here, "assume-role-with-web-identity",
                          aws_keys_web_identity_init(&here->web, NULL, NULL, aws_posix_read, NULL,
                                                     here->keys, sizeof here->keys));
    if (here->settings.role_count != 0)
        return;
    if (from != NULL)
        aws_i_default_add(here, name, from);
    aws_keys_container_init(&here->container, here->keys, sizeof here->keys);
    here->container.read = aws_posix_read;
    aws_i_default_add(here, "container-role", &here->container.ask.provider);
    aws_i_default_add(here, "iam-role", aws_keys_imds_init(&here->instance, here->keys,
                                                           sizeof here->keys));
}

/* What neither config nor the environment says is taken from the profile. */
static void aws_i_default_config(aws_default *here, aws_config *config)
{
    const aws_settings *s = &here->settings;
    uint64_t number;

    if (config->region == NULL && aws_i_env(config->port, "AWS_REGION") == NULL &&
        aws_i_env(config->port, "AWS_DEFAULT_REGION") == NULL)
        config->region = s->region;
    if (config->max_attempts == 0 && aws_i_env(config->port, "AWS_MAX_ATTEMPTS") == NULL &&
        s->max_attempts != NULL && aws_i_number(s->max_attempts, &number) && number < 1000)
        config->max_attempts = (unsigned)number;
    if (config->retry_mode == 0 && aws_i_env(config->port, "AWS_RETRY_MODE") == NULL &&
        s->retry_mode != NULL && strcmp(s->retry_mode, "legacy") == 0)
        config->retry_mode = AWS_RETRY_LEGACY;
    if (config->addressing == 0 && s->addressing_style != NULL)
        config->addressing = strcmp(s->addressing_style, "path") == 0      ? AWS_ADDRESSING_PATH
                             : strcmp(s->addressing_style, "virtual") == 0 ? AWS_ADDRESSING_VIRTUAL
                                                                           : AWS_ADDRESSING_AUTO;
    if (config->endpoint_of == NULL) {
        config->endpoint_of = aws_settings_endpoint;
        config->settings = s;
    }
}

AWS_API aws_session *aws_default_session(aws_default *here, const char *profile,
                                         const aws_config *config)
{
    const aws_port *port = aws_posix_port();
    int explicit_profile = profile != NULL;
    aws_config c;

    if (here->begun)
        return &here->session;
    memset(here, 0, sizeof *here);
    memset(&c, 0, sizeof c);
    if (config != NULL)
        c = *config;
    if (c.port == NULL)
        c.port = port;
    if (profile == NULL)
        profile = aws_i_or(aws_i_env(port, "AWS_DEFAULT_PROFILE"), aws_i_env(port, "AWS_PROFILE"));
    here->code = aws_i_default_settings(here, profile);
    aws_i_default_config(here, &c);
#ifndef AWS_NO_TLS
    profile = aws_i_or(aws_i_env(port, "AWS_CA_BUNDLE"), here->settings.ca_bundle);
    if (c.trust == NULL && profile != NULL) {
        int loaded = aws_trust_load(&here->trust, here->anchors, sizeof here->anchors, profile);

        c.trust = &here->trust; /* an empty one, if it can't be read: no other CA then */
        if (loaded < 0 && here->code == 0)
            here->code = loaded;
    }
#endif
    if (c.provider == NULL && c.access_key_id == NULL && c.secret_access_key == NULL) {
        if (here->code == 0 || here->settings.reason == 0)
            aws_i_default_chain(here, explicit_profile);
        here->broken.get = aws_i_default_broken;
        here->broken.context = here;
        c.provider = here->chain.count != 0 ? &here->chain.provider : &here->broken;
    }
    aws_session_init(&here->session, &c);
    here->begun = 1;
    return &here->session;
}

AWS_API const char *aws_default_source(const aws_default *here)
{
    if (here->session.keys.access_key_id == NULL)
        return NULL;
    if (here->session.config.provider != &here->chain.provider)
        return "explicit";
    return here->names[here->chain.at];
}

AWS_API void aws_default_close(aws_default *here)
{
    aws_session_close(&here->session);
    aws_i_wipe(here, sizeof *here);
}

#endif /* AWS_NO_JSON */

#endif /* AWS_I_SOURCES: included by aws.h once more at its end */

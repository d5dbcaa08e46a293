/* winsock.h - the port for Windows (Vista and later): Winsock 2.
 *
 * SPDX-License-Identifier: MIT
 *
 * aws.h includes it by itself. Link with -lws2_32 -lbcrypt -lcrypt32:
 *
 *     x86_64-w64-mingw32-gcc -std=c99 -I. program.c -lbearssl -lws2_32 -lbcrypt -lcrypt32
 *
 * Sockets don't block; calls block by wait, unless aws_config.no_wait is set. The one call that
 * blocks, and may allocate inside Windows, is getaddrinfo: see aws_i_sockets_lookup in sockets.h.
 * Each connection calls WSAStartup and, when it is closed, WSACleanup; a program that has called
 * WSAStartup itself makes these cheap.
 *
 * Only the file with AWS_IMPLEMENTATION includes windows.h, lean and without min and max;
 * winsock2.h or aws.h has to come there before any windows.h of yours. The others see none of it.
 *
 * Paths are UTF-8; what isn't is taken as getenv and main give it, in the system's code page.
 *
 * A variation of it is a copy of the struct with other functions; locks for threads:
 *
 *     static SRWLOCK mutex = SRWLOCK_INIT;
 *     static void my_lock(const aws_port *p)   { AcquireSRWLockExclusive((SRWLOCK *)p->context); }
 *     static void my_unlock(const aws_port *p) { ReleaseSRWLockExclusive((SRWLOCK *)p->context); }
 *
 *     aws_port port = *aws_winsock_port();
 *     port.context = &mutex;
 *     port.lock = my_lock;
 *     port.unlock = my_unlock;
 *     config.port = &port;
 */
#ifndef AWS_WINSOCK_INCLUDED
#define AWS_WINSOCK_INCLUDED

#ifdef __cplusplus
extern "C" {
#endif

/* The port: const, for any number of sessions and threads. lock and unlock are NULL. Its error
 * numbers are Winsock's (10061: refused), `net helpmsg` knows them. */
AWS_API const aws_port *aws_winsock_port(void);
#define AWS_I_DEFAULT_PORT aws_winsock_port /* for aws.h */

/* For several clients on one thread: sleep until one of at most 64 handles is ready or the
 * shortest time has passed. 0, or AWS_ERR_PARAM if there are more. */
AWS_API int aws_winsock_wait(const aws_waiting *waiting, size_t count);

#ifndef AWS_NO_TLS
/* Read a file of CA certificates (PEM) into memory[size], which trust then refers to. path NULL:
 * the file that AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or SSL_CERT_FILE names, else the CAs that Windows
 * has at hand (its store ROOT; it fetches some only when its own programs need them). The number
 * of anchors (> 0); AWS_ERR_MEMORY (trust->needed says the size for all); AWS_ERR_PARAM if the
 * file can't be read or has no certificates. */
AWS_API int aws_trust_load(aws_trust *trust, void *memory, size_t size, const char *path);
#endif

/* Read a whole file, for the sources of aws.h that have tokens in files: aws_file_reader. */
AWS_API int aws_winsock_read(void *context, const char *path, void *to, size_t room);

#ifdef __cplusplus
}
#endif

#include "default_session.h" /* aws_default_session, credential_process */

#endif /* AWS_WINSOCK_INCLUDED */

#if defined(AWS_IMPLEMENTATION) && !defined(AWS_WINSOCK_IMPLEMENTED)
#define AWS_WINSOCK_IMPLEMENTED

#if defined(_WINSOCKAPI_) && !defined(_WINSOCK2API_)
#error "aws.h: include it, or winsock2.h, before windows.h here"
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#define AWS_I_WINSOCK_LEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#define AWS_I_WINSOCK_NOMINMAX
#endif
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <bcrypt.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <wincrypt.h>
#ifdef AWS_I_WINSOCK_LEAN
#undef AWS_I_WINSOCK_LEAN
#undef WIN32_LEAN_AND_MEAN
#endif
#ifdef AWS_I_WINSOCK_NOMINMAX
#undef AWS_I_WINSOCK_NOMINMAX
#undef NOMINMAX
#endif

/* -- Winsock as sockets.h wants it -- */

/* errno gets Winsock's numbers but for those that sockets.h asks for. A SOCKET is the number of a
 * handle, which has 32 bits on 64-bit Windows, too; only -1 isn't one. */
static int aws_i_winsock_told(int result, int would_block)
{
    if (result < 0) {
        errno = WSAGetLastError();
        if (errno == WSAEWOULDBLOCK)
            errno = would_block;
    }
    return result;
}

static int aws_i_winsock_connect(int s, const struct sockaddr *name, int size)
{
    return aws_i_winsock_told(connect((SOCKET)s, name, size), EINPROGRESS);
}

static int aws_i_winsock_send(int s, const void *data, size_t size, int flags)
{
    return aws_i_winsock_told(send((SOCKET)s, (const char *)data, (int)size, flags), EAGAIN);
}

/* Wine takes a reset for the end of the stream, but its poll knows better. */
static int aws_i_winsock_recv(int s, void *data, size_t size, int flags)
{
    int n = recv((SOCKET)s, (char *)data, (int)size, flags);
    WSAPOLLFD p;

    if (n != 0)
        return aws_i_winsock_told(n, EAGAIN);
    p.fd = (SOCKET)s;
    p.events = POLLRDNORM;
    p.revents = 0;
    (void)WSAPoll(&p, 1, 0);
    if ((p.revents & POLLERR) == 0)
        return 0;
    errno = WSAECONNRESET;
    return -1;
}

static int aws_i_winsock_getsockopt(int s, int level, int name, void *value, int *size)
{
    return aws_i_winsock_told(getsockopt((SOCKET)s, level, name, (char *)value, size), EAGAIN);
}

static int aws_i_winsock_setsockopt(int s, int level, int name, const void *value, int size)
{
    return setsockopt((SOCKET)s, level, name, (const char *)value, size);
}

static int aws_i_winsock_close(int s)
{
    return closesocket((SOCKET)s);
}

static int aws_i_winsock_getaddrinfo(const char *host, const char *service,
                                     const struct addrinfo *hints, struct addrinfo **list)
{
    return getaddrinfo(host, service, hints, list);
}

static void aws_i_winsock_freeaddrinfo(struct addrinfo *list)
{
    freeaddrinfo(list);
}

#define AWS_I_SOCKETS(name) aws_i_winsock_##name
#define AWS_I_SOCKETS_FLAGS 0
#define AWS_I_SOCKETS_IN_ERRNO (-1) /* getaddrinfo has only Winsock's numbers */
#define AWS_I_SOCKETS_V6 1
#define AWS_I_SOCKETS_ONE 0
#define AWS_I_SOCKETS_NO_ROUTE(error) ((error) == WSAENETUNREACH || (error) == WSAEAFNOSUPPORT)

typedef struct addrinfo aws_i_sockets_info;

/* A socket that neither blocks nor is inherited by other programs; -1 and errno. */
static int aws_i_sockets_new(int family)
{
    SOCKET s = WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    u_long on = 1;
    int error;

    if (s == INVALID_SOCKET)
        return aws_i_winsock_told(-1, EAGAIN);
    /* Since Windows 7 a flag of WSASocket does this; failing matters only to other programs. */
    (void)SetHandleInformation((HANDLE)s, HANDLE_FLAG_INHERIT, 0);
    if (ioctlsocket(s, (long)FIONBIO, &on) == 0)
        return (int)s;
    error = WSAGetLastError();
    (void)closesocket(s);
    errno = error;
    return -1;
}

static void aws_i_winsock_add(fd_set *set, int s)
{
    set->fd_array[set->fd_count++] = (SOCKET)s;
}

/* select of Winsock doesn't sleep without a socket. A connect that fails is an exception to it, not
 * writable; and WSAPoll, before Windows 10 of 2020, doesn't tell it at all. */
static int aws_i_winsock_select(fd_set set[3], int ms)
{
    struct timeval time;

    if (set[0].fd_count + set[1].fd_count == 0) {
        Sleep((DWORD)ms);
        return 0;
    }
    time.tv_sec = ms / 1000;
    time.tv_usec = ms % 1000 * 1000;
    return select(0, &set[0], &set[1], &set[2], &time);
}

static int aws_i_sockets_ready(int s, unsigned what, int ms)
{
    fd_set set[3]; /* to read, to write, failed */

    set[0].fd_count = set[1].fd_count = set[2].fd_count = 0;
    if (s >= 0 && (what & AWS_WAIT_READ) != 0)
        aws_i_winsock_add(&set[0], s);
    if (s >= 0 && (what & AWS_WAIT_WRITE) != 0) {
        aws_i_winsock_add(&set[1], s);
        aws_i_winsock_add(&set[2], s);
    }
    return aws_i_winsock_told(aws_i_winsock_select(set, ms), EAGAIN);
}

#include "sockets.h"

/* The connection area: 124 bytes. */
typedef struct aws_i_winsock {
    aws_i_sockets sockets;
    int           begun; /* WSAStartup, which counts, has been called */
} aws_i_winsock;

static int aws_i_winsock_open(const aws_port *port, void *connection, const char *host,
                              unsigned port_number, int tls)
{
    aws_i_winsock *c = (aws_i_winsock *)connection;
    WSADATA about;

    if (!c->begun) {
        c->sockets.error = WSAStartup(MAKEWORD(2, 2), &about);
        if (c->sockets.error != 0)
            return AWS_ERR_CONNECT;
        c->begun = 1;
    }
    return aws_i_sockets_open(port, connection, host, port_number, tls);
}

static int aws_i_winsock_end(const aws_port *port, void *connection)
{
    aws_i_winsock *c = (aws_i_winsock *)connection;

    (void)aws_i_sockets_close(port, connection);
    if (c->begun)
        (void)WSACleanup();
    c->begun = 0;
    return 0;
}

AWS_API int aws_winsock_wait(const aws_waiting *waiting, size_t count)
{
    uint32_t ms = INT_MAX;
    fd_set set[3];
    size_t i;

    set[0].fd_count = set[1].fd_count = set[2].fd_count = 0;
    if (count > 64 || count > FD_SETSIZE)
        return AWS_ERR_PARAM;
    for (i = 0; i < count; i++) {
        if (waiting[i].ms < ms)
            ms = waiting[i].ms;
        if (waiting[i].handle < 0)
            continue;
        if ((waiting[i].what & AWS_WAIT_READ) != 0)
            aws_i_winsock_add(&set[0], (int)waiting[i].handle);
        if ((waiting[i].what & AWS_WAIT_WRITE) != 0) {
            aws_i_winsock_add(&set[1], (int)waiting[i].handle);
            aws_i_winsock_add(&set[2], (int)waiting[i].handle);
        }
    }
    (void)aws_i_winsock_select(set, (int)ms); /* if it fails, the clients tell */
    return 0;
}

/* -- Clocks, random bytes, environment -- */

static int64_t aws_i_winsock_now(const aws_port *port)
{
    FILETIME t;
    int64_t now;

    (void)port;
    GetSystemTimeAsFileTime(&t); /* in 100 ns since 1601 */
    now = (int64_t)(((uint64_t)t.dwHighDateTime << 32 | t.dwLowDateTime) / 10000000u) - 11644473600;
    return now >= AWS_I_SOCKETS_2020 ? now : 0;
}

/* GetTickCount64 stands still for 16 ms at a time. */
static uint32_t aws_i_winsock_ticks(const aws_port *port)
{
    LARGE_INTEGER count, rate;

    (void)port;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&rate);
    return (uint32_t)(count.QuadPart / rate.QuadPart * 1000 +
                      count.QuadPart % rate.QuadPart * 1000 / rate.QuadPart);
}

static int aws_i_winsock_entropy(const aws_port *port, void *data, size_t size)
{
    unsigned char *to = (unsigned char *)data;
    ULONG piece;

    (void)port;
    for (; size > 0; to += piece, size -= piece) {
        piece = size < 65536 ? (ULONG)size : 65536;
        if (BCryptGenRandom(NULL, to, piece, BCRYPT_USE_SYSTEM_PREFERRED_RNG) < 0)
            return AWS_ERR_ENTROPY;
    }
    return 0;
}

static const char *aws_i_winsock_env(const aws_port *port, const char *name)
{
    (void)port;
    return getenv(name);
}

AWS_API const aws_port *aws_winsock_port(void)
{
    static const aws_port port = {NULL,
                                  0,
                                  sizeof(aws_i_winsock),
                                  aws_i_winsock_open,
                                  aws_i_sockets_send,
                                  aws_i_sockets_recv,
                                  aws_i_winsock_end,
                                  aws_i_sockets_wait,
                                  aws_i_sockets_handle,
                                  aws_i_winsock_now,
                                  aws_i_winsock_ticks,
                                  aws_i_winsock_entropy,
                                  NULL, /* a static lock would be a mutable global */
                                  NULL,
                                  aws_i_winsock_env,
                                  aws_i_sockets_error};

    return &port;
}

/* -- Files -- */

enum { AWS_I_WINSOCK_PATH = 4096 };

/* The text in UTF-16: its units with the NUL, 0 if they are too many. */
static int aws_i_winsock_wide(const char *text, wchar_t *to, int room)
{
    int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, to, room);

    return n != 0 ? n : MultiByteToWideChar(CP_ACP, 0, text, -1, to, room);
}

/* A file to be read: -1 if it can't be. */
static int aws_i_winsock_file(const char *path)
{
    wchar_t wide[AWS_I_WINSOCK_PATH];

    if (aws_i_winsock_wide(path, wide, AWS_I_WINSOCK_PATH) == 0)
        return -1;
    return _wopen(wide, _O_RDONLY | _O_BINARY | _O_NOINHERIT);
}

static int aws_i_winsock_some(int file, void *to, size_t room)
{
    return _read(file, to, room < 65536 ? (unsigned)room : 65536);
}

#ifndef AWS_NO_TLS

/* -- CA certificates -- */

/* Add a piece of PEM: whether to go on. With too little memory, too, to learn how much it takes. */
static int aws_i_winsock_piece(aws_trust *trust, const void *data, size_t size, int *result)
{
    int added = aws_trust_add(trust, data, size);

    if (*result != AWS_ERR_MEMORY || (added < 0 && added != AWS_ERR_MEMORY))
        *result = added;
    return *result >= 0 || *result == AWS_ERR_MEMORY;
}

static int aws_i_winsock_pem(aws_trust *trust, int file)
{
    unsigned char piece[1024];
    int result = 0, n;

    do {
        n = aws_i_winsock_some(file, piece, sizeof piece);
    } while (n > 0 && aws_i_winsock_piece(trust, piece, (size_t)n, &result));
    return n < 0 || result == 0 ? AWS_ERR_PARAM : result;
}

/* Windows' own CAs, made PEM line by line. */
static int aws_i_winsock_store(aws_trust *trust)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----\n",
                      end[] = "-----END CERTIFICATE-----\n";
    HCERTSTORE store = CertOpenSystemStoreW(0, L"ROOT");
    const CERT_CONTEXT *one = NULL;
    int result = 0, on = 1;
    char line[66]; /* 64 characters and the NUL, which becomes the line's end */
    DWORD at, n, size;

    if (store == NULL)
        return AWS_ERR_PARAM;
    while (on && (one = CertEnumCertificatesInStore(store, one)) != NULL) {
        on = aws_i_winsock_piece(trust, begin, sizeof begin - 1, &result);
        for (at = 0; on && at < one->cbCertEncoded; at += n) {
            n = one->cbCertEncoded - at < 48 ? one->cbCertEncoded - at : 48;
            size = (DWORD)sizeof line;
            on = CryptBinaryToStringA(one->pbCertEncoded + at, n,
                                      CRYPT_STRING_BASE64 | CRYPT_STRING_NOCRLF, line, &size);
            line[size] = '\n';
            on = on && aws_i_winsock_piece(trust, line, size + 1, &result);
        }
        on = on && aws_i_winsock_piece(trust, end, sizeof end - 1, &result);
    }
    if (one != NULL)
        (void)CertFreeCertificateContext(one);
    (void)CertCloseStore(store, 0);
    return result != 0 ? result : AWS_ERR_PARAM;
}

/* From the file, or without one (-1) from Windows. */
static int aws_i_winsock_add_all(aws_trust *trust, int file)
{
    return file >= 0 ? aws_i_winsock_pem(trust, file) : aws_i_winsock_store(trust);
}

/* The memory doesn't even do for reading: find out how much would, by reading into the stack. */
static int aws_i_winsock_measure(aws_trust *trust, int file)
{
    uint64_t memory[512]; /* more than the decoders take, whatever a pointer's size */
    aws_trust other;
    int result = aws_trust_init(&other, memory, sizeof memory);

    if (result >= 0)
        result = aws_i_winsock_add_all(&other, file);
    trust->needed = other.needed;
    return result > 0 ? AWS_ERR_MEMORY : result;
}

AWS_API int aws_trust_load(aws_trust *trust, void *memory, size_t size, const char *path)
{
    static const char *const names[] = {"AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"};
    int file, result = aws_trust_init(trust, memory, size);
    size_t i;

    for (i = 0; path == NULL && i < sizeof names / sizeof names[0]; i++) {
        path = getenv(names[i]);
        if (path != NULL && path[0] == '\0')
            path = NULL;
    }
    file = path != NULL ? aws_i_winsock_file(path) : -1;
    if (path != NULL && file < 0)
        return AWS_ERR_PARAM;
    if (result >= 0)
        result = aws_i_winsock_add_all(trust, file);
    else if (result == AWS_ERR_MEMORY)
        result = aws_i_winsock_measure(trust, file);
    if (file >= 0)
        (void)_close(file);
    return result;
}

#endif /* AWS_NO_TLS */

#endif /* AWS_IMPLEMENTATION */

#if defined(AWS_I_SOURCES) && !defined(AWS_WINSOCK_SOURCES)
#define AWS_WINSOCK_SOURCES

/* -- Files, processes, the default session -- */

/* From the file's begin: bytes read, or an error. */
AWS_API int aws_winsock_read(void *context, const char *path, void *to, size_t room)
{
    int file = aws_i_winsock_file(path), n = 0;
    size_t size = 0;
    char more;

    (void)context;
    if (file < 0)
        return AWS_ERR_PARAM;
    do {
        n = size < room ? aws_i_winsock_some(file, (unsigned char *)to + size, room - size)
                        : aws_i_winsock_some(file, &more, 1);
        if (n > 0)
            size += (size_t)n;
    } while (n > 0 && size <= room && size < INT_MAX);
    (void)_close(file);
    if (n < 0)
        return AWS_ERR_PARAM;
    return size > room ? AWS_ERR_MEMORY : (int)size;
}

#ifndef AWS_NO_JSON

/* In UTF-8, whatever characters a user's name has that the code page lacks. */
static const char *aws_i_default_variable(const char *name, char *to, size_t room)
{
    wchar_t wide[AWS_I_WINSOCK_PATH], wide_name[64];
    DWORD n;

    if (aws_i_winsock_wide(name, wide_name, 64) == 0)
        return NULL;
    n = GetEnvironmentVariableW(wide_name, wide, AWS_I_WINSOCK_PATH);
    if (n == 0 || n >= AWS_I_WINSOCK_PATH ||
        WideCharToMultiByte(CP_UTF8, 0, wide, -1, to, (int)room, NULL, NULL) == 0)
        return NULL;
    return to;
}

/* Start the program with its output in a pipe: 0 or -1. Windows' programs split their command line
 * themselves, as Python's subprocess joins it. */
static int aws_i_process_start(aws_keys_process *s, char *command)
{
    SECURITY_ATTRIBUTES inherited;
    HANDLE from = NULL, to = NULL;
    wchar_t line[AWS_I_WINSOCK_PATH];
    PROCESS_INFORMATION process;
    STARTUPINFOW start;
    BOOL begun;

    memset(&inherited, 0, sizeof inherited);
    inherited.nLength = (DWORD)sizeof inherited;
    inherited.bInheritHandle = TRUE;
    if (aws_i_winsock_wide(command, line, AWS_I_WINSOCK_PATH) == 0 ||
        !CreatePipe(&from, &to, &inherited, 0))
        return -1;
    memset(&start, 0, sizeof start);
    start.cb = (DWORD)sizeof start;
    start.dwFlags = STARTF_USESTDHANDLES;
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = to;
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    begun = SetHandleInformation(from, HANDLE_FLAG_INHERIT, 0) &&
            CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &process);
    (void)CloseHandle(to);
    if (!begun) {
        (void)CloseHandle(from);
        return -1;
    }
    (void)CloseHandle(process.hThread);
    s->process = (intptr_t)process.hProcess;
    s->output = (intptr_t)from;
    return 0;
}

/* Read on: 0 at the program's end, AWS_AGAIN or an error. A pipe has no reads that don't wait, but
 * says how much there is. */
static int aws_i_process_output(aws_keys_process *s)
{
    HANDLE process = (HANDLE)s->process;
    char *to = (char *)aws_i_asker_part(&s->ask, 1), rest[256];
    DWORD there, n, code = 1;

    while (s->output != 0) {
        int kept = s->ask.filled < s->ask.part; /* else only counted */
        size_t room = kept ? s->ask.part - s->ask.filled : sizeof rest;

        if (PeekNamedPipe((HANDLE)s->output, NULL, 0, NULL, &there, NULL)) {
            if (there == 0)
                return AWS_AGAIN;
            if (ReadFile((HANDLE)s->output, kept ? to + s->ask.filled : rest,
                         there < room ? there : (DWORD)room, &n, NULL)) {
                s->needed += n;
                s->ask.filled += kept ? n : 0;
                continue;
            }
        }
        (void)CloseHandle((HANDLE)s->output); /* its other end is closed */
        s->output = 0;
    }
    memset(rest, 0, sizeof rest);
    if (WaitForSingleObject(process, 0) == WAIT_TIMEOUT)
        return AWS_AGAIN;
    (void)GetExitCodeProcess(process, &code);
    (void)CloseHandle(process);
    s->process = 0;
    return code == 0 ? 0 : AWS_ERR_CREDENTIALS;
}

#define AWS_I_DEFAULT_READ aws_winsock_read
#define AWS_I_DEFAULT_HOME "USERPROFILE"
#include "default_session.h" /* its second part */

#endif /* AWS_NO_JSON */

#endif /* AWS_I_SOURCES: included by aws.h once more at its end */

/* s3.c - S3 from the command line, without a heap: ls mb rb cp mv rm sync cat stat presign.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -std=c99 -O2 -I. examples/s3.c -lbearssl -o s3
 *
 * `s3 --help` says how to use it; its commands, options and exit codes are those of `aws s3`. All
 * memory is static (--stats tells how much): a block for each client, CA certificates, a page of
 * keys for each listing, and the sorted names of the directories being walked.
 *
 * Read it from its end: commands walk one or two trees (local or S3, both sorted the same way) and
 * begin jobs; jobs take turns on one thread, each with a client of its own. A large file is a job
 * that has all the clients, one part each.
 */
#define _FILE_OFFSET_BITS 64 /* large files on 32-bit systems too */
#define _DEFAULT_SOURCE      /* syscall, flock */
#define AWS_STATIC           /* one file: the compiler drops what is not called */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h> /* rename */
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include "s3_windows.h" /* the POSIX calls, and system_... below */
#define aws_system_wait aws_winsock_wait
#else
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#else
#include <dirent.h>
#endif
#define aws_system_wait aws_posix_wait

static void system_begin(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
}

static void system_path(char *path)
{
    (void)path;
}

/* Whether a read of what may be a pipe won't block; waits for it, for a second. */
static int system_readable(int fd)
{
    struct pollfd p;

    p.fd = fd;
    p.events = POLLIN;
    return poll(&p, 1, 1000) > 0;
}

/* Why a key can't be a path of a file here, or NULL. */
static const char *system_refuses(const char *key)
{
    (void)key;
    return NULL;
}
#endif

/* Exit codes, those of `aws s3`. */
enum { DONE, FAILED, SKIPPED, USAGE = 252, NOT_SET_UP, REFUSED, NOT_DONE };

static const char help[] =
    "usage: s3 [OPTION]... COMMAND ...\n"
    "\n"
    "  ls [s3://BUCKET[/PREFIX]]   list buckets, or objects up to the next '/' in their keys;\n"
    "                              with --recursive all of them. --human-readable, --summarize\n"
    "  mb s3://BUCKET              make a bucket\n"
    "  rb s3://BUCKET              remove it; with --force also what is in it\n"
    "  cp FROM TO                  copy; one of both is s3://BUCKET/KEY or both are, - is\n"
    "                              standard input or output. --recursive: what is below FROM\n"
    "  mv FROM TO                  the same, then remove what was copied\n"
    "  rm s3://BUCKET/KEY          delete; with --recursive what is below KEY/\n"
    "  sync FROM TO                copy what TO lacks or has in another size or older. --delete:\n"
    "                              remove from TO what FROM lacks. --size-only,\n"
    "                              --exact-timestamps\n"
    "  cat s3://BUCKET/KEY         the object to standard output\n"
    "  stat s3://BUCKET/KEY        what is known of it\n"
    "  presign s3://BUCKET/KEY     a URL that gets it without keys, for --expires-in S (3600)\n"
    "  put FILE s3://BUCKET/KEY    as cp\n"
    "  get s3://BUCKET/KEY [FILE]  as cp; FILE is . by default\n"
    "\n"
    "A target that ends with '/' or is a directory gets the source's name added.\n"
    "\n"
    "  --exclude P, --include P    leave out, or take nevertheless, what matches: * ? [ab]\n"
    "                              [!ab] match '/' too, the last one that matches counts\n"
    "  --dryrun                    only say what would be done\n"
    "  --parallel N                connections at once, 1 to 16, default 4: files, and parts of\n"
    "                              large ones\n"
    "  --part-size B, --threshold B  files larger than this go in parts; both 8388608\n"
    "  --checkpoints DIR           where to note how far parts have come, so that the same\n"
    "                              command goes on after it was killed; \"\": nowhere, default\n"
    "                              ~/.cache/aws.h\n"
    "  --no-follow-symlinks        skip symbolic links\n"
    "  --force-glacier-transfer, --ignore-glacier-warnings  try archived objects, skip in silence\n"
    "  --page-size N               keys in one answer\n"
    "  --content-type T, --no-guess-mime-type, --cache-control T, --content-disposition T,\n"
    "  --content-encoding T, --content-language T, --expires T, --metadata K=V,..., --acl T,\n"
    "  --storage-class T, --sse T, --sse-kms-key-id T, --website-redirect T,\n"
    "  --metadata-directive T, --request-payer T\n"
    "  --copy-props none|metadata-directive|default  what copies take along: all but tags; all\n"
    "  --size B                    of standard input: it isn't gathered in parts of 8 MiB then\n"
    "\n"
    "  --endpoint URL  http[s]://HOST[:PORT], if not Amazon (or AWS_ENDPOINT_URL_S3)\n"
    "  --dialect D     what S3 it speaks: minio ceph swift r2 b2 gcs; default aws. Some refuse\n"
    "                  its checksums\n"
    "  --region R      such as eu-west-1 (or AWS_REGION)\n"
    "  --profile P     of ~/.aws/config (or AWS_PROFILE)\n"
    "  --no-sign-request  no keys: what is public\n"
    "  --ca FILE       CA certificates to trust, PEM (or AWS_CA_BUNDLE); default: Amazon's, and\n"
    "                  for another endpoint the system's\n"
    "  --memory BYTES  for each client, 2097152 for all\n"
    "  --cli-connect-timeout S, --cli-read-timeout S  seconds, 60\n"
    "  --quiet, --only-show-errors, --no-progress, --debug\n"
    "  --stats         tell on standard error what memory was used\n"
    "  --help, --version\n"
    "\n"
    "Keys come from where AWS's tools have them: environment, profiles, roles, containers, EC2;\n"
    "proxies from HTTPS_PROXY, HTTP_PROXY and NO_PROXY.\n"
    "A file appears, or is replaced, once all of it has come; until then it is FILE.s3-XXXXXXXX.\n"
    "Times are UTC.\n"
    "Exit codes: 0 done, 1 failed or nothing found, 2 some files were skipped, 252 wrong use,\n"
    "253 no keys or settings, 254 the server refused, 255 another error; cp, mv, rm, sync, cat,\n"
    "mb and rb end with 1 whatever the reason.\n";

/* ---- All the memory there is ---- */

enum {
    JOBS = 16,
    PATH_ROOM = 4096,
    POOL = 2 << 20,
    PARTS = 10000,
    PART_BUFFER = 8 << 20, /* of standard input whose size isn't known; untouched otherwise */
    FILTERS = 64,
    PAIRS = 32
};

static unsigned char pool[POOL]; /* the clients' blocks, that of the listings first */
static void         *trust_memory[32768]; /* aligned as aws_trust_load wants it */
static unsigned char page_memory[2][131072];
static unsigned char part_memory[PARTS * AWS_S3_PART_MEMORY];
static unsigned char part_buffer[PART_BUFFER];
static char          held[1 << 18]; /* lines of ls that come after the prefixes */

static aws_default  here; /* the session, its profile and its keys */
static aws_session *session;
static aws_trust    trust;
static aws_service  service; /* S3, with what AWS_SMALL leaves out */
static aws_client   lister; /* for listings and all that isn't a job; it waits */

static struct options {
    const char *endpoint, *region, *ca, *profile, *dialect, *checkpoints, *copy_props, *payer,
        *exclude, *include, *metadata;
    uint64_t memory, parallel, part_size, threshold, seconds, size, page_size, connect_timeout,
        read_timeout;
    int has_size, has_threshold, recursive, force, quiet, no_progress, stats, debug, dryrun, remove,
        size_only, exact, no_follow, no_guess, human, summarize, anonymous, quiet_cold, force_cold;
} option;

static aws_s3_args given; /* members of uploads and copies, by options */
static aws_pair    metadata[PAIRS];
static struct filter {
    int         include;
    const char *pattern;
} filters[FILTERS];
static size_t filter_count;

/* A place on the command line. path: a directory or prefix with its '/', or "": what is below it is
 * meant; or, of a target, the whole name. */
typedef struct place {
    int  is_s3, whole;
    char bucket[256];
    char path[PATH_ROOM];
} place;

static place source, target;

/* A file or object below a place. */
typedef struct entry {
    char     name[PATH_ROOM];
    uint64_t size;
    int64_t  time; /* of its last change, Unix seconds */
    long     nanoseconds;
    int      cold; /* in an archive: it can't be had */
} entry;

/* ---- Jobs: one file or object each ---- */

enum verb { UPLOAD, DOWNLOAD, COPY, DELETE, MOVE };
static const char *const verbs[] = {"upload", "download", "copy", "delete", "move"};

enum { ENDED_EARLY = -1, GOES_ON = -2, IN_USE = -3 }; /* instead of an errno */

typedef struct job {
    int (*step)(struct job *job); /* 0 done, 1 go on, AWS_AGAIN or an error; NULL: it is free */
    enum verb       verb;
    const place    *from_place, *to_place;
    char            from[PATH_ROOM], to[PATH_ROOM]; /* paths or keys */
    char            copy_source[sizeof source.bucket + AWS_S3_KEY + 1];
    aws_client      client;
    aws_client     *failed; /* the one that has the failure */
    int             ready, wide, moving, silent, in_transfer; /* ready: the client; wide: all */
    aws_s3_worker   worker;
    aws_s3_transfer transfer;
    aws_s3_transfer_args args;
    aws_s3_args     members;
    aws_s3_bucket   bucket;
    aws_s3_object   object; /* in S3, what is written or else read */
    aws_sink        sink;
    aws_source      source;
    uint64_t        size, done, left;
    int64_t         time;
    /* the file */
    int      fd, direct; /* direct: not a regular file, it isn't replaced */
    off_t    start;
    int      error;      /* errno, or one of the above */
    char     temporary[PATH_ROOM + 16];
    volatile sig_atomic_t has_temporary;
} job;

static job           jobs[JOBS];
static aws_s3_worker workers[JOBS];
static unsigned      busy, finished, failures, skips;
static volatile sig_atomic_t tidying, stopped; /* parts must not stay there; a signal came */
static uint64_t      bytes_done; /* of finished jobs */

/* ---- Telling a person ---- */

/* Text on its way out. printf, and what it brings, would be 16 KB of a static binary. */
typedef struct writer {
    int    fd; /* where it goes once data is full, or when flushed; -1: it must fit */
    int    bad; /* errno, or EOVERFLOW if it didn't fit */
    size_t size, used;
    char  *data;
} writer;

static char   output_memory[16384], error_memory[512];
static writer out = {STDOUT_FILENO, 0, sizeof output_memory, 0, output_memory};
static writer err = {STDERR_FILENO, 0, sizeof error_memory, 0, error_memory};

#if defined(__MINGW32__) && !defined(__clang__)
#define FORMAT(at) __attribute__((format(gnu_printf, at, (at) + 1)))
#elif defined(__GNUC__)
#define FORMAT(at) __attribute__((format(printf, at, (at) + 1)))
#else
#define FORMAT(at)
#endif

static int flush(writer *to)
{
    size_t at = 0;

    while (at < to->used && !to->bad) {
        ssize_t n = write(to->fd, to->data + at, to->used - at);

        if (n > 0)
            at += (size_t)n;
        else if (errno != EINTR)
            to->bad = errno;
    }
    to->used = 0;
    return to->bad;
}

static void add_char(writer *to, char c)
{
    if (to->used == to->size) {
        if (to->fd < 0) {
            to->bad = EOVERFLOW;
            return;
        }
        flush(to);
    }
    to->data[to->used++] = c;
}

static void add(writer *to, const char *text)
{
    while (*text)
        add_char(to, *text++);
}

/* A number at the end of text: where it begins. */
static const char *number_text(char text[24], unsigned long long number, unsigned base)
{
    char *at = text + 23;

    *at = 0;
    do {
        *--at = "0123456789abcdef"[number % base];
    } while ((number /= base) != 0);
    return at;
}

/* Of printf's: %s %c %u %x, l and ll of numbers, widths and zeros before, precisions of texts. */
static void add_values(writer *to, const char *format, va_list values)
{
    for (; *format; format++) {
        size_t width = 0, most = (size_t)-1, size, *count = &width;
        const char *text;
        char memory[24], fill;
        int longs = 0;

        if (*format != '%') {
            add_char(to, *format);
            continue;
        }
        fill = format[1] == '0' ? '0' : ' ';
        for (format++; *format == '.' || *format == 'l' || (*format >= '0' && *format <= '9');
             format++) {
            if (*format == '.')
                most = 0, count = &most;
            else if (*format == 'l')
                longs++;
            else
                *count = *count * 10 + (size_t)(*format - '0');
        }
        memory[0] = *format;
        memory[1] = 0;
        text = memory;
        if (*format == 's')
            text = va_arg(values, const char *);
        else if (*format == 'c')
            memory[0] = (char)va_arg(values, int);
        else if (*format != '%')
            text = number_text(memory,
                               longs > 1 ? va_arg(values, unsigned long long)
                               : longs   ? va_arg(values, unsigned long)
                                         : va_arg(values, unsigned),
                               *format == 'x' ? 16 : 10);
        for (size = strlen(text); size < width; width--)
            add_char(to, fill);
        for (; most-- && *text; text++)
            add_char(to, *text);
    }
}

FORMAT(2) static void say(writer *to, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    add_values(to, format, values);
    va_end(values);
}

/* Into memory: 0, or -1 if it was cut. */
FORMAT(3) static int print(char *text, size_t size, const char *format, ...)
{
    writer to = {-1, 0, 0, 0, NULL};
    va_list values;

    to.size = size - 1;
    to.data = text;
    va_start(values, format);
    add_values(&to, format, values);
    va_end(values);
    text[to.used] = 0;
    return to.bad ? -1 : 0;
}

static int bar_open; /* a progress bar stands in the terminal's last line */

static void clear_bar(void)
{
    if (bar_open)
        add(&err, "\r\033[K");
    flush(&err);
    bar_open = 0;
}

/* Begin a line on standard error, after all that was said before. */
static void begin_line(void)
{
    flush(&out);
    clear_bar();
    add(&err, "s3: ");
}

FORMAT(2) static int complain(int code, const char *format, ...)
{
    va_list values;

    begin_line();
    va_start(values, format);
    add_values(&err, format, values);
    va_end(values);
    add_char(&err, '\n');
    flush(&err);
    return code;
}

/* Text of a server's: on a terminal its control characters must not act. */
static char shown_char(char c)
{
    static int raw = -1;

    if (raw < 0)
        raw = !isatty(STDOUT_FILENO);
    return raw || ((unsigned char)c >= ' ' && c != 127) ? c : '?';
}

static void print_text(writer *to, const char *text)
{
    for (; *text; text++)
        add_char(to, shown_char(*text));
}

/* As `aws s3` writes it: s3://BUCKET/KEY, or ./FILE. */
static void print_name(writer *to, const place *where, const char *name)
{
    if (where->is_s3) {
        say(to, "s3://%s/", where->bucket);
    } else {
        while (strncmp(name, "./", 2) == 0 && strchr(name + 2, '/'))
            name += 2;
        if (!strchr(name, '/'))
            add(to, "./");
    }
    print_text(to, name);
}

static void print_job(writer *to, const job *j)
{
    print_name(to, j->from_place, j->from);
    if (j->to_place) {
        add(to, " to ");
        print_name(to, j->to_place, j->to);
    }
}

static void report(const job *j)
{
    if (option.quiet || j->silent)
        return;
    clear_bar();
    say(&out, "%s%s: ", option.dryrun ? "(dryrun) " : "", verbs[j->moving ? MOVE : j->verb]);
    print_job(&out, j);
    add_char(&out, '\n');
    if (isatty(STDOUT_FILENO))
        flush(&out);
}

/* A file that isn't taken: the others go on, the exit code tells. */
static void skip(const char *name, const char *reason)
{
    begin_line();
    add(&err, "warning: skipping ");
    print_text(&err, name);
    say(&err, ": %s\n", reason);
    flush(&err);
    skips++;
}

/* The exit code of a call that failed. */
static int code_of(const aws_client *client)
{
    const aws_failure *failure = aws_client_failure(client);

    if (failure->http_status)
        return REFUSED;
    return failure->code == AWS_ERR_CREDENTIALS || failure->code == AWS_ERR_PARAM ||
                   failure->code == AWS_ERR_MEMORY
               ? NOT_SET_UP
               : NOT_DONE;
}

static int call_failed(void)
{
    return complain(code_of(&lister), "%s", aws_client_failure_text(&lister));
}

/* 12345678 as "11.8 MiB". */
static const char *human(uint64_t bytes, char text[24])
{
    static const char units[] = " KMGTPE";
    uint64_t tenths = bytes * 10;
    unsigned unit = 0;

    if (bytes < 1024) {
        print(text, 24, "%u Byte%s", (unsigned)bytes, bytes == 1 ? "" : "s");
        return text;
    }
    for (; bytes >= (uint64_t)1 << 40; bytes >>= 10)
        unit++;
    for (tenths = bytes * 10; tenths >= 10235 || !unit; unit++)
        tenths = (tenths + 512) >> 10;
    print(text, 24, "%u.%u %ciB", (unsigned)(tenths / 10), (unsigned)(tenths % 10), units[unit]);
    return text;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static uint32_t milliseconds(void)
{
    const aws_port *port = session->config.port;

    return port->ticks(port);
}

/* One line: of the only job its bar, of several how many there are. At most ten times a second. */
static void show_progress(int now_or_never)
{
    static uint32_t started, drawn;
    static int      begun;
    uint32_t now = milliseconds();
    uint64_t bytes = bytes_done, speed, left;
    char bar[31], part[24], whole[24], rate[24];
    const job *only = NULL;
    unsigned i;

    if (!begun) {
        begun = 1;
        started = now;
    }
    if (option.no_progress || option.quiet || (!now_or_never && now - drawn < 100))
        return;
    drawn = now;
    for (i = 0; i < JOBS; i++)
        if (jobs[i].step) {
            bytes += jobs[i].done;
            only = &jobs[i];
        }
    if (!only || only->silent)
        return;
    speed = now == started ? bytes : bytes * 1000 / (now - started);
    human(speed, rate);
    add_char(&err, '\r');
    if (busy > 1) {
        say(&err, "%u done, %u at once, %s, %s/s", finished, busy, human(bytes, part), rate);
    } else if (only->size) {
        const char *name = last_part(only->from);

        memset(bar, '.', 30);
        memset(bar, '#', (size_t)(only->done < only->size ? only->done * 30 / only->size : 30));
        bar[30] = 0;
        for (i = 0; name[i] && i < 30; i++)
            add_char(&err, (unsigned char)name[i] < ' ' || name[i] == 127 ? '?' : name[i]);
        say(&err, " [%s] %s of %s, %s/s", bar, human(only->done, part), human(only->size, whole),
            rate);
        if (speed && only->done < only->size) {
            left = (only->size - only->done) / speed;
            say(&err, ", %u:%02u left", (unsigned)(left / 60), (unsigned)(left % 60));
        }
    }
    add(&err, " \033[K");
    flush(&err);
    bar_open = 1;
}

/* For the library. */
static void job_progress(void *context, uint64_t done, uint64_t total)
{
    job *j = (job *)context;

    j->done = done;
    if (busy == 1 || done == total)
        show_progress(done == total && busy == 1);
}

/* ---- Names ---- */

/* first and second in one: 0, or -1 if it is too long. */
static int join(char to[PATH_ROOM], const char *first, const char *second)
{
    return print(to, PATH_ROOM, "%s%s", first, second);
}

static int is_directory(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* The directories that path lies in. */
static int make_parents(char *path)
{
    char *slash;
    int r = 0;

    for (slash = strchr(path + 1, '/'); slash && r == 0; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        r = mkdir(path, 0777) < 0 && errno != EEXIST ? -1 : 0;
        *slash = '/';
    }
    return r;
}

static int is_s3(const char *text)
{
    return strncmp(text, "s3://", 5) == 0;
}

static int parse_place(place *to, const char *text)
{
    const char *name = text + 5;
    size_t size;

    to->is_s3 = is_s3(text);
    if (!to->is_s3) {
        if (join(to->path, text, "") < 0)
            return complain(USAGE, "the path is too long");
        system_path(to->path);
        return DONE;
    }
    size = strcspn(name, "/");
    if (!size || size >= sizeof to->bucket)
        return complain(USAGE, "'%s' names no bucket: s3://BUCKET/KEY", text);
    memcpy(to->bucket, name, size);
    to->bucket[size] = 0;
    if (name[size] && strlen(name + size + 1) >= AWS_S3_KEY)
        return complain(USAGE, "the key is longer than 1,024 bytes");
    return join(to->path, name[size] ? name + size + 1 : "", "") < 0 ? USAGE : DONE;
}

/* An address in S3: with a key, with none, or either. */
enum { NO_KEY, A_KEY, ANY_KEY };
static int parse_address(place *to, const char *text, int key)
{
    int code;

    if (!is_s3(text))
        return complain(USAGE, "'%s' is not an address: s3://BUCKET/KEY", text);
    code = parse_place(to, text);
    if (code == DONE && key == NO_KEY && *to->path)
        return complain(USAGE, "'%s' has a key; a bucket is s3://BUCKET", text);
    if (code == DONE && key == A_KEY && !*to->path)
        return complain(USAGE, "'%s' has no key: s3://BUCKET/KEY", text);
    return code;
}

/* What is below it is meant. */
static int below(place *at)
{
    size_t size = strlen(at->path);

    if (size + 2 > PATH_ROOM)
        return complain(USAGE, "the path is too long");
    if ((size || !at->is_s3) && (!size || at->path[size - 1] != '/'))
        strcpy(at->path + size, "/");
    return DONE;
}

/* Python's fnmatch, which `aws s3` has: no character is special but these; without recursion. */
static int matches(const char *pattern, const char *name)
{
    const char *star = NULL, *again = NULL, *p = pattern, *end;
    int hit, negated;

    while (*name) {
        hit = 0;
        end = p + 1;
        if (*p == '*') {
            star = ++p;
            again = name;
            continue;
        }
        if (*p == '[' && p[1] && (end = strchr(p + 2 + (p[1] == '!'), ']')) != NULL) {
            negated = p[1] == '!';
            for (p += 1 + negated; p < end; p++) {
                if (p + 2 < end && p[1] == '-') {
                    hit |= (unsigned char)*p <= (unsigned char)*name &&
                           (unsigned char)*name <= (unsigned char)p[2];
                    p += 2;
                } else {
                    hit |= *p == *name;
                }
            }
            hit ^= negated;
            end++;
        } else {
            hit = *p && (*p == '?' || *p == *name);
            end = p + 1;
        }
        if (hit) {
            p = end;
            name++;
        } else if (star) {
            p = star;
            name = ++again;
        } else {
            return 0;
        }
    }
    while (*p == '*')
        p++;
    return !*p;
}

static int is_included(const char *name)
{
    int included = 1;
    size_t i;

    for (i = 0; i < filter_count; i++)
        if (matches(filters[i].pattern, name))
            included = filters[i].include;
    return included;
}

/* FILE.s3-XXXXXXXX: a download that was killed. */
static int is_temporary(const char *name)
{
    size_t size = strlen(name);

    return size > 12 && strncmp(name + size - 12, ".s3-", 4) == 0 &&
           strspn(name + size - 8, "0123456789abcdef") == 8;
}

/* ---- Walking a directory tree in the order of keys ----
 *
 * Of each directory on the way as many names are kept as there is room for, the smallest ones,
 * sorted, directories with their '/'. When they are used up, the directory is read again for those
 * that follow: any number of files, in fixed memory. */

enum { SLOTS = 8192, LEVELS = 512, NAME_ROOM = NAME_MAX + 5 };

static char           slots[SLOTS][NAME_ROOM];
static unsigned short ranks[SLOTS]; /* the numbers of slots: a heap while reading, then sorted */
static struct level {
    unsigned first, room, count, at;
    size_t   length; /* of the directory's path */
    int      more;
} levels[LEVELS];
static struct walk {
    char   path[PATH_ROOM];
    size_t root; /* the length of what is before the names */
    int    depth;
} walk;

/* A directory is read without opendir, which allocates. */
static struct folder {
    uint64_t entries[4096];
    size_t   at, filled;
    int      fd;
    char     name[NAME_ROOM];
#ifndef __linux__
    DIR *dir;
#endif
} folder;

#ifdef __linux__
static int folder_open(const char *path)
{
    folder.at = folder.filled = 0;
    folder.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return folder.fd < 0 ? -1 : 0;
}

/* 1, 0 at the end, or -1. */
static int folder_next(void)
{
    const char *record;
    unsigned short length;
    long n;

    if (folder.at == folder.filled) {
        n = syscall(SYS_getdents64, folder.fd, folder.entries, sizeof folder.entries);
        if (n <= 0)
            return (int)n;
        folder.at = 0;
        folder.filled = (size_t)n;
    }
    record = (const char *)folder.entries + folder.at; /* inode, offset, length, type, name */
    memcpy(&length, record + 16, sizeof length);
    folder.at += length;
    print(folder.name, sizeof folder.name, "%s", record + 19);
    return 1;
}

static void folder_close(void)
{
    close(folder.fd);
}
#else
static int folder_open(const char *path)
{
    folder.dir = opendir(path);
    return folder.dir ? 0 : -1;
}

static int folder_next(void)
{
    const struct dirent *record;

    errno = 0;
    record = readdir(folder.dir);
    if (!record)
        return errno ? -1 : 0;
    print(folder.name, sizeof folder.name, "%s", record->d_name);
    return 1;
}

static void folder_close(void)
{
    closedir(folder.dir);
}
#endif

static int slot_compare(unsigned a, unsigned b)
{
    return strcmp(slots[ranks[a]], slots[ranks[b]]);
}

static void slot_swap(unsigned a, unsigned b)
{
    unsigned short number = ranks[a];

    ranks[a] = ranks[b];
    ranks[b] = number;
}

/* The greatest name goes up to the heap's root. */
static void sift_down(const struct level *l, unsigned count)
{
    unsigned at = 0, child;

    while ((child = 2 * at + 1) < count) {
        child += child + 1 < count && slot_compare(l->first + child, l->first + child + 1) < 0;
        if (slot_compare(l->first + at, l->first + child) >= 0)
            return;
        slot_swap(l->first + at, l->first + child);
        at = child;
    }
}

static void keep_name(struct level *l, const char *name)
{
    unsigned at = l->count;

    if (l->count < l->room) {
        ranks[l->first + at] = (unsigned short)(l->first + at);
        strcpy(slots[l->first + at], name);
        l->count++;
        for (; at && slot_compare(l->first + (at - 1) / 2, l->first + at) < 0; at = (at - 1) / 2)
            slot_swap(l->first + (at - 1) / 2, l->first + at);
        return;
    }
    l->more = 1;
    if (strcmp(name, slots[ranks[l->first]]) >= 0)
        return;
    strcpy(slots[ranks[l->first]], name);
    sift_down(l, l->count);
}

/* Whether the name in folder.name, below the directory, is to be kept; it gets its '/'. */
static int take_name(size_t length)
{
    struct stat about;
    size_t size = strlen(folder.name);
    int link;

    if (strcmp(folder.name, ".") == 0 || strcmp(folder.name, "..") == 0)
        return 0;
    if (length + size + 2 > PATH_ROOM) {
        skip(folder.name, "its path is too long");
        return 0;
    }
    strcpy(walk.path + length, folder.name);
    link = lstat(walk.path, &about) == 0 && S_ISLNK(about.st_mode);
    if (link && option.no_follow)
        return 0;
    if (link && stat(walk.path, &about) < 0)
        return 1; /* broken: it is skipped when its turn comes */
    if (S_ISDIR(about.st_mode))
        strcpy(folder.name + size, "/");
    return 1;
}

/* The names of a level's directory that come after the one given. */
static int read_level(struct level *l, const char *after)
{
    char last[NAME_ROOM];
    unsigned i;
    int r;

    strcpy(last, after);
    l->count = l->at = 0;
    l->more = 0;
    walk.path[l->length] = 0;
    if (folder_open(l->length ? walk.path : ".") < 0) {
        skip(walk.path, strerror(errno));
        return 0;
    }
    while ((r = folder_next()) > 0)
        if (take_name(l->length) && strcmp(folder.name, last) > 0)
            keep_name(l, folder.name);
    if (r < 0)
        r = complain(-1, "%s: %s", walk.path, strerror(errno));
    folder_close();
    for (i = l->count; i > 1;) {
        slot_swap(l->first, l->first + --i);
        sift_down(l, i);
    }
    return r;
}

static int push_level(size_t length)
{
    struct level *l = &levels[++walk.depth];
    unsigned used = walk.depth ? l[-1].first + l[-1].room : 0;

    l->first = used;
    l->room = (SLOTS - used - (unsigned)(LEVELS - walk.depth)) / 2 + 1;
    l->length = length;
    return read_level(l, "");
}

static int walk_begin(const char *root)
{
    strcpy(walk.path, root);
    walk.root = strlen(root);
    walk.depth = -1;
    return push_level(walk.root);
}

/* A file on the way: 1, or 0 if it is to be skipped. */
static int walk_file(entry *e)
{
    struct stat about;

    if (is_temporary(walk.path))
        return 0;
    if (stat(walk.path, &about) < 0) {
        skip(walk.path, strerror(errno));
        return 0;
    }
    if (!S_ISREG(about.st_mode) || access(walk.path, R_OK) < 0) {
        skip(walk.path, S_ISREG(about.st_mode) ? "it is not readable" : "it is not a file");
        return 0;
    }
    strcpy(e->name, walk.path + walk.root);
    e->size = (uint64_t)about.st_size;
    e->time = (int64_t)about.st_mtime;
    e->nanoseconds = (long)about.st_mtim.tv_nsec;
    return 1;
}

/* 1 with the next file, 0 at the end, or -1. */
static int walk_next(entry *e)
{
    while (walk.depth >= 0) {
        struct level *l = &levels[walk.depth];
        const char *name;

        if (l->at == l->count) {
            if (!l->more)
                walk.depth--;
            else if (read_level(l, slots[ranks[l->first + l->count - 1]]) < 0)
                return -1;
            continue;
        }
        name = slots[ranks[l->first + l->at++]];
        strcpy(walk.path + l->length, name);
        if (name[strlen(name) - 1] != '/') {
            if (walk_file(e))
                return 1;
        } else if (walk.depth + 1 == LEVELS) {
            skip(walk.path, "it lies too deep");
        } else if (push_level(l->length + strlen(name)) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- Trees: what is below a place, sorted ---- */

typedef struct tree {
    const place   *at;
    int            sorted, markers; /* it must be sorted; objects that stand for directories, too */
    entry          entry;
    aws_s3_bucket  bucket;
    aws_s3_objects objects;
} tree;

static tree trees[2]; /* the source's and the target's */

static int tree_begin(tree *t, const place *at, int sorted, int markers)
{
    aws_s3_args args = {0};

    t->at = at;
    t->sorted = sorted;
    t->markers = markers;
    t->entry.name[0] = 0;
    if (!at->is_s3)
        return walk_begin(at->path);
    aws_s3_bucket_init(&t->bucket, &lister, at->bucket);
    args.prefix = *at->path ? at->path : NULL;
    args.max_keys = (unsigned)option.page_size;
    args.page = page_memory[t - trees];
    args.page_size = sizeof page_memory[0];
    aws_s3_objects_begin(&t->objects, &t->bucket, &args);
    return 0;
}

/* 1 with the next entry, 0 at the end, -1: a fatal error, which was told. */
static int tree_next(tree *t)
{
    aws_s3_summary object;
    const char *name;
    int r;

    if (!t->at->is_s3)
        return walk_next(&t->entry);
    while ((r = aws_s3_objects_next(&t->objects, &object)) > 0) {
        name = object.key + strlen(t->at->path);
        if (!t->markers && (!*name || (!object.size && name[strlen(name) - 1] == '/')))
            continue;
        if (t->sorted && strcmp(name, t->entry.name) <= 0)
            return complain(-1, "the server lists its keys in no order: sync can't compare them");
        strcpy(t->entry.name, name);
        t->entry.size = object.size;
        t->entry.time = object.last_modified;
        t->entry.nanoseconds = 0;
        t->entry.cold = strcmp(object.storage_class, "GLACIER") == 0 ||
                        strcmp(object.storage_class, "DEEP_ARCHIVE") == 0;
        return 1;
    }
    return r == 0 ? 0 : complain(-1, "fatal error: %s", aws_client_failure_text(&lister));
}

/* ---- Files: what a body comes from and an answer goes to ---- */

static int file_failed(job *j, int error, int code)
{
    j->error = error;
    return code;
}

static ssize_t read_some(int fd, void *data, size_t size)
{
    ssize_t n;

    do {
        while (tidying && !stopped && !system_readable(fd))
            ;
        n = stopped ? 0 : read(fd, data, size);
    } while (n < 0 && errno == EINTR);
    if (!stopped)
        return n;
    errno = EINTR; /* what is at the other end has ended by the same signal, perhaps */
    return -1;
}

/* For an upload of a regular file. Its end is looked for before the last bytes are handed over: a
 * file that grew or shrank must not become an object that looks complete. */
static int file_read_at(void *context, uint64_t offset, void *data, size_t size)
{
    job *j = (job *)context;
    off_t at = j->start + (off_t)offset;
    ssize_t n;
    char more;

    if (size > j->size - offset)
        size = (size_t)(j->size - offset);
    n = pread(j->fd, data, size, at);
    if (n <= 0)
        return file_failed(j, n ? errno : ENDED_EARLY, AWS_ERR_BODY);
    if (offset + (uint64_t)n == j->size && pread(j->fd, &more, 1, at + n) != 0)
        return file_failed(j, GOES_ON, AWS_ERR_BODY);
    return (int)n;
}

/* The same for a pipe whose size was given. */
static int pipe_read(void *context, void *data, size_t size)
{
    job *j = (job *)context;
    ssize_t n;
    char more;

    if (!j->left)
        return 0;
    n = read_some(j->fd, data, size < j->left ? size : (size_t)j->left);
    if (n <= 0)
        return file_failed(j, n ? errno : ENDED_EARLY, AWS_ERR_BODY);
    j->left -= (uint64_t)n;
    if (!j->left && read_some(j->fd, &more, 1) != 0)
        return file_failed(j, GOES_ON, AWS_ERR_BODY);
    return (int)n;
}

static int file_write(void *context, const void *data, size_t size)
{
    job *j = (job *)context;
    ssize_t n;

    do {
        n = write(j->fd, data, size < 65536 ? size : 65536);
    } while (n < 0 && errno == EINTR);
    return n > 0 ? (int)n : file_failed(j, errno, AWS_ERR_SINK);
}

static int file_write_at(void *context, uint64_t offset, const void *data, size_t size)
{
    job *j = (job *)context;
    ssize_t n = pwrite(j->fd, data, size, (off_t)offset);

    return n > 0 ? (int)n : file_failed(j, errno, AWS_ERR_SINK);
}

static int file_restart(void *context)
{
    job *j = (job *)context;

    if (lseek(j->fd, 0, SEEK_SET) < 0 || ftruncate(j->fd, 0) < 0)
        return file_failed(j, errno, AWS_ERR_SINK);
    return 0;
}

/* Open path for writing and lock it, or make it: -1, or -2 if another process has it. It can't be
 * a file that another process has renamed meanwhile. */
static int open_locked(const char *path)
{
    struct stat opened, named;
    int fd;

    for (;;) {
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            close(fd);
            return -2;
        }
        if (fstat(fd, &opened) == 0 && lstat(path, &named) == 0 &&
            opened.st_ino == named.st_ino && opened.st_dev == named.st_dev)
            return fd;
        close(fd);
    }
}

/* Why a job's file is at fault, or NULL. */
static const char *file_reason(const job *j)
{
    switch (j->error) {
    case 0: return NULL;
    case ENDED_EARLY: return "the file ended before its size; nothing was stored";
    case GOES_ON: return "the file has more bytes than its size; nothing was stored";
    case IN_USE: return "another process transfers this";
    default: return strerror(j->error);
    }
}

/* ---- Checkpoints: how far the parts of the one large transfer have come ---- */

static struct checkpoint {
    char          path[PATH_ROOM], written[PATH_ROOM + 4];
    unsigned char data[AWS_S3_CHECKPOINT];
    int           lock; /* file descriptor, -1: nothing is noted */
    int           noted;
} checkpoint;

/* A name for what a job does: FNV-1a of all that tells it from others. */
static uint64_t job_id(const job *j, uint64_t file)
{
    const char *texts[7];
    uint64_t id = 0xcbf29ce484222325u ^ file;
    size_t i;

    texts[0] = verbs[j->verb];
    texts[1] = j->from_place->is_s3 ? j->from_place->bucket : "";
    texts[2] = j->from;
    texts[3] = j->to_place->is_s3 ? j->to_place->bucket : "";
    texts[4] = j->to;
    texts[5] = option.endpoint ? option.endpoint : "";
    texts[6] = aws_session_region(session) ? aws_session_region(session) : "";
    for (i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *c = texts[i];

        do {
            id = (id ^ (unsigned char)*c) * 0x100000001b3u;
        } while (*c++);
    }
    return id;
}

/* Which file it is, not only how it is called: a checkpoint tells of the bytes in it. */
static uint64_t file_identity(const job *j)
{
    struct stat about;

    return j->fd >= 0 && fstat(j->fd, &about) == 0
               ? ((uint64_t)about.st_dev << 40) ^ (uint64_t)about.st_ino
               : 0;
}

static int is_empty(const job *j)
{
    struct stat about;

    return fstat(j->fd, &about) < 0 || about.st_size == 0;
}

/* For the library: whole or not at all, also when the power fails meanwhile. */
static int save_checkpoint(void *context, const void *data, size_t size)
{
    job *j = (job *)context;
    int fd, bad;

    checkpoint.noted = size != 0;
    if (!size)
        return unlink(checkpoint.path) < 0 && errno != ENOENT ? -1 : 0;
    if (j->verb == DOWNLOAD && fdatasync(j->fd) < 0)
        return file_failed(j, errno, AWS_ERR_SINK);
    fd = open(checkpoint.written, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bad = fd < 0 || write(fd, data, size) != (ssize_t)size || fsync(fd) < 0;
    bad |= fd >= 0 && close(fd) < 0;
    if (!bad && rename(checkpoint.written, checkpoint.path) == 0)
        return 0;
    return file_failed(j, errno, AWS_ERR_BODY);
}

/* The checkpoint's file, locked, and the size of what is in it: 0 none; -1 in use by another. */
static int open_checkpoint(const job *j)
{
    const char *home = getenv("HOME");
    int fd, n = 0;

    if (option.checkpoints ? !*option.checkpoints : !home || !*home)
        return 0;
    if (print(checkpoint.path, PATH_ROOM - 16, "%s%s/%016llx",
              option.checkpoints ? option.checkpoints : home,
              option.checkpoints ? "" : "/.cache/aws.h",
              (unsigned long long)job_id(j, file_identity(j))) < 0 ||
        make_parents(checkpoint.path) < 0)
        return 0;
    print(checkpoint.written, sizeof checkpoint.written, "%s.lk", checkpoint.path);
    checkpoint.lock = open_locked(checkpoint.written);
    if (checkpoint.lock < 0)
        return checkpoint.lock == -2 ? -1 : 0;
    print(checkpoint.written, sizeof checkpoint.written, "%s.n", checkpoint.path);
    fd = open(checkpoint.path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = (int)read_some(fd, checkpoint.data, sizeof checkpoint.data);
        close(fd);
    } else {
        n = 0;
    }
    checkpoint.noted = n > 0;
    return n > 0 ? n : 0;
}

static void close_checkpoint(void)
{
    if (checkpoint.lock < 0)
        return;
    print(checkpoint.written, sizeof checkpoint.written, "%s.lk", checkpoint.path);
    unlink(checkpoint.written);
    close(checkpoint.lock);
    checkpoint.lock = -1;
}

/* ---- Interruptions: nothing half done stays behind, but what can be gone on with ---- */

static void interrupted(int number)
{
    size_t i;

    if (tidying && !stopped) { /* the upload is aborted first; the second time end at once */
        stopped = number;
        return;
    }
    for (i = 0; i < JOBS; i++)
        if (jobs[i].has_temporary)
            unlink(jobs[i].temporary);
    _exit(128 + number);
}

static void catch_interrupts(void)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGTERM};
    struct sigaction action;
    size_t i;

    memset(&action, 0, sizeof action);
    action.sa_handler = interrupted;
    for (i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

/* ---- How a job ends ---- */

static void release(job *j)
{
    if (j->has_temporary)
        unlink(j->temporary);
    j->has_temporary = 0;
    if (j->fd > STDERR_FILENO)
        close(j->fd);
    j->fd = -1;
    if (j->wide) {
        size_t i;

        close_checkpoint();
        for (i = 0; i < JOBS; i++) /* the transfer made them wait again */
            if (jobs[i].ready)
                aws_client_no_wait(&jobs[i].client, 1);
    }
    j->step = NULL;
    busy--;
    tidying = 0;
}

static void job_failed(job *j, const char *reason)
{
    if (!reason)
        reason = stopped ? "interrupted; nothing was stored" : file_reason(j);
    begin_line();
    say(&err, "%s failed: ", verbs[j->moving ? MOVE : j->verb]);
    print_job(&err, j);
    say(&err, ": %s\n", reason ? reason : aws_client_failure_text(j->failed));
    flush(&err);
    if (j->in_transfer && j->transfer.orphaned)
        complain(FAILED, "parts of it stay in the bucket, and cost: upload %s",
                 j->transfer.upload_id);
    if (j->wide && checkpoint.lock >= 0 && checkpoint.noted)
        complain(FAILED, "the same command goes on where it was");
    else if (j->wide && j->verb == DOWNLOAD && j->error != IN_USE)
        j->has_temporary = 1;
    failures++;
    release(j);
}

/* All has come: it takes its name, and the object's time. */
static int finish_file(job *j)
{
    struct timespec times[2];

    memset(times, 0, sizeof times);
    times[0].tv_sec = times[1].tv_sec = (time_t)j->time;
    if (j->time > 0 && futimens(j->fd, times) < 0)
        skip(j->to, "it was downloaded, but its time of modification can't be set");
    if (fsync(j->fd) < 0 || rename(j->temporary, j->to) < 0)
        return file_failed(j, errno, -1);
    j->has_temporary = 0;
    return 0;
}

static int step_delete(job *j);
static int set_tags(job *j);
static char tags_xml[32768], tags_head[2049];
static int  tags_size; /* of tags_xml, if the copy is to get it */

/* A job that isn't under way yet. */
static int step_begun(job *j)
{
    (void)j;
    return AWS_AGAIN;
}

static void job_done(job *j)
{
    if (j->verb == DOWNLOAD && !j->direct && j->step != step_delete && finish_file(j) < 0) {
        job_failed(j, NULL);
        return;
    }
    if (j->verb == COPY && j->in_transfer && j->step != step_delete && tags_size &&
        set_tags(j) < 0) {
        job_failed(j, NULL);
        return;
    }
    if (j->moving && !j->from_place->is_s3 && unlink(j->from) < 0) {
        job_failed(j, strerror(errno));
        return;
    }
    if (j->moving && j->from_place->is_s3 && j->step != step_delete) {
        aws_s3_bucket_init(&j->bucket, &j->client, j->from_place->bucket);
        aws_s3_object_init(&j->object, &j->bucket, j->from);
        j->step = step_delete;
        return;
    }
    bytes_done += j->size;
    finished++;
    release(j);
    report(j);
}

/* ---- Taking turns ---- */

static int moving; /* the command is mv */

/* A second at most: a signal may have come right before. There is room for one more. */
static void wait_for(aws_waiting *waiting, size_t count)
{
    memset(&waiting[count], 0, sizeof *waiting);
    waiting[count].handle = -1;
    waiting[count].ms = 1000;
    aws_system_wait(waiting, count + 1);
}

static void wait_for_any(void)
{
    aws_waiting waiting[64];
    size_t count = 0, i;

    for (i = 0; i < JOBS; i++) {
        job *j = &jobs[i];

        if (j->step && j->in_transfer && j->step != step_delete)
            count += aws_s3_transfer_waiting(&j->transfer, waiting + count,
                                             sizeof waiting / sizeof *waiting - 1 - count);
        else if (j->step)
            aws_client_waiting(&j->client, &waiting[count++]);
    }
    wait_for(waiting, count);
}

/* After a signal, when all is tidy. */
static void leave(void)
{
    flush(&out);
    clear_bar();
    _exit(128 + stopped);
}

/* Until at most so many jobs are busy. */
static void work(unsigned most)
{
    while (busy > most) {
        int moved = 0;
        size_t i;

        for (i = 0; i < JOBS; i++) {
            job *j = &jobs[i];
            int r;

            if (stopped && j->step && j->in_transfer && j->step != step_delete)
                aws_s3_transfer_cancel(&j->transfer);
            r = j->step ? j->step(j) : AWS_AGAIN;
            if (r == AWS_AGAIN)
                continue;
            moved = 1;
            if (r < 0)
                job_failed(j, NULL);
            else if (r == 0)
                job_done(j);
        }
        if (!moved) {
            show_progress(0);
            wait_for_any();
        }
    }
    if (stopped)
        leave();
}

static int client_begin(aws_client *client, size_t number)
{
    return aws_client_init(client, session, &service,
                           pool + number * (size_t)((option.memory + 15) & ~(uint64_t)15),
                           (size_t)option.memory);
}

/* A free job, with its client; it names from and to. NULL: it failed, which was told. */
static job *new_job(enum verb verb, const place *from, const place *to, const char *name)
{
    job *j = jobs;

    work((unsigned)option.parallel - 1);
    while (j->step)
        j++;
    if (!j->ready) {
        client_begin(&j->client, (size_t)(j - jobs) + 1);
        aws_client_no_wait(&j->client, 1);
        j->ready = 1;
    }
    j->verb = verb;
    j->from_place = from;
    j->to_place = to;
    j->failed = &j->client;
    j->moving = moving && verb != DELETE;
    j->wide = j->silent = j->in_transfer = j->direct = j->error = 0;
    j->size = j->done = 0;
    j->fd = -1;
    j->members = given;
    memset(&j->args, 0, sizeof j->args);
    busy++;
    j->step = step_begun;
    if (join(j->from, from->path, name) < 0 ||
        (to && join(j->to, to->path, to->whole ? "" : name) < 0) ||
        (to && to->is_s3 && strlen(j->to) >= AWS_S3_KEY)) {
        job_failed(j, "the name is too long");
        return NULL;
    }
    if (to)
        aws_s3_bucket_init(&j->bucket, &j->client, to->is_s3 ? to->bucket : from->bucket);
    else
        aws_s3_bucket_init(&j->bucket, &j->client, from->bucket);
    aws_s3_object_init(&j->object, &j->bucket, to && to->is_s3 ? j->to : j->from);
    return j;
}

static int step_transfer(job *j)
{
    int r = aws_s3_transfer_step(&j->transfer);

    if (r < 0 && r != AWS_AGAIN)
        j->failed = j->transfer.client;
    return r;
}

/* A transfer in parts has all the clients, so it is alone. */
static void make_wide(job *j)
{
    size_t i;

    for (i = 0; i < option.parallel; i++) {
        if (!jobs[i].ready) {
            client_begin(&jobs[i].client, i + 1);
            jobs[i].ready = 1;
        }
        workers[i].client = &jobs[i].client;
    }
    j->wide = 1;
    j->args.workers = workers;
    j->args.worker_count = (size_t)option.parallel;
    j->args.memory = part_memory;
    j->args.memory_size = sizeof part_memory;
}

typedef int begin_function(aws_s3_transfer *t, const aws_s3_object *object,
                           const aws_s3_transfer_args *args);
typedef int resume_function(aws_s3_transfer *t, const aws_s3_object *object,
                            const aws_s3_transfer_args *args, const void *data, size_t size);

/* Begin the job's transfer, in parts or not; resume: NULL if it can't be gone on with. */
static void start_transfer(job *j, begin_function *begin, resume_function *resume)
{
    int noted = 0;

    j->args.args = &j->members;
    j->args.context = j;
    j->args.progress = job_progress;
    j->args.threshold = option.threshold;
    j->args.part_size = option.part_size;
    j->in_transfer = 1;
    j->step = step_transfer;
    if (!j->wide) {
        j->worker.client = &j->client;
        j->args.workers = &j->worker;
        j->args.worker_count = 1;
    } else if (resume) {
        noted = open_checkpoint(j);
    }
    if (noted < 0) {
        j->error = IN_USE;
        job_failed(j, NULL);
    } else if (j->wide && resume && checkpoint.lock >= 0) {
        if (j->verb == DOWNLOAD) {
            j->has_temporary = 0; /* when interrupted it stays, to be gone on with */
            noted = is_empty(j) ? 0 : noted;
            if (!noted)
                file_restart(j);
        }
        j->args.save = save_checkpoint;
        resume(&j->transfer, &j->object, &j->args, checkpoint.data, (size_t)noted);
    } else {
        if (j->wide && j->verb == DOWNLOAD)
            file_restart(j);
        tidying = j->verb != DOWNLOAD; /* with a checkpoint parts may stay */
        begin(&j->transfer, &j->object, &j->args);
    }
    if (j->wide)
        work(0);
}

/* ---- Uploads ---- */

/* The type that a file's name suggests, as Python's mimetypes has it, or NULL. */
static const char *guess_type(const char *name)
{
    static const char types[] =
        "aac audio/aac\0avi video/x-msvideo\0bin application/octet-stream\0bmp image/bmp\0"
        "c text/plain\0css text/css\0csv text/csv\0doc application/msword\0"
        "eml message/rfc822\0exe application/octet-stream\0gif image/gif\0h text/plain\0"
        "htm text/html\0html text/html\0ico image/vnd.microsoft.icon\0jpeg image/jpeg\0"
        "jpg image/jpeg\0js application/javascript\0json application/json\0"
        "m3u8 application/vnd.apple.mpegurl\0mjs application/javascript\0mov video/quicktime\0"
        "mp3 audio/mpeg\0mp4 video/mp4\0mpeg video/mpeg\0mpg video/mpeg\0pdf application/pdf\0"
        "png image/png\0ps application/postscript\0py text/x-python\0sh application/x-sh\0"
        "svg image/svg+xml\0tar application/x-tar\0tif image/tiff\0tiff image/tiff\0"
        "tsv text/tab-separated-values\0txt text/plain\0wasm application/wasm\0"
        "wav audio/x-wav\0webm video/webm\0xml text/xml\0zip application/zip\0";
    const char *dot = strrchr(last_part(name), '.'), *at;
    size_t size;

    if (!dot || dot == last_part(name))
        return NULL;
    size = strlen(++dot);
    for (at = types; *at; at += strlen(at) + 1)
        if (strncmp(at, dot, size) == 0 && at[size] == ' ')
            return at + size + 1;
    return NULL;
}

static void start_upload(const entry *e)
{
    job *j = new_job(UPLOAD, &source, &target, e->name);
    struct stat about;

    if (!j)
        return;
    if (option.dryrun) {
        release(j);
        report(j);
        return;
    }
    j->fd = open(j->from, O_RDONLY | O_CLOEXEC);
    if (j->fd < 0 || fstat(j->fd, &about) < 0) {
        job_failed(j, strerror(errno));
        return;
    }
    if (!j->members.content_type && !option.no_guess)
        j->members.content_type = guess_type(j->from);
    j->start = 0;
    j->size = (uint64_t)about.st_size;
    if (j->size > option.threshold) { /* the others first */
        work(1);
        make_wide(j);
    }
    j->args.size = j->size;
    j->args.stamp = (uint64_t)about.st_mtim.tv_sec * 1000000000u + (uint64_t)about.st_mtim.tv_nsec;
    j->args.read_at = j->size ? file_read_at : NULL;
    start_transfer(j, aws_s3_upload_begin, aws_s3_upload_resume);
}

/* Upload a part by the listing's client, until a signal comes. */
static int upload_part(const aws_s3_args *args, aws_s3_result *result)
{
    aws_waiting waiting[2];
    int r;

    aws_client_no_wait(&lister, 1);
    while ((r = aws_s3_upload_part(&lister, args, result)) == AWS_AGAIN && !stopped) {
        aws_client_waiting(&lister, waiting);
        wait_for(waiting, 1);
    }
    if (r == AWS_AGAIN)
        aws_client_cancel(&lister);
    aws_client_no_wait(&lister, 0);
    return r;
}

/* Standard input of unknown size: part by part from memory, each of which can be sent again. */
static int upload_parts(job *j, size_t filled)
{
    static aws_s3_part parts[PARTS];
    static char        etags[PARTS][64], upload_id[1024];
    aws_s3_args args = given;
    aws_s3_result result;
    unsigned count = 0;
    int r;

    args.bucket = j->bucket.name;
    args.key = j->object.key;
    tidying = 1;
    r = aws_s3_create_multipart_upload(&lister, &args, &result);
    if (r < 0)
        return call_failed();
    print(upload_id, sizeof upload_id, "%s", result.upload_id ? result.upload_id : "");
    while (filled && r == 0) {
        size_t room = 0;
        ssize_t n;

        memset(&args, 0, sizeof args);
        args.bucket = j->bucket.name;
        args.key = j->object.key;
        args.upload_id = upload_id;
        args.part_number = ++count;
        args.body = part_buffer;
        args.body_size = filled;
        r = stopped || count > PARTS ? -1 : upload_part(&args, &result);
        if (r < 0)
            break;
        print(etags[count - 1], sizeof etags[0], "%s", result.etag ? result.etag : "");
        memset(&parts[count - 1], 0, sizeof parts[0]);
        parts[count - 1].number = count;
        parts[count - 1].etag = etags[count - 1];
        while (room < PART_BUFFER &&
               (n = read_some(j->fd, part_buffer + room, PART_BUFFER - room)) != 0) {
            if (n < 0)
                r = file_failed(j, errno, -1);
            if (n < 0)
                break;
            room += (size_t)n;
        }
        filled = room;
    }
    memset(&args, 0, sizeof args);
    args.bucket = j->bucket.name;
    args.key = j->object.key;
    args.upload_id = upload_id;
    args.parts = parts;
    args.part_count = count;
    if (stopped)
        r = -1;
    if (r == 0)
        r = aws_s3_complete_multipart_upload(&lister, &args, NULL);
    if (r == 0)
        return DONE;
    if (stopped)
        complain(FAILED, "interrupted; nothing was stored");
    else if (count > PARTS)
        complain(FAILED, "standard input is longer than 10,000 parts of 8 MiB: give --size BYTES");
    else if (j->error)
        complain(FAILED, "standard input: %s", strerror(j->error));
    else
        call_failed();
    args.parts = NULL;
    args.part_count = 0;
    aws_s3_abort_multipart_upload(&lister, &args, NULL);
    if (stopped)
        leave();
    return FAILED;
}

/* Standard input, whose size is known (a file, or --size), or which fits the buffer, or doesn't. */
static int upload_input(void)
{
    job *j;
    struct stat about;
    size_t filled = 0;
    ssize_t n = 0;
    char more;

    if (!*target.path || target.path[strlen(target.path) - 1] == '/')
        return complain(USAGE, "standard input has no name: give a key");
    strcpy(source.path, "-");
    target.whole = 1;
    j = new_job(UPLOAD, &source, &target, "");
    if (!j)
        return FAILED;
    j->fd = STDIN_FILENO;
    j->start = fstat(j->fd, &about) == 0 && S_ISREG(about.st_mode) ? lseek(j->fd, 0, SEEK_CUR) : -1;
    j->size = j->left = option.size;
    if (j->start >= 0) {
        if (!option.has_size)
            j->size = j->start < about.st_size ? (uint64_t)(about.st_size - j->start) : 0;
        j->args.read_at = j->size ? file_read_at : NULL;
    } else if (option.has_size) {
        j->source.read = pipe_read;
        j->source.rewind = NULL;
        j->source.context = j;
        j->args.source = j->size ? &j->source : NULL;
    } else {
        while (filled < PART_BUFFER &&
               (n = read_some(j->fd, part_buffer + filled, PART_BUFFER - filled)) > 0)
            filled += (size_t)n;
        if (n < 0)
            return complain(FAILED, "standard input: %s", strerror(errno));
        if (n > 0)
            return upload_parts(j, filled);
        j->size = filled;
        j->args.data = part_buffer;
    }
    if (!j->size && option.has_size && read_some(j->fd, &more, 1) != 0)
        return complain(FAILED, "standard input is not empty");
    j->silent = 1;
    j->args.size = j->size;
    j->args.memory = part_memory;
    j->args.memory_size = sizeof part_memory;
    start_transfer(j, aws_s3_upload_begin, NULL);
    work(0);
    return failures ? FAILED : DONE;
}

/* ---- Downloads ---- */

static int step_get(job *j)
{
    aws_s3_args args = {0};
    aws_s3_result result;
    int r;

    args.bucket = j->bucket.name;
    args.key = j->object.key;
    args.sink = &j->sink;
    args.progress = job_progress;
    args.progress_context = j;
    r = aws_s3_get_object(&j->client, &args, &result);
    if (r == 0 && result.last_modified > 0)
        j->time = result.last_modified;
    return r < 0 ? r : 0;
}

/* Where the bytes go until all have come: 0, or job.error. */
static int open_file(job *j)
{
    struct stat about;

    if (stat(j->to, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)) {
        j->direct = 1;
        j->fd = open(j->to, O_WRONLY | O_CLOEXEC);
        return j->fd < 0 ? file_failed(j, errno, -1) : 0;
    }
    if (make_parents(j->to) < 0)
        return file_failed(j, errno, -1);
    if (is_directory(j->to))
        return file_failed(j, EISDIR, -1);
    print(j->temporary, sizeof j->temporary, "%s.s3-%08x", j->to, (unsigned)job_id(j, 0));
    j->fd = open_locked(j->temporary);
    if (j->fd < 0)
        return file_failed(j, j->fd == -2 ? IN_USE : errno, -1);
    j->has_temporary = 1;
    return 0;
}

static int escapes(const char *name)
{
    const char *at;

    for (at = name; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (strncmp(at, "..", 2) == 0 && (!at[2] || at[2] == '/'))
            return 1;
    }
    return 0;
}

static void start_download(const entry *e)
{
    job *j;

    if (!target.whole && escapes(e->name)) {
        skip(e->name, "its name leads out of the directory");
        return;
    }
    if (!target.whole && system_refuses(e->name)) {
        skip(e->name, system_refuses(e->name));
        return;
    }
    j = new_job(DOWNLOAD, &source, &target, e->name);
    if (!j)
        return;
    if (option.dryrun) {
        release(j);
        report(j);
        return;
    }
    j->size = e->size;
    j->time = e->time;
    if (open_file(j) < 0) {
        job_failed(j, NULL);
        return;
    }
    memset(&j->members, 0, sizeof j->members);
    j->sink.write = file_write;
    j->sink.rewind = j->direct ? NULL : file_restart;
    j->sink.context = j;
    if (j->direct) {
        j->args.sink = &j->sink;
        start_transfer(j, aws_s3_download_begin, NULL);
    } else if (j->size > option.threshold) {
        work(1);
        make_wide(j);
        j->args.write_at = file_write_at;
        start_transfer(j, aws_s3_download_begin, aws_s3_download_resume);
    } else {
        file_restart(j);
        j->step = step_get;
    }
}

static int download_output(void)
{
    job *j;

    strcpy(target.path, "-");
    target.whole = 1;
    j = new_job(DOWNLOAD, &source, &target, "");
    if (!j)
        return FAILED;
    j->fd = STDOUT_FILENO;
    j->direct = j->silent = 1;
    memset(&j->members, 0, sizeof j->members);
    j->sink.write = file_write;
    j->sink.rewind = NULL;
    j->sink.context = j;
    j->args.sink = &j->sink;
    start_transfer(j, aws_s3_download_begin, NULL);
    work(0);
    return failures ? FAILED : DONE;
}

/* ---- Copies and deletions ---- */

static int step_copy(job *j)
{
    aws_s3_args args = j->members;

    args.bucket = j->bucket.name;
    args.key = j->object.key;
    args.copy_source = j->copy_source;
    return aws_s3_copy(&j->client, &args, NULL);
}

enum { NO_PROPERTIES, METADATA, ALL_PROPERTIES };
static int copied = ALL_PROPERTIES; /* --copy-props: also tags */

static const char *const property_names[] = {"content-type",     "cache-control",
                                             "content-disposition", "content-encoding",
                                             "content-language", "expires"};
enum { PROPERTIES = sizeof property_names / sizeof *property_names };

static void find_properties(aws_s3_args *args, const char **fields[PROPERTIES])
{
    fields[0] = &args->content_type;
    fields[1] = &args->cache_control;
    fields[2] = &args->content_disposition;
    fields[3] = &args->content_encoding;
    fields[4] = &args->content_language;
    fields[5] = &args->expires;
}

/* Whether the command line says something of what the server would copy all or nothing of. */
static int gives_properties(void)
{
    const char **fields[PROPERTIES];
    size_t i;

    find_properties(&given, fields);
    for (i = 0; i < PROPERTIES && !*fields[i]; i++)
        ;
    return i < PROPERTIES || given.metadata;
}

/* What is said of the source, and not on the command line: read it, to say it of the copy. */
static int keep_metadata(job *j)
{
    static char     texts[16384];
    static aws_pair pairs[PAIRS];
    const char **fields[PROPERTIES];
    size_t used = 0, i;
    aws_s3_args args = {0};
    aws_pair header;
    unsigned at;

    find_properties(&j->members, fields);
    args.bucket = j->from_place->bucket;
    args.key = j->from;
    if (aws_s3_head_object(&lister, &args, NULL) < 0) {
        j->failed = &lister;
        return -1;
    }
    for (at = 0; aws_client_header_at(&lister, at, &header); at++) {
        int is_meta = strncmp(header.name, "x-amz-meta-", 11) == 0;
        size_t name = is_meta ? strlen(header.name) - 10 : 0, value = strlen(header.value) + 1;

        if (name + value > sizeof texts - used)
            break;
        memcpy(texts + used, header.name + 11, name);
        memcpy(texts + used + name, header.value, value);
        for (i = 0; i < PROPERTIES; i++)
            if (strcmp(header.name, property_names[i]) == 0 && !*fields[i])
                *fields[i] = texts + used;
        if (is_meta && !given.metadata && j->members.metadata_count < PAIRS) {
            pairs[j->members.metadata_count].name = texts + used;
            pairs[j->members.metadata_count++].value = texts + used + name;
            j->members.metadata = pairs;
        }
        used += name + value;
    }
    return 0;
}

static void add_encoded(writer *to, const char *text)
{
    for (; *text; text++)
        if (strchr("-._~", *text) || (*text >= '0' && *text <= '9') ||
            ((*text | 0x20) >= 'a' && (*text | 0x20) <= 'z'))
            add_char(to, *text);
        else
            say(to, "%%%02x", (unsigned)(unsigned char)*text);
}

/* The source's tags, of which there are ten at most: in the head of the upload that makes the copy
 * if they take at most 2 KB there, else the copy gets them once it is there. */
static int keep_tags(job *j)
{
    static char text[2048];
    static const char *const parts[] = {"Key", "Value"};
    aws_s3_args args = {0};
    aws_slice document, tag, part;
    writer to = {-1, 0, 0, 0, NULL};
    char path[24];
    unsigned i, k;
    int n, status;

    args.bucket = j->from_place->bucket;
    args.key = j->from;
    args.buffer = tags_xml;
    args.buffer_size = sizeof tags_xml;
    n = aws_s3_get_object_tagging(&lister, &args, NULL);
    tags_size = 0;
    if (n < 0) {
        j->failed = &lister;
        status = aws_client_failure(&lister)->http_status; /* none, or the server has no tags */
        return status == 404 || status == 405 || status == 501 ? 0 : -1;
    }
    document.text = tags_xml;
    document.size = (size_t)n;
    to.data = tags_head;
    to.size = sizeof tags_head - 1;
    for (i = 0;; i++) {
        print(path, sizeof path, "TagSet.Tag.%u", i);
        if (aws_xml_find(&document, path, &tag) <= 0)
            break;
        for (k = 0; k < 2; k++) {
            add(&to, k ? "=" : i ? "&" : "");
            if (aws_xml_find(&tag, parts[k], &part) <= 0 ||
                aws_xml_value(&part, text, sizeof text) < 0)
                return file_failed(j, EILSEQ, -1);
            add_encoded(&to, text);
        }
    }
    tags_head[to.used] = 0;
    if (to.bad)
        tags_size = (int)document.size;
    else if (i)
        j->members.tagging = tags_head;
    return 0;
}

static int set_tags(job *j)
{
    aws_s3_args args = {0};

    j->failed = &lister;
    args.bucket = j->bucket.name;
    args.key = j->object.key;
    args.body = tags_xml;
    args.body_size = (size_t)tags_size;
    tags_size = 0;
    return aws_s3_put_object_tagging(&lister, &args, NULL);
}

static void start_copy(const entry *e)
{
    const uint64_t most = (uint64_t)5 << 30; /* that CopyObject takes */
    int in_parts, given_some, replaced;
    job *j;

    j = new_job(COPY, &source, &target, e->name);
    if (!j)
        return;
    if (option.dryrun) {
        release(j);
        report(j);
        return;
    }
    print(j->copy_source, sizeof j->copy_source, "%s/%.1024s", source.bucket, j->from);
    j->size = e->size;
    in_parts = j->size > most || (option.has_threshold && j->size > option.threshold);
    given_some = gives_properties();
    replaced = given.metadata_directive && strcmp(given.metadata_directive, "REPLACE") == 0;
    if (in_parts || (given_some && !given.metadata_directive))
        work(1); /* what is kept of a source has one place */
    if ((in_parts || given_some) && !replaced && copied >= METADATA && keep_metadata(j) < 0) {
        job_failed(j, NULL);
        return;
    }
    if (!in_parts) {
        if (!given.metadata_directive && (given_some || copied == NO_PROPERTIES))
            j->members.metadata_directive = "REPLACE";
        if (copied < ALL_PROPERTIES)
            j->members.tagging_directive = "REPLACE";
        j->step = step_copy;
        if (given_some)
            work(0);
        return;
    }
    if (copied == ALL_PROPERTIES && keep_tags(j) < 0) {
        job_failed(j, NULL);
        return;
    }
    make_wide(j);
    j->args.copy_source = j->copy_source;
    start_transfer(j, aws_s3_copy_begin, aws_s3_copy_resume);
}

static int step_delete(job *j)
{
    aws_s3_args args = {0};

    args.bucket = j->bucket.name;
    args.key = j->object.key;
    return aws_s3_delete_object(&j->client, &args, NULL);
}

static void start_delete(const place *from, const char *name)
{
    job *j = new_job(DELETE, from, NULL, name);

    if (!j)
        return;
    if (from->is_s3 && !option.dryrun) {
        j->step = step_delete;
        return;
    }
    if (!option.dryrun && unlink(j->from) < 0 && errno != ENOENT) {
        job_failed(j, strerror(errno));
        return;
    }
    release(j);
    report(j);
}

/* ---- Commands: the arguments after the command's name ---- */

static int make_bucket(char **arguments)
{
    int code = parse_address(&source, arguments[0], NO_KEY);
    aws_s3_bucket bucket;

    if (code != DONE)
        return code;
    aws_s3_bucket_init(&bucket, &lister, source.bucket);
    if (aws_s3_bucket_create(&bucket, NULL) < 0)
        return complain(FAILED, "make_bucket failed: %s", aws_client_failure_text(&lister));
    say(&out, "make_bucket: %s\n", source.bucket);
    return DONE;
}

static int exit_code(void)
{
    return failures ? FAILED : skips ? SKIPPED : DONE;
}

/* All that is below the source. */
static int remove_tree(void)
{
    int r = tree_begin(&trees[0], &source, 0, 1);

    while (r >= 0 && (r = tree_next(&trees[0])) > 0)
        if (is_included(trees[0].entry.name))
            start_delete(&source, trees[0].entry.name);
    work(0);
    return r < 0 ? FAILED : exit_code();
}

static int remove_bucket(char **arguments)
{
    int code = parse_address(&source, arguments[0], NO_KEY);
    aws_s3_bucket bucket;

    if (code == DONE && option.force)
        code = remove_tree();
    if (code != DONE)
        return code;
    aws_s3_bucket_init(&bucket, &lister, source.bucket);
    if (aws_s3_bucket_delete(&bucket) < 0)
        return complain(FAILED, "remove_bucket failed: %s", aws_client_failure_text(&lister));
    say(&out, "remove_bucket: %s\n", source.bucket);
    return DONE;
}

/* Take the last part of a single source's path off it: the entry's name. */
static void split_source(entry *e)
{
    const char *name = last_part(source.path);

    strcpy(e->name, name);
    source.path[name - source.path] = 0;
}

static int remove_object(char **arguments)
{
    int code = parse_address(&source, arguments[0], option.recursive ? ANY_KEY : A_KEY);
    static entry one;

    if (code != DONE)
        return code;
    if (option.recursive)
        return (code = below(&source)) == DONE ? remove_tree() : code;
    split_source(&one);
    if (is_included(one.name))
        start_delete(&source, one.name);
    work(0);
    return exit_code();
}

/* ---- ls: prefixes first in each page of 1,000 entries, as `aws s3` has them ---- */

static size_t held_size;

static void print_held(void)
{
    size_t i;

    for (i = 0; i < held_size; i++)
        add_char(&out, held[i]);
    held_size = 0;
}

static void hold_line(const char *before, const char *name)
{
    if (held_size + strlen(before) + strlen(name) + 2 > sizeof held)
        print_held();
    while (*before)
        held[held_size++] = *before++;
    while (*name)
        held[held_size++] = shown_char(*name++);
    held[held_size++] = '\n';
}

/* The time as "2026-01-02 03:04:05 ", from "20260102T030405Z". */
static void time_text(int64_t time, char text[24])
{
    char t[17];

    aws_date_text(time, t);
    print(text, 24, "%.4s-%.2s-%.2s %.2s:%.2s:%.2s ", t, t + 4, t + 6, t + 9, t + 11, t + 13);
}

static const char *size_text(uint64_t size, char text[24])
{
    if (option.human)
        return human(size, text);
    print(text, 24, "%llu", (unsigned long long)size);
    return text;
}

/* The part of a key after the last '/' that isn't its end. */
static const char *shown_key(const aws_s3_summary *object)
{
    const char *name = object->key, *end = name + object->key_length;

    if (option.recursive)
        return name;
    end -= object->is_prefix;
    while (end > name && end[-1] != '/')
        end--;
    return end;
}

static int list_buckets(void)
{
    aws_s3_summary bucket;
    char text[24];
    int r;

    aws_s3_buckets_begin(&trees[0].objects, &lister, NULL);
    while ((r = aws_s3_objects_next(&trees[0].objects, &bucket)) > 0) {
        time_text(bucket.last_modified, text);
        hold_line(text, bucket.key);
    }
    print_held();
    return r < 0 ? call_failed() : DONE;
}

static int list_all(char **arguments)
{
    aws_s3_args args = {0};
    aws_s3_summary object;
    aws_s3_bucket bucket;
    char text[24], line[64], number[24];
    uint64_t bytes = 0;
    unsigned long count = 0, objects = 0;
    int code, r;

    if (!arguments[0] || strcmp(arguments[0], "s3://") == 0)
        return list_buckets();
    code = parse_address(&source, arguments[0], ANY_KEY);
    if (code != DONE)
        return code;
    args.prefix = *source.path ? source.path : NULL;
    args.delimiter = option.recursive ? NULL : "/";
    args.max_keys = (unsigned)option.page_size;
    aws_s3_bucket_init(&bucket, &lister, source.bucket);
    aws_s3_objects_begin(&trees[0].objects, &bucket, &args);
    while ((r = aws_s3_objects_next(&trees[0].objects, &object)) > 0) {
        if (object.is_prefix) {
            add(&out, "                           PRE ");
            print_text(&out, shown_key(&object));
            add_char(&out, '\n');
        } else {
            time_text(object.last_modified, text);
            print(line, sizeof line, "%s%10s ", text, size_text(object.size, number));
            hold_line(line, shown_key(&object));
            bytes += object.size;
            objects++;
        }
        if (++count % 1000 == 0)
            print_held();
    }
    print_held();
    if (r < 0)
        return call_failed();
    if (option.summarize)
        say(&out, "\nTotal Objects: %lu\n   Total Size: %s\n", objects, size_text(bytes, number));
    return !count && *source.path ? FAILED : DONE; /* silently, as `aws s3` */
}

/* ---- stat, presign ---- */

static int show_object(char **arguments)
{
    int code = parse_address(&source, arguments[0], A_KEY);
    aws_s3_args args = {0};
    aws_s3_result result;
    aws_pair header;
    char text[24];
    unsigned i;

    if (code != DONE)
        return code;
    args.bucket = source.bucket;
    args.key = source.path;
    if (aws_s3_head_object(&lister, &args, &result) < 0)
        return call_failed();
    time_text(result.last_modified, text);
    text[19] = 0;
    print_name(&out, &source, source.path);
    say(&out, "\n  size: %llu\n  modified: %s UTC\n", (unsigned long long)result.size, text);
    for (i = 0; aws_client_header_at(&lister, i, &header); i++)
        if (strncmp(header.name, "x-amz-meta-", 11) == 0 || strcmp(header.name, "etag") == 0 ||
            strcmp(header.name, "cache-control") == 0 ||
            (strncmp(header.name, "content-", 8) == 0 && strcmp(header.name + 8, "length") != 0) ||
            strcmp(header.name, "x-amz-storage-class") == 0 ||
            strcmp(header.name, "x-amz-version-id") == 0) {
            say(&out, "  %s: ", header.name + (strncmp(header.name, "x-amz-", 6) == 0 ? 6 : 0));
            print_text(&out, header.value);
            add_char(&out, '\n');
        }
    return DONE;
}

static int presign(char **arguments)
{
    static char url[16384];
    int code = parse_address(&source, arguments[0], A_KEY);
    aws_s3_args args = {0};

    if (code != DONE)
        return code;
    args.bucket = source.bucket;
    args.key = source.path;
    if (option.seconds < 1 || option.seconds > 604800)
        return complain(USAGE, "--expires-in is 1 to 604800 seconds");
    if (aws_s3_presign(&lister, aws_s3_get_object, &args, (uint32_t)option.seconds, url,
                       sizeof url) < 0)
        return call_failed();
    add(&out, url);
    add_char(&out, '\n');
    return DONE;
}

/* ---- cp, mv, sync ---- */

/* Begin what brings an entry of the source to the target. */
static void start(const entry *e)
{
    if (!is_included(e->name))
        return;
    if (e->cold && !option.force_cold) {
        if (!option.quiet_cold)
            skip(e->name, "it is in an archive, and must be restored first");
        return;
    }
    if (!source.is_s3)
        start_upload(e);
    else if (!target.is_s3)
        start_download(e);
    else
        start_copy(e);
}

/* What a single source is: its size and time. */
static int look_at(entry *e)
{
    aws_s3_bucket bucket;
    aws_s3_object object;
    aws_s3_result result;
    char path[PATH_ROOM];

    if (!source.is_s3)
        return DONE; /* start_upload looks */
    if (join(path, source.path, e->name) < 0)
        return USAGE;
    aws_s3_bucket_init(&bucket, &lister, source.bucket);
    aws_s3_object_init(&object, &bucket, path);
    if (aws_s3_object_head(&object, &result) < 0)
        return complain(FAILED, "fatal error: %s", aws_client_failure_text(&lister));
    e->size = result.size;
    e->time = result.last_modified;
    return DONE;
}

static int copy_one(const char *from)
{
    static entry one;
    int code;

    if (!source.is_s3 && is_directory(from))
        return complain(FAILED, "%s is a directory: give --recursive", from);
    if (!source.is_s3 && access(from, F_OK) < 0)
        return complain(NOT_DONE, "%s: %s", from, strerror(errno));
    split_source(&one);
    if (!*one.name)
        return complain(USAGE, "'%s' names no file or key", from);
    if (!target.is_s3 && !target.whole && (escapes(one.name) || system_refuses(one.name)))
        return complain(USAGE, "no file can be named after key '%s': give a FILE", one.name);
    code = look_at(&one);
    if (code == DONE)
        start(&one);
    work(0);
    return code == DONE ? exit_code() : code;
}

static int copy_tree(void)
{
    int r = tree_begin(&trees[0], &source, 0, 0);

    while (r >= 0 && (r = tree_next(&trees[0])) > 0)
        start(&trees[0].entry);
    work(0);
    return r < 0 ? FAILED : exit_code();
}

/* Whether an entry that both have is to be copied. S3's times are whole seconds here. */
static int differs(const entry *from, const entry *to)
{
    int64_t older = to->time - from->time; /* < 0: the target's is */

    if (from->size != to->size)
        return 1;
    if (option.size_only)
        return 0;
    if (source.is_s3 && !target.is_s3)
        return option.exact ? older != 0 || to->nanoseconds
                            : older > 0 || (!older && to->nanoseconds);
    return older < 0 || (!older && from->nanoseconds);
}

/* Both trees at once, as they are sorted the same way. */
static int sync_trees(void)
{
    tree *from = &trees[0], *to = &trees[1];
    int f = tree_begin(from, &source, 1, 0), t = tree_begin(to, &target, 1, 0), order;

    f = f < 0 ? f : tree_next(from);
    t = t < 0 ? t : tree_next(to);
    while (f >= 0 && t >= 0 && (f > 0 || t > 0)) {
        order = !f ? 1 : !t ? -1 : strcmp(from->entry.name, to->entry.name);
        if (order < 0 || (order == 0 && differs(&from->entry, &to->entry)))
            start(&from->entry);
        else if (order > 0 && option.remove && is_included(to->entry.name))
            start_delete(&target, to->entry.name);
        if (order >= 0)
            t = tree_next(to);
        if (order <= 0)
            f = tree_next(from);
    }
    work(0);
    return f < 0 || t < 0 ? FAILED : exit_code();
}

/* The two places of a command; whole: the target is named as it is. */
static int parse_places(char **arguments, int trees_meant)
{
    int code = parse_place(&source, arguments[0]);
    size_t size;

    if (code == DONE)
        code = parse_place(&target, arguments[1]);
    if (code != DONE)
        return code;
    if (!source.is_s3 && !target.is_s3)
        return complain(USAGE, "one of both must be s3://BUCKET/KEY");
    if (trees_meant && !source.is_s3 && !is_directory(source.path))
        return complain(NOT_DONE, "%s is no directory", source.path);
    if (trees_meant)
        return (code = below(&source)) == DONE ? below(&target) : code;
    if (!target.is_s3 && is_directory(target.path))
        return below(&target);
    size = strlen(target.path);
    target.whole = size && target.path[size - 1] != '/';
    return DONE;
}

static int parse_copied(void)
{
    static const char *const names[] = {"none", "metadata-directive", "default"};

    for (copied = ALL_PROPERTIES; option.copy_props && copied >= 0; copied--)
        if (strcmp(option.copy_props, names[copied]) == 0)
            return DONE;
    return option.copy_props
               ? complain(USAGE, "--copy-props is none, metadata-directive or default")
               : DONE;
}

static int same_place(const char *name)
{
    char to[PATH_ROOM];

    return source.is_s3 && target.is_s3 && strcmp(source.bucket, target.bucket) == 0 &&
           join(to, target.path, target.whole ? "" : last_part(name)) == 0 &&
           strcmp(source.path, to) == 0;
}

static int copy(char **arguments)
{
    int code, from_input = strcmp(arguments[0], "-") == 0, to_output;

    to_output = arguments[1] && strcmp(arguments[1], "-") == 0;
    if (from_input || to_output) {
        if (option.recursive || moving || (from_input && to_output))
            return complain(USAGE, "standard input or output is for a single cp");
        if (from_input)
            return (code = parse_address(&target, arguments[1], ANY_KEY)) == DONE ? upload_input()
                                                                                  : code;
        return (code = parse_address(&source, arguments[0], A_KEY)) == DONE ? download_output()
                                                                            : code;
    }
    code = parse_places(arguments, option.recursive);
    if (code == DONE)
        code = parse_copied();
    if (code != DONE)
        return code;
    if (moving && (same_place(source.path) || (option.recursive && same_place(""))))
        return complain(USAGE, "can't move '%s' onto itself", arguments[0]);
    return option.recursive ? copy_tree() : copy_one(arguments[0]);
}

static int move(char **arguments)
{
    moving = 1;
    return copy(arguments);
}

static int sync_places(char **arguments)
{
    char *path = arguments[1];
    int code = parse_places(arguments, 1);

    if (code == DONE)
        code = parse_copied();
    if (code != DONE)
        return code;
    if (!target.is_s3 && !is_directory(path)) {
        if (option.dryrun)
            return copy_tree(); /* there is nothing yet to compare with */
        if (make_parents(target.path) < 0)
            return complain(NOT_DONE, "%s: %s", path, strerror(errno));
    }
    return sync_trees();
}

static int cat(char **arguments)
{
    int code = parse_address(&source, arguments[0], A_KEY);

    return code == DONE ? download_output() : code;
}

static int get(char **arguments)
{
    char *both[2];
    char dot[] = ".";

    both[0] = arguments[0];
    both[1] = arguments[1] ? arguments[1] : dot;
    return is_s3(both[0]) ? copy(both) : parse_address(&source, both[0], A_KEY);
}

static int put(char **arguments)
{
    return is_s3(arguments[1]) ? copy(arguments) : parse_address(&target, arguments[1], ANY_KEY);
}

/* ---- The command line ---- */

static const struct command {
    const char *name;
    int         least, most; /* arguments */
    int (*run)(char **arguments);
} commands[] = {{"ls", 0, 1, list_all},      {"mb", 1, 1, make_bucket},
                {"rb", 1, 1, remove_bucket}, {"cp", 2, 2, copy},
                {"mv", 2, 2, move},          {"rm", 1, 1, remove_object},
                {"sync", 2, 2, sync_places}, {"cat", 1, 1, cat},
                {"stat", 1, 1, show_object}, {"presign", 1, 1, presign},
                {"put", 2, 2, put},          {"get", 1, 2, get}};

/* Options of `aws s3` that change nothing here. */
static int         no_flag;
static const char *no_text;

static const struct flag {
    const char *name; /* without its -- */
    int        *flag;
} flags[] = {{"recursive", &option.recursive},
             {"force", &option.force},
             {"quiet", &option.quiet},
             {"only-show-errors", &option.quiet},
             {"no-progress", &option.no_progress},
             {"stats", &option.stats},
             {"debug", &option.debug},
             {"dryrun", &option.dryrun},
             {"delete", &option.remove},
             {"size-only", &option.size_only},
             {"exact-timestamps", &option.exact},
             {"no-follow-symlinks", &option.no_follow},
             {"follow-symlinks", &no_flag},
             {"ignore-glacier-warnings", &option.quiet_cold},
             {"force-glacier-transfer", &option.force_cold},
             {"no-paginate", &no_flag},
             {"no-cli-pager", &no_flag},
             {"no-guess-mime-type", &option.no_guess},
             {"no-sign-request", &option.anonymous},
             {"human-readable", &option.human},
             {"summarize", &option.summarize}};

static const struct number {
    const char *name;
    uint64_t   *number;
} numbers[] = {{"memory", &option.memory},         {"parallel", &option.parallel},
               {"part-size", &option.part_size},   {"threshold", &option.threshold},
               {"expires-in", &option.seconds},    {"size", &option.size},
               {"expected-size", &option.size},    {"page-size", &option.page_size},
               {"cli-connect-timeout", &option.connect_timeout},
               {"cli-read-timeout", &option.read_timeout}};

static const struct text {
    const char  *name;
    const char **text;
} words[] = {{"endpoint", &option.endpoint},
             {"endpoint-url", &option.endpoint},
             {"region", &option.region},
             {"profile", &option.profile},
             {"dialect", &option.dialect},
             {"ca", &option.ca},
             {"ca-bundle", &option.ca},
             {"checkpoints", &option.checkpoints},
             {"content-type", &given.content_type},
             {"cache-control", &given.cache_control},
             {"content-disposition", &given.content_disposition},
             {"content-encoding", &given.content_encoding},
             {"content-language", &given.content_language},
             {"expires", &given.expires},
             {"acl", &given.acl},
             {"storage-class", &given.storage_class},
             {"sse", &given.server_side_encryption},
             {"sse-kms-key-id", &given.sse_kms_key_id},
             {"website-redirect", &given.website_redirect_location},
             {"metadata-directive", &given.metadata_directive},
             {"copy-props", &option.copy_props},
             {"request-payer", &option.payer},
             {"source-region", &no_text}, /* each bucket's region is found */
             {"output", &no_text},
             {"color", &no_text},
             {"exclude", &option.exclude},
             {"include", &option.include},
             {"metadata", &option.metadata}};

static int parse_number(const char *name, const char *text, uint64_t *number)
{
    *number = 0;
    do {
        if (*text < '0' || *text > '9' || *number > UINT64_MAX / 10 - 1)
            return complain(USAGE, "%s wants a number", name);
        *number = *number * 10 + (unsigned)(*text - '0');
    } while (*++text);
    return DONE;
}

/* K=V,K=V ... */
static int parse_metadata(const char *text)
{
    static char texts[4096];
    char *at = texts, *value;

    if (join(texts, text, "") < 0)
        return complain(USAGE, "--metadata is too long");
    given.metadata = metadata;
    given.metadata_count = 0;
    while (at && *at) {
        metadata[given.metadata_count].name = at;
        value = strchr(at, '=');
        if (!value || value == at || given.metadata_count == PAIRS)
            return complain(USAGE, "--metadata wants NAME=VALUE,..., at most %u", (unsigned)PAIRS);
        *value++ = 0;
        metadata[given.metadata_count++].value = value;
        at = strchr(value, ',');
        if (at)
            *at++ = 0;
    }
    return DONE;
}

static int take_text(const char **to, const char *text)
{
    *to = text;
    if (to == &option.metadata)
        return parse_metadata(text);
    if (to != &option.include && to != &option.exclude)
        return DONE;
    if (filter_count == FILTERS)
        return complain(USAGE, "there can be %u filters", (unsigned)FILTERS);
    filters[filter_count].include = to == &option.include;
    filters[filter_count++].pattern = text;
    return DONE;
}

static int take_number(const char *name, uint64_t *to, const char *text)
{
    option.has_size |= to == &option.size;
    option.has_threshold |= to == &option.threshold;
    return parse_number(name, text, to);
}

/* What an option means without a value, or NULL. */
static const char *short_value(const char *const *text)
{
    return text == &given.server_side_encryption ? "AES256"
           : text == &option.payer               ? "requester"
                                                 : NULL;
}

static int is_option(const char *name, const char *text, size_t length)
{
    return strncmp(name, text, length) == 0 && !name[length];
}

/* One option and its value; *used is 2 if the value was an argument of its own. */
static int parse_option(const char *text, const char *next, int *used)
{
    const char *value = strchr(text, '='), **to = NULL;
    size_t i, length = (value ? (size_t)(value - text) : strlen(text)) - 2;
    uint64_t *number = NULL;

    *used = 1;
    for (i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(text + 2, flags[i].name) == 0) {
            *flags[i].flag = 1;
            return DONE;
        }
    for (i = 0; i < sizeof words / sizeof *words; i++)
        if (is_option(words[i].name, text + 2, length))
            to = words[i].text;
    for (i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (is_option(numbers[i].name, text + 2, length))
            number = numbers[i].number;
    if (!to && !number)
        return complain(USAGE, "unknown option %s; see s3 --help", text);
    *used = value ? 1 : 2;
    value = value ? value + 1 : next;
    if (*used == 2 && (!next || strncmp(next, "--", 2) == 0) && short_value(to)) {
        *used = 1;
        value = short_value(to);
    }
    if (!value || (!*value && to != &option.checkpoints))
        return complain(USAGE, "%s wants a value", text);
    return to ? take_text(to, value) : take_number(text, number, value);
}

/* ---- The session, as the options and the environment have it ---- */

#ifdef AWS_SMALL_CRC /* CRC32 is all there is, and no request of the tool's needs more there */
static const aws_digest *const crc32_only[] = {&aws_crc32, NULL};
static const aws_dialect no_checksums = {NULL, NULL, NULL, NULL, 0},
                         copy_looks = {&aws_crc32, &aws_crc32, crc32_only, NULL,
                                       AWS_FORM_COPY_LOOKS};
#define DIALECT(full, small) small
#else
#define DIALECT(full, small) &full
#endif

static const struct dialect {
    char               name[8];
    const aws_dialect *dialect; /* NULL: the default */
} dialects[] = {{"aws", NULL},
                {"minio", NULL},
                {"ceph", DIALECT(aws_dialect_ceph, NULL)},
                {"swift", DIALECT(aws_dialect_swift, &copy_looks)},
                {"r2", DIALECT(aws_dialect_r2, &no_checksums)},
                {"b2", DIALECT(aws_dialect_b2, &no_checksums)},
                {"gcs", DIALECT(aws_dialect_gcs, &no_checksums)}};

static int take_dialect(aws_config *config)
{
    size_t i;

    for (i = 0; option.dialect && strcmp(dialects[i].name, option.dialect) != 0;)
        if (++i == sizeof dialects / sizeof *dialects)
            return complain(USAGE, "--dialect is aws, minio, ceph, swift, r2, b2 or gcs");
    config->dialect = dialects[i].dialect;
    return DONE;
}

/* Who asks also pays: said in every request, as `aws s3` does, listings and parts included. */
static void say_payer(void *context, aws_client *client, int when)
{
    (void)context;
    if (when == AWS_HOOK_SIGN)
        aws_call_header(client, NULL, "x-amz-request-payer", option.payer);
}

static void log_line(void *context, const char *line)
{
    (void)context;
    complain(DONE, "%s", line);
}

static int load_trust(aws_config *config, const char *path)
{
    int r = aws_trust_load(&trust, trust_memory, sizeof trust_memory, path);

    if (r == AWS_ERR_MEMORY)
        return complain(NOT_SET_UP, "the CA certificates take %lu bytes, there are only %lu",
                        (unsigned long)trust.needed, (unsigned long)sizeof trust_memory);
    if (r < 0)
        return complain(NOT_SET_UP, "no CA certificates could be read from %s",
                        path ? path : "the file of AWS_CA_BUNDLE or the system's");
    config->trust = &trust;
    return DONE;
}

/* Which CAs: --ca, else AWS_CA_BUNDLE or the profile's; for an endpoint that isn't Amazon's the
 * system's. The profile is read to know whether it has one. */
static int open_session(void)
{
    static const aws_features features = {aws_feature_environment, aws_feature_checksums,
                                          aws_feature_refresh, aws_feature_clock,
                                          aws_feature_log, aws_feature_bodies,
                                          aws_feature_retries};
    static const aws_proxy proxy = {aws_proxy_http, NULL, NULL}; /* HTTPS_PROXY ... */
    aws_config config = {0};
    int code = take_dialect(&config);

    service = aws_s3_service;
    service.region = aws_call_bucket_region;
    service.members = aws_s3_members;
    service.paging = aws_s3_paging;
    config.features = &features;
    config.anonymous = option.anonymous;
    config.proxy = &proxy;
    config.connect_timeout = (uint32_t)option.connect_timeout * 1000;
    config.read_timeout = (uint32_t)option.read_timeout * 1000;
    config.hook = option.payer ? say_payer : NULL;
    config.log = option.debug ? log_line : NULL;
    config.region = option.region;
    config.endpoint = option.endpoint;
    if (code == DONE && (option.ca || getenv("AWS_CA_BUNDLE")))
        code = load_trust(&config, option.ca);
    if (code != DONE)
        return code;
    session = aws_default_session(&here, option.profile, &config);
    if (config.trust || here.settings.ca_bundle)
        return DONE;
    if (!option.endpoint && !getenv("AWS_ENDPOINT_URL") && !getenv("AWS_ENDPOINT_URL_S3") &&
        !here.settings.endpoint_url && !here.settings.endpoints)
        return DONE; /* Amazon's roots are built in */
    if (option.endpoint && strncmp(option.endpoint, "http:", 5) == 0)
        return DONE;
    aws_default_close(&here);
    code = load_trust(&config, NULL);
    session = aws_default_session(&here, option.profile, &config);
    return code;
}

static int connect_client(void)
{
    int code;

    if (option.parallel < 1 || option.parallel > JOBS)
        return complain(USAGE, "--parallel is 1 to %u", (unsigned)JOBS);
    if (option.memory > POOL || ((option.memory + 15) & ~(uint64_t)15) * (option.parallel + 1) >
                                     POOL)
        return complain(USAGE, "--memory can be at most %lu for --parallel %u",
                        (unsigned long)(POOL / (option.parallel + 1)) & ~15ul,
                        (unsigned)option.parallel);
    code = open_session();
    if (code == DONE && client_begin(&lister, 0) < 0)
        code = aws_client_failure(&lister)->code == AWS_ERR_MEMORY
                   ? complain(USAGE, "%s", aws_client_failure_text(&lister))
                   : call_failed();
    return code;
}

static void print_stats(void)
{
    say(&err,
            "memory in bytes: client block %lu, of them %lu at most, session %lu, jobs %lu, "
            "listings %lu, CA certificates %lu, pages of keys %lu, parts %lu, names of files %lu, "
            "all static\n",
            (unsigned long)option.memory, (unsigned long)(option.parallel + 1),
            (unsigned long)sizeof here, (unsigned long)sizeof jobs, (unsigned long)sizeof trees,
            (unsigned long)trust.used, (unsigned long)sizeof page_memory,
            (unsigned long)sizeof part_memory, (unsigned long)sizeof slots);
    flush(&err);
}

static int run(const char *name, char **arguments, int count)
{
    size_t i;
    int code;

    for (i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            break;
    if (i == sizeof commands / sizeof *commands)
        return complain(USAGE, "unknown command '%s'; see s3 --help", name);
    if (count < commands[i].least || count > commands[i].most)
        return complain(USAGE, "%s wants %u argument%s; see s3 --help", name,
                        (unsigned)commands[i].most, commands[i].most == 1 ? "" : "s");
    code = connect_client();
    if (code != DONE)
        return code;
    option.no_progress |= !isatty(STDERR_FILENO);
    checkpoint.lock = -1;
    catch_interrupts();
    code = commands[i].run(arguments);
    clear_bar();
    if (option.stats)
        print_stats();
    for (i = 0; i < JOBS; i++)
        if (jobs[i].ready) {
            aws_client_no_wait(&jobs[i].client, 0);
            aws_client_close(&jobs[i].client);
        }
    aws_client_close(&lister);
    aws_default_close(&here);
    return code;
}

/* Take the options out of argv: DONE, or a code to end with. *wish: --help or --version. */
static int parse_options(int argc, char **argv, int *count, const char **wish)
{
    int i, used, code, only_names = 0;

    for (i = 1; i < argc; i += used) {
        used = 1;
        if (only_names || strncmp(argv[i], "--", 2) != 0) {
            argv[(*count)++] = argv[i];
        } else if (!argv[i][2]) {
            only_names = 1;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "--version") == 0) {
            *wish = argv[i];
        } else {
            code = parse_option(argv[i], argv[i + 1], &used);
            if (code != DONE)
                return code;
        }
    }
    argv[*count] = NULL;
    return DONE;
}

int main(int argc, char **argv)
{
    const char *wish = NULL;
    int code, count = 0;

    option.memory = AWS_CLIENT_MEMORY;
    option.parallel = 4;
    option.part_size = option.threshold = 8 << 20;
    option.seconds = 3600;
    system_begin(&argc, &argv);
    code = parse_options(argc, argv, &count, &wish);
    if (code != DONE)
        return code;
    if (wish) {
        add(&out, strcmp(wish, "--help") == 0 ? help : "s3 " AWS_VERSION "\n");
    } else if (!count) {
        add(&err, help);
        flush(&err);
        return USAGE;
    } else {
        code = run(argv[0], argv + 1, count - 1);
    }
    if (flush(&out))
        return complain(FAILED, "standard output: %s", strerror(out.bad));
    return code;
}

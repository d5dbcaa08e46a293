/* s3.c - S3 from the command line, without a heap: mb rb ls put get cat rm.
 *
 *     cc -std=c99 -O2 -I. examples/s3.c -lbearssl -o s3
 *
 * `s3 --help` says how to use it. All memory is static: the block of the client (--memory says how
 * much of it is used), room for CA certificates, and a page of keys for `rm --recursive`.
 */
#define _FILE_OFFSET_BITS 64 /* large files on 32-bit systems too */
#define AWS_STATIC           /* one file: the compiler drops what is not called */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DONE, FAILED, USAGE, NOT_FOUND, DENIED, NOT_REACHED }; /* exit codes */

static const char help[] =
    "usage: s3 [OPTION]... COMMAND ...\n"
    "\n"
    "  mb  s3://BUCKET             make a bucket\n"
    "  rb  s3://BUCKET             remove it; with --force also what is in it\n"
    "  ls                          list the buckets\n"
    "  ls  s3://BUCKET[/PREFIX]    list objects, up to the next '/' in their keys; all the keys\n"
    "                              with --recursive. Times are UTC.\n"
    "  put FILE s3://BUCKET/KEY    upload; FILE - is standard input. A KEY that is empty or ends\n"
    "                              with '/' gets FILE's name added\n"
    "  get s3://BUCKET/KEY [FILE]  download; FILE - is standard output. FILE appears, or is\n"
    "                              replaced, only once all of the object has come\n"
    "  cat s3://BUCKET/KEY         download to standard output\n"
    "  rm  s3://BUCKET/KEY         delete; with --recursive all keys that begin with KEY\n"
    "\n"
    "  --endpoint URL  http[s]://HOST[:PORT], if not Amazon (or AWS_ENDPOINT_URL_S3)\n"
    "  --region R      such as eu-west-1 (or AWS_REGION)\n"
    "  --ca FILE       CA certificates to trust, PEM (or AWS_CA_BUNDLE); default: Amazon's, and\n"
    "                  for another endpoint the system's\n"
    "  --memory BYTES  for the client, at most 1048576\n"
    "  --size BYTES    of what put reads from a pipe\n"
    "  --recursive, --force, --quiet\n"
    "  --stats         tell on standard error what memory was used\n"
    "  --help, --version\n"
    "\n"
    "Keys come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.\n"
    "Exit codes: 0 done, 1 failed, 2 wrong use, 3 no such bucket or key, 4 not allowed,\n"
    "5 the server could not be reached or trusted, or the connection was lost.\n";

/* ---- All the memory there is ---- */

static unsigned char client_memory[1 << 20];
static void         *trust_memory[32768]; /* aligned as aws_trust_load wants it */
static unsigned char page_memory[65536];
static char          output_memory[16384];

static aws_session    session;
static aws_client     client;
static aws_trust      trust;
static aws_s3_objects list;
static aws_s3_bucket  bucket;

static char        bucket_name[256];
static char        key_memory[AWS_S3_KEY];
static char        path_memory[4096];
static const char *key; /* of the address on the command line */

static struct options {
    const char *endpoint, *region, *ca;
    uint64_t    memory, size;
    int         has_size, recursive, force, quiet, stats;
} option = {NULL, NULL, NULL, AWS_CLIENT_MEMORY, 0, 0, 0, 0, 0, 0};

/* ---- Telling a person ---- */

static int bar_open; /* a progress bar stands in the terminal's last line */

static int complain(int code, const char *format, ...)
{
    va_list values;

    fprintf(stderr, bar_open ? "\ns3: " : "s3: ");
    bar_open = 0;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    return code;
}

/* What the library says about the call that failed, and the exit code that fits. */
static int call_failed(void)
{
    const aws_failure *failure = aws_client_failure(&client);
    int code = FAILED;

    if (failure->http_status == 404)
        code = NOT_FOUND;
    else if (failure->http_status == 401 || failure->http_status == 403 ||
             failure->code == AWS_ERR_CREDENTIALS)
        code = DENIED;
    else if (failure->code == AWS_ERR_PARAM || failure->code == AWS_ERR_MEMORY)
        code = USAGE;
    else if (failure->code <= AWS_ERR_LOOKUP && failure->code >= AWS_ERR_TRUNCATED)
        code = NOT_REACHED;
    return complain(code, "%s", aws_client_failure_text(&client));
}

/* Text of a server's: on a terminal its control characters must not act. */
static void print_text(const char *text)
{
    int raw = !isatty(STDOUT_FILENO);

    for (; *text; text++)
        putchar(raw || ((unsigned char)*text >= ' ' && *text != 127) ? *text : '?');
}

static void report(const char *what, const char *from, const char *to)
{
    if (option.quiet)
        return;
    printf("%s: ", what);
    print_text(from);
    if (to) {
        printf(" to ");
        print_text(to);
    }
    putchar('\n');
}

/* s3://BUCKET/KEY of a key, for reports. */
static const char *address_of(const char *name)
{
    static char text[sizeof bucket_name + sizeof key_memory + 8];

    snprintf(text, sizeof text, "s3://%s/%s", bucket_name, name);
    return text;
}

/* 12345678 as "11.7 MiB". */
static const char *human(uint64_t bytes, char text[16])
{
    static const char units[] = " KMGTPE";
    unsigned unit = 0, tenths = 0;

    for (; bytes >= 1024; bytes /= 1024, unit++)
        tenths = (unsigned)(bytes % 1024 * 10 / 1024);
    if (unit)
        snprintf(text, 16, "%u.%u %ciB", (unsigned)bytes, tenths, units[unit]);
    else
        snprintf(text, 16, "%u bytes", (unsigned)bytes);
    return text;
}

static uint32_t milliseconds(void)
{
    const aws_port *port = aws_posix_port();

    return port->ticks(port);
}

/* For aws_s3_args.progress: at most ten times a second, and at the end. */
static void show_progress(void *context, uint64_t done, uint64_t total)
{
    static uint32_t started, drawn;
    const char *name = (const char *)context;
    uint32_t now = milliseconds();
    char bar[31], part[16], whole[16], rate[16];
    unsigned filled = total ? (unsigned)((double)done / (double)total * 30) : 0;

    if (!bar_open)
        started = now;
    else if (done != total && now - drawn < 100)
        return;
    drawn = now;
    memset(bar, '.', 30);
    memset(bar, '#', filled);
    bar[30] = 0;
    fprintf(stderr, "\r%.30s [%s] %s of %s, %s/s \033[K", name, bar, human(done, part),
            total ? human(total, whole) : "?",
            human(now == started ? done : done * 1000 / (now - started), rate));
    bar_open = 1;
    if (done == total) {
        fputc('\n', stderr);
        bar_open = 0;
    }
}

/* The bar's name is the end of the path or key. */
static void want_progress(aws_s3_args *args, const char *name)
{
    static char shown[AWS_S3_KEY + 4096];
    const char *slash = strrchr(name, '/');
    char *c;

    if (option.quiet || !isatty(STDERR_FILENO))
        return;
    snprintf(shown, sizeof shown, "%s", slash && slash[1] ? slash + 1 : name);
    for (c = shown; *c; c++)
        *c = (unsigned char)*c < ' ' || *c == 127 ? '?' : *c;
    args->progress = show_progress;
    args->progress_context = shown;
}

/* ---- Files: what a body comes from and an answer goes to ---- */

enum { ENDED_EARLY = -1, GOES_ON = -2 };

static struct file {
    int         fd;
    const char *name;
    off_t       start; /* where a rewind goes to */
    uint64_t    size, left;
    int         error; /* errno, or one of the above */
} file;

static int file_failed(int error, int code)
{
    file.error = error;
    return code;
}

static ssize_t read_some(void *data, size_t size)
{
    ssize_t n;

    do {
        n = read(file.fd, data, size);
    } while (n < 0 && errno == EINTR);
    return n;
}

static int goes_on(void)
{
    char more;

    return read_some(&more, 1) != 0;
}

/* For aws_source.read. The end is looked for before the last bytes are handed over: a file that
 * grew or a pipe with more than --size must not become an object that looks complete. */
static int source_read(void *context, void *data, size_t size)
{
    ssize_t n;

    (void)context;
    if (!file.left)
        return 0;
    n = read_some(data, size < file.left ? size : (size_t)file.left);
    if (n <= 0)
        return file_failed(n ? errno : ENDED_EARLY, AWS_ERR_BODY);
    file.left -= (uint64_t)n;
    if (!file.left && goes_on())
        return file_failed(GOES_ON, AWS_ERR_BODY);
    return (int)n;
}

static int source_rewind(void *context)
{
    (void)context;
    if (lseek(file.fd, file.start, SEEK_SET) < 0)
        return file_failed(errno, AWS_ERR_BODY);
    file.left = file.size;
    return 0;
}

static int sink_write(void *context, const void *data, size_t size)
{
    ssize_t n;

    (void)context;
    do {
        n = write(file.fd, data, size < 65536 ? size : 65536);
    } while (n < 0 && errno == EINTR);
    return n > 0 ? (int)n : file_failed(errno, AWS_ERR_SINK);
}

static int sink_rewind(void *context)
{
    (void)context;
    if (lseek(file.fd, 0, SEEK_SET) < 0 || ftruncate(file.fd, 0) < 0)
        return file_failed(errno, AWS_ERR_SINK);
    return 0;
}

/* A transfer failed: because of the file, if that is known, else because of the call. */
static int transfer_failed(void)
{
    int failed = aws_client_failure(&client)->code;

    if (failed != AWS_ERR_BODY && failed != AWS_ERR_SINK)
        return call_failed();
    if (file.error == ENDED_EARLY)
        return complain(FAILED, "%s ended before its %llu bytes; nothing was stored", file.name,
                        (unsigned long long)file.size);
    if (file.error == GOES_ON)
        return complain(FAILED, "%s has more than %llu bytes; nothing was stored", file.name,
                        (unsigned long long)file.size);
    if (file.error)
        return complain(FAILED, "%s: %s", file.name, strerror(file.error));
    return call_failed();
}

/* ---- Addresses ---- */

/* Split s3://BUCKET[/KEY]. */
static int parse_address(const char *text)
{
    const char *name = text + 5;
    size_t size;

    if (strncmp(text, "s3://", 5) != 0)
        return complain(USAGE, "'%s' is not an address: s3://BUCKET/KEY", text);
    size = strcspn(name, "/");
    if (!size || size >= sizeof bucket_name)
        return complain(USAGE, "'%s' names no bucket: s3://BUCKET/KEY", text);
    memcpy(bucket_name, name, size);
    bucket_name[size] = 0;
    key = name[size] ? name + size + 1 : "";
    aws_s3_bucket_init(&bucket, &client, bucket_name);
    return DONE;
}

static int want_bucket_only(const char *text)
{
    int code = parse_address(text);

    if (code == DONE && *key)
        return complain(USAGE, "'%s' has a key; a bucket is s3://BUCKET", text);
    return code;
}

static int want_key(const char *text)
{
    int code = parse_address(text);

    if (code == DONE && !*key)
        return complain(USAGE, "'%s' has no key: s3://BUCKET/KEY", text);
    return code;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* ---- Commands: the arguments after the command's name ---- */

static int make_bucket(char **arguments)
{
    int code = want_bucket_only(arguments[0]);

    if (code != DONE)
        return code;
    if (aws_s3_bucket_create(&bucket, NULL) < 0)
        return call_failed();
    report("make_bucket", bucket_name, NULL);
    return DONE;
}

/* The time as "2026-01-02 03:04:05", from "20260102T030405Z". */
static void print_time(int64_t time)
{
    char t[17];

    aws_date_text(time, t);
    printf("%.4s-%.2s-%.2s %.2s:%.2s:%.2s ", t, t + 4, t + 6, t + 9, t + 11, t + 13);
}

/* A line as the AWS CLI prints it. */
static void print_entry(const aws_s3_summary *entry, int is_bucket)
{
    const char *name = entry->key, *end = name + entry->key_length;

    if (!option.recursive && !is_bucket) { /* the part after the prefix's last '/' */
        end -= entry->is_prefix;
        while (end > name && end[-1] != '/')
            end--;
        name = end;
    }
    if (entry->is_prefix)
        printf("                           PRE ");
    else
        print_time(entry->last_modified);
    if (!entry->is_prefix && !is_bucket)
        printf("%10llu ", (unsigned long long)entry->size);
    print_text(name);
    putchar('\n');
}

static int list_all(char **arguments)
{
    aws_s3_args args = {0};
    aws_s3_summary entry;
    int code, r, any = 0;

    if (!arguments[0]) {
        aws_s3_buckets_begin(&list, &client, NULL);
    } else {
        code = parse_address(arguments[0]);
        if (code != DONE)
            return code;
        args.prefix = *key ? key : NULL;
        args.delimiter = option.recursive ? NULL : "/";
        aws_s3_objects_begin(&list, &bucket, &args);
    }
    while ((r = aws_s3_objects_next(&list, &entry)) > 0) {
        print_entry(&entry, !arguments[0]);
        any = 1;
    }
    if (r < 0)
        return call_failed();
    if (!any && args.prefix)
        return complain(NOT_FOUND, "no key in bucket '%s' begins with '%s'", bucket_name, key);
    return DONE;
}

/* Open what is to be uploaded and find its size out. */
static int open_source(const char *name)
{
    struct stat about;
    int is_input = strcmp(name, "-") == 0;

    file.name = is_input ? "standard input" : name;
    file.fd = is_input ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (file.fd < 0 || fstat(file.fd, &about) < 0)
        return complain(FAILED, "%s: %s", name, strerror(errno));
    if (S_ISDIR(about.st_mode))
        return complain(USAGE, "%s is a directory: put takes one file", name);
    file.start = S_ISREG(about.st_mode) ? lseek(file.fd, 0, SEEK_CUR) : -1;
    if (file.start >= 0 && !option.has_size)
        file.size = file.start < about.st_size ? (uint64_t)(about.st_size - file.start) : 0;
    else if (option.has_size)
        file.size = option.size;
    else
        return complain(USAGE,
                        "the size of %s is not known, and S3 wants it first: give --size BYTES",
                        file.name);
    file.left = file.size;
    if (!file.size && goes_on()) /* nothing will be read, so nothing would notice */
        return complain(USAGE, "%s is not empty", file.name);
    return DONE;
}

/* KEY, or KEY and FILE's name if KEY is empty or ends with '/'. */
static int name_object(const char *path)
{
    size_t size = strlen(key);
    int whole = size && key[size - 1] != '/';
    int n = snprintf(key_memory, sizeof key_memory, "%s%s", key, whole ? "" : last_part(path));

    if (n < 0 || (size_t)n >= sizeof key_memory)
        return complain(USAGE, "the key is longer than 1,024 bytes");
    if (!whole && strcmp(path, "-") == 0)
        return complain(USAGE, "standard input has no name: give a key");
    key = key_memory;
    return DONE;
}

static int put(char **arguments)
{
    aws_source source = {source_read, source_rewind, NULL};
    aws_s3_args args = {0};
    aws_s3_object object;
    int code = parse_address(arguments[1]);

    if (code == DONE)
        code = name_object(arguments[0]);
    if (code == DONE)
        code = open_source(arguments[0]);
    if (code != DONE)
        return code;
    if (file.start < 0)
        source.rewind = NULL; /* a pipe is read once */
    args.source = &source;
    args.body_size = file.size;
    want_progress(&args, arguments[0]);
    aws_s3_object_init(&object, &bucket, key);
    if (aws_s3_object_put(&object, &args) < 0)
        return transfer_failed();
    report("upload", arguments[0], address_of(key));
    return DONE;
}

/* The object into file.fd; regular: it can be started over. */
static int receive(int regular)
{
    aws_sink sink = {sink_write, sink_rewind, NULL};
    aws_s3_object object;
    aws_s3_args args = {0};

    if (!regular)
        sink.rewind = NULL;
    args.sink = &sink;
    want_progress(&args, key);
    aws_s3_object_init(&object, &bucket, key);
    return aws_s3_object_get(&object, &args, NULL) < 0 ? transfer_failed() : DONE;
}

static char                  temporary[sizeof path_memory + 32];
static volatile sig_atomic_t has_temporary;

static void drop_temporary(void)
{
    if (has_temporary)
        unlink(temporary);
    has_temporary = 0;
}

static void interrupted(int number)
{
    drop_temporary();
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

/* Where the object goes: FILE, or the key's last part below the directory FILE. */
static int name_file(const char *given, const char **path)
{
    const char *name = last_part(key);
    struct stat about;
    size_t size = given ? strlen(given) : 0;
    int below, n;

    *path = given;
    below = !given || (size && given[size - 1] == '/') ||
            (stat(given, &about) == 0 && S_ISDIR(about.st_mode));
    if (!below)
        return DONE;
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return complain(USAGE, "no file can be named after key '%s': give a FILE", key);
    n = snprintf(path_memory, sizeof path_memory, "%s%s%s", given ? given : "",
                 !given || given[size - 1] == '/' ? "" : "/", name);
    if (n < 0 || (size_t)n >= sizeof path_memory)
        return complain(USAGE, "the path of the file is too long");
    *path = path_memory;
    return DONE;
}

/* Receive under another name in the same directory; take the right one when all has come. */
static int receive_file(const char *path)
{
    int code, n;

    n = snprintf(temporary, sizeof temporary, "%s.s3-%ld", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof temporary)
        return complain(USAGE, "the path of the file is too long");
    file.name = temporary;
    catch_interrupts();
    file.fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file.fd < 0)
        return complain(FAILED, "%s: %s", temporary, strerror(errno));
    has_temporary = 1;
    code = receive(1);
    if (code == DONE && (fsync(file.fd) < 0 || close(file.fd) < 0))
        code = complain(FAILED, "%s: %s", temporary, strerror(errno));
    if (code == DONE && rename(temporary, path) < 0)
        code = complain(FAILED, "%s: %s", path, strerror(errno));
    if (code == DONE)
        has_temporary = 0;
    drop_temporary();
    return code;
}

static int cat(char **arguments)
{
    int code = want_key(arguments[0]);

    file.fd = STDOUT_FILENO;
    file.name = "standard output";
    return code == DONE ? receive(0) : code;
}

static int get(char **arguments)
{
    const char *path;
    struct stat about;
    int code;

    if (arguments[1] && strcmp(arguments[1], "-") == 0)
        return cat(arguments);
    code = want_key(arguments[0]);
    if (code == DONE)
        code = name_file(arguments[1], &path);
    if (code != DONE)
        return code;
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) { /* a device: not to be replaced */
        file.name = path;
        file.fd = open(path, O_WRONLY | O_CLOEXEC);
        if (file.fd < 0)
            return complain(FAILED, "%s: %s", path, strerror(errno));
        code = receive(0);
    } else {
        code = receive_file(path);
    }
    if (code == DONE)
        report("download", address_of(key), path);
    return code;
}

/* Delete inside the loop over the listing: the page's rest waits in page_memory. */
static int remove_below(const char *prefix)
{
    aws_s3_args args = {0};
    aws_s3_summary entry;
    int r;

    args.prefix = *prefix ? prefix : NULL;
    args.page = page_memory;
    args.page_size = sizeof page_memory;
    aws_s3_objects_begin(&list, &bucket, &args);
    while ((r = aws_s3_objects_next(&list, &entry)) > 0) {
        if (aws_s3_bucket_delete_key(&bucket, entry.key) < 0)
            return call_failed();
        report("delete", address_of(entry.key), NULL);
    }
    return r < 0 ? call_failed() : DONE;
}

static int remove_bucket(char **arguments)
{
    int code = want_bucket_only(arguments[0]);

    if (code == DONE && option.force)
        code = remove_below("");
    if (code != DONE)
        return code;
    if (aws_s3_bucket_delete(&bucket) < 0)
        return call_failed();
    report("remove_bucket", bucket_name, NULL);
    return DONE;
}

static int remove_object(char **arguments)
{
    int code = option.recursive ? parse_address(arguments[0]) : want_key(arguments[0]);

    if (code != DONE)
        return code;
    if (option.recursive)
        return remove_below(key);
    if (aws_s3_bucket_delete_key(&bucket, key) < 0)
        return call_failed();
    report("delete", address_of(key), NULL);
    return DONE;
}

/* ---- The command line ---- */

static const struct command {
    const char *name;
    int         least, most; /* arguments */
    int (*run)(char **arguments);
} commands[] = {{"mb", 1, 1, make_bucket}, {"rb", 1, 1, remove_bucket}, {"ls", 0, 1, list_all},
                {"put", 2, 2, put},        {"get", 1, 2, get},          {"cat", 1, 1, cat},
                {"rm", 1, 1, remove_object}};

static int parse_number(const char *name, const char *text, uint64_t *number)
{
    *number = 0;
    do {
        if (*text < '0' || *text > '9' || *number > UINT64_MAX / 10 - 1)
            return complain(USAGE, "%s wants a number of bytes", name);
        *number = *number * 10 + (unsigned)(*text - '0');
    } while (*++text);
    return DONE;
}

/* One option and its value; *used is 2 if the value was an argument of its own. */
static int parse_option(const char *text, const char *next, int *used)
{
    const struct {
        const char *name;
        int        *flag;
    } flags[] = {{"--recursive", &option.recursive},
                 {"--force", &option.force},
                 {"--quiet", &option.quiet},
                 {"--stats", &option.stats}};
    const struct {
        const char  *name;
        const char **text;
        uint64_t    *number;
    } values[] = {{"--endpoint", &option.endpoint, NULL},
                  {"--region", &option.region, NULL},
                  {"--ca", &option.ca, NULL},
                  {"--memory", NULL, &option.memory},
                  {"--size", NULL, &option.size}};
    const char *value = strchr(text, '=');
    size_t i, length = value ? (size_t)(value - text) : strlen(text);

    *used = 1;
    for (i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(text, flags[i].name) == 0) {
            *flags[i].flag = 1;
            return DONE;
        }
    for (i = 0; i < sizeof values / sizeof *values; i++) {
        if (strlen(values[i].name) != length || strncmp(text, values[i].name, length) != 0)
            continue;
        *used = value ? 1 : 2;
        value = value ? value + 1 : next;
        if (!value || !*value)
            return complain(USAGE, "%s wants a value", values[i].name);
        if (values[i].text) {
            *values[i].text = value;
            return DONE;
        }
        option.has_size |= values[i].number == &option.size;
        return parse_number(values[i].name, value, values[i].number);
    }
    return complain(USAGE, "unknown option %s; see s3 --help", text);
}

/* Which CAs: --ca, else AWS_CA_BUNDLE or, for an endpoint that isn't Amazon's, the system's. */
static int load_trust(aws_config *config)
{
    int custom = option.endpoint || getenv("AWS_ENDPOINT_URL") || getenv("AWS_ENDPOINT_URL_S3");
    int r;

    if (option.endpoint && strncmp(option.endpoint, "http:", 5) == 0)
        return DONE;
    if (!option.ca && !getenv("AWS_CA_BUNDLE") && !custom)
        return DONE; /* Amazon's roots are built in */
    r = aws_trust_load(&trust, trust_memory, sizeof trust_memory, option.ca);
    if (r == AWS_ERR_MEMORY)
        return complain(USAGE, "the CA certificates take %lu bytes, there are only %lu",
                        (unsigned long)trust.needed, (unsigned long)sizeof trust_memory);
    if (r < 0)
        return complain(USAGE, "no CA certificates could be read from %s",
                        option.ca ? option.ca : "the file of AWS_CA_BUNDLE or the system's");
    config->trust = &trust;
    return DONE;
}

static int connect_client(void)
{
    aws_config config = {0};
    int code = load_trust(&config);

    if (code != DONE)
        return code;
    if (option.memory > sizeof client_memory)
        return complain(USAGE, "--memory can be at most %lu", (unsigned long)sizeof client_memory);
    config.region = option.region;
    config.endpoint = option.endpoint;
    aws_session_init(&session, &config);
    if (aws_client_init(&client, &session, &aws_s3_service, client_memory,
                        (size_t)option.memory) < 0)
        return call_failed();
    return DONE;
}

static void print_stats(void)
{
    fprintf(stderr,
            "memory in bytes: client block %lu, session %lu, client %lu, iterator %lu, "
            "CA certificates %lu, page of keys %lu, all static\n",
            (unsigned long)option.memory, (unsigned long)sizeof session,
            (unsigned long)sizeof client, (unsigned long)sizeof list,
            (unsigned long)trust.used, (unsigned long)sizeof page_memory);
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
        return complain(USAGE, "%s wants %d argument%s; see s3 --help", name, commands[i].most,
                        commands[i].most == 1 ? "" : "s");
    code = connect_client();
    if (code != DONE)
        return code;
    code = commands[i].run(arguments);
    if (option.stats)
        print_stats();
    aws_client_close(&client);
    aws_session_close(&session);
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

    setvbuf(stdout, output_memory, _IOFBF, sizeof output_memory); /* or libc would allocate */
    code = parse_options(argc, argv, &count, &wish);
    if (code != DONE)
        return code;
    if (wish) {
        fputs(strcmp(wish, "--help") == 0 ? help : "s3 " AWS_VERSION "\n", stdout);
    } else if (!count) {
        fputs(help, stderr);
        return USAGE;
    } else {
        code = run(argv[0], argv + 1, count - 1);
    }
    if (fflush(stdout) || ferror(stdout))
        return complain(FAILED, "standard output: %s", strerror(errno));
    return code;
}

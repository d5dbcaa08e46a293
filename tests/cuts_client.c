/* cuts_client.c - one managed transfer that can be killed and gone on with; tests/test_cuts.py runs
 * it.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cuts_client up|down|copy BUCKET KEY BYTES CLIENTS PART_MIB STATE [SOURCE]
 *     cuts_client bucket|uploads|sweep|delete BUCKET KEY
 *                 make the bucket; count its uploads; abort and count them; delete the object
 *
 * Endpoint, keys and region by the environment; with SWIFT in it the server is one. The bytes are those of pattern.h: made when they go
 * up, compared when they come down. STATE.checkpoint is the checkpoint, STATE.marks says how far
 * each part was written: what a file on a disk would have. At the end it says
 *
 *     ok BYTES bytes in SECONDS s, MEMORY bytes of memory, PEAK KiB resident
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "pattern.h"

enum { CLIENTS = 8, PARTS = 4096 };

/* All the memory there is. */
static unsigned char memory[CLIENTS][AWS_CLIENT_MEMORY];
static unsigned char parts[PARTS * AWS_S3_PART_MEMORY];
static aws_client clients[CLIENTS];
static aws_s3_worker workers[CLIENTS];
static aws_s3_transfer transfer;
static aws_session session;

static unsigned char checkpoint[AWS_S3_CHECKPOINT];
static char path[4096], new_path[4096];
static uint64_t size, part_size, *marks;
static int wrong;

static int read_at(void *context, uint64_t offset, void *data, size_t n)
{
    (void)context;
    pattern_fill((unsigned char *)data, offset, n);
    return (int)n;
}

/* A part is written from its start on, without gaps; marks say how far. */
static int write_at(void *context, uint64_t offset, const void *data, size_t n)
{
    uint64_t part = offset / part_size, in_part = offset % part_size;

    (void)context;
    if (offset + n > size || in_part + n > part_size || in_part > marks[part] ||
        !pattern_is((const unsigned char *)data, offset, n)) {
        fprintf(stderr, "WRONG at %llu: %lu bytes\n", (unsigned long long)offset, (unsigned long)n);
        wrong = 1;
        return -1;
    }
    if (in_part + n > marks[part])
        marks[part] = in_part + n;
    return (int)n;
}

static int save(void *context, const void *data, size_t n)
{
    int file;

    (void)context;
    if (!n)
        return unlink(path);
    file = open(new_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    return file < 0 || write(file, data, n) != (ssize_t)n || close(file) || rename(new_path, path)
               ? -1 : 0;
}

static size_t load(void)
{
    int file = open(path, O_RDONLY);
    ssize_t n = file < 0 ? 0 : read(file, checkpoint, sizeof checkpoint);

    if (file >= 0)
        close(file);
    return n > 0 ? (size_t)n : 0;
}

static void open_marks(const char *state)
{
    char name[4096];
    int file;

    snprintf(name, sizeof name, "%s.marks", state);
    file = open(name, O_RDWR | O_CREAT, 0600);
    if (file < 0 || ftruncate(file, (off_t)(sizeof *marks * AWS_I_S3_PARTS))) {
        perror(name);
        exit(1);
    }
    marks = (uint64_t *)mmap(NULL, sizeof *marks * AWS_I_S3_PARTS, PROT_READ | PROT_WRITE, MAP_SHARED,
                             file, 0);
    close(file);
}

static int all_written(void)
{
    uint64_t at, want;

    for (at = 0; at < size; at += part_size) {
        want = size - at < part_size ? size - at : part_size;
        if (marks[at / part_size] != want)
            return 0;
    }
    return 1;
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of this program alone: getrusage counts what forked it, too. */
static long peak_kib(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[200];
    long kib = -1;

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib;
}

static int failed(aws_client *client)
{
    fprintf(stderr, "%s\n", aws_client_failure_text(client));
    return 1;
}

static int drop_upload(const aws_s3_bucket *bucket, const aws_s3_entry *upload)
{
    aws_s3_args args;

    memset(&args, 0, sizeof args);
    args.bucket = bucket->name;
    args.key = upload->key;
    args.upload_id = upload->id;
    return aws_s3_abort_multipart_upload(clients, &args, NULL);
}

static int small(const char *what, aws_s3_bucket *bucket, const char *key)
{
    static aws_s3_entries it;
    aws_s3_entry e;
    aws_s3_object object;
    int r, n = 0;

    aws_s3_object_init(&object, bucket, key);
    if (strcmp(what, "bucket") == 0) {
        r = aws_s3_bucket_create(bucket, NULL);
    } else if (strcmp(what, "delete") == 0) {
        r = aws_s3_object_delete(&object);
    } else {
        aws_s3_uploads_begin(&it, bucket, NULL);
        while ((r = aws_s3_entries_next(&it, &e)) > 0 && (*what != 's' || drop_upload(bucket, &e) == 0))
            n++;
        printf("%d\n", n);
    }
    return r < 0 ? failed(clients) : 0;
}

static int begin(const char *what, const aws_s3_object *object, const aws_s3_transfer_args *args)
{
    if (*what == 'u')
        return aws_s3_upload_resume(&transfer, object, args, checkpoint, load());
    if (*what == 'c')
        return aws_s3_copy_resume(&transfer, object, args, checkpoint, load());
    return aws_s3_download_resume(&transfer, object, args, checkpoint, load());
}

static int run(char **arguments, const aws_s3_bucket *bucket, size_t count)
{
    double start = seconds();
    aws_s3_transfer_args args;
    aws_s3_object object;
    int r;

    size = strtoull(arguments[4], NULL, 10);
    part_size = strtoull(arguments[6], NULL, 10) << 20;
    snprintf(path, sizeof path, "%s.checkpoint", arguments[7]);
    snprintf(new_path, sizeof new_path, "%s.new", arguments[7]);
    memset(&args, 0, sizeof args);
    args.workers = workers;
    args.worker_count = count;
    args.part_size = part_size;
    args.min_part_size = part_size; /* S3's own is 5 MiB */
    args.threshold = part_size;
    args.memory = parts;
    args.memory_size = sizeof parts;
    args.save = save;
    if (*arguments[1] == 'u') {
        args.size = size;
        args.read_at = read_at;
    } else if (*arguments[1] == 'c') {
        args.copy_source = arguments[8];
    } else {
        open_marks(arguments[7]);
        args.write_at = write_at;
    }
    aws_s3_object_init(&object, bucket, arguments[3]);
    begin(arguments[1], &object, &args);
    r = aws_s3_transfer_run(&transfer, aws_posix_wait);
    if (r < 0)
        return failed(transfer.client);
    if (wrong || transfer.size != size || (*arguments[1] == 'd' && !all_written())) {
        fprintf(stderr, "WRONG: not the whole object\n");
        return 3;
    }
    printf("ok %llu bytes in %.1f s, %lu bytes of memory, %ld KiB resident\n",
           (unsigned long long)size, seconds() - start,
           (unsigned long)(count * (sizeof memory[0] + sizeof *clients + sizeof *workers) +
                           sizeof parts + sizeof transfer + sizeof session), peak_kib());
    return 0;
}

int main(int argc, char **argv)
{
    size_t count = argc > 5 ? (size_t)atoi(argv[5]) : 1, i;
    aws_s3_bucket bucket;
    aws_config config;
    int r;

    if (argc < 4 || (argc > 4 && argc < 8) || count < 1 || count > CLIENTS) {
        fprintf(stderr, "cuts_client up|down|copy BUCKET KEY BYTES CLIENTS PART_MIB STATE [SOURCE]\n");
        return 2;
    }
    memset(&config, 0, sizeof config);
    config.read_timeout = 20000;
    config.dialect = getenv("SWIFT") ? &aws_dialect_swift : NULL;
    aws_session_init(&session, &config);
    pattern_init();
    for (i = 0; i < count; i++) {
        workers[i].client = &clients[i];
        if (aws_client_init(&clients[i], &session, &aws_s3_service, memory[i], sizeof memory[i]) < 0)
            return failed(&clients[i]);
    }
    aws_s3_bucket_init(&bucket, &clients[0], argv[2]);
    r = argc < 8 ? small(argv[1], &bucket, argv[3]) : run(argv, &bucket, count);
    for (i = 0; i < count; i++)
        aws_client_close(&clients[i]);
    aws_session_close(&session);
    return r;
}

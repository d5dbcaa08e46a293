/* transfer_suite.c - managed transfers and the resources' iterators against a real server.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/transfer_suite.c -lbearssl -o suite
 *     AWS_ENDPOINT_URL=http://127.0.0.1:8000 ./suite [MiB [CLIENTS [all|transfers [BUCKET]]]]
 *
 * BUCKET must have no uploads. Keys and region by the environment. Made bytes of that many MiB go up, are copied, come down and
 * are compared, with that many clients in one thread; each of them is broken off in the middle and
 * resumed. Then versions, uploads and parts are listed and deleted in batches.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include <stdlib.h>

enum { CLIENTS = 16, MIB = 1 << 20, PART = 5 * MIB };

static aws_session session;
static aws_client clients[CLIENTS];
static aws_s3_worker workers[CLIENTS];
static unsigned char *memory[CLIENTS];
static unsigned char parts[200 * AWS_S3_PART_MEMORY];
static aws_s3_bucket bucket;
static uint64_t size;
static size_t count;
static aws_s3_transfer t;
static unsigned char checkpoint[AWS_S3_CHECKPOINT];
static size_t checkpoint_size;
static unsigned char *written;
static uint64_t read_bytes, written_bytes;
static aws_s3_entries it;

static unsigned char made(uint64_t at)
{
    uint32_t x = (uint32_t)(at >> 3) * 2654435761u;

    return (unsigned char)(x >> (at & 3) * 8 ^ at >> 20);
}

static int read_at(void *context, uint64_t offset, void *data, size_t n)
{
    unsigned char *to = (unsigned char *)data;
    size_t i;

    (void)context;
    for (i = 0; i < n; i++)
        to[i] = made(offset + i);
    read_bytes += n;
    return (int)n;
}

static int write_at(void *context, uint64_t offset, const void *data, size_t n)
{
    (void)context;
    if (!CHECK(offset + n <= size))
        return -1;
    memcpy(written + offset, data, n);
    written_bytes += n;
    return (int)n;
}

static int save(void *context, const void *data, size_t n)
{
    (void)context;
    memcpy(checkpoint, data ? data : "", n);
    checkpoint_size = n;
    return 0;
}

static void open_clients(void)
{
    size_t i;

    for (i = 0; i < CLIENTS; i++) {
        if (aws_client_init(clients + i, &session, &aws_s3_service, memory[i], AWS_CLIENT_MEMORY) <
            0) {
            fprintf(stderr, "%s\n", aws_client_failure_text(clients + i));
            exit(1);
        }
        workers[i].client = clients + i;
    }
}

static void close_clients(void)
{
    size_t i;

    for (i = 0; i < CLIENTS; i++)
        aws_client_close(clients + i);
}

static int ok(int r, aws_client *client)
{
    if (!CHECK(r >= 0))
        fprintf(stderr, "%s\n", aws_client_failure_text(client));
    return r >= 0;
}

static size_t uploads(void)
{
    aws_s3_entry e;
    size_t n = 0;
    int r;

    aws_s3_uploads_begin(&it, &bucket, NULL);
    while ((r = aws_s3_entries_next(&it, &e)) > 0)
        n++;
    ok(r, clients);
    return n;
}

enum { UPLOAD, COPY, DOWNLOAD };

static int begin(int kind, const aws_s3_object *object, const aws_s3_transfer_args *a, int again)
{
    size_t n = again ? checkpoint_size : 0;

    if (kind == UPLOAD)
        return aws_s3_upload_resume(&t, object, a, checkpoint, n);
    if (kind == COPY)
        return aws_s3_copy_resume(&t, object, a, checkpoint, n);
    return aws_s3_download_resume(&t, object, a, checkpoint, n);
}

/* One transfer, broken off after `stop` parts (0: not), then resumed. */
static void transfer(int kind, const char *key, size_t n, unsigned stop)
{
    aws_s3_transfer_args a;
    aws_s3_object object;
    aws_waiting waiting[CLIENTS];
    int r;

    memset(&a, 0, sizeof a);
    aws_s3_object_init(&object, &bucket, key);
    a.workers = workers;
    a.worker_count = n;
    a.part_size = PART;
    a.threshold = PART;
    a.memory = parts;
    a.memory_size = sizeof parts;
    a.save = save;
    a.size = kind == UPLOAD ? size : 0;
    a.read_at = kind == UPLOAD ? read_at : NULL;
    a.write_at = kind == DOWNLOAD ? write_at : NULL;
    a.copy_source = kind == COPY ? "transfers/up/a b+c" : NULL;
    checkpoint_size = 0;
    if (!ok(begin(kind, &object, &a, 0), t.client))
        return;
    while ((r = aws_s3_transfer_step(&t)) == AWS_AGAIN && (!stop || t.complete < stop))
        aws_posix_wait(waiting, aws_s3_transfer_waiting(&t, waiting, CLIENTS));
    if (stop && r == AWS_AGAIN) {
        close_clients();
        memset(&t, 0xa5, sizeof t);
        open_clients();
        ok(begin(kind, &object, &a, 1), t.client);
        r = aws_s3_transfer_run(&t, aws_posix_wait);
    }
    ok(r, t.client);
    CHECK_INT(checkpoint_size, 0);
    CHECK_INT(uploads(), 0);
}

static void compare(const char *key)
{
    uint64_t i;

    memset(written, 0, (size_t)size);
    transfer(DOWNLOAD, key, count, 0);
    for (i = 0; i < size && written[i] == made(i); i++)
        ;
    CHECK_INT(i, size);
}

static void test_transfers(void)
{
    unsigned all = (unsigned)((size + PART - 1) / PART), stop;
    size_t n;

    for (n = 1; n <= count; n += count - 1) {
        for (stop = 0; stop < all; stop += 2) {
            read_bytes = 0;
            transfer(UPLOAD, "up/a b+c", n, stop);
            /* each part is read for its checksum and to be sent; cut parts again */
            CHECK(read_bytes <= 3 * size + 3 * n * PART);
        }
        compare("up/a b+c");
        for (stop = 0; stop < all; stop += 3) {
            transfer(COPY, "copy", n, stop);
            compare("copy");
        }
        for (stop = 1; stop < all; stop += 3) {
            memset(written, 0, (size_t)size);
            written_bytes = 0;
            transfer(DOWNLOAD, "copy", n, stop);
            CHECK(written_bytes <= size + n * PART);
            CHECK(written[0] == made(0) && written[size - 1] == made(size - 1));
        }
        if (count < 2)
            break;
    }
}

static void test_resources(void)
{
    static unsigned char batch_memory[20000];
    aws_s3_args args;
    aws_s3_result result;
    aws_s3_batch batch;
    aws_s3_entry e;
    aws_s3_object object;
    char key[40], id[400], last[40] = "";
    int i, r, n = 0, markers = 0;

    ok(aws_s3_bucket_enable_versioning(&bucket), clients);
    for (i = 0; i < 60; i++) {
        snprintf(key, sizeof key, "v/%d +%%", i % 20);
        ok(aws_s3_bucket_put(&bucket, key, "hello", (size_t)(i % 5), NULL), clients);
    }
    for (i = 0; i < 5; i++) {
        snprintf(key, sizeof key, "v/%d +%%", i);
        ok(aws_s3_bucket_delete_key(&bucket, key), clients);
    }
    memset(&args, 0, sizeof args);
    args.prefix = "v/";
    args.max_keys = 7;
    aws_s3_versions_begin(&it, &bucket, &args);
    while ((r = aws_s3_entries_next(&it, &e)) > 0 && n < 1000) {
        CHECK(strcmp(e.key, last) >= 0);
        snprintf(last, sizeof last, "%s", e.key);
        n++;
        markers += e.is_delete_marker;
        if (n % 9 == 0) /* another call in the loop */
            CHECK_INT(aws_s3_bucket_exists(&bucket), 1);
    }
    ok(r, clients);
    CHECK_INT(n, 65);
    CHECK_INT(markers, 5);
    aws_s3_versions_begin(&it, &bucket, &args);
    ok(aws_s3_batch_versions(&batch, &it, batch_memory, sizeof batch_memory), clients);
    ok(aws_s3_batch_delete(&batch), clients);
    CHECK_INT(batch.deleted, 65);
    aws_s3_versions_begin(&it, &bucket, &args);
    CHECK_INT(aws_s3_entries_next(&it, &e), 0);
    ok(aws_s3_bucket_suspend_versioning(&bucket), clients);

    memset(&args, 0, sizeof args);
    args.bucket = bucket.name;
    for (i = 0; i < 7; i++) {
        snprintf(key, sizeof key, "u/%d + &", i / 2);
        args.key = key;
        ok(aws_s3_create_multipart_upload(clients, &args, &result), clients);
        snprintf(id, sizeof id, "%s", result.upload_id);
    }
    aws_s3_object_init(&object, &bucket, key);
    args.upload_id = id;
    args.body = parts;
    args.body_size = 11;
    for (args.part_number = 1; args.part_number <= 9; args.part_number += 2)
        ok(aws_s3_upload_part(clients, &args, NULL), clients);
    memset(&args, 0, sizeof args);
    args.max_parts = 2;
    aws_s3_parts_begin(&it, &object, id, &args);
    for (n = 0; (r = aws_s3_entries_next(&it, &e)) > 0; n++) {
        CHECK_INT(e.part_number, 2 * n + 1);
        CHECK_INT(e.size, 11);
    }
    ok(r, clients);
    CHECK_INT(n, 5);
    /* aborted in the loop that lists them */
    args.max_uploads = 3;
    aws_s3_uploads_begin(&it, &bucket, &args);
    for (n = 0; (r = aws_s3_entries_next(&it, &e)) > 0 && n < 100; n++) {
        aws_s3_args gone;
        memset(&gone, 0, sizeof gone);
        gone.bucket = bucket.name;
        gone.key = e.key;
        gone.upload_id = e.id;
        ok(aws_s3_abort_multipart_upload(clients, &gone, NULL), clients);
    }
    ok(r, clients);
    CHECK_INT(n, 7);
    CHECK_INT(uploads(), 0);
}

static void clean_up(void)
{
    static unsigned char batch_memory[20000];
    aws_s3_batch batch;

    aws_s3_versions_begin(&it, &bucket, NULL);
    ok(aws_s3_batch_versions(&batch, &it, batch_memory, sizeof batch_memory), clients);
    ok(aws_s3_batch_delete(&batch), clients);
    ok(aws_s3_bucket_delete(&bucket), clients);
}

int main(int argc, char **argv)
{
    size_t i;
    aws_config config;

    memset(&config, 0, sizeof config);
    config.max_attempts = 5;
    size = (uint64_t)(argc > 1 ? atoi(argv[1]) : 32) * MIB + 12345;
    count = argc > 2 ? (size_t)atoi(argv[2]) : 8;
    if (count < 1 || count > CLIENTS)
        return 2;
    aws_session_init(&session, &config);
    written = (unsigned char *)malloc((size_t)size);
    for (i = 0; i < CLIENTS; i++)
        memory[i] = (unsigned char *)malloc(AWS_CLIENT_MEMORY);
    open_clients();
    aws_s3_bucket_init(&bucket, clients, "transfers");
    if (ok(aws_s3_bucket_create(&bucket, NULL), clients)) {
        if (argc > 4) { /* a bucket that another program has uploaded to */
            aws_s3_bucket own = bucket;
            aws_s3_bucket_init(&bucket, clients, argv[4]);
            CHECK_INT(uploads(), 0);
            bucket = own;
        }
        test_transfers();
        if (argc <= 3 || strcmp(argv[3], "transfers") != 0) { /* tests/s3_server.py has no versions */
            test_resources();
            clean_up();
        }
    }
    close_clients();
    return CHECK_DONE();
}

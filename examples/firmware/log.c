/* log.c - a log that goes into flash all the time, and to S3 while it grows: nobody knows how long
 * it will be when its upload begins.
 *
 * SPDX-License-Identifier: MIT
 *
 * S3 wants to know the size of each body, but not that of an object in parts. So each
 * CONFIG_LOG_PART bytes (Amazon wants 5 MiB or more, but for the last part) become a part as soon
 * as they are in flash, and the rest when the log is closed. The flash remembers only the upload's
 * id; which parts S3 has, it says itself (ListParts).
 */
#include "device.h"
#include "config.h"
#include <string.h>

enum { LINE = 64, NO_END = FLASH_END - FLASH_LOG };

static struct {
    uint32_t size;   /* bytes in flash */
    uint32_t last;   /* ms of the last line */
    uint32_t closed; /* 1: nothing comes any more */
} spool;

/* What of the log is a part's body. */
static struct {
    uint32_t begin, size, at;
} body;

/* ---- Writing it ---- */

/* The log's end is where erased flash begins, which is found in 23 steps. */
void log_begin(void)
{
    uint32_t low = 0, high = NO_END, middle;
    unsigned char byte;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (board_flash_read(FLASH_LOG + middle, &byte, 1) == 0 && byte != 0xff)
            low = middle + 1;
        else
            high = middle;
    }
    spool.size = low;
    if (low > 0 && board_flash_read(FLASH_LOG + low - 1, &byte, 1) == 0 && byte != '\n') {
        byte = '\n'; /* the power failed in a line */
        if (board_flash_write(FLASH_LOG + low, &byte, 1) == 0)
            spool.size++;
    }
}

static void put_number(char *to, uint32_t number)
{
    int i;

    for (i = 9; i >= 0; i--, number /= 10)
        to[i] = (char)('0' + number % 10);
}

/* Some lines each millisecond, until it is as long as the device finds worth it. */
void log_turn(void)
{
    char lines[4 * LINE];
    uint32_t i;

    if (spool.closed || board_ms() == spool.last)
        return;
    spool.last = board_ms();
    memset(lines, '.', sizeof lines);
    for (i = 0; i < 4; i++) {
        put_number(lines + i * LINE, spool.size + i * LINE);
        memcpy(lines + i * LINE + 10, " at ms ", 7);
        put_number(lines + i * LINE + 17, spool.last);
        lines[(i + 1) * LINE - 1] = '\n';
    }
    spool.closed = spool.size + sizeof lines > NO_END || spool.size >= CONFIG_LOG_CLOSES;
    if (!spool.closed && board_flash_write(FLASH_LOG + spool.size, lines, sizeof lines) == 0)
        spool.size += (uint32_t)sizeof lines;
}

/* ---- Its upload ---- */

static int body_read(void *context, void *data, size_t size)
{
    uint32_t left = body.size - body.at;
    uint32_t n = size < left ? (uint32_t)size : left;

    (void)context;
    if (board_flash_read(FLASH_LOG + body.begin + body.at, data, n) < 0)
        return AWS_ERR_BODY;
    body.at += n;
    return (int)n;
}

static int body_rewind(void *context)
{
    (void)context;
    body.at = 0;
    return 0;
}

static const aws_source body_source = {body_read, body_rewind, NULL};

/* The record: the upload's id, "" when the log has been sent, none before. */
static int remember(const char *id)
{
    return record_write(RECORD_LOG, id, strlen(id) + 1);
}

static void say(const char *what, uint32_t number)
{
    board_alive();
    board_print("log ");
    board_print(what);
    board_print(" ");
    board_print_number(number);
    board_print("\n");
}

/* A member of the args that all requests of an upload need. */
static aws_s3_args *request(const aws_s3_object *object, log_work *work, const char *id)
{
    aws_s3_args *args = &work->args;

    memset(args, 0, sizeof *args);
    args->bucket = object->bucket;
    args->key = object->key;
    args->upload_id = id;
    return args;
}

/* End the uploads of this key but keep, if that isn't NULL: the flash knows nothing of them,
 * because the power failed before it was told, or because the answer to create was lost and it was
 * sent again. */
static int sweep(const aws_s3_object *object, log_work *work, const char *keep)
{
    aws_s3_args args = {0};
    aws_s3_bucket bucket;
    aws_s3_entry entry;
    int r, ended;

    args.prefix = object->key;
    (void)aws_s3_bucket_init(&bucket, object->client, object->bucket);
    (void)aws_s3_uploads_begin(&work->u.listing, &bucket, &args);
    for (;;) {
        while ((r = aws_s3_entries_next(&work->u.listing, &entry)) == AWS_AGAIN)
            turn();
        if (r <= 0)
            return r;
        if (strcmp(entry.key, object->key) != 0 || (keep && strcmp(entry.id, keep) == 0))
            continue;
        (void)request(object, work, entry.id);
        while ((ended = aws_s3_abort_multipart_upload(object->client, &work->args, NULL)) ==
               AWS_AGAIN)
            turn();
        if (ended < 0 && aws_client_failure(object->client)->http_status != 404)
            return ended;
        board_print("log: an upload nobody knew of is gone\n");
    }
}

static int create(const aws_s3_object *object, log_work *work, char *id, size_t room)
{
    int r;

    (void)request(object, work, NULL);
    work->args.content_type = "text/plain";
    while ((r = aws_s3_create_multipart_upload(object->client, &work->args, &work->u.result)) ==
           AWS_AGAIN)
        turn();
    if (r < 0)
        return r;
    if (strlen(work->u.result.upload_id) >= room)
        return AWS_ERR_MEMORY;
    strcpy(id, work->u.result.upload_id);
    return remember(id) < 0 ? AWS_ERR_SINK : 0;
}

static int keep_part(log_work *work, unsigned number, const char *etag)
{
    if (number < 1 || number > LOG_PARTS || etag == NULL ||
        strlen(etag) >= sizeof work->etags[0])
        return AWS_ERR_MEMORY;
    memset(&work->parts[number - 1], 0, sizeof work->parts[0]);
    work->parts[number - 1].number = number;
    work->parts[number - 1].etag = strcpy(work->etags[number - 1], etag);
    return 0;
}

/* The parts that S3 has, the first ones without a gap: their bytes into *sent, their count or an
 * error. */
static int list(const aws_s3_object *object, log_work *work, const char *id, uint32_t *sent)
{
    aws_s3_entry part;
    int r, count = 0;

    *sent = 0;
    (void)aws_s3_parts_begin(&work->u.listing, object, id, NULL);
    for (;;) {
        while ((r = aws_s3_entries_next(&work->u.listing, &part)) == AWS_AGAIN)
            turn();
        if (r <= 0)
            return r < 0 ? r : count;
        if (part.part_number != (unsigned)count + 1 || part.size > spool.size - *sent)
            continue;
        if (keep_part(work, part.part_number, part.etag) < 0)
            return AWS_ERR_MEMORY;
        *sent += (uint32_t)part.size;
        count++;
    }
}

/* One more part. */
static int send_part(const aws_s3_object *object, log_work *work, const char *id, unsigned number)
{
    int r;

    (void)request(object, work, id);
    work->args.part_number = number;
    work->args.source = &body_source;
    work->args.body_size = body.size;
    body.at = 0;
    while ((r = aws_s3_upload_part(object->client, &work->args, &work->u.result)) == AWS_AGAIN)
        turn();
    return r < 0 ? r : keep_part(work, number, work->u.result.etag);
}

/* Parts as the log grows, until it is closed and all of it sent. Their count, or an error. */
static int send_parts(const aws_s3_object *object, log_work *work, const char *id)
{
    uint32_t sent, most;
    int count = list(object, work, id, &sent), r;

    if (count < 0)
        return count;
    say("goes on at", sent);
    for (; !spool.closed || sent < spool.size; sent += body.size) {
        most = count < LOG_PARTS - 1 ? CONFIG_LOG_PART : NO_END; /* the last one takes all */
        body.begin = sent;
        body.size = spool.size - sent < most ? spool.size - sent : most;
        if (!spool.closed && body.size < most) {
            body.size = 0;
            turn();
            continue;
        }
        if ((r = send_part(object, work, id, (unsigned)++count)) < 0)
            return r;
        say("sent", sent + body.size);
    }
    return count;
}

static int complete(const aws_s3_object *object, log_work *work, const char *id, int count)
{
    int r;

    (void)request(object, work, id);
    work->args.parts = work->parts;
    work->args.part_count = (unsigned)count;
    while ((r = aws_s3_complete_multipart_upload(object->client, &work->args, &work->u.result)) ==
           AWS_AGAIN)
        turn();
    return r;
}

/* The upload is gone. If its object is there, the power failed after it had been completed. */
static int is_there(const aws_s3_object *object, log_work *work)
{
    int r;

    while (!spool.closed) /* only then it was completed, and it has its size */
        turn();
    while ((r = aws_s3_object_head(object, &work->u.result)) == AWS_AGAIN)
        turn();
    return r == 0 && work->u.result.size == spool.size;
}

static int sent_now(void)
{
    char hash[65];

    board_mark("logged");
    if (remember("") < 0 || flash_hash(FLASH_LOG, spool.size, hash) < 0)
        return 1;
    board_print("log is there: ");
    board_print_number(spool.size);
    board_print(" ");
    board_print(hash);
    board_print("\n");
    return 0;
}

int log_upload(const aws_s3_object *object, log_work *work)
{
    char *id = work->id;
    uint64_t from = board_clock();
    size_t size = record_read(RECORD_LOG, id, sizeof work->id);
    int r = 0, count;

    if (size == 1) {
        board_print("log was sent before\n");
        return 0;
    }
    if (size == 0) {
        r = sweep(object, work, NULL);
        if (r == 0)
            r = create(object, work, id, sizeof work->id);
    }
    if (r == 0)
        r = send_parts(object, work, id);
    count = r;
    if (r > 0)
        r = sweep(object, work, id);
    if (r == 0 && count > 0)
        r = complete(object, work, id, count);
    if (r == AWS_ERR_SERVICE && aws_client_failure(object->client)->http_status == 404) {
        if (is_there(object, work))
            r = 0;
        else
            (void)record_write(RECORD_LOG, NULL, 0); /* from the start, next time */
    }
    if (r < 0)
        return failed("log");
    cost("log", from);
    return sent_now();
}

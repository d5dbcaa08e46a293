/* update.c - 1 MB of firmware from S3 into flash, in ranges. After a power cut it goes on where it
 * was; what is in flash counts only when its SHA-256 is that of the object.
 *
 * SPDX-License-Identifier: MIT
 */
#include "device.h"
#include "config.h"
#include <string.h>

enum { PART = 65536 }; /* asked for at once; after each the state is saved */

/* The record while it is downloaded: the checkpoint. Then this and the SHA-256 in hex. */
static const char installed[] = "installed ";

static int over; /* the transfer wants its checkpoint forgotten */

static int save(void *context, const void *checkpoint, size_t size)
{
    (void)context;
    board_alive();
    over = size == 0; /* until the image is installed it's good to know that all is there */
    return over ? 0 : record_write(RECORD_UPDATE, checkpoint, size);
}

static int write_at(void *context, uint64_t offset, const void *data, size_t size)
{
    (void)context;
    if (offset + size > FLASH_LOG - FLASH_IMAGE)
        return -1;
    return board_flash_write(FLASH_IMAGE + (uint32_t)offset, data, size) == 0 ? (int)size : -1;
}

static void progress(void *context, uint64_t done, uint64_t total)
{
    static uint32_t said = 1;

    (void)context;
    (void)total;
    if (said == (uint32_t)done / 16384 + 2)
        return;
    said = (uint32_t)done / 16384 + 2;
    board_alive();
    board_print("at ");
    board_print_number((uint32_t)done);
    board_print("\n");
}

/* What S3 has into wanted: the SHA-256 of its bytes, as whoever put it there says. */
static int look(aws_client *client, const aws_s3_object *object, char wanted[65])
{
    aws_s3_result result;
    const char *text;
    int r;

    while ((r = aws_s3_object_head(object, &result)) == AWS_AGAIN)
        turn();
    if (r < 0)
        return failed("head");
    text = aws_client_header(client, "x-amz-meta-sha256");
    if (text == NULL || strlen(text) != 64) {
        board_print("FAILED update: the object has no sha256 in its metadata\n");
        return 1;
    }
    memcpy(wanted, text, 65);
    return 0;
}

/* The flash has all of it: is it right? */
static int install(uint32_t size, const char *wanted)
{
    char record[sizeof installed + 64], *found = record + sizeof installed - 1;

    memcpy(record, installed, sizeof installed);
    if (flash_hash(FLASH_IMAGE, size, found) < 0 || strcmp(wanted, found) != 0) {
        board_print("DIFFERS update.bin\n"); /* and is downloaded again at the next start */
        (void)record_write(RECORD_UPDATE, NULL, 0);
        return 1;
    }
    board_mark("install");
    if (record_write(RECORD_UPDATE, record, sizeof record - 1) < 0)
        return 1;
    board_print("updated ");
    board_print(found);
    board_print("\n");
    return 0;
}

int update_download(const aws_s3_object *object, update_work *work)
{
    aws_s3_transfer_args args = {0};
    char wanted[65];
    uint64_t from;
    size_t size;
    int r;

    if (look(object->client, object, wanted) != 0)
        return 1;
    size = record_read(RECORD_UPDATE, work->checkpoint, sizeof work->checkpoint);
    if (size == sizeof installed - 1 + 64 &&
        memcmp(work->checkpoint, installed, sizeof installed - 1) == 0) {
        if (memcmp(work->checkpoint + sizeof installed - 1, wanted, 64) == 0) {
            board_print("up to date\n");
            return 0;
        }
        size = 0; /* there is another one */
    }
    args.write_at = write_at;
    args.save = save;
    args.progress = progress;
    args.threshold = args.part_size = args.min_part_size = PART;
    from = board_clock();
    (void)aws_s3_download_resume(&work->transfer, object, &args, work->checkpoint, size);
    while ((r = aws_s3_transfer_step(&work->transfer)) == AWS_AGAIN)
        turn();
    if (r < 0 && over) /* the object changed: from the start, next time */
        (void)record_write(RECORD_UPDATE, NULL, 0);
    if (r < 0)
        return failed("update");
    cost("update", from);
    return install((uint32_t)work->transfer.size, wanted);
}

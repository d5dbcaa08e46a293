/* device.h - what the parts of the program share: main.c, records.c, log.c, update.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DEVICE_H
#define DEVICE_H

#include "board.h"
#define AWS_NO_DEFAULT_PORT
#define AWS_NO_ROOTS
#include "aws_s3.h"

/* ---- main.c ---- */

/* One turn of the main loop, while a call says AWS_AGAIN. */
void turn(void);
/* Says what the client's last call failed with: 1. */
int failed(const char *what);
/* What a call that began at `from` (board_clock) has cost. */
void cost(const char *what, uint64_t from);

/* ---- records.c: small records in flash that a power cut can't spoil ---- */

enum { RECORD_LOG, RECORD_UPDATE, RECORDS };
enum { RECORD_ROOM = BOARD_RECORDS / RECORDS / 2 - 12 }; /* bytes that a record may have */

size_t record_read(unsigned record, void *data, size_t room); /* its size; 0: none */
int record_write(unsigned record, const void *data, size_t size); /* 0 or -1 */

/* ---- Flash: records, the update, the log ---- */

enum {
    FLASH_IMAGE = BOARD_RECORDS,
    FLASH_LOG = FLASH_IMAGE + (2 << 20),
    FLASH_END = FLASH_LOG + (8 << 20)
};
/* SHA-256 of size bytes of flash, as 64 hex digits. 0 or -1. */
int flash_hash(uint32_t at, uint32_t size, char text[65]);

/* ---- log.c: a log of unknown length, uploaded while it grows ---- */

enum { LOG_PARTS = 16 };
typedef struct log_work {
    aws_s3_args args;
    aws_s3_part parts[LOG_PARTS];
    char        etags[LOG_PARTS][40];
    char        id[256]; /* of the upload */
    union { /* never at once */
        aws_s3_entries listing;
        aws_s3_result  result;
    } u;
} log_work;

void log_begin(void); /* finds its end in flash */
void log_turn(void);  /* a line now and then */
int log_upload(const aws_s3_object *object, log_work *work); /* 0, or 1: it was said why not */

/* ---- update.c: 1 MB in ranges ---- */

typedef struct update_work {
    aws_s3_transfer transfer;
    unsigned char   checkpoint[AWS_S3_CHECKPOINT];
} update_work;

int update_download(const aws_s3_object *object, update_work *work);

#endif

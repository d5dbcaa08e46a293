/* upload_resume.c - upload a file in parts over several connections; after a power cut (or Ctrl-C,
 * or kill -9), the same command goes on where it was.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -std=c99 -O2 -I. examples/upload_resume.c -lbearssl -o upload_resume
 *     ./upload_resume FILE BUCKET KEY [CONNECTIONS [MIB]]
 *
 * Keys, region and endpoint by the environment. MIB: of a part, default 8. The checkpoint lies in
 * FILE.upload; on a microcontroller it would be a page of flash.
 */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64 /* large files on 32-bit systems, too */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONNECTIONS = 8 };

/* All the memory there is. */
static unsigned char memory[CONNECTIONS][AWS_CLIENT_MEMORY_TLS];
static unsigned char parts[10000 * AWS_S3_PART_MEMORY]; /* fewer make the parts larger */
static aws_client clients[CONNECTIONS];
static aws_s3_worker workers[CONNECTIONS];
static aws_s3_transfer transfer;
static unsigned char checkpoint[AWS_S3_CHECKPOINT];

typedef struct upload {
    int  file;
    char checkpoint[4096], written[4096]; /* names of files */
} upload;

static int read_at(void *context, uint64_t offset, void *data, size_t size)
{
    ssize_t n = pread(((upload *)context)->file, data, size, (off_t)offset);

    return n < 0 ? AWS_ERR_BODY : (int)n;
}

/* Whole or not at all, also when the power fails meanwhile. */
static int save(void *context, const void *data, size_t size)
{
    const upload *u = (const upload *)context;
    int file, bad;

    if (!size)
        return unlink(u->checkpoint) && errno != ENOENT ? -1 : 0;
    file = open(u->written, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    bad = file < 0 || write(file, data, size) != (ssize_t)size || fsync(file);
    bad |= file >= 0 && close(file);
    return bad || rename(u->written, u->checkpoint) ? -1 : 0;
}

static size_t load(const upload *u)
{
    int file = open(u->checkpoint, O_RDONLY);
    ssize_t n = file < 0 ? 0 : read(file, checkpoint, sizeof checkpoint);

    if (file >= 0)
        close(file);
    return n > 0 ? (size_t)n : 0;
}

static void progress(void *context, uint64_t done, uint64_t total)
{
    static unsigned last = 101;
    unsigned percent = (unsigned)(total ? done * 100 / total : 100);

    (void)context;
    if (percent != last && isatty(2))
        fprintf(stderr, "\r%u %%%s", percent, percent == 100 ? "\n" : "");
    last = percent;
}

int main(int argc, char **argv)
{
    aws_config config;
    aws_session session;
    aws_s3_bucket bucket;
    aws_s3_object object;
    aws_s3_transfer_args args;
    struct stat stat;
    upload u;
    int i, r, count = argc > 4 ? atoi(argv[4]) : 4;

    if (argc < 4 || count < 1 || count > CONNECTIONS) {
        fprintf(stderr, "usage: upload_resume FILE BUCKET KEY [CONNECTIONS [MIB]]\n");
        return 2;
    }
    u.file = open(argv[1], O_RDONLY);
    if (u.file < 0 || fstat(u.file, &stat) || strlen(argv[1]) > 4000) {
        perror(argv[1]);
        return 1;
    }
    sprintf(u.checkpoint, "%s.upload", argv[1]);
    sprintf(u.written, "%s.upload.new", argv[1]);
    memset(&config, 0, sizeof config);
    aws_session_init(&session, &config);
    for (i = 0; i < count; i++) {
        workers[i].client = &clients[i];
        r = aws_client_init(&clients[i], &session, &aws_s3_service, memory[i], sizeof memory[i]);
        if (r < 0) {
            fprintf(stderr, "%s\n", aws_client_failure_text(&clients[i]));
            return 1;
        }
    }
    aws_s3_bucket_init(&bucket, &clients[0], argv[2]);
    aws_s3_object_init(&object, &bucket, argv[3]);
    memset(&args, 0, sizeof args);
    args.workers = workers;
    args.worker_count = (size_t)count;
    args.size = (uint64_t)stat.st_size;
    args.stamp = (uint64_t)stat.st_mtime; /* another file's checkpoint isn't gone on with */
    args.part_size = (uint64_t)(argc > 5 ? atoi(argv[5]) : 8) << 20;
    args.read_at = read_at;
    args.save = save;
    args.progress = progress;
    args.context = &u;
    args.memory = parts;
    args.memory_size = sizeof parts;
    aws_s3_upload_resume(&transfer, &object, &args, checkpoint, load(&u));
    r = aws_s3_transfer_run(&transfer, aws_posix_wait);
    if (r < 0)
        fprintf(stderr, "%s\n", aws_client_failure_text(transfer.client));
    else
        printf("%s/%s: %lu bytes in %u parts\n", argv[2], argv[3], (unsigned long)args.size,
               transfer.parts);
    for (i = 0; i < count; i++)
        aws_client_close(&clients[i]);
    aws_session_close(&session);
    close(u.file);
    return r < 0;
}

/* stream.c - upload a pipe of known length, download to one: any size, 4 KB at a time.
 *
 *     cc -std=c99 -O2 -I. examples/stream.c -lbearssl -o stream
 *     ./stream put BUCKET KEY SIZE <pipe
 *     ./stream get BUCKET KEY >file
 *
 * Region and keys are in AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Another server
 * than Amazon's: AWS_ENDPOINT_URL=https://HOST:PORT AWS_CA_BUNDLE=its-ca.pem
 *
 * What is written piece by piece can't be read again, so S3 can't be told its hash beforehand:
 * over https its checksum comes after it, over plain http it goes in signed chunks. A connection
 * that is lost ends the transfer for the same reason; the object of an upload that fails does not
 * appear.
 */
#define _FILE_OFFSET_BITS 64
#define AWS_IMPLEMENTATION
#include "aws_s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned char memory[AWS_CLIENT_MEMORY];
static void         *anchors[4096]; /* CA certificates, if not Amazon's */
static char          piece[4096];

/* Write all of piece: a pipe may take less at once. */
static int write_out(size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = write(STDOUT_FILENO, piece + done, size - done);
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

/* The client takes as much as it has room for, so what it left is offered again. */
static int write_object(aws_client *s3, size_t size)
{
    size_t done = 0;

    while (done < size) {
        int n = aws_client_write(s3, piece + done, size - done);
        if (n < 0)
            return n;
        done += (size_t)n;
    }
    return 0;
}

static int put(aws_client *s3, const char *bucket, const char *key, const char *size)
{
    aws_s3_args args = {0};
    ssize_t n;

    args.bucket = bucket;
    args.key = key;
    args.stream = 1;
    args.body_size = strtoull(size, NULL, 10);
    if (aws_s3_put_object(s3, &args, NULL) < 0)
        return -1;
    while ((n = read(STDIN_FILENO, piece, sizeof piece)) > 0)
        if (write_object(s3, (size_t)n) < 0)
            return -1;
    if (n < 0) {
        aws_client_cancel(s3); /* the object does not appear */
        perror("standard input");
        return -2;
    }
    return aws_client_finish(s3); /* an error too if the pipe was shorter than SIZE */
}

static int get(aws_client *s3, const char *bucket, const char *key)
{
    aws_s3_args args = {0};
    int n;

    args.bucket = bucket;
    args.key = key;
    args.stream = 1;
    if (aws_s3_get_object(s3, &args, NULL) < 0)
        return -1;
    while ((n = aws_client_read(s3, piece, sizeof piece)) > 0) {
        if (write_out((size_t)n) < 0) {
            aws_client_cancel(s3);
            perror("standard output");
            return -2;
        }
    }
    return n < 0 ? n : aws_client_finish(s3); /* only its 0 says that the object is whole */
}

int main(int argc, char **argv)
{
    int is_put = argc == 5 && strcmp(argv[1], "put") == 0, r;
    aws_config config = {0};
    aws_session session;
    aws_client s3;
    aws_trust trust;

    if (!is_put && !(argc == 4 && strcmp(argv[1], "get") == 0)) {
        fprintf(stderr, "usage: stream put BUCKET KEY SIZE | stream get BUCKET KEY\n");
        return 2;
    }
    if (getenv("AWS_CA_BUNDLE") && *getenv("AWS_CA_BUNDLE")) {
        if (aws_trust_load(&trust, anchors, sizeof anchors, NULL) < 0) {
            fprintf(stderr, "AWS_CA_BUNDLE names no file of CA certificates\n");
            return 2;
        }
        config.trust = &trust;
    }
    aws_session_init(&session, &config);
    aws_client_init(&s3, &session, &aws_s3_service, memory, sizeof memory);
    r = is_put ? put(&s3, argv[2], argv[3], argv[4]) : get(&s3, argv[2], argv[3]);
    if (r == -1 || r < -2)
        fprintf(stderr, "%s\n", aws_client_failure_text(&s3));
    aws_client_close(&s3);
    aws_session_close(&session);
    return r < 0;
}

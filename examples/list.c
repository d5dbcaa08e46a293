/* list.c - list the objects of a bucket, however many, in constant memory.
 *
 *     cc -std=c99 -O2 -I. examples/list.c -lbearssl -o list
 *     AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... ./list BUCKET [PREFIX]
 *
 * Another server than Amazon's: AWS_ENDPOINT_URL=https://HOST:PORT AWS_CA_BUNDLE=its-ca.pem
 */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned char  memory[AWS_CLIENT_MEMORY];
static void          *anchors[4096]; /* CA certificates, if not Amazon's */
static aws_s3_objects it;            /* 4.5 KB: not for a small stack */

static int list(aws_client *s3, const char *bucket_name, const char *prefix)
{
    unsigned long long count = 0, bytes = 0;
    aws_s3_bucket bucket;
    aws_s3_args args = {0};
    aws_s3_summary object;
    int r;

    aws_s3_bucket_init(&bucket, s3, bucket_name);
    args.prefix = prefix;
    aws_s3_objects_begin(&it, &bucket, &args);
    while ((r = aws_s3_objects_next(&it, &object)) > 0) {
        printf("%12llu %s\n", (unsigned long long)object.size, object.key);
        count++;
        bytes += object.size;
    }
    if (r == 0) /* only 0 means: these were all */
        printf("%llu objects, %llu bytes\n", count, bytes);
    return r;
}

int main(int argc, char **argv)
{
    aws_config config = {0};
    aws_session session;
    aws_client s3;
    aws_trust trust;
    int failed;

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: list BUCKET [PREFIX]\n");
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
    failed = list(&s3, argv[1], argv[2]) < 0;
    if (failed)
        fprintf(stderr, "%s\n", aws_client_failure_text(&s3));
    aws_client_close(&s3);
    aws_session_close(&session);
    return failed;
}

/* put_get.c - store an object, read it back, delete it.
 *
 *     cc -std=c99 -O2 -I. examples/put_get.c -lbearssl -o put_get
 *     AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... ./put_get BUCKET
 *
 * Another server than Amazon's: AWS_ENDPOINT_URL=https://HOST:PORT AWS_CA_BUNDLE=its-ca.pem
 */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned char memory[AWS_CLIENT_MEMORY]; /* all the memory that the client takes */
static void         *anchors[4096];             /* CA certificates, if not Amazon's */

/* Each call says with a negative number that it failed, and the client why. */
static int put_get_delete(aws_client *s3, const char *bucket_name)
{
    static const char text[] = "21.5 degrees\n";
    char back[sizeof text];
    aws_s3_bucket bucket;
    aws_s3_object object;
    aws_s3_args args = {0};
    aws_s3_result result;
    int size;

    aws_s3_bucket_init(&bucket, s3, bucket_name);
    args.content_type = "text/plain";
    if (aws_s3_bucket_put(&bucket, "reading.txt", text, sizeof text - 1, &args) < 0)
        return -1;

    size = aws_s3_bucket_get(&bucket, "reading.txt", back, sizeof back, NULL);
    if (size < 0)
        return -1;
    printf("%.*s", size, back);

    aws_s3_object_init(&object, &bucket, "reading.txt");
    if (aws_s3_object_head(&object, &result) < 0)
        return -1;
    printf("%llu bytes of %s, ETag %s\n", (unsigned long long)result.size, result.content_type,
           result.etag);
    return aws_s3_object_delete(&object);
}

int main(int argc, char **argv)
{
    aws_config config = {0};
    aws_session session;
    aws_client s3;
    aws_trust trust;
    int failed;

    if (argc != 2) {
        fprintf(stderr, "usage: put_get BUCKET\n");
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
    /* A failed init needs no check of its own: the first call fails with the same reason. */
    aws_client_init(&s3, &session, &aws_s3_service, memory, sizeof memory);
    failed = put_get_delete(&s3, argv[1]) < 0;
    if (failed)
        fprintf(stderr, "%s\n", aws_client_failure_text(&s3));
    aws_client_close(&s3);
    aws_session_close(&session);
    return failed;
}

/* assume_role.c - work under a role: long-lived keys from the environment are used for nothing but
 * to ask STS for keys that are good for an hour, and again before they expire.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -std=c99 -O2 -I. examples/assume_role.c -lbearssl -o assume_role
 *     AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... \
 *         ./assume_role arn:aws:iam::123456789012:role/reader bucket key
 *
 * Prints the object. Another server than Amazon's: AWS_ENDPOINT_URL=http://HOST:PORT
 */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"
#include <stdio.h>

int main(int argc, char **argv)
{
    static unsigned char memory[AWS_CLIENT_MEMORY];
    static unsigned char keys_memory[AWS_KEYS_MEMORY];
    static char text[4096];
    aws_keys_role source;
    aws_session session;
    aws_config config = {0};
    aws_client s3;
    aws_s3_bucket bucket;
    aws_role role = {0};
    int result;

    if (argc != 4) {
        fprintf(stderr, "usage: assume_role ROLE-ARN BUCKET KEY\n");
        return 2;
    }
    role.arn = argv[1];
    role.session_name = "reader-1";
    config.provider = aws_keys_role_init(&source, aws_keys_environment(), &role, 1, keys_memory,
                                         sizeof keys_memory);
    aws_session_init(&session, &config);
    aws_client_init(&s3, &session, &aws_s3_service, memory, sizeof memory);
    aws_s3_bucket_init(&bucket, &s3, argv[2]);

    result = aws_s3_bucket_get(&bucket, argv[3], text, sizeof text, NULL);
    if (result < 0)
        fprintf(stderr, "%s\n", aws_client_failure_text(&s3));
    else
        printf("%.*s", result, text);

    aws_client_close(&s3);
    aws_session_close(&session);
    aws_keys_close(config.provider);
    return result < 0;
}

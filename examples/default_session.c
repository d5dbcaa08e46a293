/* default_session.c - all settings from where AWS's tools have them: the environment, ~/.aws/config
 * and ~/.aws/credentials with their profiles and roles, processes, containers, EC2.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -std=c99 -O2 -I. examples/default_session.c -lbearssl -o default_session
 *     AWS_PROFILE=work ./default_session BUCKET
 *
 * Prints who this is and the bucket's objects.
 */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"
#include <stdio.h>

static aws_default here; /* the session, its profile and its keys; nothing hidden */
static unsigned char memory[AWS_CLIENT_MEMORY];

int main(int argc, char **argv)
{
    aws_client s3;
    aws_s3_bucket bucket;
    aws_s3_objects objects;
    aws_s3_summary object;
    int result;

    if (argc != 2) {
        fprintf(stderr, "usage: default_session BUCKET\n");
        return 2;
    }
    aws_client_init(&s3, aws_default_session(&here, NULL, NULL), &aws_s3_service, memory,
                    sizeof memory);
    aws_s3_bucket_init(&bucket, &s3, argv[1]);
    aws_s3_objects_begin(&objects, &bucket, NULL);
    while ((result = aws_s3_objects_next(&objects, &object)) > 0)
        printf("%10llu %s\n", (unsigned long long)object.size, object.key);
    if (result < 0)
        fprintf(stderr, "%s\n", aws_client_failure_text(&s3));
    else
        printf("region %s, profile %s, keys: %s\n", aws_session_region(&here.session),
               here.settings.profile, aws_default_source(&here));
    aws_client_close(&s3);
    aws_default_close(&here);
    return result < 0;
}

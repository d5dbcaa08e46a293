/* iot_credentials.c - a device that has no keys, only the certificate it was made with: AWS IoT
 * Core gives it keys for an hour at a time, and it writes an object with them.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -std=c99 -O2 -I. examples/iot_credentials.c -lbearssl -o iot_credentials
 *     AWS_REGION=eu-west-1 ./iot_credentials \
 *         https://c1a2b3c4d5e6f7.credentials.iot.eu-west-1.amazonaws.com \
 *         my-role-alias my-thing device.crt device.key bucket key
 *
 * The keys come when the first call needs them, and new ones before they expire. On a
 * microcontroller certificate and key are arrays in flash, PEM or DER.
 */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"
#include <stdio.h>
#include <stdlib.h>

static size_t read_file(const char *path, void *to, size_t room)
{
    FILE *file = fopen(path, "rb");
    size_t size = file != NULL ? fread(to, 1, room, file) : 0;

    if (file != NULL)
        fclose(file);
    return size;
}

int main(int argc, char **argv)
{
    static unsigned char memory[AWS_CLIENT_MEMORY];       /* of the client, lent to the source */
    static unsigned char keys_memory[AWS_KEYS_MEMORY];    /* where the keys are kept */
    static uint64_t identity_memory[1024], trust_memory[32768];
    static unsigned char certificate[8192], key[8192];
    aws_identity identity;
    aws_keys_iot source;
    aws_session session;
    aws_config config = {0};
    aws_client s3;
    aws_s3_bucket bucket;
    aws_trust trust;
    int result;

    if (argc != 8) {
        fprintf(stderr, "usage: iot_credentials HOST ROLE-ALIAS THING CERTIFICATE KEY BUCKET "
                        "KEY\n");
        return 2;
    }
    result = aws_identity_init(&identity, identity_memory, sizeof identity_memory, certificate,
                               read_file(argv[4], certificate, sizeof certificate), key,
                               read_file(argv[5], key, sizeof key));
    if (result < 0) {
        fprintf(stderr, "certificate or key: %s\n", aws_code_text(result));
        return 1;
    }
    config.provider = aws_keys_iot_init(&source, argv[1], argv[2], argv[3], &identity, keys_memory,
                                        sizeof keys_memory);
    /* Amazon's roots are built in; a server of your own has another one. */
    if (getenv("AWS_CA_BUNDLE") && *getenv("AWS_CA_BUNDLE")) {
        if (aws_trust_load(&trust, trust_memory, sizeof trust_memory, NULL) < 0) {
            fprintf(stderr, "AWS_CA_BUNDLE names no file of CA certificates\n");
            return 2;
        }
        config.trust = &trust;
    }
    aws_session_init(&session, &config);
    aws_client_init(&s3, &session, &aws_s3_service, memory, sizeof memory);
    aws_s3_bucket_init(&bucket, &s3, argv[6]);

    result = aws_s3_bucket_put(&bucket, argv[7], "21.5", 4, NULL);
    if (result < 0)
        fprintf(stderr, "%s\n", aws_client_failure_text(&s3));

    aws_client_close(&s3);
    aws_session_close(&session);
    aws_keys_close(config.provider);
    return result < 0;
}

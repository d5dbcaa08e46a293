/* presign.c - URLs and forms with which somebody without keys may get, put or post an object.
 *
 *     cc -std=c99 -O2 -I. examples/presign.c -lbearssl -o presign
 *     AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... ./presign get BUCKET KEY
 *
 *     curl -f "$(./presign get BUCKET KEY)"
 *     curl -f -T FILE "$(./presign put BUCKET KEY)"
 *     ./presign post BUCKET 'inbox/${filename}'      prints the curl command for a file up to 1 MB
 *
 * A number at the end says for how many seconds, at most 604,800. Nothing is sent from here.
 */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char memory[AWS_CLIENT_MEMORY];
static char          text[8192]; /* the URL, or the form's texts */

static int print_url(aws_client *s3, aws_s3_action *action, const char *bucket, const char *key,
                     uint32_t seconds)
{
    aws_s3_args args = {0};

    args.bucket = bucket;
    args.key = key;
    if (aws_s3_presign(s3, action, &args, seconds, text, sizeof text) < 0)
        return -1;
    puts(text);
    return 0;
}

static int print_form(aws_client *s3, const char *bucket, const char *key, uint32_t seconds)
{
    aws_s3_post post = {0};
    aws_s3_form form;
    size_t i;
    int r;

    post.bucket = bucket;
    post.key = key;
    post.seconds = seconds;
    post.size_max = 1000000;
    r = aws_s3_presign_post(s3, &post, &form, text, sizeof text);
    if (r < 0)
        return r;
    printf("curl -f");
    for (i = 0; i < form.count; i++)
        printf(" -F '%s=%s'", form.fields[i].name, form.fields[i].value);
    printf(" -F 'file=@FILE' '%s'\n", form.url);
    return 0;
}

int main(int argc, char **argv)
{
    aws_config config = {0};
    aws_session session;
    aws_client s3;
    uint32_t seconds = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0; /* 0: an hour */
    int r;

    if (argc < 4 || (strcmp(argv[1], "get") && strcmp(argv[1], "put") && strcmp(argv[1], "post"))) {
        fprintf(stderr, "usage: presign get|put|post BUCKET KEY [SECONDS]\n");
        return 2;
    }
    aws_session_init(&session, &config);
    /* A failed init needs no check of its own: what follows fails with the same reason. */
    aws_client_init(&s3, &session, &aws_s3_service, memory, sizeof memory);
    if (strcmp(argv[1], "post") == 0)
        r = print_form(&s3, argv[2], argv[3], seconds);
    else
        r = print_url(&s3, strcmp(argv[1], "get") == 0 ? aws_s3_get_object : aws_s3_put_object,
                      argv[2], argv[3], seconds);
    if (r < 0)
        fprintf(stderr, "%s\n", aws_client_failure_text(&s3));
    aws_client_close(&s3);
    aws_session_close(&session);
    return r < 0;
}

/* bench_ours.c - this client, measured by tests/bench.py.
 *
 * SPDX-License-Identifier: MIT
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "bench_client.h"

static unsigned char memory[AWS_CLIENT_MEMORY], anchors[16384];
static char          buffer[BENCH_SIZE];

static void list(const aws_s3_bucket *bucket)
{
    static aws_s3_objects it;
    aws_s3_summary entry;
    long keys = 0;
    int r;

    aws_s3_objects_begin(&it, bucket, NULL);
    while ((r = aws_s3_objects_next(&it, &entry)) > 0)
        keys++;
    if (r < 0 || keys != 10000)
        bench_fail(aws_client_failure_text(bucket->client));
}

int main(int count, char **arguments)
{
    static aws_session session;
    static aws_client client;
    static aws_trust trust;
    aws_s3_bucket bucket;
    aws_config config;
    char endpoint[64];
    long i;
    int r;

    bench_arguments(count, arguments);
    memset(&config, 0, sizeof config);
    snprintf(endpoint, sizeof endpoint, "%s://localhost:%s", bench_tls ? "https" : "http",
             bench_port);
    config.endpoint = endpoint;
    config.region = "us-east-1";
    config.access_key_id = "AKIAIOSFODNN7EXAMPLE";
    config.secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    if (bench_tls) {
        if (aws_trust_load(&trust, anchors, sizeof anchors, bench_ca) < 1)
            bench_fail("no CA");
        config.trust = &trust;
    }
    aws_session_init(&session, &config);
    if (aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory) < 0)
        bench_fail(aws_client_failure_text(&client));
    aws_s3_bucket_init(&bucket, &client, "bench");
    for (i = -BENCH_WARM; i < bench_count; i++) {
        if (i == 0)
            bench_begin();
        if (bench_list)
            list(&bucket);
        else if (bench_put && (r = aws_s3_bucket_put(&bucket, "o1024", bench_body, BENCH_SIZE, NULL)) < 0)
            bench_fail(aws_client_failure_text(&client));
        else if (!bench_put &&
                 (r = aws_s3_bucket_get(&bucket, "o1024", buffer, sizeof buffer, NULL)) != BENCH_SIZE)
            bench_fail(aws_client_failure_text(&client));
    }
    bench_end();
    aws_client_close(&client);
    return 0;
}

/* sha256_record.h - AWS_SHA256_HEADER for test_sign.c: BearSSL's SHA-256 that keeps what is hashed.
 *
 * SPDX-License-Identifier: MIT
 *
 * So the canonical request and the string to sign, which are streamed into the hash and never
 * stand in memory, can be compared; and the seam for other hashes is used.
 */
typedef struct aws_i_sha256 {
    br_sha256_context context;
    unsigned          record;
} aws_i_sha256;

enum { RECORDS = 16, RECORD_SIZE = 1 << 16 };

static struct {
    size_t size;
    char   data[RECORD_SIZE];
} records[RECORDS];
static unsigned record_count;

static void aws_i_sha256_init(aws_i_sha256 *sha)
{
    br_sha256_init(&sha->context);
    sha->record = record_count++ % RECORDS;
    records[sha->record].size = 0;
}

static void aws_i_sha256_update(aws_i_sha256 *sha, const void *data, size_t size)
{
    size_t used = records[sha->record].size;

    br_sha256_update(&sha->context, data, size);
    if (size && used + size < RECORD_SIZE) {
        memcpy(records[sha->record].data + used, data, size);
        records[sha->record].size = used + size;
        records[sha->record].data[used + size] = 0;
    }
}

static void aws_i_sha256_final(aws_i_sha256 *sha, unsigned char digest[32])
{
    br_sha256_out(&sha->context, digest);
}

/* port/sha256_x86.h - SHA-256 by the instructions that x86-64 processors have for it.
 *
 * SPDX-License-Identifier: MIT
 *
 * Included by aws.h where the compiler can tell at run time whether the processor has them (gcc
 * from 11 on) or was told so (-msha); elsewhere it is BearSSL's, which takes about 20 times as many
 * instructions. It is also an example of AWS_SHA256_HEADER: a type and three functions.
 * The context is BearSSL's, so both can go on with it.
 */
#ifndef AWS_SHA256_X86_INCLUDED
#define AWS_SHA256_X86_INCLUDED

typedef br_sha256_context aws_i_sha256;

static const uint32_t aws_i_sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static int aws_i_sha256_has(void)
{
#ifdef __SHA__
    return 1;
#else
    return __builtin_cpu_supports("sha") && __builtin_cpu_supports("sse4.1");
#endif
}

/* Four rounds by two instructions; the four registers of the schedule go round. */
__attribute__((target("sha,sse4.1"))) static void
aws_i_sha256_blocks(uint32_t state[8], const unsigned char *data, size_t count)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i dcba = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xb1);
    __m128i hgfe =
        _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(dcba, hgfe, 8), cdgh = _mm_blend_epi16(hgfe, dcba, 0xf0);

    for (; count; count--, data += 64) {
        __m128i abef_before = abef, cdgh_before = cdgh, w[4];
        int i;
        for (i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(
                _mm_loadu_si128((const __m128i *)(const void *)(data + i * 16)), swap);
        for (i = 0; i < 16; i++) {
            __m128i last = w[(i + 3) & 3], sum;
            sum = _mm_add_epi32(
                w[i & 3],
                _mm_loadu_si128((const __m128i *)(const void *)(aws_i_sha256_k + i * 4)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
            sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]),
                                _mm_alignr_epi8(last, w[(i + 2) & 3], 4));
            w[i & 3] = _mm_sha256msg2_epu32(sum, last);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    dcba = _mm_shuffle_epi32(abef, 0x1b);
    hgfe = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(dcba, hgfe, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(hgfe, dcba, 8));
}

static void aws_i_sha256_init(aws_i_sha256 *sha)
{
    br_sha256_init(sha);
}

static void aws_i_sha256_update(aws_i_sha256 *sha, const void *data, size_t size)
{
    const unsigned char *from = (const unsigned char *)data;
    size_t used = (size_t)sha->count & 63, taken = 0;

    if (!aws_i_sha256_has()) {
        br_sha256_update(sha, data, size);
        return;
    }
    sha->count += size;
    if (used) {
        taken = size < 64 - used ? size : 64 - used;
        memcpy(sha->buf + used, from, taken);
        if (used + taken < 64)
            return;
        aws_i_sha256_blocks(sha->val, sha->buf, 1);
    }
    aws_i_sha256_blocks(sha->val, from + taken, (size - taken) / 64);
    used = (size - taken) & 63;
    if (used)
        memcpy(sha->buf, from + size - used, used);
}

static void aws_i_sha256_final(aws_i_sha256 *sha, unsigned char digest[32])
{
    br_sha256_context end = *sha; /* the hash may go on, as BearSSL's may */
    size_t used = (size_t)end.count & 63, i;

    if (!aws_i_sha256_has()) {
        br_sha256_out(sha, digest);
        return;
    }
    end.buf[used++] = 0x80;
    if (used > 56) {
        memset(end.buf + used, 0, 64 - used);
        aws_i_sha256_blocks(end.val, end.buf, 1);
        used = 0;
    }
    memset(end.buf + used, 0, 56 - used);
    for (i = 0; i < 8; i++)
        end.buf[56 + i] = (unsigned char)(end.count * 8 >> (56 - 8 * i));
    aws_i_sha256_blocks(end.val, end.buf, 1);
    for (i = 0; i < 32; i++)
        digest[i] = (unsigned char)(end.val[i / 4] >> (24 - 8 * (i & 3)));
    aws_i_wipe(&end, sizeof end);
}

#endif

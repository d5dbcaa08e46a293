/* port/crc_x86.h - CRCs by the carry-less multiplication of x86-64 processors.
 *
 * SPDX-License-Identifier: MIT
 *
 * Included by aws.h where gcc can tell at run time whether the processor has it (as nearly all have
 * since 2010). It shortens bytes to 16 that have the same CRC, as in Intel's "Fast CRC Computation
 * Using PCLMULQDQ": a step takes 16 bytes, about a twentieth of what a table takes.
 */
#ifndef AWS_CRC_X86_INCLUDED
#define AWS_CRC_X86_INCLUDED

/* fold: x^191 and x^127 modulo the CRC's polynomial, the lowest bit for x^63: what the two halves
 * of 16 bytes are multiplied by to stand 16 bytes further on (one power is in the product).
 * Returns how many of size bytes are in rest[16] now, with the CRC so far; 0 if none is. */
__attribute__((target("pclmul,sse2"))) static size_t
aws_i_crc_fold(const uint64_t fold[2], uint64_t crc, const unsigned char *data, size_t size,
               unsigned char rest[16])
{
    const __m128i by = _mm_set_epi64x((long long)fold[1], (long long)fold[0]);
    const unsigned char *at = data, *end = data + size / 16 * 16;
    __m128i sum;

    if (size < 64 || !__builtin_cpu_supports("pclmul"))
        return 0;
    sum = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)at),
                        _mm_set_epi64x(0, (long long)crc));
    for (at += 16; at < end; at += 16)
        sum = _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(sum, by, 0x00),
                                          _mm_clmulepi64_si128(sum, by, 0x11)),
                            _mm_loadu_si128((const __m128i *)(const void *)at));
    _mm_storeu_si128((__m128i *)(void *)rest, sum);
    return size / 16 * 16;
}

#endif

/* pattern.h - the bytes of objects that are too large to be kept: any of them can be made anew.
 *
 * SPDX-License-Identifier: MIT
 *
 * Blocks of 64 KiB are alike but for their first 8 bytes, the block's number, least byte first: so
 * parts that are lost, doubled, shifted or exchanged make another object. test_cuts.py makes the
 * same.
 */
#ifndef PATTERN_INCLUDED
#define PATTERN_INCLUDED

#include <stdint.h>
#include <string.h>

enum { PATTERN_BLOCK = 1 << 16 };

static unsigned char pattern_base[PATTERN_BLOCK];

static inline void pattern_init(void)
{
    uint32_t x = 1;
    size_t i;

    for (i = 0; i < PATTERN_BLOCK; i++) {
        x = x * 1664525u + 1013904223u;
        pattern_base[i] = (unsigned char)(x >> 24);
    }
}

/* size bytes of the pattern, from byte `at` on. */
static inline void pattern_fill(unsigned char *to, uint64_t at, size_t size)
{
    while (size) {
        size_t begin = (size_t)(at % PATTERN_BLOCK), n = PATTERN_BLOCK - begin, i;
        if (n > size)
            n = size;
        memcpy(to, pattern_base + begin, n);
        for (i = begin; i < 8 && i < begin + n; i++)
            to[i - begin] = (unsigned char)(at / PATTERN_BLOCK >> 8 * i);
        to += n;
        at += n;
        size -= n;
    }
}

static inline int pattern_is(const unsigned char *data, uint64_t at, size_t size)
{
    unsigned char want[8];
    size_t i;

    while (size) {
        size_t begin = (size_t)(at % PATTERN_BLOCK), n = PATTERN_BLOCK - begin, head;
        if (n > size)
            n = size;
        head = begin < 8 ? (8 - begin < n ? 8 - begin : n) : 0;
        for (i = 0; i < head; i++)
            want[i] = (unsigned char)(at / PATTERN_BLOCK >> 8 * (begin + i));
        if (memcmp(data, want, head) != 0 ||
            memcmp(data + head, pattern_base + begin + head, n - head) != 0)
            return 0;
        data += n;
        at += n;
        size -= n;
    }
    return 1;
}

#endif /* PATTERN_INCLUDED */

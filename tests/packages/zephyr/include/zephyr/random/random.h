/* random.h - of the stand-in for Zephyr.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STAND_IN_RANDOM_INCLUDED
#define STAND_IN_RANDOM_INCLUDED

#include <stdio.h>

static inline int sys_csrand_get(void *data, size_t size)
{
    FILE *file = fopen("/dev/urandom", "rb");
    size_t n = file != NULL ? fread(data, 1, size, file) : 0;

    if (file != NULL)
        fclose(file);
    return n == size ? 0 : -5;
}

#endif

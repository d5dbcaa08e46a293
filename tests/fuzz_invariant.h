/* fuzz_invariant.h - what must hold whatever the fuzzer makes up.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FUZZ_INVARIANT_INCLUDED
#define FUZZ_INVARIANT_INCLUDED

#include <stdio.h>
#include <stdlib.h>

#define INVARIANT(condition)                                                                      \
    do {                                                                                          \
        if (!(condition)) {                                                                       \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                              \
        }                                                                                         \
    } while (0)

#endif /* FUZZ_INVARIANT_INCLUDED */

/* cc.h - lwIP on the board: nothing of libc that prints or allocates. */
#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H

#include "board.h"

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_CTYPE_H 1
#define X8_F "x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "u"
#define LWIP_PLATFORM_DIAG(x) do { } while (0)
#define LWIP_PLATFORM_ASSERT(x)                                                                   \
    do {                                                                                          \
        board_print("lwIP: " x "\n");                                                             \
        board_exit(71);                                                                           \
    } while (0)

/* Port numbers and sequence numbers that can't be guessed. Without a source of randomness any that
 * differ: lwIP asks until it has one that it likes. */
static inline unsigned lwip_random(void)
{
    unsigned r;

    return board_random(&r, sizeof r) == 0 ? r : (unsigned)board_clock() * 2654435761u;
}
#define LWIP_RAND() lwip_random()

#endif

/* cc.h - lwIP on the host that runs the tests: its defaults do. */
#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H
#include <stdlib.h>
#define LWIP_RAND() ((u32_t)rand())
#endif

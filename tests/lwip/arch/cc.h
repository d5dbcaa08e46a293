/* cc.h - lwIP on the host that runs the tests: its defaults do. */
#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H
#include <stdlib.h>
#include <sys/time.h>
#define LWIP_RAND() ((u32_t)rand())
#define LWIP_TIMEVAL_PRIVATE 0
#define LWIP_ERRNO_STDINCLUDE 1
typedef unsigned sys_prot_t; /* of Debian's sys_arch.c */
#endif

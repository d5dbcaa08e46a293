/* lwipopts.h - for tests/lwip: small where a device is small, so that windows and buffers fill up. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_IPV6 1
#define LWIP_IPV6_DHCP6 0
#define LWIP_IPV6_REASS 0
#define LWIP_IPV6_FRAG 0
#define LWIP_DNS 1
#define DNS_TABLE_SIZE 4
#define DNS_MAX_NAME_LENGTH 256
/* The tests' own name server, which needs no privilege. */
extern unsigned lwip_dns_port;
#define DNS_SERVER_PORT ((u16_t)lwip_dns_port)
#define LWIP_DONT_PROVIDE_BYTEORDER_FUNCTIONS 1
#define MEM_ALIGNMENT 8
#define MEM_SIZE 65536
#define MEMP_NUM_TCP_PCB 16
#define MEMP_NUM_TCP_SEG 64
#define PBUF_POOL_SIZE 64
#define TCP_MSS 1440
#define TCP_WND (4 * TCP_MSS)
#define TCP_SND_BUF (4 * TCP_MSS)
#define TCP_SND_QUEUELEN 16
/* To see that nothing is left behind. */
#define LWIP_STATS 1
#define MEMP_STATS 1
#define MEM_STATS 1

#endif

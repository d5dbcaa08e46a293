/* lwipopts.h - IPv4, TCP, DHCP and names in 14 KB of RAM, polled. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_IPV6 0
#define LWIP_DHCP 1
#define LWIP_DNS 1
#define DNS_TABLE_SIZE 2
#define IP_REASSEMBLY 0
#define IP_FRAG 0
#define LWIP_STATS 0
#define MEM_ALIGNMENT 4
#define MEM_SIZE 5120
#define MEMP_NUM_TCP_PCB 4
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define LWIP_ARP 1
#define TCP_MSS 1460
#define TCP_WND (2 * TCP_MSS)
#define TCP_SND_BUF (2 * TCP_MSS)
#define TCP_SND_QUEUELEN 8
#define MEMP_NUM_TCP_SEG 8
/* More than the window: what has come waits in them until the client takes it. */
#define PBUF_POOL_SIZE 12
#define PBUF_POOL_BUFSIZE 592

#endif

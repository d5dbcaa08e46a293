/* lwipopts.h - for tests/lwip: small where a device is small, so that windows and buffers fill up. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#ifndef NO_SYS
#define NO_SYS 1
#endif
#define SYS_LIGHTWEIGHT_PROT !NO_SYS
#define LWIP_NETCONN !NO_SYS
#define LWIP_SOCKET !NO_SYS
/* For threads: names of their own, as these are the host's; sizes as ESP-IDF's. */
#define LWIP_COMPAT_SOCKETS 0
#define LWIP_SOCKET_POLL 0
/* Debian's lwIP has these in its port, for the host's headers; here upstream's. */
#define IP4ADDR_SOCKADDR_SET_LEN(sin) ((sin)->sin_len = sizeof(struct sockaddr_in))
#define IP6ADDR_SOCKADDR_SET_LEN(sin6) ((sin6)->sin6_len = sizeof(struct sockaddr_in6))
#define IPADDR_SOCKADDR_GET_LEN(addr) ((addr)->sa.sa_len)
#define MEMP_NUM_NETCONN 12
#define MEMP_NUM_NETBUF 16
#define MEMP_NUM_TCPIP_MSG_INPKT 64
#define TCPIP_MBOX_SIZE 64
#define DEFAULT_TCP_RECVMBOX_SIZE 16
#define DEFAULT_UDP_RECVMBOX_SIZE 6
#define DEFAULT_ACCEPTMBOX_SIZE 6
#ifndef LWIP_IPV6
#define LWIP_IPV6 1
#endif
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

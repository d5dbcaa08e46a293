/* lwip.h - the port for lwIP's raw API: no operating system, or lwIP's own thread.
 *
 * SPDX-License-Identifier: MIT
 *
 * For a main loop that polls its network driver (NO_SYS=1). Nothing waits: each call of the client
 * says AWS_AGAIN until it has ended, and the loop goes round. lwIP has no clock and no random bytes
 * fit for TLS, so these are yours:
 *
 *     #define AWS_NO_DEFAULT_PORT
 *     #define AWS_IMPLEMENTATION                   // in one C file
 *     #include "aws_s3.h"
 *     #include "port/lwip.h"
 *
 *     static const aws_port port = AWS_LWIP_PORT(my_now, my_entropy);
 *     config.port = &port;
 *     ...
 *     for (;;) {
 *         my_driver_poll();                        // netif->input for each frame that has come
 *         sys_check_timeouts();
 *         if (aws_s3_bucket_put(&bucket, "boot.txt", "hello", 5, NULL) != AWS_AGAIN)
 *             ...
 *     }
 *
 * All calls of clients come from where lwIP's callbacks run, not from an interrupt. With an RTOS
 * use it in tcpip_thread, or a port on sockets from any thread.
 *
 * lwipopts.h: LWIP_TCP, and LWIP_DNS for names (without it, only addresses). What has come stays in
 * lwIP's pbufs until the client takes it, so PBUF_POOL_SIZE * PBUF_POOL_BUFSIZE has to exceed
 * TCP_WND for each connection; TCP_WND 2 * TCP_MSS will do. TCP_SND_BUF and MEM_SIZE hold what
 * isn't acknowledged yet. lwIP's resolver gives one address of a name: no other is tried. LWIP_RAND
 * may not give the same number for ever, even where randomness has failed: the resolver asks it for
 * a port until it gets one above 1,023.
 */
#ifndef AWS_LWIP_INCLUDED
#define AWS_LWIP_INCLUDED

#ifdef __cplusplus
extern "C" {
#endif

/* An initialiser of a const aws_port, which may lie in flash. now: Unix seconds, or
 * aws_lwip_no_clock; entropy: see README.md. */
#define AWS_LWIP_PORT(now, entropy)                                                               \
    {                                                                                             \
        NULL, 0, AWS_LWIP_CONNECTION, aws_lwip_open, aws_lwip_send, aws_lwip_recv,                \
            aws_lwip_close, NULL, NULL, now, aws_lwip_ticks, entropy, NULL, NULL, NULL,           \
            aws_lwip_error                                                                        \
    }
#define AWS_LWIP_CONNECTION (2 * sizeof(void *) + 32) /* bytes of a connection area */

AWS_API int aws_lwip_open(const aws_port *port, void *connection, const char *host,
                          unsigned port_number, int tls);
AWS_API int aws_lwip_send(const aws_port *port, void *connection, const void *data, size_t size);
AWS_API int aws_lwip_recv(const aws_port *port, void *connection, void *data, size_t size);
/* While lwIP looks up a name, which can't be called off, it says AWS_AGAIN, for seconds at most. */
AWS_API int aws_lwip_close(const aws_port *port, void *connection);
AWS_API uint32_t aws_lwip_ticks(const aws_port *port);   /* sys_now() */
AWS_API int64_t aws_lwip_no_clock(const aws_port *port); /* 0: the server's time is used */
AWS_API int aws_lwip_error(const aws_port *port, void *connection); /* an err_t: -14 is a reset */

#ifdef __cplusplus
}
#endif

#endif /* AWS_LWIP_INCLUDED */

#if defined(AWS_IMPLEMENTATION) && !defined(AWS_LWIP_IMPLEMENTED)
#define AWS_LWIP_IMPLEMENTED

#include "lwip/dns.h"
#include "lwip/ip_addr.h"
#include "lwip/pbuf.h"
#include "lwip/sys.h"
#include "lwip/tcp.h"
#include <string.h>

enum {
    AWS_I_LWIP_NEW, /* a zeroed area: nothing looked up */
    AWS_I_LWIP_LOOKING,
    AWS_I_LWIP_UNKNOWN, /* no such name */
    AWS_I_LWIP_FOUND,
    AWS_I_LWIP_CONNECTING,
    AWS_I_LWIP_CONNECTED,
    AWS_I_LWIP_LOST /* refused, reset or given up */
};

typedef struct aws_i_lwip {
    struct tcp_pcb *pcb;      /* NULL: none; lwIP frees it before it reports an error */
    struct pbuf    *received; /* what has come and isn't taken yet */
    ip_addr_t       address;
    unsigned char   state;
    unsigned char   pending; /* lwIP will call aws_i_lwip_found */
    unsigned char   ended;   /* by the peer, in order, after what is in received */
    err_t           error;
} aws_i_lwip;

/* The area's size is said without lwIP's headers. */
typedef char aws_i_lwip_fits[sizeof(aws_i_lwip) <= AWS_LWIP_CONNECTION ? 1 : -1];

#ifdef __cplusplus
extern "C" {
#endif

/* -- What lwIP calls -- */

#if LWIP_DNS
static void aws_i_lwip_found(const char *name, const ip_addr_t *address, void *connection)
{
    aws_i_lwip *c = (aws_i_lwip *)connection;

    (void)name;
    c->pending = 0;
    c->state = address != NULL ? AWS_I_LWIP_FOUND : AWS_I_LWIP_UNKNOWN;
    if (address != NULL)
        c->address = *address;
}
#endif

static err_t aws_i_lwip_connected(void *connection, struct tcp_pcb *pcb, err_t error)
{
    (void)pcb;
    (void)error;
    ((aws_i_lwip *)connection)->state = AWS_I_LWIP_CONNECTED;
    return ERR_OK;
}

/* Keep what comes: the window opens again only when the client has taken it. */
static err_t aws_i_lwip_received(void *connection, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    aws_i_lwip *c = (aws_i_lwip *)connection;

    (void)pcb;
    (void)error;
    if (p == NULL)
        c->ended = 1;
    else if (c->received == NULL)
        c->received = p;
    else if ((uint32_t)c->received->tot_len + p->tot_len > 0xffffu)
        return ERR_MEM; /* a chain's length has 16 bits; lwIP gives it again later */
    else
        pbuf_cat(c->received, p);
    return ERR_OK;
}

static void aws_i_lwip_lost(void *connection, err_t error)
{
    aws_i_lwip *c = (aws_i_lwip *)connection;

    c->pcb = NULL;
    c->error = error;
    c->state = AWS_I_LWIP_LOST;
}

#ifdef __cplusplus
}
#endif

/* -- Connecting -- */

static void aws_i_lwip_look_up(aws_i_lwip *c, const char *host)
{
#if LWIP_DNS
    err_t error;

    c->state = AWS_I_LWIP_LOOKING;
    c->pending = 1; /* before: the answer may come within this call */
    error = dns_gethostbyname(host, &c->address, aws_i_lwip_found, c);
    if (error == ERR_INPROGRESS)
        return;
    c->pending = 0;
    if (error == ERR_MEM) { /* its table is full: again later */
        c->state = AWS_I_LWIP_NEW;
        return;
    }
    c->error = error;
    c->state = error == ERR_OK ? AWS_I_LWIP_FOUND : AWS_I_LWIP_UNKNOWN;
#else
    c->state = ipaddr_aton(host, &c->address) ? AWS_I_LWIP_FOUND : AWS_I_LWIP_UNKNOWN;
#endif
}

/* Without memory or a free pcb it stays as it is, to be tried again: connections that were closed
 * keep theirs until the peer has closed, too. */
static void aws_i_lwip_connect(aws_i_lwip *c, unsigned port_number)
{
    c->error = ERR_MEM;
    c->pcb = tcp_new_ip_type(IP_GET_TYPE(&c->address));
    if (c->pcb == NULL)
        return;
    tcp_arg(c->pcb, c);
    tcp_recv(c->pcb, aws_i_lwip_received);
    tcp_err(c->pcb, aws_i_lwip_lost);
    tcp_nagle_disable(c->pcb); /* requests go out whole: waiting for more only delays them */
    ip_set_option(c->pcb, SOF_KEEPALIVE);
    c->error = tcp_connect(c->pcb, &c->address, (u16_t)port_number, aws_i_lwip_connected);
    if (c->error == ERR_OK) {
        c->state = AWS_I_LWIP_CONNECTING;
        return;
    }
    (void)tcp_close(c->pcb); /* a new one: it is freed at once */
    c->pcb = NULL;
    if (c->error != ERR_MEM)
        c->state = AWS_I_LWIP_LOST;
}

AWS_API int aws_lwip_open(const aws_port *port, void *connection, const char *host,
                          unsigned port_number, int tls)
{
    aws_i_lwip *c = (aws_i_lwip *)connection;

    (void)port;
    (void)tls;
    if (c->state == AWS_I_LWIP_NEW)
        aws_i_lwip_look_up(c, host);
    if (c->state == AWS_I_LWIP_FOUND)
        aws_i_lwip_connect(c, port_number);
    switch (c->state) {
    case AWS_I_LWIP_CONNECTED: return 0;
    case AWS_I_LWIP_UNKNOWN:   return AWS_ERR_LOOKUP;
    case AWS_I_LWIP_LOST:      return AWS_ERR_CONNECT;
    default:                   return AWS_AGAIN;
    }
}

AWS_API int aws_lwip_close(const aws_port *port, void *connection)
{
    aws_i_lwip *c = (aws_i_lwip *)connection;
    struct tcp_pcb *pcb = c->pcb;

    (void)port;
    if (c->pending)
        return AWS_AGAIN;
    if (c->received != NULL)
        (void)pbuf_free(c->received);
    memset(c, 0, sizeof *c);
    if (pcb == NULL)
        return 0;
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_err(pcb, NULL);
    if (tcp_close(pcb) != ERR_OK)
        tcp_abort(pcb);
    return 0;
}

/* -- Sending and receiving -- */

AWS_API int aws_lwip_send(const aws_port *port, void *connection, const void *data, size_t size)
{
    aws_i_lwip *c = (aws_i_lwip *)connection;
    err_t error = ERR_MEM;
    size_t n;

    (void)port;
    if (c->state != AWS_I_LWIP_CONNECTED || c->pcb == NULL)
        return AWS_ERR_CLOSED;
    n = tcp_sndbuf(c->pcb);
    n = n < size ? n : size;
    n = n < 0x7fff ? n : 0x7fff;
    /* It may have room to send, but no memory for all of it. */
    while (n > 0 && (error = tcp_write(c->pcb, data, (u16_t)n, TCP_WRITE_FLAG_COPY)) == ERR_MEM)
        n /= 2;
    if (n == 0)
        return AWS_AGAIN;
    if (error != ERR_OK) {
        c->error = error;
        return AWS_ERR_CLOSED;
    }
    (void)tcp_output(c->pcb); /* what can't go now is sent by lwIP's timer */
    return (int)n;
}

AWS_API int aws_lwip_recv(const aws_port *port, void *connection, void *data, size_t size)
{
    aws_i_lwip *c = (aws_i_lwip *)connection;
    u16_t n;

    (void)port;
    if (c->received == NULL) {
        if (c->ended)
            return 0;
        return c->state == AWS_I_LWIP_CONNECTED ? AWS_AGAIN : AWS_ERR_CLOSED;
    }
    n = (u16_t)(size < 0x7fff ? size : 0x7fff);
    n = pbuf_copy_partial(c->received, data, n, 0);
    c->received = pbuf_free_header(c->received, n);
    if (c->pcb != NULL)
        tcp_recved(c->pcb, n);
    return (int)n;
}

AWS_API uint32_t aws_lwip_ticks(const aws_port *port)
{
    (void)port;
    return sys_now();
}

AWS_API int64_t aws_lwip_no_clock(const aws_port *port)
{
    (void)port;
    return 0;
}

AWS_API int aws_lwip_error(const aws_port *port, void *connection)
{
    (void)port;
    return ((const aws_i_lwip *)connection)->error;
}

#endif /* AWS_IMPLEMENTATION && !AWS_LWIP_IMPLEMENTED */

/* port.h - port/lwip.h under tests/test_port.c: lwIP on this host, a wire to slirp, a name server.
 *
 * SPDX-License-Identifier: MIT
 *
 * tests/lwip/run.sh builds and runs it. Each call of the port first gives the network a turn, as a
 * device's main loop does.
 */
#include "../../port/lwip.h"
#include "lwip/init.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/stats.h"
#include "lwip/timeouts.h"
#include "net.h"

static unsigned lwip_turns; /* of the network within a call into lwIP: there must be none */

u32_t sys_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u32_t)((uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u);
}

/* Frames wait in a ring: lwIP mustn't be entered from its own output. */
enum { LWIP_FRAMES = 256 };
static unsigned char lwip_ring[LWIP_FRAMES][LWIP_FRAME];
static size_t lwip_sizes[LWIP_FRAMES];
static unsigned lwip_first, lwip_last;

static void lwip_came(const void *frame, size_t size)
{
    if (size > LWIP_FRAME || lwip_last - lwip_first == LWIP_FRAMES)
        return; /* lost, as on any wire */
    memcpy(lwip_ring[lwip_last % LWIP_FRAMES], frame, size);
    lwip_sizes[lwip_last++ % LWIP_FRAMES] = size;
}

static void lwip_turn(void)
{
    struct pbuf *p;
    size_t size;

    CHECK_INT(lwip_turns, 0);
    lwip_turns++;
    lwip_answer();
    wire_poll();
    while (lwip_first != lwip_last) {
        size = lwip_sizes[lwip_first % LWIP_FRAMES];
        p = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_POOL);
        if (p == NULL)
            break;
        (void)pbuf_take(p, lwip_ring[lwip_first++ % LWIP_FRAMES], (u16_t)size);
        if (lwip_netif.input(p, &lwip_netif) != ERR_OK)
            (void)pbuf_free(p);
    }
    sys_check_timeouts();
    lwip_turns--;
}

static int lwip_open(const aws_port *p, void *connection, const char *host, unsigned number, int tls)
{
    lwip_turn();
    return aws_lwip_open(p, connection, lwip_host(host), number, tls);
}

static int lwip_send(const aws_port *p, void *connection, const void *data, size_t size)
{
    lwip_turn();
    return aws_lwip_send(p, connection, data, size);
}

static int lwip_recv(const aws_port *p, void *connection, void *data, size_t size)
{
    lwip_turn();
    return aws_lwip_recv(p, connection, data, size);
}

static int lwip_close(const aws_port *p, void *connection)
{
    lwip_turn();
    return aws_lwip_close(p, connection);
}

static const aws_port *lwip_port(void)
{
    static aws_port port_here = AWS_LWIP_PORT(aws_lwip_no_clock, lwip_entropy);

    lwip_names_begin();
    wire_begin(lwip_came);
    lwip_init();
    lwip_netif_begin(ethernet_input);
    port_here.open = lwip_open;
    port_here.send = lwip_send;
    port_here.recv = lwip_recv;
    port_here.close = lwip_close;
    return &port_here;
}

#define AWS_TEST_PORT_END "lwip/end.h"

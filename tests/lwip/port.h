/* port.h - port/lwip.h under tests/test_port.c: lwIP on this host, a wire to slirp, a name server.
 *
 * SPDX-License-Identifier: MIT
 *
 * tests/lwip/run.sh builds and runs it. Each call of the port first gives the network a turn, as a
 * device's main loop does. 127.0.0.1 and ::1 are what the gateway has in front of them.
 */
#include "../../port/lwip.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/init.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/stats.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"
#include "wire.h"

unsigned lwip_dns_port;
static struct netif lwip_netif;
static unsigned lwip_turns; /* of the network within a call into lwIP: there must be none */
static int lwip_names = -1; /* the name server's socket */
static int lwip_late;       /* times that it was asked for late.test */

u32_t sys_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u32_t)((uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u);
}

/* Frames wait in a ring: lwIP mustn't be entered from its own output. */
enum { LWIP_FRAMES = 256, LWIP_FRAME = 1600 };
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

static err_t lwip_output(struct netif *netif, struct pbuf *p)
{
    unsigned char frame[LWIP_FRAME];

    (void)netif;
    wire_send(frame, pbuf_copy_partial(p, frame, sizeof frame, 0));
    return ERR_OK;
}

static err_t lwip_device(struct netif *netif)
{
    static const unsigned char mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

    netif->name[0] = 'w';
    netif->name[1] = '0';
    netif->mtu = 1500;
    netif->hwaddr_len = 6;
    memcpy(netif->hwaddr, mac, 6);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
                   NETIF_FLAG_LINK_UP;
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = lwip_output;
    return ERR_OK;
}

/* Answer a question: localhost is the gateway, late.test too, but after the second time of asking;
 * silent.test is never answered, all else doesn't exist. */
static void lwip_answer(void)
{
    static const unsigned char record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 10, 0, 2, 2};
    unsigned char m[512 + sizeof record];
    struct sockaddr_in from;
    socklen_t size = (socklen_t)sizeof from;
    ssize_t n = recvfrom(lwip_names, m, 512, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
    int known;

    if (n < 17)
        return;
    known = memcmp(m + 12, "\11localhost", 11) == 0 || memcmp(m + 12, "\4late", 5) == 0;
    if (memcmp(m + 13, "silent", 6) == 0 || (memcmp(m + 12, "\4late", 5) == 0 && lwip_late++ == 0))
        return;
    m[2] = 0x81;
    m[3] = (unsigned char)(known ? 0x80 : 0x83);
    if (known) {
        m[7] = 1;
        memcpy(m + n, record, sizeof record);
        n += (ssize_t)sizeof record;
    }
    (void)sendto(lwip_names, m, (size_t)n, 0, (struct sockaddr *)&from, size);
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
    if (strcmp(host, "127.0.0.1") == 0)
        host = "10.0.2.2";
    if (strcmp(host, "::1") == 0)
        host = "fec0::2";
    return aws_lwip_open(p, connection, host, number, tls);
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

static int lwip_entropy(const aws_port *p, void *data, size_t size)
{
    FILE *file = fopen("/dev/urandom", "rb");
    size_t n = file != NULL ? fread(data, 1, size, file) : 0;

    (void)p;
    if (file != NULL)
        fclose(file);
    return n == size ? 0 : AWS_ERR_ENTROPY;
}

static const aws_port *lwip_port(void)
{
    static aws_port port_here = AWS_LWIP_PORT(aws_lwip_no_clock, lwip_entropy);
    ip4_addr_t address, mask, gateway;
    ip_addr_t names;
    s8_t at;
    ip6_addr_t address6;
    struct sockaddr_in name;
    socklen_t size = (socklen_t)sizeof name;

    lwip_names = socket(AF_INET, SOCK_DGRAM, 0);
    memset(&name, 0, sizeof name);
    name.sin_family = AF_INET;
    inet_pton(AF_INET, "127.0.0.1", &name.sin_addr);
    (void)bind(lwip_names, (struct sockaddr *)&name, size);
    (void)getsockname(lwip_names, (struct sockaddr *)&name, &size);
    lwip_dns_port = ntohs(name.sin_port);
    wire_begin(lwip_came);
    lwip_init();
    IP4_ADDR(&address, 10, 0, 2, 15);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&gateway, 10, 0, 2, 2);
    netif_add(&lwip_netif, &address, &mask, &gateway, NULL, lwip_device, ethernet_input);
    netif_set_default(&lwip_netif);
    netif_set_up(&lwip_netif);
    ip6addr_aton("fec0::15", &address6);
    (void)netif_add_ip6_address(&lwip_netif, &address6, &at);
    netif_ip6_addr_set_state(&lwip_netif, at, IP6_ADDR_PREFERRED);
    ipaddr_aton("10.0.2.2", &names);
    dns_setserver(0, &names);
    port_here.open = lwip_open;
    port_here.send = lwip_send;
    port_here.recv = lwip_recv;
    port_here.close = lwip_close;
    return &port_here;
}

#define AWS_TEST_PORT_END "lwip/end.h"

/* net.h - lwIP's end of the wire to slirp, and a name server: what the tests of both ports share.
 *
 * SPDX-License-Identifier: MIT
 */
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/netif.h"
#include "netif/ethernet.h"
#include "wire.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

unsigned lwip_dns_port;
static struct netif lwip_netif;
static int lwip_names = -1; /* the name server's socket */
static int lwip_late;       /* times that it was asked for late.test */

enum { LWIP_FRAME = 1600 };

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

/* The names that exist: the gateway, 10.0.2.2 and fec0::2, or 10.0.2.77, where nobody is. late.test
 * is answered the second time, silent.test never. */
static const struct {
    const char   *name; /* its beginning, as it is in a question */
    unsigned char v4, v6;
} lwip_known[] = {{"\11localhost", 2, 0}, {"\4late", 2, 0}, {"\4both", 2, 2}, {"\4hole", 77, 2},
                  {"\3six", 0, 2}};

/* Answer a question: without EDNS it ends with its type and class. */
static void lwip_answer(void)
{
    static const unsigned char v4[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 10, 0, 2};
    static const unsigned char v6[] = {0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 0, 0, 16, 0xfe, 0xc0, 0,
                                       0,    0,  0, 0,  0, 0, 0, 0, 0, 0, 0,    0};
    unsigned char m[512 + 32], last = 0;
    struct sockaddr_in from;
    socklen_t size = (socklen_t)sizeof from;
    ssize_t n = recvfrom(lwip_names, m, 512, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
    int is_v6, known = 0;
    size_t i;

    if (n < 17 || memcmp(m + 13, "silent", 6) == 0 ||
        (memcmp(m + 12, "\4late", 5) == 0 && lwip_late++ == 0))
        return;
    is_v6 = m[n - 3] == 28;
    for (i = 0; i < sizeof lwip_known / sizeof lwip_known[0]; i++) {
        if (memcmp(m + 12, lwip_known[i].name, strlen(lwip_known[i].name)) == 0) {
            known = 1;
            last = is_v6 ? lwip_known[i].v6 : lwip_known[i].v4;
        }
    }
    m[2] = 0x81;
    m[3] = (unsigned char)(known ? 0x80 : 0x83);
    if (last != 0) {
        m[7] = 1;
        size = (socklen_t)(is_v6 ? sizeof v6 : sizeof v4);
        memcpy(m + n, is_v6 ? v6 : v4, size);
        n += (ssize_t)size;
        m[n++] = last;
        size = (socklen_t)sizeof from;
    }
    (void)sendto(lwip_names, m, (size_t)n, 0, (struct sockaddr *)&from, size);
}

/* 127.0.0.1 and ::1 are what the gateway has in front of them. */
static const char *lwip_host(const char *host)
{
    if (strcmp(host, "127.0.0.1") == 0)
        return "10.0.2.2";
    return strcmp(host, "::1") == 0 ? "fec0::2" : host;
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

/* The name server's socket; before lwIP begins. */
static void lwip_names_begin(void)
{
    struct sockaddr_in name;
    socklen_t size = (socklen_t)sizeof name;

    lwip_names = socket(AF_INET, SOCK_DGRAM, 0);
    memset(&name, 0, sizeof name);
    name.sin_family = AF_INET;
    inet_pton(AF_INET, "127.0.0.1", &name.sin_addr);
    (void)bind(lwip_names, (struct sockaddr *)&name, size);
    (void)getsockname(lwip_names, (struct sockaddr *)&name, &size);
    lwip_dns_port = ntohs(name.sin_port);
}

/* The interface; where lwIP's calls are allowed. */
static void lwip_netif_begin(netif_input_fn input)
{
    ip4_addr_t address, mask, gateway;
    ip6_addr_t address6;
    ip_addr_t names;
    s8_t at;

    IP4_ADDR(&address, 10, 0, 2, 15);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&gateway, 10, 0, 2, 2);
    netif_add(&lwip_netif, &address, &mask, &gateway, NULL, lwip_device, input);
    netif_set_default(&lwip_netif);
    netif_set_up(&lwip_netif);
    ip6addr_aton("fec0::15", &address6);
    (void)netif_add_ip6_address(&lwip_netif, &address6, &at);
    netif_ip6_addr_set_state(&lwip_netif, at, IP6_ADDR_PREFERRED);
    ipaddr_aton("10.0.2.2", &names);
    dns_setserver(0, &names);
}

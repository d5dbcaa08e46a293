/* end.h - what tests/test_port.c doesn't ask of every port. Included at its end, before main.
 *
 * SPDX-License-Identifier: MIT
 */
/* Open a name: what becomes of it, after how many ms. */
static int lwip_look_up(const char *host, uint32_t *ms, connection *l)
{
    uint32_t start = clock_ms();
    int result;

    link_new(l);
    result = link_open(l, host, peer_port);
    *ms = clock_ms() - start;
    return result;
}

/* A name server that answers late, or never, while the caller closes: lwIP's callback must find the
 * area it was given. */
static void lwip_names_test(void)
{
    unsigned char byte = PEER_CLOSE;
    connection l;
    uint32_t ms;

    CHECK_INT(lwip_look_up("late.test", &ms, &l), 0);
    CHECK(lwip_late > 1 && ms < SOON);
    CHECK_INT(link_send(&l, &byte, 1), 0);
    link_free(&l);
    CHECK_INT(lwip_look_up("silent.test", &ms, &l), AWS_ERR_LOOKUP);
    CHECK(ms < SOON);
    link_free(&l);
    link_new(&l);
    CHECK_INT(port->open(port, l.area, "silent2.test", peer_port, 0), AWS_AGAIN);
    CHECK_INT(port->close(port, l.area), AWS_AGAIN);
    CHECK_INT(port->close(port, l.area), AWS_AGAIN);
    link_free(&l);
}

/* All of lwIP's pcbs are in use: open waits for one. */
static void lwip_full_test(void)
{
    connection l[MEMP_NUM_TCP_PCB + 1];
    int i, last = MEMP_NUM_TCP_PCB, fine = 1;

    for (i = 0; i < last; i++)
        fine &= link_peer(&l[i], PEER_ECHO, 0);
    link_new(&l[last]);
    for (i = 0; i < 10 && fine; i++)
        CHECK_INT(port->open(port, l[last].area, "127.0.0.1", peer_port, 0), AWS_AGAIN);
    CHECK_INT(port->error(port, l[last].area), ERR_MEM);
    link_free(&l[0]);
    CHECK_INT(link_open(&l[last], "127.0.0.1", peer_port), 0);
    CHECK_INT(port->error(port, l[last].area), 0);
    for (i = 1; i <= last; i++)
        link_free(&l[i]);
}

static unsigned lwip_held(const connection *l)
{
    const struct pbuf *received = ((const aws_i_lwip *)l->area)->received;

    return received != NULL ? received->tot_len : 0;
}

/* More than the pool of pbufs can hold is offered to a client that takes nothing for a while; then a
 * connection is closed with its window full. Nothing of lwIP's may be left in use. */
static void lwip_end_test(void)
{
    static unsigned char data[512];
    connection l;
    uint32_t ms_left;
    int i;

    for (i = 0; i < 3; i++) {
        if (link_peer(&l, PEER_GIVE, 1 << 20)) {
            CHECK_INT(link_recv(&l, data, sizeof data), 0);
            for (ms_left = clock_ms() + LIMIT;
                 (int32_t)(ms_left - clock_ms()) > 0 && lwip_held(&l) <= 2 * TCP_MSS;)
                lwip_turn();
            CHECK(lwip_held(&l) > 2 * TCP_MSS);
        }
        link_free(&l);
    }
    for (ms_left = clock_ms() + LIMIT; (int32_t)(ms_left - clock_ms()) > 0 && tcp_active_pcbs;)
        lwip_turn();
    CHECK(tcp_active_pcbs == NULL);
    CHECK_INT(lwip_stats.memp[MEMP_TCP_SEG]->used, 0);
    CHECK_INT(lwip_stats.memp[MEMP_PBUF_POOL]->used, 0);
    CHECK_INT(lwip_stats.mem.used, 0);
    wire_end();
}

static void test_end_of_port(void)
{
    lwip_names_test();
    lwip_full_test();
    lwip_end_test();
}

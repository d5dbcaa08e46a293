/* threads_end.h - what tests/test_port.c doesn't ask of every port. Included at its end.
 *
 * SPDX-License-Identifier: MIT
 */
/* Open a name: what becomes of it, after how many ms. */
static int threads_look_up(const char *host, unsigned number, uint32_t *ms)
{
    static const unsigned char command[PEER_COMMAND] = {PEER_CLOSE};
    uint32_t start = clock_ms();
    connection l;
    int result;

    link_new(&l);
    result = link_open(&l, host, number);
    *ms = clock_ms() - start;
    if (result == 0) {
        CHECK_INT(link_send(&l, command, sizeof command), 0);
        CHECK_INT(port->error(port, l.area), 0);
    }
    link_free(&l);
    return result;
}

/* The same, until it took less than so many ms: a busy machine may stand still, but not always. */
static int threads_look_up_within(const char *host, unsigned number, uint32_t *ms, uint32_t most)
{
    int i, result = 0;

    for (i = 0; i < 10 && (i == 0 || (result == 0 && *ms >= most)); i++)
        result = threads_look_up(host, number, ms);
    return result;
}

/* lwIP's getaddrinfo gives the IPv4 address: where it refuses, or is silent, the other is tried. */
static void threads_names_test(void)
{
    uint32_t ms;

    CHECK_INT(threads_look_up("late.test", peer_port, &ms), 0);
    CHECK(lwip_threads_late() > 1 && ms < SOON);
    CHECK_INT(threads_look_up("silent.test", peer_port, &ms), AWS_ERR_LOOKUP);
    CHECK_INT(threads_look_up("both.test", peer_port, &ms), 0);
    CHECK_INT(threads_look_up("both.test", refused_port, &ms), AWS_ERR_CONNECT);
    CHECK_INT(threads_look_up("localhost", refused_port, &ms), AWS_ERR_CONNECT);
    if (peer_port6 == 0)
        return;
    CHECK_INT(threads_look_up("six.test", peer_port6, &ms), 0);
    CHECK_INT(threads_look_up_within("both.test", peer_port6, &ms, 2000), 0);
    CHECK(ms < 2000);
    CHECK_INT(threads_look_up_within("hole.test", peer_port6, &ms, 5000), 0);
    CHECK(ms >= 2400 && ms < 5000);
}

/* All of lwIP's sockets are in use: open says so, and works again when one is closed. */
static void threads_full_test(void)
{
    connection l[64];
    int i, n, r = 0;

    for (n = 0; n < 64 && r == 0; n++) {
        link_new(&l[n]);
        r = link_open(&l[n], "127.0.0.1", peer_port);
    }
    CHECK_INT(n, lwip_threads_sockets + 1);
    CHECK_INT(r, AWS_ERR_CONNECT);
    CHECK_INT(port->error(port, l[n - 1].area), ENOBUFS);
    link_free(&l[0]);
    link_free(&l[n - 1]);
    link_new(&l[0]);
    CHECK_INT(link_open(&l[0], "127.0.0.1", peer_port), 0);
    for (i = 0; i < n - 1; i++)
        link_free(&l[i]);
}

static void test_end_of_port(void)
{
    threads_names_test();
    threads_full_test();
    CHECK_INT(lwip_threads_end(), 0);
}

/* wire.c - see wire.h. By itself, as libslirp's headers and lwIP's have the same names.
 *
 * SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L
#include "wire.h"
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { HANDLES = 256 };

static Slirp *slirp;
static void (*deliver)(const void *frame, size_t size);
static struct pollfd handles[HANDLES];
static int count;

static ssize_t came(const void *frame, size_t size, void *opaque)
{
    (void)opaque;
    deliver(frame, size);
    return (ssize_t)size;
}

static void complain(const char *text, void *opaque)
{
    (void)opaque;
    fprintf(stderr, "wire: %s\n", text);
}

static int64_t nanoseconds(void *opaque)
{
    struct timespec t;

    (void)opaque;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Slirp's timer sends router advertisements; the tests set their addresses themselves. */
static void *timer_new(SlirpTimerCb call, void *with, void *opaque)
{
    static char none;

    (void)call;
    (void)with;
    (void)opaque;
    return &none;
}

static void timer_free(void *timer, void *opaque)
{
    (void)timer;
    (void)opaque;
}

static void timer_mod(void *timer, int64_t ms, void *opaque)
{
    (void)timer;
    (void)ms;
    (void)opaque;
}

static void no_handle(int handle, void *opaque)
{
    (void)handle;
    (void)opaque;
}

static void no_notice(void *opaque)
{
    (void)opaque;
}

static const SlirpCb calls = {.send_packet = came,
                              .guest_error = complain,
                              .clock_get_ns = nanoseconds,
                              .timer_new = timer_new,
                              .timer_free = timer_free,
                              .timer_mod = timer_mod,
                              .register_poll_fd = no_handle,
                              .unregister_poll_fd = no_handle,
                              .notify = no_notice};

void wire_begin(void (*input)(const void *frame, size_t size))
{
    SlirpConfig config = {0};

    deliver = input;
    config.version = 1;
    config.in_enabled = true;
    inet_pton(AF_INET, "10.0.2.0", &config.vnetwork);
    inet_pton(AF_INET, "255.255.255.0", &config.vnetmask);
    inet_pton(AF_INET, "10.0.2.2", &config.vhost);
    inet_pton(AF_INET, "10.0.2.15", &config.vdhcp_start);
    inet_pton(AF_INET, "10.0.2.3", &config.vnameserver);
    config.in6_enabled = true;
    inet_pton(AF_INET6, "fec0::", &config.vprefix_addr6);
    config.vprefix_len = 64;
    inet_pton(AF_INET6, "fec0::2", &config.vhost6);
    inet_pton(AF_INET6, "fec0::3", &config.vnameserver6);
    slirp = slirp_new(&config, &calls, NULL);
    if (slirp == NULL) {
        fprintf(stderr, "wire: no libslirp\n");
        exit(2);
    }
}

/* The tests' storm of signals is for ports of a POSIX system: it mustn't interrupt slirp's calls. */
static sigset_t calm(int how, const sigset_t *set)
{
    sigset_t before;

    sigprocmask(how, set, &before);
    return before;
}

static sigset_t all_signals(void)
{
    sigset_t set;

    sigfillset(&set);
    return set;
}

void wire_send(const void *frame, size_t size)
{
    sigset_t all = all_signals(), before = calm(SIG_BLOCK, &all);

    slirp_input(slirp, (const uint8_t *)frame, (int)size);
    (void)calm(SIG_SETMASK, &before);
}

static int add(int handle, int events, void *opaque)
{
    (void)opaque;
    if (count == HANDLES)
        return -1;
    handles[count].fd = handle;
    handles[count].events = (short)((events & SLIRP_POLL_IN ? POLLIN : 0) |
                                    (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
                                    (events & SLIRP_POLL_PRI ? POLLPRI : 0));
    handles[count].revents = 0;
    return count++;
}

static int events_of(int index, void *opaque)
{
    int r;

    (void)opaque;
    if (index < 0)
        return 0;
    r = handles[index].revents;
    return (r & POLLIN ? SLIRP_POLL_IN : 0) | (r & POLLOUT ? SLIRP_POLL_OUT : 0) |
           (r & POLLPRI ? SLIRP_POLL_PRI : 0) | (r & POLLERR ? SLIRP_POLL_ERR : 0) |
           (r & POLLHUP ? SLIRP_POLL_HUP : 0);
}

void wire_poll(void)
{
    sigset_t all = all_signals(), before = calm(SIG_BLOCK, &all);
    uint32_t ms = 0;
    int r;

    count = 0;
    slirp_pollfds_fill(slirp, &ms, add, NULL);
    r = poll(handles, (nfds_t)count, 0);
    slirp_pollfds_poll(slirp, r < 0, events_of, NULL);
    (void)calm(SIG_SETMASK, &before);
}

void wire_end(void)
{
    slirp_cleanup(slirp);
}

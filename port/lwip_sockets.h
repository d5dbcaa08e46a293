/* lwip_sockets.h - the port for sockets under an RTOS: lwIP's (ESP-IDF, FreeRTOS and others) and
 * Zephyr's.
 *
 * SPDX-License-Identifier: MIT
 *
 * Calls block the task that makes them; the others go on. Include it after aws_s3.h, in one C file
 * with AWS_IMPLEMENTATION (lwip_sockets.c is that file; esp-idf/ and zephyr/ compile it):
 *
 *     #define AWS_NO_DEFAULT_PORT
 *     #include "aws_s3.h"
 *     #include "port/lwip_sockets.h"
 *
 *     aws_port port = *aws_lwip_sockets_port();
 *     port.entropy = my_entropy;                    // with lwIP alone
 *     config.port = &port;
 *
 * What differs, and all that differs:
 *
 *              lwIP                     ESP-IDF (ESP_PLATFORM)      Zephyr (__ZEPHYR__)
 *     headers  lwip/sockets.h, netdb.h  the same                    zephyr/net/socket.h
 *     entropy  none: AWS_ERR_ENTROPY    esp_fill_random: fit for    sys_csrand_get: needs
 *              until you give yours     TLS while Wi-Fi or          CONFIG_CSPRNG_ENABLED
 *                                       Bluetooth is on
 *     clock    none: the server's time  time(), which SNTP sets;    time() with
 *                                       not before 2020             CONFIG_POSIX_TIMERS, else none
 *     ticks    sys_now                  the same                    k_uptime_get_32
 *     mutex    a sys_mutex_t            the same                    a struct k_mutex
 *
 * lwIP: NO_SYS 0, LWIP_SOCKET, LWIP_SOCKET_SELECT, LWIP_TCP, LWIP_DNS, LWIP_IPV4, and LWIP_IPV6 if
 * wanted; whether LWIP_COMPAT_SOCKETS has BSD's names makes no difference. errno has to be each
 * task's own. Zephyr: CONFIG_NET_SOCKETS, CONFIG_NET_TCP, CONFIG_DNS_RESOLVER; from 4.4 on also
 * CONFIG_NET_NAMESPACE_COMPAT_MODE, which is its default.
 *
 * The one call that blocks without aws_config's time-outs is getaddrinfo. lwIP's gives one address,
 * of IPv4 if there is one: if that doesn't answer, or refuses, IPv6's is looked up and tried, too.
 */
#ifndef AWS_LWIP_SOCKETS_INCLUDED
#define AWS_LWIP_SOCKETS_INCLUDED

#ifdef __cplusplus
extern "C" {
#endif

/* The port: const, for any number of sessions and tasks. lock and unlock are NULL. */
AWS_API const aws_port *aws_lwip_sockets_port(void);

/* For a session that tasks share: lock and unlock of a copy whose context is your mutex, made by
 * sys_mutex_new or k_mutex_init. */
AWS_API void aws_lwip_sockets_lock(const aws_port *port);
AWS_API void aws_lwip_sockets_unlock(const aws_port *port);

#ifdef __cplusplus
}
#endif

#endif /* AWS_LWIP_SOCKETS_INCLUDED */

#if defined(AWS_IMPLEMENTATION) && !defined(AWS_LWIP_SOCKETS_IMPLEMENTED)
#define AWS_LWIP_SOCKETS_IMPLEMENTED

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#ifdef __ZEPHYR__
#include <fcntl.h>
#include <zephyr/kernel.h>
#include <zephyr/net/socket.h>
#include <zephyr/random/random.h>
#else
#include "lwip/netdb.h"
#include "lwip/sockets.h"
#include "lwip/sys.h"
#endif
#ifdef ESP_PLATFORM
#include "esp_random.h"
#endif

#define AWS_I_SOCKETS_FLAGS 0 /* there are no signals */

#ifdef __ZEPHYR__

#define AWS_I_SOCKETS(name) zsock_##name
#define AWS_I_SOCKETS_IN_ERRNO DNS_EAI_SYSTEM
#define AWS_I_SOCKETS_V6 1
#define AWS_I_SOCKETS_ONE 0

typedef struct zsock_addrinfo aws_i_sockets_info;

static int aws_i_sockets_new(int family)
{
    int flags, error, s = zsock_socket(family, SOCK_STREAM, IPPROTO_TCP);

    if (s < 0)
        return -1;
    flags = zsock_fcntl(s, F_GETFL, 0);
    if (flags >= 0 && zsock_fcntl(s, F_SETFL, flags | O_NONBLOCK) >= 0)
        return s;
    error = errno;
    (void)zsock_close(s);
    errno = error;
    return -1;
}

static int aws_i_sockets_ready(int s, unsigned what, int ms)
{
    struct zsock_pollfd p;

    if (s < 0) {
        (void)k_msleep(ms);
        return 0;
    }
    p.fd = s;
    p.events = (short)(((what & AWS_WAIT_READ) != 0 ? ZSOCK_POLLIN : 0) |
                       ((what & AWS_WAIT_WRITE) != 0 ? ZSOCK_POLLOUT : 0));
    p.revents = 0;
    return zsock_poll(&p, 1, ms);
}

static uint32_t aws_i_lwip_sockets_ticks(const aws_port *port)
{
    (void)port;
    return k_uptime_get_32();
}

AWS_API void aws_lwip_sockets_lock(const aws_port *port)
{
    (void)k_mutex_lock((struct k_mutex *)port->context, K_FOREVER);
}

AWS_API void aws_lwip_sockets_unlock(const aws_port *port)
{
    (void)k_mutex_unlock((struct k_mutex *)port->context);
}

#else

#define AWS_I_SOCKETS(name) lwip_##name
#define AWS_I_SOCKETS_IN_ERRNO INT_MAX /* it never has */
#define AWS_I_SOCKETS_V6 LWIP_IPV6
#define AWS_I_SOCKETS_ONE LWIP_IPV6

typedef struct addrinfo aws_i_sockets_info;

static int aws_i_sockets_new(int family)
{
    int on = 1, error, s = lwip_socket(family, SOCK_STREAM, 0);

    /* Not by fcntl: a libc's O_NONBLOCK may differ from the one that lwIP was compiled with. */
    if (s < 0 || lwip_ioctl(s, FIONBIO, &on) >= 0)
        return s;
    error = errno;
    (void)lwip_close(s);
    errno = error;
    return -1;
}

/* By select, as lwIP's poll may be left out. */
static int aws_i_sockets_ready(int s, unsigned what, int ms)
{
    struct timeval time_out;
    fd_set set[2];

    if (s < 0) {
        sys_msleep((u32_t)ms);
        return 0;
    }
    FD_ZERO(&set[0]);
    FD_ZERO(&set[1]);
    FD_SET(s, &set[0]);
    FD_SET(s, &set[1]);
    time_out.tv_sec = ms / 1000;
    time_out.tv_usec = ms % 1000 * 1000;
    return lwip_select(s + 1, (what & AWS_WAIT_READ) != 0 ? &set[0] : NULL,
                       (what & AWS_WAIT_WRITE) != 0 ? &set[1] : NULL, NULL, &time_out);
}

static uint32_t aws_i_lwip_sockets_ticks(const aws_port *port)
{
    (void)port;
    return sys_now();
}

AWS_API void aws_lwip_sockets_lock(const aws_port *port)
{
    sys_mutex_lock((sys_mutex_t *)port->context);
}

AWS_API void aws_lwip_sockets_unlock(const aws_port *port)
{
    sys_mutex_unlock((sys_mutex_t *)port->context);
}

#endif /* __ZEPHYR__ */

#include "sockets.h"

static int aws_i_lwip_sockets_entropy(const aws_port *port, void *data, size_t size)
{
    (void)port;
#if defined(ESP_PLATFORM)
    esp_fill_random(data, size);
    return 0;
#elif defined(__ZEPHYR__)
    return sys_csrand_get(data, size) == 0 ? 0 : AWS_ERR_ENTROPY;
#else
    (void)data;
    (void)size;
    return AWS_ERR_ENTROPY;
#endif
}

static int64_t aws_i_lwip_sockets_now(const aws_port *port)
{
    int64_t now = 0;

    (void)port;
#if defined(ESP_PLATFORM) || defined(CONFIG_POSIX_TIMERS)
    now = (int64_t)time(NULL);
#endif
    return now >= AWS_I_SOCKETS_2020 ? now : 0;
}

AWS_API const aws_port *aws_lwip_sockets_port(void)
{
    static const aws_port port = {NULL,
                                  0,
                                  sizeof(aws_i_sockets),
                                  aws_i_sockets_open,
                                  aws_i_sockets_send,
                                  aws_i_sockets_recv,
                                  aws_i_sockets_close,
                                  aws_i_sockets_wait,
                                  aws_i_sockets_handle,
                                  aws_i_lwip_sockets_now,
                                  aws_i_lwip_sockets_ticks,
                                  aws_i_lwip_sockets_entropy,
                                  NULL, /* a static mutex would be a mutable global */
                                  NULL,
                                  NULL, /* no environment */
                                  aws_i_sockets_error};

    return &port;
}

#endif /* AWS_IMPLEMENTATION && !AWS_LWIP_SOCKETS_IMPLEMENTED */

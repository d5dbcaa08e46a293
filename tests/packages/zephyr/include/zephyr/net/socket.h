/* socket.h - of the stand-in for Zephyr: its names, this host's sockets.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STAND_IN_SOCKET_INCLUDED
#define STAND_IN_SOCKET_INCLUDED

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define zsock_addrinfo addrinfo
#define zsock_pollfd pollfd
#define ZSOCK_POLLIN POLLIN
#define ZSOCK_POLLOUT POLLOUT
#define DNS_EAI_SYSTEM EAI_SYSTEM

static inline int zsock_socket(int family, int type, int protocol)
{
    return socket(family, type, protocol);
}

static inline int zsock_close(int s)
{
    return close(s);
}

static inline int zsock_connect(int s, const struct sockaddr *name, socklen_t size)
{
    return connect(s, name, size);
}

static inline ssize_t zsock_send(int s, const void *data, size_t size, int flags)
{
    return send(s, data, size, flags | MSG_NOSIGNAL);
}

static inline ssize_t zsock_recv(int s, void *data, size_t size, int flags)
{
    return recv(s, data, size, flags);
}

static inline int zsock_fcntl(int s, int command, int flags)
{
    return fcntl(s, command, flags);
}

static inline int zsock_poll(struct zsock_pollfd *p, int count, int ms)
{
    return poll(p, (nfds_t)count, ms);
}

static inline int zsock_getsockopt(int s, int level, int name, void *value, socklen_t *size)
{
    return getsockopt(s, level, name, value, size);
}

static inline int zsock_setsockopt(int s, int level, int name, const void *value, socklen_t size)
{
    return setsockopt(s, level, name, value, size);
}

static inline int zsock_getaddrinfo(const char *host, const char *service,
                                    const struct zsock_addrinfo *hints, struct zsock_addrinfo **list)
{
    return getaddrinfo(host, service, hints, list);
}

static inline void zsock_freeaddrinfo(struct zsock_addrinfo *list)
{
    freeaddrinfo(list);
}

#endif

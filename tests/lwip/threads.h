/* threads.h - lwIP with its own thread and sockets, on this host, and port/lwip_sockets.h on it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LWIP_THREADS_INCLUDED
#define LWIP_THREADS_INCLUDED

/* Start lwIP and its wire. The port, whose loopback is the host's, with random bytes and a mutex. */
const aws_port *lwip_threads_begin(void);
/* Stop the wire when lwIP has nothing of a connection left: the number of things it still has. */
int lwip_threads_end(void);
extern const int lwip_threads_sockets; /* that lwIP has */
int lwip_threads_late(void); /* times that late.test was asked for */

#endif

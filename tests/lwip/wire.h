/* wire.h - an Ethernet wire on whose other end is libslirp: a gateway, 10.0.2.2 and fec0::2, behind
 * which this machine's loopback lies. It needs no privilege.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WIRE_INCLUDED
#define WIRE_INCLUDED

#include <stddef.h>

/* input is called for each frame that comes, by wire_poll and wire_send. */
void wire_begin(void (*input)(const void *frame, size_t size));
void wire_send(const void *frame, size_t size);
void wire_poll(void);
void wire_end(void);

#endif

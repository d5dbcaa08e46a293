/* lwip_sockets.c - the client and its port for an RTOS, as one file to compile: see lwip_sockets.h.
 *
 * SPDX-License-Identifier: MIT
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "lwip_sockets.h"

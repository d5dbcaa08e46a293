/* client.c - the library and its port: AWS_IMPLEMENTATION is in exactly one file.
 *
 * SPDX-License-Identifier: MIT
 */
#define AWS_IMPLEMENTATION
#include "device.h"
#include "port/lwip.h"

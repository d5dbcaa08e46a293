/* threads_port.h - port/lwip_sockets.h under tests/test_port.c, by tests/lwip/run.sh.
 *
 * SPDX-License-Identifier: MIT
 */
#include "threads.h"
#define AWS_TEST_PORT_END "lwip/threads_end.h"

/* test_http_small.c - the same with AWS_SMALL: without the fast way through a head.
 *
 * SPDX-License-Identifier: MIT
 */
#define AWS_SMALL
#include "test_http.c"

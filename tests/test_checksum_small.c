/* test_checksum_small.c - the same without tables, and with the checksums of a small program.
 *
 * SPDX-License-Identifier: MIT
 */
#define AWS_SMALL_CRC
#include "test_checksum.c"

/* firmware_bounded.c - examples/firmware/client.c for a device with a record buffer of less than 16 KB,
 * whose servers ignore max_fragment_length: it isn't offered.
 *
 * SPDX-License-Identifier: MIT
 */
#define AWS_IMPLEMENTATION
#include "device.h"
#include "port/lwip.h"

int device_bounded(aws_client *client, int what, int number);

int device_bounded(aws_client *client, int what, int number)
{
    int r = aws_bounded_answers(client, what, number);

    if (what == AWS_I_B_START)
        aws_i_engine(client)->log_max_frag_len = 14;
    return r;
}

/* main.c - of the stand-in for ESP-IDF: lwIP, as tests/lwip/threads.c starts it, then app_main.
 *
 * SPDX-License-Identifier: MIT
 */
#include "esp_random.h"
#include <stdio.h>
#include <stdlib.h>

struct aws_port;
const struct aws_port *lwip_threads_begin(void);
int lwip_threads_end(void);
void app_main(void);

void esp_fill_random(void *data, size_t size)
{
    FILE *file = fopen("/dev/urandom", "rb");

    if (file == NULL || fread(data, 1, size, file) != size)
        abort();
    fclose(file);
}

int main(void)
{
    lwip_threads_begin();
    app_main();
    fflush(stdout);
    return lwip_threads_end();
}

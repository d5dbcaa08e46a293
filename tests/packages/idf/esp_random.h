/* esp_random.h - of the stand-in for ESP-IDF: project.cmake. */
#include <stddef.h>
void esp_fill_random(void *data, size_t size);

/* kernel.h - of the stand-in for Zephyr.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STAND_IN_KERNEL_INCLUDED
#define STAND_IN_KERNEL_INCLUDED

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

struct k_mutex {
    pthread_mutex_t mutex;
};
#define K_FOREVER (-1)

static inline int k_mutex_init(struct k_mutex *mutex)
{
    return pthread_mutex_init(&mutex->mutex, NULL);
}

static inline int k_mutex_lock(struct k_mutex *mutex, int time_out)
{
    (void)time_out;
    return pthread_mutex_lock(&mutex->mutex);
}

static inline int k_mutex_unlock(struct k_mutex *mutex)
{
    return pthread_mutex_unlock(&mutex->mutex);
}

static inline uint32_t k_uptime_get_32(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)((uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u);
}

/* Zephyr's isn't interrupted either, but by k_wakeup. */
static inline int32_t k_msleep(int32_t ms)
{
    uint32_t start = k_uptime_get_32(), past = 0;

    while (past < (uint32_t)ms) {
        (void)poll(NULL, 0, ms - (int32_t)past);
        past = k_uptime_get_32() - start;
    }
    return 0;
}

#endif

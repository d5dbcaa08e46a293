/* bench_client.h - what the clients of tests/bench.py share: their arguments and their measure.
 *
 * SPDX-License-Identifier: MIT
 *
 *     bench_x get|put|list COUNT http|https PORT CA.PEM
 *
 * Three requests warm up (connection, keys), then COUNT are measured: user and system CPU seconds.
 */
#ifndef BENCH_CLIENT_INCLUDED
#define BENCH_CLIENT_INCLUDED

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { BENCH_SIZE = 1024, BENCH_WARM = 3 };

static int           bench_put, bench_list, bench_tls;
static long          bench_count;
static const char   *bench_port, *bench_ca;
static char          bench_body[BENCH_SIZE];
static struct rusage bench_before;

static void bench_arguments(int count, char **arguments)
{
    if (count != 6) {
        fprintf(stderr, "usage: get|put|list COUNT http|https PORT CA.PEM\n");
        exit(2);
    }
    bench_put = strcmp(arguments[1], "put") == 0;
    bench_list = strcmp(arguments[1], "list") == 0;
    bench_count = atol(arguments[2]);
    bench_tls = strcmp(arguments[3], "https") == 0;
    bench_port = arguments[4];
    bench_ca = arguments[5];
    memset(bench_body, 'x', sizeof bench_body);
}

static void bench_begin(void)
{
    getrusage(RUSAGE_SELF, &bench_before);
}

static double bench_seconds(const struct timeval *a, const struct timeval *b)
{
    return (double)(b->tv_sec - a->tv_sec) + (double)(b->tv_usec - a->tv_usec) * 1e-6;
}

static void bench_end(void)
{
    struct rusage now;

    getrusage(RUSAGE_SELF, &now);
    printf("%.6f %.6f\n", bench_seconds(&bench_before.ru_utime, &now.ru_utime),
           bench_seconds(&bench_before.ru_stime, &now.ru_stime));
}

static inline void bench_fail(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

#endif

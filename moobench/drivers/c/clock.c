/*
 * Compiled by itself, with -fno-plt and without any instrumentation: tracers that instrument the workload or
 * hook the PLT must see monitored_method and nothing else.
 */
#include <time.h>

#include "clock.h"

uint64_t kp_bench_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

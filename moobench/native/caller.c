/*
 * Calls of an exported function of another object, and nothing else. Prints nanoseconds per call: the least
 * of short blocks, since whatever disturbs a block makes it longer.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define CALLS  20000u
#define BLOCKS 25u

long kp_bench_callee(long a, long b);

static uint64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int main(void)
{
    double least = 1e9;
    volatile long sum = 0;

    for (unsigned block = 0; block < BLOCKS; block++) {
        uint64_t start = monotonic_ns();
        double each;

        for (unsigned i = 0; i < CALLS; i++)
            sum += kp_bench_callee((long)i, 2);
        each = (double)(monotonic_ns() - start) / CALLS;
        least = each < least ? each : least;
    }
    printf("%.2f\n", least);
    return 0;
}

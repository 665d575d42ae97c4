/* The clock of the benchmark. */
#ifndef KP_BENCH_CLOCK_H
#define KP_BENCH_CLOCK_H

#include <stdint.h>

/* Of CLOCK_MONOTONIC. */
__attribute__((visibility("hidden"))) uint64_t kp_bench_now_ns(void);

#endif

/* The method that MooBench monitors. */
#ifndef KP_BENCH_MONITORED_H
#define KP_BENCH_MONITORED_H

#include <stdint.h>

/* Calls itself until depth is 1, and is busy there for method_time_ns. Returns the time of its end. No
 * compiler may make a loop of it, or calls that hold others: see monitored.c. */
__attribute__((visibility("default"), noinline)) uint64_t monitored_method(uint64_t method_time_ns,
                                                                           unsigned depth);

#endif

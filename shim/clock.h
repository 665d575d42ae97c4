/*
 * Time stamps. The clock is chosen once, before the first event, and never changes in a process.
 */
#ifndef KP_SHIM_CLOCK_H
#define KP_SHIM_CLOCK_H

#include <stdint.h>

#include "trace/layout.h"
#include "trace/options.h"

/* Clocks other than the time stamp counter; apart, so that probes stay small. */
uint64_t kp_clock_now_slow(unsigned clock) __attribute__((cold, noinline));

/* Raw ticks of a clock. `clock` is an enum kp_clock_choice other than AUTO. */
static inline uint64_t kp_clock_now(unsigned clock)
{
#if defined(__x86_64__)
    if (__builtin_expect(clock == KP_CLOCK_TSC, 1))
        return __builtin_ia32_rdtsc();
#endif
    return kp_clock_now_slow(clock);
}

/* The clock that `choice` means here; tells why in the log when it is not what was asked for. */
unsigned kp_clock_choose(unsigned choice);

/* Ticks together with both system clocks: the closest of several tries. */
struct kp_clock_sync kp_clock_sync(unsigned clock);

/*
 * Ticks per nanosecond since `first` (at least 200 µs ago: waits that long). The reader fits the whole trace
 * between its first and last sync; this is what it has when there is only one.
 */
double kp_clock_rate(unsigned clock, const struct kp_clock_sync *first);

#endif

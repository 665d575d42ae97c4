/*
 * libmonitored.so. harness/native.py says how it is compiled and linked for whom: whether it calls itself
 * through the PLT or directly is up to the linker, so the code is the same.
 */
#include "clock.h"
#include "monitored.h"

#ifdef MONITORED_LTTNG
#define LTTNG_UST_TRACEPOINT_DEFINE
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#include "monitored_lttng.h"
#define ENTRY(depth) lttng_ust_tracepoint(moobench, entry, (int)(depth))
#define EXIT(depth)  lttng_ust_tracepoint(moobench, exit, (int)(depth))
#else
#define ENTRY(depth) (void)(depth)
#define EXIT(depth)  (void)(depth)
#endif

/* The same function. Compilers take a call of a function by itself to be one inside the object, whatever the
 * linker does. */
__attribute__((visibility("default"))) uint64_t again(uint64_t method_time_ns,
                                                      unsigned depth) __asm__("monitored_method");

uint64_t monitored_method(uint64_t method_time_ns, unsigned depth)
{
    uint64_t now;

    ENTRY(depth);
    if (depth > 1) {
        now = again(method_time_ns, depth - 1);
        /* No tail call: each activation has an end of its own. */
        __asm__ volatile("" : "+r"(now));
    } else {
        uint64_t exit_time = kp_bench_now_ns() + method_time_ns;

        do
            now = kp_bench_now_ns();
        while (now < exit_time);
    }
    EXIT(depth);
    return now;
}

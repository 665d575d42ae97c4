/* An activation and the trace it is in. Private to traces.c. */
#ifndef KP_TRACE_KIEKER_CALL_H
#define KP_TRACE_KIEKER_CALL_H

#include <stdbool.h>
#include <stdint.h>

struct kp_kieker_function;

struct kp_kieker_trace {
    int64_t id;
    int32_t order, eoi;         /* the next ones */
    struct kp_kieker_call *top; /* what is open in it: running ones, above them suspended ones */
    uint32_t tid;
    struct kp_kieker_trace *next_free;
};

struct kp_kieker_call {
    struct kp_kieker_function *function;
    struct kp_kieker_trace *trace;
    struct kp_kieker_call *below; /* in the trace; NULL: its root */
    uint32_t id, depth;
    uint32_t exception; /* id of what leaves it, 0: unknown */
    int32_t eoi, ess;
    bool coroutine; /* stays open while it is suspended; also a region in one */
    bool suspended; /* on no thread's stack, but open in its trace */
    uint64_t start_ns, suspended_ns;
    uint64_t token;
    struct kp_kieker_call *next_free;
};

#endif

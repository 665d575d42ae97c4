/*
 * Probe cost: what the probes themselves took, from the figures a process calibrated at its start.
 * Kept as integers (1/1024 ns), so that adding it up per call costs two multiplications.
 */
#ifndef KP_COLLECTOR_MODEL_PROBE_COST_H
#define KP_COLLECTOR_MODEL_PROBE_COST_H

#include <stdint.h>

#include "trace/reader.h"

enum { KP_COST_SHIFT = 10 };

struct kp_probe_cost {
    uint64_t pair;  /* of an enter/exit pair as the caller sees it */
    uint64_t inner; /* the part of it between the two time stamps */
    uint64_t outer; /* the rest: falls into the caller's own time */
};

static inline struct kp_probe_cost kp_probe_cost_of(const struct kp_process *process)
{
    struct kp_probe_cost cost = {0};
    if (process->probe_pair_ns > 0)
        cost.pair = (uint64_t)(process->probe_pair_ns * (1 << KP_COST_SHIFT));
    if (process->probe_inner_ns > 0)
        cost.inner = (uint64_t)(process->probe_inner_ns * (1 << KP_COST_SHIFT));
    cost.outer = cost.pair > cost.inner ? cost.pair - cost.inner : 0;
    return cost;
}

/* `ns` without `cost` (in 1/1024 ns), never below 0. */
static inline uint64_t kp_probe_cost_subtract(uint64_t ns, uint64_t cost)
{
    uint64_t cost_ns = cost >> KP_COST_SHIFT;
    return ns > cost_ns ? ns - cost_ns : 0;
}

#endif

/*
 * Ticks of a traced process to nanoseconds since the Unix epoch: a line through the first clock reading, kept
 * in integers so that every reader gets the same digits. docs/format.md has the rule.
 */
#ifndef KP_TRACE_TIME_MAP_H
#define KP_TRACE_TIME_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

#define KP_TIME_FACTOR_SHIFT 48
/* Two readings nearer than this say less than the calibration at start. */
#define KP_TIME_SPAN_MIN_NS 10000000u

struct kp_time_map {
    uint64_t ticks;  /* origin */
    uint64_t ns;     /* Unix epoch at the origin */
    uint64_t factor; /* ns per tick, << KP_TIME_FACTOR_SHIFT */
};

/* From the first and the last clock reading; ticks_per_ns from calibration at start, 0: unknown. */
static inline struct kp_time_map kp_time_map_make(const struct kp_clock_sync *first,
                                                  const struct kp_clock_sync *last, double ticks_per_ns)
{
    struct kp_time_map map = {.ticks = first->ticks, .ns = first->realtime_ns};
    uint64_t ticks = last->ticks - first->ticks, ns = last->monotonic_ns - first->monotonic_ns;
    bool ordered = last->ticks > first->ticks && last->monotonic_ns > first->monotonic_ns;
    double limit = (double)(1ull << (63 - KP_TIME_FACTOR_SHIFT));

    if (ordered && ns / ticks < (1u << (63 - KP_TIME_FACTOR_SHIFT)) &&
        (ns >= KP_TIME_SPAN_MIN_NS || !(ticks_per_ns > 0)))
        map.factor = (uint64_t)(((unsigned __int128)ns << KP_TIME_FACTOR_SHIFT) / ticks);
    else if (ticks_per_ns > 1 / limit && ticks_per_ns < 1e12)
        map.factor = (uint64_t)(0x1p48 / ticks_per_ns);
    return map;
}

static inline uint64_t kp_time_map_ns(const struct kp_time_map *map, uint64_t ticks)
{
    bool before = ticks < map->ticks;
    uint64_t distance = before ? map->ticks - ticks : ticks - map->ticks;
    unsigned __int128 half = 1ull << (KP_TIME_FACTOR_SHIFT - 1);
    unsigned __int128 scaled = ((unsigned __int128)distance * map->factor + half) >> KP_TIME_FACTOR_SHIFT;

    if (before)
        return scaled < map->ns ? map->ns - (uint64_t)scaled : 0;
    return scaled < UINT64_MAX - map->ns ? map->ns + (uint64_t)scaled : UINT64_MAX;
}

#endif

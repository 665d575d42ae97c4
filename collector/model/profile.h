/*
 * Profile: totals per function over all processes, or per function and thread. A sink of the call tree.
 *
 * total  time inside the function; of a recursion only the outermost activation counts.
 * self   the part of it outside traced calls.
 * mean, min, max  over whole activations (a generator is one); those whose end was lost do not count.
 * Each exists raw and compensated: without the probes' own cost, as calibrated, never below 0.
 */
#ifndef KP_COLLECTOR_MODEL_PROFILE_H
#define KP_COLLECTOR_MODEL_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "calltree.h"
#include "symbols.h"

struct kp_profile_row {
    const struct kp_symbol *symbol;
    const struct kp_thread *thread; /* NULL unless by thread */
    uint64_t calls;                 /* begins seen */
    uint64_t total_ns;
    uint64_t self_ns;
    uint64_t finished; /* activations that min, max and sum are made of */
    uint64_t sum_ns;   /* of their times; recursion counts again and again */
    uint64_t min_ns, max_ns;
    uint64_t least_ns, most_ns;               /* min and max, compensated */
    uint64_t total_cost, self_cost, sum_cost; /* probe cost in them, 1/1024 ns */
    uint64_t suspensions;
    uint64_t endings[KP_ENDING_COUNT];
};

/* The figures of a row as a report shows them. */
struct kp_profile_times {
    uint64_t total_ns, self_ns, mean_ns, min_ns, max_ns;
};

struct kp_profile_summary {
    uint64_t calls;
    uint64_t self_ns;  /* of all rows: the traced time */
    uint64_t probe_ns; /* estimated part of it that is the probes' */
    uint64_t compensated_self_ns;
    uint64_t calls_lost, events_lost, gaps;
    uint64_t threads;
};

struct kp_profile;

struct kp_profile *kp_profile_create(bool by_thread);
void kp_profile_destroy(struct kp_profile *profile);

/* To be given to kp_calltree_create, with the profile as user. */
extern const struct kp_calltree_ops kp_profile_ops;

/* All rows, in no particular order; the caller may sort the array. Valid as long as the profile. */
struct kp_profile_row **kp_profile_rows(struct kp_profile *profile, size_t *count);

struct kp_profile_summary kp_profile_summary(const struct kp_profile *profile);

struct kp_profile_times kp_profile_times(const struct kp_profile_row *row, bool compensated);

#endif

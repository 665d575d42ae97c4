/*
 * Regions of generators and coroutines that are suspended: `with region: await …`. They are suspended with
 * their owner, innermost first, and go on with it, in whichever thread that is.
 *
 * `owner` is what the engine uses as the owner's token. Who is in a probe calls; with the GIL.
 */
#ifndef KP_SHIM_HELD_REGIONS_H
#define KP_SHIM_HELD_REGIONS_H

#include "open_calls.h"

extern _Atomic uint32_t kp_held_count;

/* A token that no address is: of a region's `number`, 0 for a new one. */
uint64_t kp_region_token(uint32_t *number);

void kp_held_suspend(struct kp_thread_state *t, uint32_t depth, uint64_t owner, uint64_t now);
void kp_held_resume(struct kp_thread_state *t, uint64_t owner);
void kp_held_forget(uint64_t owner);

/* The activation at `depth` is about to be suspended: its regions are, before. */
static inline void kp_regions_suspend(struct kp_thread_state *t, uint32_t depth, uint64_t owner, uint64_t now)
{
    if (__builtin_expect(t->depth > depth && kp_open_owner(t, 0) == depth, 0))
        kp_held_suspend(t, depth, owner, now);
}

/* The innermost activation goes on: its regions do, after it. */
static inline void kp_regions_resume(struct kp_thread_state *t, uint64_t owner)
{
    if (__builtin_expect(atomic_load_explicit(&kp_held_count, memory_order_relaxed) != 0, 0))
        kp_held_resume(t, owner);
}

/* A generator starts: what is held for its token belonged to one that never went on. */
static inline void kp_regions_forget(uint64_t owner)
{
    if (__builtin_expect(atomic_load_explicit(&kp_held_count, memory_order_relaxed) != 0, 0))
        kp_held_forget(owner);
}

#endif

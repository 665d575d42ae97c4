/*
 * Shadow stack of ids, for engines that are told of ends without having seen the beginning: which open call
 * an end belongs to. Calls above it ended unseen and get an UNWIND; an end that belongs to none began before
 * tracing did.
 */
#ifndef KP_SHIM_PYTHON_SHADOW_H
#define KP_SHIM_PYTHON_SHADOW_H

#include "emit.h"

static inline void kp_shadow_push(struct kp_thread_state *t, uint32_t id)
{
    uint32_t depth = t->depth++;

    if (__builtin_expect(depth < KP_SHADOW_DEPTH, 1))
        t->shadow[depth] = id;
}

/* Slow part of kp_shadow_pop. */
bool kp_shadow_repair(struct kp_thread_state *t, uint32_t id, uint64_t now);

/* The innermost open call must be `id`, else repair. False: no such call is open. t->depth is then its depth.
 */
static inline bool kp_shadow_pop(struct kp_thread_state *t, uint32_t id, uint64_t now)
{
    uint32_t depth = t->depth - 1;

    if (__builtin_expect(depth < KP_SHADOW_DEPTH && t->shadow[depth] == id, 1)) {
        t->depth = depth;
        return true;
    }
    return kp_shadow_repair(t, id, now);
}

#endif

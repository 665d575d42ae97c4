/*
 * Events that are frequent, in code that uses general registers only (the interpreter may have values in
 * vector registers at a dispatch): compiled with -mgeneral-regs-only, and calls nothing. What is not simple
 * is left to activations.c.
 */
#include <stddef.h>

#include "activations.h"
#include "held_regions.h"

/* What opcode_thunks.S believes. */
#define BELIEVES(condition) _Static_assert(condition, "offsets.h")
BELIEVES(offsetof(struct kp_thread_state, epoch) == T_EPOCH);
BELIEVES(offsetof(struct kp_thread_state, depth) == T_DEPTH);
BELIEVES(offsetof(struct kp_thread_state, live) == T_LIVE);
BELIEVES(offsetof(struct kp_thread_state, head) == T_HEAD);
BELIEVES(offsetof(struct kp_thread_state, limit) == T_LIMIT);
BELIEVES(offsetof(struct kp_thread_state, mask) == T_MASK);
BELIEVES(offsetof(struct kp_thread_state, slots) == T_SLOTS);
BELIEVES(offsetof(struct kp_thread_state, ring) == T_RING);
BELIEVES(offsetof(struct kp_thread_state, calls) == T_CALLS);
BELIEVES(offsetof(struct kp_thread_state, busy) == T_BUSY);
BELIEVES(offsetof(struct kp_ring, head) == R_HEAD && offsetof(struct kp_ring, calls) == R_CALLS);
BELIEVES(offsetof(struct kp_slot, time) == S_TIME && offsetof(struct kp_slot, id) == S_ID);
BELIEVES(offsetof(struct kp_slot, kind_depth) == S_KIND_DEPTH);
BELIEVES(KP_SLOT_PACK(KP_EVENT_ENTER, 3) == ((3 << S_DEPTH_SHIFT) | S_ENTER) && KP_EVENT_EXIT == S_EXIT);
BELIEVES(KP_EVENT_YIELD == S_YIELD && offsetof(struct kp_slot, value) == S_VALUE);
BELIEVES(offsetof(struct kp_slot, value2) == S_VALUE2 && sizeof(struct kp_slot) == S_BYTES);
BELIEVES(PREFETCH_BYTES == KP_EMIT_SLOTS_AHEAD * sizeof(struct kp_slot));
BELIEVES(offsetof(struct kp_cache_entry, key) == C_KEY && offsetof(struct kp_cache_entry, id) == C_ID);
BELIEVES(sizeof(struct kp_cache_entry) == 16 && C_SET_MASK == (KP_CACHE_SETS - 1) * 16 && C_SHIFT == 6 - 4);
BELIEVES(offsetof(struct kp_activation, frame) == A_FRAME && offsetof(struct kp_activation, id) == A_ID);
BELIEVES(sizeof(struct kp_activation) == A_BYTES);
BELIEVES(offsetof(struct kp_local, interpreter_thread) == L_TSTATE);
BELIEVES(offsetof(struct kp_local, top_frame) == L_TOP_FRAME);
BELIEVES(offsetof(struct kp_local, top) == L_TOP && offsetof(struct kp_local, chunk) == L_CHUNK);
BELIEVES(offsetof(struct kp_local, cache) == L_CACHE);

#define LOCAL kp_local

static inline bool same_stack(void)
{
    return KP_FIELD(void *, LOCAL.interpreter_thread, kp_opcode_row.thread_chunk) == LOCAL.chunk;
}

static inline bool begin(struct kp_thread_state *t)
{
    return same_stack() && kp_probe_try(t);
}

bool kp_opcode_fast_start(void)
{
    void *frame = kp_opcode_frame(LOCAL.interpreter_thread), *code = kp_opcode_code(frame);
    struct kp_thread_state *t = kp_self;
    struct kp_cache_entry *entry = &LOCAL.cache[kp_cache_set(code)];
    uint32_t depth;

    if (entry->key != code && (LOCAL.cache != t->cache || !kp_cache_promote(t, code)))
        return false;
    if (!entry->id || kp_opcode_is_hidden(LOCAL.interpreter_thread))
        return true;
    /* Generators recurse without new pieces of the frame stack, so their pushes look for room themselves. */
    if (LOCAL.top >= LOCAL.limit || !same_stack())
        return false;
    if (frame == LOCAL.top_frame)
        return true;
    if (kp_opcode_of_generator(frame) && atomic_load_explicit(&kp_held_count, memory_order_relaxed))
        return false;
    if (!begin(t))
        return false;
    depth = t->depth;
    kp_open_push(t, frame, entry->id);
    if (kp_opcode_of_generator(frame) && kp_opcode_goes_on(frame))
        kp_emit_pair(t, KP_EVENT_RESUME, entry->id, depth, kp_clock_now(KP_CLOCK_TSC), (uintptr_t)frame, 0);
    else
        kp_emit_enter(t, entry->id, depth);
    kp_probe_end(t);
    return true;
}

static inline bool leave(unsigned kind)
{
    uint64_t now = kp_clock_now(KP_CLOCK_TSC);
    void *frame = kp_opcode_frame(LOCAL.interpreter_thread);
    struct kp_thread_state *t = kp_self;
    uint32_t id;

    /* Below a region it may be innermost all the same. */
    if (frame != LOCAL.top_frame)
        return same_stack() && !kp_frame_is_region(LOCAL.top_frame);
    if (kp_opcode_is_hidden(LOCAL.interpreter_thread))
        return true;
    if (!begin(t))
        return false;
    id = kp_open_pop(t);
    if (kind == KP_EVENT_YIELD)
        kp_emit_pair(t, kind, id, t->depth, now, (uintptr_t)frame, 0);
    else
        kp_emit(t, kind, id, t->depth, now);
    kp_probe_end(t);
    return true;
}

bool kp_opcode_fast_return(void)
{
    return leave(KP_EVENT_EXIT);
}

bool kp_opcode_fast_yield(void)
{
    return leave(KP_EVENT_YIELD);
}

/* Nothing to do if the innermost open call is the one that handles, or waits not far below it. */
bool kp_opcode_fast_handler(void)
{
    void *frame = kp_opcode_frame(LOCAL.interpreter_thread);

    if (!same_stack() || kp_frame_is_region(LOCAL.top_frame))
        return false;
    if (!LOCAL.top_frame || kp_frame_is_call(LOCAL.top_frame) ||
        kp_opcode_is_hidden(LOCAL.interpreter_thread))
        return true;
    for (int i = 0; i < 64 && frame; i++) {
        if (frame == LOCAL.top_frame)
            return true;
        frame = KP_FIELD(void *, frame, kp_opcode_row.frame_previous);
    }
    return false;
}

/*
 * Events that are frequent, in code that uses general registers only (the interpreter may have values in
 * vector registers at a dispatch): compiled with -mgeneral-regs-only, and calls nothing. What is not simple
 * is left to activations.c.
 */
#include <stddef.h>

#include "activations.h"
#include "clock.h"
#include "emit.h"

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
BELIEVES(offsetof(struct kp_ring, head) == R_HEAD && offsetof(struct kp_ring, calls) == R_CALLS);
BELIEVES(offsetof(struct kp_slot, time) == S_TIME && offsetof(struct kp_slot, id) == S_ID);
BELIEVES(offsetof(struct kp_slot, kind_depth) == S_KIND_DEPTH);
BELIEVES(KP_SLOT_PACK(KP_EVENT_ENTER, 3) == ((3 << S_DEPTH_SHIFT) | S_ENTER) && KP_EVENT_EXIT == S_EXIT);
BELIEVES(offsetof(struct kp_cache_entry, key) == C_KEY && offsetof(struct kp_cache_entry, id) == C_ID);
BELIEVES(sizeof(struct kp_cache_entry) == 16 && C_SET_MASK == (KP_CACHE_SETS - 1) * 16 && C_SHIFT == 6 - 4);
BELIEVES(offsetof(struct kp_activation, frame) == A_FRAME && offsetof(struct kp_activation, id) == A_ID);
BELIEVES(sizeof(struct kp_activation) == A_BYTES);
BELIEVES(offsetof(struct kp_opcode_thread, tstate) == L_TSTATE);
BELIEVES(offsetof(struct kp_opcode_thread, top_frame) == L_TOP_FRAME);
BELIEVES(offsetof(struct kp_opcode_thread, top) == L_TOP &&
         offsetof(struct kp_opcode_thread, chunk) == L_CHUNK);
BELIEVES(offsetof(struct kp_opcode_thread, cache) == L_CACHE);

#define LOCAL kp_opcode_thread

static inline bool same_stack(void)
{
    return KP_FIELD(void *, LOCAL.tstate, kp_opcode_row.thread_chunk) == LOCAL.chunk;
}

/* The state of this thread if an event may be written now, without asking anybody. */
static inline struct kp_thread_state *ready(void)
{
    struct kp_thread_state *t = kp_self;

    if (t->epoch != atomic_load_explicit(t->live, memory_order_relaxed) || t->head >= t->limit ||
        t->clock != KP_CLOCK_TSC || !same_stack())
        return NULL;
    return t;
}

/* Generators recurse without new pieces of the frame stack, so their pushes look for room themselves. */
static inline bool has_room(const struct kp_thread_state *t)
{
    const struct kp_activations *a = t->activations;

    return LOCAL.top + a->ahead < a->current.base + a->current.room;
}

bool kp_opcode_fast_start(void)
{
    void *frame = kp_opcode_frame(LOCAL.tstate), *code = kp_opcode_code(frame);
    struct kp_thread_state *t = kp_self;
    struct kp_cache_entry *entry = &LOCAL.cache[kp_cache_set(code)];
    uint32_t depth;

    if (entry->key != code && (LOCAL.cache != t->cache || !kp_cache_promote(t, code)))
        return false;
    if (!entry->id || kp_opcode_is_hidden(LOCAL.tstate))
        return true;
    t = ready();
    if (!t || !has_room(t))
        return false;
    if (frame == LOCAL.top_frame)
        return true;
    *++LOCAL.top = (struct kp_activation){.frame = frame, .id = entry->id};
    LOCAL.top_frame = frame;
    depth = t->depth++;
    if (kp_opcode_of_generator(frame) && kp_opcode_goes_on(frame))
        kp_emit_pair(t, KP_EVENT_RESUME, entry->id, depth, kp_clock_now(KP_CLOCK_TSC), (uintptr_t)frame, 0);
    else
        kp_emit_enter(t, entry->id, depth);
    return true;
}

static inline bool leave(unsigned kind)
{
    uint64_t now = kp_clock_now(KP_CLOCK_TSC);
    void *frame = kp_opcode_frame(LOCAL.tstate);
    struct kp_thread_state *t;
    uint32_t id;

    if (frame != LOCAL.top_frame)
        return same_stack();
    if (kp_opcode_is_hidden(LOCAL.tstate))
        return true;
    t = ready();
    if (!t)
        return false;
    id = LOCAL.top->id;
    LOCAL.top_frame = (--LOCAL.top)->frame;
    t->depth--;
    if (kind == KP_EVENT_YIELD)
        kp_emit_pair(t, kind, id, t->depth, now, (uintptr_t)frame, 0);
    else
        kp_emit(t, kind, id, t->depth, now);
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
    void *frame = kp_opcode_frame(LOCAL.tstate);

    if (!same_stack())
        return false;
    if (!LOCAL.top_frame || kp_opcode_is_hidden(LOCAL.tstate))
        return true;
    for (int i = 0; i < 64 && frame; i++) {
        if (frame == LOCAL.top_frame)
            return true;
        frame = KP_FIELD(void *, frame, kp_opcode_row.frame_previous);
    }
    return false;
}

/*
 * The part of a call's begin that is less frequent than call_thunks.S's own, and still is not slow: functions
 * of which only the entry is seen, tail calls, functions that are not traced. Compiled with
 * -mgeneral-regs-only; calls nothing.
 */
#include "call.h"

#include <stddef.h>

#define BELIEVES(condition) _Static_assert(condition, "call_offsets.h")
BELIEVES(offsetof(struct kp_thread_state, busy) == T_BUSY);
BELIEVES(offsetof(struct kp_thread_state, call_frames) == T_CALL_FRAMES);
BELIEVES(offsetof(struct kp_local, limit) == L_LIMIT && offsetof(struct kp_local, self) == L_SELF);
BELIEVES(offsetof(struct kp_native_function, target) == N_TARGET);
BELIEVES(offsetof(struct kp_native_function, id) == N_ID && KP_NATIVE_CALL == 0);
BELIEVES(sizeof(struct kp_native_function) == N_BYTES);
BELIEVES(offsetof(struct kp_call_frame, return_address) == F_RETURN_ADDRESS);
BELIEVES(offsetof(struct kp_call_frame, rbx) == F_RBX && offsetof(struct kp_call_frame, target) == F_TARGET);
BELIEVES(offsetof(struct kp_call_frame, cfa) == F_CFA && offsetof(struct kp_call_frame, next) == F_NEXT);
BELIEVES(sizeof(struct kp_call_registers) == PUSHED_BYTES);
BELIEVES(KP_CALL_THUNK_BYTES == sizeof *kp_call_thunks);

static inline bool begin(struct kp_thread_state *t)
{
    return !t->busy && !t->on_trial && kp_probe_try(t);
}

/* The call is not to be followed to its end. Two slots: begin() saw three, and the slow path of kp_emit would
 * use vector registers. */
static inline void only_entry(struct kp_thread_state *t, uint32_t id)
{
    t->calls++;
    kp_emit_enter_sure(t, id, t->depth, KP_CLOCK_TSC);
    kp_emit_sure(t, KP_EVENT_EXIT, id, t->depth, kp_clock_now(KP_CLOCK_TSC));
}

/* A function whose frame this is calls another as its last act, by a jump: the frame is the other's now. */
static inline void tail_call(struct kp_thread_state *t, uint32_t id)
{
    uint64_t now = kp_clock_now(KP_CLOCK_TSC);

    kp_emit_sure(t, KP_EVENT_EXIT, kp_local.top->id, t->depth - 1, now);
    kp_local.top->id = id;
    t->calls++;
    kp_emit_enter_sure(t, id, t->depth - 1, KP_CLOCK_TSC);
}

void *kp_call_enter(const struct kp_native_function *function, const uint64_t *cfa, struct kp_call_frame *rbx)
{
    uint32_t id = atomic_load_explicit(&function->id, memory_order_relaxed);
    struct kp_thread_state *t = kp_self;
    bool is_tail;

    if (function->class > KP_NATIVE_ENTRY_ONLY || function->captures)
        return NULL;
    if (id == KP_NATIVE_PASS)
        return function->target;
    if (t->busy) {
        kp_call_pass(t, cfa);
        return function->target;
    }
    is_tail = function->class == KP_NATIVE_CALL && kp_call_is_tail(cfa) &&
              kp_local.top_frame == kp_call_frame_tag(rbx);
    if (id == KP_NATIVE_UNDECIDED || (function->class == KP_NATIVE_CALL && !is_tail) || !begin(t))
        return NULL;
    if (is_tail)
        tail_call(t, id);
    else
        only_entry(t, id);
    kp_probe_end(t);
    return function->target;
}

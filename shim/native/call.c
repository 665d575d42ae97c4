/*
 * The frequent part of a call's begin and end. Compiled with -mgeneral-regs-only; calls nothing.
 */
#include "call.h"

#include <stddef.h>

#define BELIEVES(condition) _Static_assert(condition, "call_offsets.h")
BELIEVES(offsetof(struct kp_call_frame, return_address) == F_RETURN_ADDRESS);
BELIEVES(offsetof(struct kp_call_frame, rbx) == F_RBX && offsetof(struct kp_call_frame, target) == F_TARGET);
BELIEVES(offsetof(struct kp_call_registers, index) == PUSHED_BYTES);
BELIEVES(KP_CALL_THUNK_BYTES == sizeof *kp_call_thunks);

static const struct kp_call_start slow;

/* Three slots are free, the clock is the counter, nothing is under way: events may be written. */
static inline bool is_ready(const struct kp_thread_state *t)
{
    return t->epoch == atomic_load_explicit(t->live, memory_order_relaxed) && t->head < t->limit &&
           t->clock == KP_CLOCK_TSC && !t->busy;
}

/* The call is not to be followed to its end. */
static inline void only_entry(struct kp_thread_state *t, uint32_t id)
{
    kp_emit_enter(t, id, t->depth);
    kp_emit(t, KP_EVENT_EXIT, id, t->depth, kp_clock_now(KP_CLOCK_TSC));
}

/* A function whose frame this is calls another as its last act, by a jump. */
static inline void tail_call(struct kp_thread_state *t, struct kp_call_frame *frame, uint32_t index,
                             uint32_t id)
{
    uint64_t now = kp_clock_now(KP_CLOCK_TSC);

    kp_emit(t, KP_EVENT_EXIT, kp_local.top->id, t->depth - 1, now);
    kp_local.top->id = id;
    frame->index = index;
    kp_emit_enter(t, id, t->depth - 1);
}

struct kp_call_start kp_call_enter(uint32_t index, uint64_t *cfa, struct kp_call_frame *rbx)
{
    struct kp_native_function *function = &kp_native_functions[index];
    uint32_t id = atomic_load_explicit(&function->id, memory_order_relaxed);
    struct kp_call_start start = {NULL, function->target};
    struct kp_thread_state *t = kp_self;
    struct kp_call_frame *frame;

    if (id == KP_NATIVE_PASS && function->class <= KP_NATIVE_ENTRY_ONLY)
        return start;
    frame = t->call_frames;
    if (__builtin_expect(!is_ready(t) || id == KP_NATIVE_UNDECIDED || function->captures || !frame ||
                             kp_local.top >= kp_local.limit || function->class > KP_NATIVE_ENTRY_ONLY,
                         0))
        return slow;
    if (__builtin_expect(cfa[-1] == (uintptr_t)kp_call_return, 0)) {
        if (kp_local.top_frame != kp_call_frame_tag(rbx) || kp_native_functions[rbx->index].captures)
            return slow;
        kp_probe_begin(t);
        if (function->class == KP_NATIVE_CALL)
            tail_call(t, rbx, index, id);
        else
            only_entry(t, id);
        kp_probe_end(t);
        return start;
    }
    kp_probe_begin(t);
    if (__builtin_expect(function->class != KP_NATIVE_CALL, 0)) {
        only_entry(t, id);
        kp_probe_end(t);
        return start;
    }
    t->call_frames = frame->next;
    frame->target = function->target;
    frame->cfa = (uintptr_t)cfa;
    frame->index = index;
    frame->state = KP_CALL_FRAME_USED;
    kp_open_push(t, kp_call_frame_tag(frame), id);
    kp_emit_enter(t, id, t->depth - 1);
    kp_probe_end(t);
    start.frame = frame;
    return start;
}

struct kp_call_end kp_call_leave(struct kp_call_frame *frame)
{
    struct kp_thread_state *t = kp_self;
    uint64_t now = kp_clock_now(KP_CLOCK_TSC);
    uint32_t id;

    if (__builtin_expect(!is_ready(t) || kp_local.top_frame != kp_call_frame_tag(frame) ||
                             kp_native_functions[frame->index].captures,
                         0))
        return (struct kp_call_end){false, frame};
    kp_probe_begin(t);
    id = kp_open_pop(t);
    kp_emit(t, KP_EVENT_EXIT, id, t->depth, now);
    frame->next = t->call_frames;
    t->call_frames = frame;
    kp_probe_end(t);
    return (struct kp_call_end){true, frame};
}

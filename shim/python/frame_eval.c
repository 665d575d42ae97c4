/*
 * Engine `frame`: the frame evaluation hook of PEP 523. Every evaluation of a Python frame passes through us.
 *
 * Before 3.11 CPython recurses on the C stack for each Python call anyway, so nothing changes but the depth
 * of one C frame. On 3.11 calls between Python functions would stay inside the evaluator without a hook; with
 * it they recurse.
 */
#include <stdint.h>
#include <stdio.h>

#include "code_object.h"
#include "core.h"
#include "cpython_layout.h"
#include "engine.h"
#include "exception_type.h"
#include "held_regions.h"
#include "open_calls.h"

typedef void *(*eval_frame)(void *thread, void *frame, int throw_flag);
typedef void *(*eval_frame_3_8)(void *frame, int throw_flag);

static eval_frame next_eval; /* what was there before us: the default, or another tool's */

#define INLINE static inline __attribute__((always_inline))

/* What a hook remembers of its call while the call runs. */
struct activation {
    uint32_t id; /* 0: not recorded */
    uint32_t depth;
    bool generator;
};

INLINE void enter(const struct kp_cpython_layout *layout, struct kp_thread_state *t, void *frame,
                  struct activation *call)
{
    enum kp_frame_state state = kp_frame_classify(layout, frame);

    if (state == KP_FRAME_CREATION)
        return;
    call->id = kp_code_id(t, KP_FIELD(void *, frame, layout->frame_code),
                          KP_FIELD(void *, frame, layout->frame_globals));
    if (!call->id)
        return;
    if (!kp_open_room(t)) {
        call->id = 0;
        return;
    }
    kp_probe_begin(t);
    call->depth = t->depth;
    kp_open_push(t, frame, call->id);
    call->generator = state != KP_FRAME_PLAIN;
    if (__builtin_expect(state == KP_FRAME_AGAIN, 0)) {
        kp_emit_pair(t, KP_EVENT_RESUME, call->id, call->depth, kp_clock_now(t->clock), (uintptr_t)frame, 0);
        kp_regions_resume(t, (uintptr_t)frame);
    } else {
        if (state != KP_FRAME_PLAIN)
            kp_regions_forget((uintptr_t)frame);
        kp_emit_enter(t, call->id, call->depth);
    }
    kp_probe_end(t);
}

INLINE void leave(const struct kp_cpython_layout *layout, void *frame, const struct activation *call,
                  const void *result)
{
    struct kp_thread_state *t = kp_thread_active();
    bool suspends;
    uint64_t now;

    if (__builtin_expect(!t, 0)) {
        kp_open_forget(kp_self, call->depth);
        return;
    }
    now = kp_clock_now(t->clock);
    suspends = __builtin_expect(call->generator, 0) && result && kp_frame_suspended(layout, frame);
    kp_probe_begin(t);
    if (suspends)
        kp_regions_suspend(t, call->depth + 1, (uintptr_t)frame, now);
    /* Calls above it ended unseen (longjmp). */
    if (__builtin_expect(t->depth != call->depth + 1, 0))
        kp_open_unwind_to(t, call->depth + 1, now);
    kp_open_pop(t);
    if (suspends)
        kp_emit_pair(t, KP_EVENT_YIELD, call->id, call->depth, now, (uintptr_t)frame, 0);
    else if (__builtin_expect(result != NULL, 1))
        kp_emit(t, KP_EVENT_EXIT, call->id, call->depth, now);
    else
        kp_emit_unwind(t, call->id, call->depth, now, kp_exception_set_id(t));
    kp_probe_end(t);
}

/* Until 3.8 the evaluator is not told the thread. */
INLINE void *evaluate(const struct kp_cpython_layout *layout, void *thread, void *frame, int throw_flag)
{
    struct kp_thread_state *t = kp_thread_active();
    struct activation call = {0, 0, false};
    void *result;

    if (__builtin_expect(t != NULL, 1))
        enter(layout, t, frame, &call);
    if (layout->minor > 8)
        result = next_eval(thread, frame, throw_flag);
    else
        result = ((eval_frame_3_8)(void *)next_eval)(frame, throw_flag);
    if (call.id)
        leave(layout, frame, &call, result);
    return result;
}

/* One hook per row, with its offsets as constants. */
static void *hook_3_8(void *frame, int throw_flag)
{
    return evaluate(&kp_cpython_layouts[0], NULL, frame, throw_flag);
}

#define HOOK(minor, row)                                                                                     \
    static void *hook_3_##minor(void *thread, void *frame, int throw_flag)                                   \
    {                                                                                                        \
        _Static_assert(sizeof kp_cpython_layouts / sizeof *kp_cpython_layouts > (row),                       \
                       "a row for each hook");                                                               \
        return evaluate(&kp_cpython_layouts[row], thread, frame, throw_flag);                                \
    }

HOOK(9, 1)
HOOK(10, 2)
HOOK(11, 3)

static void *const hooks[] = {(void *)hook_3_8, (void *)hook_3_9, (void *)hook_3_10, (void *)hook_3_11};

/*
 * 3.8 has no setter. The slot is the one word of the interpreter state that holds the default evaluator
 * (offset 568 in 3.8.18); the state is about 4 KiB, allocated as one block.
 */
static void **find_slot_3_8(void *interpreter)
{
    void **words = interpreter, **found = NULL;

    for (size_t i = 0; i < 512; i++) {
        if (words[i] != (void *)kp_cpython.eval_default)
            continue;
        if (found)
            return NULL;
        found = &words[i];
    }
    return found;
}

static bool attach_3_8(void *interpreter)
{
    void **slot = find_slot_3_8(interpreter);

    if (!slot)
        return false;
    next_eval = (eval_frame)(void *)kp_cpython.eval_default;
    *slot = hooks[0];
    return true;
}

static bool attach(void *interpreter, char *reason, size_t reason_bytes)
{
    const struct kp_cpython_layout *layout = kp_cpython_layout();

    if (!layout || layout->minor - 8 >= sizeof hooks / sizeof *hooks || !kp_cpython.eval_default) {
        snprintf(reason, reason_bytes, "the layout of its frames is not known");
        return false;
    }
    if (kp_cpython.minor == 8) {
        if (attach_3_8(interpreter))
            return true;
        snprintf(reason, reason_bytes, "the evaluator's slot was not found (another tool's hook?)");
        return false;
    }
    if (!kp_cpython.eval_hook_get || !kp_cpython.eval_hook_set) {
        snprintf(reason, reason_bytes, "it does not export its frame evaluation hook");
        return false;
    }
    next_eval = (eval_frame)kp_cpython.eval_hook_get(interpreter);
    kp_cpython.eval_hook_set(interpreter, hooks[layout->minor - 8]);
    return true;
}

const struct kp_engine kp_engine_frame = {
    .name = "frame",
    .choice = KP_ENGINE_FRAME,
    .minor_min = 8,
    .minor_max = 11,
    .attach = attach,
};

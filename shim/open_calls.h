/*
 * Open calls: the activations of a thread, innermost last, whoever saw them begin: an engine (a Python
 * function), a thunk of a builtin, a thunk of an exported C function. One stack, so that one timeline comes
 * out.
 *
 * An activation's `frame` tells whose it is: the address of a Python frame; an odd number for a call of C
 * code or a region of the program's own (a tag); NULL from engines that know no frames. At all times outside
 * of a probe, kp_local.top == t->open.base + t->depth and kp_local.top_frame == kp_local.top->frame.
 *
 * A probe sets t->busy while it works. A signal handler that calls a traced function in that time must not
 * touch ring and stack: its calls pass, and are counted (kp_thread_pass).
 */
#ifndef KP_SHIM_OPEN_CALLS_H
#define KP_SHIM_OPEN_CALLS_H

#include <stdatomic.h>

#include "clock.h"
#include "emit.h"
#include "thread.h"

static inline void kp_probe_begin(struct kp_thread_state *t)
{
    t->busy = KP_BUSY_PROBE;
    /* Only a handler on this thread looks. */
    atomic_signal_fence(memory_order_seq_cst);
}

static inline void kp_probe_end(struct kp_thread_state *t)
{
    atomic_signal_fence(memory_order_seq_cst);
    t->busy = 0;
}

/*
 * A probe begins, if events may be written at once: the clock is the counter and three slots are free. In
 * this order: a signal handler may use up the room until the probe has begun. General registers only, nothing
 * is called.
 */
static inline bool kp_probe_try(struct kp_thread_state *t)
{
    if (!kp_thread_is_recording(t) || t->clock != KP_CLOCK_TSC)
        return false;
    kp_probe_begin(t);
    if (__builtin_expect(t->head < t->limit, 1))
        return true;
    kp_probe_end(t);
    return false;
}

/*
 * The shim's own work in the program's thread, in the slow path: what the interpreter and libc call in its
 * course is none of the program's calls. Returns what kp_own_end puts back. Any thread, with a state or
 * without.
 */
static inline uint32_t kp_own_begin(struct kp_thread_state *t)
{
    bool shared = t == &kp_nobody || t == &kp_untraced;
    uint32_t before = shared ? kp_local.own : t->busy;

    if (shared)
        kp_local.own = true;
    else
        t->busy = KP_BUSY_OWN;
    atomic_signal_fence(memory_order_seq_cst);
    return before;
}

static inline void kp_own_end(struct kp_thread_state *t, uint32_t before)
{
    atomic_signal_fence(memory_order_seq_cst);
    if (t == &kp_nobody || t == &kp_untraced)
        kp_local.own = before;
    else
        t->busy = before;
}

/*
 * Make room above the top: more than t->open.ahead entries. False: no memory, tracing is off now. Moves the
 * stack.
 */
bool kp_open_grow(struct kp_thread_state *t);

/* A probe was left in the midst, by a jump out of a handler that interrupted it: what it did half is undone.
 */
void kp_open_settle(struct kp_thread_state *t);

/* Start with nothing open. In a thread without state that is all there ever is. False: no memory. */
bool kp_open_start(struct kp_thread_state *t);

/* Go on with another stack, in which nothing is open. */
void kp_open_use(struct kp_thread_state *t, struct kp_open_stack stack);

static inline void kp_open_push(struct kp_thread_state *t, void *frame, uint32_t id)
{
    kp_local.top[1] = (struct kp_activation){.frame = frame, .id = id};
    kp_local.top++;
    kp_local.top_frame = frame;
    t->depth++;
}

/* Make sure that a push has room. */
static inline bool kp_open_room(struct kp_thread_state *t)
{
    return __builtin_expect(kp_local.top < kp_local.limit, 1) || kp_open_grow(t);
}

/* Take the innermost activation off; returns its id. */
static inline uint32_t kp_open_pop(struct kp_thread_state *t)
{
    uint32_t id = kp_local.top->id;

    kp_local.top--;
    kp_local.top_frame = kp_local.top->frame;
    t->depth--;
    return id;
}

/* By what calls were left: ids of exception types, 0 where it is not known. Calls of C code have none. */
struct kp_left_by {
    uint32_t last; /* the outermost of them */
    uint32_t above;
};

/* End the innermost activations until only `depth` are open: nobody told of their ends. */
void kp_open_unwind_by(struct kp_thread_state *t, uint32_t depth, uint64_t now, struct kp_left_by by);

static inline void kp_open_unwind_to(struct kp_thread_state *t, uint32_t depth, uint64_t now)
{
    kp_open_unwind_by(t, depth, now, (struct kp_left_by){0, 0});
}

/* A call of C code or a region, not a Python frame. */
static inline bool kp_frame_is_call(const void *frame)
{
    return (uintptr_t)frame & 1;
}

/*
 * A region that the program named itself (manual.h). Its owner, the innermost activation below that is none,
 * goes on to run while it is open, and takes it along when it ends.
 */
static inline bool kp_frame_is_region(const void *frame)
{
    return (uintptr_t)frame & 2;
}

/* The place of the innermost of `depth` activations above `floor` that is no region; `floor` when there is
 * none. */
static inline uint32_t kp_open_owner_of(const struct kp_thread_state *t, uint32_t depth, uint32_t floor)
{
    while (depth > floor && kp_frame_is_region(t->open.base[depth].frame))
        depth--;
    return depth;
}

static inline uint32_t kp_open_owner(const struct kp_thread_state *t, uint32_t floor)
{
    return kp_open_owner_of(t, t->depth, floor);
}

/* The thread ends, and its calls of C code with it. */
void kp_open_end_calls(struct kp_thread_state *t);

/* The same as kp_open_unwind_to without a word, in a thread that does not record at the moment: it may again.
 */
void kp_open_forget(struct kp_thread_state *t, uint32_t depth);

/*
 * For engines that are told of ends by a function's id alone: end the innermost activation, which must be
 * `id`; calls above it ended unseen and get an UNWIND. False: no such call is open, it began before tracing
 * did. t->depth is then its depth.
 */
bool kp_open_find_id(struct kp_thread_state *t, uint32_t id, uint64_t now);

static inline bool kp_open_pop_id(struct kp_thread_state *t, uint32_t id, uint64_t now)
{
    if (__builtin_expect(t->depth == 0 || kp_local.top->id != id, 0) && !kp_open_find_id(t, id, now))
        return false;
    kp_open_pop(t);
    return true;
}

/* --- calls of C code --- */

/*
 * An odd number that no other open call of the process has. (Addresses of objects that live as long as the
 * call, made odd, serve as well; the stack does not, since greenlets share it.)
 */
static inline void *kp_call_tag(struct kp_thread_state *t)
{
    return (void *)(uintptr_t)(++t->calls_tagged << 2 | 1);
}

/* The same for a region. */
static inline void *kp_region_tag(struct kp_thread_state *t)
{
    return (void *)(uintptr_t)(++t->calls_tagged << 2 | 3);
}

/*
 * A call begins: an activation and an ENTER. `t` is from kp_thread_active(); its depth and stack are changed,
 * so the caller is inside kp_probe_begin. False: no memory; nothing was recorded and nothing is to be closed.
 */
static inline bool kp_call_begin(struct kp_thread_state *t, uint32_t id, void *tag)
{
    uint32_t depth;

    if (!kp_open_room(t))
        return false;
    depth = t->depth;
    kp_open_push(t, tag, id);
    kp_emit_enter(t, id, depth);
    return true;
}

/* A call was left without its end; what belongs to its tag is free. NULL: nothing does. */
extern void (*kp_open_left)(void *tag);

/*
 * Where the call of a tag is when it is not in the stack: an engine that keeps several stacks (greenlets)
 * finds it and makes its stack the current one. NULL: no engine does.
 */
extern bool (*kp_open_elsewhere)(struct kp_thread_state *t, const void *tag, uint64_t now);

/* kp_call_end when the call is not the innermost one, or tracing is not simply on. */
void kp_call_end_slow(const void *tag, unsigned kind);

/*
 * The call ends by an exception of the interpreter; its type's id is asked for once the time is taken, and
 * with the probe begun. 0: unknown.
 */
void kp_call_fail(const void *tag, uint32_t (*exception)(struct kp_thread_state *t));

/* The call ends: KP_EVENT_EXIT or KP_EVENT_UNWIND. In the thread that began it, tracing or not. */
static inline void kp_call_end(const void *tag, unsigned kind)
{
    struct kp_thread_state *t = kp_self;
    uint64_t now;
    uint32_t id;

    if (__builtin_expect(kp_local.top_frame != tag || !kp_thread_is_recording(t) || t->busy, 0)) {
        kp_call_end_slow(tag, kind);
        return;
    }
    kp_probe_begin(t);
    /* Not before: a handler may write events until the probe has begun. */
    now = kp_clock_now(t->clock);
    id = kp_open_pop(t);
    kp_emit(t, kind, id, t->depth, now);
    kp_probe_end(t);
}

#endif

#include "open_calls.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "core.h"
#include "memory.h"

#define FIRST_ROOM  4096u
#define FIRST_AHEAD 256u

static struct kp_activation nothing_open;
static const struct kp_cache_entry no_cache[KP_CACHE_SETS];

/* Stands in for structures that are not known yet: whatever field is followed leads back here. */
static void *nowhere[512];

__thread struct kp_local kp_local __attribute__((tls_model("initial-exec"))) = {
    .interpreter_thread = nowhere,
    .top = &nothing_open,
    .cache = (struct kp_cache_entry *)no_cache,
    .self = &kp_nobody,
};

void (*kp_open_left)(void *tag);
bool (*kp_open_elsewhere)(struct kp_thread_state *t, const void *tag, uint64_t now);

void kp_open_setup(void)
{
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++)
        nowhere[i] = nowhere;
}

bool kp_local_is_new(void)
{
    return kp_local.interpreter_thread == nowhere;
}

void kp_local_forget(void)
{
    kp_local = (struct kp_local){.interpreter_thread = kp_local.interpreter_thread,
                                 .top = &nothing_open,
                                 .cache = (struct kp_cache_entry *)no_cache,
                                 .self = kp_local.self,
                                 .own = kp_local.own};
}

static void set_top(struct kp_thread_state *t)
{
    kp_local.top = t->open.base + t->depth;
    kp_local.top_frame = kp_local.top->frame;
    kp_local.limit = t->open.base + t->open.room - t->open.ahead - 1;
}

bool kp_open_reserve(struct kp_open_stack *stack, uint32_t depth)
{
    uint32_t room = stack->room ? stack->room : FIRST_ROOM;
    struct kp_activation *larger;

    while (room <= depth + stack->ahead + 1)
        room *= 2;
    if (room == stack->room)
        return true;
    larger = kp_memory_private(room * sizeof *larger);
    if (!larger)
        return false;
    if (stack->base) {
        memcpy(larger, stack->base, (depth + 1) * sizeof *larger);
        munmap(stack->base, stack->room * sizeof *larger);
    }
    stack->base = larger;
    stack->room = room;
    return true;
}

bool kp_open_grow(struct kp_thread_state *t)
{
    uint32_t before;
    int saved = errno;
    bool good;

    /* No stack: a thread that has ended. */
    if (!t->open.base)
        return false;
    before = kp_own_begin(t);
    good = kp_open_reserve(&t->open, t->depth);
    if (!good)
        kp_core_disable("no memory for the stack of open calls");
    set_top(t);
    kp_own_end(t, before);
    errno = saved;
    return good;
}

void kp_open_settle(struct kp_thread_state *t)
{
    if (t->open.base)
        set_top(t);
    kp_probe_end(t);
}

bool kp_open_start(struct kp_thread_state *t)
{
    t->depth = 0;
    t->open.ahead = FIRST_AHEAD;
    if (!kp_open_reserve(&t->open, 0))
        return false;
    t->open.base[0] = (struct kp_activation){0};
    set_top(t);
    return true;
}

void kp_open_use(struct kp_thread_state *t, struct kp_open_stack stack)
{
    t->open = stack;
    t->depth = 0;
    set_top(t);
}

/* Take off the innermost activation, whose own end will not come; returns its id. */
static uint32_t drop(struct kp_thread_state *t)
{
    void *frame = kp_local.top_frame;
    uint32_t id = kp_open_pop(t);

    if (kp_frame_is_call(frame) && kp_open_left)
        kp_open_left(frame);
    return id;
}

void kp_open_unwind_by(struct kp_thread_state *t, uint32_t depth, uint64_t now, struct kp_left_by by)
{
    while (t->depth > depth) {
        bool is_call = kp_frame_is_call(kp_local.top_frame);
        uint32_t id = drop(t);

        kp_emit_unwind(t, id, t->depth, now, is_call ? 0 : t->depth == depth ? by.last : by.above);
    }
}

void kp_open_end_calls(struct kp_thread_state *t)
{
    uint32_t depth = 0;

    while (depth < t->depth && !kp_frame_is_call(t->open.base[depth + 1].frame))
        depth++;
    if (depth == t->depth || !kp_thread_is_recording(t))
        return;
    kp_probe_begin(t);
    kp_open_unwind_to(t, depth, kp_clock_now(t->clock));
    kp_probe_end(t);
}

void kp_open_forget(struct kp_thread_state *t, uint32_t depth)
{
    while (t->depth > depth)
        drop(t);
}

bool kp_open_find_id(struct kp_thread_state *t, uint32_t id, uint64_t now)
{
    uint32_t found = t->depth;

    while (found > 0 && t->open.base[found].id != id)
        found--;
    if (found == 0)
        return false;
    kp_open_unwind_to(t, found, now);
    return true;
}

void kp_call_fail(const void *tag, uint32_t (*exception)(struct kp_thread_state *t))
{
    struct kp_thread_state *t = kp_self;
    uint64_t now;
    uint32_t id, type;

    if (kp_local.top_frame != tag || !kp_thread_is_recording(t) || t->busy) {
        kp_call_end_slow(tag, KP_EVENT_UNWIND);
        return;
    }
    kp_probe_begin(t);
    now = kp_clock_now(t->clock);
    type = exception(t);
    id = kp_open_pop(t);
    kp_emit_unwind(t, id, t->depth, now, type);
    kp_probe_end(t);
}

static uint32_t find_tag(struct kp_thread_state *t, const void *tag)
{
    uint32_t found = t->depth;

    while (found > 0 && t->open.base[found].frame != tag)
        found--;
    return found;
}

void kp_call_end_slow(const void *tag, unsigned kind)
{
    struct kp_thread_state *t = kp_self;
    int saved = errno;
    uint32_t depth, id;
    uint64_t now;

    /* A handler interrupted the probe that is ending a call; or the thread's state is gone. */
    if (t->busy || !t->open.base)
        return;
    depth = find_tag(t, tag);
    t = kp_thread_active();
    if (!t) {
        if (depth) {
            kp_open_forget(kp_self, depth);
            kp_open_pop(kp_self);
        }
        errno = saved;
        return;
    }
    kp_probe_begin(t);
    now = kp_clock_now(t->clock);
    if (!depth && kp_open_elsewhere && kp_open_elsewhere(t, tag, now))
        depth = find_tag(t, tag);
    if (depth) {
        kp_open_unwind_to(t, depth, now);
        id = kp_open_pop(t);
        kp_emit(t, kind, id, t->depth, now);
    }
    kp_probe_end(t);
    errno = saved;
}

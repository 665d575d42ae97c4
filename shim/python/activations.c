#include "activations.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "code_object.h"
#include "emit.h"
#include "memory.h"

/* _PyStackChunk, Include/cpython/pystate.h, 3.11 to 3.14. */
struct chunk {
    const struct chunk *previous;
    size_t bytes;
};

/* The least that a frame takes: 9 words, no local, no operand (struct _PyInterpreterFrame). */
#define FRAME_BYTES_MIN 72
#define FIRST_ROOM      4096u

static const struct kp_cache_entry no_cache[KP_CACHE_SETS];
static struct kp_activation no_activation;
/* Stand in for the thread state of threads that are not known yet: whatever field is followed leads back
 * here. */
static void *nowhere[512];

__thread struct kp_opcode_thread kp_opcode_thread __attribute__((tls_model("initial-exec"))) = {
    .tstate = nowhere,
    .top = &no_activation,
    .cache = (struct kp_cache_entry *)no_cache,
};

#define LOCAL kp_opcode_thread

struct kp_opcode_row kp_opcode_row;

void kp_activations_setup(void)
{
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++)
        nowhere[i] = nowhere;
}

static bool make_room(struct kp_activation_stack *stack, uint32_t depth, uint32_t ahead)
{
    uint32_t room = stack->room ? stack->room : FIRST_ROOM;
    struct kp_activation *larger;

    while (room <= depth + ahead)
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

/* t->depth is the truth; the thread-local values follow. */
static void set_top(struct kp_thread_state *t, struct kp_activations *a)
{
    LOCAL.top = a->current.base + t->depth;
    LOCAL.top_frame = LOCAL.top->frame;
}

static bool ensure_room(struct kp_thread_state *t, struct kp_activations *a)
{
    if (!make_room(&a->current, t->depth, a->ahead + 1)) {
        kp_core_disable("no memory for the stack of open calls");
        return false;
    }
    set_top(t, a);
    return true;
}

static void park(struct kp_activations *a, struct kp_activation_stack *stack)
{
    stack->next = a->parked;
    a->parked = stack;
}

static void forget_parked(struct kp_activations *a)
{
    while (a->parked) {
        struct kp_activation_stack *stack = a->parked;

        a->parked = stack->next;
        stack->next = a->unused;
        a->unused = stack;
    }
}

/* The state was of another thread before, or is new. */
static struct kp_activations *start(struct kp_thread_state *t)
{
    struct kp_activations *a = t->activations;

    if (!a)
        t->activations = a = kp_memory_private(sizeof *a);
    if (!a)
        return NULL;
    forget_parked(a);
    t->depth = 0;
    a->current.root = NULL;
    a->floor = 0;
    a->ahead = 256;
    a->epoch = t->epoch;
    if (!ensure_room(t, a))
        return NULL;
    LOCAL.chunk = NULL;
    LOCAL.cache = t->cache;
    return a;
}

void kp_activations_reset(struct kp_thread_state *t)
{
    LOCAL = (struct kp_opcode_thread){
        .tstate = LOCAL.tstate, .top = &no_activation, .cache = (struct kp_cache_entry *)no_cache};
    t->depth = 0;
}

/* Whether `frame` is among `from` and the frames that wait for it. */
static bool is_below(const void *frame, void *from)
{
    while (from && from != frame)
        from = KP_FIELD(void *, from, kp_opcode_row.frame_previous);
    return from != NULL;
}

/* End the innermost activation. */
static void pop(struct kp_thread_state *t, unsigned kind, uint64_t now)
{
    uint32_t id = LOCAL.top->id;
    void *frame = LOCAL.top_frame;

    LOCAL.top_frame = (--LOCAL.top)->frame;
    t->depth--;
    if (kind == KP_EVENT_YIELD)
        kp_emit_pair(t, kind, id, t->depth, now, (uintptr_t)frame, 0);
    else
        kp_emit(t, kind, id, t->depth, now);
}

static void pop_to(struct kp_thread_state *t, uint32_t depth, uint64_t now)
{
    while (t->depth > depth)
        pop(t, KP_EVENT_UNWIND, now);
}

/* `frame` runs: activations above it were left by exceptions. */
static void unwind_to(struct kp_thread_state *t, const struct kp_activations *a, void *frame, uint64_t now)
{
    while (t->depth > a->floor && LOCAL.top_frame != frame && !is_below(LOCAL.top_frame, frame))
        pop(t, KP_EVENT_UNWIND, now);
}

static const void *root_of(const struct chunk *chunk)
{
    while (chunk && chunk->previous)
        chunk = chunk->previous;
    return chunk;
}

static struct kp_activation_stack *take_parked(struct kp_activations *a, const void *root)
{
    for (struct kp_activation_stack **link = &a->parked; *link; link = &(*link)->next) {
        struct kp_activation_stack *stack = *link;

        if (stack->root == root) {
            *link = stack->next;
            return stack;
        }
    }
    return NULL;
}

/* Suspend what is open, and keep it under the root of its frame stack. */
static bool leave_stack(struct kp_thread_state *t, struct kp_activations *a, uint64_t now)
{
    struct kp_activation_stack *stack = a->unused ? a->unused : kp_memory_private(sizeof *stack);
    struct kp_activation_stack left = a->current;

    if (!stack)
        return false;
    a->unused = stack->next;
    left.depth = t->depth;
    while (t->depth > 0)
        pop(t, KP_EVENT_YIELD, now);
    /* The memory of the unused one serves the stack that goes on. */
    a->current = (struct kp_activation_stack){.base = stack->base, .room = stack->room};
    *stack = left;
    park(a, stack);
    return true;
}

static void enter_stack(struct kp_thread_state *t, struct kp_activations *a,
                        struct kp_activation_stack *stack, uint64_t now)
{
    struct kp_activation_stack entered = *stack;

    *stack = a->current;
    stack->next = a->unused;
    a->unused = stack;
    a->current = entered;
    while (t->depth < entered.depth) {
        const struct kp_activation *activation = &entered.base[t->depth + 1];

        kp_emit_pair(t, KP_EVENT_RESUME, activation->id, t->depth, now, (uintptr_t)activation->frame, 0);
        t->depth++;
    }
}

/*
 * Another stack goes on. What is parked under its root may be of a stack that is gone, whose memory was used
 * again: then its frames do not wait for the one that runs.
 */
static void switch_stack(struct kp_thread_state *t, struct kp_activations *a, const void *root, void *frame,
                         uint64_t now)
{
    struct kp_activation_stack *stack = take_parked(a, root);

    if (t->depth > 0 && !leave_stack(t, a, now))
        return;
    a->current.root = root;
    if (stack && is_below(stack->base[stack->depth].frame, frame)) {
        enter_stack(t, a, stack, now);
    } else if (stack) {
        stack->next = a->unused;
        a->unused = stack;
    }
}

/* The frame stack has got a new newest piece, or lost one, or another one is in its place. */
static bool look_at_chunk(struct kp_thread_state *t, struct kp_activations *a, void *frame, uint64_t now)
{
    const struct chunk *chunk = KP_FIELD(const struct chunk *, LOCAL.tstate, kp_opcode_row.thread_chunk);
    const void *root = root_of(chunk);
    uint32_t frames = chunk ? (uint32_t)(chunk->bytes / FRAME_BYTES_MIN) : 0;

    if (root != a->current.root) {
        bool same = t->depth > a->floor && is_below(LOCAL.top_frame, frame);

        if (same || (t->depth == a->floor && !a->parked))
            a->current.root = root;
        else
            switch_stack(t, a, root, frame, now);
    }
    LOCAL.chunk = (void *)chunk;
    a->ahead = frames > a->ahead ? frames : a->ahead;
    return ensure_room(t, a);
}

/* What every event begins with. */
struct context {
    struct kp_thread_state *t;
    struct kp_activations *a;
    void *frame;
};

static bool look_around(struct context *c, uint64_t now)
{
    struct kp_thread_state *t = kp_thread_active();
    struct kp_activations *a;
    void *frame;

    if (!t)
        return false;
    a = t->activations;
    if (LOCAL.tstate == nowhere)
        LOCAL.tstate = kp_cpython.thread_unchecked();
    /* The state is new to this thread, whether or not it was another's before. */
    if ((!a || LOCAL.cache != t->cache || LOCAL.top != a->current.base + t->depth) && !(a = start(t)))
        return false;
    frame = kp_opcode_frame(LOCAL.tstate);
    if (KP_FIELD(void *, LOCAL.tstate, kp_opcode_row.thread_chunk) != LOCAL.chunk &&
        !look_at_chunk(t, a, frame, now))
        return false;
    /* Nothing was seen for a while: calls may have ended meanwhile. */
    if (a->epoch != t->epoch) {
        a->epoch = t->epoch;
        unwind_to(t, a, frame, now);
    }
    *c = (struct context){t, a, frame};
    return true;
}

static uint32_t id_of(struct kp_thread_state *t, void *frame)
{
    return kp_code_id(t, kp_opcode_code(frame), KP_FIELD(void *, frame, kp_opcode_row.frame_globals));
}

static void push(struct kp_thread_state *t, void *frame, uint32_t id)
{
    *++LOCAL.top = (struct kp_activation){.frame = frame, .id = id};
    LOCAL.top_frame = frame;
    t->depth++;
}

static void begin(struct context *c, uint32_t id, bool goes_on, uint64_t now)
{
    uint32_t depth = c->t->depth;

    if (!ensure_room(c->t, c->a))
        return;
    push(c->t, c->frame, id);
    if (goes_on)
        kp_emit_pair(c->t, KP_EVENT_RESUME, id, depth, now, (uintptr_t)c->frame, 0);
    else
        kp_emit_enter(c->t, id, depth);
}

static void on_start(struct context *c, uint64_t now)
{
    uint32_t id;

    /* CPython dispatches a RESUME once more when it has instrumented the code meanwhile. */
    if (c->frame == LOCAL.top_frame)
        return;
    id = id_of(c->t, c->frame);
    if (id)
        begin(c, id, kp_opcode_of_generator(c->frame) && kp_opcode_goes_on(c->frame), now);
}

static void on_leave(struct context *c, unsigned kind, uint64_t now)
{
    /* Not innermost: it began before tracing, is not traced, or calls above it ended unseen. */
    if (c->frame != LOCAL.top_frame)
        unwind_to(c->t, c->a, c->frame, now);
    if (c->frame == LOCAL.top_frame)
        pop(c->t, kind, now);
}

void kp_opcode_event(unsigned kind)
{
    uint64_t now = kp_clock_now(kp_core.clock);
    int saved = errno;
    struct context c;

    if (look_around(&c, now)) {
        if (kp_opcode_is_hidden(LOCAL.tstate))
            ;
        else if (kind == K_START)
            on_start(&c, now);
        else if (kind == K_HANDLER)
            unwind_to(c.t, c.a, c.frame, now);
        else
            on_leave(&c, kind == K_RETURN ? KP_EVENT_EXIT : KP_EVENT_YIELD, now);
    } else if (atomic_load(&kp_core.state) == KP_CORE_OFF) {
        kp_opcode_withdraw();
    }
    errno = saved;
}

/* An exception is thrown into a generator: no instruction of it runs unless it has a handler. */
static void on_throw(struct context *c, uint64_t now)
{
    uint32_t id;

    if (c->frame == LOCAL.top_frame || kp_opcode_is_hidden(LOCAL.tstate))
        return;
    id = id_of(c->t, c->frame);
    if (id)
        begin(c, id, kp_opcode_goes_on(c->frame), now);
}

void kp_opcode_entering(void *tstate, void *frame, int throw_flag, struct kp_opcode_saved *saved)
{
    uint64_t now = kp_clock_now(kp_core.clock);
    int saved_errno = errno;
    struct context c;
    struct kp_activations *a = kp_self->activations;

    *saved = (struct kp_opcode_saved){.tstate = LOCAL.tstate, .chunk = LOCAL.chunk};
    saved->switched = tstate != LOCAL.tstate;
    LOCAL.tstate = tstate;
    if (saved->switched && a && LOCAL.cache == kp_self->cache) {
        /* Its frames do not link to ours; it runs on top of them all the same. */
        saved->bound = true;
        saved->root = a->current.root;
        saved->floor = a->floor;
        a->floor = kp_self->depth;
        a->current.root = NULL;
    }
    saved->depth = kp_self->depth;
    if (look_around(&c, now)) {
        saved->depth = c.t->depth;
        /* Not yet linked to the one that runs. */
        c.frame = frame;
        if (throw_flag)
            on_throw(&c, now);
    }
    errno = saved_errno;
}

void kp_opcode_returned(const struct kp_opcode_saved *saved)
{
    struct kp_activations *a = kp_self->activations;

    if (kp_self->depth != saved->depth)
        kp_opcode_left(saved->depth);
    if (!saved->switched)
        return;
    if (saved->tstate != nowhere) {
        LOCAL.tstate = saved->tstate;
        LOCAL.chunk = (void *)saved->chunk;
    }
    if (saved->bound && a && LOCAL.cache == kp_self->cache) {
        a->current.root = saved->root;
        a->floor = saved->floor;
    }
}

void kp_opcode_left(uint32_t depth)
{
    uint64_t now = kp_clock_now(kp_core.clock);
    int saved = errno;
    struct context c;

    if (look_around(&c, now))
        pop_to(c.t, depth > c.a->floor ? depth : c.a->floor, now);
    errno = saved;
}

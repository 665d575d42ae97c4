#include "activations.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "code_object.h"
#include "emit.h"
#include "exception_type.h"
#include "held_regions.h"
#include "memory.h"
#include "opcode_caught.h"

/* _PyStackChunk, Include/cpython/pystate.h, 3.11 to 3.14. */
struct chunk {
    const struct chunk *previous;
    size_t bytes;
};

/* The least that a frame takes: 9 words, no local, no operand (struct _PyInterpreterFrame). */
#define FRAME_BYTES_MIN 72

#define LOCAL kp_local

struct kp_opcode_row kp_opcode_row;

static void park(struct kp_activations *a, struct kp_parked_stack *stack)
{
    stack->next = a->parked;
    a->parked = stack;
}

static void forget_parked(struct kp_activations *a)
{
    while (a->parked) {
        struct kp_parked_stack *stack = a->parked;

        a->parked = stack->next;
        stack->next = a->unused;
        a->unused = stack;
    }
}

static bool find_elsewhere(struct kp_thread_state *t, const void *tag, uint64_t now);

/* The state was of another thread before, or is new. Calls of C code may be open already. */
static struct kp_activations *start(struct kp_thread_state *t)
{
    struct kp_activations *a = t->activations;

    if (!a)
        t->activations = a = kp_memory_private(sizeof *a);
    if (!a)
        return NULL;
    kp_open_elsewhere = find_elsewhere;
    forget_parked(a);
    a->root = NULL;
    a->floor = t->depth;
    a->epoch = t->epoch;
    LOCAL.chunk = NULL;
    LOCAL.cache = t->cache;
    return a;
}

bool kp_activations_start(struct kp_thread_state *t)
{
    return kp_open_start(t) && start(t);
}

/* Whether `frame` is among `from` and the frames that wait for it. */
static bool is_below(const void *frame, void *from)
{
    while (from && from != frame)
        from = KP_FIELD(void *, from, kp_opcode_row.frame_previous);
    return from != NULL;
}

/* End (by returning) or suspend the innermost activation. */
static void pop(struct kp_thread_state *t, unsigned kind, uint64_t now)
{
    void *frame = LOCAL.top_frame;
    uint32_t id = kp_open_pop(t);

    if (kind == KP_EVENT_YIELD)
        kp_emit_pair(t, kind, id, t->depth, now, (uintptr_t)frame, 0);
    else
        kp_emit(t, kind, id, t->depth, now);
}

/*
 * `frame` runs: activations above it were left by exceptions. Not so calls of C code: while they are open,
 * what runs runs above them. Nor the regions of the frame that runs or waits. Returns how many are still
 * open.
 */
static uint32_t still_open(struct kp_thread_state *t, const struct kp_activations *a, void *frame)
{
    uint32_t depth = t->depth;

    for (;;) {
        uint32_t owner = kp_open_owner_of(t, depth, a->floor);
        void *waits = t->open.base[owner].frame;

        if (owner == a->floor || waits == frame || kp_frame_is_call(waits) || is_below(waits, frame))
            return depth;
        depth = owner - 1;
    }
}

static void unwind_to(struct kp_thread_state *t, const struct kp_activations *a, void *frame, uint64_t now)
{
    kp_open_unwind_to(t, still_open(t, a, frame), now);
}

/* `frame` is about to end or to be suspended: its regions are before. */
static void leave_regions(struct kp_thread_state *t, const struct kp_activations *a, const void *frame,
                          unsigned kind, uint64_t now)
{
    uint32_t owner = kp_open_owner(t, a->floor);

    if (owner == a->floor || t->open.base[owner].frame != frame)
        return;
    if (kind == KP_EVENT_YIELD)
        kp_regions_suspend(t, owner, (uintptr_t)frame, now);
    kp_open_unwind_to(t, owner, now);
}

static const void *root_of(const struct chunk *chunk)
{
    while (chunk && chunk->previous)
        chunk = chunk->previous;
    return chunk;
}

static struct kp_parked_stack *take_parked(struct kp_activations *a, const void *root)
{
    for (struct kp_parked_stack **link = &a->parked; *link; link = &(*link)->next) {
        struct kp_parked_stack *stack = *link;

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
    struct kp_parked_stack *stack = a->unused ? a->unused : kp_memory_private(sizeof *stack);
    struct kp_parked_stack left = {.open = t->open, .depth = t->depth, .root = a->root, .floor = a->floor};

    if (!stack)
        return false;
    stack->open.ahead = t->open.ahead;
    if (!kp_open_reserve(&stack->open, 0))
        return false;
    a->unused = stack->next;
    while (t->depth > 0)
        pop(t, KP_EVENT_YIELD, now);
    /* The memory of the unused one serves the stack that goes on. */
    kp_open_use(t, stack->open);
    a->floor = 0;
    *stack = left;
    park(a, stack);
    return true;
}

static void enter_stack(struct kp_thread_state *t, struct kp_activations *a, struct kp_parked_stack *stack,
                        uint64_t now)
{
    struct kp_parked_stack entered = *stack;

    entered.open.ahead = t->open.ahead;
    stack->open = t->open;
    stack->next = a->unused;
    a->unused = stack;
    kp_open_use(t, entered.open);
    a->floor = entered.floor;
    while (t->depth < entered.depth) {
        const struct kp_activation *activation = &entered.open.base[t->depth + 1];
        uint32_t depth = t->depth;

        kp_open_push(t, activation->frame, activation->id);
        kp_emit_pair(t, KP_EVENT_RESUME, activation->id, depth, now, (uintptr_t)activation->frame, 0);
    }
}

/* The innermost Python frame of `depth` open calls above `floor`; NULL: there are only calls of C code. */
static void *innermost_frame(const struct kp_open_stack *open, uint32_t depth, uint32_t floor)
{
    while (depth > floor && kp_frame_is_call(open->base[depth].frame))
        depth--;
    return depth > floor ? open->base[depth].frame : NULL;
}

/*
 * Another stack goes on. What is parked under its root may be of a stack that is gone, whose memory was used
 * again: then its frames do not wait for the one that runs.
 */
static void switch_stack(struct kp_thread_state *t, struct kp_activations *a, const void *root, void *frame,
                         uint64_t now)
{
    struct kp_parked_stack *stack = take_parked(a, root);
    void *waits = stack ? innermost_frame(&stack->open, stack->depth, 0) : NULL;

    if (t->depth > 0 && !leave_stack(t, a, now))
        return;
    a->root = root;
    if (stack && (!waits || is_below(waits, frame))) {
        enter_stack(t, a, stack, now);
    } else if (stack) {
        stack->next = a->unused;
        a->unused = stack;
    }
}

static struct kp_parked_stack *find_parked(struct kp_activations *a, const void *tag)
{
    for (struct kp_parked_stack *stack = a->parked; stack; stack = stack->next)
        for (uint32_t depth = stack->depth; depth > 0; depth--)
            if (stack->open.base[depth].frame == tag)
                return stack;
    return NULL;
}

/* A call of C code ends that is of another stack: a greenlet was switched to, and has run no Python yet. */
static bool find_elsewhere(struct kp_thread_state *t, const void *tag, uint64_t now)
{
    struct kp_activations *a = t->activations;
    struct kp_parked_stack *stack = a && LOCAL.cache == t->cache ? find_parked(a, tag) : NULL;
    const void *root = stack ? stack->root : NULL;

    if (!stack)
        return false;
    stack = take_parked(a, root);
    if (t->depth > 0 && !leave_stack(t, a, now)) {
        park(a, stack);
        return false;
    }
    a->root = root;
    enter_stack(t, a, stack, now);
    LOCAL.chunk = NULL; /* look again at the next event of the interpreter */
    return true;
}

/* The frame stack has got a new newest piece, or lost one, or another one is in its place. */
static bool look_at_chunk(struct kp_thread_state *t, struct kp_activations *a, void *frame, uint64_t now)
{
    const struct chunk *chunk =
        KP_FIELD(const struct chunk *, LOCAL.interpreter_thread, kp_opcode_row.thread_chunk);
    const void *root = root_of(chunk);
    uint32_t frames = chunk ? (uint32_t)(chunk->bytes / FRAME_BYTES_MIN) : 0;

    if (root != a->root) {
        void *innermost = innermost_frame(&t->open, t->depth, a->floor);
        bool same = innermost && is_below(innermost, frame);

        if (same || (t->depth == a->floor && !a->parked))
            a->root = root;
        else
            switch_stack(t, a, root, frame, now);
    }
    LOCAL.chunk = (void *)chunk;
    if (frames <= t->open.ahead)
        return kp_open_room(t);
    t->open.ahead = frames;
    return kp_open_grow(t);
}

/* What every event begins with. */
struct context {
    struct kp_thread_state *t;
    struct kp_activations *a;
    void *frame;
};

static bool look_closely(struct context *c, uint64_t now)
{
    struct kp_thread_state *t = c->t;
    struct kp_activations *a = t->activations;
    void *frame;

    if (kp_local_is_new())
        LOCAL.interpreter_thread = kp_cpython.thread_unchecked();
    /* The state is new to this thread, whether or not it was another's before. */
    if ((!a || LOCAL.cache != t->cache) && !(a = start(t)))
        return false;
    /* A region of C code that was open when the interpreter came may have ended. */
    a->floor = a->floor < t->depth ? a->floor : t->depth;
    frame = kp_opcode_frame(LOCAL.interpreter_thread);
    if (KP_FIELD(void *, LOCAL.interpreter_thread, kp_opcode_row.thread_chunk) != LOCAL.chunk &&
        !look_at_chunk(t, a, frame, now))
        return false;
    /* Nothing was seen for a while: calls may have ended meanwhile. */
    if (a->epoch != t->epoch) {
        a->epoch = t->epoch;
        unwind_to(t, a, frame, now);
    }
    c->a = a;
    c->frame = frame;
    return true;
}

/* A probe begins. True: it has something to do, and has to call kp_probe_end. */
static bool look_around(struct context *c, uint64_t now)
{
    c->t = kp_thread_active();
    if (!c->t)
        return false;
    kp_probe_begin(c->t);
    if (look_closely(c, now))
        return true;
    kp_probe_end(c->t);
    return false;
}

void kp_activations_settle(void)
{
    struct kp_activations *a = kp_self->activations;
    struct context c;

    if (!a || LOCAL.cache != kp_self->cache || LOCAL.interpreter_thread != kp_cpython.thread_unchecked() ||
        KP_FIELD(void *, LOCAL.interpreter_thread, kp_opcode_row.thread_chunk) == LOCAL.chunk)
        return;
    if (look_around(&c, kp_clock_now(kp_core.clock)))
        kp_probe_end(c.t);
}

static uint32_t id_of(struct kp_thread_state *t, void *frame)
{
    return kp_code_id(t, kp_opcode_code(frame), KP_FIELD(void *, frame, kp_opcode_row.frame_globals));
}

static void begin(struct context *c, uint32_t id, bool goes_on, uint64_t now)
{
    uint32_t depth = c->t->depth;

    if (!kp_open_room(c->t))
        return;
    kp_open_push(c->t, c->frame, id);
    if (goes_on) {
        kp_emit_pair(c->t, KP_EVENT_RESUME, id, depth, now, (uintptr_t)c->frame, 0);
        kp_regions_resume(c->t, (uintptr_t)c->frame);
    } else {
        kp_regions_forget((uintptr_t)c->frame);
        kp_emit_enter(c->t, id, depth);
    }
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
    if (c->frame != LOCAL.top_frame) {
        unwind_to(c->t, c->a, c->frame, now);
        leave_regions(c->t, c->a, c->frame, kind, now);
    }
    if (c->frame == LOCAL.top_frame)
        pop(c->t, kind, now);
}

/* A handler starts in the frame that runs. */
static void on_handler(struct context *c, uint64_t now)
{
    uint32_t depth = still_open(c->t, c->a, c->frame);

    if (depth < c->t->depth)
        kp_open_unwind_by(c->t, depth, now, kp_exception_left_by(c->t, kp_opcode_caught(c->frame)));
}

void kp_opcode_event(unsigned kind)
{
    uint64_t now = kp_clock_now(kp_core.clock);
    int saved = errno;
    struct context c;

    if (look_around(&c, now)) {
        if (kp_opcode_is_hidden(LOCAL.interpreter_thread))
            ;
        else if (kind == K_START)
            on_start(&c, now);
        else if (kind == K_HANDLER)
            on_handler(&c, now);
        else
            on_leave(&c, kind == K_RETURN ? KP_EVENT_EXIT : KP_EVENT_YIELD, now);
        kp_probe_end(c.t);
    } else if (atomic_load(&kp_core.state) == KP_CORE_OFF) {
        kp_opcode_withdraw();
    }
    errno = saved;
}

/* An exception is thrown into a generator: no instruction of it runs unless it has a handler. */
static void on_throw(struct context *c, uint64_t now)
{
    uint32_t id;

    if (c->frame == LOCAL.top_frame || kp_opcode_is_hidden(LOCAL.interpreter_thread))
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

    *saved = (struct kp_opcode_saved){.tstate = kp_local_is_new() ? NULL : LOCAL.interpreter_thread,
                                      .chunk = LOCAL.chunk};
    saved->switched = tstate != LOCAL.interpreter_thread;
    LOCAL.interpreter_thread = tstate;
    if (saved->switched && a && LOCAL.cache == kp_self->cache) {
        /* Its frames do not link to ours; it runs on top of them all the same. */
        saved->bound = true;
        saved->root = a->root;
        saved->floor = a->floor;
        a->floor = kp_self->depth;
        a->root = NULL;
    }
    saved->depth = kp_self->depth;
    if (look_around(&c, now)) {
        saved->depth = c.t->depth;
        /* Not yet linked to the one that runs. */
        c.frame = frame;
        if (throw_flag)
            on_throw(&c, now);
        kp_probe_end(c.t);
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
    if (saved->tstate) {
        LOCAL.interpreter_thread = saved->tstate;
        LOCAL.chunk = (void *)saved->chunk;
    }
    if (saved->bound && a && LOCAL.cache == kp_self->cache) {
        a->root = saved->root;
        a->floor = saved->floor;
    }
}

void kp_opcode_left(uint32_t depth)
{
    uint64_t now = kp_clock_now(kp_core.clock);
    int saved = errno;
    struct context c;

    if (look_around(&c, now)) {
        depth = depth > c.a->floor ? depth : c.a->floor;
        /* Regions that frames began that are not traced: they belong to who called the evaluator. */
        while (depth < c.t->depth && kp_frame_is_region(c.t->open.base[depth + 1].frame))
            depth++;
        if (depth < c.t->depth)
            kp_open_unwind_by(c.t, depth, now, kp_exception_set_left_by(c.t));
        kp_probe_end(c.t);
    }
    errno = saved;
}

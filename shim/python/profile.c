/*
 * Engine `profile`: PyEval_SetProfile, the last resort: public interfaces only, for versions that nothing
 * else knows.
 *
 * Profile functions belong to a thread. New threads are found by looking at the head of the interpreter's
 * list at every event, so a thread that C code starts is seen from the next Python call of another thread on.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "code_object.h"
#include "core.h"
#include "cpython_layout.h"
#include "engine.h"
#include "held_regions.h"
#include "open_calls.h"

/* PyTrace_*, Include/cpython/pystate.h. */
enum { TRACE_CALL = 0, TRACE_RETURN = 3 };

/* kp_cache_entry.flags */
enum { FLAGS_KNOWN = 1, FLAGS_GENERATOR = 2 };

static const struct kp_cpython_layout *layout;

/* The newest thread that has our function, and its interpreter; touched with its GIL only. */
static void *seen_interpreter;
static uint64_t seen_number;

static int on_event(void *object, void *frame, int what, void *argument);

static void *code_of(void *frame)
{
    void *code;

    if (!kp_cpython.frame_code)
        return KP_FIELD(void *, frame, layout->frame_code);
    code = kp_cpython.frame_code(frame);
    /* The frame keeps it alive. */
    kp_cpython.decref(code);
    return code;
}

static bool is_generator(struct kp_thread_state *t, void *code)
{
    struct kp_cache_entry *entry = kp_cache_entry(t, code);
    struct kp_error_state error;

    if (!(entry->flags & FLAGS_KNOWN)) {
        kp_error_save(&error);
        entry->flags = FLAGS_KNOWN;
        if (kp_attribute_number(code, "co_flags", 0) & CO_GENERATOR_KINDS)
            entry->flags |= FLAGS_GENERATOR;
        kp_error_restore(&error);
    }
    return entry->flags & FLAGS_GENERATOR;
}

static bool first_run(void *frame, void *code)
{
    if (!kp_cpython.frame_lasti)
        return KP_FIELD(int, frame, layout->frame_last) == -1;
    /* RESUME comes right behind the prologue; the event may stand before or behind it. */
    return kp_code_before_start(code, kp_cpython.frame_lasti(frame) - 4);
}

/* Unique among live generators. */
static uint64_t token(void *frame)
{
    void *generator = kp_cpython.frame_generator ? kp_cpython.frame_generator(frame) : NULL;

    if (generator)
        kp_cpython.decref(generator);
    return generator ? (uintptr_t)generator : (uintptr_t)frame;
}

static bool asks_suspended(void *frame)
{
    static const char *const names[] = {"gi_suspended", "cr_suspended", "ag_suspended"};
    void *generator = kp_cpython.frame_generator(frame);
    bool suspended = false;

    for (size_t i = 0; generator && i < sizeof names / sizeof *names; i++)
        suspended = suspended || kp_attribute_number(generator, names[i], 0) == 1;
    if (generator)
        kp_cpython.decref(generator);
    return suspended;
}

static bool suspended(void *frame, void *code)
{
    if (!layout)
        return asks_suspended(frame);
    return kp_frame_object_suspended(layout, frame, code);
}

static void on_call(struct kp_thread_state *t, void *frame, void *code, uint32_t id)
{
    uint32_t depth = t->depth;
    bool again = is_generator(t, code) && !first_run(frame, code);

    if (!kp_open_room(t))
        return;
    kp_open_push(t, NULL, id);
    if (again) {
        kp_emit_pair(t, KP_EVENT_RESUME, id, depth, kp_clock_now(t->clock), token(frame), 0);
        kp_regions_resume(t, token(frame));
    } else {
        if (is_generator(t, code))
            kp_regions_forget(token(frame));
        kp_emit_enter(t, id, depth);
    }
}

static void on_return(struct kp_thread_state *t, void *frame, void *code, uint32_t id, const void *value,
                      uint64_t now)
{
    bool yields = value && is_generator(t, code) && suspended(frame, code);
    uint32_t owner = kp_open_owner(t, 0);

    if (yields && t->open.base[owner].id == id)
        kp_regions_suspend(t, owner, token(frame), now);
    if (!kp_open_pop_id(t, id, now))
        return;
    if (!yields && kp_frame_object_raises(layout, frame, value))
        kp_emit(t, KP_EVENT_UNWIND, id, t->depth, now);
    else if (yields)
        kp_emit_pair(t, KP_EVENT_YIELD, id, t->depth, now, token(frame), 0);
    else
        kp_emit(t, KP_EVENT_EXIT, id, t->depth, now);
}

/* New thread states are put at the head of the list: all before the one seen last are new. */
static void look_for_threads(void)
{
    void *interpreter = kp_cpython.interpreter_get();
    void *head = kp_cpython.threads_head(interpreter);
    uint64_t number = kp_thread_state_number(layout, head),
             last = interpreter == seen_interpreter ? seen_number : 0;

    if (__builtin_expect(number <= last, 1))
        return;
    seen_interpreter = interpreter;
    seen_number = number;
    for (void *thread = head; thread && kp_thread_state_number(layout, thread) > last;
         thread = kp_cpython.threads_next(thread))
        if (thread != kp_cpython.thread_unchecked())
            kp_thread_state_profile(layout, thread, on_event);
}

static int on_event(void *object, void *frame, int what, void *argument)
{
    struct kp_thread_state *t;
    uint64_t now;
    void *code;
    uint32_t id;

    (void)object;
    if (what != TRACE_CALL && what != TRACE_RETURN) {
        look_for_threads();
        return 0;
    }
    t = kp_thread_active();
    if (!t)
        return 0;
    kp_probe_begin(t);
    /* First: what follows is not part of the call that ends. */
    now = what == TRACE_RETURN ? kp_clock_now(t->clock) : 0;
    look_for_threads();
    code = code_of(frame);
    id = kp_code_id(t, code, NULL);
    if (id && what == TRACE_CALL)
        on_call(t, frame, code, id);
    else if (id)
        on_return(t, frame, code, id, argument, now);
    kp_probe_end(t);
    return 0;
}

static bool attach(void *interpreter, char *reason, size_t reason_bytes)
{
    layout = kp_cpython_layout();
    if (!kp_cpython.set_profile || !kp_cpython.threads_head || !kp_cpython.threads_next ||
        (!layout && (!kp_cpython.frame_code || !kp_cpython.frame_lasti || !kp_cpython.frame_generator))) {
        snprintf(reason, reason_bytes, "it lacks functions that profilers need");
        return false;
    }
    kp_cpython.set_profile(on_event, NULL);
    seen_interpreter = interpreter;
    seen_number = kp_thread_state_number(layout, kp_cpython.thread_unchecked());
    look_for_threads();
    return true;
}

/* The interpreter specialises no calls while a profile function looks on. */
static bool sees(const char *name)
{
    (void)name;
    return true;
}

const struct kp_engine kp_engine_profile = {
    .name = "profile",
    .choice = KP_ENGINE_PROFILE,
    .minor_min = 8,
    .note = "threads that C code starts are seen late, and sys.setprofile() of the program ends it",
    .attach = attach,
    .sees = sees,
};

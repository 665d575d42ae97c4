/*
 * Engine `monitoring`: PEP 669 with callbacks in C, under a tool id of our own. Functions that are not traced
 * are switched off one by one (DISABLE) and cost nothing afterwards.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "code_object.h"
#include "core.h"
#include "cpython_layout.h"
#include "engine.h"
#include "exception_type.h"
#include "held_regions.h"
#include "open_calls.h"

/* Never PROFILER_ID (2): other profilers insist on it. Nor 0, 1 and 5, which PEP 669 gives to others. */
static const int tool_ids[] = {4, 3};

#define ARGUMENTS_MASK (SIZE_MAX >> 1) /* PY_VECTORCALL_ARGUMENTS_OFFSET is the top bit */

static const struct kp_cpython_layout *layout;
static void *disable; /* sys.monitoring.DISABLE */

/*
 * The vectorcall protocol (PEP 590): the callback object, its arguments, their number with a flag in the top
 * bit, keywords. Every event's first argument is the code object. Also fits METH_FASTCALL, whose number has
 * no flag.
 */
typedef void *callback(void *self, void *const *arguments, size_t count);

/* None is immortal from 3.12 on (PEP 683), so it needs no reference. */
static inline void *nothing(void)
{
    return (void *)kp_cpython.none;
}

/* Not traced: this event of this code object is not to come again. */
static void *never_again(void)
{
    kp_cpython.incref(disable);
    return disable;
}

/* Unique among live generators: their frame is part of them. Without a row the frame object serves. */
static uint64_t token(void)
{
    if (layout)
        return (uintptr_t)kp_frame_current(layout, kp_cpython.thread_unchecked());
    return (uintptr_t)kp_cpython.frame_get();
}

/* The thread, if it records, in a probe. */
static inline struct kp_thread_state *recording(void)
{
    struct kp_thread_state *t = kp_thread_active();

    if (__builtin_expect(t != NULL, 1))
        kp_probe_begin(t);
    return t;
}

/* The end of the probe: what it answers. */
static inline void *answer(struct kp_thread_state *t, void *value)
{
    kp_probe_end(t);
    return value;
}

static inline void enter(struct kp_thread_state *t, uint32_t id)
{
    uint32_t depth = t->depth;

    if (!kp_open_room(t))
        return;
    if (__builtin_expect(atomic_load_explicit(&kp_held_count, memory_order_relaxed) != 0, 0))
        kp_regions_forget(token());
    kp_open_push(t, NULL, id);
    kp_emit_enter(t, id, depth);
}

static inline void resume(struct kp_thread_state *t, uint32_t id)
{
    uint32_t depth = t->depth;

    if (!kp_open_room(t))
        return;
    kp_open_push(t, NULL, id);
    kp_emit_pair(t, KP_EVENT_RESUME, id, depth, kp_clock_now(t->clock), token(), 0);
    if (__builtin_expect(atomic_load_explicit(&kp_held_count, memory_order_relaxed) != 0, 0))
        kp_regions_resume(t, token());
}

static void suspend_regions(struct kp_thread_state *t, uint32_t id, uint64_t now)
{
    uint32_t owner = kp_open_owner(t, 0);

    if (t->open.base[owner].id == id)
        kp_regions_suspend(t, owner, token(), now);
}

/*
 * An activation ends or suspends. The time is taken first: what follows is not part of the call. `exception`
 * is what it ends by, if it is known.
 */
static inline __attribute__((always_inline)) bool leave(struct kp_thread_state *t, void *code, unsigned kind,
                                                        const void *exception)
{
    uint64_t now = kp_clock_now(t->clock);
    uint32_t id = kp_code_id(t, code, NULL);

    if (!id)
        return false;
    if (kind == KP_EVENT_YIELD && kp_frame_is_region(kp_local.top_frame))
        suspend_regions(t, id, now);
    if (!kp_open_pop_id(t, id, now))
        return true;
    if (kind == KP_EVENT_YIELD)
        kp_emit_pair(t, kind, id, t->depth, now, token(), 0);
    else if (kind == KP_EVENT_UNWIND)
        kp_emit_unwind(t, id, t->depth, now, kp_exception_id(t, kp_exception_type(exception)));
    else
        kp_emit(t, kind, id, t->depth, now);
    return true;
}

static void *on_start(void *self, void *const *arguments, size_t count)
{
    struct kp_thread_state *t = recording();
    uint32_t id;

    (void)self;
    (void)count;
    if (!t)
        return nothing();
    id = kp_code_id(t, arguments[0], NULL);
    if (!id)
        return answer(t, never_again());
    enter(t, id);
    return answer(t, nothing());
}

static void *on_resume(void *self, void *const *arguments, size_t count)
{
    struct kp_thread_state *t = recording();
    uint32_t id;

    (void)self;
    (void)count;
    if (!t)
        return nothing();
    id = kp_code_id(t, arguments[0], NULL);
    if (!id)
        return answer(t, never_again());
    resume(t, id);
    return answer(t, nothing());
}

static void *on_return(void *self, void *const *arguments, size_t count)
{
    struct kp_thread_state *t = recording();

    (void)self;
    (void)count;
    if (!t)
        return nothing();
    return answer(t, leave(t, arguments[0], KP_EVENT_EXIT, NULL) ? nothing() : never_again());
}

static void *on_yield(void *self, void *const *arguments, size_t count)
{
    struct kp_thread_state *t = recording();

    (void)self;
    (void)count;
    if (!t)
        return nothing();
    return answer(t, leave(t, arguments[0], KP_EVENT_YIELD, NULL) ? nothing() : never_again());
}

/* PY_UNWIND and PY_THROW cannot be switched off for one function. Their third argument is the exception. */
static void *on_unwind(void *self, void *const *arguments, size_t count)
{
    struct kp_thread_state *t = recording();

    (void)self;
    if (!t)
        return nothing();
    leave(t, arguments[0], KP_EVENT_UNWIND, (count & ARGUMENTS_MASK) > 2 ? arguments[2] : NULL);
    return answer(t, nothing());
}

/* An exception is thrown into a generator. If its body never ran, this is its first run. */
static void *on_throw(void *self, void *const *arguments, size_t count)
{
    struct kp_thread_state *t = recording();
    uint32_t id;

    (void)self;
    if (!t)
        return nothing();
    id = kp_code_id(t, arguments[0], NULL);
    if (!id)
        return answer(t, nothing());
    if ((count & ARGUMENTS_MASK) > 1 &&
        kp_code_before_start(arguments[0], kp_cpython.long_as_long(arguments[1])))
        enter(t, id);
    else
        resume(t, id);
    return answer(t, nothing());
}

/* PyMethodDef (Include/methodobject.h), stable ABI. */
struct method_def {
    const char *name;
    void *function;
    int flags;
    const char *doc;
};

#define METH_FASTCALL 0x0080

/* PyTypeObject.tp_vectorcall_offset (Include/cpython/object.h), the same since 3.8. */
#define TYPE_VECTORCALL_OFFSET 56

/*
 * The interpreter calls a builtin through a function pointer in the object itself. In our own callback
 * objects it is set straight to the callback: METH_FASTCALL's wrapper (recursion check, flags, keywords) is a
 * fifth of the cost of an event.
 */
static void shorten(void *function, callback *direct)
{
    void *type = KP_FIELD(void *, function, 8);
    ssize_t offset = KP_FIELD(ssize_t, type, TYPE_VECTORCALL_OFFSET);

    if (offset > 0 && offset < 256 && KP_FIELD(void *, function, offset))
        KP_FIELD(callback *, function, offset) = direct;
}

static struct row {
    const char *event;
    callback *function;
    struct method_def method;
} rows[] = {
    {"PY_START", on_start, {0}}, {"PY_RETURN", on_return, {0}}, {"PY_UNWIND", on_unwind, {0}},
    {"PY_YIELD", on_yield, {0}}, {"PY_RESUME", on_resume, {0}}, {"PY_THROW", on_throw, {0}},
};

#define ROWS (sizeof rows / sizeof *rows)

/* Calls a method and drops the result. */
static bool call(void *object, const char *method, const char *format, long first, long second, void *third)
{
    void *result = kp_cpython.call_method(object, method, format, first, second, third);

    if (!result) {
        kp_cpython.error_clear();
        return false;
    }
    kp_cpython.decref(result);
    return true;
}

static bool register_callbacks(void *monitoring, void *events, int tool, long *mask)
{
    for (size_t i = 0; i < ROWS; i++) {
        long event = kp_attribute_number(events, rows[i].event, 0);
        void *function;

        rows[i].method = (struct method_def){rows[i].event, (void *)rows[i].function, METH_FASTCALL, NULL};
        function = kp_cpython.function_new(&rows[i].method, NULL, NULL);
        if (function)
            shorten(function, rows[i].function);
        if (!event || !function || !call(monitoring, "register_callback", "llO", tool, event, function))
            return false;
        kp_cpython.decref(function);
        *mask |= event;
    }
    return true;
}

static int take_tool_id(void *monitoring)
{
    for (size_t i = 0; i < sizeof tool_ids / sizeof *tool_ids; i++) {
        void *result = kp_cpython.call_method(monitoring, "use_tool_id", "is", tool_ids[i], "kprobe");

        if (result) {
            kp_cpython.decref(result);
            return tool_ids[i];
        }
        kp_cpython.error_clear();
    }
    return -1;
}

static bool attach(void *interpreter, char *reason, size_t reason_bytes)
{
    void *monitoring = kp_cpython.sys_get("monitoring");
    void *events = monitoring ? kp_cpython.get_attribute(monitoring, "events") : NULL;
    long mask = 0;
    int tool;

    (void)interpreter;
    layout = kp_cpython_layout();
    if (!events || !kp_cpython.function_new || !kp_cpython.call_method) {
        kp_cpython.error_clear();
        snprintf(reason, reason_bytes, "sys.monitoring is not there");
        return false;
    }
    disable = kp_cpython.get_attribute(monitoring, "DISABLE");
    tool = take_tool_id(monitoring);
    if (tool < 0) {
        snprintf(reason, reason_bytes, "tool ids 3 and 4 of sys.monitoring are taken by other tools");
        kp_cpython.decref(events);
        return false;
    }
    if (!disable || !register_callbacks(monitoring, events, tool, &mask) ||
        !call(monitoring, "set_events", "ll", tool, mask, NULL)) {
        snprintf(reason, reason_bytes, "sys.monitoring refused our callbacks");
        call(monitoring, "free_tool_id", "l", tool, 0, NULL);
        kp_cpython.decref(events);
        return false;
    }
    kp_cpython.decref(events);
    return true;
}

static void refresh(void)
{
    void *monitoring = kp_cpython.sys_get("monitoring");

    if (monitoring)
        call(monitoring, "restart_events", "", 0, 0, NULL);
}

const struct kp_engine kp_engine_monitoring = {
    .name = "monitoring",
    .choice = KP_ENGINE_MONITORING,
    .minor_min = 12,
    .attach = attach,
    .refresh = refresh,
};

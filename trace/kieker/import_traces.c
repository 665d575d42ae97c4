#include <stdlib.h>
#include <string.h>

#include "import_private.h"

/* --- the traces that are open --- */

static struct kp_key_map *map_of(struct kp_import_traces *traces, bool by_thread)
{
    return by_thread ? &traces->by_thread : &traces->by_id;
}

static struct kp_import_recent *recent_of(struct kp_import_traces *traces, int64_t id)
{
    uint64_t mixed = (uint64_t)id * UINT64_C(0x9e3779b97f4a7c15);

    return &traces->recent[(mixed >> 32) % KP_IMPORT_RECENT];
}

static void link_newest(struct kp_import_traces *traces, struct kp_import_trace *trace)
{
    trace->older = traces->newest;
    trace->newer = NULL;
    if (traces->newest)
        traces->newest->newer = trace;
    else
        traces->oldest = trace;
    traces->newest = trace;
}

static void take_out(struct kp_import_traces *traces, struct kp_import_trace *trace)
{
    *(trace->older ? &trace->older->newer : &traces->oldest) = trace->newer;
    *(trace->newer ? &trace->newer->older : &traces->newest) = trace->older;
}

static void make_spare(struct kp_kieker_import *import);

static struct kp_import_trace *add_trace(struct kp_kieker_import *import, int64_t id, bool by_thread,
                                         struct kp_import_thread *thread)
{
    struct kp_import_traces *traces = &import->traces;
    struct kp_import_trace *trace;

    if (!traces->spare && !kp_import_spend(import, sizeof *trace))
        make_spare(import);
    trace = traces->spare;
    if (trace)
        traces->spare = trace->newer;
    else
        trace = calloc(1, sizeof *trace);
    if (!trace || !kp_key_map_put(map_of(traces, by_thread), id, trace)) {
        free(trace);
        kp_import_check(import, KP_ERROR_NO_MEMORY);
        return NULL;
    }
    *trace = (struct kp_import_trace){
        .id = id, .by_thread = by_thread, .thread = thread, .stack = trace->stack, .room = trace->room};
    link_newest(traces, trace);
    thread->current = trace;
    return trace;
}

/* Calls that Kieker's probes saw the caller make, without a probe in the callee: they took until the next
 * event of the trace. */
static void end_assumed(struct kp_kieker_import *import, struct kp_import_trace *trace, uint64_t ns);

static void free_waiting(struct kp_kieker_import *import, struct kp_import_trace *trace)
{
    import->waiting_bytes -= trace->waiting_room * sizeof *trace->waiting;
    free(trace->waiting);
    trace->waiting = NULL;
    trace->waiting_room = trace->waiting_count = 0;
}

/* Nothing more is expected of it; what comes all the same is known by its number. */
static void remove_trace(struct kp_kieker_import *import, struct kp_import_trace *trace)
{
    struct kp_import_traces *traces = &import->traces;

    end_assumed(import, trace, trace->call.time);
    *recent_of(traces, trace->id) = (struct kp_import_recent){trace->id, trace->expected, trace->thread};
    if (trace->lane)
        trace->lane->busy = false;
    if (trace->thread->current == trace)
        trace->thread->current = NULL;
    (void)kp_key_map_take(map_of(traces, trace->by_thread), trace->id);
    take_out(traces, trace);
    free_waiting(import, trace);
    /* A spare keeps its stack for the next one, unless it is large. */
    if (trace->room > 4096) {
        import->waiting_bytes -= trace->room * sizeof *trace->stack;
        free(trace->stack);
        trace->stack = NULL;
        trace->room = 0;
    }
    trace->newer = traces->spare;
    traces->spare = trace;
}

/* No memory for one more trace: the oldest one is given up. */
static void make_spare(struct kp_kieker_import *import)
{
    struct kp_import_trace *oldest = import->traces.oldest;

    if (!oldest)
        return;
    import->counts.unended += oldest->depth;
    kp_import_note(import, KP_IMPORT_NOWHERE, "too many open traces: trace %lld is cut, %u calls have no end",
                   (long long)oldest->id, oldest->depth);
    oldest->depth = 0;
    remove_trace(import, oldest);
}

static bool is_idle(const struct kp_import_trace *trace)
{
    return trace->depth == 0 && trace->waiting_count == 0;
}

/* Without metadata: the thread is not known. */
static struct kp_import_thread *unknown_thread(struct kp_kieker_import *import, int64_t id)
{
    const char *host = import->host ? import->host : import->options.host ? import->options.host : "";
    struct kp_import_section *section =
        kp_import_section(import, (struct kp_text){host, strlen(host)}, (struct kp_text){"", 0});

    return section ? kp_import_thread(section, id) : NULL;
}

static struct kp_import_trace *find_trace(struct kp_kieker_import *import, int64_t id, bool by_thread,
                                          int32_t order)
{
    struct kp_import_trace *trace = kp_key_map_get(map_of(&import->traces, by_thread), id);
    const struct kp_import_recent *recent = recent_of(&import->traces, id);
    struct kp_import_thread *thread;

    if (trace)
        return trace;
    if (!by_thread && recent->thread && recent->id == id) {
        int64_t expected = recent->expected;

        trace = add_trace(import, id, false, recent->thread);
        if (trace)
            trace->expected = expected;
        return trace;
    }
    import->without_metadata += !by_thread;
    thread = unknown_thread(import, by_thread ? id : 0);
    trace = thread ? add_trace(import, id, by_thread, thread) : NULL;
    if (trace && by_thread)
        trace->expected = order;
    return trace;
}

void kp_import_trace_begin(struct kp_kieker_import *import, int64_t id, struct kp_import_thread *thread)
{
    struct kp_import_trace *trace = kp_key_map_get(&import->traces.by_id, id), *before;

    if (trace && !is_idle(trace)) {
        import->counts.invalid++;
        kp_import_note(import, KP_IMPORT_NOWHERE, "trace %lld is announced again while it is open",
                       (long long)id);
        return;
    }
    if (trace)
        remove_trace(import, trace);
    /* A thread works on one trace at a time, or leaves it with calls open (tasks of an event loop). */
    before = thread->current;
    if (before && is_idle(before) && !before->by_thread)
        remove_trace(import, before);
    add_trace(import, id, false, thread);
}

/* --- events in their order --- */

static bool enter(struct kp_kieker_import *import, struct kp_import_trace *trace, uint32_t function,
                  uint64_t ns)
{
    if (trace->depth == trace->room) {
        uint32_t room = trace->room ? 2 * trace->room : 16;
        uint32_t *grown = realloc(trace->stack, room * sizeof *grown);

        if (!grown)
            return kp_import_check(import, KP_ERROR_NO_MEMORY);
        import->waiting_bytes += (room - trace->room) * sizeof *grown;
        trace->stack = grown;
        trace->room = room;
    }
    if (!trace->lane || (trace->depth == 0 && trace->lane->last_ns > ns)) {
        if (trace->lane)
            trace->lane->busy = false;
        trace->lane = kp_import_lane(trace->thread, ns);
    }
    if (!trace->lane || trace->depth == KP_DEPTH_MAX)
        return false;
    kp_import_emit(trace->lane, KP_EVENT_ENTER, function, trace->depth, ns, 0, 0);
    trace->stack[trace->depth++] = function;
    return true;
}

static void end_assumed(struct kp_kieker_import *import, struct kp_import_trace *trace, uint64_t ns)
{
    struct kp_import_event call = trace->call;

    if (call.kind == KP_KIEKER_NO_EVENT)
        return;
    trace->call.kind = KP_KIEKER_NO_EVENT;
    import->assumed++;
    if (enter(import, trace, call.function, call.time))
        kp_import_emit(trace->lane, KP_EVENT_EXIT, call.function, --trace->depth,
                       ns > call.time ? ns : call.time, 0, 0);
}

/* The open call that an After event speaks of; -1: none. */
static int64_t find_open(const struct kp_import_trace *trace, uint32_t function)
{
    int64_t depth = (int64_t)trace->depth - 1;

    while (depth >= 0 && trace->stack[depth] != function)
        depth--;
    return depth;
}

static void leave(struct kp_kieker_import *import, struct kp_import_trace *trace,
                  const struct kp_import_event *event)
{
    int64_t depth = find_open(trace, event->function);
    bool failed = event->kind == KP_KIEKER_AFTER_FAILED;

    if (depth < 0) {
        import->counts.invalid++;
        kp_import_note(import, KP_IMPORT_NOWHERE, "trace %lld: event %d ends %s, which is not open",
                       (long long)trace->id, event->order, import->functions.list[event->function].name);
        return;
    }
    if ((uint32_t)depth + 1 < trace->depth) {
        import->counts.unended += trace->depth - (uint32_t)depth - 1;
        kp_import_note(import, KP_IMPORT_NOWHERE, "trace %lld: %u calls have no end before event %d",
                       (long long)trace->id, trace->depth - (uint32_t)depth - 1, event->order);
    }
    trace->depth = (uint32_t)depth;
    if (failed && event->cause)
        kp_import_emit(trace->lane, KP_EVENT_VALUES, KP_VALUES_EXCEPTION, trace->depth + 1, event->time,
                       event->cause, 0);
    kp_import_emit(trace->lane, failed ? KP_EVENT_UNWIND : KP_EVENT_EXIT, event->function, trace->depth,
                   event->time, 0, 0);
    import->counts.traces += trace->depth == 0;
}

static void apply(struct kp_kieker_import *import, struct kp_import_trace *trace,
                  const struct kp_import_event *event)
{
    if (trace->call.kind != KP_KIEKER_NO_EVENT) {
        if (event->kind == KP_KIEKER_BEFORE &&
            kp_import_same_operation(import, event->function, trace->call.function))
            trace->call.kind = KP_KIEKER_NO_EVENT;
        else
            end_assumed(import, trace, event->time);
    }
    switch (event->kind) {
    case KP_KIEKER_BEFORE:
        enter(import, trace, event->function, event->time);
        break;
    case KP_KIEKER_AFTER:
    case KP_KIEKER_AFTER_FAILED:
        leave(import, trace, event);
        break;
    case KP_KIEKER_CALL:
        trace->call = *event;
        break;
    default:
        break;
    }
}

/* --- events that come too early --- */

static bool make_room(struct kp_kieker_import *import, struct kp_import_trace *trace)
{
    uint32_t more = trace->waiting_room ? trace->waiting_room : 16;
    struct kp_import_event *grown;

    if (trace->waiting_count < trace->waiting_room)
        return true;
    if (!kp_import_spend(import, more * sizeof *grown))
        return false;
    grown = realloc(trace->waiting, (trace->waiting_room + (size_t)more) * sizeof *grown);
    if (!grown)
        return kp_import_check(import, KP_ERROR_NO_MEMORY);
    trace->waiting = grown;
    trace->waiting_room += more;
    return true;
}

static void wait(struct kp_import_trace *trace, const struct kp_import_event *event)
{
    uint32_t at = trace->waiting_count;

    /* Nearly always behind the others. */
    while (at > 0 && trace->waiting[at - 1].order > event->order)
        at--;
    memmove(trace->waiting + at + 1, trace->waiting + at,
            (trace->waiting_count - at) * sizeof *trace->waiting);
    trace->waiting[at] = *event;
    trace->waiting_count++;
}

/* What waited and is next now; `all`: over gaps as well. */
static void take_waiting(struct kp_kieker_import *import, struct kp_import_trace *trace, bool all)
{
    uint32_t taken = 0;

    for (; taken < trace->waiting_count; taken++) {
        const struct kp_import_event *event = &trace->waiting[taken];

        if (event->order < trace->expected) {
            import->counts.invalid++;
            kp_import_note(import, KP_IMPORT_NOWHERE, "trace %lld: two events have the number %d",
                           (long long)trace->id, event->order);
            continue;
        }
        if (event->order > trace->expected && !all)
            break;
        if (event->order > trace->expected) {
            uint64_t missing = (uint64_t)(event->order - trace->expected);

            kp_import_note(import, KP_IMPORT_NOWHERE, "trace %lld: %llu events before event %d are missing",
                           (long long)trace->id, (unsigned long long)missing, event->order);
            if (!trace->lane)
                trace->lane = kp_import_lane(trace->thread, event->time);
            if (trace->lane) {
                kp_import_emit(trace->lane, KP_EVENT_LOST, 0, trace->depth, event->time, 0, missing);
                trace->lane->events_lost += missing;
            }
        }
        apply(import, trace, event);
        trace->expected = (int64_t)event->order + 1;
    }
    trace->waiting_count -= taken;
    memmove(trace->waiting, trace->waiting + taken, trace->waiting_count * sizeof *trace->waiting);
}

void kp_import_traces_give_up(struct kp_kieker_import *import)
{
    for (struct kp_import_trace *trace = import->traces.oldest, *next; trace; trace = next) {
        next = trace->newer;
        if (!trace->waiting_count)
            continue;
        take_waiting(import, trace, true);
        free_waiting(import, trace);
    }
}

/* --- an event as it comes --- */

static void take_event(struct kp_kieker_import *import, struct kp_import_trace *trace,
                       const struct kp_import_event *event)
{
    bool ends = event->kind == KP_KIEKER_AFTER || event->kind == KP_KIEKER_AFTER_FAILED;

    if (event->order == trace->expected) {
        trace->expected++;
        apply(import, trace, event);
        if (trace->waiting_count)
            take_waiting(import, trace, false);
    } else if (event->order > trace->expected) {
        if (make_room(import, trace)) {
            wait(trace, event);
        } else if (import->status == KP_OK) {
            kp_import_give_up(import);
            take_event(import, trace, event);
        }
        return;
    } else if (ends && event->order == trace->expected - 1 && trace->depth &&
               trace->stack[trace->depth - 1] == event->function) {
        /* The C pack numbers the end of a call as the event before it. */
        import->repeated++;
        apply(import, trace, event);
    } else {
        import->counts.invalid++;
        kp_import_note(import, KP_IMPORT_NOWHERE, "trace %lld: event %d came already", (long long)trace->id,
                       event->order);
        return;
    }
    if (ends && is_idle(trace) && !trace->by_thread)
        remove_trace(import, trace);
}

void kp_import_trace_event(struct kp_kieker_import *import, const struct kp_kieker_event *from)
{
    struct kp_import_event event = {.kind = (uint8_t)from->kind, .order = from->order};
    struct kp_import_trace *trace = find_trace(import, from->trace_id, from->by_thread, from->order);

    event.time = kp_import_time(import, from->time);
    event.function = kp_import_function(import, from->operation, from->class_name);
    if (from->kind == KP_KIEKER_AFTER_FAILED)
        event.cause = kp_import_exception(import, from->cause);
    if (trace && event.function)
        take_event(import, trace, &event);
}

void kp_import_trace_tick(struct kp_kieker_import *import, int64_t trace_id, int32_t order, int64_t time)
{
    struct kp_import_event event = {.kind = KP_KIEKER_NO_EVENT, .order = order};
    struct kp_import_trace *trace = kp_key_map_get(&import->traces.by_id, trace_id);

    event.time = kp_import_time(import, time);
    /* Behind the end of its root nothing depends on it. */
    if (trace)
        take_event(import, trace, &event);
}

/* --- the end --- */

void kp_import_traces_finish(struct kp_kieker_import *import)
{
    struct kp_import_trace *trace;

    kp_import_traces_give_up(import);
    for (trace = import->traces.oldest; trace; trace = trace->newer) {
        end_assumed(import, trace, trace->call.time);
        if (trace->depth == 0)
            continue;
        import->counts.unended += trace->depth;
        kp_import_note(import, KP_IMPORT_NOWHERE, "trace %lld: %u calls have no end", (long long)trace->id,
                       trace->depth);
    }
}

void kp_import_traces_free(struct kp_kieker_import *import)
{
    struct kp_import_traces *traces = &import->traces;

    while (traces->oldest) {
        struct kp_import_trace *trace = traces->oldest;

        take_out(traces, trace);
        trace->newer = traces->spare;
        traces->spare = trace;
    }
    while (traces->spare) {
        struct kp_import_trace *trace = traces->spare;

        traces->spare = trace->newer;
        free(trace->stack);
        free(trace->waiting);
        free(trace);
    }
    kp_key_map_free(&traces->by_id);
    kp_key_map_free(&traces->by_thread);
}

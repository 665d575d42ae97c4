#include <stdlib.h>
#include <string.h>

#include "import_private.h"

static void link_newest(struct kp_kieker_import *import, struct kp_import_executions *trace)
{
    trace->older = import->newest_executions;
    if (import->newest_executions)
        import->newest_executions->newer = trace;
    else
        import->oldest_executions = trace;
    import->newest_executions = trace;
}

static void remove_trace(struct kp_kieker_import *import, struct kp_import_executions *trace)
{
    *(trace->older ? &trace->older->newer : &import->oldest_executions) = trace->newer;
    *(trace->newer ? &trace->newer->older : &import->newest_executions) = trace->older;
    (void)kp_key_map_take(&import->executions, trace->id);
    import->waiting_bytes -= sizeof *trace + trace->room * sizeof *trace->list;
    free(trace->list);
    free(trace);
}

/* --- a trace that is complete, or as complete as it gets --- */

static int by_order(const void *a_, const void *b_)
{
    const struct kp_import_execution *a = a_, *b = b_;

    return a->order < b->order ? -1 : a->order > b->order;
}

/* Executions come in the order of their ends; orders without gaps are places. */
static bool place_by_order(struct kp_import_executions *trace)
{
    struct kp_import_execution *list = trace->list;

    for (uint32_t i = 0; i < trace->count; i++)
        while (list[i].order - trace->first != (int32_t)i) {
            uint32_t place = (uint32_t)(list[i].order - trace->first);
            struct kp_import_execution other;

            if (place >= trace->count || list[place].order == list[i].order)
                return false;
            other = list[place];
            list[place] = list[i];
            list[i] = other;
        }
    return true;
}

struct output {
    struct kp_kieker_import *import;
    struct kp_import_lane *lane;
    const struct kp_import_execution **open;
    uint32_t depth;
};

static void close_to(struct output *output, uint32_t depth)
{
    while (output->depth > depth) {
        const struct kp_import_execution *execution = output->open[--output->depth];

        kp_import_emit(output->lane, KP_EVENT_EXIT, execution->function, output->depth, execution->end_ns, 0,
                       0);
    }
}

/* Why trace-analysis would refuse it; NULL: it would not. */
static const char *find_fault(const struct kp_import_executions *trace, bool in_order)
{
    /* The C pack's count from 1. */
    int32_t before = trace->list[0].stack == 1 ? 0 : -1;

    if (!in_order)
        return "its execution order indices are not 0, 1, 2...";
    if (trace->first != 0)
        return "its first executions are missing";
    for (uint32_t i = 0; i < trace->count; i++) {
        if (trace->list[i].stack > before + 1)
            return "its stack sizes leap";
        before = trace->list[i].stack;
    }
    return NULL;
}

static void put_all(struct kp_kieker_import *import, struct kp_import_executions *trace)
{
    struct kp_import_thread *thread = kp_import_thread(trace->section, 0);
    struct output output = {.import = import};
    int32_t base = trace->list[0].stack;

    output.lane = thread ? kp_import_lane(thread, trace->list[0].start_ns) : NULL;
    output.open = calloc(trace->count, sizeof *output.open);
    if (!output.open)
        kp_import_check(import, KP_ERROR_NO_MEMORY);
    for (uint32_t i = 0; output.lane && output.open && i < trace->count; i++) {
        const struct kp_import_execution *execution = &trace->list[i];
        /* Where callers are missing the stack is as deep as there are calls. */
        uint32_t depth = execution->stack > base ? (uint32_t)(execution->stack - base) : 0;

        close_to(&output, depth);
        kp_import_emit(output.lane, KP_EVENT_ENTER, execution->function, output.depth, execution->start_ns, 0,
                       0);
        output.open[output.depth++] = execution;
    }
    if (output.open)
        close_to(&output, 0);
    if (output.lane)
        output.lane->busy = false;
    free(output.open);
}

static void put_trace(struct kp_kieker_import *import, struct kp_import_executions *trace)
{
    bool in_order = place_by_order(trace);
    const char *fault;

    if (!in_order)
        qsort(trace->list, trace->count, sizeof *trace->list, by_order);
    fault = find_fault(trace, in_order);
    if (fault) {
        import->counts.invalid += trace->count;
        kp_import_note(import, KP_IMPORT_NOWHERE, "trace %lld of %u executions: %s", (long long)trace->id,
                       trace->count, fault);
    }
    put_all(import, trace);
    import->counts.traces++;
    remove_trace(import, trace);
}

/* --- one execution --- */

static struct kp_import_executions *get_trace(struct kp_kieker_import *import, int64_t id)
{
    struct kp_import_executions *trace = kp_key_map_get(&import->executions, id);

    if (trace)
        return trace;
    trace = calloc(1, sizeof *trace);
    if (!trace || !kp_key_map_put(&import->executions, id, trace)) {
        free(trace);
        kp_import_check(import, KP_ERROR_NO_MEMORY);
        return NULL;
    }
    trace->id = id;
    trace->first = INT32_MAX;
    trace->last = INT32_MIN;
    link_newest(import, trace);
    import->waiting_bytes += sizeof *trace;
    return trace;
}

static bool make_room(struct kp_kieker_import *import, struct kp_import_executions *trace)
{
    uint32_t more = trace->room ? trace->room : 4;
    struct kp_import_execution *grown;

    if (trace->count < trace->room)
        return true;
    if (!kp_import_spend(import, more * sizeof *grown))
        return false;
    grown = realloc(trace->list, (trace->room + (size_t)more) * sizeof *grown);
    if (!grown)
        return kp_import_check(import, KP_ERROR_NO_MEMORY);
    trace->list = grown;
    trace->room += more;
    return true;
}

void kp_import_executions_give_up(struct kp_kieker_import *import)
{
    while (import->oldest_executions)
        if (import->oldest_executions->count)
            put_trace(import, import->oldest_executions);
        else
            remove_trace(import, import->oldest_executions);
}

/* Belongs to no trace: probes without control flow information. */
static void put_single(struct kp_kieker_import *import, struct kp_import_section *section,
                       const struct kp_import_execution *execution)
{
    struct kp_import_thread *thread = kp_import_thread(section, 0);
    struct kp_import_lane *lane = thread ? kp_import_lane(thread, execution->start_ns) : NULL;

    if (!lane)
        return;
    kp_import_emit(lane, KP_EVENT_ENTER, execution->function, 0, execution->start_ns, 0, 0);
    kp_import_emit(lane, KP_EVENT_EXIT, execution->function, 0, execution->end_ns, 0, 0);
    lane->busy = false;
    import->counts.traces++;
}

static void add(struct kp_kieker_import *import, int64_t id, struct kp_import_section *section,
                const struct kp_import_execution *execution)
{
    struct kp_import_executions *trace = get_trace(import, id);

    if (!trace || !make_room(import, trace)) {
        if (!trace || import->status != KP_OK)
            return;
        kp_import_give_up(import);
        add(import, id, section, execution);
        return;
    }
    trace->list[trace->count++] = *execution;
    /* The host of the root is the host of the trace. */
    if (!trace->section || execution->order < trace->first) {
        trace->first = execution->order;
        trace->section = section;
    }
    if (execution->order > trace->last)
        trace->last = execution->order;
    if (trace->first == 0 && (int64_t)trace->count == (int64_t)trace->last + 1)
        put_trace(import, trace);
}

void kp_import_execution(struct kp_kieker_import *import, const struct kp_kieker_event *event)
{
    struct kp_import_execution execution = {.order = event->order, .stack = event->stack};
    struct kp_import_section *section = kp_import_section(import, event->host, (struct kp_text){"", 0});

    execution.start_ns = kp_import_time(import, event->time);
    execution.end_ns = kp_import_time(import, event->end_time);
    execution.function = kp_import_function(import, event->operation, (struct kp_text){"", 0});
    if (!section || !execution.function)
        return;
    if (event->trace_id == -1 || event->order < 0 || event->stack < 0)
        put_single(import, section, &execution);
    else
        add(import, event->trace_id, section, &execution);
}

void kp_import_executions_free(struct kp_kieker_import *import)
{
    while (import->oldest_executions)
        remove_trace(import, import->oldest_executions);
    kp_key_map_free(&import->executions);
}

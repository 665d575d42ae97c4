#include "traces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "call.h"
#include "kp_kieker.h"
#include "trace/function.h"
#include "trace/id_map.h"
#include "trace/key_map.h"

#define ORDER_MAX      (1u << 30)
#define UNDEFINED_MAX  1024u /* ids without a definition that get a name of their own */
#define RECORD_MAX     (1u << 20)
#define BLOCK_CALLS    64
#define HOST_NAME_MAX_ 1000
#define SESSION        "<no-session-id>"

struct kp_kieker_function {
    struct kp_kieker_function *next;
    struct kp_kieker_string operation, class_name; /* of what is called */
    struct kp_kieker_string cause;                 /* of an exception */
    const char *name, *layout;                     /* of records and texts */
    uint8_t kind;                                  /* 0: not defined */
    bool coroutine;
    char texts[];
};

/* A custom record that comes in pieces. */
struct record {
    struct kp_kieker_buffer payload;
    const struct kp_kieker_function *class; /* NULL: none is awaited */
    size_t bytes;
};

struct thread {
    struct thread *next;
    uint32_t number, tid, inherited;
    struct kp_kieker_call **calls; /* bottom first */
    size_t count, capacity;
    uint64_t last_ns;
    struct record record;
};

union block {
    union block *next;
    struct kp_kieker_call calls[BLOCK_CALLS];
    struct kp_kieker_trace traces[BLOCK_CALLS];
};

struct kp_kieker_process {
    struct kp_kieker_traces *all;
    struct kp_id_map functions, threads;
    struct kp_kieker_function *first_function, *undefined;
    uint32_t undefined_count;
    struct thread *first_thread, *ending;
    struct kp_key_map suspended; /* struct kp_kieker_call by token: coroutines that wait */
    size_t suspended_from;
    struct kp_kieker_call *free_calls;
    struct kp_kieker_trace *free_traces;
    struct block_list {
        struct block_list *next;
        union block block;
    } * blocks;
    uint64_t next_trace;
    uint64_t last_ns;
    char *host;
};

struct kp_kieker_traces {
    struct kp_kieker_output *output;
    struct kp_kieker_traces_options options;
    int32_t most_order;
    bool began; /* the first record is out */
    struct kp_id_map seeds;
    struct kp_kieker_counts counts;
};

/* --- making --------------------------------------------------------------------------------------- */

struct kp_kieker_traces *kp_kieker_traces_create(struct kp_kieker_output *output,
                                                 const struct kp_kieker_traces_options *options)
{
    struct kp_kieker_traces *traces = calloc(1, sizeof *traces);

    if (!traces)
        return NULL;
    traces->output = output;
    if (options)
        traces->options = *options;
    traces->most_order = (int32_t)(traces->options.most_events && traces->options.most_events < ORDER_MAX
                                       ? traces->options.most_events
                                       : ORDER_MAX);
    return traces;
}

void kp_kieker_traces_destroy(struct kp_kieker_traces *traces)
{
    if (!traces)
        return;
    kp_id_map_free(&traces->seeds);
    free(traces);
}

const struct kp_kieker_counts *kp_kieker_traces_counts(const struct kp_kieker_traces *traces)
{
    return &traces->counts;
}

/* --- processes ------------------------------------------------------------------------------------- */

static uint32_t seed_of(const char *uuid)
{
    uint32_t seed = 2166136261u;

    for (; uuid && *uuid; uuid++)
        seed = (seed ^ (unsigned char)*uuid) * 16777619u;
    return seed;
}

static void free_process(struct kp_kieker_process *process)
{
    while (process->blocks) {
        struct block_list *next = process->blocks->next;

        free(process->blocks);
        process->blocks = next;
    }
    while (process->first_function) {
        struct kp_kieker_function *next = process->first_function->next;

        free(process->first_function);
        process->first_function = next;
    }
    while (process->first_thread) {
        struct thread *next = process->first_thread->next;

        free(process->first_thread->calls);
        free(process->first_thread->record.payload.bytes);
        free(process->first_thread);
        process->first_thread = next;
    }
    kp_key_map_free(&process->suspended);
    kp_id_map_free(&process->functions);
    kp_id_map_free(&process->threads);
    free(process->host);
    free(process);
}

struct kp_kieker_process *kp_kieker_process_begin(struct kp_kieker_traces *traces, const char *uuid,
                                                  const char *host)
{
    struct kp_kieker_process *process = calloc(1, sizeof *process);
    uint32_t seed = seed_of(uuid);

    if (!process)
        return NULL;
    process->all = traces;
    if (traces->options.host)
        host = traces->options.host;
    process->host = strndup(host && *host ? host : "<default-host>", HOST_NAME_MAX_);
    while (kp_id_map_get(&traces->seeds, seed))
        seed++;
    if (!process->host || kp_id_map_put(&traces->seeds, seed, 1) < 0) {
        free_process(process);
        return NULL;
    }
    process->next_trace = (uint64_t)seed << 32;
    return process;
}

/* What anybody may call what is defined: the texts of the function, in one piece of memory. */
static struct kp_kieker_function *make_called(struct kp_kieker_process *process,
                                              const struct kp_kieker_function_facts *facts)
{
    const struct kp_kieker_traces_options *options = &process->all->options;
    struct kp_kieker_signature signature;
    struct kp_kieker_function *function;
    size_t operation_bytes, class_bytes;

    if (!options->describe || !options->describe(options->user, facts, &signature))
        kp_kieker_signature_make(&signature, facts);
    operation_bytes = strlen(signature.operation) + 1;
    class_bytes = strlen(signature.class_name) + 1;
    function = calloc(1, sizeof *function + operation_bytes + class_bytes);
    if (!function)
        return NULL;
    memcpy(function->texts, signature.operation, operation_bytes);
    memcpy(function->texts + operation_bytes, signature.class_name, class_bytes);
    function->operation.text = function->texts;
    function->class_name.text = function->texts + operation_bytes;
    return function;
}

static struct kp_kieker_function *make_named(const struct kp_kieker_function_facts *facts)
{
    size_t name_bytes = strlen(facts->name) + 1, layout_bytes = strlen(facts->file) + 1;
    char cause[KP_KIEKER_CAUSE_MAX + 1];
    size_t cause_bytes;
    struct kp_kieker_function *function;

    kp_kieker_signature_cause(facts->name, cause, sizeof cause);
    cause_bytes = strlen(cause) + 1;
    function = calloc(1, sizeof *function + name_bytes + layout_bytes + cause_bytes);
    if (!function)
        return NULL;
    memcpy(function->texts, facts->name, name_bytes);
    memcpy(function->texts + name_bytes, facts->file, layout_bytes);
    memcpy(function->texts + name_bytes + layout_bytes, cause, cause_bytes);
    function->name = function->texts;
    function->layout = function->texts + name_bytes;
    function->cause.text = function->texts + name_bytes + layout_bytes;
    return function;
}

static struct kp_kieker_function *define(struct kp_kieker_process *process,
                                         const struct kp_kieker_function_facts *facts, uint8_t kind)
{
    struct kp_kieker_function *function =
        KP_FUNCTION_IS_CALLED(facts->kind) ? make_called(process, facts) : make_named(facts);

    if (!function)
        return NULL;
    function->kind = kind;
    function->coroutine = (facts->flags & (KP_FUNCTION_FACTS | KP_FUNCTION_COROUTINE)) ==
                          (KP_FUNCTION_FACTS | KP_FUNCTION_COROUTINE);
    function->next = process->first_function;
    process->first_function = function;
    return function;
}

enum kp_status kp_kieker_process_function(struct kp_kieker_process *process,
                                          const struct kp_kieker_function_facts *facts)
{
    struct kp_kieker_function *known = kp_id_map_pointer(&process->functions, facts->id), *function;

    /* Written twice around a kill: the first one counts. */
    if (known && known->kind)
        return KP_OK;
    function = define(process, facts, facts->kind);
    if (!function || kp_id_map_put(&process->functions, facts->id, (uintptr_t)function) < 0)
        return KP_ERROR_NO_MEMORY;
    return KP_OK;
}

static struct kp_kieker_function *define_undefined(struct kp_kieker_process *process, const char *name)
{
    struct kp_kieker_function_facts facts = {.kind = KP_FUNCTION_PYTHON, .name = name, .file = ""};

    return define(process, &facts, 0);
}

/* Calls of what is no function (damage), and of ids beyond any number share this one. */
static struct kp_kieker_function *share_undefined(struct kp_kieker_process *process)
{
    if (!process->undefined)
        process->undefined = define_undefined(process, "<undefined function>");
    return process->undefined;
}

static struct kp_kieker_function *make_undefined(struct kp_kieker_process *process, uint32_t id)
{
    char name[48];
    struct kp_kieker_function *function;

    if (process->undefined_count >= UNDEFINED_MAX)
        return share_undefined(process);
    process->undefined_count++;
    snprintf(name, sizeof name, "<undefined function %u>", id);
    function = define_undefined(process, name);
    return function && kp_id_map_put(&process->functions, id, (uintptr_t)function) == 0 ? function : NULL;
}

/* What is called with that id. */
static inline struct kp_kieker_function *get_function(struct kp_kieker_process *process, uint32_t id)
{
    struct kp_kieker_function *function = kp_id_map_pointer(&process->functions, id);

    if (__builtin_expect(!function, 0))
        return make_undefined(process, id);
    return __builtin_expect(function->operation.text != NULL, 1) ? function : share_undefined(process);
}

static struct thread *get_thread(struct kp_kieker_process *process, uint32_t number)
{
    struct thread *thread = kp_id_map_pointer(&process->threads, number);

    if (thread)
        return thread;
    thread = calloc(1, sizeof *thread);
    if (!thread || kp_id_map_put(&process->threads, number, (uintptr_t)thread) < 0) {
        free(thread);
        return NULL;
    }
    thread->number = thread->tid = number;
    thread->next = process->first_thread;
    process->first_thread = thread;
    return thread;
}

enum kp_status kp_kieker_process_thread(struct kp_kieker_process *process, uint32_t number, uint32_t tid,
                                        uint32_t base_depth)
{
    struct thread *thread = get_thread(process, number);

    if (!thread)
        return KP_ERROR_NO_MEMORY;
    thread->tid = tid;
    thread->inherited = base_depth;
    return KP_OK;
}

/* --- memory of calls and traces --------------------------------------------------------------------- */

static union block *add_block(struct kp_kieker_process *process)
{
    struct block_list *list = calloc(1, sizeof *list);

    if (!list)
        return NULL;
    list->next = process->blocks;
    process->blocks = list;
    return &list->block;
}

static struct kp_kieker_call *get_call(struct kp_kieker_process *process)
{
    struct kp_kieker_call *call = process->free_calls;

    if (__builtin_expect(!call, 0)) {
        union block *block = add_block(process);

        for (int i = 0; block && i < BLOCK_CALLS; i++) {
            block->calls[i].next_free = process->free_calls;
            process->free_calls = &block->calls[i];
        }
        call = process->free_calls;
    }
    if (call)
        process->free_calls = call->next_free;
    return call;
}

static void free_call(struct kp_kieker_process *process, struct kp_kieker_call *call)
{
    call->next_free = process->free_calls;
    process->free_calls = call;
}

static struct kp_kieker_trace *get_trace(struct kp_kieker_process *process)
{
    struct kp_kieker_trace *trace = process->free_traces;

    if (__builtin_expect(!trace, 0)) {
        union block *block = add_block(process);

        for (int i = 0; block && i < BLOCK_CALLS; i++) {
            block->traces[i].next_free = process->free_traces;
            process->free_traces = &block->traces[i];
        }
        trace = process->free_traces;
    }
    if (trace)
        process->free_traces = trace->next_free;
    return trace;
}

static bool reserve_stack(struct thread *thread)
{
    size_t capacity = thread->capacity ? 2 * thread->capacity : 64;
    struct kp_kieker_call **grown;

    if (__builtin_expect(thread->count < thread->capacity, 1))
        return true;
    grown = realloc(thread->calls, capacity * sizeof *grown);
    if (!grown)
        return false;
    thread->calls = grown;
    thread->capacity = capacity;
    return true;
}

static inline struct kp_kieker_call *top_of(const struct thread *thread)
{
    return thread->count ? thread->calls[thread->count - 1] : NULL;
}

/* --- records ---------------------------------------------------------------------------------------- */

static inline int64_t logging_ns(const struct kp_kieker_traces *traces, uint64_t time_ns)
{
    return traces->options.now_ns ? traces->options.now_ns() : (int64_t)time_ns;
}

static enum kp_status put_kieker_metadata(struct kp_kieker_process *process, uint64_t time_ns)
{
    struct kp_kieker_traces *traces = process->all;
    kieker_common_record_misc_kieker_metadata_record record;

    traces->began = true;
    if (traces->options.no_metadata)
        return KP_OK;
    kieker_common_record_misc_kieker_metadata_record_init(&record);
    record.controllerName = "kprobe";
    record.hostname = process->host;
    return kp_kieker_put_record(traces->output, &kieker_common_record_misc_kieker_metadata_record_type,
                                logging_ns(traces, time_ns), &record);
}

struct parent {
    int64_t trace_id;
    int32_t order;
};

static enum kp_status put_trace_metadata(struct kp_kieker_process *process,
                                         const struct kp_kieker_trace *trace, const struct parent *parent,
                                         uint64_t time_ns)
{
    struct kp_kieker_traces *traces = process->all;
    kieker_common_record_flow_trace_application_trace_metadata record = {
        .traceId = trace->id,
        .threadId = trace->tid,
        .sessionId = SESSION,
        .hostname = process->host,
        .parentTraceId = parent ? parent->trace_id : trace->id,
        .parentOrderId = parent ? parent->order : -1,
        .applicationName = traces->options.application};
    kieker_common_record_flow_trace_trace_metadata plain = {.traceId = record.traceId,
                                                            .threadId = record.threadId,
                                                            .sessionId = record.sessionId,
                                                            .hostname = record.hostname,
                                                            .parentTraceId = record.parentTraceId,
                                                            .parentOrderId = record.parentOrderId};

    if (record.applicationName)
        return kp_kieker_put_record(traces->output,
                                    &kieker_common_record_flow_trace_application_trace_metadata_type,
                                    logging_ns(traces, time_ns), &record);
    return kp_kieker_put_record(traces->output, &kieker_common_record_flow_trace_trace_metadata_type,
                                logging_ns(traces, time_ns), &plain);
}

static enum kp_status put_split(struct kp_kieker_traces *traces, struct kp_kieker_trace *trace,
                                uint64_t time_ns)
{
    kieker_common_record_flow_trace_concurrency_split_event record = {
        .timestamp = (int64_t)time_ns, .traceId = trace->id, .orderIndex = trace->order++};

    return kp_kieker_put_record(traces->output, &kieker_common_record_flow_trace_concurrency_split_event_type,
                                logging_ns(traces, time_ns), &record);
}

static enum kp_status put_execution(struct kp_kieker_process *process, const struct kp_kieker_call *call,
                                    uint64_t time_ns)
{
    kieker_common_record_controlflow_operation_execution_record record = {.operationSignature =
                                                                              call->function->operation.text,
                                                                          .sessionId = SESSION,
                                                                          .traceId = call->trace->id,
                                                                          .tin = (int64_t)call->start_ns,
                                                                          .tout = (int64_t)time_ns,
                                                                          .hostname = process->host,
                                                                          .eoi = call->eoi,
                                                                          .ess = call->ess};

    return kp_kieker_put_record(process->all->output,
                                &kieker_common_record_controlflow_operation_execution_record_type,
                                logging_ns(process->all, time_ns), &record);
}

static inline struct kp_kieker_place place_of(const struct kp_kieker_process *process,
                                              struct kp_kieker_call *call, uint64_t time_ns)
{
    return (struct kp_kieker_place){.logging_ns = logging_ns(process->all, time_ns),
                                    .time_ns = (int64_t)time_ns,
                                    .trace_id = call->trace->id,
                                    .order = call->trace->order++,
                                    .operation = &call->function->operation,
                                    .class_name = &call->function->class_name};
}

/* The call begins: it is on top of its trace from now on. */
static inline enum kp_status put_begin(struct kp_kieker_process *process, struct kp_kieker_call *call,
                                       uint64_t time_ns)
{
    struct kp_kieker_place place;

    call->start_ns = time_ns;
    call->eoi = call->trace->eoi++;
    call->ess = call->below ? call->below->ess + 1 : 0;
    if (process->all->options.executions)
        return KP_OK;
    place = place_of(process, call, time_ns);
    return kp_kieker_put_before(process->all->output, &place);
}

static struct kp_kieker_string *cause_of(struct kp_kieker_process *process, const struct kp_kieker_call *call)
{
    struct kp_kieker_function *type =
        call->exception ? kp_id_map_pointer(&process->functions, call->exception) : NULL;

    return type && type->kind == KP_FUNCTION_EXCEPTION ? &type->cause : NULL;
}

static enum kp_status put_failed(struct kp_kieker_process *process, struct kp_kieker_call *call,
                                 const struct kp_kieker_place *place)
{
    struct kp_kieker_string unknown = {.text = "unknown"}, *cause = cause_of(process, call);

    return kp_kieker_put_after_failed(process->all->output, place, cause ? cause : &unknown);
}

static inline enum kp_status put_end(struct kp_kieker_process *process, struct kp_kieker_call *call,
                                     uint64_t time_ns, bool failed)
{
    struct kp_kieker_place place;

    if (process->all->options.executions)
        return put_execution(process, call, time_ns);
    place = place_of(process, call, time_ns);
    return failed ? put_failed(process, call, &place) : kp_kieker_put_after(process->all->output, &place);
}

/* --- traces ----------------------------------------------------------------------------------------- */

static int64_t next_trace_id(struct kp_kieker_process *process)
{
    if (process->next_trace == UINT64_MAX)
        process->next_trace = 0;
    return (int64_t)process->next_trace++;
}

static enum kp_status begin_trace(struct kp_kieker_process *process, struct kp_kieker_trace *trace,
                                  const struct parent *parent, uint64_t time_ns)
{
    trace->id = next_trace_id(process);
    trace->order = trace->eoi = 0;
    process->all->counts.traces++;
    if (process->all->options.executions)
        return KP_OK;
    return put_trace_metadata(process, trace, parent, time_ns);
}

/* What is on top of its trace leaves it: the trace may end by that. */
static inline void leave_trace(struct kp_kieker_process *process, struct kp_kieker_call *call)
{
    struct kp_kieker_trace *trace = call->trace;

    trace->top = call->below;
    if (!trace->top) {
        trace->next_free = process->free_traces;
        process->free_traces = trace;
    }
    free_call(process, call);
}

/* The suspended call on top of the trace gets its After, for when it was suspended. Out of the table already.
 */
static enum kp_status end_suspended(struct kp_kieker_process *process, struct kp_kieker_call *call)
{
    enum kp_status status = put_end(process, call, call->suspended_ns, false);

    leave_trace(process, call);
    return status;
}

/* The caller goes on without the coroutines that it awaited: their segments are calls. */
static enum kp_status end_above(struct kp_kieker_process *process, struct kp_kieker_call *call)
{
    struct kp_kieker_trace *trace = call->trace;
    enum kp_status status = KP_OK;

    while (__builtin_expect(trace->top != call, 0) && status == KP_OK) {
        struct kp_kieker_call *suspended = trace->top;

        (void)kp_key_map_take(&process->suspended, suspended->token);
        status = end_suspended(process, suspended);
    }
    return status;
}

/* A suspended call, taken out of the table, and all that stand above it in its trace. */
static enum kp_status end_through(struct kp_kieker_process *process, struct kp_kieker_call *call)
{
    enum kp_status status = end_above(process, call);

    return status == KP_OK ? end_suspended(process, call) : status;
}

/* --- begin and end ---------------------------------------------------------------------------------- */

/*
 * An order index has 31 bits: the open calls of the trace end, and go on as those of the next one. `top` is
 * what runs in it, with nothing above.
 */
static enum kp_status renew_trace(struct kp_kieker_process *process, struct kp_kieker_call *top,
                                  uint64_t time_ns)
{
    struct kp_kieker_trace *trace = top->trace;
    struct parent parent = {trace->id, -1};
    struct kp_kieker_call *above = NULL, *call = top;
    enum kp_status status = KP_OK;

    /* `below` is turned around on the way down, and back on the way up. */
    while (call && status == KP_OK) {
        struct kp_kieker_call *below = call->below;

        status = put_end(process, call, time_ns, false);
        call->below = above;
        above = call;
        call = below;
    }
    if (status == KP_OK)
        status = begin_trace(process, trace, &parent, time_ns);
    for (struct kp_kieker_call *below = call; above;) {
        struct kp_kieker_call *next = above->below;

        above->below = below;
        if (status == KP_OK)
            status = put_begin(process, above, time_ns);
        process->all->counts.segments++;
        below = above;
        above = next;
    }
    return status;
}

/* A trace of its own, whose parent is where `caller` stands. */
static enum kp_status begin_root(struct kp_kieker_process *process, const struct thread *thread,
                                 struct kp_kieker_call *caller, struct kp_kieker_trace **trace,
                                 uint64_t time_ns)
{
    struct parent parent = {0};
    enum kp_status status = KP_OK;

    *trace = get_trace(process);
    if (!*trace)
        return KP_ERROR_NO_MEMORY;
    (*trace)->tid = thread->tid;
    (*trace)->top = NULL;
    if (caller) {
        parent = (struct parent){caller->trace->id, caller->trace->order};
        if (!process->all->options.executions)
            status = put_split(process->all, caller->trace, time_ns);
    }
    return status == KP_OK ? begin_trace(process, *trace, caller ? &parent : NULL, time_ns) : status;
}

/* The caller goes on, without what it awaited, and with an index for its next event. */
static inline enum kp_status go_on(struct kp_kieker_process *process, struct kp_kieker_call *caller,
                                   uint64_t time_ns)
{
    const struct kp_kieker_trace *trace = caller->trace;
    enum kp_status status = end_above(process, caller);

    if (__builtin_expect(trace->order >= process->all->most_order || trace->eoi >= process->all->most_order,
                         0) &&
        status == KP_OK)
        status = renew_trace(process, caller, time_ns);
    return status;
}

static inline enum kp_status begin_call(struct kp_kieker_process *process, struct thread *thread,
                                        const struct kp_event *event, uint64_t time_ns)
{
    struct kp_kieker_function *function = get_function(process, event->id);
    struct kp_kieker_call *caller = top_of(thread), *call;
    struct kp_kieker_trace *trace = caller ? caller->trace : NULL;
    enum kp_status status = KP_OK;

    if (__builtin_expect(!function || !reserve_stack(thread), 0))
        return KP_ERROR_NO_MEMORY;
    if (caller)
        status = go_on(process, caller, time_ns);
    if (!caller || (function->coroutine && !caller->coroutine))
        status = status == KP_OK ? begin_root(process, thread, caller, &trace, time_ns) : status;
    call = status == KP_OK ? get_call(process) : NULL;
    if (__builtin_expect(!call, 0))
        return status == KP_OK ? KP_ERROR_NO_MEMORY : status;
    call->function = function;
    call->trace = trace;
    call->below = trace->top;
    call->id = event->id;
    call->depth = event->depth;
    call->exception = 0;
    call->coroutine =
        function->coroutine || (function->kind == KP_FUNCTION_MANUAL && caller && caller->coroutine);
    call->suspended = false;
    trace->top = call;
    thread->calls[thread->count++] = call;
    return put_begin(process, call, time_ns);
}

static inline enum kp_status end_top(struct kp_kieker_process *process, struct thread *thread,
                                     uint64_t time_ns, bool failed)
{
    struct kp_kieker_call *call = thread->calls[thread->count - 1];
    enum kp_status status = end_above(process, call);

    if (status == KP_OK)
        status = put_end(process, call, time_ns, failed);
    thread->count--;
    leave_trace(process, call);
    return status;
}

/* Ends every open call at `depth` or above it, whose end nobody saw. */
static inline enum kp_status end_from(struct kp_kieker_process *process, struct thread *thread,
                                      uint32_t depth, uint64_t time_ns)
{
    enum kp_status status = KP_OK;

    while (__builtin_expect(thread->count && thread->calls[thread->count - 1]->depth >= depth, 0) &&
           status == KP_OK) {
        process->all->counts.closed_unseen++;
        status = end_top(process, thread, time_ns, false);
    }
    return status;
}

/* --- one event each: the rules of the collector's call tree ------------------------------------------ */

static inline enum kp_status take_enter(struct kp_kieker_process *process, struct thread *thread,
                                        const struct kp_event *event, uint64_t time_ns)
{
    enum kp_status status = end_from(process, thread, event->depth, time_ns);

    if (thread->inherited > event->depth)
        thread->inherited = event->depth;
    process->all->counts.calls++;
    return status == KP_OK ? begin_call(process, thread, event, time_ns) : status;
}

/* The call that an exit, unwind or yield speaks of is on top of the stack; *found: its begin was seen. */
static inline enum kp_status find_ending(struct kp_kieker_process *process, struct thread *thread,
                                         const struct kp_event *event, uint64_t time_ns, bool *found)
{
    enum kp_status status = end_from(process, thread, event->depth + 1, time_ns);
    const struct kp_kieker_call *top = top_of(thread);

    *found = top && top->depth == event->depth && top->id == event->id;
    if (*found || !top || top->depth != event->depth || status != KP_OK)
        return status;
    /* Another call took its place while events were lost; it is over as well. */
    return end_from(process, thread, event->depth, time_ns);
}

static void take_orphan(struct kp_kieker_process *process, struct thread *thread,
                        const struct kp_event *event)
{
    if (event->depth < thread->inherited)
        thread->inherited = event->depth;
    else
        process->all->counts.orphans++;
}

static inline enum kp_status take_end(struct kp_kieker_process *process, struct thread *thread,
                                      const struct kp_event *event, uint64_t time_ns)
{
    bool found, failed = event->kind == KP_EVENT_UNWIND;
    enum kp_status status = find_ending(process, thread, event, time_ns, &found);

    if (status != KP_OK)
        return status;
    if (!found) {
        take_orphan(process, thread, event);
        return KP_OK;
    }
    process->all->counts.failed_calls += failed;
    return end_top(process, thread, time_ns, failed);
}

static enum kp_status suspend(struct kp_kieker_process *process, struct thread *thread, uint64_t token,
                              uint64_t time_ns)
{
    struct kp_kieker_call *call = top_of(thread);

    if (!call->coroutine)
        return end_top(process, thread, time_ns, false);
    call->token = token;
    call->suspended = true;
    call->suspended_ns = time_ns;
    if (!kp_key_map_put(&process->suspended, call->token, call))
        return KP_ERROR_NO_MEMORY;
    thread->count--;
    return KP_OK;
}

static enum kp_status take_yield(struct kp_kieker_process *process, struct thread *thread,
                                 const struct kp_event *event, uint64_t time_ns)
{
    /* A coroutine that is suspended with this token died unseen, and its token was given out again. */
    struct kp_kieker_call *old = kp_key_map_take(&process->suspended, event->value);
    enum kp_status status = KP_OK;
    bool found = false;

    if (old) {
        process->all->counts.closed_unseen++;
        status = end_through(process, old);
    }
    if (status == KP_OK)
        status = find_ending(process, thread, event, time_ns, &found);
    if (status != KP_OK)
        return status;
    if (found)
        return suspend(process, thread, event->value, time_ns);
    take_orphan(process, thread, event);
    return KP_OK;
}

static enum kp_status take_resume(struct kp_kieker_process *process, struct thread *thread,
                                  const struct kp_event *event, uint64_t time_ns)
{
    enum kp_status status = end_from(process, thread, event->depth, time_ns);
    struct kp_kieker_call *known = kp_key_map_take(&process->suspended, event->value);

    if (thread->inherited > event->depth)
        thread->inherited = event->depth;
    /* The root of a trace goes on wherever it is resumed, what was awaited only under the one that did. */
    if (known && known->id == event->id && (!known->below || known->below == top_of(thread)) &&
        status == KP_OK && reserve_stack(thread)) {
        known->suspended = false;
        known->depth = event->depth;
        thread->calls[thread->count++] = known;
        return KP_OK;
    }
    if (known && status == KP_OK)
        status = end_through(process, known);
    process->all->counts.segments++;
    return status == KP_OK ? begin_call(process, thread, event, time_ns) : status;
}

/* --- records of the program's own -------------------------------------------------------------------- */

static const char *text_of(void *user, uint32_t id)
{
    struct kp_kieker_process *process = user;
    const struct kp_kieker_function *text = kp_id_map_pointer(&process->functions, id);

    return text && text->kind == KP_FUNCTION_TEXT ? text->name : NULL;
}

static enum kp_status end_record(struct kp_kieker_process *process, struct record *record, uint64_t time_ns)
{
    struct kp_kieker_traces *traces = process->all;
    enum kp_status status = kp_kieker_put_payload(traces->output, record->class->name, record->class->layout,
                                                  logging_ns(traces, time_ns), record->payload.bytes,
                                                  record->bytes, text_of, process);

    record->class = NULL;
    traces->counts.custom_records += status == KP_OK;
    traces->counts.custom_incomplete += status == KP_ERROR_VALUE;
    return status == KP_ERROR_VALUE ? KP_OK : status;
}

static void drop_record(struct kp_kieker_process *process, struct record *record)
{
    if (record->class)
        process->all->counts.custom_incomplete++;
    record->class = NULL;
}

static enum kp_status take_record(struct kp_kieker_process *process, struct record *record,
                                  const struct kp_event *event, uint64_t time_ns)
{
    drop_record(process, record);
    record->class =
        event->value <= UINT32_MAX ? kp_id_map_pointer(&process->functions, (uint32_t)event->value) : NULL;
    if (!record->class || record->class->kind != KP_FUNCTION_RECORD || event->value2 > RECORD_MAX) {
        record->class = NULL;
        process->all->counts.custom_incomplete++;
        return KP_OK;
    }
    record->payload.used = 0;
    record->bytes = (size_t)event->value2;
    if (!kp_kieker_buffer_room(&record->payload, record->bytes + 16))
        return KP_ERROR_NO_MEMORY;
    return record->bytes ? KP_OK : end_record(process, record, time_ns);
}

static enum kp_status take_record_bytes(struct kp_kieker_process *process, struct record *record,
                                        const struct kp_event *event, uint64_t time_ns)
{
    if (!record->class)
        return KP_OK; /* counted when its begin was seen, or in what was lost with it */
    memcpy(record->payload.bytes + record->payload.used, &event->value, 8);
    memcpy(record->payload.bytes + record->payload.used + 8, &event->value2, 8);
    record->payload.used += 16;
    return record->payload.used < record->bytes ? KP_OK : end_record(process, record, time_ns);
}

/* They belong to the innermost call; the depth counts that one as open. */
static enum kp_status take_values(struct kp_kieker_process *process, struct thread *thread,
                                  const struct kp_event *event, uint64_t time_ns)
{
    enum kp_status status = end_from(process, thread, event->depth, time_ns);
    struct kp_kieker_call *call = top_of(thread);

    if (status != KP_OK)
        return status;
    if (event->id == KP_VALUES_RECORD)
        return take_record(process, &thread->record, event, time_ns);
    if (event->id == KP_VALUES_RECORD_BYTES)
        return take_record_bytes(process, &thread->record, event, time_ns);
    if (event->id == KP_VALUES_EXCEPTION && call && call->depth + 1 == event->depth)
        call->exception = (uint32_t)event->value;
    return KP_OK;
}

/* --- events ------------------------------------------------------------------------------------------ */

static enum kp_status take_rare(struct kp_kieker_process *process, struct thread *thread,
                                const struct kp_event *event, uint64_t time_ns)
{
    enum kp_status status = KP_OK;

    switch (event->kind) {
    case KP_EVENT_YIELD:
        return take_yield(process, thread, event, time_ns);
    case KP_EVENT_RESUME:
        return take_resume(process, thread, event, time_ns);
    case KP_EVENT_VALUES:
        return take_values(process, thread, event, time_ns);
    case KP_EVENT_LOST:
        process->all->counts.calls_lost += event->value;
        process->all->counts.events_lost += event->value2;
        return KP_OK;
    case KP_EVENT_STOP:
        status = end_from(process, thread, 0, time_ns);
        thread->inherited = 0;
        return status;
    default: /* a kind of a later version: nothing is known of it, so nothing changes */
        return KP_OK;
    }
}

static inline enum kp_status take_event(struct kp_kieker_process *process, struct thread *thread,
                                        const struct kp_event *event, uint64_t time_ns)
{
    if (__builtin_expect(thread->record.class != NULL, 0) &&
        !(event->kind == KP_EVENT_VALUES && event->id == KP_VALUES_RECORD_BYTES))
        drop_record(process, &thread->record);
    switch (event->kind) {
    case KP_EVENT_ENTER:
        return take_enter(process, thread, event, time_ns);
    case KP_EVENT_EXIT:
    case KP_EVENT_UNWIND:
        return take_end(process, thread, event, time_ns);
    default:
        return take_rare(process, thread, event, time_ns);
    }
}

/* Time never goes back, and Kieker's has a sign. */
static inline uint64_t later(const struct thread *thread, uint64_t time_ns)
{
    time_ns = time_ns > thread->last_ns ? time_ns : thread->last_ns;
    return time_ns < INT64_MAX ? time_ns : INT64_MAX;
}

enum kp_status kp_kieker_process_events(struct kp_kieker_process *process, uint32_t number,
                                        const struct kp_event *events, size_t count, size_t *taken)
{
    struct thread *thread = get_thread(process, number);
    struct kp_kieker_output *output = process->all->output;
    enum kp_status status = thread ? KP_OK : KP_ERROR_NO_MEMORY;
    size_t i = 0;

    for (; i < count && status == KP_OK; i++) {
        uint64_t time_ns = later(thread, events[i].time);

        status = kp_kieker_output_hold(output);
        if (status != KP_OK)
            break;
        thread->last_ns = time_ns;
        if (__builtin_expect(!process->all->began, 0))
            status = put_kieker_metadata(process, time_ns);
        if (status == KP_OK)
            status = take_event(process, thread, &events[i], time_ns);
    }
    kp_kieker_output_release(output);
    if (thread && thread->last_ns > process->last_ns)
        process->last_ns = thread->last_ns;
    if (taken)
        *taken = i;
    return status;
}

/* --- ends -------------------------------------------------------------------------------------------- */

static enum kp_status end_thread(struct kp_kieker_process *process, struct thread *thread, uint64_t time_ns)
{
    enum kp_status status;

    thread->last_ns = later(thread, time_ns);
    drop_record(process, &thread->record);
    status = kp_kieker_output_hold(process->all->output);
    if (status == KP_OK)
        status = end_from(process, thread, 0, thread->last_ns);
    kp_kieker_output_release(process->all->output);
    if (status != KP_OK)
        return status;
    free(thread->calls);
    free(thread->record.payload.bytes);
    thread->calls = NULL;
    thread->capacity = 0;
    thread->record = (struct record){0};
    return KP_OK;
}

enum kp_status kp_kieker_process_thread_end(struct kp_kieker_process *process, uint32_t number,
                                            uint64_t time_ns)
{
    struct thread *thread = get_thread(process, number);

    return thread ? end_thread(process, thread, time_ns) : KP_ERROR_NO_MEMORY;
}

/* Coroutines that nobody resumed: whole traces, since no thread runs anything any more. */
static enum kp_status end_coroutines(struct kp_kieker_process *process)
{
    struct kp_kieker_output *output = process->all->output;
    enum kp_status status = KP_OK;
    struct kp_kieker_call *call;

    while (status == KP_OK && (call = kp_key_map_any(&process->suspended, &process->suspended_from))) {
        status = kp_kieker_output_hold(output);
        if (status != KP_OK)
            break;
        (void)kp_key_map_take(&process->suspended, call->token);
        process->all->counts.closed_unseen++;
        status = end_through(process, call);
        kp_kieker_output_release(output);
    }
    return status;
}

enum kp_status kp_kieker_process_end(struct kp_kieker_process *process, uint64_t time_ns)
{
    enum kp_status status = kp_kieker_output_hold(process->all->output);

    if (status == KP_OK && !process->all->began)
        status = put_kieker_metadata(process, time_ns < INT64_MAX ? time_ns : INT64_MAX);
    kp_kieker_output_release(process->all->output);
    for (struct thread *thread = process->first_thread; thread && status == KP_OK; thread = thread->next)
        if (thread->count)
            status = end_thread(process, thread, time_ns);
    if (status == KP_OK)
        status = end_coroutines(process);
    if (status != KP_ERROR_FULL)
        free_process(process);
    return status;
}

#include "calltree.h"

#include <stdlib.h>
#include <string.h>

#include "suspended.h"
#include "util/memory.h"

struct kp_calltree_process {
    struct kp_process *process;
    struct kp_function **functions; /* by id */
    size_t function_capacity;
    struct kp_suspended suspended;
    struct kp_calltree_thread **threads;
    size_t thread_count, thread_capacity;
    uint64_t last_ns; /* of all its threads */
    bool ended;
};

struct kp_calltree {
    const struct kp_calltree_ops *ops;
    void *user;
    struct kp_calltree_process **processes;
    size_t process_count, process_capacity;
    struct kp_function **placeholders; /* for ids without a definition */
    size_t placeholder_count, placeholder_capacity;
};

const char *kp_ending_text(enum kp_ending ending)
{
    static const char *const texts[] = {
#define KP_ENDING(name, text, meaning) text,
        KP_ENDINGS(KP_ENDING)
#undef KP_ENDING
    };
    return texts[ending];
}

/* --- what is known of processes, threads and functions --- */

static struct kp_calltree_process *get_process(struct kp_calltree *tree, struct kp_process *process)
{
    if (process->user)
        return process->user;
    struct kp_calltree_process *state = kp_allocate_cleared(1, sizeof *state);
    state->process = process;
    process->user = state;
    tree->processes =
        kp_grow(tree->processes, &tree->process_capacity, tree->process_count, sizeof *tree->processes);
    tree->processes[tree->process_count++] = state;
    return state;
}

static struct kp_calltree_thread *get_thread(struct kp_calltree *tree, struct kp_thread *thread)
{
    if (thread->user)
        return thread->user;
    struct kp_calltree_process *process = get_process(tree, thread->process);
    /* In a later part of a section any call may be open from before, until an event tells better. */
    uint32_t inherited = thread->process->part ? UINT32_MAX : thread->base_depth;
    struct kp_calltree_thread *state = kp_allocate_cleared(1, sizeof *state);
    *state = (struct kp_calltree_thread){
        .thread = thread, .process = process, .last_ns = thread->start_ns, .inherited = inherited};
    thread->user = state;
    process->threads =
        kp_grow(process->threads, &process->thread_capacity, process->thread_count, sizeof *process->threads);
    process->threads[process->thread_count++] = state;
    if (tree->ops->thread_begin)
        tree->ops->thread_begin(tree->user, state);
    return state;
}

static void define(struct kp_calltree_process *process, struct kp_function *function)
{
    process->functions =
        kp_grow(process->functions, &process->function_capacity, function->id, sizeof *process->functions);
    process->functions[function->id] = function;
}

/* A damaged id may be any number: those beyond the table share one function, so that no table explodes. */
static struct kp_function *make_placeholder(struct kp_calltree *tree, struct kp_calltree_process *process,
                                            uint32_t id)
{
    if (id >= process->function_capacity)
        id = 0;
    if (process->functions && process->functions[id])
        return process->functions[id];
    struct kp_function *function = kp_allocate_cleared(1, sizeof *function);
    function->process = process->process;
    function->id = id;
    function->name =
        id ? kp_format_text("<undefined function %u>", id) : kp_copy_text("<undefined function>");
    function->file = "";
    tree->placeholders = kp_grow(tree->placeholders, &tree->placeholder_capacity, tree->placeholder_count,
                                 sizeof *tree->placeholders);
    tree->placeholders[tree->placeholder_count++] = function;
    define(process, function);
    return function;
}

static inline struct kp_function *get_function(struct kp_calltree *tree, struct kp_calltree_process *process,
                                               uint32_t id)
{
    if (__builtin_expect(id < process->function_capacity && process->functions[id] != NULL, 1))
        return process->functions[id];
    return make_placeholder(tree, process, id);
}

/* --- begin and end of segments and activations --- */

static struct kp_call *push(struct kp_calltree_thread *thread)
{
    if (thread->count == thread->capacity) {
        thread->capacity = thread->capacity ? 2 * thread->capacity : 64;
        thread->calls = kp_resize(thread->calls, thread->capacity * sizeof *thread->calls);
    }
    if (thread->count)
        thread->calls[thread->count - 1].segment_children++;
    thread->pairs++;
    return &thread->calls[thread->count++];
}

static void begin_segment(struct kp_calltree_thread *thread, struct kp_call *call, uint32_t depth,
                          uint64_t time_ns)
{
    call->thread = thread->thread;
    call->depth = depth;
    call->suspended = false;
    call->segment_start_ns = time_ns;
    call->segment_ns = call->segment_self_ns = call->segment_pairs = 0;
    call->segment_children = 0;
    call->children_ns_ = 0;
    call->pairs_at_start_ = thread->pairs;
}

/* The top of the stack stops running: its segment's time is final, and its caller's child time grows. */
static struct kp_call *end_segment(struct kp_calltree_thread *thread, uint64_t time_ns)
{
    struct kp_call *call = &thread->calls[thread->count - 1];
    call->segment_ns = time_ns - call->segment_start_ns;
    call->segment_self_ns = call->segment_ns - call->children_ns_;
    call->segment_pairs = thread->pairs - call->pairs_at_start_;
    call->active_ns += call->segment_ns;
    call->self_ns += call->segment_self_ns;
    call->pairs += call->segment_pairs;
    call->children += call->segment_children;
    if (thread->count > 1)
        call[-1].children_ns_ += call->segment_ns;
    return call;
}

static void free_values(struct kp_call *call)
{
    if (!call->values)
        return;
    kp_values_fini((struct kp_call_values *)call->values);
    free((struct kp_call_values *)call->values);
    call->values = NULL;
}

static void close_top(struct kp_calltree *tree, struct kp_calltree_thread *thread, uint64_t time_ns,
                      enum kp_ending ending)
{
    struct kp_call *call = end_segment(thread, time_ns);
    if (tree->ops->close)
        tree->ops->close(tree->user, thread, call, time_ns, ending);
    free_values(call);
    thread->count--;
}

/* Closes every open activation at `depth` or above it. */
static inline void close_from(struct kp_calltree *tree, struct kp_calltree_thread *thread, uint32_t depth,
                              uint64_t time_ns, enum kp_ending ending)
{
    while (thread->count && thread->calls[thread->count - 1].depth >= depth)
        close_top(tree, thread, time_ns, ending);
}

/* An activation that is off the stack ends: it was suspended and nothing came after. */
static void close_suspended(struct kp_calltree *tree, struct kp_calltree_process *process,
                            struct kp_call *call, uint64_t time_ns)
{
    struct kp_calltree_thread *thread = call->thread->user;
    call->segment_ns = call->segment_self_ns = call->segment_pairs = 0;
    call->segment_children = 0;
    if (tree->ops->close)
        tree->ops->close(tree->user, thread, call, time_ns, KP_ENDING_SUSPENDED);
    free_values(call);
    kp_suspended_release(&process->suspended, call);
}

/* --- one event each --- */

static void begin_partial(struct kp_call *call, struct kp_function *function, uint64_t time_ns)
{
    *call = (struct kp_call){.function = function, .start_ns = time_ns, .partial = true};
}

static inline void take_enter(struct kp_calltree *tree, struct kp_calltree_thread *thread,
                              const struct kp_event *event, uint64_t time_ns)
{
    close_from(tree, thread, event->depth, time_ns, KP_ENDING_UNKNOWN);
    if (thread->inherited > event->depth)
        thread->inherited = event->depth;
    struct kp_call *call = push(thread);
    *call = (struct kp_call){.function = get_function(tree, thread->process, event->id), .start_ns = time_ns};
    begin_segment(thread, call, event->depth, time_ns);
    if (tree->ops->enter)
        tree->ops->enter(tree->user, thread, call);
}

/*
 * The call that an exit, unwind or yield speaks of: the top of the stack after everything above its depth was
 * closed; NULL when its begin was not seen.
 */
static inline struct kp_call *find_ending(struct kp_calltree *tree, struct kp_calltree_thread *thread,
                                          const struct kp_event *event, struct kp_function *function,
                                          uint64_t time_ns)
{
    close_from(tree, thread, event->depth + 1, time_ns, KP_ENDING_UNKNOWN);
    struct kp_call *top = thread->count ? &thread->calls[thread->count - 1] : NULL;
    if (top && top->depth == event->depth) {
        if (top->function == function)
            return top;
        /* Another call took its place while events were lost; it is over as well. */
        close_top(tree, thread, time_ns, KP_ENDING_UNKNOWN);
    }
    return NULL;
}

static void take_orphan(struct kp_calltree *tree, struct kp_calltree_thread *thread,
                        const struct kp_event *event, struct kp_function *function)
{
    bool inherited = event->depth < thread->inherited;
    if (inherited)
        thread->inherited = event->depth;
    if (tree->ops->orphan)
        tree->ops->orphan(tree->user, thread, event, function, inherited);
}

static inline void take_end(struct kp_calltree *tree, struct kp_calltree_thread *thread,
                            const struct kp_event *event, uint64_t time_ns)
{
    struct kp_function *function = get_function(tree, thread->process, event->id);
    if (find_ending(tree, thread, event, function, time_ns))
        close_top(tree, thread, time_ns, event->kind == KP_EVENT_EXIT ? KP_ENDING_EXIT : KP_ENDING_UNWIND);
    else
        take_orphan(tree, thread, event, function);
}

static void take_yield(struct kp_calltree *tree, struct kp_calltree_thread *thread,
                       const struct kp_event *event, uint64_t time_ns)
{
    struct kp_calltree_process *process = thread->process;
    struct kp_function *function = get_function(tree, process, event->id);
    /* A generator with this token that is suspended already died unseen, and its token was given out again.
     */
    struct kp_call *old = kp_suspended_take(&process->suspended, event->value);
    if (old)
        close_suspended(tree, process, old, time_ns);
    struct kp_call *call = find_ending(tree, thread, event, function, time_ns);
    if (!call) {
        if (thread->inherited > event->depth)
            thread->inherited = event->depth;
        call = push(thread);
        begin_partial(call, function, time_ns);
        begin_segment(thread, call, event->depth, time_ns);
        if (tree->ops->resume)
            tree->ops->resume(tree->user, thread, call, time_ns);
    }
    call = end_segment(thread, time_ns);
    call->token = event->value;
    call->suspensions++;
    if (tree->ops->suspend)
        tree->ops->suspend(tree->user, thread, call, time_ns);
    call->suspended = true;
    kp_suspended_put(&process->suspended, call);
    thread->count--;
}

static void take_resume(struct kp_calltree *tree, struct kp_calltree_thread *thread,
                        const struct kp_event *event, uint64_t time_ns)
{
    struct kp_calltree_process *process = thread->process;
    struct kp_function *function = get_function(tree, process, event->id);
    close_from(tree, thread, event->depth, time_ns, KP_ENDING_UNKNOWN);
    if (thread->inherited > event->depth)
        thread->inherited = event->depth;
    struct kp_call *known = kp_suspended_take(&process->suspended, event->value);
    if (known && known->function != function) {
        close_suspended(tree, process, known, time_ns);
        known = NULL;
    }
    struct kp_call *call = push(thread);
    if (known) {
        *call = *known;
        kp_suspended_release(&process->suspended, known);
    } else {
        begin_partial(call, function, time_ns);
        call->token = event->value;
    }
    begin_segment(thread, call, event->depth, time_ns);
    if (tree->ops->resume)
        tree->ops->resume(tree->user, thread, call, time_ns);
}

/* Of the innermost call; the depth counts that one as open. Without its begin there is nothing to add them
 * to. */
static void take_values(struct kp_calltree *tree, struct kp_calltree_thread *thread,
                        const struct kp_event *event, uint64_t time_ns)
{
    /* Records that the program made are of no call. */
    if (event->id == KP_VALUES_RECORD || event->id == KP_VALUES_RECORD_BYTES)
        return;
    close_from(tree, thread, event->depth, time_ns, KP_ENDING_UNKNOWN);
    struct kp_call *call = thread->count ? &thread->calls[thread->count - 1] : NULL;
    if (!call || call->depth + 1 != event->depth)
        return;
    if (event->id == KP_VALUES_EXCEPTION) {
        call->exception = get_function(tree, thread->process, (uint32_t)event->value);
        return;
    }
    if (!call->values)
        call->values = kp_allocate_cleared(1, sizeof *call->values);
    kp_values_take((struct kp_call_values *)call->values, event);
}

static void take_lost(struct kp_calltree *tree, struct kp_calltree_thread *thread,
                      const struct kp_event *event, uint64_t time_ns)
{
    if (tree->ops->lost)
        tree->ops->lost(tree->user, thread, time_ns, event->value, event->value2);
}

static void take_event(struct kp_calltree *tree, struct kp_calltree_thread *thread,
                       const struct kp_event *event, uint64_t time_ns)
{
    switch (event->kind) {
    case KP_EVENT_ENTER:
        take_enter(tree, thread, event, time_ns);
        break;
    case KP_EVENT_EXIT:
    case KP_EVENT_UNWIND:
        take_end(tree, thread, event, time_ns);
        break;
    case KP_EVENT_YIELD:
        take_yield(tree, thread, event, time_ns);
        break;
    case KP_EVENT_RESUME:
        take_resume(tree, thread, event, time_ns);
        break;
    case KP_EVENT_VALUES:
        take_values(tree, thread, event, time_ns);
        break;
    case KP_EVENT_LOST:
        take_lost(tree, thread, event, time_ns);
        break;
    case KP_EVENT_STOP:
        close_from(tree, thread, 0, time_ns, KP_ENDING_STOPPED);
        thread->inherited = 0;
        break;
    default: /* a kind of a later version: nothing is known of it, so nothing changes */
        break;
    }
}

static void report_gaps(struct kp_calltree *tree, struct kp_calltree_thread *thread, uint64_t time_ns)
{
    for (; thread->gaps < thread->thread->gaps; thread->gaps++)
        if (tree->ops->gap)
            tree->ops->gap(tree->user, thread, time_ns);
}

static void take_events(struct kp_calltree *tree, const struct kp_item *item)
{
    struct kp_calltree_thread *thread = get_thread(tree, item->thread);
    uint64_t last_ns = thread->last_ns;
    if (thread->gaps != item->thread->gaps && item->count)
        report_gaps(tree, thread, item->events[0].time > last_ns ? item->events[0].time : last_ns);
    for (size_t i = 0; i < item->count; i++) {
        /* Time that goes back (damage) must not give negative durations; verify reports it. */
        if (item->events[i].time > last_ns)
            last_ns = item->events[i].time;
        take_event(tree, thread, &item->events[i], last_ns);
    }
    thread->last_ns = last_ns;
    if (last_ns > thread->process->last_ns)
        thread->process->last_ns = last_ns;
}

/* --- the ends --- */

static void end_thread(struct kp_calltree *tree, struct kp_calltree_thread *thread, uint64_t time_ns)
{
    if (thread->ended)
        return;
    report_gaps(tree, thread, thread->last_ns);
    close_from(tree, thread, 0, time_ns, KP_ENDING_OPEN);
    free(thread->calls);
    thread->calls = NULL;
    thread->capacity = 0;
    thread->ended = true;
    if (tree->ops->thread_end)
        tree->ops->thread_end(tree->user, thread);
}

/* The last moment at which the process is known to have lived; without a clock there is no such thing. */
static uint64_t process_end_ns(const struct kp_calltree_process *process)
{
    const char *clock = process->process->clock;
    if (clock && !strcmp(clock, "none"))
        return process->last_ns;
    return process->process->end_ns > process->last_ns ? process->process->end_ns : process->last_ns;
}

static void end_process(struct kp_calltree *tree, struct kp_calltree_process *process)
{
    if (process->ended)
        return;
    process->ended = true;
    uint64_t end_ns = process_end_ns(process);
    for (struct kp_call *call; (call = kp_suspended_take_any(&process->suspended));)
        close_suspended(tree, process, call, end_ns);
    for (size_t i = 0; i < process->thread_count; i++)
        end_thread(tree, process->threads[i], end_ns);
}

void kp_calltree_feed(struct kp_calltree *tree, const struct kp_item *item)
{
    switch (item->kind) {
    case KP_ITEM_PROCESS:
        get_process(tree, item->process);
        break;
    case KP_ITEM_FUNCTION:
        define(get_process(tree, item->process), item->function);
        break;
    case KP_ITEM_THREAD:
        get_thread(tree, item->thread);
        break;
    case KP_ITEM_EVENTS:
        take_events(tree, item);
        break;
    case KP_ITEM_THREAD_END:
        /* One that did not end by itself lived as long as its process. */
        if (item->thread->ended)
            end_thread(tree, get_thread(tree, item->thread),
                       ((struct kp_calltree_thread *)item->thread->user)->last_ns);
        break;
    case KP_ITEM_PROCESS_END:
        end_process(tree, get_process(tree, item->process));
        break;
    case KP_ITEM_META:
    case KP_ITEM_DAMAGE:
        break;
    }
}

void kp_calltree_finish(struct kp_calltree *tree)
{
    for (size_t i = 0; i < tree->process_count; i++)
        end_process(tree, tree->processes[i]);
}

struct kp_calltree *kp_calltree_create(const struct kp_calltree_ops *ops, void *user)
{
    struct kp_calltree *tree = kp_allocate_cleared(1, sizeof *tree);
    tree->ops = ops;
    tree->user = user;
    return tree;
}

static void destroy_process(struct kp_calltree_process *process)
{
    for (size_t i = 0; i < process->thread_count; i++) {
        free(process->threads[i]->calls);
        free(process->threads[i]);
    }
    free(process->threads);
    free(process->functions);
    kp_suspended_fini(&process->suspended);
    free(process);
}

void kp_calltree_destroy(struct kp_calltree *tree)
{
    for (size_t i = 0; i < tree->process_count; i++)
        destroy_process(tree->processes[i]);
    for (size_t i = 0; i < tree->placeholder_count; i++) {
        free((char *)tree->placeholders[i]->name);
        free(tree->placeholders[i]);
    }
    free(tree->placeholders);
    free(tree->processes);
    free(tree);
}

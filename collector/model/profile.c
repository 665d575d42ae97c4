#include "profile.h"

#include <stdlib.h>

#include "probe_cost.h"
#include "util/memory.h"

/* A function as one thread sees it. */
struct slot {
    struct kp_profile_row *row;
    uint32_t open; /* activations on this thread's stack */
};

struct thread_state {
    struct slot *slots; /* by function id */
    size_t capacity;
    struct kp_probe_cost cost;
};

struct kp_profile {
    bool by_thread;
    struct kp_symbols *symbols;
    struct kp_profile_row **rows;
    size_t row_count, row_capacity;
    struct kp_profile_row **by_symbol; /* unless by thread */
    size_t by_symbol_capacity;
    uint64_t calls_lost, events_lost, gaps, threads, probe_cost;
};

static struct kp_profile_row *create_row(struct kp_profile *profile, const struct kp_symbol *symbol,
                                         const struct kp_thread *thread)
{
    struct kp_profile_row *row = kp_allocate_cleared(1, sizeof *row);
    row->symbol = symbol;
    row->thread = thread;
    row->min_ns = row->least_ns = UINT64_MAX;
    profile->rows = kp_grow(profile->rows, &profile->row_capacity, profile->row_count, sizeof *profile->rows);
    return profile->rows[profile->row_count++] = row;
}

static struct kp_profile_row *find_row(struct kp_profile *profile, const struct kp_call *call)
{
    const struct kp_symbol *symbol = kp_symbols_get(profile->symbols, call->function);
    if (profile->by_thread)
        return create_row(profile, symbol, call->thread);
    profile->by_symbol =
        kp_grow(profile->by_symbol, &profile->by_symbol_capacity, symbol->index, sizeof *profile->by_symbol);
    if (!profile->by_symbol[symbol->index])
        profile->by_symbol[symbol->index] = create_row(profile, symbol, NULL);
    return profile->by_symbol[symbol->index];
}

static inline struct slot *get_slot(struct kp_profile *profile, struct thread_state *state,
                                    const struct kp_call *call)
{
    uint32_t id = call->function->id;
    if (__builtin_expect(id < state->capacity && state->slots[id].row != NULL, 1))
        return &state->slots[id];
    state->slots = kp_grow(state->slots, &state->capacity, id, sizeof *state->slots);
    state->slots[id].row = find_row(profile, call);
    return &state->slots[id];
}

static void begin_thread(void *user, struct kp_calltree_thread *thread)
{
    struct kp_profile *profile = user;
    struct thread_state *state = kp_allocate_cleared(1, sizeof *state);
    state->cost = kp_probe_cost_of(thread->thread->process);
    thread->user = state;
    profile->threads++;
}

static void end_thread(void *user, struct kp_calltree_thread *thread)
{
    struct kp_profile *profile = user;
    struct thread_state *state = thread->user;
    profile->probe_cost += thread->pairs * state->cost.pair;
    free(state->slots);
    free(state);
    thread->user = NULL;
}

static void take_enter(void *user, struct kp_calltree_thread *thread, struct kp_call *call)
{
    struct slot *slot = get_slot(user, thread->user, call);
    slot->row->calls++;
    slot->open++;
    call->user = slot->row;
}

static void take_resume(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t time_ns)
{
    (void)time_ns;
    struct slot *slot = get_slot(user, thread->user, call);
    slot->open++;
    if (!call->user)
        call->user = slot->row;
}

/* Adds the segment that just ended to total and self of its row. */
static inline void add_segment(struct kp_profile *profile, struct thread_state *state,
                               const struct kp_call *call)
{
    struct slot *slot = get_slot(profile, state, call);
    struct kp_profile_row *row = slot->row;
    row->self_ns += call->segment_self_ns;
    row->self_cost += state->cost.inner + call->segment_children * state->cost.outer;
    if (--slot->open == 0) {
        row->total_ns += call->segment_ns;
        row->total_cost += state->cost.inner + call->segment_pairs * state->cost.pair;
    }
}

static void take_suspend(void *user, struct kp_calltree_thread *thread, struct kp_call *call,
                         uint64_t time_ns)
{
    (void)time_ns;
    struct kp_profile_row *row = call->user;
    row->suspensions++;
    add_segment(user, thread->user, call);
}

/* A whole activation: its time counts for mean, min and max. */
static inline void add_activation(struct kp_profile_row *row, const struct kp_call *call,
                                  const struct kp_probe_cost *probe)
{
    uint64_t segments = (uint64_t)call->suspensions + 1;
    uint64_t cost = segments * probe->inner + call->pairs * probe->pair;
    uint64_t net_ns = kp_probe_cost_subtract(call->active_ns, cost);
    row->finished++;
    row->sum_ns += call->active_ns;
    row->sum_cost += cost;
    if (call->active_ns < row->min_ns)
        row->min_ns = call->active_ns;
    if (call->active_ns > row->max_ns)
        row->max_ns = call->active_ns;
    if (net_ns < row->least_ns)
        row->least_ns = net_ns;
    if (net_ns > row->most_ns)
        row->most_ns = net_ns;
}

static void take_close(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t end_ns,
                       enum kp_ending ending)
{
    (void)end_ns;
    struct kp_profile_row *row = call->user;
    const struct thread_state *state = thread->user;
    row->endings[ending]++;
    if (!call->suspended)
        add_segment(user, thread->user, call);
    if (call->partial || ending == KP_ENDING_UNKNOWN)
        return;
    /* The thread of a suspended generator may have ended long ago, and its state with it. */
    struct kp_probe_cost probe = state ? state->cost : kp_probe_cost_of(thread->thread->process);
    add_activation(row, call, &probe);
}

static void take_lost(void *user, struct kp_calltree_thread *thread, uint64_t time_ns, uint64_t calls,
                      uint64_t others)
{
    (void)thread;
    (void)time_ns;
    struct kp_profile *profile = user;
    profile->calls_lost += calls;
    profile->events_lost += others;
}

static void take_gap(void *user, struct kp_calltree_thread *thread, uint64_t time_ns)
{
    (void)thread;
    (void)time_ns;
    ((struct kp_profile *)user)->gaps++;
}

const struct kp_calltree_ops kp_profile_ops = {
    .thread_begin = begin_thread,
    .enter = take_enter,
    .close = take_close,
    .suspend = take_suspend,
    .resume = take_resume,
    .lost = take_lost,
    .gap = take_gap,
    .thread_end = end_thread,
};

struct kp_profile *kp_profile_create(bool by_thread)
{
    struct kp_profile *profile = kp_allocate_cleared(1, sizeof *profile);
    profile->by_thread = by_thread;
    profile->symbols = kp_symbols_create();
    return profile;
}

void kp_profile_destroy(struct kp_profile *profile)
{
    for (size_t i = 0; i < profile->row_count; i++)
        free(profile->rows[i]);
    free(profile->rows);
    free(profile->by_symbol);
    kp_symbols_destroy(profile->symbols);
    free(profile);
}

struct kp_profile_row **kp_profile_rows(struct kp_profile *profile, size_t *count)
{
    *count = profile->row_count;
    return profile->rows;
}

struct kp_profile_summary kp_profile_summary(const struct kp_profile *profile)
{
    struct kp_profile_summary summary = {.calls_lost = profile->calls_lost,
                                         .events_lost = profile->events_lost,
                                         .gaps = profile->gaps,
                                         .threads = profile->threads,
                                         .probe_ns = profile->probe_cost >> KP_COST_SHIFT};
    for (size_t i = 0; i < profile->row_count; i++) {
        const struct kp_profile_row *row = profile->rows[i];
        summary.calls += row->calls;
        summary.self_ns += row->self_ns;
        summary.compensated_self_ns += kp_probe_cost_subtract(row->self_ns, row->self_cost);
    }
    return summary;
}

struct kp_profile_times kp_profile_times(const struct kp_profile_row *row, bool compensated)
{
    struct kp_profile_times times = {
        .total_ns = row->total_ns, .self_ns = row->self_ns, .min_ns = row->min_ns, .max_ns = row->max_ns};
    uint64_t sum_ns = row->sum_ns;
    if (compensated) {
        times.total_ns = kp_probe_cost_subtract(row->total_ns, row->total_cost);
        times.self_ns = kp_probe_cost_subtract(row->self_ns, row->self_cost);
        times.min_ns = row->least_ns;
        times.max_ns = row->most_ns;
        sum_ns = kp_probe_cost_subtract(row->sum_ns, row->sum_cost);
    }
    if (row->finished)
        times.mean_ns = sum_ns / row->finished;
    else
        times.min_ns = 0;
    return times;
}

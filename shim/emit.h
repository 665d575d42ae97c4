/*
 * Emit: the hot path. One event is a time stamp, a slot, and a release store of the ring's head.
 *
 * The thread is the only producer of its ring; the writer the only consumer. Every event is either in the
 * ring or counted as lost; `calls` counts each enter before either happens, so that a reader can prove it.
 */
#ifndef KP_SHIM_EMIT_H
#define KP_SHIM_EMIT_H

#include "clock.h"
#include "thread.h"

/* The ring is full, or has no room known: make some, or count the event as lost. False: lost. */
bool kp_emit_slow(struct kp_thread_state *t, unsigned kind, uint32_t depth);

static inline bool kp_emit_room(struct kp_thread_state *t, unsigned kind, uint32_t depth)
{
    return __builtin_expect(t->head < t->limit, 1) || kp_emit_slow(t, kind, depth);
}

/*
 * The slot that is next. Its line is wanted for writing long before the stores get there: the writer, on
 * another CPU, was the last to have it. How far ahead: enough for some hundred nanoseconds of events. (GCC
 * makes a prefetch for reading of its builtin; the instruction does nothing on a CPU without it.)
 */
#define KP_EMIT_SLOTS_AHEAD 32u

static inline struct kp_slot *kp_emit_slot(struct kp_thread_state *t)
{
    struct kp_slot *slot = &t->slots[t->head & t->mask];

#if defined(__x86_64__)
    __asm__ volatile("prefetchw %0" : : "m"(slot[KP_EMIT_SLOTS_AHEAD]));
#else
    __builtin_prefetch(slot + KP_EMIT_SLOTS_AHEAD, 1);
#endif
    return slot;
}

static inline void kp_emit_publish(struct kp_thread_state *t, uint64_t head)
{
    t->head = head;
    /* Pairs with the acquire in kp_drain_thread: the slots before head are complete. */
    atomic_store_explicit(&t->ring->head, head, memory_order_release);
}

/* The same as kp_emit and kp_emit_enter where room is known to be: up to three slots when head < limit. */
static inline void kp_emit_sure(struct kp_thread_state *t, unsigned kind, uint32_t id, uint32_t depth,
                                uint64_t time)
{
    struct kp_slot *slot = kp_emit_slot(t);

    slot->time = time;
    slot->id = id;
    slot->kind_depth = KP_SLOT_PACK(kind, depth);
    kp_emit_publish(t, t->head + 1);
}

/* The caller has counted the call. */
static inline void kp_emit_enter_sure(struct kp_thread_state *t, uint32_t id, uint32_t depth, unsigned clock)
{
    struct kp_slot *slot = kp_emit_slot(t);

    atomic_store_explicit(&t->ring->calls, t->calls, memory_order_relaxed);
    slot->id = id;
    slot->kind_depth = KP_SLOT_PACK(KP_EVENT_ENTER, depth);
    slot->time = kp_clock_now(clock);
    kp_emit_publish(t, t->head + 1);
}

/* One-slot events other than ENTER. `time` is passed in so that the caller takes it where it counts. */
static inline void kp_emit(struct kp_thread_state *t, unsigned kind, uint32_t id, uint32_t depth,
                           uint64_t time)
{
    if (kp_emit_room(t, kind, depth))
        kp_emit_sure(t, kind, id, depth, time);
}

/* ENTER: counted first; the time is taken last, so that the probe's work is not in the call. */
static inline void kp_emit_enter(struct kp_thread_state *t, uint32_t id, uint32_t depth)
{
    t->calls++;
    if (kp_emit_room(t, KP_EVENT_ENTER, depth))
        kp_emit_enter_sure(t, id, depth, t->clock);
}

/* Two-slot events: the payload follows. A pair never straddles the end of the ring: a filler takes the last
 * slot. */
static inline void kp_emit_pair(struct kp_thread_state *t, unsigned kind, uint32_t id, uint32_t depth,
                                uint64_t time, uint64_t value, uint64_t value2)
{
    struct kp_slot *slot;

    if (!kp_emit_room(t, kind, depth))
        return;
    if (__builtin_expect((t->head & t->mask) == t->mask, 0)) {
        t->slots[t->mask] = (struct kp_slot){0};
        kp_emit_publish(t, t->head + 1);
    }
    slot = kp_emit_slot(t);
    slot[0].time = time;
    slot[0].id = id;
    slot[0].kind_depth = KP_SLOT_PACK(kind, depth);
    slot[1].value = value;
    slot[1].value2 = value2;
    kp_emit_publish(t, t->head + 2);
}

/*
 * Room for `slots` slots that are written at once, by kp_emit_pair: all of them are there, or one event is
 * counted as lost. A filler needs one more.
 */
bool kp_emit_room_for(struct kp_thread_state *t, uint32_t slots, uint32_t depth);

/* UNWIND, behind the id of the type of the exception if that is known (not 0). */
static inline void kp_emit_unwind(struct kp_thread_state *t, uint32_t id, uint32_t depth, uint64_t time,
                                  uint32_t exception)
{
    if (exception)
        kp_emit_pair(t, KP_EVENT_VALUES, KP_VALUES_EXCEPTION, depth + 1, time, exception, 0);
    kp_emit(t, KP_EVENT_UNWIND, id, depth, time);
}

/* Count the calls that signal handlers made in the midst of probes as lost. */
void kp_emit_passed(struct kp_thread_state *t);

/* What an enter/exit pair costs here: as its caller sees it, and between its two stamps. In ticks. */
struct kp_probe_cost {
    double pair_ticks, inner_ticks;
};

struct kp_probe_cost kp_emit_calibrate(unsigned clock);

#endif

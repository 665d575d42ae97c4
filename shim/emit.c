#include "emit.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "memory.h"
#include "signals.h"
#include "writer.h"

#define CALIBRATION_PAIRS 256u

/* Count what could not be recorded; the next event that can be tells it. */
static bool lose(struct kp_thread_state *t, unsigned kind)
{
    if (t->gap_calls + t->gap_events == 0)
        t->gap_time = kp_clock_now(t->clock);
    if (kind == KP_EVENT_ENTER) {
        t->calls_lost++;
        t->gap_calls++;
    } else {
        t->events_lost++;
        t->gap_events++;
    }
    if (t->ring) {
        atomic_store_explicit(&t->ring->calls, t->calls, memory_order_relaxed);
        t->ring->calls_lost = t->calls_lost;
        t->ring->events_lost = t->events_lost;
    }
    return false;
}

void kp_emit_passed(struct kp_thread_state *t)
{
    uint64_t passed = t->passed - t->passed_told;

    t->passed_told += passed;
    t->calls += passed;
    for (uint64_t i = 0; i < passed; i++)
        lose(t, KP_EVENT_ENTER);
}

/* First event of a thread: a ring, and with it a place in the trace. Where there is no room, it asks again
 * now and then. */
static bool open_ring(struct kp_thread_state *t, unsigned kind, uint32_t depth)
{
    bool opened, again = ((t->calls_lost + t->events_lost) & 4095) == 0;
    bool closes = kind == KP_EVENT_EXIT || kind == KP_EVENT_UNWIND || kind == KP_EVENT_YIELD;

    if (!again)
        return false;
    kp_core_lock();
    opened = kp_core.shm || kp_core_start();
    opened = opened && kp_thread_open_ring(t, depth + closes);
    kp_core_unlock();
    return opened;
}

/* Go on in a larger ring: the one the writer has made ready, or one made here. */
static bool grow(struct kp_thread_state *t)
{
    struct kp_ring *ring = t->ring, *next;
    uint64_t offset = atomic_load_explicit(&ring->next, memory_order_acquire);

    if (!offset) {
        kp_core_lock();
        offset = kp_writer_prepare_next(ring);
        kp_core_unlock();
    }
    if (!offset)
        return false;
    next = (struct kp_ring *)((uint8_t *)kp_core.shm + offset);
    next->base = t->head;
    atomic_store_explicit(&next->tail, t->head, memory_order_relaxed);
    atomic_store_explicit(&next->calls, t->calls, memory_order_relaxed);
    next->calls_lost = t->calls_lost;
    next->events_lost = t->events_lost;
    atomic_store_explicit(&next->head, t->head, memory_order_release);
    t->ring = next;
    t->slots = kp_ring_slots(next);
    t->mask = (1ull << next->size_shift) - 1;
    /* Pairs with the acquire in kp_drain_thread: after this the old head is final and the new ring is ready.
     */
    atomic_store_explicit(&ring->moved, 1, memory_order_release);
    return true;
}

/*
 * Look at tail again. The limit moves on in steps of a quarter of the ring, so that the writer is woken in
 * time: one futex call for thousands of events, and only when it sleeps.
 */
static bool find_room(struct kp_thread_state *t)
{
    uint64_t size = t->mask + 1;
    /* Pairs with the release in kp_drain's drain_ring: slots before tail were read. */
    uint64_t tail = atomic_load_explicit(&t->ring->tail, memory_order_acquire);
    uint64_t hard = tail + size - 2; /* three slots: the longest event with its filler */
    uint64_t soft = t->head + size / 4;

    if (t->head - tail >= size / 4 || !kp_writer_working())
        kp_writer_wake();
    t->limit = hard < soft ? hard : soft;
    return t->head < t->limit;
}

static void nap(void)
{
    struct timespec moment = {0, 50000};

    nanosleep(&moment, NULL);
}

static bool make_room(struct kp_thread_state *t)
{
    if (find_room(t))
        return true;
    if (grow(t))
        return find_room(t);
    while (kp_core.options.on_full == KP_ON_FULL_BLOCK && kp_writer_working()) {
        kp_writer_wake();
        nap();
        if (find_room(t))
            return true;
    }
    return false;
}

static void tell_gap(struct kp_thread_state *t, uint32_t depth)
{
    uint64_t calls = t->gap_calls, events = t->gap_events;

    t->gap_calls = t->gap_events = 0;
    kp_emit_pair(t, KP_EVENT_LOST, 0, depth, t->gap_time, calls, events);
}

/* With locks and calls of our own: no handler may come in between, whose calls would be taken for those, or
 * which could jump out. */
static bool make_ring_or_room(struct kp_thread_state *t, unsigned kind, uint32_t depth)
{
    uint64_t before = kp_signals_block();
    bool room;

    t->busy = KP_BUSY_OWN;
    room = (t->ring || open_ring(t, kind, depth)) && make_room(t);
    t->busy = KP_BUSY_PROBE;
    kp_signals_set(before);
    return room;
}

bool kp_emit_slow(struct kp_thread_state *t, unsigned kind, uint32_t depth)
{
    uint32_t was_busy = t->busy;
    bool room;
    int saved = errno;

    t->busy = KP_BUSY_PROBE;
    room = (t->ring && find_room(t)) || make_ring_or_room(t, kind, depth);
    t->busy = was_busy;
    errno = saved;
    /* Told by a LOST event before this one, so the time of this one must be still to come: see kp_emit_enter.
     */
    if (kind == KP_EVENT_ENTER)
        kp_emit_passed(t);
    if (!room)
        return lose(t, kind);
    if (t->gap_calls + t->gap_events) {
        tell_gap(t, depth);
        return kp_emit_room(t, kind, depth);
    }
    return true;
}

/* The limit is moved beyond its step: the writer hears of it at the next look. */
static bool extend(struct kp_thread_state *t, uint64_t end)
{
    uint64_t size = t->mask + 1;
    /* Pairs with the release in kp_drain's drain_ring: slots before tail were read. */
    uint64_t hard = atomic_load_explicit(&t->ring->tail, memory_order_acquire) + size - 2;

    if (end > hard)
        return false;
    t->limit = end > t->limit ? end : t->limit;
    return true;
}

static bool extend_or_wait(struct kp_thread_state *t, uint64_t end)
{
    if (extend(t, end) || (grow(t) && find_room(t) && extend(t, end)))
        return true;
    while (kp_core.options.on_full == KP_ON_FULL_BLOCK && end - t->head < t->mask / 2 &&
           kp_writer_working()) {
        kp_writer_wake();
        nap();
        if (extend(t, end))
            return true;
    }
    return false;
}

bool kp_emit_room_for(struct kp_thread_state *t, uint32_t slots, uint32_t depth)
{
    uint32_t was_busy = t->busy;
    int saved = errno;
    uint64_t signals, end;
    bool room;

    /* A gap that is pending is told here, not between the slots. */
    if (!kp_emit_room(t, KP_EVENT_VALUES, depth))
        return false;
    end = t->head + slots;
    if (end <= t->limit || extend(t, end))
        return true;
    signals = kp_signals_block();
    t->busy = KP_BUSY_OWN;
    room = extend_or_wait(t, end);
    t->busy = was_busy;
    kp_signals_set(signals);
    errno = saved;
    return room || lose(t, KP_EVENT_VALUES);
}

/* The exact code of the probes, on a scratch ring; the smallest of several runs is the cost without
 * interruptions. */
struct kp_probe_cost kp_emit_calibrate(unsigned clock)
{
    static struct kp_slot slots[2 * CALIBRATION_PAIRS];
    static struct kp_ring ring;
    static struct kp_thread_state t;
    struct kp_probe_cost cost = {1e9, 1e9};

    for (int run = 0; run < 5; run++) {
        double inner = 1e9, pair;

        t = (struct kp_thread_state){.limit = 2 * CALIBRATION_PAIRS,
                                     .mask = 2 * CALIBRATION_PAIRS - 1,
                                     .slots = slots,
                                     .ring = &ring,
                                     .clock = clock};
        for (uint32_t i = 0; i < CALIBRATION_PAIRS; i++) {
            kp_emit_enter(&t, 1, 0);
            kp_emit(&t, KP_EVENT_EXIT, 1, 0, kp_clock_now(clock));
        }
        pair = (double)(slots[2 * CALIBRATION_PAIRS - 2].time - slots[0].time) / (CALIBRATION_PAIRS - 1);
        for (uint32_t i = 0; i < CALIBRATION_PAIRS; i++) {
            double width = (double)(slots[2 * i + 1].time - slots[2 * i].time);

            inner = width < inner ? width : inner;
        }
        cost.pair_ticks = pair < cost.pair_ticks ? pair : cost.pair_ticks;
        cost.inner_ticks = inner < cost.inner_ticks ? inner : cost.inner_ticks;
    }
    return cost;
}

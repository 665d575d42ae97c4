#include "held_regions.h"

#include "memory.h"

#define HELD_MAX 65536u /* more are ended when their owner is suspended */
#define BUCKETS  16384u

/* One region. Those of an owner stand in its bucket from the outermost one on. */
struct held {
    uint64_t owner;
    uint32_t id, number;
    uint32_t next; /* index of the next one; 0: none */
};

_Atomic uint32_t kp_held_count;

static atomic_flag locked = ATOMIC_FLAG_INIT;
static struct held *all; /* [0] is unused */
static uint32_t buckets[BUCKETS];
static uint32_t unused, ever_used;
static _Atomic uint32_t numbers;

/* The GIL excludes others, but for interpreters that have one each. False: a fork left it taken. */
static bool lock(void)
{
    for (int tries = 0; tries < 100000; tries++)
        if (!atomic_flag_test_and_set_explicit(&locked, memory_order_acquire))
            return true;
    return false;
}

static void unlock(void)
{
    atomic_flag_clear_explicit(&locked, memory_order_release);
}

uint64_t kp_region_token(uint32_t *number)
{
    while (!*number)
        *number = atomic_fetch_add(&numbers, 1) + 1;
    return 1ull << 62 | *number;
}

static uint32_t *bucket_of(uint64_t owner)
{
    return &buckets[(owner >> 4 ^ owner >> 18) % BUCKETS];
}

static uint32_t take_entry(void)
{
    uint32_t entry = unused;

    if (entry) {
        unused = all[entry].next;
        return entry;
    }
    if (!all && !(all = kp_memory_private(HELD_MAX * sizeof *all)))
        return 0;
    return ever_used + 1 < HELD_MAX ? ++ever_used : 0;
}

static void free_entry(uint32_t entry)
{
    all[entry].next = unused;
    unused = entry;
    atomic_fetch_sub(&kp_held_count, 1);
}

/* The outermost entry of an owner, taken out; 0: there is none. */
static uint32_t take_first(uint64_t owner)
{
    uint32_t *link = bucket_of(owner);

    while (*link && all[*link].owner != owner)
        link = &all[*link].next;
    if (!*link)
        return 0;
    uint32_t entry = *link;
    *link = all[entry].next;
    return entry;
}

void kp_held_suspend(struct kp_thread_state *t, uint32_t depth, uint64_t owner, uint64_t now)
{
    if (!lock())
        return;
    while (t->depth > depth) {
        struct kp_activation *region = kp_local.top;
        uint32_t entry = take_entry();
        uint64_t token;

        if (!entry)
            break;
        token = kp_region_token(&region->number);
        all[entry] = (struct held){owner, region->id, region->number, *bucket_of(owner)};
        *bucket_of(owner) = entry;
        atomic_fetch_add(&kp_held_count, 1);
        kp_open_pop(t);
        kp_emit_pair(t, KP_EVENT_YIELD, all[entry].id, t->depth, now, token, 0);
    }
    unlock();
}

void kp_held_resume(struct kp_thread_state *t, uint64_t owner)
{
    uint64_t now = kp_clock_now(t->clock);
    uint32_t entry;

    if (!lock())
        return;
    while ((entry = take_first(owner))) {
        struct held *held = &all[entry];
        uint32_t depth = t->depth;

        if (kp_open_room(t)) {
            kp_open_push(t, kp_region_tag(t), held->id);
            kp_local.top->number = held->number;
            kp_emit_pair(t, KP_EVENT_RESUME, held->id, depth, now, kp_region_token(&held->number), 0);
        }
        free_entry(entry);
    }
    unlock();
}

void kp_held_forget(uint64_t owner)
{
    uint32_t entry;

    if (!lock())
        return;
    while ((entry = take_first(owner)))
        free_entry(entry);
    unlock();
}

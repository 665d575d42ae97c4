#include "thread.h"

#include <limits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "emit.h"
#include "log.h"
#include "memory.h"
#include "open_calls.h"
#include "registry.h"
#include "trace/drain.h"
#include "writer.h"

static const _Atomic uint32_t never = 0;

struct kp_thread_state kp_nobody = {.epoch = UINT32_MAX, .live = &never};
struct kp_thread_state kp_untraced = {.epoch = UINT32_MAX, .live = &never, .busy = KP_BUSY_OWN};

static pthread_key_t key;
static struct kp_thread_state *all_states;
static uint32_t next_number;
static bool table_full_said;
static uint64_t ended_unplaced, ended_unplaced_calls;

/*
 * The thread is gone: its entry goes to the writer, its state to the next thread. Other destructors may call
 * functions that are traced, so this one asks to run late. The last round is that of the thread sanitizer,
 * whose mutexes are of no use after it.
 */
#define LAST_ENDING (PTHREAD_DESTRUCTOR_ITERATIONS - 1)

static void thread_ended(void *value)
{
    struct kp_thread_state *t = value;

    if (++t->endings < LAST_ENDING && pthread_setspecific(key, t) == 0)
        return;
    kp_open_end_calls(t);
    kp_self = &kp_untraced; /* from here on, all that is called is the shim's own */
    kp_local_forget();
    kp_emit_passed(t);
    kp_core_lock();
    if (t->ring && t->generation == kp_core.generation && t->entry) {
        prctl(PR_GET_NAME, t->entry->name);
        t->entry->end_ticks = kp_clock_now(t->clock);
        atomic_store_explicit(&t->entry->state, KP_SHM_THREAD_DONE, memory_order_release);
    }
    if (!t->ring && t->calls_lost && t->generation == kp_core.generation) {
        ended_unplaced++;
        ended_unplaced_calls += t->calls_lost;
    }
    t->ring = NULL;
    t->entry = NULL;
    t->in_use = false;
    kp_core_unlock();
    kp_core_thread_ends();
}

int kp_thread_setup(void)
{
    kp_open_setup();
    return pthread_key_create(&key, thread_ended);
}

static struct kp_thread_state *take_state(void)
{
    struct kp_thread_state *t;

    for (t = all_states; t && t->in_use; t = t->next)
        ;
    if (!t) {
        t = kp_memory_private(sizeof *t);
        if (!t)
            return NULL;
        t->next = all_states;
        all_states = t;
    }
    t->in_use = true;
    return t;
}

static void start_afresh(struct kp_thread_state *t)
{
    t->ring = NULL;
    t->entry = NULL;
    t->slots = NULL;
    t->head = t->limit = t->mask = 0;
    t->calls = t->calls_lost = t->events_lost = t->gap_calls = t->gap_events = 0;
    t->passed = t->passed_told = 0;
    t->generation = kp_core.generation;
}

static struct kp_thread_state *create(void)
{
    struct kp_thread_state *t;

    /* On its way into our code: old libpthread calls libc through slots. */
    if (kp_writer_stack_holds(&t)) {
        kp_self = &kp_untraced;
        return NULL;
    }
    kp_core_lock();
    t = take_state();
    kp_core_unlock();
    if (!t)
        return NULL;
    start_afresh(t);
    if (!kp_open_start(t))
        return NULL;
    t->busy = 0;
    t->endings = 0;
    t->clock = kp_core.clock;
    t->live = kp_core.live;
    t->epoch = UINT32_MAX;
    kp_self = t;
    pthread_setspecific(key, t);
    return t;
}

struct kp_thread_state *kp_thread_enter(void)
{
    struct kp_thread_state *t = kp_self;
    uint32_t live;

    if (t->busy)
        return NULL;
    /* A child made behind the back of pthread_atfork: the kernel cleared the live word. */
    if (kp_core.live && atomic_load_explicit(kp_core.live, memory_order_relaxed) == 0 &&
        atomic_load_explicit(&kp_core.state, memory_order_acquire) != KP_CORE_OFF && getpid() != kp_core.pid)
        kp_core_fork_child();
    if (atomic_load_explicit(&kp_core.state, memory_order_acquire) == KP_CORE_OFF)
        return NULL;
    live = atomic_load_explicit(kp_core.live, memory_order_acquire);
    if (live == 0)
        return NULL;
    if (t == &kp_nobody && !(t = create()))
        return NULL;
    if (t->generation != kp_core.generation)
        start_afresh(t);
    memset(t->cache, 0, sizeof t->cache);
    memset(t->second, 0, sizeof t->second);
    t->epoch = live;
    return t;
}

static struct kp_shm_thread *take_entry(void)
{
    struct kp_shm_thread *threads = kp_shm_threads(kp_core.shm);
    uint32_t used = atomic_load_explicit(&kp_core.shm->threads_used, memory_order_relaxed);

    for (uint32_t i = 0; i < used; i++)
        if (atomic_load_explicit(&threads[i].state, memory_order_acquire) == KP_SHM_THREAD_FREE)
            return &threads[i];
    if (used == KP_SHM_THREADS)
        return NULL;
    memset(&threads[used], 0, sizeof threads[used]);
    atomic_store_explicit(&kp_core.shm->threads_used, used + 1, memory_order_release);
    return &threads[used];
}

static bool no_room(const char *what)
{
    if (!table_full_said)
        kp_log(KP_LEVEL_WARN, "no room for another thread (%s): its calls are not recorded", what);
    table_full_said = true;
    return false;
}

bool kp_thread_open_ring(struct kp_thread_state *t, uint32_t base_depth)
{
    struct kp_shm_thread *entry = take_entry();
    struct kp_ring *ring;

    if (!entry)
        return no_room("thread table full");
    ring = kp_memory_ring(kp_core.shm, kp_core.options.buffer_bytes, 0, next_number);
    if (!ring)
        return no_room("shared memory full");
    entry->number = next_number++;
    entry->tid = (uint32_t)syscall(SYS_gettid);
    entry->base_depth = base_depth;
    entry->start_ticks = kp_clock_now(t->clock);
    entry->end_ticks = 0;
    prctl(PR_GET_NAME, entry->name);
    if (!kp_registry_thread(entry)) {
        kp_memory_ring_free(kp_core.shm, ring);
        return no_room("definitions full");
    }
    atomic_store_explicit(&entry->ring, (uint64_t)((uint8_t *)ring - (uint8_t *)kp_core.shm),
                          memory_order_relaxed);
    t->entry = entry;
    t->ring = ring;
    t->slots = kp_ring_slots(ring);
    t->mask = (1ull << ring->size_shift) - 1;
    t->head = t->limit = 0;
    ring->calls_lost = t->calls_lost;
    ring->events_lost = t->events_lost;
    atomic_store_explicit(&ring->calls, t->calls, memory_order_relaxed);
    atomic_store_explicit(&entry->state, KP_SHM_THREAD_LIVE, memory_order_release);
    return true;
}

void kp_thread_unplaced(uint64_t *threads, uint64_t *calls)
{
    *threads = ended_unplaced;
    *calls = ended_unplaced_calls;
    for (struct kp_thread_state *t = all_states; t; t = t->next)
        if (t->in_use && !t->ring && t->calls_lost) {
            ++*threads;
            *calls += t->calls_lost;
        }
}

void kp_thread_forked(void)
{
    next_number = 0;
    table_full_said = false;
    ended_unplaced = ended_unplaced_calls = 0;
    for (struct kp_thread_state *t = all_states; t; t = t->next)
        if (t != kp_self) {
            start_afresh(t);
            t->in_use = false;
        }
}

void kp_thread_forget_key(const void *key_gone)
{
    for (struct kp_thread_state *t = all_states; t; t = t->next) {
        struct kp_cache_entry *first = kp_cache_entry(t, key_gone);
        struct kp_cache_entry *second = &t->second[kp_cache_set(key_gone)];

        if (first->key == key_gone)
            first->key = NULL;
        if (second->key == key_gone)
            second->key = NULL;
    }
}

void kp_thread_forget_all(void)
{
    for (struct kp_thread_state *t = all_states; t; t = t->next)
        for (unsigned i = 0; i < KP_CACHE_SETS; i++) {
            /* Only the keys: their threads may be reading. Release: after the version; see kp_cache_settle.
             */
            __atomic_store_n(&t->cache[i].key, NULL, __ATOMIC_RELEASE);
            __atomic_store_n(&t->second[i].key, NULL, __ATOMIC_RELEASE);
        }
}

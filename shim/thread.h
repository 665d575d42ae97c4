/*
 * Per-thread state of the probes: private memory of the shim, found through one initial-exec TLS pointer.
 */
#ifndef KP_SHIM_THREAD_H
#define KP_SHIM_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core.h"

/*
 * From a key (a code object) to a function id: sets of two ways, the second looked at when the first misses.
 * An id other than 0 is good while the thread's epoch is; a 0 until kp_thread_forget_all.
 */
struct kp_cache_entry {
    const void *key;
    uint32_t id;    /* 0: not traced */
    uint32_t flags; /* the engine's */
};

#define KP_CACHE_SETS 2048u

/* A traced call that is open; see open_calls.h. */
struct kp_activation {
    void *frame; /* whose it is */
    uint32_t id;
    uint32_t number; /* of a region that was suspended: its token (held_regions.h); else 0 */
};

/* base[0] stands below the first, with no frame. */
struct kp_open_stack {
    struct kp_activation *base;
    uint32_t room; /* entries */
    /* Entries to stay free above the top, for an engine that pushes without a look. */
    uint32_t ahead;
};

enum kp_busy {
    KP_BUSY_PROBE = 1, /* in a probe: a C call comes from a signal handler, and is counted */
    KP_BUSY_OWN,       /* in the shim's slow path: a C call is the shim's own */
};

struct kp_thread_state {
    /* The line that every event touches. */
    uint32_t epoch; /* compared with *live */
    uint32_t depth; /* open traced calls */
    const _Atomic uint32_t *live;
    uint64_t head;  /* next slot number */
    uint64_t limit; /* below it, three slots are free without a look at tail */
    uint64_t mask;
    struct kp_slot *slots;
    struct kp_ring *ring; /* NULL: no event yet */
    uint64_t calls;
    /* The next line. */
    uint32_t busy; /* enum kp_busy; not 0: C calls of this thread pass */
    unsigned clock;
    void *call_frames;         /* native/: shadow frames that are free; only where the clock is the counter */
    void *spare_frames;        /* the same with other clocks */
    struct kp_open_stack open; /* its open calls */
    uint64_t calls_tagged;     /* see kp_call_tag */
    /* Colder. */
    bool on_trial;                    /* of an engine's self-test: calls of C code pass */
    unsigned endings;                 /* how often its destructor ran */
    uint64_t passed, passed_told;     /* calls that signal handlers made while busy; of them in `calls` */
    uint64_t calls_lost, events_lost; /* in all */
    uint64_t gap_calls, gap_events;   /* not yet told by a LOST event */
    uint64_t gap_time;
    struct kp_shm_thread *entry;
    struct kp_thread_state *next; /* list of all, or of free ones; kp_core.lock */
    uint32_t generation;          /* of the mapping that `ring` is in */
    bool in_use;
    void *engine;      /* the engine's memory, kept with the state */
    void *activations; /* the opcode engine's, likewise */
    struct kp_cache_entry cache[KP_CACHE_SETS];
    struct kp_cache_entry second[KP_CACHE_SETS];
};

/*
 * What probes need without a look at the state. Threads without a state have values that lead nowhere. The
 * first and the fourth are the opcode engine's.
 */
struct kp_local {
    void *interpreter_thread; /* tstate */
    void *top_frame;          /* of the innermost open call; NULL: none */
    struct kp_activation *top;
    void *chunk; /* newest piece of the interpreter's frame stack when it was last looked at */
    struct kp_cache_entry *cache;
    struct kp_activation *limit;  /* a push that is to be below it needs no look at the room */
    struct kp_thread_state *self; /* kp_nobody, kp_untraced, or the thread's own state */
    bool own;                     /* without a state: in the shim's own work; C calls pass */
};
extern __thread struct kp_local kp_local __attribute__((tls_model("initial-exec")));

/* The calling thread's state. */
#define kp_self (kp_local.self)

/* Stands in for threads without state: its epoch equals no live word. */
extern struct kp_thread_state kp_nobody;

/* The same for threads that get none: the writer, and those whose state is gone. */
extern struct kp_thread_state kp_untraced;

/* Slow part of kp_thread_active: makes the state, or validates it anew. NULL: do not trace. */
struct kp_thread_state *kp_thread_enter(void);

/* This thread's state if tracing is on, else NULL. */
static inline struct kp_thread_state *kp_thread_active(void)
{
    struct kp_thread_state *t = kp_self;

    if (__builtin_expect(t->epoch == atomic_load_explicit(t->live, memory_order_relaxed), 1))
        return t;
    return kp_thread_enter();
}

/*
 * The set of a key. Code objects are some hundred bytes large, so bits from 6 on tell neighbours apart; on
 * the request loop of a Django site 0.7 % of the calls miss both ways, on average over address layouts.
 * shim/arch computes the same.
 */
static inline unsigned kp_cache_set(const void *key)
{
    return (unsigned)((uintptr_t)key >> 6) & (KP_CACHE_SETS - 1);
}

static inline struct kp_cache_entry *kp_cache_entry(struct kp_thread_state *t, const void *key)
{
    return &t->cache[kp_cache_set(key)];
}

/* After a change of the cache by its thread: if the rules, at `version` before it, changed meanwhile, undo
 * it. */
static inline void kp_cache_settle(struct kp_thread_state *t, const void *key, uint32_t version)
{
    /*
     * A locked read, so that the entry is visible before the version is read. kp_thread_forget_all's keys are
     * cleared after the version has changed: either it clears the entry too, or the new version is seen here.
     */
    if (__builtin_expect(atomic_fetch_add(&kp_core.rules_version, 0) == version, 1))
        return;
    t->cache[kp_cache_set(key)].key = NULL;
    t->second[kp_cache_set(key)].key = NULL;
}

/* The key is not in the first way: look in the second, and let them change places. False: a miss. */
static inline bool kp_cache_promote(struct kp_thread_state *t, const void *key)
{
    uint32_t version = atomic_load_explicit(&kp_core.rules_version, memory_order_acquire);
    struct kp_cache_entry *first = kp_cache_entry(t, key), *second = &t->second[kp_cache_set(key)];
    struct kp_cache_entry found = *second;

    if (found.key != key)
        return false;
    *second = *first;
    *first = found;
    kp_cache_settle(t, key, version);
    return true;
}

/* Remember a verdict made by the rules of `version`; what was in the first way goes to the second. */
static inline void kp_cache_put(struct kp_thread_state *t, const void *key, uint32_t id, uint32_t version)
{
    struct kp_cache_entry *first = kp_cache_entry(t, key);

    if (first->key != key)
        t->second[kp_cache_set(key)] = *first;
    *first = (struct kp_cache_entry){.key = key, .id = id};
    kp_cache_settle(t, key, version);
}

/* Whether its events go into a trace at this moment. */
static inline bool kp_thread_is_recording(const struct kp_thread_state *t)
{
    return t->epoch == atomic_load_explicit(t->live, memory_order_relaxed);
}

/* Called once from the constructor. 0 or -1. */
int kp_thread_setup(void);

/* A key is about to be freed: no thread may find it again. Any thread; the caller excludes concurrent use of
 * the key. */
void kp_thread_forget_key(const void *key);

/* The rules changed: empty the caches of all threads, which go on running. With the lock held. */
void kp_thread_forget_all(void);

/* Give the thread a ring and an entry. With the lock held. False: no room, counted. */
bool kp_thread_open_ring(struct kp_thread_state *t, uint32_t base_depth);

/* Threads that found no room in the trace, and their calls: for the metadata. With the lock held. */
void kp_thread_unplaced(uint64_t *threads, uint64_t *calls);

/* In a forked child: only the calling thread is left. With the lock held. */
void kp_thread_forked(void);

/* A call that a signal handler makes in the midst of a probe, and that passes: the next event counts it as
 * lost. */
static inline void kp_thread_pass(struct kp_thread_state *t)
{
    t->passed++;
}

/* In open_calls.c: before any thread has a state; whether the interpreter's thread is not known yet; as in a
 * thread without state, but for the interpreter's thread. */
void kp_open_setup(void);
bool kp_local_is_new(void);
void kp_local_forget(void);

/* Room for `depth` open calls and those ahead. False: no memory. */
bool kp_open_reserve(struct kp_open_stack *stack, uint32_t depth);

#endif

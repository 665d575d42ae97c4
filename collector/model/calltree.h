/*
 * Call tree: pairs events to activations, once, for every report and exporter.
 *
 * Fed with the items of a reader, it keeps a stack per thread and the suspended generators of each process,
 * and calls the slots of an ops struct. An event's depth (traced calls open below it) resynchronises after
 * losses: an activation whose end was not seen is closed as such, an end without a begin is an orphan;
 * neither stops it. A generator or coroutine is one activation; its time is the sum of the segments in which
 * it ran; one that moves between threads is followed only when the reader merges them (KP_READ_BY_TIME).
 * Memory grows with depth, threads, functions and live suspended generators, never with the trace's
 * length. Not thread-safe: one tree, one thread.
 */
#ifndef KP_COLLECTOR_MODEL_CALLTREE_H
#define KP_COLLECTOR_MODEL_CALLTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/reader.h"
#include "values.h"

/* How an activation ended, one row each: KP_ENDING(NAME, "text", "meaning"). */
#define KP_ENDINGS(KP_ENDING)                                                                                \
    KP_ENDING(EXIT, "exit", "returned")                                                                      \
    KP_ENDING(UNWIND, "unwind", "left by an exception")                                                      \
    KP_ENDING(UNKNOWN, "unknown", "its end was lost; the time is that of the first event after it")          \
    KP_ENDING(STOPPED, "stopped", "tracing was switched off while it was open")                              \
    KP_ENDING(SUSPENDED, "suspended", "a generator that was never resumed again")                            \
    KP_ENDING(OPEN, "open", "still open when its thread or process ended")

enum kp_ending {
#define KP_ENDING(name, text, meaning) KP_ENDING_##name,
    KP_ENDINGS(KP_ENDING)
#undef KP_ENDING
        KP_ENDING_COUNT
};

/* One activation. Open ones lie on the stack of their thread, valid until the next callback returns. */
struct kp_call {
    struct kp_function *function; /* never NULL; kind 0 when its definition is missing */
    struct kp_thread *thread;     /* where it ran last */
    uint64_t start_ns;            /* of the enter; of what was first seen of a partial one */
    uint64_t active_ns;           /* inclusive: sum of its finished segments */
    uint64_t self_ns;             /* the part of it not spent in traced calls below */
    uint64_t pairs;    /* traced calls and resumptions below it, at any depth: each cost a probe pair */
    uint32_t children; /* those directly below */
    uint32_t suspensions;
    uint32_t depth;
    bool partial;              /* its begin was not seen: not a call to be counted */
    bool suspended;            /* off the stack */
    uint64_t segment_start_ns; /* the segment that runs now or ended last */
    uint64_t segment_ns; /* set when a segment ended: in suspend and close, 0 when closed off the stack */
    uint64_t segment_self_ns;
    uint64_t segment_pairs;
    uint32_t segment_children;
    uint64_t token;
    const struct kp_call_values *values; /* raw ones, as far as they have come; NULL: none */
    struct kp_function *exception;       /* the type of the one that leaves it; NULL: none, or unknown */
    void *user;                          /* for the ops: a place in their own structure */
    uint64_t children_ns_;               /* of the running segment; private, like all below */
    uint64_t pairs_at_start_;
};

struct kp_calltree_process;

/* One thread. The caller of calls[i] is calls[i - 1]. */
struct kp_calltree_thread {
    struct kp_thread *thread;
    struct kp_calltree_process *process;
    struct kp_call *calls; /* bottom first */
    size_t count;
    size_t capacity;
    uint64_t last_ns;   /* of the newest event */
    uint64_t pairs;     /* enters and resumes so far */
    uint32_t inherited; /* calls of before the recording that are still open below */
    uint64_t gaps;      /* reported so far */
    bool ended;
    void *user; /* for the ops */
};

/*
 * What happens, in time order per thread. Slots may be NULL. During enter and resume the call is the top of
 * the stack already; during suspend and close it still is (unless call->suspended), with its times complete.
 */
struct kp_calltree_ops {
    void (*thread_begin)(void *user, struct kp_calltree_thread *thread);
    void (*enter)(void *user, struct kp_calltree_thread *thread, struct kp_call *call);
    void (*close)(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t end_ns,
                  enum kp_ending ending);
    void (*suspend)(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t time_ns);
    void (*resume)(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t time_ns);
    /* Events were dropped: `calls` enters and `others`. */
    void (*lost)(void *user, struct kp_calltree_thread *thread, uint64_t time_ns, uint64_t calls,
                 uint64_t others);
    /* A stretch of the trace is missing (damage) before time_ns. */
    void (*gap)(void *user, struct kp_calltree_thread *thread, uint64_t time_ns);
    /* An exit or unwind without a begin; `inherited` when the call was open before the recording began. */
    void (*orphan)(void *user, struct kp_calltree_thread *thread, const struct kp_event *event,
                   struct kp_function *function, bool inherited);
    void (*thread_end)(void *user, struct kp_calltree_thread *thread);
};

struct kp_calltree;

/* `ops` must outlive the tree; `user` is handed to each of its slots. */
struct kp_calltree *kp_calltree_create(const struct kp_calltree_ops *ops, void *user);
void kp_calltree_destroy(struct kp_calltree *tree);

/*
 * Takes one item of a reader. Uses the `user` fields of processes and threads; those of functions are free
 * for the ops. At the end of a process everything open is closed. The reader must stay open as long as the
 * tree.
 */
void kp_calltree_feed(struct kp_calltree *tree, const struct kp_item *item);

/* Ends what the reader did not end (reading stopped early); feed nothing after it. */
void kp_calltree_finish(struct kp_calltree *tree);

/* "exit", "unwind", ... */
const char *kp_ending_text(enum kp_ending ending);

#endif

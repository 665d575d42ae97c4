/*
 * Reader: one or more traces as one stream of items, decoded in this one place.
 *
 * Bytes come from a file, a pipe (spooled to an unlinked temporary file), or what a dead process left in
 * shared memory. A trace whose process died is completed from that leftover by itself.
 * Memory grows with threads and functions, not with the length of the trace.
 */
#ifndef KP_TRACE_READER_H
#define KP_TRACE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "function.h"
#include "status.h"

struct kp_object;
struct kp_source_opener;

/* A traced process (one section of a trace). Strings belong to the reader and live as long as it. */
struct kp_process {
    uint32_t index; /* position in this reader, from 0 */
    char uuid[33];  /* hex, lower case */
    uint32_t pid;
    uint32_t parent_pid;
    const char *host;
    const char *command; /* arguments, blank-separated, as recorded */
    const char *executable;
    const char *interpreter; /* "CPython 3.11.2", "" before it is known */
    const char *engine;      /* name of the engine row, "" before it is known */
    const char *clock;       /* "tsc", "monotonic", "none" */
    uint64_t start_ns;       /* Unix epoch */
    uint64_t end_ns;         /* Unix epoch of the last thing known; grows while reading */
    double ticks_per_ns;
    double probe_pair_ns;  /* calibrated cost of an enter/exit pair as its caller sees it; 0: unknown */
    double probe_inner_ns; /* the part of it between the two time stamps */
    bool complete;         /* an END chunk was seen: the process ended in order; or NEXT */
    bool recovered;        /* part of it came from shared memory of a dead process */
    bool alive;            /* still running: the trace grows */
    uint32_t part;         /* of a section in parts, from 0: a later one goes on in the middle of things */
    uint32_t next_part;    /* it goes on there, in another file; 0: it does not */
    struct kp_object *objects; /* known so far; before the functions that are in them */
    void *user;                /* for the caller */
};

struct kp_function {
    const struct kp_process *process;
    uint32_t id;      /* unique in its process, from 1 */
    uint8_t kind;     /* enum kp_function_kind */
    uint32_t line;    /* 0: unknown */
    const char *name; /* NUL-terminated, may hold any other byte: escape on output */
    const char *file; /* "" when unknown */
    uint32_t flags;   /* enum kp_function_flag */
    uint32_t
        parameters; /* named ones, keyword-only ones, *args and **kwargs one each; see KP_FUNCTION_FACTS */
    void *user;     /* for the caller */
};

/* A loaded object that C functions of the process are in; kp_function.file is its path. */
struct kp_object {
    const char *path;
    const char *build_id;   /* hex, lower case; "" when it has none */
    struct kp_object *next; /* in order of appearance */
};

struct kp_thread {
    struct kp_process *process;
    uint32_t number; /* unique in its process, from 0 */
    uint32_t tid;
    uint32_t base_depth; /* calls open when recording began (after fork): they exit without an enter */
    char name[16];
    uint64_t start_ns;
    bool partial; /* its earlier events are in an earlier part: the counters say more than is read here */
    /* Known when `ended`; the counters of the process itself, to be compared with what was read. */
    bool ended;
    uint64_t calls_made;
    uint64_t calls_lost;
    uint64_t events_lost; /* others than enter */
    /* Counted by the reader while reading. */
    uint64_t calls_read;
    uint64_t events_read;
    uint64_t calls_lost_read; /* sum over LOST events */
    uint64_t events_lost_read;
    uint64_t gaps;     /* missing stretches: damage, not losses */
    uint64_t backward; /* events whose clock stood before that of the event before; given out with its time */
    void *user;        /* for the caller */
};

enum kp_item_kind {
    KP_ITEM_PROCESS,  /* a process begins: item.process */
    KP_ITEM_FUNCTION, /* a function was defined: item.function */
    KP_ITEM_THREAD,   /* a thread begins: item.thread */
    /*
     * item.events[0..count) of item.thread, in time order, time in ns since the Unix epoch. Losses of a
     * thread's end that no event could tell any more are a LOST event made by the reader, the last of its
     * thread.
     */
    KP_ITEM_EVENTS,
    KP_ITEM_THREAD_END, /* item.thread: no more events, counters known */
    KP_ITEM_META,       /* item.key, item.value of item.process */
    KP_ITEM_DAMAGE,     /* item.text says what; item.offset where in the file; reading goes on */
    KP_ITEM_PROCESS_END /* the section is read completely; item.process->complete says how it ended */
};

#define KP_NO_OFFSET UINT64_MAX

struct kp_item {
    enum kp_item_kind kind;
    struct kp_process *process;
    struct kp_thread *thread;
    struct kp_function *function;
    const struct kp_event *events; /* valid until the next call */
    size_t count;
    const char *key, *value, *text;
    uint64_t offset;  /* KP_NO_OFFSET: of no place in particular */
    const char *path; /* the input this came from */
};

struct kp_reader;

enum kp_reader_flags {
    KP_READ_BY_TIME =
        1, /* definitions of all inputs first, then EVENTS of all threads merged by time (small batches) */
    KP_READ_NO_LEFTOVER = 2, /* only what is in the files */
    KP_READ_NO_EVENTS = 4,   /* skip event chunks (info) */
};

/*
 * Open `count` inputs ("-" is standard input). On failure *out is NULL and `error` (at least 256 bytes)
 * holds a sentence that names the input and the reason. A path that does not exist is looked for among the
 * leftovers in shared memory by its output name.
 */
enum kp_status kp_reader_open(struct kp_reader **out, const char *const *paths, size_t count, unsigned flags,
                              char *error, size_t error_bytes);

/* The same with inputs that are no traces but can be made some: source.h. */
enum kp_status kp_reader_open_by(struct kp_reader **out, const char *const *paths, size_t count,
                                 unsigned flags, const struct kp_source_opener *opener, char *error,
                                 size_t error_bytes);

/* The next item; KP_END after the last one. Damage is an item, not an error. */
enum kp_status kp_reader_next(struct kp_reader *reader, struct kp_item *item);

/* How far: bytes read of bytes known, for progress. */
void kp_reader_progress(const struct kp_reader *reader, uint64_t *done_bytes, uint64_t *total_bytes);

/* A function of a process by id; NULL when it was never defined. Constant time. */
struct kp_function *kp_reader_function(const struct kp_reader *reader, const struct kp_process *process,
                                       uint32_t id);

void kp_reader_close(struct kp_reader *reader);

#endif

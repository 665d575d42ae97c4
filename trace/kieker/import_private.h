/*
 * What the import's files share:
 *   import.c             records of all kinds, hosts, counts
 *   import_functions.c   signatures to functions
 *   import_names.c       what a function is called in reports
 *   import_section.c     the section: threads, events, chunks
 *   import_traces.c      events of traces, put in order
 *   import_executions.c  executions of traces, put in order
 */
#ifndef KP_TRACE_KIEKER_IMPORT_PRIVATE_H
#define KP_TRACE_KIEKER_IMPORT_PRIVATE_H

#include "import.h"
#include "trace/key_map.h"
#include "input.h"
#include "trace/arena.h"
#include "trace/chunk.h"
#include "trace/function.h"
#include "trace/source.h"

/* --- functions --- */

struct kp_import_function {
    uint64_t hash;
    uint32_t operation_bytes, class_bytes;
    uint8_t kind;     /* enum kp_function_kind */
    const char *text; /* operation, then class; not terminated */
    const char *name;
};

struct kp_import_functions {
    struct kp_arena arena;
    struct kp_import_function *list; /* by id; 0 is none */
    uint32_t count, room;
    uint32_t *slots; /* ids */
    size_t mask;
    uint64_t seed;
    size_t bytes;
};

/* --- sections --- */

/* One sequence of events: a thread, or a further one of the same thread for traces that overlap. */
struct kp_import_lane {
    struct kp_import_section *section;
    struct kp_import_lane *next; /* of the thread */
    struct kp_slot *slots;       /* not written yet */
    uint32_t count, room;
    uint32_t number;
    bool busy; /* a trace is open on it */
    uint64_t last_ns, first_slot, calls, events_lost;
};

struct kp_import_thread {
    struct kp_import_section *section;
    int64_t id;
    struct kp_import_lane *lanes;    /* the one used last first */
    struct kp_import_trace *current; /* the newest trace of it, while that is there */
};

struct kp_import_section {
    struct kp_kieker_import *import;
    struct kp_import_section *next;
    char *host, *application; /* application: "" for none */
    struct kp_key_map threads;
    struct kp_import_lane **lanes; /* by number */
    uint32_t lane_count, lane_room;
    struct kp_source spool; /* of all sections but the first: sections follow one another */
    bool begun, direct;
    uint32_t chunks;
    uint8_t *defs, *defined; /* records to be written; a bit a function */
    size_t defs_bytes, defs_room, defined_bytes;
    uint64_t start_ns, end_ns;
};

/* --- traces --- */

struct kp_import_event {
    uint64_t time;
    int32_t order;
    uint32_t function, cause;
    uint8_t kind; /* enum kp_kieker_event_kind */
};

struct kp_import_trace {
    int64_t id;
    bool by_thread;
    struct kp_import_thread *thread;
    struct kp_import_lane *lane;
    struct kp_import_trace *older, *newer;
    int64_t expected; /* order of the next event */
    uint32_t *stack;  /* functions of the open calls */
    uint32_t depth, room;
    struct kp_import_event *waiting; /* came too early; by order */
    uint32_t waiting_count, waiting_room;
    struct kp_import_event call; /* a CallOperationEvent whose callee was not seen yet; kind 0: none */
};

enum { KP_IMPORT_RECENT = 4096 };

struct kp_import_recent {
    int64_t id, expected;
    struct kp_import_thread *thread; /* NULL: empty */
};

struct kp_import_traces {
    struct kp_key_map by_id, by_thread;
    struct kp_import_trace *oldest, *newest, *spare;
    struct kp_import_recent recent[KP_IMPORT_RECENT]; /* ended: more may come of them */
};

struct kp_import_execution {
    uint64_t start_ns, end_ns;
    uint32_t function;
    int32_t order, stack;
};

struct kp_import_executions {
    int64_t id;
    struct kp_import_section *section;
    struct kp_import_executions *older, *newer;
    struct kp_import_execution *list;
    uint32_t count, room;
    int32_t first, last; /* orders seen */
};

/* --- the import --- */

enum { KP_IMPORT_NOTES = 1000, KP_IMPORT_SKIPPED = 256, KP_IMPORT_SECTIONS = 256 };

struct kp_import_skipped {
    char *java_class;
    uint64_t count;
};

struct kp_kieker_import {
    struct kp_kieker_import_options options;
    struct kp_zstd no_zstd;
    enum kp_status status;
    struct kp_kieker_import_counts counts;
    struct kp_key_map types; /* of records to what is done with them */
    struct kp_import_functions functions;
    struct kp_import_section *sections, *last_section, *recent_section;
    uint32_t section_count;
    size_t waiting_bytes; /* bounded by options.most_bytes */
    uint64_t slots;       /* that lanes have memory for */
    uint64_t notes;
    struct kp_import_skipped skipped[KP_IMPORT_SKIPPED];
    size_t skipped_count;
    struct kp_import_traces traces;
    struct kp_key_map executions;
    struct kp_import_executions *oldest_executions, *newest_executions;
    /* What the log says of itself. */
    char *host, *version, *controller;
    bool own; /* kprobe wrote it */
    bool time_known;
    int64_t time_factor, time_offset;
    uint64_t repeated, assumed, without_metadata;
    /* For building chunks. */
    struct kp_encoder *encoder;
    uint8_t *out;
};

/* Keeps the first error; returns whether there is none. */
bool kp_import_check(struct kp_kieker_import *import, enum kp_status status);
/* Something is wrong with the log; becomes a note in the trace that readers tell as damage. */
#define KP_IMPORT_NOWHERE UINT64_MAX
void __attribute__((format(printf, 3, 4)))
kp_import_note(struct kp_kieker_import *import, uint64_t offset, const char *format, ...);
uint64_t kp_import_time(struct kp_kieker_import *import, int64_t time);
/* Memory of what waits; false: the limit is reached. */
bool kp_import_spend(struct kp_kieker_import *import, size_t bytes);

/* The id, 0 without memory (import->status says so). */
uint32_t kp_import_function(struct kp_kieker_import *import, struct kp_text operation,
                            struct kp_text class_name);
uint32_t kp_import_exception(struct kp_kieker_import *import, struct kp_text cause);
/* Whether both have the same operation signature. */
bool kp_import_same_operation(const struct kp_kieker_import *import, uint32_t a, uint32_t b);
void kp_import_functions_free(struct kp_import_functions *functions);

/* Writes the name of a function into `out_name` (NUL-terminated, cut at `room`); returns its kind. */
enum kp_function_kind kp_import_name(const struct kp_kieker_import *import, struct kp_text operation,
                                     struct kp_text class_name, char *out_name, size_t room);
enum kp_function_kind kp_import_exception_name(const struct kp_kieker_import *import, struct kp_text cause,
                                               char *out_name, size_t room);

struct kp_import_section *kp_import_section(struct kp_kieker_import *import, struct kp_text host,
                                            struct kp_text application);
struct kp_import_thread *kp_import_thread(struct kp_import_section *section, int64_t id);
/* A lane that is free and whose events are not later than `ns`; NULL without memory. */
struct kp_import_lane *kp_import_lane(struct kp_import_thread *thread, uint64_t ns);
void kp_import_emit(struct kp_import_lane *lane, unsigned kind, uint32_t function, uint32_t depth,
                    uint64_t ns, uint64_t value, uint64_t value2);
void kp_import_meta(struct kp_import_section *section, const char *key, const char *value);
void kp_import_sections_flush(struct kp_kieker_import *import);
void kp_import_sections_finish(struct kp_kieker_import *import);
void kp_import_sections_free(struct kp_kieker_import *import);

void kp_import_trace_begin(struct kp_kieker_import *import, int64_t id, struct kp_import_thread *thread);
void kp_import_trace_event(struct kp_kieker_import *import, const struct kp_kieker_event *from);
/* An event that is no call: its place in the order counts. */
void kp_import_trace_tick(struct kp_kieker_import *import, int64_t trace_id, int32_t order, int64_t time);
/* What waits for what is missing does so no longer: at the end, and when memory is short. */
void kp_import_give_up(struct kp_kieker_import *import);
void kp_import_traces_give_up(struct kp_kieker_import *import);
void kp_import_traces_finish(struct kp_kieker_import *import);
void kp_import_traces_free(struct kp_kieker_import *import);

void kp_import_execution(struct kp_kieker_import *import, const struct kp_kieker_event *event);
void kp_import_executions_give_up(struct kp_kieker_import *import);
void kp_import_executions_free(struct kp_kieker_import *import);

#endif

/*
 * Kieker traces: what threads did becomes records that Kieker's tools accept as valid traces. The one
 * implementation for `convert`, the shim's live sinks and `serve`.
 *
 * Rules (docs/kieker.md):
 * - KiekerMetadataRecord first, once per output. TraceMetadata before the events of its trace, logging time
 *   set, parentTraceId its own id and parentOrderId -1 when it has no parent.
 * - A call without a caller on its thread is the root of a trace: one root per traceId, order from 0 without
 *   gaps, every Before followed by its After (or AfterFailed) with the same two signatures.
 * - A generator's segments are calls of their own, in the trace in which they run. So are those of an
 *   asynchronous generator.
 * - A coroutine whose caller is no coroutine (an event loop) is the root of a trace of its own, whose parent
 *   is where it was first entered (a SplitEvent there). Suspensions are not seen in it. A coroutine awaited
 * by a coroutine is a call in the same trace; if its caller goes on without it, its segments are calls. A
 * region (kprobe.h) in a coroutine is as one.
 * - What is open when a thread or process ends, or what a loss hides the end of, gets its After then. An end
 *   whose begin was not seen is dropped and counted. A call whose callers are unknown begins a trace.
 * - A trace that grows beyond what an order index can count ends, and its open calls go on in a new one whose
 *   parent it is.
 * - With `executions` an OperationExecutionRecord per call instead, at its end, with eoi and ess.
 * Memory: depth, threads, functions, suspended activations; never the length of a trace.
 */
#ifndef KP_TRACE_KIEKER_TRACES_H
#define KP_TRACE_KIEKER_TRACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output.h"
#include "signature.h"
#include "trace/event.h"
#include "trace/layout.h"
#include "trace/status.h"

struct kp_kieker_traces_options {
    bool executions;         /* OperationExecutionRecord instead of events */
    bool no_metadata;        /* no KiekerMetadataRecord */
    uint32_t most_events;    /* of a trace, about: then its open calls go on in another; 0: 2^30 */
    const char *application; /* not NULL: ApplicationTraceMetadata with that name */
    const char *host;        /* NULL: that of the process */
    int64_t (*now_ns)(void); /* logging time; NULL: the time of the event (deterministic) */
    /* A better signature (types from debug information); NULL or false: the usual one. */
    bool (*describe)(void *user, const struct kp_kieker_function_facts *facts,
                     struct kp_kieker_signature *signature);
    void *user;
};

struct kp_kieker_traces;
struct kp_kieker_process;

/* NULL without memory. The output stays the caller's and must outlive it. */
struct kp_kieker_traces *kp_kieker_traces_create(struct kp_kieker_output *output,
                                                 const struct kp_kieker_traces_options *options);
void kp_kieker_traces_destroy(struct kp_kieker_traces *traces);

/* A process; `uuid` (32 hex digits) seeds its trace ids, so that the same trace gives the same log. */
struct kp_kieker_process *kp_kieker_process_begin(struct kp_kieker_traces *traces, const char *uuid,
                                                  const char *host);
enum kp_status kp_kieker_process_function(struct kp_kieker_process *process,
                                          const struct kp_kieker_function_facts *facts);
enum kp_status kp_kieker_process_thread(struct kp_kieker_process *process, uint32_t number, uint32_t tid,
                                        uint32_t base_depth);
/*
 * Events of one thread in their order, times in ns since the epoch. `taken` (may be NULL): how many were
 * taken; all of them unless the result is KP_ERROR_FULL: go on with the rest later.
 */
enum kp_status kp_kieker_process_events(struct kp_kieker_process *process, uint32_t number,
                                        const struct kp_event *events, size_t count, size_t *taken);
/* Ends what is open there at `time_ns`. */
enum kp_status kp_kieker_process_thread_end(struct kp_kieker_process *process, uint32_t number,
                                            uint64_t time_ns);
/* The same for all threads, and frees the process. On KP_ERROR_FULL it is still there: call again. */
enum kp_status kp_kieker_process_end(struct kp_kieker_process *process, uint64_t time_ns);

/*
 * The same from the chunks of a section, as they leave a shim: PROCESS, DEFS, EVENTS, CLOCK, END; the ones
 * that say nothing to Kieker are skipped. Times follow the clock readings so far. `payload` stands behind the
 * header, both checked by the caller. After KP_ERROR_FULL the same chunk is to be given again; its payload
 * may stand elsewhere then. KP_ERROR_DAMAGED: what could not be decoded is skipped, the next chunk may
 * follow.
 */
struct kp_kieker_section;
struct kp_kieker_section *kp_kieker_section_begin(struct kp_kieker_traces *traces);
enum kp_status kp_kieker_section_chunk(struct kp_kieker_section *section,
                                       const struct kp_chunk_header *header, const void *payload);
/* Ends what is open (END did it already, when it came) and frees. */
enum kp_status kp_kieker_section_end(struct kp_kieker_section *section);

/*
 * For reports: what was made of the events. The log has calls + segments pairs of Before and After (or that
 * many executions).
 */
struct kp_kieker_counts {
    uint64_t traces, failed_calls;
    uint64_t calls;         /* that were entered, as every report counts them */
    uint64_t segments;      /* further pairs: generators that went on, calls that a full trace handed on */
    uint64_t closed_unseen; /* calls that got an After without having ended */
    uint64_t orphans;       /* ends without a begin, dropped */
    uint64_t calls_lost, events_lost;           /* as LOST events say */
    uint64_t custom_records, custom_incomplete; /* records of the program's own: written, dropped */
};
const struct kp_kieker_counts *kp_kieker_traces_counts(const struct kp_kieker_traces *traces);

#endif

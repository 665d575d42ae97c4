/*
 * Kieker import: records to a kprobe trace. One section per host and application; a thread of Kieker is a
 * thread of ours, and when traces of one thread overlap (tasks of an event loop) the later one goes to a
 * further thread of the same tid. Used by every reading command (a log directory is an input like any trace)
 * and by `serve` (a stream becomes a trace).
 *
 * Trace ids are per import: two processes that both count from 1 are told apart by having an import each.
 * What no trace can hold (samples of CPU load, ...) is counted by class, and becomes metadata
 * `kieker: CLASS` = count of the section.
 */
#ifndef KP_TRACE_KIEKER_IMPORT_H
#define KP_TRACE_KIEKER_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "input.h"
#include "kieker_record.h"
#include "trace/status.h"
#include "trace/zstd.h"

struct kp_kieker_import_options {
    const char *host;           /* for peers that send `<default-host>`; NULL: as it came */
    const char *name;           /* what it was read from: the command of the section */
    uint64_t salt;              /* of the sections' uuids; 0: the same log gives the same ones */
    const struct kp_zstd *zstd; /* NULL: not compressed */
    size_t most_bytes; /* memory for what waits (executions of open traces, events out of order); 0: 1 GiB */
    /* Whole chunks (and preambles), to be appended. */
    enum kp_status (*write)(void *user, const void *bytes, size_t count);
    void *user;
};

struct kp_kieker_import;
struct kp_kieker_import *kp_kieker_import_create(const struct kp_kieker_import_options *options);

/* Fits kp_kieker_input_ops.record up to its first parameter. */
enum kp_status kp_kieker_import_record(struct kp_kieker_import *import, const struct kieker_record_type *type,
                                       int64_t logging_ns, const void *record);
/* Fits kp_kieker_input_ops.event in the same way; the same result, faster. */
enum kp_status kp_kieker_import_event(struct kp_kieker_import *import, const struct kp_kieker_event *event);
/* Fit kp_kieker_input_ops.unknown and .damage: counted; said by every reading command (damage). */
void kp_kieker_import_unknown(struct kp_kieker_import *import, const char *java_class);
void kp_kieker_import_damage(struct kp_kieker_import *import, const char *file, uint64_t offset,
                             const char *text);
/* All of them, for a stream or log whose user is the import. */
extern const struct kp_kieker_input_ops kp_kieker_import_ops;
/* Write what came so far: called now and then by a server. */
enum kp_status kp_kieker_import_flush(struct kp_kieker_import *import);
/* End what is open, write the ends of the sections. `lost`, if not NULL, says why the end is early. */
enum kp_status kp_kieker_import_finish(struct kp_kieker_import *import, const char *lost);
void kp_kieker_import_destroy(struct kp_kieker_import *import);

struct kp_kieker_import_counts {
    uint64_t records, calls, traces, skipped; /* skipped: records that no trace can hold */
    uint64_t invalid;                         /* events that fit no trace: dropped and counted */
    uint64_t unended;                         /* calls whose end is missing */
    uint64_t damages;                         /* places that could not be read */
};
const struct kp_kieker_import_counts *kp_kieker_import_counts(const struct kp_kieker_import *import);

#endif

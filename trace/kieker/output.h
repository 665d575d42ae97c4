/*
 * Kieker output: records to bytes, in one of Kieker's three forms. The one place that knows how a record, a
 * class and a string become bytes of a log or a stream (docs/kieker.md; records come from irl/models).
 *
 * Bytes are collected and handed out in batches. What makes strings known always leaves before the data that
 * use them: a full batch of data is preceded by all registrations so far. Never breaks a record apart between
 * batches. One output, one thread; memory from malloc, bounded by a batch and the different strings.
 * Strings longer than KP_KIEKER_STRING_MAX are cut, and a line of text that no original reader would take is
 * written again with shorter ones.
 */
#ifndef KP_TRACE_KIEKER_OUTPUT_H
#define KP_TRACE_KIEKER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kieker_record.h"
#include "trace/status.h"

enum kp_kieker_form {
    KP_KIEKER_TEXT,   /* kieker.map has the classes, .dat lines of text */
    KP_KIEKER_BINARY, /* kieker.map has every string, .bin the records */
    KP_KIEKER_STREAM  /* entries of the registry between the records: TCP */
};

/* Where the bytes go. Each takes all bytes or none: KP_ERROR_FULL means later, with the same bytes again. */
struct kp_kieker_output_ops {
    /* Registrations: lines of the map (text, binary), registry entries (stream). */
    enum kp_status (*map)(void *user, const void *bytes, size_t count);
    /* Whole records. */
    enum kp_status (*data)(void *user, const void *bytes, size_t count, uint64_t records);
};

/* Bytes of a string, and of a line of text with its end: more than that stops the original readers. */
#define KP_KIEKER_STRING_MAX 4000
#define KP_KIEKER_LINE_MAX   8192

/* A string that is used often: all but `text` is 0 at first, then it is looked up once per output. The text
 * stays the caller's and does not change. */
struct kp_kieker_string {
    const char *text;
    uint32_t generation; /* of the output that gave the id; private */
    int32_t id;          /* private */
};

struct kp_kieker_output;

/* NULL without memory. `ops` must outlive it. */
struct kp_kieker_output *kp_kieker_output_create(enum kp_kieker_form form,
                                                 const struct kp_kieker_output_ops *ops, void *user);
/* Frees; what was not flushed is gone. */
void kp_kieker_output_destroy(struct kp_kieker_output *output);

enum kp_kieker_form kp_kieker_output_form(const struct kp_kieker_output *output);

/*
 * The calls of traces: the hot ones. `logging_ns` and `time_ns` since the Unix epoch. KP_OK, KP_ERROR_FULL
 * (nothing was taken, try again), or an error of the ops or of memory.
 */
struct kp_kieker_place {
    int64_t logging_ns, time_ns, trace_id;
    int32_t order;
    struct kp_kieker_string *operation, *class_name;
};
enum kp_status kp_kieker_put_before(struct kp_kieker_output *output, const struct kp_kieker_place *place);
enum kp_status kp_kieker_put_after(struct kp_kieker_output *output, const struct kp_kieker_place *place);
enum kp_status kp_kieker_put_after_failed(struct kp_kieker_output *output,
                                          const struct kp_kieker_place *place,
                                          struct kp_kieker_string *cause);

/* Any record of kp_kieker.h (or of a user's model): `record` is its C struct. */
enum kp_status kp_kieker_put_record(struct kp_kieker_output *output, const struct kieker_record_type *type,
                                    int64_t logging_ns, const void *record);

/*
 * A record whose layout is known as letters only, one a field in its order: Z boolean, B byte, C char, S
 * short, I int, J long, F float, D double, T string (the payload has a uint32, big endian, which `text`
 * translates), E enum; a letter behind '[' is an array with one dynamic dimension (a big-endian int32 count
 * before the elements), behind '[N' one of N elements. `payload` is in Kieker's binary form. KP_ERROR_VALUE:
 * payload and layout do not fit.
 */
enum kp_status kp_kieker_put_payload(struct kp_kieker_output *output, const char *java_class,
                                     const char *layout, int64_t logging_ns, const uint8_t *payload,
                                     size_t bytes, const char *(*text)(void *user, uint32_t id), void *user);

/* Hand out what was collected. */
enum kp_status kp_kieker_output_flush(struct kp_kieker_output *output);

/* What a batch holds at most, if nothing is held back: bytes, records; 0: as it is. */
void kp_kieker_output_limit(struct kp_kieker_output *output, size_t bytes, uint64_t records);

/*
 * Between `hold` and `release` nothing is handed out and every record is taken, whatever its bytes: for
 * records that belong together. KP_ERROR_FULL from `hold` (a full batch that nobody takes): nothing is held.
 */
enum kp_status kp_kieker_output_hold(struct kp_kieker_output *output);
void kp_kieker_output_release(struct kp_kieker_output *output);

/* All registrations so far once more, for a new connection: through `map` (stream form only). */
enum kp_status kp_kieker_output_repeat_map(struct kp_kieker_output *output);

/* Taken so far, flushed or not. */
uint64_t kp_kieker_output_records(const struct kp_kieker_output *output);

#endif

/*
 * Kieker input: bytes of a Kieker stream or log to records. Trusts nothing: lengths, ids and classes are
 * checked, memory is bounded by the limits given. The mirror of output.h. Spec: kieker-formats.md 2 to 4,
 * tolerating the deviations of 4.4 and 10.
 */
#ifndef KP_TRACE_KIEKER_INPUT_H
#define KP_TRACE_KIEKER_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kieker_record.h"
#include "trace/def.h"
#include "trace/status.h"

/* The records that make up nearly all of a log: what they have in common. */
enum kp_kieker_event_kind {
    KP_KIEKER_NO_EVENT,
    KP_KIEKER_BEFORE,
    KP_KIEKER_AFTER,
    KP_KIEKER_AFTER_FAILED,
    KP_KIEKER_CALL,     /* operation and class_name are the callee's */
    KP_KIEKER_EXECUTION /* OperationExecutionRecord: order is eoi, stack ess */
};

struct kp_kieker_event {
    enum kp_kieker_event_kind kind;
    bool by_thread; /* trace_id is that of a thread: the thread-based events */
    int32_t order, stack;
    int64_t logging_ns, time, end_time, trace_id; /* times in the unit of the log */
    struct kp_text operation, class_name, cause, host;
};

/* Of the class; KP_KIEKER_NO_EVENT when it is none. */
enum kp_kieker_event_kind kp_kieker_event_kind(const char *java_class, bool *by_thread);

struct kp_kieker_input_ops {
    /* A record of a class that kp_kieker.h knows, as its C struct, which is valid until the call returns. So
     * are its strings in a text log; elsewhere they are valid until the stream or log ends. False stops
     * reading (KP_END). */
    bool (*record)(void *user, const struct kieker_record_type *type, int64_t logging_ns, const void *record);
    /* The same for events, without the way through a struct; texts are valid until the call returns. NULL:
     * they go to `record` as the others. */
    bool (*event)(void *user, const struct kp_kieker_event *event);
    /* A text line of a class nobody knows (it is skipped). May be NULL. */
    void (*unknown)(void *user, const char *java_class);
    /* Something is damaged and reading goes on behind it (text logs). `offset` in `file`. May be NULL. */
    void (*damage)(void *user, const char *file, uint64_t offset, const char *text);
};

struct kp_kieker_limits {
    size_t string_bytes;  /* of one string; 0: 1 MiB */
    size_t strings_bytes; /* of all; 0: 64 MiB */
    size_t record_bytes;  /* of one record with its arrays; 0: 1 MiB */
};

/* --- a stream: TCP, as SingleSocketTcpWriter, the Python and the C pack send it ---------------------- */

struct kp_kieker_stream;
struct kp_kieker_stream *kp_kieker_stream_create(const struct kp_kieker_input_ops *ops, void *user,
                                                 const struct kp_kieker_limits *limits);
/*
 * Take the bytes that came, in pieces of any size. KP_OK; KP_END (an op said stop); KP_ERROR_DAMAGED: the
 * peer broke the rules, `kp_kieker_stream_error` says how, and the connection is to be dropped.
 */
enum kp_status kp_kieker_stream_feed(struct kp_kieker_stream *stream, const void *bytes, size_t count);
const char *kp_kieker_stream_error(const struct kp_kieker_stream *stream);
/* Bytes of a record that is not complete yet. */
size_t kp_kieker_stream_pending(const struct kp_kieker_stream *stream);
/* Memory it holds now. */
size_t kp_kieker_stream_memory(const struct kp_kieker_stream *stream);
void kp_kieker_stream_destroy(struct kp_kieker_stream *stream);

/* --- a log: the decoded bytes of its files, one after the other --------------------------------------- */

struct kp_kieker_log_reader;
struct kp_kieker_log_reader *kp_kieker_log_reader_create(const struct kp_kieker_input_ops *ops, void *user,
                                                         const struct kp_kieker_limits *limits);
/* A *.map file, whole. */
enum kp_status kp_kieker_log_reader_map(struct kp_kieker_log_reader *reader, const char *file,
                                        const void *bytes, size_t count);
/* A data file, in pieces of any size; `binary` as its name says. */
void kp_kieker_log_reader_begin(struct kp_kieker_log_reader *reader, const char *file, bool binary);
enum kp_status kp_kieker_log_reader_data(struct kp_kieker_log_reader *reader, const void *bytes,
                                         size_t count);
enum kp_status kp_kieker_log_reader_end(struct kp_kieker_log_reader *reader);
void kp_kieker_log_reader_destroy(struct kp_kieker_log_reader *reader);

#endif

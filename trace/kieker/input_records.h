/*
 * What stream and log have in common: the registry of strings, what a class id stands for, and records from
 * their bytes. Private to the input's files.
 */
#ifndef KP_TRACE_KIEKER_INPUT_RECORDS_H
#define KP_TRACE_KIEKER_INPUT_RECORDS_H

#include "input.h"
#include "kieker_registry.h"
#include "trace/arena.h"

struct kp_kieker_class {
    bool looked_up;
    bool by_thread;
    uint8_t kind;                          /* enum kp_kieker_event_kind */
    char tail;                             /* of its row in input_classes.c */
    const struct kieker_record_type *type; /* NULL: nobody knows it */
    const char *name;                      /* NULL: the id was never registered */
};

struct kp_kieker_records {
    const struct kp_kieker_input_ops *ops;
    void *user;
    struct kp_kieker_limits limits;
    struct kieker_registry *registry;
    struct kp_kieker_class *classes; /* by id, as far as used */
    size_t class_count;
    struct kp_kieker_class other; /* of an id beyond those */
    uint8_t *scratch;             /* for arrays and strings of one record */
    struct kp_arena arena;        /* for more of them */
    size_t arena_bytes;
    void *record;    /* room for any */
    int64_t last_ns; /* the newest logging time or event's */
    char error[256];
};

/* Fields behind the signatures of an event, as far as the short way knows them. */
#define KP_KIEKER_TAIL_NONE        ' '
#define KP_KIEKER_TAIL_STRING      's'
#define KP_KIEKER_TAIL_INT         'i'
#define KP_KIEKER_TAIL_STRING_INT  'b'
#define KP_KIEKER_TAIL_TWO_STRINGS 'c' /* the callee */
#define KP_KIEKER_TAIL_EXECUTION   'e'
#define KP_KIEKER_TAIL_OTHER       '?'

/* What is known of a class by its name: also by the names of old versions and of the Python pack's. */
void kp_kieker_class_find(struct kp_kieker_class *entry, const char *name);

enum kp_status kp_kieker_records_init(struct kp_kieker_records *records,
                                      const struct kp_kieker_input_ops *ops, void *user,
                                      const struct kp_kieker_limits *limits);
void kp_kieker_records_fini(struct kp_kieker_records *records);

/* Writes the sentence and returns KP_ERROR_DAMAGED. */
enum kp_status __attribute__((format(printf, 2, 3)))
kp_kieker_records_refuse(struct kp_kieker_records *records, const char *format, ...);

enum kp_status kp_kieker_records_register(struct kp_kieker_records *records, int32_t id, const char *text,
                                          size_t bytes);

const struct kp_kieker_class *kp_kieker_records_class(struct kp_kieker_records *records, int32_t id);

/* The record, class id first, that begins at bytes[0]; *taken: how many bytes it had. KP_ERROR_TRUNCATED:
 * more bytes are needed. */
enum kp_status kp_kieker_records_binary(struct kp_kieker_records *records, const uint8_t *bytes, size_t count,
                                        size_t *taken);

/* Hand out what was read. */
enum kp_status kp_kieker_records_give(struct kp_kieker_records *records,
                                      const struct kieker_record_type *type, int64_t logging_ns);
enum kp_status kp_kieker_records_give_event(struct kp_kieker_records *records, struct kp_kieker_event *event);

/* Memory for a record's arrays and strings: none of the record before is left. */
struct kieker_memory kp_kieker_records_memory(struct kp_kieker_records *records);

#endif

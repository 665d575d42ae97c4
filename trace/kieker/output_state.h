/* What output.c and output_payload.c share. Private to them. */
#ifndef KP_TRACE_KIEKER_OUTPUT_STATE_H
#define KP_TRACE_KIEKER_OUTPUT_STATE_H

#include "buffer.h"
#include "kieker_registry.h"
#include "output.h"

struct kp_kieker_output {
    enum kp_kieker_form form;
    uint32_t generation;
    bool held;
    const struct kp_kieker_output_ops *ops;
    void *user;
    struct kieker_registry *registry;
    struct kp_kieker_buffer map, data;
    uint64_t batch_records; /* in `data` */
    uint64_t records;
    size_t most_bytes;
    uint64_t most_records;
    struct kp_kieker_string before, after, after_failed;
};

/* Before a record is taken: hands out a full batch. */
enum kp_status kp_kieker_output_ready(struct kp_kieker_output *output);

/* The id of a text that may be too long, registered if it is new; -1 without memory. For kieker_writer. */
int32_t kp_kieker_output_id(void *user, const char *text);

/* The record stands behind data.used, in `bytes` bytes. */
static inline void kp_kieker_output_took(struct kp_kieker_output *output, size_t bytes)
{
    output->data.used += bytes;
    output->batch_records++;
    output->records++;
}

/*
 * Let `write` write a record's values into a writer that has a head already, until they fit. `string_max`:
 * bytes that it may write of one string. Takes the record.
 */
enum kp_status
kp_kieker_output_write(struct kp_kieker_output *output, const char *java_class, int64_t logging_ns,
                       bool (*write)(struct kieker_writer *writer, const void *user, size_t string_max),
                       const void *user);

/* The bytes of a text that stand in at most `most` bytes without cutting a character of UTF-8. */
size_t kp_kieker_text_cut(const char *text, size_t most);

#endif

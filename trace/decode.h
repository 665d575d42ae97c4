/*
 * Decoder: the columns of an EVENTS chunk back to events. The mirror of encode.h; trusts nothing in its
 * input.
 */
#ifndef KP_TRACE_DECODE_H
#define KP_TRACE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "layout.h"
#include "stack_model.h"
#include "status.h"

struct kp_decoder {
    /* From the head. */
    uint32_t thread;
    uint64_t first_slot, slots, events;
    unsigned shift;
    uint32_t base_depth;
    /* Running. */
    uint64_t time, token, left;
    struct kp_stack_model model;
    const uint8_t *at[KP_COLUMN_COUNT];
    const uint8_t *end[KP_COLUMN_COUNT];
};

/* Read what stands before the columns; *p moves behind it. KP_ERROR_DAMAGED when it makes no sense. */
enum kp_status kp_decode_head(struct kp_decoder *decoder, const uint8_t **p, const uint8_t *end);

/* Lend a column's bytes; they stay the caller's and must outlive the decoding of the chunk. */
void kp_decode_column(struct kp_decoder *decoder, enum kp_column column, const uint8_t *data, size_t bytes);

/*
 * Decode up to `room` events; *count tells how many. KP_END when none are left, KP_ERROR_DAMAGED when the
 * columns end early or hold nonsense. `time` is in ticks.
 */
enum kp_status kp_decode_events(struct kp_decoder *decoder, struct kp_event *events, size_t room,
                                size_t *count);

#endif

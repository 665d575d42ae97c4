/*
 * Encoder: slots of one thread's ring to the columns of an EVENTS chunk. No globals, no allocation: the
 * caller (the shim's writer thread, or the collector) lends the memory.
 */
#ifndef KP_TRACE_ENCODE_H
#define KP_TRACE_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "layout.h"
#include "stack_model.h"
#include "varint.h"

#define KP_ENCODE_SLOTS_MAX 32768u /* of one chunk */

struct kp_encoder {
    /* Set by kp_encode_begin. */
    uint32_t thread;
    uint64_t first_slot;
    unsigned shift;
    /* Running. */
    uint64_t slots, events;
    uint64_t base_time, time, token;
    uint32_t base_depth;
    struct kp_stack_model model;
    uint8_t *end[KP_COLUMN_COUNT];
    uint8_t tags[KP_ENCODE_SLOTS_MAX];
    uint8_t ids[KP_ENCODE_SLOTS_MAX * 5];
    uint8_t times[KP_ENCODE_SLOTS_MAX * KP_VARINT_MAX];
    uint8_t extras[KP_ENCODE_SLOTS_MAX * (KP_VARINT_MAX + 5)];
};

/* Start a chunk of `thread` whose first event stands in slot `first_slot`; times are kept in ticks >> shift.
 */
void kp_encode_begin(struct kp_encoder *encoder, uint32_t thread, uint64_t first_slot, unsigned shift);

/*
 * Add the events of slots[0..count). Takes whole events only, and stops when the chunk is full. Returns the
 * slots taken. A slot of an unknown kind (a torn ring) is skipped as one slot and counted nowhere: recovery
 * reports it.
 */
size_t kp_encode_slots(struct kp_encoder *encoder, const struct kp_slot *slots, size_t count);

/* The column as bytes. */
static inline const uint8_t *kp_encode_column(const struct kp_encoder *encoder, enum kp_column column,
                                              size_t *bytes)
{
    const uint8_t *const starts[] = {encoder->tags, encoder->ids, encoder->times, encoder->extras};

    *bytes = (size_t)(encoder->end[column] - starts[column]);
    return starts[column];
}

/* Bytes that kp_encode_head writes at most. */
#define KP_ENCODE_HEAD_MAX (6 * KP_VARINT_MAX + 1)

/* Write what stands before the columns of an EVENTS payload; returns the end. */
uint8_t *kp_encode_head(const struct kp_encoder *encoder, uint8_t *p);

#endif

/*
 * Payload: one chunk in memory, checked and unpacked: the definitions of a DEFS chunk, or the events of an
 * EVENTS chunk batch by batch. Its memory is used again for the next chunk. Private to the reader's files.
 */
#ifndef KP_TRACE_PAYLOAD_H
#define KP_TRACE_PAYLOAD_H

#include "decode.h"
#include "input.h"

struct kp_payload {
    uint8_t *bytes; /* behind room for a header */
    size_t room;
    uint8_t *columns[KP_COLUMN_COUNT];
    size_t column_rooms[KP_COLUMN_COUNT];
    const uint8_t *defs, *defs_end; /* after kp_payload_defs */
    struct kp_decoder decoder;      /* after kp_payload_events */
};

/* Read and check; on KP_ERROR_DAMAGED (or _SYSTEM, _NO_MEMORY) *why says what is wrong with it. */
enum kp_status kp_payload_load(struct kp_payload *payload, const struct kp_source *source,
                               const struct kp_input_chunk *chunk, const char **why);

/* Load and open a DEFS chunk, or an EVENTS chunk. */
enum kp_status kp_payload_defs(struct kp_payload *payload, const struct kp_input *input,
                               const struct kp_input_chunk *chunk, const char **why);
enum kp_status kp_payload_events(struct kp_payload *payload, const struct kp_input *input,
                                 const struct kp_input_chunk *chunk, const char **why);

void kp_payload_free(struct kp_payload *payload);

#endif

/* Chunks and blobs: seal and open, with checksums and compression. */
#ifndef KP_TRACE_CHUNK_H
#define KP_TRACE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "encode.h"
#include "layout.h"
#include "status.h"
#include "zstd.h"

/* Fill the header of a chunk whose payload stands right behind it. */
void kp_chunk_seal(struct kp_chunk_header *header, enum kp_chunk_type type, uint32_t number,
                   uint32_t payload_bytes);

/* Whether the 32 bytes are a chunk header, undamaged. */
bool kp_chunk_header_valid(const struct kp_chunk_header *header);

/* Whether the payload is what was sealed. */
bool kp_chunk_payload_valid(const struct kp_chunk_header *header, const void *payload);

/* Fill a preamble of this version. */
void kp_preamble_fill(struct kp_preamble *preamble);

/* Room that a blob of `bytes` can take. */
#define KP_BLOB_ROOM(bytes) ((bytes) + (bytes) / 128 + 600)

/* Append a blob, compressed where that makes it smaller; returns the end. */
uint8_t *kp_blob_put(uint8_t *p, const void *data, size_t bytes, const struct kp_zstd *zstd);

/*
 * Open the blob at *p. *data points into the input (raw) or to `memory`, which is grown with realloc as
 * needed (*room bytes now). KP_ERROR_SYSTEM: compressed, and no zstd library is there.
 */
enum kp_status kp_blob_get(const uint8_t **p, const uint8_t *end, const uint8_t **data, size_t *bytes,
                           uint8_t **memory, size_t *room, const struct kp_zstd *zstd);

/* Room for the largest EVENTS chunk, header included. */
#define KP_CHUNK_EVENTS_ROOM                                                                                 \
    (sizeof(struct kp_chunk_header) + KP_ENCODE_HEAD_MAX +                                                   \
     KP_BLOB_ROOM((size_t)KP_ENCODE_SLOTS_MAX * (1 + 5 + 10 + 15)) + 4 * 600)

/* Build the EVENTS chunk of what the encoder holds in `out` (KP_CHUNK_EVENTS_ROOM bytes); returns its bytes.
 */
size_t kp_chunk_events(uint8_t *out, const struct kp_encoder *encoder, uint32_t number,
                       const struct kp_zstd *zstd);

#endif

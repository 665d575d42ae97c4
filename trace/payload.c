#include "payload.h"

#include <stdlib.h>

#include "chunk.h"

static enum kp_status reserve(struct kp_payload *payload, size_t bytes)
{
    uint8_t *grown;

    if (bytes <= payload->room)
        return KP_OK;
    grown = realloc(payload->bytes, bytes);
    if (!grown)
        return KP_ERROR_NO_MEMORY;
    payload->bytes = grown;
    payload->room = bytes;
    return KP_OK;
}

enum kp_status kp_payload_load(struct kp_payload *payload, const struct kp_source *source,
                               const struct kp_input_chunk *chunk, const char **why)
{
    size_t bytes = sizeof(struct kp_chunk_header) + chunk->payload_bytes;

    *why = "out of memory";
    if (reserve(payload, bytes) != KP_OK)
        return KP_ERROR_NO_MEMORY;
    *why = "its bytes cannot be read any more";
    if (kp_source_read(source, chunk->offset, payload->bytes, bytes) != bytes)
        return KP_ERROR_DAMAGED;
    *why = "its checksum does not match";
    if (!kp_chunk_payload_valid((const struct kp_chunk_header *)payload->bytes,
                                payload->bytes + sizeof(struct kp_chunk_header)))
        return KP_ERROR_DAMAGED;
    return KP_OK;
}

static enum kp_status open_blob(struct kp_payload *payload, const uint8_t **p, const uint8_t *end, int column,
                                const uint8_t **data, size_t *bytes, const struct kp_zstd *zstd,
                                const char **why)
{
    enum kp_status status =
        kp_blob_get(p, end, data, bytes, &payload->columns[column], &payload->column_rooms[column], zstd);

    if (status == KP_ERROR_SYSTEM)
        *why = "it is compressed, and libzstd.so.1 cannot be loaded";
    else if (status != KP_OK)
        *why = "its compressed data make no sense";
    return status;
}

enum kp_status kp_payload_defs(struct kp_payload *payload, const struct kp_input *input,
                               const struct kp_input_chunk *chunk, const char **why)
{
    enum kp_status status = kp_payload_load(payload, kp_input_source(input, chunk), chunk, why);
    const uint8_t *p = payload->bytes + sizeof(struct kp_chunk_header);
    size_t bytes = 0;

    if (status == KP_OK)
        status =
            open_blob(payload, &p, p + chunk->payload_bytes, 0, &payload->defs, &bytes, input->zstd, why);
    if (status != KP_OK)
        bytes = 0, payload->defs = NULL;
    payload->defs_end = payload->defs ? payload->defs + bytes : NULL;
    return status;
}

enum kp_status kp_payload_events(struct kp_payload *payload, const struct kp_input *input,
                                 const struct kp_input_chunk *chunk, const char **why)
{
    enum kp_status status = kp_payload_load(payload, kp_input_source(input, chunk), chunk, why);
    const uint8_t *p, *end;

    payload->decoder.left = 0;
    if (status != KP_OK)
        return status;
    p = payload->bytes + sizeof(struct kp_chunk_header);
    end = p + chunk->payload_bytes;
    *why = "its head makes no sense";
    status = kp_decode_head(&payload->decoder, &p, end);
    for (int column = 0; column < KP_COLUMN_COUNT && status == KP_OK; column++) {
        const uint8_t *data = NULL;
        size_t bytes = 0;

        status = open_blob(payload, &p, end, column, &data, &bytes, input->zstd, why);
        if (status == KP_OK)
            kp_decode_column(&payload->decoder, (enum kp_column)column, data, bytes);
    }
    if (status != KP_OK)
        payload->decoder.left = 0;
    return status;
}

void kp_payload_free(struct kp_payload *payload)
{
    free(payload->bytes);
    for (int column = 0; column < KP_COLUMN_COUNT; column++)
        free(payload->columns[column]);
    payload->bytes = NULL;
}

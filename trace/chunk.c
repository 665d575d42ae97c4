#include "chunk.h"

#include <stdlib.h>
#include <string.h>

#ifndef __clang_analyzer__ /* its paths into the hash are not ours to mend */
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include "varint.h"

static uint64_t header_check(const struct kp_chunk_header *header)
{
    struct kp_chunk_header copy = *header;

    copy.header_check = 0;
    return XXH64(&copy, sizeof copy, 0);
}

void kp_chunk_seal(struct kp_chunk_header *header, enum kp_chunk_type type, uint32_t number,
                   uint32_t payload_bytes)
{
    *header = (struct kp_chunk_header){
        .magic = KP_CHUNK_MAGIC, .type = (uint16_t)type, .payload_bytes = payload_bytes, .number = number};
    header->payload_check = XXH64(header + 1, payload_bytes, 0);
    header->header_check = header_check(header);
}

bool kp_chunk_header_valid(const struct kp_chunk_header *header)
{
    return header->magic == KP_CHUNK_MAGIC && header->payload_bytes <= KP_CHUNK_PAYLOAD_MAX &&
           header->header_check == header_check(header);
}

bool kp_chunk_payload_valid(const struct kp_chunk_header *header, const void *payload)
{
    return header->payload_check == XXH64(payload, header->payload_bytes, 0);
}

void kp_preamble_fill(struct kp_preamble *preamble)
{
    memset(preamble, 0, sizeof *preamble);
    memcpy(preamble->magic, KP_PREAMBLE_MAGIC, sizeof preamble->magic);
    preamble->major = KP_FORMAT_MAJOR;
    preamble->minor = KP_FORMAT_MINOR;
}

static uint8_t *blob_raw(uint8_t *p, const void *data, size_t bytes)
{
    *p++ = KP_BLOB_RAW;
    p = kp_varint_put(p, bytes);
    p = kp_varint_put(p, bytes);
    if (bytes)
        memcpy(p, data, bytes);
    return p + bytes;
}

uint8_t *kp_blob_put(uint8_t *p, const void *data, size_t bytes, const struct kp_zstd *zstd)
{
    /* The stored size comes before the data and is known after it: compress behind the longest head, then
     * move. */
    uint8_t *scratch = p + 1 + 2 * KP_VARINT_MAX;
    size_t stored;

    if (zstd->level == 0 || bytes < 64)
        return blob_raw(p, data, bytes);
    stored = zstd->compress(zstd->compressor, scratch, KP_BLOB_ROOM(bytes) - 1 - 2 * KP_VARINT_MAX, data,
                            bytes, zstd->level);
    if (zstd->is_error(stored) || stored >= bytes)
        return blob_raw(p, data, bytes);
    *p++ = KP_BLOB_ZSTD;
    p = kp_varint_put(p, bytes);
    p = kp_varint_put(p, stored);
    memmove(p, scratch, stored);
    return p + stored;
}

static enum kp_status reserve(uint8_t **memory, size_t *room, size_t bytes)
{
    uint8_t *grown;

    if (bytes <= *room)
        return KP_OK;
    grown = realloc(*memory, bytes);
    if (!grown)
        return KP_ERROR_NO_MEMORY;
    *memory = grown;
    *room = bytes;
    return KP_OK;
}

enum kp_status kp_blob_get(const uint8_t **p, const uint8_t *end, const uint8_t **data, size_t *bytes,
                           uint8_t **memory, size_t *room, const struct kp_zstd *zstd)
{
    const uint8_t *at = *p;
    uint64_t raw, stored;
    uint8_t codec;

    if (at >= end)
        return KP_ERROR_DAMAGED;
    codec = *at++;
    if (!(at = kp_varint_get(at, end, &raw)) || !(at = kp_varint_get(at, end, &stored)) ||
        stored > (uint64_t)(end - at) || raw > KP_CHUNK_PAYLOAD_MAX || codec > KP_BLOB_ZSTD ||
        (codec == KP_BLOB_RAW && raw != stored))
        return KP_ERROR_DAMAGED;
    *p = at + stored;
    *bytes = (size_t)raw;
    *data = at;
    if (codec == KP_BLOB_RAW || raw == 0)
        return KP_OK;
    if (!zstd->decompressor)
        return KP_ERROR_SYSTEM;
    if (reserve(memory, room, (size_t)raw) != KP_OK)
        return KP_ERROR_NO_MEMORY;
    *data = *memory;
    return zstd->decompress(zstd->decompressor, *memory, (size_t)raw, at, (size_t)stored) == raw
               ? KP_OK
               : KP_ERROR_DAMAGED;
}

size_t kp_chunk_events(uint8_t *out, const struct kp_encoder *encoder, uint32_t number,
                       const struct kp_zstd *zstd)
{
    struct kp_chunk_header *header = (struct kp_chunk_header *)out;
    uint8_t *p = kp_encode_head(encoder, out + sizeof *header);

    for (int column = 0; column < KP_COLUMN_COUNT; column++) {
        size_t bytes;
        const uint8_t *data = kp_encode_column(encoder, (enum kp_column)column, &bytes);

        p = kp_blob_put(p, data, bytes, zstd);
    }
    kp_chunk_seal(header, KP_CHUNK_EVENTS, number, (uint32_t)((size_t)(p - out) - sizeof *header));
    return (size_t)(p - out);
}

#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chunk.h"
#include "def.h"
#include "drain.h"
#include "input.h"
#include "payload.h"
#include "publish.h"
#include "reader.h"

/* A trace that is being written. */
struct copy {
    const struct kp_input *input;
    struct kp_recovery *result;
    struct kp_payload payload;
    FILE *file;
    uint64_t bytes, section; /* written; offset of the newest preamble */
    uint32_t number;
    uint64_t previous_index;
    uint32_t index_count;
    bool damaged; /* something of this section was left out */
    struct kp_drain_index index[KP_DRAIN_INDEX_MAX];
    uint8_t index_payload[(KP_DRAIN_INDEX_MAX * 3 + 2) * KP_VARINT_MAX];
};

static enum kp_status put(struct copy *copy, const void *data, size_t bytes)
{
    if (fwrite(data, 1, bytes, copy->file) != bytes)
        return KP_ERROR_SYSTEM;
    copy->bytes += bytes;
    return KP_OK;
}

/* Header and payload; the payload's checksum is made anew. */
static enum kp_status put_chunk(struct copy *copy, unsigned type, const void *payload, size_t bytes)
{
    struct kp_chunk_header *chunk = malloc(sizeof *chunk + bytes);
    enum kp_status status;

    if (!chunk)
        return KP_ERROR_NO_MEMORY;
    if (bytes)
        memcpy(chunk + 1, payload, bytes);
    kp_chunk_seal(chunk, (enum kp_chunk_type)type, copy->number++, (uint32_t)bytes);
    status = put(copy, chunk, sizeof *chunk + bytes);
    free(chunk);
    return status;
}

static enum kp_status put_index(struct copy *copy)
{
    uint64_t offset = copy->bytes - copy->section, last = 0;
    uint8_t *p = kp_varint_put(copy->index_payload, copy->previous_index);

    p = kp_varint_put(p, copy->index_count);
    for (uint32_t i = 0; i < copy->index_count; i++) {
        p = kp_varint_put(p, copy->index[i].offset - last);
        p = kp_varint_put(p, copy->index[i].thread);
        p = kp_varint_put(p, copy->index[i].events);
        last = copy->index[i].offset;
    }
    copy->previous_index = offset;
    copy->index_count = 0;
    return put_chunk(copy, KP_CHUNK_INDEX, copy->index_payload, (size_t)(p - copy->index_payload));
}

static void drop(struct copy *copy, uint64_t bytes)
{
    copy->damaged = true;
    copy->result->dropped_bytes += bytes;
}

static enum kp_status copy_events(struct copy *copy, const struct kp_input_chunk *chunk)
{
    struct kp_decoder *decoder = &copy->payload.decoder;
    const uint8_t *p = copy->payload.bytes + sizeof(struct kp_chunk_header);

    if (kp_decode_head(decoder, &p, p + chunk->payload_bytes) != KP_OK)
        return KP_OK;
    if (copy->index_count == KP_DRAIN_INDEX_MAX) {
        enum kp_status status = put_index(copy);

        if (status != KP_OK)
            return status;
    }
    copy->index[copy->index_count++] = (struct kp_drain_index){.offset = copy->bytes - copy->section,
                                                               .thread = decoder->thread,
                                                               .events = (uint32_t)decoder->events};
    return KP_OK;
}

static enum kp_status copy_chunk(struct copy *copy, const struct kp_input_chunk *chunk)
{
    enum kp_status status;
    const char *why;

    if (chunk->type == KP_CHUNK_DAMAGE) {
        drop(copy,
             chunk->thread == KP_DAMAGE_MISSING || chunk->thread == KP_DAMAGE_LEFTOVER ? 0 : chunk->value);
        return KP_OK;
    }
    if (chunk->type == KP_CHUNK_INDEX || chunk->type == KP_CHUNK_END || chunk->type == KP_CHUNK_NEXT)
        return KP_OK;
    status = kp_payload_load(&copy->payload, kp_input_source(copy->input, chunk), chunk, &why);
    if (status == KP_ERROR_DAMAGED) {
        drop(copy, sizeof(struct kp_chunk_header) + chunk->payload_bytes);
        copy->result->dropped_chunks++;
        return KP_OK;
    }
    if (status == KP_OK && chunk->type == KP_CHUNK_EVENTS)
        status = copy_events(copy, chunk);
    if (status != KP_OK)
        return status;
    return put_chunk(copy, chunk->type, copy->payload.bytes + sizeof(struct kp_chunk_header),
                     chunk->payload_bytes);
}

/* The texts are ours and short: reason() and its key. */
static enum kp_status put_meta(struct copy *copy, const char *key, const char *value)
{
    uint8_t record[KP_DEF_ROOM(128)], blob[KP_BLOB_ROOM(sizeof record)];
    const struct kp_zstd raw = {0};
    struct kp_def def = {.type = KP_DEF_META};
    size_t bytes;

    def.meta.key = (struct kp_text){key, strlen(key)};
    def.meta.value = (struct kp_text){value, strlen(value)};
    bytes = (size_t)(kp_blob_put(blob, record, kp_def_put(record, &def), &raw) - blob);
    return put_chunk(copy, KP_CHUNK_DEFS, blob, bytes);
}

static const char *reason(const struct copy *copy, const struct kp_section *section)
{
    if (section->recovered)
        return copy->damaged ? "completed from shared memory; damaged parts left out"
                             : "completed from shared memory";
    if (copy->damaged)
        return "damaged parts left out";
    return section->complete ? NULL : "the process did not finish its trace";
}

static enum kp_status close_section(struct copy *copy, const struct kp_section *section)
{
    const char *why = reason(copy, section);
    enum kp_status status = why ? put_meta(copy, "recovered", why) : KP_OK;
    struct kp_end end = {.ticks = section->complete ? section->end_ticks : section->last_sync.ticks};

    if (status == KP_OK)
        status = put_index(copy);
    end.index_offset = copy->previous_index;
    if (status == KP_OK && section->next_part)
        return put_chunk(copy, KP_CHUNK_NEXT, &section->next_part, sizeof section->next_part);
    return status == KP_OK ? put_chunk(copy, KP_CHUNK_END, &end, sizeof end) : status;
}

static enum kp_status copy_section(struct copy *copy, const struct kp_section *section)
{
    struct kp_preamble preamble;
    enum kp_status status;

    copy->section = copy->bytes;
    copy->number = 0;
    copy->previous_index = copy->index_count = 0;
    copy->damaged = false;
    kp_preamble_fill(&preamble);
    status = put(copy, &preamble, sizeof preamble);
    /* Its own was lost, and a section starts with one. */
    if (status == KP_OK && !section->text)
        status = put_chunk(copy, KP_CHUNK_PROCESS, "", 0);
    for (uint32_t i = section->first; i < section->end && status == KP_OK; i++)
        status = copy_chunk(copy, &copy->input->chunks[i]);
    return status == KP_OK ? close_section(copy, section) : status;
}

/* What came out is read once more: that counts it, and nothing unreadable is handed over. */
static enum kp_status count_result(const char *path, struct kp_recovery *result, char *error,
                                   size_t error_bytes)
{
    struct kp_reader *reader;
    struct kp_item item;
    enum kp_status status = kp_reader_open(&reader, &path, 1, KP_READ_NO_LEFTOVER, error, error_bytes);

    if (status != KP_OK)
        return status;
    while ((status = kp_reader_next(reader, &item)) == KP_OK) {
        result->sections += item.kind == KP_ITEM_PROCESS;
        for (size_t i = 0; item.kind == KP_ITEM_EVENTS && i < item.count; i++)
            result->calls += item.events[i].kind == KP_EVENT_ENTER;
        result->events += item.kind == KP_ITEM_EVENTS ? item.count : 0;
    }
    kp_reader_close(reader);
    return status == KP_END ? KP_OK : status;
}

static enum kp_status write_all(struct copy *copy)
{
    enum kp_status status = KP_OK;

    for (uint32_t i = 0; i < copy->input->section_count && status == KP_OK; i++)
        status = copy_section(copy, &copy->input->sections[i]);
    if (status == KP_OK && (fflush(copy->file) != 0 || fsync(fileno(copy->file)) < 0))
        status = KP_ERROR_SYSTEM;
    return status;
}

static enum kp_status fail(enum kp_status status, const char *path, char *error, size_t error_bytes)
{
    snprintf(error, error_bytes, "%s: %s", path,
             status == KP_ERROR_SYSTEM && errno ? strerror(errno) : kp_status_text(status));
    return status;
}

static enum kp_status write_file(struct copy *copy, const char *out, char *error, size_t error_bytes)
{
    char temporary[4096];
    enum kp_status status;
    int fd;

    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", out) >= (int)sizeof temporary) {
        errno = ENAMETOOLONG;
        return fail(KP_ERROR_SYSTEM, out, error, error_bytes);
    }
    fd = mkostemp(temporary, O_CLOEXEC);
    copy->file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!copy->file)
        return fail(KP_ERROR_SYSTEM, out, error, error_bytes);
    status = write_all(copy);
    if (status != KP_OK)
        fail(status, out, error, error_bytes);
    fclose(copy->file);
    if (status == KP_OK)
        status = count_result(temporary, copy->result, error, error_bytes);
    if (status == KP_OK && kp_publish(temporary, out) < 0)
        status = fail(KP_ERROR_SYSTEM, out, error, error_bytes);
    if (status != KP_OK)
        unlink(temporary);
    return status;
}

static enum kp_status note_leftovers(struct copy *copy)
{
    const struct kp_input *input = copy->input;

    copy->result->leftovers = calloc(input->section_count + 1, sizeof *copy->result->leftovers);
    if (!copy->result->leftovers)
        return KP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < input->section_count; i++)
        if (input->sections[i].leftover_path[0])
            memcpy(copy->result->leftovers[copy->result->leftover_count++], input->sections[i].leftover_path,
                   sizeof *copy->result->leftovers);
    return KP_OK;
}

static enum kp_status check_input(const struct kp_input *input, const char *in, const char *out, char *error,
                                  size_t error_bytes)
{
    for (uint32_t i = 0; i < input->section_count; i++) {
        if (!input->sections[i].alive)
            continue;
        snprintf(error, error_bytes, "%s: process %u still runs and writes to it; nothing to recover yet", in,
                 input->sections[i].pid);
        return KP_ERROR_VALUE;
    }
    if (access(out, F_OK) == 0) {
        errno = EEXIST;
        return fail(KP_ERROR_SYSTEM, out, error, error_bytes);
    }
    return KP_OK;
}

enum kp_status kp_trace_recover(const char *in, const char *out, struct kp_recovery *result, char *error,
                                size_t error_bytes)
{
    struct copy *copy = calloc(1, sizeof *copy);
    struct kp_zstd zstd;
    struct kp_input input;
    enum kp_status status;

    memset(result, 0, sizeof *result);
    if (!copy)
        return fail(KP_ERROR_NO_MEMORY, in, error, error_bytes);
    kp_zstd_open(&zstd, 1);
    copy->input = &input;
    copy->result = result;
    status = kp_input_open(&input, in, &zstd, NULL, false, error, error_bytes);
    if (status == KP_OK) {
        status = check_input(&input, in, out, error, error_bytes);
        if (status == KP_OK)
            status = write_file(copy, out, error, error_bytes);
        if (status == KP_OK && note_leftovers(copy) != KP_OK)
            status = fail(KP_ERROR_NO_MEMORY, in, error, error_bytes);
        kp_input_close(&input);
    }
    kp_payload_free(&copy->payload);
    kp_zstd_close(&zstd);
    free(copy);
    return status;
}

void kp_recovery_free(struct kp_recovery *result)
{
    free(result->leftovers);
    memset(result, 0, sizeof *result);
}

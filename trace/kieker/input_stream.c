#include "input_records.h"

#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "kp_kieker.h"

enum { ENTRY_BYTES = 12 };

struct kp_kieker_stream {
    struct kp_kieker_records records;
    struct kp_kieker_buffer pending; /* of a message that is not complete */
    size_t least;                    /* with fewer bytes than that it stays so */
    enum kp_status status;           /* once it is not KP_OK it stays so */
};

struct kp_kieker_stream *kp_kieker_stream_create(const struct kp_kieker_input_ops *ops, void *user,
                                                 const struct kp_kieker_limits *limits)
{
    struct kp_kieker_stream *stream = calloc(1, sizeof *stream);

    if (stream && kp_kieker_records_init(&stream->records, ops, user, limits) == KP_OK)
        return stream;
    kp_kieker_stream_destroy(stream);
    return NULL;
}

void kp_kieker_stream_destroy(struct kp_kieker_stream *stream)
{
    if (!stream)
        return;
    kp_kieker_records_fini(&stream->records);
    free(stream->pending.bytes);
    free(stream);
}

/* --- entries of the registry --- */

/*
 * Bytes of the text whose UTF-16 form has `units` units; 0 when it is not there completely or no UTF-8.
 * *least: how many it takes at the least, 0 when it is no UTF-8.
 */
static size_t utf16_bytes(const uint8_t *text, size_t count, size_t units, size_t *least)
{
    size_t at = 0;

    *least = 0;
    while (units > 0 && at < count) {
        unsigned bytes = text[at] < 0x80    ? 1
                         : text[at] < 0xc2  ? 0
                         : text[at] < 0xe0  ? 2
                         : text[at] < 0xf0  ? 3
                         : text[at] <= 0xf4 ? 4
                                            : 0;

        if (bytes == 0 || (bytes == 4 && units < 2))
            return 0;
        if (bytes > count - at)
            break;
        for (unsigned i = 1; i < bytes; i++)
            if ((text[at + i] & 0xc0) != 0x80)
                return 0;
        at += bytes;
        units -= bytes == 4 ? 2 : 1;
    }
    *least = at + units;
    return units ? 0 : at;
}

static bool is_ascii(const uint8_t *text, size_t count)
{
    uint8_t all = 0;

    for (size_t i = 0; i < count; i++)
        all |= text[i];
    return all < 0x80;
}

/* Whether a message can begin with these four bytes. */
static bool plausible(struct kp_kieker_records *records, const uint8_t *at)
{
    int32_t kind = (int32_t)kieker_get_32(at);

    return kind == -1 || (kind >= 0 && kp_kieker_records_class(records, kind)->type);
}

/*
 * Java's writers send the number of UTF-16 units instead of bytes (spec 4.1). Where that makes a difference
 * the interpretation counts after which something comes that can come. 0: more bytes are needed to tell,
 * *least at the least; who sends one byte at a time does not have us read all of them again each time.
 */
static size_t text_bytes(struct kp_kieker_records *records, const uint8_t *text, size_t count, size_t length,
                         size_t *least)
{
    size_t java;

    if (count < length || is_ascii(text, length))
        return length;
    *least = length + 4;
    if (count < length + 4)
        return 0;
    if (plausible(records, text + length))
        return length;
    java = utf16_bytes(text, count, length, least);
    if (java ? count >= java + 4 : !*least)
        return java && plausible(records, text + java) ? java : length;
    *least += 4;
    return 0;
}

static enum kp_status take_entry(struct kp_kieker_stream *stream, const uint8_t *bytes, size_t count,
                                 size_t *taken)
{
    struct kp_kieker_records *records = &stream->records;
    enum kp_status status;
    int32_t id, length;
    size_t text, least = 0;

    if (count < ENTRY_BYTES)
        return KP_ERROR_TRUNCATED;
    id = (int32_t)kieker_get_32(bytes + 4);
    length = (int32_t)kieker_get_32(bytes + 8);
    if (id < 0 || length < 0)
        return kp_kieker_records_refuse(records, "an entry of the registry has %s %d",
                                        id < 0 ? "the id" : "the length", id < 0 ? id : length);
    if ((size_t)length > records->limits.string_bytes)
        return kp_kieker_records_refuse(records, "a string of %d bytes: the limit is %zu", length,
                                        records->limits.string_bytes);
    text = text_bytes(records, bytes + ENTRY_BYTES, count - ENTRY_BYTES, (size_t)length, &least);
    if ((length && !text) || text > count - ENTRY_BYTES) {
        stream->least = ENTRY_BYTES + (text ? text : least);
        return KP_ERROR_TRUNCATED;
    }
    status = kp_kieker_records_register(records, id, (const char *)bytes + ENTRY_BYTES, text);
    *taken = ENTRY_BYTES + text;
    return status;
}

/* --- the stream --- */

static enum kp_status take_message(struct kp_kieker_stream *stream, const uint8_t *bytes, size_t count,
                                   size_t *taken)
{
    int32_t kind = count >= 4 ? (int32_t)kieker_get_32(bytes) : 0;

    if (count >= 4 && kind == -1)
        return take_entry(stream, bytes, count, taken);
    if (kind < 0)
        return kp_kieker_records_refuse(&stream->records, "neither a record nor an entry begins with %d",
                                        kind);
    return kp_kieker_records_binary(&stream->records, bytes, count, taken);
}

/* All complete messages; *done: their bytes. */
static enum kp_status take_messages(struct kp_kieker_stream *stream, const uint8_t *bytes, size_t count,
                                    size_t *done)
{
    enum kp_status status = KP_OK;

    *done = stream->least = 0;
    while (status == KP_OK && *done < count) {
        size_t taken = 0;

        status = take_message(stream, bytes + *done, count - *done, &taken);
        *done += taken;
    }
    return status == KP_ERROR_TRUNCATED ? KP_OK : status;
}

enum kp_status kp_kieker_stream_feed(struct kp_kieker_stream *stream, const void *bytes_, size_t count)
{
    const uint8_t *bytes = bytes_;
    size_t done = 0;

    if (stream->status != KP_OK || count == 0)
        return stream->status;
    if (stream->pending.used == 0) {
        stream->status = take_messages(stream, bytes, count, &done);
        if (stream->status == KP_OK && !kp_kieker_buffer_append(&stream->pending, bytes + done, count - done))
            stream->status = KP_ERROR_NO_MEMORY;
        return stream->status;
    }
    if (!kp_kieker_buffer_append(&stream->pending, bytes, count))
        return stream->status = KP_ERROR_NO_MEMORY;
    if (stream->pending.used < stream->least)
        return KP_OK;
    stream->status = take_messages(stream, stream->pending.bytes, stream->pending.used, &done);
    kp_kieker_buffer_drop(&stream->pending, done);
    /* A peer that once sent much keeps no memory for it. */
    if (stream->pending.used == 0 && stream->pending.room > (1 << 16)) {
        free(stream->pending.bytes);
        stream->pending = (struct kp_kieker_buffer){0};
    }
    return stream->status;
}

const char *kp_kieker_stream_error(const struct kp_kieker_stream *stream)
{
    return stream->records.error;
}

size_t kp_kieker_stream_pending(const struct kp_kieker_stream *stream)
{
    return stream->pending.used;
}

size_t kp_kieker_stream_memory(const struct kp_kieker_stream *stream)
{
    const struct kp_kieker_records *records = &stream->records;

    return sizeof *stream + stream->pending.room + kieker_registry_bytes(records->registry) +
           records->class_count * sizeof *records->classes + records->arena_bytes;
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "input_text.h"

struct kp_kieker_log_reader {
    struct kp_kieker_records records;
    char *file;
    bool binary;
    bool skipping;                   /* text: to the line's end; binary: to the end of the file */
    bool after_cr;                   /* a line feed that comes next belongs to the line before */
    uint64_t offset;                 /* in the file, of what is pending */
    struct kp_kieker_buffer pending; /* of a line or record that is not complete */
};

struct kp_kieker_log_reader *kp_kieker_log_reader_create(const struct kp_kieker_input_ops *ops, void *user,
                                                         const struct kp_kieker_limits *limits)
{
    struct kp_kieker_log_reader *reader = calloc(1, sizeof *reader);

    if (reader && kp_kieker_records_init(&reader->records, ops, user, limits) == KP_OK)
        return reader;
    kp_kieker_log_reader_destroy(reader);
    return NULL;
}

void kp_kieker_log_reader_destroy(struct kp_kieker_log_reader *reader)
{
    if (!reader)
        return;
    kp_kieker_records_fini(&reader->records);
    free(reader->file);
    free(reader->pending.bytes);
    free(reader);
}

static void tell_damage(struct kp_kieker_log_reader *reader, const char *file, uint64_t offset,
                        const char *text)
{
    if (reader->records.ops->damage)
        reader->records.ops->damage(reader->records.user, file, offset, text);
}

/* --- map files --- */

/* `\\`, `\n` and `\r` become what they stand for; other escapes stay. */
static size_t unescape(char *out, const char *text, size_t count)
{
    size_t written = 0;

    for (size_t i = 0; i < count; i++) {
        char next = text[i] == '\\' && i + 1 < count ? text[i + 1] : 0;

        if (next == '\\' || next == 'n' || next == 'r') {
            out[written++] = next == 'n' ? '\n' : next == 'r' ? '\r' : '\\';
            i++;
        } else {
            out[written++] = text[i];
        }
    }
    return written;
}

/* "$ <value> = <id> ": what the text mode of the Python pack writes. */
static const char *swapped_id(const char *at, const char *end, int64_t *id)
{
    const char *equals = memrchr(at, '=', (size_t)(end - at));

    if (!equals || equals < at + 3 || equals + 1 == end || at[1] != ' ' || equals[-1] != ' ')
        return NULL;
    while (end > equals && end[-1] == ' ')
        end--;
    return kieker_parse_long(equals + 2, (size_t)(end - equals - 2), 0, INT32_MAX, id) ? equals - 1 : NULL;
}

static enum kp_status take_map_line(struct kp_kieker_log_reader *reader, const char *at, const char *end)
{
    const char *equals, *value_end = end;
    char buffer[1024], *text = buffer;
    int64_t id = 0;
    enum kp_status status;
    size_t count;

    equals = kieker_scan_long(at + (*at == '$'), end, 0, INT32_MAX, &id);
    if (equals && equals < end && *equals == '=') {
        at = equals + 1;
    } else {
        value_end = *at == '$' ? swapped_id(at, end, &id) : NULL;
        if (!value_end)
            return kp_kieker_records_refuse(&reader->records, "a line that is no entry of a map");
        at += 2;
    }
    if ((size_t)(value_end - at) > sizeof buffer)
        text = malloc((size_t)(value_end - at));
    if (!text)
        return KP_ERROR_NO_MEMORY;
    count = unescape(text, at, (size_t)(value_end - at));
    status = kp_kieker_records_register(&reader->records, (int32_t)id, text, count);
    if (text != buffer)
        free(text);
    return status;
}

static bool ends_line(char c)
{
    return c == '\n' || c == '\r';
}

enum kp_status kp_kieker_log_reader_map(struct kp_kieker_log_reader *reader, const char *file,
                                        const void *bytes, size_t count)
{
    const char *start = bytes, *end = start + count, *line = start;
    enum kp_status status = KP_OK;

    for (const char *at = start; at <= end && status != KP_ERROR_NO_MEMORY; at++) {
        if (at < end && !ends_line(*at))
            continue;
        status = at > line ? take_map_line(reader, line, at) : KP_OK;
        if (status == KP_ERROR_DAMAGED)
            tell_damage(reader, file, (uint64_t)(line - start), reader->records.error);
        line = at + 1;
    }
    return status == KP_ERROR_NO_MEMORY ? status : KP_OK;
}

/* --- data files --- */

void kp_kieker_log_reader_begin(struct kp_kieker_log_reader *reader, const char *file, bool binary)
{
    free(reader->file);
    reader->file = strdup(file);
    reader->binary = binary;
    reader->skipping = reader->after_cr = false;
    reader->offset = 0;
    reader->pending.used = 0;
}

static const char *name_of(const struct kp_kieker_log_reader *reader)
{
    return reader->file ? reader->file : "";
}

static enum kp_status take_line(struct kp_kieker_log_reader *reader, const char *line, size_t count)
{
    enum kp_status status = KP_OK;

    if (!reader->skipping)
        status = kp_kieker_text_line(&reader->records, line, count);
    reader->skipping = false;
    if (status != KP_ERROR_DAMAGED)
        return status;
    tell_damage(reader, name_of(reader), reader->offset, reader->records.error);
    return KP_OK;
}

/* The end of the line that begins at `at`; NULL when it is not there. */
static const char *find_end(const char *at, const char *end)
{
    const char *feed = memchr(at, '\n', (size_t)(end - at));
    const char *carriage = memchr(at, '\r', (size_t)((feed ? feed : end) - at));

    return carriage ? carriage : feed;
}

/* The beginning of the line is pending: `*bytes` has the rest, or more of it. */
static enum kp_status finish_line(struct kp_kieker_log_reader *reader, const char **bytes, const char *end)
{
    const char *stop = find_end(*bytes, end);
    enum kp_status status;

    if (!kp_kieker_buffer_append(&reader->pending, *bytes, (size_t)((stop ? stop : end) - *bytes)))
        return KP_ERROR_NO_MEMORY;
    *bytes = stop ? stop + 1 : end;
    if (!stop)
        return KP_OK;
    reader->after_cr = *stop == '\r';
    status = take_line(reader, (const char *)reader->pending.bytes, reader->pending.used);
    reader->offset += reader->pending.used + 1;
    reader->pending.used = 0;
    return status;
}

/* A line that never ends must not be kept. */
static void limit_line(struct kp_kieker_log_reader *reader)
{
    if (reader->pending.used <= reader->records.limits.record_bytes)
        return;
    if (!reader->skipping) {
        kp_kieker_records_refuse(&reader->records, "a line of more than %zu bytes",
                                 reader->records.limits.record_bytes);
        tell_damage(reader, name_of(reader), reader->offset, reader->records.error);
    }
    reader->skipping = true;
    reader->offset += reader->pending.used;
    reader->pending.used = 0;
}

static enum kp_status take_text(struct kp_kieker_log_reader *reader, const char *at, const char *end)
{
    enum kp_status status = KP_OK;

    if (reader->pending.used)
        status = finish_line(reader, &at, end);
    while (status == KP_OK && at < end) {
        const char *stop;

        if (reader->after_cr && *at == '\n') {
            reader->offset++;
            at++;
        }
        reader->after_cr = false;
        stop = at < end ? find_end(at, end) : NULL;
        if (!stop)
            break;
        status = take_line(reader, at, (size_t)(stop - at));
        reader->offset += (size_t)(stop - at) + 1;
        reader->after_cr = *stop == '\r';
        at = stop + 1;
    }
    if (status == KP_OK && !kp_kieker_buffer_append(&reader->pending, at, (size_t)(end - at)))
        status = KP_ERROR_NO_MEMORY;
    limit_line(reader);
    return status;
}

static enum kp_status take_binary(struct kp_kieker_log_reader *reader, const char *bytes, size_t count)
{
    enum kp_status status = KP_OK;
    size_t done = 0;

    if (reader->skipping)
        return KP_OK;
    if (!kp_kieker_buffer_append(&reader->pending, bytes, count))
        return KP_ERROR_NO_MEMORY;
    while (status == KP_OK && done < reader->pending.used) {
        size_t taken = 0;

        status = kp_kieker_records_binary(&reader->records, reader->pending.bytes + done,
                                          reader->pending.used - done, &taken);
        done += taken;
    }
    reader->offset += done;
    kp_kieker_buffer_drop(&reader->pending, done);
    if (status == KP_ERROR_TRUNCATED)
        return KP_OK;
    if (status != KP_ERROR_DAMAGED)
        return status;
    /* Records have no length: what follows cannot be told apart. */
    tell_damage(reader, name_of(reader), reader->offset, reader->records.error);
    tell_damage(reader, name_of(reader), reader->offset, "the rest of the file cannot be read");
    reader->skipping = true;
    reader->pending.used = 0;
    return KP_OK;
}

enum kp_status kp_kieker_log_reader_data(struct kp_kieker_log_reader *reader, const void *bytes, size_t count)
{
    if (count == 0)
        return KP_OK;
    return reader->binary ? take_binary(reader, bytes, count)
                          : take_text(reader, bytes, (const char *)bytes + count);
}

enum kp_status kp_kieker_log_reader_end(struct kp_kieker_log_reader *reader)
{
    enum kp_status status = KP_OK;

    if (reader->pending.used && reader->binary)
        tell_damage(reader, name_of(reader), reader->offset, "the file ends in the middle of a record");
    else if (reader->pending.used)
        status = take_line(reader, (const char *)reader->pending.bytes, reader->pending.used);
    reader->pending.used = 0;
    return status;
}

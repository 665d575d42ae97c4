#include "input_text.h"

#include <string.h>

/* --- the short way: events, by hand --- */

static const char *scan_number(const char *at, const char *end, int64_t least, int64_t most, int64_t *value)
{
    return at && at < end && *at == ';' ? kieker_scan_long(at + 1, end, least, most, value) : NULL;
}

static const char *scan_int(const char *at, const char *end, int32_t *value)
{
    int64_t number = 0;

    at = scan_number(at, end, INT32_MIN, INT32_MAX, &number);
    *value = (int32_t)number;
    return at;
}

static const char *scan_long(const char *at, const char *end, int64_t *value)
{
    return scan_number(at, end, INT64_MIN, INT64_MAX, value);
}

/* A backslash before the separator may take it into the field: the long way knows. */
static const char *scan_text(const char *at, const char *end, struct kp_text *text)
{
    const char *separator;

    if (!at || at == end || *at != ';')
        return NULL;
    at++;
    separator = memchr(at, ';', (size_t)(end - at));
    if (separator && separator > at && separator[-1] == '\\')
        return NULL;
    separator = separator ? separator : end;
    *text = (struct kp_text){at, (size_t)(separator - at)};
    return separator;
}

static const char *scan_execution(const char *at, const char *end, struct kp_kieker_event *event)
{
    struct kp_text session;

    at = scan_text(at, end, &event->operation);
    at = scan_text(at, end, &session);
    at = scan_long(at, end, &event->trace_id);
    at = scan_long(at, end, &event->time);
    at = scan_long(at, end, &event->end_time);
    at = scan_text(at, end, &event->host);
    at = scan_int(at, end, &event->order);
    return scan_int(at, end, &event->stack);
}

static const char *scan_event(const char *at, const char *end, char tail, struct kp_kieker_event *event)
{
    int32_t object;

    at = scan_long(at, end, &event->time);
    at = scan_long(at, end, &event->trace_id);
    at = scan_int(at, end, &event->order);
    at = scan_text(at, end, &event->operation);
    at = scan_text(at, end, &event->class_name);
    if (tail == KP_KIEKER_TAIL_TWO_STRINGS) {
        at = scan_text(at, end, &event->operation);
        at = scan_text(at, end, &event->class_name);
    }
    if (tail == KP_KIEKER_TAIL_STRING || tail == KP_KIEKER_TAIL_STRING_INT)
        at = scan_text(at, end, &event->cause);
    return tail == KP_KIEKER_TAIL_INT || tail == KP_KIEKER_TAIL_STRING_INT ? scan_int(at, end, &object) : at;
}

/* False: not such an event, or something about it is unusual. */
static bool scan_line(const struct kp_kieker_class *entry, const char *at, const char *end,
                      struct kp_kieker_event *event)
{
    *event = (struct kp_kieker_event){.kind = entry->kind, .by_thread = entry->by_thread};
    at = scan_long(at, end, &event->logging_ns);
    at = entry->tail == KP_KIEKER_TAIL_EXECUTION ? scan_execution(at, end, event)
                                                 : scan_event(at, end, entry->tail, event);
    return at && (at == end || *at == ';');
}

/* --- the long way: any record --- */

/* A number is all there is in the field at `at`. */
static bool is_number(const char *at, const char *end)
{
    int64_t number;

    at = scan_long(at, end, &number);
    return at && (at == end || *at == ';');
}

static const char *next_field(const char *at, const char *end)
{
    const char *separator = at < end ? memchr(at + 1, ';', (size_t)(end - at - 1)) : NULL;

    return separator ? separator : end;
}

static bool read_fields(struct kp_kieker_records *records, const struct kieker_record_type *type,
                        const char *at, const char *end, bool completely)
{
    struct kieker_memory memory = kp_kieker_records_memory(records);
    struct kieker_reader reader = {
        .bytes = (const uint8_t *)at, .size = (size_t)(end - at), .memory = &memory};

    return type->read_text(&reader, records->record) && (!completely || reader.position == reader.size);
}

/*
 * As the present versions write it; as those before 1.5 did, whose executions begin with the number of an
 * experiment; or without a logging time. `at` is behind the id.
 */
static bool read_line(struct kp_kieker_records *records, const struct kp_kieker_class *entry, const char *at,
                      const char *end, int64_t *logging_ns)
{
    const char *values = scan_long(at, end, logging_ns);

    if (values && entry->kind == KP_KIEKER_EXECUTION && is_number(values, end))
        return read_fields(records, entry->type, next_field(values, end), end, false);
    if (values && read_fields(records, entry->type, values, end, false))
        return true;
    *logging_ns = -1;
    return entry->type->field_count && read_fields(records, entry->type, at, end, true);
}

static enum kp_status take_record(struct kp_kieker_records *records, const struct kp_kieker_class *entry,
                                  const char *at, const char *end)
{
    struct kp_kieker_event event;
    int64_t logging_ns = -1;

    if (!entry->type) {
        if (records->ops->unknown)
            records->ops->unknown(records->user, entry->name);
        return KP_OK;
    }
    /* An execution of before 1.5 looks like one with a number for a name. */
    if (records->ops->event && entry->tail != KP_KIEKER_TAIL_OTHER && scan_line(entry, at, end, &event) &&
        !(entry->kind == KP_KIEKER_EXECUTION && is_number(next_field(at, end), end)))
        return kp_kieker_records_give_event(records, &event);
    if (read_line(records, entry, at, end, &logging_ns))
        return kp_kieker_records_give(records, entry->type, logging_ns);
    return kp_kieker_records_refuse(records, "a line that is no %.160s", entry->type->java_class);
}

/* --- the text mode of the Python pack: `id;value; value; ` without '$' and logging time --- */

/* The values as they would stand in a log: separators without blanks, none at the end. */
static size_t tidy(char *out, const char *at, const char *end)
{
    size_t count = 0;

    while (end > at && (end[-1] == ' ' || end[-1] == ';'))
        end--;
    for (; at < end; at++) {
        out[count++] = *at;
        if (*at == ';' && at + 1 < end && at[1] == ' ')
            at++;
    }
    return count;
}

static enum kp_status take_python_line(struct kp_kieker_records *records, const struct kp_kieker_class *entry,
                                       const char *at, const char *end)
{
    struct kieker_memory memory = kp_kieker_records_memory(records);
    char *text = (size_t)(end - at) < memory.capacity ? (char *)memory.bytes
                                                      : memory.get(memory.user, (size_t)(end - at));
    struct kieker_reader reader = {.bytes = (const uint8_t *)text};

    if (!text)
        return KP_ERROR_NO_MEMORY;
    if (memory.bytes == (uint8_t *)text)
        memory.used = (size_t)(end - at);
    reader.size = tidy(text, at, end);
    reader.memory = &memory;
    if (entry->type && entry->type->read_text(&reader, records->record))
        return kp_kieker_records_give(records, entry->type, -1);
    return kp_kieker_records_refuse(records, "a line that is no record of the Python pack");
}

/* --- any line --- */

enum kp_status kp_kieker_text_line(struct kp_kieker_records *records, const char *line, size_t count)
{
    const char *end = line + count, *at = line + (count && *line == '$');
    const struct kp_kieker_class *entry;
    int64_t id = 0;

    if (count == 0)
        return KP_OK;
    at = kieker_scan_long(at, end, 0, INT32_MAX, &id);
    if (!at || at == end || *at != ';')
        return kp_kieker_records_refuse(records, "a line that is no record");
    entry = kp_kieker_records_class(records, (int32_t)id);
    if (!entry->name)
        return kp_kieker_records_refuse(records, "class %d is not in the map", (int)id);
    return *line == '$' ? take_record(records, entry, at, end) : take_python_line(records, entry, at, end);
}

#include "input_records.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kp_kieker.h"

enum { CLASSES_MAX = 1 << 16, HEAD_BYTES = 12, SCRATCH_BYTES = 1 << 14 };

enum kp_status kp_kieker_records_init(struct kp_kieker_records *records,
                                      const struct kp_kieker_input_ops *ops, void *user,
                                      const struct kp_kieker_limits *limits)
{
    size_t room = 0;

    *records = (struct kp_kieker_records){.ops = ops, .user = user};
    if (limits)
        records->limits = *limits;
    if (!records->limits.string_bytes)
        records->limits.string_bytes = 1 << 20;
    if (!records->limits.strings_bytes)
        records->limits.strings_bytes = 64 << 20;
    if (!records->limits.record_bytes)
        records->limits.record_bytes = 1 << 20;
    for (size_t i = 0; i < KP_KIEKER_COUNT; i++)
        if (kp_kieker[i]->struct_size > room)
            room = kp_kieker[i]->struct_size;
    records->record = malloc(room);
    records->scratch = malloc(SCRATCH_BYTES);
    records->registry = kieker_registry_create(records->limits.strings_bytes);
    return records->record && records->scratch && records->registry ? KP_OK : KP_ERROR_NO_MEMORY;
}

void kp_kieker_records_fini(struct kp_kieker_records *records)
{
    kieker_registry_destroy(records->registry);
    kp_arena_free(&records->arena);
    free(records->classes);
    free(records->record);
    free(records->scratch);
}

enum kp_status kp_kieker_records_refuse(struct kp_kieker_records *records, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(records->error, sizeof records->error, format, arguments);
    va_end(arguments);
    return KP_ERROR_DAMAGED;
}

enum kp_status kp_kieker_records_register(struct kp_kieker_records *records, int32_t id, const char *text,
                                          size_t bytes)
{
    if (bytes > records->limits.string_bytes)
        return kp_kieker_records_refuse(records, "a string of %zu bytes: the limit is %zu", bytes,
                                        records->limits.string_bytes);
    if (memchr(text, 0, bytes))
        return kp_kieker_records_refuse(records, "string %d has a zero byte", id);
    if (!kieker_registry_put(records->registry, id, text, bytes))
        return kp_kieker_records_refuse(records, "no room for more strings: the limit is %zu bytes",
                                        records->limits.strings_bytes);
    if ((size_t)id < records->class_count)
        records->classes[id].looked_up = false;
    return KP_OK;
}

static bool make_room(struct kp_kieker_records *records, size_t id)
{
    size_t count = records->class_count ? records->class_count : 64;
    struct kp_kieker_class *grown;

    while (count <= id)
        count *= 2;
    grown = realloc(records->classes, count * sizeof *grown);
    if (!grown)
        return false;
    memset(grown + records->class_count, 0, (count - records->class_count) * sizeof *grown);
    records->classes = grown;
    records->class_count = count;
    return true;
}

const struct kp_kieker_class *kp_kieker_records_class(struct kp_kieker_records *records, int32_t id)
{
    struct kp_kieker_class *entry = &records->other;

    if (id >= 0 && id < CLASSES_MAX &&
        ((size_t)id < records->class_count || make_room(records, (size_t)id))) {
        entry = &records->classes[id];
        if (entry->looked_up)
            return entry;
    }
    kp_kieker_class_find(entry, kieker_registry_text(records->registry, id));
    return entry;
}

/* --- handing out --- */

/* The class's own idea of when it happened; 0 when it has none. */
static int64_t time_of(const struct kieker_record_type *type, const void *record)
{
    int64_t time = 0;

    for (size_t i = 0; i < type->field_count && i < 5; i++)
        if (type->fields[i].kind == KIEKER_LONG &&
            (!strcmp(type->fields[i].name, "timestamp") || !strcmp(type->fields[i].name, "tout")))
            memcpy(&time, (const char *)record + type->fields[i].offset, sizeof time);
    return time;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* A sender that stamps nothing (-1, the default since Kieker 2.0.3): its record happened when it says, or
 * when the record before it did, or now. */
static int64_t repair_time(struct kp_kieker_records *records, int64_t logging_ns, int64_t time)
{
    if (logging_ns < 0)
        logging_ns = time > 0 ? time : records->last_ns > 0 ? records->last_ns : now_ns();
    records->last_ns = logging_ns;
    return logging_ns;
}

enum kp_status kp_kieker_records_give(struct kp_kieker_records *records,
                                      const struct kieker_record_type *type, int64_t logging_ns)
{
    logging_ns =
        repair_time(records, logging_ns, logging_ns < 0 ? time_of(type, records->record) : logging_ns);
    return records->ops->record(records->user, type, logging_ns, records->record) ? KP_OK : KP_END;
}

enum kp_status kp_kieker_records_give_event(struct kp_kieker_records *records, struct kp_kieker_event *event)
{
    event->logging_ns = repair_time(records, event->logging_ns,
                                    event->kind == KP_KIEKER_EXECUTION ? event->end_time : event->time);
    return records->ops->event(records->user, event) ? KP_OK : KP_END;
}

static void *more_memory(void *user, size_t bytes)
{
    struct kp_kieker_records *records = user;

    /* What a record of the longest kind can take: every byte of it a pointer to a string. */
    if (bytes > 24 * records->limits.record_bytes - records->arena_bytes)
        return NULL;
    records->arena_bytes += bytes;
    return kp_arena_get(&records->arena, bytes);
}

struct kieker_memory kp_kieker_records_memory(struct kp_kieker_records *records)
{
    if (records->arena_bytes)
        kp_arena_free(&records->arena);
    records->arena_bytes = 0;
    return (struct kieker_memory){
        .bytes = records->scratch, .capacity = SCRATCH_BYTES, .get = more_memory, .user = records};
}

/* --- records in binary form --- */

static bool get_text(struct kp_kieker_records *records, const uint8_t *at, struct kp_text *text)
{
    text->bytes = kieker_registry_text(records->registry, (int32_t)kieker_get_32(at));
    text->count = text->bytes ? strlen(text->bytes) : 0;
    return text->bytes != NULL;
}

static bool read_execution(struct kp_kieker_records *records, const uint8_t *at,
                           struct kp_kieker_event *event)
{
    event->trace_id = (int64_t)kieker_get_64(at + 8);
    event->time = (int64_t)kieker_get_64(at + 16);
    event->end_time = (int64_t)kieker_get_64(at + 24);
    event->order = (int32_t)kieker_get_32(at + 36);
    event->stack = (int32_t)kieker_get_32(at + 40);
    return get_text(records, at, &event->operation) && get_text(records, at + 32, &event->host) &&
           kieker_registry_text(records->registry, (int32_t)kieker_get_32(at + 4));
}

static bool read_event(struct kp_kieker_records *records, const uint8_t *at, struct kp_kieker_event *event)
{
    event->time = (int64_t)kieker_get_64(at);
    event->trace_id = (int64_t)kieker_get_64(at + 8);
    event->order = (int32_t)kieker_get_32(at + 16);
    return get_text(records, at + 20, &event->operation) && get_text(records, at + 24, &event->class_name);
}

/* An event straight from its bytes, which are all there. False: the long way says what is wrong. */
static bool scan_event(struct kp_kieker_records *records, const struct kp_kieker_class *entry,
                       const uint8_t *at, struct kp_kieker_event *event)
{
    switch (entry->tail) {
    case KP_KIEKER_TAIL_NONE:
    case KP_KIEKER_TAIL_INT:
        return read_event(records, at, event);
    case KP_KIEKER_TAIL_STRING:
    case KP_KIEKER_TAIL_STRING_INT:
        return read_event(records, at, event) && get_text(records, at + 28, &event->cause);
    case KP_KIEKER_TAIL_TWO_STRINGS:
        return read_event(records, at, event) && get_text(records, at + 28, &event->operation) &&
               get_text(records, at + 32, &event->class_name);
    case KP_KIEKER_TAIL_EXECUTION:
        return read_execution(records, at, event);
    default:
        return false;
    }
}

static enum kp_status refuse_record(struct kp_kieker_records *records, const struct kp_kieker_class *entry,
                                    enum kieker_problem problem, size_t count)
{
    const char *name = entry->type->java_class;

    switch (problem) {
    case KIEKER_INCOMPLETE:
        if (count < records->limits.record_bytes)
            return KP_ERROR_TRUNCATED;
        return kp_kieker_records_refuse(records, "a %s of more than %zu bytes", name,
                                        records->limits.record_bytes);
    case KIEKER_UNKNOWN_STRING:
        return kp_kieker_records_refuse(records, "a %s refers to a string that was never registered", name);
    case KIEKER_NO_MEMORY:
        return kp_kieker_records_refuse(records, "a %s is too long", name);
    default:
        return kp_kieker_records_refuse(records, "a %s has a value that cannot be", name);
    }
}

static enum kp_status refuse_class(struct kp_kieker_records *records, const struct kp_kieker_class *entry,
                                   int32_t id)
{
    if (!entry->name)
        return kp_kieker_records_refuse(records, "class %d was never registered", id);
    return kp_kieker_records_refuse(records, "nobody knows records of class %.160s", entry->name);
}

enum kp_status kp_kieker_records_binary(struct kp_kieker_records *records, const uint8_t *bytes, size_t count,
                                        size_t *taken)
{
    struct kieker_reader reader = {.bytes = bytes, .size = count, .position = HEAD_BYTES};
    const struct kp_kieker_class *entry;
    int32_t id = count >= 4 ? (int32_t)kieker_get_32(bytes) : 0;

    if (count < 4)
        return KP_ERROR_TRUNCATED;
    entry = kp_kieker_records_class(records, id);
    if (!entry->type)
        return refuse_class(records, entry, id);
    if (count < HEAD_BYTES + entry->type->min_size)
        return KP_ERROR_TRUNCATED;
    if (records->ops->event && entry->tail != KP_KIEKER_TAIL_OTHER) {
        struct kp_kieker_event event = {.kind = entry->kind,
                                        .by_thread = entry->by_thread,
                                        .logging_ns = (int64_t)kieker_get_64(bytes + 4)};

        if (scan_event(records, entry, bytes + HEAD_BYTES, &event)) {
            *taken = HEAD_BYTES + entry->type->min_size;
            return kp_kieker_records_give_event(records, &event);
        }
    }
    struct kieker_memory memory = kp_kieker_records_memory(records);
    reader.memory = &memory;
    reader.string = kieker_registry_text;
    reader.user = records->registry;
    if (!entry->type->read_binary(&reader, records->record))
        return refuse_record(records, entry, reader.failed, count);
    *taken = reader.position;
    return kp_kieker_records_give(records, entry->type, (int64_t)kieker_get_64(bytes + 4));
}

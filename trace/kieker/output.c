#include "output.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "kp_kieker.h"
#include "output_state.h"

#define BATCH_BYTES      (128u << 10)
#define MAP_PIECE_BYTES  (64u << 10)
#define NUMBERS_OF_LINE  160 /* bytes of a line but for its strings */
#define STRING_NOT_PLAIN (-2)

/* --- making --------------------------------------------------------------------------------------- */

struct kp_kieker_output *kp_kieker_output_create(enum kp_kieker_form form,
                                                 const struct kp_kieker_output_ops *ops, void *user)
{
    /* Ids that a string keeps are those of one output only. */
    static _Atomic uint32_t generations;
    struct kp_kieker_output *output = calloc(1, sizeof *output);

    if (!output)
        return NULL;
    output->form = form;
    output->generation = atomic_fetch_add_explicit(&generations, 1, memory_order_relaxed) + 1;
    output->ops = ops;
    output->user = user;
    output->most_bytes = BATCH_BYTES;
    output->most_records = UINT64_MAX;
    output->before.text = KIEKER_COMMON_RECORD_FLOW_TRACE_OPERATION_BEFORE_OPERATION_EVENT_CLASS;
    output->after.text = KIEKER_COMMON_RECORD_FLOW_TRACE_OPERATION_AFTER_OPERATION_EVENT_CLASS;
    output->after_failed.text = KIEKER_COMMON_RECORD_FLOW_TRACE_OPERATION_AFTER_OPERATION_FAILED_EVENT_CLASS;
    output->registry = kieker_registry_create(0);
    if (!output->registry || !kp_kieker_buffer_room(&output->data, BATCH_BYTES + KP_KIEKER_LINE_MAX)) {
        kp_kieker_output_destroy(output);
        return NULL;
    }
    return output;
}

void kp_kieker_output_destroy(struct kp_kieker_output *output)
{
    if (!output)
        return;
    kieker_registry_destroy(output->registry);
    free(output->map.bytes);
    free(output->data.bytes);
    free(output);
}

enum kp_kieker_form kp_kieker_output_form(const struct kp_kieker_output *output)
{
    return output->form;
}

uint64_t kp_kieker_output_records(const struct kp_kieker_output *output)
{
    return output->records;
}

void kp_kieker_output_limit(struct kp_kieker_output *output, size_t bytes, uint64_t records)
{
    if (bytes)
        output->most_bytes = bytes;
    if (records)
        output->most_records = records;
}

/* --- handing out ---------------------------------------------------------------------------------- */

enum kp_status kp_kieker_output_flush(struct kp_kieker_output *output)
{
    enum kp_status status = KP_OK;

    if (output->map.used)
        status = output->ops->map(output->user, output->map.bytes, output->map.used);
    if (status != KP_OK)
        return status;
    output->map.used = 0;
    if (output->data.used)
        status =
            output->ops->data(output->user, output->data.bytes, output->data.used, output->batch_records);
    if (status != KP_OK)
        return status;
    output->data.used = 0;
    output->batch_records = 0;
    return KP_OK;
}

static inline bool is_full(const struct kp_kieker_output *output)
{
    return output->data.used >= output->most_bytes || output->map.used >= output->most_bytes ||
           output->batch_records >= output->most_records;
}

enum kp_status kp_kieker_output_ready(struct kp_kieker_output *output)
{
    if (__builtin_expect(!is_full(output), 1) || output->held)
        return KP_OK;
    return kp_kieker_output_flush(output);
}

enum kp_status kp_kieker_output_hold(struct kp_kieker_output *output)
{
    enum kp_status status;

    output->held = false;
    status = kp_kieker_output_ready(output);
    output->held = status == KP_OK;
    return status;
}

void kp_kieker_output_release(struct kp_kieker_output *output)
{
    output->held = false;
}

/* --- strings -------------------------------------------------------------------------------------- */

size_t kp_kieker_text_cut(const char *text, size_t most)
{
    size_t bytes = strnlen(text, most + 1);

    if (bytes <= most)
        return bytes;
    for (bytes = most; bytes && ((unsigned char)text[bytes] & 0xc0) == 0x80;)
        bytes--;
    return bytes;
}

static bool put_registration(struct kp_kieker_output *output, struct kp_kieker_buffer *buffer, int32_t id,
                             const char *text)
{
    size_t bytes = strlen(text), most = 2 * bytes + 2 * KIEKER_NUMBER_BYTES;
    struct kieker_writer writer = {.bytes = kp_kieker_buffer_room(buffer, most), .capacity = most};
    bool good = writer.bytes && (output->form == KP_KIEKER_STREAM ? kieker_put_entry(&writer, id, text, bytes)
                                                                  : kieker_text_put_map(&writer, id, text));

    buffer->used += writer.position;
    return good;
}

static int32_t register_text(struct kp_kieker_output *output, const char *text)
{
    int32_t known = kieker_registry_count(output->registry), id;

    /* Room first: an id that was given must not stay unsaid. */
    if (!kp_kieker_buffer_room(&output->map, 2 * strlen(text) + 2 * KIEKER_NUMBER_BYTES))
        return -1;
    id = kieker_registry_id(output->registry, text);
    if (id >= known && !put_registration(output, &output->map, id, text))
        return -1;
    return id;
}

int32_t kp_kieker_output_id(void *user, const char *text)
{
    struct kp_kieker_output *output = user;
    char cut[KP_KIEKER_STRING_MAX + 1];
    size_t bytes = kp_kieker_text_cut(text, KP_KIEKER_STRING_MAX);

    if (!text[bytes])
        return register_text(output, text);
    memcpy(cut, text, bytes);
    cut[bytes] = '\0';
    return register_text(output, cut);
}

static int32_t look_up(struct kp_kieker_output *output, struct kp_kieker_string *string)
{
    int32_t id = kp_kieker_output_id(output, string->text);

    if (id >= 0) {
        string->id = id;
        string->generation = output->generation;
    }
    return id;
}

static inline int32_t id_of(struct kp_kieker_output *output, struct kp_kieker_string *string)
{
    if (__builtin_expect(string->generation == output->generation, 1))
        return string->id;
    return look_up(output, string);
}

/* --- the hot records: binary ---------------------------------------------------------------------- */

#define OPERATION_EVENT_BYTES (12 + 28)

static uint8_t *put_operation(struct kp_kieker_output *output, struct kp_kieker_string *class_id,
                              const struct kp_kieker_place *place, size_t bytes)
{
    int32_t record = id_of(output, class_id), operation = id_of(output, place->operation),
            class_name = id_of(output, place->class_name);
    uint8_t *at = kp_kieker_buffer_room(&output->data, bytes);

    if (__builtin_expect((record | operation | class_name) < 0 || !at, 0))
        return NULL;
    kieker_put_32(at, (uint32_t)record);
    kieker_put_64(at + 4, (uint64_t)place->logging_ns);
    kieker_put_64(at + 12, (uint64_t)place->time_ns);
    kieker_put_64(at + 20, (uint64_t)place->trace_id);
    kieker_put_32(at + 28, (uint32_t)place->order);
    kieker_put_32(at + 32, (uint32_t)operation);
    kieker_put_32(at + 36, (uint32_t)class_name);
    return at;
}

static enum kp_status put_event_binary(struct kp_kieker_output *output, struct kp_kieker_string *class_id,
                                       const struct kp_kieker_place *place)
{
    if (!put_operation(output, class_id, place, OPERATION_EVENT_BYTES))
        return KP_ERROR_NO_MEMORY;
    kp_kieker_output_took(output, OPERATION_EVENT_BYTES);
    return KP_OK;
}

static enum kp_status put_failed_binary(struct kp_kieker_output *output, const struct kp_kieker_place *place,
                                        struct kp_kieker_string *cause)
{
    /* Ids are given in the order of the record's fields, the cause last. */
    uint8_t *at = put_operation(output, &output->after_failed, place, OPERATION_EVENT_BYTES + 4);
    int32_t id = at ? id_of(output, cause) : -1;

    if (id < 0)
        return KP_ERROR_NO_MEMORY;
    kieker_put_32(at + OPERATION_EVENT_BYTES, (uint32_t)id);
    kp_kieker_output_took(output, OPERATION_EVENT_BYTES + 4);
    return KP_OK;
}

/* --- the hot records: text ------------------------------------------------------------------------ */

/* The string as the writer would put it; what is found to go unchanged is copied from then on. */
static uint8_t *put_string_slowly(struct kp_kieker_output *output, struct kp_kieker_string *string,
                                  uint8_t *at)
{
    size_t bytes = strlen(string->text);
    struct kieker_writer writer = {.bytes = at, .capacity = 2 * bytes + 1, .ascii = true};

    kieker_text_put_string(&writer, string->text);
    string->id = writer.position == bytes + 1 && !memcmp(at + 1, string->text, bytes) ? (int32_t)bytes
                                                                                      : STRING_NOT_PLAIN;
    string->generation = output->generation;
    return at + writer.position;
}

static inline uint8_t *put_string(struct kp_kieker_output *output, struct kp_kieker_string *string,
                                  uint8_t *at)
{
    if (__builtin_expect(string->generation != output->generation || string->id < 0, 0))
        return put_string_slowly(output, string, at);
    *at++ = ';';
    memcpy(at, string->text, (size_t)string->id);
    return at + string->id;
}

static inline size_t room_of(const struct kp_kieker_output *output, const struct kp_kieker_string *string)
{
    return string->generation == output->generation && string->id >= 0 ? (size_t)string->id + 1
                                                                       : 2 * strlen(string->text) + 1;
}

static inline uint8_t *put_number(uint8_t *at, int64_t value)
{
    *at++ = ';';
    return at + kieker_format_long((char *)at, value);
}

static enum kp_status put_event_text(struct kp_kieker_output *output, struct kp_kieker_string *class_id,
                                     const struct kp_kieker_place *place, struct kp_kieker_string *cause)
{
    size_t room = NUMBERS_OF_LINE + room_of(output, place->operation) + room_of(output, place->class_name) +
                  (cause ? room_of(output, cause) : 0);
    int32_t record = id_of(output, class_id);
    uint8_t *start = kp_kieker_buffer_room(&output->data, room), *at = start, *number;

    if (record < 0 || !at)
        return KP_ERROR_NO_MEMORY;
    *at++ = '$';
    at += kieker_format_long((char *)at, record);
    number = at;
    at = put_number(at, place->logging_ns);
    if (place->time_ns == place->logging_ns) {
        size_t bytes = (size_t)(at - number);
        memcpy(at, number, bytes);
        at += bytes;
    } else {
        at = put_number(at, place->time_ns);
    }
    at = put_number(at, place->trace_id);
    at = put_number(at, place->order);
    at = put_string(output, place->operation, at);
    at = put_string(output, place->class_name, at);
    if (cause)
        at = put_string(output, cause, at);
    *at++ = '\n';
    if (at - start > KP_KIEKER_LINE_MAX)
        return KP_ERROR_VALUE;
    kp_kieker_output_took(output, (size_t)(at - start));
    return KP_OK;
}

/* --- the hot records, either ---------------------------------------------------------------------- */

static enum kp_status put_event(struct kp_kieker_output *output, struct kp_kieker_string *class_id,
                                const struct kp_kieker_place *place)
{
    enum kp_status status = kp_kieker_output_ready(output);

    if (status != KP_OK)
        return status;
    if (output->form != KP_KIEKER_TEXT)
        return put_event_binary(output, class_id, place);
    status = put_event_text(output, class_id, place, NULL);
    if (status != KP_ERROR_VALUE)
        return status;
    kieker_common_record_flow_trace_operation_before_operation_event event = {
        place->time_ns, place->trace_id, place->order, place->operation->text, place->class_name->text};
    return kp_kieker_put_record(output,
                                class_id == &output->before
                                    ? &kieker_common_record_flow_trace_operation_before_operation_event_type
                                    : &kieker_common_record_flow_trace_operation_after_operation_event_type,
                                place->logging_ns, &event);
}

enum kp_status kp_kieker_put_before(struct kp_kieker_output *output, const struct kp_kieker_place *place)
{
    return put_event(output, &output->before, place);
}

enum kp_status kp_kieker_put_after(struct kp_kieker_output *output, const struct kp_kieker_place *place)
{
    return put_event(output, &output->after, place);
}

enum kp_status kp_kieker_put_after_failed(struct kp_kieker_output *output,
                                          const struct kp_kieker_place *place, struct kp_kieker_string *cause)
{
    enum kp_status status = kp_kieker_output_ready(output);

    if (status != KP_OK)
        return status;
    if (output->form != KP_KIEKER_TEXT)
        return put_failed_binary(output, place, cause);
    status = put_event_text(output, &output->after_failed, place, cause);
    if (status != KP_ERROR_VALUE)
        return status;
    kieker_common_record_flow_trace_operation_after_operation_failed_event event = {
        place->time_ns,         place->trace_id,         place->order,
        place->operation->text, place->class_name->text, cause->text};
    return kp_kieker_put_record(output,
                                &kieker_common_record_flow_trace_operation_after_operation_failed_event_type,
                                place->logging_ns, &event);
}

/* --- any record ----------------------------------------------------------------------------------- */

static const size_t string_steps[] = {KP_KIEKER_STRING_MAX, 1000, 200, 40, 8};
#define STRING_STEPS (sizeof string_steps / sizeof *string_steps)

enum kp_status
kp_kieker_output_write(struct kp_kieker_output *output, const char *java_class, int64_t logging_ns,
                       bool (*write)(struct kieker_writer *writer, const void *user, size_t string_max),
                       const void *user)
{
    bool text = output->form == KP_KIEKER_TEXT;
    int32_t class_id = kp_kieker_output_id(output, java_class);
    size_t room = KP_KIEKER_LINE_MAX, step = 0;

    if (class_id < 0)
        return KP_ERROR_NO_MEMORY;
    for (;;) {
        struct kieker_writer writer = {.bytes = kp_kieker_buffer_room(&output->data, room),
                                       .capacity = room,
                                       .string_id = kp_kieker_output_id,
                                       .user = output,
                                       .ascii = true};
        bool good = writer.bytes &&
                    (text ? kieker_text_put_head(&writer, class_id, logging_ns)
                          : kieker_put_head(&writer, class_id, logging_ns)) &&
                    write(&writer, user, string_steps[step]) && (!text || kieker_text_put_end(&writer));

        if (good) {
            kp_kieker_output_took(output, writer.position);
            return KP_OK;
        }
        if (!writer.bytes || writer.failed == KIEKER_UNKNOWN_STRING || writer.failed == KIEKER_NO_MEMORY)
            return KP_ERROR_NO_MEMORY;
        if (writer.failed != KIEKER_FULL)
            return KP_ERROR_VALUE;
        /* No reader takes a longer line; a longer binary record is its receiver's affair. */
        if (text && ++step == STRING_STEPS)
            return KP_ERROR_VALUE;
        if (!text)
            room *= 2;
    }
}

struct any_record {
    const struct kieker_record_type *type;
    const void *record;
};

/* How many strings a record has, and whether one is longer than `most`. */
static size_t count_strings(const struct kieker_record_type *type, const void *record, size_t most,
                            bool *longer)
{
    size_t strings = 0;

    for (size_t i = 0; i < type->field_count; i++) {
        size_t count = 0;
        const char *const *texts;

        if (type->fields[i].kind != KIEKER_STRING)
            continue;
        texts = kieker_field_elements(&type->fields[i], record, &count);
        for (size_t k = 0; k < count; k++)
            *longer |= texts[k] && strnlen(texts[k], most + 1) > most;
        strings += count;
    }
    return strings;
}

static char *cut_text(const char *text, size_t most)
{
    size_t bytes = kp_kieker_text_cut(text ? text : "", most);
    char *cut = malloc(bytes + 1);

    if (!cut)
        return NULL;
    memcpy(cut, text ? text : "", bytes);
    cut[bytes] = '\0';
    return cut;
}

/* Copies of all strings of the record, cut, and arrays of them; `copy` is a copy of the record and gets them.
 * False without memory: what `texts` has is to be freed either way. */
static bool cut_strings(const struct kieker_record_type *type, const void *record, uint8_t *copy, size_t most,
                        char **texts)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const struct kieker_field *field = &type->fields[i];
        size_t count = 0;
        const char *const *from;
        char **first = texts;
        bool dynamic = false;

        if (field->kind != KIEKER_STRING)
            continue;
        from = kieker_field_elements(field, record, &count);
        for (size_t k = 0; k < count; k++, texts++)
            if (!(*texts = cut_text(from[k], most)))
                return false;
        for (uint32_t d = 0; d < field->dimension_count; d++)
            dynamic |= !field->dimensions[d].length;
        if (dynamic)
            memcpy(copy + field->offset, &first, sizeof first);
        else
            memcpy(copy + field->offset, first, count * sizeof *first);
    }
    return true;
}

static bool write_cut(struct kieker_writer *writer, const struct any_record *any, size_t strings, size_t most)
{
    uint8_t *copy = malloc(any->type->struct_size);
    char **texts = calloc(strings, sizeof *texts);
    bool good = copy && texts;

    if (good) {
        memcpy(copy, any->record, any->type->struct_size);
        good = cut_strings(any->type, any->record, copy, most, texts);
    }
    if (!good)
        kieker_writer_fail(writer, KIEKER_NO_MEMORY);
    good = good && any->type->write_text(writer, copy);
    for (size_t i = 0; texts && i < strings; i++)
        free(texts[i]);
    free(texts);
    free(copy);
    return good;
}

static bool write_any(struct kieker_writer *writer, const void *user, size_t string_max)
{
    const struct any_record *any = user;
    bool longer = false;
    size_t strings;

    if (((struct kp_kieker_output *)writer->user)->form != KP_KIEKER_TEXT)
        return any->type->write_binary(writer, any->record);
    strings = count_strings(any->type, any->record, string_max, &longer);
    return longer ? write_cut(writer, any, strings, string_max) : any->type->write_text(writer, any->record);
}

enum kp_status kp_kieker_put_record(struct kp_kieker_output *output, const struct kieker_record_type *type,
                                    int64_t logging_ns, const void *record)
{
    struct any_record any = {type, record};
    enum kp_status status = kp_kieker_output_ready(output);

    return status == KP_OK ? kp_kieker_output_write(output, type->java_class, logging_ns, write_any, &any)
                           : status;
}

/* --- a new connection ----------------------------------------------------------------------------- */

enum kp_status kp_kieker_output_repeat_map(struct kp_kieker_output *output)
{
    struct kp_kieker_buffer piece = {0};
    enum kp_status status = KP_OK;
    int32_t count = kieker_registry_count(output->registry);

    for (int32_t id = 0; id < count && status == KP_OK; id++) {
        if (!put_registration(output, &piece, id, kieker_registry_text(output->registry, id)))
            status = KP_ERROR_NO_MEMORY;
        else if (piece.used >= MAP_PIECE_BYTES || id + 1 == count) {
            status = output->ops->map(output->user, piece.bytes, piece.used);
            piece.used = 0;
        }
    }
    free(piece.bytes);
    if (status == KP_OK)
        output->map.used = 0; /* they were among them */
    return status;
}

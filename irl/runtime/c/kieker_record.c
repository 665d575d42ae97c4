#include "kieker_record.h"

/* --- writing ------------------------------------------------------------------------------------- */

uint8_t *kieker_writer_fail(struct kieker_writer *writer, enum kieker_problem problem)
{
    if (!writer->failed)
        writer->failed = problem;
    return NULL;
}

static bool multiply(size_t *product, size_t factor)
{
    if (factor && *product > SIZE_MAX / factor)
        return false;
    *product *= factor;
    return true;
}

/* The length that travels for a dynamic dimension: none below an empty one. */
static int32_t inner_length(int32_t length, size_t count)
{
    return count ? length : 0;
}

/* Elements of an array that is to be written; false when there cannot be such an array. */
static bool count_elements(const void *elements, const int32_t *lengths, size_t length_count, size_t fixed,
                           size_t *count)
{
    *count = fixed;
    for (size_t i = 0; i < length_count; i++)
        if (lengths[i] < 0 || !multiply(count, (size_t)lengths[i]))
            return false;
    return elements || !*count;
}

uint8_t *kieker_writer_array(struct kieker_writer *writer, const void *elements, const int32_t *lengths,
                             size_t length_count, size_t fixed, size_t element_bytes, size_t *count)
{
    if (!count_elements(elements, lengths, length_count, fixed, count))
        return kieker_writer_fail(writer, KIEKER_MALFORMED);
    size_t bytes = *count, outer = 1;
    if (!multiply(&bytes, element_bytes) || bytes > SIZE_MAX - 4 * length_count)
        return kieker_writer_fail(writer, KIEKER_FULL);
    uint8_t *at = kieker_writer_take(writer, 4 * length_count + bytes);
    if (!at)
        return NULL;
    for (size_t i = 0; i < length_count; i++, at += 4) {
        int32_t length = inner_length(lengths[i], outer);
        kieker_put_32(at, (uint32_t)length);
        outer = length != 0;
    }
    return at;
}

bool kieker_put_head(struct kieker_writer *writer, int32_t class_id, int64_t logging_timestamp)
{
    uint8_t *at = kieker_writer_take(writer, 12);
    if (!at)
        return false;
    kieker_put_32(at, (uint32_t)class_id);
    kieker_put_64(at + 4, (uint64_t)logging_timestamp);
    return true;
}

bool kieker_put_entry(struct kieker_writer *writer, int32_t id, const char *text, size_t bytes)
{
    if (bytes > INT32_MAX)
        return kieker_writer_fail(writer, KIEKER_MALFORMED) != NULL;
    uint8_t *at = kieker_writer_take(writer, 12 + bytes);
    if (!at)
        return false;
    kieker_put_32(at, UINT32_MAX);
    kieker_put_32(at + 4, (uint32_t)id);
    kieker_put_32(at + 8, (uint32_t)bytes);
    memcpy(at + 12, text, bytes);
    return true;
}

/* --- writing text -------------------------------------------------------------------------------- */

static void put_bytes(struct kieker_writer *writer, const char *bytes, size_t count)
{
    uint8_t *at = kieker_writer_take(writer, count);
    if (at)
        memcpy(at, bytes, count);
}

bool kieker_text_put_head(struct kieker_writer *writer, int32_t class_id, int64_t logging_timestamp)
{
    char head[2 + 2 * KIEKER_NUMBER_BYTES];
    size_t start = writer->position;
    head[0] = '$';
    put_bytes(writer, head, 1 + kieker_format_long(head + 1, class_id));
    kieker_text_put_long(writer, logging_timestamp);
    return kieker_writer_end(writer, start);
}

bool kieker_text_put_end(struct kieker_writer *writer)
{
    put_bytes(writer, "\n", 1);
    return !writer->failed;
}

bool kieker_text_put_map(struct kieker_writer *writer, int32_t id, const char *text)
{
    char head[2 + KIEKER_NUMBER_BYTES];
    size_t start = writer->position, bytes = 1;
    head[0] = '$';
    bytes += kieker_format_long(head + 1, id);
    head[bytes++] = '=';
    put_bytes(writer, head, bytes);
    for (; *text; text++) {
        const char *escaped = *text == '\\' ? "\\\\" : *text == '\n' ? "\\n" : *text == '\r' ? "\\r" : NULL;
        put_bytes(writer, escaped ? escaped : text, escaped ? 2 : 1);
    }
    put_bytes(writer, "\n", 1);
    return kieker_writer_end(writer, start);
}

/* A number goes to its place where there is room for any, else by way of a buffer. */
#define PUT_NUMBER(writer, format, value)                                                                    \
    do {                                                                                                     \
        char buffer[1 + KIEKER_NUMBER_BYTES];                                                                \
        bool room = !(writer)->failed && (writer)->capacity - (writer)->position >= sizeof buffer;           \
        char *at = room ? (char *)(writer)->bytes + (writer)->position : buffer;                             \
        at[0] = ';';                                                                                         \
        size_t bytes = 1 + (format)(at + 1, value);                                                          \
        if (room)                                                                                            \
            (writer)->position += bytes;                                                                     \
        else                                                                                                 \
            put_bytes(writer, buffer, bytes);                                                                \
    } while (0)

void kieker_text_put_int(struct kieker_writer *writer, int32_t value)
{
    PUT_NUMBER(writer, kieker_format_long, value);
}

void kieker_text_put_long(struct kieker_writer *writer, int64_t value)
{
    PUT_NUMBER(writer, kieker_format_long, value);
}

void kieker_text_put_float(struct kieker_writer *writer, float value)
{
    PUT_NUMBER(writer, kieker_format_float, value);
}

void kieker_text_put_double(struct kieker_writer *writer, double value)
{
    PUT_NUMBER(writer, kieker_format_double, value);
}

void kieker_text_put_boolean(struct kieker_writer *writer, bool value)
{
    put_bytes(writer, value ? ";true" : ";false", value ? 5 : 6);
}

void kieker_text_put_char(struct kieker_writer *writer, uint16_t value)
{
    char field[4] = ";";
    size_t bytes = 2;
    if (value == ';')
        field[1] = ',';
    else if (value == '\r' || value == '\n' || value == '\t')
        field[1] = ' ';
    else if (value == '\\')
        field[1] = '/';
    else if (value < 0x80)
        field[1] = (char)value;
    else if (writer->ascii || (value >= 0xd800 && value < 0xe000))
        field[1] = '?';
    else if (value < 0x800) {
        field[1] = (char)(0xc0 | value >> 6);
        field[bytes++] = (char)(0x80 | (value & 0x3f));
    } else {
        field[1] = (char)(0xe0 | value >> 12);
        field[bytes++] = (char)(0x80 | (value >> 6 & 0x3f));
        field[bytes++] = (char)(0x80 | (value & 0x3f));
    }
    put_bytes(writer, field, bytes);
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Is there a byte among eight that may have to be replaced? Control characters, ';' and '\\'. */
static uint64_t suspicious(uint64_t eight, bool ascii)
{
    uint64_t separator = eight ^ EACH(';'), backslash = eight ^ EACH('\\');
    uint64_t found = ((eight - EACH(0x20)) & ~eight) | ((separator - EACH(1)) & ~separator) |
                     ((backslash - EACH(1)) & ~backslash);
    return (found | (ascii ? eight : 0)) & EACH(0x80);
}

static bool is_plain(const char *text, size_t bytes, bool ascii)
{
    uint64_t found = 0, eight;
    size_t at = 0;
    for (; at + 8 <= bytes; at += 8) {
        memcpy(&eight, text + at, 8);
        found |= suspicious(eight, ascii);
    }
    eight = EACH(' ');
    memcpy(&eight, text + at, bytes - at);
    return !(found | suspicious(eight, ascii));
}

/* Returns the bytes after replacement, and writes them unless `out` is NULL. */
static size_t replace(uint8_t *out, const char *text, size_t bytes, bool ascii)
{
    size_t count = 0, backslashes = 0;
    for (size_t i = 0; i <= bytes; i++) {
        unsigned char c = i < bytes ? (unsigned char)text[i] : 0;
        if (c != '\\' && backslashes % 2) {
            if (out)
                out[count] = '\\';
            count++;
        }
        backslashes = c == '\\' ? backslashes + 1 : 0;
        if (i == bytes || (ascii && c >= 0x80 && c < 0xc0)) /* the rest of a character that is one '?' */
            continue;
        if (out)
            out[count] = c == ';'                              ? ','
                         : c == '\r' || c == '\n' || c == '\t' ? ' '
                         : ascii && c >= 0x80                  ? '?'
                                                               : c;
        count++;
    }
    return count;
}

void kieker_text_put_string(struct kieker_writer *writer, const char *text)
{
    size_t bytes = text ? strlen(text) : 0;
    bool plain = !bytes || is_plain(text, bytes, writer->ascii);
    size_t written = plain ? bytes : replace(NULL, text, bytes, writer->ascii);
    uint8_t *at = kieker_writer_take(writer, 1 + written);
    if (!at)
        return;
    at[0] = ';';
    if (!plain)
        replace(at + 1, text, bytes, writer->ascii);
    else if (bytes)
        memcpy(at + 1, text, bytes);
}

bool kieker_text_put_array(struct kieker_writer *writer, const void *elements, const int32_t *lengths,
                           size_t length_count, size_t fixed, size_t *count)
{
    size_t outer = 1;
    if (!count_elements(elements, lengths, length_count, fixed, count))
        return kieker_writer_fail(writer, KIEKER_MALFORMED) != NULL;
    for (size_t i = 0; i < length_count; i++) {
        int32_t length = inner_length(lengths[i], outer);
        kieker_text_put_int(writer, length);
        outer = length != 0;
    }
    return !writer->failed;
}

/* --- reading ------------------------------------------------------------------------------------- */

const uint8_t *kieker_reader_fail(struct kieker_reader *reader, enum kieker_problem problem)
{
    if (!reader->failed)
        reader->failed = problem;
    return NULL;
}

/* Puts a length that was read to the others; false when it cannot be. */
static bool add_length(int32_t *lengths, size_t index, int32_t length, size_t *count)
{
    lengths[index] = inner_length(length, *count);
    return length >= 0 && multiply(count, (size_t)length);
}

const uint8_t *kieker_reader_array(struct kieker_reader *reader, int32_t *lengths, size_t length_count,
                                   size_t fixed, size_t element_bytes, size_t *count)
{
    *count = fixed;
    const uint8_t *at = kieker_reader_take(reader, 4 * length_count);
    if (!at)
        return NULL;
    for (size_t i = 0; i < length_count; i++)
        if (!add_length(lengths, i, (int32_t)kieker_get_32(at + 4 * i), count))
            return kieker_reader_fail(reader, KIEKER_MALFORMED);
    size_t bytes = *count;
    if (!multiply(&bytes, element_bytes))
        return kieker_reader_fail(reader, KIEKER_MALFORMED);
    return kieker_reader_take(reader, bytes);
}

static void *get_memory(struct kieker_reader *reader, size_t bytes, size_t alignment)
{
    struct kieker_memory *memory = reader->memory;
    void *piece = NULL;
    if (memory) {
        size_t padding = (0 - ((uintptr_t)memory->bytes + memory->used)) & (alignment - 1);
        size_t left = memory->capacity - memory->used;
        if (padding <= left && bytes <= left - padding) {
            piece = memory->bytes + memory->used + padding;
            memory->used += padding + bytes;
            return piece;
        }
        piece = memory->get ? memory->get(memory->user, bytes) : NULL;
    }
    if (!piece)
        kieker_reader_fail(reader, KIEKER_NO_MEMORY);
    return piece;
}

void *kieker_reader_memory(struct kieker_reader *reader, size_t count, size_t element_bytes)
{
    if (!count || reader->failed)
        return NULL;
    if (!multiply(&count, element_bytes)) {
        kieker_reader_fail(reader, KIEKER_NO_MEMORY);
        return NULL;
    }
    return get_memory(reader, count, 8);
}

bool kieker_get_kind(struct kieker_reader *reader, int32_t *kind)
{
    const uint8_t *at = kieker_reader_take(reader, 4);
    if (!at)
        return false;
    reader->position -= 4;
    *kind = (int32_t)kieker_get_32(at);
    return true;
}

bool kieker_get_head(struct kieker_reader *reader, int32_t *class_id, int64_t *logging_timestamp)
{
    const uint8_t *at = kieker_reader_take(reader, 12);
    if (!at)
        return false;
    *class_id = (int32_t)kieker_get_32(at);
    *logging_timestamp = (int64_t)kieker_get_64(at + 4);
    return true;
}

bool kieker_get_entry(struct kieker_reader *reader, int32_t *id, const char **text, size_t *bytes)
{
    size_t start = reader->position;
    const uint8_t *at = kieker_reader_take(reader, 12);
    if (!at)
        return false;
    int32_t length = (int32_t)kieker_get_32(at + 8);
    *id = (int32_t)kieker_get_32(at + 4);
    if (kieker_get_32(at) != UINT32_MAX || *id < 0 || length < 0)
        kieker_reader_fail(reader, KIEKER_MALFORMED);
    at = kieker_reader_take(reader, (size_t)length);
    *text = (const char *)at;
    *bytes = (size_t)length;
    return kieker_reader_end(reader, start);
}

/* --- reading text -------------------------------------------------------------------------------- */

/* The next field; NULL when there is none. A backslash takes the separator behind it into the field. */
static const char *next_field(struct kieker_reader *reader, size_t *bytes)
{
    const char *end = (const char *)reader->bytes + reader->size,
               *at = (const char *)reader->bytes + reader->position;
    *bytes = 0;
    if (reader->failed || at == end)
        return NULL;
    if (*at != ';') {
        kieker_reader_fail(reader, KIEKER_MALFORMED);
        return NULL;
    }
    const char *field = at + 1, *separator = at;
    for (;;) {
        separator = memchr(separator + 1, ';', (size_t)(end - separator - 1));
        if (!separator) {
            separator = end;
            break;
        }
        const char *before = separator;
        while (before > field && before[-1] == '\\')
            before--;
        if ((separator - before) % 2 == 0)
            break;
    }
    *bytes = (size_t)(separator - field);
    reader->position += *bytes + 1;
    return field;
}

/* Integers are read without looking for the end of their field first. */
static int64_t get_integer(struct kieker_reader *reader, int64_t least, int64_t most)
{
    const char *bytes = (const char *)reader->bytes, *end = bytes + reader->size,
               *at = bytes + reader->position;
    int64_t value = 0;
    if (!reader->failed && at < end && *at == ';') {
        const char *behind = kieker_scan_long(at + 1, end, least, most, &value);
        if (behind && (behind == end || *behind == ';')) {
            reader->position = (size_t)(behind - bytes);
            return value;
        }
    }
    kieker_reader_fail(reader, KIEKER_MALFORMED);
    return 0;
}

int8_t kieker_text_get_byte(struct kieker_reader *reader)
{
    return (int8_t)get_integer(reader, INT8_MIN, INT8_MAX);
}

int16_t kieker_text_get_short(struct kieker_reader *reader)
{
    return (int16_t)get_integer(reader, INT16_MIN, INT16_MAX);
}

int32_t kieker_text_get_int(struct kieker_reader *reader)
{
    return (int32_t)get_integer(reader, INT32_MIN, INT32_MAX);
}

int64_t kieker_text_get_long(struct kieker_reader *reader)
{
    return get_integer(reader, INT64_MIN, INT64_MAX);
}

bool kieker_text_get_head(struct kieker_reader *reader, int32_t *class_id, int64_t *logging_timestamp)
{
    size_t start = reader->position, left = reader->size - start, bytes;
    const char *at = (const char *)reader->bytes + start;
    const char *separator = left ? memchr(at, ';', left) : NULL;
    int64_t id = 0;
    if (reader->failed)
        return false;
    bytes = separator ? (size_t)(separator - at) : 0;
    if (bytes < 2 || at[0] != '$' || !kieker_parse_long(at + 1, bytes - 1, 0, INT32_MAX, &id))
        return kieker_reader_fail(reader, KIEKER_MALFORMED) != NULL;
    reader->position += bytes;
    *class_id = (int32_t)id;
    *logging_timestamp = kieker_text_get_long(reader);
    return kieker_reader_end(reader, start);
}

bool kieker_text_get_boolean(struct kieker_reader *reader)
{
    static const char truth[] = "true";
    size_t bytes;
    const char *field = next_field(reader, &bytes);
    if (!field)
        kieker_reader_fail(reader, KIEKER_MALFORMED);
    if (!field || bytes != 4)
        return false;
    for (size_t i = 0; i < 4; i++)
        if ((field[i] | 0x20) != truth[i])
            return false;
    return true;
}

/* The first character of a field. One beyond 16 bits is two units in Java; the first of them. */
uint16_t kieker_text_get_char(struct kieker_reader *reader)
{
    size_t bytes;
    const unsigned char *field = (const unsigned char *)next_field(reader, &bytes);
    if (!field || !bytes) {
        kieker_reader_fail(reader, KIEKER_MALFORMED);
        return 0;
    }
    if (field[0] >= 0xf0 && bytes >= 4) {
        uint32_t point =
            (field[0] & 7u) << 18 | (field[1] & 0x3fu) << 12 | (field[2] & 0x3fu) << 6 | (field[3] & 0x3fu);
        return (uint16_t)(0xd800 + ((point - 0x10000) >> 10));
    }
    if (field[0] >= 0xe0 && bytes >= 3)
        return (uint16_t)((field[0] & 0xfu) << 12 | (field[1] & 0x3fu) << 6 | (field[2] & 0x3fu));
    if (field[0] >= 0xc0 && bytes >= 2)
        return (uint16_t)((field[0] & 0x1fu) << 6 | (field[1] & 0x3fu));
    return field[0];
}

float kieker_text_get_float(struct kieker_reader *reader)
{
    size_t bytes;
    float value = 0;
    const char *field = next_field(reader, &bytes);
    if (!field || !kieker_parse_float(field, bytes, &value))
        kieker_reader_fail(reader, KIEKER_MALFORMED);
    return value;
}

double kieker_text_get_double(struct kieker_reader *reader)
{
    size_t bytes;
    double value = 0;
    const char *field = next_field(reader, &bytes);
    if (!field || !kieker_parse_double(field, bytes, &value))
        kieker_reader_fail(reader, KIEKER_MALFORMED);
    return value;
}

const char *kieker_text_get_string(struct kieker_reader *reader)
{
    size_t bytes;
    const char *field = next_field(reader, &bytes);
    if (!bytes)
        return "";
    char *text = get_memory(reader, bytes + 1, 1);
    if (!text)
        return "";
    memcpy(text, field, bytes);
    text[bytes] = 0;
    return text;
}

bool kieker_text_get_array(struct kieker_reader *reader, int32_t *lengths, size_t length_count, size_t fixed,
                           size_t *count)
{
    *count = fixed;
    for (size_t i = 0; i < length_count; i++)
        if (!add_length(lengths, i, (int32_t)get_integer(reader, 0, INT32_MAX), count))
            return kieker_reader_fail(reader, KIEKER_MALFORMED) != NULL;
    /* An element is a separator at least. */
    if (*count > reader->size - reader->position)
        kieker_reader_fail(reader, KIEKER_MALFORMED);
    return !reader->failed;
}

/* --- description --------------------------------------------------------------------------------- */

const struct kieker_record_type *kieker_record_find(const struct kieker_record_type *const *types,
                                                    size_t count, const char *java_class)
{
    size_t first = 0;
    while (first < count) {
        size_t middle = first + (count - first) / 2;
        int order = strcmp(java_class, types[middle]->java_class);
        if (!order)
            return types[middle];
        if (order > 0)
            first = middle + 1;
        else
            count = middle;
    }
    return NULL;
}

size_t kieker_kind_size(enum kieker_kind kind)
{
    static const uint8_t sizes[] = {[KIEKER_BOOLEAN] = sizeof(bool),
                                    [KIEKER_BYTE] = 1,
                                    [KIEKER_CHAR] = 2,
                                    [KIEKER_SHORT] = 2,
                                    [KIEKER_INT] = 4,
                                    [KIEKER_LONG] = 8,
                                    [KIEKER_FLOAT] = 4,
                                    [KIEKER_DOUBLE] = 8,
                                    [KIEKER_STRING] = sizeof(char *),
                                    [KIEKER_ENUM] = sizeof(enum kieker_kind)};
    return sizes[kind];
}

const void *kieker_field_elements(const struct kieker_field *field, const void *record, size_t *count)
{
    const char *place = (const char *)record + field->offset;
    bool dynamic = false;
    *count = 1;
    for (uint32_t i = 0; i < field->dimension_count; i++) {
        int32_t length = field->dimensions[i].length;
        if (!length) {
            memcpy(&length, (const char *)record + field->dimensions[i].size_offset, sizeof length);
            dynamic = true;
        }
        if (length < 0 || !multiply(count, (size_t)length))
            *count = 0;
    }
    if (!dynamic)
        return place;
    const void *elements;
    memcpy(&elements, place, sizeof(const void *));
    return elements;
}

/*
 * What generated records need: bounded writers and readers for Kieker's binary and text forms. No globals, no
 * memory but what the caller gives. C11 and C++11.
 *
 *     struct kieker_writer writer = {.bytes = buffer, .capacity = sizeof buffer};
 *     writer.string_id = kieker_registry_id;                  (kieker_registry.h, or a function of your own)
 *     writer.user = registry;
 *     kieker_put_head(&writer, class_id, logging_timestamp);
 *     kieker_..._before_operation_event_write_binary(&writer, &event);
 *
 * All functions that write or read return false, or a neutral value, once `failed` is set; it stays until the
 * caller clears it. A record that failed leaves `position` where the record began, so that the caller may
 * make room (KIEKER_FULL) or bring more bytes (KIEKER_INCOMPLETE) and call again.
 */
#ifndef KIEKER_RECORD_RUNTIME_H
#define KIEKER_RECORD_RUNTIME_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The value of KIEKER_VERSION in models. */
#ifndef KIEKER_VERSION
#define KIEKER_VERSION "2.0.3"
#endif

enum kieker_problem {
    KIEKER_GOOD = 0,
    KIEKER_FULL,          /* writer: no room */
    KIEKER_INCOMPLETE,    /* reader: the record goes on behind the bytes there are */
    KIEKER_MALFORMED,     /* no such record: a negative length, an ordinal without literal, no number */
    KIEKER_NO_MEMORY,     /* reader: the memory given is used up */
    KIEKER_UNKNOWN_STRING /* no id for a string (writer), no string for an id (reader) */
};

/* --- writing ------------------------------------------------------------------------------------- */

struct kieker_writer {
    uint8_t *bytes;
    size_t capacity, position;
    enum kieker_problem failed;
    /* Binary form: the id of a string (never NULL); negative when it gets none. What makes the string known
     * to the reader has to reach it before the record does, so it must not go through this writer. */
    int32_t (*string_id)(void *user, const char *text);
    void *user;
    bool ascii; /* text form: characters beyond ASCII become '?', as Kieker's text reader would garble them */
};

uint8_t *kieker_writer_fail(struct kieker_writer *writer, enum kieker_problem problem); /* NULL */

/* Room for `bytes`, which the caller fills; NULL when there is none. */
static inline uint8_t *kieker_writer_take(struct kieker_writer *writer, size_t bytes)
{
    uint8_t *at;
    if (writer->failed || bytes > writer->capacity - writer->position)
        return kieker_writer_fail(writer, KIEKER_FULL);
    at = writer->bytes + writer->position;
    writer->position += bytes;
    return at;
}

/* The end of a record that began at `start`: false, and back there, when it failed. */
static inline bool kieker_writer_end(struct kieker_writer *writer, size_t start)
{
    if (!writer->failed)
        return true;
    writer->position = start;
    return false;
}

/* The id of a string as it goes into the record; NULL stands for "". */
static inline uint32_t kieker_writer_string(struct kieker_writer *writer, const char *text)
{
    int32_t id = writer->string_id ? writer->string_id(writer->user, text ? text : "") : -1;
    if (id < 0)
        kieker_writer_fail(writer, KIEKER_UNKNOWN_STRING);
    return (uint32_t)id;
}

static inline uint32_t kieker_writer_ordinal(struct kieker_writer *writer, uint32_t ordinal, uint32_t count)
{
    if (ordinal >= count)
        kieker_writer_fail(writer, KIEKER_MALFORMED);
    return ordinal;
}

/* Begins an array: the lengths of its dynamic dimensions, and room for the elements; `fixed` is the product
 * of the other dimensions. NULL when that failed, or when there is anything at `lengths` or `elements` that
 * cannot be. */
uint8_t *kieker_writer_array(struct kieker_writer *writer, const void *elements, const int32_t *lengths,
                             size_t length_count, size_t fixed, size_t element_bytes, size_t *count);

/* Big endian */
static inline void kieker_put_8(uint8_t *at, uint8_t value)
{
    at[0] = value;
}

static inline void kieker_put_16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void kieker_put_32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

static inline void kieker_put_64(uint8_t *at, uint64_t value)
{
    at[0] = (uint8_t)(value >> 56);
    at[1] = (uint8_t)(value >> 48);
    at[2] = (uint8_t)(value >> 40);
    at[3] = (uint8_t)(value >> 32);
    at[4] = (uint8_t)(value >> 24);
    at[5] = (uint8_t)(value >> 16);
    at[6] = (uint8_t)(value >> 8);
    at[7] = (uint8_t)value;
}

static inline uint32_t kieker_float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline uint64_t kieker_double_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* What stands before the values of a record, and what makes a string known in a stream. `bytes` is less than
 * 2^31. */
bool kieker_put_head(struct kieker_writer *writer, int32_t class_id, int64_t logging_timestamp);
bool kieker_put_entry(struct kieker_writer *writer, int32_t id, const char *text, size_t bytes);

/* The same in text: "$id;timestamp", a line's end, and a line of the map file. */
bool kieker_text_put_head(struct kieker_writer *writer, int32_t class_id, int64_t logging_timestamp);
bool kieker_text_put_end(struct kieker_writer *writer);
bool kieker_text_put_map(struct kieker_writer *writer, int32_t id, const char *text);

/* One field of the text form each, with the separator before it. Strings: what the form cannot carry is
 * replaced:
 * ';' by ',', line ends and tabs by a blank; an odd number of backslashes in a row gets one more, since the
 * last would take the separator with it. */
void kieker_text_put_boolean(struct kieker_writer *writer, bool value);
void kieker_text_put_char(struct kieker_writer *writer, uint16_t value);
void kieker_text_put_int(struct kieker_writer *writer, int32_t value);
void kieker_text_put_long(struct kieker_writer *writer, int64_t value);
void kieker_text_put_float(struct kieker_writer *writer, float value);
void kieker_text_put_double(struct kieker_writer *writer, double value);
void kieker_text_put_string(struct kieker_writer *writer, const char *text);
/* The lengths; the elements follow one by one. False when it failed. */
bool kieker_text_put_array(struct kieker_writer *writer, const void *elements, const int32_t *lengths,
                           size_t length_count, size_t fixed, size_t *count);

/* --- reading ------------------------------------------------------------------------------------- */

/* Memory for arrays and strings: `bytes` first, then what `get` gives (aligned for any type). */
struct kieker_memory {
    uint8_t *bytes;
    size_t capacity, used;
    void *(*get)(void *user, size_t bytes); /* NULL: no more */
    void *user;
};

struct kieker_reader {
    const uint8_t *bytes; /* text form: of one line, without its end */
    size_t size, position;
    enum kieker_problem failed;
    struct kieker_memory *memory; /* may be NULL for binary records without arrays */
    /* Binary form: the string of an id, valid as long as the caller needs it; NULL when there is none. */
    const char *(*string)(void *user, int32_t id);
    void *user;
};

const uint8_t *kieker_reader_fail(struct kieker_reader *reader, enum kieker_problem problem); /* NULL */

static inline const uint8_t *kieker_reader_take(struct kieker_reader *reader, size_t bytes)
{
    const uint8_t *at;
    if (reader->failed || bytes > reader->size - reader->position)
        return kieker_reader_fail(reader, KIEKER_INCOMPLETE);
    at = reader->bytes + reader->position;
    reader->position += bytes;
    return at;
}

static inline bool kieker_reader_end(struct kieker_reader *reader, size_t start)
{
    if (!reader->failed)
        return true;
    reader->position = start;
    return false;
}

static inline const char *kieker_reader_string(struct kieker_reader *reader, uint32_t id)
{
    const char *text = reader->string ? reader->string(reader->user, (int32_t)id) : NULL;
    if (!text)
        kieker_reader_fail(reader, KIEKER_UNKNOWN_STRING);
    return text;
}

/* An ordinal that has a literal; 0 when it failed. */
static inline uint32_t kieker_reader_ordinal(struct kieker_reader *reader, uint32_t ordinal, uint32_t count)
{
    if (ordinal < count)
        return ordinal;
    kieker_reader_fail(reader, KIEKER_MALFORMED);
    return 0;
}

/* The counterpart of kieker_writer_array: the bytes of all elements, which are there. */
const uint8_t *kieker_reader_array(struct kieker_reader *reader, int32_t *lengths, size_t length_count,
                                   size_t fixed, size_t element_bytes, size_t *count);
/* Memory for elements; NULL for none, and when it failed. */
void *kieker_reader_memory(struct kieker_reader *reader, size_t count, size_t element_bytes);

static inline uint8_t kieker_get_8(const uint8_t *at)
{
    return at[0];
}

static inline uint16_t kieker_get_16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t kieker_get_32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline uint64_t kieker_get_64(const uint8_t *at)
{
    return (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 | (uint64_t)at[3] << 32 |
           (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 | (uint64_t)at[6] << 8 | at[7];
}

static inline float kieker_float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline double kieker_double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The int32 that says what comes: a class id, or -1 before an entry of the registry. Does not move on. */
bool kieker_get_kind(struct kieker_reader *reader, int32_t *kind);
bool kieker_get_head(struct kieker_reader *reader, int32_t *class_id, int64_t *logging_timestamp);
/* `text` points into the reader's bytes. */
bool kieker_get_entry(struct kieker_reader *reader, int32_t *id, const char **text, size_t *bytes);
bool kieker_text_get_head(struct kieker_reader *reader, int32_t *class_id, int64_t *logging_timestamp);

/* One field each, as Java's parsers would take it. Fields behind the last one of the line: strings are "",
 * others fail. */
bool kieker_text_get_boolean(struct kieker_reader *reader);
uint16_t kieker_text_get_char(struct kieker_reader *reader);
int8_t kieker_text_get_byte(struct kieker_reader *reader);
int16_t kieker_text_get_short(struct kieker_reader *reader);
int32_t kieker_text_get_int(struct kieker_reader *reader);
int64_t kieker_text_get_long(struct kieker_reader *reader);
float kieker_text_get_float(struct kieker_reader *reader);
double kieker_text_get_double(struct kieker_reader *reader);
const char *kieker_text_get_string(struct kieker_reader *reader);
bool kieker_text_get_array(struct kieker_reader *reader, int32_t *lengths, size_t length_count, size_t fixed,
                           size_t *count);

/* --- numbers in text ----------------------------------------------------------------------------- */

#define KIEKER_NUMBER_BYTES 28

/* As Java's Double.toString and Float.toString write them: the fewest digits that read back as the same
 * value. Return the bytes written, at most KIEKER_NUMBER_BYTES, without a NUL. */
size_t kieker_format_long(char *out, int64_t value);
size_t kieker_format_double(char *out, double value);
size_t kieker_format_float(char *out, float value);

/* What Double.parseDouble and Float.parseFloat take, but for numbers in hexadecimal: blanks around, a sign,
 * NaN, Infinity, digits with point and exponent, a suffix f, F, d or D. False for anything else. */
bool kieker_parse_long(const char *text, size_t bytes, int64_t least, int64_t most, int64_t *value);
bool kieker_parse_double(const char *text, size_t bytes, double *value);
bool kieker_parse_float(const char *text, size_t bytes, float *value);

/* The integer that begins at `at`, as Long.parseLong takes it; returns what is behind it, or NULL. */
const char *kieker_scan_long(const char *at, const char *end, int64_t least, int64_t most, int64_t *value);

/* --- description of records ---------------------------------------------------------------------- */

enum kieker_kind {
    KIEKER_BOOLEAN, /* bool */
    KIEKER_BYTE,    /* int8_t */
    KIEKER_CHAR,    /* uint16_t */
    KIEKER_SHORT,   /* int16_t */
    KIEKER_INT,     /* int32_t */
    KIEKER_LONG,    /* int64_t */
    KIEKER_FLOAT,
    KIEKER_DOUBLE,
    KIEKER_STRING, /* const char * */
    KIEKER_ENUM    /* a C enum; its value is the ordinal */
};

struct kieker_enum {
    const char *java_class;
    uint32_t count;
    const char *const *names; /* by ordinal */
    const int64_t *values;    /* as declared */
};

struct kieker_dimension {
    int32_t length;       /* of a fixed one; 0: dynamic */
    uint32_t size_offset; /* of a dynamic one: where the record has its length, an int32_t */
};

/* Arrays with fixed dimensions only lie in the record; others behind a pointer in it, row by row. */
struct kieker_field {
    const char *name; /* as in the model */
    enum kieker_kind kind;
    const struct kieker_enum *enumeration; /* of KIEKER_ENUM */
    uint32_t offset;
    uint32_t dimension_count;
    const struct kieker_dimension *dimensions;
};

struct kieker_record_type {
    const char *java_class;
    size_t min_size;    /* the fewest bytes of the values in binary form */
    size_t struct_size; /* sizeof */
    size_t field_count;
    const struct kieker_field *fields; /* those that travel, in their order */
    void (*init)(void *record);
    bool (*write_binary)(struct kieker_writer *writer, const void *record);
    bool (*read_binary)(struct kieker_reader *reader, void *record);
    bool (*write_text)(struct kieker_writer *writer, const void *record);
    bool (*read_text)(struct kieker_reader *reader, void *record);
};

/* Of a table in order of class names (as `--index` makes it); NULL when there is none. */
const struct kieker_record_type *kieker_record_find(const struct kieker_record_type *const *types,
                                                    size_t count, const char *java_class);
/* Bytes of one element in a C struct. */
size_t kieker_kind_size(enum kieker_kind kind);
/* The elements of a field (one, when it is no array) and their number. */
const void *kieker_field_elements(const struct kieker_field *field, const void *record, size_t *count);

#ifdef __cplusplus
}
#endif

#endif

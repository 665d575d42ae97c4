/*
 * Generated C records travel: one party of roundtrip.py. Linked with the generated code and the table of its
 * records
 * (--index records).
 *
 *   driver write VALUES BINARY TEXT MAP    reads VALUES, writes all three
 *   driver read-binary BINARY              prints VALUES
 *   driver read-text TEXT MAP              prints VALUES
 *
 * VALUES: a record a line: class, logging timestamp, then the values that travel: integers and chars decimal,
 * booleans 0 or 1, floats and doubles the bits in hexadecimal, strings `s` and their UTF-8 in hexadecimal,
 * enums their ordinal; before the elements of an array `[n,m]`, its lengths.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "records.h"

#define ROOM (32 << 20)

static _Noreturn void stop(const char *what, const char *which)
{
    fprintf(stderr, "driver: %s: %s\n", what, which);
    exit(1);
}

static void *get(size_t bytes)
{
    void *memory = malloc(bytes ? bytes : 1);
    if (!memory)
        stop("no memory", "");
    return memory;
}

static FILE *open_file(const char *name, const char *mode)
{
    FILE *file = fopen(name, mode);
    if (!file)
        stop("cannot open", name);
    return file;
}

static const struct kieker_record_type *find(const char *java_class)
{
    const struct kieker_record_type *type = java_class ? records_find(java_class) : NULL;
    if (!type)
        stop("unknown class", java_class ? java_class : "(not registered)");
    return type;
}

/* Memory for one record, given back as a whole. */
static struct kieker_memory memory;

static void *piece(size_t bytes)
{
    size_t start = (memory.used + 15) / 16 * 16;
    if (bytes > memory.capacity - start)
        stop("record too large", "");
    memory.used = start + bytes;
    return memory.bytes + start;
}

/* --- from tokens --------------------------------------------------------------------------------- */

static char *next_token(char **line)
{
    char *token = strsep(line, " ");
    if (!token)
        stop("too few tokens", "");
    return token;
}

static const char *parse_string(const char *token)
{
    size_t bytes = strlen(token + 1) / 2;
    char *text = piece(bytes + 1);
    unsigned byte;
    for (size_t i = 0; i < bytes && sscanf(token + 1 + 2 * i, "%2x", &byte) == 1; i++)
        text[i] = (char)byte;
    text[bytes] = 0;
    return text;
}

#define STORE(place, type, value)                                                                            \
    do {                                                                                                     \
        type stored = (type)(value);                                                                         \
        memcpy((place), &stored, sizeof stored);                                                             \
    } while (0)

static void parse_element(enum kieker_kind kind, char *place, const char *token)
{
    switch (kind) {
    case KIEKER_BOOLEAN:
        STORE(place, bool, token[0] == '1');
        break;
    case KIEKER_BYTE:
        STORE(place, int8_t, strtol(token, NULL, 10));
        break;
    case KIEKER_CHAR:
        STORE(place, uint16_t, strtol(token, NULL, 10));
        break;
    case KIEKER_SHORT:
        STORE(place, int16_t, strtol(token, NULL, 10));
        break;
    case KIEKER_INT:
    case KIEKER_ENUM:
        STORE(place, int32_t, strtol(token, NULL, 10));
        break;
    case KIEKER_LONG:
        STORE(place, int64_t, strtoll(token, NULL, 10));
        break;
    case KIEKER_FLOAT:
        STORE(place, uint32_t, strtoul(token, NULL, 16));
        break;
    case KIEKER_DOUBLE:
        STORE(place, uint64_t, strtoull(token, NULL, 16));
        break;
    case KIEKER_STRING:
        STORE(place, const char *, parse_string(token));
        break;
    }
}

/* Reads "[n,m]"; returns the number of elements. */
static size_t parse_lengths(const struct kieker_field *field, char *record, char *token, bool *dynamic)
{
    size_t count = 1;
    token++;
    for (uint32_t i = 0; i < field->dimension_count; i++, token++) {
        const struct kieker_dimension *dimension = &field->dimensions[i];
        int32_t length = (int32_t)strtol(token, &token, 10);
        count *= (size_t)length;
        if (dimension->length && dimension->length != length)
            stop("wrong length", field->name);
        if (!dimension->length) {
            STORE(record + dimension->size_offset, int32_t, length);
            *dynamic = true;
        }
    }
    return count;
}

static void parse_field(const struct kieker_field *field, char *record, char **line)
{
    char *elements = record + field->offset;
    size_t count = 1, bytes = kieker_kind_size(field->kind);
    bool dynamic = false;
    if (field->dimension_count)
        count = parse_lengths(field, record, next_token(line), &dynamic);
    if (dynamic) {
        elements = count ? piece(count * bytes) : NULL;
        memcpy(record + field->offset, &elements, sizeof elements);
    }
    for (size_t i = 0; i < count; i++)
        parse_element(field->kind, elements + i * bytes, next_token(line));
}

/* --- to tokens ----------------------------------------------------------------------------------- */

#define LOAD(type, place) (*(const type *)(const void *)(place))

static void print_element(enum kieker_kind kind, const char *place)
{
    uint32_t bits;
    uint64_t long_bits;
    switch (kind) {
    case KIEKER_BOOLEAN:
        printf(" %d", LOAD(bool, place));
        break;
    case KIEKER_BYTE:
        printf(" %d", LOAD(int8_t, place));
        break;
    case KIEKER_CHAR:
        printf(" %u", LOAD(uint16_t, place));
        break;
    case KIEKER_SHORT:
        printf(" %d", LOAD(int16_t, place));
        break;
    case KIEKER_INT:
    case KIEKER_ENUM:
        printf(" %" PRId32, LOAD(int32_t, place));
        break;
    case KIEKER_LONG:
        printf(" %" PRId64, LOAD(int64_t, place));
        break;
    case KIEKER_FLOAT:
        bits = kieker_float_bits(LOAD(float, place));
        printf(" %08" PRIx32, isnan(LOAD(float, place)) ? 0x7fc00000 : bits);
        break;
    case KIEKER_DOUBLE:
        long_bits = kieker_double_bits(LOAD(double, place));
        printf(" %016" PRIx64, isnan(LOAD(double, place)) ? UINT64_C(0x7ff8000000000000) : long_bits);
        break;
    case KIEKER_STRING:
        fputs(" s", stdout);
        for (const char *at = LOAD(const char *, place); *at; at++)
            printf("%02x", (unsigned char)*at);
        break;
    }
}

static void print_record(const struct kieker_record_type *type, int64_t timestamp, const char *record)
{
    printf("%s %" PRId64, type->java_class, timestamp);
    for (size_t i = 0; i < type->field_count; i++) {
        const struct kieker_field *field = &type->fields[i];
        size_t count;
        const char *elements = kieker_field_elements(field, record, &count);
        for (uint32_t at = 0; at < field->dimension_count; at++) {
            const struct kieker_dimension *dimension = &field->dimensions[at];
            int32_t length =
                dimension->length ? dimension->length : LOAD(int32_t, record + dimension->size_offset);
            printf("%s%" PRId32 "%s", at ? "," : " [", length, at + 1 == field->dimension_count ? "]" : "");
        }
        for (size_t at = 0; at < count; at++)
            print_element(field->kind, elements + at * kieker_kind_size(field->kind));
    }
    putchar('\n');
}

/* --- the three ways ------------------------------------------------------------------------------ */

static void flush(struct kieker_writer *writer, FILE *file)
{
    if (writer->failed || fwrite(writer->bytes, 1, writer->position, file) != writer->position)
        stop("cannot write", "");
    writer->position = 0;
}

static void write_binary(const struct kieker_record_type *type, int64_t timestamp, const char *record,
                         struct kieker_writer *writer, FILE *file)
{
    int32_t known = kieker_registry_count(writer->user);
    kieker_put_head(writer, kieker_registry_id(writer->user, type->java_class), timestamp);
    type->write_binary(writer, record);
    size_t bytes = writer->position;
    /* What the record needs goes out before it does. */
    struct kieker_writer entries = {.bytes = writer->bytes + bytes, .capacity = writer->capacity - bytes};
    for (; known < kieker_registry_count(writer->user); known++) {
        const char *text = kieker_registry_text(writer->user, known);
        kieker_put_entry(&entries, known, text, strlen(text));
    }
    flush(&entries, file);
    flush(writer, file);
}

static void write_text(const struct kieker_record_type *type, int64_t timestamp, const char *record,
                       struct kieker_writer *writer, FILE *file, FILE *map)
{
    int32_t known = kieker_registry_count(writer->user);
    int32_t id = kieker_registry_id(writer->user, type->java_class);
    if (id == known) {
        kieker_text_put_map(writer, id, type->java_class);
        flush(writer, map);
    }
    kieker_text_put_head(writer, id, timestamp);
    type->write_text(writer, record);
    kieker_text_put_end(writer);
    flush(writer, file);
}

static void write_all(char **names)
{
    FILE *values = open_file(names[0], "r"), *binary = open_file(names[1], "wb"),
         *text = open_file(names[2], "wb"), *map = open_file(names[3], "wb");
    struct kieker_writer writer = {.bytes = get(ROOM), .capacity = ROOM, .string_id = kieker_registry_id};
    struct kieker_writer text_writer = writer;
    writer.user = kieker_registry_create(0);
    text_writer.user = kieker_registry_create(0);
    char *line = NULL;
    size_t room = 0;
    for (ssize_t bytes; (bytes = getline(&line, &room, values)) > 0; memory.used = 0) {
        char *rest = line;
        line[bytes - (line[bytes - 1] == '\n')] = 0;
        const struct kieker_record_type *type = find(next_token(&rest));
        int64_t timestamp = strtoll(next_token(&rest), NULL, 10);
        char *record = piece(type->struct_size);
        type->init(record);
        for (size_t i = 0; i < type->field_count; i++)
            parse_field(&type->fields[i], record, &rest);
        if (rest)
            stop("too many tokens", rest);
        write_binary(type, timestamp, record, &writer, binary);
        write_text(type, timestamp, record, &text_writer, text, map);
    }
    if (fclose(binary) || fclose(text) || fclose(map))
        stop("cannot write", names[1]);
    kieker_registry_destroy(writer.user);
    kieker_registry_destroy(text_writer.user);
    free(writer.bytes);
    free(line);
    fclose(values);
}

static uint8_t *read_file(const char *name, size_t *bytes)
{
    FILE *file = open_file(name, "rb");
    fseek(file, 0, SEEK_END);
    *bytes = (size_t)ftell(file);
    rewind(file);
    uint8_t *content = get(*bytes);
    if (fread(content, 1, *bytes, file) != *bytes)
        stop("cannot read", name);
    fclose(file);
    return content;
}

static void read_binary(const char *name)
{
    struct kieker_registry *registry = kieker_registry_create(0);
    struct kieker_reader reader = {.memory = &memory, .string = kieker_registry_text, .user = registry};
    uint8_t *content = read_file(name, &reader.size);
    reader.bytes = content;
    for (; reader.position < reader.size && !reader.failed; memory.used = 0) {
        int32_t kind, id;
        int64_t timestamp;
        const char *text;
        size_t bytes;
        if (kieker_get_kind(&reader, &kind) && kind == -1) {
            if (kieker_get_entry(&reader, &id, &text, &bytes))
                kieker_registry_put(registry, id, text, bytes);
        } else if (kieker_get_head(&reader, &id, &timestamp)) {
            const struct kieker_record_type *type = find(kieker_registry_text(registry, id));
            char *record = piece(type->struct_size);
            if (type->read_binary(&reader, record))
                print_record(type, timestamp, record);
        }
    }
    if (reader.failed)
        stop("malformed", name);
    kieker_registry_destroy(registry);
    free(content);
}

static void read_map(struct kieker_registry *registry, const char *name)
{
    FILE *file = open_file(name, "r");
    char *line = NULL;
    size_t room = 0;
    for (ssize_t bytes; (bytes = getline(&line, &room, file)) > 0;) {
        char *equals = strchr(line, '=');
        line[bytes - (line[bytes - 1] == '\n')] = 0;
        if (line[0] != '$' || !equals)
            stop("malformed", name);
        kieker_registry_put(registry, (int32_t)strtol(line + 1, NULL, 10), equals + 1, strlen(equals + 1));
    }
    free(line);
    fclose(file);
}

static void read_text(const char *name, const char *map)
{
    struct kieker_registry *registry = kieker_registry_create(0);
    size_t bytes;
    uint8_t *content = read_file(name, &bytes);
    read_map(registry, map);
    for (uint8_t *line = content, *end; line < content + bytes; line = end + 1, memory.used = 0) {
        int32_t id;
        int64_t timestamp;
        end = memchr(line, '\n', (size_t)(content + bytes - line));
        if (!end)
            stop("a line without end", name);
        struct kieker_reader reader = {.bytes = line, .size = (size_t)(end - line), .memory = &memory};
        if (!kieker_text_get_head(&reader, &id, &timestamp))
            stop("malformed", name);
        const struct kieker_record_type *type = find(kieker_registry_text(registry, id));
        char *record = piece(type->struct_size);
        if (!type->read_text(&reader, record) || reader.position != reader.size)
            stop("malformed record", type->java_class);
        print_record(type, timestamp, record);
    }
    kieker_registry_destroy(registry);
    free(content);
}

int main(int argc, char **argv)
{
    memory = (struct kieker_memory){.bytes = get(ROOM), .capacity = ROOM};
    if (argc == 6 && !strcmp(argv[1], "write"))
        write_all(argv + 2);
    else if (argc == 3 && !strcmp(argv[1], "read-binary"))
        read_binary(argv[2]);
    else if (argc == 4 && !strcmp(argv[1], "read-text"))
        read_text(argv[2], argv[3]);
    else
        stop("usage", "driver write VALUES BINARY TEXT MAP | read-binary BINARY | read-text TEXT MAP");
    free(memory.bytes);
    return 0;
}

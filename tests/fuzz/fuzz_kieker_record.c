/*
 * Any bytes as a record of every type there is, in both forms. What is read is written, read and written
 * again: both times the same bytes. The first byte of the input says how the others are meant: as a record,
 * or as changes of one that is right; the second one chooses the type.
 */
#include <stdlib.h>
#include <string.h>

#include "every.h"
#include "kp_kieker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* assert() is for other builds than those that measure. */
static void insist(bool truth)
{
    if (!truth)
        abort();
}

enum { TEXT = 1, CHANGES = 2, MEMORY = 1 << 20 };

static const char *const strings[] = {"", "void app.Main.run()", "a;b\\", "\xc3\xa9"};

static const char *string_of(void *user, int32_t id)
{
    (void)user;
    return id >= 0 && id < 4 ? strings[id] : NULL;
}

static int32_t id_of(void *user, const char *text)
{
    int32_t id = 3;
    (void)user;
    while (id > 0 && strcmp(text, strings[id]) != 0)
        id--;
    return id;
}

static bool read_record(const struct kieker_record_type *type, bool text, struct kieker_reader *reader,
                        void *record)
{
    size_t start = reader->position;
    bool good = text ? type->read_text(reader, record) : type->read_binary(reader, record);
    insist(good == !reader->failed && reader->position <= reader->size &&
           (good || reader->position == start));
    return good;
}

static size_t write_record(const struct kieker_record_type *type, bool text, const void *record, uint8_t *out)
{
    struct kieker_writer writer = {.capacity = 4 * MEMORY, .string_id = id_of};
    writer.bytes = out;
    bool good = text ? type->write_text(&writer, record) : type->write_binary(&writer, record);
    insist(good);
    return writer.position;
}

static void try_record(const struct kieker_record_type *type, bool text, const uint8_t *data, size_t bytes)
{
    static uint8_t memory_bytes[MEMORY], again_bytes[4 * MEMORY], first[4 * MEMORY], second[4 * MEMORY];
    struct kieker_memory memory = {.bytes = memory_bytes, .capacity = sizeof memory_bytes};
    struct kieker_memory again = {.bytes = again_bytes, .capacity = sizeof again_bytes};
    /* A copy that ends where its memory does, so that a byte too many is seen. */
    uint8_t *copy = malloc(bytes ? bytes : 1);
    void *record = malloc(type->struct_size), *other = malloc(type->struct_size);
    if (bytes)
        memcpy(copy, data, bytes);
    struct kieker_reader reader = {.bytes = copy, .size = bytes, .memory = &memory, .string = string_of};
    if (read_record(type, text, &reader, record)) {
        size_t size = write_record(type, text, record, first);
        struct kieker_reader second_reader = {
            .bytes = first, .size = size, .memory = &again, .string = string_of};
        bool good = read_record(type, text, &second_reader, other);
        insist(good && second_reader.position == size);
        /* Strings may be replaced once, not twice. */
        insist(write_record(type, text, other, second) == size && !memcmp(first, second, size));
    }
    free(copy);
    free(record);
    free(other);
}

/* A record with default values, changed at some places. */
static void try_changes(const struct kieker_record_type *type, bool text, const uint8_t *data, size_t bytes)
{
    static uint8_t out[4 * MEMORY];
    void *record = malloc(type->struct_size);
    type->init(record);
    size_t size = write_record(type, text, record, out);
    for (size_t i = 0; size && i + 1 < bytes && i < 16; i += 2)
        out[data[i] % size] = data[i + 1];
    try_record(type, text, out, size);
    free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes < 2)
        return 0;
    size_t choice = data[1] % (KP_KIEKER_COUNT + EVERY_COUNT);
    const struct kieker_record_type *type =
        choice < KP_KIEKER_COUNT ? kp_kieker[choice] : every[choice - KP_KIEKER_COUNT];
    if (data[0] & CHANGES)
        try_changes(type, data[0] & TEXT, data + 2, bytes - 2);
    else
        try_record(type, data[0] & TEXT, data + 2, bytes - 2);
    return 0;
}

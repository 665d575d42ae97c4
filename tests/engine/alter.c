/*
 * Part of a library like libkprobe.so whose knowledge of CPython is wrong where KP_ALTER says: words
 * FIELD=VALUE, separated by blanks. A field of more than one element has an index: opcodes.5, defined.2. The
 * row of every version is altered.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "python/cpython_opcode.h"

static const struct field {
    const char *name;
    size_t offset, element_bytes, elements;
} fields[] = {
#define FIELD(member, type)                                                                                  \
    {#member, offsetof(struct kp_opcode_row, member), sizeof(type),                                          \
     sizeof(((struct kp_opcode_row *)0)->member) / sizeof(type)},
    FIELD(defined, uint64_t) FIELD(opcodes, uint8_t) FIELD(thread_cframe, uint16_t)
        FIELD(thread_chunk, uint16_t) FIELD(thread_tracing, uint16_t) FIELD(current_frame, uint16_t)
            FIELD(frame_code, uint16_t) FIELD(frame_previous, uint16_t) FIELD(frame_globals, uint16_t)
                FIELD(frame_instruction, uint16_t) FIELD(frame_owner, uint16_t) FIELD(code_adaptive, uint16_t)
                    FIELD(code_cells, uint16_t) FIELD(code_free, uint16_t) FIELD(debug_version, uint16_t)
                        FIELD(debug_thread, uint16_t)
#undef FIELD
};

static const struct field *find(const char *name, size_t bytes)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strlen(fields[i].name) == bytes && strncmp(fields[i].name, name, bytes) == 0)
            return &fields[i];
    return NULL;
}

static void refuse(const char *word)
{
    fprintf(stderr, "KP_ALTER: no such field: %s\n", word);
    abort();
}

static void alter(char *word)
{
    char *value = strchr(word, '='), *index = strchr(word, '.');
    const struct field *field;
    uint64_t number;
    size_t at;

    if (!value)
        refuse(word);
    field = find(word, (size_t)((index ? index : value) - word));
    at = index ? strtoul(index + 1, NULL, 10) : 0;
    if (!field || at >= field->elements)
        refuse(word);
    number = strtoull(value + 1, NULL, 0);
    for (size_t i = 0; i < KP_OPCODE_ROWS; i++)
        memcpy((char *)&kp_opcode_rows[i] + field->offset + at * field->element_bytes, &number,
               field->element_bytes);
}

__attribute__((constructor)) static void start(void)
{
    const char *wish = getenv("KP_ALTER");
    char *words = wish ? strdup(wish) : NULL, *rest = words;

    for (char *word; rest && (word = strsep(&rest, " "));)
        if (*word)
            alter(word);
    free(words);
}

#include "opcode_caught.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "activations.h"
#include "cpython_opcode.h"

/* PyBytesObject: ob_size, ob_sval (Include/cpython/bytesobject.h). */
#define BYTES_SIZE 16
#define BYTES_DATA 32

/* PyCodeObject.ob_size: code units, 3.11 to 3.14. */
#define CODE_UNITS 16

/* A handler that only cleans up and raises again is a few instructions without caches. */
#define CLEANUP_MAX 32

/* A handler in between raises again; no more than the compiler nests around one instruction. */
#define HANDLERS_MAX 16

/* A row of the exception table (Objects/exception_handling_notes.txt); offsets in code units. */
struct row {
    size_t start, count, handler;
    size_t level; /* of the stack below the exception */
};

static const uint8_t *get(const uint8_t *at, const uint8_t *end, size_t *value)
{
    uint8_t byte = 0x40;

    *value = 0;
    while (at < end && (byte & 0x40)) {
        byte = *at++;
        *value = *value << 6 | (byte & 0x3f);
    }
    return at;
}

static const uint8_t *get_row(const uint8_t *at, const uint8_t *end, struct row *row)
{
    size_t level;

    at = get(at, end, &row->start);
    at = get(at, end, &row->count);
    at = get(at, end, &row->handler);
    at = get(at, end, &level);
    /* The low bit: the place of the instruction that raised is pushed, too. */
    row->level = (level >> 1) + (level & 1);
    return at;
}

static bool find_row(void *code, size_t place, struct row *row)
{
    char *table = KP_FIELD(char *, code, kp_opcode_row.code_exceptions);
    const uint8_t *at = (uint8_t *)table + BYTES_DATA, *end = at + KP_FIELD(size_t, table, BYTES_SIZE);

    while (at < end) {
        at = get_row(at, end, row);
        if (place - row->start < row->count)
            return true;
    }
    return false;
}

static bool is_handler(uint8_t opcode)
{
    for (unsigned i = 0; i < K_SLOTS; i++)
        if (opcode && kp_opcode_row.opcodes[K_HANDLER][i] == opcode)
            return true;
    return false;
}

/* Code at `place` that cleans up: moves on to where it raises again. */
static bool find_reraise(const uint16_t *units, size_t count, size_t *place)
{
    for (size_t end = *place + CLEANUP_MAX; *place < end && *place < count; ++*place) {
        uint8_t opcode = units[*place] & 0xff;

        if (opcode == kp_opcode_row.reraise)
            return true;
        if (kp_opcode_row.instrumented && opcode >= kp_opcode_row.instrumented)
            return false;
    }
    return false;
}

const void *kp_opcode_caught(void *frame)
{
    void *code = kp_opcode_code(frame);
    const uint16_t *units = (const uint16_t *)(void *)((char *)code + kp_opcode_row.code_adaptive);
    size_t place = (size_t)(KP_FIELD(const uint16_t *, frame, kp_opcode_row.frame_instruction) - units);
    struct row row;

    for (int i = 0; i < HANDLERS_MAX && find_row(code, place, &row); i++) {
        place = row.handler;
        if (is_handler(units[place] & 0xff)) {
            size_t at = (size_t)KP_FIELD(int, code, kp_opcode_row.code_locals) + row.level;

            return (void *)(KP_FIELD(uintptr_t, frame, kp_opcode_row.frame_locals + at * sizeof(void *)) &
                            ~(uintptr_t)3);
        }
        if (!find_reraise(units, KP_FIELD(size_t, code, CODE_UNITS), &place))
            return NULL;
    }
    return NULL;
}

#include "arguments.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/escape.h"
#include "util/memory.h"

enum { VALUE_BYTES = 16, INTEGER_REGISTERS = 6, VECTOR_REGISTERS = 8 };

#define ENTRY_IDS                                                                                            \
    (1u << KP_VALUES_RDI_RSI | 1u << KP_VALUES_RDX_RCX | 1u << KP_VALUES_R8_R9 | 1u << KP_VALUES_XMM0_XMM1 | \
     1u << KP_VALUES_XMM2_XMM3 | 1u << KP_VALUES_XMM4_XMM5 | 1u << KP_VALUES_XMM6_XMM7)
#define EXIT_IDS (1u << KP_VALUES_RAX_RDX | 1u << KP_VALUES_XMM0_XMM1_RESULT | 1u << KP_VALUES_ST0)

/* --- one value --- */

/* The low `bytes` bytes at `from`, not extended. */
static uint64_t unsigned_at(const uint8_t *from, unsigned bytes)
{
    uint64_t value = 0;
    memcpy(&value, from, bytes < sizeof value ? bytes : sizeof value);
    return value;
}

static int64_t signed_at(const uint8_t *from, unsigned bytes)
{
    unsigned shift = bytes && bytes < 8 ? 64 - 8 * bytes : 0;
    return (int64_t)(unsigned_at(from, bytes) << shift) >> shift;
}

static char *quote_character(uint64_t value)
{
    if (value < 0x80 && isprint((int)value) && value != '\'' && value != '\\')
        return kp_format_text("'%c'", (int)value);
    return kp_format_text("'\\x%02" PRIx64 "'", value);
}

/* "READ|WRITE" when the names make up the value; NULL otherwise. */
static char *join_flags(const struct kp_type *type, uint64_t value)
{
    uint64_t rest = value;
    char *text = NULL;
    for (size_t i = 0; i < type->enumerator_count && rest; i++) {
        uint64_t bit = (uint64_t)type->enumerators[i].value;
        if (!bit || (bit & (bit - 1)) || !(rest & bit))
            continue;
        char *longer = text ? kp_format_text("%s|%s", text, type->enumerators[i].name)
                            : kp_copy_text(type->enumerators[i].name);
        free(text);
        text = longer;
        rest &= ~bit;
    }
    if (rest) {
        free(text);
        text = NULL;
    }
    return text;
}

static char *enumerator_text(const struct kp_type *type, const uint8_t *from)
{
    int64_t value = signed_at(from, type->bytes);
    uint64_t bits = unsigned_at(from, type->bytes);
    for (size_t i = 0; i < type->enumerator_count; i++)
        if (type->enumerators[i].value == value || type->enumerators[i].value == (int64_t)bits)
            return kp_copy_text(type->enumerators[i].name);
    char *flags = join_flags(type, bits);
    return flags ? flags : kp_format_text("%" PRId64, value);
}

static char *real_text(const uint8_t *from, unsigned bytes)
{
    float small;
    double large;
    memcpy(&small, from, sizeof small);
    memcpy(&large, from, sizeof large);
    return bytes == 4 ? kp_format_text("%.9g", (double)small) : kp_format_text("%.17g", large);
}

static char *long_double_text(const uint8_t *from)
{
    long double value = 0;
    memcpy(&value, from, 10);
    return kp_format_text("%.21Lg", value);
}

static char *wide_text(const uint8_t *from)
{
    return kp_format_text("0x%016" PRIx64 "%016" PRIx64, unsigned_at(from + 8, 8), unsigned_at(from, 8));
}

static char *scalar_text(const struct kp_type *type, const uint8_t *from)
{
    switch (type->kind) {
    case KP_TYPE_BOOL:
        return kp_copy_text(unsigned_at(from, type->bytes) ? "true" : "false");
    case KP_TYPE_SIGNED:
        return type->bytes > 8 ? wide_text(from) : kp_format_text("%" PRId64, signed_at(from, type->bytes));
    case KP_TYPE_UNSIGNED:
        return type->bytes > 8 ? wide_text(from) : kp_format_text("%" PRIu64, unsigned_at(from, type->bytes));
    case KP_TYPE_CHARACTER:
        return quote_character(unsigned_at(from, type->bytes));
    case KP_TYPE_FLOAT:
        return real_text(from, type->bytes);
    case KP_TYPE_LONG_DOUBLE:
        return long_double_text(from);
    case KP_TYPE_POINTER:
        return unsigned_at(from, 8) ? kp_format_text("0x%" PRIx64, unsigned_at(from, 8))
                                    : kp_copy_text("NULL");
    case KP_TYPE_ENUM:
        return enumerator_text(type, from);
    default:
        return kp_copy_text("...");
    }
}

/* "{x=1, y=2}"; "..." for all but plain structs of scalars. */
static char *value_text(const struct kp_type *type, const uint8_t bytes[VALUE_BYTES])
{
    if (type->by_address)
        return kp_format_text("0x%" PRIx64, unsigned_at(bytes, 8));
    if (type->kind != KP_TYPE_STRUCT)
        return scalar_text(type, bytes);
    if (!type->member_count)
        return kp_copy_text("...");
    char *text = kp_copy_text("{");
    for (size_t i = 0; i < type->member_count; i++) {
        const struct kp_member *member = &type->members[i];
        char *value = scalar_text(member->type, bytes + member->at);
        char *longer =
            kp_format_text("%s%s%s%s%s", text, i ? ", " : "", member->name, *member->name ? "=" : "", value);
        free(text);
        free(value);
        text = longer;
    }
    char *closed = kp_format_text("%s}", text);
    free(text);
    return closed;
}

/* A C string as in source; the copy may have been cut. What a terminal would obey is escaped as in names. */
static char *string_text(const uint8_t *bytes, size_t count)
{
    char *text = kp_allocate(4 * count + 3), *at = text;
    char copy[5] = "";
    *at++ = '"';
    for (size_t i = 0, length; i < count; i += length) {
        snprintf(copy, sizeof copy, "%.*s", (int)(count - i < 4 ? count - i : 4), (const char *)bytes + i);
        length = kp_utf8_length(copy) ? kp_utf8_length(copy) : 1;
        copy[length] = 0;
        char *escaped = kp_escape(copy);
        at += *copy == '"'    ? sprintf(at, "\\\"")
              : *copy == '\\' ? sprintf(at, "\\\\")
              : *copy == '\n' ? sprintf(at, "\\n")
                              : sprintf(at, "%s", escaped);
        free(escaped);
    }
    *at++ = '"';
    *at = 0;
    return text;
}

/* --- arguments in their registers --- */

struct registers {
    const struct kp_call_values *values;
    unsigned integers, vectors; /* used so far */
};

static unsigned count_places(const struct kp_type *type, enum kp_place place)
{
    return (type->places[0] == place) + (type->places[1] == place);
}

/* All of a value is in registers, or all of it on the stack. */
static bool fits(const struct registers *registers, const struct kp_type *type)
{
    unsigned integers = count_places(type, KP_PLACE_INTEGER), vectors = count_places(type, KP_PLACE_VECTOR);
    return type->places[0] != KP_PLACE_MEMORY && !count_places(type, KP_PLACE_X87) &&
           integers + vectors > 0 && registers->integers + integers <= INTEGER_REGISTERS &&
           registers->vectors + vectors <= VECTOR_REGISTERS;
}

/* Takes the registers of a value; false when they were not recorded. */
static bool take_bytes(struct registers *registers, const struct kp_type *type, uint8_t bytes[VALUE_BYTES])
{
    bool known = true;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t word = 0;
        if (type->places[i] == KP_PLACE_INTEGER)
            known &= kp_values_integer(registers->values, registers->integers++, &word);
        else if (type->places[i] == KP_PLACE_VECTOR)
            known &= kp_values_vector(registers->values, registers->vectors++, &word);
        memcpy(bytes + 8 * i, &word, sizeof word);
    }
    return known;
}

static char *argument_text(struct registers *registers, const struct kp_type *type)
{
    uint8_t bytes[VALUE_BYTES] = {0};
    const uint8_t *string;
    size_t count;
    if (type->kind == KP_TYPE_STRUCT && !type->bytes)
        return kp_copy_text("{}"); /* an empty struct is not passed at all */
    if (!fits(registers, type))
        return kp_copy_text("?");
    unsigned first = registers->integers;
    bool known = take_bytes(registers, type, bytes);
    if (type->kind == KP_TYPE_POINTER && kp_values_string(registers->values, first, &string, &count))
        return string_text(string, count);
    return known ? value_text(type, bytes) : kp_copy_text("?");
}

static void visit_registers(const struct kp_call_values *values, unsigned ids, kp_visit_argument *visit,
                            void *user)
{
    const uint8_t *string;
    size_t count;
    uint64_t word;
    for (unsigned id = 0; id < KP_VALUES_TEXT; id++)
        for (unsigned index = 0; index < 2; index++) {
            if (!(ids & 1u << id) || !kp_values_result(values, id, index, &word))
                continue;
            unsigned argument = 2 * id + index;
            bool copied = argument < INTEGER_REGISTERS && kp_values_string(values, argument, &string, &count);
            char *text = copied ? string_text(string, count) : kp_format_text("0x%" PRIx64, word);
            visit(user, kp_values_register(id, index), text);
            free(text);
        }
}

/* Strings of a call without a prototype whose registers were not asked for. */
static void visit_strings(const struct kp_call_values *values, kp_visit_argument *visit, void *user)
{
    const uint8_t *string;
    size_t count;
    for (unsigned i = 0; i < INTEGER_REGISTERS; i++) {
        if (!kp_values_string(values, i, &string, &count))
            continue;
        char *text = string_text(string, count);
        visit(user, kp_values_register(KP_VALUES_RDI_RSI + i / 2, i % 2), text);
        free(text);
    }
}

void kp_arguments_each(const struct kp_prototype *prototype, const struct kp_call_values *values,
                       kp_visit_argument *visit, void *user)
{
    struct registers registers = {.values = values};
    if (!(values->present & ENTRY_IDS) && !values->text_count)
        return;
    if (!prototype || !prototype->c_convention) {
        visit_registers(values, ENTRY_IDS, visit, user);
        if (!(values->present & ENTRY_IDS))
            visit_strings(values, visit, user);
        return;
    }
    /* The caller's room for a large result goes first, as a hidden argument. */
    registers.integers += prototype->result->places[0] == KP_PLACE_MEMORY || prototype->result->by_address;
    for (size_t i = 0; i < prototype->count; i++) {
        char *text = argument_text(&registers, prototype->parameters[i].type);
        visit(user, prototype->parameters[i].name, text);
        free(text);
    }
    if (prototype->variadic)
        visit(user, "", "...");
}

static void append_argument(void *user, const char *name, const char *text)
{
    char **all = user;
    char *longer =
        kp_format_text("%s%s%s%s%s", *all ? *all : "", *all ? ", " : "", name, *name ? "=" : "", text);
    free(*all);
    *all = longer;
}

char *kp_arguments_text(const struct kp_prototype *prototype, const struct kp_call_values *values)
{
    char *text = NULL;
    kp_arguments_each(prototype, values, append_argument, &text);
    return text;
}

/* --- results --- */

static void take_result(const struct kp_type *type, const struct kp_call_values *values,
                        uint8_t bytes[VALUE_BYTES])
{
    unsigned integers = 0, vectors = 0;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t word = 0;
        if (type->places[i] == KP_PLACE_VECTOR)
            kp_values_result(values, KP_VALUES_XMM0_XMM1_RESULT, vectors++, &word);
        else if (type->places[i] == KP_PLACE_X87)
            kp_values_result(values, KP_VALUES_ST0, i, &word);
        else if (type->places[i] == KP_PLACE_INTEGER)
            kp_values_result(values, KP_VALUES_RAX_RDX, integers++, &word);
        memcpy(bytes + 8 * i, &word, sizeof word);
    }
}

char *kp_result_text(const struct kp_prototype *prototype, const struct kp_call_values *values)
{
    uint8_t bytes[VALUE_BYTES] = {0};
    uint64_t word = 0;
    char *text = NULL;
    if ((values->present & EXIT_IDS) != EXIT_IDS)
        return NULL;
    if (!prototype || !prototype->c_convention) {
        visit_registers(values, 1u << KP_VALUES_RAX_RDX, append_argument, &text);
        return text;
    }
    const struct kp_type *type = prototype->result;
    if (type->kind == KP_TYPE_VOID)
        return NULL;
    if (type->places[0] == KP_PLACE_MEMORY || type->by_address) {
        kp_values_result(values, KP_VALUES_RAX_RDX, 0, &word);
        return kp_format_text("*0x%" PRIx64, word);
    }
    take_result(type, values, bytes);
    return value_text(type, bytes);
}

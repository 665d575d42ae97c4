#include "gen_c.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct kp_gen_c_kind kinds[] = {
    [KP_IRL_BOOLEAN] = {"KIEKER_BOOLEAN", "bool", 8, "(uint8_t)", "1 == ", "boolean", "boolean", "boolean",
                        "", "false"},
    [KP_IRL_BYTE] = {"KIEKER_BYTE", "int8_t", 8, "(uint8_t)", "(int8_t)", "int", "byte", "int8", "", "0"},
    [KP_IRL_CHAR] = {"KIEKER_CHAR", "uint16_t", 16, "", "", "char", "char", "int16", "(int16_t)", "0"},
    [KP_IRL_SHORT] = {"KIEKER_SHORT", "int16_t", 16, "(uint16_t)", "(int16_t)", "int", "short", "int16", "",
                      "0"},
    [KP_IRL_INT] = {"KIEKER_INT", "int32_t", 32, "(uint32_t)", "(int32_t)", "int", "int", "int32", "", "0"},
    [KP_IRL_LONG] = {"KIEKER_LONG", "int64_t", 64, "(uint64_t)", "(int64_t)", "long", "long", "int64", "",
                     "0"},
    [KP_IRL_FLOAT] = {"KIEKER_FLOAT", "float", 32, "kieker_float_bits", "kieker_float_of", "float", "float",
                      "int32", "(int32_t)kieker_float_bits", "0"},
    [KP_IRL_DOUBLE] = {"KIEKER_DOUBLE", "double", 64, "kieker_double_bits", "kieker_double_of", "double",
                       "double", "int64", "(int64_t)kieker_double_bits", "0"},
    [KP_IRL_STRING] = {"KIEKER_STRING", "const char *", 32, NULL, NULL, "string", "string", "string", NULL,
                       "\"\""},
    [KP_IRL_BASE_COUNT] = {"KIEKER_ENUM", NULL, 32, NULL, NULL, "int", "int", "int32", "(int32_t)", NULL},
};

const struct kp_gen_c_kind *kp_gen_c_kind(const struct kp_irl_type *type)
{
    return &kinds[type->kind == KP_IRL_TYPE_BASE ? type->base : KP_IRL_BASE_COUNT];
}

const char *kp_gen_c_element_type(struct kp_gen_c *gen, const struct kp_irl_type *type, bool constant)
{
    const char *base = kp_gen_c_kind(type)->type;
    if (type->kind == KP_IRL_TYPE_BASE && type->base == KP_IRL_STRING)
        return constant ? "const char *const " : base;
    return kp_irl_format(&gen->arena, "%s%s ", constant ? "const " : "",
                         base ? base : kp_gen_c_names_of(gen, type->reference.target)->type);
}

/* --- numbers and strings ------------------------------------------------------------------------- */

static void print_integer(FILE *file, int64_t value, bool is_long)
{
    /* The most negative number is no literal in C. */
    if (value == INT64_MIN)
        fputs("(-INT64_C(9223372036854775807) - 1)", file);
    else if (is_long || value > INT32_MAX || value < INT32_MIN)
        fprintf(file, "INT64_C(%" PRId64 ")", value);
    else if (value == INT32_MIN)
        fputs("(-2147483647 - 1)", file);
    else
        fprintf(file, "%" PRId64, value);
}

/* Decimal text as C wants it. What the type cannot hold is an infinity or zero, as Java's parser has it; C
 * would warn. */
static void print_real(FILE *file, const char *text, bool is_float)
{
    double value = is_float ? (double)strtof(text, NULL) : strtod(text, NULL);
    if (isinf(value)) {
        fprintf(file, "%s%sINFINITY", value < 0 ? "-" : "", is_float ? "" : "(double)");
        return;
    }
    if (value == 0)
        text = signbit(value) ? "-0.0" : "0.0";
    fprintf(file, "%s%s%s", text, strpbrk(text, ".eE") ? "" : ".0", is_float ? "f" : "");
}

static void print_string(FILE *file, const char *text, size_t bytes)
{
    fputc('"', file);
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            fprintf(file, "\\%c", c);
        else if (c < ' ' || c == 0x7f)
            fprintf(file, "\\%03o", c);
        else if (c == '?' && i && text[i - 1] == '?') /* a trigraph for some */
            fputs("\\?", file);
        else
            fputc(c, file);
    }
    fputc('"', file);
}

/* The first UTF-16 unit of a string */
static unsigned first_unit(const char *text, size_t bytes)
{
    unsigned unit = bytes ? (unsigned char)text[0] : 0;
    size_t more = unit >= 0xf0 ? 3 : unit >= 0xe0 ? 2 : unit >= 0xc0 ? 1 : 0;
    if (more)
        unit &= 0x3fu >> more;
    for (size_t i = 1; i <= more && i < bytes; i++)
        unit = unit << 6 | ((unsigned char)text[i] & 0x3f);
    return unit < 0x10000 ? unit : 0xd800 + ((unit - 0x10000) >> 10);
}

/* --- values -------------------------------------------------------------------------------------- */

static void print_literal(struct kp_gen_c *gen, FILE *file, const struct kp_irl_type *type,
                          const struct kp_irl_value *value)
{
    const struct kp_irl_declaration *enumeration = type->reference.target;
    size_t ordinal = 0;
    if (value->kind == KP_IRL_VALUE_LITERAL)
        for (size_t i = 0; i < enumeration->all_literals.count; i++)
            if (!strcmp(enumeration->all_literals.items[i].name.text, value->text))
                ordinal = i;
    fputs(kp_gen_c_names_of(gen, enumeration)->literals[ordinal], file);
}

static void print_real_value(FILE *file, const struct kp_irl_value *value, bool is_float)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value->integer);
    print_real(file, value->kind == KP_IRL_VALUE_INT ? text : value->text, is_float);
}

static void print_element(struct kp_gen_c *gen, FILE *file, const struct kp_irl_type *type,
                          const struct kp_irl_value *value)
{
    if (type->kind == KP_IRL_TYPE_ENUM) {
        print_literal(gen, file, type, value);
        return;
    }
    if (value->kind == KP_IRL_VALUE_NONE) {
        fputs(kp_gen_c_kind(type)->neutral, file);
        return;
    }
    switch (type->base) {
    case KP_IRL_BOOLEAN:
        fputs(value->boolean ? "true" : "false", file);
        break;
    case KP_IRL_CHAR:
        fprintf(file, "%u", first_unit(value->text, value->text_bytes));
        break;
    case KP_IRL_FLOAT:
    case KP_IRL_DOUBLE:
        print_real_value(file, value, type->base == KP_IRL_FLOAT);
        break;
    case KP_IRL_STRING:
        if (value->kind == KP_IRL_VALUE_VERSION)
            fputs("KIEKER_VERSION", file);
        else
            print_string(file, value->text, value->text_bytes);
        break;
    default:
        print_integer(file, value->integer, type->base == KP_IRL_LONG);
    }
}

void kp_gen_c_print_value(struct kp_gen_c *gen, FILE *file, const struct kp_irl_type *type, size_t depth,
                          const struct kp_irl_value *value)
{
    value = kp_irl_value_follow(value);
    if (depth == type->dimension_count) {
        print_element(gen, file, type, value);
        return;
    }
    fputc('{', file);
    for (size_t i = 0; i < value->item_count; i++) {
        fputs(i ? ", " : "", file);
        kp_gen_c_print_value(gen, file, type, depth + 1, &value->items[i]);
    }
    /* Without a value: braces around the first element are enough for C, but each level needs its own.
     * Strings are NULL then, which is written as "". */
    if (!value->item_count) {
        if (depth + 1 == type->dimension_count && type->kind == KP_IRL_TYPE_BASE &&
            type->base == KP_IRL_STRING)
            fputs("NULL", file);
        else
            kp_gen_c_print_value(gen, file, type, depth + 1, value);
    }
    fputc('}', file);
}

static void print_elements(struct kp_gen_c *gen, FILE *file, const struct kp_irl_type *type, size_t depth,
                           const struct kp_irl_value *value, bool *any)
{
    value = kp_irl_value_follow(value);
    if (depth < type->dimension_count) {
        for (size_t i = 0; i < value->item_count; i++)
            print_elements(gen, file, type, depth + 1, &value->items[i], any);
        return;
    }
    fputs(*any ? ", " : "", file);
    *any = true;
    print_element(gen, file, type, value);
}

void kp_gen_c_print_elements(struct kp_gen_c *gen, FILE *file, const struct kp_irl_type *type,
                             const struct kp_irl_value *value)
{
    bool any = false;
    print_elements(gen, file, type, 0, value, &any);
}

uint64_t kp_gen_c_shape(const struct kp_irl_type *type, const struct kp_irl_value *value, uint64_t *lengths)
{
    uint64_t product = 1;
    for (size_t i = 0; i < type->dimension_count; i++) {
        value = kp_irl_value_follow(value);
        uint64_t length = value->kind == KP_IRL_VALUE_ARRAY ? value->item_count : 0;
        if (lengths)
            lengths[i] = length;
        product *= length;
        if (length)
            value = &value->items[0];
    }
    return product;
}

/* --- comments ------------------------------------------------------------------------------------ */

/* Text inside of a block comment. */
static void print_comment(FILE *file, const char *text)
{
    char before = 0;
    for (; *text; text++) {
        /* Ends and beginnings of comments, and trigraphs */
        if ((before == '*' && *text == '/') || (before == '/' && *text == '*') ||
            (before == '?' && *text == '?'))
            fputc(' ', file);
        if (*text == '\n')
            fputs("\n * ", file);
        else
            fputc((unsigned char)*text < ' ' ? ' ' : *text, file);
        before = *text;
    }
}

static const char *or_default(const char *text, const char *otherwise)
{
    return text ? text : otherwise ? otherwise : "";
}

void kp_gen_c_print_top(struct kp_gen_c *gen, FILE *file, const struct kp_irl_declaration *declaration)
{
    fputs("/*\n * ", file);
    if (gen->wishes->header) {
        print_comment(file, gen->wishes->header);
        fputs("\n *\n * ", file);
    }
    fprintf(file, "%s, generated from the record model\n *\n * Author: ", declaration->full_name);
    print_comment(file, or_default(declaration->author, gen->wishes->author));
    fputs("\n * Since: ", file);
    print_comment(file, or_default(declaration->since, gen->wishes->since));
    fputs("\n */\n", file);
}

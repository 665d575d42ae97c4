/* Values as Java writes them. All of it is ASCII: no compiler has to guess an encoding. */
#include "gen_java.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The code point at *text; text that is no UTF-8 counts byte by byte. */
static uint32_t next_point(const char **text, const char *end)
{
    const unsigned char *at = (const unsigned char *)*text;
    unsigned more = *at >= 0xf0 && *at < 0xf8 ? 3 : *at >= 0xe0 ? 2 : *at >= 0xc0 ? 1 : 0;
    if (*at < 0x80 || *at >= 0xf8 || more >= (size_t)(end - *text))
        more = 0;
    uint32_t point = more ? *at & (0x3fu >> more) : *at;
    for (unsigned i = 1; i <= more; i++)
        point = point << 6 | (at[i] & 0x3fu);
    *text += 1 + more;
    return point;
}

static void print_unit(FILE *out, uint32_t unit, char quote)
{
    static const char letters[] = "btn?fr"; /* of 8 to 13 */
    if (unit == (unsigned char)quote || unit == '\\')
        fprintf(out, "\\%c", (char)unit);
    else if (unit >= 8 && unit <= 13 && unit != 11)
        fprintf(out, "\\%c", letters[unit - 8]);
    else if (unit < 0x20 || unit == 0x7f)
        fprintf(out, "\\%03o", unit); /* \u000a would be a line end before it is an escape */
    else if (unit < 0x80)
        fputc((int)unit, out);
    else
        fprintf(out, "\\u%04x", unit);
}

static void print_units(FILE *out, const char *text, size_t bytes, char quote)
{
    for (const char *end = text + bytes; text < end;) {
        uint32_t point = next_point(&text, end);
        if (point >= 0x10000) {
            print_unit(out, 0xd800 + ((point - 0x10000) >> 10), quote);
            point = 0xdc00 + ((point - 0x10000) & 0x3ff);
        }
        print_unit(out, point, quote);
    }
}

/* Text in quotes. */
static void print_string(FILE *out, const char *text, size_t bytes)
{
    fputc('"', out);
    print_units(out, text, bytes, '"');
    fputc('"', out);
}

void kp_java_comment_text(FILE *out, const char *text)
{
    char before = 0;
    for (const char *end = text + strlen(text); text < end;) {
        uint32_t point = next_point(&text, end);
        if (point == '/' && before == '*')
            fputs("&#47;", out);
        else if (point == '\\') /* of \u002a too, which Java reads in comments */
            fputs("&#92;", out);
        else if (point == '\n' || point == '\r')
            fputs("\n * ", out);
        else if (point >= 0x20 && point < 0x7f)
            fputc((int)point, out);
        else if (point >= 0x80 && point < 0x10000)
            fprintf(out, "\\u%04x", point);
        else
            fprintf(out, "&#%u;", point);
        before = point < 0x80 ? (char)point : 0;
    }
}

/* Java takes no literal that is out of range or that is zero only by rounding. */
static void print_float(FILE *out, const struct kp_irl_value *value, bool is_double)
{
    const char *box = is_double ? "Double" : "Float";
    double number = is_double ? strtod(value->text, NULL) : (double)strtof(value->text, NULL);
    if (isinf(number))
        fprintf(out, "java.lang.%s.%s_INFINITY", box, number > 0 ? "POSITIVE" : "NEGATIVE");
    else
        fprintf(out, "%s%c",
                number != 0       ? value->text
                : signbit(number) ? "-0.0"
                                  : "0.0",
                is_double ? 'd' : 'f');
}

static void print_integer(FILE *out, enum kp_irl_base base, int64_t integer)
{
    const char *suffix = base == KP_IRL_LONG     ? "L"
                         : base == KP_IRL_FLOAT  ? "f"
                         : base == KP_IRL_DOUBLE ? "d"
                                                 : "";
    fprintf(out, "%" PRId64 "%s", integer, suffix);
}

static void print_scalar(struct kp_java_file *file, const struct kp_irl_type *type,
                         const struct kp_irl_value *value)
{
    FILE *out = file->body;
    switch (value->kind) {
    case KP_IRL_VALUE_STRING:
        if (kp_java_is_base(type, KP_IRL_CHAR)) {
            fputc('\'', out);
            print_units(out, value->text, value->text_bytes, '\'');
            fputc('\'', out);
        } else {
            print_string(out, value->text, value->text_bytes);
        }
        break;
    case KP_IRL_VALUE_INT:
        print_integer(out, type->base, value->integer);
        break;
    case KP_IRL_VALUE_FLOAT:
        print_float(out, value, type->base == KP_IRL_DOUBLE);
        break;
    case KP_IRL_VALUE_BOOLEAN:
        fputs(value->boolean ? "true" : "false", out);
        break;
    case KP_IRL_VALUE_VERSION:
        fprintf(out, "%s.getVERSION()", kp_java_use(file, KP_JAVA_VERSION));
        break;
    case KP_IRL_VALUE_LITERAL:
        fprintf(out, "%s.%s", kp_java_element_type(file, type),
                kp_java_name(&file->arena, value->literal->name.text));
        break;
    case KP_IRL_VALUE_NONE:
    case KP_IRL_VALUE_CONSTANT:
    case KP_IRL_VALUE_ARRAY: /* none of them is left in a model without errors */
        kp_java_neutral(file, type);
        break;
    }
}

static void print_elements(struct kp_java_file *file, const struct kp_irl_type *type,
                           const struct kp_irl_value *value)
{
    value = kp_irl_value_follow(value);
    if (value->kind != KP_IRL_VALUE_ARRAY) {
        print_scalar(file, type, value);
        return;
    }
    fputc('{', file->body);
    for (size_t i = 0; i < value->item_count; i++) {
        fputs(i ? ", " : " ", file->body);
        print_elements(file, type, &value->items[i]);
    }
    fputs(value->item_count ? " }" : "}", file->body);
}

static void print_constant(struct kp_java_file *file, const struct kp_irl_constant *constant)
{
    if (constant->owner != file->declaration)
        fprintf(file->body, "%s.", kp_java_use(file, constant->owner->full_name));
    fputs(kp_java_name(&file->arena, constant->name.text), file->body);
}

void kp_java_value(struct kp_java_file *file, const struct kp_irl_type *type,
                   const struct kp_irl_value *value, bool by_value, bool bare)
{
    /* A constant of a narrower integer type may stand for a value: then an array of it is no such array. */
    if (!by_value && value->kind == KP_IRL_VALUE_CONSTANT && value->constant &&
        (!type->dimension_count || kp_irl_type_equal(type, &value->constant->type))) {
        print_constant(file, value->constant);
        return;
    }
    if (type->dimension_count && !bare)
        fprintf(file->body, "new %s ", kp_java_type(file, type));
    print_elements(file, type, value);
}

static void print_neutral_scalar(struct kp_java_file *file, const struct kp_irl_type *type)
{
    if (type->kind == KP_IRL_TYPE_ENUM) {
        const struct kp_irl_literals *literals = &type->reference.target->all_literals;
        fprintf(file->body, "%s.%s", kp_java_element_type(file, type),
                kp_java_name(&file->arena, literals->items[0].name.text));
    } else if (type->kind != KP_IRL_TYPE_BASE) {
        fputs("null", file->body);
    } else {
        static const char *const neutral[KP_IRL_BASE_COUNT] = {
            [KP_IRL_BOOLEAN] = "false", [KP_IRL_BYTE] = "0",     [KP_IRL_CHAR] = "' '",
            [KP_IRL_SHORT] = "0",       [KP_IRL_INT] = "0",      [KP_IRL_LONG] = "0L",
            [KP_IRL_FLOAT] = "0.0f",    [KP_IRL_DOUBLE] = "0.0", [KP_IRL_STRING] = "\"\"",
        };
        fputs(neutral[type->base], file->body);
    }
}

static void print_neutral_elements(struct kp_java_file *file, const struct kp_irl_type *type,
                                   size_t dimension)
{
    if (dimension == type->dimension_count) {
        print_neutral_scalar(file, type);
        return;
    }
    fputc('{', file->body);
    for (int64_t i = 0; i < type->dimensions[dimension]; i++) {
        fputs(i ? ", " : " ", file->body);
        print_neutral_elements(file, type, dimension + 1);
    }
    fputs(" }", file->body);
}

void kp_java_neutral(struct kp_java_file *file, const struct kp_irl_type *type)
{
    if (!type->dimension_count) {
        print_neutral_scalar(file, type);
    } else if (type->kind != KP_IRL_TYPE_BASE || type->base == KP_IRL_STRING) {
        fprintf(file->body, "new %s ", kp_java_type(file, type));
        print_neutral_elements(file, type, 0);
    } else { /* as Java clears it; a dynamic dimension is 0 */
        fprintf(file->body, "new %s", kp_java_element_type(file, type));
        for (size_t i = 0; i < type->dimension_count; i++)
            fprintf(file->body, "[%" PRId64 "]", type->dimensions[i]);
    }
}

void kp_java_constants(struct kp_java_file *file, bool in_interface)
{
    const struct kp_irl_constants *constants = &file->declaration->constants;
    for (size_t i = 0; i < constants->count; i++) {
        const struct kp_irl_constant *constant = constants->items[i];
        fprintf(file->body, "\t%s%s %s = ", in_interface ? "" : "public static final ",
                kp_java_type(file, &constant->type), kp_java_name(&file->arena, constant->name.text));
        /* By value: a constant may refer to one that stands below it. */
        kp_java_value(file, &constant->type, &constant->value, true, true);
        fputs(";\n", file->body);
    }
    if (constants->count)
        fputc('\n', file->body);
}

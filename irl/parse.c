/* The makers of the tree: what the grammar's actions call. */
#include "parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void kp_irl_parse_error(struct kp_irl_feed *feed, struct kp_irl_span span, const char *format, ...)
{
    /* What goes wrong where something went wrong already, or behind the point where we gave up, is no news.
     */
    if (feed->given_up || feed->error_begin == span.begin)
        return;
    feed->error_begin = span.begin;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    kp_irl_report(feed->model->reports, KP_IRL_002, span, "%s", text);
}

static const char *const old_spellings[] = {
    [KP_IRL_OLD_STRUCT] = "'struct' is called 'event' today",
    [KP_IRL_OLD_RECORD] = "'record' is called 'event' today",
    [KP_IRL_OLD_PATTERN] = "'pattern' is called 'template' today",
    [KP_IRL_OLD_TAG] = "'tag' is called 'template' today",
    [KP_IRL_OLD_DEFAULT] = "'default' is called 'const' today",
    [KP_IRL_OLD_MODIFIER] = "this modifier means nothing today",
    [KP_IRL_OLD_COMBINED] =
        "today a constant is declared by 'const T NAME = value' before a property names it",
    [KP_IRL_OLD_SIZES] = "dimensions have brackets of their own today: [n][m]",
    [KP_IRL_OLD_UNBOUNDED] = "[*] is written [] today",
    [KP_IRL_OLD_GROUPED] = "the type is that of the property referred to and not written today",
    [KP_IRL_OLD_SINCE] = "a version is written in quotes today",
    [KP_IRL_OLD_PLUS] = "numbers have no '+' today",
    [KP_IRL_OLD_POINT] = "there is a digit before the point today",
    [KP_IRL_OLD_USE] = "foreign packages cannot be used today; nothing is known of their types",
};

void kp_irl_parse_old(struct kp_irl_feed *feed, enum kp_irl_spelling spelling, struct kp_irl_span span)
{
    if (!feed->file->is_input || feed->noted & 1u << spelling)
        return;
    feed->noted |= 1u << spelling;
    kp_irl_report(feed->model->reports, KP_IRL_004, span, "historical spelling: %s", old_spellings[spelling]);
}

/* --- texts and numbers --------------------------------------------------------------------------- */

const char *kp_irl_parse_text(struct kp_irl_feed *feed, struct kp_irl_span span)
{
    return kp_irl_copy(&feed->model->arena, feed->file->text + span.begin, span.end - span.begin);
}

const char *kp_irl_parse_quote(struct kp_irl_feed *feed, struct kp_irl_span span)
{
    const char *text = feed->file->text + span.begin;
    size_t bytes = span.end - span.begin;
    if (*text == '"' || *text == '\'')
        return "a text";
    return bytes > 60 ? "this" : kp_irl_format(&feed->model->arena, "'%.*s'", (int)bytes, text);
}

struct kp_irl_name kp_irl_parse_join(struct kp_irl_feed *feed, const struct kp_irl_names *names,
                                     struct kp_irl_span span)
{
    size_t bytes = 0;
    if (names->count == 1)
        return names->items[0];
    for (size_t i = 0; i < names->count; i++)
        bytes += strlen(names->items[i].text) + 1;
    char *text = kp_irl_get(&feed->model->arena, bytes), *at = text;
    for (size_t i = 0; i < names->count; i++) {
        at = stpcpy(at, names->items[i].text);
        if (i + 1 < names->count)
            *at++ = '.';
    }
    return (struct kp_irl_name){.text = text, .span = span};
}

struct kp_irl_name kp_irl_parse_word(struct kp_irl_feed *feed, struct kp_irl_span span)
{
    struct kp_irl_name name = {.text = kp_irl_parse_text(feed, span), .span = span};
    kp_irl_report(feed->model->reports, KP_IRL_042, span,
                  "'%s' is a reserved word; as a name it is written ^%s", name.text, name.text);
    return name;
}

static unsigned hexadecimal(const char *digits, size_t count)
{
    unsigned number = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned char digit = (unsigned char)digits[i];
        number = number << 4 | (digit <= '9' ? digit - (unsigned)'0' : (digit | 0x20u) - 'a' + 10u);
    }
    return number;
}

static char *put_code_point(char *out, unsigned code)
{
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    unsigned more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    *out++ = (char)(lead[more] | code >> 6 * more);
    while (more--)
        *out++ = (char)(0x80 | (code >> 6 * more & 0x3f));
    return out;
}

/* \uXXXX, or two of them that are one character; `in` is behind the u. */
static const char *put_escaped_unit(struct kp_irl_feed *feed, const char *in, const char *end, char **out)
{
    unsigned code = hexadecimal(in, 4);
    uint32_t begin = (uint32_t)(in - feed->file->text) - 2;
    struct kp_irl_span span = {feed->file, begin, begin + 6};
    in += 4;
    if (code >= 0xd800 && code < 0xdc00 && end - in >= 6 && in[0] == '\\' && in[1] == 'u') {
        unsigned low = hexadecimal(in + 2, 4);
        if (low >= 0xdc00 && low < 0xe000) {
            *out = put_code_point(*out, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
            return in + 6;
        }
    }
    if (code >= 0xd800 && code < 0xe000) {
        kp_irl_report(feed->model->reports, KP_IRL_001, span,
                      "half of a surrogate pair: characters above U+FFFF take two escapes");
        code = 0xfffd;
    }
    *out = put_code_point(*out, code);
    return in;
}

/* Bytes of the character of UTF-8 that begins here; 0: none does. As irl.l has it. */
static unsigned utf8_bytes(const char *in, const char *end)
{
    unsigned char first = (unsigned char)in[0];
    unsigned bytes = first < 0x80   ? 1
                     : first < 0xc2 ? 0
                     : first < 0xe0 ? 2
                     : first < 0xf0 ? 3
                     : first < 0xf5 ? 4
                                    : 0;
    if (!bytes || (size_t)(end - in) < bytes)
        return 0;
    for (unsigned i = 1; i < bytes; i++)
        if ((in[i] & 0xc0) != 0x80)
            return 0;
    unsigned char second = bytes > 1 ? (unsigned char)in[1] : 0;
    bool wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                 (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return wrong ? 0 : bytes;
}

/* A character as it is written; what is no UTF-8 is ISO 8859-1, as the scanner said. */
static const char *put_character(const char *in, const char *end, char **out)
{
    unsigned bytes = utf8_bytes(in, end);
    if (!bytes) {
        *out = put_code_point(*out, (unsigned char)*in);
        return in + 1;
    }
    memcpy(*out, in, bytes);
    *out += bytes;
    return in + bytes;
}

struct kp_irl_value kp_irl_parse_string(struct kp_irl_feed *feed, struct kp_irl_span span)
{
    static const char escapes[] = "btnfr\"'\\", meant[] = "\b\t\n\f\r\"'\\";
    const char *in = feed->file->text + span.begin + 1, *end = feed->file->text + span.end - 1;
    /* A byte of ISO 8859-1 becomes two. */
    char *text = kp_irl_get(&feed->model->arena, 2 * (size_t)(span.end - span.begin)), *out = text;
    while (in < end) {
        const char *escape;
        if (*in != '\\')
            in = put_character(in, end, &out);
        else if (in[1] == 'u' && end - in >= 6 && strspn(in + 2, "0123456789abcdefABCDEF") >= 4)
            in = put_escaped_unit(feed, in + 2, end, &out);
        else if (in[1] && (escape = strchr(escapes, in[1])))
            *out++ = meant[escape - escapes], in += 2;
        else
            in++; /* the scanner complained */
    }
    return (struct kp_irl_value){
        .kind = KP_IRL_VALUE_STRING, .span = span, .text = text, .text_bytes = (size_t)(out - text)};
}

struct kp_irl_value kp_irl_parse_integer(struct kp_irl_feed *feed, struct kp_irl_span span)
{
    const char *text = kp_irl_parse_text(feed, span);
    struct kp_irl_value value = {.kind = KP_IRL_VALUE_INT, .span = span};
    if (*text == '+')
        kp_irl_parse_old(feed, KP_IRL_OLD_PLUS, span);
    errno = 0;
    value.integer = strtoll(text, NULL, 10);
    if (errno == ERANGE)
        kp_irl_report(
            feed->model->reports, KP_IRL_003, span,
            "this number is beyond the 64 bits of a long (-9223372036854775808 to 9223372036854775807)");
    return value;
}

/* Digits on both sides of the point, so that every language takes it. */
struct kp_irl_value kp_irl_parse_float(struct kp_irl_feed *feed, struct kp_irl_span span)
{
    const char *text = kp_irl_parse_text(feed, span);
    const char *sign = *text == '-' ? "-" : "";
    if (*text == '+')
        kp_irl_parse_old(feed, KP_IRL_OLD_PLUS, span);
    text += *text == '+' || *text == '-';
    if (*text == '.')
        kp_irl_parse_old(feed, KP_IRL_OLD_POINT, span);
    int whole = (int)strspn(text, "0123456789");
    const char *point = text + whole;
    int part = *point == '.' ? (int)strspn(point + 1, "0123456789") : 0;
    const char *exponent = point + (*point == '.') + part;
    int exponent_bytes = (int)strcspn(exponent, "f");
    text = kp_irl_format(&feed->model->arena, "%s%.*s.%.*s%.*s", sign, whole ? whole : 1, whole ? text : "0",
                         part ? part : 1, part ? point + 1 : "0", exponent_bytes, exponent);
    return (struct kp_irl_value){.kind = KP_IRL_VALUE_FLOAT, .span = span, .text = text};
}

/* --- types --------------------------------------------------------------------------------------- */

struct kp_irl_size kp_irl_parse_elements(struct kp_irl_feed *feed, struct kp_irl_span span)
{
    struct kp_irl_size size = {.elements = kp_irl_parse_integer(feed, span).integer, .span = span};
    if (size.elements <= 0) {
        kp_irl_report(feed->model->reports, KP_IRL_034, span,
                      "an array has at least one element; [] stands for any number");
        size.elements = KP_IRL_DYNAMIC;
    }
    return size;
}

void kp_irl_parse_size(struct kp_irl_feed *feed, struct kp_irl_sizes *sizes, int64_t elements,
                       struct kp_irl_span span)
{
    struct kp_irl_size size = {.elements = elements, .span = span};
    if (sizes->count < KP_IRL_MOST_DIMENSIONS)
        KP_IRL_APPEND(&feed->model->arena, sizes, size);
    else
        kp_irl_report(feed->model->reports, KP_IRL_044, sizes->items[0].span,
                      "an array has at most %u dimensions", KP_IRL_MOST_DIMENSIONS);
}

struct kp_irl_type kp_irl_parse_type(struct kp_irl_feed *feed, struct kp_irl_name name,
                                     const struct kp_irl_sizes *sizes)
{
    struct kp_irl_type type = {.reference = {.name = name}, .dimension_count = sizes->count};
    if (!sizes->count)
        return type;
    int64_t *dimensions = kp_irl_get(&feed->model->arena, sizes->count * sizeof *dimensions);
    struct kp_irl_span *spans = kp_irl_get(&feed->model->arena, sizes->count * sizeof *spans);
    for (size_t i = 0; i < sizes->count; i++) {
        dimensions[i] = sizes->items[i].elements;
        spans[i] = sizes->items[i].span;
    }
    type.dimensions = dimensions;
    type.dimension_spans = spans;
    return type;
}

/* --- members ------------------------------------------------------------------------------------- */

void kp_irl_parse_meta(struct kp_irl_feed *feed, const char **field, const char *text, const char *what,
                       struct kp_irl_span span)
{
    if (*field)
        kp_irl_parse_error(feed, span, "a second '%s'", what);
    *field = text;
}

void kp_irl_parse_modifier(struct kp_irl_modifiers *modifiers, bool *modifier, struct kp_irl_span span)
{
    *modifier = true;
    if (!modifiers->span.file)
        modifiers->span = span;
    modifiers->span.end = span.end;
}

struct kp_irl_property *kp_irl_parse_property(struct kp_irl_feed *feed, enum kp_irl_property_form form,
                                              const struct kp_irl_modifiers *modifiers,
                                              struct kp_irl_name name)
{
    struct kp_irl_property *property = kp_irl_get(&feed->model->arena, sizeof *property);
    property->form = form;
    property->name = name;
    property->transient = modifiers->transient;
    property->auto_increment = modifiers->auto_increment;
    property->changeable = modifiers->changeable;
    property->modifiers = modifiers->span;
    return property;
}

void kp_irl_parse_add_property(struct kp_irl_feed *feed, struct kp_irl_members *members,
                               const struct kp_irl_new_property *made)
{
    struct kp_irl_property *property = made->property;
    property->annotation = made->details.annotation;
    property->value = made->details.value;
    if (made->details.constant.text) {
        struct kp_irl_name name = made->details.constant;
        if (property->form == KP_IRL_PROPERTY_PLAIN)
            kp_irl_parse_add_constant(feed, members, property->type, name, property->value);
        else
            kp_irl_parse_error(feed, name.span, "only a property with a type can declare a constant");
        property->value =
            (struct kp_irl_value){.kind = KP_IRL_VALUE_CONSTANT, .span = name.span, .text = name.text};
    }
    KP_IRL_APPEND(&feed->model->arena, &members->properties, property);
}

void kp_irl_parse_add_constant(struct kp_irl_feed *feed, struct kp_irl_members *members,
                               struct kp_irl_type type, struct kp_irl_name name, struct kp_irl_value value)
{
    struct kp_irl_constant *constant = kp_irl_get(&feed->model->arena, sizeof *constant);
    *constant = (struct kp_irl_constant){.name = name, .type = type, .value = value};
    KP_IRL_APPEND(&feed->model->arena, &members->constants, constant);
}

/* --- declarations -------------------------------------------------------------------------------- */

void kp_irl_parse_import(struct kp_irl_feed *feed, struct kp_irl_name name, bool wildcard,
                         struct kp_irl_span span)
{
    struct kp_irl_import import = {.name = name, .wildcard = wildcard};
    if (feed->file->declarations.count)
        kp_irl_parse_error(feed, span, "an import stands before the first declaration");
    KP_IRL_APPEND(&feed->model->arena, &feed->file->imports, import);
}

struct kp_irl_declaration *kp_irl_parse_declare(struct kp_irl_feed *feed, enum kp_irl_kind kind,
                                                const struct kp_irl_meta *meta, struct kp_irl_name name)
{
    struct kp_irl_declaration *declaration = kp_irl_get(&feed->model->arena, sizeof *declaration);
    const char *package = feed->file->package.text ? feed->file->package.text : "";
    declaration->kind = kind;
    declaration->name = name;
    declaration->package = package;
    declaration->full_name =
        kp_irl_format(&feed->model->arena, "%s%s%s", package, *package ? "." : "", name.text);
    declaration->file = feed->file;
    declaration->author = meta->author;
    declaration->since = meta->since;
    KP_IRL_APPEND(&feed->model->arena, &feed->file->declarations, declaration);
    return declaration;
}

void kp_irl_parse_own(struct kp_irl_declaration *declaration)
{
    for (size_t i = 0; i < declaration->properties.count; i++)
        declaration->properties.items[i]->owner = declaration;
    for (size_t i = 0; i < declaration->constants.count; i++)
        declaration->constants.items[i]->owner = declaration;
    for (size_t i = 0; i < declaration->literals.count; i++)
        declaration->literals.items[i].owner = declaration;
}

void kp_irl_parse_give(struct kp_irl_declaration *declaration, const struct kp_irl_members *members)
{
    declaration->properties = members->properties;
    declaration->constants = members->constants;
    kp_irl_parse_own(declaration);
}

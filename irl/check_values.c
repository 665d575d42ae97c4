/* Does a value fit the type it is given to? (spec/irl.md, the table behind 1.9) */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages.h"

#define MOST_TEXT_BYTES 65535 /* of a constant in a Java class */

struct checker {
    struct kp_irl_model *model;
    const struct kp_irl_type *type; /* declared */
};

static const char *const kind_names[] = {
    [KP_IRL_VALUE_NONE] = "nothing",        [KP_IRL_VALUE_STRING] = "a text",
    [KP_IRL_VALUE_INT] = "an integer",      [KP_IRL_VALUE_FLOAT] = "a floating point number",
    [KP_IRL_VALUE_BOOLEAN] = "a boolean",   [KP_IRL_VALUE_VERSION] = "the version of Kieker",
    [KP_IRL_VALUE_CONSTANT] = "a constant", [KP_IRL_VALUE_LITERAL] = "a literal of an enum",
    [KP_IRL_VALUE_ARRAY] = "an array"};

/* What of the declared type is left below so many dimensions. */
static struct kp_irl_type inner_type(const struct kp_irl_type *type, size_t depth)
{
    struct kp_irl_type inner = *type;
    inner.dimension_count -= depth;
    if (depth) /* without dimensions there is no list of them */
        inner.dimensions += depth;
    return inner;
}

static void say_misfit(const struct checker *c, const struct kp_irl_value *value, const char *what)
{
    kp_irl_say(c->model, KP_IRL_030, value->span, "%s does not fit %s", what,
               kp_irl_type_text(&c->model->arena, &(struct kp_irl_type){.kind = c->type->kind,
                                                                        .base = c->type->base,
                                                                        .reference = c->type->reference}));
}

/* --- single values -------------------------------------------------------------------------------- */

static bool is_integer(enum kp_irl_base base)
{
    return base == KP_IRL_BYTE || base == KP_IRL_SHORT || base == KP_IRL_INT || base == KP_IRL_LONG;
}

static void check_integer(const struct checker *c, const struct kp_irl_value *value)
{
    enum kp_irl_base base = c->type->base;
    if (base == KP_IRL_FLOAT || base == KP_IRL_DOUBLE)
        return;
    if (!is_integer(base)) {
        say_misfit(c, value, "an integer");
        return;
    }
    int64_t most = (int64_t)(UINT64_MAX >> (65 - 8 * kp_irl_bases[base].wire_bytes));
    if (value->integer > most || value->integer < -most - 1)
        kp_irl_say(c->model, KP_IRL_003, value->span, "%s holds %lld to %lld", kp_irl_bases[base].name,
                   (long long)(-most - 1), (long long)most);
}

/* Java refuses numbers that would become infinite, or zero without being it. */
static void check_float(const struct checker *c, const struct kp_irl_value *value)
{
    if (c->type->base != KP_IRL_FLOAT && c->type->base != KP_IRL_DOUBLE) {
        say_misfit(c, value, "a floating point number");
        return;
    }
    double number =
        c->type->base == KP_IRL_FLOAT ? (double)strtof(value->text, NULL) : strtod(value->text, NULL);
    size_t digits = strcspn(value->text, "eE");
    bool zero = strcspn(value->text, "123456789") >= digits;
    if (isinf(number) || (number == 0 && !zero))
        kp_irl_say(c->model, KP_IRL_030, value->span, "this number is too %s for %s",
                   isinf(number) ? "large" : "small", kp_irl_bases[c->type->base].name);
}

/* One unit of UTF-16: characters beyond take two, and halves of those are none. */
static bool is_one_character(const struct kp_irl_value *value)
{
    const unsigned char *text = (const unsigned char *)value->text;
    switch (value->text_bytes) {
    case 1:
        return text[0] < 0x80;
    case 2:
        return text[0] >= 0xc2 && text[0] < 0xe0;
    case 3:
        return text[0] >= 0xe0 && text[0] < 0xf0;
    default:
        return false;
    }
}

static void check_text(const struct checker *c, const struct kp_irl_value *value)
{
    if (c->type->base == KP_IRL_CHAR) {
        if (!is_one_character(value))
            kp_irl_say(c->model, KP_IRL_030, value->span, "char holds exactly one character%s",
                       value->text_bytes == 4 ? " of the first 65536" : "");
    } else if (c->type->base != KP_IRL_STRING) {
        say_misfit(c, value, "a text");
    } else if (value->text_bytes > MOST_TEXT_BYTES) {
        kp_irl_say(c->model, KP_IRL_044, value->span, "the text is longer than %d bytes", MOST_TEXT_BYTES);
    }
}

static void check_single(const struct checker *c, const struct kp_irl_value *value)
{
    enum kp_irl_base base = c->type->base;
    bool misfit = c->type->kind != KP_IRL_TYPE_BASE ||
                  (value->kind == KP_IRL_VALUE_BOOLEAN && base != KP_IRL_BOOLEAN) ||
                  (value->kind == KP_IRL_VALUE_VERSION && base != KP_IRL_STRING);
    if (misfit)
        say_misfit(c, value, kind_names[value->kind]);
    else if (value->kind == KP_IRL_VALUE_INT)
        check_integer(c, value);
    else if (value->kind == KP_IRL_VALUE_FLOAT)
        check_float(c, value);
    else if (value->kind == KP_IRL_VALUE_STRING)
        check_text(c, value);
}

/* --- constants ------------------------------------------------------------------------------------ */

static bool is_narrower(const struct kp_irl_type *given, const struct kp_irl_type *wanted)
{
    return given->kind == KP_IRL_TYPE_BASE && wanted->kind == KP_IRL_TYPE_BASE && !given->dimension_count &&
           !wanted->dimension_count && is_integer(given->base) && is_integer(wanted->base) &&
           kp_irl_bases[given->base].wire_bytes < kp_irl_bases[wanted->base].wire_bytes;
}

static void check_constant(const struct checker *c, const struct kp_irl_value *value, size_t depth)
{
    if (!value->constant || !value->constant->type.kind)
        return;
    const struct kp_irl_type *given = &value->constant->type;
    struct kp_irl_type wanted = inner_type(c->type, depth);
    if (kp_irl_type_equal(given, &wanted) || is_narrower(given, &wanted))
        return;
    struct kp_arena *arena = &c->model->arena;
    bool shape = !strcmp(kp_irl_type_name(given), kp_irl_type_name(&wanted));
    if (kp_irl_say(c->model, shape ? KP_IRL_031 : KP_IRL_030, value->span, "constant '%s' is %s, not %s",
                   value->text, kp_irl_type_text(arena, given), kp_irl_type_text(arena, &wanted)))
        kp_irl_report_note(c->model->reports, value->constant->name.span, "declared here");
}

/* --- arrays --------------------------------------------------------------------------------------- */

/* Two elements of one array: are they of the same sort, as far as the text shows? */
static bool is_like(const struct kp_irl_value *first, const struct kp_irl_value *other)
{
    first = kp_irl_value_follow(first);
    other = kp_irl_value_follow(other);
    bool numbers = (first->kind == KP_IRL_VALUE_INT || first->kind == KP_IRL_VALUE_FLOAT) &&
                   (other->kind == KP_IRL_VALUE_INT || other->kind == KP_IRL_VALUE_FLOAT);
    bool texts = (first->kind == KP_IRL_VALUE_STRING || first->kind == KP_IRL_VALUE_VERSION) &&
                 (other->kind == KP_IRL_VALUE_STRING || other->kind == KP_IRL_VALUE_VERSION);
    if (first->kind == KP_IRL_VALUE_NONE || other->kind == KP_IRL_VALUE_NONE || numbers || texts)
        return true;
    return first->kind == other->kind;
}

static void check_value(const struct checker *c, const struct kp_irl_value *value, size_t depth);

/* The matrix is rectangular: inner arrays of one length, where the type leaves it open. */
static bool is_rectangular(const struct checker *c, const struct kp_irl_value *array, size_t i, size_t depth)
{
    const struct kp_irl_value *first = kp_irl_value_follow(&array->items[0]);
    const struct kp_irl_value *other = kp_irl_value_follow(&array->items[i]);
    bool open = depth + 1 < c->type->dimension_count && c->type->dimensions[depth + 1] == KP_IRL_DYNAMIC;
    return !open || first->kind != KP_IRL_VALUE_ARRAY || other->kind != KP_IRL_VALUE_ARRAY ||
           first->item_count == other->item_count;
}

static void check_array(const struct checker *c, const struct kp_irl_value *value, size_t depth)
{
    int64_t wanted = c->type->dimensions[depth];
    if (wanted != KP_IRL_DYNAMIC && (uint64_t)wanted != value->item_count)
        kp_irl_say(c->model, KP_IRL_031, value->span, "%zu element%s where the type has %lld",
                   value->item_count, value->item_count == 1 ? "" : "s", (long long)wanted);
    for (size_t i = 0; i < value->item_count; i++) {
        const struct kp_irl_value *item = &value->items[i];
        if (!is_like(&value->items[0], item))
            kp_irl_say(c->model, KP_IRL_032, item->span, "%s among elements that are not: the first is %s",
                       kind_names[kp_irl_value_follow(item)->kind],
                       kind_names[kp_irl_value_follow(&value->items[0])->kind]);
        else if (!is_rectangular(c, value, i, depth))
            kp_irl_say(
                c->model, KP_IRL_032, item->span, "%zu elements where the first of these arrays has %zu",
                kp_irl_value_follow(item)->item_count, kp_irl_value_follow(&value->items[0])->item_count);
        else
            check_value(c, item, depth + 1);
    }
}

static void check_value(const struct checker *c, const struct kp_irl_value *value, size_t depth)
{
    bool array = value->kind == KP_IRL_VALUE_ARRAY, wants_array = depth < c->type->dimension_count;
    if (value->kind == KP_IRL_VALUE_CONSTANT)
        check_constant(c, value, depth);
    else if (array && !wants_array)
        kp_irl_say(c->model, KP_IRL_031, value->span,
                   depth ? "the type has only %zu dimension%s" : "an array for a type that is none", depth,
                   depth == 1 ? "" : "s");
    else if (array)
        check_array(c, value, depth);
    else if (wants_array)
        kp_irl_say(c->model, KP_IRL_031, value->span, "%s where the type has an array",
                   kind_names[value->kind]);
    else if (value->kind != KP_IRL_VALUE_LITERAL)
        check_single(c, value);
}

static void check(struct kp_irl_model *model, const struct kp_irl_type *type,
                  const struct kp_irl_value *value)
{
    const struct checker checker = {.model = model, .type = type};
    if (value->kind != KP_IRL_VALUE_NONE &&
        (type->kind == KP_IRL_TYPE_BASE || type->kind == KP_IRL_TYPE_ENUM))
        check_value(&checker, value, 0);
}

void kp_irl_check_values(struct kp_irl_model *model)
{
    for (size_t i = 0; i < model->ordered.count; i++) {
        const struct kp_irl_declaration *declaration = model->ordered.items[i];
        for (size_t j = 0; j < declaration->properties.count; j++)
            check(model, declaration->properties.items[j]->resolved,
                  &declaration->properties.items[j]->value);
        for (size_t j = 0; j < declaration->constants.count; j++)
            check(model, &declaration->constants.items[j]->type, &declaration->constants.items[j]->value);
    }
}

/* Literals of enums: one name, one value each. */
#include <inttypes.h>

#include "stages.h"

struct checker {
    struct kp_irl_model *model;
    const struct kp_irl_declaration *enumeration;
    struct kp_irl_names_table names, values;
};

/* Where the enum itself says it: at the literal, or at its own name for what it inherits. */
static struct kp_irl_span place_of(const struct checker *c, const struct kp_irl_literal *literal)
{
    return literal->owner == c->enumeration ? literal->name.span : c->enumeration->name.span;
}

static void check_name(struct checker *c, const struct kp_irl_literal *literal)
{
    void **place = kp_irl_names_put(&c->model->arena, &c->names, literal->name.text);
    const struct kp_irl_literal *first = *place;
    if (!first)
        *place = (void *)literal;
    else if (kp_irl_say(c->model, KP_IRL_027, place_of(c, literal), "'%s' has the literal '%s' twice",
                        c->enumeration->name.text, literal->name.text))
        kp_irl_report_note(c->model->reports, first->name.span, "first declared here");
}

static void check_value(struct checker *c, const struct kp_irl_literal *literal)
{
    const char *text = kp_irl_format(&c->model->arena, "%" PRId64, literal->value);
    void **place = kp_irl_names_put(&c->model->arena, &c->values, text);
    const struct kp_irl_literal *first = *place;
    if (!first)
        *place = (void *)literal;
    else if (kp_irl_say(c->model, KP_IRL_026, place_of(c, literal), "'%s' and '%s' both have the value %s%s",
                        first->name.text, literal->name.text, text,
                        literal->has_value ? "" : ", which is the position"))
        kp_irl_report_note(c->model->reports, first->name.span, "first used here");
    if (literal->value > INT32_MAX || literal->value < INT32_MIN)
        kp_irl_say(c->model, KP_IRL_003, literal->has_value ? literal->value_span : literal->name.span,
                   "values of literals are of 32 bits");
}

void kp_irl_check_enums(struct kp_irl_model *model)
{
    for (size_t i = 0; i < model->ordered.count; i++) {
        struct checker c = {.model = model, .enumeration = model->ordered.items[i]};
        for (size_t j = 0; j < c.enumeration->all_literals.count; j++) {
            check_name(&c, &c.enumeration->all_literals.items[j]);
            check_value(&c, &c.enumeration->all_literals.items[j]);
        }
    }
}

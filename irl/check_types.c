/* What types properties may have. */
#include "stages.h"

static void report_complex(struct kp_irl_model *model, const struct kp_irl_declaration *declaration,
                           const struct kp_irl_property *property)
{
    bool foreign = property->resolved->kind == KP_IRL_TYPE_FOREIGN;
    enum kp_irl_code code = foreign ? KP_IRL_016 : KP_IRL_033;
    bool own = property->owner == declaration;
    struct kp_irl_span span = own && property->type.reference.name.text ? property->type.reference.name.span
                              : own                                     ? property->name.span
                                                                        : declaration->name.span;
    const char *name = kp_irl_type_name(property->resolved);
    bool said =
        foreign ? kp_irl_say(model, code, span, "'%s' has the foreign type '%s', of which nothing is known",
                             property->name.text, name)
                : kp_irl_say(model, code, span,
                             "'%s' is %s; a record cannot hold another: select from it by '{ ... }'", name,
                             kp_irl_kind_name(property->resolved->reference.target->kind));
    if (said && !own)
        kp_irl_report_note(model->reports, property->name.span, "inherited from here");
}

static bool is_complex(const struct kp_irl_property *property)
{
    return property->resolved->kind == KP_IRL_TYPE_FOREIGN ||
           (property->resolved->kind == KP_IRL_TYPE_RECORD && property->form != KP_IRL_PROPERTY_PAYLOAD);
}

static bool is_any(const bool *complex, const struct kp_irl_declaration *declaration)
{
    return declaration && complex[declaration->number];
}

/* By number: has it, or inherits it, a complex property? */
static bool *find_complex(struct kp_irl_model *model)
{
    bool *complex = kp_irl_get(&model->arena, model->ordered.count + 1);
    for (size_t i = 0; i < model->ordered.count; i++) {
        const struct kp_irl_declaration *one = model->ordered.items[i];
        complex[i] = is_any(complex, one->parent.target);
        for (size_t j = 0; j < one->templates.count; j++)
            complex[i] |= is_any(complex, one->templates.items[j].target);
        for (size_t j = 0; j < one->properties.count; j++)
            complex[i] |= is_complex(one->properties.items[j]);
    }
    return complex;
}

static void report_all_complex(struct kp_irl_model *model, struct kp_irl_walk *walk,
                               struct kp_irl_declaration *declaration)
{
    for (struct kp_irl_declaration *d = kp_irl_walk_begin(walk, declaration); d; d = kp_irl_walk_next(walk))
        for (size_t i = 0; i < d->properties.count; i++)
            if (is_complex(d->properties.items[i]))
                report_complex(model, declaration, d->properties.items[i]);
}

/* Only where code is wanted: templates, and whatever is loaded for reference, may describe payload. */
static void check_complex(struct kp_irl_model *model)
{
    struct kp_irl_walk walk = kp_irl_walk_create(model);
    const bool *complex = find_complex(model);
    for (size_t i = 0; i < model->ordered.count; i++) {
        struct kp_irl_declaration *declaration = model->ordered.items[i];
        if (complex[i] && declaration->file->is_input && declaration->kind == KP_IRL_EVENT)
            report_all_complex(model, &walk, declaration);
    }
}

/* --- one property ------------------------------------------------------------------------------- */

static void check_elements(struct kp_irl_model *model, const struct kp_irl_type *type)
{
    int64_t elements = 1;
    for (size_t i = 0; i < type->dimension_count; i++) {
        if (type->dimensions[i] == KP_IRL_DYNAMIC)
            continue;
        if (type->dimensions[i] > KP_IRL_MOST_ELEMENTS / elements) {
            kp_irl_say(model, KP_IRL_044, type->dimension_spans[i], "the array has more than %d elements",
                       KP_IRL_MOST_ELEMENTS);
            return;
        }
        elements *= type->dimensions[i];
    }
}

static void check_auto_increment(struct kp_irl_model *model, const struct kp_irl_property *property)
{
    const struct kp_irl_type *type = property->resolved;
    bool counts =
        type->kind == KP_IRL_TYPE_BASE && (type->base == KP_IRL_BYTE || type->base == KP_IRL_SHORT ||
                                           type->base == KP_IRL_INT || type->base == KP_IRL_LONG);
    if (property->auto_increment && type->kind && (!counts || type->dimension_count))
        kp_irl_say(model, KP_IRL_035, property->modifiers,
                   "auto-increment counts in byte, short, int or long, not in %s",
                   kp_irl_type_text(&model->arena, type));
}

static void check_alias_modifiers(struct kp_irl_model *model, const struct kp_irl_property *property)
{
    if (property->form == KP_IRL_PROPERTY_ALIAS && (property->transient || property->auto_increment))
        kp_irl_say(model, KP_IRL_036, property->modifiers,
                   "an alias is what its target is: the modifier has no effect");
}

/* The old spelling gives the type, too. */
static void check_grouped_type(struct kp_irl_model *model, const struct kp_irl_property *property)
{
    const struct kp_irl_type *type = &property->type;
    bool written = property->form == KP_IRL_PROPERTY_GROUPED && type->kind;
    if (written && property->resolved->kind && !kp_irl_type_equal(type, property->resolved))
        kp_irl_say(model, KP_IRL_030, type->reference.name.span, "'%s.%s' is %s, not %s",
                   property->grouped_event.name.text, property->grouped_property.text,
                   kp_irl_type_text(&model->arena, property->resolved),
                   kp_irl_type_text(&model->arena, type));
}

static void check_constant_type(struct kp_irl_model *model, const struct kp_irl_constant *constant)
{
    bool complex = constant->type.kind == KP_IRL_TYPE_RECORD || constant->type.kind == KP_IRL_TYPE_FOREIGN;
    if (complex)
        kp_irl_say(model, KP_IRL_033, constant->type.reference.name.span,
                   "a constant cannot be of the type '%s'", kp_irl_type_name(&constant->type));
    check_elements(model, &constant->type);
}

void kp_irl_check_types(struct kp_irl_model *model)
{
    check_complex(model);
    for (size_t i = 0; i < model->ordered.count; i++) {
        const struct kp_irl_declaration *declaration = model->ordered.items[i];
        for (size_t j = 0; j < declaration->properties.count; j++) {
            const struct kp_irl_property *property = declaration->properties.items[j];
            check_elements(model, &property->type);
            check_auto_increment(model, property);
            check_alias_modifiers(model, property);
            check_grouped_type(model, property);
        }
        for (size_t j = 0; j < declaration->constants.count; j++)
            check_constant_type(model, declaration->constants.items[j]);
    }
}

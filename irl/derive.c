/* `sub S M`: the types derived from those of a model (spec/irl.md 1.7). */
#include <string.h>

#include "stages.h"

struct derivation {
    struct kp_irl_model *model;
    struct kp_irl_declaration *sub;
    struct kp_irl_declaration *template;  /* S itself */
    const struct kp_irl_declarations *of; /* all that were there before */
    size_t of_count;
    bool *belongs; /* by number: is it, or inherits it from, a type of the model? */
    size_t *made;  /* by all together */
};

/* A new declaration that stands where the sub does. */
static struct kp_irl_declaration *make(struct derivation *d, enum kp_irl_kind kind, const char *name)
{
    struct kp_irl_declaration *made = kp_irl_get(&d->model->arena, sizeof *made);
    made->kind = kind;
    made->name = (struct kp_irl_name){name, d->sub->name.span};
    made->package = d->sub->package;
    made->full_name =
        kp_irl_format(&d->model->arena, "%s%s%s", made->package, *made->package ? "." : "", name);
    made->file = d->sub->file;
    made->derived = true;
    made->number = d->model->ordered.count;
    KP_IRL_APPEND(&d->model->arena, &d->model->ordered, made);
    struct kp_irl_file *file = (struct kp_irl_file *)made->file;
    KP_IRL_APPEND(&d->model->arena, &file->declarations, made);
    ++*d->made;
    return made;
}

static struct kp_irl_reference refer_to(const struct derivation *d, struct kp_irl_declaration *target)
{
    return (struct kp_irl_reference){{target->name.text, d->sub->name.span}, target};
}

static void make_template(struct derivation *d)
{
    d->template = make(d, KP_IRL_TEMPLATE, d->sub->name.text);
    d->template->properties = d->sub->properties;
    d->template->constants = d->sub->constants;
    d->template->templates = d->sub->templates;
    for (size_t i = 0; i < d->sub->properties.count; i++)
        d->sub->properties.items[i]->owner = d->template;
    for (size_t i = 0; i < d->sub->constants.count; i++)
        d->sub->constants.items[i]->owner = d->template;
}

static void make_type(struct derivation *d, struct kp_irl_declaration *base)
{
    struct kp_arena *arena = &d->model->arena;
    struct kp_irl_declaration *made =
        make(d, base->kind, kp_irl_format(arena, "%s_%s", d->sub->name.text, base->name.text));
    made->author = d->sub->author;
    made->since = d->sub->since;
    if (base->kind == KP_IRL_EVENT)
        made->parent = refer_to(d, base);
    else
        KP_IRL_APPEND(arena, &made->templates, refer_to(d, base));
    KP_IRL_APPEND(arena, &made->templates, refer_to(d, d->template));
}

static bool is_any(const bool *belongs, const struct kp_irl_declaration *declaration)
{
    return declaration && belongs[declaration->number];
}

/* Ancestors stand before those who inherit from them, so that one look at each suffices. */
static void find_members(const struct derivation *d)
{
    const struct kp_irl_references *types = &d->sub->model.target->templates;
    bool *belongs = d->belongs;
    memset(belongs, 0, d->of_count);
    for (size_t i = 0; i < types->count; i++)
        if (types->items[i].target)
            belongs[types->items[i].target->number] = true;
    for (size_t i = 0; i < d->of_count; i++) {
        const struct kp_irl_declaration *one = d->of->items[i];
        belongs[i] |= is_any(belongs, one->parent.target);
        for (size_t j = 0; j < one->templates.count; j++)
            belongs[i] |= is_any(belongs, one->templates.items[j].target);
    }
}

static void derive(struct derivation *d)
{
    find_members(d);
    make_template(d);
    for (size_t i = 0; i < d->of_count; i++) {
        struct kp_irl_declaration *one = d->of->items[i];
        if (!d->belongs[i] || one->shadowed_by || (one->kind != KP_IRL_EVENT && one->kind != KP_IRL_TEMPLATE))
            continue;
        if (*d->made >= KP_IRL_MOST_DERIVED) {
            kp_irl_say(d->model, KP_IRL_044, d->sub->name.span, "more than %d types are derived",
                       KP_IRL_MOST_DERIVED);
            return;
        }
        make_type(d, one);
    }
}

void kp_irl_derive(struct kp_irl_model *model)
{
    size_t made = 0;
    /* Appended ones are none of those derived from: the list is taken as it is now. */
    struct derivation d = {
        .model = model, .of = &model->ordered, .of_count = model->ordered.count, .made = &made};
    d.belongs = kp_irl_get(&model->arena, d.of_count + 1);
    for (size_t i = 0; i < d.of_count; i++) {
        d.sub = model->ordered.items[i];
        bool derives = d.sub->kind == KP_IRL_SUB && (d.sub->properties.count || d.sub->templates.count);
        if (derives && d.sub->model.target && !d.sub->shadowed_by)
            derive(&d);
    }
}

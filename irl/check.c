/* The rules of spec/irl.md 1.9 that are about the finished model; those found on the way are reported there.
 */
#include "stages.h"

static bool is_unknown(const struct kp_irl_properties *list, size_t *which)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->resolved->kind == KP_IRL_TYPE_UNKNOWN) {
            *which = i;
            return true;
        }
    return false;
}

static const struct kp_irl_reference *broken_reference(const struct kp_irl_declaration *declaration)
{
    if (declaration->parent.name.text && !declaration->parent.target)
        return &declaration->parent;
    for (size_t i = 0; i < declaration->templates.count; i++)
        if (!declaration->templates.items[i].target)
            return &declaration->templates.items[i];
    return NULL;
}

/* Of built-in models nothing is reported. Where the given ones take the place of some of them, others may be
 * broken by that: then whoever depends on these has to say so. */
static void check_built_in(struct kp_irl_model *model)
{
    bool *broken = kp_irl_get(&model->arena, model->ordered.count + 1);
    for (size_t i = 0; i < model->ordered.count; i++) {
        const struct kp_irl_declaration *one = model->ordered.items[i];
        const struct kp_irl_declaration *parent = one->parent.target;
        size_t which;
        if (one->file->is_builtin)
            broken[i] = broken_reference(one) || is_unknown(&one->layout.all, &which);
        if (parent && broken[parent->number])
            broken[i] = true;
        for (size_t j = 0; j < one->templates.count; j++)
            if (one->templates.items[j].target && broken[one->templates.items[j].target->number])
                broken[i] = true;
        if (broken[i] && !one->file->is_builtin)
            kp_irl_say(model, KP_IRL_010, one->name.span,
                       "'%s' inherits from a built-in model that does not fit the models given; give all of "
                       "its models",
                       one->name.text);
    }
}

void kp_irl_check(struct kp_irl_model *model)
{
    kp_irl_check_types(model);
    kp_irl_check_values(model);
    kp_irl_check_enums(model);
    kp_irl_check_names(model);
    kp_irl_check_generated(model);
    /* Whatever is wrong with a given model is wrong with what inherits from it: that was said already. */
    if (!kp_irl_reports_errors(model->reports))
        check_built_in(model);
}

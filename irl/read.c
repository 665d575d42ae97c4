#include "irl.h"
#include "keywords.h"

struct kp_irl_model *kp_irl_read(const struct kp_irl_inputs *inputs)
{
    struct kp_arena arena = {0};
    struct kp_irl_model *model = kp_irl_get(&arena, sizeof *model);
    model->arena = arena;
    model->reports = kp_irl_reports_create();
    model->languages = inputs->languages ? inputs->languages : KP_IRL_IN_ANY;

    bool fine = kp_irl_load(model, inputs);
    for (size_t i = 0; i < model->files.count; i++)
        fine &= kp_irl_parse(model, model->files.items[i]);
    /* What is missing because of a syntax error would be reported over and over. */
    if (!fine)
        return model;
    kp_irl_resolve(model);
    kp_irl_derive(model);
    kp_irl_unfold(model);
    kp_irl_check(model);
    return model;
}

void kp_irl_model_destroy(struct kp_irl_model *model)
{
    struct kp_arena arena = model->arena;
    kp_irl_reports_destroy(model->reports);
    kp_arena_free(&arena);
}

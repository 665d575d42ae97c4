/* Who inherits from whom: cycles are reported and cut, and the declarations put into an order in which each
 * stands behind those it inherits from. Without recursion: a chain may be as long as a file. */
#include <stdio.h>
#include <string.h>

#include "stages.h"

#define NOT_SEEN   SIZE_MAX
#define ON_THE_WAY (SIZE_MAX - 1)

struct step {
    struct kp_irl_declaration *declaration;
    size_t edge; /* the next to be followed: 0 is the parent, then the templates */
};

struct steps {
    struct step *items;
    size_t count, room;
};

static struct kp_irl_reference *edge_of(struct step *step)
{
    size_t edge = step->edge++;
    if (edge == 0)
        return &step->declaration->parent;
    return edge <= step->declaration->templates.count ? &step->declaration->templates.items[edge - 1] : NULL;
}

/* "A -> B -> A": the part of the way that is the cycle, shortened in its middle */
static const char *way_text(struct kp_arena *arena, const struct steps *way,
                            const struct kp_irl_declaration *again)
{
    size_t from = way->count;
    while (way->items[from - 1].declaration != again)
        from--;
    const char *text = again->name.text;
    size_t shown = 0;
    for (size_t i = from; i < way->count && shown < 8; i++, shown++)
        text = kp_irl_format(arena, "%s -> %s", text, way->items[i].declaration->name.text);
    return kp_irl_format(arena, "%s%s -> %s", text, shown < way->count - from ? " -> ..." : "",
                         again->name.text);
}

static void put_in_order(struct kp_irl_model *model, struct steps *way, struct kp_irl_declaration *start)
{
    KP_IRL_APPEND(&model->arena, way, ((struct step){.declaration = start}));
    start->number = ON_THE_WAY;
    while (way->count) {
        struct step *step = &way->items[way->count - 1];
        struct kp_irl_reference *reference = edge_of(step);
        if (!reference) {
            step->declaration->number = model->ordered.count;
            KP_IRL_APPEND(&model->arena, &model->ordered, step->declaration);
            way->count--;
        } else if (!reference->target) {
            continue;
        } else if (reference->target->number == NOT_SEEN) {
            reference->target->number = ON_THE_WAY;
            KP_IRL_APPEND(&model->arena, way, ((struct step){.declaration = reference->target}));
        } else if (reference->target->number == ON_THE_WAY) {
            kp_irl_say(model, KP_IRL_020, reference->name.span, "'%s' inherits from itself: %s",
                       step->declaration->name.text, way_text(&model->arena, way, reference->target));
            reference->target = NULL;
        }
    }
}

void kp_irl_order(struct kp_irl_model *model)
{
    struct steps way = {0};
    for (size_t i = 0; i < model->files.count; i++)
        for (size_t j = 0; j < model->files.items[i]->declarations.count; j++)
            model->files.items[i]->declarations.items[j]->number = NOT_SEEN;
    for (size_t i = 0; i < model->files.count; i++)
        for (size_t j = 0; j < model->files.items[i]->declarations.count; j++) {
            struct kp_irl_declaration *declaration = model->files.items[i]->declarations.items[j];
            if (declaration->kind != KP_IRL_MODEL && declaration->number == NOT_SEEN)
                put_in_order(model, &way, declaration);
        }
}

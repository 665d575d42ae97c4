#include "stages.h"

#include <stdarg.h>

bool kp_irl_say(struct kp_irl_model *model, enum kp_irl_code code, struct kp_irl_span span,
                const char *format, ...)
{
    if (span.file &&
        (span.file->is_builtin || (kp_irl_code_severity(code) < KP_IRL_ERROR && !span.file->is_input)))
        return false;
    va_list arguments;
    va_start(arguments, format);
    kp_irl_vreport(model->reports, code, span, format, arguments);
    va_end(arguments);
    return true;
}

const char *kp_irl_kind_name(enum kp_irl_kind kind)
{
    static const char *const names[] = {[KP_IRL_EVENT] = "an event",
                                        [KP_IRL_TEMPLATE] = "a template",
                                        [KP_IRL_ENUM] = "an enum",
                                        [KP_IRL_MODEL] = "a model",
                                        [KP_IRL_SUB] = "a sub"};
    return names[kind];
}

bool kp_irl_may_guess(struct kp_irl_model *model)
{
    return kp_irl_reports_errors(model->reports) < 50;
}

struct kp_irl_walk kp_irl_walk_create(struct kp_irl_model *model)
{
    unsigned *seen = kp_irl_get(&model->arena, (model->ordered.count + 1) * sizeof *seen);
    return (struct kp_irl_walk){.model = model, .seen = seen};
}

static void wait_for(struct kp_irl_walk *walk, struct kp_irl_declaration *declaration)
{
    if (declaration && walk->seen[declaration->number] != walk->round)
        KP_IRL_APPEND(&walk->model->arena, &walk->waiting, declaration);
}

struct kp_irl_declaration *kp_irl_walk_begin(struct kp_irl_walk *walk, struct kp_irl_declaration *start)
{
    walk->round++;
    walk->waiting.count = 0;
    wait_for(walk, start);
    return kp_irl_walk_next(walk);
}

struct kp_irl_declaration *kp_irl_walk_next(struct kp_irl_walk *walk)
{
    while (walk->waiting.count) {
        struct kp_irl_declaration *next = walk->waiting.items[--walk->waiting.count];
        if (walk->seen[next->number] == walk->round)
            continue;
        walk->seen[next->number] = walk->round;
        for (size_t i = next->templates.count; i-- > 0;)
            wait_for(walk, next->templates.items[i].target);
        wait_for(walk, next->parent.target);
        return next;
    }
    return NULL;
}

/* The one on top of those waiting is either to be entered (its ancestors go above it) or, when it comes up
 * again, to be listed. */
const struct kp_irl_declarations *kp_irl_walk_lineage(struct kp_irl_walk *walk,
                                                      struct kp_irl_declaration *start)
{
    walk->round += 2;
    unsigned entered = walk->round - 1, listed = walk->round;
    walk->lineage.count = walk->waiting.count = 0;
    KP_IRL_APPEND(&walk->model->arena, &walk->waiting, start);
    while (walk->waiting.count) {
        struct kp_irl_declaration *top = walk->waiting.items[walk->waiting.count - 1];
        unsigned *seen = &walk->seen[top->number];
        if (*seen != entered && *seen != listed) {
            *seen = entered;
            for (size_t i = top->templates.count; i-- > 0;)
                wait_for(walk, top->templates.items[i].target);
            wait_for(walk, top->parent.target);
            continue;
        }
        walk->waiting.count--;
        if (*seen == entered)
            KP_IRL_APPEND(&walk->model->arena, &walk->lineage, top);
        *seen = listed;
    }
    return &walk->lineage;
}

const char *kp_irl_type_text(struct kp_arena *arena, const struct kp_irl_type *type)
{
    const char *text = kp_irl_type_name(type);
    for (size_t i = 0; i < type->dimension_count && i < 16; i++)
        text = type->dimensions[i] == KP_IRL_DYNAMIC
                   ? kp_irl_format(arena, "%s[]", text)
                   : kp_irl_format(arena, "%s[%lld]", text, (long long)type->dimensions[i]);
    return text;
}

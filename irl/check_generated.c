/* Names that generated code would have twice (IRL040). */
#include <string.h>

#include "stages.h"

/* One name in one scope of generated code, with what it comes from. */
struct use {
    const char *what;
    struct kp_irl_span span; /* without a file: of the language or the framework */
};

struct scope {
    struct kp_irl_model *model;
    const struct kp_irl_declaration *declaration;
    struct kp_irl_names_table uses;
};

/* False when the name is in use. */
static bool use_name(struct scope *scope, const char *name, const char *what, struct kp_irl_span span)
{
    struct kp_arena *arena = &scope->model->arena;
    void **place = kp_irl_names_put(arena, &scope->uses, name);
    const struct use *first = *place;
    if (!first) {
        struct use *use = kp_irl_get(arena, sizeof *use);
        *use = (struct use){what, span};
        *place = use;
        return true;
    }
    if (kp_irl_say(scope->model, KP_IRL_040, span, "generated code of '%s' would have '%s' twice: %s and %s",
                   scope->declaration->name.text, name, first->what, what) &&
        first->span.file)
        kp_irl_report_note(scope->model->reports, first->span, "first used here");
    return false;
}

/* Of a name that was checked elsewhere: it counts, but is not reported. */
static bool keep_name(struct scope *scope, const char *name, const char *what, struct kp_irl_span span)
{
    return kp_irl_names_get(&scope->uses, name) || use_name(scope, name, what, span);
}

static struct kp_irl_span place_of(const struct scope *scope, const struct kp_irl_property *property)
{
    return property->owner == scope->declaration ? property->name.span : scope->declaration->name.span;
}

/* --- Java: constants and fields of a class --------------------------------------------------------- */

static bool has_default_constant(const struct kp_irl_property *property)
{
    const struct kp_irl_type *type = property->resolved;
    return property->value.kind != KP_IRL_VALUE_NONE ||
           (type->kind == KP_IRL_TYPE_BASE && type->base == KP_IRL_STRING && !type->dimension_count);
}

static void check_class(struct kp_irl_model *model, const struct kp_irl_declaration *event)
{
    static const char *const fixed[] = {"SIZE", "TYPES", "VALUE_NAMES", "serialVersionUID"};
    struct scope scope = {.model = model, .declaration = event};
    struct kp_irl_names_table constants = {0};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        use_name(&scope, fixed[i], "a member of each record", (struct kp_irl_span){0});
    for (size_t i = 0; i < event->constants.count; i++) {
        const struct kp_irl_constant *constant = event->constants.items[i];
        void **place = kp_irl_names_put(&model->arena, &constants, constant->name.text);
        if (!*place) /* otherwise that is IRL025 */
            use_name(&scope, constant->name.text, "a constant", constant->name.span);
        *place = (void *)constant;
    }
    for (size_t i = 0; i < event->layout.declared.count; i++) {
        const struct kp_irl_property *property = event->layout.declared.items[i];
        const char *name = property->name.text, *constant = kp_irl_name_constant(&model->arena, name);
        const char *what = kp_irl_format(&model->arena, "the default of '%s'", name);
        if (!has_default_constant(property) || use_name(&scope, constant, what, place_of(&scope, property)))
            use_name(&scope, name, kp_irl_format(&model->arena, "the property '%s'", name),
                     place_of(&scope, property));
    }
}

/* --- accessors: what is inherited counts as well --------------------------------------------------- */

static const char *capitalised(struct kp_arena *arena, const char *name)
{
    char *text = kp_irl_copy(arena, name, strlen(name));
    if (*text >= 'a' && *text <= 'z')
        *text = (char)(*text - 'a' + 'A');
    return text;
}

static void check_accessors(struct kp_irl_model *model, const struct kp_irl_declaration *event)
{
    struct scope getters = {.model = model, .declaration = event}, snakes = getters;
    const struct kp_irl_properties *all = &event->layout.all;
    size_t inherited = all->count - event->layout.getters.count;
    for (size_t i = 0; i < all->count && inherited < all->count; i++) {
        const struct kp_irl_property *property = all->items[i];
        const char *what = kp_irl_format(&model->arena, "the accessor of '%s'", property->name.text);
        const char *getter = capitalised(&model->arena, property->name.text);
        const char *snake = kp_irl_name_snake(&model->arena, property->name.text);
        struct kp_irl_span place = i < inherited ? property->name.span : place_of(&getters, property);
        bool new = (i < inherited ? keep_name : use_name)(&getters, getter, what, place);
        (i < inherited || !new ? keep_name : use_name)(&snakes, snake, what, place);
    }
}

/* --- files and types of a package ------------------------------------------------------------------ */

static void check_type_names(struct kp_irl_model *model)
{
    struct scope types = {.model = model}, files = {.model = model};
    for (size_t i = 0; i < model->ordered.count; i++) {
        const struct kp_irl_declaration *one = model->ordered.items[i];
        if (!one->file->is_input || one->kind == KP_IRL_SUB)
            continue;
        types.declaration = files.declaration = one;
        /* Two that are written are IRL013. */
        bool new = (one->derived ? use_name : keep_name)(
            &types, one->full_name, one->derived ? "a derived type" : "a type", one->name.span);
        if (!new || one->kind != KP_IRL_EVENT || one->abstract)
            continue;
        use_name(&types, kp_irl_format(&model->arena, "%sFactory", one->full_name), "the factory of an event",
                 one->name.span);
        use_name(&files,
                 kp_irl_format(&model->arena, "%s/%s.c", one->package,
                               kp_irl_name_file(&model->arena, one->name.text)),
                 "a file", one->name.span);
    }
}

void kp_irl_check_generated(struct kp_irl_model *model)
{
    check_type_names(model);
    for (size_t i = 0; i < model->ordered.count; i++) {
        const struct kp_irl_declaration *one = model->ordered.items[i];
        if (one->kind != KP_IRL_EVENT || !one->file->is_input)
            continue;
        check_class(model, one);
        check_accessors(model, one);
    }
}

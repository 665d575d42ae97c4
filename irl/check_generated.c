/* Names that generated code would have twice (IRL040). */
#include <string.h>

#include "keywords.h"
#include "stages.h"

/* One name in one scope of generated code. */
struct use {
    const char *what, *of;   /* "the accessor of", name; without a name `what` says it all */
    struct kp_irl_span span; /* without a file: of the language or the framework */
};

struct scope {
    struct kp_irl_model *model;
    struct kp_arena *arena; /* of the names, which are as many as there are properties in all events */
    const struct kp_irl_declaration *declaration;
    struct kp_irl_names_table uses;
};

static const char *use_text(struct kp_arena *arena, const struct use *use)
{
    return use->of ? kp_irl_format(arena, "%s '%s'", use->what, use->of) : use->what;
}

/* False when the name is in use. */
static bool use_name(struct scope *scope, const char *name, struct use use)
{
    void **place = kp_irl_names_put(scope->arena, &scope->uses, name);
    const struct use *first = *place;
    if (!first) {
        struct use *kept = kp_irl_get(scope->arena, sizeof *kept);
        *kept = use;
        *place = kept;
        return true;
    }
    if (kp_irl_say(scope->model, KP_IRL_040, use.span,
                   "generated code of '%s' would have '%s' twice: %s and %s", scope->declaration->name.text,
                   name, use_text(scope->arena, first), use_text(scope->arena, &use)) &&
        first->span.file)
        kp_irl_report_note(scope->model->reports, first->span, "first used here");
    return false;
}

/* Of a name that was checked elsewhere: it counts, but is not reported. */
static bool keep_name(struct scope *scope, const char *name, struct use use)
{
    return kp_irl_names_get(&scope->uses, name) || use_name(scope, name, use);
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

static void check_class(struct kp_irl_model *model, struct kp_arena *arena,
                        const struct kp_irl_declaration *event)
{
    static const char *const fixed[] = {"SIZE", "TYPES", "VALUE_NAMES", "serialVersionUID"};
    struct scope scope = {.model = model, .arena = arena, .declaration = event};
    struct kp_irl_names_table constants = {0};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        use_name(&scope, fixed[i], (struct use){.what = "a member of each record"});
    for (size_t i = 0; i < event->constants.count; i++) {
        const struct kp_irl_constant *constant = event->constants.items[i];
        void **place = kp_irl_names_put(arena, &constants, constant->name.text);
        if (!*place) /* otherwise that is IRL025 */
            use_name(&scope, constant->name.text,
                     (struct use){.what = "a constant", .span = constant->name.span});
        *place = (void *)constant;
    }
    for (size_t i = 0; i < event->layout.declared.count; i++) {
        const struct kp_irl_property *property = event->layout.declared.items[i];
        const char *name = property->name.text, *constant = kp_irl_name_constant(arena, name);
        struct use by_default = {"the default of", name, place_of(&scope, property)};
        struct use by_field = {"the property", name, place_of(&scope, property)};
        if (!has_default_constant(property) || use_name(&scope, constant, by_default))
            use_name(&scope, name, by_field);
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

static void check_accessors(struct kp_irl_model *model, struct kp_arena *arena,
                            const struct kp_irl_declaration *event)
{
    struct scope getters = {.model = model, .arena = arena, .declaration = event}, snakes = getters;
    const struct kp_irl_properties *all = &event->layout.all;
    size_t inherited = all->count - event->layout.getters.count;
    bool java = model->languages & KP_IRL_IN_JAVA, python = model->languages & KP_IRL_IN_PYTHON;
    for (size_t i = 0; i < all->count && inherited < all->count; i++) {
        const struct kp_irl_property *property = all->items[i];
        const char *getter = capitalised(arena, property->name.text);
        const char *snake = kp_irl_name_snake(arena, property->name.text);
        struct use use = {"the accessor of", property->name.text,
                          i < inherited ? property->name.span : place_of(&getters, property)};
        bool is_new = !java || (i < inherited ? keep_name : use_name)(&getters, getter, use);
        if (python)
            (i < inherited || !is_new ? keep_name : use_name)(&snakes, snake, use);
    }
}

/* --- files and types of a package ------------------------------------------------------------------ */

static bool is_generated(const struct kp_irl_declaration *declaration)
{
    return declaration->file->is_input && declaration->kind != KP_IRL_SUB;
}

/* The types themselves. Two that are written are IRL013. */
static void check_types(struct scope *types, const struct kp_irl_declarations *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct kp_irl_declaration *one = types->declaration = all->items[i];
        if (is_generated(one))
            (one->derived ? use_name : keep_name)(
                types, one->full_name,
                (struct use){.what = one->derived ? "a derived type" : "a type", .span = one->name.span});
    }
}

static void check_files(struct scope *types, struct scope *files, const struct kp_irl_declarations *all)
{
    struct kp_irl_names_table known = {0};
    for (size_t i = 0; i < all->count; i++) {
        const struct kp_irl_declaration *one = types->declaration = files->declaration = all->items[i];
        if (!is_generated(one) || one->kind != KP_IRL_EVENT || one->abstract)
            continue;
        void **place = kp_irl_names_put(types->arena, &known, one->full_name);
        if (*place) /* reported before, as a type */
            continue;
        *place = (void *)one;
        use_name(types, kp_irl_format(types->arena, "%sFactory", one->full_name),
                 (struct use){.what = "the factory of an event", .span = one->name.span});
        use_name(files,
                 kp_irl_format(types->arena, "%s/%s.c", one->package,
                               kp_irl_name_file(types->arena, one->name.text)),
                 (struct use){.what = "a file", .span = one->name.span});
    }
}

void kp_irl_check_generated(struct kp_irl_model *model)
{
    struct scope types = {.model = model, .arena = &model->arena}, files = types;
    check_types(&types, &model->ordered);
    check_files(&types, &files, &model->ordered);
    for (size_t i = 0; i < model->ordered.count; i++) {
        const struct kp_irl_declaration *one = model->ordered.items[i];
        if (one->kind != KP_IRL_EVENT || !one->file->is_input)
            continue;
        struct kp_arena arena = {0};
        if (model->languages & KP_IRL_IN_JAVA) /* other languages get another name for the second */
            check_class(model, &arena, one);
        check_accessors(model, &arena, one);
        kp_arena_free(&arena);
    }
}

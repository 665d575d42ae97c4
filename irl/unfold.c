/* The lists of properties of events and templates (spec/irl.md 1.6). */
#include <string.h>

#include "stages.h"

/* Lists longer than this are searched by a table. */
#define FEW 24

struct unfolder {
    struct kp_irl_model *model;
    size_t listed;
    struct kp_irl_declaration *declaration;
    struct kp_irl_properties list;   /* `all` of the declaration, as far as it is */
    struct kp_irl_names_table table; /* its names, once they are many */
    struct kp_arena arena;           /* of both while they grow */
};

static struct kp_irl_property *find(struct unfolder *u, const char *name)
{
    if (u->list.count > FEW) {
        for (size_t i = u->table.count; i < u->list.count; i++)
            *kp_irl_names_put(&u->arena, &u->table, u->list.items[i]->name.text) = u->list.items[i];
        return kp_irl_names_get(&u->table, name);
    }
    for (size_t i = 0; i < u->list.count; i++)
        if (!strcmp(u->list.items[i]->name.text, name))
            return u->list.items[i];
    return NULL;
}

static void report_conflict(struct unfolder *u, const struct kp_irl_reference *by,
                            const struct kp_irl_property *first, const struct kp_irl_property *second)
{
    struct kp_arena *arena = &u->model->arena;
    if (!kp_irl_say(u->model, KP_IRL_024, by->name.span, "'%s' inherits '%s' as %s and as %s",
                    u->declaration->name.text, first->name.text, kp_irl_type_text(arena, first->resolved),
                    kp_irl_type_text(arena, second->resolved)))
        return;
    kp_irl_report_note(u->model->reports, first->name.span, "the one");
    kp_irl_report_note(u->model->reports, second->name.span, "the other");
}

static void add_inherited(struct unfolder *u, const struct kp_irl_reference *by)
{
    if (!by->target)
        return;
    const struct kp_irl_properties *more = &by->target->layout.all;
    for (size_t i = 0; i < more->count; i++) {
        struct kp_irl_property *property = more->items[i], *there = find(u, property->name.text);
        if (!there)
            KP_IRL_APPEND(&u->arena, &u->list, property);
        else if (there != property && there->resolved->kind && property->resolved->kind &&
                 !kp_irl_type_equal(there->resolved, property->resolved))
            report_conflict(u, by, there, property);
    }
}

static void report_again(struct unfolder *u, const struct kp_irl_property *property,
                         const struct kp_irl_property *there)
{
    bool said;
    if (property->payload || there->payload)
        said = kp_irl_say(u->model, KP_IRL_040, property->name.span,
                          "'%s' has two properties '%s', because of what payload selects",
                          u->declaration->name.text, property->name.text);
    else if (there->owner == property->owner)
        said = kp_irl_say(u->model, KP_IRL_023, property->name.span, "'%s' is declared twice in '%s'",
                          property->name.text, u->declaration->name.text);
    else
        said = kp_irl_say(u->model, KP_IRL_023, property->name.span, "'%s' has '%s' from '%s' already",
                          u->declaration->name.text, property->name.text, there->owner->name.text);
    if (said)
        kp_irl_report_note(u->model->reports, there->name.span, "first declared here");
}

static void add_own(struct unfolder *u, struct kp_irl_property *property)
{
    const struct kp_irl_property *there = find(u, property->name.text);
    if (there) {
        report_again(u, property, there);
        return;
    }
    KP_IRL_APPEND(&u->arena, &u->list, property);
    KP_IRL_APPEND(&u->model->arena, &u->declaration->layout.own, property);
}

static void add_all_own(struct unfolder *u)
{
    for (size_t i = 0; i < u->declaration->properties.count; i++) {
        struct kp_irl_property *property = u->declaration->properties.items[i];
        bool complex =
            property->resolved->kind == KP_IRL_TYPE_RECORD || property->resolved->kind == KP_IRL_TYPE_FOREIGN;
        if (property->form != KP_IRL_PROPERTY_PAYLOAD && !complex)
            add_own(u, property);
        for (size_t j = 0; j < property->flattened.count; j++)
            add_own(u, property->flattened.items[j]);
    }
}

static bool is_data(const struct kp_irl_property *property)
{
    return property->form != KP_IRL_PROPERTY_ALIAS;
}

static bool is_wire(const struct kp_irl_property *property)
{
    return is_data(property) && !property->transient;
}

/* Those of a list that a test holds for; the list itself when these are all. */
static struct kp_irl_properties pick(struct unfolder *u, struct kp_irl_properties from,
                                     bool (*test)(const struct kp_irl_property *))
{
    struct kp_irl_properties picked = {0};
    size_t same = 0;
    while (same < from.count && test(from.items[same]))
        same++;
    if (same == from.count)
        return from;
    for (size_t i = 0; i < from.count; i++)
        if (test(from.items[i]))
            KP_IRL_APPEND(&u->model->arena, &picked, from.items[i]);
    return picked;
}

/* The parent's properties are the first of the list, and no other has a name of theirs: the rest is what the
 * type itself declares. */
static struct kp_irl_properties behind_parent(const struct unfolder *u)
{
    const struct kp_irl_declaration *parent = u->declaration->parent.target;
    size_t inherited = parent ? parent->layout.all.count : 0;
    if (u->list.count == inherited)
        return (struct kp_irl_properties){0};
    return (struct kp_irl_properties){u->list.items + inherited, u->list.count - inherited, 0};
}

/* What grew, in its final size. */
static void keep_list(struct unfolder *u)
{
    struct kp_irl_property **items =
        kp_irl_get(&u->model->arena, u->list.count * sizeof(struct kp_irl_property *));
    memcpy(items, u->list.items, u->list.count * sizeof(struct kp_irl_property *));
    u->list = (struct kp_irl_properties){items, u->list.count, 0};
    u->listed += u->list.count;
}

static void unfold(struct unfolder *u)
{
    struct kp_irl_declaration *declaration = u->declaration;
    struct kp_irl_layout *layout = &declaration->layout;
    u->table = (struct kp_irl_names_table){0};
    u->list = (struct kp_irl_properties){0};
    if (declaration->parent.target) {
        /* Without room, so that the first addition makes a copy: a child that adds nothing shares the list.
         */
        u->list = declaration->parent.target->layout.all;
        u->list.room = 0;
    }
    const struct kp_irl_property *const *shared = (void *)u->list.items;
    for (size_t i = 0; i < declaration->templates.count; i++)
        add_inherited(u, &declaration->templates.items[i]);
    add_all_own(u);
    if ((void *)u->list.items != (void *)shared)
        keep_list(u);
    kp_arena_free(&u->arena); /* a table may be there even where nothing was added */
    layout->all = u->list;
    layout->data = pick(u, layout->all, is_data);
    layout->wire = pick(u, layout->data, is_wire);
    layout->getters = behind_parent(u);
    layout->declared = pick(u, layout->getters, is_data);
}

void kp_irl_unfold(struct kp_irl_model *model)
{
    struct unfolder u = {.model = model};
    kp_irl_flatten(model);
    for (size_t i = 0; i < model->ordered.count; i++) {
        u.declaration = model->ordered.items[i];
        if (u.declaration->kind != KP_IRL_EVENT && u.declaration->kind != KP_IRL_TEMPLATE)
            continue;
        if (u.listed > KP_IRL_MOST_LISTED) {
            kp_irl_say(model, KP_IRL_044, u.declaration->name.span,
                       "the types of the model inherit more than %d properties", KP_IRL_MOST_LISTED);
            return;
        }
        unfold(&u);
    }
}

/* Payload: `Order order { customer { name {} } }` stands for the properties that it selects. References are
 * never followed unless they are named: a member that is complex gives the identity of its object only. */
#include <string.h>

#include "stages.h"

#define MOST_DEEP 32

struct flattening {
    struct kp_irl_model *model;
    struct kp_irl_walk walk;
    struct kp_irl_properties *members; /* by number of the type; listed when it is first needed */
    struct kp_irl_property *payload;
    size_t flattened; /* by all together */
};

/* A place on the way down from a payload property. */
struct place {
    struct kp_irl_declaration *type;
    const struct kp_irl_selections *selections;
    const char *name; /* orderCustomer: what names of properties begin with */
    const char *path; /* customer: NULL at the payload property itself */
    struct kp_irl_span span;
    unsigned depth;
};

static void flatten(struct flattening *f, const struct place *place);

/* --- members of a type --------------------------------------------------------------------------- */

/* The members with those inherited, as written in the models, each name once. */
static const struct kp_irl_properties *list_members(struct flattening *f, struct kp_irl_declaration *type)
{
    struct kp_irl_properties *members = &f->members[type->number];
    struct kp_irl_names_table known = {0};
    if (members->count)
        return members;
    const struct kp_irl_declarations *lineage = kp_irl_walk_lineage(&f->walk, type);
    for (size_t i = 0; i < lineage->count; i++)
        for (size_t j = 0; j < lineage->items[i]->properties.count; j++) {
            struct kp_irl_property *property = lineage->items[i]->properties.items[j];
            void **place = kp_irl_names_put(&f->model->arena, &known, property->name.text);
            if (!*place)
                KP_IRL_APPEND(&f->model->arena, members, property);
            *place = property;
        }
    return members;
}

static const struct kp_irl_property *find_member(const struct kp_irl_properties *members, const char *name,
                                                 struct kp_irl_guess *guess)
{
    for (size_t i = 0; i < members->count; i++) {
        if (!strcmp(members->items[i]->name.text, name))
            return members->items[i];
        kp_irl_guess_offer(guess, members->items[i]->name.text);
    }
    return NULL;
}

static bool is_primitive(const struct kp_irl_type *type)
{
    for (size_t i = 0; i < type->dimension_count; i++)
        if (type->dimensions[i] == KP_IRL_DYNAMIC)
            return false;
    return type->kind == KP_IRL_TYPE_BASE || type->kind == KP_IRL_TYPE_ENUM;
}

/* --- properties in place of the payload property ------------------------------------------------- */

/* order, customer: orderCustomer */
static const char *join_names(struct kp_arena *arena, const char *first, const char *second)
{
    char *name = kp_irl_format(arena, "%s%s", first, second);
    char *joint = name + strlen(first);
    if (*joint >= 'a' && *joint <= 'z')
        *joint = (char)(*joint - 'a' + 'A');
    return name;
}

static const char *join_path(struct kp_arena *arena, const char *path, const char *step)
{
    return path ? kp_irl_format(arena, "%s.%s", path, step) : step;
}

static void add(struct flattening *f, const struct place *place, const struct kp_irl_property *member,
                bool object_id)
{
    struct kp_arena *arena = &f->model->arena;
    struct kp_irl_property *made = kp_irl_get(arena, sizeof *made);
    const char *name = join_names(arena, place->name, member->name.text);
    made->name = (struct kp_irl_name){object_id ? join_names(arena, name, "Id") : name, place->span};
    if (object_id) {
        made->type.kind = KP_IRL_TYPE_BASE;
        made->type.base = KP_IRL_INT;
        made->type.reference.name = (struct kp_irl_name){kp_irl_bases[KP_IRL_INT].name, place->span};
    } else {
        made->type = *member->resolved;
        made->value = *kp_irl_value_follow(&member->value);
    }
    made->resolved = &made->type;
    made->transient = f->payload->transient;
    made->changeable = f->payload->changeable;
    made->owner = f->payload->owner;
    made->payload = f->payload;
    made->path = join_path(arena, place->path, member->name.text);
    made->object_id = object_id;
    KP_IRL_APPEND(arena, &f->payload->flattened, made);
    f->flattened++;
}

static bool is_full(struct flattening *f)
{
    if (f->payload->flattened.count >= KP_IRL_MOST_SELECTED)
        kp_irl_say(f->model, KP_IRL_044, f->payload->name.span, "'%s' selects more than %d properties",
                   f->payload->name.text, KP_IRL_MOST_SELECTED);
    else if (f->flattened >= KP_IRL_MOST_FLATTENED)
        kp_irl_say(f->model, KP_IRL_044, f->payload->name.span, "the model selects more than %d properties",
                   KP_IRL_MOST_FLATTENED);
    else
        return false;
    return true;
}

/* Nothing is named: the primitive members, and of the complex ones the identity. What is transient is meant
 * to stay where it is. */
static void add_all(struct flattening *f, const struct place *place, const struct kp_irl_properties *members)
{
    for (size_t i = 0; i < members->count && !is_full(f); i++) {
        const struct kp_irl_property *member = members->items[i];
        if (member->form != KP_IRL_PROPERTY_ALIAS && !member->transient && member->resolved->kind)
            add(f, place, member, !is_primitive(member->resolved));
    }
}

static void add_named(struct flattening *f, const struct place *place, const struct kp_irl_property *member,
                      const struct kp_irl_selection *selection)
{
    struct kp_arena *arena = &f->model->arena;
    const struct kp_irl_type *type = member->resolved;
    struct place below = {.selections = &selection->below, .span = selection->name.span};
    if (type->kind == KP_IRL_TYPE_RECORD && !type->dimension_count) {
        below.type = type->reference.target;
        below.name = join_names(arena, place->name, member->name.text);
        below.path = join_path(arena, place->path, member->name.text);
        below.depth = place->depth + 1;
        flatten(f, &below);
    } else if (selection->below.count) {
        if (kp_irl_say(f->model, KP_IRL_011, selection->below.items[0].name.span,
                       "'%s' has no members that could be selected", member->name.text))
            kp_irl_report_note(f->model->reports, member->name.span, "declared here");
    } else if (type->kind) {
        below = *place;
        below.span = selection->name.span;
        add(f, &below, member, !is_primitive(type));
    }
}

static void add_selection(struct flattening *f, const struct place *place,
                          const struct kp_irl_properties *members, const struct kp_irl_selection *selection)
{
    struct kp_irl_guess guess = {.wanted = selection->name.text};
    const struct kp_irl_property *member = find_member(members, selection->name.text, &guess);
    if (member)
        add_named(f, place, member, selection);
    else
        kp_irl_say(f->model, KP_IRL_010, selection->name.span, "'%s' has no member '%s'%s",
                   place->type->name.text, selection->name.text, kp_irl_guess_text(&f->model->arena, &guess));
}

static void flatten(struct flattening *f, const struct place *place)
{
    if (place->depth > MOST_DEEP) {
        kp_irl_say(f->model, KP_IRL_044, place->span, "payload is selected more than %d levels deep",
                   MOST_DEEP);
        return;
    }
    const struct kp_irl_properties *members = list_members(f, place->type);
    if (!place->selections->count)
        add_all(f, place, members);
    for (size_t i = 0; i < place->selections->count && !is_full(f); i++)
        add_selection(f, place, members, &place->selections->items[i]);
}

static void flatten_property(struct flattening *f, struct kp_irl_property *property)
{
    const struct kp_irl_type *type = &property->type;
    f->payload = property;
    if (type->kind == KP_IRL_TYPE_BASE || type->kind == KP_IRL_TYPE_ENUM)
        kp_irl_say(f->model, KP_IRL_011, type->reference.name.span,
                   "'%s' has no members that could be selected", kp_irl_type_name(type));
    else if (type->kind == KP_IRL_TYPE_RECORD && type->dimension_count)
        kp_irl_say(f->model, KP_IRL_033, type->reference.name.span,
                   "payload is selected from one object, not from an array");
    else if (type->kind == KP_IRL_TYPE_RECORD)
        flatten(f, &(struct place){.type = type->reference.target,
                                   .selections = &property->selected,
                                   .name = property->name.text,
                                   .span = property->name.span});
}

void kp_irl_flatten(struct kp_irl_model *model)
{
    struct flattening f = {.model = model, .walk = kp_irl_walk_create(model)};
    f.members = kp_irl_get(&model->arena, (model->ordered.count + 1) * sizeof *f.members);
    for (size_t i = 0; i < model->ordered.count; i++) {
        const struct kp_irl_declaration *declaration = model->ordered.items[i];
        for (size_t j = 0; declaration->kind != KP_IRL_SUB && j < declaration->properties.count; j++)
            if (declaration->properties.items[j]->form == KP_IRL_PROPERTY_PAYLOAD)
                flatten_property(&f, declaration->properties.items[j]);
    }
}

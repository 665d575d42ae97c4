/* Names inside of types: literals of enums, aliases, grouped properties, constants (spec/irl.md 1.4 to 1.6).
 */
#include <string.h>

#include "stages.h"

/* Lists longer than this are searched by a table. */
#define FEW 24

struct linker {
    struct kp_irl_model *model;
    struct kp_irl_walk walk;
    struct tables {
        struct kp_irl_names_table properties, constants;
    } * tables;      /* by number of the declaration */
    size_t literals; /* in all lists */
};

static const struct kp_irl_type unknown_type = {.kind = KP_IRL_TYPE_UNKNOWN};
static const struct kp_irl_type type_in_progress = {.kind = KP_IRL_TYPE_UNKNOWN};

/* --- literals ------------------------------------------------------------------------------------ */

static void add_literal(struct linker *linker, struct kp_irl_declaration *enumeration,
                        struct kp_irl_names_table *known, struct kp_irl_literal literal)
{
    struct kp_irl_literals *all = &enumeration->all_literals;
    if (!literal.has_value)
        literal.value = (int64_t)all->count;
    void **place = kp_irl_names_put(&linker->model->arena, known, literal.name.text);
    if (*place == literal.owner && literal.owner != enumeration) /* inherited on two ways */
        return;
    *place = literal.owner;
    KP_IRL_APPEND(&linker->model->arena, all, literal);
    linker->literals++;
}

static void list_literals(struct linker *linker, struct kp_irl_declaration *enumeration)
{
    struct kp_irl_names_table known = {0};
    for (size_t i = 0; i < enumeration->literals.count; i++) {
        if (!enumeration->literals.items[i].has_value)
            enumeration->literals.items[i].value = (int64_t)i;
        add_literal(linker, enumeration, &known, enumeration->literals.items[i]);
    }
    for (size_t i = 0; i < enumeration->templates.count; i++) {
        const struct kp_irl_declaration *inherited = enumeration->templates.items[i].target;
        for (size_t j = 0; inherited && j < inherited->all_literals.count; j++)
            add_literal(linker, enumeration, &known, inherited->all_literals.items[j]);
    }
}

static void list_all_literals(struct linker *linker)
{
    const struct kp_irl_declarations *all = &linker->model->ordered;
    for (size_t i = 0; i < all->count; i++) {
        if (all->items[i]->kind != KP_IRL_ENUM)
            continue;
        if (linker->literals > KP_IRL_MOST_LITERALS) {
            kp_irl_say(linker->model, KP_IRL_044, all->items[i]->name.span,
                       "the enums of the model inherit more than %d literals", KP_IRL_MOST_LITERALS);
            return;
        }
        list_literals(linker, all->items[i]);
    }
}

/* --- properties that have their type from others ------------------------------------------------- */

static struct kp_irl_property *search_property(const struct kp_irl_declaration *declaration, const char *name,
                                               const struct kp_irl_property *except)
{
    for (size_t i = 0; i < declaration->properties.count; i++) {
        struct kp_irl_property *property = declaration->properties.items[i];
        if (property != except && !strcmp(property->name.text, name))
            return property;
    }
    return NULL;
}

static struct kp_irl_property *own_property(struct linker *linker,
                                            const struct kp_irl_declaration *declaration, const char *name,
                                            const struct kp_irl_property *except)
{
    const struct kp_irl_properties *own = &declaration->properties;
    if (own->count <= FEW)
        return search_property(declaration, name, except);
    struct kp_irl_names_table *table = &linker->tables[declaration->number].properties;
    /* From the last to the first, which is the one that counts. */
    for (size_t i = table->count ? 0 : own->count; i-- > 0;)
        *kp_irl_names_put(&linker->model->arena, table, own->items[i]->name.text) = own->items[i];
    struct kp_irl_property *found = kp_irl_names_get(table, name);
    return found && found == except ? search_property(declaration, name, except) : found;
}

static struct kp_irl_property *find_property(struct linker *linker, struct kp_irl_declaration *start,
                                             const char *name, const struct kp_irl_property *except)
{
    for (struct kp_irl_declaration *d = kp_irl_walk_begin(&linker->walk, start); d;
         d = kp_irl_walk_next(&linker->walk)) {
        struct kp_irl_property *found = own_property(linker, d, name, except);
        if (found)
            return found;
    }
    return NULL;
}

static const char *guess_property(struct linker *linker, struct kp_irl_declaration *start, const char *wanted)
{
    struct kp_irl_guess guess = {.wanted = wanted};
    if (!kp_irl_may_guess(linker->model))
        return "";
    for (struct kp_irl_declaration *d = kp_irl_walk_begin(&linker->walk, start); d;
         d = kp_irl_walk_next(&linker->walk))
        for (size_t i = 0; i < d->properties.count; i++)
            kp_irl_guess_offer(&guess, d->properties.items[i]->name.text);
    return kp_irl_guess_text(&linker->model->arena, &guess);
}

static void link_alias(struct linker *linker, struct kp_irl_property *property)
{
    const struct kp_irl_name *name = &property->alias_of;
    property->target = find_property(linker, property->owner, name->text, property);
    if (!property->target && !strcmp(name->text, property->name.text))
        kp_irl_say(linker->model, KP_IRL_021, name->span, "'%s' is an alias of itself", name->text);
    else if (!property->target)
        kp_irl_say(linker->model, KP_IRL_022, name->span, "'%s' has no property '%s'%s",
                   property->owner->name.text, name->text,
                   guess_property(linker, property->owner, name->text));
}

static void link_grouped(struct linker *linker, struct kp_irl_property *property)
{
    struct kp_irl_declaration *event = property->grouped_event.target;
    const struct kp_irl_name *name = &property->grouped_property;
    if (!event)
        return;
    property->target = find_property(linker, event, name->text, property);
    if (!property->target)
        kp_irl_say(linker->model, KP_IRL_022, name->span, "'%s' has no property '%s'%s", event->name.text,
                   name->text, guess_property(linker, event, name->text));
}

static bool has_own_type(const struct kp_irl_property *property)
{
    return property->form == KP_IRL_PROPERTY_PLAIN || property->form == KP_IRL_PROPERTY_PAYLOAD;
}

static const char *cycle_text(struct kp_arena *arena, const struct kp_irl_property *start)
{
    const char *text = start->name.text;
    size_t steps = 0;
    for (const struct kp_irl_property *p = start->target; p != start && steps < 8; p = p->target, steps++)
        text = kp_irl_format(arena, "%s -> %s", text, p->name.text);
    return kp_irl_format(arena, "%s%s -> %s", text, steps == 8 ? " -> ..." : "", start->name.text);
}

/* Follows a property to the one that has a type, and gives that to all on the way. */
static void settle_type(struct linker *linker, struct kp_irl_property *start)
{
    struct kp_irl_property *at = start;
    while (at && !at->resolved && !has_own_type(at)) {
        at->resolved = &type_in_progress;
        at = at->target;
    }
    const struct kp_irl_type *type = &unknown_type;
    if (at && at->resolved == &type_in_progress) {
        kp_irl_say(linker->model, KP_IRL_021,
                   at->form == KP_IRL_PROPERTY_ALIAS ? at->alias_of.span : at->grouped_property.span,
                   "'%s' has its type from itself: %s", at->name.text, cycle_text(&linker->model->arena, at));
    } else if (at) {
        if (!at->resolved)
            at->resolved = &at->type;
        type = at->resolved;
    }
    for (at = start; at && at->resolved == &type_in_progress; at = at->target)
        at->resolved = type;
}

/* --- values -------------------------------------------------------------------------------------- */

static struct kp_irl_constant *own_constant(struct linker *linker,
                                            const struct kp_irl_declaration *declaration, const char *name)
{
    const struct kp_irl_constants *own = &declaration->constants;
    if (own->count > FEW) {
        struct kp_irl_names_table *table = &linker->tables[declaration->number].constants;
        for (size_t i = table->count ? 0 : own->count; i-- > 0;)
            *kp_irl_names_put(&linker->model->arena, table, own->items[i]->name.text) = own->items[i];
        return kp_irl_names_get(table, name);
    }
    for (size_t i = 0; i < own->count; i++)
        if (!strcmp(own->items[i]->name.text, name))
            return own->items[i];
    return NULL;
}

static struct kp_irl_constant *find_constant(struct linker *linker, struct kp_irl_declaration *owner,
                                             const char *name)
{
    for (struct kp_irl_declaration *d = kp_irl_walk_begin(&linker->walk, owner); d;
         d = kp_irl_walk_next(&linker->walk)) {
        struct kp_irl_constant *found = own_constant(linker, d, name);
        if (found)
            return found;
    }
    return NULL;
}

static void guess_constant(struct linker *linker, struct kp_irl_declaration *owner,
                           struct kp_irl_guess *guess)
{
    for (struct kp_irl_declaration *d = kp_irl_walk_begin(&linker->walk, owner); d;
         d = kp_irl_walk_next(&linker->walk))
        for (size_t i = 0; i < d->constants.count; i++)
            kp_irl_guess_offer(guess, d->constants.items[i]->name.text);
}

static const struct kp_irl_literal *find_literal(const struct kp_irl_declaration *enumeration,
                                                 const char *name, struct kp_irl_guess *guess)
{
    for (size_t i = 0; i < enumeration->all_literals.count; i++) {
        if (!strcmp(enumeration->all_literals.items[i].name.text, name))
            return &enumeration->all_literals.items[i];
        if (guess)
            kp_irl_guess_offer(guess, enumeration->all_literals.items[i].name.text);
    }
    return NULL;
}

static void report_unknown_value(struct linker *linker, struct kp_irl_declaration *owner,
                                 const struct kp_irl_type *type, const struct kp_irl_value *value)
{
    struct kp_irl_guess guess = {.wanted = value->text};
    if (kp_irl_may_guess(linker->model)) {
        if (type->kind == KP_IRL_TYPE_ENUM)
            find_literal(type->reference.target, value->text, &guess);
        guess_constant(linker, owner, &guess);
    }
    const char *what = type->kind == KP_IRL_TYPE_ENUM
                           ? kp_irl_format(&linker->model->arena, "literal of '%s' or constant",
                                           type->reference.target->name.text)
                           : "constant";
    kp_irl_say(linker->model, KP_IRL_010, value->span, "unknown %s '%s'%s", what, value->text,
               kp_irl_guess_text(&linker->model->arena, &guess));
}

static void link_value(struct linker *linker, struct kp_irl_declaration *owner,
                       const struct kp_irl_type *type, struct kp_irl_value *value)
{
    for (size_t i = 0; value->kind == KP_IRL_VALUE_ARRAY && i < value->item_count; i++)
        link_value(linker, owner, type, &value->items[i]);
    if (value->kind != KP_IRL_VALUE_CONSTANT)
        return;
    if (type->kind == KP_IRL_TYPE_ENUM)
        value->literal = find_literal(type->reference.target, value->text, NULL);
    if (value->literal)
        value->kind = KP_IRL_VALUE_LITERAL;
    else
        value->constant = find_constant(linker, owner, value->text);
    if (!value->literal && !value->constant)
        report_unknown_value(linker, owner, type, value);
}

/* Constants that stand for themselves, by way of others: reported, and cut where the way closes. */
struct settling {
    struct kp_irl_model *model;
    unsigned depth;
};

static void settle_constant(struct settling *settling, struct kp_irl_constant *constant);

static void settle_value(struct settling *settling, struct kp_irl_value *value)
{
    for (size_t i = 0; value->kind == KP_IRL_VALUE_ARRAY && i < value->item_count; i++)
        settle_value(settling, &value->items[i]);
    if (value->kind != KP_IRL_VALUE_CONSTANT || !value->constant)
        return;
    struct kp_irl_constant *constant = (struct kp_irl_constant *)value->constant;
    if (constant->state == KP_IRL_SETTLING)
        kp_irl_say(settling->model, KP_IRL_021, value->span, "constant '%s' stands for itself",
                   constant->name.text);
    else if (settling->depth >= KP_IRL_MOST_CONSTANTS_DEEP)
        kp_irl_say(settling->model, KP_IRL_044, value->span, "more than %d constants stand for one another",
                   KP_IRL_MOST_CONSTANTS_DEEP);
    else {
        settle_constant(settling, constant);
        return;
    }
    value->constant = NULL;
}

static void settle_constant(struct settling *settling, struct kp_irl_constant *constant)
{
    if (constant->state == KP_IRL_SETTLED)
        return;
    constant->state = KP_IRL_SETTLING;
    settling->depth++;
    settle_value(settling, &constant->value);
    settling->depth--;
    constant->state = KP_IRL_SETTLED;
}

/* --- all of it ----------------------------------------------------------------------------------- */

static void link_targets(struct linker *linker, struct kp_irl_declaration *declaration)
{
    for (size_t i = 0; i < declaration->properties.count; i++) {
        struct kp_irl_property *property = declaration->properties.items[i];
        if (property->form == KP_IRL_PROPERTY_ALIAS)
            link_alias(linker, property);
        else if (property->form == KP_IRL_PROPERTY_GROUPED)
            link_grouped(linker, property);
    }
}

static void link_values(struct linker *linker, struct kp_irl_declaration *declaration)
{
    for (size_t i = 0; i < declaration->properties.count; i++) {
        struct kp_irl_property *property = declaration->properties.items[i];
        settle_type(linker, property);
        link_value(linker, declaration, property->resolved, &property->value);
    }
    for (size_t i = 0; i < declaration->constants.count; i++)
        link_value(linker, declaration, &declaration->constants.items[i]->type,
                   &declaration->constants.items[i]->value);
}

void kp_irl_link_members(struct kp_irl_model *model)
{
    struct linker linker = {.model = model, .walk = kp_irl_walk_create(model)};
    struct settling settling = {.model = model};
    const struct kp_irl_declarations *all = &model->ordered;
    linker.tables = kp_irl_get(&model->arena, (all->count + 1) * sizeof *linker.tables);
    list_all_literals(&linker);
    for (size_t i = 0; i < all->count; i++)
        link_targets(&linker, all->items[i]);
    for (size_t i = 0; i < all->count; i++)
        link_values(&linker, all->items[i]);
    for (size_t i = 0; i < all->count; i++)
        for (size_t j = 0; j < all->items[i]->constants.count; j++)
            settle_constant(&settling, all->items[i]->constants.items[j]);
}

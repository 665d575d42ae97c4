#include "gen_c.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "keywords.h"

/* Macros of the C library's headers, or that compilers have as they come; words that C++ thinks of. Sorted.
 */
static const char *const macros[] = {
    "EOF",  "NULL",  "assert",   "atomic_cancel", "atomic_commit", "atomic_noexcept", "errno",
    "i386", "linux", "offsetof", "stderr",        "stdin",         "stdout",          "unix",
};

static int compare_words(const void *word, const void *row)
{
    return strcmp(word, *(const char *const *)row);
}

static bool is_reserved(const char *name)
{
    return kp_irl_keyword(name) & (KP_IRL_IN_C | KP_IRL_IN_CPP) ||
           bsearch(name, macros, sizeof macros / sizeof *macros, sizeof *macros, compare_words);
}

/* The name, with as many `_` behind as make it one that is free; then it no longer is. */
static const char *take_name(struct kp_gen_c *gen, struct kp_irl_names_table *table, const char *name)
{
    for (;; name = kp_irl_format(&gen->arena, "%s_", name)) {
        if (is_reserved(name))
            continue;
        void **place = kp_irl_names_put(&gen->arena, table, name);
        if (*place)
            continue;
        *place = gen;
        return name;
    }
}

static const char *take(struct kp_gen_c *gen, const char *prefix, const char *suffix)
{
    return take_name(gen, &gen->taken, kp_irl_format(&gen->arena, "%s%s", prefix, suffix));
}

static const char *change(struct kp_gen_c *gen, const char *text, char from, char to)
{
    char *changed = kp_irl_copy(&gen->arena, text, strlen(text));
    for (char *at = changed; *at; at++)
        if (*at == from)
            *at = to;
    return changed;
}

static const char *upper(struct kp_gen_c *gen, const char *text)
{
    char *changed = kp_irl_copy(&gen->arena, text, strlen(text));
    for (char *at = changed; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return changed;
}

bool kp_gen_c_is_wanted(const struct kp_irl_declaration *declaration)
{
    return declaration->kind == KP_IRL_ENUM || (declaration->kind == KP_IRL_EVENT && !declaration->abstract);
}

struct kp_gen_c_names *kp_gen_c_names_of(struct kp_gen_c *gen, const struct kp_irl_declaration *declaration)
{
    return &gen->names[declaration->number];
}

static void name_type(struct kp_gen_c *gen, const struct kp_irl_declaration *declaration)
{
    struct kp_gen_c_names *names = kp_gen_c_names_of(gen, declaration);
    const char *package = declaration->package;
    const char *root = "", *folder = "", *prefix = "";
    if (*package) {
        prefix = kp_irl_format(&gen->arena, "%s_", change(gen, package, '.', '_'));
        folder = kp_irl_format(&gen->arena, "%s/", change(gen, package, '.', '/'));
    }
    for (const char *slash = strchr(folder, '/'); slash; slash = strchr(slash + 1, '/'))
        root = kp_irl_format(&gen->arena, "../%s", root);
    names->folder = folder;
    names->root = root;
    names->file = kp_irl_name_file(&gen->arena, declaration->name.text);
    names->type = take(gen, prefix, names->file);
    names->upper = upper(gen, names->type);
}

static void name_enum(struct kp_gen_c *gen, const struct kp_irl_declaration *enumeration)
{
    struct kp_gen_c_names *names = kp_gen_c_names_of(gen, enumeration);
    size_t count = enumeration->all_literals.count;
    names->class_macro = take(gen, names->upper, "_CLASS");
    names->count_macro = take(gen, names->upper, "_COUNT");
    names->values = take(gen, names->type, "_values");
    names->literal_names = take(gen, names->type, "_names");
    names->description = take(gen, names->type, "_type");
    names->literals = kp_irl_get(&gen->arena, (count + 1) * sizeof *names->literals);
    const char *prefix = kp_irl_format(&gen->arena, "%s_", names->upper);
    for (size_t i = 0; i < count; i++)
        names->literals[i] = take(gen, prefix, enumeration->all_literals.items[i].name.text);
}

static void describe_member(struct kp_gen_c_member *member, const struct kp_irl_property *property,
                            bool travels)
{
    const struct kp_irl_type *type = property->resolved;
    *member = (struct kp_gen_c_member){.property = property, .type = type, .travels = travels, .fixed = 1};
    for (size_t i = 0; i < type->dimension_count; i++) {
        if (type->dimensions[i] == KP_IRL_DYNAMIC)
            member->dynamic_count++;
        else
            member->fixed *= (uint64_t)type->dimensions[i];
    }
    member->dynamic = member->dynamic_count;
}

static void name_sizes(struct kp_gen_c *gen, struct kp_irl_names_table *taken, struct kp_gen_c_member *member)
{
    member->sizes = kp_irl_get(&gen->arena, member->type->dimension_count * sizeof *member->sizes);
    for (size_t i = 0; i < member->type->dimension_count; i++)
        if (member->type->dimensions[i] == KP_IRL_DYNAMIC)
            member->sizes[i] = take_name(
                gen, taken, kp_irl_format(&gen->arena, "%s_size%zu", member->property->name.text, i));
}

static void name_members(struct kp_gen_c *gen, const struct kp_irl_declaration *event)
{
    struct kp_gen_c_names *names = kp_gen_c_names_of(gen, event);
    const struct kp_irl_properties *data = &event->layout.data, *wire = &event->layout.wire;
    struct kp_irl_names_table taken = {0};
    size_t travelling = 0;
    names->member_count = data->count;
    names->members = kp_irl_get(&gen->arena, (data->count + 1) * sizeof *names->members);
    for (size_t i = 0; i < data->count; i++) {
        bool travels = travelling < wire->count && wire->items[travelling] == data->items[i];
        travelling += travels;
        describe_member(&names->members[i], data->items[i], travels);
        names->members[i].name = take_name(gen, &taken, data->items[i]->name.text);
    }
    for (size_t i = 0; i < data->count; i++) {
        struct kp_gen_c_member *member = &names->members[i];
        name_sizes(gen, &taken, member);
        if (member->dynamic && kp_gen_c_shape(member->type, &member->property->value, NULL))
            member->default_at = take(gen, kp_irl_format(&gen->arena, "%s_", names->type),
                                      kp_irl_format(&gen->arena, "%s_default", member->property->name.text));
    }
}

static void name_event(struct kp_gen_c *gen, const struct kp_irl_declaration *event)
{
    struct kp_gen_c_names *names = kp_gen_c_names_of(gen, event);
    names->serialize = take(gen, names->type, "_serialize");
    names->class_macro = take(gen, names->upper, "_CLASS");
    names->min_size_macro = take(gen, names->upper, "_MIN_SIZE");
    names->init_macro = take(gen, names->upper, "_INIT");
    names->init = take(gen, names->type, "_init");
    names->write_binary = take(gen, names->type, "_write_binary");
    names->read_binary = take(gen, names->type, "_read_binary");
    names->write_text = take(gen, names->type, "_write_text");
    names->read_text = take(gen, names->type, "_read_text");
    names->description = take(gen, names->type, "_type");
    names->fields = take(gen, names->type, "_fields");
    names->constants = kp_irl_get(&gen->arena, (event->constants.count + 1) * sizeof *names->constants);
    const char *prefix = kp_irl_format(&gen->arena, "%s_", names->upper);
    for (size_t i = 0; i < event->constants.count; i++)
        names->constants[i] = take(gen, prefix, event->constants.items[i]->name.text);
    name_members(gen, event);
}

/* Types first: what is made of the name of one gives way to another type. Files for reference are named as
 * well: records refer to their enums. */
void kp_gen_c_name_all(struct kp_gen_c *gen)
{
    const struct kp_irl_declarations *all = &gen->model->ordered;
    gen->names = kp_irl_get(&gen->arena, (all->count + 1) * sizeof *gen->names);
    for (size_t i = 0; i < all->count; i++)
        if (kp_gen_c_is_wanted(all->items[i]) && !all->items[i]->shadowed_by)
            name_type(gen, all->items[i]);
    for (size_t i = 0; i < all->count; i++) {
        const struct kp_irl_declaration *declaration = all->items[i];
        if (!kp_gen_c_is_wanted(declaration) || declaration->shadowed_by)
            continue;
        if (declaration->kind == KP_IRL_ENUM)
            name_enum(gen, declaration);
        else if (declaration->file->is_input)
            name_event(gen, declaration);
    }
}

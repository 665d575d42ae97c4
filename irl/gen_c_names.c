#include "gen_c.h"

#include <ctype.h>
#include <string.h>

#include "keywords.h"

/* Macros of the headers that generated ones include, or that compilers have as they come; words that C++
 * thinks of. */
static const char macros[] =
    "BIG_ENDIAN BYTE_ORDER EOF EXIT_FAILURE EXIT_SUCCESS FD_SETSIZE FP_ILOGB0 FP_ILOGBNAN FP_INFINITE "
    "FP_NAN FP_NORMAL FP_SUBNORMAL FP_ZERO HUGE HUGE_VAL HUGE_VALF HUGE_VALL INFINITY INT16_MAX "
    "INT16_MIN INT32_MAX INT32_MIN INT64_MAX INT64_MIN INT8_MAX INT8_MIN INTMAX_MAX INTMAX_MIN "
    "INTPTR_MAX INTPTR_MIN INT_FAST16_MAX INT_FAST16_MIN INT_FAST32_MAX INT_FAST32_MIN INT_FAST64_MAX "
    "INT_FAST64_MIN INT_FAST8_MAX INT_FAST8_MIN INT_LEAST16_MAX INT_LEAST16_MIN INT_LEAST32_MAX "
    "INT_LEAST32_MIN INT_LEAST64_MAX INT_LEAST64_MIN INT_LEAST8_MAX INT_LEAST8_MIN LITTLE_ENDIAN "
    "MATH_ERREXCEPT MATH_ERRNO MB_CUR_MAX M_1_PI M_2_PI M_2_SQRTPI M_E M_LN10 M_LN2 M_LOG10E M_LOG2E "
    "M_PI M_PI_2 M_PI_4 M_SQRT1_2 M_SQRT2 NAN NFDBITS NULL PDP_ENDIAN PTRDIFF_MAX PTRDIFF_MIN "
    "RAND_MAX SIG_ATOMIC_MAX SIG_ATOMIC_MIN SIZE_MAX UINT16_MAX UINT32_MAX UINT64_MAX UINT8_MAX "
    "UINTMAX_MAX UINTPTR_MAX UINT_FAST16_MAX UINT_FAST32_MAX UINT_FAST64_MAX UINT_FAST8_MAX "
    "UINT_LEAST16_MAX UINT_LEAST32_MAX UINT_LEAST64_MAX UINT_LEAST8_MAX WCHAR_MAX WCHAR_MIN "
    "WCONTINUED WEXITED WINT_MAX WINT_MIN WNOHANG WNOWAIT WSTOPPED WUNTRACED assert atomic_cancel "
    "atomic_commit atomic_noexcept errno i386 linux math_errhandling offsetof stderr stdin stdout "
    "unix";

static bool is_reserved(const char *name)
{
    return kp_irl_keyword(name) & (KP_IRL_IN_C | KP_IRL_IN_CPP) || kp_irl_name_is_among(macros, name);
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

/* Names, types and values of models as Python writes them. */
#include <string.h>

#include "gen_python.h"
#include "keywords.h"

/* What generated modules and classes call by these names. */
static const char used_words[] =
    "self cls serializer deserializer record item super property classmethod staticmethod int float bool str "
    "object "
    "tuple enumerate kieker_record typing enum annotations serialize deserialize logging_timestamp "
    "JAVA_CLASS VALUE_NAMES TYPES ATTRIBUTES SIZE _compared";

/* What int and the classes of the module enum have; a literal of such a name would hide it, or be refused. */
static const char enum_words[] = "mro name value names values ordinal from_ordinal real imag numerator "
                                 "denominator conjugate bit_length bit_count "
                                 "to_bytes from_bytes as_integer_ratio is_integer";

static bool is_keyword(const char *name)
{
    return kp_irl_keyword(name) & KP_IRL_IN_PYTHON;
}

const struct kp_irl_names_table *kp_irl_python_reserved(struct kp_arena *arena)
{
    struct kp_irl_names_table *table = kp_irl_get(arena, sizeof *table);
    *table = kp_irl_script_words(arena, used_words);
    return table;
}

static const char *part_of_path(struct kp_arena *arena, const char *name)
{
    return is_keyword(name) ? kp_irl_format(arena, "%s_", name) : name;
}

char *kp_irl_python_module(struct kp_arena *arena, const struct kp_irl_declaration *declaration)
{
    return kp_irl_script_path(arena, declaration->full_name, ".", part_of_path);
}

const char *kp_irl_python_class(struct kp_arena *arena, const struct kp_irl_declaration *declaration)
{
    const char *name = declaration->name.text;
    return is_keyword(name) || kp_irl_name_is_among(used_words, name) ? kp_irl_format(arena, "%s_", name)
                                                                      : name;
}

const char *kp_irl_python_literal(struct kp_arena *arena, const char *name)
{
    /* The enum module keeps names with underscores at both ends, the language those with two at the front. */
    if (name[0] == '_')
        return kp_irl_format(arena, "x%s", name);
    return is_keyword(name) || kp_irl_name_is_among(enum_words, name) ? kp_irl_format(arena, "%s_", name)
                                                                      : name;
}

const char *kp_irl_python_attribute(struct kp_arena *arena, const char *name)
{
    const char *snake = kp_irl_name_snake(arena, name);
    /* Two at the front: private to the class that the text stands in. */
    if (snake[0] == '_' && snake[1] == '_')
        snake = kp_irl_format(arena, "x%s", snake);
    return is_keyword(snake) || kp_irl_name_is_among(used_words, snake) ? kp_irl_format(arena, "%s_", snake)
                                                                        : snake;
}

static const struct {
    const char *hint, *kind, *neutral;
} base_words[KP_IRL_BASE_COUNT] = {
    [KP_IRL_BOOLEAN] = {"bool", "boolean", "False"},
    [KP_IRL_BYTE] = {"int", "byte", "0"},
    [KP_IRL_CHAR] = {"str", "char", "\" \""},
    [KP_IRL_SHORT] = {"int", "short", "0"},
    [KP_IRL_INT] = {"int", "int", "0"},
    [KP_IRL_LONG] = {"int", "long", "0"},
    [KP_IRL_FLOAT] = {"float", "float", "0.0"},
    [KP_IRL_DOUBLE] = {"float", "double", "0.0"},
    [KP_IRL_STRING] = {"str", "string", "\"\""},
};

const char *kp_irl_python_kind(const struct kp_irl_type *type)
{
    return base_words[type->kind == KP_IRL_TYPE_BASE ? type->base : KP_IRL_INT].kind;
}

static const char *class_of_enum(const struct kp_irl_python *module, const struct kp_irl_type *type)
{
    const char *name = kp_irl_names_get(&module->imports, type->reference.target->full_name);
    return name ? name : "int";
}

const char *kp_irl_python_hint(struct kp_irl_python *module, const struct kp_irl_type *type)
{
    /* Members of templates that only describe payload may be of any kind. */
    const char *hint = "typing.Any";
    if (type->kind == KP_IRL_TYPE_BASE)
        hint = base_words[type->base].hint;
    else if (type->kind == KP_IRL_TYPE_ENUM)
        hint = class_of_enum(module, type);
    for (size_t i = 0; i < type->dimension_count; i++)
        hint = kp_irl_format(module->arena, "typing.List[%s]", hint);
    return hint;
}

const char *kp_irl_python_shape(struct kp_arena *arena, const struct kp_irl_type *type)
{
    struct kp_irl_script_text shape = {.arena = arena};
    for (size_t i = 0; i < type->dimension_count; i++)
        kp_irl_script_add(&shape,
                          kp_irl_format(arena, i ? ", %lld" : "(%lld", (long long)type->dimensions[i]));
    kp_irl_script_add(&shape, type->dimension_count == 1 ? ",)" : ")");
    return kp_irl_script_end(&shape);
}

static const char *string_text(struct kp_arena *arena, const char *text, size_t bytes)
{
    /* A byte becomes four characters at most ("\x01"), four bytes of UTF-8 become ten. */
    char *string = kp_irl_get(arena, 4 * bytes + 3), *at = string;
    *at++ = '"';
    for (const char *end = text + bytes; text < end;) {
        uint32_t c = kp_irl_script_character(&text, end);
        if (c == '"' || c == '\\')
            at += sprintf(at, "\\%c", (int)c);
        else if (c >= ' ' && c < 0x7f)
            *at++ = (char)c;
        else
            at += sprintf(at,
                          c == '\n'     ? "\\n"
                          : c < 0x100   ? "\\x%02x"
                          : c < 0x10000 ? "\\u%04x"
                                        : "\\U%08x",
                          c);
    }
    strcpy(at, "\"");
    return string;
}

static void add_array(struct kp_irl_script_text *text, struct kp_irl_python *module,
                      const struct kp_irl_type *type, const struct kp_irl_value *array)
{
    kp_irl_script_add(text, "[");
    for (size_t i = 0; i < array->item_count; i++) {
        const struct kp_irl_value *item = kp_irl_value_follow(&array->items[i]);
        kp_irl_script_add(text, i ? ", " : "");
        if (item->kind == KP_IRL_VALUE_ARRAY)
            add_array(text, module, type, item);
        else
            kp_irl_script_add(text, kp_irl_python_value(module, type, item));
    }
    kp_irl_script_add(text, "]");
}

static const char *enum_member(struct kp_irl_python *module, const struct kp_irl_type *type,
                               const char *literal)
{
    return kp_irl_format(module->arena, "%s.%s", class_of_enum(module, type),
                         kp_irl_python_literal(module->arena, literal));
}

static const char *neutral(struct kp_irl_python *module, const struct kp_irl_type *type)
{
    const char *element =
        type->kind == KP_IRL_TYPE_ENUM
            ? enum_member(module, type, type->reference.target->all_literals.items[0].name.text)
            : base_words[type->base].neutral;
    if (!type->dimension_count)
        return element;
    if (type->dimensions[0] == KP_IRL_DYNAMIC)
        return "[]";
    return kp_irl_format(module->arena, "kieker_record.filled(%s, %s)",
                         kp_irl_python_shape(module->arena, type), element);
}

const char *kp_irl_python_value(struct kp_irl_python *module, const struct kp_irl_type *type,
                                const struct kp_irl_value *value)
{
    value = kp_irl_value_follow(value);
    struct kp_irl_script_text array = {.arena = module->arena};
    bool fraction =
        type->kind == KP_IRL_TYPE_BASE && (type->base == KP_IRL_FLOAT || type->base == KP_IRL_DOUBLE);
    switch (value->kind) {
    case KP_IRL_VALUE_STRING:
        return string_text(module->arena, value->text, value->text_bytes);
    case KP_IRL_VALUE_INT:
        if (!fraction)
            return kp_irl_format(module->arena, "%lld", (long long)value->integer);
        return kp_irl_script_float(module->arena, value);
    case KP_IRL_VALUE_FLOAT:
        return kp_irl_script_float(module->arena, value);
    case KP_IRL_VALUE_BOOLEAN:
        return value->boolean ? "True" : "False";
    case KP_IRL_VALUE_VERSION:
        return "kieker_record.KIEKER_VERSION";
    case KP_IRL_VALUE_LITERAL:
        return enum_member(module, type, value->text);
    case KP_IRL_VALUE_ARRAY:
        add_array(&array, module, type, value);
        return kp_irl_script_end(&array);
    default:
        return neutral(module, type);
    }
}

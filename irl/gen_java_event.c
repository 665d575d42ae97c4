/* The class of an event; its members stand in the order of spec/irl.md 2.1. */
#include <inttypes.h>
#include <string.h>

#include "gen_java.h"

/* Parameters that a method of Java may have, `this` among them; a long or a double counts twice. */
#define MOST_PARAMETERS 255

typedef const struct kp_irl_properties *properties;

static bool is_array(const struct kp_irl_property *property)
{
    return property->resolved->dimension_count;
}

static bool is_plain_string(const struct kp_irl_property *property)
{
    return kp_java_is_base(property->resolved, KP_IRL_STRING) && !is_array(property);
}

static bool is_parameter(const struct kp_irl_property *property)
{
    return !(property->transient && property->auto_increment);
}

static bool has_default_constant(const struct kp_irl_property *property)
{
    return property->value.kind != KP_IRL_VALUE_NONE || is_plain_string(property);
}

static const char *default_constant(struct kp_java_file *file, const struct kp_irl_property *property)
{
    return kp_java_name(&file->arena, kp_irl_name_constant(&file->arena, property->name.text));
}

/* The field, and the parameter that sets it: the property's name, if no constant of the class has it. A name
 * like those of classes would hide the class. */
static const char *field_name(struct kp_java_file *file, const struct kp_irl_property *property)
{
    const char *name = kp_java_name(&file->arena, property->name.text);
    static const char *const fixed[] = {"SIZE", "TYPES", "VALUE_NAMES", "serialVersionUID"};
    bool is_taken = !strcmp(name, default_constant(file, property)) || (*name >= 'A' && *name <= 'Z');
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        is_taken |= !strcmp(name, fixed[i]);
    const struct kp_irl_constants *constants = &file->declaration->constants;
    for (size_t i = 0; i < constants->count; i++)
        is_taken |= !strcmp(name, constants->items[i]->name.text);
    return is_taken ? kp_irl_format(&file->arena, "_%s", name) : name;
}

/* --- constants ------------------------------------------------------------------------------------ */

/* " // Owner.property", behind a value that stands for it */
static void print_origin(struct kp_java_file *file, const struct kp_irl_property *property)
{
    fprintf(file->body, " // %s.%s\n", property->owner->name.text, property->name.text);
}

static void print_size_term(struct kp_java_file *file, const struct kp_irl_property *property)
{
    const struct kp_irl_type *type = property->resolved;
    int64_t elements = 1, lengths = 0;
    for (size_t i = 0; i < type->dimension_count; i++)
        if (type->dimensions[i] == KP_IRL_DYNAMIC)
            lengths++;
        else
            elements *= type->dimensions[i];
    const char *wire = kp_java_is_base(type, KP_IRL_CHAR) ? "CHARACTER"
                       : type->kind == KP_IRL_TYPE_BASE
                           ? kp_irl_name_constant(&file->arena, kp_irl_bases[type->base].name)
                           : "INT";
    if (lengths > 1)
        fprintf(file->body, "%" PRId64 " * TYPE_SIZE_INT", lengths);
    else if (lengths)
        fputs("TYPE_SIZE_INT", file->body);
    else if (is_array(property))
        fprintf(file->body, "%" PRId64 " * TYPE_SIZE_%s", elements, wire);
    else
        fprintf(file->body, "TYPE_SIZE_%s", wire);
}

static void print_size(struct kp_java_file *file, properties wire)
{
    fputs("\t/** The fewest bytes that a serialized record has. */\n\tpublic static final int SIZE = ",
          file->body);
    if (!wire->count || kp_irl_minimum_bytes(file->declaration) > INT32_MAX) {
        fprintf(file->body, "%d;\n", wire->count ? INT32_MAX : 0);
        return;
    }
    for (size_t i = 0; i < wire->count; i++) {
        fputs(i ? "\t\t + " : "", file->body);
        print_size_term(file, wire->items[i]);
        print_origin(file, wire->items[i]);
    }
    fputs("\t;\n", file->body);
}

static void print_types(struct kp_java_file *file, properties wire)
{
    fprintf(file->body, "\n\tpublic static final %s<?>[] TYPES = {\n", kp_java_use(file, "java.lang.Class"));
    for (size_t i = 0; i < wire->count; i++) {
        fprintf(file->body, "\t\t%s.class,", kp_java_type(file, wire->items[i]->resolved));
        print_origin(file, wire->items[i]);
    }
    fputs("\t};\n\n", file->body);
}

static void print_value_names(struct kp_java_file *file, properties wire)
{
    fprintf(file->body, "\tpublic static final %s[] VALUE_NAMES = {\n",
            kp_java_use(file, "java.lang.String"));
    for (size_t i = 0; i < wire->count; i++)
        fprintf(file->body, "\t\t\"%s\",\n", wire->items[i]->name.text);
    fputs("\t};\n\n", file->body);
}

static void print_default_constants(struct kp_java_file *file, properties declared)
{
    for (size_t i = 0; i < declared->count; i++) {
        const struct kp_irl_property *property = declared->items[i];
        if (!has_default_constant(property))
            continue;
        fprintf(file->body, "\tpublic static final %s %s = ", kp_java_type(file, property->resolved),
                default_constant(file, property));
        if (property->value.kind == KP_IRL_VALUE_NONE)
            fputs("\"\"", file->body);
        else
            kp_java_value(file, property->resolved, &property->value, false, true);
        fputs(";\n", file->body);
    }
}

/* --- what can be changed -------------------------------------------------------------------------- */

bool kp_java_template_sets(const struct kp_irl_property *property)
{
    if (property->form == KP_IRL_PROPERTY_ALIAS)
        return property->changeable && property->target && kp_java_template_sets(property->target);
    return property->changeable && !property->auto_increment;
}

/* The properties that the event's templates have setters for. */
static struct kp_irl_properties list_settable(struct kp_java *run, struct kp_arena *arena,
                                              const struct kp_irl_declaration *event)
{
    struct kp_irl_properties settable = {0};
    struct kp_irl_declarations templates = kp_java_lineage(run, arena, event, false);
    for (size_t i = 0; i < templates.count; i++) {
        properties own = &templates.items[i]->layout.own;
        for (size_t j = 0; j < own->count; j++)
            if (kp_java_template_sets(own->items[j]))
                KP_IRL_APPEND(arena, &settable, own->items[j]);
    }
    return settable;
}

static const struct kp_irl_property *find_named(properties list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->items[i]->name.text, name))
            return list->items[i];
    return NULL;
}

/* A class has a setter also when only a template says so that was not the first to name the property. */
static bool is_changeable(properties settable, const struct kp_irl_property *property)
{
    if (property->form == KP_IRL_PROPERTY_ALIAS || property->auto_increment)
        return kp_java_template_sets(property);
    return property->changeable || find_named(settable, property->name.text);
}

/* --- fields and constructors ---------------------------------------------------------------------- */

static void print_fields(struct kp_java_file *file, properties declared)
{
    fprintf(file->body, "\tprivate static final long serialVersionUID = %" PRId64 "L;\n",
            kp_irl_uid(file->declaration));
    for (size_t i = 0; i < declared->count; i++) {
        const struct kp_irl_property *property = declared->items[i];
        bool is_final = !property->auto_increment && !is_changeable(&file->settable, property);
        /* Its getter counts; derived classes have to write it without that. */
        bool is_shared = property->auto_increment && !property->transient;
        fprintf(file->body, "%s\t%s %s%s %s", i ? "" : "\n", is_shared ? "protected" : "private",
                is_final ? "final " : "", kp_java_type(file, property->resolved), field_name(file, property));
        if (property->auto_increment && has_default_constant(property))
            fprintf(file->body, " = %s", default_constant(file, property));
        fputs(";\n", file->body);
    }
}

static bool fits_parameters(properties data)
{
    unsigned slots = 1;
    for (size_t i = 0; i < data->count; i++) {
        const struct kp_irl_type *type = data->items[i]->resolved;
        bool is_wide = !type->dimension_count &&
                       (kp_java_is_base(type, KP_IRL_LONG) || kp_java_is_base(type, KP_IRL_DOUBLE));
        slots += is_parameter(data->items[i]) ? 1 + is_wide : 0;
    }
    return slots <= MOST_PARAMETERS;
}

/* What a null stands for: the default of a property. */
static void print_null_default(struct kp_java_file *file, const struct kp_irl_property *property)
{
    if (is_array(property)) /* a new one: the constant's elements may be changed */
        kp_java_value(file, property->resolved, &property->value, true, false);
    else if (property->value.kind == KP_IRL_VALUE_CONSTANT)
        kp_java_value(file, property->resolved, &property->value, false, false);
    else
        fputs(default_constant(file, property), file->body);
}

static void print_assignment(struct kp_java_file *file, const struct kp_irl_property *property)
{
    const char *name = field_name(file, property);
    bool is_checked = kp_java_array_needs_check(property->resolved);
    fprintf(file->body, "\t\tthis.%s = ", name);
    if (is_checked)
        fprintf(file->body, "check%s(", kp_java_capital(&file->arena, property->name.text));
    if (kp_java_is_object(property->resolved) && has_default_constant(property)) {
        fprintf(file->body, "%s == null ? ", name);
        print_null_default(file, property);
        fprintf(file->body, " : %s", name);
    } else {
        fputs(name, file->body);
    }
    fputs(is_checked ? ");\n" : ";\n", file->body);
}

static void print_parameters(struct kp_java_file *file, properties data)
{
    const char *separator = "";
    for (size_t i = 0; i < data->count; i++)
        if (is_parameter(data->items[i])) {
            fprintf(file->body, "%sfinal %s %s", separator, kp_java_type(file, data->items[i]->resolved),
                    field_name(file, data->items[i]));
            separator = ", ";
        }
}

static void print_parameter_comment(struct kp_java_file *file, properties data)
{
    fputs("\n\t/**\n\t * Creates a record of the given values.\n\t *\n", file->body);
    for (size_t i = 0; i < data->count; i++)
        if (is_parameter(data->items[i])) {
            const char *name = field_name(file, data->items[i]);
            fprintf(file->body, "\t * @param %s\n\t *            %s\n", name, data->items[i]->name.text);
        }
    fputs("\t */\n", file->body);
}

static void print_constructor(struct kp_java_file *file)
{
    const struct kp_irl_declaration *event = file->declaration, *parent = event->parent.target;
    const struct kp_irl_layout *layout = &event->layout;
    if (!fits_parameters(&layout->data)) {
        fputs("\n\t/* More values than a constructor of Java can take: records are read only. */\n",
              file->body);
        return;
    }
    print_parameter_comment(file, &layout->data);
    fprintf(file->body, "\tpublic %s(", file->class_name);
    print_parameters(file, &layout->data);
    fputs(") {\n", file->body);
    if (parent) {
        const char *separator = "";
        fputs("\t\tsuper(", file->body);
        for (size_t i = 0; i < parent->layout.data.count; i++)
            if (is_parameter(parent->layout.data.items[i])) {
                fprintf(file->body, "%s%s", separator, field_name(file, parent->layout.data.items[i]));
                separator = ", ";
            }
        fputs(");\n", file->body);
    }
    for (size_t i = 0; i < layout->declared.count; i++)
        if (is_parameter(layout->declared.items[i]))
            print_assignment(file, layout->declared.items[i]);
    fputs("\t}\n", file->body);
}

static void print_reading_constructor(struct kp_java_file *file)
{
    FILE *out = file->body;
    properties declared = &file->declaration->layout.declared;
    const char *exception = kp_java_use(file, KP_JAVA_INSTANTIATION);
    fprintf(
        out,
        "\n\t/**\n\t * Reads a record.\n\t *\n\t * @param deserializer\n\t *            gives the values\n"
        "\t * @throws %s\n\t *             when they are none of such a record\n\t */\n",
        exception);
    fprintf(out, "\tpublic %s(final %s deserializer) throws %s {\n", file->class_name,
            kp_java_use(file, KP_JAVA_DESERIALIZER), exception);
    if (file->declaration->parent.target)
        fputs("\t\tsuper(deserializer);\n", out);
    for (size_t i = 0; i < declared->count; i++) {
        const struct kp_irl_property *property = declared->items[i];
        const struct kp_irl_type *type = property->resolved;
        if (property->transient && property->auto_increment)
            continue; /* it starts as it does in any new object */
        fprintf(out, "\t\tthis.%s = ", field_name(file, property));
        if (property->transient)
            kp_java_neutral(file, type);
        else if (type->dimension_count)
            fprintf(out, "deserialize%s(deserializer)", kp_java_capital(&file->arena, property->name.text));
        else if (type->kind == KP_IRL_TYPE_ENUM)
            fprintf(out, "deserializer.getEnumeration(%s.class)", kp_java_element_type(file, type));
        else
            fprintf(out, "deserializer.get%s()", kp_java_wire_name(type));
        fputs(";\n", out);
    }
    fputs("\t}\n", out);
}

/* --- methods that every record has ---------------------------------------------------------------- */

/* "this.getX()". The getter of a property that counts would change it. */
static const char *read_of(struct kp_java_file *file, const char *object,
                           const struct kp_irl_property *property)
{
    if (property->auto_increment)
        return kp_irl_format(&file->arena, "%s.%s", object, field_name(file, property));
    return kp_irl_format(&file->arena, "%s.%s()", object, kp_java_getter(&file->arena, property));
}

static void print_serialize(struct kp_java_file *file, properties wire)
{
    FILE *out = file->body;
    kp_java_override(file);
    fprintf(out, "\tpublic void serialize(final %s serializer) throws %s {\n",
            kp_java_use(file, KP_JAVA_SERIALIZER), kp_java_use(file, "java.nio.BufferOverflowException"));
    for (size_t i = 0; i < wire->count; i++) {
        const struct kp_irl_property *property = wire->items[i];
        const char *value = read_of(file, "this", property);
        if (is_array(property))
            fprintf(out, "\t\tserialize%s(serializer, %s);\n",
                    kp_java_capital(&file->arena, property->name.text), value);
        else
            fprintf(out, "\t\tserializer.put%s(%s%s);\n", kp_java_wire_name(property->resolved), value,
                    property->resolved->kind == KP_IRL_TYPE_ENUM ? ".ordinal()" : "");
    }
    fputs("\t}\n", out);
}

static void print_metadata_methods(struct kp_java_file *file)
{
    kp_java_override(file);
    fprintf(file->body, "\tpublic %s<?>[] getValueTypes() {\n\t\treturn TYPES;\n\t}\n",
            kp_java_use(file, "java.lang.Class"));
    kp_java_override(file);
    fprintf(file->body, "\tpublic %s[] getValueNames() {\n\t\treturn VALUE_NAMES;\n\t}\n",
            kp_java_use(file, "java.lang.String"));
    kp_java_override(file);
    fputs("\tpublic int getSize() {\n\t\treturn SIZE;\n\t}\n", file->body);
}

/* A condition that is true when the property differs. */
static void print_difference(struct kp_java_file *file, const struct kp_irl_property *property)
{
    const struct kp_irl_type *type = property->resolved;
    const char *mine = read_of(file, "this", property), *theirs = read_of(file, "castedRecord", property);
    if (kp_java_array_needs_equal(type))
        fprintf(file->body, "!isEqual%s(%s, %s)", kp_java_capital(&file->arena, property->name.text), mine,
                theirs);
    else if (is_array(property))
        fprintf(file->body, "!%s.%s(%s, %s)", kp_java_use(file, "java.util.Arrays"),
                type->dimension_count > 1 ? "deepEquals" : "equals", mine, theirs);
    else if (kp_java_is_base(type, KP_IRL_FLOAT) || kp_java_is_base(type, KP_IRL_DOUBLE))
        fprintf(file->body, "isNotEqual(%s, %s)", mine, theirs);
    else if (kp_java_is_object(type))
        fprintf(file->body, "!%s.equals(%s, %s)", kp_java_use(file, "java.util.Objects"), mine, theirs);
    else
        fprintf(file->body, "%s != %s", mine, theirs);
}

static void print_equals(struct kp_java_file *file, properties wire)
{
    FILE *out = file->body;
    kp_java_override(file);
    fprintf(out,
            "\tpublic boolean equals(final %s obj) {\n"
            "\t\tif (obj == this) {\n\t\t\treturn true;\n\t\t}\n"
            "\t\tif (obj == null || obj.getClass() != this.getClass()) {\n\t\t\treturn false;\n\t\t}\n"
            "\t\tfinal %s castedRecord = (%s) obj;\n"
            "\t\tif (this.getLoggingTimestamp() != castedRecord.getLoggingTimestamp()) {\n\t\t\treturn "
            "false;\n\t\t}\n",
            kp_java_use(file, "java.lang.Object"), file->class_name, file->class_name);
    for (size_t i = 0; i < wire->count; i++) {
        fputs("\t\tif (", out);
        print_difference(file, wire->items[i]);
        fputs(") {\n\t\t\treturn false;\n\t\t}\n", out);
    }
    fputs("\t\treturn true;\n\t}\n", out);
}

static void print_hash_term(struct kp_java_file *file, const struct kp_irl_property *property)
{
    const struct kp_irl_type *type = property->resolved;
    const char *value = read_of(file, "this", property);
    if (is_array(property))
        fprintf(file->body, "%s.%s(%s)", kp_java_use(file, "java.util.Arrays"),
                type->dimension_count > 1 ? "deepHashCode" : "hashCode", value);
    else if (kp_java_is_object(type))
        fprintf(file->body, "%s.hashCode(%s)", kp_java_use(file, "java.util.Objects"), value);
    else if (kp_java_is_base(type, KP_IRL_LONG))
        fprintf(file->body, "%s.hashCode(%s)", kp_java_use(file, "java.lang.Long"), value);
    else if (kp_java_is_base(type, KP_IRL_BOOLEAN))
        fprintf(file->body, "(%s ? 1 : 0)", value);
    else
        fputs(value, file->body);
}

static void print_hash_code(struct kp_java_file *file, properties wire)
{
    kp_java_override(file);
    /* Enums differ in their hashes from run to run, but not in one. */
    fputs("\tpublic int hashCode() {\n\t\tint code = 0;\n", file->body);
    for (size_t i = 0; i < wire->count; i++) {
        const struct kp_irl_type *type = wire->items[i]->resolved;
        /* Records are equal within a tolerance; equal records must have equal codes. */
        if (kp_java_is_base(type, KP_IRL_FLOAT) || kp_java_is_base(type, KP_IRL_DOUBLE))
            continue;
        fputs("\t\tcode = 31 * code + ", file->body);
        print_hash_term(file, wire->items[i]);
        fputs(";\n", file->body);
    }
    fputs("\t\treturn code;\n\t}\n", file->body);
}

static void print_to_string(struct kp_java_file *file, properties wire)
{
    FILE *out = file->body;
    const char *string = kp_java_use(file, "java.lang.String"),
               *builder = kp_java_use(file, "java.lang.StringBuilder");
    kp_java_override(file);
    fprintf(out, "\tpublic %s toString() {\n\t\tfinal %s text = new %s(\"%s: \");\n", string, builder,
            builder, file->class_name);
    for (size_t i = 0; i < wire->count; i++) {
        const struct kp_irl_type *type = wire->items[i]->resolved;
        const char *value = read_of(file, "this", wire->items[i]);
        fprintf(out, "\t\ttext.append(\"%s = \").append(", wire->items[i]->name.text);
        if (type->dimension_count)
            fprintf(out, "%s.%s(%s)", kp_java_use(file, "java.util.Arrays"),
                    type->dimension_count > 1 ? "deepToString" : "toString", value);
        else
            fputs(value, out);
        fputs(").append(\", \");\n", out);
    }
    fputs("\t\treturn text.toString();\n\t}\n", out);
}

/* --- accessors ------------------------------------------------------------------------------------ */

static void print_getter(struct kp_java_file *file, const struct kp_irl_property *property)
{
    FILE *out = file->body;
    fprintf(out, "\n\tpublic final %s %s() {\n\t\treturn ", kp_java_type(file, property->resolved),
            kp_java_getter(&file->arena, property));
    if (property->form == KP_IRL_PROPERTY_ALIAS)
        fprintf(out, "this.%s()", kp_java_getter(&file->arena, property->target));
    else
        fprintf(out, "this.%s%s", field_name(file, property), property->auto_increment ? "++" : "");
    fputs(";\n\t}\n", out);
}

static void print_setter(struct kp_java_file *file, const struct kp_irl_property *property)
{
    FILE *out = file->body;
    const char *name = field_name(file, property);
    fprintf(out, "\n\tpublic final void %s(final %s %s) {\n\t\t", kp_java_setter(&file->arena, property),
            kp_java_type(file, property->resolved), name);
    if (property->form == KP_IRL_PROPERTY_ALIAS)
        fprintf(out, "this.%s(%s)", kp_java_setter(&file->arena, property->target), name);
    else if (kp_java_array_needs_check(property->resolved))
        fprintf(out, "this.%s = check%s(%s)", name, kp_java_capital(&file->arena, property->name.text), name);
    else
        fprintf(out, "this.%s = %s", name, name);
    fputs(";\n\t}\n", out);
}

static void print_accessors(struct kp_java_file *file, properties getters)
{
    for (size_t i = 0; i < getters->count; i++) {
        print_getter(file, getters->items[i]);
        if (is_changeable(&file->settable, getters->items[i]))
            print_setter(file, getters->items[i]);
    }
}

/* Does one of the classes above have a setter of this name? */
static bool is_set_above(struct kp_java_file *file, const char *name)
{
    const struct kp_irl_declaration *event = file->declaration->parent.target;
    for (; event; event = event->parent.target) {
        const struct kp_irl_property *property = find_named(&event->layout.getters, name);
        if (!property)
            continue;
        struct kp_irl_properties settable = list_settable(file->run, &file->arena, event);
        return is_changeable(&settable, property);
    }
    return false;
}

/* A template may want a setter of a property that a parent has without one: there it is final. */
static void print_refusing_setters(struct kp_java_file *file)
{
    for (size_t i = 0; i < file->settable.count; i++) {
        const struct kp_irl_property *property = file->settable.items[i];
        struct kp_irl_properties before = {file->settable.items, i, i};
        const char *name = property->name.text;
        if (find_named(&before, name) || find_named(&file->declaration->layout.getters, name) ||
            is_set_above(file, name))
            continue;
        kp_java_override(file);
        fprintf(file->body,
                "\tpublic void %s(final %s value) {\n\t\tthrow new %s(\"%s cannot be changed\");\n\t}\n",
                kp_java_setter(&file->arena, property), kp_java_type(file, property->resolved),
                kp_java_use(file, "java.lang.UnsupportedOperationException"), name);
    }
}

/* --- the class ------------------------------------------------------------------------------------ */

static void print_head(struct kp_java_file *file)
{
    const struct kp_irl_declaration *event = file->declaration;
    kp_java_class_comment(file, "A monitoring record.");
    fprintf(
        file->body, "public %sclass %s extends %s", event->abstract ? "abstract " : "", file->class_name,
        kp_java_use(file, event->parent.target ? event->parent.target->full_name : KP_JAVA_ABSTRACT_RECORD));
    for (size_t i = 0; i < event->templates.count; i++)
        fprintf(file->body, "%s%s", i ? ", " : " implements ",
                kp_java_use(file, event->templates.items[i].target->full_name));
    fputs(" {\n", file->body);
}

static void print_array_methods(struct kp_java_file *file)
{
    const struct kp_irl_layout *layout = &file->declaration->layout;
    for (size_t i = 0; i < layout->declared.count; i++) {
        const struct kp_irl_property *property = layout->declared.items[i];
        if (kp_java_array_needs_check(property->resolved))
            kp_java_array_check(file, property);
        if (is_array(property) && !property->transient)
            kp_java_array_deserialize(file, property);
    }
    for (size_t i = 0; i < layout->wire.count; i++) {
        const struct kp_irl_property *property = layout->wire.items[i];
        if (is_array(property) && !file->declaration->abstract)
            kp_java_array_serialize(file, property);
        if (kp_java_array_needs_equal(property->resolved))
            kp_java_array_equal(file, property);
    }
}

void kp_java_event(struct kp_java *run, const struct kp_irl_declaration *event)
{
    struct kp_java_file file;
    const struct kp_irl_layout *layout = &event->layout;
    kp_java_begin(&file, run, event, event->name.text);
    file.settable = list_settable(run, &file.arena, event);
    print_head(&file);
    if (!event->abstract) {
        print_size(&file, &layout->wire);
        print_types(&file, &layout->wire);
    }
    kp_java_constants(&file, false);
    if (!event->abstract)
        print_value_names(&file, &layout->wire);
    print_default_constants(&file, &layout->declared);
    print_fields(&file, &layout->declared);
    print_constructor(&file);
    print_reading_constructor(&file);
    if (!event->abstract) {
        print_serialize(&file, &layout->wire);
        print_metadata_methods(&file);
    }
    print_equals(&file, &layout->wire);
    print_hash_code(&file, &layout->wire);
    print_accessors(&file, &layout->getters);
    print_refusing_setters(&file);
    for (size_t i = 0; i < layout->declared.count; i++)
        if (layout->declared.items[i]->payload)
            kp_java_payload(&file, layout->declared.items[i]);
    print_to_string(&file, &layout->wire);
    print_array_methods(&file);
    fputs("}\n", file.body);
    kp_java_end(&file);
}

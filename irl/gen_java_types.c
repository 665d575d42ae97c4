/* Templates as interfaces, enums, and the factories by which Kieker makes records. */
#include <inttypes.h>
#include <string.h>

#include "gen_java.h"

/* --- templates ----------------------------------------------------------------------------------- */

static void print_accessors(struct kp_java_file *file, const struct kp_irl_property *property)
{
    const char *type = kp_java_type(file, property->resolved);
    fprintf(file->body, "\n\t%s %s();\n", type, kp_java_getter(&file->arena, property));
    if (kp_java_template_sets(property))
        fprintf(file->body, "\n\tvoid %s(%s value);\n", kp_java_setter(&file->arena, property), type);
}

/* Templates that describe payload have members that no record has. */
static bool is_payload_member(const struct kp_irl_property *property)
{
    return property->form == KP_IRL_PROPERTY_PLAIN && (property->resolved->kind == KP_IRL_TYPE_RECORD ||
                                                       property->resolved->kind == KP_IRL_TYPE_FOREIGN);
}

void kp_java_template(struct kp_java *run, const struct kp_irl_declaration *declaration)
{
    struct kp_java_file file;
    kp_java_begin(&file, run, declaration, declaration->name.text);
    kp_java_class_comment(&file, "Properties that records have in common.");
    fprintf(file.body, "public interface %s extends ", file.class_name);
    for (size_t i = 0; i < declaration->templates.count; i++)
        fprintf(file.body, "%s%s", i ? ", " : "",
                kp_java_use(&file, declaration->templates.items[i].target->full_name));
    fprintf(file.body, "%s {\n", declaration->templates.count ? "" : kp_java_use(&file, KP_JAVA_RECORD));
    kp_java_constants(&file, true);
    for (size_t i = 0; i < declaration->layout.own.count; i++)
        print_accessors(&file, declaration->layout.own.items[i]);
    for (size_t i = 0; i < declaration->properties.count; i++)
        if (is_payload_member(declaration->properties.items[i]))
            print_accessors(&file, declaration->properties.items[i]);
    fputs("}\n", file.body);
    kp_java_end(&file);
}

/* --- enums ---------------------------------------------------------------------------------------- */

/* The field of the values: "value", or what no literal is called. */
static const char *value_field(struct kp_java_file *file, const struct kp_irl_literals *literals)
{
    const char *name = "value";
    for (size_t i = 0; i < literals->count; i++)
        if (!strcmp(literals->items[i].name.text, name)) {
            name = kp_irl_format(&file->arena, "%s_", name);
            i = (size_t)-1; /* from the start again */
        }
    return name;
}

void kp_java_enum(struct kp_java *run, const struct kp_irl_declaration *declaration)
{
    struct kp_java_file file;
    const struct kp_irl_literals *literals = &declaration->all_literals;
    kp_java_begin(&file, run, declaration, declaration->name.text);
    const char *name = file.class_name, *value = value_field(&file, literals);
    kp_java_class_comment(&file, "A set of values; records carry their ordinals.");
    fprintf(file.body, "public enum %s {\n", name);
    for (size_t i = 0; i < literals->count; i++)
        fprintf(file.body, "\t%s(%" PRId64 ")%s\n", kp_java_name(&file.arena, literals->items[i].name.text),
                literals->items[i].value, i + 1 < literals->count ? "," : ";");
    fprintf(file.body, "\n\tprivate final int %s;\n\n\t%s(final int value) {\n\t\tthis.%s = value;\n\t}\n",
            value, name, value);
    fprintf(file.body, "\n\tpublic int getValue() {\n\t\treturn this.%s;\n\t}\n", value);
    fprintf(file.body,
            "\n\tpublic static %s getEnum(final int value) {\n\t\tfor (final %s literal : values()) {\n"
            "\t\t\tif (literal.%s == value) {\n\t\t\t\treturn literal;\n\t\t\t}\n\t\t}\n"
            "\t\tthrow new %s(\"%s has no value \" + value);\n\t}\n}\n",
            name, name, value, kp_java_use(&file, "java.lang.RuntimeException"), name);
    kp_java_end(&file);
}

/* --- factories ------------------------------------------------------------------------------------ */

void kp_java_factory(struct kp_java *run, const struct kp_irl_declaration *event)
{
    struct kp_java_file file;
    struct kp_arena *arena = &run->arena;
    kp_java_begin(&file, run, event, kp_irl_format(arena, "%sFactory", event->name.text));
    const char *record = kp_java_use(&file, event->full_name);
    kp_java_class_comment(&file, "Makes records of {@link %s}.", record);
    fprintf(file.body, "public final class %s implements %s<%s> {\n", file.class_name,
            kp_java_use(&file, KP_JAVA_FACTORY), record);
    kp_java_override(&file);
    fprintf(file.body,
            "\tpublic %s create(final %s deserializer) throws %s {\n\t\treturn new %s(deserializer);\n\t}\n",
            record, kp_java_use(&file, KP_JAVA_DESERIALIZER), kp_java_use(&file, KP_JAVA_INSTANTIATION),
            record);
    kp_java_override(&file);
    fprintf(file.body, "\tpublic %s[] getValueNames() {\n\t\treturn %s.VALUE_NAMES;\n\t}\n",
            kp_java_use(&file, "java.lang.String"), record);
    kp_java_override(&file);
    fprintf(file.body, "\tpublic %s<?>[] getValueTypes() {\n\t\treturn %s.TYPES;\n\t}\n",
            kp_java_use(&file, "java.lang.Class"), record);
    kp_java_override(&file);
    fprintf(file.body, "\tpublic int getRecordSizeInBytes() {\n\t\treturn %s.SIZE;\n\t}\n}\n", record);
    kp_java_end(&file);
}

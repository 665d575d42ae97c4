/* Perl 5: a module for each event that is not abstract, and for each enum (spec/irl.md 2.3). */
#include <string.h>

#include "gen_script.h"
#include "keywords.h"

extern const struct kp_irl_builtin kp_irl_runtime_perl[];

/* Methods and constants of generated classes; what Perl calls by itself; names that it keeps in main::. */
static const char reserved_words[] =
    "new pack unpack genoutput from_text line serialize deserialize logging_timestamp JAVA_CLASS SIZE "
    "TYPE_ID "
    "import unimport can isa DOES VERSION DESTROY AUTOLOAD CLONE CLONE_SKIP BEGIN UNITCHECK CHECK INIT END "
    "STDIN STDOUT STDERR ARGV ARGVOUT ENV INC SIG _ "
    "ordinal value_of name_of";

struct run {
    struct kp_arena arena;
    const struct kp_irl_wishes *wishes;
    struct kp_irl_output *output;
    struct kp_irl_names_table reserved;
    unsigned types; /* so far */
};

struct module {
    struct kp_arena *arena; /* of this module */
    FILE *out;
    const struct kp_irl_declaration *declaration;
    struct kp_irl_script_names subs;
};

/* --- names --------------------------------------------------------------------------------------- */

static const char *as_is(struct kp_arena *arena, const char *name)
{
    (void)arena;
    return name;
}

static const char *package_of(struct kp_arena *arena, const struct kp_irl_declaration *declaration)
{
    return kp_irl_script_path(arena, declaration->full_name, "::", as_is);
}

/* Names that begin with two underscores are Perl's own. */
static const char *sub_name(struct kp_arena *arena, const char *name)
{
    return name[0] == '_' && name[1] == '_' ? kp_irl_format(arena, "x%s", name) : name;
}

/* The constant for a literal, in its module and where it is used: literals are alone with the reserved words.
 */
static const char *literal_name(struct kp_arena *arena, const char *name)
{
    name = sub_name(arena, name);
    return kp_irl_name_is_among(reserved_words, name) ? kp_irl_format(arena, "%s_", name) : name;
}

/* --- values -------------------------------------------------------------------------------------- */

static const struct {
    const char *kind, *neutral;
} base_words[KP_IRL_BASE_COUNT] = {
    [KP_IRL_BOOLEAN] = {"boolean", "0"}, [KP_IRL_BYTE] = {"byte", "0"},
    [KP_IRL_CHAR] = {"char", "' '"},     [KP_IRL_SHORT] = {"short", "0"},
    [KP_IRL_INT] = {"int", "0"},         [KP_IRL_LONG] = {"long", "0"},
    [KP_IRL_FLOAT] = {"float", "0"},     [KP_IRL_DOUBLE] = {"double", "0"},
    [KP_IRL_STRING] = {"string", "''"},
};

static const char *kind_of(const struct kp_irl_type *type)
{
    return base_words[type->kind == KP_IRL_TYPE_BASE ? type->base : KP_IRL_INT].kind;
}

static const char *string_literal(struct kp_arena *arena, const char *text, size_t bytes)
{
    /* A byte becomes "\x{1}" at most: five characters more. */
    char *string = kp_irl_get(arena, 6 * bytes + 3), *at = string;
    *at++ = '"';
    for (const char *end = text + bytes; text < end;) {
        uint32_t c = kp_irl_script_character(&text, end);
        if (c < 0x80 && strchr("\"\\$@", (int)c) && c)
            at += sprintf(at, "\\%c", (int)c);
        else if (c >= ' ' && c < 0x7f)
            *at++ = (char)c;
        else
            at += sprintf(at, "\\x{%x}", c);
    }
    strcpy(at, "\"");
    return string;
}

static const char *enum_constant(struct kp_arena *arena, const struct kp_irl_type *type, const char *literal)
{
    return kp_irl_format(arena, "'%s'->%s", package_of(arena, type->reference.target),
                         literal_name(arena, literal));
}

static const char *shape_of(struct kp_arena *arena, const struct kp_irl_type *type)
{
    struct kp_irl_script_text shape = {.arena = arena};
    for (size_t i = 0; i < type->dimension_count; i++)
        kp_irl_script_add(&shape,
                          kp_irl_format(arena, i ? ", %lld" : "%lld", (long long)type->dimensions[i]));
    return kp_irl_script_end(&shape);
}

static const char *neutral_value(struct kp_arena *arena, const struct kp_irl_type *type)
{
    const char *element =
        type->kind == KP_IRL_TYPE_ENUM
            ? enum_constant(arena, type, type->reference.target->all_literals.items[0].name.text)
            : base_words[type->base].neutral;
    if (!type->dimension_count)
        return element;
    if (type->dimensions[0] == KP_IRL_DYNAMIC)
        return "[]";
    return kp_irl_format(arena, "KiekerRecord::filled(%s, %s)", element, shape_of(arena, type));
}

static const char *value_of(struct kp_arena *arena, const struct kp_irl_type *type,
                            const struct kp_irl_value *value);

static void add_array(struct kp_irl_script_text *text, const struct kp_irl_type *type,
                      const struct kp_irl_value *array)
{
    kp_irl_script_add(text, "[");
    for (size_t i = 0; i < array->item_count; i++) {
        const struct kp_irl_value *item = kp_irl_value_follow(&array->items[i]);
        kp_irl_script_add(text, i ? ", " : "");
        if (item->kind == KP_IRL_VALUE_ARRAY)
            add_array(text, type, item);
        else
            kp_irl_script_add(text, value_of(text->arena, type, item));
    }
    kp_irl_script_add(text, "]");
}

static const char *value_of(struct kp_arena *arena, const struct kp_irl_type *type,
                            const struct kp_irl_value *value)
{
    value = kp_irl_value_follow(value);
    struct kp_irl_script_text array = {.arena = arena};
    switch (value->kind) {
    case KP_IRL_VALUE_STRING:
        return string_literal(arena, value->text, value->text_bytes);
    case KP_IRL_VALUE_INT:
        /* As a literal, the least integer would be the negative of one that is too large. */
        return value->integer == INT64_MIN ? "(-9223372036854775807 - 1)"
                                           : kp_irl_format(arena, "%lld", (long long)value->integer);
    case KP_IRL_VALUE_FLOAT:
        return kp_irl_script_float(arena, value);
    case KP_IRL_VALUE_BOOLEAN:
        return value->boolean ? "1" : "0";
    case KP_IRL_VALUE_VERSION:
        return "$KiekerRecord::KIEKER_VERSION";
    case KP_IRL_VALUE_LITERAL:
        return enum_constant(arena, type, value->text);
    case KP_IRL_VALUE_ARRAY:
        add_array(&array, type, value);
        return kp_irl_script_end(&array);
    default:
        return neutral_value(arena, type);
    }
}

/* --- members of records -------------------------------------------------------------------------- */

static void print_list(struct module *module, const char *name, const struct kp_irl_properties *properties,
                       bool types)
{
    fprintf(module->out, "our @%s = (", name);
    unsigned indent = (unsigned)strlen(name) + 9;
    struct kp_irl_script_list list = {module->out, indent, indent, 0};
    for (size_t i = 0; i < properties->count; i++)
        kp_irl_script_item(
            &list, kp_irl_format(module->arena, "'%s'",
                                 types ? kp_irl_script_type(module->arena, properties->items[i]->resolved)
                                       : properties->items[i]->name.text));
    fputs(");\n", module->out);
}

static void print_constants(struct module *module, unsigned type_id)
{
    const struct kp_irl_declaration *event = module->declaration;
    fprintf(module->out,
            "use constant {\n    'JAVA_CLASS' => '%s',\n    'SIZE' => %llu,\n    'TYPE_ID' => %u,\n",
            event->full_name, (unsigned long long)kp_irl_minimum_bytes(event), type_id);
    for (size_t i = 0; i < event->constants.count; i++) {
        const struct kp_irl_constant *constant = event->constants.items[i];
        fprintf(module->out, "    '%s' => %s,\n",
                kp_irl_script_take(&module->subs, sub_name(module->arena, constant->name.text)),
                value_of(module->arena, &constant->type, &constant->value));
    }
    fputs("};\n\n", module->out);
}

static bool is_parameter(const struct kp_irl_property *property)
{
    return !property->auto_increment;
}

static void print_constructor(struct module *module)
{
    const struct kp_irl_properties *data = &module->declaration->layout.data;
    unsigned place = 0;
    fputs("\nsub new {\n    my ($class, @values) = @_;\n    return KiekerRecord::make($class, {\n",
          module->out);
    for (size_t i = 0; i < data->count; i++) {
        const struct kp_irl_property *property = data->items[i];
        const char *value = value_of(module->arena, property->resolved, &property->value);
        if (is_parameter(property))
            fprintf(module->out, "        '%s' => $values[%u] // %s,\n", property->name.text, place++, value);
        else
            fprintf(module->out, "        '%s' => %s,\n", property->name.text, value);
    }
    fputs("    });\n}\n", module->out);
}

static void print_put(struct module *module, const struct kp_irl_property *property)
{
    const struct kp_irl_type *type = property->resolved;
    const char *value =
        type->dimension_count ? "$_[0]" : kp_irl_format(module->arena, "$self->{'%s'}", property->name.text);
    if (type->kind == KP_IRL_TYPE_ENUM)
        value = kp_irl_format(module->arena, "'%s'->ordinal(%s)",
                              package_of(module->arena, type->reference.target), value);
    const char *put = kp_irl_format(module->arena, "$serializer->put_%s(%s)", kind_of(type), value);
    if (type->dimension_count)
        put = kp_irl_format(module->arena, "$serializer->put_array($self->{'%s'}, [%s], sub { %s })",
                            property->name.text, shape_of(module->arena, type), put);
    fprintf(module->out, "    %s;\n", put);
}

static void print_get(struct module *module, const struct kp_irl_property *property)
{
    const struct kp_irl_type *type = property->resolved;
    const char *get = kp_irl_format(module->arena, "$deserializer->get_%s", kind_of(type));
    if (type->kind == KP_IRL_TYPE_ENUM)
        get = kp_irl_format(module->arena, "'%s'->value_of(%s)",
                            package_of(module->arena, type->reference.target), get);
    if (type->dimension_count)
        get = kp_irl_format(module->arena, "$deserializer->get_array([%s], %u, sub { %s })",
                            shape_of(module->arena, type), kp_irl_type_element_bytes(type), get);
    fprintf(module->out, "    $self->{'%s'} = %s;\n", property->name.text, get);
}

static void print_serialization(struct module *module)
{
    const struct kp_irl_layout *layout = &module->declaration->layout;
    fputs("\nsub serialize {\n    my ($self, $serializer) = @_;\n", module->out);
    for (size_t i = 0; i < layout->wire.count; i++)
        print_put(module, layout->wire.items[i]);
    fputs("    return;\n}\n\nsub deserialize {\n    my ($class, $deserializer) = @_;\n"
          "    my $self = KiekerRecord::make($class, {});\n",
          module->out);
    for (size_t i = 0; i < layout->data.count; i++)
        if (layout->data.items[i]->transient)
            fprintf(module->out, "    $self->{'%s'} = %s;\n", layout->data.items[i]->name.text,
                    neutral_value(module->arena, layout->data.items[i]->resolved));
        else
            print_get(module, layout->data.items[i]);
    fputs("    return $self;\n}\n\n", module->out);
}

static void print_accessor(struct module *module, const struct kp_irl_property *property)
{
    const char *name = kp_irl_script_name(&module->subs, property->name.text);
    if (property->form == KP_IRL_PROPERTY_ALIAS)
        fprintf(module->out, "sub %s { return $_[0]->%s }\n", name,
                kp_irl_script_name(&module->subs, property->target->name.text));
    else if (property->auto_increment)
        fprintf(module->out, "sub %s { return $_[0]{'%s'}++ }\n", name, property->name.text);
    else if (property->changeable)
        fprintf(module->out, "sub %s { $_[0]{'%s'} = $_[1] if @_ > 1; return $_[0]{'%s'} }\n", name,
                property->name.text, property->name.text);
    else
        fprintf(module->out, "sub %s { return $_[0]{'%s'} }\n", name, property->name.text);
}

/* --- documentation ------------------------------------------------------------------------------- */

/* Behind a word of ours, so that the text is never a command of POD. */
static void print_pod(struct module *module, const char *label, const char *text)
{
    fprintf(module->out, "%s: ", label);
    for (; *text; text++)
        if (*text == '<' || *text == '>')
            fputs(*text == '<' ? "E<lt>" : "E<gt>", module->out);
        else
            putc((unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text, module->out);
    fputs("\n\n", module->out);
}

static void print_authors(struct run *run, struct module *module)
{
    const struct kp_irl_declaration *declaration = module->declaration;
    fputs("=head1 AUTHOR\n\n", module->out);
    print_pod(module, "Author", declaration->author ? declaration->author : run->wishes->author);
    print_pod(module, "Since", declaration->since ? declaration->since : run->wishes->since);
    fputs("=cut\n", module->out);
}

static void print_event_pod(struct run *run, struct module *module)
{
    const struct kp_irl_layout *layout = &module->declaration->layout;
    const char *package = package_of(module->arena, module->declaration);
    fprintf(module->out,
            "\n1;\n\n__END__\n\n=encoding utf8\n\n=head1 NAME\n\n%s - a record\n\n=head1 SYNOPSIS\n\n",
            package);
    fprintf(module->out, "    my $record = %s->new(", package);
    struct kp_irl_script_list list = {module->out, 8, 30 + (unsigned)strlen(package), 0};
    for (size_t i = 0; i < layout->data.count; i++)
        if (is_parameter(layout->data.items[i]))
            kp_irl_script_item(&list, kp_irl_format(module->arena, "$%s", layout->data.items[i]->name.text));
    fputs(");\n    $writer->write($record->genoutput());\n\n=head1 METHODS\n\n"
          "Those of KiekerRecord::Record (L<KiekerRecord>). In C<new>, what is undef gets its default.\n\n",
          module->out);
    for (size_t i = 0; i < layout->all.count; i++)
        fprintf(module->out, "=head2 $record->%s\n\n%s\n\n",
                kp_irl_script_name(&module->subs, layout->all.items[i]->name.text),
                kp_irl_script_type(module->arena, layout->all.items[i]->resolved));
    print_authors(run, module);
}

/* --- modules ------------------------------------------------------------------------------------- */

static void print_head(struct run *run, struct module *module)
{
    fprintf(module->out, "package %s;\n\n", package_of(module->arena, module->declaration));
    kp_irl_script_comment(module->out, run->wishes->header);
    fprintf(module->out,
            "# Generated by `kprobe irl` from the model of %s: changes get lost.\n\nuse strict;\nuse "
            "warnings;\n\n"
            "use KiekerRecord ();\n",
            module->declaration->full_name);
}

static void print_enums_used(struct module *module)
{
    const struct kp_irl_properties *data = &module->declaration->layout.data;
    struct kp_irl_names_table used = {0};
    for (size_t i = 0; i < data->count; i++) {
        if (data->items[i]->resolved->kind != KP_IRL_TYPE_ENUM)
            continue;
        const struct kp_irl_declaration *target = data->items[i]->resolved->reference.target;
        void **place = kp_irl_names_put(module->arena, &used, target->full_name);
        if (!*place)
            fprintf(module->out, "use %s ();\n", package_of(module->arena, target));
        *place = (void *)target;
    }
}

static void print_event(struct run *run, struct module *module)
{
    const struct kp_irl_declaration *event = module->declaration;
    const struct kp_irl_layout *layout = &event->layout;
    print_head(run, module);
    print_enums_used(module);
    for (size_t i = 0; i < layout->all.count; i++)
        kp_irl_script_choose(&module->subs, layout->all.items[i]->name.text,
                             sub_name(module->arena, layout->all.items[i]->name.text));
    fputs("\nour @ISA = ('KiekerRecord::Record');\n", module->out);
    print_list(module, "VALUE_NAMES", &layout->wire, false);
    print_list(module, "TYPES", &layout->wire, true);
    print_constants(module, KP_IRL_FIRST_TYPE_ID + run->types++);
    fputs("KiekerRecord::register(__PACKAGE__);\n", module->out);
    print_constructor(module);
    print_serialization(module);
    for (size_t i = 0; i < layout->all.count; i++)
        print_accessor(module, layout->all.items[i]);
    print_event_pod(run, module);
}

static void print_enum(struct run *run, struct module *module)
{
    const struct kp_irl_literals *literals = &module->declaration->all_literals;
    print_head(run, module);
    fputs("\n# By ordinals, which travel\nour @NAMES = (", module->out);
    struct kp_irl_script_list list = {module->out, 14, 14, 0};
    for (size_t i = 0; i < literals->count; i++)
        kp_irl_script_item(&list, kp_irl_format(module->arena, "'%s'", literals->items[i].name.text));
    fputs(");\nour @VALUES = (", module->out);
    list = (struct kp_irl_script_list){module->out, 15, 15, 0};
    for (size_t i = 0; i < literals->count; i++)
        kp_irl_script_item(&list, kp_irl_format(module->arena, "%lld", (long long)literals->items[i].value));
    fputs(");\n\n# Values as declared, which records have\nuse constant {\n", module->out);
    for (size_t i = 0; i < literals->count; i++)
        fprintf(module->out, "    '%s' => %lld,\n", literal_name(module->arena, literals->items[i].name.text),
                (long long)literals->items[i].value);
    fprintf(
        module->out,
        "};\n\n"
        "my %%ordinals = map { $VALUES[$_] => $_ } 0 .. $#VALUES;\n\n"
        "# The ordinal of a value\n"
        "sub ordinal {\n    my ($class, $value) = @_;\n"
        "    return $ordinals{$value // ''} // KiekerRecord::fail('%s has no value %%s', $value // "
        "'undef');\n}\n\n"
        "# The value of an ordinal\n"
        "sub value_of {\n    my ($class, $ordinal) = @_;\n"
        "    KiekerRecord::fail('%s has no ordinal %%d', $ordinal) if $ordinal < 0 || $ordinal > $#VALUES;\n"
        "    return $VALUES[$ordinal];\n}\n\n"
        "# What the model calls a value\n"
        "sub name_of {\n    my ($class, $value) = @_;\n    return "
        "$NAMES[$class->ordinal($value)];\n}\n\n1;\n\n",
        module->declaration->full_name, module->declaration->full_name);
    fprintf(module->out,
            "__END__\n\n=encoding utf8\n\n=head1 NAME\n\n%s - an enumeration\n\n=head1 METHODS\n\n"
            "A constant for each literal. C<ordinal($value)>, C<value_of($ordinal)>, C<name_of($value)>.\n\n",
            package_of(module->arena, module->declaration));
    print_authors(run, module);
}

static void print_module(struct run *run, const struct kp_irl_declaration *declaration)
{
    struct kp_arena arena = {0};
    struct module module = {
        .arena = &arena,
        .declaration = declaration,
        .subs = {.arena = &arena, .reserved = &run->reserved, .languages = KP_IRL_IN_PERL}};
    module.out = kp_irl_output_begin(run->output, "%s.pm",
                                     kp_irl_script_path(&arena, declaration->full_name, "/", as_is));
    if (declaration->kind == KP_IRL_EVENT)
        print_event(run, &module);
    else
        print_enum(run, &module);
    kp_arena_free(&arena);
}

static void generate(const struct kp_irl_model *model, const struct kp_irl_wishes *wishes,
                     struct kp_irl_output *output)
{
    struct run run = {.wishes = wishes, .output = output};
    run.reserved = kp_irl_script_words(&run.arena, reserved_words);
    kp_irl_script_runtime(output, kp_irl_runtime_perl);
    for (size_t i = 0; i < model->files.count; i++) {
        const struct kp_irl_file *file = model->files.items[i];
        for (size_t k = 0; file->is_input && k < file->declarations.count; k++) {
            const struct kp_irl_declaration *declaration = file->declarations.items[k];
            if (declaration->kind == KP_IRL_ENUM ||
                (declaration->kind == KP_IRL_EVENT && !declaration->abstract))
                print_module(&run, declaration);
        }
    }
    kp_arena_free(&run.arena);
}

const struct kp_irl_backend kp_irl_backend_perl = {
    .name = "perl",
    .summary = "Perl 5.14 and later: a module for each event and enum",
    .languages = KP_IRL_IN_PERL,
    .generate = generate};

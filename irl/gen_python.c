/* Python 3.8 and later: a module for each event, template and enum (spec/irl.md 2.4). */
#include <string.h>

#include "gen_python.h"
#include "keywords.h"

extern const struct kp_irl_builtin kp_irl_runtime_python[];

/* Begins the files that this back end may replace, where others may keep one of the same name. */
static const char package_mark[] = "# Package of generated records.\n";

struct run {
    struct kp_arena arena;
    const struct kp_irl_wishes *wishes;
    struct kp_irl_output *output;
    const struct kp_irl_names_table *reserved;
    struct kp_irl_names_table done;     /* declarations by full names */
    struct kp_irl_names_table packages; /* that have their __init__.py */
    struct kp_irl_names_table depths;   /* of templates by full names */
};

/* --- imports ------------------------------------------------------------------------------------- */

static void import_class(struct kp_irl_python *module, const struct kp_irl_declaration *declaration)
{
    void **place = kp_irl_names_put(module->arena, &module->imports, declaration->full_name);
    if (*place)
        return;
    const char *name = kp_irl_python_class(module->arena, declaration);
    const char *local = kp_irl_script_take(&module->members, name);
    *place = (void *)local;
    if (declaration == module->declaration)
        return;
    fprintf(module->out, "from %s import %s", kp_irl_python_module(module->arena, declaration), name);
    fprintf(module->out, strcmp(local, name) != 0 ? " as %s\n" : "\n", local);
}

static void import_enums(struct kp_irl_python *module, const struct kp_irl_properties *properties)
{
    for (size_t i = 0; i < properties->count; i++)
        if (properties->items[i]->resolved->kind == KP_IRL_TYPE_ENUM)
            import_class(module, properties->items[i]->resolved->reference.target);
}

/* How many templates stand above one another below it, and one; kept, because many ways may lead to one. */
static size_t depth(struct run *run, const struct kp_irl_declaration *template)
{
    void *known = kp_irl_names_get(&run->depths, template->full_name);
    if (known)
        return (size_t)(uintptr_t)known;
    size_t deepest = 0;
    for (size_t i = 0; i < template->templates.count; i++) {
        size_t below = depth(run, template->templates.items[i].target);
        deepest = below > deepest ? below : deepest;
    }
    *kp_irl_names_put(&run->arena, &run->depths, template->full_name) = (void *)(uintptr_t)(deepest + 1);
    return deepest + 1;
}

/*
 * The base classes that are templates. Python wants one order for all ancestors of a class in which each list
 * of bases is contained; templates may be listed in any order. So all lists follow one order: those that
 * inherit most stand first.
 */
static const struct kp_irl_declaration **sorted_templates(struct run *run, struct kp_irl_python *module)
{
    const struct kp_irl_references *list = &module->declaration->templates;
    const struct kp_irl_declaration **sorted = kp_irl_get(module->arena, (list->count + 1) * sizeof *sorted);
    size_t *depths = kp_irl_get(module->arena, (list->count + 1) * sizeof *depths);
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct kp_irl_declaration *template = list->items[i].target;
        size_t deep = depth(run, template);
        size_t at = count;
        while (at > 0 &&
               (depths[at - 1] < deep ||
                (depths[at - 1] == deep && strcmp(sorted[at - 1]->full_name, template->full_name) > 0)))
            at--;
        if (at > 0 && sorted[at - 1] == template)
            continue;
        memmove(&sorted[at + 1], &sorted[at], (count - at) * sizeof *sorted);
        memmove(&depths[at + 1], &depths[at], (count - at) * sizeof *depths);
        sorted[at] = template;
        depths[at] = deep;
        count++;
    }
    return sorted;
}

/* Imports all that the class needs and prints its first line. */
static void print_head(struct run *run, struct kp_irl_python *module, const char *root)
{
    const struct kp_irl_declaration *declaration = module->declaration;
    const struct kp_irl_declaration **templates = sorted_templates(run, module);
    import_class(module, declaration);
    if (declaration->parent.target)
        import_class(module, declaration->parent.target);
    for (size_t i = 0; templates[i]; i++)
        import_class(module, templates[i]);
    import_enums(module, &declaration->layout.all);

    struct kp_irl_script_text bases = {.arena = module->arena};
    if (declaration->parent.target)
        root = kp_irl_names_get(&module->imports, declaration->parent.target->full_name);
    kp_irl_script_add(&bases, root);
    for (size_t i = 0; templates[i]; i++) {
        kp_irl_script_add(&bases, bases.count ? ", " : "");
        kp_irl_script_add(&bases, kp_irl_names_get(&module->imports, templates[i]->full_name));
    }
    fprintf(module->out, "\n\nclass %s", kp_irl_python_class(module->arena, declaration));
    if (bases.count)
        fprintf(module->out, "(%s)", kp_irl_script_end(&bases));
    fputs(":\n", module->out);
}

/* --- members ------------------------------------------------------------------------------------- */

static const char *attribute_of(const struct kp_irl_python *module, const struct kp_irl_property *property)
{
    return kp_irl_script_name(&module->members, property->name.text);
}

static void print_tuple(struct kp_irl_python *module, const char *name,
                        const struct kp_irl_properties *properties,
                        const char *(*item)(struct kp_irl_python *, const struct kp_irl_property *))
{
    fprintf(module->out, "    %s = (%s", name, properties->count ? "\n        " : "");
    struct kp_irl_script_list list = {module->out, 8, 8, 0};
    for (size_t i = 0; i < properties->count; i++)
        kp_irl_script_item(&list, kp_irl_format(module->arena, "\"%s\"", item(module, properties->items[i])));
    fputs(list.count == 1 ? ",)\n" : ")\n", module->out);
}

#define OF_CLASS ": typing.ClassVar[typing.Tuple[str, ...]]"

static const char *item_name(struct kp_irl_python *module, const struct kp_irl_property *property)
{
    (void)module;
    return property->name.text;
}

static const char *item_type(struct kp_irl_python *module, const struct kp_irl_property *property)
{
    return kp_irl_script_type(module->arena, property->resolved);
}

static const char *item_attribute(struct kp_irl_python *module, const struct kp_irl_property *property)
{
    return attribute_of(module, property);
}

static void print_constants(struct kp_irl_python *module)
{
    const struct kp_irl_constants *constants = &module->declaration->constants;
    for (size_t i = 0; i < constants->count; i++) {
        const struct kp_irl_constant *constant = constants->items[i];
        const char *name = constant->name.text;
        if (name[0] == '_' && name[1] == '_')
            name = kp_irl_format(module->arena, "x%s", name);
        fprintf(module->out, "    %s = %s\n", kp_irl_script_take(&module->members, name),
                kp_irl_python_value(module, &constant->type, &constant->value));
    }
}

static void print_hints(struct kp_irl_python *module, const struct kp_irl_properties *properties)
{
    for (size_t i = 0; i < properties->count; i++)
        if (properties->items[i]->form != KP_IRL_PROPERTY_ALIAS)
            fprintf(module->out, "    %s: %s\n", attribute_of(module, properties->items[i]),
                    kp_irl_python_hint(module, properties->items[i]->resolved));
}

static bool is_parameter(const struct kp_irl_property *property)
{
    return !property->auto_increment;
}

/* Arrays and strings take None for their default: the one because defaults are made once, the other as in
 * Java. */
static bool is_optional(const struct kp_irl_property *property)
{
    return kp_irl_script_is_array(property) || kp_irl_script_is_string(property);
}

static const char *parameter(struct kp_irl_python *module, const struct kp_irl_property *property)
{
    const char *name = attribute_of(module, property);
    const char *hint = kp_irl_python_hint(module, property->resolved);
    if (is_optional(property))
        return kp_irl_format(module->arena, "%s: typing.Optional[%s] = None", name, hint);
    return kp_irl_format(module->arena, "%s: %s = %s", name, hint,
                         kp_irl_python_value(module, property->resolved, &property->value));
}

static void print_assignment(struct kp_irl_python *module, const struct kp_irl_property *property)
{
    const char *name = attribute_of(module, property);
    const char *value = kp_irl_python_value(module, property->resolved, &property->value);
    if (!is_parameter(property))
        fprintf(module->out, "        self.%s = %s\n", name, value);
    else if (is_optional(property))
        fprintf(module->out, "        self.%s = %s if %s is None else %s\n", name, value, name, name);
    else
        fprintf(module->out, "        self.%s = %s\n", name, name);
}

static void print_constructor(struct kp_irl_python *module)
{
    const struct kp_irl_declaration *declaration = module->declaration;
    const struct kp_irl_properties *data = &declaration->layout.data;
    struct kp_irl_script_list list = {module->out, 17, 17, 0};
    fputs("\n    def __init__(", module->out);
    kp_irl_script_item(&list, "self");
    for (size_t i = 0; i < data->count; i++)
        if (is_parameter(data->items[i]))
            kp_irl_script_item(&list, parameter(module, data->items[i]));
    fputs(") -> None:\n        super().__init__(", module->out);

    const struct kp_irl_declaration *parent = declaration->parent.target;
    list = (struct kp_irl_script_list){module->out, 25, 25, 0};
    for (size_t i = 0; parent && i < parent->layout.data.count; i++)
        if (is_parameter(parent->layout.data.items[i]))
            kp_irl_script_item(&list, attribute_of(module, parent->layout.data.items[i]));
    fputs(")\n", module->out);
    for (size_t i = 0; i < declaration->layout.declared.count; i++)
        print_assignment(module, declaration->layout.declared.items[i]);
}

static void print_put(struct kp_irl_python *module, const struct kp_irl_property *property)
{
    const struct kp_irl_type *type = property->resolved;
    const char *name = attribute_of(module, property);
    const char *kind = kp_irl_python_kind(type);
    const char *enumeration = type->kind == KP_IRL_TYPE_ENUM
                                  ? kp_irl_names_get(&module->imports, type->reference.target->full_name)
                                  : NULL;
    if (!type->dimension_count) {
        const char *value = kp_irl_format(module->arena, "self.%s", name);
        if (enumeration)
            value = kp_irl_format(module->arena, "kieker_record.ordinal(%s, %s)", enumeration, value);
        fprintf(module->out, "        serializer.put_%s(%s)\n", kind, value);
        return;
    }
    fprintf(module->out, "        kieker_record.put_array(serializer, self.%s, %s, ", name,
            kp_irl_python_shape(module->arena, type));
    if (enumeration)
        fprintf(module->out, "lambda item: serializer.put_%s(kieker_record.ordinal(%s, item)))\n", kind,
                enumeration);
    else
        fprintf(module->out, "serializer.put_%s)\n", kind);
}

static void print_get(struct kp_irl_python *module, const struct kp_irl_property *property)
{
    const struct kp_irl_type *type = property->resolved;
    bool ordinal = type->kind == KP_IRL_TYPE_ENUM, array = type->dimension_count > 0;
    const char *get = kp_irl_format(module->arena, "deserializer.get_%s%s", kp_irl_python_kind(type),
                                    ordinal || !array ? "()" : "");
    if (ordinal)
        get =
            kp_irl_format(module->arena, "%s%s.from_ordinal(%s)", array ? "lambda: " : "",
                          (char *)kp_irl_names_get(&module->imports, type->reference.target->full_name), get);
    if (array)
        get = kp_irl_format(module->arena, "deserializer.get_array(%s, %s, %u)",
                            kp_irl_python_shape(module->arena, type), get, kp_irl_type_element_bytes(type));
    fprintf(module->out, "        record.%s = %s\n", attribute_of(module, property), get);
}

static void print_serialization(struct kp_irl_python *module)
{
    const struct kp_irl_layout *layout = &module->declaration->layout;
    fputs("\n    def serialize(self, serializer: kieker_record.Serializer) -> None:\n"
          "        \"\"\"The values that travel, in their order.\"\"\"\n",
          module->out);
    for (size_t i = 0; i < layout->wire.count; i++)
        print_put(module, layout->wire.items[i]);
    fprintf(module->out,
            "\n    @classmethod\n"
            "    def deserialize(cls, deserializer: kieker_record.Deserializer) -> \"%s\":\n"
            "        record = cls.__new__(cls)\n"
            "        record.logging_timestamp = -1\n",
            kp_irl_python_class(module->arena, module->declaration));
    static const struct kp_irl_value nothing;
    for (size_t i = 0; i < layout->data.count; i++) {
        const struct kp_irl_property *property = layout->data.items[i];
        if (property->transient)
            fprintf(module->out, "        record.%s = %s\n", attribute_of(module, property),
                    kp_irl_python_value(module, property->resolved, &nothing));
        else
            print_get(module, property);
    }
    fputs("        return record\n", module->out);
}

static void print_accessor(struct kp_irl_python *module, const struct kp_irl_property *property)
{
    const char *name = attribute_of(module, property);
    const char *hint = kp_irl_python_hint(module, property->resolved);
    if (property->form == KP_IRL_PROPERTY_ALIAS)
        fprintf(module->out, "\n    @property\n    def %s(self) -> %s:\n        return self.%s\n", name, hint,
                attribute_of(module, property->target));
    else if (property->auto_increment)
        fprintf(module->out,
                "\n    def %s(self) -> %s:\n"
                "        \"\"\"The value; the next call gets the next one.\"\"\"\n"
                "        self.%s += 1\n        return self.%s - 1\n",
                kp_irl_script_take(&module->members, kp_irl_format(module->arena, "get_%s", name)), hint,
                name, name);
}

/* --- payload ------------------------------------------------------------------------------------- */

static const char *attribute_path(struct kp_arena *arena, const char *path)
{
    char *dotted = kp_irl_script_path(arena, path, "\", \"", kp_irl_python_attribute);
    return *dotted ? kp_irl_format(arena, "(\"%s\",)", dotted) : "()";
}

static const char *payload_value(struct kp_irl_python *module, const struct kp_irl_property *property,
                                 const char *from)
{
    const char *path = attribute_path(module->arena, property->path);
    if (property->object_id)
        return kp_irl_format(module->arena, "kieker_record.object_id(%s, %s)", from, path);
    static const struct kp_irl_value nothing;
    return kp_irl_format(module->arena, "kieker_record.member(%s, %s, %s)", from, path,
                         kp_irl_python_value(module, property->resolved, &nothing));
}

/* One for each payload property: `properties` has those made for one side by side. */
static void print_payload(struct kp_irl_python *module, const struct kp_irl_properties *properties,
                          size_t *at)
{
    const struct kp_irl_property *payload = properties->items[*at]->payload;
    const char *from = kp_irl_python_attribute(module->arena, payload->name.text);
    const char *name = kp_irl_script_take(&module->members, kp_irl_format(module->arena, "read_%s", from));
    fprintf(module->out,
            "\n    @staticmethod\n    def %s(%s: typing.Any) -> typing.Tuple[typing.Any, ...]:\n"
            "        \"\"\"What travels of such an object: values for the attributes that are made for "
            "it.\"\"\"\n"
            "        return (\n",
            name, from);
    for (; *at < properties->count && properties->items[*at]->payload == payload; ++*at)
        fprintf(module->out, "            %s,\n", payload_value(module, properties->items[*at], from));
    fputs("        )\n", module->out);
}

/* --- modules ------------------------------------------------------------------------------------- */

static void print_preamble(struct run *run, struct kp_irl_python *module, const char *imports)
{
    const struct kp_irl_declaration *declaration = module->declaration;
    kp_irl_script_comment(module->out, run->wishes->header);
    fprintf(module->out, "# Generated by `kprobe irl` from the model of %s: changes get lost.\n#\n# Author: ",
            declaration->full_name);
    kp_irl_script_line(module->out, declaration->author ? declaration->author : run->wishes->author);
    fputs("\n# Since: ", module->out);
    kp_irl_script_line(module->out, declaration->since ? declaration->since : run->wishes->since);
    fprintf(module->out, "\nfrom __future__ import annotations\n\n%s", imports);
}

static void choose_attributes(struct kp_irl_python *module, const struct kp_irl_properties *properties)
{
    for (size_t i = 0; i < properties->count; i++)
        kp_irl_script_choose(&module->members, properties->items[i]->name.text,
                             kp_irl_python_attribute(module->arena, properties->items[i]->name.text));
}

static void print_slots(struct kp_irl_python *module, const struct kp_irl_properties *declared)
{
    static const struct kp_irl_properties nothing;
    print_tuple(module, "__slots__", declared ? declared : &nothing, item_attribute);
}

static void print_event(struct run *run, struct kp_irl_python *module)
{
    const struct kp_irl_declaration *event = module->declaration;
    const struct kp_irl_layout *layout = &event->layout;
    print_preamble(run, module, "import typing\n\nimport kieker_record\n");
    choose_attributes(module, &layout->all);
    print_head(run, module, "kieker_record.Record");
    fprintf(module->out, "    \"\"\"%s %s.\"\"\"\n\n",
            event->abstract ? "What records have that derive from" : "The record", event->full_name);
    print_slots(module, &layout->declared);
    fprintf(module->out, "\n    JAVA_CLASS = \"%s\"\n", event->full_name);
    if (!event->abstract) {
        print_tuple(module, "VALUE_NAMES" OF_CLASS, &layout->wire, item_name);
        print_tuple(module, "TYPES" OF_CLASS, &layout->wire, item_type);
        print_tuple(module, "ATTRIBUTES" OF_CLASS, &layout->wire, item_attribute);
        fprintf(module->out, "    SIZE = %llu\n", (unsigned long long)kp_irl_minimum_bytes(event));
    }
    print_constants(module);
    if (layout->declared.count)
        putc('\n', module->out);
    print_hints(module, &layout->declared);
    print_constructor(module);
    if (!event->abstract)
        print_serialization(module);
    for (size_t i = 0; i < layout->getters.count; i++)
        print_accessor(module, layout->getters.items[i]);
    for (size_t i = 0; i < layout->declared.count;)
        if (layout->declared.items[i]->payload)
            print_payload(module, &layout->declared, &i);
        else
            i++;
}

static void print_template(struct run *run, struct kp_irl_python *module)
{
    const struct kp_irl_declaration *template = module->declaration;
    print_preamble(run, module, "import typing\n");
    choose_attributes(module, &template->layout.all);
    print_head(run, module, "");
    fprintf(module->out, "    \"\"\"What records have that are a %s.\"\"\"\n\n", template->full_name);
    print_slots(module, NULL);
    print_constants(module);
    if (template->layout.all.count)
        putc('\n', module->out);
    print_hints(module, &template->layout.all);
    for (size_t i = 0; i < template->layout.all.count; i++)
        if (template->layout.all.items[i]->form == KP_IRL_PROPERTY_ALIAS)
            print_accessor(module, template->layout.all.items[i]);
}

static void print_enum(struct run *run, struct kp_irl_python *module)
{
    const struct kp_irl_literals *literals = &module->declaration->all_literals;
    const char *name = kp_irl_python_class(module->arena, module->declaration);
    print_preamble(run, module, "import enum\n\nimport kieker_record\n\n\n");
    fprintf(module->out,
            "class %s(enum.IntEnum):\n    \"\"\"%s: values as declared; ordinals travel.\"\"\"\n\n", name,
            module->declaration->full_name);
    for (size_t i = 0; i < literals->count; i++)
        fprintf(module->out, "    %s = %lld\n",
                kp_irl_python_literal(module->arena, literals->items[i].name.text),
                (long long)literals->items[i].value);
    fprintf(module->out,
            "\n    @property\n    def ordinal(self) -> int:\n        return _ORDINALS[self]\n"
            "\n    @classmethod\n    def from_ordinal(cls, ordinal: int) -> \"%s\":\n"
            "        if not 0 <= ordinal < len(_LITERALS):\n"
            "            raise kieker_record.RecordError(\"%s has no ordinal %%d\" %% ordinal)\n"
            "        return _LITERALS[ordinal]\n"
            "\n\n_LITERALS = tuple(%s)\n_ORDINALS = {literal: ordinal for ordinal, literal in "
            "enumerate(_LITERALS)}\n",
            name, name, name);
}

/* Packages are regular ones: so they are found before folders of the same name without code, and by tools
 * that look for
 * __init__.py. One package may lie in several folders of the path. A file that somebody else wrote stays. */
static void print_packages(struct run *run, const char *module)
{
    for (const char *dot = strchr(module, '.'); dot; dot = strchr(dot + 1, '.')) {
        char *package = kp_irl_copy(&run->arena, module, (size_t)(dot - module));
        for (char *c = package; *c; c++)
            *c = *c == '.' ? '/' : *c;
        void **place = kp_irl_names_put(&run->arena, &run->packages, package);
        if (*place)
            continue;
        *place = package;
        if (!kp_irl_output_keeps(run->output, package_mark, "%s/__init__.py", package))
            fprintf(kp_irl_output_begin(run->output, "%s/__init__.py", package),
                    "%sfrom pkgutil import extend_path\n\n__path__ = extend_path(__path__, __name__)\n",
                    package_mark);
    }
}

static void print_module(struct run *run, const struct kp_irl_declaration *declaration)
{
    struct kp_arena arena = {0};
    struct kp_irl_python module = {
        .arena = &arena,
        .declaration = declaration,
        .members = {.arena = &arena, .reserved = run->reserved, .languages = KP_IRL_IN_PYTHON}};
    char *path = kp_irl_python_module(&arena, declaration);
    print_packages(run, path);
    for (char *c = path; *c; c++)
        *c = *c == '.' ? '/' : *c;
    module.out = kp_irl_output_begin(run->output, "%s.py", path);
    if (declaration->kind == KP_IRL_EVENT)
        print_event(run, &module);
    else if (declaration->kind == KP_IRL_TEMPLATE)
        print_template(run, &module);
    else
        print_enum(run, &module);
    kp_arena_free(&arena);
}

/* --- what to generate ---------------------------------------------------------------------------- */

static void add(struct run *run, const struct kp_irl_declaration *declaration);

/* What is needed of Kieker's own models comes along, also when they are read with -I: nobody else has made
 * Python of it. */
static void add_kiekers(struct run *run, const struct kp_irl_declaration *declaration)
{
    if (declaration && !declaration->file->is_input &&
        (declaration->file->is_builtin || declaration->is_kiekers))
        add(run, declaration);
}

static void add(struct run *run, const struct kp_irl_declaration *declaration)
{
    void **place = kp_irl_names_put(&run->arena, &run->done, declaration->full_name);
    if (*place)
        return;
    *place = (void *)declaration;
    print_module(run, declaration);
    add_kiekers(run, declaration->parent.target);
    for (size_t i = 0; i < declaration->templates.count; i++)
        add_kiekers(run, declaration->templates.items[i].target);
    for (size_t i = 0; i < declaration->layout.data.count; i++)
        if (declaration->layout.data.items[i]->resolved->kind == KP_IRL_TYPE_ENUM)
            add_kiekers(run, declaration->layout.data.items[i]->resolved->reference.target);
}

static void generate(const struct kp_irl_model *model, const struct kp_irl_wishes *wishes,
                     struct kp_irl_output *output)
{
    struct run run = {.wishes = wishes, .output = output};
    run.reserved = kp_irl_python_reserved(&run.arena);
    kp_irl_script_runtime(output, kp_irl_runtime_python);
    for (size_t i = 0; i < model->files.count; i++) {
        const struct kp_irl_file *file = model->files.items[i];
        for (size_t k = 0; file->is_input && k < file->declarations.count; k++)
            if (file->declarations.items[k]->kind <= KP_IRL_ENUM)
                add(&run, file->declarations.items[k]);
    }
    kp_arena_free(&run.arena);
}

const struct kp_irl_backend kp_irl_backend_python = {
    .name = "python",
    .summary = "Python 3.8 and later: a module for each event, template and enum",
    .languages = KP_IRL_IN_PYTHON,
    .generate = generate};

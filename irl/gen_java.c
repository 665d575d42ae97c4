/*
 * The Java back end: classes for Kieker 1.15 and 2.x (spec/irl.md 2.1). One class a file: events with their
 * factories, templates as interfaces, enums. This file has what all kinds share.
 */
#include "gen_java.h"
#include "keywords.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* --- names --------------------------------------------------------------------------------------- */

/* Properties whose getters or setters would be those that every record or every object of Java has. */
static const char *const record_accessors[] = {"Class", "LoggingTimestamp", "Size", "ValueNames",
                                               "ValueTypes"};

static int compare_words(const void *a, const void *b)
{
    return strcmp(a, *(const char *const *)b);
}

static bool is_among(const char *word, const char *const *words, size_t count)
{
    return bsearch(word, words, count, sizeof *words, compare_words);
}

const char *kp_java_name(struct kp_arena *arena, const char *name)
{
    return kp_irl_keyword(name) & KP_IRL_IN_JAVA ? kp_irl_format(arena, "_%s", name) : name;
}

const char *kp_java_capital(struct kp_arena *arena, const char *name)
{
    char *out = kp_irl_copy(arena, name, strlen(name));
    if (*out >= 'a' && *out <= 'z')
        *out = (char)(*out - 'a' + 'A');
    return out;
}

static const char *accessor(struct kp_arena *arena, const char *prefix,
                            const struct kp_irl_property *property)
{
    const char *capital = kp_java_capital(arena, property->name.text);
    bool is_boolean = kp_java_is_base(property->resolved, KP_IRL_BOOLEAN); /* isSize is no getSize */
    if (!is_boolean &&
        is_among(capital, record_accessors, sizeof record_accessors / sizeof *record_accessors))
        return kp_irl_format(arena, "%s_%s", prefix, property->name.text);
    return kp_irl_format(arena, "%s%s", prefix, capital);
}

const char *kp_java_getter(struct kp_arena *arena, const struct kp_irl_property *property)
{
    return accessor(arena, kp_java_is_base(property->resolved, KP_IRL_BOOLEAN) ? "is" : "get", property);
}

const char *kp_java_setter(struct kp_arena *arena, const struct kp_irl_property *property)
{
    return accessor(arena, "set", property);
}

/* --- types --------------------------------------------------------------------------------------- */

/* In order of enum kp_irl_base: the type, and the part of putLong and TYPE_SIZE_LONG that tells it. */
static const struct {
    const char *type, *wire;
} java_bases[KP_IRL_BASE_COUNT] = {
    [KP_IRL_BOOLEAN] = {"boolean", "Boolean"},
    [KP_IRL_BYTE] = {"byte", "Byte"},
    [KP_IRL_CHAR] = {"char", "Char"},
    [KP_IRL_SHORT] = {"short", "Short"},
    [KP_IRL_INT] = {"int", "Int"},
    [KP_IRL_LONG] = {"long", "Long"},
    [KP_IRL_FLOAT] = {"float", "Float"},
    [KP_IRL_DOUBLE] = {"double", "Double"},
    [KP_IRL_STRING] = {"java.lang.String", "String"},
};

bool kp_java_is_base(const struct kp_irl_type *type, enum kp_irl_base base)
{
    return type->kind == KP_IRL_TYPE_BASE && type->base == base;
}

bool kp_java_is_object(const struct kp_irl_type *type)
{
    return type->dimension_count || type->kind != KP_IRL_TYPE_BASE || type->base == KP_IRL_STRING;
}

const char *kp_java_wire_name(const struct kp_irl_type *type)
{
    return java_bases[type->kind == KP_IRL_TYPE_BASE ? type->base : KP_IRL_INT].wire;
}

const char *kp_java_element_type(struct kp_java_file *file, const struct kp_irl_type *type)
{
    if (type->kind == KP_IRL_TYPE_BASE)
        return type->base == KP_IRL_STRING ? kp_java_use(file, java_bases[KP_IRL_STRING].type)
                                           : java_bases[type->base].type;
    if (type->reference.target)
        return kp_java_use(file, type->reference.target->full_name);
    return kp_java_use(file, "java.lang.Object"); /* foreign: nothing is known of it */
}

const char *kp_java_brackets(struct kp_arena *arena, size_t count)
{
    char *out = kp_irl_get(arena, 2 * count + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(out + 2 * i, "[]", 2);
    return out;
}

const char *kp_java_type(struct kp_java_file *file, const struct kp_irl_type *type)
{
    return kp_irl_format(&file->arena, "%s%s", kp_java_element_type(file, type),
                         kp_java_brackets(&file->arena, type->dimension_count));
}

static void add_once(struct kp_java *run, struct kp_arena *arena, struct kp_irl_declarations *list,
                     struct kp_irl_declaration *declaration)
{
    if (!declaration || run->seen[declaration->number] == run->walks)
        return;
    run->seen[declaration->number] = run->walks;
    KP_IRL_APPEND(arena, list, declaration);
}

struct kp_irl_declarations kp_java_lineage(struct kp_java *run, struct kp_arena *arena,
                                           const struct kp_irl_declaration *declaration, bool with_parents)
{
    struct kp_irl_declarations list = {0};
    run->walks++;
    for (size_t i = 0;; i++) { /* the list grows while it is walked */
        for (size_t j = 0; j < declaration->templates.count; j++)
            add_once(run, arena, &list, declaration->templates.items[j].target);
        if (with_parents)
            add_once(run, arena, &list, declaration->parent.target);
        if (i == list.count)
            return list;
        declaration = list.items[i];
    }
}

/* --- files --------------------------------------------------------------------------------------- */

const char *kp_java_use(struct kp_java_file *file, const char *full_name)
{
    const char *dot = strrchr(full_name, '.');
    const char *simple = dot ? dot + 1 : full_name;
    size_t package_bytes = dot ? (size_t)(dot - full_name) : 0;
    const char *package = file->declaration->package;
    bool is_here = strlen(package) == package_bytes && !strncmp(package, full_name, package_bytes);

    if (!strcmp(simple, file->class_name))
        return is_here ? simple : full_name;
    for (size_t i = 0; i < file->imports.count; i++)
        if (!strcmp(file->imports.items[i].simple, simple))
            return strcmp(file->imports.items[i].full, full_name) ? full_name : simple;
    bool is_java_lang =
        package_bytes == strlen("java.lang") && !strncmp(full_name, "java.lang", package_bytes);
    /* A class of this package hides that of java.lang. */
    if (is_java_lang &&
        kp_irl_names_get(&file->run->declared, kp_irl_format(&file->arena, "%s.%s", package, simple)))
        return full_name;
    struct kp_java_import import = {simple, full_name, !is_here && !is_java_lang};
    KP_IRL_APPEND(&file->arena, &file->imports, import);
    return simple;
}

void kp_java_override(struct kp_java_file *file)
{
    fprintf(file->body, "\n\t@%s\n", kp_java_use(file, "java.lang.Override"));
}

void kp_java_begin(struct kp_java_file *file, struct kp_java *run,
                   const struct kp_irl_declaration *declaration, const char *class_name)
{
    *file = (struct kp_java_file){.run = run, .declaration = declaration, .class_name = class_name};
    file->body = open_memstream(&file->text, &file->text_bytes);
    if (!file->body) {
        fputs("kprobe irl: out of memory\n", stderr);
        exit(1);
    }
}

static int compare_imports(const void *a, const void *b)
{
    return strcmp(((const struct kp_java_import *)a)->full, ((const struct kp_java_import *)b)->full);
}

static void print_header(FILE *out, const char *header)
{
    if (!header)
        return;
    fputs("/*\n", out);
    while (*header) {
        size_t bytes = strcspn(header, "\n");
        char *line = strndup(header, bytes);
        fputs(bytes ? " * " : " *", out);
        kp_java_comment_text(out, line ? line : "");
        fputc('\n', out);
        free(line);
        header += bytes + (header[bytes] == '\n');
    }
    fputs(" */\n", out);
}

/* a.b.Name -> a/b/Name.java */
static FILE *open_file(const struct kp_java_file *file)
{
    char *folder = strdup(file->declaration->package);
    for (char *c = folder; c && *c; c++)
        if (*c == '.')
            *c = '/';
    FILE *out = kp_irl_output_begin(file->run->output, "%s%s%s.java", folder ? folder : "",
                                    folder && *folder ? "/" : "", file->class_name);
    free(folder);
    return out;
}

void kp_java_end(struct kp_java_file *file)
{
    fclose(file->body);
    FILE *out = open_file(file);
    print_header(out, file->run->wishes->header);
    if (*file->declaration->package)
        fprintf(out, "package %s;\n\n", file->declaration->package);
    if (file->imports.count)
        qsort(file->imports.items, file->imports.count, sizeof *file->imports.items, compare_imports);
    bool any = false;
    for (size_t i = 0; i < file->imports.count; i++)
        if (file->imports.items[i].printed) {
            fprintf(out, "import %s;\n", file->imports.items[i].full);
            any = true;
        }
    if (any)
        fputc('\n', out);
    fwrite(file->text, 1, file->text_bytes, out);
    free(file->text);
    kp_arena_free(&file->arena);
}

void kp_java_class_comment(struct kp_java_file *file, const char *format, ...)
{
    const struct kp_irl_declaration *declaration = file->declaration;
    const struct kp_irl_wishes *wishes = file->run->wishes;
    va_list arguments;
    va_start(arguments, format);
    fputs("/**\n * ", file->body);
    vfprintf(file->body, format, arguments);
    va_end(arguments);
    fputs("\n * Generated from ", file->body);
    const char *path = declaration->file->path;
    const char *slash = strrchr(path, '/'); /* the folder differs from machine to machine */
    kp_java_comment_text(file->body, slash ? slash + 1 : path);
    const char *author = declaration->author ? declaration->author : wishes->author;
    const char *since = declaration->since ? declaration->since : wishes->since;
    fputs(" by kprobe irl; changes are lost.\n *\n", file->body);
    if (author) {
        fputs(" * @author ", file->body);
        kp_java_comment_text(file->body, author);
        fputc('\n', file->body);
    }
    if (since) {
        fputs(" * @since ", file->body);
        kp_java_comment_text(file->body, since);
        fputc('\n', file->body);
    }
    fputs(" */\n", file->body);
}

/* --- the run -------------------------------------------------------------------------------------- */

static void generate_declaration(struct kp_java *run, const struct kp_irl_declaration *declaration)
{
    switch (declaration->kind) {
    case KP_IRL_EVENT:
        kp_java_event(run, declaration);
        if (!declaration->abstract)
            kp_java_factory(run, declaration);
        break;
    case KP_IRL_TEMPLATE:
        kp_java_template(run, declaration);
        break;
    case KP_IRL_ENUM:
        kp_java_enum(run, declaration);
        break;
    case KP_IRL_MODEL:
    case KP_IRL_SUB: /* what it derives stands among the declarations */
        break;
    }
}

static void generate(const struct kp_irl_model *model, const struct kp_irl_wishes *wishes,
                     struct kp_irl_output *output)
{
    struct kp_java run = {.model = model, .wishes = wishes, .output = output};
    run.seen = kp_irl_get(&run.arena, (model->ordered.count + 1) * sizeof *run.seen);
    for (size_t i = 0; i < model->files.count; i++) {
        const struct kp_irl_declarations *declarations = &model->files.items[i]->declarations;
        for (size_t j = 0; j < declarations->count; j++)
            *kp_irl_names_put(&run.arena, &run.declared, declarations->items[j]->full_name) =
                declarations->items[j];
    }
    for (size_t i = 0; i < model->files.count; i++) {
        const struct kp_irl_declarations *declarations = &model->files.items[i]->declarations;
        if (model->files.items[i]->is_input)
            for (size_t j = 0; j < declarations->count; j++)
                generate_declaration(&run, declarations->items[j]);
    }
    kp_arena_free(&run.arena);
}

const struct kp_irl_backend kp_irl_backend_java = {
    .name = "java",
    .summary = "classes, factories, interfaces and enums for Kieker 1.15 and 2.x",
    .languages = KP_IRL_IN_JAVA,
    .generate = generate,
};

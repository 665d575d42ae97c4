/* Names of declarations: what they stand for (spec/irl.md 1.5). */
#include <string.h>

#include "stages.h"

/* What a file sees besides its own types. */
struct scope {
    struct kp_irl_names_table imported; /* full names */
    struct kp_irl_names_table packages; /* with all their types */
};

struct linker {
    struct kp_irl_model *model;
    struct kp_irl_names_table full;     /* full name: the declaration that counts */
    struct kp_irl_names_table simple;   /* simple name: kp_irl_declarations */
    struct kp_irl_names_table packages; /* all that there are */
    struct scope scope;                 /* of the file that is being linked */
    const struct kp_irl_file *file;
};

#define KIND(kind) (1u << (kind))

/* --- tables of all declarations ------------------------------------------------------------------ */

/* Files of a lower rank take the place of those of a higher one. */
static int rank(const struct kp_irl_file *file)
{
    return file->is_builtin ? 2 : file->is_input ? 0 : 1;
}

static void note_full_name(struct linker *linker, struct kp_irl_declaration *declaration)
{
    void **place = kp_irl_names_put(&linker->model->arena, &linker->full, declaration->full_name);
    struct kp_irl_declaration *first = *place;
    if (!first) {
        *place = declaration;
    } else if (rank(first->file) < rank(declaration->file)) {
        declaration->shadowed_by = first;
        first->is_kiekers |= declaration->file->is_builtin;
    } else if (rank(first->file) > rank(declaration->file)) {
        first->shadowed_by = declaration;
        declaration->is_kiekers |= first->file->is_builtin;
        *place = declaration;
    } else if (kp_irl_say(linker->model, KP_IRL_013, declaration->name.span, "'%s' is declared twice",
                          declaration->full_name)) {
        kp_irl_report_note(linker->model->reports, first->name.span, "first declared here");
    }
}

static void note_simple_name(struct linker *linker, struct kp_irl_declaration *declaration)
{
    struct kp_arena *arena = &linker->model->arena;
    void **place = kp_irl_names_put(arena, &linker->simple, declaration->name.text);
    if (!*place)
        *place = kp_irl_get(arena, sizeof(struct kp_irl_declarations));
    struct kp_irl_declarations *same = *place;
    KP_IRL_APPEND(arena, same, declaration);
}

static void collect(struct linker *linker)
{
    struct kp_irl_model *model = linker->model;
    for (size_t i = 0; i < model->files.count; i++) {
        struct kp_irl_file *file = model->files.items[i];
        const char *package = file->package.text ? file->package.text : "";
        *kp_irl_names_put(&model->arena, &linker->packages, package) = file;
        for (size_t j = 0; j < file->declarations.count; j++) {
            struct kp_irl_declaration *declaration = file->declarations.items[j];
            declaration->file = file;
            declaration->package = package;
            declaration->full_name =
                kp_irl_format(&model->arena, "%s%s%s", package, *package ? "." : "", declaration->name.text);
            note_full_name(linker, declaration);
            note_simple_name(linker, declaration);
        }
    }
}

/* --- imports ------------------------------------------------------------------------------------- */

static void read_import(struct linker *linker, const struct kp_irl_import *import)
{
    struct kp_arena *arena = &linker->model->arena;
    const struct kp_irl_names_table *there = import->wildcard ? &linker->packages : &linker->full;
    struct kp_irl_names_table *visible = import->wildcard ? &linker->scope.packages : &linker->scope.imported;
    *kp_irl_names_put(arena, visible, import->name.text) = (void *)import;
    if (!kp_irl_names_get(there, import->name.text))
        kp_irl_say(linker->model, KP_IRL_014, import->name.span,
                   import->wildcard ? "no model has the package '%s'" : "no model declares '%s'",
                   import->name.text);
}

static void enter_file(struct linker *linker, const struct kp_irl_file *file)
{
    linker->file = file;
    linker->scope = (struct scope){0};
    for (size_t i = 0; i < file->imports.count; i++)
        read_import(linker, &file->imports.items[i]);
}

/* --- one name ------------------------------------------------------------------------------------ */

static bool is_own(const struct linker *linker, const struct kp_irl_declaration *declaration)
{
    return declaration->file == linker->file;
}

static bool is_imported(const struct linker *linker, const struct kp_irl_declaration *declaration)
{
    return !declaration->shadowed_by && kp_irl_names_get(&linker->scope.imported, declaration->full_name);
}

static bool is_in_imported_package(const struct linker *linker, const struct kp_irl_declaration *declaration)
{
    return !declaration->shadowed_by && kp_irl_names_get(&linker->scope.packages, declaration->package);
}

static bool is_in_same_package(const struct linker *linker, const struct kp_irl_declaration *declaration)
{
    return !declaration->shadowed_by && linker->file->package.text &&
           !strcmp(declaration->package, linker->file->package.text);
}

static bool is_given(const struct linker *linker, const struct kp_irl_declaration *declaration)
{
    (void)linker;
    return !declaration->shadowed_by && !declaration->file->is_builtin;
}

static bool is_anywhere(const struct linker *linker, const struct kp_irl_declaration *declaration)
{
    (void)linker;
    return !declaration->shadowed_by;
}

/* Where simple names are looked for, one after the other. A model that was given goes before one that is
 * built in: who never heard of Kieker's types must not stumble over them. */
static const struct place {
    bool (*holds)(const struct linker *linker, const struct kp_irl_declaration *declaration);
    bool implicit;
} places[] = {
    {is_own, false},  {is_imported, false}, {is_in_imported_package, false}, {is_in_same_package, false},
    {is_given, true}, {is_anywhere, true}};

/* `said`: that there is more than one. */
static struct kp_irl_declaration *find_in(struct linker *linker, const struct place *place,
                                          const struct kp_irl_declarations *same,
                                          const struct kp_irl_name *name, bool *said)
{
    struct kp_irl_declaration *found = NULL;
    for (size_t i = 0; i < same->count; i++) {
        struct kp_irl_declaration *candidate = same->items[i];
        if (!place->holds(linker, candidate))
            continue;
        if (!found) {
            found = candidate;
        } else if (strcmp(found->full_name, candidate->full_name) != 0) { /* equal ones are IRL013 */
            if (kp_irl_say(linker->model, KP_IRL_012, name->span, "'%s' may be '%s' or '%s'; import one",
                           name->text, found->full_name, candidate->full_name)) {
                kp_irl_report_note(linker->model->reports, found->name.span, "the one");
                kp_irl_report_note(linker->model->reports, candidate->name.span, "the other");
            }
            *said = true;
            return found;
        }
    }
    return found && found->shadowed_by ? found->shadowed_by : found;
}

static struct kp_irl_declaration *find_simple(struct linker *linker, const struct kp_irl_name *name)
{
    const struct kp_irl_declarations *same = kp_irl_names_get(&linker->simple, name->text);
    bool said = false;
    for (size_t i = 0; same && i < sizeof places / sizeof *places; i++) {
        struct kp_irl_declaration *found = find_in(linker, &places[i], same, name, &said);
        if (!found)
            continue;
        if (places[i].implicit && !said)
            kp_irl_say(linker->model, KP_IRL_015, name->span, "'%s' is not imported; taken from '%s'",
                       name->text, found->package);
        return found;
    }
    return NULL;
}

static struct kp_irl_declaration *find(struct linker *linker, const struct kp_irl_name *name)
{
    return strchr(name->text, '.') ? kp_irl_names_get(&linker->full, name->text) : find_simple(linker, name);
}

/* --- references ---------------------------------------------------------------------------------- */

static const char *guess_text(struct linker *linker, const char *wanted, unsigned kinds, bool base_types)
{
    struct kp_irl_guess guess = {.wanted = wanted};
    struct kp_irl_model *model = linker->model;
    if (!kp_irl_may_guess(model))
        return "";
    for (size_t i = 0; base_types && i < KP_IRL_BASE_COUNT; i++)
        kp_irl_guess_offer(&guess, kp_irl_bases[i].name);
    bool full = strchr(wanted, '.');
    for (size_t i = 0; i < model->files.count; i++)
        for (size_t j = 0; j < model->files.items[i]->declarations.count; j++) {
            const struct kp_irl_declaration *one = model->files.items[i]->declarations.items[j];
            if (kinds & KIND(one->kind))
                kp_irl_guess_offer(&guess, full ? one->full_name : one->name.text);
        }
    return kp_irl_guess_text(&model->arena, &guess);
}

/* An import that was meant to bring the name, and brought nothing, says more than a guess. */
static const char *hint_text(struct linker *linker, const char *wanted, unsigned kinds, bool base_types)
{
    for (size_t i = 0; i < linker->file->imports.count && kp_irl_may_guess(linker->model); i++) {
        const struct kp_irl_import *import = &linker->file->imports.items[i];
        const char *dot = strrchr(import->name.text, '.');
        if (!import->wildcard && dot && !strcmp(dot + 1, wanted))
            return kp_irl_format(
                &linker->model->arena,
                ": '%s' is imported, but no model declares it; give its file, or its folder by -I",
                import->name.text);
    }
    return guess_text(linker, wanted, kinds, base_types);
}

struct wish {
    const char *what; /* is unknown: "parent", "template", ... */
    const char *must; /* be, if it is known: "an event", ... */
    unsigned kinds;
    enum kp_irl_code unknown;
    bool base_types; /* for the guess */
};

static void link_reference(struct linker *linker, struct kp_irl_reference *reference, const struct wish *wish)
{
    struct kp_irl_model *model = linker->model;
    if (!reference->name.text)
        return;
    struct kp_irl_declaration *found = find(linker, &reference->name);
    if (!found) {
        kp_irl_say(model, wish->unknown, reference->name.span, "unknown %s '%s'%s", wish->what,
                   reference->name.text,
                   hint_text(linker, reference->name.text, wish->kinds, wish->base_types));
    } else if (wish->kinds & KIND(found->kind)) {
        reference->target = found;
    } else if (kp_irl_say(model, KP_IRL_011, reference->name.span, "'%s' is %s, not %s", reference->name.text,
                          kp_irl_kind_name(found->kind), wish->must)) {
        kp_irl_report_note(model->reports, found->name.span, "declared here");
    }
}

static bool is_foreign(const struct linker *linker, const char *name)
{
    const char *dot = strchr(name, '.');
    for (size_t i = 0; dot && i < linker->file->uses.count; i++) {
        const char *prefix = linker->file->uses.items[i].prefix.text;
        if (!strncmp(prefix, name, (size_t)(dot - name)) && !prefix[dot - name])
            return true;
    }
    return false;
}

static void link_type(struct linker *linker, struct kp_irl_type *type)
{
    static const struct wish wish = {
        "type", "a type", KIND(KP_IRL_EVENT) | KIND(KP_IRL_TEMPLATE) | KIND(KP_IRL_ENUM), KP_IRL_010, true};
    const char *name = type->reference.name.text;
    if (!name)
        return;
    for (enum kp_irl_base base = 0; base < KP_IRL_BASE_COUNT; base++)
        if (!strcmp(name, kp_irl_bases[base].name)) {
            type->kind = KP_IRL_TYPE_BASE;
            type->base = base;
            return;
        }
    if (is_foreign(linker, name)) {
        type->kind = KP_IRL_TYPE_FOREIGN;
        return;
    }
    link_reference(linker, &type->reference, &wish);
    if (type->reference.target)
        type->kind = type->reference.target->kind == KP_IRL_ENUM ? KP_IRL_TYPE_ENUM : KP_IRL_TYPE_RECORD;
}

/* `struct A : B` of 2013, where B is a struct: the parent as it was written then. */
static bool is_old_parent(struct linker *linker, const struct kp_irl_declaration *declaration, size_t index)
{
    if (declaration->kind != KP_IRL_EVENT || !declaration->old_record || declaration->parent.name.text)
        return false;
    const struct kp_irl_declaration *found = find(linker, &declaration->templates.items[index].name);
    return found && found->kind == KP_IRL_EVENT;
}

static void link_inherited(struct linker *linker, struct kp_irl_declaration *declaration)
{
    static const struct wish parent = {"parent", "an event: write ':' before templates", KIND(KP_IRL_EVENT),
                                       KP_IRL_010, false};
    static const struct wish template = {"template", "a template: write 'extends' before a parent",
                                         KIND(KP_IRL_TEMPLATE), KP_IRL_010, false};
    static const struct wish enumeration = {"enum", "an enum", KIND(KP_IRL_ENUM), KP_IRL_010, false};
    static const struct wish type = {"event or template", "an event or a template",
                                     KIND(KP_IRL_EVENT) | KIND(KP_IRL_TEMPLATE), KP_IRL_010, false};
    static const struct wish model = {"model", "a model", KIND(KP_IRL_MODEL), KP_IRL_010, false};
    const struct wish *wish = declaration->kind == KP_IRL_ENUM    ? &enumeration
                              : declaration->kind == KP_IRL_MODEL ? &type
                                                                  : &template;
    link_reference(linker, &declaration->parent, &parent);
    link_reference(linker, &declaration->model, &model);
    struct kp_irl_references *list = &declaration->templates;
    for (size_t i = 0; i < list->count; i++) {
        if (is_old_parent(linker, declaration, i)) {
            declaration->parent = list->items[i];
            memmove(&list->items[i], &list->items[i + 1], (list->count - i - 1) * sizeof *list->items);
            list->count--;
            i--;
            link_reference(linker, &declaration->parent, &parent);
        } else {
            link_reference(linker, &list->items[i], wish);
        }
    }
}

static void link_declaration(struct linker *linker, struct kp_irl_declaration *declaration)
{
    static const struct wish grouped = {"event", "an event", KIND(KP_IRL_EVENT), KP_IRL_022, false};
    link_inherited(linker, declaration);
    for (size_t i = 0; i < declaration->properties.count; i++) {
        link_type(linker, &declaration->properties.items[i]->type);
        link_reference(linker, &declaration->properties.items[i]->grouped_event, &grouped);
    }
    for (size_t i = 0; i < declaration->constants.count; i++)
        link_type(linker, &declaration->constants.items[i]->type);
}

void kp_irl_resolve(struct kp_irl_model *model)
{
    struct linker linker = {.model = model};
    collect(&linker);
    for (size_t i = 0; i < model->files.count; i++) {
        const struct kp_irl_file *file = model->files.items[i];
        enter_file(&linker, file);
        for (size_t j = 0; j < file->declarations.count; j++)
            link_declaration(&linker, file->declarations.items[j]);
    }
    kp_irl_order(model);
    kp_irl_link_members(model);
}

#include "gen_c.h"
#include "keywords.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "irl.h"

extern const struct kp_irl_builtin kp_irl_runtime_c[];

/* --- the table of all records -------------------------------------------------------------------- */

struct index {
    const struct kp_irl_declaration **events, **enums;
    size_t event_count, enum_count;
};

static int compare_classes(const void *a, const void *b)
{
    return strcmp((*(const struct kp_irl_declaration *const *)a)->full_name,
                  (*(const struct kp_irl_declaration *const *)b)->full_name);
}

static struct index collect(struct kp_gen_c *gen)
{
    const struct kp_irl_declarations *all = &gen->model->ordered;
    struct index index = {
        .events = kp_irl_get(&gen->arena, (all->count + 1) * sizeof(const struct kp_irl_declaration *)),
        .enums = kp_irl_get(&gen->arena, (all->count + 1) * sizeof(const struct kp_irl_declaration *)),
    };
    for (size_t i = 0; i < all->count; i++) {
        const struct kp_irl_declaration *declaration = all->items[i];
        if (!kp_gen_c_is_wanted(declaration) || !declaration->file->is_input || declaration->shadowed_by)
            continue;
        if (declaration->kind == KP_IRL_ENUM)
            index.enums[index.enum_count++] = declaration;
        else
            index.events[index.event_count++] = declaration;
    }
    /* kieker_record_find relies on this order. */
    qsort(index.events, index.event_count, sizeof *index.events, compare_classes);
    qsort(index.enums, index.enum_count, sizeof *index.enums, compare_classes);
    return index;
}

static void include(struct kp_gen_c *gen, FILE *file, const struct kp_irl_declaration *declaration,
                    char ending)
{
    const struct kp_gen_c_names *names = kp_gen_c_names_of(gen, declaration);
    fprintf(file, "#include \"%s%s.%c\"\n", names->folder, names->file, ending);
}

static void print_index_header(struct kp_gen_c *gen, FILE *file, const struct index *index)
{
    const char *name = gen->wishes->index;
    char *guard = kp_irl_copy(&gen->arena, name, strlen(name));
    for (char *at = guard; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    fprintf(file, "/* All records, in order of their class names */\n#ifndef %s_H\n#define %s_H\n\n", guard,
            guard);
    for (size_t i = 0; i < index->enum_count; i++)
        include(gen, file, index->enums[i], 'h');
    for (size_t i = 0; i < index->event_count; i++)
        include(gen, file, index->events[i], 'h');
    fputs("#include \"kieker_record.h\"\n#include \"kieker_registry.h\"\n\n", file);
    fprintf(file, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n#define %s_COUNT %zu\n", guard,
            index->event_count);
    fprintf(file, "extern const struct kieker_record_type *const %s[];\n\n", name);
    fprintf(file, "/* By Java class name; NULL when there is none. */\n");
    fprintf(file, "const struct kieker_record_type *%s_find(const char *java_class);\n", name);
    fputs("\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n", file);
}

static void print_index_source(struct kp_gen_c *gen, FILE *file, const struct index *index)
{
    const char *name = gen->wishes->index;
    fprintf(file, "#include \"%s.h\"\n\nconst struct kieker_record_type *const %s[] = {\n", name, name);
    for (size_t i = 0; i < index->event_count; i++)
        fprintf(file, "    &%s,\n", kp_gen_c_names_of(gen, index->events[i])->description);
    fprintf(file, "    NULL,\n};\n\nconst struct kieker_record_type *%s_find(const char *java_class)\n{\n",
            name);
    fprintf(file, "    return kieker_record_find(%s, %zu, java_class);\n}\n", name, index->event_count);
}

/* One source for a build that wants to name what it compiles before the models are read. */
static void print_all(struct kp_gen_c *gen, FILE *file, const struct index *index)
{
    fprintf(file,
            "/* All records in one: for a build that names its files before the models are read. "
            "*/\n#include \"%s.c\"\n",
            gen->wishes->index);
    for (size_t i = 0; i < index->enum_count; i++)
        include(gen, file, index->enums[i], 'c');
    for (size_t i = 0; i < index->event_count; i++)
        include(gen, file, index->events[i], 'c');
}

static void generate_index(struct kp_gen_c *gen)
{
    struct index index = collect(gen);
    print_index_header(gen, kp_irl_output_begin(gen->output, "%s.h", gen->wishes->index), &index);
    print_index_source(gen, kp_irl_output_begin(gen->output, "%s.c", gen->wishes->index), &index);
    print_all(gen, kp_irl_output_begin(gen->output, "%s_all.inc", gen->wishes->index), &index);
}

/* ------------------------------------------------------------------------------------------------- */

static FILE *begin(struct kp_gen_c *gen, const struct kp_irl_declaration *declaration, char ending)
{
    const struct kp_gen_c_names *names = kp_gen_c_names_of(gen, declaration);
    return kp_irl_output_begin(gen->output, "%s%s.%c", names->folder, names->file, ending);
}

static void generate_declaration(struct kp_gen_c *gen, const struct kp_irl_declaration *declaration)
{
    if (declaration->kind == KP_IRL_ENUM) {
        kp_gen_c_enum_header(gen, begin(gen, declaration, 'h'), declaration);
        kp_gen_c_enum_source(gen, begin(gen, declaration, 'c'), declaration);
    } else {
        kp_gen_c_header(gen, begin(gen, declaration, 'h'), declaration);
        kp_gen_c_source(gen, begin(gen, declaration, 'c'), declaration);
    }
}

static void generate(const struct kp_irl_model *model, const struct kp_irl_wishes *wishes,
                     struct kp_irl_output *output)
{
    struct kp_gen_c gen = {.model = model, .wishes = wishes, .output = output};
    kp_gen_c_name_all(&gen);
    for (const struct kp_irl_builtin *row = kp_irl_runtime_c; row->name; row++)
        fwrite(row->text, 1, row->text_bytes, kp_irl_output_begin(output, "%s", row->name));
    for (size_t i = 0; i < model->ordered.count; i++) {
        const struct kp_irl_declaration *declaration = model->ordered.items[i];
        if (kp_gen_c_is_wanted(declaration) && declaration->file->is_input && !declaration->shadowed_by)
            generate_declaration(&gen, declaration);
    }
    if (wishes->index)
        generate_index(&gen);
    kp_arena_free(&gen.arena);
}

const struct kp_irl_backend kp_irl_backend_c = {
    .name = "c",
    .summary = "structs with functions that write and read them, and their runtime",
    .languages = KP_IRL_IN_C | KP_IRL_IN_CPP,
    .generate = generate,
};

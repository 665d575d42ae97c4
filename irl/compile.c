#include "compile.h"

#include <errno.h>
#include <string.h>

/* "c, java, perl and python" */
static const char *all_languages(struct kp_arena *arena)
{
    const char *text = "";
    for (const struct kp_irl_backend *const *row = kp_irl_backends; *row; row++)
        text = kp_irl_format(arena, "%s%s%s", text, !*text ? "" : row[1] ? ", " : " and ", (*row)->name);
    return text;
}

static const char *add_target(struct kp_irl_targets *targets, struct kp_arena *arena, const char *language)
{
    struct kp_irl_target target = {.backend = kp_irl_backend_find(language)};
    if (!target.backend)
        return kp_irl_format(arena, "no language is called '%s'; there are %s", language,
                             all_languages(arena));
    for (size_t i = 0; i < targets->count; i++)
        if (targets->items[i].backend == target.backend)
            return kp_irl_format(arena, "the language '%s' is named twice", language);
    KP_IRL_APPEND(arena, targets, target);
    return NULL;
}

const char *kp_irl_targets_parse(struct kp_irl_targets *targets, struct kp_arena *arena,
                                 const char *languages, const char *const *folders, size_t folder_count)
{
    char *rest = kp_irl_copy(arena, languages, strlen(languages));
    for (char *language; (language = strsep(&rest, ", \n"));) {
        const char *problem = *language ? add_target(targets, arena, language) : NULL;
        if (problem)
            return problem;
    }
    if (!targets->count)
        return kp_irl_format(arena, "no language is named; there are %s", all_languages(arena));
    if (folder_count != 1 && folder_count != targets->count)
        return kp_irl_format(arena, "%zu folders for %zu languages; one for all, or one for each, is allowed",
                             folder_count, targets->count);
    for (size_t i = 0; i < targets->count; i++) {
        struct kp_irl_target *target = &targets->items[i];
        target->folder = folder_count > 1 ? folders[i]
                         : targets->count > 1
                             ? kp_irl_format(arena, "%s/%s", folders[0], target->backend->name)
                             : folders[0];
    }
    return NULL;
}

unsigned kp_irl_targets_languages(const struct kp_irl_targets *targets)
{
    unsigned languages = 0;
    for (size_t i = 0; i < targets->count; i++)
        languages |= targets->items[i].backend->languages;
    return languages;
}

/* A path as make and ninja read it */
static void print_escaped(FILE *file, const char *path)
{
    for (; *path; path++) {
        if (strchr(" #\\", *path))
            putc('\\', file);
        else if (*path == '$')
            putc('$', file);
        putc(*path, file);
    }
}

static bool write_dependencies(const struct kp_irl_model *model, struct kp_irl_output *const *outputs,
                               size_t count, const char *path)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return false;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < kp_irl_output_count(outputs[i]); k++) {
            print_escaped(file, kp_irl_output_path(outputs[i], k));
            fputs(" \\\n", file);
        }
    fputs(":", file);
    for (size_t i = 0; i < model->files.count; i++)
        if (!model->files.items[i]->is_builtin && strcmp(model->files.items[i]->path, "-") != 0) {
            fputs(" \\\n  ", file);
            print_escaped(file, model->files.items[i]->path);
        }
    putc('\n', file);
    bool written = !ferror(file);
    return !fclose(file) && written;
}

bool kp_irl_generate(const struct kp_irl_model *model, const struct kp_irl_targets *targets,
                     const struct kp_irl_wishes *wishes, const char *dependencies, const char *program)
{
    struct kp_arena arena = {0};
    struct kp_irl_output **outputs = kp_irl_get(&arena, (targets->count + 1) * sizeof *outputs);
    bool good = !kp_irl_reports_errors(model->reports);
    for (size_t i = 0; good && i < targets->count; i++) {
        outputs[i] = kp_irl_output_create(targets->items[i].folder);
        targets->items[i].backend->generate(model, wishes, outputs[i]);
        if (!kp_irl_output_finish(outputs[i])) {
            fprintf(stderr, "%s: %s\n", program, kp_irl_output_problem(outputs[i]));
            good = false;
        }
    }
    if (good && dependencies && !write_dependencies(model, outputs, targets->count, dependencies)) {
        fprintf(stderr, "%s: %s: %s\n", program, dependencies, strerror(errno));
        good = false;
    }
    for (size_t i = 0; i < targets->count && outputs[i]; i++)
        kp_irl_output_destroy(outputs[i]);
    kp_arena_free(&arena);
    return good;
}

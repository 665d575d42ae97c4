/* Files that back ends write: made complete beside their place, then renamed into it. */
#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend.h"

struct kp_irl_output {
    struct kp_arena arena;
    const char *folder;
    struct {
        const char **items;
        size_t count, room;
    } paths;
    void *known;      /* the same paths as a search tree */
    FILE *file;       /* of the newest path, written beside it; what comes after a problem goes nowhere */
    char *unfinished; /* the name beside it */
    const char *made; /* the folder that was made last, with its slash */
    const char *problem;
};

static void note_problem(struct kp_irl_output *output, const char *path, const char *what)
{
    if (!output->problem)
        output->problem = kp_irl_format(&output->arena, "%s: %s", path, what);
}

struct kp_irl_output *kp_irl_output_create(const char *folder)
{
    struct kp_arena arena = {0};
    struct kp_irl_output *output = kp_irl_get(&arena, sizeof *output);
    output->arena = arena;
    output->folder = kp_irl_copy(&output->arena, folder, strlen(folder));
    return output;
}

static void end_file(struct kp_irl_output *output)
{
    if (!output->file)
        return;
    const char *path = output->unfinished ? output->paths.items[output->paths.count - 1] : NULL;
    bool written = !ferror(output->file);
    written &= !fclose(output->file);
    output->file = NULL;
    if (!path)
        return;
    if (!written || rename(output->unfinished, path)) {
        note_problem(output, path, strerror(errno));
        unlink(output->unfinished);
    }
    output->unfinished = NULL;
}

static bool make_folders(struct kp_irl_output *output, char *path)
{
    /* Most files are in the folder of the one before. */
    size_t bytes = (size_t)(strrchr(path, '/') - path) + 1;
    if (output->made && !strncmp(output->made, path, bytes) && !output->made[bytes])
        return true;
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        bool there = !mkdir(path, 0777) || errno == EEXIST;
        *slash = '/';
        if (!there)
            return false;
    }
    output->made = kp_irl_copy(&output->arena, path, bytes);
    return true;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(a, b);
}

static FILE *nowhere(struct kp_irl_output *output)
{
    output->file = fopen("/dev/null", "we");
    if (output->file)
        return output->file;
    perror("kprobe irl: /dev/null");
    exit(1);
}

FILE *kp_irl_output_begin(struct kp_irl_output *output, const char *format, ...)
{
    char *name;
    va_list arguments;
    va_start(arguments, format);
    int bytes = vasprintf(&name, format, arguments);
    va_end(arguments);
    char *path = kp_irl_format(&output->arena, "%s/%s", output->folder, bytes < 0 ? "" : name);
    if (bytes >= 0)
        free(name);
    end_file(output);
    const char **known = tsearch(path, &output->known, compare_paths);
    if (!known || *known != path) {
        note_problem(output, path, "two declarations would be written to this file");
        return nowhere(output);
    }
    char *unfinished = kp_irl_format(&output->arena, "%s.unfinished", path);
    if (!make_folders(output, unfinished) || !(output->file = fopen(unfinished, "we"))) {
        note_problem(output, path, strerror(errno));
        return nowhere(output);
    }
    output->unfinished = unfinished;
    KP_IRL_APPEND(&output->arena, &output->paths, path);
    return output->file;
}

bool kp_irl_output_keeps(const struct kp_irl_output *output, const char *mark, const char *format, ...)
{
    char *name = NULL, *path = NULL;
    va_list arguments;
    va_start(arguments, format);
    bool named = vasprintf(&name, format, arguments) >= 0;
    va_end(arguments);
    bool keeps = false;
    FILE *file = named && asprintf(&path, "%s/%s", output->folder, name) >= 0 ? fopen(path, "re") : NULL;
    if (file) {
        while (*mark && getc(file) == *mark)
            mark++;
        keeps = *mark;
        fclose(file);
    }
    free(path);
    free(name);
    return keeps;
}

bool kp_irl_output_finish(struct kp_irl_output *output)
{
    end_file(output);
    return !output->problem;
}

const char *kp_irl_output_problem(const struct kp_irl_output *output)
{
    return output->problem;
}

static void keep(void *path)
{
    (void)path; /* the arena's */
}

void kp_irl_output_destroy(struct kp_irl_output *output)
{
    end_file(output);
    tdestroy(output->known, keep);
    struct kp_arena arena = output->arena;
    kp_arena_free(&arena);
}

size_t kp_irl_output_count(const struct kp_irl_output *output)
{
    return output->paths.count;
}

const char *kp_irl_output_path(const struct kp_irl_output *output, size_t index)
{
    return output->paths.items[index];
}

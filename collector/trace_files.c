#include "trace_files.h"

#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/leftover.h"

static void append(char *pattern, size_t bytes, size_t *used, const char *text)
{
    for (; *text && *used + 1 < bytes; text++)
        pattern[(*used)++] = *text;
    pattern[*used] = 0;
}

/* Where the suffix of the file name begins: ".kpt", or the end. */
static const char *suffix_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    return dot && dot > (slash ? slash + 1 : path) ? dot : path + strlen(path);
}

void kp_trace_files_pattern(const char *output, char *pattern, size_t bytes)
{
    size_t used = 0;
    *pattern = 0;
    if (strncmp(output, "file:", 5))
        return;
    const char *path = output + 5, *suffix = suffix_of(path);
    for (const char *at = path; *at; at++) {
        if (at == suffix)
            append(pattern, bytes, &used, "*");
        if (*at == '%' && at[1]) {
            append(pattern, bytes, &used, *++at == '%' ? "%" : "*");
            continue;
        }
        if (strchr("*?[\\", *at))
            append(pattern, bytes, &used, "\\");
        append(pattern, bytes, &used, (char[]){*at, 0});
    }
    append(pattern, bytes, &used, "*");
}

static void add(struct kp_trace_files *files, const char *path)
{
    for (size_t i = 0; i < files->count; i++)
        if (!strcmp(files->paths[i], path))
            return;
    files->paths = realloc(files->paths, (files->count + 1) * sizeof *files->paths);
    char *copy = strdup(path);
    if (!files->paths || !copy)
        abort();
    files->paths[files->count++] = copy;
}

static bool before(struct timespec a, struct timespec b)
{
    return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

static bool is_trace(const char *path, struct timespec start)
{
    struct stat stat_of;
    return !stat(path, &stat_of) && S_ISREG(stat_of.st_mode) && !before(stat_of.st_mtim, start);
}

struct search {
    struct kp_trace_files *files;
    const char *pattern;
    struct timespec start;
};

/* A process that died before its file existed left only the mapping, which readers find by the output's name.
 */
static bool visit_leftover(void *user, const struct kp_leftover *leftover)
{
    struct search *search = user;
    struct stat stat_of;
    if (!leftover->alive && !fnmatch(search->pattern, leftover->output, FNM_PATHNAME | FNM_PERIOD) &&
        !stat(leftover->path, &stat_of) && !before(stat_of.st_mtim, search->start))
        add(search->files, leftover->output);
    return true;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void kp_trace_files_find(struct kp_trace_files *files, const char *output, struct timespec start)
{
    char pattern[PATH_MAX];
    glob_t found = {0};
    *files = (struct kp_trace_files){0};
    kp_trace_files_pattern(output, pattern, sizeof pattern);
    if (!*pattern)
        return;
    if (!glob(pattern, 0, NULL, &found))
        for (size_t i = 0; i < found.gl_pathc; i++)
            if (is_trace(found.gl_pathv[i], start))
                add(files, found.gl_pathv[i]);
    globfree(&found);
    kp_leftover_each(visit_leftover, &(struct search){files, pattern, start});
    if (files->count)
        qsort(files->paths, files->count, sizeof *files->paths, compare);
}

void kp_trace_files_fini(struct kp_trace_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->paths[i]);
    free(files->paths);
    *files = (struct kp_trace_files){0};
}

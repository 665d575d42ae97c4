/* The texts of the models: files, folders, standard input, and Kieker's own models that are built in. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "irl.h"
#include "names.h"

/* A token may be one byte, and takes sixteen: the largest file takes a gigabyte. 3 MB are 10 000 records. */
#define MOST_FILE_BYTES (64u << 20)
#define MOST_FOLDERS    64 /* within each other */

struct loader {
    struct kp_irl_model *model;
    struct kp_irl_names_table known; /* files and folders, by device and inode */
    bool is_input;
    size_t numbers, met; /* files and messages; how often a path was known already */
    bool failed;
};

static struct kp_irl_file *new_file(struct loader *loader, const char *path)
{
    struct kp_irl_file *file = kp_irl_get(&loader->model->arena, sizeof *file);
    file->path = kp_irl_copy(&loader->model->arena, path, strlen(path));
    file->number = loader->numbers++;
    file->is_input = loader->is_input;
    return file;
}

static void fail(struct loader *loader, const char *path, const char *why)
{
    loader->failed = true;
    kp_irl_report(loader->model->reports, KP_IRL_000, (struct kp_irl_span){.file = new_file(loader, path)},
                  "%s", why);
}

static void find_lines(struct kp_irl_model *model, struct kp_irl_file *file)
{
    const char *end = file->text + file->text_bytes, *newline;
    size_t count = 1;
    for (const char *at = file->text; (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1)
        count++;
    uint32_t *lines = kp_irl_get(&model->arena, count * sizeof *lines);
    count = 1;
    for (const char *at = file->text; (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1)
        lines[count++] = (uint32_t)(newline + 1 - file->text);
    file->lines = lines;
    file->line_count = count;
}

static void add_text(struct loader *loader, const char *path, const char *text, size_t bytes, bool builtin)
{
    struct kp_irl_file *file = new_file(loader, path);
    file->text = text;
    file->text_bytes = bytes;
    file->is_builtin = builtin;
    find_lines(loader->model, file);
    KP_IRL_APPEND(&loader->model->arena, &loader->model->files, file);
}

/* All of an open file, whatever kind of file it is; NULL with errno otherwise. */
static char *read_all(int fd, size_t *bytes)
{
    size_t room = 1 << 16;
    char *text = NULL;
    *bytes = 0;
    for (;;) {
        char *more = realloc(text, room);
        if (!more)
            kp_irl_out_of_memory();
        text = more;
        ssize_t got = read(fd, text + *bytes, room - *bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got > 0)
            *bytes += (size_t)got;
        if (*bytes > MOST_FILE_BYTES)
            errno = EFBIG;
        if (got < 0 || *bytes > MOST_FILE_BYTES) {
            free(text);
            return NULL;
        }
        if (got == 0)
            return text;
        if (*bytes == room)
            room *= 2;
    }
}

static void add_open_file(struct loader *loader, const char *path, int fd)
{
    size_t bytes;
    char *text = read_all(fd, &bytes);
    if (!text) {
        fail(loader, path, strerror(errno));
        return;
    }
    add_text(loader, path, kp_irl_copy(&loader->model->arena, text, bytes), bytes, false);
    free(text);
}

/* Was this file or folder met before, under whatever name? */
static bool is_known(struct loader *loader, const struct stat *status)
{
    const char *key = kp_irl_format(&loader->model->arena, "%llu:%llu", (unsigned long long)status->st_dev,
                                    (unsigned long long)status->st_ino);
    void **known = kp_irl_names_put(&loader->model->arena, &loader->known, key);
    bool before = *known;
    loader->met += before;
    *known = loader;
    return before;
}

static void add_path(struct loader *loader, const char *path, unsigned depth);

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool is_model_name(const char *name)
{
    size_t bytes = strlen(name);
    return bytes > 4 && !strcmp(name + bytes - 4, ".irl");
}

static void add_folder(struct loader *loader, const char *path, unsigned depth)
{
    struct dirent **entries;
    int count = depth < MOST_FOLDERS ? scandir(path, &entries, is_visible, by_bytes) : (errno = ELOOP, -1);
    if (count < 0) {
        fail(loader, path, strerror(errno));
        return;
    }
    const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";
    for (int i = 0; i < count; i++) {
        const char *name = kp_irl_format(&loader->model->arena, "%s%s%s", path, slash, entries[i]->d_name);
        struct stat status;
        if (!stat(name, &status) && (S_ISDIR(status.st_mode) || is_model_name(name)))
            add_path(loader, name, depth + 1);
        free(entries[i]);
    }
    free(entries);
}

static void add_path(struct loader *loader, const char *path, unsigned depth)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &status))
        fail(loader, path, strerror(errno));
    else if (!is_known(loader, &status)) {
        if (S_ISDIR(status.st_mode))
            add_folder(loader, path, depth);
        else
            add_open_file(loader, path, fd);
    }
    if (fd >= 0)
        close(fd);
}

static void add_argument(struct loader *loader, const char *path)
{
    size_t before = loader->numbers, met = loader->met;
    struct stat status;
    if (!strcmp(path, "-")) {
        if (fstat(STDIN_FILENO, &status))
            fail(loader, "<stdin>", strerror(errno));
        else if (!is_known(loader, &status))
            add_open_file(loader, "<stdin>", STDIN_FILENO);
    } else if (!*path)
        fail(loader, path, strerror(ENOENT));
    else {
        add_path(loader, path, 0);
        if (loader->is_input && loader->numbers == before &&
            (loader->met == met || !loader->model->files.count) && !stat(path, &status) &&
            S_ISDIR(status.st_mode))
            fail(loader, path, "there is no file *.irl in this folder");
    }
}

bool kp_irl_load(struct kp_irl_model *model, const struct kp_irl_inputs *inputs)
{
    struct loader loader = {.model = model, .is_input = true};
    for (size_t i = 0; i < inputs->file_count; i++)
        add_argument(&loader, inputs->files[i]);
    loader.is_input = false;
    for (size_t i = 0; i < inputs->reference_count; i++)
        add_argument(&loader, inputs->references[i]);
    if (!inputs->without_builtin)
        for (const struct kp_irl_builtin *row = kp_irl_builtins; row->name; row++)
            add_text(&loader, kp_irl_format(&model->arena, "builtin:%s", row->name), row->text,
                     row->text_bytes, true);
    return !loader.failed;
}

#include "retention.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "journal.h"
#include "trace/layout.h"
#include "util/memory.h"

struct found {
    char *path;
    struct timespec time;
    uint64_t bytes;
};

struct list {
    struct found *files;
    size_t count, room;
    uint64_t bytes;
    const char *const *endings;
    bool traces; /* and not data files in logs */
};

static bool is_wanted(const struct list *list, const char *name)
{
    size_t bytes = strlen(name);
    for (const char *const *ending = list->endings; *ending; ending++) {
        size_t tail = strlen(*ending);
        if (bytes > tail && !strcmp(name + bytes - tail, *ending))
            return true;
    }
    return false;
}

/* Whoever else has logs or data in the folder keeps them. */
static bool is_own_log(const char *name)
{
    size_t bytes = strlen(name), head = strlen(KP_LOG_BEGIN), tail = strlen(KP_LOG_ENDING);
    return bytes > head + tail && !strncmp(name, KP_LOG_BEGIN, head) &&
           !strcmp(name + bytes - tail, KP_LOG_ENDING);
}

static bool is_trace(int folder, const char *name)
{
    char magic[sizeof KP_PREAMBLE_MAGIC - 1];
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool good = fd >= 0 && read(fd, magic, sizeof magic) == (ssize_t)sizeof magic &&
                !memcmp(magic, KP_PREAMBLE_MAGIC, sizeof magic);
    if (fd >= 0)
        close(fd);
    return good;
}

static void add(struct list *list, const char *path, const struct stat *info)
{
    list->files = kp_grow(list->files, &list->room, list->count, sizeof *list->files);
    list->files[list->count++] = (struct found){kp_copy_text(path), info->st_mtim, (uint64_t)info->st_size};
    list->bytes += (uint64_t)info->st_size;
}

static void collect(struct list *list, const char *folder, bool deep)
{
    DIR *entries = opendir(folder);
    struct dirent *entry;
    while (entries && (entry = readdir(entries))) {
        struct stat info;
        if (*entry->d_name == '.' || fstatat(dirfd(entries), entry->d_name, &info, AT_SYMLINK_NOFOLLOW))
            continue;
        char *path = kp_format_text("%s/%s", folder, entry->d_name);
        if (S_ISREG(info.st_mode) && !deep && is_wanted(list, entry->d_name) &&
            (!list->traces || is_trace(dirfd(entries), entry->d_name)))
            add(list, path, &info);
        else if (S_ISDIR(info.st_mode) && deep && is_own_log(entry->d_name))
            collect(list, path, false);
        free(path);
    }
    if (entries)
        closedir(entries);
}

/* Data files of a log and parts of a section are numbered; the first part has no number: "a", "a.1" ...
 * "a.10". */
static int by_number(const char *left, const char *right)
{
    char one[PATH_MAX], other[PATH_MAX];
    snprintf(one, sizeof one, "%.*s", (int)(strrchr(left, '.') - left), left);
    snprintf(other, sizeof other, "%.*s", (int)(strrchr(right, '.') - right), right);
    return strverscmp(one, other);
}

static int by_age(const void *left, const void *right)
{
    const struct found *one = left, *other = right;
    if (one->time.tv_sec != other->time.tv_sec)
        return one->time.tv_sec < other->time.tv_sec ? -1 : 1;
    if (one->time.tv_nsec != other->time.tv_nsec)
        return one->time.tv_nsec < other->time.tv_nsec ? -1 : 1;
    return by_number(one->path, other->path);
}

/* A log without data is no log: its map goes with the last of them. */
static void remove_empty_log(const char *path)
{
    char *folder = kp_copy_text(path), *slash = strrchr(folder, '/');
    struct dirent **entries;
    *slash = 0;
    int count = scandir(folder, &entries, NULL, NULL);
    bool only_map = count == 3; /* with . and .. */
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        only_map = only_map && (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "kieker.map"));
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    if (only_map) {
        char *map = kp_format_text("%s/kieker.map", folder);
        unlink(map);
        rmdir(folder);
        free(map);
    }
    free(folder);
}

static bool is_too_much(const struct kp_serve_settings *settings, const struct list *list, uint64_t files,
                        uint64_t bytes, size_t index)
{
    return (settings->keep_files && files > settings->keep_files) ||
           (settings->keep_bytes && bytes > settings->keep_bytes) ||
           (settings->keep_ms &&
            list->files[index].time.tv_sec + (time_t)(settings->keep_ms / 1000) < time(NULL));
}

uint64_t kp_retention_apply(const struct kp_serve_settings *settings, const char *folder, bool deep,
                            const char *const *endings, bool (*is_busy)(void *user, const char *path),
                            void *user)
{
    struct list list = {.endings = endings, .traces = !deep};
    uint64_t removed = 0;
    if (!settings->keep_files && !settings->keep_bytes && !settings->keep_ms)
        return 0;
    collect(&list, folder, deep);
    if (list.count)
        qsort(list.files, list.count, sizeof *list.files, by_age);
    uint64_t files = list.count, bytes = list.bytes;
    for (size_t i = 0; i < list.count && is_too_much(settings, &list, files, bytes, i); i++) {
        if (is_busy(user, list.files[i].path))
            continue;
        if (unlink(list.files[i].path)) {
            kp_journal(KP_JOURNAL_OUTPUT, "%s cannot be removed: %s", list.files[i].path, strerror(errno));
            continue;
        }
        if (deep)
            remove_empty_log(list.files[i].path);
        files--;
        bytes -= list.files[i].bytes;
        removed++;
    }
    for (size_t i = 0; i < list.count; i++)
        free(list.files[i].path);
    free(list.files);
    return removed;
}

#include "trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/file_io.h"
#include "trace/publish.h"
#include "util/memory.h"

enum { MOST_SUFFIXES = 10000, COPY_BYTES = 1 << 20 };

/* FOLDER/NAME, and FOLDER/NAME with ".2", ".3" ... before the ending. */
static char *path_of(const char *folder, const char *name, int number)
{
    const char *ending = strrchr(name, '.');
    int stem = (int)(ending && ending != name ? (size_t)(ending - name) : strlen(name));
    return number == 1 ? kp_format_text("%s/%s", folder, name)
                       : kp_format_text("%s/%.*s.%d%s", folder, stem, name, number, name + stem);
}

static bool make(struct kp_trace_file *file, const char *path)
{
    file->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return file->fd >= 0;
}

static bool rename_to(struct kp_trace_file *file, const char *path)
{
    return !kp_publish(file->path, path);
}

/* The first name that is free. */
static enum kp_status take_name(struct kp_trace_file *file, const char *folder, const char *name,
                                bool (*take)(struct kp_trace_file *file, const char *path))
{
    for (int i = 1; i < MOST_SUFFIXES; i++) {
        char *path = path_of(folder, name, i);
        if (take(file, path)) {
            free(file->path);
            file->path = path;
            return KP_OK;
        }
        free(path);
        if (errno != EEXIST)
            break;
    }
    return kp_file_status(errno);
}

enum kp_status kp_trace_file_create(struct kp_trace_file *file, const char *folder, const char *name)
{
    *file = (struct kp_trace_file){.fd = -1};
    return take_name(file, folder, name, make);
}

enum kp_status kp_trace_file_prepare(struct kp_trace_file *file, const char *path)
{
    *file = (struct kp_trace_file){.path = kp_copy_text(path)};
    file->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    return file->fd < 0 ? kp_file_status(errno) : KP_OK;
}

enum kp_status kp_trace_file_publish(struct kp_trace_file *file, const char *folder, const char *name)
{
    return take_name(file, folder, name, rename_to);
}

enum kp_status kp_trace_file_open(struct kp_trace_file *file, const char *path, uint64_t bytes)
{
    file->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file->fd < 0)
        return KP_ERROR_SYSTEM;
    struct stat info;
    bool known = !fstat(file->fd, &info);
    bool own = known && S_ISREG(info.st_mode) && (uint64_t)info.st_size >= bytes;
    if (!own || ftruncate(file->fd, (off_t)bytes)) {
        kp_trace_file_close(file);
        if (known && !own)
            errno = ENOENT; /* it was replaced: ours is gone */
        return KP_ERROR_SYSTEM;
    }
    if (file->path != path) {
        free(file->path);
        file->path = kp_copy_text(path);
    }
    file->bytes = bytes;
    return KP_OK;
}

enum kp_status kp_trace_file_append(struct kp_trace_file *file, const void *bytes, size_t count)
{
    if (kp_file_write_at(file->fd, file->bytes, bytes, count) < count) {
        enum kp_status status = kp_file_status(errno);
        /* What is behind the end is cut off when the file is opened again, if this fails. */
        (void)!ftruncate(file->fd, (off_t)file->bytes);
        return status;
    }
    file->bytes += count;
    return KP_OK;
}

enum kp_status kp_trace_file_join(struct kp_trace_file *file, const char *path)
{
    uint64_t before = file->bytes;
    enum kp_status status = KP_OK;
    ssize_t count = -1;
    char *buffer = kp_allocate(COPY_BYTES);
    int other = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    while (other >= 0 && status == KP_OK && (count = read(other, buffer, COPY_BYTES)) > 0)
        status = kp_trace_file_append(file, buffer, (size_t)count);
    if (status == KP_OK && count < 0)
        status = KP_ERROR_SYSTEM;
    if (status != KP_OK && !ftruncate(file->fd, (off_t)before))
        file->bytes = before;
    if (other >= 0)
        close(other);
    free(buffer);
    return status;
}

void kp_trace_file_close(struct kp_trace_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

void kp_trace_file_free(struct kp_trace_file *file)
{
    kp_trace_file_close(file);
    free(file->path);
    file->path = NULL;
}

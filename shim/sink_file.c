/*
 * A file, 0600, never one that exists. A write that fails leaves no half chunk behind: the file is cut back.
 * Pipes and devices cannot be cut and are written straight.
 */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "log.h"
#include "trace/file_io.h"
#include "trace/file_stat.h"

static int file = -1;
static char path[KP_SHM_OUTPUT_BYTES];
static uint64_t good_bytes;

static enum kp_status fail(const char *what)
{
    kp_log(KP_LEVEL_ERROR, "cannot %s %s: %s", what, path, strerror(errno));
    return KP_ERROR_SYSTEM;
}

/* A pipe, a socket or a device of that name is used as it is; a regular file never. */
static bool is_special(const char *name)
{
    struct stat st;

    return kp_file_stat(name, &st) == 0 && !S_ISREG(st.st_mode);
}

/* For whoever finds the mapping: which file, and where in it this section starts. */
static void publish_place(void)
{
    if (!kp_core.shm)
        return;
    memcpy(kp_core.shm->output, path, sizeof path);
    kp_core.shm->file_made = 1;
    if (atomic_load_explicit(&kp_core.shm->file_bytes, memory_order_relaxed) == 0)
        kp_core.shm->file_start = good_bytes;
}

static enum kp_status open_new(const char *destination)
{
    snprintf(path, sizeof path, "%s", destination);
    good_bytes = 0;
    file = is_special(path) ? open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY) : kp_sink_create(path, sizeof path);
    if (file < 0)
        return fail("write");
    if (strcmp(path, destination) != 0)
        kp_log(KP_LEVEL_INFO, "%s exists: the trace goes to %s", destination, path);
    publish_place();
    return KP_OK;
}

static bool file_place(const struct kp_shm_control *shm, const char *rest, char *out, size_t room)
{
    (void)shm;
    return kp_sink_expand(rest, out, room);
}

static enum kp_status file_open(const char *rest, const char *place, bool resume)
{
    (void)rest;
    if (!resume || !*path)
        return open_new(place);
    file = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0)
        return fail("go on with");
    if (lseek(file, (off_t)good_bytes, SEEK_SET) < 0 && errno != ESPIPE)
        return fail("go on with");
    publish_place();
    return KP_OK;
}

static enum kp_status cut_back(int error)
{
    if (ftruncate(file, (off_t)good_bytes) == 0)
        lseek(file, (off_t)good_bytes, SEEK_SET);
    errno = error;
    return kp_file_status(error) == KP_ERROR_FULL ? KP_ERROR_FULL : fail("write");
}

static enum kp_status file_write(const void *data, size_t bytes)
{
    if (kp_file_write(file, data, bytes) < bytes)
        return cut_back(errno);
    good_bytes += bytes;
    return KP_OK;
}

/* A disk that was full from the start leaves no empty file behind. */
static void file_close(void)
{
    struct stat st;

    if (file >= 0 && good_bytes == 0 && kp_file_stat_fd(file, &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_size == 0)
        unlink(path);
    if (file >= 0)
        close(file);
    file = -1;
}

const struct kp_sink kp_sink_file = {
    .place = file_place, .open = file_open, .write = file_write, .close = file_close};

#include "orphans.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "log.h"
#include "memory.h"
#include "sink.h"
#include "trace/file_io.h"
#include "trace/file_stat.h"
#include "trace/leftover.h"
#include "trace/process_text.h"

static _Atomic bool expected;

void kp_orphans_expect(void)
{
    atomic_store_explicit(&expected, true, memory_order_relaxed);
}

static enum kp_status append(void *user, const void *data, size_t bytes)
{
    return kp_file_write(*(int *)user, data, bytes) == bytes ? KP_OK : KP_ERROR_SYSTEM;
}

static bool is_ours(const struct kp_shm_control *shm)
{
    char parent[33] = "", own[33];

    kp_uuid_hex(own, kp_core.shm->uuid);
    kp_process_text_get(shm->process_text, strnlen(shm->process_text, sizeof shm->process_text),
                        "parent_uuid", parent, sizeof parent);
    return strcmp(parent, own) == 0;
}

/* A file that the child made and had no time to say so: empty, and its number in the name says whose it is.
 */
static int open_unpublished(const struct kp_shm_control *shm, const char *path)
{
    char number[16];
    struct stat st;
    int fd;

    snprintf(number, sizeof number, "%u", shm->pid);
    if (!strstr(path, number))
        return -1;
    fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
    if (fd < 0 || (kp_file_stat_fd(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0))
        return fd;
    close(fd);
    return -1;
}

/* The child's file, cut to its good part; made here if the child had no time to. -1: leave everything as it
 * is. */
static int open_trace(struct kp_shm_control *shm, char path[KP_SHM_OUTPUT_BYTES])
{
    uint64_t good = shm->file_start + atomic_load(&shm->file_bytes);
    struct stat st;
    int fd;

    memcpy(path, shm->output, KP_SHM_OUTPUT_BYTES);
    path[KP_SHM_OUTPUT_BYTES - 1] = '\0';
    if (!shm->file_made) {
        fd = open_unpublished(shm, path);
        /* Whatever became of what it wrote elsewhere: this one is to be read by itself, so it has all names.
         */
        atomic_store(&shm->file_bytes, 0);
        atomic_store(&shm->defs_tail, 0);
        atomic_store(&shm->chunks, 0);
        return fd >= 0 ? fd : kp_sink_create(path, KP_SHM_OUTPUT_BYTES);
    }
    fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    if (kp_file_stat_fd(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size >= good &&
        ftruncate(fd, (off_t)good) == 0 && lseek(fd, (off_t)good, SEEK_SET) >= 0)
        return fd;
    close(fd);
    return -1;
}

/* Complete now: what collects the parent's trace gets the child's as well. */
static void hand_over(const char *path, uint64_t streamed)
{
    const char *rest;
    const struct kp_sink *sink = kp_sink_find(kp_core.options.output, &rest);

    if (sink->adopt)
        sink->adopt(path, streamed);
}

static bool finish_trace(struct kp_shm_control *shm, const struct kp_drain *lender)
{
    static struct kp_drain drain;
    static char path[KP_SHM_OUTPUT_BYTES];
    int fd = shm->output[0] ? open_trace(shm, path) : -1;
    enum kp_status status = KP_OK;

    if (shm->output[0] && fd < 0)
        return false;
    if (fd < 0)
        return true;
    memset(&drain, 0, offsetof(struct kp_drain, index));
    drain.shm = shm;
    drain.zstd = lender->zstd;
    drain.write = append;
    drain.user = &fd;
    drain.out = lender->out;
    drain.encoder = lender->encoder;
    if (atomic_load(&shm->file_bytes) == 0) /* it died before or just after it made its file */
        status = kp_drain_open(&drain);
    if (status == KP_OK)
        status = kp_drain_finish(&drain, "ended", "by _exit or a signal; completed by the parent process");
    close(fd);
    if (status == KP_OK || status == KP_ERROR_DAMAGED)
        hand_over(path, atomic_load(&shm->streamed));
    return status == KP_OK || status == KP_ERROR_DAMAGED;
}

static bool visit(void *user, const struct kp_leftover *leftover)
{
    struct kp_shm_control *shm;

    if (leftover->alive || leftover->pid == (uint32_t)kp_core.pid ||
        kp_leftover_map(&shm, leftover->path) != KP_OK)
        return true;
    if (is_ours(shm) && finish_trace(shm, user))
        kp_leftover_remove(leftover->path);
    kp_leftover_unmap(shm);
    return true;
}

void kp_orphans_finish(const struct kp_drain *lender)
{
    if (atomic_load_explicit(&expected, memory_order_relaxed))
        kp_leftover_each(visit, (void *)(uintptr_t)lender);
}

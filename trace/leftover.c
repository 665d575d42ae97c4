#include "leftover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drain.h"
#include "file_stat.h"
#include "proc.h"

void kp_uuid_hex(char hex[33], const uint8_t uuid[16])
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < 16; i++) {
        hex[2 * i] = digits[uuid[i] >> 4];
        hex[2 * i + 1] = digits[uuid[i] & 15];
    }
    hex[32] = '\0';
}

void kp_leftover_path(char *path, size_t bytes, uint32_t pid, const char *uuid_hex)
{
    snprintf(path, bytes, KP_SHM_FOLDER "/" KP_SHM_PREFIX "%u.%s", pid, uuid_hex);
}

/* Whether [offset, offset + bytes) lies in [from, to), without trusting that the sum fits. */
static bool within(uint64_t offset, uint64_t bytes, uint64_t from, uint64_t to)
{
    return offset >= from && offset <= to && bytes <= to - offset;
}

static bool header_sane(const struct kp_shm_control *shm, uint64_t size)
{
    return shm->total_bytes <= size && shm->threads_offset % 64 == 0 && shm->rings_offset % 64 == 0 &&
           shm->time_shift < 32 &&
           within(shm->threads_offset, KP_SHM_THREADS * sizeof(struct kp_shm_thread), sizeof *shm,
                  shm->defs_offset) &&
           within(shm->defs_offset, shm->defs_bytes, sizeof *shm, shm->rings_offset) &&
           within(shm->rings_offset, shm->rings_bytes, sizeof *shm, shm->total_bytes);
}

enum kp_status kp_leftover_map(struct kp_shm_control **shm, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    enum kp_status status = KP_OK;

    *shm = NULL;
    if (fd < 0)
        return KP_ERROR_SYSTEM;
    if (kp_file_stat_fd(fd, &st) < 0 || (uint64_t)st.st_size < sizeof **shm) {
        close(fd);
        return KP_ERROR_FOREIGN;
    }
    *shm = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    close(fd);
    if (*shm == MAP_FAILED) {
        *shm = NULL;
        return KP_ERROR_SYSTEM;
    }
    if ((*shm)->magic != KP_SHM_MAGIC)
        status = KP_ERROR_FOREIGN;
    else if ((*shm)->version != KP_SHM_VERSION)
        status = KP_ERROR_NEWER;
    else if (!header_sane(*shm, (uint64_t)st.st_size))
        status = KP_ERROR_DAMAGED;
    if (status != KP_OK) {
        munmap(*shm, (size_t)st.st_size);
        *shm = NULL;
        return status;
    }
    (*shm)->total_bytes = (uint64_t)st.st_size;
    return KP_OK;
}

void kp_leftover_unmap(struct kp_shm_control *shm)
{
    if (shm)
        munmap(shm, (size_t)shm->total_bytes);
}

static void count_pending(struct kp_leftover *leftover, struct kp_shm_control *shm)
{
    struct kp_shm_thread *threads = kp_shm_threads(shm);
    uint32_t used = atomic_load_explicit(&shm->threads_used, memory_order_acquire);

    for (uint32_t i = 0; i < used && i < KP_SHM_THREADS; i++)
        if (atomic_load_explicit(&threads[i].state, memory_order_acquire) != KP_SHM_THREAD_FREE)
            leftover->pending_slots += kp_drain_pending(shm, &threads[i]);
}

static bool is_alive(const struct kp_shm_control *shm, const char *path)
{
    struct kp_proc proc;

    if (!kp_proc_read(&proc, shm->pid) || proc.start != shm->pid_start || !kp_proc_runs(&proc))
        return false;
    /*
     * exec keeps pid and start time but not the mapping, so the list of mappings decides where we may read
     * it. It is that of the first thread: gone if that ended before the others.
     */
    return proc.state == 'Z' || kp_proc_maps(shm->pid, path) != 0;
}

enum kp_status kp_leftover_describe(struct kp_leftover *leftover, const char *path)
{
    struct kp_shm_control *shm;
    struct stat st;
    enum kp_status status = kp_leftover_map(&shm, path);

    memset(leftover, 0, sizeof *leftover);
    snprintf(leftover->path, sizeof leftover->path, "%s", path);
    if (status != KP_OK)
        return status;
    leftover->pid = shm->pid;
    snprintf(leftover->output, sizeof leftover->output, "%.*s", KP_SHM_OUTPUT_BYTES - 1, shm->output);
    kp_uuid_hex(leftover->uuid, shm->uuid);
    leftover->alive = is_alive(shm, path);
    leftover->bytes = kp_file_stat(path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
    leftover->file_bytes = atomic_load_explicit(&shm->file_bytes, memory_order_acquire);
    count_pending(leftover, shm);
    kp_leftover_unmap(shm);
    return KP_OK;
}

size_t kp_leftover_each(bool (*visit)(void *user, const struct kp_leftover *leftover), void *user)
{
    DIR *folder = opendir(KP_SHM_FOLDER);
    struct dirent *entry;
    size_t visited = 0;
    bool more = true;

    if (!folder)
        return 0;
    while (more && (entry = readdir(folder))) {
        struct kp_leftover leftover;
        char path[sizeof KP_SHM_FOLDER + 256];

        if (strncmp(entry->d_name, KP_SHM_PREFIX, strlen(KP_SHM_PREFIX)) != 0 || strlen(entry->d_name) > 80)
            continue;
        snprintf(path, sizeof path, KP_SHM_FOLDER "/%s", entry->d_name);
        if (kp_leftover_describe(&leftover, path) != KP_OK)
            continue;
        visited++;
        more = visit(user, &leftover);
    }
    closedir(folder);
    return visited;
}

int kp_leftover_remove(const char *path)
{
    if (strncmp(path, KP_SHM_FOLDER "/" KP_SHM_PREFIX, strlen(KP_SHM_FOLDER "/" KP_SHM_PREFIX)) != 0) {
        errno = EINVAL;
        return -1;
    }
    return unlink(path);
}

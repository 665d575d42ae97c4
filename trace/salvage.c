#include "salvage.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drain.h"
#include "file_stat.h"
#include "id_map.h"
#include "leftover.h"
#include "scan.h"

/* Chunks of the section that are not in the good part of the file are forgotten: the mapping still has their
 * slots. */
static void forget_behind(struct kp_input *input, struct kp_section *section, uint64_t file_bytes)
{
    uint32_t kept = section->first;

    for (uint32_t i = section->first; i < section->end; i++) {
        struct kp_input_chunk *chunk = &input->chunks[i];
        uint64_t start = chunk->offset - section->offset;
        uint64_t size =
            chunk->type == KP_CHUNK_DAMAGE ? 0 : sizeof(struct kp_chunk_header) + chunk->payload_bytes;
        bool elsewhere = chunk->offset < section->offset ||
                         (chunk->type == KP_CHUNK_DAMAGE && chunk->thread == KP_DAMAGE_NEWER);

        if (elsewhere || (start < file_bytes && size <= file_bytes - start))
            input->chunks[kept++] = *chunk;
    }
    input->chunk_count = section->end = kept;
}

/* A chunk that its process is just writing is no damage. */
static void forget_partial(struct kp_input *input, struct kp_section *section)
{
    struct kp_input_chunk *last = section->end > section->first ? &input->chunks[section->end - 1] : NULL;

    if (last && last->type == KP_CHUNK_DAMAGE && last->thread == KP_DAMAGE_TRUNCATED)
        input->chunk_count = --section->end;
    section->alive = true;
}

/* How far each thread of the section is in the file: thread number to the slot behind its last one. */
static enum kp_status find_slot_ends(const struct kp_input *input, const struct kp_section *section,
                                     struct kp_id_map *ends)
{
    for (uint32_t i = section->first; i < section->end; i++) {
        const struct kp_input_chunk *chunk = &input->chunks[i];
        struct kp_scan_head head;

        if (chunk->type != KP_CHUNK_EVENTS || chunk->leftover ||
            !kp_scan_head(&input->file, chunk->offset, chunk->payload_bytes, &head) || head.slots == 0)
            continue;
        if (head.first_slot + head.slots > kp_id_map_get(ends, head.thread) &&
            kp_id_map_put(ends, head.thread, head.first_slot + head.slots) < 0)
            return KP_ERROR_NO_MEMORY;
    }
    return KP_OK;
}

/* Killed between writing a chunk and moving the tail: the slots are in the file already. */
static void advance_tails(struct kp_shm_control *shm, const struct kp_id_map *ends)
{
    struct kp_shm_thread *threads = kp_shm_threads(shm);
    uint32_t used = atomic_load(&shm->threads_used);

    for (uint32_t i = 0; i < used && i < KP_SHM_THREADS; i++) {
        struct kp_ring *ring = kp_shm_ring(shm, atomic_load(&threads[i].ring));
        uint64_t end = kp_id_map_get(ends, threads[i].number);

        if (atomic_load(&threads[i].state) == KP_SHM_THREAD_FREE)
            continue;
        for (unsigned hops = 0; ring && hops < KP_RING_CHAIN_MAX; hops++) {
            uint64_t head = atomic_load(&ring->head);

            if (atomic_load(&ring->tail) < end)
                atomic_store(&ring->tail, end < head ? end : head);
            if (!atomic_load(&ring->moved))
                break;
            ring = kp_shm_ring(shm, atomic_load(&ring->next));
        }
    }
}

static enum kp_status append(void *user, const void *data, size_t bytes)
{
    return kp_source_append(user, data, bytes);
}

static enum kp_status run_drain(struct kp_input *input, struct kp_drain *drain, bool from_start)
{
    enum kp_status status = KP_OK;

    drain->zstd = input->zstd;
    drain->write = append;
    drain->user = &input->leftover;
    drain->out = malloc(KP_CHUNK_EVENTS_ROOM);
    drain->encoder = malloc(sizeof *drain->encoder);
    if (!drain->out || !drain->encoder)
        status = KP_ERROR_NO_MEMORY;
    if (status == KP_OK && from_start)
        status = kp_drain_open(drain);
    if (status == KP_OK)
        status = kp_drain_finish(drain, NULL, NULL);
    free(drain->out);
    free(drain->encoder);
    return status;
}

/* Turn the mapping into chunks behind what the leftover source holds. `from_start`: with preamble and
 * PROCESS. */
static enum kp_status drain_mapping(struct kp_input *input, struct kp_shm_control *shm, bool from_start)
{
    struct kp_drain *drain = calloc(1, sizeof *drain);
    enum kp_status status = KP_OK;

    if (!drain)
        return KP_ERROR_NO_MEMORY;
    if (input->leftover.fd < 0)
        status = kp_source_temporary(&input->leftover);
    drain->shm = shm;
    if (status == KP_OK)
        status = run_drain(input, drain, from_start);
    free(drain);
    return status;
}

/* What was drained comes first; then a word about what could not be. */
static enum kp_status take_drained(struct kp_input *input, uint64_t from, enum kp_status drained)
{
    enum kp_status status = kp_scan_leftover(input, from);

    if (status != KP_OK || drained == KP_OK)
        return status;
    status = kp_scan_add(input, (struct kp_input_chunk){
                                    .type = KP_CHUNK_DAMAGE, .thread = KP_DAMAGE_LEFTOVER, .value = drained});
    if (input->section_count)
        input->sections[input->section_count - 1].end = input->chunk_count;
    return status;
}

/* Whether what is read is the very file that the process wrote, and not a copy, or what a collector wrote. */
static bool is_own_file(const struct kp_input *input, const struct kp_shm_control *shm)
{
    struct stat own, read;

    return memchr(shm->output, '\0', sizeof shm->output) && kp_file_stat(shm->output, &own) == 0 &&
           kp_file_stat_fd(input->file.fd, &read) == 0 && own.st_dev == read.st_dev &&
           own.st_ino == read.st_ino;
}

/* Bytes of the section that are good in the file that is read. */
static uint64_t good_bytes(const struct kp_input *input, const struct kp_section *section,
                           struct kp_shm_control *shm)
{
    uint64_t bytes = atomic_load(&shm->file_bytes);

    return is_own_file(input, shm) ? shm->file_start + bytes - section->offset : bytes;
}

static enum kp_status complete(struct kp_input *input, struct kp_section *section, const char *path)
{
    struct kp_shm_control *shm;
    struct kp_id_map ends = {0};
    enum kp_status status = kp_leftover_map(&shm, path);
    uint64_t from = input->leftover.fd < 0 ? 0 : input->leftover.bytes;

    /* Removed or replaced meanwhile: what the file holds is all there is. */
    if (status != KP_OK)
        return KP_OK;
    snprintf(section->leftover_path, sizeof section->leftover_path, "%s", path);
    /* Offsets in a later part are not those that the process knows. */
    if (!section->part)
        forget_behind(input, section, good_bytes(input, section, shm));
    status = find_slot_ends(input, section, &ends);
    if (status == KP_OK) {
        advance_tails(shm, &ends);
        status = take_drained(input, from, drain_mapping(input, shm, false));
    }
    kp_id_map_free(&ends);
    kp_leftover_unmap(shm);
    return status;
}

enum kp_status kp_salvage_section(struct kp_input *input, struct kp_section *section)
{
    struct kp_leftover *leftover = malloc(sizeof *leftover);
    enum kp_status status = KP_OK;
    char path[sizeof leftover->path];

    if (!leftover)
        return KP_ERROR_NO_MEMORY;
    kp_leftover_path(path, sizeof path, section->pid, section->uuid);
    if (strlen(section->uuid) != 32 || strchr(section->uuid, '/') ||
        kp_leftover_describe(leftover, path) != KP_OK) {
        /* Finished while we were looking: the end is in the file by now. */
        section->alive = kp_source_grew(&input->file);
        if (section->alive)
            forget_partial(input, section);
    } else if (leftover->alive) {
        forget_partial(input, section);
    } else {
        status = complete(input, section, path);
    }
    free(leftover);
    return status;
}

/* The names a traced process may have given the path: as seen from here, and with links resolved. */
struct wanted {
    char plain[PATH_MAX], resolved[PATH_MAX];
    struct kp_leftover found;
};

static void resolve(struct wanted *wanted, const char *path)
{
    char folder[PATH_MAX], cwd[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (path[0] == '/' || !getcwd(cwd, sizeof cwd))
        snprintf(wanted->plain, sizeof wanted->plain, "%s", path);
    else if ((size_t)snprintf(wanted->plain, sizeof wanted->plain, "%s/%s", cwd, path) >=
             sizeof wanted->plain)
        wanted->plain[0] = '\0';
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 2, slash ? path : "./");
    if (!realpath(folder, cwd) ||
        (size_t)snprintf(wanted->resolved, sizeof wanted->resolved, "%s/%s", strcmp(cwd, "/") ? cwd : "",
                         slash ? slash + 1 : path) >= sizeof wanted->resolved)
        wanted->resolved[0] = '\0';
}

static bool visit(void *user, const struct kp_leftover *leftover)
{
    struct wanted *wanted = user;

    if (leftover->output[0] == '\0' ||
        (strcmp(leftover->output, wanted->plain) != 0 && strcmp(leftover->output, wanted->resolved) != 0))
        return true;
    wanted->found = *leftover;
    /* A dead one is what was asked for; a live one may have got the name after it. */
    return leftover->alive;
}

static enum kp_status read_alone(struct kp_input *input, const char *path)
{
    struct kp_shm_control *shm;
    enum kp_status status = kp_leftover_map(&shm, path);

    if (status != KP_OK)
        return status;
    /* Its file is gone, but the definitions are all still here: without them events have no names. */
    atomic_store(&shm->defs_tail, 0);
    status = take_drained(input, 0, drain_mapping(input, shm, true));
    kp_leftover_unmap(shm);
    if (status == KP_OK && input->section_count)
        snprintf(input->sections[0].leftover_path, sizeof input->sections[0].leftover_path, "%s", path);
    return status == KP_OK && input->section_count == 0 ? KP_ERROR_DAMAGED : status;
}

enum kp_status kp_salvage_path(struct kp_input *input, const char *path)
{
    struct wanted *wanted = calloc(1, sizeof *wanted);
    enum kp_status status = KP_END;

    if (!wanted)
        return KP_ERROR_NO_MEMORY;
    resolve(wanted, path);
    kp_leftover_each(visit, wanted);
    if (wanted->found.alive) {
        errno = EBUSY;
        status = KP_ERROR_SYSTEM;
    } else if (wanted->found.path[0]) {
        status = read_alone(input, wanted->found.path);
    }
    free(wanted);
    return status;
}

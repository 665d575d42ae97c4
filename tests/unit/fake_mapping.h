/*
 * A shared mapping made by hand, as a traced process would leave it: for the tests of drain and salvage.
 * Rings and events are added in order; nothing here checks for room, the tests know what they do.
 */
#ifndef KP_TEST_FAKE_MAPPING_H
#define KP_TEST_FAKE_MAPPING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/def.h"
#include "trace/drain.h"
#include "trace/leftover.h"

#define FAKE_DEFS_BYTES  (1u << 20)
#define FAKE_RINGS_BYTES (4u << 20)

struct fake_mapping {
    struct kp_shm_control *shm;
    uint64_t bytes, next_ring;
};

static inline void fake_mapping_init(struct fake_mapping *fake, uint32_t pid)
{
    uint64_t threads = (sizeof(struct kp_shm_control) + 63) / 64 * 64;
    uint64_t defs = threads + KP_SHM_THREADS * sizeof(struct kp_shm_thread);
    uint64_t rings = defs + FAKE_DEFS_BYTES;
    struct kp_shm_control *shm;
    char hex[33];

    fake->bytes = rings + FAKE_RINGS_BYTES;
    fake->next_ring = rings;
    fake->shm = shm = aligned_alloc(64, fake->bytes);
    memset(shm, 0, fake->bytes);
    shm->magic = KP_SHM_MAGIC;
    shm->version = KP_SHM_VERSION;
    shm->pid = pid;
    shm->pid_start = 1;
    memset(shm->uuid, 0xab, sizeof shm->uuid);
    shm->total_bytes = fake->bytes;
    shm->threads_offset = threads;
    shm->defs_offset = defs;
    shm->defs_bytes = FAKE_DEFS_BYTES;
    shm->rings_offset = rings;
    shm->rings_bytes = FAKE_RINGS_BYTES;
    shm->first_sync = (struct kp_clock_sync){1000, 1000, 1000000};
    shm->last_sync = (struct kp_clock_sync){100001000, 100001000, 101000000};
    kp_uuid_hex(hex, shm->uuid);
    snprintf(shm->process_text, sizeof shm->process_text, "pid=%u\nuuid=%s\nticks_per_ns=1\n", pid, hex);
}

static inline void fake_mapping_define(struct fake_mapping *fake, const struct kp_def *def)
{
    uint64_t head = atomic_load(&fake->shm->defs_head);
    size_t bytes = kp_def_put((uint8_t *)fake->shm + fake->shm->defs_offset + head, def);

    atomic_store(&fake->shm->defs_head, head + bytes);
}

static inline void fake_mapping_function(struct fake_mapping *fake, uint32_t id, const char *name)
{
    struct kp_def def = {.type = KP_DEF_FUNCTION};

    def.function.id = id;
    def.function.kind = 1;
    def.function.name = (struct kp_text){name, strlen(name)};
    fake_mapping_define(fake, &def);
}

static inline struct kp_ring *fake_mapping_ring(struct fake_mapping *fake, uint32_t thread, uint32_t shift,
                                                uint64_t base)
{
    struct kp_ring *ring = (struct kp_ring *)((uint8_t *)fake->shm + fake->next_ring);

    ring->base = base;
    atomic_store(&ring->head, base);
    atomic_store(&ring->tail, base);
    ring->size_shift = shift;
    ring->thread = thread;
    fake->next_ring += (sizeof *ring + (sizeof(struct kp_slot) << shift) + 63) / 64 * 64;
    return ring;
}

static inline uint64_t fake_mapping_offset(const struct fake_mapping *fake, const struct kp_ring *ring)
{
    return (uint64_t)((const uint8_t *)ring - (const uint8_t *)fake->shm);
}

/* Thread `number` in table entry `number`, with its definition and a first ring. */
static inline struct kp_ring *fake_mapping_thread(struct fake_mapping *fake, uint32_t number, uint32_t shift)
{
    struct kp_shm_thread *thread = kp_shm_threads(fake->shm) + number;
    struct kp_ring *ring = fake_mapping_ring(fake, number, shift, 0);
    struct kp_def def = {.type = KP_DEF_THREAD};

    def.thread.number = number;
    def.thread.tid = 500 + number;
    fake_mapping_define(fake, &def);
    thread->number = number;
    thread->tid = 500 + number;
    atomic_store(&thread->ring, fake_mapping_offset(fake, ring));
    atomic_store(&thread->state, KP_SHM_THREAD_LIVE);
    if (atomic_load(&fake->shm->threads_used) <= number)
        atomic_store(&fake->shm->threads_used, number + 1);
    return ring;
}

/* The thread outgrew `ring`: it goes on in another. */
static inline struct kp_ring *fake_mapping_grow(struct fake_mapping *fake, struct kp_ring *ring,
                                                uint32_t shift)
{
    struct kp_ring *next = fake_mapping_ring(fake, ring->thread, shift, atomic_load(&ring->head));

    atomic_store(&next->calls, atomic_load(&ring->calls));
    atomic_store(&ring->next, fake_mapping_offset(fake, next));
    atomic_store(&ring->moved, 1);
    return next;
}

static inline void fake_mapping_slot(struct kp_ring *ring, struct kp_slot slot)
{
    uint64_t head = atomic_load(&ring->head);

    kp_ring_slots(ring)[head & ((1u << ring->size_shift) - 1)] = slot;
    atomic_store(&ring->head, head + 1);
}

static inline void fake_mapping_event(struct kp_ring *ring, unsigned kind, uint64_t ticks, uint32_t id,
                                      uint32_t depth)
{
    struct kp_slot slot = {.time = ticks};

    slot.id = id;
    slot.kind_depth = KP_SLOT_PACK(kind, depth);
    fake_mapping_slot(ring, slot);
    if (kind == KP_EVENT_ENTER)
        atomic_fetch_add(&ring->calls, 1);
}

/* `count` calls of function 1, a tick apart from *ticks on. */
static inline void fake_mapping_calls(struct kp_ring *ring, unsigned count, uint64_t *ticks)
{
    for (unsigned i = 0; i < count; i++) {
        fake_mapping_event(ring, KP_EVENT_ENTER, ++*ticks, 1, 0);
        fake_mapping_event(ring, KP_EVENT_EXIT, ++*ticks, 1, 0);
    }
}

/* A drain whose chunks are collected in memory; `limit`: bytes after which the disk is full. */
struct fake_sink {
    uint8_t *bytes;
    size_t count, limit;
    struct kp_drain drain;
    struct kp_zstd zstd;
};

static inline enum kp_status fake_sink_write(void *user, const void *data, size_t bytes)
{
    struct fake_sink *sink = user;

    if (sink->count + bytes > sink->limit)
        return KP_ERROR_SYSTEM;
    sink->bytes = realloc(sink->bytes, sink->count + bytes);
    memcpy(sink->bytes + sink->count, data, bytes);
    sink->count += bytes;
    return KP_OK;
}

static inline struct fake_sink *fake_sink_open(struct fake_mapping *fake)
{
    struct fake_sink *sink = calloc(1, sizeof *sink);

    kp_zstd_open(&sink->zstd, 1);
    sink->limit = SIZE_MAX;
    sink->drain.shm = fake->shm;
    sink->drain.zstd = &sink->zstd;
    sink->drain.write = fake_sink_write;
    sink->drain.user = sink;
    sink->drain.out = malloc(KP_CHUNK_EVENTS_ROOM);
    sink->drain.encoder = malloc(sizeof *sink->drain.encoder);
    return sink;
}

static inline void fake_sink_close(struct fake_sink *sink)
{
    kp_zstd_close(&sink->zstd);
    free(sink->drain.out);
    free(sink->drain.encoder);
    free(sink->bytes);
    free(sink);
}

static inline void fake_save(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");

    if (!file || (count && fwrite(bytes, count, 1, file) != 1) || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

#endif

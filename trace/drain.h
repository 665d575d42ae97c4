/*
 * Drain: what stands in a shared mapping becomes chunks. The one implementation for the shim's writer thread,
 * for readers of leftovers and for recovery.
 *
 * The single consumer of all rings of a mapping: calls for one mapping never overlap. Rings and definitions
 * are marked as taken only after `write` said that they are safe, so a process killed at any point loses and
 * doubles nothing: what is in the file twice is known by its slot number.
 */
#ifndef KP_TRACE_DRAIN_H
#define KP_TRACE_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chunk.h"
#include "shm.h"
#include "status.h"

struct kp_drain_index {
    uint64_t offset;
    uint32_t thread;
    uint32_t events;
};

#define KP_DRAIN_INDEX_MAX 4096u

/* A thread has no longer chain of rings than this; a leftover that says so is damaged. */
#define KP_RING_CHAIN_MAX 65536u

struct kp_drain {
    /* Set by the caller before kp_drain_open. */
    struct kp_shm_control *shm;
    const struct kp_zstd *zstd;
    /* Append all bytes or none to the destination. Not NULL. */
    enum kp_status (*write)(void *user, const void *data, size_t bytes);
    /* A ring was drained and left by its thread; its memory may be reused. NULL: nobody cares. */
    void (*ring_done)(void *user, struct kp_ring *ring);
    /* A thread that ended was drained; its table entry was freed. NULL: nobody cares. */
    void (*thread_done)(void *user, struct kp_shm_thread *thread);
    void *user;
    /* Lent by the caller: KP_CHUNK_EVENTS_ROOM bytes, and an encoder. */
    uint8_t *out;
    struct kp_encoder *encoder;
    /* Running. */
    uint64_t previous_index;
    uint32_t index_count;
    uint64_t events, slots, bytes;
    uint64_t calls_made, calls_lost; /* of threads whose end was written */
    struct kp_drain_index index[KP_DRAIN_INDEX_MAX];
};

/* Write preamble, PROCESS chunk and the first clock reading. */
enum kp_status kp_drain_open(struct kp_drain *drain);

/* Take everything that is published now: definitions, then events of all threads. */
enum kp_status kp_drain_all(struct kp_drain *drain);

/* Take what one thread published. */
enum kp_status kp_drain_thread(struct kp_drain *drain, struct kp_shm_thread *thread);

/* Write a clock reading (shm->last_sync). */
enum kp_status kp_drain_clock(struct kp_drain *drain);

/*
 * Take the rest, write how each thread ended, the index and END. No thread may write events any more.
 * `key` and `value`, if not NULL, become a last piece of metadata.
 */
enum kp_status kp_drain_finish(struct kp_drain *drain, const char *key, const char *value);

/* Slots of a thread not yet taken, over all its rings. */
uint64_t kp_drain_pending(const struct kp_shm_control *shm, const struct kp_shm_thread *thread);

/* The thread table, and a ring by its offset: NULL when the offset, or what stands there, makes no sense. */
struct kp_shm_thread *kp_shm_threads(struct kp_shm_control *shm);
struct kp_ring *kp_shm_ring(struct kp_shm_control *shm, uint64_t offset);

#endif

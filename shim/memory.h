/*
 * The shared mapping: making it, and reserving pages in it. All with kp_core.lock held unless said otherwise.
 */
#ifndef KP_SHIM_MEMORY_H
#define KP_SHIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/shm.h"

/*
 * Make the mapping of this process, with a fresh uuid. Where /dev/shm does not work, anonymous memory serves,
 * with a warning: what is in it does not survive a kill. NULL when there is no memory at all.
 */
struct kp_shm_control *kp_memory_create(char *path, size_t path_bytes);

/* Unmap, and remove the file. */
void kp_memory_destroy(struct kp_shm_control *shm, const char *path);

/* Unmap only: a forked child leaves its parent's file alone. */
void kp_memory_leave(struct kp_shm_control *shm);

/*
 * Make sure that [offset, offset + bytes) has pages, now. False: there is no room; touching them could kill
 * the program with SIGBUS. Any thread.
 */
bool kp_memory_reserve(struct kp_shm_control *shm, uint64_t offset, uint64_t bytes);

/*
 * A ring of at least 64 KiB and at most `bytes` (a power of two), smaller if memory is short. It is empty and
 * starts with slot `base`. NULL: no room.
 */
struct kp_ring *kp_memory_ring(struct kp_shm_control *shm, uint64_t bytes, uint64_t base, uint32_t thread);

/* Give a ring back. */
void kp_memory_ring_free(struct kp_shm_control *shm, struct kp_ring *ring);

/* Private zeroed pages that belong to the shim; never returned. NULL: no memory. */
void *kp_memory_private(size_t bytes);

/* Copies of texts that stay. Starts zeroed; whoever has it excludes concurrent use. */
struct kp_memory_texts {
    char *at;
    size_t left;
};

/* NULL: no memory. */
char *kp_memory_keep(struct kp_memory_texts *texts, const char *text);

#endif

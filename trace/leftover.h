/*
 * Leftovers: shared mappings whose process died before it could finish its trace.
 */
#ifndef KP_TRACE_LEFTOVER_H
#define KP_TRACE_LEFTOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shm.h"
#include "status.h"

struct kp_leftover {
    char path[128];                   /* of the mapping */
    char output[KP_SHM_OUTPUT_BYTES]; /* of its trace; empty: it had none */
    char uuid[33];
    uint32_t pid;
    bool alive;             /* the process runs and still has it mapped: hands off */
    uint64_t bytes;         /* memory that it takes */
    uint64_t pending_slots; /* events not in the file (two-slot events count two) */
    uint64_t file_bytes;    /* the trace is good up to here */
};

/* The path of the mapping of a process and uuid. */
void kp_leftover_path(char *path, size_t bytes, uint32_t pid, const char *uuid_hex);

/* 16 bytes to 32 hex digits and a NUL. */
void kp_uuid_hex(char hex[33], const uint8_t uuid[16]);

/*
 * Map one copy-on-write: changes by the caller (draining) stay private. KP_ERROR_SYSTEM with errno when it
 * cannot be opened, KP_ERROR_FOREIGN or _NEWER or _DAMAGED when it is no mapping of ours. Unmap with
 * kp_leftover_unmap.
 */
enum kp_status kp_leftover_map(struct kp_shm_control **shm, const char *path);
void kp_leftover_unmap(struct kp_shm_control *shm);

/* Facts about the mapping at `path`. */
enum kp_status kp_leftover_describe(struct kp_leftover *leftover, const char *path);

/*
 * Call `visit` for each mapping of this machine that we may read, alive or dead, until it returns false.
 * Returns how many were visited.
 */
size_t kp_leftover_each(bool (*visit)(void *user, const struct kp_leftover *leftover), void *user);

/* Remove it (not the trace). 0 or -1 with errno. */
int kp_leftover_remove(const char *path);

#endif

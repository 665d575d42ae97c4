/*
 * Registry: function identity to id, append-only. Definitions stand in the mapping before an id is given out.
 */
#ifndef KP_SHIM_REGISTRY_H
#define KP_SHIM_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/def.h"
#include "trace/function.h"
#include "trace/shm.h"

/* Longer names are cut, with an ellipsis. */
#define KP_NAME_BYTES_MAX 32768u

/*
 * The id of a function: the same for the same kind, name, file and line. Starts the core if this is the first
 * one. With kp_core.lock held. 0: cannot be recorded (no room, or tracing is off).
 */
uint32_t kp_registry_function(enum kp_function_kind kind, const char *name, size_t name_bytes,
                              const char *file, size_t file_bytes, uint32_t line);

/*
 * The same with all that a definition may tell; its id is given here. What is not part of the identity is
 * that of the first one.
 */
uint32_t kp_registry_define(const struct kp_def *function);

/* Publish a thread. With the lock held. False: no room. */
bool kp_registry_thread(const struct kp_shm_thread *thread);

/* Publish a loaded object that functions are in, before the first of them. With the lock held and a mapping
 * there. */
bool kp_registry_object(const char *path, const char *build_id);

/* Publish metadata. With the lock held and a mapping there. */
bool kp_registry_meta(const char *key, const char *value);

/* How many functions there are. */
uint32_t kp_registry_count(void);

/* Bytes of definitions in the mapping; in a forked child those at the fork. With the lock held, or right
 * after a fork. */
uint64_t kp_registry_bytes(void);

/*
 * Carry the functions of the mapping `from` (its first `bytes` of definitions) over to a new mapping: ids
 * stay valid. With the lock held.
 */
bool kp_registry_carry(struct kp_shm_control *to, const struct kp_shm_control *from, uint64_t bytes);

#endif

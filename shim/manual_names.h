/*
 * Names that the program gives at run time, found again without a lock: 64-bit hashes stand for them, as in
 * the registry. Append-only, bounded.
 */
#ifndef KP_SHIM_MANUAL_NAMES_H
#define KP_SHIM_MANUAL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KP_MANUAL_NAMES_MAX 65536u

/* Of two texts (the second may be NULL) and what they are names of. */
uint64_t kp_manual_hash(unsigned kind, const char *text, const char *more);

/* What was kept for a name; 0: nothing. Any thread. */
uint32_t kp_manual_name(uint64_t hash);

/* Keep a value other than 0. With kp_core.lock held. False: no room, no memory, or the name has one already.
 */
bool kp_manual_keep(uint64_t hash, uint32_t value);

#endif

/* Misspelt names: the nearest of the allowed ones. libc only, no allocation: the shim uses it as well. */
#ifndef KP_TRACE_NEAREST_H
#define KP_TRACE_NEAREST_H

#include <stddef.h>

/* Names longer than this are never near anything. */
#define KP_NEAREST_MAX_BYTES 63

/*
 * Edits (insert, delete, change, swap neighbours) that turn `a` into `b`; letters compare without case.
 * Names longer than KP_NEAREST_MAX_BYTES are KP_NEAREST_MAX_BYTES + 1 apart.
 */
unsigned kp_nearest_distance(const char *a, const char *b);

/* Is this distance small enough for a name of that length to be meant? */
int kp_nearest_plausible(const char *name, unsigned distance);

#endif

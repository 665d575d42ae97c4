/* Copy: a clean trace of what can be read of a damaged or unfinished one. */
#ifndef KP_TRACE_COPY_H
#define KP_TRACE_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

struct kp_recovery {
    uint32_t sections;
    uint64_t events, calls;  /* in the new trace; calls: enter events */
    uint64_t dropped_bytes;  /* of the old one: damaged */
    uint64_t dropped_chunks; /* of those whole chunks whose payload was damaged */
    char (*leftovers)[128];  /* paths of the mappings that went into it: they can be removed now */
    uint32_t leftover_count;
};

/*
 * Read `in` (a path, "-", or the name of a trace whose process left it in shared memory only) and write a
 * trace in which every section is closed. `out` must not exist; it is made 0600 and appears only when it is
 * complete and on disk. A trace whose process still runs is refused. On failure `error` (256 bytes or more)
 * holds a sentence that names the path. Release *result with kp_recovery_free in either case.
 */
enum kp_status kp_trace_recover(const char *in, const char *out, struct kp_recovery *result, char *error,
                                size_t error_bytes);

void kp_recovery_free(struct kp_recovery *result);

#endif

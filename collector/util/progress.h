/* One line on standard error that says how far a long read is; nothing when that is no terminal. */
#ifndef KP_COLLECTOR_UTIL_PROGRESS_H
#define KP_COLLECTOR_UTIL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct kp_progress {
    bool terminal;
    bool shown; /* a line is on the screen and must be wiped */
    uint64_t start_ns;
    uint64_t next_ns; /* not drawn again before */
};

/* Begins; the first line appears only when the read takes longer than half a second. */
void kp_progress_start(struct kp_progress *progress);

/* Is it time to draw? Cheap; so that the caller counts only when it is. */
bool kp_progress_due(const struct kp_progress *progress);

/* Draws bytes, calls and the time left, estimated from the bytes. */
void kp_progress_draw(struct kp_progress *progress, uint64_t done_bytes, uint64_t total_bytes,
                      uint64_t calls);

/* Wipes the line. Call before writing anything else to standard error. */
void kp_progress_clear(struct kp_progress *progress);

#endif

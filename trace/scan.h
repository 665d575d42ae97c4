/* Scan: the chunk list of an input, built from headers. Private to input.c, scan.c and salvage.c. */
#ifndef KP_TRACE_SCAN_H
#define KP_TRACE_SCAN_H

#include "input.h"

/* Build the list from the file. Each section that ends is handed to kp_salvage_section. */
enum kp_status kp_scan_file(struct kp_input *input);

/*
 * Add what was drained to the input's leftover source from offset `from` on: it continues the newest section,
 * or starts one with a preamble of its own.
 */
enum kp_status kp_scan_leftover(struct kp_input *input, uint64_t from);

/* Thread, first slot and slots of an EVENTS chunk; false when its head makes no sense. */
struct kp_scan_head {
    uint32_t thread;
    uint64_t first_slot, slots, base_ticks;
};
bool kp_scan_head(const struct kp_source *source, uint64_t offset, uint32_t payload_bytes,
                  struct kp_scan_head *head);

/* Append to the list. */
enum kp_status kp_scan_add(struct kp_input *input, struct kp_input_chunk chunk);

#endif

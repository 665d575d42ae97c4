/* Salvage: completes a section from what its process left in shared memory. Private to the reader's files. */
#ifndef KP_TRACE_SALVAGE_H
#define KP_TRACE_SALVAGE_H

#include "input.h"

/*
 * The section has no END: if its process still runs, mark it alive and forget a partial chunk at the end; if
 * it left a mapping, forget what the file holds beyond its good part, drain the mapping and add the chunks.
 */
enum kp_status kp_salvage_section(struct kp_input *input, struct kp_section *section);

/*
 * The file `path` is missing or empty: look for a leftover that was to become it. KP_END when there is none;
 * KP_ERROR_SYSTEM with errno EBUSY when its process still runs.
 */
enum kp_status kp_salvage_path(struct kp_input *input, const char *path);

#endif

/* Who we are: the PROCESS chunk. */
#ifndef KP_SHIM_PROCESS_H
#define KP_SHIM_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/shm.h"

/* Fill shm->process_text; returns the time shift: as many low bits as leave a unit of at most one nanosecond.
 */
uint32_t kp_process_describe(struct kp_shm_control *shm);

/* Whether the parent process runs with this library, too: we are a child of a traced program. */
bool kp_process_parent_traced(void);

#endif

/*
 * Orphans: what forked children left in shared memory when they ended by _exit or by a signal, as every child
 * of multiprocessing does. Their parent finishes their traces, so that a server with many workers does not
 * fill /dev/shm.
 */
#ifndef KP_SHIM_ORPHANS_H
#define KP_SHIM_ORPHANS_H

#include "trace/drain.h"

/* We forked: there may be orphans from now on. Any thread. */
void kp_orphans_expect(void);

/*
 * Finish and remove what dead children of ours left. In the writer thread; borrows the output buffer, the
 * encoder and zstd of `lender` between two of its own chunks.
 */
void kp_orphans_finish(const struct kp_drain *lender);

#endif

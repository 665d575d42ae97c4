/*
 * Writer: one thread per process that turns rings into chunks and hands them to the sink.
 *
 * All signals are blocked in it, and it has a table of file descriptors of its own, so that the program
 * neither sees nor closes ours. It is stopped while the program forks, and started again when there is work.
 */
#ifndef KP_SHIM_WRITER_H
#define KP_SHIM_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/shm.h"

/*
 * Start a trace of kp_core.shm and the thread. `resume`: behind what this process wrote to the same
 * destination. With kp_core.lock held. False: there can be no thread now.
 */
bool kp_writer_start(bool resume);

/*
 * Stop and join it; what is in the rings stays there. `finish`: take the rest and end the trace first
 * (starting the thread for that if need be). Without the lock held. True: nothing is left in the mapping that
 * is worth keeping.
 */
bool kp_writer_stop(bool finish);

/* Whether the thread exists. With the lock held. */
bool kp_writer_running(void);

/* There is a quarter of a ring to take. Starts the thread if it was stopped for a fork. Any thread, cheap. */
void kp_writer_wake(void);

/* Whether waiting for room makes sense. */
bool kp_writer_working(void);

/* Whether an object, by its dynamic section, was loaded for the writer and not for the program. Any thread.
 */
bool kp_writer_owns(const void *dynamic_section);

/*
 * Load the libraries that the thread uses, if there was no time to. The start of a trace does it as well,
 * with kp_core.lock held: where constructors of the program are traced, which hold the loader's lock and wait
 * for that one, it must be done before.
 */
void kp_writer_load(void);

/* Whether an address is on the thread's stack: whether this is that thread. */
bool kp_writer_stack_holds(const void *address);

/* Forget the thread: in a forked child there is none. */
void kp_writer_forked(void);

/* A ring to follow `ring`, twice its size up to the limit, reserved; its offset, or 0. With kp_core.lock
 * held. */
uint64_t kp_writer_prepare_next(struct kp_ring *ring);

#endif

/* Starting an interpreter under the shim to see what the shim makes of it. */
#ifndef KP_COLLECTOR_TRIAL_H
#define KP_COLLECTOR_TRIAL_H

#include "checks.h"

/*
 * Runs `executable -I -S -c pass` with the shim, with no rules and a trace of its own, and reads that.
 * KPROBE_ENGINE and KPROBE_CLOCK are the caller's. NULL, with errno: there was no place for the trace. To be
 * freed.
 */
struct kp_trace_facts *kp_trial_run(const char *executable, const char *shim);

#endif

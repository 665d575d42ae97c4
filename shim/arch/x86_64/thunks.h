/*
 * The CPU's side of the opcode engine: thunks to put into a dispatch table, and a trampoline in front of the
 * evaluator. Another CPU implements this header in a folder of its own.
 */
#ifndef KP_SHIM_ARCH_THUNKS_H
#define KP_SHIM_ARCH_THUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "offsets.h"

/* What is only known in the process, for the sites in the code. Offsets in bytes. */
struct kp_thunk_values {
    const void *local;       /* the calling thread's struct kp_local */
    const void *self;        /* the calling thread's kp_self */
    uint32_t cframe;         /* of the thread state; 0: there is none */
    uint32_t current;        /* running frame, of the cframe or the thread state */
    uint32_t code, owner;    /* of the frame */
    uint32_t chunk, tracing; /* of the thread state: newest piece of the frame stack; in a trace function */
};

/*
 * Fill in the sites. Once, before any thunk can run. False: the code cannot be written (a hardened kernel or
 * SELinux).
 */
bool kp_thunks_prepare(const struct kp_thunk_values *values);

/*
 * The thunk for an opcode of a kind (K_START …), with a slot of its own for the code it goes on to.
 * `shortest`: with the paths in assembly, which read the time stamp counter. `cframe` as in the values.
 */
void *kp_thunk_address(unsigned kind, unsigned slot, bool shortest, bool cframe);

/* [K_SLOTS * kind + slot]: the opcode's own code. Set before the thunk is put into the table. */
extern void *kp_thunk_targets[K_KINDS * K_SLOTS];

/*
 * Divert a function to kp_thunk_entry for good; kp_thunk_evaluator leads to the function itself. False, with
 * a reason: its first instructions cannot be moved, or cannot be written. No other thread may be at them.
 */
bool kp_entry_hook(void *function, char *reason, size_t reason_bytes);

/* Whether the entry is observed or, as far as possible, left alone. Any time after kp_entry_hook. */
void kp_entry_observe(bool on);

extern void *kp_thunk_evaluator;

#endif

/* The table of mechanisms (hook.h), for those who keep it going. */
#ifndef KP_SHIM_NATIVE_HOOKS_H
#define KP_SHIM_NATIVE_HOOKS_H

#include <stdbool.h>

#include "elf.h"

/* Before objects are looked at: which of them have functions that are selected is known (kp_elf.extent). */
void kp_hooks_prepare(void);

/* Let each mechanism look at an object: struct kp_hook. */
void kp_hooks_take(struct kp_elf *object, bool fresh);

/* Into the metadata: what was hooked, and what was not, and why. Under kp_core.lock. */
void kp_hooks_note(void);

#endif

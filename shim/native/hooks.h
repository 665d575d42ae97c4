/* The table of mechanisms (hook.h), for those who keep it going. */
#ifndef KP_SHIM_NATIVE_HOOKS_H
#define KP_SHIM_NATIVE_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

#include "elf.h"

/* Before objects are looked at: which of them have functions that are selected is known (kp_elf.extent). */
void kp_hooks_prepare(void);

/* Mechanisms there are; one looks at all objects, then the next does. */
size_t kp_hooks_count(void);

/* Let a mechanism look at an object: struct kp_hook. */
void kp_hooks_take(size_t hook, struct kp_elf *object, bool fresh);

/* Into the metadata: what was hooked, and what was not, and why. Under kp_core.lock. */
void kp_hooks_note(void);

#endif

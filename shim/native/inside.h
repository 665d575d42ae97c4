/*
 * Calls inside an object (KPROBE_INLINE=1): the entry of each traced function leads to a stub. Only when an
 * object is loaded, before another thread can run its code: changing instructions under a running thread
 * cannot be made safe.
 */
#ifndef KP_SHIM_NATIVE_INSIDE_H
#define KP_SHIM_NATIVE_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

/* Load libkprobe-inline.so from the folder of this library. Not in a pass. False: it is not there, said in
 * the log. */
bool kp_inside_load(void);

/* Whether the function at this address was changed, so that calls through slots need nothing more. */
bool kp_inside_has(uintptr_t function);

/* Whether an object is the one that was loaded, or what it brought with it: by its dynamic section. */
bool kp_inside_owns(const void *dynamic_section);

#endif

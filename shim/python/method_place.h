/*
 * Putting thunks (method_thunk.h) where the interpreter finds functions: which are selected by a rule, under
 * which name, and which must never be touched.
 *
 * A thunk goes into the table the function is described in, not into objects made from it: so all objects
 * made before and later are covered, and none changes.
 */
#ifndef KP_SHIM_PYTHON_METHOD_PLACE_H
#define KP_SHIM_PYTHON_METHOD_PLACE_H

#include "cpython_object.h"

/* Room for the name of a module, type or function. */
#define KP_METHOD_NAME_ROOM 1024

/* Before a number of the following: what is known of the memory's protection is from now on. */
void kp_method_begin(void);

/* Whether a rule may select a function of `owner`, a module or type, or of what is in it. */
bool kp_method_is_wanted(const char *owner);

/* OWNER.NAME, cut to KP_METHOD_NAME_ROOM. */
void kp_method_join(char *out, const char *owner, const char *name);

/* A function of `owner` (a module or type): called OWNER.NAME. */
void kp_method_take(struct kp_method_def *def, const char *owner);

/*
 * A slot of a type or object that holds a function. Returns what stands there now. `same` is a second place
 * that holds the same pointer, which has to change with it; or NULL.
 */
void *kp_method_take_slot(void **slot, void **same, const char *name);

/* A slot that is empty: `function` does what happens without. */
void kp_method_fill_slot(void **slot, void *function, const char *name);

/* A function that has to be told of by kprobe itself, selected or not: calls go to `function`. */
bool kp_method_intercept(struct kp_method_def *def, const char *owner, void *function);

#endif

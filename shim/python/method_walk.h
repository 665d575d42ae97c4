/*
 * Finding the functions implemented in C: methods of all types, functions of all modules; and again what an
 * import has brought, right after the extension module was made and before Python code gets it.
 *
 * All with the GIL, without kp_core.lock.
 */
#ifndef KP_SHIM_PYTHON_METHOD_WALK_H
#define KP_SHIM_PYTHON_METHOD_WALK_H

#include <stdbool.h>

/* Whether a rule could select such a function. */
bool kp_methods_wanted(void);

/* An interpreter is up: look at all there is. False: not possible in this interpreter. */
bool kp_methods_attach(void);

/* The rules changed. */
void kp_methods_refresh(void);

/* Something that could not be done at its time is to be tried again; cheap to ask at any audit event. */
extern _Atomic bool kp_methods_pending;
void kp_methods_catch_up(void);

#endif

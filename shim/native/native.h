/*
 * Exported C functions: hooks in the objects of this process, kept up to date with what is loaded and with
 * the rules.
 *
 * Lock order: the loader's dl_load_lock, kp_native_lock, the loader's list of objects, kp_core.lock. Who is
 * called by the program inside of the loader (a dl function, a constructor) only tries kp_native_lock and
 * leaves the work to the next one if it is taken.
 */
#ifndef KP_SHIM_NATIVE_H
#define KP_SHIM_NATIVE_H

#include <stdbool.h>

/* Whether the environment has any rule for C functions, perhaps; before kp_core_configure, and cheap. */
bool kp_native_likely(void);

/* Whether a C function may be traced, now or when the file of rules changes. */
bool kp_native_wanted(void);

/*
 * From the constructor: look at all loaded objects, and at others when they come. Without kp_native_wanted no
 * call is hooked but those of dlopen and dlsym, to tell of an interpreter: `python` is called once, with a
 * handle of the object that exports `PySys_AddAuditHook`, when one is loaded. NULL: there is one already.
 */
void kp_native_setup(bool functions, void (*python)(void *handle));

#endif

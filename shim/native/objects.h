/* Keeping the hooks up to date with what is loaded. */
#ifndef KP_SHIM_NATIVE_OBJECTS_H
#define KP_SHIM_NATIVE_OBJECTS_H

#include <stdbool.h>

/* Look at objects that are new, if there are any. Called by the program inside of a dl function, so that the
 * loader's lock may be taken. If another thread is at it, it is left to the next one. */
void kp_objects_update(void);

/* Run a task on the objects known so far. False: another thread is at them; it was not run. */
bool kp_objects_known(void (*task)(void *user), void *user);

#endif

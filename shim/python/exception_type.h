/*
 * The exception that leaves a call: its type has an id like a function (KP_FUNCTION_EXCEPTION, named as
 * Python shows it), which a VALUES event right before the UNWIND tells.
 *
 * Ids are found through the thread's cache, as those of code objects are; a hook in the dealloc of `type`
 * takes the type of an exception out of all caches before its address can be used again.
 */
#ifndef KP_SHIM_PYTHON_EXCEPTION_TYPE_H
#define KP_SHIM_PYTHON_EXCEPTION_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "open_calls.h"
#include "thread.h"

/* Hook the type of types. With a GIL; again is harmless. False: no type of an exception is ever known. */
bool kp_exception_setup(void);

/* Slow path of kp_exception_id. */
uint32_t kp_exception_resolve(struct kp_thread_state *t, void *type);

/* The id of a type; 0: unknown, as that of NULL. With the GIL; runs no Python code, and an exception that is
 * set stays set. */
static inline uint32_t kp_exception_id(struct kp_thread_state *t, void *type)
{
    struct kp_cache_entry *entry = kp_cache_entry(t, type);

    if (!type)
        return 0;
    return entry->key == type ? entry->id : kp_exception_resolve(t, type);
}

/* The same of the exception that is set in the calling thread. */
uint32_t kp_exception_set_id(struct kp_thread_state *t);

/* The type of an object that is or may be an exception; NULL: it is none. */
void *kp_exception_type(const void *object);

/*
 * By what several calls were left that ended together, when the outermost was left by this exception, or by
 * the one that is set: the same, but where the interpreter made it in a call between, of a StopIteration that
 * was about to leave a generator (PEP 479), or of what was raised in the clauses of `except*`.
 */
struct kp_left_by kp_exception_left_by(struct kp_thread_state *t, const void *exception);
struct kp_left_by kp_exception_set_left_by(struct kp_thread_state *t);

#endif

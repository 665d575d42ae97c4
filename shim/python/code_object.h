/*
 * Code objects to function ids: at first sight by asking the interpreter, afterwards through the thread's
 * cache.
 *
 * What is known stands in a map (code_map.h); a hook in the code type's dealloc takes a freed code object out
 * of the map and of every thread's cache, so that a new code object at the same address starts unknown.
 */
#ifndef KP_SHIM_PYTHON_CODE_OBJECT_H
#define KP_SHIM_PYTHON_CODE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "thread.h"

/* Hook the code type. With a GIL; again is harmless. False: there is no code type. */
bool kp_code_setup(void);

/* Names of functions that exist already, for versions whose code objects do not know theirs (before 3.11).
 * With the GIL. */
void kp_code_learn_existing(void);

/*
 * For a self-test: the ids of code objects in this thread state are what `ask` says, and are not recorded.
 * NULL: as usual.
 */
struct kp_code_trial {
    const struct kp_thread_state *thread;
    uint32_t (*ask)(void *code);
    uint32_t (*ask_type)(void *type); /* of an exception; see exception_type.h */
};
extern const struct kp_code_trial *kp_code_trial;

/* Slow path of kp_code_id. */
uint32_t kp_code_resolve(struct kp_thread_state *t, void *code, void *globals);

/*
 * The id of a code object, 0 when it is not traced. `globals` is borrowed and may be NULL: then those of the
 * running frame are used. With the GIL; an exception that is set stays set.
 */
static inline uint32_t kp_code_id(struct kp_thread_state *t, void *code, void *globals)
{
    struct kp_cache_entry *entry = kp_cache_entry(t, code);

    if (__builtin_expect(entry->key == code, 1))
        return entry->id;
    return kp_code_resolve(t, code, globals);
}

#endif

/* Which functions of some objects can be traced by rules OBJECT:SYMBOL, how, or why not. */
#ifndef KP_COLLECTOR_TRACEABLE_H
#define KP_COLLECTOR_TRACEABLE_H

#include "elf_functions.h"
#include "objects.h"
#include "trace/pattern.h"

/* How a function is traced, one row each: KP_MECHANISM(NAME, "text", "meaning"). */
#define KP_MECHANISMS(KP_MECHANISM)                                                                          \
    KP_MECHANISM(GOT, "got", "calls that other objects make through their slots (GOT, PLT), and dlsym")      \
    KP_MECHANISM(ENTRY_ONLY, "entry only", "as got, but the end of the call is not recorded")                \
    KP_MECHANISM(WRAPPED, "wrapped", "as got, through a function of the shim")                               \
    KP_MECHANISM(NONE, "none", "no object calls it through a slot")                                          \
    KP_MECHANISM(NEVER, "never", "the shim leaves it alone")

enum kp_mechanism {
#define KP_MECHANISM(name, text, meaning) KP_MECHANISM_##name,
    KP_MECHANISMS(KP_MECHANISM)
#undef KP_MECHANISM
        KP_MECHANISM_COUNT
};

const char *kp_mechanism_text(enum kp_mechanism mechanism);

struct kp_traceable {
    const struct kp_elf_object *object;
    struct kp_elf_function function;
    enum kp_mechanism mechanism;
    const char *reason; /* "" for none; completes "the function ..." */
    char *name;         /* OBJECT:SYMBOL */
};

struct kp_traceables {
    struct kp_traceable *all; /* by object, then by name */
    size_t count, capacity;
};

/*
 * What `rules` (NULL: everything) selects of the objects. `everything`: also what has no slot, is not
 * exported, or has only the name of a former version. The objects must stay open.
 */
void kp_traceables_find(struct kp_traceables *traceables, const struct kp_objects *objects,
                        struct kp_rules *rules, bool everything);
void kp_traceables_free(struct kp_traceables *traceables);

#endif

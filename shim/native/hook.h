/*
 * Mechanisms that put thunks between callers and exported C functions: one row each, and one table of them in
 * hooks.c.
 */
#ifndef KP_SHIM_NATIVE_HOOK_H
#define KP_SHIM_NATIVE_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf.h"
#include "function.h"

struct kp_hook {
    const char *name;
    /*
     * Look at an object: it is new, or the rules are. In a pass (elf.h), under kp_native_lock. `fresh`: no
     * other thread can be running its code yet.
     */
    void (*take)(struct kp_elf *object, bool fresh);
    /* Put what was done into the metadata. Under kp_core.lock. */
    void (*note)(void);
};

extern const struct kp_hook kp_hook_inside, kp_hook_got;

/*
 * What a reference to the exported function `symbol` of `object` is to lead to, which is at `target`: a
 * thunk, or a replacement. NULL: the function itself, and `*reason` says why if it was not the rules (else
 * NULL).
 */
void *kp_hook_stand_in(struct kp_elf *object, uint32_t symbol, uintptr_t target, const char **reason);

/* What is to be known of a function for its entry (function.h). The path may be in a buffer:
 * kp_elf_full_path. */
struct kp_native_symbol kp_hook_symbol(const struct kp_elf *object, uint32_t symbol, uintptr_t target,
                                       enum kp_native_class class);

/* Whether the rules select a function of an object. */
bool kp_hook_selected(const struct kp_elf *object, const char *symbol);

/* Whether kp_hook_stand_in could give something for a function of that name, whoever defines it. Cheap. */
bool kp_hook_name_possible(const char *name);

/* Whether it could for a function of that object at that address. Cheaper. */
bool kp_hook_target_possible(const struct kp_elf *object, uintptr_t target);

/* Whether it does, but for what the function's own nature forbids. */
bool kp_hook_wanted(const struct kp_elf *object, const char *symbol, uintptr_t target);

/* Count a refusal by its reason, a constant text. */
void kp_hook_refused(const char *reason);

/* Somebody loaded an object in a way that looks at its own objects first (RTLD_DEEPBIND). */
bool kp_hook_deep_bound(void);

#endif

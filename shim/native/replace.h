/*
 * Functions of libc that are always looked at, whatever the rules say: those of the loader get another
 * function in their place, which sees what is loaded; those that leave calls without their return (jumps) and
 * those that end the program get their thunk, which does what is to be done first.
 */
#ifndef KP_SHIM_NATIVE_REPLACE_H
#define KP_SHIM_NATIVE_REPLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "elf.h"
#include "function.h"

struct kp_replace {
    const char *name;
    enum kp_native_class class; /* of its thunk */
    void (*stand_in)(void);     /* to be called in its place; NULL: itself */
};

/* Note where the object, if it is one of libc's, has these functions. `functions`: all of them, else those of
 * the loader only. */
void kp_replace_learn(const struct kp_elf *object, bool functions);

/* The row of the function at `address`; NULL: it has none. */
const struct kp_replace *kp_replace_find(uintptr_t address);

/* The row for a name, if one was learnt; NULL: none. */
const struct kp_replace *kp_replace_named(const char *name);

#endif

/* What the loader would bind a lazy reference to. */
#ifndef KP_SHIM_NATIVE_SCOPE_H
#define KP_SHIM_NATIVE_SCOPE_H

#include "elf.h"

/*
 * The definition that the reference of `object` by its symbol number `reference` gets at its first call, with
 * its symbol and address. NULL: there is none yet, or the loader may choose another one than we would: it
 * depends on how objects were opened, or the loader would have to note that the object needs the other one.
 * Then the slot is better left to the loader, and looked at again when it is bound.
 */
struct kp_elf *kp_scope_find(const struct kp_elf *object, uint32_t reference, const struct kp_elf_name *name,
                             uint32_t *symbol, uintptr_t *target);

#endif

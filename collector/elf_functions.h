/* The functions of an ELF file that others can call, and the slots through which it calls those of others. */
#ifndef KP_COLLECTOR_ELF_FUNCTIONS_H
#define KP_COLLECTOR_ELF_FUNCTIONS_H

#include "elf_file.h"

struct kp_elf_function {
    const char *name; /* without version; lives as long as the file is open */
    uint64_t address; /* st_value */
    uint64_t bytes;
    bool exported;    /* in .dynsym, and visible to others */
    bool indirect;    /* the address is that of a resolver, which chooses the function (IFUNC) */
    bool old_version; /* only programs linked long ago find it: another one has the name now */
};

/* Calls `visit` for every function with code: those of .dynsym, then, with `locals`, those only in .symtab.
 */
typedef void kp_elf_visit_function(void *user, const struct kp_elf_function *function);
void kp_elf_each_function(const struct kp_elf *elf, bool locals, kp_elf_visit_function *visit, void *user);

enum kp_slot_use {
    KP_SLOT_PLT,    /* only the PLT reads it */
    KP_SLOT_CALLS,  /* only call and jump instructions read it */
    KP_SLOT_TAKEN,  /* holds a function's address that the program looks at: the shim leaves it alone */
    KP_SLOT_BOTH,   /* calls read it, too: the shim redirects those to a slot of its own */
    KP_SLOT_UNUSED, /* no instruction reads it */
    KP_SLOT_USES
};

/* Calls `visit` for every slot of a function of a 64-bit file: PLT slots and those of -fno-plt. */
typedef void kp_elf_visit_slot(void *user, const char *name, enum kp_slot_use use);
void kp_elf_each_slot(const struct kp_elf *elf, kp_elf_visit_slot *visit, void *user);

#endif

/* Which loaded object (program, library) an address lies in. */
#ifndef KP_SHIM_LOADED_H
#define KP_SHIM_LOADED_H

#include <stdbool.h>
#include <stdint.h>

struct kp_loaded {
    uintptr_t start, end; /* of the segment */
    uintptr_t base;       /* of the object, its identity */
    const char *path;     /* as the dynamic linker has it, valid while it is loaded; "" for the program */
};

/* Unlike dladdr it looks at no symbols. False: in none, as memory of an allocator. */
bool kp_loaded_find(const void *address, struct kp_loaded *loaded);

#endif

/* Where the loader finds a library: run paths, LD_LIBRARY_PATH, its cache, its folders. */
#ifndef KP_COLLECTOR_LIBRARIES_H
#define KP_COLLECTOR_LIBRARIES_H

#include <stdbool.h>
#include <stddef.h>

#include "elf_file.h"

/* An object that needs libraries, and how it came in. */
struct kp_needer {
    const char *path;
    const struct kp_elf *elf;
    const struct kp_needer *needed_by; /* NULL for the program */
};

/* The file that the loader takes for `name`, which `needer` needs (NULL: nobody does); false when there is
 * none. */
bool kp_library_find(const char *name, const struct kp_needer *needer, char *path, size_t bytes);

#endif

/* The file with the debug information of an object: itself, or what its build id or .gnu_debuglink names. */
#ifndef KP_COLLECTOR_DEBUG_SEPARATE_H
#define KP_COLLECTOR_DEBUG_SEPARATE_H

#include <stdbool.h>
#include <stddef.h>

#include "elf_file.h"

/* False when there is none. Servers are not asked. */
bool kp_debug_file_find(const struct kp_elf *elf, const char *path, char *found, size_t bytes);

#endif

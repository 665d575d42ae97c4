/* A C prototype as the types alone, as a signature has them. */
#ifndef KP_COLLECTOR_EXPORT_PROTOTYPE_H
#define KP_COLLECTOR_EXPORT_PROTOTYPE_H

#include <stdbool.h>

#include "debug/debug_info.h"

/* "ssize_t" and "int,const void*,size_t", in new memory; false when it is not to be taken apart. */
bool kp_prototype_types(const struct kp_prototype *prototype, char **result, char **parameters);

#endif

/* Names of C++ and Rust functions as their programmers wrote them, by libiberty. */
#ifndef KP_COLLECTOR_DEBUG_DEMANGLE_H
#define KP_COLLECTOR_DEBUG_DEMANGLE_H

#include <stdbool.h>

/* `symbol` demangled, in new memory; NULL when it is not mangled. `parameters`: with the types in
 * parentheses.
 */
char *kp_demangle(const char *symbol, bool parameters);

/* The same for OBJECT:SYMBOL, whose object stays. */
char *kp_demangle_name(const char *name, bool parameters);

#endif

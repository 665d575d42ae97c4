/* Python in this process: found, and told when an interpreter is up. */
#ifndef KP_SHIM_PYTHON_PYTHON_H
#define KP_SHIM_PYTHON_PYTHON_H

#include <stdbool.h>

/* Whether a CPython is part of this process: in the program's global scope, or in `library`, a handle of
 * dlopen, if that is not NULL. */
bool kp_python_present(void *library);

/* Ask to be told when an interpreter is up. Once, from the constructor, or when its library was just
 * loaded. */
void kp_python_setup(void);

#endif

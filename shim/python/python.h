/* Python in this process: found, and told when an interpreter is up. */
#ifndef KP_SHIM_PYTHON_PYTHON_H
#define KP_SHIM_PYTHON_PYTHON_H

#include <stdbool.h>

/* Whether a CPython is part of this process. */
bool kp_python_present(void);

/* Ask to be told when an interpreter is up. Once, from the constructor. */
void kp_python_setup(void);

#endif

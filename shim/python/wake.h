/*
 * Wake-up: how we learn that an interpreter has come up, without a thread and before any Python code of the
 * program.
 *
 * Not by an audit hook added before initialisation (PEP 578): CPython allocates its entry with the allocator
 * of that moment and frees it with the one chosen later, and `python -X dev` and PYTHONMALLOC=debug crash at
 * exit (3.8 to 3.13). Instead the dealloc slot of builtin functions leads to us until the interpreter is
 * ready: such objects die all the time from the first steps of initialisation on, always with the GIL held.
 * Then the slot is put back.
 */
#ifndef KP_SHIM_PYTHON_WAKE_H
#define KP_SHIM_PYTHON_WAKE_H

#include <stdbool.h>

/*
 * Call `ready` whenever a builtin function dies, until it returns true. Before initialisation, or with the
 * GIL. False: the interpreter does not export what we need.
 */
bool kp_wake_arm(bool (*ready)(void));

#endif

/*
 * Builtin functions hash and compare by the address of their C function (Objects/methodobject.c, meth_hash
 * and meth_richcompare). With a thunk in its place they must go on as before: a builtin may be a key of a
 * dictionary made before.
 */
#ifndef KP_SHIM_PYTHON_METHOD_IDENTITY_H
#define KP_SHIM_PYTHON_METHOD_IDENTITY_H

#include <stdbool.h>

/* Before the first thunk is put anywhere. With the GIL; again is harmless. False: not possible here. */
bool kp_method_identity_keep(void);

#endif

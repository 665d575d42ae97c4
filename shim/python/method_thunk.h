/*
 * Thunks in front of functions implemented in C that Python code calls: what stands in ml_meth of a
 * PyMethodDef, in tp_call or in a vectorcall slot instead of the function itself.
 *
 * One thunk per function in a static pool (shim/arch). It loads its number into the register of the sixth
 * argument, which no such function has, and jumps to kp_method_call: ordinary C for all calling conventions.
 *
 * Whether a function is traced is asked of the rules at its first call, and again when they change; the id
 * is made then.
 */
#ifndef KP_SHIM_PYTHON_METHOD_THUNK_H
#define KP_SHIM_PYTHON_METHOD_THUNK_H

#include <stdbool.h>
#include <stdint.h>

/* The stub that stands in for `function`, which is called `name` (copied). NULL: no room. Any thread. */
void *kp_method_thunk(void *function, const char *name);

/* Whether an address is a stub of the pool. */
bool kp_method_is_thunk(const void *address);

/* What stood in the place of a stub; any other address is its own original. */
void *kp_method_original(void *address);

/*
 * From now on the stub calls `function`, which takes care of the original; kp_method_original stays what it
 * is.
 */
void kp_method_divert(void *stub, void *function);

/* The rules changed: ask them again. Any thread. */
void kp_method_forget_verdicts(void);

/* The common part, with the number of the thunk. Called by the stubs. */
void *kp_method_call(void *a, void *b, void *c, void *d, void *e, unsigned number);

#endif

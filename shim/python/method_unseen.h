/* Which functions a rule asks for and cannot be seen, for `kprobe doctor`: metadata builtins.*. */
#ifndef KP_SHIM_PYTHON_METHOD_UNSEEN_H
#define KP_SHIM_PYTHON_METHOD_UNSEEN_H

#include "engine.h"

/* Whether a rule asks for a function that only an engine can let be seen. */
bool kp_method_needs_engine(void);

/* After a walk. With the GIL, without kp_core.lock. `engine` may be NULL. */
void kp_method_tell_unseen(const struct kp_engine *engine);

#endif

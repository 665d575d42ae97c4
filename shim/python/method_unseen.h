/* Which functions a rule asks for and cannot be seen, for `kprobe doctor`: metadata builtins.*. */
#ifndef KP_SHIM_PYTHON_METHOD_UNSEEN_H
#define KP_SHIM_PYTHON_METHOD_UNSEEN_H

#include "engine.h"

/* After a walk. With the GIL, without kp_core.lock. `engine` may be NULL. */
void kp_method_tell_unseen(const struct kp_engine *engine);

#endif

/* For the opcode engine: the exception that a handler is about to handle. */
#ifndef KP_SHIM_PYTHON_OPCODE_CAUGHT_H
#define KP_SHIM_PYTHON_OPCODE_CAUGHT_H

/*
 * At a K_HANDLER in `frame`, if that is the first one since the calls above the frame were left: the
 * exception, borrowed from the frame's stack. It is on top of that stack, and the top is in a register of the
 * interpreter that is not known; but the exception table says how high the stack is where a handler starts.
 * NULL: unknown, as in code that is instrumented.
 */
const void *kp_opcode_caught(void *frame);

#endif

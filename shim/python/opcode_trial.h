/*
 * The opcode engine's self-test, in the very process: first that frames are laid out as the row says, before
 * anything is patched; then that the patched interpreter gives exactly the events it must.
 *
 * Both with the GIL, with a thread state. False, with a reason: the engine must decline. An exception that is
 * set stays set.
 */
#ifndef KP_SHIM_PYTHON_OPCODE_TRIAL_H
#define KP_SHIM_PYTHON_OPCODE_TRIAL_H

#include <stdbool.h>
#include <stddef.h>

bool kp_opcode_trial_layout(char *reason, size_t reason_bytes);
bool kp_opcode_trial_events(char *reason, size_t reason_bytes);

#endif

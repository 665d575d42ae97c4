/* Raw values of calls, for functions whose rule asks for them; the format is in docs/format.md. */
#ifndef KP_SHIM_NATIVE_CAPTURE_H
#define KP_SHIM_NATIVE_CAPTURE_H

#include "call.h"
#include "trace/pattern.h"

/* Behind the ENTER, and before the EXIT, of the innermost call. `vectors` as in kp_call_enter_slow. */
void kp_capture_arguments(struct kp_thread_state *t, const struct kp_capture *capture,
                          const struct kp_call_registers *registers, const uint8_t *vectors);
void kp_capture_results(struct kp_thread_state *t, const struct kp_capture *capture,
                        const struct kp_call_results *results, const uint8_t *vectors);

#endif

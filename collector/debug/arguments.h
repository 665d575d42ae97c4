/*
 * Raw values of a call as its programmer would write them: by the prototype, as the System V ABI for x86-64
 * passes arguments and results in registers; without a prototype the registers in hexadecimal.
 */
#ifndef KP_COLLECTOR_DEBUG_ARGUMENTS_H
#define KP_COLLECTOR_DEBUG_ARGUMENTS_H

#include "debug_info.h"
#include "model/values.h"

/* Called for each argument in order: its name ("" for none) and value as text. */
typedef void kp_visit_argument(void *user, const char *name, const char *text);

/*
 * `prototype` may be NULL. What was passed on the stack, and what a variadic function takes beyond its
 * parameters, is not recorded: "?" and "...".
 */
void kp_arguments_each(const struct kp_prototype *prototype, const struct kp_call_values *values,
                       kp_visit_argument *visit, void *user);

/* "fd=3, text="hello", n=5" and "17", in new memory; NULL when nothing was recorded or there is no result. */
char *kp_arguments_text(const struct kp_prototype *prototype, const struct kp_call_values *values);
char *kp_result_text(const struct kp_prototype *prototype, const struct kp_call_values *values);

#endif

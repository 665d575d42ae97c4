/*
 * C functions of a trace as people want to see them: the place of a definition in a trace is an object and an
 * offset in it; this is made a source line where debug information with the same build id is here, and the
 * symbol the name that its programmer gave it.
 */
#ifndef KP_COLLECTOR_C_FUNCTIONS_H
#define KP_COLLECTOR_C_FUNCTIONS_H

#include <stdbool.h>

#include "debug/debug_info.h"
#include "trace/reader.h"

struct kp_c_functions;

/* `sources`: file and line of the source where they can be found. `demangle`: names of C++ and Rust. */
struct kp_c_functions *kp_c_functions_create(bool sources, bool demangle);
void kp_c_functions_destroy(struct kp_c_functions *functions);

/*
 * Sets name, file and line of a definition that was just read; those that are no C functions stay as they
 * are. Without a source the file becomes "OBJECT+0xOFFSET" and the line 0. The texts belong to `functions`.
 */
void kp_c_functions_describe(struct kp_c_functions *functions, struct kp_function *function);

/* What debug information says about a function that was described; NULL when nothing does. */
const struct kp_prototype *kp_c_functions_prototype(struct kp_c_functions *functions,
                                                    const struct kp_function *function);

#endif

/* Kinds of traced functions; part of the format (definition records). */
#ifndef KP_TRACE_FUNCTION_H
#define KP_TRACE_FUNCTION_H

enum kp_function_kind {
    KP_FUNCTION_PYTHON = 1,   /* name: module.qualname, file and line of the definition */
    KP_FUNCTION_C_PYTHON = 2, /* implemented in C, called from Python */
    KP_FUNCTION_C = 3,        /* object:symbol */
};

#endif

/* Kinds of traced functions; part of the format (definition records). */
#ifndef KP_TRACE_FUNCTION_H
#define KP_TRACE_FUNCTION_H

enum kp_function_kind {
    KP_FUNCTION_PYTHON = 1,   /* name: module.qualname, file and line of the definition */
    KP_FUNCTION_C_PYTHON = 2, /* implemented in C, called from Python */
    KP_FUNCTION_C = 3,        /* object:symbol */
    KP_FUNCTION_EXCEPTION =
        4, /* no function: the type of an exception, as Python shows it (`builtins.KeyError`) */
    KP_FUNCTION_RECORD =
        5,                /* no function: a record class; name: Java class, file: layout (kieker/output.h) */
    KP_FUNCTION_TEXT = 6, /* no function: a string that records refer to */
    KP_FUNCTION_MANUAL = 7,  /* a region that the program named itself (kprobe.h) */
    KP_FUNCTION_FOREIGN = 8, /* of a program that Kieker observed: what its operation signature says */
};

/* What is called: the others are names that events refer to. */
#define KP_FUNCTION_IS_CALLED(kind)                                                                          \
    ((kind) <= KP_FUNCTION_C || (kind) == KP_FUNCTION_MANUAL || (kind) == KP_FUNCTION_FOREIGN)

/* What is known of a function beyond its name: `flags` of its definition. */
enum kp_function_flag {
    KP_FUNCTION_GENERATOR = 1,
    KP_FUNCTION_COROUTINE = 2, /* async def, and generators that types.coroutine() made one */
    KP_FUNCTION_ASYNC_GENERATOR = 4,
    KP_FUNCTION_FACTS =
        8, /* flags and parameters are known at all (Python functions, from minor version 2 on) */
};

#endif

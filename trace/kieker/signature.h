/*
 * Names of functions to Kieker signatures and back. docs/kieker.md has the rules in a table.
 *
 * A function is told from others by the return type: `object m.q(object)` is Python, `native object m.q()`
 * implemented in C for Python, `native int lib_so_1.f(int)` a C function of an object, `region n()` a region
 * that the program named; anything else is a signature that a program gave itself. Everything is ASCII, and
 * what is cut for its length has a checksum of the whole in its place.
 */
#ifndef KP_TRACE_KIEKER_SIGNATURE_H
#define KP_TRACE_KIEKER_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes without the NUL: two signatures and a cause fit into a line that the original readers take. */
#define KP_KIEKER_OPERATION_MAX 3000
#define KP_KIEKER_CLASS_MAX     3000
#define KP_KIEKER_CAUSE_MAX     2000

/* What a definition says of a function. */
struct kp_kieker_function_facts {
    uint32_t id, line, flags, parameters; /* flags: enum kp_function_flag; parameters as in layout.h */
    uint8_t kind;                         /* enum kp_function_kind */
    const char *name, *file;              /* the caller's, needed during the call only */
};

struct kp_kieker_signature {
    char operation[KP_KIEKER_OPERATION_MAX + 1];
    char class_name[KP_KIEKER_CLASS_MAX + 1];
};

void kp_kieker_signature_make(struct kp_kieker_signature *signature,
                              const struct kp_kieker_function_facts *facts);

/* The same of a C function whose types are known: `result` and `parameters` ("int,char*") as C has them. */
void kp_kieker_signature_typed(struct kp_kieker_signature *signature,
                               const struct kp_kieker_function_facts *facts, const char *result,
                               const char *parameters);

/* The type of an exception as a cause: ASCII, never empty. `room` is at least KP_KIEKER_CAUSE_MAX + 1. */
void kp_kieker_signature_cause(const char *name, char *cause, size_t room);

/*
 * Back: the name and kind that an operation signature stands for. `ours`: a log of kprobe's; others keep the
 * signature without modifiers and return type (`a.b.C.m(int)`), kind KP_FUNCTION_MANUAL. `parameters`: how
 * many, when `known` is set. Returns the kind.
 */
struct kp_kieker_name {
    uint8_t kind;
    bool known;
    uint32_t parameters;
    char name[2 * KP_KIEKER_OPERATION_MAX];
};
void kp_kieker_signature_read(struct kp_kieker_name *name, const char *operation, bool ours);

#endif

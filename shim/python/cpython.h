/*
 * All that the shim knows about CPython versions: functions by name, layouts by row. Nothing outside
 * cpython.[ch] tests a version or knows an offset.
 */
#ifndef KP_SHIM_PYTHON_CPYTHON_H
#define KP_SHIM_PYTHON_CPYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct kp_cpython {
#define KP_CPYTHON(field, name, other, type, arguments) type(*field) arguments;
#include "cpython.def"
#undef KP_CPYTHON
    unsigned major, minor; /* of the running interpreter */
    bool free_threaded;
    char version[64]; /* "3.11.2" */
};

extern struct kp_cpython kp_cpython;

/* PEP 669, 3.12. */
static inline bool kp_cpython_has_monitoring(void)
{
    return kp_cpython.minor >= 12;
}

/* Find the functions, in the global scope or in `library` if that is not NULL. False: no CPython in this
 * process (yet). Any time after relocation. */
bool kp_cpython_find(void *library);

/* One row of cpython_layout.h, where the layouts of a minor version are. */
struct kp_cpython_layout;

/* The row of the running version, or NULL when it is not known. */
const struct kp_cpython_layout *kp_cpython_layout(void);

#define KP_FIELD(type, object, offset) (*(type *)((char *)(object) + (offset)))

/* PyTypeObject.tp_dealloc, at the same place in all versions (Include/cpython/object.h). NULL for no type. */
static inline void **kp_type_dealloc(void *type)
{
    return type ? &KP_FIELD(void *, type, 48) : NULL;
}

/*
 * Python objects as text, for the slow path. `state` keeps an exception that is set over calls into the
 * interpreter.
 */
struct kp_error_state {
    void *type, *value, *traceback;
};

static inline void kp_error_save(struct kp_error_state *state)
{
    kp_cpython.error_fetch(&state->type, &state->value, &state->traceback);
}

static inline void kp_error_restore(struct kp_error_state *state)
{
    kp_cpython.error_restore(state->type, state->value, state->traceback);
}

/*
 * The bytes of a str as the file system or a terminal would take them (undecodable bytes as they were).
 * Writes at most `room` - 1 bytes and a NUL; returns the length, or -1 when it is no str. Clears its own
 * errors.
 */
ssize_t kp_object_text(void *object, char *out, size_t room);

/* The same of an attribute. */
ssize_t kp_attribute_text(void *object, const char *name, char *out, size_t room);

/* An int attribute; `fallback` when it is none. */
long kp_attribute_number(void *object, const char *name, long fallback);

/* The instruction of `code` at an offset, as the compiler made it; -1 when it cannot be asked. Clears its own
 * errors. */
int kp_code_operation(void *code, long offset);

/* The length of a tuple attribute; 0 when it is none. */
long kp_attribute_size(void *object, const char *name);

/*
 * 3.12+: whether an instruction offset lies in a generator's prologue, before its body ever ran. The prologue
 * is COPY_FREE_VARS if there are free variables, a MAKE_CELL for each cell, RETURN_GENERATOR, POP_TOP, then
 * RESUME.
 */
bool kp_code_before_start(void *code, long offset);

#endif

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

/* Find the functions. False: no CPython in this process (yet). Any time after relocation. */
bool kp_cpython_find(void);

/* Frame kinds, as the frame engine needs them. */
enum kp_frame_state {
    KP_FRAME_PLAIN,    /* a call */
    KP_FRAME_FIRST,    /* the first run of a generator's or coroutine's body */
    KP_FRAME_AGAIN,    /* a further run of it */
    KP_FRAME_CREATION, /* 3.11: the call that only makes the generator object; not an activation */
};

/*
 * One row per minor version whose layouts are known. Offsets in bytes, from the headers of the version named
 * in the row; `scripts/cpython-offsets` prints them anew.
 */
struct kp_cpython_layout {
    unsigned minor;
    uint16_t frame_code; /* of the frame that the evaluator gets */
    uint16_t frame_globals;
    uint16_t frame_last;      /* 3.8-3.10: int f_lasti; 3.11+: pointer to the last instruction */
    uint16_t frame_state;     /* 3.8, 3.9: f_stacktop (pointer); 3.10: f_state (char); 3.11+: owner (char) */
    uint16_t frame_generator; /* 3.8-3.10: f_gen */
    uint16_t thread_cframe;   /* 3.11, 3.12: tstate->cframe; 0: none */
    uint16_t current_frame;   /* of the cframe, or (3.13+) of the thread state */
    int16_t generator_state;  /* 3.11+: gi_frame_state, seen from the embedded frame */
    int8_t suspended;         /* 3.10: value of f_state; 3.11+: value of gi_frame_state */
};

/* The row of the running version, or NULL when it is not known. */
const struct kp_cpython_layout *kp_cpython_layout(void);

#define KP_FIELD(type, object, offset) (*(type *)((char *)(object) + (offset)))

/* What kind of run this frame is about to start. For versions with a row, 3.8 to 3.11. */
enum kp_frame_state kp_frame_classify(const struct kp_cpython_layout *layout, void *frame);

/* Whether the frame, left with a value, is suspended (yield) rather than finished. */
bool kp_frame_suspended(const struct kp_cpython_layout *layout, void *frame);

/* The frame that runs in this thread, as an identity only; NULL when the version has no row. */
static inline void *kp_frame_current(const struct kp_cpython_layout *layout, void *thread)
{
    char *base = thread;

    if (!layout || !thread)
        return NULL;
    if (layout->thread_cframe)
        base = KP_FIELD(char *, base, layout->thread_cframe);
    return KP_FIELD(void *, base, layout->current_frame);
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

/*
 * 3.12+: whether an instruction offset lies in a generator's prologue, before its body ever ran. The prologue
 * is COPY_FREE_VARS if there are free variables, a MAKE_CELL for each cell, RETURN_GENERATOR, POP_TOP, then
 * RESUME.
 */
bool kp_code_before_start(void *code, long offset);

#endif

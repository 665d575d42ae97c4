/*
 * Layouts of CPython's frames and thread states, one row per minor version. Static and constant, so that code
 * written for one version is compiled with its offsets as numbers.
 */
#ifndef KP_SHIM_PYTHON_CPYTHON_LAYOUT_H
#define KP_SHIM_PYTHON_CPYTHON_LAYOUT_H

#include <string.h>

#include "cpython.h"

/* Offsets in bytes, from the headers of the version named in the row. */
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
    uint16_t thread_profile;  /* 3.8: c_profilefunc; others have _PyEval_SetProfile */
    uint16_t thread_tracing;  /* 3.8: int use_tracing */
    uint16_t thread_number;   /* 3.8: uint64_t id; others have PyThreadState_GetID */
    int8_t suspended;         /* 3.10: value of f_state; 3.11+: value of gi_frame_state */
};

/* What a frame is about to do, as the frame engine needs to know. */
enum kp_frame_state {
    KP_FRAME_PLAIN,    /* a call */
    KP_FRAME_FIRST,    /* the first run of a generator's or coroutine's body */
    KP_FRAME_AGAIN,    /* a further run of it */
    KP_FRAME_CREATION, /* 3.11: the call that only makes the generator object; not an activation */
};

/*
 * Sources: Include/cpython/frameobject.h (3.8 to 3.10), Include/internal/pycore_frame.h,
 * Include/cpython/pystate.h and Include/cpython/genobject.h (3.11 to 3.13), Include/internal/
 * pycore_interpframe_structs.h (3.14; frame_code is a tagged reference there)
 * of 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1, 3.13.0, 3.14.10. Layouts do not change within a minor version.
 */
static const struct kp_cpython_layout kp_cpython_layouts[] = {
    {.minor = 8,
     .thread_profile = 56,
     .thread_tracing = 48,
     .thread_number = 256,
     .frame_code = 32,
     .frame_globals = 48,
     .frame_last = 104,
     .frame_state = 72,
     .frame_generator = 96},
    {.minor = 9,
     .frame_code = 32,
     .frame_globals = 48,
     .frame_last = 104,
     .frame_state = 72,
     .frame_generator = 96},
    {.minor = 10,
     .frame_code = 32,
     .frame_globals = 48,
     .frame_last = 96,
     .frame_state = 108,
     .frame_generator = 88,
     .suspended = -1},
    {.minor = 11,
     .frame_code = 32,
     .frame_globals = 8,
     .frame_last = 56,
     .frame_state = 69,
     .thread_cframe = 56,
     .current_frame = 8,
     .generator_state = 75 - 80,
     .suspended = -1},
    {.minor = 12,
     .frame_code = 0,
     .frame_globals = 24,
     .frame_last = 56,
     .frame_state = 70,
     .thread_cframe = 56,
     .current_frame = 0,
     .generator_state = 67 - 72,
     .suspended = -1},
    {.minor = 13,
     .frame_code = 0,
     .frame_globals = 24,
     .frame_last = 56,
     .frame_state = 70,
     .current_frame = 72,
     .generator_state = 67 - 72,
     .suspended = -2},
    {.minor = 14,
     .frame_code = 0,
     .frame_globals = 24,
     .frame_last = 56,
     .frame_state = 74,
     .current_frame = 72,
     .generator_state = 67 - 72,
     .suspended = -2},
};

/* Opcode numbers, Include/opcode.h of 3.11. */
#define RETURN_GENERATOR_3_11 75

/* co_flags, the same in all versions (Include/cpython/code.h). */
enum {
    CO_VARARGS = 0x4,
    CO_VARKEYWORDS = 0x8,
    CO_GENERATOR = 0x20,
    CO_COROUTINE = 0x80,
    CO_ITERABLE_COROUTINE = 0x100, /* types.coroutine() */
    CO_ASYNC_GENERATOR = 0x200,
    CO_GENERATOR_KINDS = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR
};

/* Offset of co_flags in the code object of 3.11 (Include/cpython/code.h). */
#define CODE_FLAGS_3_11 48

enum { FRAME_OWNED_BY_GENERATOR = 1 };

static inline enum kp_frame_state kp_frame_classify_3_11(const struct kp_cpython_layout *layout, void *frame)
{
    void *code = KP_FIELD(void *, frame, layout->frame_code);
    uint16_t *last;

    if (!(KP_FIELD(int, code, CODE_FLAGS_3_11) & CO_GENERATOR_KINDS))
        return KP_FRAME_PLAIN;
    if (KP_FIELD(char, frame, layout->frame_state) != FRAME_OWNED_BY_GENERATOR)
        return KP_FRAME_CREATION;
    last = KP_FIELD(uint16_t *, frame, layout->frame_last);
    return (*last & 0xff) == RETURN_GENERATOR_3_11 ? KP_FRAME_FIRST : KP_FRAME_AGAIN;
}

/* What kind of run this frame is about to start. 3.8 to 3.11. */
static inline enum kp_frame_state kp_frame_classify(const struct kp_cpython_layout *layout, void *frame)
{
    if (layout->minor >= 11)
        return kp_frame_classify_3_11(layout, frame);
    if (__builtin_expect(!KP_FIELD(void *, frame, layout->frame_generator), 1))
        return KP_FRAME_PLAIN;
    return KP_FIELD(int, frame, layout->frame_last) == -1 ? KP_FRAME_FIRST : KP_FRAME_AGAIN;
}

/* Whether a generator's frame, left with a value, is suspended (yield) rather than finished. 3.8 to 3.11. */
static inline bool kp_frame_suspended(const struct kp_cpython_layout *layout, void *frame)
{
    if (layout->minor >= 11)
        return KP_FIELD(int8_t, frame, layout->generator_state) == layout->suspended;
    if (layout->minor == 10)
        return KP_FIELD(int8_t, frame, layout->frame_state) == layout->suspended;
    /* 3.8, 3.9: f_stacktop is NULL unless the frame can go on. */
    return KP_FIELD(void *, frame, layout->frame_state) != NULL;
}

/* The frame object's frame (3.11+: PyFrameObject.f_frame, Include/internal/pycore_frame.h). */
#define OBJECT_FRAME 24

/* The instruction at which a frame object's frame stands, 3.11+; where it is instrumented, the stand-in. */
static inline uint8_t kp_frame_object_operation(const struct kp_cpython_layout *layout, void *object)
{
    return *KP_FIELD(uint8_t *, KP_FIELD(char *, object, OBJECT_FRAME), layout->frame_last);
}

/*
 * 3.14 tells of a yield before the generator's state says so: the instruction decides. Numbers of
 * Include/opcode_ids.h. Behind the stand-ins of a traced line or instruction stands another, which co_code
 * knows.
 */
static inline bool kp_frame_object_yields_3_14(const struct kp_cpython_layout *layout, void *object,
                                               void *code)
{
    enum {
        YIELD_VALUE = 120,
        INSTRUMENTED_INSTRUCTION = 238,
        INSTRUMENTED_YIELD_VALUE = 247,
        INSTRUMENTED_LINE = 254
    };
    int operation = kp_frame_object_operation(layout, object);

    if (operation == INSTRUMENTED_LINE || operation == INSTRUMENTED_INSTRUCTION)
        operation = kp_code_operation(code, kp_cpython.frame_lasti(object));
    return operation == YIELD_VALUE || operation == INSTRUMENTED_YIELD_VALUE;
}

/* The same as kp_frame_suspended, asked of the frame object that a profile function gets. All versions with a
 * row. */
static inline bool kp_frame_object_suspended(const struct kp_cpython_layout *layout, void *object, void *code)
{
    int8_t state;

    if (layout->minor <= 10)
        return kp_frame_suspended(layout, object);
    if (layout->minor >= 14)
        return kp_frame_object_yields_3_14(layout, object, code);
    /* From `suspended` up to -1: 3.13 tells suspension in `yield from` and `await` apart. */
    state = KP_FIELD(int8_t, KP_FIELD(char *, object, OBJECT_FRAME), layout->generator_state);
    return state < 0 && state >= layout->suspended;
}

/*
 * Whether the value that a profile function gets at a return stands for an exception: NULL, but in 3.12 None.
 * There the last instruction decides: one that returns does not raise. Numbers of Include/opcode.h; the last
 * three are the instrumented forms and the stand-in of a traced line, below which the real one is not seen.
 */
static inline bool kp_frame_object_raises(const struct kp_cpython_layout *layout, void *object,
                                          const void *value)
{
    static const uint8_t returns[] = {83 /* RETURN_VALUE */, 121 /* RETURN_CONST */, 242, 247, 254};
    uint8_t operation;

    if (!value || !layout || layout->minor != 12 || value != (const void *)kp_cpython.none)
        return !value;
    operation = kp_frame_object_operation(layout, object);
    return !memchr(returns, operation, sizeof returns);
}

/* A number that no other thread state of the process ever had. */
static inline uint64_t kp_thread_state_number(const struct kp_cpython_layout *layout, void *thread)
{
    return kp_cpython.thread_id ? kp_cpython.thread_id(thread)
                                : KP_FIELD(uint64_t, thread, layout->thread_number);
}

/* Give a thread a profile function. */
static inline void kp_thread_state_profile(const struct kp_cpython_layout *layout, void *thread,
                                           int (*function)(void *, void *, int, void *))
{
    if (kp_cpython.set_profile_thread) {
        kp_cpython.set_profile_thread(thread, function, NULL);
    } else if (layout && layout->thread_profile) {
        KP_FIELD(void *, thread, layout->thread_profile) = (void *)function;
        KP_FIELD(int, thread, layout->thread_tracing) = 1;
    }
}

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

#endif

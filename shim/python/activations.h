/*
 * Activations of the opcode engine: which traced calls of a thread are open, by their frames.
 *
 * The interpreter tells of starts, returns, yields and handlers (thunks), and of entries into its evaluator.
 * A frame that an exception leaves says nothing. It is noticed at the first of: a handler starts in a frame
 * below it; the evaluator returns to C; a return below it. Its UNWIND carries that time.
 *
 * Only traced calls stand in the stack of open calls (open_calls.h), so that functions that are not traced
 * cost next to nothing. Its room: starts of plain functions do not look; as many entries as frames fit into a
 * piece of the frame stack are free above the top when the newest piece is first seen (open.ahead).
 * Generators, whose frames are elsewhere, and calls of C code see to it that as many stay free.
 *
 * Several stacks: greenlets switch the interpreter's frame stack within a thread. The pieces of the frame
 * stack (tstate->datastack_chunk) tell: each greenlet has its own chain of them. When another stack goes on,
 * the open activations of the one that was left are suspended (YIELD, innermost first), and those of the new
 * one go on (RESUME), so that a reader sees them nested as they run.
 */
#ifndef KP_SHIM_PYTHON_ACTIVATIONS_H
#define KP_SHIM_PYTHON_ACTIVATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "cpython.h"
#include "cpython_opcode.h"
#include "open_calls.h"

/* The open calls of a stack that does not run. */
struct kp_parked_stack {
    struct kp_open_stack open;
    uint32_t depth, floor;
    const void *root; /* first piece of the frame stack, its identity */
    struct kp_parked_stack *next;
};

/* Of a thread; kept with its state. */
struct kp_activations {
    const void *root; /* of the stack that runs; NULL: not known */
    struct kp_parked_stack *parked, *unused;
    uint32_t floor; /* activations below it belong to frames of another interpreter */
    uint32_t epoch; /* of the thread state when this was last checked against the frames */
};

/* The layout in use. Constant after the engine is attached. */
extern struct kp_opcode_row kp_opcode_row;

/* What an entry into the evaluator has to put back. Lies on the stack of the trampoline: 48 bytes. */
struct kp_opcode_saved {
    void *tstate;
    const void *chunk, *root;
    uint32_t depth, floor;
    bool switched; /* the thread state is another than before */
    bool bound;    /* root and floor are to be put back */
};
_Static_assert(sizeof(struct kp_opcode_saved) <= 48, "entry_slow in opcode_thunks.S has room for it");

/*
 * Called by thunks, with the GIL. The first group uses general registers only and does what is frequent;
 * false: nothing was done, the general one is to do it.
 */
bool kp_opcode_fast_start(void), kp_opcode_fast_return(void), kp_opcode_fast_yield(void),
    kp_opcode_fast_handler(void);

/* Any event; `kind` is K_START … Keeps errno. */
void kp_opcode_event(unsigned kind);

/* The evaluator is entered, under circumstances that need a closer look; and has returned from that. */
void kp_opcode_entering(void *tstate, void *frame, int throw_flag, struct kp_opcode_saved *saved);
void kp_opcode_returned(const struct kp_opcode_saved *saved);

/* The evaluator returned with an exception, or with activations still open that began after it was entered.
 */
void kp_opcode_left(uint32_t depth);

/*
 * Tracing is off for good in this process (a failure, a forked child that is not to be followed, the end):
 * put the dispatch table back. With the GIL; again is harmless. In opcode.c.
 */
void kp_opcode_withdraw(void);

/*
 * Python code asks for a region: if a greenlet was switched to and has run no traced Python yet, its stack is
 * to be the current one first. With the GIL; nothing with other engines.
 */
void kp_activations_settle(void);

/* Let the calling thread, whose state is `t`, start with nothing open. For the self-test. False: no memory.
 */
bool kp_activations_start(struct kp_thread_state *t);

static inline void *kp_opcode_frame(void *tstate)
{
    char *base = tstate;

    if (kp_opcode_row.thread_cframe)
        base = KP_FIELD(char *, base, kp_opcode_row.thread_cframe);
    return KP_FIELD(void *, base, kp_opcode_row.current_frame);
}

/* 3.14: the low bits of references in frames are tags (pycore_stackref.h). Code objects are aligned. */
static inline void *kp_opcode_code(void *frame)
{
    return (void *)(KP_FIELD(uintptr_t, frame, kp_opcode_row.frame_code) & ~(uintptr_t)3);
}

/*
 * Whether a callback of a trace function or monitoring tool runs in this thread. The interpreter hides what
 * it calls from all tools, so we do the same.
 */
static inline bool kp_opcode_is_hidden(void *tstate)
{
    return KP_FIELD(int, tstate, kp_opcode_row.thread_tracing) != 0;
}

/* _frameowner, pycore_frame.h */
enum { KP_OPCODE_OWNED_BY_THREAD, KP_OPCODE_OWNED_BY_GENERATOR };

static inline bool kp_opcode_of_generator(void *frame)
{
    return KP_FIELD(uint8_t, frame, kp_opcode_row.frame_owner) == KP_OPCODE_OWNED_BY_GENERATOR;
}

/*
 * At a RESUME in a generator, or when it is thrown into: whether its body has run before. Its first
 * instructions are COPY_FREE_VARS if there are free variables, a MAKE_CELL for each cell, RETURN_GENERATOR,
 * POP_TOP, RESUME (Python/compile.c, insert_prefix_instructions); a frame that was suspended stands behind
 * them. Which opcodes stand there is not asked, because tools replace them.
 */
static inline bool kp_opcode_goes_on(void *frame)
{
    const char *code = kp_opcode_code(frame);
    ptrdiff_t at =
        KP_FIELD(const char *, frame, kp_opcode_row.frame_instruction) - (code + kp_opcode_row.code_adaptive);
    int cells = KP_FIELD(int, code, kp_opcode_row.code_cells);
    bool free_variables = KP_FIELD(int, code, kp_opcode_row.code_free) > 0;

    return at / 2 > cells + free_variables + 2;
}

#endif

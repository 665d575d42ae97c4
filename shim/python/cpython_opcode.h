/*
 * What the opcode engine knows of CPython versions, one row per minor version: numbers of opcodes and layouts
 * of frames. Neither changes within a minor version (the magic number of bytecode and the ABI would).
 */
#ifndef KP_SHIM_PYTHON_CPYTHON_OPCODE_H
#define KP_SHIM_PYTHON_CPYTHON_OPCODE_H

#include <stdint.h>

#include "../arch/x86_64/offsets.h"

/* The opcodes of one kind, 0: none. */
typedef uint8_t kp_opcode_numbers[K_SLOTS];

/* Builtins that the interpreter has opcodes of its own for, which do what the function does and do not call
 * it. */
enum kp_opcode_builtin {
    KP_OPCODE_LEN,
    KP_OPCODE_ISINSTANCE,
    KP_OPCODE_LIST_APPEND,
    KP_OPCODE_TUPLE,
    KP_OPCODE_TYPE,
    KP_OPCODE_STR,
    KP_OPCODE_BUILTINS
};

/*
 * Such an opcode, and the one for any builtin of the same calling convention: it finds the same operands and
 * the same cache entries, checks all that it needs, and leaves the result where the call would. (Where the
 * short one skips the POP_TOP behind it, as LIST_APPEND, that is executed then.)
 */
struct kp_opcode_call {
    uint8_t special, general; /* 0: none */
};

struct kp_opcode_row {
    unsigned minor;
    /* Bit n: opcode n is defined. The others share one target. */
    uint64_t defined[4];
    kp_opcode_numbers opcodes[K_KINDS];
    struct kp_opcode_call calls[KP_OPCODE_BUILTINS];
    /* Offsets in bytes. */
    uint16_t thread_cframe; /* 3.11, 3.12: tstate->cframe; 0: none */
    uint16_t thread_chunk;  /* tstate->datastack_chunk */
    uint16_t
        thread_tracing; /* int tstate->tracing: a callback of a debugger, profiler or monitoring tool runs */
    uint16_t current_frame; /* of the cframe, or of the thread state */
    uint16_t frame_code;
    uint16_t frame_previous;
    uint16_t frame_globals;
    uint16_t frame_instruction; /* prev_instr (3.11, 3.12) or instr_ptr */
    uint16_t frame_owner;
    uint16_t code_adaptive;         /* of the code object: its instructions */
    uint16_t code_cells, code_free; /* int co_ncellvars, co_nfreevars */
    uint16_t frame_locals;          /* localsplus: locals, then the stack of values */
    uint16_t code_locals;           /* int co_nlocalsplus */
    uint16_t code_exceptions;       /* co_exceptiontable */
    uint8_t reraise;                /* RERAISE */
    uint8_t instrumented;           /* MIN_INSTRUMENTED_OPCODE: from here on stand-ins; 0: there are none */
    /* 3.13+: version in the table of debug offsets, and the word in it that begins what it says of thread
     * states; 0: none. */
    uint16_t debug_version, debug_thread;
};

#define KP_OPCODE_ROWS 4

/* Not constant only because a test alters them before the engine looks. */
extern struct kp_opcode_row kp_opcode_rows[KP_OPCODE_ROWS];

#endif

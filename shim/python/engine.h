/*
 * Engines: what the interpreter does, as events. One row each in engines.c; one file each. All give the same
 * events for the same program.
 *
 * attach, refresh and detach run with the GIL of the interpreter concerned, without kp_core.lock.
 */
#ifndef KP_SHIM_PYTHON_ENGINE_H
#define KP_SHIM_PYTHON_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

struct kp_engine {
    const char *name;
    unsigned choice;    /* enum kp_engine_choice that asks for it alone */
    unsigned minor_min; /* CPython 3.minor_min … */
    unsigned minor_max; /* … to 3.minor_max; 0: open */
    const char *note;   /* what a user has to know; NULL: nothing */
    /* Observe this interpreter from now on. False: declined, with a reason (at least 256 bytes). */
    bool (*attach)(void *interpreter, char *reason, size_t reason_bytes);
    /* The rules changed: functions switched off for good are to be looked at again. NULL: nothing to do. */
    void (*refresh)(void);
    /* Whether calls of a builtin are seen that the interpreter has an opcode of its own for. NULL: never. */
    bool (*sees)(const char *name);
};

extern const struct kp_engine kp_engine_opcode, kp_engine_monitoring, kp_engine_frame, kp_engine_profile;

/*
 * Attach the engine that the options ask for, or the first of the table that accepts, to an interpreter. The
 * same engine serves all interpreters of a process. NULL: none; the reasons are in the log.
 */
const struct kp_engine *kp_engines_attach(void *interpreter);

#endif

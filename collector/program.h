/* A program as the kernel and the loader would start it: from a name to the executable, through scripts. */
#ifndef KP_COLLECTOR_PROGRAM_H
#define KP_COLLECTOR_PROGRAM_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "elf_file.h"

struct kp_program {
    char name[PATH_MAX];          /* as given */
    char path[PATH_MAX];          /* of the file that the name means; "" when there is none */
    char executable[PATH_MAX];    /* what the kernel runs in the end: the interpreter of a script, or the path
                                     itself */
    char chain[2 * PATH_MAX];     /* "app.sh -> /usr/bin/env -> /usr/bin/python3"; "" when it is no script */
    char problem[PATH_MAX + 256]; /* why there is no executable; "" when there is one */
    struct stat stat;             /* of the executable */
    bool is_elf;
    struct kp_elf elf; /* of the executable, open when is_elf */
};

/* Looks a name up as execvp does and follows its scripts. Always to be closed. */
void kp_program_open(struct kp_program *program, const char *name);
void kp_program_close(struct kp_program *program);

/* What of CPython is in an executable. */
struct kp_python {
    bool found;
    char object[PATH_MAX]; /* the file that holds the interpreter: the executable or its libpython */
    int major, minor;      /* 0: not found out */
    int micro;             /* -1: not found out */
    bool free_threaded;
    bool has_evaluator;  /* exports _PyEval_EvalFrameDefault */
    bool has_eval_frame; /* the frame evaluation hook can be set through an exported function */
    bool has_set_profile;
    bool has_audit_hook;
};

void kp_python_inspect(struct kp_python *python, const struct kp_program *program);

#endif

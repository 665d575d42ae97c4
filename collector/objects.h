/*
 * The ELF objects behind an operand: a library or program file, a program in PATH with the libraries that the
 * loader would give it, or what is mapped into a running process.
 */
#ifndef KP_COLLECTOR_OBJECTS_H
#define KP_COLLECTOR_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "elf_file.h"
#include "program.h"

struct kp_elf_object {
    char *path;      /* where it lies */
    char *real_path; /* where to read it: another one for processes with a root of their own */
    char *name;      /* as rules name it: soname, else the file's name */
    struct kp_elf elf;
    bool main;        /* the program */
    size_t needed_by; /* index of the object through which it came in; itself for the first */
};

struct kp_objects {
    struct kp_elf_object **all;
    size_t count, capacity;
    bool process;   /* what of one process is there: slots tell what can be called */
    char **missing; /* libraries that were not found */
    size_t missing_count, missing_capacity;
    struct kp_program program; /* what was started, when `process`; open */
    bool has_program;
    char error[PATH_MAX + 512]; /* why there is nothing; "" when there is something */
};

/* Always to be closed. */
void kp_objects_open(struct kp_objects *objects, const char *operand);
void kp_objects_close(struct kp_objects *objects);

/* The process that an operand names, unless it is the name of a file; 0: none. */
pid_t kp_operand_pid(const char *operand);

#endif

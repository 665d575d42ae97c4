/*
 * Back ends: one language, one file (gen_<language>.c), one row in backends.c. A back end walks the model's
 * input files and prints code through an output.
 */
#ifndef KP_IRL_BACKEND_H
#define KP_IRL_BACKEND_H

#include <stdbool.h>
#include <stdio.h>

#include "model.h"

/* The classic Data Bridge keeps smaller ids of classes for itself; records are counted from here on. */
#define KP_IRL_FIRST_TYPE_ID 32

/* What stands for an author and a version that neither a declaration nor the user names. */
#define KP_IRL_DEFAULT_AUTHOR "IRL Generator"
#define KP_IRL_DEFAULT_SINCE  "1.15"

/* What all back ends are told. */
struct kp_irl_wishes {
    const char *author; /* for declarations without one */
    const char *since;  /* their version */
    const char *header; /* text for the head of each file; NULL: none */
    const char *index;  /* C: name of the table of all records; NULL: none */
};

/* The files that a run writes. */
struct kp_irl_output;

struct kp_irl_output *kp_irl_output_create(const char *folder);
/* Returns false when anything could not be written; kp_irl_output_problem says what. Files are complete or
 * not there. */
bool kp_irl_output_finish(struct kp_irl_output *output);
const char *kp_irl_output_problem(const struct kp_irl_output *output);
void kp_irl_output_destroy(struct kp_irl_output *output);

/* A new file below the folder ("kieker/common/X.java"); folders on the way are made. The stream is never NULL
 * and is the output's: the next begin, or finish, ends it. Problems are kept for finish. A path that was
 * begun before is a bug of the model (two declarations, one file) and becomes a problem that names it. */
FILE *kp_irl_output_begin(struct kp_irl_output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Is there a file at this path already that does not begin with `mark`? Such a file is not ours to replace.
 */
bool kp_irl_output_keeps(const struct kp_irl_output *output, const char *mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Paths written, in order, with the folder in front. */
size_t kp_irl_output_count(const struct kp_irl_output *output);
const char *kp_irl_output_path(const struct kp_irl_output *output, size_t index);

struct kp_irl_backend {
    const char *name;    /* as --lang takes it */
    const char *summary; /* one line for the help */
    unsigned languages;  /* whose keywords it has to avoid: enum kp_irl_language */
    /* Prints the code of all declarations in input files of a model without errors. */
    void (*generate)(const struct kp_irl_model *model, const struct kp_irl_wishes *wishes,
                     struct kp_irl_output *output);
};

extern const struct kp_irl_backend kp_irl_backend_java;
extern const struct kp_irl_backend kp_irl_backend_perl;
extern const struct kp_irl_backend kp_irl_backend_python;
extern const struct kp_irl_backend kp_irl_backend_c;

extern const struct kp_irl_backend *const kp_irl_backends[]; /* ends with NULL */
const struct kp_irl_backend *kp_irl_backend_find(const char *name);

#endif

/*
 * What is known of each code object, found by its address. Entries leave when the interpreter frees the code
 * object.
 *
 * Not co_extra (PEP 523): a code object that has an extra of ours calls the free functions of all other users
 * of co_extra as well, with NULL, even after those users are gone; test_code of CPython 3.12 crashes so.
 */
#ifndef KP_SHIM_PYTHON_CODE_MAP_H
#define KP_SHIM_PYTHON_CODE_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct kp_code_record {
    const void *code; /* NULL: empty */
    char *qualname;   /* before 3.11, from kp_qualname_keep; NULL: unknown */
    uint32_t id;      /* 0: not traced */
    uint32_t version; /* of the rules that said so, plus one; 0: never asked */
};

/* The record of a code object, made if need be; valid until the next call. With kp_core.lock held. NULL: no
 * memory. */
struct kp_code_record *kp_code_map_get(const void *code);

/* The code object is gone. With kp_core.lock held. False: nothing was known of it. */
bool kp_code_map_remove(const void *code);

#endif

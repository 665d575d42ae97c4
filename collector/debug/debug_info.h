/*
 * What the debug information of an object says about its functions: file and line, parameters and result.
 * Found by address, read when asked for, each function once. Nothing is fetched from anywhere.
 */
#ifndef KP_COLLECTOR_DEBUG_DEBUG_INFO_H
#define KP_COLLECTOR_DEBUG_DEBUG_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctype.h"

struct kp_parameter {
    const char *name; /* "" for none */
    const struct kp_type *type;
};

struct kp_prototype {
    char *text; /* "ssize_t \1(int fd, const void *buf, size_t n)": \1 stands for the name */
    const struct kp_type *result;
    struct kp_parameter *parameters; /* as they are passed: with the `this` of C++ */
    size_t count, capacity;
    bool variadic;
    bool c_convention; /* false: another language's convention, which may change with its compiler */
};

struct kp_debug_function {
    uint64_t address;
    const char *name;               /* as in the source, without namespaces */
    char *file;                     /* "" when unknown */
    unsigned line;                  /* where its definition begins; 0 when unknown */
    struct kp_prototype *prototype; /* NULL when unknown */
};

struct kp_debug_info;

/*
 * The debug information of the object at `path`, in itself or in a separate file with the same build id.
 * `build_id` (hex; NULL: any): NULL is returned when the object there has another one.
 */
struct kp_debug_info *kp_debug_info_open(const char *path, const char *build_id);
void kp_debug_info_close(struct kp_debug_info *info);

/* The function that starts at `address` (as in the symbol table); NULL when it is not described. */
const struct kp_debug_function *kp_debug_info_find(struct kp_debug_info *info, uint64_t address);

/* "int open(const char *file, int oflag, ...)": the prototype with a name in it, in new memory. */
char *kp_prototype_declare(const struct kp_prototype *prototype, const char *name);

#endif

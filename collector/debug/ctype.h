/*
 * Types of C (and of C++ and Rust as far as they are passed like those of C), from DWARF: as text, and as the
 * System V ABI for x86-64 passes them.
 */
#ifndef KP_COLLECTOR_DEBUG_CTYPE_H
#define KP_COLLECTOR_DEBUG_CTYPE_H

#include <stddef.h>

#include "die.h"

enum kp_type_kind {
    KP_TYPE_VOID,
    KP_TYPE_BOOL,
    KP_TYPE_SIGNED,
    KP_TYPE_UNSIGNED,
    KP_TYPE_CHARACTER,
    KP_TYPE_FLOAT, /* of 4 or 8 bytes */
    KP_TYPE_LONG_DOUBLE,
    KP_TYPE_POINTER, /* and references */
    KP_TYPE_ENUM,
    KP_TYPE_STRUCT, /* or union, class, complex number, vector: `members` of simple ones */
    KP_TYPE_UNKNOWN
};

/* Where each 8 bytes of a value are passed. */
enum kp_place { KP_PLACE_NONE, KP_PLACE_INTEGER, KP_PLACE_VECTOR, KP_PLACE_X87, KP_PLACE_MEMORY };

struct kp_enumerator {
    const char *name;
    int64_t value;
};

struct kp_type {
    Dwarf_Off offset;
    enum kp_type_kind kind;
    unsigned bytes;
    enum kp_place places[2]; /* the first one MEMORY: on the stack */
    bool by_address;         /* a C++ object that cannot be copied bytewise: its address is passed */
    struct kp_enumerator *enumerators;
    size_t enumerator_count, enumerator_capacity;
    struct kp_member *members; /* of a struct whose members are all scalars; none otherwise */
    size_t member_count, member_capacity;
    struct kp_type *next;
};

struct kp_member {
    const char *name; /* "" for none */
    unsigned at;      /* byte in the struct */
    const struct kp_type *type;
};

struct kp_types; /* those of one object, each read once */

struct kp_types *kp_types_create(Dwarf_Debug debug);
void kp_types_destroy(struct kp_types *types);

/* The type of a parameter, a member or a function's result (its DW_AT_type): void when there is none. */
const struct kp_type *kp_type_of(struct kp_types *types, Dwarf_Die die);

/* "const char *name": a declaration of `declarator` (may be "") with the type of `die`, in new memory. */
char *kp_declare(Dwarf_Debug debug, Dwarf_Die die, const char *declarator);

/* The parameters of a function's entry: "int fd, const void *buf, ...", in new memory; "void" for none in C.
 */
char *kp_declare_parameters(Dwarf_Debug debug, Dwarf_Die function);

#endif

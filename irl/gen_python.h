/* Python: names, types and values as they stand in generated modules. */
#ifndef KP_IRL_GEN_PYTHON_H
#define KP_IRL_GEN_PYTHON_H

#include "gen_script.h"

/* One module: a class and what it imports. */
struct kp_irl_python {
    struct kp_arena *arena; /* of this module */
    FILE *out;
    const struct kp_irl_declaration *declaration;
    struct kp_irl_script_names members; /* attributes by properties, then constants, then imported classes */
    struct kp_irl_names_table imports;  /* full names of declarations to the local names of their classes */
};

/* Words that the modules use themselves. */
const struct kp_irl_names_table *kp_irl_python_reserved(struct kp_arena *arena);

/* "kieker.common.record.X", its parts protected */
char *kp_irl_python_module(struct kp_arena *arena, const struct kp_irl_declaration *declaration);
const char *kp_irl_python_class(struct kp_arena *arena, const struct kp_irl_declaration *declaration);
/* A literal of an enum as a member of its class */
const char *kp_irl_python_literal(struct kp_arena *arena, const char *name);
/* The attribute for a property in a class that was generated on its own */
const char *kp_irl_python_attribute(struct kp_arena *arena, const char *name);

/* "int", "typing.List[typing.List[str]]" */
const char *kp_irl_python_hint(struct kp_irl_python *module, const struct kp_irl_type *type);
/* "long" of put_long; that of int for enums */
const char *kp_irl_python_kind(const struct kp_irl_type *type);
/* "(0, 3)": dimensions, 0 for dynamic ones */
const char *kp_irl_python_shape(struct kp_arena *arena, const struct kp_irl_type *type);

/* The expression for a value of a type; for none, the neutral value of the type. */
const char *kp_irl_python_value(struct kp_irl_python *module, const struct kp_irl_type *type,
                                const struct kp_irl_value *value);

#endif

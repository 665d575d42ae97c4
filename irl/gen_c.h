/*
 * The C back end: names (gen_c_names.c), values (gen_c_values.c), headers (gen_c_header.c) and sources
 * (gen_c_source.c). gen_c.c walks the model.
 */
#ifndef KP_IRL_GEN_C_H
#define KP_IRL_GEN_C_H

#include "backend.h"
#include "names.h"

/* One data property as a member of the struct. */
struct kp_gen_c_member {
    const struct kp_irl_property *property;
    const struct kp_irl_type *type;
    const char *name;
    bool travels;
    bool dynamic;       /* an array behind a pointer */
    const char **sizes; /* by dimension: the member with its length; NULL for a fixed one */
    size_t dynamic_count;
    uint64_t fixed;         /* the product of all fixed dimensions */
    const char *default_at; /* of a dynamic one with elements by default: the array that has them */
};

/* What a declaration is called in C. */
struct kp_gen_c_names {
    const char *folder; /* "kieker/common/", of the package */
    const char *root;   /* the way back: "../../" */
    const char *file;   /* without ending */
    const char *type, *upper;
    const char *class_macro, *description;
    /* of events */
    const char *min_size_macro, *init_macro, *init, *write_binary, *read_binary, *write_text, *read_text,
        *serialize, *fields;
    struct kp_gen_c_member *members;
    size_t member_count;
    const char **constants; /* by own constant */
    /* of enums */
    const char *count_macro, *values, *literal_names;
    const char **literals; /* by ordinal */
};

struct kp_gen_c {
    const struct kp_irl_model *model;
    const struct kp_irl_wishes *wishes;
    struct kp_irl_output *output;
    struct kp_arena arena;
    struct kp_irl_names_table taken; /* names with the scope of a file, of all records */
    struct kp_gen_c_names *names;    /* by the number of the declaration */
};

/* How the kinds of elements look in C and travel; the last row is that of enums. */
struct kp_gen_c_kind {
    const char *kind;      /* enum kieker_kind */
    const char *type;      /* of enums: the enum's */
    unsigned put_bits;     /* kieker_put_<bits> */
    const char *put, *get; /* what stands before a value on its way to kieker_put, from kieker_get */
    const char *text_put, *text_get; /* kieker_text_put_…, kieker_text_get_… */
    const char *pack, *pack_put;     /* kieker_serialize_…, and what stands before its value */
    const char *neutral;
};

const struct kp_gen_c_kind *kp_gen_c_kind(const struct kp_irl_type *type);
/* With what stands between it and a name ("int32_t ", "const char *"); `constant`: of elements not to be
 * changed. */
const char *kp_gen_c_element_type(struct kp_gen_c *gen, const struct kp_irl_type *type, bool constant);

struct kp_gen_c_names *kp_gen_c_names_of(struct kp_gen_c *gen, const struct kp_irl_declaration *declaration);
/* Names everything in the model. */
void kp_gen_c_name_all(struct kp_gen_c *gen);
/* Is there C for it? */
bool kp_gen_c_is_wanted(const struct kp_irl_declaration *declaration);

/* The initialiser of one element or of an array with braces as deep as it has dimensions; neutral values
 * where there is no value. */
void kp_gen_c_print_value(struct kp_gen_c *gen, FILE *file, const struct kp_irl_type *type, size_t depth,
                          const struct kp_irl_value *value);
/* All elements of an array literal, one after the other. */
void kp_gen_c_print_elements(struct kp_gen_c *gen, FILE *file, const struct kp_irl_type *type,
                             const struct kp_irl_value *value);
/* How many that is, and the lengths of the dimensions. */
uint64_t kp_gen_c_shape(const struct kp_irl_type *type, const struct kp_irl_value *value, uint64_t *lengths);
/* The comment at the top of a file. */
void kp_gen_c_print_top(struct kp_gen_c *gen, FILE *file, const struct kp_irl_declaration *declaration);

void kp_gen_c_header(struct kp_gen_c *gen, FILE *file, const struct kp_irl_declaration *event);
void kp_gen_c_source(struct kp_gen_c *gen, FILE *file, const struct kp_irl_declaration *event);
void kp_gen_c_enum_header(struct kp_gen_c *gen, FILE *file, const struct kp_irl_declaration *enumeration);
void kp_gen_c_enum_source(struct kp_gen_c *gen, FILE *file, const struct kp_irl_declaration *enumeration);

#endif

/* What the parts of the Java back end share: a file of Java with its imports, names, types, values. */
#ifndef KP_IRL_GEN_JAVA_H
#define KP_IRL_GEN_JAVA_H

#include "backend.h"
#include "irl.h"
#include "names.h"

/* Kieker's own classes that generated code uses. */
#define KP_JAVA_ABSTRACT_RECORD "kieker.common.record.AbstractMonitoringRecord"
#define KP_JAVA_RECORD          "kieker.common.record.IMonitoringRecord"
#define KP_JAVA_SERIALIZER      "kieker.common.record.io.IValueSerializer"
#define KP_JAVA_DESERIALIZER    "kieker.common.record.io.IValueDeserializer"
#define KP_JAVA_FACTORY         "kieker.common.record.factory.IRecordFactory"
#define KP_JAVA_INSTANTIATION   "kieker.common.exception.RecordInstantiationException"
#define KP_JAVA_VERSION         "kieker.common.util.Version"

/* One run of the back end. */
struct kp_java {
    const struct kp_irl_model *model;
    const struct kp_irl_wishes *wishes;
    struct kp_irl_output *output;
    struct kp_irl_names_table declared; /* full names of all declarations */
    unsigned *seen;                     /* by number of declaration: the walk that came to it last */
    unsigned walks;
    struct kp_arena arena; /* for the whole run */
};

struct kp_java_import {
    const char *simple, *full;
    bool printed; /* false: visible without an import */
};

/* One .java file. The body is printed first, because only then it is known what has to be imported. */
struct kp_java_file {
    struct kp_java *run;
    const struct kp_irl_declaration *declaration;
    const char *class_name; /* simple; not always the declaration's */
    FILE *body;
    char *text;
    size_t text_bytes;
    struct kp_arena arena; /* names and types of this file */
    struct {
        struct kp_java_import *items;
        size_t count, room;
    } imports;
    struct kp_irl_properties settable; /* of templates of an event: those that they have setters for */
};

/* Begins and ends a file of the declaration's package; `end` prints it with package line and imports. */
void kp_java_begin(struct kp_java_file *file, struct kp_java *run,
                   const struct kp_irl_declaration *declaration, const char *class_name);
void kp_java_end(struct kp_java_file *file);

/* The comment before a class: what it is, author and version. */
void kp_java_class_comment(struct kp_java_file *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* How a class is written here: its simple name, imported when needed, or its full name when the simple one
 * means something else in this file. */
const char *kp_java_use(struct kp_java_file *file, const char *full_name);
/* All templates that a declaration inherits from, and with_parents all parents and theirs; each once. */
struct kp_irl_declarations kp_java_lineage(struct kp_java *run, struct kp_arena *arena,
                                           const struct kp_irl_declaration *declaration, bool with_parents);

/* Prints `@Override` on a line of its own. */
void kp_java_override(struct kp_java_file *file);

/* A name that is none of Java's own words. */
const char *kp_java_name(struct kp_arena *arena, const char *name);
/* "String", "Color"; "String[][]" */
const char *kp_java_element_type(struct kp_java_file *file, const struct kp_irl_type *type);
const char *kp_java_type(struct kp_java_file *file, const struct kp_irl_type *type);
/* "[][]" */
const char *kp_java_brackets(struct kp_arena *arena, size_t count);
/* The name with a first letter in upper case. */
const char *kp_java_capital(struct kp_arena *arena, const char *name);
/* "getX" or "isX"; "setX" */
const char *kp_java_getter(struct kp_arena *arena, const struct kp_irl_property *property);
const char *kp_java_setter(struct kp_arena *arena, const struct kp_irl_property *property);
/* "Long" of putLong, getLong */
const char *kp_java_wire_name(const struct kp_irl_type *type);
bool kp_java_is_base(const struct kp_irl_type *type, enum kp_irl_base base);
/* An object that may be null? */
bool kp_java_is_object(const struct kp_irl_type *type);

/* --- gen_java_values.c ---------------------------------------------------------------------------- */

/* A value as an expression of the given type. A constant is named when it is visible; what it stands for is
 * printed when `by_value`. `bare`: arrays without "new T[]", as initialisers of fields may be. */
void kp_java_value(struct kp_java_file *file, const struct kp_irl_type *type,
                   const struct kp_irl_value *value, bool by_value, bool bare);
/* 0, "", false, an array of them: what a property has that nobody set. */
void kp_java_neutral(struct kp_java_file *file, const struct kp_irl_type *type);
/* Text that stays in a comment, whatever is in it. */
void kp_java_comment_text(FILE *out, const char *text);
void kp_java_constants(struct kp_java_file *file, bool in_interface);

/* --- gen_java_arrays.c: methods of their own for each array -------------------------------------------- */

bool kp_java_array_needs_check(const struct kp_irl_type *type);
void kp_java_array_check(struct kp_java_file *file, const struct kp_irl_property *property);
void kp_java_array_serialize(struct kp_java_file *file, const struct kp_irl_property *property);
void kp_java_array_deserialize(struct kp_java_file *file, const struct kp_irl_property *property);
/* Are elements compared with a tolerance, so that java.util.Arrays does not do? */
bool kp_java_array_needs_equal(const struct kp_irl_type *type);
void kp_java_array_equal(struct kp_java_file *file, const struct kp_irl_property *property);

/* --- the kinds of files ---------------------------------------------------------------------------- */

void kp_java_event(struct kp_java *run, const struct kp_irl_declaration *event);
/* Functions that read what a payload property selects. */
void kp_java_payload(struct kp_java_file *file, const struct kp_irl_property *property);
void kp_java_template(struct kp_java *run, const struct kp_irl_declaration *declaration);
void kp_java_enum(struct kp_java *run, const struct kp_irl_declaration *declaration);
void kp_java_factory(struct kp_java *run, const struct kp_irl_declaration *event);

/* Does a template have a setter for its property? */
bool kp_java_template_sets(const struct kp_irl_property *property);

#endif

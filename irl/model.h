/*
 * The tree of a set of record models: made by the parser (irl.y), completed by resolve, derive, unfold and
 * check, read by the back ends. Only this tree crosses the border between stages.
 *
 * Everything in it lives in the model's arena. Text is UTF-8 with a NUL behind it, names without the escape
 * `^`.
 */
#ifndef KP_IRL_MODEL_H
#define KP_IRL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/arena.h"

/* Memory of the arena, cleared; a copy of text with a NUL behind; formatted text. Never NULL: without memory
 * the program ends with a line that says so, as the collector's do. */
void *kp_irl_get(struct kp_arena *arena, size_t bytes);
char *kp_irl_copy(struct kp_arena *arena, const char *text, size_t bytes);
_Noreturn void kp_irl_out_of_memory(void);
char *kp_irl_format(struct kp_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends to a list: anything with items, count and room. */
#define KP_IRL_APPEND(arena, list, item)                                                                     \
    (kp_irl_grow((arena), (void **)&(list)->items, (list)->count, &(list)->room, sizeof *(list)->items),     \
     (void)((list)->items[(list)->count++] = (item)))

void kp_irl_grow(struct kp_arena *arena, void **items, size_t count, size_t *room, size_t item_bytes);

/* Where something stands: bytes `begin` to `end` (exclusive) of a file's text. */
struct kp_irl_span {
    const struct kp_irl_file *file;
    uint32_t begin, end;
};

/* A name as written; a qualified one with its dots. */
struct kp_irl_name {
    const char *text;
    struct kp_irl_span span;
};

struct kp_irl_names {
    struct kp_irl_name *items;
    size_t count, room;
};

struct kp_irl_declaration;
struct kp_irl_property;
struct kp_irl_constant;

/* A name that stands for a declaration. `target` is NULL until resolved, and when there is none (that was
 * reported). */
struct kp_irl_reference {
    struct kp_irl_name name;
    struct kp_irl_declaration *target;
};

struct kp_irl_references {
    struct kp_irl_reference *items;
    size_t count, room;
};

/* --- types --------------------------------------------------------------------------------------- */

enum kp_irl_base {
#define KP_IRL_BASE(symbol, name, bytes, descriptor) KP_IRL_##symbol,
#include "base_types.def"
#undef KP_IRL_BASE
    KP_IRL_BASE_COUNT
};

struct kp_irl_base_row {
    const char *name;
    unsigned wire_bytes;
    const char *descriptor;
};

extern const struct kp_irl_base_row kp_irl_bases[KP_IRL_BASE_COUNT];

enum kp_irl_type_kind {
    KP_IRL_TYPE_UNKNOWN, /* not resolved, or an error that was reported */
    KP_IRL_TYPE_BASE,
    KP_IRL_TYPE_ENUM,
    KP_IRL_TYPE_RECORD, /* an event or a template: allowed in payload properties only */
    KP_IRL_TYPE_FOREIGN /* prefix.Class of a `use` line; nothing is known of it */
};

#define KP_IRL_DYNAMIC 0

struct kp_irl_type {
    enum kp_irl_type_kind kind;
    enum kp_irl_base base; /* of KP_IRL_TYPE_BASE */
    struct kp_irl_reference
        reference;             /* the name as written (also of base types); target of ENUM and RECORD */
    size_t dimension_count;    /* 0: no array */
    const int64_t *dimensions; /* outer to inner; KP_IRL_DYNAMIC, or the elements (at least 1: the parser
                                  reports others) */
    const struct kp_irl_span *dimension_spans;
};

/* Do two resolved types have the same element and the same dimensions? */
bool kp_irl_type_equal(const struct kp_irl_type *a, const struct kp_irl_type *b);
/* The name of the element type: of the base type or the declaration. */
const char *kp_irl_type_name(const struct kp_irl_type *type);
/* Bytes of one element on the wire: an enum has those of int. */
unsigned kp_irl_type_element_bytes(const struct kp_irl_type *type);

/* --- values -------------------------------------------------------------------------------------- */

enum kp_irl_value_kind {
    KP_IRL_VALUE_NONE,
    KP_IRL_VALUE_STRING,
    KP_IRL_VALUE_INT,
    KP_IRL_VALUE_FLOAT,
    KP_IRL_VALUE_BOOLEAN,
    KP_IRL_VALUE_VERSION,  /* KIEKER_VERSION */
    KP_IRL_VALUE_CONSTANT, /* the name of a constant */
    KP_IRL_VALUE_LITERAL,  /* the name of a literal of the declared enum */
    KP_IRL_VALUE_ARRAY
};

struct kp_irl_value {
    enum kp_irl_value_kind kind;
    struct kp_irl_span span;
    const char *text;  /* STRING: unescaped; FLOAT: decimal digits as written, but without suffix and
                          leading '+', and with digits on both sides of a point ("-4.0", "0.5",
                          "1.0e-3"); CONSTANT and LITERAL: the name */
    size_t text_bytes; /* of STRING, which may contain NUL */
    int64_t integer;   /* INT */
    bool boolean;      /* BOOLEAN */
    const struct kp_irl_constant *constant; /* CONSTANT, once resolved */
    const struct kp_irl_literal *literal;   /* LITERAL, once resolved */
    struct kp_irl_value *items;             /* ARRAY */
    size_t item_count;
};

/* The value itself, through any number of constants. Not NULL; its kind is NONE where a constant was not
 * resolved. */
const struct kp_irl_value *kp_irl_value_follow(const struct kp_irl_value *value);

/* --- members ------------------------------------------------------------------------------------- */

enum kp_irl_property_form {
    KP_IRL_PROPERTY_PLAIN,
    KP_IRL_PROPERTY_ALIAS,   /* alias target as name */
    KP_IRL_PROPERTY_GROUPED, /* grouped by Event.property name: has the type of that property */
    KP_IRL_PROPERTY_PAYLOAD  /* Type name { selection }: unfold puts the properties it selects in its place */
};

/* What is followed below a payload property: the members that are named, and what is followed below them. */
struct kp_irl_selection {
    struct kp_irl_name name;
    struct kp_irl_selections {
        struct kp_irl_selection *items;
        size_t count, room;
    } below;
};

struct kp_irl_properties {
    struct kp_irl_property **items;
    size_t count, room;
};

struct kp_irl_property {
    enum kp_irl_property_form form;
    struct kp_irl_name name;
    struct kp_irl_type type; /* as written; ALIAS has none, GROUPED only in the old spelling */
    /* Once resolved, of any form: the type that counts. An alias has that of its target, a grouped one that
     * of the property referred to. Not NULL; KP_IRL_TYPE_UNKNOWN after an error. */
    const struct kp_irl_type *resolved;
    struct kp_irl_name alias_of;    /* ALIAS */
    struct kp_irl_property *target; /* ALIAS, GROUPED: what it refers to, once resolved */
    struct kp_irl_reference grouped_event;
    struct kp_irl_name grouped_property;
    bool transient, auto_increment, changeable;
    struct kp_irl_span modifiers;      /* all of them; file is NULL without any */
    struct kp_irl_name annotation;     /* semantic annotation; text is NULL without one */
    struct kp_irl_value value;         /* the default; KP_IRL_VALUE_NONE without one */
    struct kp_irl_selections selected; /* PAYLOAD */
    struct kp_irl_declaration *owner;
    struct kp_irl_properties flattened; /* PAYLOAD, filled by unfold: the properties that take its place */
    /* Of properties that unfold made for a payload property: that property, and the steps from it
     * ("customer.name"). `object_id` says that the step is a complex member, of which only the identity
     * travels (an int). */
    const struct kp_irl_property *payload;
    const char *path;
    bool object_id;
};

struct kp_irl_constant {
    struct kp_irl_name name;
    struct kp_irl_type type;
    struct kp_irl_value value;
    struct kp_irl_declaration *owner;
    enum { KP_IRL_UNSETTLED, KP_IRL_SETTLING, KP_IRL_SETTLED } state; /* of resolve, which looks for cycles */
};

struct kp_irl_constants {
    struct kp_irl_constant **items;
    size_t count, room;
};

struct kp_irl_literal {
    struct kp_irl_name name;
    bool has_value; /* written in the model */
    int64_t value;  /* the written one, else the position in all literals of the enum (spec 1.4) */
    struct kp_irl_span value_span;
    struct kp_irl_declaration *owner;
};

struct kp_irl_literals {
    struct kp_irl_literal *items;
    size_t count, room;
};

/* --- declarations -------------------------------------------------------------------------------- */

enum kp_irl_kind { KP_IRL_EVENT, KP_IRL_TEMPLATE, KP_IRL_ENUM, KP_IRL_MODEL, KP_IRL_SUB };

/* The unfolded lists of an event or a template; spec/irl.md 1.6 defines them. Payload properties are replaced
 * in all of them by what they select; members of a record or foreign type, which templates that describe
 * payload may have, are in none of them. Use `own`, not the declaration's properties, to print those. */
struct kp_irl_layout {
    struct kp_irl_properties own;      /* with aliases */
    struct kp_irl_properties all;      /* with aliases */
    struct kp_irl_properties data;     /* without aliases */
    struct kp_irl_properties wire;     /* data without transient ones: order of serialisation */
    struct kp_irl_properties declared; /* of data: not in the parent */
    struct kp_irl_properties getters;  /* of all: not in the parent */
};

struct kp_irl_declaration {
    enum kp_irl_kind kind;
    struct kp_irl_name name;
    const char *full_name; /* package.Name, as Java names the class */
    const char *package;
    const struct kp_irl_file *file;
    const char *author, *since; /* NULL without */
    bool abstract;
    bool old_record;                /* EVENT written with the historical word `struct` or `record` */
    bool derived;                   /* made by a `sub` */
    struct kp_irl_reference parent; /* EVENT: name.text is NULL without one */
    struct kp_irl_references
        templates; /* EVENT, TEMPLATE, SUB: those listed; ENUM: the enums inherited; MODEL: its types */
    struct kp_irl_reference model;       /* SUB */
    struct kp_irl_properties properties; /* own, in order of the text */
    struct kp_irl_constants constants;   /* own */
    struct kp_irl_literals literals;     /* ENUM: own */
    /* Filled by resolve: */
    struct kp_irl_literals all_literals; /* ENUM: own, then the inherited ones; the index is the ordinal.
                                            Values are those of this list */
    /* Of files loaded for reference and built-in ones: the declaration of the same full name in a file that
     * goes before this one's. Then nothing refers to this one. */
    struct kp_irl_declaration *shadowed_by;
    bool is_kiekers; /* takes the place of one that is built in */
    size_t number;   /* index in the model's `ordered` */
    /* Filled by unfold: */
    struct kp_irl_layout layout; /* EVENT, TEMPLATE */
};

struct kp_irl_declarations {
    struct kp_irl_declaration **items;
    size_t count, room;
};

struct kp_irl_import {
    struct kp_irl_name name; /* without ".*" */
    bool wildcard;
};

struct kp_irl_imports {
    struct kp_irl_import *items;
    size_t count, room;
};

/* use prefix "nsURI": historical; binds a foreign package */
struct kp_irl_use {
    struct kp_irl_name prefix;
    const char *uri;
};

struct kp_irl_uses {
    struct kp_irl_use *items;
    size_t count, room;
};

struct kp_irl_file {
    const char *path; /* as the user would find it */
    size_t number;    /* in the order loaded */
    const char *text; /* NULL when it could not be read */
    size_t text_bytes;
    const uint32_t *lines; /* where each line begins */
    size_t line_count;
    bool is_input; /* code is wanted for it; others were loaded for reference */
    bool is_builtin;
    struct kp_irl_name package;
    struct kp_irl_imports imports;
    struct kp_irl_uses uses;
    struct kp_irl_declarations declarations; /* in order of the text; derive appends */
};

struct kp_irl_files {
    struct kp_irl_file **items;
    size_t count, room;
};

struct kp_irl_model {
    struct kp_arena arena;
    unsigned languages;             /* those whose keywords matter; enum kp_irl_language */
    struct kp_irl_reports *reports; /* report.h */
    struct kp_irl_files files;      /* in the order loaded: inputs first, then references */
    /* All events, templates, enums and subs, each behind those that it inherits from; made by resolve, and
     * derive appends. Whoever needs something of all ancestors walks this list instead of recursing. */
    struct kp_irl_declarations ordered;
};

/* java.util.Formatter-free helpers for names, used by several back ends: each returns a copy in `arena`.
 * constant: operationSignature -> OPERATION_SIGNATURE, cpuID -> CPU_ID (spec 2.1, member 5)
 * snake:    operationSignature -> operation_signature, cpuID -> cpu_id (spec 2.4)
 * file:     GCRecord -> g_c_record (spec 2.2) */
const char *kp_irl_name_constant(struct kp_arena *arena, const char *name);
const char *kp_irl_name_snake(struct kp_arena *arena, const char *name);
const char *kp_irl_name_file(struct kp_arena *arena, const char *name);

#endif

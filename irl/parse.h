/*
 * What scanner (irl.l), feed (feed.c), grammar (irl.y) and the makers of the tree (parse.c) share. Nobody
 * else includes it.
 *
 * A file is scanned completely before it is parsed: what the historical words mean (`record`, `default`, ...)
 * and where a closing brace is missing shows only a few tokens later, and the feed can look there.
 */
#ifndef KP_IRL_PARSE_H
#define KP_IRL_PARSE_H

#include "irl.h"

/* Braces within each other, and dimensions of an array (Java's limit). */
#define KP_IRL_MOST_BRACES     64
#define KP_IRL_MOST_DIMENSIONS 255

struct kp_irl_token {
    uint32_t begin, end;
    short kind; /* of the grammar's tokens */
    bool first_on_line;
    bool broken; /* was reported already */
};

struct kp_irl_tokens {
    struct kp_irl_token *items;
    size_t count, room;
};

/* All tokens of a file; what is none is reported. Ends with one of kind KP_TOKEN_END. To be freed by the
 * caller. */
void kp_irl_scan(struct kp_irl_model *model, const struct kp_irl_file *file, struct kp_irl_tokens *tokens);

/* The tokens on their way to the parser. */
struct kp_irl_feed {
    struct kp_irl_model *model;
    struct kp_irl_file *file;
    const struct kp_irl_token *tokens;
    size_t count;
    size_t next;          /* to be given out */
    size_t resumed;       /* where the parser went on after the newest syntax error */
    unsigned depth;       /* braces open before `next` */
    bool given_up;        /* nested too deep */
    int last_kind;        /* given out */
    uint32_t error_begin; /* of the newest syntax error; one place has at most one */
    unsigned noted;       /* historical spellings that were noted in this file, one bit each */
};

/* Historical spellings; each is noted once in a file. */
enum kp_irl_spelling {
    KP_IRL_OLD_STRUCT,
    KP_IRL_OLD_RECORD,
    KP_IRL_OLD_PATTERN,
    KP_IRL_OLD_TAG,
    KP_IRL_OLD_DEFAULT,
    KP_IRL_OLD_MODIFIER,
    KP_IRL_OLD_COMBINED,
    KP_IRL_OLD_SIZES,
    KP_IRL_OLD_UNBOUNDED,
    KP_IRL_OLD_GROUPED,
    KP_IRL_OLD_SINCE,
    KP_IRL_OLD_PLUS,
    KP_IRL_OLD_POINT,
    KP_IRL_OLD_USE
};

void kp_irl_parse_old(struct kp_irl_feed *feed, enum kp_irl_spelling spelling, struct kp_irl_span span);

/* After a syntax error: leaves out tokens up to where a declaration or a member may start. `pending`: the
 * parser holds the token before `next`. Returns whether that one is left out, too. */
bool kp_irl_feed_resume_at_declaration(struct kp_irl_feed *feed, bool pending);
bool kp_irl_feed_resume_at_member(struct kp_irl_feed *feed, bool pending);

/* --- what the grammar's rules are worth ---------------------------------------------------------- */

struct kp_irl_values {
    struct kp_irl_value *items;
    size_t count, room;
};

struct kp_irl_sizes {
    struct kp_irl_size {
        int64_t elements;
        struct kp_irl_span span;
    } * items;
    size_t count, room;
};

struct kp_irl_meta {
    const char *author, *since;
};

struct kp_irl_members {
    struct kp_irl_properties properties;
    struct kp_irl_constants constants;
};

struct kp_irl_modifiers {
    bool transient, auto_increment, changeable;
    struct kp_irl_span span;
};

/* What may stand behind the name of a property. */
struct kp_irl_details {
    struct kp_irl_name annotation;
    struct kp_irl_name constant; /* of the combined form, T p = NAME 5 */
    struct kp_irl_value value;
};

struct kp_irl_new_property {
    struct kp_irl_property *property;
    struct kp_irl_details details;
};

/* The text of a token, copied. */
const char *kp_irl_parse_text(struct kp_irl_feed *feed, struct kp_irl_span span);
/* The same for a message: in quotes, and short. */
const char *kp_irl_parse_quote(struct kp_irl_feed *feed, struct kp_irl_span span);
/* The names of a list as one with dots. */
struct kp_irl_name kp_irl_parse_join(struct kp_irl_feed *feed, const struct kp_irl_names *names,
                                     struct kp_irl_span span);
/* A reserved word where a name has to be. */
struct kp_irl_name kp_irl_parse_word(struct kp_irl_feed *feed, struct kp_irl_span span);

struct kp_irl_value kp_irl_parse_string(struct kp_irl_feed *feed, struct kp_irl_span span);
struct kp_irl_value kp_irl_parse_integer(struct kp_irl_feed *feed, struct kp_irl_span span);
struct kp_irl_value kp_irl_parse_float(struct kp_irl_feed *feed, struct kp_irl_span span);

void kp_irl_parse_size(struct kp_irl_feed *feed, struct kp_irl_sizes *sizes, int64_t elements,
                       struct kp_irl_span span);
struct kp_irl_size kp_irl_parse_elements(struct kp_irl_feed *feed, struct kp_irl_span span);
struct kp_irl_type kp_irl_parse_type(struct kp_irl_feed *feed, struct kp_irl_name name,
                                     const struct kp_irl_sizes *sizes);

void kp_irl_parse_meta(struct kp_irl_feed *feed, const char **field, const char *text, const char *what,
                       struct kp_irl_span span);
void kp_irl_parse_modifier(struct kp_irl_modifiers *modifiers, bool *modifier, struct kp_irl_span span);

/* A property of any form; the caller fills in what its form has. */
struct kp_irl_property *kp_irl_parse_property(struct kp_irl_feed *feed, enum kp_irl_property_form form,
                                              const struct kp_irl_modifiers *modifiers,
                                              struct kp_irl_name name);
void kp_irl_parse_add_property(struct kp_irl_feed *feed, struct kp_irl_members *members,
                               const struct kp_irl_new_property *made);
void kp_irl_parse_add_constant(struct kp_irl_feed *feed, struct kp_irl_members *members,
                               struct kp_irl_type type, struct kp_irl_name name, struct kp_irl_value value);

/* A new declaration, in the file's list. */
struct kp_irl_declaration *kp_irl_parse_declare(struct kp_irl_feed *feed, enum kp_irl_kind kind,
                                                const struct kp_irl_meta *meta, struct kp_irl_name name);
/* Its members and literals get to know it. */
void kp_irl_parse_give(struct kp_irl_declaration *declaration, const struct kp_irl_members *members);
void kp_irl_parse_own(struct kp_irl_declaration *declaration);

void kp_irl_parse_import(struct kp_irl_feed *feed, struct kp_irl_name name, bool wildcard,
                         struct kp_irl_span span);

/* IRL002, unless this place has one. */
void kp_irl_parse_error(struct kp_irl_feed *feed, struct kp_irl_span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif

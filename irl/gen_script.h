/* What the back ends for Python and Perl share: names, comments, wrapped lists. */
#ifndef KP_IRL_GEN_SCRIPT_H
#define KP_IRL_GEN_SCRIPT_H

#include "irl.h"
#include "names.h"

/* The words of a text, which blanks separate, as keys of a table. */
struct kp_irl_names_table kp_irl_script_words(struct kp_arena *arena, const char *words);

/* Names of one scope in the generated code: each different, none a reserved word. */
struct kp_irl_script_names {
    struct kp_arena *arena;
    const struct kp_irl_names_table *reserved;
    unsigned languages; /* whose keywords are reserved as well: enum kp_irl_language */
    struct kp_irl_names_table used;
    struct kp_irl_names_table chosen; /* by the name in the model */
};

/* `wanted` or, where that is not free, with as many `_` behind it as it takes. */
const char *kp_irl_script_take(struct kp_irl_script_names *names, const char *wanted);
/* The same for something that the model calls `name`, kept for kp_irl_script_name. */
const char *kp_irl_script_choose(struct kp_irl_script_names *names, const char *name, const char *wanted);
const char *kp_irl_script_name(const struct kp_irl_script_names *names, const char *name);

/* A text that grows: as long as what is added, and not its square. */
struct kp_irl_script_text {
    struct kp_arena *arena;
    char *items;
    size_t count, room;
};

void kp_irl_script_add(struct kp_irl_script_text *text, const char *more);
const char *kp_irl_script_end(struct kp_irl_script_text *text);

/* A dotted name with `separator` for the dots, each part through `part`. */
char *kp_irl_script_path(struct kp_arena *arena, const char *dotted, const char *separator,
                         const char *(*part)(struct kp_arena *arena, const char *name));

/* Text of a model in one line: control characters become blanks. */
void kp_irl_script_line(FILE *out, const char *text);
/* Each line of a text as a comment with '#'; nothing for NULL. */
void kp_irl_script_comment(FILE *out, const char *text);

/* The next character of UTF-8; bytes that are none come out one by one. Moves on. */
uint32_t kp_irl_script_character(const char **text, const char *end);

/* As the model would spell it: "int[2][]", "enum Name". In the arena. */
const char *kp_irl_script_type(struct kp_arena *arena, const struct kp_irl_type *type);

/* Digits of a FLOAT or INT value so that the languages read a number with a fraction. */
const char *kp_irl_script_float(struct kp_arena *arena, const struct kp_irl_value *value);

bool kp_irl_script_is_array(const struct kp_irl_property *property);
bool kp_irl_script_is_string(const struct kp_irl_property *property); /* a plain one, no array */

/* A list that is broken into lines: items with commas between. */
struct kp_irl_script_list {
    FILE *out;
    unsigned indent, column, count;
};

void kp_irl_script_item(struct kp_irl_script_list *list, const char *text);

/* The runtime files of a language, beside its code. */
void kp_irl_script_runtime(struct kp_irl_output *output, const struct kp_irl_builtin *files);

#endif

/* What the stages between parser and back ends share. */
#ifndef KP_IRL_STAGES_H
#define KP_IRL_STAGES_H

#include "irl.h"
#include "names.h"

/*
 * Reports, unless nobody could do anything about it: warnings in files loaded for reference, and whatever
 * happens to a built-in model when the user's own files take the place of others of them (kp_irl_check finds
 * what such a model breaks in the input). False when nothing was reported; then no note must follow.
 */
bool kp_irl_say(struct kp_irl_model *model, enum kp_irl_code code, struct kp_irl_span span,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "an event", "a template", ... */
const char *kp_irl_kind_name(enum kp_irl_kind kind);

/* May the search for what was meant run? It looks at every name, so a broken model gets only so many. */
bool kp_irl_may_guess(struct kp_irl_model *model);

/*
 * A declaration and all that it inherits from, each once: itself, its parent with all of that one's
 * ancestors, its templates in order with theirs. Needs references that are cut where they were cyclic.
 *
 *     for (struct kp_irl_declaration *d = kp_irl_walk_begin(walk, start); d; d = kp_irl_walk_next(walk))
 */
struct kp_irl_walk {
    struct kp_irl_model *model;
    unsigned *seen; /* by number: the round in which it was */
    unsigned round;
    struct kp_irl_declarations waiting, lineage;
};

struct kp_irl_walk kp_irl_walk_create(struct kp_irl_model *model);
struct kp_irl_declaration *kp_irl_walk_begin(struct kp_irl_walk *walk, struct kp_irl_declaration *start);
struct kp_irl_declaration *kp_irl_walk_next(struct kp_irl_walk *walk);

/* The same declarations, ancestors first: the order in which their properties are listed (spec/irl.md 1.6).
 * Valid until the walk is used again. */
const struct kp_irl_declarations *kp_irl_walk_lineage(struct kp_irl_walk *walk,
                                                      struct kp_irl_declaration *start);

/* The steps of resolve, one file each. */
void kp_irl_order(struct kp_irl_model *model);        /* order.c: cycles, model->ordered */
void kp_irl_link_members(struct kp_irl_model *model); /* members.c: aliases, grouped, values, literals */

/* The steps of unfold. payload.c: makes property->flattened of every payload property. */
void kp_irl_flatten(struct kp_irl_model *model);

/* The steps of check, one file each. */
void kp_irl_check_types(struct kp_irl_model *model);
void kp_irl_check_values(struct kp_irl_model *model);
void kp_irl_check_enums(struct kp_irl_model *model);
void kp_irl_check_names(struct kp_irl_model *model);
void kp_irl_check_generated(struct kp_irl_model *model);

/* "long[]" for messages */
const char *kp_irl_type_text(struct kp_arena *arena, const struct kp_irl_type *type);

/* Limits that keep a hostile or mistaken model from eating the machine (IRL044). */
#define KP_IRL_MOST_DERIVED        100000    /* types made by all `sub` together */
#define KP_IRL_MOST_LISTED         10000000  /* properties in the lists of all types together */
#define KP_IRL_MOST_LITERALS       1000000   /* in the lists of all enums together */
#define KP_IRL_MOST_FLATTENED      100000    /* properties that all payload properties together select */
#define KP_IRL_MOST_SELECTED       256       /* properties that one payload property selects */
#define KP_IRL_MOST_ELEMENTS       (1 << 20) /* of an array with fixed dimensions */
#define KP_IRL_MOST_CONSTANTS_DEEP 500       /* constants that stand for one another */

#endif

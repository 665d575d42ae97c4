/* Names to things: a hash table in an arena. Keys are not copied. */
#ifndef KP_IRL_NAMES_H
#define KP_IRL_NAMES_H

#include "model.h"

struct kp_irl_names_table {
    struct kp_irl_names_entry *entries;
    size_t count, room; /* room: a power of two, or 0 */
};

/* Where the thing of this name is kept; a new place holds NULL. */
void **kp_irl_names_put(struct kp_arena *arena, struct kp_irl_names_table *table, const char *name);
/* NULL when there is none. */
void *kp_irl_names_get(const struct kp_irl_names_table *table, const char *name);

/* The one of many names that was probably meant: offer each, then ask. */
struct kp_irl_guess {
    const char *wanted;
    const char *best;
    unsigned distance;
};

void kp_irl_guess_offer(struct kp_irl_guess *guess, const char *name);
/* "; did you mean 'x'?" or "" */
const char *kp_irl_guess_text(struct kp_arena *arena, const struct kp_irl_guess *guess);

/* Is the name one of the words, which have blanks between them? */
bool kp_irl_name_is_among(const char *words, const char *name);

#endif

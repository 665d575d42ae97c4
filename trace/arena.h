/* Arena: many small pieces of memory that live and die together. */
#ifndef KP_TRACE_ARENA_H
#define KP_TRACE_ARENA_H

#include <stddef.h>

struct kp_arena {
    struct kp_arena_block *blocks;
    size_t used, room; /* of the newest block */
};

/* Zeroed memory, aligned for any type; NULL when there is none. */
void *kp_arena_get(struct kp_arena *arena, size_t bytes);

/* Copy with a NUL behind; NULL when there is no memory. */
char *kp_arena_copy(struct kp_arena *arena, const char *text, size_t bytes);

void kp_arena_free(struct kp_arena *arena);

#endif

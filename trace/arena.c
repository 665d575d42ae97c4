#include "arena.h"

#include <stdlib.h>
#include <string.h>

struct kp_arena_block {
    struct kp_arena_block *previous;
    _Alignas(16) char bytes[];
};

/* Small arenas live short: their blocks are cleared, and double up to the largest. */
#define FIRST_BLOCK_BYTES (4u << 10)
#define BLOCK_BYTES       (64u << 10)

static size_t next_block_bytes(const struct kp_arena *arena)
{
    size_t doubled = 2 * arena->room;
    return doubled < FIRST_BLOCK_BYTES ? FIRST_BLOCK_BYTES : doubled < BLOCK_BYTES ? doubled : BLOCK_BYTES;
}

void *kp_arena_get(struct kp_arena *arena, size_t bytes)
{
    void *result;

    bytes = (bytes + 15) & ~(size_t)15;
    if (!arena->blocks || bytes > arena->room - arena->used) {
        size_t least = next_block_bytes(arena), room = bytes > least ? bytes : least;
        struct kp_arena_block *block = calloc(1, sizeof *block + room);

        if (!block)
            return NULL;
        block->previous = arena->blocks;
        *arena = (struct kp_arena){.blocks = block, .room = room};
    }
    result = arena->blocks->bytes + arena->used;
    arena->used += bytes;
    return result;
}

char *kp_arena_copy(struct kp_arena *arena, const char *text, size_t bytes)
{
    char *copy = kp_arena_get(arena, bytes + 1);

    if (copy && bytes)
        memcpy(copy, text, bytes);
    return copy;
}

void kp_arena_free(struct kp_arena *arena)
{
    while (arena->blocks) {
        struct kp_arena_block *previous = arena->blocks->previous;

        free(arena->blocks);
        arena->blocks = previous;
    }
    *arena = (struct kp_arena){0};
}

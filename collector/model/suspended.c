#include "suspended.h"

#include <stdlib.h>

#include "util/memory.h"

static size_t place(const struct kp_suspended *table, uint64_t token)
{
    /* Tokens are addresses or counters: spread both over the table. */
    return (size_t)((token * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (table->capacity - 1);
}

static size_t find(const struct kp_suspended *table, uint64_t token)
{
    size_t slot = place(table, token);
    while (table->slots[slot] && table->slots[slot]->token != token)
        slot = (slot + 1) & (table->capacity - 1);
    return slot;
}

static void grow(struct kp_suspended *table)
{
    struct kp_call **old = table->slots;
    size_t old_capacity = table->capacity;
    table->capacity = old_capacity ? 2 * old_capacity : 64;
    table->slots = kp_allocate_cleared(table->capacity, sizeof *table->slots);
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i])
            table->slots[find(table, old[i]->token)] = old[i];
    free(old);
}

void kp_suspended_put(struct kp_suspended *table, const struct kp_call *call)
{
    if (2 * (table->count + 1) > table->capacity)
        grow(table);
    struct kp_call *copy = table->spare;
    if (copy)
        table->spare = copy->user;
    else
        copy = kp_allocate(sizeof *copy);
    *copy = *call;
    table->slots[find(table, call->token)] = copy;
    table->count++;
}

/* Closes the hole at `slot`: moves back what was pushed beyond it by a collision. */
static void close_hole(struct kp_suspended *table, size_t slot)
{
    size_t mask = table->capacity - 1, next = slot;
    for (;;) {
        next = (next + 1) & mask;
        if (!table->slots[next])
            break;
        size_t home = place(table, table->slots[next]->token);
        if (((next - home) & mask) < ((next - slot) & mask))
            continue;
        table->slots[slot] = table->slots[next];
        slot = next;
    }
    table->slots[slot] = NULL;
}

struct kp_call *kp_suspended_take(struct kp_suspended *table, uint64_t token)
{
    if (!table->count)
        return NULL;
    size_t slot = find(table, token);
    struct kp_call *call = table->slots[slot];
    if (!call)
        return NULL;
    close_hole(table, slot);
    table->count--;
    return call;
}

void kp_suspended_release(struct kp_suspended *table, struct kp_call *call)
{
    call->user = table->spare;
    table->spare = call;
}

void kp_suspended_fini(struct kp_suspended *table)
{
    for (size_t i = 0; i < table->capacity; i++)
        free(table->slots[i]);
    free(table->slots);
    while (table->spare) {
        struct kp_call *next = table->spare->user;
        free(table->spare);
        table->spare = next;
    }
}

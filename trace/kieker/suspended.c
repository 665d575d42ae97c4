#include "suspended.h"

#include <stdlib.h>

#include "call.h"

static size_t place(const struct kp_kieker_suspended *table, uint64_t token)
{
    /* Tokens are addresses or counters: spread both over the table. */
    return (size_t)((token * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (table->capacity - 1);
}

static size_t find(const struct kp_kieker_suspended *table, uint64_t token)
{
    size_t slot = place(table, token);

    while (table->slots[slot] && table->slots[slot]->token != token)
        slot = (slot + 1) & (table->capacity - 1);
    return slot;
}

static bool grow(struct kp_kieker_suspended *table)
{
    struct kp_kieker_suspended larger = {.capacity = table->capacity ? 2 * table->capacity : 64,
                                         .count = table->count};

    larger.slots = calloc(larger.capacity, sizeof(struct kp_kieker_call *));
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < table->capacity; i++)
        if (table->slots[i])
            larger.slots[find(&larger, table->slots[i]->token)] = table->slots[i];
    free(table->slots);
    *table = larger;
    return true;
}

bool kp_kieker_suspended_put(struct kp_kieker_suspended *table, struct kp_kieker_call *call)
{
    if (2 * (table->count + 1) > table->capacity && !grow(table))
        return false;
    table->slots[find(table, call->token)] = call;
    table->count++;
    return true;
}

/* Moves back what was pushed beyond the free slot by a collision. */
static void close_hole(struct kp_kieker_suspended *table, size_t slot)
{
    size_t mask = table->capacity - 1, next = slot;

    for (;;) {
        size_t home;

        next = (next + 1) & mask;
        if (!table->slots[next])
            break;
        home = place(table, table->slots[next]->token);
        if (((next - home) & mask) < ((next - slot) & mask))
            continue;
        table->slots[slot] = table->slots[next];
        slot = next;
    }
    table->slots[slot] = NULL;
}

struct kp_kieker_call *kp_kieker_suspended_take(struct kp_kieker_suspended *table, uint64_t token)
{
    struct kp_kieker_call *call;
    size_t slot;

    if (!table->count)
        return NULL;
    slot = find(table, token);
    call = table->slots[slot];
    if (!call)
        return NULL;
    close_hole(table, slot);
    table->count--;
    return call;
}

struct kp_kieker_call *kp_kieker_suspended_any(const struct kp_kieker_suspended *table, size_t *from)
{
    if (!table->count)
        return NULL;
    while (!table->slots[*from & (table->capacity - 1)])
        ++*from;
    return table->slots[*from & (table->capacity - 1)];
}

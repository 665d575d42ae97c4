#include "trace_ids.h"

#include <stdlib.h>
#include <sys/random.h>

#include "util/memory.h"

/* A peer with more upper halves than this makes ids at random: no two will meet. */
enum { MOST_HALVES = 65536, MOST_OWNED = 1 << 22 };

static struct kp_half *find(const struct kp_half_map *map, uint32_t half)
{
    if (!map->room)
        return NULL;
    size_t at = half * 0x9e3779b1u & (map->room - 1);
    while (map->entries[at].value && map->entries[at].half != half)
        at = (at + 1) & (map->room - 1);
    return &map->entries[at];
}

static void grow(struct kp_half_map *map)
{
    struct kp_half_map bigger = {.room = map->room ? map->room * 2 : 16};
    bigger.entries = kp_allocate_cleared(bigger.room, sizeof *bigger.entries);
    for (size_t i = 0; i < map->room; i++)
        if (map->entries[i].value)
            *find(&bigger, map->entries[i].half) = map->entries[i];
    bigger.count = map->count;
    free(map->entries);
    *map = bigger;
}

static bool get(const struct kp_half_map *map, uint32_t half, uint64_t *value)
{
    const struct kp_half *entry = find(map, half);
    if (!entry || !entry->value)
        return false;
    *value = entry->value - 1;
    return true;
}

static void put(struct kp_half_map *map, uint32_t half, uint64_t value)
{
    if (map->count * 2 >= map->room)
        grow(map);
    struct kp_half *entry = find(map, half);
    map->count += !entry->value;
    *entry = (struct kp_half){.half = half, .value = value + 1};
}

/* One that nobody has; not the one of -1. */
static uint32_t fresh(const struct kp_trace_ids *all)
{
    uint32_t half = UINT32_MAX;
    uint64_t owner;
    while (half == UINT32_MAX || get(&all->owners, half, &owner))
        if (getrandom(&half, sizeof half, 0) != sizeof half)
            half = (uint32_t)all->owners.count + 1;
    return half;
}

/* An upper half of 0 says nothing: all processes of the Python pack have it. */
static bool goes_on(const struct kp_trace_ids *all, int64_t id, bool announces)
{
    uint32_t half = (uint32_t)((uint64_t)id >> 32);
    uint64_t highest;
    return half && get(&all->highest, half, &highest) && announces == ((uint32_t)id > highest);
}

static uint32_t decide(struct kp_peer_ids *ids, int64_t id, bool announces)
{
    uint32_t half = (uint32_t)((uint64_t)id >> 32);
    uint64_t value;
    if (get(&ids->halves, half, &value))
        return (uint32_t)value;
    if (ids->halves.count >= MOST_HALVES || ids->all->owners.count >= MOST_OWNED)
        return half;
    uint32_t new_half = half;
    if (get(&ids->all->owners, half, &value) && value != ids->owner && !goes_on(ids->all, id, announces)) {
        new_half = fresh(ids->all);
        ids->changed++;
    }
    if (!get(&ids->all->owners, new_half, &value))
        put(&ids->all->owners, new_half, ids->owner);
    put(&ids->halves, half, new_half);
    return new_half;
}

static void note_highest(struct kp_half_map *map, uint32_t half, uint32_t low)
{
    struct kp_half *entry = find(map, half);
    if (!entry || !entry->value)
        put(map, half, low);
    else if (entry->value <= low)
        entry->value = (uint64_t)low + 1;
}

int64_t kp_trace_id(struct kp_peer_ids *ids, int64_t id, bool announces)
{
    uint32_t half = (uint32_t)((uint64_t)id >> 32);
    if (id == -1)
        return id;
    if (!ids->any || ids->last != half) {
        ids->last_new = decide(ids, id, announces);
        ids->last = half;
        ids->any = true;
    }
    if (announces && ids->all->highest.count < MOST_OWNED)
        note_highest(&ids->all->highest, ids->last_new, (uint32_t)id);
    return (int64_t)((uint64_t)ids->last_new << 32 | (uint32_t)id);
}

int64_t kp_trace_id_foreign(struct kp_peer_ids *ids, int64_t id)
{
    uint64_t value;
    uint32_t half = (uint32_t)((uint64_t)id >> 32);
    return id != -1 && get(&ids->halves, half, &value) ? kp_trace_id(ids, id, false) : id;
}

void kp_peer_ids_free(struct kp_peer_ids *ids)
{
    free(ids->halves.entries);
    ids->halves = (struct kp_half_map){0};
}

void kp_trace_ids_free(struct kp_trace_ids *all)
{
    free(all->owners.entries);
    free(all->highest.entries);
    all->owners = all->highest = (struct kp_half_map){0};
}

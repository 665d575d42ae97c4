/*
 * Map of 32-bit numbers to non-zero 64-bit words or pointers. Numbers are given out densely, so the number is
 * its own hash: a lookup is an array access in nearly all cases.
 */
#ifndef KP_TRACE_ID_MAP_H
#define KP_TRACE_ID_MAP_H

#include <stdint.h>
#include <stdlib.h>

struct kp_id_map {
    struct kp_id_entry {
        uint64_t word; /* 0: empty */
        uint32_t id;
    } * entries;
    uint32_t count, mask; /* mask + 1 entries, when there are entries */
};

static inline uint64_t kp_id_map_get(const struct kp_id_map *map, uint32_t id)
{
    if (!map->entries)
        return 0;
    for (uint32_t i = id & map->mask; map->entries[i].word; i = (i + 1) & map->mask)
        if (map->entries[i].id == id)
            return map->entries[i].word;
    return 0;
}

static inline void *kp_id_map_pointer(const struct kp_id_map *map, uint32_t id)
{
    return (void *)(uintptr_t)kp_id_map_get(map, id);
}

/* Set or replace; -1 when there is no memory. */
int kp_id_map_put(struct kp_id_map *map, uint32_t id, uint64_t word);

static inline void kp_id_map_free(struct kp_id_map *map)
{
    free(map->entries);
    *map = (struct kp_id_map){0};
}

#endif

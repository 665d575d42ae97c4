/*
 * Map of 64-bit numbers to pointers, with removal: open addressing, no holes left behind. For numbers that
 * say nothing about their order (tokens, ids that others chose); dense ones have id_map.h.
 */
#ifndef KP_TRACE_KEY_MAP_H
#define KP_TRACE_KEY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Zeroed: empty. */
struct kp_key_map {
    struct kp_key_map_entry {
        uint64_t key;
        void *value; /* NULL: empty */
    } * entries;
    size_t count, mask; /* mask + 1 entries, when there are entries */
    uint64_t seed;      /* 0: the order of the entries follows from what was put in */
};

/* Before anything is put in: nobody who chooses keys can have them all want one place. */
void kp_key_map_scatter(struct kp_key_map *map);

static inline size_t kp_key_map_place(const struct kp_key_map *map, uint64_t key)
{
    uint64_t mixed = (key ^ key >> 29) * (map->seed ? map->seed : UINT64_C(0x9e3779b97f4a7c15));

    return (size_t)(mixed >> 32) & map->mask;
}

static inline void *kp_key_map_get(const struct kp_key_map *map, uint64_t key)
{
    if (!map->entries)
        return NULL;
    for (size_t i = kp_key_map_place(map, key); map->entries[i].value; i = (i + 1) & map->mask)
        if (map->entries[i].key == key)
            return map->entries[i].value;
    return NULL;
}

/* A key that is not in it, with a value that is not NULL; false without memory. */
bool kp_key_map_put(struct kp_key_map *map, uint64_t key, void *value);

/* The value, taken out; NULL when there is none. */
void *kp_key_map_take(struct kp_key_map *map, uint64_t key);

/* Any value, which stays in; NULL when the map is empty. `from`, 0 at first, is where the search goes on. */
void *kp_key_map_any(const struct kp_key_map *map, size_t *from);

static inline void kp_key_map_free(struct kp_key_map *map)
{
    free(map->entries);
    *map = (struct kp_key_map){.seed = map->seed};
}

#endif

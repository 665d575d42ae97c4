/* Map of 64-bit numbers (ids of traces and threads, chosen by others) to pointers. */
#ifndef KP_TRACE_KIEKER_IMPORT_MAP_H
#define KP_TRACE_KIEKER_IMPORT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct kp_import_map {
    struct kp_import_map_entry {
        int64_t key;
        void *value; /* NULL: empty */
    } * entries;
    size_t count, mask; /* mask + 1 entries, when there are entries */
    uint64_t seed;      /* odd; so that nobody can choose keys that all want one place */
};

static inline size_t kp_import_map_place(const struct kp_import_map *map, int64_t key)
{
    uint64_t mixed = ((uint64_t)key ^ (uint64_t)key >> 29) * map->seed;

    return (size_t)(mixed >> 32) & map->mask;
}

static inline void *kp_import_map_get(const struct kp_import_map *map, int64_t key)
{
    if (!map->entries)
        return NULL;
    for (size_t i = kp_import_map_place(map, key); map->entries[i].value; i = (i + 1) & map->mask)
        if (map->entries[i].key == key)
            return map->entries[i].value;
    return NULL;
}

/* A key that is not in it, with a value that is not NULL; false without memory. */
bool kp_import_map_put(struct kp_import_map *map, int64_t key, void *value);
void kp_import_map_remove(struct kp_import_map *map, int64_t key);

static inline void kp_import_map_free(struct kp_import_map *map)
{
    free(map->entries);
    *map = (struct kp_import_map){0};
}

#endif

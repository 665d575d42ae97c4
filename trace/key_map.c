#include "key_map.h"

void kp_key_map_scatter(struct kp_key_map *map)
{
    map->seed = ((uint64_t)(uintptr_t)map * UINT64_C(0x9e3779b97f4a7c15)) | 1;
}

static void put(struct kp_key_map *map, uint64_t key, void *value)
{
    size_t i = kp_key_map_place(map, key);

    while (map->entries[i].value)
        i = (i + 1) & map->mask;
    map->entries[i] = (struct kp_key_map_entry){key, value};
}

static bool grow(struct kp_key_map *map)
{
    struct kp_key_map larger = {.mask = map->entries ? 2 * map->mask + 1 : 63, .seed = map->seed};

    larger.entries = calloc(larger.mask + 1, sizeof *larger.entries);
    if (!larger.entries)
        return false;
    for (size_t i = 0; map->entries && i <= map->mask; i++)
        if (map->entries[i].value)
            put(&larger, map->entries[i].key, map->entries[i].value);
    larger.count = map->count;
    free(map->entries);
    *map = larger;
    return true;
}

bool kp_key_map_put(struct kp_key_map *map, uint64_t key, void *value)
{
    if ((!map->entries || map->count > map->mask / 2) && !grow(map))
        return false;
    put(map, key, value);
    map->count++;
    return true;
}

/* What stands behind the hole and would not be found over it moves up. */
static void close_hole(struct kp_key_map *map, size_t hole)
{
    for (size_t at = (hole + 1) & map->mask; map->entries[at].value; at = (at + 1) & map->mask) {
        size_t place = kp_key_map_place(map, map->entries[at].key);

        if (((at - place) & map->mask) >= ((at - hole) & map->mask)) {
            map->entries[hole] = map->entries[at];
            hole = at;
        }
    }
    map->entries[hole].value = NULL;
    map->count--;
}

void *kp_key_map_take(struct kp_key_map *map, uint64_t key)
{
    if (!map->entries)
        return NULL;
    for (size_t i = kp_key_map_place(map, key); map->entries[i].value; i = (i + 1) & map->mask)
        if (map->entries[i].key == key) {
            void *value = map->entries[i].value;

            close_hole(map, i);
            return value;
        }
    return NULL;
}

void *kp_key_map_any(const struct kp_key_map *map, size_t *from)
{
    if (!map->count)
        return NULL;
    while (!map->entries[*from & map->mask].value)
        ++*from;
    return map->entries[*from & map->mask].value;
}

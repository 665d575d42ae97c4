#include "import_map.h"

static void put(struct kp_import_map *map, int64_t key, void *value)
{
    size_t i = kp_import_map_place(map, key);

    while (map->entries[i].value)
        i = (i + 1) & map->mask;
    map->entries[i] = (struct kp_import_map_entry){key, value};
}

static bool grow(struct kp_import_map *map)
{
    struct kp_import_map larger = {.mask = map->entries ? 2 * map->mask + 1 : 63, .seed = map->seed};

    larger.entries = calloc(larger.mask + 1, sizeof *larger.entries);
    if (!larger.entries)
        return false;
    if (!larger.seed)
        larger.seed = ((uint64_t)(uintptr_t)larger.entries * UINT64_C(0x9e3779b97f4a7c15)) | 1;
    for (size_t i = 0; map->entries && i <= map->mask; i++)
        if (map->entries[i].value)
            put(&larger, map->entries[i].key, map->entries[i].value);
    larger.count = map->count;
    free(map->entries);
    *map = larger;
    return true;
}

bool kp_import_map_put(struct kp_import_map *map, int64_t key, void *value)
{
    if ((!map->entries || map->count > map->mask / 2) && !grow(map))
        return false;
    put(map, key, value);
    map->count++;
    return true;
}

/* What stands behind the hole and would not be found over it moves up. */
void kp_import_map_remove(struct kp_import_map *map, int64_t key)
{
    size_t hole, at;

    if (!kp_import_map_get(map, key))
        return;
    for (hole = kp_import_map_place(map, key); map->entries[hole].key != key || !map->entries[hole].value;)
        hole = (hole + 1) & map->mask;
    for (at = (hole + 1) & map->mask; map->entries[at].value; at = (at + 1) & map->mask) {
        size_t place = kp_import_map_place(map, map->entries[at].key);

        if (((at - place) & map->mask) >= ((at - hole) & map->mask)) {
            map->entries[hole] = map->entries[at];
            hole = at;
        }
    }
    map->entries[hole].value = NULL;
    map->count--;
}

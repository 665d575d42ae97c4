#include "id_map.h"

static void place(struct kp_id_map *map, uint32_t id, uint64_t word)
{
    uint32_t i = id & map->mask;

    while (map->entries[i].word && map->entries[i].id != id)
        i = (i + 1) & map->mask;
    map->count += map->entries[i].word == 0;
    map->entries[i] = (struct kp_id_entry){.word = word, .id = id};
}

static int grow(struct kp_id_map *map)
{
    struct kp_id_map larger = {.mask = map->entries ? map->mask * 2 + 1 : 63};

    larger.entries = calloc((size_t)larger.mask + 1, sizeof *larger.entries);
    if (!larger.entries)
        return -1;
    for (uint32_t i = 0; map->entries && i <= map->mask; i++)
        if (map->entries[i].word)
            place(&larger, map->entries[i].id, map->entries[i].word);
    free(map->entries);
    *map = larger;
    return 0;
}

int kp_id_map_put(struct kp_id_map *map, uint32_t id, uint64_t word)
{
    if ((!map->entries || map->count >= map->mask / 4 * 3) && grow(map) < 0)
        return -1;
    place(map, id, word);
    return 0;
}

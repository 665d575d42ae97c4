#include "code_map.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "memory.h"

/* Open addressing with linear probing, at most half full; removal closes the gap, so that there are no
 * tombstones. */
static struct kp_code_record *table;
static uint32_t size, used;

static uint32_t home(const void *code)
{
    return (uint32_t)(((uintptr_t)code >> 4) * 0x9e3779b97f4a7c15u >> 32) & (size - 1);
}

static struct kp_code_record *find(const void *code)
{
    uint32_t at = home(code);

    while (table[at].code && table[at].code != code)
        at = (at + 1) & (size - 1);
    return &table[at];
}

static bool grow(void)
{
    struct kp_code_record *old = table;
    uint32_t old_size = size, new_size = size ? size * 2 : 8192;
    struct kp_code_record *larger = kp_memory_private(new_size * sizeof *larger);

    if (!larger)
        return false;
    table = larger;
    size = new_size;
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i].code)
            *find(old[i].code) = old[i];
    if (old)
        munmap(old, old_size * sizeof *old);
    return true;
}

struct kp_code_record *kp_code_map_get(const void *code)
{
    struct kp_code_record *record;

    if (used * 2 >= size && !grow())
        return NULL;
    record = find(code);
    if (!record->code) {
        *record = (struct kp_code_record){.code = code};
        used++;
    }
    return record;
}

/* An entry may fill the gap if its home is not in the circular interval (gap, entry]. */
static bool may_move(uint32_t gap, uint32_t at)
{
    uint32_t wanted = home(table[at].code);

    return ((at - wanted) & (size - 1)) >= ((at - gap) & (size - 1));
}

bool kp_code_map_remove(const void *code)
{
    struct kp_code_record *record = size ? find(code) : NULL;
    uint32_t gap;

    if (!record || !record->code)
        return false;
    gap = (uint32_t)(record - table);
    for (uint32_t at = (gap + 1) & (size - 1); table[at].code; at = (at + 1) & (size - 1)) {
        if (!may_move(gap, at))
            continue;
        table[gap] = table[at];
        gap = at;
    }
    memset(&table[gap], 0, sizeof table[gap]);
    used--;
    return true;
}

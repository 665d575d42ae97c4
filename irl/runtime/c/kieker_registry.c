#include "kieker_registry.h"

#include <stdlib.h>
#include <string.h>

/* Texts are never moved nor freed before the registry is: records that were read point to them. */
struct entry {
    struct entry *older; /* all entries, for the end */
    uint64_t hash;
    int32_t id;
    char text[];
};

/* Open addressing; sizes are powers of two, at most half full. */
struct table {
    struct entry **slots;
    size_t room, used;
    uint64_t seed; /* odd */
};

struct kieker_registry {
    struct table by_text, by_id;
    struct entry *newest;
    size_t bytes, most_bytes;
    int32_t count;
};

struct kieker_registry *kieker_registry_create(size_t most_bytes)
{
    struct kieker_registry *registry = calloc(1, sizeof *registry);
    if (!registry)
        return NULL;
    registry->most_bytes = most_bytes ? most_bytes : SIZE_MAX;
    /* Places that the peer cannot know: it could choose ids and texts that all want the same one. */
    uint64_t seed = (uint64_t)(uintptr_t)registry * UINT64_C(0x9e3779b97f4a7c15);
    seed = (seed ^ seed >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
    registry->by_id.seed = registry->by_text.seed = (seed ^ seed >> 29) | 1;
    return registry;
}

void kieker_registry_destroy(struct kieker_registry *registry)
{
    if (!registry)
        return;
    for (struct entry *entry = registry->newest, *older; entry; entry = older) {
        older = entry->older;
        free(entry);
    }
    free(registry->by_text.slots);
    free(registry->by_id.slots);
    free(registry);
}

static uint64_t hash_text(uint64_t seed, const char *text, size_t bytes)
{
    uint64_t hash = seed ^ bytes * UINT64_C(0x9e3779b97f4a7c15), eight;
    for (; bytes >= 8; bytes -= 8, text += 8) {
        memcpy(&eight, text, 8);
        hash = (hash ^ eight) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
    }
    eight = 0;
    memcpy(&eight, text, bytes);
    hash = (hash ^ eight) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 29;
}

/* Multiply-shift: two ids want the same place as seldom as by chance, whoever chose them. */
static size_t id_place(const struct table *table, int32_t id)
{
    return (size_t)((uint32_t)id * table->seed >> 32);
}

static struct entry **find_text(const struct table *table, uint64_t hash, const char *text)
{
    for (size_t at = (size_t)hash;; at++) {
        struct entry **slot = &table->slots[at & (table->room - 1)];
        if (!*slot || ((*slot)->hash == hash && !strcmp((*slot)->text, text)))
            return slot;
    }
}

static struct entry **find_id(const struct table *table, int32_t id)
{
    for (size_t at = id_place(table, id);; at++) {
        struct entry **slot = &table->slots[at & (table->room - 1)];
        if (!*slot || (*slot)->id == id)
            return slot;
    }
}

static bool spend(struct kieker_registry *registry, size_t bytes)
{
    if (bytes > registry->most_bytes - registry->bytes)
        return false;
    registry->bytes += bytes;
    return true;
}

static bool grow(struct kieker_registry *registry, struct table *table)
{
    if (table->used < table->room / 2)
        return true;
    struct table larger = {
        .room = table->room ? table->room * 2 : 64, .used = table->used, .seed = table->seed};
    if (!spend(registry, (larger.room - table->room) * sizeof(struct entry *)))
        return false;
    larger.slots = calloc(larger.room, sizeof(struct entry *));
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < table->room; i++) {
        struct entry *entry = table->slots[i];
        if (entry)
            *(table == &registry->by_id ? find_id(&larger, entry->id)
                                        : find_text(&larger, entry->hash, entry->text)) = entry;
    }
    free(table->slots);
    *table = larger;
    return true;
}

static struct entry *make_entry(struct kieker_registry *registry, int32_t id, const char *text, size_t bytes)
{
    size_t size = sizeof(struct entry) + bytes + 1;
    struct entry *entry = bytes < size && spend(registry, size) ? malloc(size) : NULL;
    if (!entry)
        return NULL;
    memcpy(entry->text, text, bytes);
    entry->text[bytes] = 0;
    entry->hash = hash_text(registry->by_text.seed, entry->text, bytes);
    entry->id = id;
    entry->older = registry->newest;
    registry->newest = entry;
    return entry;
}

bool kieker_registry_put(struct kieker_registry *registry, int32_t id, const char *text, size_t bytes)
{
    /* The same again needs no memory: a peer may repeat itself for ever. */
    const char *known = kieker_registry_text(registry, id);
    if (known && strlen(known) == bytes && !memcmp(known, text, bytes))
        return true;
    if (id < 0 || !grow(registry, &registry->by_id))
        return false;
    struct entry *entry = make_entry(registry, id, text, bytes);
    if (!entry)
        return false;
    struct entry **slot = find_id(&registry->by_id, id);
    registry->by_id.used += !*slot;
    *slot = entry;
    if (id >= registry->count)
        registry->count = id == INT32_MAX ? id : id + 1;
    return true;
}

int32_t kieker_registry_id(void *registry_, const char *text)
{
    struct kieker_registry *registry = registry_;
    size_t bytes = strlen(text);
    uint64_t hash = hash_text(registry->by_text.seed, text, bytes);
    struct entry *known = registry->by_text.room ? *find_text(&registry->by_text, hash, text) : NULL;
    if (known)
        return known->id;
    int32_t id = registry->count;
    if (id == INT32_MAX || !grow(registry, &registry->by_text) ||
        !kieker_registry_put(registry, id, text, bytes))
        return -1;
    *find_text(&registry->by_text, hash, text) = *find_id(&registry->by_id, id);
    registry->by_text.used++;
    return id;
}

const char *kieker_registry_text(void *registry_, int32_t id)
{
    struct kieker_registry *registry = registry_;
    if (id < 0 || !registry->by_id.room)
        return NULL;
    struct entry *entry = *find_id(&registry->by_id, id);
    return entry ? entry->text : NULL;
}

int32_t kieker_registry_count(const struct kieker_registry *registry)
{
    return registry->count;
}

size_t kieker_registry_bytes(const struct kieker_registry *registry)
{
    return registry->bytes;
}

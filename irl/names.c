#include "names.h"

#include <string.h>

#include "trace/nearest.h"

struct kp_irl_names_entry {
    const char *name;
    uint64_t hash;
    void *thing;
};

/* FNV-1a, its high half folded in because the index is taken from the low bits. */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

static struct kp_irl_names_entry *find(const struct kp_irl_names_table *table, const char *name,
                                       uint64_t hash)
{
    for (size_t i = hash;; i++) {
        struct kp_irl_names_entry *entry = &table->entries[i & (table->room - 1)];
        if (!entry->name || (entry->hash == hash && !strcmp(entry->name, name)))
            return entry;
    }
}

static void grow(struct kp_arena *arena, struct kp_irl_names_table *table)
{
    struct kp_irl_names_table larger = {.count = table->count, .room = table->room ? 2 * table->room : 16};
    larger.entries = kp_irl_get(arena, larger.room * sizeof *larger.entries);
    for (size_t i = 0; i < table->room; i++)
        if (table->entries[i].name)
            *find(&larger, table->entries[i].name, table->entries[i].hash) = table->entries[i];
    *table = larger;
}

void **kp_irl_names_put(struct kp_arena *arena, struct kp_irl_names_table *table, const char *name)
{
    if (2 * table->count >= table->room)
        grow(arena, table);
    uint64_t hash = hash_of(name);
    struct kp_irl_names_entry *entry = find(table, name, hash);
    if (!entry->name) {
        entry->name = name;
        entry->hash = hash;
        table->count++;
    }
    return &entry->thing;
}

void *kp_irl_names_get(const struct kp_irl_names_table *table, const char *name)
{
    return table->room ? find(table, name, hash_of(name))->thing : NULL;
}

void kp_irl_guess_offer(struct kp_irl_guess *guess, const char *name)
{
    size_t wanted = strlen(guess->wanted), offered = strlen(name);
    size_t apart = wanted > offered ? wanted - offered : offered - wanted;
    if (apart > 1 + wanted / 4) /* cheap, and true of nearly all names of a large model */
        return;
    unsigned distance = kp_nearest_distance(guess->wanted, name);
    if (strcmp(guess->wanted, name) && kp_nearest_plausible(guess->wanted, distance) &&
        (!guess->best || distance < guess->distance)) {
        guess->best = name;
        guess->distance = distance;
    }
}

const char *kp_irl_guess_text(struct kp_arena *arena, const struct kp_irl_guess *guess)
{
    return guess->best ? kp_irl_format(arena, "; did you mean '%s'?", guess->best) : "";
}

bool kp_irl_name_is_among(const char *words, const char *name)
{
    size_t bytes = strlen(name);
    for (const char *at = words; (at = strstr(at, name)); at += bytes)
        if ((at == words || at[-1] == ' ') && (at[bytes] == ' ' || !at[bytes]))
            return true;
    return false;
}

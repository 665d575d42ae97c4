#include "manual_names.h"

#include <stdatomic.h>
#include <string.h>

#ifndef __clang_analyzer__ /* its paths into the hash are not ours to mend */
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include "memory.h"

#define ROWS (2 * KP_MANUAL_NAMES_MAX) /* open addressing, at most half full */

struct row {
    _Atomic uint64_t hash; /* 0: free. Release: value is there */
    uint32_t value;
};

static _Atomic(struct row *) table;
static uint32_t count;

uint64_t kp_manual_hash(unsigned kind, const char *text, const char *more)
{
    uint64_t hash = XXH64(text, strlen(text), kind);

    if (more)
        hash = XXH64(more, strlen(more), hash);
    return hash ? hash : 1;
}

static struct row *place(struct row *rows, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (ROWS - 1);
    uint64_t there;

    while ((there = atomic_load_explicit(&rows[at].hash, memory_order_acquire)) && there != hash)
        at = (at + 1) & (ROWS - 1);
    return &rows[at];
}

uint32_t kp_manual_name(uint64_t hash)
{
    struct row *rows = atomic_load_explicit(&table, memory_order_acquire), *row;

    if (!rows)
        return 0;
    row = place(rows, hash);
    return atomic_load_explicit(&row->hash, memory_order_acquire) ? row->value : 0;
}

bool kp_manual_keep(uint64_t hash, uint32_t value)
{
    struct row *rows = atomic_load_explicit(&table, memory_order_acquire), *row;

    if (!rows) {
        rows = kp_memory_private(ROWS * sizeof *rows);
        if (!rows)
            return false;
        atomic_store_explicit(&table, rows, memory_order_release);
    }
    if (count == KP_MANUAL_NAMES_MAX)
        return false;
    row = place(rows, hash);
    if (atomic_load_explicit(&row->hash, memory_order_relaxed))
        return false;
    row->value = value;
    atomic_store_explicit(&row->hash, hash, memory_order_release);
    count++;
    return true;
}

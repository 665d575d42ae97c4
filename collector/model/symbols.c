#include "symbols.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

struct kp_symbols {
    struct kp_symbol **slots; /* hash table, linear probing; NULL: free */
    size_t capacity;
    struct kp_symbol **all; /* by index */
    size_t count, all_capacity;
};

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

static uint64_t hash_function(const struct kp_function *function)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ function->kind ^ (uint64_t)function->line << 8;
    return hash_text(hash_text(hash, function->name), function->file);
}

static bool same(const struct kp_symbol *symbol, const struct kp_function *function, uint64_t hash)
{
    return symbol->hash == hash && symbol->kind == function->kind && symbol->line == function->line &&
           !strcmp(symbol->name, function->name) && !strcmp(symbol->file, function->file);
}

static void grow(struct kp_symbols *symbols)
{
    free(symbols->slots);
    symbols->capacity = symbols->capacity ? 2 * symbols->capacity : 1024;
    symbols->slots = kp_allocate_cleared(symbols->capacity, sizeof *symbols->slots);
    for (size_t i = 0; i < symbols->count; i++) {
        size_t slot = symbols->all[i]->hash & (symbols->capacity - 1);
        while (symbols->slots[slot])
            slot = (slot + 1) & (symbols->capacity - 1);
        symbols->slots[slot] = symbols->all[i];
    }
}

static struct kp_symbol *create(struct kp_symbols *symbols, const struct kp_function *function, uint64_t hash)
{
    struct kp_symbol *symbol = kp_allocate(sizeof *symbol);
    *symbol = (struct kp_symbol){.index = symbols->count,
                                 .kind = function->kind,
                                 .line = function->line,
                                 .name = function->name,
                                 .file = function->file,
                                 .hash = hash};
    symbols->all = kp_grow(symbols->all, &symbols->all_capacity, symbols->count, sizeof *symbols->all);
    symbols->all[symbols->count++] = symbol;
    return symbol;
}

struct kp_symbol *kp_symbols_add(struct kp_symbols *symbols, struct kp_function *function)
{
    if (2 * (symbols->count + 1) > symbols->capacity)
        grow(symbols);
    uint64_t hash = hash_function(function);
    size_t slot = hash & (symbols->capacity - 1);
    while (symbols->slots[slot] && !same(symbols->slots[slot], function, hash))
        slot = (slot + 1) & (symbols->capacity - 1);
    if (!symbols->slots[slot])
        symbols->slots[slot] = create(symbols, function, hash);
    function->user = symbols->slots[slot];
    return function->user;
}

struct kp_symbols *kp_symbols_create(void)
{
    return kp_allocate_cleared(1, sizeof(struct kp_symbols));
}

void kp_symbols_destroy(struct kp_symbols *symbols)
{
    for (size_t i = 0; i < symbols->count; i++)
        free(symbols->all[i]);
    free(symbols->all);
    free(symbols->slots);
    free(symbols);
}

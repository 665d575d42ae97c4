/*
 * Symbols: one per function across processes. Functions of the same kind, name, file and line are the same
 * symbol, in however many processes they were defined.
 */
#ifndef KP_COLLECTOR_MODEL_SYMBOLS_H
#define KP_COLLECTOR_MODEL_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "trace/reader.h"

struct kp_symbol {
    size_t index; /* from 0, in order of appearance */
    uint8_t kind; /* enum kp_function_kind; 0: its definition is missing */
    uint32_t line;
    const char *name; /* both belong to the reader (or the call tree) */
    const char *file;
    uint64_t hash;
};

struct kp_symbols;

struct kp_symbols *kp_symbols_create(void);
void kp_symbols_destroy(struct kp_symbols *symbols);

/* The symbol of a function, valid as long as `symbols`. Kept in function->user: constant time after the
 * first. */
struct kp_symbol *kp_symbols_add(struct kp_symbols *symbols, struct kp_function *function);

static inline struct kp_symbol *kp_symbols_get(struct kp_symbols *symbols, struct kp_function *function)
{
    return function->user ? function->user : kp_symbols_add(symbols, function);
}

#endif

#include "model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct kp_irl_base_row kp_irl_bases[KP_IRL_BASE_COUNT] = {
#define KP_IRL_BASE(symbol, name, bytes, descriptor) {name, bytes, descriptor},
#include "base_types.def"
#undef KP_IRL_BASE
};

void kp_irl_out_of_memory(void)
{
    fputs("kprobe irl: out of memory\n", stderr);
    exit(1);
}

static void *or_end(void *memory)
{
    if (!memory)
        kp_irl_out_of_memory();
    return memory;
}

void *kp_irl_get(struct kp_arena *arena, size_t bytes)
{
    return or_end(kp_arena_get(arena, bytes));
}

char *kp_irl_copy(struct kp_arena *arena, const char *text, size_t bytes)
{
    return or_end(kp_arena_copy(arena, text, bytes));
}

char *kp_irl_format(struct kp_arena *arena, const char *format, ...)
{
    /* Most texts are short: printed once, and not only counted the first time. */
    char small[256];
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    size_t bytes = (size_t)vsnprintf(small, sizeof small, format, arguments);
    va_end(arguments);
    char *text = bytes < sizeof small ? kp_irl_copy(arena, small, bytes) : kp_irl_get(arena, bytes + 1);
    if (bytes >= sizeof small)
        vsnprintf(text, bytes + 1, format, again);
    va_end(again);
    return text;
}

void kp_irl_grow(struct kp_arena *arena, void **items, size_t count, size_t *room, size_t item_bytes)
{
    if (count < *room)
        return;
    size_t more = count ? count * 2 : 4; /* a list may be one that shares its items, without room */
    void *grown = kp_irl_get(arena, more * item_bytes);
    if (count)
        memcpy(grown, *items, count * item_bytes);
    *items = grown;
    *room = more;
}

bool kp_irl_type_equal(const struct kp_irl_type *a, const struct kp_irl_type *b)
{
    if (a->kind != b->kind || a->dimension_count != b->dimension_count)
        return false;
    for (size_t i = 0; i < a->dimension_count; i++)
        if (a->dimensions[i] != b->dimensions[i])
            return false;
    switch (a->kind) {
    case KP_IRL_TYPE_BASE:
        return a->base == b->base;
    case KP_IRL_TYPE_ENUM:
    case KP_IRL_TYPE_RECORD:
        return a->reference.target == b->reference.target;
    default:
        return !strcmp(kp_irl_type_name(a), kp_irl_type_name(b));
    }
}

const char *kp_irl_type_name(const struct kp_irl_type *type)
{
    if (type->kind == KP_IRL_TYPE_BASE)
        return kp_irl_bases[type->base].name;
    if (type->reference.target)
        return type->reference.target->name.text;
    return type->reference.name.text ? type->reference.name.text : "";
}

unsigned kp_irl_type_element_bytes(const struct kp_irl_type *type)
{
    return kp_irl_bases[type->kind == KP_IRL_TYPE_BASE ? type->base : KP_IRL_INT].wire_bytes;
}

const struct kp_irl_value *kp_irl_value_follow(const struct kp_irl_value *value)
{
    static const struct kp_irl_value nothing = {.kind = KP_IRL_VALUE_NONE};
    /* A constant whose value is itself, by any number of others, has none; that was reported. */
    for (unsigned steps = 0; value->kind == KP_IRL_VALUE_CONSTANT; steps++) {
        if (!value->constant || steps > 1000)
            return &nothing;
        value = &value->constant->value;
    }
    return value;
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static char upper(char c)
{
    return is_lower(c) ? (char)(c - 'a' + 'A') : c;
}

static char lower(char c)
{
    return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

/* `_` between a lower-case letter and an upper-case one, all letters through `turn` */
static const char *split_words(struct kp_arena *arena, const char *name, char (*turn)(char))
{
    char *out = kp_irl_get(arena, 2 * strlen(name) + 1);
    char *at = out;
    for (const char *c = name; *c; c++) {
        if (c > name && is_upper(*c) && is_lower(c[-1]))
            *at++ = '_';
        *at++ = turn(*c);
    }
    return out;
}

const char *kp_irl_name_constant(struct kp_arena *arena, const char *name)
{
    return split_words(arena, name, upper);
}

const char *kp_irl_name_snake(struct kp_arena *arena, const char *name)
{
    return split_words(arena, name, lower);
}

const char *kp_irl_name_file(struct kp_arena *arena, const char *name)
{
    char *out = kp_irl_get(arena, 2 * strlen(name) + 1);
    char *at = out;
    for (const char *c = name; *c; c++) {
        if (is_upper(*c) && c > name)
            *at++ = '_';
        *at++ = lower(*c);
    }
    return out;
}

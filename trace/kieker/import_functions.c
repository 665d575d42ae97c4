#include <stdlib.h>
#include <string.h>

#ifndef __clang_analyzer__ /* its paths into the hash are not ours to mend */
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include "import_private.h"

/* Signatures are few; who sends more means no good. */
#define MOST_BYTES ((size_t)256 << 20)

static bool same(const struct kp_import_function *function, struct kp_text operation,
                 struct kp_text class_name)
{
    return function->operation_bytes == operation.count && function->class_bytes == class_name.count &&
           !memcmp(function->text, operation.bytes, operation.count) &&
           !memcmp(function->text + operation.count, class_name.bytes, class_name.count);
}

static bool grow_slots(struct kp_import_functions *functions)
{
    size_t mask = functions->slots ? 2 * functions->mask + 1 : 1023;
    uint32_t *slots = calloc(mask + 1, sizeof *slots);

    if (!slots)
        return false;
    for (uint32_t id = 1; id < functions->count; id++) {
        size_t at = functions->list[id].hash & mask;

        while (slots[at])
            at = (at + 1) & mask;
        slots[at] = id;
    }
    free(functions->slots);
    functions->slots = slots;
    functions->mask = mask;
    return true;
}

static bool make_room(struct kp_import_functions *functions)
{
    if (functions->count == functions->room) {
        uint32_t room = functions->room ? 2 * functions->room : 256;
        struct kp_import_function *grown = realloc(functions->list, room * sizeof *grown);

        if (!grown)
            return false;
        functions->list = grown;
        functions->room = room;
        functions->count += functions->count == 0; /* 0 is no id */
    }
    return (functions->slots && functions->count <= functions->mask / 2) || grow_slots(functions);
}

static char *copy(struct kp_import_functions *functions, struct kp_text a, struct kp_text b)
{
    char *text = kp_arena_get(&functions->arena, a.count + b.count + 1);

    if (text && a.count)
        memcpy(text, a.bytes, a.count);
    if (text && b.count)
        memcpy(text + a.count, b.bytes, b.count);
    return text;
}

static uint32_t add(struct kp_kieker_import *import, struct kp_import_function function,
                    struct kp_text operation, struct kp_text class_name, const char *name)
{
    struct kp_import_functions *functions = &import->functions;
    uint32_t id = functions->count;
    size_t at;

    function.text = copy(functions, operation, class_name);
    function.name = kp_arena_copy(&functions->arena, name, strlen(name));
    if (!function.text || !function.name)
        return 0;
    functions->bytes += operation.count + class_name.count + strlen(name) + sizeof function + 16;
    functions->list[id] = function;
    functions->count++;
    for (at = function.hash & functions->mask; functions->slots[at];)
        at = (at + 1) & functions->mask;
    functions->slots[at] = id;
    return id;
}

typedef enum kp_function_kind naming(const struct kp_kieker_import *import, struct kp_text operation,
                                     struct kp_text class_name, char *out, size_t room);

static uint32_t make(struct kp_kieker_import *import, uint64_t hash, struct kp_text operation,
                     struct kp_text class_name, naming *name_it)
{
    struct kp_import_functions *functions = &import->functions;
    struct kp_import_function function = {.hash = hash};
    char name[4096];
    uint32_t id = 0;

    if (!make_room(functions)) {
        kp_import_check(import, KP_ERROR_NO_MEMORY);
        return 0;
    }
    function.operation_bytes = (uint32_t)operation.count;
    function.class_bytes = (uint32_t)class_name.count;
    if (functions->bytes < MOST_BYTES) {
        function.kind = (uint8_t)name_it(import, operation, class_name, name, sizeof name);
        id = add(import, function, operation, class_name, name);
    } else {
        kp_import_check(import, KP_ERROR_FULL);
        return 0;
    }
    if (!id)
        kp_import_check(import, KP_ERROR_NO_MEMORY);
    return id;
}

static uint32_t find(struct kp_kieker_import *import, struct kp_text operation, struct kp_text class_name,
                     naming *name_it, uint64_t salt)
{
    struct kp_import_functions *functions = &import->functions;
    uint64_t hash;

    if (!functions->seed)
        functions->seed = (uint64_t)(uintptr_t)import * UINT64_C(0x9e3779b97f4a7c15);
    hash = XXH3_64bits_withSeed(operation.bytes, operation.count, functions->seed ^ salt);
    hash = XXH3_64bits_withSeed(class_name.bytes, class_name.count, hash);
    if (functions->slots)
        for (size_t at = hash & functions->mask; functions->slots[at]; at = (at + 1) & functions->mask) {
            const struct kp_import_function *function = &functions->list[functions->slots[at]];

            if (function->hash == hash && same(function, operation, class_name))
                return functions->slots[at];
        }
    return make(import, hash, operation, class_name, name_it);
}

uint32_t kp_import_function(struct kp_kieker_import *import, struct kp_text operation,
                            struct kp_text class_name)
{
    return find(import, operation, class_name, kp_import_name, 0);
}

static enum kp_function_kind name_exception(const struct kp_kieker_import *import, struct kp_text cause,
                                            struct kp_text nothing, char *out, size_t room)
{
    (void)nothing;
    return kp_import_exception_name(import, cause, out, room);
}

/* The message is not for a trace: it may say anything, and each time something else. */
static struct kp_text type_of(struct kp_text cause)
{
    size_t count = 0;

    while (count < cause.count && !strchr(":( \t", cause.bytes[count]))
        count++;
    return (struct kp_text){cause.bytes, count};
}

uint32_t kp_import_exception(struct kp_kieker_import *import, struct kp_text cause)
{
    struct kp_text type = type_of(cause);

    if (!type.count || (type.count == 7 && !memcmp(type.bytes, "unknown", 7)))
        return 0;
    return find(import, type, (struct kp_text){"", 0}, name_exception, 1);
}

bool kp_import_same_operation(const struct kp_kieker_import *import, uint32_t a, uint32_t b)
{
    const struct kp_import_function *one = &import->functions.list[a], *other = &import->functions.list[b];

    return a == b || (one->operation_bytes == other->operation_bytes &&
                      !memcmp(one->text, other->text, one->operation_bytes));
}

void kp_import_functions_free(struct kp_import_functions *functions)
{
    kp_arena_free(&functions->arena);
    free(functions->list);
    free(functions->slots);
    *functions = (struct kp_import_functions){0};
}

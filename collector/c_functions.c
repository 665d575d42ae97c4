#include "c_functions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "debug/demangle.h"
#include "util/memory.h"

/* Debug information of an object as it was when it was traced; opened once, NULL when there is none. */
struct object {
    const char *path, *build_id;
    struct kp_debug_info *info;
};

/* What a definition said before it was described, and the texts made for it. */
struct described {
    const struct kp_function *function;
    struct object *object;
    uint64_t offset;
    char *name, *place; /* NULL: not ours */
};

struct kp_c_functions {
    bool sources, demangle;
    struct object **objects;
    size_t object_count, object_capacity;
    struct described *slots; /* hash table by address of the function, linear probing */
    size_t count, capacity;
};

struct kp_c_functions *kp_c_functions_create(bool sources, bool demangle)
{
    struct kp_c_functions *functions = kp_allocate_cleared(1, sizeof *functions);
    functions->sources = sources;
    functions->demangle = demangle;
    return functions;
}

void kp_c_functions_destroy(struct kp_c_functions *functions)
{
    if (!functions)
        return;
    for (size_t i = 0; i < functions->capacity; i++) {
        free(functions->slots[i].name);
        free(functions->slots[i].place);
    }
    for (size_t i = 0; i < functions->object_count; i++) {
        kp_debug_info_close(functions->objects[i]->info);
        free(functions->objects[i]);
    }
    free(functions->objects);
    free(functions->slots);
    free(functions);
}

/* --- objects --- */

/* Without a build id nothing proves that the file there is still the one that was traced. */
static const char *build_id_of(const struct kp_process *process, const char *path)
{
    for (const struct kp_object *object = process->objects; object; object = object->next)
        if (!strcmp(object->path, path))
            return object->build_id;
    return "";
}

static struct object *get_object(struct kp_c_functions *functions, const struct kp_process *process,
                                 const char *path)
{
    const char *build_id = build_id_of(process, path);
    for (size_t i = functions->object_count; i-- > 0;)
        if (!strcmp(functions->objects[i]->path, path) && !strcmp(functions->objects[i]->build_id, build_id))
            return functions->objects[i];
    struct object *object = kp_allocate(sizeof *object);
    *object = (struct object){path, build_id, *build_id ? kp_debug_info_open(path, build_id) : NULL};
    functions->objects = kp_grow(functions->objects, &functions->object_capacity, functions->object_count,
                                 sizeof(struct object *));
    functions->objects[functions->object_count++] = object;
    return object;
}

/* --- what was described --- */

static struct described *find_slot(const struct kp_c_functions *functions, const struct kp_function *function)
{
    size_t slot = ((uintptr_t)function >> 4) * 0x9e3779b1u & (functions->capacity - 1);
    while (functions->slots[slot].function && functions->slots[slot].function != function)
        slot = (slot + 1) & (functions->capacity - 1);
    return &functions->slots[slot];
}

static void grow_slots(struct kp_c_functions *functions)
{
    struct kp_c_functions larger = {.capacity = functions->capacity ? 2 * functions->capacity : 256};
    larger.slots = kp_allocate_cleared(larger.capacity, sizeof *larger.slots);
    for (size_t i = 0; i < functions->capacity; i++)
        if (functions->slots[i].function)
            *find_slot(&larger, functions->slots[i].function) = functions->slots[i];
    free(functions->slots);
    functions->slots = larger.slots;
    functions->capacity = larger.capacity;
}

static const struct kp_debug_function *find_debug(const struct described *described)
{
    return described->object && described->object->info
               ? kp_debug_info_find(described->object->info, described->offset)
               : NULL;
}

static void describe_place(struct kp_c_functions *functions, struct described *described,
                           struct kp_function *function)
{
    const struct kp_debug_function *debug = functions->sources ? find_debug(described) : NULL;
    if (debug && *debug->file && debug->line) {
        function->file = debug->file;
        function->line = debug->line;
        return;
    }
    described->place = kp_format_text("%s+0x%" PRIx64, function->file, described->offset);
    function->file = described->place;
    function->line = 0;
}

void kp_c_functions_describe(struct kp_c_functions *functions, struct kp_function *function)
{
    if (function->kind != KP_FUNCTION_C)
        return;
    if (2 * (functions->count + 1) > functions->capacity)
        grow_slots(functions);
    struct described *described = find_slot(functions, function);
    if (described->function)
        return;
    functions->count++;
    *described = (struct described){.function = function, .offset = function->line};
    if (functions->demangle && (described->name = kp_demangle_name(function->name, false)))
        function->name = described->name;
    if (!*function->file)
        return;
    described->object = get_object(functions, function->process, function->file);
    describe_place(functions, described, function);
}

const struct kp_prototype *kp_c_functions_prototype(struct kp_c_functions *functions,
                                                    const struct kp_function *function)
{
    if (!functions || !functions->count)
        return NULL;
    const struct kp_debug_function *debug = find_debug(find_slot(functions, function));
    return debug ? debug->prototype : NULL;
}

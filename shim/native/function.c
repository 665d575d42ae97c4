#include "function.h"

#include <stdio.h>
#include <string.h>

#include "call.h"
#include "core.h"
#include "log.h"
#include "memory.h"
#include "registry.h"
#include "trace/capture.h"

#define OBJECTS_MAX  4096u
#define BUILD_ID_MAX 64u

/* Texts for the slow path. */
struct names {
    const char *name; /* of the symbol */
    uint32_t object;
    uint32_t next; /* of the same hash; 0: none */
    uint64_t offset;
    const struct kp_capture *capture; /* NULL: none */
};

struct object {
    const char *name, *path;
    char build_id[2 * BUILD_ID_MAX + 1];
    bool defined; /* carried over from mapping to mapping, as functions are */
};

/* Number 0 stays unused: 0 ends a chain. */
struct kp_native_function kp_native_functions[KP_CALL_THUNKS];
static struct names names[KP_CALL_THUNKS];
static uint32_t chains[KP_CALL_THUNKS];
static struct object objects[OBJECTS_MAX];
static struct kp_memory_texts texts;
static uint32_t object_count, count = 1, refused;

pthread_mutex_t kp_native_lock = PTHREAD_MUTEX_INITIALIZER;

static void put_hex(char *out, const uint8_t *bytes, unsigned count_bytes)
{
    for (unsigned i = 0; i < count_bytes && i < BUILD_ID_MAX; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* OBJECTS_MAX: no room. */
static uint32_t find_object(const struct kp_native_symbol *symbol)
{
    uint32_t i = object_count;
    char id[2 * BUILD_ID_MAX + 1] = "";

    put_hex(id, symbol->build_id, symbol->build_id_bytes);
    /* The last one first: symbols come object by object. */
    while (i > 0 &&
           (strcmp(objects[i - 1].path, symbol->path) != 0 || strcmp(objects[i - 1].build_id, id) != 0))
        i--;
    if (i > 0)
        return i - 1;
    if (object_count == OBJECTS_MAX)
        return OBJECTS_MAX;
    objects[object_count].name = kp_memory_keep(&texts, symbol->object);
    objects[object_count].path = kp_memory_keep(&texts, symbol->path);
    memcpy(objects[object_count].build_id, id, sizeof id);
    if (!objects[object_count].name || !objects[object_count].path)
        return OBJECTS_MAX;
    return object_count++;
}

static uint32_t *chain_of(const struct kp_native_symbol *symbol)
{
    uint32_t hash = (uint32_t)((uintptr_t)symbol->target >> 4);

    for (const char *at = symbol->name; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 0x01000193u;
    return &chains[hash % KP_CALL_THUNKS];
}

static uint32_t make(const struct kp_native_symbol *symbol, uint32_t *chain)
{
    uint32_t object = count < KP_CALL_THUNKS ? find_object(symbol) : OBJECTS_MAX;
    const char *name = object < OBJECTS_MAX ? kp_memory_keep(&texts, symbol->name) : NULL;

    if (!name) {
        if (!refused++)
            kp_log(KP_LEVEL_WARN, "no room for more C functions than %u: the others are not traced",
                   count - 1);
        return 0;
    }
    names[count] = (struct names){.name = name, .object = object, .next = *chain, .offset = symbol->offset};
    kp_native_functions[count] =
        (struct kp_native_function){.target = symbol->target, .class = (uint8_t)symbol->class};
    *chain = count;
    return count++;
}

void *kp_native_thunk(const struct kp_native_symbol *symbol)
{
    uint32_t *chain = chain_of(symbol), index = *chain;

    while (index && (kp_native_functions[index].target != symbol->target ||
                     strcmp(names[index].name, symbol->name) != 0))
        index = names[index].next;
    if (!index)
        index = make(symbol, chain);
    return index ? (void *)kp_call_thunks[index] : NULL;
}

struct kp_native_function *kp_native_moved(const struct kp_native_symbol *symbol, void *moved)
{
    struct kp_native_symbol at = *symbol;
    uint32_t index;

    at.target = moved;
    index = make(&at, chain_of(&at));
    return index ? &kp_native_functions[index] : NULL;
}

void *kp_native_target(void *address)
{
    uintptr_t place = (uintptr_t)address - (uintptr_t)kp_call_thunks;

    return place < sizeof *kp_call_thunks * KP_CALL_THUNKS
               ? kp_native_functions[place / sizeof *kp_call_thunks].target
               : address;
}

/* Stays in place as long as the process lives: a call may be looking at it. */
static bool set_capture(uint32_t index, const struct kp_capture *capture)
{
    struct kp_capture *kept;

    kp_native_functions[index].captures = false;
    if (kp_capture_is_empty(capture))
        return true;
    kept = kp_memory_private(sizeof *kept);
    if (!kept)
        return false;
    *kept = *capture;
    names[index].capture = kept;
    kp_native_functions[index].captures = true;
    return true;
}

const struct kp_capture *kp_native_capture(const struct kp_native_function *function)
{
    return names[function - kp_native_functions].capture;
}

/* With kp_core.lock held. */
static uint32_t decide(uint32_t index)
{
    struct object *object = &objects[names[index].object];
    char name[4096];
    int bytes = snprintf(name, sizeof name, "%s:%s", object->name, names[index].name);
    struct kp_capture capture;
    uint32_t id;

    if (bytes >= (int)sizeof name)
        bytes = sizeof name - 1;
    if (!kp_rules_match_call(&kp_core.rules, name, &capture) || !set_capture(index, &capture))
        return KP_NATIVE_PASS;
    if (!kp_core.shm && !kp_core_start())
        return KP_NATIVE_UNDECIDED;
    if (!object->defined)
        object->defined = kp_registry_object(object->path, object->build_id);
    id = kp_registry_function(KP_FUNCTION_C, name, (size_t)bytes, object->path, strlen(object->path),
                              (uint32_t)names[index].offset);
    return id ? id : KP_NATIVE_PASS;
}

uint32_t kp_native_decide(struct kp_native_function *function)
{
    uint32_t id;

    kp_core_lock();
    id = atomic_load_explicit(&function->id, memory_order_relaxed);
    /* Another thread may have been first. */
    if (id == KP_NATIVE_UNDECIDED)
        id = decide((uint32_t)(function - kp_native_functions));
    atomic_store_explicit(&function->id, id, memory_order_release);
    kp_core_unlock();
    return id;
}

void kp_native_forget(void)
{
    for (uint32_t i = 1; i < KP_CALL_THUNKS && kp_native_functions[i].target; i++)
        atomic_store_explicit(&kp_native_functions[i].id, KP_NATIVE_UNDECIDED, memory_order_release);
}

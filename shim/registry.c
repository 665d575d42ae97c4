#include "registry.h"

#include <string.h>
#include <sys/mman.h>

#ifndef __clang_analyzer__ /* its paths into the hash are not ours to mend */
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include "core.h"
#include "log.h"
#include "memory.h"
#include "trace/def.h"

/* Pages of the definitions are reserved in steps of this. */
#define STEP_BYTES (256u << 10)

/* Open addressing; at most half full. 64-bit hashes stand for the identity: a collision needs billions of
 * functions. */
struct row {
    uint64_t hash;
    uint32_t id;
};

static struct row *table;
static uint32_t table_size; /* power of two */
static uint32_t count;      /* ids given out: 1..count */
static uint64_t reserved;   /* bytes of the definitions that have pages */
/* Bytes of definitions; a copy of defs_head in private memory: a forked child finds what there was at the
 * fork, while its parent already goes on in the mapping that both share. */
static uint64_t published;
static bool full_said;

static bool make_room(struct kp_shm_control *shm, uint64_t need)
{
    if (need > shm->defs_bytes)
        return false;
    while (reserved < need) {
        if (!kp_memory_reserve(shm, shm->defs_offset + reserved, STEP_BYTES))
            return false;
        reserved += STEP_BYTES;
    }
    return true;
}

static bool publish(const struct kp_def *def, size_t text_bytes)
{
    struct kp_shm_control *shm = kp_core.shm;
    uint64_t head = atomic_load_explicit(&shm->defs_head, memory_order_relaxed);

    if (!make_room(shm, head + KP_DEF_ROOM(text_bytes))) {
        if (!full_said)
            kp_log(KP_LEVEL_WARN, "no room for more definitions: functions not seen so far are not recorded");
        full_said = true;
        return false;
    }
    head += kp_def_put((uint8_t *)shm + shm->defs_offset + head, def);
    /* Pairs with the acquire in drain_defs: an event that refers to this comes later. */
    atomic_store_explicit(&shm->defs_head, head, memory_order_release);
    published = head;
    return true;
}

static bool grow_table(void)
{
    uint32_t size = table_size ? table_size * 2 : 4096;
    struct row *larger = kp_memory_private(size * sizeof *larger);

    if (!larger)
        return false;
    for (uint32_t i = 0; i < table_size; i++) {
        uint32_t at = (uint32_t)table[i].hash & (size - 1);

        if (!table[i].id)
            continue;
        while (larger[at].id)
            at = (at + 1) & (size - 1);
        larger[at] = table[i];
    }
    if (table)
        munmap(table, table_size * sizeof *table);
    table = larger;
    table_size = size;
    return true;
}

static struct row *find(uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (table_size - 1);

    while (table[at].id && table[at].hash != hash)
        at = (at + 1) & (table_size - 1);
    return &table[at];
}

/* A cut name ends in an ellipsis and not in the middle of a UTF-8 character. */
static struct kp_text cut(const char *text, size_t bytes, char *scratch)
{
    size_t end = KP_NAME_BYTES_MAX - 3;

    if (bytes <= KP_NAME_BYTES_MAX)
        return (struct kp_text){text, bytes};
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    memcpy(scratch, text, end);
    memcpy(scratch + end, "\xe2\x80\xa6", 3);
    return (struct kp_text){scratch, end + 3};
}

static uint64_t identity(const struct kp_def *def)
{
    uint64_t head = (uint64_t)def->function.kind << 32 | def->function.line;
    uint64_t name = XXH64(def->function.name.bytes, def->function.name.count, head);

    return XXH64(def->function.file.bytes, def->function.file.count, name);
}

uint32_t kp_registry_function(enum kp_function_kind kind, const char *name, size_t name_bytes,
                              const char *file, size_t file_bytes, uint32_t line)
{
    const struct kp_def def = {
        .type = KP_DEF_FUNCTION,
        .function = {
            .kind = (uint8_t)kind, .line = line, .name = {name, name_bytes}, .file = {file, file_bytes}}};

    return kp_registry_define(&def);
}

uint32_t kp_registry_define(const struct kp_def *function)
{
    static char name_cut[KP_NAME_BYTES_MAX], file_cut[KP_NAME_BYTES_MAX];
    struct kp_def def = *function;
    uint64_t hash;
    struct row *row;

    def.function.name = cut(function->function.name.bytes, function->function.name.count, name_cut);
    def.function.file = cut(function->function.file.bytes, function->function.file.count, file_cut);
    if (count * 2 >= table_size && !grow_table())
        return 0;
    hash = identity(&def);
    row = find(hash);
    if (row->id)
        return row->id;
    if (!kp_core.shm && !kp_core_start())
        return 0;
    def.function.id = count + 1;
    if (!publish(&def, def.function.name.count + def.function.file.count))
        return 0;
    *row = (struct row){hash, ++count};
    return count;
}

bool kp_registry_thread(const struct kp_shm_thread *thread)
{
    struct kp_def def = {.type = KP_DEF_THREAD};

    def.thread.number = thread->number;
    def.thread.tid = thread->tid;
    def.thread.base_depth = thread->base_depth;
    def.thread.start_ticks = thread->start_ticks;
    def.thread.name = (struct kp_text){thread->name, strnlen(thread->name, sizeof thread->name)};
    return publish(&def, sizeof thread->name);
}

bool kp_registry_object(const char *path, const char *build_id)
{
    struct kp_def def = {.type = KP_DEF_OBJECT};

    def.object.path = (struct kp_text){path, strlen(path)};
    def.object.build_id = (struct kp_text){build_id, strlen(build_id)};
    return publish(&def, def.object.path.count + def.object.build_id.count);
}

bool kp_registry_meta(const char *key, const char *value)
{
    struct kp_def def = {.type = KP_DEF_META};

    def.meta.key = (struct kp_text){key, strlen(key)};
    def.meta.value = (struct kp_text){value, strlen(value)};
    return publish(&def, def.meta.key.count + def.meta.value.count);
}

uint32_t kp_registry_count(void)
{
    return count;
}

uint64_t kp_registry_bytes(void)
{
    return published;
}

bool kp_registry_carry(struct kp_shm_control *to, const struct kp_shm_control *from, uint64_t bytes)
{
    const uint8_t *at = (const uint8_t *)from + from->defs_offset, *end = at + bytes;
    uint8_t *out = (uint8_t *)to + to->defs_offset;
    struct kp_def def;

    reserved = 0;
    full_said = false;
    if (!make_room(to, bytes))
        return false;
    for (const uint8_t *record = at; kp_def_get(&at, end, &def) == KP_OK; record = at) {
        if (def.type != KP_DEF_FUNCTION && def.type != KP_DEF_OBJECT)
            continue;
        memcpy(out, record, (size_t)(at - record));
        out += at - record;
    }
    published = (uint64_t)(out - ((uint8_t *)to + to->defs_offset));
    atomic_store_explicit(&to->defs_head, published, memory_order_release);
    return true;
}

#include "code_object.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cpython.h"
#include "log.h"
#include "memory.h"
#include "qualname.h"
#include "registry.h"

#define NAME_ROOM (KP_NAME_BYTES_MAX + 1024)

/* What hangs in co_extra. */
struct code_record {
    const void *code;
    uint32_t id;      /* 0: not traced */
    uint32_t version; /* of the rules that said so, plus one; 0: never asked */
    char *qualname;   /* before 3.11, malloc-free text from our pool; NULL: unknown */
    struct code_record *next;
};

static ssize_t extra_index = -1;
static struct code_record *free_records;
static struct code_record *block;
static uint32_t block_left;

#define BLOCK_RECORDS 4096u

/* With the lock held. */
static struct code_record *new_record(const void *code)
{
    struct code_record *record = free_records;

    if (record) {
        free_records = record->next;
    } else {
        if (block_left == 0) {
            block = kp_memory_private(BLOCK_RECORDS * sizeof *block);
            block_left = block ? BLOCK_RECORDS : 0;
        }
        if (block_left == 0)
            return NULL;
        record = &block[--block_left];
    }
    memset(record, 0, sizeof *record);
    record->code = code;
    return record;
}

/* The interpreter frees the code object. Called with its GIL, so no thread of it is inside a probe with this
 * code. */
static void code_freed(void *extra)
{
    struct code_record *record = extra;

    if (!record)
        return;
    kp_thread_forget_key(record->code);
    pthread_mutex_lock(&kp_core.lock);
    record->code = NULL;
    record->next = free_records;
    free_records = record;
    pthread_mutex_unlock(&kp_core.lock);
}

bool kp_code_setup(void)
{
    ssize_t index;

    if (!kp_cpython.code_extra_request || !kp_cpython.code_extra_get || !kp_cpython.code_extra_set)
        return false;
    index = kp_cpython.code_extra_request(code_freed);
    if (index < 0 || (extra_index >= 0 && index != extra_index))
        return false;
    extra_index = index;
    return true;
}

/* The record of a code object, made if need be. NULL: no memory. */
static struct code_record *record_of(void *code)
{
    void *extra = NULL;
    struct code_record *record;

    if (kp_cpython.code_extra_get(code, extra_index, &extra) < 0)
        kp_cpython.error_clear();
    if (extra)
        return extra;
    pthread_mutex_lock(&kp_core.lock);
    record = new_record(code);
    pthread_mutex_unlock(&kp_core.lock);
    if (!record)
        return NULL;
    if (kp_cpython.code_extra_set(code, extra_index, record) == 0)
        return record;
    kp_cpython.error_clear();
    return NULL;
}

static void learn(void *user, void *code, const char *qualname, size_t bytes)
{
    struct code_record *record = record_of(code);

    (void)user;
    if (record && !record->qualname)
        record->qualname = kp_qualname_keep(qualname, bytes);
}

void kp_code_learn_existing(void)
{
    if (kp_cpython.minor < 11)
        kp_qualname_of_modules(learn, NULL);
}

static ssize_t put_module(void *globals, char *out, size_t room)
{
    void *name = globals ? kp_cpython.dict_get(globals, "__name__") : NULL;
    ssize_t bytes = name ? kp_object_text(name, out, room) : -1;

    if (bytes >= 0)
        return bytes;
    out[0] = '?';
    return 1;
}

static ssize_t put_qualname(void *code, const struct code_record *record, char *out, size_t room)
{
    ssize_t bytes = -1;

    if (kp_cpython.minor >= 11)
        bytes = kp_attribute_text(code, "co_qualname", out, room);
    else if (kp_qualname_of_class_body(code, out, room, &bytes))
        return bytes;
    else if (record->qualname)
        bytes = snprintf(out, room, "%s", record->qualname);
    if (bytes < 0 || (size_t)bytes >= room)
        bytes = kp_attribute_text(code, "co_name", out, room);
    return bytes < 0 ? 0 : bytes;
}

/* Text of a function under way; one per thread, too large for somebody else's stack. */
struct scratch {
    char name[NAME_ROOM];
    char file[NAME_ROOM];
    size_t name_bytes, file_bytes;
};

static struct scratch *scratch_of(struct kp_thread_state *t)
{
    if (!t->engine)
        t->engine = kp_memory_private(sizeof(struct scratch));
    return t->engine;
}

static void read_names(struct scratch *s, const struct code_record *record, void *code, void *globals)
{
    ssize_t bytes = put_module(globals, s->name, KP_NAME_BYTES_MAX / 2);

    s->name[bytes++] = '.';
    bytes += put_qualname(code, record, s->name + bytes, sizeof s->name - (size_t)bytes);
    s->name[bytes] = '\0';
    s->name_bytes = (size_t)bytes;
    bytes = kp_attribute_text(code, "co_filename", s->file, sizeof s->file);
    s->file_bytes = bytes < 0 ? 0 : (size_t)bytes;
    s->file[s->file_bytes] = '\0';
}

/* Ask the rules, and the registry if they say yes. */
static bool decide(struct kp_thread_state *t, struct code_record *record, void *code, void *globals)
{
    struct scratch *s = scratch_of(t);
    uint32_t line, version;

    if (!s)
        return false;
    read_names(s, record, code, globals);
    line = (uint32_t)kp_attribute_number(code, "co_firstlineno", 0);
    pthread_mutex_lock(&kp_core.lock);
    version = atomic_load(&kp_core.rules_version) + 1;
    record->id = 0;
    if (kp_rules_match(&kp_core.rules, KP_FUNCTION_PYTHON, s->name, s->file))
        record->id =
            kp_registry_function(KP_FUNCTION_PYTHON, s->name, s->name_bytes, s->file, s->file_bytes, line);
    record->version = version;
    pthread_mutex_unlock(&kp_core.lock);
    return true;
}

static uint32_t resolve(struct kp_thread_state *t, void *code, void *globals)
{
    struct code_record *record = record_of(code);
    struct kp_cache_entry *entry = kp_cache_entry(t, code);

    if (!record)
        return 0;
    if (record->version != atomic_load(&kp_core.rules_version) + 1) {
        if (kp_cpython.minor < 11)
            kp_qualname_of_children(code, learn, NULL);
        if (!decide(t, record, code, globals ? globals : kp_cpython.globals_get()))
            return 0;
    }
    /* The flags were those of the code object that had the entry before. */
    *entry = (struct kp_cache_entry){.key = code, .id = record->id};
    return record->id;
}

uint32_t kp_code_resolve(struct kp_thread_state *t, void *code, void *globals)
{
    struct kp_error_state error;
    int saved = errno;
    uint32_t id;

    kp_error_save(&error);
    id = resolve(t, code, globals);
    kp_error_restore(&error);
    errno = saved;
    return id;
}

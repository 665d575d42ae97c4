#include "code_object.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "code_map.h"
#include "cpython_layout.h"
#include "log.h"
#include "manual.h"
#include "memory.h"
#include "open_calls.h"
#include "qualname.h"
#include "registry.h"

#define NAME_ROOM (KP_NAME_BYTES_MAX + 1024)

static void (*code_dealloc)(void *code);

const struct kp_code_trial *kp_code_trial;

/*
 * In place of the code type's own dealloc. Called with the GIL, so no thread of the interpreter is inside a
 * probe with this code object.
 */
static void on_code_dealloc(void *code)
{
    bool known;

    kp_core_lock();
    known = kp_code_map_remove(code);
    if (known)
        kp_thread_forget_key(code);
    kp_core_unlock();
    code_dealloc(code);
}

bool kp_code_setup(void)
{
    void **slot = kp_type_dealloc((void *)kp_cpython.code_type);

    if (!slot || !*slot)
        return false;
    if (*slot == (void *)on_code_dealloc)
        return true;
    *(void **)&code_dealloc = *slot;
    *slot = (void *)on_code_dealloc;
    return true;
}

static void learn(void *user, void *code, const char *qualname, size_t bytes)
{
    struct kp_code_record *record;

    (void)user;
    kp_core_lock();
    record = kp_code_map_get(code);
    if (record && !record->qualname)
        record->qualname = kp_qualname_keep(qualname, bytes);
    kp_core_unlock();
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

static ssize_t put_qualname(void *code, const char *learnt, char *out, size_t room)
{
    ssize_t bytes = -1;

    if (kp_cpython.minor >= 11)
        bytes = kp_attribute_text(code, "co_qualname", out, room);
    else if (kp_qualname_of_class_body(code, out, room, &bytes))
        return bytes;
    else if (learnt)
        bytes = snprintf(out, room, "%s", learnt);
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

static void read_names(struct scratch *s, const char *learnt, void *code, void *globals)
{
    ssize_t bytes = put_module(globals, s->name, KP_NAME_BYTES_MAX / 2);

    s->name[bytes++] = '.';
    bytes += put_qualname(code, learnt, s->name + bytes, sizeof s->name - (size_t)bytes);
    s->name[bytes] = '\0';
    s->name_bytes = (size_t)bytes;
    bytes = kp_attribute_text(code, "co_filename", s->file, sizeof s->file);
    s->file_bytes = bytes < 0 ? 0 : (size_t)bytes;
    s->file[s->file_bytes] = '\0';
}

static uint32_t flags_of(long flags)
{
    if (flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE))
        return KP_FUNCTION_FACTS | KP_FUNCTION_COROUTINE;
    if (flags & CO_ASYNC_GENERATOR)
        return KP_FUNCTION_FACTS | KP_FUNCTION_ASYNC_GENERATOR;
    return KP_FUNCTION_FACTS | (flags & CO_GENERATOR ? KP_FUNCTION_GENERATOR : 0);
}

static void read_facts(void *code, struct kp_def *def)
{
    long flags = kp_attribute_number(code, "co_flags", 0);
    long named =
        kp_attribute_number(code, "co_argcount", 0) + kp_attribute_number(code, "co_kwonlyargcount", 0);

    def->function.line = (uint32_t)kp_attribute_number(code, "co_firstlineno", 0);
    def->function.flags = flags_of(flags);
    def->function.parameters =
        (uint32_t)named + ((flags & CO_VARARGS) != 0) + ((flags & CO_VARKEYWORDS) != 0);
}

/* Ask the rules, and the registry if they say yes. With the lock held. */
static uint32_t decide(const struct scratch *s, struct kp_def *def)
{
    if (kp_manual_hides(s->file) || !kp_rules_match(&kp_core.rules, KP_FUNCTION_PYTHON, s->name, s->file))
        return 0;
    def->function.kind = KP_FUNCTION_PYTHON;
    def->function.name = (struct kp_text){s->name, s->name_bytes};
    def->function.file = (struct kp_text){s->file, s->file_bytes};
    return kp_registry_define(def);
}

/* At first sight, and after the rules changed. The interpreter is asked without the lock. */
static uint32_t look_closely(struct kp_thread_state *t, void *code, void *globals, const char *learnt)
{
    struct scratch *s = scratch_of(t);
    struct kp_def def = {.type = KP_DEF_FUNCTION};
    struct kp_code_record *record;
    uint32_t id = 0;

    if (!s)
        return 0;
    if (kp_cpython.minor < 11)
        kp_qualname_of_children(code, learn, NULL);
    read_names(s, learnt, code, globals ? globals : kp_cpython.globals_get());
    read_facts(code, &def);
    kp_core_lock();
    record = kp_code_map_get(code);
    if (record) {
        record->version = atomic_load(&kp_core.rules_version) + 1;
        record->id = id = decide(s, &def);
    }
    kp_core_unlock();
    return id;
}

static uint32_t resolve(struct kp_thread_state *t, void *code, void *globals)
{
    uint32_t version = atomic_load(&kp_core.rules_version);
    struct kp_code_record *record, known = {0};

    if (kp_cache_promote(t, code))
        return kp_cache_entry(t, code)->id;
    kp_core_lock();
    record = kp_code_map_get(code);
    if (record)
        known = *record;
    kp_core_unlock();
    if (!record)
        return 0;
    if (known.version != version + 1)
        known.id = look_closely(t, code, globals, known.qualname);
    kp_cache_put(t, code, known.id, version);
    return known.id;
}

uint32_t kp_code_resolve(struct kp_thread_state *t, void *code, void *globals)
{
    const struct kp_code_trial *trial = kp_code_trial;
    struct kp_error_state error;
    uint32_t before = kp_own_begin(t);
    int saved = errno;
    uint32_t id;

    kp_error_save(&error);
    id = trial && trial->thread == t ? trial->ask(code) : resolve(t, code, globals);
    kp_error_restore(&error);
    kp_own_end(t, before);
    errno = saved;
    return id;
}

#include "exception_type.h"

#include <errno.h>
#include <string.h>

#include "code_object.h"
#include "cpython_object.h"
#include "log.h"
#include "registry.h"

/* Room for a module's and a type's name; longer ones are cut. */
#define PART_ROOM 1024

/* PyBaseExceptionObject.cause, 3.11+ (Include/cpython/pyerrors.h). */
#define EXCEPTION_CAUSE 56

static void (*type_dealloc)(void *type);

/* The getters of type.__module__ and type.__qualname__: what a metaclass defines is not asked. */
static const struct kp_getset *module, *qualname;

/* As of code objects, kp_code_setup. */
static void on_type_dealloc(void *type)
{
    if (((struct kp_type *)type)->flags & KP_TYPE_IS_EXCEPTION) {
        kp_core_lock();
        kp_thread_forget_key(type);
        kp_core_unlock();
    }
    type_dealloc(type);
}

static const struct kp_getset *find_getter(const char *name)
{
    void *dict = kp_type_dict((void *)kp_cpython.type_type);
    struct kp_getset_object *object = kp_is_dict(dict) ? kp_cpython.dict_get(dict, name) : NULL;
    const struct kp_getset *found = NULL;

    if (object && object->head.type == (void *)kp_cpython.getset_type)
        found = object->getset;
    kp_type_dict_done(dict);
    return found && found->get ? found : NULL;
}

bool kp_exception_setup(void)
{
    void **slot = kp_type_dealloc((void *)kp_cpython.type_type);

    if (!slot || !*slot || !kp_cpython.getset_type || !kp_cpython.error_occurred)
        return false;
    if (*slot == (void *)on_type_dealloc)
        return true;
    qualname = find_getter("__qualname__");
    module = find_getter("__module__");
    if (!qualname || !module)
        return false;
    *(void **)&type_dealloc = *slot;
    *slot = (void *)on_type_dealloc;
    return true;
}

void *kp_exception_type(const void *object)
{
    struct kp_type *type = object ? kp_type_of(object) : NULL;

    return type && (type->flags & KP_TYPE_IS_EXCEPTION) ? type : NULL;
}

/*
 * The type of the exception that is set. Before 3.12 that may be a type and what its instance is to be made
 * of; where there is an instance already, its type counts.
 */
static void *set_type(void)
{
    void *type = type_dealloc ? kp_cpython.error_occurred() : NULL, *exact;
    struct kp_error_state error;

    if (!type || kp_cpython.minor >= 12)
        return type;
    kp_error_save(&error);
    exact = kp_exception_type(error.value);
    kp_error_restore(&error);
    return exact ? exact : type;
}

uint32_t kp_exception_set_id(struct kp_thread_state *t)
{
    return kp_exception_id(t, set_type());
}

/* One of the interpreter's own exceptions: a variable that holds the type. */
static void *own_type(void (*variable)(void))
{
    return variable ? *(void **)(void *)variable : NULL;
}

static bool is_stop(const void *type)
{
    return type &&
           (type == own_type(kp_cpython.stop_iteration) || type == own_type(kp_cpython.stop_async_iteration));
}

/* Made of a StopIteration that was about to leave a generator (PEP 479). */
static bool is_converted(const void *exception)
{
    return kp_exception_type(exception) == own_type(kp_cpython.runtime_error) &&
           is_stop(kp_exception_type(KP_FIELD(void *, exception, EXCEPTION_CAUSE)));
}

/* Maybe made by `except*` of what was raised in its clauses. */
static bool is_group(void *type)
{
    void *group = own_type(kp_cpython.exception_group);

    return group && kp_cpython.is_subtype(type, group);
}

struct kp_left_by kp_exception_left_by(struct kp_thread_state *t, const void *exception)
{
    void *type = kp_exception_type(exception);
    uint32_t id = kp_exception_id(t, type);

    if (id == 0 || is_converted(exception) || is_group(type))
        return (struct kp_left_by){id, 0};
    return (struct kp_left_by){id, id};
}

struct kp_left_by kp_exception_set_left_by(struct kp_thread_state *t)
{
    struct kp_error_state error;
    struct kp_left_by by;

    kp_error_save(&error);
    by = kp_exception_left_by(t, error.value);
    kp_error_restore(&error);
    if (by.last == 0)
        by.last = by.above = kp_exception_set_id(t);
    return by;
}

/* A part of the name, or a question mark. */
static size_t put_part(const struct kp_getset *part, void *type, char *out)
{
    void *text = part->get(type, part->closure);
    ssize_t bytes = text ? kp_object_text(text, out, PART_ROOM) : -1;

    if (!text)
        kp_cpython.error_clear();
    else
        kp_cpython.decref(text);
    if (bytes > 0)
        return (size_t)bytes;
    out[0] = '?';
    return 1;
}

static uint32_t define(void *type)
{
    char name[2 * PART_ROOM + 1];
    size_t bytes = put_part(module, type, name);
    uint32_t id;

    name[bytes++] = '.';
    bytes += put_part(qualname, type, name + bytes);
    kp_core_lock();
    id = kp_registry_function(KP_FUNCTION_EXCEPTION, name, bytes, "", 0, 0);
    kp_core_unlock();
    return id;
}

static uint32_t resolve(struct kp_thread_state *t, void *type)
{
    uint32_t version = atomic_load(&kp_core.rules_version), id;

    if (kp_cache_promote(t, type))
        return kp_cache_entry(t, type)->id;
    id = define(type);
    kp_cache_put(t, type, id, version);
    return id;
}

uint32_t kp_exception_resolve(struct kp_thread_state *t, void *type)
{
    const struct kp_code_trial *trial = kp_code_trial;
    struct kp_error_state error;
    uint32_t before, id;
    int saved = errno;

    if (!type_dealloc)
        return 0;
    before = kp_own_begin(t);
    kp_error_save(&error);
    id = trial && trial->thread == t ? trial->ask_type(type) : resolve(t, type);
    kp_error_restore(&error);
    kp_own_end(t, before);
    errno = saved;
    return id;
}

#include "method_place.h"

#include <stdatomic.h>
#include <string.h>

#include "../arch/x86_64/text.h"
#include "core.h"
#include "log.h"
#include "method_thunk.h"
#include "probes.h"
#include "trace/glob.h"

/* C code looks at these functions' addresses, to know whether somebody has overridden them. */
static const struct {
    const char *name, *reason;
} never[] = {
    {"*.__new__", "typeobject.c tells its own tp_new_wrapper by it, to see which classes inherit __new__"},
    {"builtins.object.__getstate__", "3.11+: what has another one is pickled by calling it"},
    {"_json.encode_basestring", "the encoder writes strings itself only when it recognises this one"},
    {"_json.encode_basestring_ascii", "the same"},
    {"*.cython_function_or_method.__call__", "the function it calls is taken itself"},
    {"builtins.wrapper_descriptor.__call__", "calls a slot; explicit calls of slots are plumbing of classes"},
    {"builtins.method-wrapper.__call__", "the same"},
    {"builtins.classmethod_descriptor.__call__", "the function it calls is taken itself"},
};

static _Atomic bool unwritable;

/* Of the walk under way: tables are large. */
static __thread const void *writable_page __attribute__((tls_model("initial-exec")));

void kp_method_begin(void)
{
    writable_page = NULL;
}

static bool is_allowed(const char *name)
{
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (kp_glob_match(never[i].name, name))
            return false;
    return true;
}

static bool is_selected(const char *name)
{
    bool selected;

    kp_core_lock();
    selected = kp_rules_selects(&kp_core.rules, KP_FUNCTION_C_PYTHON, name, "");
    kp_core_unlock();
    return selected && is_allowed(name);
}

static bool set(void **place, void *value)
{
    if (kp_text_set_pointer(place, value, &writable_page))
        return true;
    if (!atomic_exchange(&unwritable, true))
        kp_log(KP_LEVEL_WARN,
               "tables of functions in C that are read-only cannot be written in this process: "
               "such functions are not recorded");
    return false;
}

bool kp_method_is_wanted(const char *owner)
{
    bool wanted;

    kp_core_lock();
    wanted = kp_rules_below(&kp_core.rules, KP_FUNCTION_C_PYTHON, owner);
    kp_core_unlock();
    return wanted;
}

/* snprintf takes as long as all the rest. */
void kp_method_join(char *out, const char *owner, const char *name)
{
    size_t first = strnlen(owner, KP_METHOD_NAME_ROOM - 2);
    size_t second = strnlen(name, KP_METHOD_NAME_ROOM - 2 - first);

    memmove(out, owner, first);
    out[first] = '.';
    memcpy(out + first + 1, name, second);
    out[first + 1 + second] = '\0';
}

void kp_method_take(struct kp_method_def *def, const char *owner)
{
    char name[KP_METHOD_NAME_ROOM];
    void *thunk;

    if (!def->name || !def->function || kp_method_is_thunk(def->function) || kp_probes_own(def))
        return;
    kp_method_join(name, owner, def->name);
    if (is_selected(name) && (thunk = kp_method_thunk(def->function, name)))
        set(&def->function, thunk);
}

void *kp_method_take_slot(void **slot, void **same, const char *name)
{
    void *thunk;

    if (!kp_method_is_thunk(*slot) && is_selected(name) && (thunk = kp_method_thunk(*slot, name)) &&
        set(slot, thunk) && same)
        set(same, thunk);
    return *slot;
}

void kp_method_fill_slot(void **slot, void *function, const char *name)
{
    void *thunk;

    if (is_selected(name) && (thunk = kp_method_thunk(function, name)))
        set(slot, thunk);
}

bool kp_method_intercept(struct kp_method_def *def, const char *owner, void *function)
{
    char name[KP_METHOD_NAME_ROOM];
    void *thunk = def->function;

    if (!kp_method_is_thunk(thunk)) {
        kp_method_join(name, owner, def->name);
        thunk = kp_method_thunk(def->function, name);
        if (!thunk || !set(&def->function, thunk))
            return false;
    }
    kp_method_divert(thunk, function);
    return true;
}

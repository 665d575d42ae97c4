#include "method_walk.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "core.h"
#include "loaded.h"
#include "log.h"
#include "memory.h"
#include "method_identity.h"
#include "method_place.h"
#include "method_thunk.h"
#include "open_calls.h"

_Atomic bool kp_methods_pending;

/* One walk at a time; who finds another one under way comes back later. */
static atomic_flag walking = ATOMIC_FLAG_INIT;

/*
 * Types and modules that were looked at. An address may be used again: then name or methods differ, unless
 * it is a type made anew from the same description, whose functions are known.
 */
struct seen {
    const void *object, *name, *methods;
    unsigned walk; /* in which it was looked at last */
    bool complete;
};
static struct seen *seen;
static unsigned seen_size, seen_count;

static unsigned walk;
static void *lister;   /* type.__subclasses__ of this interpreter, for the walk */
static bool walks_all; /* into the subtypes of types that are known, too */

/*
 * Extension modules whose initialisation is under way. What is found meanwhile may not be complete: they
 * import others, between making a type and filling it (Cython).
 */
static _Atomic unsigned executing;

static struct seen *seen_place(const void *object)
{
    unsigned at = (unsigned)((uintptr_t)object >> 4) * 2654435761u & (seen_size - 1);

    while (seen[at].object && seen[at].object != object)
        at = (at + 1) & (seen_size - 1);
    return &seen[at];
}

static bool grow_seen(void)
{
    struct seen *old = seen;
    unsigned size = seen_size;

    seen_size = size ? size * 2 : 4096;
    seen = kp_memory_private(seen_size * sizeof *seen);
    if (!seen) {
        seen = old;
        seen_size = size;
        return false;
    }
    for (unsigned i = 0; i < size; i++)
        if (old[i].object)
            *seen_place(old[i].object) = old[i];
    if (old)
        munmap(old, size * sizeof *old);
    return true;
}

static void forget_seen(void)
{
    if (seen)
        memset(seen, 0, seen_size * sizeof *seen);
    seen_count = 0;
}

/*
 * Whether a walk has to look at an object: LOOK, or PASS where it is known and only what hangs on it may be
 * new, or SKIP where this walk was before.
 */
enum visit { SKIP, PASS, LOOK };

static enum visit visit(const void *object, const void *name, const void *methods)
{
    struct seen *place;
    bool same, known;

    if (seen_count * 2 >= seen_size && !grow_seen())
        return SKIP;
    place = seen_place(object);
    same = place->object && place->name == name && place->methods == methods;
    known = same && place->complete;
    if (same && place->walk == walk)
        return SKIP;
    seen_count += !place->object;
    *place = (struct seen){object, name, methods, walk, atomic_load(&executing) == 0};
    return known ? PASS : LOOK;
}

/* It has changed since it was looked at. */
static void forget(const void *object)
{
    if (seen)
        seen_place(object)->complete = false;
}

/* --- names --- */

/* NULL: no text. */
static const char *text_of(void *object)
{
    const char *text = object ? kp_cpython.text(object) : NULL;

    if (object && !text)
        kp_cpython.error_clear();
    return text;
}

static const char *attribute_text(void *dict, const char *name)
{
    return kp_is_dict(dict) ? text_of(kp_cpython.dict_get(dict, name)) : NULL;
}

/* module.qualname, as Python shows it. What extensions give as a name holds the module, too. */
static void name_type(struct kp_type *type, char *out)
{
    const char *last = strrchr(type->name, '.'), *module = NULL;

    if (type->flags & KP_TYPE_IS_HEAP)
        module = attribute_text(type->dict, "__module__");
    if (module || !last)
        kp_method_join(out, module ? module : "builtins", last ? last + 1 : type->name);
    else
        snprintf(out, KP_METHOD_NAME_ROOM, "%s", type->name);
}

/* --- objects --- */

static void look_at_type(struct kp_type *type);
static void look_at_module(void *module);

static bool is_module(const void *object)
{
    return kp_cpython.is_subtype(kp_type_of(object), (void *)kp_cpython.module_type);
}

/*
 * `owner` is the module or type in whose namespace it stands. A bound method is named by the type of its
 * object, a function of another module by that module.
 */
static void look_at_builtin(struct kp_builtin *function, const char *owner, bool of_type)
{
    char name[KP_METHOD_NAME_ROOM];

    if (!function->def || kp_method_is_thunk(function->def->function))
        return;
    if (!of_type && function->module)
        owner = text_of(function->module) ? text_of(function->module) : owner;
    else if (!of_type && function->self && !is_module(function->self)) {
        name_type(kp_is_type(function->self) ? function->self : kp_type_of(function->self), name);
        owner = name;
    }
    kp_method_take(function->def, owner);
}

static bool is_in_an_object(const void *address)
{
    struct kp_loaded object;

    return kp_loaded_find(address, &object);
}

/*
 * Cython's own type of functions begins with a PyCFunctionObject, but is none, and there is one type for each
 * version of Cython. Only if what should be the description says so is it taken for one.
 */
static void look_at_cython(struct kp_builtin *function, const char *owner)
{
    char name[KP_METHOD_NAME_ROOM];

    if (kp_type_of(function)->basic_size < (intptr_t)sizeof *function || !function->def ||
        kp_attribute_text(function, "__name__", name, sizeof name) < 0)
        return;
    if (is_in_an_object(function->def) && is_in_an_object(function->def->name) &&
        strcmp(function->def->name, name) == 0)
        kp_method_take(function->def, owner);
}

/* Objects that are called through a pointer of their own, with a thunk of their own. */
static void look_at_callable(void *object, const char *owner)
{
    struct kp_type *type = kp_type_of(object);
    char name[KP_METHOD_NAME_ROOM], full[KP_METHOD_NAME_ROOM];
    void **pointer = &KP_FIELD(void *, object, type->vectorcall_offset);

    if (!(type->flags & KP_TYPE_HAS_VECTORCALL) || type->vectorcall_offset <= 0 || !*pointer ||
        kp_attribute_text(object, "__name__", name, sizeof name) < 0)
        return;
    kp_method_join(full, owner, name);
    kp_method_take_slot(pointer, NULL, full);
}

static bool is_named(const struct kp_type *type, const char *name)
{
    const char *last = strrchr(type->name, '.');

    return strcmp(last ? last + 1 : type->name, name) == 0;
}

/* Something in the namespace of a module or type. */
static void look_at(void *object, const char *owner, bool of_type)
{
    struct kp_type *type = kp_type_of(object);

    if (kp_is_builtin(object))
        look_at_builtin(object, owner, of_type);
    else if (type == (void *)kp_cpython.function_type)
        return;
    else if (kp_is_type(object))
        look_at_type(object);
    else if (type == (void *)kp_cpython.static_method_type || type == (void *)kp_cpython.class_method_type ||
             type == (void *)kp_cpython.holder_type) {
        if (((struct kp_holder *)object)->held && kp_is_builtin(((struct kp_holder *)object)->held))
            look_at_builtin(((struct kp_holder *)object)->held, owner, of_type);
    } else if (is_named(type, "cython_function_or_method") || is_named(type, "fused_cython_function"))
        look_at_cython(object, owner);
    else if (strcmp(type->name, "numpy.ufunc") == 0)
        look_at_callable(object, owner);
}

static void look_at_namespace(void *dict, const char *owner, bool of_type)
{
    void *key, *value;
    ssize_t at = 0;

    /* No dictionary: the interpreter's own static types from 3.12 on, which have all in their tables. */
    while (kp_is_dict(dict) && kp_cpython.dict_next(dict, &at, &key, &value))
        look_at(value, owner, of_type);
}

/* --- types --- */

/* Calls of a type's objects. Subtypes made before have inherited the slot. */
static void look_at_call(struct kp_type *type, const char *owner)
{
    struct kp_slot_wrapper *wrapper;
    char name[KP_METHOD_NAME_ROOM];
    void *dict;

    if (!type->call || type->flags & (KP_TYPE_HAS_VECTORCALL | KP_TYPE_IS_TYPE))
        return;
    if (type->base && kp_method_is_thunk(type->base->call) &&
        kp_method_original(type->base->call) == type->call) {
        type->call = type->base->call;
        return;
    }
    dict = kp_type_dict(type);
    wrapper = kp_is_dict(dict) ? kp_cpython.dict_get(dict, "__call__") : NULL;
    if (wrapper && kp_type_of(wrapper) == (void *)kp_cpython.slot_wrapper_type &&
        wrapper->wrapped == type->call) {
        kp_method_join(name, owner, "__call__");
        kp_method_take_slot(&type->call, &wrapper->wrapped, name);
    }
    kp_type_dict_done(dict);
}

/*
 * What the interpreter does with a type that has no vectorcall function of its own (_PyObject_Vectorcall,
 * Include/cpython/abstract.h), as such a function. 3.9+: before, types are never called through one.
 */
static void *construct(void *type, void *const *arguments, size_t count, void *names)
{
    return kp_cpython.make_call(kp_cpython.thread_unchecked(), type, arguments,
                                (ssize_t)(count & KP_VECTORCALL_COUNT), names);
}

/* A type implemented in C, whose calls may take the way through a vectorcall function. */
static bool is_constructible(const struct kp_type *type)
{
    return kp_cpython.make_call && type->make && !(type->flags & KP_TYPE_IS_TYPE) &&
           (!(type->flags & KP_TYPE_IS_HEAP) || type->methods);
}

/*
 * Calls of the type itself. Subtypes do not inherit the function. Not exceptions, which keep the tuple of
 * their arguments: it would be another one. (3.14 has functions for them, but is to show no more than
 * others.)
 */
static void look_at_constructor(struct kp_type *type, const char *owner)
{
    const struct kp_type *meta = kp_type_of(type);

    if (type->flags & KP_TYPE_IS_EXCEPTION || meta != (void *)kp_cpython.type_type ||
        !(meta->flags & KP_TYPE_HAS_VECTORCALL) ||
        meta->vectorcall_offset != (intptr_t)offsetof(struct kp_type, vectorcall))
        return;
    if (type->vectorcall)
        kp_method_take_slot(&type->vectorcall, NULL, owner);
    else if (is_constructible(type))
        kp_method_fill_slot(&type->vectorcall, (void *)construct, owner);
}

/* Its subtypes, by the one function that finds them in all versions. */
static void look_at_subtypes(struct kp_type *type)
{
    void *list = lister ? kp_cpython.call_with(lister, type, NULL) : NULL;

    if (!list) {
        kp_cpython.error_clear();
        return;
    }
    for (ssize_t i = 0, n = kp_cpython.list_size(list); i < n; i++)
        look_at_type(kp_cpython.list_item(list, i));
    kp_cpython.decref(list);
}

static void look_at_members(struct kp_type *type)
{
    char owner[KP_METHOD_NAME_ROOM];

    name_type(type, owner);
    if (!kp_method_is_wanted(owner))
        return;
    for (struct kp_method_def *def = type->methods; def && def->name; def++)
        kp_method_take(def, owner);
    look_at_call(type, owner);
    look_at_constructor(type, owner);
    look_at_namespace(type->dict, owner, true);
}

static void look_at_type(struct kp_type *type)
{
    enum visit how = type->flags & KP_TYPE_IS_READY ? visit(type, type->name, type->methods) : SKIP;

    if (how == LOOK)
        look_at_members(type);
    if (how == LOOK || (how == PASS && walks_all))
        look_at_subtypes(type);
}

/* --- modules --- */

static void look_at_module(void *module)
{
    const char *name;
    void *dict;

    if (!is_module(module) || !(dict = kp_cpython.module_dict(module)) || visit(module, dict, NULL) != LOOK ||
        !(name = attribute_text(dict, "__name__")))
        return;
    look_at_namespace(dict, name, false);
}

static void look_at_modules(void)
{
    void *modules = kp_cpython.sys_get("modules"), *key, *value;
    ssize_t at = 0;

    while (kp_is_dict(modules) && kp_cpython.dict_next(modules, &at, &key, &value))
        look_at_module(value);
}

/* --- walks --- */

static bool begin_walk(struct kp_thread_state **t, struct kp_error_state *error)
{
    *t = kp_thread_active();
    if (!*t || (*t)->busy || atomic_flag_test_and_set(&walking)) {
        atomic_store(&kp_methods_pending, atomic_load(&kp_core.state) != KP_CORE_OFF);
        return false;
    }
    /* What the walk itself calls is not the program's. */
    kp_own_begin(*t);
    kp_error_save(error);
    kp_method_begin();
    walk++;
    lister = kp_cpython.get_attribute((void *)kp_cpython.type_type, "__subclasses__");
    return true;
}

static void end_walk(struct kp_thread_state *t, struct kp_error_state *error)
{
    if (lister)
        kp_cpython.decref(lister);
    kp_error_restore(error);
    kp_own_end(t, 0);
    atomic_flag_clear(&walking);
}

static bool hook_imports(void);

static void walk_all(void)
{
    struct kp_thread_state *t;
    struct kp_error_state error;

    if (!begin_walk(&t, &error))
        return;
    atomic_store(&kp_methods_pending, !hook_imports());
    forget_seen();
    look_at_type((void *)kp_cpython.object_type);
    look_at_modules();
    end_walk(t, &error);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/*
 * All types take up to a millisecond to walk, and there may be hundreds of imports: then only a fiftieth of
 * the time goes into it, and the rest of the walks look at the subtypes of `object` alone.
 */
static void look_at_types(void)
{
    static uint64_t first_ns, spent_ns;
    uint64_t start_ns = now_ns();

    first_ns = first_ns ? first_ns : start_ns;
    walks_all = spent_ns * 50 <= start_ns - first_ns;
    look_at_subtypes((void *)kp_cpython.object_type);
    if (walks_all)
        spent_ns += now_ns() - start_ns;
    walks_all = false;
}

/*
 * An extension module was made, or has run its initialisation. importlib asks for the second in any case;
 * types are complete only then.
 */
static void walk_new(void *module, bool complete)
{
    struct kp_thread_state *t;
    struct kp_error_state error;

    if (!kp_methods_wanted() || !begin_walk(&t, &error))
        return;
    forget(module);
    look_at_module(module);
    if (complete && !atomic_load(&executing))
        look_at_types();
    end_walk(t, &error);
}

/* --- imports --- */

static void *(*next_exec)(void *, void *), *(*next_create)(void *, void *const *, ssize_t),
    *(*next_exec_builtin)(void *, void *), *(*next_create_builtin)(void *, void *);

static void *on_exec(void *self, void *module)
{
    void *result;

    atomic_fetch_add(&executing, 1);
    result = next_exec(self, module);
    atomic_fetch_sub(&executing, 1);
    if (result)
        walk_new(module, true);
    return result;
}

static void *on_exec_builtin(void *self, void *module)
{
    void *result = next_exec_builtin(self, module);

    if (result)
        walk_new(module, true);
    return result;
}

static void *on_create(void *self, void *const *arguments, ssize_t count)
{
    void *module;

    atomic_fetch_add(&executing, 1);
    module = next_create(self, arguments, count);
    atomic_fetch_sub(&executing, 1);
    if (module)
        walk_new(module, false);
    return module;
}

static void *on_create_builtin(void *self, void *spec)
{
    void *module = next_create_builtin(self, spec);

    if (module)
        walk_new(module, false);
    return module;
}

static bool hook_import(void *dict, const char *name, int flags, void *function, void **next)
{
    struct kp_builtin *builtin = kp_cpython.dict_get(dict, name);

    if (!builtin || !kp_is_builtin(builtin) || builtin->def->flags != flags)
        return false;
    *next = kp_method_original(builtin->def->function);
    return kp_method_intercept(builtin->def, "_imp", function);
}

/* What importlib calls to make an extension module, in two steps. False: not there yet. */
static bool hook_imports(void)
{
    void *modules = kp_cpython.sys_get("modules"), *module, *dict;
    static bool done;

    if (done)
        return true;
    module = kp_is_dict(modules) ? kp_cpython.dict_get(modules, "_imp") : NULL;
    dict = module && is_module(module) ? kp_cpython.module_dict(module) : NULL;
    if (!dict)
        return false;
    done = true;
    if (!hook_import(dict, "exec_dynamic", KP_METHOD_O, (void *)on_exec, (void **)&next_exec) ||
        !hook_import(dict, "create_dynamic", KP_METHOD_FASTCALL, (void *)on_create, (void **)&next_create) ||
        !hook_import(dict, "exec_builtin", KP_METHOD_O, (void *)on_exec_builtin,
                     (void **)&next_exec_builtin) ||
        !hook_import(dict, "create_builtin", KP_METHOD_O, (void *)on_create_builtin,
                     (void **)&next_create_builtin))
        kp_log(KP_LEVEL_WARN,
               "CPython %s makes extension modules in an unknown way: "
               "functions that come with later imports are not seen",
               kp_cpython.version);
    return true;
}

/* --- interface --- */

bool kp_methods_wanted(void)
{
    return kp_rules_possible(&kp_core.rules, KP_FUNCTION_C_PYTHON);
}

static bool is_complete(void)
{
    return kp_cpython.object_type && kp_cpython.type_type && kp_cpython.builtin_type &&
           kp_cpython.module_type && kp_cpython.module_dict && kp_cpython.is_subtype &&
           kp_cpython.call_with && kp_cpython.list_size && kp_cpython.list_item && kp_cpython.dict_next &&
           kp_cpython.text && kp_method_identity_keep();
}

bool kp_methods_attach(void)
{
    if (!is_complete())
        return false;
    walk_all();
    return true;
}

void kp_methods_refresh(void)
{
    if (kp_methods_wanted() && is_complete())
        walk_all();
}

void kp_methods_catch_up(void)
{
    if (atomic_exchange(&kp_methods_pending, false))
        kp_methods_refresh();
}

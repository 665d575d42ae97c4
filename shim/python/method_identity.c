#include "method_identity.h"

#include <string.h>

#include "cpython_object.h"
#include "method_thunk.h"

static intptr_t (*builtin_hash)(void *function);
static void *(*builtin_compare)(void *a, void *b, int operation);

/* A builtin as it would be without thunks, for code that only looks at it. */
struct stand_in {
    struct kp_builtin object;
    struct kp_method_def def;
};

static void *without_thunk(void *function, struct stand_in *in)
{
    if (!kp_is_builtin(function))
        return function;
    memcpy(&in->object, function, sizeof in->object);
    if (!kp_method_is_thunk(in->object.def->function))
        return function;
    in->def = *in->object.def;
    in->def.function = kp_method_original(in->def.function);
    in->object.def = &in->def;
    return in;
}

static intptr_t on_hash(void *function)
{
    struct stand_in in;

    return builtin_hash(without_thunk(function, &in));
}

static void *on_compare(void *a, void *b, int operation)
{
    struct stand_in in_a, in_b;

    return builtin_compare(without_thunk(a, &in_a), without_thunk(b, &in_b), operation);
}

static void replace(void **place, void *before, void *now)
{
    if (*place == before)
        *place = now;
}

/* What the type's slots show to Python: len.__hash__() calls the function that stands in the wrapper. */
static void replace_wrappers(struct kp_type *type, void *before, void *now)
{
    static const char *const names[] = {"__hash__", "__lt__", "__le__", "__eq__",
                                        "__ne__",   "__gt__", "__ge__"};
    void *dict = kp_type_dict(type);

    for (size_t i = 0; dict && i < sizeof names / sizeof *names; i++) {
        struct kp_slot_wrapper *wrapper = kp_cpython.dict_get(dict, names[i]);

        if (wrapper && wrapper->head.type == (void *)kp_cpython.slot_wrapper_type)
            replace(&wrapper->wrapped, before, now);
    }
    kp_type_dict_done(dict);
}

bool kp_method_identity_keep(void)
{
    struct kp_type *types[] = {(void *)kp_cpython.builtin_type, (void *)kp_cpython.builtin_method_type};

    if (!types[0] || !kp_cpython.slot_wrapper_type || !types[0]->hash || !types[0]->compare)
        return false;
    if (types[0]->hash != (void *)on_hash) {
        *(void **)&builtin_hash = types[0]->hash;
        *(void **)&builtin_compare = types[0]->compare;
    }
    /* The type of builtin methods inherits the slots. */
    for (size_t i = 0; i < sizeof types / sizeof *types && types[i]; i++) {
        replace(&types[i]->hash, (void *)builtin_hash, (void *)on_hash);
        replace(&types[i]->compare, (void *)builtin_compare, (void *)on_compare);
        replace_wrappers(types[i], (void *)builtin_hash, (void *)on_hash);
        replace_wrappers(types[i], (void *)builtin_compare, (void *)on_compare);
    }
    return true;
}

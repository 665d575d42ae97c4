/*
 * Layouts of objects that are the same in CPython 3.8 to 3.14: callables implemented in C, descriptors and
 * types. Sources: Include/methodobject.h, Include/cpython/methodobject.h, Include/cpython/object.h,
 * Include/descrobject.h, Objects/funcobject.c, Objects/classobject.c of the versions named in
 * cpython_layout.h. Free-threaded builds differ; they are not traced.
 */
#ifndef KP_SHIM_PYTHON_CPYTHON_OBJECT_H
#define KP_SHIM_PYTHON_CPYTHON_OBJECT_H

#include "cpython.h"

/* PyMethodDef */
struct kp_method_def {
    const char *name;
    void *function; /* ml_meth */
    int flags;
    const char *doc;
};

struct kp_object {
    intptr_t references;
    void *type;
};

/* PyCFunctionObject. Of PyCMethodObject (3.9) and of Cython's functions the first part. */
struct kp_builtin {
    struct kp_object head;
    struct kp_method_def *def;
    void *self;
    void *module; /* __module__ */
    void *weak_references;
    void *vectorcall;
};

/* PyGetSetDef and PyGetSetDescrObject */
struct kp_getset {
    const char *name;
    void *(*get)(void *object, void *closure);
    void *set;
    const char *doc;
    void *closure;
};

struct kp_getset_object {
    struct kp_object head;
    void *type, *name, *qualname;
    const struct kp_getset *getset;
};

/* PyWrapperDescrObject */
struct kp_slot_wrapper {
    struct kp_object head;
    void *type, *name, *qualname;
    void *base;
    void *wrapped;
};

/* staticmethod, classmethod, instancemethod: what they hold comes first. */
struct kp_holder {
    struct kp_object head;
    void *held;
};

/* PyTypeObject, as far as it is used here. */
struct kp_type {
    struct kp_object head;
    intptr_t size;
    const char *name;
    intptr_t basic_size, item_size;
    void *dealloc;
    intptr_t vectorcall_offset;
    void *getattr, *setattr, *as_async, *repr, *as_number, *as_sequence, *as_mapping;
    void *hash;
    void *call;
    void *str, *getattro, *setattro, *as_buffer;
    unsigned long flags;
    const char *doc;
    void *traverse, *clear;
    void *compare;
    intptr_t weak_offset;
    void *iter, *iternext;
    struct kp_method_def *methods;
    void *members, *getset;
    struct kp_type *base;
    void *dict; /* 3.12+: NULL for the interpreter's own static types */
    void *descr_get, *descr_set;
    intptr_t dict_offset;
    void *init, *alloc, *make, *free, *is_gc, *bases, *mro, *cache, *subclasses, *weak_list, *del;
    unsigned version_tag;
    void *finalize;
    void *vectorcall;
};

_Static_assert(offsetof(struct kp_type, call) == 128 && offsetof(struct kp_type, flags) == 168 &&
                   offsetof(struct kp_type, methods) == 232 && offsetof(struct kp_type, dict) == 264 &&
                   offsetof(struct kp_type, vectorcall) == 400,
               "as in Include/cpython/object.h");

enum {
    KP_TYPE_IS_HEAP = 1 << 9,
    KP_TYPE_HAS_VECTORCALL = 1 << 11,
    KP_TYPE_IS_READY = 1 << 12,
};
#define KP_TYPE_IS_DICT      (1ul << 29)
#define KP_TYPE_IS_EXCEPTION (1ul << 30)
#define KP_TYPE_IS_TYPE      (1ul << 31)

/* The number of arguments in what the vectorcall protocol passes; the top bit is a flag (PEP 590). */
#define KP_VECTORCALL_COUNT (SIZE_MAX >> 1)

/* METH_O: the function takes itself and one argument. */
enum { KP_METHOD_KEYWORDS = 2, KP_METHOD_O = 8, KP_METHOD_FASTCALL = 128 };

static inline struct kp_type *kp_type_of(const void *object)
{
    return ((const struct kp_object *)object)->type;
}

static inline bool kp_is_type(const void *object)
{
    return (kp_type_of(object)->flags & KP_TYPE_IS_TYPE) != 0;
}

static inline bool kp_is_dict(const void *object)
{
    return object && (kp_type_of(object)->flags & KP_TYPE_IS_DICT) != 0;
}

/* A type's own attributes, borrowed for a moment; give them back with kp_type_dict_done. NULL: unknown. */
static inline void *kp_type_dict(struct kp_type *type)
{
    return kp_cpython.type_dict ? kp_cpython.type_dict(type) : type->dict;
}

static inline void kp_type_dict_done(void *dict)
{
    if (kp_cpython.type_dict && dict)
        kp_cpython.decref(dict);
}

/* A function implemented in C, or a method of one bound to its object. */
static inline bool kp_is_builtin(const void *object)
{
    const void *type = kp_type_of(object);

    return type == (const void *)kp_cpython.builtin_type ||
           (kp_cpython.builtin_method_type && type == (const void *)kp_cpython.builtin_method_type);
}

#endif

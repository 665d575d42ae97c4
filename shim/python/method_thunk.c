#include "method_thunk.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "../arch/x86_64/offsets.h"
#include "core.h"
#include "cpython.h"
#include "exception_type.h"
#include "loaded.h"
#include "log.h"
#include "open_calls.h"
#include "qualname.h"
#include "registry.h"

#define UNASKED UINT32_MAX

/* What a call needs; four to a cache line. */
static struct row {
    void *function;
    _Atomic uint32_t id; /* 0: not traced */
    uint32_t reserved;
} rows[METHOD_STUBS];

static struct {
    void *original;
    const char *name;
} origins[METHOD_STUBS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic unsigned used;
static bool full_said;
static struct kp_loaded interpreter; /* its code; written before the first thunk is there */

extern const uint8_t kp_method_stubs[];

void *kp_method_thunk(void *function, const char *name)
{
    unsigned number;
    char *kept;

    pthread_mutex_lock(&lock);
    if (!interpreter.end)
        kp_loaded_find((void *)kp_cpython.get_version, &interpreter);
    number = atomic_load_explicit(&used, memory_order_relaxed);
    kept = number < METHOD_STUBS ? kp_qualname_keep(name, strlen(name)) : NULL;
    if (kept) {
        origins[number].original = function;
        origins[number].name = kept;
        rows[number].function = function;
        atomic_store_explicit(&rows[number].id, UNASKED, memory_order_relaxed);
        /* Published by whoever stores the stub's address. */
        atomic_store_explicit(&used, number + 1, memory_order_release);
    } else {
        if (!full_said)
            kp_log(KP_LEVEL_WARN, "more than %d functions in C: the others are not recorded", METHOD_STUBS);
        full_said = true;
    }
    pthread_mutex_unlock(&lock);
    return kept ? (void *)(kp_method_stubs + (size_t)number * METHOD_STUB_BYTES) : NULL;
}

bool kp_method_is_thunk(const void *address)
{
    uintptr_t distance = (uintptr_t)address - (uintptr_t)kp_method_stubs;

    return distance < (uintptr_t)METHOD_STUBS * METHOD_STUB_BYTES;
}

static size_t number_of(const void *stub)
{
    return ((uintptr_t)stub - (uintptr_t)kp_method_stubs) / METHOD_STUB_BYTES;
}

void *kp_method_original(void *address)
{
    return kp_method_is_thunk(address) ? origins[number_of(address)].original : address;
}

void kp_method_divert(void *stub, void *function)
{
    __atomic_store_n(&rows[number_of(stub)].function, function, __ATOMIC_RELEASE);
}

void kp_method_forget_verdicts(void)
{
    unsigned count = atomic_load_explicit(&used, memory_order_acquire);

    /* Verdicts are made with this lock held. */
    kp_core_lock();
    for (unsigned i = 0; i < count; i++)
        atomic_store_explicit(&rows[i].id, UNASKED, memory_order_relaxed);
    kp_core_unlock();
}

/* The object that a function lies in, unless it is the interpreter itself. */
static const char *file_of(const void *function)
{
    struct kp_loaded found;

    if ((uintptr_t)function - interpreter.start < interpreter.end - interpreter.start ||
        !kp_loaded_find(function, &found) || found.base == interpreter.base)
        return "";
    return found.path;
}

/* At the first call, and after the rules changed. */
static __attribute__((noinline)) uint32_t ask(struct kp_thread_state *t, unsigned number)
{
    const char *name = origins[number].name, *file;
    uint32_t before = kp_own_begin(t);
    int saved = errno;
    uint32_t id = 0;

    file = file_of(origins[number].original);
    kp_core_lock();
    if (kp_rules_match(&kp_core.rules, KP_FUNCTION_C_PYTHON, name, file))
        id = kp_registry_function(KP_FUNCTION_C_PYTHON, name, strlen(name), file, strlen(file), 0);
    atomic_store_explicit(&rows[number].id, id, memory_order_relaxed);
    kp_core_unlock();
    kp_own_end(t, before);
    errno = saved;
    return id;
}

typedef void *method(void *, void *, void *, void *, void *);

/* An activation for the call; NULL: it is not recorded. */
static inline void *begin(struct kp_thread_state *t, unsigned number)
{
    uint32_t id = atomic_load_explicit(&rows[number].id, memory_order_relaxed);
    void *tag;

    if (__builtin_expect(id == UNASKED, 0))
        id = ask(t, number);
    if (id == 0)
        return NULL;
    kp_probe_begin(t);
    tag = kp_call_tag(t);
    if (__builtin_expect(!kp_call_begin(t, id, tag), 0))
        tag = NULL;
    kp_probe_end(t);
    return tag;
}

void *kp_method_call(void *a, void *b, void *c, void *d, void *e, unsigned number)
{
    /* Acquire: pairs with kp_method_divert. */
    method *function = (method *)__atomic_load_n(&rows[number].function, __ATOMIC_ACQUIRE);
    struct kp_thread_state *t = kp_thread_active();
    void *tag = NULL, *result;

    if (__builtin_expect(t && !t->busy, 1))
        tag = begin(t, number);
    if (!tag)
        return function(a, b, c, d, e);
    result = function(a, b, c, d, e);
    if (__builtin_expect(result != NULL, 1))
        kp_call_end(tag, KP_EVENT_EXIT);
    else
        kp_call_fail(tag, kp_exception_set_id);
    return result;
}

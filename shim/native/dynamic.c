#include "dynamic.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "hook.h"
#include "objects.h"

void *kp_dl_real[KP_DL_CALLS];

static _Atomic bool deep_bound;

bool kp_hook_deep_bound(void)
{
    return atomic_load_explicit(&deep_bound, memory_order_relaxed);
}

/* --- dlopen --- */

struct question {
    const void *caller;
    bool searched; /* the file is searched for, not opened by its path */
    bool matters;
};

/* Whether the loader would find other files when the shim calls instead of `caller`. */
static void ask_caller(void *user)
{
    struct question *question = user;
    const struct kp_elf *caller = kp_elf_holding((uintptr_t)question->caller);

    question->matters = !caller || caller->ignored || (question->searched && caller->has_runpath);
    /* DT_RPATH counts for what its object loads, and for what that loads. The program's counts for
     * everything. */
    for (size_t i = 0; i < kp_elf_count(); i++)
        question->matters |= kp_elf_at(i)->has_rpath && !kp_elf_at(i)->main;
}

static bool caller_matters(const char *file, const void *caller)
{
    struct question question = {caller, !strchr(file, '/'), true};

    if (strchr(file, '$') || !kp_objects_known(ask_caller, &question))
        return true;
    return question.matters;
}

static void *open_and_look(const char *file, int mode)
{
    void *(*real)(const char *, int) = kp_dl_real[KP_DL_OPEN];
    void *handle = real(file, mode);
    int saved = errno;

    if (handle)
        kp_objects_update();
    errno = saved;
    return handle;
}

static void *look_at_open(const char *file, uintptr_t mode, const void *caller)
{
    if (mode & RTLD_DEEPBIND)
        atomic_store_explicit(&deep_bound, true, memory_order_relaxed);
    if (!file)
        return kp_dl_real[KP_DL_OPEN];
    /* If it does, the new object is looked at by the next dl function. */
    if (!caller_matters(file, caller))
        return (void *)open_and_look;
    return kp_dl_real[KP_DL_OPEN];
}

/* --- dlsym --- */

struct result {
    struct kp_elf_name name;
    void *address;
};

/* What the program is given to call. Data, and code that has no type, stay. */
static void replace_result(void *user)
{
    struct result *result = user;
    struct kp_elf *object = kp_elf_holding((uintptr_t)result->address);
    const char *reason = NULL;
    uint32_t symbol;
    void *stand_in;

    if (!object || object->ignored || !kp_hook_target_possible(object, (uintptr_t)result->address))
        return;
    symbol = kp_elf_find_code(object, &result->name, (uintptr_t)result->address);
    if (!symbol || ELF64_ST_TYPE(object->symbols[symbol].st_info) == STT_NOTYPE)
        return;
    stand_in = kp_hook_stand_in(object, symbol, (uintptr_t)result->address, &reason);
    if (stand_in)
        result->address = stand_in;
}

static void *replaced(void *address, const char *name)
{
    int saved = errno;
    struct result result;

    if (!address || !name)
        return address;
    result = (struct result){kp_elf_name(name), address};
    kp_objects_known(replace_result, &result);
    errno = saved;
    return result.address;
}

static void *find_and_replace(void *handle, const char *name)
{
    void *(*real)(void *, const char *) = kp_dl_real[KP_DL_SYM];

    return replaced(real(handle, name), name);
}

static void *find_version_and_replace(void *handle, const char *name, const char *version)
{
    void *(*real)(void *, const char *, const char *) = kp_dl_real[KP_DL_VSYM];

    return replaced(real(handle, name, version), name);
}

/* --- the choice --- */

static void *look(const void *first, const void *second, const void *caller, enum kp_dl_call call)
{
    /* What was opened behind our back, or a moment ago. */
    kp_objects_update();
    switch (call) {
    case KP_DL_OPEN:
        return look_at_open(first, (uintptr_t)second, caller);
    case KP_DL_SYM:
    case KP_DL_VSYM:
        /* These two are looked up from the caller on, who wants to call on. */
        if (first == RTLD_DEFAULT || first == RTLD_NEXT)
            return kp_dl_real[call];
        return call == KP_DL_SYM ? (void *)find_and_replace : (void *)find_version_and_replace;
    default:
        return kp_dl_real[call];
    }
}

void *kp_dl_look(const void *first, const void *second, const void *third, const void *caller,
                 enum kp_dl_call call)
{
    int saved = errno;
    void *function = look(first, second, caller, call);

    (void)third;
    errno = saved;
    return function;
}

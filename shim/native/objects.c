#include "objects.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "call.h"
#include "core.h"
#include "dynamic.h"
#include "function.h"
#include "hooks.h"
#include "inside.h"
#include "native.h"
#include "replace.h"
#include "writer.h"

static bool functions; /* C functions are traced, not only the loader watched */
static bool set_up;
static unsigned symbolic; /* objects that may be traced and call their own functions directly (-Bsymbolic) */
static uint64_t spent_us; /* with hooking */
static uint32_t rules_seen; /* the version of the rules that object->extent is from */
static void (*python_found)(void *handle);
static const char *python_path; /* of an object just loaded */

bool kp_native_likely(void)
{
    const char *filter = getenv("KPROBE_FILTER"), *file = getenv("KPROBE_FILTER_FILE");

    /* Every rule for C functions has a ':'. */
    return (filter && strchr(filter, ':')) || (file && *file);
}

bool kp_native_wanted(void)
{
    return kp_rules_possible(&kp_core.rules, KP_FUNCTION_C) || *kp_core.options.filter_file;
}

/* --- passes --- */

static void look_for_python(const struct kp_elf *object)
{
    static const char *const wanted[] = {"PySys_AddAuditHook", "Py_GetVersion"};

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        struct kp_elf_name name = kp_elf_name(wanted[i]);

        if (object->ignored || !kp_elf_next(object, &name, 0))
            return;
    }
    python_path = object->path;
}

static void learn(struct kp_elf *object)
{
    object->extent =
        functions && !object->ignored ? kp_rules_object(&kp_core.rules, object->name) : KP_EXTENT_NONE;
    if (object->taken)
        return;
    if (kp_writer_owns(object->dynamic) || kp_inside_owns(object->dynamic))
        object->ignored = true;
    if (!object->ignored)
        kp_replace_learn(object, functions);
    symbolic += object->symbolic && object->extent;
    if (python_found && set_up)
        look_for_python(object);
}

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000;
}

/* `user`: whether those not looked at yet are loaded completely, too. */
static bool is_due(const struct kp_elf *object, bool anew, bool settled)
{
    if (object->ignored)
        return false;
    return object->taken ? anew || object->lazy_left : settled;
}

static void take_all(void *user)
{
    bool settled = *(bool *)user;
    uint64_t start_us = now_us();
    uint32_t version = atomic_load(&kp_core.rules_version);
    bool anew = version != rules_seen;

    rules_seen = version;
    for (size_t i = 0; i < kp_elf_count(); i++)
        if (kp_elf_at(i)->taken ? anew : settled)
            learn(kp_elf_at(i));
    kp_hooks_prepare();
    for (size_t hook = 0; hook < kp_hooks_count(); hook++)
        for (size_t i = 0; i < kp_elf_count(); i++) {
            struct kp_elf *object = kp_elf_at(i);

            if (is_due(object, anew, settled) && (functions || kp_elf_may_load(object)))
                kp_hooks_take(hook, object, !object->taken);
        }
    for (size_t i = 0; i < kp_elf_count(); i++)
        kp_elf_at(i)->taken |= is_due(kp_elf_at(i), anew, settled);
    spent_us += now_us() - start_us;
}

/* With the loader's lock, from a dl function of the program. */
static void update_settled(void *unused)
{
    bool settled = true;

    (void)unused;
    if (pthread_mutex_trylock(&kp_native_lock) != 0)
        return;
    kp_elf_pass(settled, take_all, &settled);
    pthread_mutex_unlock(&kp_native_lock);
}

/* The interpreter may not be in the global scope. The handle keeps it loaded. */
static void tell_of_python(void)
{
    void *(*open)(const char *, int) = kp_dl_real[KP_DL_OPEN];
    void (*tell)(void *) = python_found;
    void *handle = NULL;

    if (open && tell)
        handle = open(python_path, RTLD_NOLOAD | RTLD_LAZY);
    python_path = NULL;
    if (!handle)
        return;
    python_found = NULL;
    tell(handle);
}

static void update(void)
{
    if (!set_up || !kp_elf_changed())
        return;
    kp_elf_with_loader(update_settled, NULL);
    if (python_path)
        tell_of_python();
}

/* In a dl function of the program, which may be called a thousand times: nothing of this is its own. */
void kp_objects_update(void)
{
    struct kp_thread_state *t = kp_self;
    uint32_t before = kp_own_begin(t);

    update();
    kp_own_end(t, before);
}

bool kp_objects_known(void (*task)(void *user), void *user)
{
    if (pthread_mutex_trylock(&kp_native_lock) != 0)
        return false;
    kp_elf_pass(false, task, user);
    pthread_mutex_unlock(&kp_native_lock);
    return true;
}

/* In the writer thread, which never takes the loader's lock: the thread that it works for may wait for it
 * there. */
static void rules_changed(void)
{
    bool settled = false;

    pthread_mutex_lock(&kp_native_lock);
    kp_elf_pass(settled, take_all, &settled);
    pthread_mutex_unlock(&kp_native_lock);
}

/* Under kp_core.lock. */
static void note(void)
{
    kp_core_meta_number("native.objects", kp_elf_count());
    kp_core_meta_number("native.symbolic", symbolic);
    kp_core_meta_number("native.microseconds", spent_us);
    kp_hooks_note();
}

static void fork_prepare(void)
{
    pthread_mutex_lock(&kp_native_lock);
}

static void fork_parent(void)
{
    pthread_mutex_unlock(&kp_native_lock);
}

static void fork_child(void)
{
    pthread_mutex_init(&kp_native_lock, NULL);
}

void kp_native_setup(bool with_functions, void (*python)(void *handle))
{
    /* After the core's, so that its part before the fork is called first. */
    pthread_atfork(fork_prepare, fork_parent, fork_child);
    if (with_functions) {
        kp_call_setup();
        kp_core.rules_replaced = kp_native_forget;
    }
    functions = with_functions;
    if (functions && kp_core.options.inside)
        kp_inside_load();
    python_found = python;
    rules_seen = atomic_load(&kp_core.rules_version);
    kp_elf_with_loader(update_settled, NULL);
    set_up = true;
    if (!functions)
        return;
    kp_writer_load();
    kp_core.last_words = note;
    kp_core_tell_of_rules(rules_changed);
    kp_core_arm();
    if (*kp_core.options.filter_file)
        kp_core_watch_rules();
}

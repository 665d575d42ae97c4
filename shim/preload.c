/*
 * The order of start, fork, exec and stop. Nothing here costs anything in a process that has nothing to
 * trace.
 */
#include <pthread.h>
#include <sys/auxv.h>

#include "core.h"
#include "kprobe.h"
#include "log.h"
#include "manual.h"
#include "native/elf.h"
#include "native/native.h"
#include "open_calls.h"
#include "python/python.h"

__attribute__((visibility("default"))) extern const char kprobe_version[];
const char kprobe_version[] = KP_VERSION;

/* Under glibc before 2.34 a program may be without libpthread. */
#pragma weak pthread_create
#pragma weak pthread_key_create
#pragma weak pthread_mutex_trylock

/*
 * The loader asks which function this stands for with its lock held: the one place where it lets others run
 * their code under that lock without loading anything.
 */
static void nothing(void)
{
}

__attribute__((used, no_sanitize("address", "undefined", "thread"))) static void (*choose(void))(void)
{
    kp_elf_run_locked();
    return nothing;
}

__attribute__((visibility("default"), ifunc("choose"))) void kprobe_under_loader_lock(void);

static bool configured;

static bool configure(void)
{
    if (configured || !kp_core_configure())
        return configured;
    pthread_atfork(kp_core_fork_prepare, kp_core_fork_parent, kp_core_fork_child);
    configured = true;
    return true;
}

/* Without libpthread nothing of ours can run, and a CPython is not there. */
static bool has_threads(void)
{
    return pthread_create && pthread_key_create && pthread_mutex_trylock;
}

/* The program loaded an interpreter. */
static void python_came(void *library)
{
    if (configure() && kp_python_present(library))
        kp_python_setup();
}

/* A set-uid program took us from a trusted folder: it still must not write files for its user. */
static bool may_trace(void)
{
    return !getauxval(AT_SECURE) && has_threads();
}

/* A program with probes of its own, perhaps none of whose functions any rule asks for. */
static bool configure_for_manual(void)
{
    return may_trace() && configure();
}

/* The entry points of kprobe.h. */
__attribute__((visibility("default"))) extern const struct kprobe_calls kprobe_v1;
const struct kprobe_calls kprobe_v1 = {
    .bytes = sizeof kprobe_v1,
    .active = kp_manual_active,
    .region = kp_manual_region,
    .begin = kp_manual_begin,
    .end = kp_manual_end,
    .fail = kp_manual_fail,
    .suspend = kp_manual_suspend,
    .resume = kp_manual_resume,
    .wanted = kp_manual_wanted,
    .record_class = kp_manual_class,
    .text = kp_manual_text,
    .record = kp_manual_record,
    .record_lost = kp_manual_lose_record,
};

__attribute__((constructor)) static void start(void)
{
    bool python, functions = false;
    uint32_t before;

    kp_manual_configure = configure_for_manual;
    if (getauxval(AT_SECURE))
        return;
    if (!has_threads()) {
        if (kp_native_likely())
            kp_log(KP_LEVEL_WARN, "the program does not load libpthread: its functions in C are not traced");
        return;
    }
    before = kp_own_begin(kp_self);
    python = kp_python_present(NULL);
    if (python || kp_native_likely()) {
        if (!configure())
            goto out;
        functions = kp_native_wanted();
    }
    if (functions || !python)
        kp_native_setup(functions, python ? NULL : python_came);
    if (python)
        kp_python_setup();
out:
    kp_own_end(kp_self, before);
}

__attribute__((destructor)) static void stop(void)
{
    if (configured)
        kp_core_stop();
}

/*
 * The order of start, fork, exec and stop. Nothing here costs anything in a process that has nothing to
 * trace.
 */
#include <pthread.h>
#include <sys/auxv.h>

#include "core.h"
#include "log.h"
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

__attribute__((constructor)) static void start(void)
{
    bool python, functions = false;
    uint32_t before;

    /* A set-uid program took us from a trusted folder: it still must not write files for its user. */
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

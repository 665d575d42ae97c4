/*
 * The order of start, fork, exec and stop. Nothing here costs anything in a process that has nothing to
 * trace.
 */
#include <pthread.h>
#include <sys/auxv.h>

#include "core.h"
#include "python/python.h"

__attribute__((visibility("default"))) extern const char kprobe_version[];
const char kprobe_version[] = KP_VERSION;

__attribute__((constructor)) static void start(void)
{
    /* A set-uid program took us from a trusted folder: it still must not write files for its user. */
    if (getauxval(AT_SECURE) || !kp_python_present())
        return;
    if (!kp_core_configure())
        return;
    pthread_atfork(kp_core_fork_prepare, kp_core_fork_parent, kp_core_fork_child);
    kp_python_setup();
}

__attribute__((destructor)) static void stop(void)
{
    kp_core_stop();
}

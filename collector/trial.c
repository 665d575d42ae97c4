#include "trial.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "child.h"
#include "preload.h"

struct surroundings {
    const char *shim, *trace, *log;
};

/* In the child. What would keep the trace from being made, or put it elsewhere, is left out. */
static int prepare(void *user)
{
    const struct surroundings *s = user;
    static const char *const left_out[] = {"KPROBE_FILTER", "KPROBE_FILTER_FILE", "KPROBE_LOG",
                                           "KPROBE_ENABLED", "KPROBE_CHILDREN"};
    char output[PATH_MAX + 8];

    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        unsetenv(left_out[i]);
    snprintf(output, sizeof output, "file:%s", s->trace);
    return setenv("KPROBE_OUTPUT", output, 1) < 0 || setenv("KPROBE_LOG_FILE", s->log, 1) < 0
               ? -1
               : kp_preload_set(s->shim);
}

struct kp_trace_facts *kp_trial_run(const char *executable, const char *shim)
{
    const char *place = getenv("TMPDIR");
    char folder[PATH_MAX], trace[PATH_MAX + 16], log[PATH_MAX + 16], name[PATH_MAX];
    char *argv[] = {name, "-I", "-S", "-c", "pass", NULL};
    struct surroundings surroundings = {shim, trace, log};
    struct kp_trace_facts *facts;
    pid_t pid;

    snprintf(folder, sizeof folder, "%s/kprobe-trial-XXXXXX", place && *place ? place : "/tmp");
    if (!mkdtemp(folder))
        return NULL;
    snprintf(trace, sizeof trace, "%s/trial.kpt", folder);
    snprintf(log, sizeof log, "%s/trial.log", folder);
    snprintf(name, sizeof name, "%s", executable);
    kp_child_run(argv, prepare, &surroundings, &pid);
    /* Where no engine takes the interpreter nothing is traced, and no trace made. */
    facts = access(trace, F_OK) ? kp_trace_facts_of_log(log) : kp_trace_facts_read(trace);
    unlink(trace);
    unlink(log);
    rmdir(folder);
    return facts;
}

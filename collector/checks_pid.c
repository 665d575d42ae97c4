/* Checks of a running process: is the shim in it, and does its trace grow? */
#include "checks.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/leftover.h"

static enum kp_verdict test_process(const struct kp_subject *subject, char *text)
{
    char path[64], name[64] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)subject->pid);
    FILE *file = fopen(path, "re");
    if (!file || !fgets(name, sizeof name, file)) {
        if (file)
            fclose(file);
        return kp_check_say(text, KP_VERDICT_FAIL, "there is no process %d", (int)subject->pid);
    }
    fclose(file);
    name[strcspn(name, "\n")] = 0;
    return kp_check_say(text, KP_VERDICT_OK, "%d (%s)", (int)subject->pid, name);
}

/* Has a file of /proc/PID an entry that begins and goes on like this? -1: it cannot be read. */
static int proc_file_holds(pid_t pid, const char *name, int separator, const char *start, const char *wanted)
{
    char path[64], *entry = NULL;
    size_t capacity = 0;
    int found = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    errno = 0;
    while (!found && getdelim(&entry, &capacity, separator, file) > 0)
        found = !strncmp(entry, start, strlen(start)) && strstr(entry, wanted);
    if (!found && errno)
        found = -1;
    free(entry);
    fclose(file);
    return found;
}

static enum kp_verdict test_mapped(const struct kp_subject *subject, char *text)
{
    int mapped = proc_file_holds(subject->pid, "maps", '\n', "", "/libkprobe.so");
    if (mapped > 0)
        return kp_check_say(text, KP_VERDICT_OK, "libkprobe.so is mapped");
    if (mapped < 0)
        return kp_check_say(text, KP_VERDICT_WARN, "/proc/%d/maps cannot be read: %s", (int)subject->pid,
                            strerror(errno));
    int asked = proc_file_holds(subject->pid, "environ", '\0', "LD_PRELOAD=", "libkprobe.so");
    return kp_check_say(text, KP_VERDICT_FAIL, "libkprobe.so is not mapped%s",
                        asked > 0    ? ", although LD_PRELOAD names it: the loader refused it"
                        : asked == 0 ? "; it was started without it in LD_PRELOAD"
                                     : "");
}

struct mapping_search {
    pid_t pid;
    bool found;
    struct kp_leftover leftover;
};

static bool visit(void *user, const struct kp_leftover *leftover)
{
    struct mapping_search *search = user;
    if (leftover->pid != (uint32_t)search->pid || !leftover->alive)
        return true;
    search->found = true;
    search->leftover = *leftover;
    return false;
}

static enum kp_verdict test_trace_alive(const struct kp_subject *subject, char *text)
{
    struct mapping_search search = {.pid = subject->pid};
    if (kill(subject->pid, 0) && errno == ESRCH)
        return KP_VERDICT_NONE;
    kp_leftover_each(visit, &search);
    if (!search.found)
        return kp_check_say(text, KP_VERDICT_WARN,
                            "it records nothing: no shared memory of kprobe belongs to it");
    return kp_check_say(text, KP_VERDICT_OK, "%s: %llu bytes written, %llu events on their way",
                        *search.leftover.output ? search.leftover.output : "(no file yet)",
                        (unsigned long long)search.leftover.file_bytes,
                        (unsigned long long)search.leftover.pending_slots);
}

const struct kp_check kp_checks_pid[] = {
    {KP_CHECK_PID, false, "process", test_process, "give the number of a running process"},
    {KP_CHECK_PID, false, "shim mapped", test_mapped, "start it anew: kprobe record -- PROGRAM"},
    {KP_CHECK_PID, false, "trace", test_trace_alive,
     "no rule can match in it, or it is no Python and no rule asks for C functions; KPROBE_LOG=info says "
     "more when it is started"},
    {0},
};

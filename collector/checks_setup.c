/* Checks of the installation, the machine and the environment. */
#include "checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "preload.h"
#include "record_options.h"

/* Room for the rings of one process with a few threads. */
#define SHM_NEEDED_BYTES (32ull << 20)

static enum kp_verdict test_shim(const struct kp_subject *subject, char *text)
{
    if (!*subject->shim)
        return kp_check_say(text, KP_VERDICT_FAIL, "libkprobe.so is in none of: %s", subject->shim_places);
    const char *refusal = kp_preload_refusal(subject->shim);
    if (refusal)
        return kp_check_say(text, KP_VERDICT_FAIL, "%s: %s", subject->shim, refusal);
    return kp_check_say(text, KP_VERDICT_OK, "%s", subject->shim);
}

static enum kp_verdict test_shim_loadable(const struct kp_subject *subject, char *text)
{
    struct kp_elf elf;
    struct statvfs mount;
    if (!*subject->shim)
        return KP_VERDICT_NONE;
    if (!kp_elf_open(&elf, subject->shim))
        return kp_check_say(text, KP_VERDICT_FAIL, "%s is no readable ELF file", subject->shim);
    const char *machine = kp_elf_machine_name(elf.machine);
    unsigned bits = elf.bits;
    kp_elf_close(&elf);
    if (!statvfs(subject->shim, &mount) && mount.f_flag & ST_NOEXEC)
        return kp_check_say(text, KP_VERDICT_FAIL, "%s is on a file system mounted noexec", subject->shim);
    return kp_check_say(text, KP_VERDICT_OK, "for %s, %u bits", machine, bits);
}

static enum kp_verdict test_shared_memory(const struct kp_subject *subject, char *text)
{
    struct statvfs mount;
    (void)subject;
    if (statvfs("/dev/shm", &mount))
        return kp_check_say(text, KP_VERDICT_FAIL, "/dev/shm is missing");
    if (access("/dev/shm", W_OK | X_OK))
        return kp_check_say(text, KP_VERDICT_FAIL, "/dev/shm is not writable for this user");
    unsigned long long free_bytes = (unsigned long long)mount.f_bavail * mount.f_frsize;
    if (free_bytes < SHM_NEEDED_BYTES)
        return kp_check_say(text, KP_VERDICT_WARN, "/dev/shm has only %llu KiB left", free_bytes >> 10);
    return kp_check_say(text, KP_VERDICT_OK, "/dev/shm has %llu MiB left", free_bytes >> 20);
}

static enum kp_verdict test_options(const struct kp_subject *subject, char *text)
{
    struct kp_options options;
    (void)subject;
    if (!kp_record_environment_check(&options, text, KP_CHECK_TEXT_BYTES) ||
        !kp_record_rules_check(&options, NULL, text, KP_CHECK_TEXT_BYTES))
        return KP_VERDICT_FAIL;
    if (!options.enabled)
        return kp_check_say(text, KP_VERDICT_WARN, "KPROBE_ENABLED=0: tracing starts switched off");
    return kp_check_say(text, KP_VERDICT_OK, "the KPROBE_ variables are valid");
}

static void append_unknown(void *user, const char *variable)
{
    char *text = user;
    size_t used = strlen(text);
    snprintf(text + used, KP_CHECK_TEXT_BYTES - used, "%s", used ? "; " : "");
    used = strlen(text);
    kp_option_unknown(variable, text + used, KP_CHECK_TEXT_BYTES - used);
}

static enum kp_verdict test_unknown_options(const struct kp_subject *subject, char *text)
{
    (void)subject;
    kp_record_environment_unknown(append_unknown, text);
    return *text ? KP_VERDICT_WARN : KP_VERDICT_NONE;
}

/* The folder in which a path is. False: only the start of a program will tell. */
static bool parent_folder(char *folder, size_t bytes, const char *path)
{
    snprintf(folder, bytes, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    else
        strcpy(folder, ".");
    return !strchr(folder, '%');
}

static enum kp_verdict test_output(const struct kp_subject *subject, char *text)
{
    struct kp_options options;
    char folder[4096], error[512];
    const char *rest;
    (void)subject;
    if (!kp_record_environment_check(&options, error, sizeof error))
        return KP_VERDICT_NONE;
    const struct kp_output_info *output = kp_output_find(options.output, &rest);
    if (output->place == KP_OUTPUT_PLACE_NOTHING)
        return kp_check_say(text, KP_VERDICT_WARN, "%s: nothing is kept", options.output);
    if (output->place == KP_OUTPUT_PLACE_ADDRESS || output->place == KP_OUTPUT_PLACE_SOCKET) {
        if (access(options.spool, W_OK | X_OK))
            return kp_check_say(text, KP_VERDICT_WARN, "%s: the folder to wait in, '%s', is not writable",
                                options.output, options.spool);
        return kp_check_say(text, KP_VERDICT_OK, "%s, waiting in %s while it is away", options.output,
                            options.spool);
    }
    if (!parent_folder(folder, sizeof folder, rest))
        return kp_check_say(text, KP_VERDICT_NOTE, "%s: the folder is known only at start", options.output);
    if (access(folder, W_OK | X_OK))
        return kp_check_say(text, KP_VERDICT_FAIL, "%s: folder '%s' is missing or not writable",
                            options.output, folder);
    return kp_check_say(text, KP_VERDICT_OK, "%s", options.output);
}

/* A number of /proc/self/status, which a child inherits. */
static long own_status(const char *name)
{
    char line[256];
    long value = -1;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && value < 0 && fgets(line, sizeof line, file))
        if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
            value = atol(line + strlen(name) + 1);
    if (file)
        fclose(file);
    return value;
}

static enum kp_verdict test_sandbox(const struct kp_subject *subject, char *text)
{
    (void)subject;
    if (own_status("Seccomp") > 0)
        return kp_check_say(text, KP_VERDICT_NOTE,
                            "a seccomp filter is on: it may forbid what the shim needs%s",
                            own_status("NoNewPrivs") > 0 ? " (no_new_privs is set)" : "");
    return KP_VERDICT_NONE;
}

const struct kp_check kp_checks_setup[] = {
    {KP_CHECK_SETUP, false, "shim", test_shim,
     "install kprobe again, or keep libkprobe.so beside the command"},
    {KP_CHECK_SETUP, false, "shim loadable", test_shim_loadable,
     "install kprobe where programs may be executed"},
    {KP_CHECK_SETUP, true, "shared memory", test_shared_memory,
     "mount or enlarge /dev/shm (containers: --shm-size), or remove leftovers: kprobe recover --all "
     "--discard"},
    {KP_CHECK_SETUP, false, "options", test_options, "correct or unset the variable"},
    {KP_CHECK_SETUP, false, "unknown options", test_unknown_options, "correct or unset the variable"},
    {KP_CHECK_SETUP, false, "output", test_output, "set KPROBE_OUTPUT to a place that is writable"},
    {KP_CHECK_SETUP, false, "sandbox", test_sandbox, ""},
    {0},
};

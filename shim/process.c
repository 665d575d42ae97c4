#include "process.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "emit.h"
#include "trace/leftover.h"
#include "trace/proc.h"
#include "trace/process_text.h"

/* Rate and cost do not change in a process and its children: measured once. */
static double ticks_per_ns;
static struct kp_probe_cost cost;

static void put(struct kp_shm_control *shm, const char *key, const char *value)
{
    kp_process_text_put(shm->process_text, sizeof shm->process_text, key, value, strlen(value));
}

static void put_number(struct kp_shm_control *shm, const char *key, unsigned long long value)
{
    char text[32];

    snprintf(text, sizeof text, "%llu", value);
    put(shm, key, text);
}

/* What the program's locale puts between the digits (a comma, or several bytes) becomes a point. */
static void put_real(struct kp_shm_control *shm, const char *key, double value)
{
    char text[48], plain[sizeof text];
    size_t used = 0;

    snprintf(text, sizeof text, "%.9g", value);
    for (const char *p = text; *p; p++)
        if (strchr("+-0123456789aefin", *p))
            plain[used++] = *p;
        else if (used == 0 || plain[used - 1] != '.')
            plain[used++] = '.';
    plain[used] = '\0';
    put(shm, key, plain);
}

/* Arguments are NUL-separated in /proc; blanks between them here, as ps shows them. Bounded: no secrets
 * beyond ps. */
static void put_command(struct kp_shm_control *shm)
{
    char text[8192];
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? -1 : read(fd, text, sizeof text);

    if (fd >= 0)
        close(fd);
    if (bytes <= 0)
        return;
    while (bytes > 0 && text[bytes - 1] == '\0')
        bytes--;
    for (ssize_t i = 0; i < bytes; i++)
        text[i] = text[i] == '\0' ? ' ' : text[i];
    kp_process_text_put(shm->process_text, sizeof shm->process_text, "command", text, (size_t)bytes);
}

static void put_executable(struct kp_shm_control *shm)
{
    char path[4096];
    ssize_t bytes = readlink("/proc/self/exe", path, sizeof path);

    if (bytes > 0)
        kp_process_text_put(shm->process_text, sizeof shm->process_text, "exe", path, (size_t)bytes);
}

static void put_identity(struct kp_shm_control *shm)
{
    char host[256] = "", uuid[33];

    kp_uuid_hex(uuid, shm->uuid);
    gethostname(host, sizeof host - 1);
    put(shm, "version", KP_VERSION);
    put(shm, "uuid", uuid);
    put_number(shm, "pid", (unsigned long long)getpid());
    put_number(shm, "ppid", (unsigned long long)getppid());
    put(shm, "parent_uuid", kp_core.parent_uuid);
    put(shm, "host", host);
    put_executable(shm);
    put_command(shm);
}

uint32_t kp_process_describe(struct kp_shm_control *shm)
{
    static const char *const clock_names[] = {"auto", "tsc", "monotonic", "none"};
    uint32_t shift = 0;

    if (ticks_per_ns == 0) {
        ticks_per_ns = kp_clock_rate(kp_core.clock, &kp_core.first_sync);
        cost = kp_emit_calibrate(kp_core.clock);
    }
    while (ticks_per_ns >= (double)(2u << shift))
        shift++;
    put_identity(shm);
    put(shm, "clock", clock_names[kp_core.clock]);
    put_real(shm, "ticks_per_ns", ticks_per_ns);
    put_number(shm, "shift", shift);
    put_number(shm, "start_ns", kp_core.first_sync.realtime_ns);
    put_real(shm, "probe_pair_ns", cost.pair_ticks / ticks_per_ns);
    put_real(shm, "probe_inner_ns", cost.inner_ticks / ticks_per_ns);
    return shift;
}

bool kp_process_parent_traced(void)
{
    Dl_info own;
    const char *name;

    if (!dladdr((void *)kp_process_parent_traced, &own) || !own.dli_fname)
        return false;
    name = strrchr(own.dli_fname, '/');
    return kp_proc_maps((uint32_t)getppid(), name ? name : own.dli_fname) > 0;
}

#include "clock.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "log.h"

/* Intel SDM 17.17.1, AMD APM 3 E.3.6: CPUID 80000007H, EDX bit 8: runs at one rate in all states. */
static bool tsc_invariant(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;

    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8));
#else
    return false;
#endif
}

/* A kernel that fell back to one of these found the TSC unstable, whatever CPUID says. */
static bool kernel_distrusts_tsc(void)
{
    char name[32] = "";
    int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    if (read(fd, name, sizeof name - 1) < 0)
        name[0] = '\0';
    close(fd);
    return strncmp(name, "hpet", 4) == 0 || strncmp(name, "acpi_pm", 7) == 0 ||
           strncmp(name, "jiffies", 7) == 0;
}

unsigned kp_clock_choose(unsigned choice)
{
    bool usable;

    if (choice == KP_CLOCK_MONOTONIC || choice == KP_CLOCK_NONE)
        return choice;
    usable = tsc_invariant() && !kernel_distrusts_tsc();
    if (usable)
        return KP_CLOCK_TSC;
    kp_log(choice == KP_CLOCK_TSC ? KP_LEVEL_WARN : KP_LEVEL_INFO,
           "the time stamp counter is not invariant on this machine: the monotonic clock is used");
    return KP_CLOCK_MONOTONIC;
}

static uint64_t ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t kp_clock_now_slow(unsigned clock)
{
    return clock == KP_CLOCK_NONE ? 0 : ns(CLOCK_MONOTONIC);
}

struct kp_clock_sync kp_clock_sync(unsigned clock)
{
    struct kp_clock_sync best = {0, 0, 0};
    uint64_t best_width = UINT64_MAX;

    for (int i = 0; i < 5; i++) {
        uint64_t before = kp_clock_now(clock);
        uint64_t monotonic = ns(CLOCK_MONOTONIC);
        uint64_t after = kp_clock_now(clock);
        uint64_t realtime = ns(CLOCK_REALTIME);

        if (after - before >= best_width)
            continue;
        best_width = after - before;
        best = (struct kp_clock_sync){
            .ticks = before + (after - before) / 2, .monotonic_ns = monotonic, .realtime_ns = realtime};
    }
    if (clock == KP_CLOCK_MONOTONIC)
        best.ticks = best.monotonic_ns;
    return best;
}

double kp_clock_rate(unsigned clock, const struct kp_clock_sync *first)
{
    struct kp_clock_sync now;

    if (clock != KP_CLOCK_TSC)
        return 1.0;
    do
        now = kp_clock_sync(clock);
    while (now.monotonic_ns - first->monotonic_ns < 200000);
    return (double)(now.ticks - first->ticks) / (double)(now.monotonic_ns - first->monotonic_ns);
}

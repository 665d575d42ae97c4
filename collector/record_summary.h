/* What `kprobe record` says when the program has ended. */
#ifndef KP_COLLECTOR_RECORD_SUMMARY_H
#define KP_COLLECTOR_RECORD_SUMMARY_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* One run of a program. Times are CLOCK_REALTIME; `start` is not later than any file of the run. */
struct kp_run {
    const char *program;
    const char *output; /* KPROBE_OUTPUT of the run */
    bool filtered;      /* rules were given */
    pid_t pid;
    int status;
    struct timespec start, end;
};

/* Prints to standard error: traces, calls, losses, threads, duration; or that and why there are none. */
void kp_record_summary(const struct kp_run *run);

#endif

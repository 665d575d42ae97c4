/* A program run as a shell would run it: terminal passed through, signals forwarded, status waited for. */
#ifndef KP_COLLECTOR_CHILD_H
#define KP_COLLECTOR_CHILD_H

#include <sys/types.h>

/*
 * Runs argv, after `prepare` (in the child, before exec; returns 0 or -1 with errno). Signals that somebody
 * sends to this process go on to the child; those that the terminal sends reach it anyway, and this process
 * waits. *pid is the child's. Returns its exit status, 128 + signal when one killed it, 127 or 126 when it
 * could not be started (said on standard error).
 */
int kp_child_run(char *const *argv, int (*prepare)(void *user), void *user, pid_t *pid);

#endif

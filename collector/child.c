#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int forwarded[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
enum { FORWARDED = sizeof forwarded / sizeof *forwarded };

static volatile pid_t child;

/* The terminal (SI_KERNEL) has signalled the child as well: once is enough. */
static void forward(int signal, siginfo_t *info, void *context)
{
    (void)context;
    int saved = errno;
    if (child > 0 && info->si_code <= 0)
        kill(child, signal);
    errno = saved;
}

static void block(sigset_t *before)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < FORWARDED; i++)
        sigaddset(&set, forwarded[i]);
    sigprocmask(SIG_BLOCK, &set, before);
}

/* What was ignored at start (nohup) stays ignored, here and in the child. */
static void install_handlers(struct sigaction before[FORWARDED])
{
    struct sigaction action = {.sa_sigaction = forward, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < FORWARDED; i++) {
        sigaction(forwarded[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            sigaction(forwarded[i], &action, NULL);
    }
}

static void restore_handlers(const struct sigaction before[FORWARDED])
{
    for (size_t i = 0; i < FORWARDED; i++)
        sigaction(forwarded[i], &before[i], NULL);
}

/* In the child. Only a failure returns: errno goes through the pipe, which exec closes. */
static void start(char *const *argv, int (*prepare)(void *), void *user, int pipe_end)
{
    if (!prepare(user))
        execvp(argv[0], argv);
    int error = errno;
    if (write(pipe_end, &error, sizeof error) != sizeof error)
        perror("kprobe");
    _exit(error == ENOENT ? 127 : 126);
}

static int status_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 126;
    return status_of(status);
}

int kp_child_run(char *const *argv, int (*prepare)(void *user), void *user, pid_t *pid)
{
    struct sigaction before[FORWARDED];
    sigset_t mask;
    int ends[2], error = 0;
    fflush(NULL);
    if (pipe2(ends, O_CLOEXEC)) {
        perror("kprobe: pipe");
        return 126;
    }
    block(&mask);
    install_handlers(before);
    child = fork();
    if (child == 0) {
        restore_handlers(before);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        start(argv, prepare, user, ends[1]);
    }
    *pid = child;
    close(ends[1]);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    int status = 126;
    if (child < 0)
        perror("kprobe: fork");
    else if (read(ends[0], &error, sizeof error) == sizeof error)
        fprintf(stderr, "kprobe: cannot run '%s': %s\n", argv[0], strerror(error));
    close(ends[0]);
    if (child > 0)
        status = wait_for(child);
    child = 0;
    restore_handlers(before);
    return status;
}

/* Every way to make a process, with traced functions open on both sides. */
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int t_work(int n);
int t_deep(int depth, int (*f)(void));
void counts_begin(void);
void counts_end(void);

extern char **environ;

static int finished(const char *title, pid_t pid)
{
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        perror(title);
    printf("%s: %s %d\n", title, WIFSIGNALED(status) ? "signal" : "status",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return WEXITSTATUS(status);
}

static int fork_and_leave(void)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        counts_begin();
        int n = t_work(5);
        counts_end();
        _exit(n);
    }
    return finished("fork, _exit", pid);
}

/* The child returns through the frames of its parent. */
static int fork_and_return(void)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        counts_begin();
        return 1000 + t_work(6);
    }
    return finished("fork, return", pid);
}

static int fork_twice(void)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        counts_begin();
        t_work(1);
        pid = fork();
        if (pid == 0) {
            counts_begin();
            exit(t_work(7) + 1);
        }
        exit(finished("grandchild", pid));
    }
    return finished("fork twice", pid);
}

static int fork_and_die(void)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        counts_begin();
        t_work(2);
        counts_end();
        abort();
    }
    return finished("fork, abort", pid);
}

static int fork_and_exec(void)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "echo from the shell; exit 9", (char *)NULL);
        _exit(127);
    }
    return finished("fork, exec", pid);
}

static int vfork_and_exec(void)
{
    fflush(stdout);
    pid_t pid = vfork();
    if (pid == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(127);
    }
    return finished("vfork, exec", pid);
}

static int vfork_and_leave(void)
{
    pid_t pid = vfork();
    if (pid == 0)
        _exit(t_work(8));
    return finished("vfork, _exit", pid);
}

static int vfork_without_program(void)
{
    pid_t pid = vfork();
    if (pid == 0) {
        execl("/no/such/program", "program", (char *)NULL);
        _exit(126);
    }
    return finished("vfork, no program", pid);
}

static int spawned(void)
{
    pid_t pid = -1;
    char *words[] = {"sh", "-c", "exit 4", NULL};
    if (posix_spawn(&pid, "/bin/sh", NULL, NULL, words, environ))
        perror("posix_spawn");
    finished("posix_spawn", pid);
    return posix_spawnp(&pid, "no-such-program", NULL, NULL, words, environ) != 0;
}

static int by_shell(void)
{
    fflush(stdout);
    int status = system("exit 5");
    printf("system: %d\n", WEXITSTATUS(status));
    char line[100] = "";
    FILE *pipe = popen("echo from a pipe; exit 6", "r");
    if (pipe && fgets(line, sizeof line, pipe))
        printf("popen: %s", line);
    printf("pclose: %d\n", WEXITSTATUS(pclose(pipe)));
    return 0;
}

static int cloned(void *argument)
{
    return t_work(*(int *)argument);
}

static int clone_like_vfork(void)
{
    static char stack[262144];
    int n = 9;
    pid_t pid = clone(cloned, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &n);
    return finished("clone", pid);
}

static void *in_thread(void *argument)
{
    *(int *)argument = t_deep(3, fork_and_leave);
    return argument;
}

int main(void)
{
    static int (*const ways[])(void) = {
        fork_and_leave,  fork_and_return,       fork_twice, fork_and_die, fork_and_exec,   vfork_and_exec,
        vfork_and_leave, vfork_without_program, spawned,    by_shell,     clone_like_vfork};
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
        int result = t_deep((int)i % 4, ways[i]);
        if (result >= 1000)
            exit(result - 1000);
        t_work(result);
    }
    pthread_t thread;
    int result = 0;
    pthread_create(&thread, NULL, in_thread, &result);
    pthread_join(thread, NULL);
    printf("thread: %d\n", result);
    fflush(stdout);
    counts_end();
    execl("/bin/sh", "sh", "-c", "echo the end; exit 11", (char *)NULL);
    return 1;
}

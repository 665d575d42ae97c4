/*
 * Every call has its return, as a processor with a shadow stack demands and a return predictor hopes: a child
 * runs the calls of abi.c one instruction at a time, while its parent keeps a stack of return addresses.
 */
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define main abi_main
#include "abi.c"
#undef main

enum { DEPTH_MAX = 100000, STEPS_MIN = 10000 };

static uint64_t stack[DEPTH_MAX];
static unsigned open_calls, steps, returns, mismatches;

enum flow { OTHER, CALL, RETURN };

static enum flow flow_at(pid_t pid, uint64_t address)
{
    uint8_t code[16] = {0};
    struct iovec here = {code, sizeof code}, there = {(void *)address, sizeof code};
    /* At the end of a mapping there are fewer. */
    while (process_vm_readv(pid, &here, 1, &there, 1, 0) < 0 && there.iov_len > 1)
        here.iov_len = --there.iov_len;
    unsigned i = 0;
    while (i < 8 &&
           (strchr("\x66\xf2\xf3\x2e\x3e\x26\x36\x64\x65\x67", code[i]) || (code[i] & 0xf0) == 0x40) &&
           code[i])
        i++;
    if (code[i] == 0xc3 || code[i] == 0xc2)
        return RETURN;
    return code[i] == 0xe8 || (code[i] == 0xff && (code[i + 1] >> 3 & 7) == 2) ? CALL : OTHER;
}

static void note(pid_t pid, enum flow flow, const struct user_regs_struct *after)
{
    if (flow == CALL && open_calls < DEPTH_MAX) {
        stack[open_calls++] = (uint64_t)ptrace(PTRACE_PEEKDATA, pid, after->rsp, NULL);
    } else if (flow == RETURN && open_calls > 0) {
        returns++;
        if (stack[--open_calls] != after->rip)
            mismatches++;
    }
}

static int follow(pid_t pid)
{
    int status;
    struct user_regs_struct now;
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        return -1;
    while (ptrace(PTRACE_GETREGS, pid, NULL, &now) == 0) {
        enum flow flow = flow_at(pid, now.rip);
        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) || waitpid(pid, &status, 0) != pid ||
            !WIFSTOPPED(status))
            break;
        steps++;
        if (WSTOPSIG(status) == SIGSTOP)
            break;
        if (ptrace(PTRACE_GETREGS, pid, NULL, &now) == 0)
            note(pid, flow, &now);
    }
    /* How a process ends is long, and not part of this. */
    if (WIFSTOPPED(status) && (ptrace(PTRACE_DETACH, pid, NULL, NULL) || waitpid(pid, &status, 0) != pid))
        return -3;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

int main(void)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char *words[] = {"abi", "1", "shallow", NULL};
        /* The first round goes at full speed: what is done once, at first calls, jumps as it likes. */
        if (freopen("/dev/null", "w", stdout) == NULL || ptrace(PTRACE_TRACEME, 0, NULL, NULL))
            _exit(77);
        abi_main(3, words);
        raise(SIGSTOP);
        int result = abi_main(3, words);
        raise(SIGSTOP);
        exit(result);
    }
    int status = follow(pid);
    if (status == 77)
        return 77;
    printf("status %d, enough steps %d and returns %d, mismatches %u\n", status, steps > STEPS_MIN,
           returns > 1000, mismatches);
    if (getenv("VERBOSE"))
        fprintf(stderr, "%u steps, %u returns\n", steps, returns);
    return 0;
}

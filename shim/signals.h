/*
 * Keeping the program's signal handlers out of the shim's own work: past libc, whose functions may be hooked.
 */
#ifndef KP_SHIM_SIGNALS_H
#define KP_SHIM_SIGNALS_H

#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Without 32 and 33, by which glibc cancels threads and sets their ids; a thread that is made while they are
 * blocked would never hear of either. */
#define KP_SIGNALS_ALL (~(3ull << 31))

/* As the kernel has it. */
static inline uint64_t kp_signals_set(uint64_t blocked)
{
    uint64_t before = 0;
#ifdef __x86_64__
    long result = SYS_rt_sigprocmask;
    register long bytes __asm__("r10") = sizeof blocked;

    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(SIG_SETMASK), "S"(&blocked), "d"(&before), "r"(bytes)
                     : "rcx", "r11", "memory");
#else
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, &before, sizeof blocked);
#endif
    return before;
}

/* Returns what kp_signals_set puts back. */
static inline uint64_t kp_signals_block(void)
{
    return kp_signals_set(KP_SIGNALS_ALL);
}

#endif

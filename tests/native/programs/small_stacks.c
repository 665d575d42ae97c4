/* First calls of functions on the smallest stacks that programs use: for signals, and for threads. */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

long t_here(long n);
long t_there(long n);

static volatile long sum;

static void on_signal(int number)
{
    sum += t_here(number);
    sum += t_here(number + 1);
}

static void *in_thread(void *argument)
{
    sum += t_there(5);
    return argument;
}

static void in_context(void)
{
    sum += t_there(6);
}

int main(void)
{
    /* What glibc says is enough for a handler; the kernel's frame with wide vector registers is in it. */
    long bytes = sysconf(_SC_SIGSTKSZ);
    char *memory = malloc((size_t)bytes);
    stack_t other = {.ss_sp = memory, .ss_size = (size_t)bytes};
    sigaltstack(&other, NULL);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);

    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN + 4096);
    pthread_t thread;
    if (pthread_create(&thread, &attributes, in_thread, NULL))
        return 1;
    pthread_join(thread, NULL);

    static ucontext_t here, there;
    static char stack[16384];
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof stack;
    there.uc_link = &here;
    makecontext(&there, in_context, 0);
    swapcontext(&here, &there);
    printf("sum %ld\n", sum);
    return 0;
}

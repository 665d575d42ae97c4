/* longjmp and siglongjmp across traced frames: by themselves, from handlers of faults, on another stack, at
 * any moment. */
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

void t_through(void (*f)(void *), void *argument);
void t_jump(jmp_buf to, int value);
void t_jump_back(sigjmp_buf to, int value);
int t_deep(int depth, void (*f)(void *), void *argument);
void t_fault(void);
int t_work(int n);

static jmp_buf outer, inner;
static sigjmp_buf safe;

static void jump_out(void *argument)
{
    t_jump(outer, *(int *)argument);
}

static void jump_inner(void *argument)
{
    t_jump(inner, *(int *)argument);
}

static void many(int rounds)
{
    volatile long sum = 0;
    for (volatile int i = 1; i <= rounds; i++) {
        int value = i;
        int came = setjmp(outer);
        if (came)
            sum += came;
        else
            t_deep(i % 7, jump_out, &value);
    }
    printf("many %ld\n", sum);
}

/* A jump to a frame in the middle, from which things go on and return as ever. */
static void middle(void *argument)
{
    int value = *(int *)argument;
    if (setjmp(inner) == 0)
        t_deep(5, jump_inner, &value);
    printf("middle %d\n", value);
    t_work(value);
}

static void nested(void)
{
    for (volatile int i = 1; i < 4; i++) {
        int value = i;
        if (setjmp(outer) == 0) {
            printf("deep %d\n", t_deep(10, middle, &value));
            t_deep(3, jump_out, &value);
        }
    }
}

static void on_fault(int signal)
{
    t_work(signal);
    t_jump_back(safe, signal);
}

static void faults(int flags, const char *title)
{
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = flags};
    sigaction(SIGSEGV, &action, NULL);
    volatile int caught = 0;
    for (volatile int i = 0; i < 100; i++) {
        if (sigsetjmp(safe, 1) == 0)
            t_deep(i % 5, (void (*)(void *))t_fault, NULL);
        else
            caught = caught + 1;
    }
    signal(SIGSEGV, SIG_DFL);
    sigset_t set;
    sigprocmask(SIG_BLOCK, NULL, &set);
    printf("%s %d, blocked %d\n", title, caught, sigismember(&set, SIGSEGV));
}

static volatile sig_atomic_t armed;

static void on_timer(int signal)
{
    (void)signal;
    if (armed) {
        armed = 0;
        siglongjmp(safe, 1);
    }
}

static void work_deep(void *argument)
{
    for (;;)
        *(volatile int *)argument = t_work(*(int *)argument);
}

/* The jump comes whereever the program happens to be, in our own code as well. */
static void any_moment(int escapes)
{
    struct sigaction action = {.sa_handler = on_timer};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval timer = {{0, 200}, {0, 200}}, off = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &timer, NULL);
    for (volatile int i = 0; i < escapes; i++) {
        int value = i;
        if (sigsetjmp(safe, 1) == 0) {
            armed = 1;
            t_deep(i % 3, work_deep, &value);
        }
    }
    setitimer(ITIMER_REAL, &off, NULL);
    printf("any moment %d\n", escapes);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "async") == 0) {
        any_moment(500);
    } else {
        many(argc > 1 ? atoi(argv[1]) : 300000);
        nested();
        faults(0, "faults");
        static char memory[65536];
        stack_t other = {.ss_sp = memory, .ss_size = sizeof memory};
        sigaltstack(&other, NULL);
        faults(SA_ONSTACK, "faults on another stack");
    }
    /* Afterwards all is as before. */
    int sum = 0;
    for (int i = 0; i < 1000; i++)
        sum += t_work(i);
    printf("work %d\n", sum);
    return 0;
}

/* Frames that are left by longjmp, and what jumps out of them. */
#include <setjmp.h>
#include <signal.h>

#include "counted.h"

void t_through(void (*f)(void *), void *argument);
void t_jump(jmp_buf to, int value);
void t_jump_back(sigjmp_buf to, int value);
int t_deep(int depth, void (*f)(void *), void *argument);
int t_deeper(int depth, void (*f)(void *), void *argument);
void t_fault(void);
int t_work(int n);

void t_through(void (*f)(void *), void *argument)
{
    CALLED();
    f(argument);
}

void t_jump(jmp_buf to, int value)
{
    CALLED();
    longjmp(to, value);
}

void t_jump_back(sigjmp_buf to, int value)
{
    CALLED();
    siglongjmp(to, value);
}

/* Each calls the other: compilers know where a function that calls itself is. */
int t_deep(int depth, void (*f)(void *), void *argument)
{
    CALLED();
    if (depth == 0) {
        f(argument);
        return 0;
    }
    return 1 + t_deeper(depth - 1, f, argument);
}

int t_deeper(int depth, void (*f)(void *), void *argument)
{
    CALLED();
    return t_deep(depth, f, argument);
}

/* Called by its address: not seen. */
void t_fault(void)
{
    int *volatile nowhere = (int *)8;
    *(volatile int *)nowhere = 1;
}

int t_work(int n)
{
    CALLED();
    return n * 7 % 11;
}

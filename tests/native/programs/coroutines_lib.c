/* Frames that wait while other stacks run. */
#include "counted.h"

void t_through(void (*f)(void *), void *argument);
int t_deep(int depth, void (*f)(void *), void *argument);
int t_deeper(int depth, void (*f)(void *), void *argument);
int t_work(int n);

void t_through(void (*f)(void *), void *argument)
{
    CALLED();
    f(argument);
    __asm__ volatile("");
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

int t_work(int n)
{
    CALLED();
    return n * 7 % 11;
}

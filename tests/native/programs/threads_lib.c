/* What threads run. */
#include <pthread.h>

#include "counted.h"

void t_exit_here(int depth);
void t_wait_here(int depth);
void t_exit_there(int depth);
void t_wait_there(int depth);
int t_work(int n);
void t_cleanup(void *argument);
void t_key_destructor(void *argument);
void *t_start(void *argument);

void t_exit_here(int depth)
{
    CALLED();
    if (depth == 0)
        pthread_exit((void *)4711);
    t_exit_there(depth - 1);
    __asm__ volatile("");
}

/* Until it is cancelled. */
void t_wait_here(int depth)
{
    CALLED();
    if (depth == 0)
        for (;;)
            pause();
    t_wait_there(depth - 1);
    __asm__ volatile("");
}

/* Each of a pair calls the other: compilers know where a function that calls itself is. */
void t_exit_there(int depth)
{
    CALLED();
    t_exit_here(depth);
}

void t_wait_there(int depth)
{
    CALLED();
    t_wait_here(depth);
}

int t_work(int n)
{
    CALLED();
    return n * 7 % 11;
}

void t_cleanup(void *argument)
{
    CALLED();
    __atomic_add_fetch((int *)argument, 1, __ATOMIC_RELAXED);
}

/* Both are called by their addresses: not seen. */
void t_key_destructor(void *argument)
{
    t_work(1);
    __atomic_add_fetch((int *)argument, 1, __ATOMIC_RELAXED);
}

void *t_start(void *argument)
{
    int sum = 0;
    for (int i = 0; i < 50; i++)
        sum += t_work(i);
    *(int *)argument = sum;
    return argument;
}
